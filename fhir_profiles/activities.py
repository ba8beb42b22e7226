"""What can be asked of a client, in FHIR: an ActivityDefinition per questionnaire, a PlanDefinition per programme.

Generated from the catalogue, so that systems which hand out tasks can offer a new questionnaire without any code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from questionnaires import canonical
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
from questionnaires.programmes import (
    PROGRAMMES,
    Available,
    Moment,
    Programme,
    Unit,
    read_programmes,
    span_of,
)

_CARE_ROLE: Final = canonical.code_system_url("care-team-role")
_UCUM: Final[Mapping[Unit, tuple[str, str]]] = {
    "days": ("d", "dagen"),
    "weeks": ("wk", "weken"),
    "months": ("mo", "maanden"),
}


def activities(known: Catalogue | None = None) -> list[Resource]:
    """Return the ActivityDefinitions, in the catalogue's order, and the PlanDefinitions of our own programmes."""
    used = known or Catalogue()
    programmes = read_programmes([PROGRAMMES], used).values()
    return [
        *(activity_definition(instrument) for instrument in used.asked.values()),
        *(plan_definition(programme, used) for programme in programmes),
    ]


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


def plan_definition(programme: Programme, known: Catalogue) -> Resource:
    """Return a programme as the plan that a system applies to a client (`$apply`), from the day on which they begin."""
    sources = [{"type": "citation", "citation": one.citation} for one in programme.sources.values()]
    return {
        "resourceType": "PlanDefinition",
        "id": programme.id,
        "url": programme.canonical.partition("|")[0],
        "version": programme.version,
        "name": computer_name(programme.id),
        **translated("title", programme.title),
        "type": concept(
            "http://terminology.hl7.org/CodeSystem/plan-definition-type", "workflow-definition", "Workflow Definition"
        ),
        "status": "draft",
        "experimental": False,
        "subjectCodeableConcept": concept(RESOURCE_TYPES, "Patient", "Patient"),
        "publisher": "Verstel",
        **translated("description", programme.about, kind="markdown"),
        "jurisdiction": [NETHERLANDS],
        "copyright": "CC0-1.0",
        **({"relatedArtifact": sources} if sources else {}),
        "action": [
            *(_moment(moment, programme, known) for moment in programme.moments),
            *(_available(one) for one in programme.available),
        ],
    }


def _moment(moment: Moment, programme: Programme, known: Catalogue) -> Resource:
    asked = [known.asked[one] for one in moment.questionnaires]
    return {
        "id": moment.id,
        **translated("title", moment.title),
        **(translated("description", moment.outcome) if moment.outcome else {}),
        "reason": [translated("text", moment.purpose)],
        **_timing(moment, programme),
        **(
            {
                "action": [
                    {
                        "id": f"{moment.id}-{instrument.id}",
                        **translated("title", instrument.title),
                        "definitionCanonical": f"{_address(instrument)}|{instrument.version}",
                    }
                    for instrument in asked
                ]
            }
            if asked
            else {"participant": [{"type": "patient"}, {"type": "practitioner"}]}
        ),
    }


def _timing(moment: Moment, programme: Programme) -> Resource:
    """Return when a moment is: again and again, at a point in time, or at some time between two."""
    if moment.every:
        number, unit = span_of(moment.every)
        repeat: Resource = {"frequency": 1, "period": number, "periodUnit": _UCUM[unit][0]}
        if programme.longest:
            repeat = {"boundsDuration": _quantity(programme.longest), **repeat}
        return {"timingTiming": {"repeat": repeat}}
    if moment.about:
        return {"timingDuration": _quantity(moment.about)}
    return {"timingRange": {"low": _quantity(moment.opens, like=moment.closes), "high": _quantity(moment.closes)}}


def _available(one: Available) -> Resource:
    """Return somebody who is there all the time, at no moment."""
    return {
        "id": f"available-{one.role}",
        **translated("title", one.text),
        "participant": [{"type": "practitioner", "role": {"coding": [{"system": _CARE_ROLE, "code": one.role}]}}],
    }


def _address(instrument: Instrument) -> str:
    return f"{canonical.BASE}/ActivityDefinition/fill-in-{instrument.id}"


def _quantity(span: str, *, like: str = "") -> Resource:
    """Return a span as a quantity; nothing at all is so many of the unit of another one."""
    number, unit = span_of(span)
    code, name = _UCUM[span_of(like)[1] if like and number == 0 else unit]
    return {"value": number, "unit": name, "system": UCUM, "code": code}
