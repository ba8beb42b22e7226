"""In whose frame a page may be shown: the EHR's that opened it, also where its session has ended or never began."""

from __future__ import annotations

from typing import Any

from flask import Flask, request

from smartapp.settings import Issuer
from smartapp.web import current

_IN_A_FRAME = frozenset({"iframe", "frame", "embed", "object"})
OF_THE_SITE = frozenset({"sign_in.index", "sign_in.goodbye", "components.accessibility"})
"""Pages about nobody that others link to. Inside a frame such a link says whose frame that is."""


def issuer_here() -> Issuer | None:
    """Return the issuer that this request is about, or None where nothing tells.

    The launch says so, else the mark in the address: of a launch that is over, or of a sign-in that came back. Else
    `iss` does, on pages that belong to no launch. Anyone can write that, but it only lets the EHR that it names frame
    a page that says nothing about anybody. There is no list of all EHRs for what is left: it would let each of them
    frame the pages of the others, and tell every stranger who our customers are.
    """
    services = current.services()
    launch = current.launch_or_none()
    if launch is not None:
        return services.settings.issuer(launch.issuer)
    if request.path.startswith("/l/"):
        return services.marks.issuer(request.path.split("/")[2])
    return services.marks.issuer(request.args.get("state", "")) or services.settings.issuer(request.args.get("iss", ""))


def frame_ancestors() -> tuple[str, ...]:
    """Return the origins that may show this page in a frame; none where nothing tells the issuer."""
    issuer = issuer_here()
    return issuer.frame_ancestors if issuer else ()


def in_a_frame() -> bool:
    """Tell whether the browser says that it loads this page in a frame; old browsers do not say."""
    return request.headers.get("Sec-Fetch-Dest") in _IN_A_FRAME


def init_framing(app: Flask) -> None:
    """Let links from a frame to pages of the site say whose frame it is; tell templates whether they are in one."""
    app.jinja_env.globals["in_a_frame"] = in_a_frame

    @app.url_defaults
    def stay_in_the_frame(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint in OF_THE_SITE and "iss" not in values and (issuer := issuer_here()) and issuer.frame_ancestors:
            values["iss"] = issuer.base
