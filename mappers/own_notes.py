"""Own notes: what the scores of one questionnaire mean to the client, in the client's words, as an Observation.

One for each time that the questionnaire was filled in, so that a note of last year stays beside the answers of last
year. It says which questionnaire by its canonical as an identifier, as an assignment does.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from mappers.fhir_text import narrative, paragraph, typed
from mappers.tolerant import code_in, object_in, objects_in, text_in
from questionnaires.canonical import code_system_url, identifier_system, structure_url
from questionnaires.fhir import URI, Resource
from questionnaires.model import Instrument, Text

CODE: Final = "own-note"
PROFILE: Final = structure_url("own-note")
IDENTIFIER_SYSTEM: Final = identifier_system("own-note")
PLAN_SYSTEM: Final = code_system_url("plan")
_DISPLAY: Final = Text("Wat dit voor mij betekent", "What this means to me")


@dataclass(frozen=True, slots=True)
class OwnNote:
    """A note: its words, the instrument's id, and when it was written (a FHIR dateTime). `id` is the Observation's."""

    id: str
    text: str
    instrument: str
    written_on: str
    name: str
    """The value of our identifier, which says beside which response it stands."""


def note_of(observation: Any) -> OwnNote | None:
    """Read a note; None for any other Observation, and for one that was emptied or made by mistake."""
    text = typed(text_in(observation, "valueString"))
    if code_in(observation, "code", PLAN_SYSTEM) != CODE or not text:
        return None
    if text_in(observation, "status") in ("entered-in-error", "cancelled"):
        return None
    about = [text_in(object_in(focus, "identifier"), "value") for focus in objects_in(observation, "focus")]
    names = (one for one in objects_in(observation, "identifier") if one.get("system") == IDENTIFIER_SYSTEM)
    return OwnNote(
        id=text_in(observation, "id"),
        text=text,
        instrument=next((one.rsplit("/", 1)[-1] for one in about if one), ""),
        written_on=text_in(observation, "effectiveDateTime"),
        name=next((text_in(one, "value") for one in names), ""),
    )


def notes_about(observations: Iterable[Any], instrument: str) -> tuple[OwnNote, ...]:
    """Return the notes about one instrument, newest first."""
    found = (note_of(one) for one in observations)
    mine = [note for note in found if note is not None and note.instrument == instrument]
    return tuple(sorted(mine, key=lambda note: note.written_on, reverse=True))


def name_beside(patient: str, instrument: str, response: str) -> str:
    """Return the identifier of the note beside one response, given by its name or id: the same each time."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{CODE} {patient} {instrument} {response}"))


def observation_of(
    text: str,
    instrument: Instrument,
    *,
    response: str,
    name: str,
    patient: dict[str, str],
    written_on: str,
    language: str,
    before: Resource | None = None,
) -> Resource:
    """Write a note, on top of what is stored (`before`), or a new one.

    `response` is the reference of the response beside which it stands, "" where that is kept elsewhere. Raises
    ValueError for a text without words: what was stored is then `taken_back`.
    """
    words = typed(text)
    if not words:
        raise ValueError("a note without words: take the stored one back instead")
    made: Resource = {
        **(before or {}),
        "resourceType": "Observation",
        "meta": {**object_in(before, "meta"), "profile": [PROFILE]},
        "language": language,
        "text": narrative([paragraph(f"{_DISPLAY.get(language)}: {words}")], language, "generated"),
        "identifier": [{"system": IDENTIFIER_SYSTEM, "value": name}],
        "status": "final" if before is None else "amended",
        "code": {"coding": [{"system": PLAN_SYSTEM, "code": CODE, "display": _DISPLAY.get(language)}]},
        "subject": patient,
        "focus": [
            {
                "type": "Questionnaire",
                "identifier": {"system": URI, "value": instrument.canonical.partition("|")[0]},
                "display": instrument.title.get(language),
            }
        ],
        "effectiveDateTime": written_on,
        "performer": [patient],
        "valueString": words,
    }
    if response:
        made["derivedFrom"] = [{"reference": response, "display": instrument.title.get(language)}]
    return made


def taken_back(observation: Resource) -> Resource:
    """Return a note as its author no longer wants it shown: entered in error, which every reader leaves out."""
    return {**observation, "status": "entered-in-error"}
