"""The client's own note beside scores: what they mean to me. Read with the scores, written on a page of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.human_name import reference_to
from mappers.identity import URN, values_in
from mappers.own_notes import (
    CODE,
    IDENTIFIER_SYSTEM,
    PLAN_SYSTEM,
    OwnNote,
    name_beside,
    note_of,
    observation_of,
    taken_back,
)
from mappers.tolerant import object_in, text_in
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument
from smartapp.fhir.store import Conflict, Forbidden, Query, RecordError, Refused, Unreachable, Write
from smartapp.i18n import message
from smartapp.pages.scores import asking
from smartapp.records import Record
from smartapp.storage.drafts import Drafts
from smartapp.web import current, typed
from smartapp.web.language import gettext as _
from smartapp.web.language import language
from smartapp.web.roles import role

FIELD: Final = "note"
NOTE: Final = typed.Part[str]((FIELD,), lambda text: {FIELD: text}, lambda _text, values: values[FIELD])
NOT_NOW: Final = message(
    "We cannot reach your record. This is not saved yet. Your text is still here. Please try again in a moment."
)
NOT_TAKEN: Final = message(
    "Your record cannot store this text, so it is not saved. Your text is still here. Please tell your care team."
)
_FINISHED: Final = frozenset({"completed", "amended"})


@dataclass(frozen=True, slots=True)
class NotePage:
    """The form. `draft`: its text was typed before and not saved. `clash`: what was saved meanwhile elsewhere."""

    instrument: Instrument
    name: str
    """Which note it is: that beside the answers of `filled_in_on`."""
    filled_in_on: str
    text: str
    based_on: str
    earlier: tuple[OwnNote, ...]
    problem: str = ""
    trouble: str = ""
    draft: bool = False
    clash: str | None = None


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the record has: the note beside the newest response, the notes of before, and that response."""

    record: Record | None
    earlier: tuple[OwnNote, ...]
    response: Record
    name: str
    """The name of the note beside that response."""

    @property
    def text(self) -> str:
        note = note_of(self.record.resource) if self.record else None
        return note.text if note else ""


def notes_of(patient: str) -> Query:
    """Return the query for all own notes of a person."""
    return Query.of("Observation", patient=patient, code=f"{PLAN_SYSTEM}|{CODE}")


@role("client")
def note(instrument_id: str) -> ResponseReturnValue:
    """Write what the scores of an instrument mean to me, or take that back."""
    instrument = catalogue().instruments.get(instrument_id) or abort(404)
    if request.method == "POST" and request.form.get("sketch") == "discard":
        _drafts().delete(_draft_name(instrument, _beside()))
        return redirect(url_for("scores.note", instrument_id=instrument.id), 303)
    if request.method == "POST" and request.accept_mimetypes.best == "application/json":
        _keep_draft(instrument)
        return jsonify(saved=True)
    stored = _stored(instrument, _beside()) or abort(404)
    if request.method == "GET":
        return _opened(instrument, stored)
    sent = typed.submitted_fields((FIELD,), request.form)
    outcome = typed.merge_form(NOTE, stored.text, sent)
    if isinstance(outcome, typed.Accepted):
        return _saved(instrument, stored, sent, outcome.document)
    _keep_draft(instrument)
    if isinstance(outcome, typed.Wrong):
        return _page(instrument, stored, sent, problem=_(outcome.problems[FIELD])), 422
    return _page(instrument, stored, sent, clash=stored.text), 409


def _saved(instrument: Instrument, stored: _Stored, sent: typed.Submitted, text: str) -> ResponseReturnValue:
    write = _write(instrument, stored, text)
    try:
        records = current.records().save([write]) if write else []
    except Conflict:
        # Someone, in another tab, was quicker: the page shows both.
        newer = _stored(instrument, stored.name) or stored
        _keep_draft(instrument)
        return _page(instrument, newer, sent, clash=newer.text), 409
    except (Unreachable, Refused, Forbidden) as error:
        _keep_draft(instrument)
        trouble, status = (NOT_NOW, 503) if isinstance(error, Unreachable) else (NOT_TAKEN, 422)
        return _page(instrument, stored, sent, trouble=_(trouble)), status
    except RecordError:
        _keep_draft(instrument)
        raise
    after = url_for("scores.instrument", instrument_id=instrument.id, _anchor="own-note")
    if all(one.state == "stored" for one in records):
        _drafts().delete(_draft_name(instrument, stored.name))
    else:
        # What waits can still be refused. Until the record has the words, they stay with their writer.
        _keep_draft(instrument)
    return redirect(after, 303)


