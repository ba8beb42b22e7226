"""A copy of a form that its owner keeps on a device of their own, to read without a network: a page with all in it.

It says what was written, on which day, and whom to call. It holds no address of the record and no id, and nothing in it
can be changed. The page of the form has its browser keep it (`copies.js`); without scripts it is a file to download.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from flask import Response, abort, make_response, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from questionnaires.catalogue import catalogue
from smartapp.pages.living.card import card_of
from smartapp.pages.living.paper import file_name
from smartapp.pages.living.service import open_form
from smartapp.web import copies, current
from smartapp.web.language import text_of
from smartapp.web.written import written_groups

_FOLDER: Final = Path(__file__).with_name("templates") / "living"


def copy(form_id: str) -> ResponseReturnValue:
    """Give the copy that the page of a form has this browser keep, with the button that removes it."""
    made = _copy(form_id, kept=True)
    copies.remember(made)
    return made


def copy_as_file(form_id: str) -> ResponseReturnValue:
    """Give the same as a file."""
    made = _copy(form_id, kept=False)
    made.headers.set("Content-Disposition", "attachment", filename=f"{file_name(catalogue().living[form_id])}.html")
    return made


def _copy(form_id: str, *, kept: bool) -> Response:
    form = catalogue().living.get(form_id)
    if form is None or form.living is None or not form.living.offline:
        abort(404)
    opened = open_form(form)
    style, script = _text("copy.css"), _text("copy.js") if kept else ""
    policy = copies.policy(style=style, script=script)
    page = render_template(
        "living/copy.html",
        form=form,
        groups=written_groups(opened.content, catalogue()),
        changed=opened.stored.changed,
        card=card_of(opened, catalogue()) if form.living.card else None,
        name=current.launch().patient.display,
        today=current.now().date(),
        style=Markup(style),  # noqa: S704  (our own files)
        script=Markup(script),  # noqa: S704
        policy="" if kept else policy,
        scope=url_for("offline.index"),
        address=url_for("offline.form", form_id=form.id),
    )
    made = make_response(page)
    made.headers["Content-Security-Policy"] = f"{policy}; frame-ancestors 'none'"
    made.headers["X-Verstel-Title"] = quote(text_of(form.title))  # other pages list a copy without reading it
    return made


@cache
def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
