"""Medicines one by one: those that the record names, and what the client said about each, over the conversations.

The software knows no medicine. A name is shown as the record, or the client, has it; nothing is looked up, compared
with another, or advised.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mappers.answers import Answers
from mappers.fhir_text import typed
from mappers.tolerant import object_in, objects_in, text_in

MEDICINE: Final = "medicine"
KINDS: Final = ("MedicationRequest", "MedicationStatement")

# Of both types in FHIR R4. What says none is shown: a medicine that is not shown cannot be talked about.
_OVER: Final = frozenset({"completed", "cancelled", "stopped", "entered-in-error", "draft", "not-taken", "intended"})


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medicine as somebody names it; `record` is the reference (`MedicationRequest/1`) of who has it, else ""."""

    name: str
    record: str = ""
    dosage: str = ""

    @property
    def identity(self) -> str:
        """Return what makes two mentions one medicine: the record's reference, else the name without its case."""
        return self.record or self.name.strip().casefold()


@dataclass(frozen=True, slots=True)
class Experience:
    """What was said about one medicine in one conversation, in the client's words; `authored` is a FHIR dateTime."""

    medicine: Medicine
    use: str = ""
    benefit: str = ""
    burden: str = ""
    authored: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class MedicineRow:
    """One medicine with what was said about it, the newest first. `current`: the record says that it goes on."""

    medicine: Medicine
    said: tuple[Experience, ...]
    current: bool


def medicine_in(resource: Any) -> Medicine | None:
    """Read the medicine of a MedicationRequest or MedicationStatement that goes on; None if it has no name or is over.

    The name is the text of the code, else a display, else that of the reference or of the contained Medication.
    """
    if text_in(resource, "resourceType") not in KINDS or text_in(resource, "status") in _OVER:
        return None
    name = _name_in(resource)
    if not name:
        return None
    # One has dosageInstruction, the other dosage.
    given = (*objects_in(resource, "dosageInstruction"), *objects_in(resource, "dosage"))
    dosage = "; ".join(filter(None, (typed(text_in(one, "text")) for one in given)))
    ident = text_in(resource, "id")
    return Medicine(name, f"{resource['resourceType']}/{ident}" if ident else "", dosage)


def _name_in(resource: Any) -> str:
    reference = object_in(resource, "medicationReference")
    concepts = [object_in(resource, "medicationCodeableConcept")]
    inside = text_in(reference, "reference").removeprefix("#")
    concepts += [object_in(one, "code") for one in objects_in(resource, "contained") if text_in(one, "id") == inside]
    displays = [text_in(coding, "display") for concept in concepts for coding in objects_in(concept, "coding")]
    names = (*(text_in(concept, "text") for concept in concepts), *displays, text_in(reference, "display"))
    return next((found for name in names if (found := typed(name).strip())), "")


def values_of(experience: Experience) -> dict[str, str | bool]:
    """Return what was said as answers to the form `medicine`; what is empty is left out."""
    said = experience.medicine
    texts = {
        "name": said.name,
        "record": said.record,
        "use": experience.use,
        "benefit": experience.benefit,
        "burden": experience.burden,
    }
    return {f"{MEDICINE}-{name}": kept for name, text in texts.items() if (kept := typed(text))}


def experience_of(answers: Answers) -> Experience:
    """Read what was said from the answers of a response to the form `medicine`."""
    said = {name.removeprefix(f"{MEDICINE}-"): str(value) for name, value in answers.values.items()}
    return Experience(
        Medicine(said.get("name", ""), said.get("record", "")),
        said.get("use", ""),
        said.get("benefit", ""),
        said.get("burden", ""),
        answers.response.authored,
        answers.response.identifier,
    )


def rows_of(current: Iterable[Medicine], said: Sequence[Experience]) -> list[MedicineRow]:
    """Put the record's medicines and what was said about each into rows: the record's first, in its order.

    A request and a statement of one name are one row. What was said about a medicine that the record no longer has
    keeps its own row.
    """
    rows: dict[str, MedicineRow] = {}
    names: dict[str, str] = {}
    for medicine in current:
        first = names.setdefault(medicine.name.strip().casefold(), medicine.identity)
        names[medicine.identity] = first
        rows.setdefault(first, MedicineRow(medicine, (), current=True))
    for one in sorted(said, key=lambda experience: experience.authored, reverse=True):
        named = one.medicine.name.strip().casefold()
        place = names.get(one.medicine.identity) or names.get(named) or one.medicine.identity
        names.setdefault(named, place)
        before = rows.get(place, MedicineRow(one.medicine, (), current=False))
        rows[place] = MedicineRow(before.medicine, (*before.said, one), before.current)
    return list(rows.values())
