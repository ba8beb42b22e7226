"""What the views are run over: what the sandbox's people have, the far ends of it, and resources of other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from fhir_profiles.compile import PACKAGE
from mappers.observations import RULE_SYSTEM, SCORE_SYSTEM
from mappers.plan.shapes import ANSWERS_URL, DOMAIN_SYSTEM, PLAN_SYSTEM
from questionnaires.canonical import questionnaire_url
from questionnaires.fhir import Resource
from tests.conformance.written import far_ends, seeded

DATA: Final = Path(__file__).parents[2] / "data"
KINDS: Final = ("Patient", "QuestionnaireResponse", "Observation", "Goal", "Task", "CarePlan")
NOOR: Final = {"reference": "Patient/noor", "display": "Noor"}
BY_ADDRESS: Final = {"reference": "https://ehr.example.org/fhir/Patient/noor"}
NAMED: Final = {"display": "Somebody who is only named"}


def corpus() -> list[Resource]:
    """Return all resources, each with an id: views are for what a server has given one."""
    people = [one for one in [*seeded(), *far_ends()] if one["resourceType"] in KINDS]
    files = [*sorted(DATA.rglob("*.json")), *sorted((PACKAGE / "example").glob("*.json"))]
    given = [json.loads(path.read_bytes()) for path in files]
    captured = [one for one in given if isinstance(one, dict) and one.get("resourceType") in KINDS]
    found: dict[tuple[str, str], Resource] = {}
    for number, one in enumerate([*people, *captured, *strange()]):
        made = {"id": f"made-{number}", **one}
        found.setdefault((made["resourceType"], made["id"]), made)
    return list(found.values())


def strange() -> list[Resource]:
    """Return what other programs could write, and what ours never does."""
    return [*_responses(), *_observations(), *_goals(), *_tasks(), *_care_plans()]


def _response(ident: str, *items: Resource, **more: object) -> Resource:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": ident,
        "status": "completed",
        "subject": NOOR,
        "item": list(items),
        **more,
    }


def _responses() -> list[Resource]:
    answered = {"linkId": "a", "answer": [{"valueInteger": 3}]}
    kinds = (
        {"valueDecimal": 2.75},
        {"valueDate": "2026-05-01"},
        {"valueDateTime": "2026-05-01T10:00:00Z"},
        {"valueTime": "10:00:00"},
        {"valueQuantity": {"value": 4, "code": "kg"}},
        {"valueString": "Zeg het, »ook« zo 🚲"},
        {"valueBoolean": False},
        {"valueCoding": {"system": "https://ehr.example.org/codes", "code": "1"}},
    )
    several = {"linkId": "several", "answer": list(kinds)}
    below = {"linkId": "below", "answer": [{"valueBoolean": True, "item": [answered]}]}
    wrapped = {"linkId": "wrapper", "item": [{"id": "row-1", "linkId": "group", "item": [answered, several]}]}
    return [
        _response("alone", answered, several, below),
        _response("wrapped", wrapped),
        _response("too-deep", {"linkId": "one", "item": [wrapped]}),
        _response("unanswered", {"linkId": "group", "item": [{"linkId": "a"}]}),
        _response("nothing"),
        _response("error", answered, status="entered-in-error", questionnaire="Questionnaire/local"),
        _response("only-named", answered, subject=NAMED, author=NAMED, source=BY_ADDRESS),
        _response("by-address", answered, subject=BY_ADDRESS, questionnaire=f"{questionnaire_url('hoop')}|0.9.0"),
        _response("contains", answered, contained=[_response("inside", answered)]),
    ]


def _score(ident: str, **more: object) -> Resource:
    code = {"coding": [{"system": "http://loinc.org", "code": "0-0"}, {"system": SCORE_SYSTEM, "code": "hoop-total"}]}
    return {
        "resourceType": "Observation",
        "id": ident,
        "status": "final",
        "code": code,
        "subject": NOOR,
        "effectiveDateTime": "2026-05-01T10:00:00Z",
        **more,
    }


def _observations() -> list[Resource]:
    extracted = {
        "coding": [{"system": SCORE_SYSTEM, "code": "hoop-total"}, {"system": RULE_SYSTEM, "code": "hoop-total@1"}]
    }
    answers = {"reference": "QuestionnaireResponse/alone"}
    return [
        _score("whole", valueInteger=34, derivedFrom=[answers, {"reference": "QuestionnaireResponse/wrapped"}]),
        _score("extracted", code=extracted, valueQuantity={"value": 33.5}, derivedFrom=[answers]),
        _score("in-error", valueQuantity={"value": 1}, status="entered-in-error"),
        _score("in-words", valueString="veel"),
        _score("nothing-else", subject=NAMED, derivedFrom=[NAMED]),
        _score("elsewhere", derivedFrom=[{"reference": "https://ehr.example.org/fhir/QuestionnaireResponse/alone"}]),
        _score("by-urn", derivedFrom=[{"reference": "urn:uuid:0b9f1f0e-6a54-4f7b-9d0f-3f0e5f0f8a01"}]),
        _score("gone", derivedFrom=[{"reference": "QuestionnaireResponse/gone"}]),
        _score("a-year", effectiveDateTime="2026", valueQuantity={"value": 0}),
        _score("a-panel", hasMember=[{"reference": "Observation/whole"}]),
        _score("weight", code={"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}),
        _score("no-code", code={"text": "Gewicht"}, valueQuantity={"value": 70.5}),
    ]


def _goal(ident: str, **more: object) -> Resource:
    description = {"text": "A goal of another program"}
    base = {"resourceType": "Goal", "id": ident, "lifecycleStatus": "active", "description": description}
    return {**base, "subject": NOOR, **more}


def _goals() -> list[Resource]:
    measured = {"measure": {"text": "Gewicht"}, "dueDate": "2027-01-01"}
    return [
        _goal("foreign"),
        _goal("measured", target=[measured, {"dueDate": "2027-02-02"}, {"dueDate": "2027-03-03"}]),
        _goal("until-then", target=[{"dueDuration": {"value": 2, "code": "wk"}}], startCodeableConcept={"text": "nu"}),
        _goal("begun", startDate="2026-04", statusDate="2026", subject=BY_ADDRESS),
        _goal("goal-in-error", lifecycleStatus="entered-in-error", category=[{"text": "Wonen"}]),
        _goal("two-domains", category=[_domain("housing"), _domain("meaning")], subject=NAMED),
    ]


def _domain(code: str) -> Resource:
    return {"coding": [{"system": DOMAIN_SYSTEM, "code": code}]}


def _task(ident: str, code: str = "recovery-step", **more: object) -> Resource:
    coded = {"coding": [{"system": PLAN_SYSTEM, "code": code}]}
    return {
        "resourceType": "Task",
        "id": ident,
        "status": "requested",
        "intent": "plan",
        "code": coded,
        "for": NOOR,
        "description": "Iets doen",
        **more,
    }


def _tasks() -> list[Resource]:
    return [
        _task("alone"),
        _task("of-a-goal", focus={"reference": "Goal/foreign"}, owner=NAMED, lastModified="2026-05-02T10:00:00Z"),
        _task("of-none", focus=NAMED, owner={"reference": "Practitioner/karim"}),
        _task("of-somebody-elsewhere", **{"for": BY_ADDRESS}),
        _task("of-nobody", **{"for": NAMED}, status="entered-in-error"),
        _task("about-something-else", focus={"reference": "Patient/noor"}),
        _task("a-talking-point", "talking-point"),
        _task("of-another-program", code={"coding": [{"system": "https://ehr.example.org", "code": "recovery-step"}]}),
        _task("without-code", code={"text": "bellen"}),
        _task(
            "an-agreement", "agreed-step", authoredOn="2026-05-01T10:00:00Z", restriction={"period": {"end": "2026"}}
        ),
    ]


def _care_plan(ident: str, code: str = "recovery-plan", **more: object) -> Resource:
    category = [{"text": "Zorg"}, {"coding": [{"system": PLAN_SYSTEM, "code": code}]}]
    base = {"resourceType": "CarePlan", "id": ident, "status": "active", "intent": "plan", "category": category}
    return {**base, "subject": NOOR, **more}


def _care_plans() -> list[Resource]:
    other = {"url": "https://ehr.example.org/extension", "valueString": "x"}
    words = {"url": ANSWERS_URL, "extension": [{"url": "now", "valueString": "Zonder levensgebied."}]}
    return [
        _care_plan("no-domains", extension=[other]),
        _care_plan("no-extensions", goal=[NAMED, {"reference": "Goal/foreign"}, {"reference": "Goal/gone"}]),
        _care_plan("no-domain-named", extension=[words, other], subject=NAMED, status="entered-in-error"),
        # Engines read a key out of this one or do not; here, where no query joins by it.
        _care_plan("with-a-version", goal=[{"reference": "Goal/foreign/_history/2"}]),
        _care_plan("a-course", "programme", goal=[{"reference": "Goal/foreign"}]),
        _care_plan("of-another-program", category=[{"text": "Behandelplan"}], extension=[words]),
    ]
