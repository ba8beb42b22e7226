"""The client's own note beside scores: what they mean to me. Read with the scores, written on a page of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.answers import asked_in, is_finished
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
from smartapp.fhir.store import Query, Write
from smartapp.pages.scores import asking
from smartapp.records import Record
from smartapp.web import current, typed
from smartapp.web.forms import Saved, Sketch, Trouble, merged, posted
from smartapp.web.language import gettext as _
from smartapp.web.language import language

FIELD: Final = "note"
NOTE: Final = typed.Part[str]((FIELD,), lambda text: {FIELD: text}, lambda _text, values: values[FIELD])


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


def note(instrument_id: str) -> ResponseReturnValue:
    """Write what the scores of an instrument mean to me, or take that back."""
    instrument = catalogue().scored.get(instrument_id) or abort(404)
    if (answer := _sketch(instrument, _beside()).answered()) is not None:
        return answer
    stored = _stored(instrument, _beside()) or abort(404)
    sketch = _sketch(instrument, stored.name)
    if request.method == "GET":
        opened = sketch.opened({FIELD: stored.text})
        return _page(instrument, stored, opened.values, opened.based_on, draft=opened.draft)
    sent = typed.submitted(NOTE, sketch.form)
    outcome = sketch.take(
        lambda: merged(
            lambda now: typed.merge_form(NOTE, now.text, sent),
            stored,
            again=lambda: _stored(instrument, stored.name) or stored,
            write=lambda now, text: _save(instrument, now, text),
        )
    )
    if isinstance(outcome, Saved):
        return redirect(url_for("scores.instrument", instrument_id=instrument.id, _anchor="own-note"), 303)
    return _refusal(outcome, instrument, stored, sent)


def _save(instrument: Instrument, stored: _Stored, text: str) -> Saved:
    write = _write(instrument, stored, text)
    records = current.records().save([write]) if write else []
    return Saved(arrived=all(one.state == "stored" for one in records))


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
        if is_finished(one.resource) and (asked := asked_in(one.resource, catalogue())) and asked.id == instrument.id
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


def _sketch(instrument: Instrument, note: str) -> Sketch:
    return Sketch(f"scores/{instrument.id}/note/{note}", NOTE.fields, posted())


def _refusal(
    outcome: typed.Wrong | typed.Clash | Trouble, instrument: Instrument, stored: _Stored, sent: typed.Submitted
) -> ResponseReturnValue:
    """Return the page that says why nothing was saved, with what was typed."""
    show = partial(_page, instrument, stored, sent.values)
    if isinstance(outcome, typed.Wrong):
        return show(sent.based_on, problem=_(outcome.problems[FIELD])), 422
    if isinstance(outcome, Trouble):
        return show(sent.based_on, trouble=outcome.sentence), outcome.status
    # What is stored now has been seen once the page with both is: saving after that is a choice.
    there = outcome.stored[FIELD]
    return show({FIELD: typed.digest(there)}, clash=there), 409


def _page(
    instrument: Instrument,
    stored: _Stored,
    values: Mapping[str, str],
    based_on: Mapping[str, str],
    *,
    problem: str = "",
    trouble: str = "",
    draft: bool = False,
    clash: str | None = None,
) -> str:
    page = NotePage(
        instrument=instrument,
        name=stored.name,
        filled_in_on=text_in(stored.response.resource, "authored"),
        text=values.get(FIELD, ""),
        based_on=based_on.get(FIELD, ""),
        earlier=stored.earlier,
        problem=problem,
        trouble=trouble,
        draft=draft,
        clash=clash,
    )
    return render_template("scores/note.html", page=page)
