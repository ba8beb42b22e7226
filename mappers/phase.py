"""Where a client says to be now, as one of the phases of recovery, as an Observation: a marking.

The client marks it, freely and back and forth; nothing here computes one, or says which of two comes before the other.
Each marking is an Observation of its own, so that all of them together are the history, and none takes the place of an
earlier one. It has no category: those of HL7 are for what is measured, examined or asked by an instrument, and this is
a choice. What kind of thing it is stands in our code system of a plan, as for an own note; only its value is a phase.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from mappers.fhir_text import narrative, paragraph, typed
from mappers.identity import values_in
from mappers.plan.shapes import PLAN_SYSTEM
from mappers.tolerant import code_in, object_in, objects_in, text_in
from questionnaires.canonical import code_system_url, identifier_system, structure_url
from questionnaires.fhir import Resource
from questionnaires.model import Text
from questionnaires.phases import CODE_SYSTEM, phases

CODE: Final = "recovery-phase"
PROFILE: Final = structure_url("recovery-phase")
IDENTIFIER_SYSTEM: Final = identifier_system("recovery-phase")
PHASE_SYSTEM: Final = code_system_url(CODE_SYSTEM)
TYPED_BY: Final = structure_url("typed-by")
_DISPLAY: Final = Text("Waar ik nu sta", "Where I am now")
_NOT_SAID: Final = ("entered-in-error", "cancelled")


@dataclass(frozen=True, slots=True)
class Marking:
    """One time that a client said where they are: a phase (its code), and their own words about it, "" for none.

    `name` is the value of our identifier, made with the form; `id` the Observation's, "" while it has none;
    `marked_on` a FHIR dateTime. `display` is how the record words the phase, for a code that this version has not.
    `typist` is what who typed it is called, "" where that was the client.
    """

    phase: str
    words: str = ""
    marked_on: str = ""
    name: str = ""
    id: str = ""
    display: str = ""
    typist: str = ""

    @property
    def order(self) -> str:
        """Return when it was marked in a form that sorts, whatever its time zone."""
        try:
            moment = datetime.fromisoformat(self.marked_on)
            return moment.astimezone(UTC).isoformat() if moment.tzinfo else self.marked_on
        except (ValueError, OverflowError):
            return self.marked_on


# --- reading --------------------------------------------------------------------------------------------------------


def is_marking(observation: Any) -> bool:
    """Tell whether an Observation is one of these, also where it was taken back; not what somebody else made."""
    return (
        code_in(observation, "code", PLAN_SYSTEM) == CODE
        and code_in(observation, "valueCodeableConcept", PHASE_SYSTEM) != ""
        and all(_is_client(one) for one in objects_in(observation, "performer"))
    )


def marking_of(observation: Any) -> Marking | None:
    """Read a marking; None for any other Observation, and for one that was taken back."""
    if not is_marking(observation) or text_in(observation, "status") in _NOT_SAID:
        return None
    value = object_in(observation, "valueCodeableConcept")
    displays = (text_in(one, "display") for one in objects_in(value, "coding") if one.get("system") == PHASE_SYSTEM)
    return Marking(
        phase=code_in(observation, "valueCodeableConcept", PHASE_SYSTEM),
        words=next((typed(text_in(note, "text")) for note in _own_notes(observation)), ""),
        marked_on=text_in(observation, "effectiveDateTime"),
        name=next(iter(values_in(observation, IDENTIFIER_SYSTEM)), ""),
        id=text_in(observation, "id"),
        display=next(displays, "") or text_in(value, "text"),
        typist=next((text_in(object_in(one, "valueReference"), "display") for one in _typists(observation)), ""),
    )


def history_of(observations: Iterable[Any]) -> tuple[Marking, ...]:
    """Return all markings, the newest first; those that do not say when come last."""
    found = [one for one in map(marking_of, observations) if one is not None]
    return tuple(sorted(found, key=lambda one: one.order, reverse=True))


def _is_client(reference: Resource) -> bool:
    kind = text_in(reference, "reference").rpartition("/")[0].rpartition("/")[2] or text_in(reference, "type")
    return kind in ("Patient", "")


def _own_notes(observation: Any) -> list[Resource]:
    """Return the notes that no one else wrote; an EHR may let others add theirs."""
    return [
        one
        for one in objects_in(observation, "note")
        if _is_client(object_in(one, "authorReference")) and not text_in(one, "authorString")
    ]


# --- writing --------------------------------------------------------------------------------------------------------


def observation_of(
    marking: Marking,
    *,
    patient: dict[str, str],
    language: str,
    before: Resource | None = None,
    typist: dict[str, str] | None = None,
) -> Resource:
    """Write a marking, on top of what is stored (`before`), or a new one.

    Who typed it (`typist`) is named where that is not the client; whose choice it is does not change by it.

    Raises ValueError for a phase that is none of ours: what others may read in a record has a code that is published.
    """
    phase = phases().phase(marking.phase)
    if phase is None:
        raise ValueError("a phase that is not in phases.toml")
    title, words = phase.title.get(language), typed(marking.words)
    said = [paragraph(f"{_DISPLAY.get(language)}: {title}."), *([paragraph(words)] if words else [])]
    note = [{"authorReference": patient, "time": marking.marked_on, "text": words}] if words else []
    own = _own_notes(before)
    notes = [*note, *(one for one in objects_in(before, "note") if one not in own)]
    made: Resource = {
        **{name: value for name, value in (before or {}).items() if name not in ("note", "extension")},
        "resourceType": "Observation",
        "meta": {**object_in(before, "meta"), "profile": [PROFILE]},
        "language": language,
        "text": narrative(said, language, "generated"),
        "identifier": [{"system": IDENTIFIER_SYSTEM, "value": marking.name}, *_other_identifiers(before)],
        "status": "final" if before is None else "amended",
        "code": {"coding": [{"system": PLAN_SYSTEM, "code": CODE, "display": _DISPLAY.get(language)}]},
        "subject": patient,
        "effectiveDateTime": marking.marked_on,
        "performer": [patient],
        "valueCodeableConcept": {
            "coding": [{"system": PHASE_SYSTEM, "code": phase.code, "display": title}],
            "text": title,
        },
    }
    typed_by = (
        [{"url": TYPED_BY, "valueReference": typist}]
        if typist and typist["reference"] != patient.get("reference")
        else []
    )
    theirs = _typists(before)
    others = [one for one in objects_in(before, "extension") if one not in theirs]
    for name, entries in (("extension", [*typed_by, *others]), ("note", notes)):
        if entries:
            made[name] = entries
    return made


def _typists(observation: Any) -> list[Resource]:
    return [one for one in objects_in(observation, "extension") if one.get("url") == TYPED_BY]


def _other_identifiers(before: Resource | None) -> list[Resource]:
    return [one for one in objects_in(before, "identifier") if one.get("system") != IDENTIFIER_SYSTEM]


def taken_back(observation: Resource) -> Resource:
    """Return a marking as its client no longer wants it shown: entered in error, which every reader leaves out."""
    return {**observation, "status": "entered-in-error"}


def put_back(observation: Resource) -> Resource:
    """Return a marking that was taken back as one that holds again: amended, for that it did not hold is told too."""
    return {**observation, "status": "amended"}
