"""Words that were typed when a session ended: read again, sent again, or thrown away by the person who typed them."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from questionnaires.catalogue import catalogue
from smartapp.pages.kept.views import kept_form
from smartapp.web import current
from smartapp.web.components.frame import record_address
from smartapp.web.kept import owner_of, waiting

blueprint = Blueprint("kept", __name__, url_prefix="/kept", template_folder="templates")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show what is kept for this user about this person."""
    kept, known = waiting(current.launch()), catalogue()
    forms = [kept_form(each, record_address(each.page), known, can_open=_opens) for each in kept]
    if not forms:
        return redirect(record_address(), 303)
    return render_template("kept/index.html", forms=forms)


@blueprint.post("/<kept_id>/discard")
def discard(kept_id: str) -> ResponseReturnValue:
    """Throw one of them away."""
    current.services().kept_words.drop(owner_of(current.launch()), kept_id)
    return redirect(url_for(".index"), 303)


def _opens(address: str) -> bool:
    """Tell whether an address is a page that can be opened, and not only sent to."""
    urls = current_app.create_url_adapter(request)
    return urls is not None and urls.test(address.removeprefix(request.script_root), "GET")
