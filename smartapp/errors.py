"""What can go wrong, as one tree, and the page each branch becomes.

AppError                        a page that says what happened and what to do
├── BadRequest          400     the request cannot be right
│   ├── UnknownIssuer   400     nobody we know starts us from there
│   ├── LaunchRefused   400     the sign-in did not complete
│   └── TooLarge        413     more than a form ever holds
├── NotAllowed          403     this role or this form token may not do this
│   └── StaleForm       403     the form is from another session
├── LaunchEnded         404     no such launch in this browser (any more)
├── NotFoundPage        404     no such page or record
├── WrongPerson         409     the form was filled in for somebody else
├── ChangedMeanwhile    409     somebody else saved first
└── EhrTrouble          502     the EHR answered something we cannot use, or nothing

A page never shows text that came in by the URL, and a log line never holds more than the class and `code`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from flask import current_app, g, render_template, request
from markupsafe import Markup
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, SecurityError

from smartapp.i18n import _, message
from smartapp.records.store import Conflict, Forbidden, Gone, NotFound, RecordError, Refused, Unauthorized

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger(__name__)


class AppError(Exception):
    """Base: `title`, `text` and `advice` are English msgids, shown in the reader's language."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = message("Something went wrong here")
    advice: ClassVar[str] = message("Try again in a moment. Nothing you typed was thrown away by us.")

    def __init__(self, text: str = "", *, code: str = "") -> None:
        super().__init__(text or self.title)
        self.text = text
        self.code = code or type(self).__name__


class BadRequest(AppError):  # noqa: N818
    """The request cannot be right."""

    status = 400
    title = message("We cannot use this request")
    advice = message("Go back and try again, or open the app again from your portal or record.")


class UnknownIssuer(BadRequest):
    """The launch names an EHR or portal that is not in the settings."""

    title = message("We do not know this portal or record system")
    advice = message("Open the app from your own portal or record. If you did, tell the people who manage it.")


class LaunchRefused(BadRequest):
    """The sign-in did not complete; nothing was stored."""

    title = message("Signing in did not work")
    advice = message("Open the app again from your portal or record.")


class TooLarge(BadRequest):
    """More was sent than a form ever holds."""

    status = 413
    title = message("This is more text than we can take at once")
    advice = message("Go back and shorten the text, or save it in two parts.")


class NotAllowed(AppError):  # noqa: N818
    """This role may not see or do this."""

    status = 403
    title = message("This page is not for you")
    advice = message("Go back to your own start page.")


class StaleForm(NotAllowed):
    """The form token is missing or belongs to another session."""

    title = message("This form has expired")
    advice = message("Open the page again and send the form once more. What you typed is shown below.")


class LaunchEnded(AppError):  # noqa: N818
    """No such launch in this browser, or not any more."""

    status = 404
    title = message("This session has ended")
    advice = message("Open the app again from your portal or record. Everything that was saved is still there.")


class WrongPerson(AppError):  # noqa: N818
    """The form was filled in for another person than this launch is about."""

    status = 409
    title = message("This form belongs to somebody else")
    advice = message("Nothing was saved. Open the record of the right person and fill in the form there.")


class EhrTrouble(AppError):  # noqa: N818
    """The EHR answered something we cannot use, or did not answer."""

    status = 502
    title = message("The record system does not answer as it should")
    advice = message("Try again in a moment. Nothing you typed was thrown away by us.")


class NotFoundPage(AppError):  # noqa: N818
    """An address that does not exist."""

    status = 404
    title = message("This page does not exist")
    advice = message("Check the address, or go back to your start page.")


class ChangedMeanwhile(AppError):  # noqa: N818
    """Somebody else saved first, and the page had no better way to show both versions."""

    status = 409
    title = message("Somebody else changed this in the meantime")
    advice = message("Your text was not saved over theirs. Copy it, open the page again and compare.")


def of_record_error(error: RecordError) -> AppError:
    """Return the page for an error of a record store that no page handled itself."""
    match error:
        case Unauthorized():
            return LaunchEnded(code="token-ended")
        case Forbidden():
            return NotAllowed(message("The record system does not allow this for you."), code="ehr-forbids")
        case NotFound() | Gone():
            return NotFoundPage(code="no-such-record")
        case Conflict():
            return ChangedMeanwhile(code="stale")
        case Refused():
            return EhrTrouble(message("The record system did not accept this."), code="ehr-refuses")
        case _:
            return EhrTrouble(code="ehr-unreachable")


