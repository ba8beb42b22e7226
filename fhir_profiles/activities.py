"""What can be asked of a client, in FHIR: an ActivityDefinition per questionnaire, and one PlanDefinition.

Generated from the catalogue, so that systems which hand out tasks can offer a new questionnaire without any code.
"""

from __future__ import annotations

from typing import Final

from questionnaires import __version__, canonical
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import (
    NETHERLANDS,
    RESOURCE_TYPES,
    SDC_CODES,
    UCUM,
    Resource,
    computer_name,
    concept,
    translated,
)
from questionnaires.model import Instrument, Text

# When to measure, in months after the start of treatment, as the Dutch guideline has it.
SOURCE: Final = "Handreiking voor de implementatie van herstelondersteunende zorg (2012): meten op drie momenten"
MOMENTS: Final = (
    ("start", Text("Beginfase: binnen 2 maanden na de start", "Start: within 2 months after the start"), (0, 2)),
    ("follow-up", Text("Vervolgfase: na ongeveer 18 maanden", "Follow-up: after about 18 months"), (18, 18)),
    ("consolidation", Text("Borgingsfase: na ongeveer 30 maanden", "Consolidation: after about 30 months"), (30, 30)),
)


def activities(known: Catalogue | None = None) -> list[Resource]:
    """Return the ActivityDefinitions, in the catalogue's order, and the PlanDefinition."""
    instruments = tuple((known or Catalogue()).asked.values())
    scored = [instrument for instrument in instruments if any(rule.default for rule in instrument.scores)]
    return [*(activity_definition(instrument) for instrument in instruments), measurement_plan(scored)]


def activity_definition(instrument: Instrument) -> Resource:
    """Return the definition from which a task system makes an assignment to fill in one questionnaire."""
    ident = f"fill-in-{instrument.id}"
    title = Text(f"{instrument.title.nl} invullen", f"Fill in {instrument.title.en}")
    return {
        "resourceType": "ActivityDefinition",
        "id": ident,
        "url": _address(instrument),
        "version": instrument.version,
        "name": computer_name(ident),
        **translated("title", title),
        "status": "draft",
        "experimental": False,
        "subjectCodeableConcept": concept(RESOURCE_TYPES, "Patient", "Patient"),
        "publisher": "Verstel",
        **translated("description", instrument.subtitle, kind="markdown"),
        "jurisdiction": [NETHERLANDS],
        "copyright": instrument.copyright.nl,
        "relatedArtifact": [
            {"type": "depends-on", "display": instrument.title.nl, "resource": instrument.canonical},
        ],
        "kind": "Task",
        "profile": canonical.structure_url("questionnaire-assignment"),
        "code": concept(SDC_CODES, "complete-questionnaire", "Complete Questionnaire"),
        "intent": "order",
        "participant": [{"type": "patient"}],
    }


def measurement_plan(instruments: list[Instrument]) -> Resource:
    """Return the plan that asks the same questionnaires at three moments, to follow change over time."""
    return {
        "resourceType": "PlanDefinition",
        "id": "three-moments",
        "url": f"{canonical.BASE}/PlanDefinition/three-moments",
        "version": __version__,
        "name": "ThreeMoments",
        **translated("title", Text("Meten op drie momenten", "Measuring at three moments")),
        "type": concept(
            "http://terminology.hl7.org/CodeSystem/plan-definition-type", "workflow-definition", "Workflow Definition"
        ),
        "status": "draft",
        "experimental": False,
        "subjectCodeableConcept": concept(RESOURCE_TYPES, "Patient", "Patient"),
        "publisher": "Verstel",
        **translated(
            "description",
            Text(
                "Dezelfde vragenlijsten aan het begin, onderweg en later, om samen te zien wat er verandert.",
                "The same questionnaires at the start, on the way and later, to see together what changes.",
            ),
            kind="markdown",
        ),
        "jurisdiction": [NETHERLANDS],
        "copyright": "CC0-1.0",
        "relatedArtifact": [{"type": "citation", "citation": SOURCE}],
        "action": [_moment(code, title, months, instruments) for code, title, months in MOMENTS],
    }


def _moment(code: str, title: Text, months: tuple[int, int], instruments: list[Instrument]) -> Resource:
    # FHIR has no point in time as a range: one moment is a Duration, a period a Range.
    low, high = months
    timing: Resource = (
        {"timingDuration": _quantity(low)}
        if low == high
        else {"timingRange": {"low": _quantity(low), "high": _quantity(high)}}
    )
    return {
        "id": code,
        **translated("title", title),
        **timing,
        "action": [
            {
                "id": f"{code}-{instrument.id}",
                **translated("title", instrument.title),
                "definitionCanonical": f"{_address(instrument)}|{instrument.version}",
            }
            for instrument in instruments
        ],
    }


def _address(instrument: Instrument) -> str:
    return f"{canonical.BASE}/ActivityDefinition/fill-in-{instrument.id}"


def _quantity(months: int) -> Resource:
    return {"value": months, "unit": "maanden", "system": UCUM, "code": "mo"}
