"""The page that each error becomes: what happened, what to do, and what the person typed, given back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flask import g, render_template, request, url_for
from markupsafe import Markup
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, SecurityError

from smartapp.errors import (
    AppError,
    BadRequest,
    ChangedMeanwhile,
    EhrTrouble,
    Guest,
    LaunchEnded,
    LaunchRefused,
    NotAllowed,
    NotFoundPage,
    NotTogether,
    TooLarge,
    TooManyRequests,
    UnknownIssuer,
    WrongPerson,
)
from smartapp.fhir.store import Conflict, Forbidden, Gone, NotFound, RecordError, Refused, Unauthorized
from smartapp.i18n import message
from smartapp.settings import Issuer
from smartapp.web import current, handing_over, with_client
from smartapp.web.framing import issuer_here
from smartapp.web.kept import keep, typed_text
from smartapp.web.language import gettext as _
from smartapp.web.looked_at import parts_here

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger(__name__)

MOST_PLACES = 8
"""A shared installation serves many organisations: a list of them helps no one, and tells strangers who they are."""


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


def places() -> list[dict[str, str]]:
    """Return where the app can be opened from: the one that this page is about, else all of them if they are few."""
    here = issuer_here()
    issuers = [one for one in ((here,) if here else current.services().settings.issuers) if _from_outside(one)]
    if len(issuers) > MOST_PLACES:
        return []
    return [{"name": issuer.name, "href": url_for("sign_in.start", iss=issuer.base)} for issuer in issuers]


def _from_outside(issuer: Issuer) -> bool:
    """Tell whether people may begin at us: most Koppeltaal domains open us with a task, and in no other way."""
    return issuer.koppeltaal is None or issuer.koppeltaal.standalone


DENIED = (NotAllowed, LaunchEnded, WrongPerson, NotFoundPage)


def _drawn(error: AppError, typed: list[tuple[str, str]], *, kept: bool) -> str:
    where_to = places() if isinstance(error, LaunchEnded | LaunchRefused | UnknownIssuer) else []
    together = with_client.BEGIN if isinstance(error, NotTogether) else ""
    return render_template(
        "error.html",
        error=error,
        typed=typed,
        kept=kept,
        places=where_to,
        together=together,
        helpdesk_code=error.code if isinstance(error, Guest) else "",
    )


def _bare(error: AppError, typed: list[tuple[str, str]]) -> str:
    """Return the error page without any template: ugly, but the words are there."""
    parts = [
        Markup("<!doctype html><title>Verstel</title><h1>{}</h1><p>{}</p>").format(_(error.title), _(error.advice))
    ]
    parts += [Markup("<pre>{}</pre>").format(text) for _name, text in typed]
    return Markup("").join(parts)


def _log_denied(error: AppError) -> None:
    """Write who was turned away, in the one place where every refusal ends: the page that they asked for, and why.

    Not what else they wrote into the address: it may be somebody's name. A page that is not there is one only for who
    is signed in. It may be there, for others: a guessed id of somebody else's, or what is not shared.
    """
    audit, launch = current.services().audit, current.launch_or_none()
    if launch is not None and isinstance(error, DENIED):
        g.denied = True
        audit.denied(launch, request.endpoint or "", error.code, parts_here())
    elif launch is None and isinstance(error, NotAllowed | LaunchEnded | WrongPerson):
        audit.refused(request.endpoint or "", error.code)


def _page_of(error: HTTPException) -> AppError:
    status = error.code or 500
    if status >= 500:
        return AppError()
    if isinstance(error, RequestEntityTooLarge):
        return TooLarge()
    return {403: NotAllowed(), 404: NotFoundPage()}.get(status, BadRequest())


def _page(error: AppError, status: int) -> tuple[str, int]:
    try:
        sent = list(request.form.items(multi=True)) if request.method == "POST" else []
    except HTTPException:  # a body that is too large or malformed has nothing to give back
        sent = []
    typed = typed_text(sent)
    try:
        return _drawn(error, typed, kept=bool(typed) and keep(error, sent)), status
    except Exception as broken:  # noqa: BLE001  (whatever breaks here, what a person typed comes back to them)
        log.error("the error page itself: %s", type(broken).__name__)  # noqa: TRY400
        return _bare(error, typed), status


def _app_error(error: AppError) -> tuple[str, int, dict[str, str]]:
    log.info("%s %s", error.status, error.code)
    _log_denied(error)
    later = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyRequests) else {}
    return *_page(error, error.status), later


def _record_error(error: RecordError) -> tuple[str, int]:
    log.info("%s from a record store: %s", error.status, type(error).__name__)
    shown = of_record_error(error)
    _log_denied(shown)
    return _page(shown, shown.status)


def _http_error(error: HTTPException) -> Any:
    if isinstance(error, SecurityError):  # a host name that is not ours: there are no addresses to build a page with
        log.info("400 strange-host")  # not which: it may be anything
        return "This is not the address of this app.", 400
    status = error.code or 500
    if status == 404 and (gone := handing_over.of_what_is_gone()) is not None:
        return gone
    if status < 400:  # a redirect of Werkzeug's
        return error
    shown = _page_of(error)
    _log_denied(shown)
    return _page(shown, status)


def _unforeseen(error: Exception) -> tuple[str, int]:
    # The traceback holds local values only in debuggers, but a message may quote what a person typed: class only.
    log.error("unforeseen %s in %s", type(error).__name__, request.endpoint, exc_info=_frames_only(error))
    return _page(AppError(), 500)


def init_errors(app: Flask) -> None:
    """Draw every AppError, every HTTP error and every unforeseen exception as a page."""
    app.register_error_handler(AppError, _app_error)
    app.register_error_handler(RecordError, _record_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unforeseen)


def _frames_only(error: BaseException) -> tuple[type[BaseException], BaseException, Any]:
    """Return exception info with the traceback but without the message, which may quote personal data."""
    return (RuntimeError, RuntimeError(f"{type(error).__name__} (message withheld)"), error.__traceback__)
