"""What a mail leads to, without signing in: a page with one button that stops messages, or confirms an address.

To open an address changes nothing, since programs that look through mail open each of them. Nothing tells whose it is:
a page that stops says the same of an address that was used before, and of one that never was.
"""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from smartapp.web import current
from smartapp.web.guard import FOR_PROGRAMS

site_blueprint = Blueprint("reminders_by_mail", __name__, url_prefix="/reminders", template_folder="templates")
# Mail programs post to it (RFC 8058), without a session; who knows the address may.
FOR_PROGRAMS.update({"reminders_by_mail.stop_now", "reminders_by_mail.confirm_now"})


@site_blueprint.get("/stop/<secret>")
def stop(secret: str) -> str:
    """Ask whether to stop."""
    return render_template("reminders/stop.html", secret=secret, done=False)


@site_blueprint.post("/stop/<secret>")
def stop_now(secret: str) -> str:
    """Stop, in one press."""
    current.services().reminders.stop(secret)
    return render_template("reminders/stop.html", secret=secret, done=True)


@site_blueprint.get("/confirm/<secret>")
def confirm(secret: str) -> ResponseReturnValue:
    """Ask whether an address is right."""
    known = current.services().reminders.is_asked(secret)
    page = render_template("reminders/confirm.html", secret=secret, known=known, done=False)
    return page, 200 if known else 404


@site_blueprint.post("/confirm/<secret>")
def confirm_now(secret: str) -> ResponseReturnValue:
    """Let messages come to this address."""
    known = current.services().reminders.confirm(secret)
    page = render_template("reminders/confirm.html", secret=secret, known=known, done=known)
    return page, 200 if known else 404
