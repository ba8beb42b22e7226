"""Messages that something is ready: the client chooses how often and where; off is the default."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smartapp.i18n import message
from smartapp.pages.reminders.by_mail import site_blueprint
from smartapp.pages.reminders.views import OFF, ReminderForm, standing_of
from smartapp.settings import mailbox
from smartapp.storage.reminders import Choice, TooManyAsked
from smartapp.web import current
from smartapp.web.language import gettext as _
from smartapp.web.language import language
from smartapp.web.messages import ways_here

__all__ = ["blueprint", "site_blueprint"]

blueprint = Blueprint("reminders", __name__, url_prefix="/reminders", template_folder="templates")

ON: Final = message("Saved. From now on you get a message when something is ready.")
ASKED: Final = message("Almost done. You get a mail. Open it and press the button in it.")
IS_OFF: Final = message("You get no messages any more. Your e-mail address is deleted here.")
TOO_MANY: Final = message("You had three mails to confirm an address today. Try again tomorrow.")
TOO_MANY_A_MONTH: Final = message("You had six mails to confirm an address this month. Try again later.")


@blueprint.get("/")
def index() -> str:
    """Show what I chose, and let me choose."""
    chosen = current.services().reminders.chosen(*_here())
    found = ways_here()
    choice = chosen.choice if chosen else Choice(how=found[0] if found else "mail")
    form = ReminderForm(found, chosen.choice.often if chosen else OFF, choice.how, choice.address)
    return _page(form)


@blueprint.post("/")
def choose() -> ResponseReturnValue:
    """Keep what I chose."""
    found = ways_here()
    how = request.form.get("choice-how", found[0] if len(found) == 1 else "")
    address = request.form.get("address", "").strip()
    form = ReminderForm(found, request.form.get("choice-often", ""), how, address)
    if "look" in request.form:
        return _page(form)
    if form.often == OFF:
        return stop()
    errors = form.errors()
    if errors:
        return _page(form, errors), 422
    launch = current.launch()
    choice = Choice(
        often="weekly" if form.often == "weekly" else "once",
        how="portal" if how == "portal" else "mail",
        address=mailbox(address) if how == "mail" else "",
        language=language(),
        issuer=launch.issuer,
        patient=launch.patient.reference,
    )
    try:
        state = current.services().reminders.choose(launch.issuer_key, choice)
    except TooManyAsked as error:
        said = _(TOO_MANY_A_MONTH if error.a_month else TOO_MANY)
        return _page(form, [{"field": "address", "text": said}]), 429
    _log()
    flash(_(ON) if state == "on" else _(ASKED))
    return redirect(url_for("reminders.index"), 303)


@blueprint.post("/stop")
def stop() -> ResponseReturnValue:
    """Let no messages come any more, in one press."""
    if current.services().reminders.off(*_here()):
        _log()
    flash(_(IS_OFF))
    return redirect(url_for("reminders.index"), 303)


def _here() -> tuple[str, str]:
    launch = current.launch()
    return launch.issuer_key, launch.patient.reference


def _log() -> None:
    current.services().audit.record(current.launch(), "update", ["reminders"])


def _page(form: ReminderForm, errors: list[dict[str, str]] | None = None) -> str:
    standing = standing_of(current.services().reminders.chosen(*_here()))
    return render_template("reminders/index.html", form=form, standing=standing, errors=errors or [])
