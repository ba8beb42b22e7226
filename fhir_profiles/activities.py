"""What can be asked of a client, as FHIR: an ActivityDefinition per questionnaire, a PlanDefinition of three moments.

Generated from the catalogue, so that a new questionnaire is offered to task systems without another line.
"""

from __future__ import annotations

from typing import Any, Final

from questionnaires import __version__, canonical
from questionnaires.catalogue import Catalogue
from questionnaires.model import Instrument, Text

Resource = dict[str, Any]

SDC_CODES: Final = "http://hl7.org/fhir/uv/sdc/CodeSystem/temp"
TRANSLATION: Final = "http://hl7.org/fhir/StructureDefinition/translation"
UCUM: Final = "http://unitsofmeasure.org"

# When to measure, in months after the start: begin, follow-up, consolidation.
SOURCE: Final = "Handreiking voor de implementatie van herstelondersteunende zorg (2012): meten op drie momenten"
MOMENTS: Final = (
    ("start", Text("Beginfase: binnen 2 maanden na de start", "Start: within 2 months after the start"), (0, 2)),
    ("follow-up", Text("Vervolgfase: na ongeveer 18 maanden", "Follow-up: after about 18 months"), (18, 18)),
    ("consolidation", Text("Borgingsfase: na ongeveer 30 maanden", "Consolidation: after about 30 months"), (30, 30)),
)


def activities(known: Catalogue | None = None) -> list[Resource]:
    """Return the ActivityDefinitions, in the catalogue's order, and the PlanDefinition."""
    instruments = tuple((known or Catalogue()).instruments.values())
    scored = [instrument for instrument in instruments if any(rule.default for rule in instrument.scores)]
    return [*(activity_definition(instrument) for instrument in instruments), measurement_plan(scored)]


def activity_definition(instrument: Instrument) -> Resource:
    """Return the request to fill in one questionnaire, from which a task system makes an assignment."""
    ident = f"fill-in-{instrument.id}"
    title = Text(f"{instrument.title.nl} invullen", f"Fill in {instrument.title.en}")
    return {
        "resourceType": "ActivityDefinition",
        "id": ident,
        "url": _address(instrument),
        "version": instrument.version,
        "name": _name(ident),
        **_translated("title", title),
        "status": "draft",
        "experimental": False,
        "subjectCodeableConcept": {"coding": [_coding("http://hl7.org/fhir/resource-types", "Patient", "Patient")]},
        "publisher": "Verstel",
        **_translated("description", instrument.subtitle, kind="markdown"),
        "jurisdiction": [_jurisdiction()],
        "copyright": instrument.copyright.nl,
        "relatedArtifact": [
            {"type": "depends-on", "display": instrument.title.nl, "resource": instrument.canonical},
        ],
        "kind": "Task",
        "profile": canonical.structure_url("questionnaire-assignment"),
        "code": {"coding": [_coding(SDC_CODES, "complete-questionnaire", "Complete Questionnaire")]},
        "intent": "order",
        "participant": [{"type": "patient"}],
    }


def measurement_plan(instruments: list[Instrument]) -> Resource:
    """Return the three moments at which the same questionnaires are asked, to follow change over time."""
    return {
        "resourceType": "PlanDefinition",
        "id": "three-moments",
        "url": f"{canonical.BASE}/PlanDefinition/three-moments",
        "version": __version__,
        "name": "ThreeMoments",
        **_translated("title", Text("Meten op drie momenten", "Measuring at three moments")),
        "type": {
            "coding": [
                _coding(
                    "http://terminology.hl7.org/CodeSystem/plan-definition-type",
                    "workflow-definition",
                    "Workflow Definition",
                )
            ]
        },
        "status": "draft",
        "experimental": False,
        "subjectCodeableConcept": {"coding": [_coding("http://hl7.org/fhir/resource-types", "Patient", "Patient")]},
        "publisher": "Verstel",
        **_translated(
            "description",
            Text(
                "Dezelfde vragenlijsten aan het begin, onderweg en later, om samen te zien wat er verandert.",
                "The same questionnaires at the start, on the way and later, to see together what changes.",
            ),
            kind="markdown",
        ),
        "jurisdiction": [_jurisdiction()],
        "copyright": "CC0-1.0",
        "relatedArtifact": [{"type": "citation", "citation": SOURCE}],
        "action": [_moment(code, title, months, instruments) for code, title, months in MOMENTS],
    }


def _moment(code: str, title: Text, months: tuple[int, int], instruments: list[Instrument]) -> Resource:
    low, high = months
    timing: Resource = (
        {"timingDuration": _quantity(low)}
        if low == high
        else {"timingRange": {"low": _quantity(low), "high": _quantity(high)}}
    )
    return {
        "id": code,
        **_translated("title", title),
        **timing,
        "action": [
            {
                "id": f"{code}-{instrument.id}",
                **_translated("title", instrument.title),
                "definitionCanonical": f"{_address(instrument)}|{instrument.version}",
            }
            for instrument in instruments
        ],
    }


def _address(instrument: Instrument) -> str:
    return f"{canonical.BASE}/ActivityDefinition/fill-in-{instrument.id}"


def _quantity(months: int) -> Resource:
    return {"value": months, "unit": "maanden", "system": UCUM, "code": "mo"}


def _coding(system: str, code: str, display: str) -> Resource:
    return {"system": system, "code": code, "display": display}


def _jurisdiction() -> Resource:
    return {"coding": [_coding("urn:iso:std:iso:3166", "NL", "Netherlands (the)")]}


def _name(ident: str) -> str:
    return "".join(part.capitalize() for part in ident.split("-"))


def _translated(element: str, text: Text, kind: str = "string") -> Resource:
    """Return an element in Dutch with its English translation beside it."""
    value = "valueMarkdown" if kind == "markdown" else "valueString"
    translation = {
        "url": TRANSLATION,
        "extension": [{"url": "lang", "valueCode": "en"}, {"url": "content", value: text.en}],
    }
    return {element: text.nl, f"_{element}": {"extension": [translation]}}