# The names that our forms use for themselves; a test compares them with the templates.
_HIDDEN = frozenset({"_csrf", "_for", "family", "from_review", "identifier", "key", "seen", "sketch", "was"})
_BUTTONS = frozenset({"clear", "next", "pause", "previous", "remove", "stop"})
_MARKS = ("seen-", "asked-", "choice-")


def typed_text(form: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the (field, text) pairs a person typed, so that an error page can give them back.

    Hidden fields and buttons are ours: among the person's own words they would only frighten.
    """
    ours = _HIDDEN | _BUTTONS
    return [(name, text) for name, text in form if name not in ours and not name.startswith(_MARKS) and text.strip()]


def _drawn(error: AppError, typed: list[tuple[str, str]]) -> str:
    from smartapp.smart.routes import places  # noqa: PLC0415  (those addresses raise these errors)

    where_to = places() if isinstance(error, LaunchEnded | LaunchRefused | UnknownIssuer) else []
    return render_template("error.html", error=error, typed=typed, places=where_to)


def _bare(error: AppError, typed: list[tuple[str, str]]) -> str:
    """Return the error page without any template: ugly, but the words are there."""
    parts = [
        Markup("<!doctype html><title>Verstel</title><h1>{}</h1><p>{}</p>").format(_(error.title), _(error.advice))
    ]
    parts += [Markup("<pre>{}</pre>").format(text) for _name, text in typed]
    return Markup("").join(parts)


def _log_denied(error: AppError) -> None:
    audit = current_app.extensions["verstel"].audit
    if g.get("launch") is not None:
        audit.record(g.launch, "denied", [request.endpoint or ""], outcome="4", reason=error.code)
    else:
        audit.refused(request.endpoint or "", error.code)


def _page_of(error: HTTPException) -> AppError:
    status = error.code or 500
    if status >= 500:
        return AppError()
    if isinstance(error, RequestEntityTooLarge):
        return TooLarge()
    return {403: NotAllowed(), 404: NotFoundPage()}.get(status, BadRequest())


def init_errors(app: Flask) -> None:
    """Draw every AppError, every HTTP error and every unforeseen exception as a page."""

    def page(error: AppError, status: int) -> tuple[str, int]:
        try:
            typed = typed_text(request.form.items(multi=True)) if request.method == "POST" else []
        except HTTPException:  # a body that is too large or malformed has nothing to give back
            typed = []
        try:
            return _drawn(error, typed), status
        except Exception as broken:  # noqa: BLE001  (whatever breaks here, what a person typed comes back to them)
            log.error("the error page itself: %s", type(broken).__name__)  # noqa: TRY400
            return _bare(error, typed), status

    @app.errorhandler(AppError)
    def app_error(error: AppError) -> tuple[str, int]:
        log.info("%s %s", error.status, error.code)
        if isinstance(error, NotAllowed | LaunchEnded | WrongPerson):
            _log_denied(error)
        return page(error, error.status)

    @app.errorhandler(RecordError)
    def record_error(error: RecordError) -> tuple[str, int]:
        log.info("%s from a record store: %s", error.status, type(error).__name__)
        shown = of_record_error(error)
        return page(shown, shown.status)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Any:
        status = error.code or 500
        if isinstance(
            error, SecurityError
        ):  # a host name that is not ours: there are no addresses to build a page with
            return "This is not the address of this app.", 400
        return error if status < 400 else page(_page_of(error), status)  # below 400: a redirect of Werkzeug's

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> tuple[str, int]:
        # The traceback holds local values only in debuggers, but a message may quote what a person typed: class only.
        log.error("unforeseen %s in %s", type(error).__name__, request.endpoint, exc_info=_frames_only(error))
        return page(AppError(), 500)


def _frames_only(error: BaseException) -> tuple[type[BaseException], BaseException, Any]:
    """Return exception info with the traceback but without the message, which may quote personal data."""
    return (RuntimeError, RuntimeError(f"{type(error).__name__} (message withheld)"), error.__traceback__)
