"""Taking back how an agreement went, in one press, for whoever said it just now."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from flask import abort, flash, redirect, request
from flask.typing import ResponseReturnValue

from mappers.agreements import Progress
from smartapp.fhir.store import NotFound, RecordError, Unauthorized
from smartapp.i18n import message
from smartapp.pages.together import keeping, session
from smartapp.pages.together.session import Sessions
from smartapp.web import current, undoing
from smartapp.web.language import gettext as _

NOT_TAKEN_BACK: Final = message("This is not taken back: something else was said about it since. Read it once more.")
NOT_SAVED: Final = message("This is not saved. Please try again in a moment.")


def needs(progress: Progress) -> dict[str, str]:
    """Return what it takes to take something back; who said it is who takes it back."""
    return {name: value for name, value in asdict(progress).items() if name != "by"}


def offered(said: keeping.Said, back: str, address: str) -> str:
    """Return the address of the page after how it went was said, which offers to take that back by posting to `back`.

    What was pressed twice has been said by the first press, and can be taken back as it could after that.
    """
    if not said.kept.arrived:
        return address
    return undoing.offer(back, needs(said.progress), address) if said.progress else undoing.offer_again(back, address)


def taken() -> Progress | None:
    """Return what this request takes back, None where that is no longer known."""
    known = undoing.taken(request.form.get(undoing.FIELD, ""))
    return Progress(by=current.launch().user.reference, **known) if known is not None else None


def taken_back(agreement_id: str, sketch: Sessions, page: str) -> ResponseReturnValue:
    """Take back how an agreement went, put its words into the sketch, and go to a page that says so."""
    progress = taken()
    if progress is None:
        flash(_(NOT_TAKEN_BACK), "attention")
        return redirect(page, 303)
    try:
        kept, words = keeping.take_back_progress(current.records(), agreement_id, progress)
    except Unauthorized:
        raise
    except keeping.ChangedMeanwhile:
        flash(_(NOT_TAKEN_BACK), "attention")
        return redirect(page, 303)
    except NotFound:
        abort(404)
    except RecordError:
        flash(_(NOT_SAVED), "attention")
        return redirect(page, 303)
    undoing.forget()
    name = session.progress_fields(agreement_id)[1]
    if words:
        sketch.change(lambda now: now if now.text(name) else session.with_fields(now, {name: words}))
    return redirect(undoing.undone(page) if kept.arrived else f"{page}?saved=waits", 303)
