"""Copies that a browser keeps because its owner asked for it, to be read without a network and without signing in.

What is kept lies in the browser alone, below one address of the site, and is about one person: whoever asks for a copy
in the same browser replaces those of somebody else, after they were told so. The browser says by a cookie that it has
copies: then signing out leaves its storage as it is, and says so. Nothing in it says whose they are to anybody but us.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from flask import Response, request

from smartapp.web import current

COOKIE: Final = "verstel-copy"
_LENGTH: Final = 32  # hex digits, 128 bits: nobody meets another's by accident
_YEAR: Final = 365 * 24 * 3600


def whose() -> tuple[str, ...]:
    """Return what copies about the person of this launch are marked with: the first for a new one, any of them is one.

    Only our key can make it. So a page knows a copy of this person from another's, and a copy names nobody.
    """
    launch, settings = current.launch(), current.services().settings
    person = f"copy|{settings.issuer_key(launch.issuer)}|{launch.patient_id}"
    return tuple(proof.hex()[:_LENGTH] for proof in settings.signatures(person))


def are_here() -> bool:
    """Tell whether this browser says that it has copies."""
    return COOKIE in request.cookies


def remember(response: Response) -> None:
    """Have the browser say from now on that it has copies. It is no secret: the page that removes them takes it back.

    Set by us and not by a script, which some browsers let have a cookie for a week only.
    """
    response.set_cookie(
        COOKIE, "1", max_age=_YEAR, path="/", secure=current.services().settings.https, samesite="Lax", httponly=False
    )


def policy(*, style: str, script: str = "") -> str:
    """Return the policy of a page that has all of itself in it: this style, this script, and nothing from outside."""
    rules = ["default-src 'none'", f"style-src '{_digest(style)}'"]
    if script:
        rules.append(f"script-src '{_digest(script)}'")
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