def _write(instrument: Instrument, stored: _Stored, text: str) -> Write | None:
    """Return what has to be written; None where the record says it already."""
    before = stored.record
    if text == stored.text:
        return None
    if not text:
        return Write("update", taken_back(before.resource), if_match=before.etag) if before else None
    patient, response = current.launch().patient, stored.response
    place = before.place if before else current.records().place_for("Observation")
    beside = f"QuestionnaireResponse/{response.resource['id']}"
    name = _name(instrument, response)
    made = observation_of(
        text,
        instrument,
        response=beside if response.place == place and response.state == "stored" else "",
        name=name,
        patient=reference_to(patient.reference, patient.display, language()),
        written_on=current.now().isoformat(),
        language=language(),
        before=before.resource if before else None,
    )
    if before is not None:
        return Write("update", made, if_match=before.etag)
    return Write.once(made, identifier=f"{IDENTIFIER_SYSTEM}|{name}", full_url=f"{URN}{name}")


def _stored(instrument: Instrument, beside: str = "") -> _Stored | None:
    """Return what the record has of the note with this name, else of the one beside the newest response.

    None for a questionnaire that was never sent in.
    """
    patient = current.launch().patient.reference
    responses, observations = current.records().search(asking.responses_of(patient), notes_of(patient))
    mine = [
        one
        for one in responses
        if text_in(one.resource, "questionnaire").partition("|")[0] == instrument.url
        and text_in(one.resource, "status") in _FINISHED
    ]
    newest = max(mine, key=lambda one: text_in(one.resource, "authored"), default=None)
    # Sent in again meanwhile, in another tab: the words are about the answers that the form was opened beside.
    chosen = next((one for one in mine if _name(instrument, one) == beside), newest)
    if chosen is None:
        return None
    name = _name(instrument, chosen)
    found = [(note_of(one.resource), one) for one in observations if one.state != "refused"]
    own = next((one for one in observations if name in values_in(one.resource, IDENTIFIER_SYSTEM)), None)
    earlier = [note for note, _one in found if note and note.instrument == instrument.id and note.name != name]
    return _Stored(own, tuple(sorted(earlier, key=lambda each: each.written_on, reverse=True)), chosen, name)


def _beside() -> str:
    """Return the name of the note that the form was opened for, "" where it does not say."""
    return request.form.get("key", "")


def _name(instrument: Instrument, response: Record) -> str:
    # Our own name of the response, which stays when it moves or arrives; else its id.
    own = text_in(object_in(response.resource, "identifier"), "value")
    return name_beside(current.launch().patient.reference, instrument.id, own or response.resource["id"])


# --- the form ---------------------------------------------------------------------------------------------------


def _drafts() -> Drafts:
    return current.services().sketches(current.launch())


def _draft_name(instrument: Instrument, note: str) -> str:
    return current.services().vault.digest(f"scores/{instrument.id}/note/{note}")


def _keep_draft(instrument: Instrument) -> None:
    wanted = typed.sent_fields((FIELD,), request.form)
    _drafts().change(_draft_name(instrument, _beside()), lambda _before: dict(wanted))


def _opened(instrument: Instrument, stored: _Stored) -> str:
    draft = _drafts().get(_draft_name(instrument, stored.name))
    kept = typed.unsaved(draft.resource, (FIELD,), {FIELD: stored.text}, new=False) if draft else None
    based_on = kept.based_on.get(FIELD, "") if kept else typed.digest(stored.text)
    sent = typed.Submitted({FIELD: kept.values[FIELD] if kept else stored.text}, {FIELD: based_on})
    return _page(instrument, stored, sent, draft=kept is not None)


def _page(
    instrument: Instrument,
    stored: _Stored,
    sent: typed.Submitted,
    *,
    problem: str = "",
    trouble: str = "",
    draft: bool = False,
    clash: str | None = None,
) -> str:
    # What is stored now has been seen once the page with both is: saving after that is a choice.
    based_on = typed.digest(clash) if clash is not None else sent.based_on.get(FIELD, "")
    page = NotePage(
        instrument=instrument,
        name=stored.name,
        filled_in_on=text_in(stored.response.resource, "authored"),
        text=sent.values.get(FIELD, ""),
        based_on=based_on,
        earlier=stored.earlier,
        problem=problem,
        trouble=trouble,
        draft=draft,
        clash=clash,
    )
    return render_template("scores/note.html", page=page)
