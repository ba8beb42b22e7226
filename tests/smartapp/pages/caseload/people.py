"""Made-up clients of one professional, for the tests of their list: what an EHR has of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from flask import Flask

from mappers.assignment import task_of
from mappers.course import Course, applied, care_plan_of, tasks_of
from mappers.sharing import Choice, Sharing, consent_of
from mappers.sharing.consent import name_of
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from questionnaires.programmes import programmes
from smartapp.fhir.store import Write
from smartapp.services import KEY
from tests.smartapp.helpers import EHR, Visitor, launched

ME = {"reference": "Practitioner/jansen", "display": "SPV J. Jansen"}
SCOPES = "openid fhirUser user/*.cruds"


def person(id_: str, name: str, **more: object) -> Resource:
    return {"resourceType": "Patient", "id": id_, "name": [{"text": name}], "birthDate": "1992-03-14", **more}


def team(patient: str, *members: Resource, **more: object) -> Resource:
    who = {"reference": f"Patient/{patient}", "display": "Iemand"}
    made = {"resourceType": "CareTeam", "id": f"team-{patient}", "status": "active", "subject": who}
    return {**made, "participant": list(members or [{"member": ME}]), **more}


def asked(patient: str, instrument: str = "hoop", due: str | None = "2026-06-20") -> Resource:
    task = task_of(
        questionnaire=f"https://verstel.nl/fhir/Questionnaire/{instrument}|1.0.0",
        title="Hoop",
        patient={"reference": f"Patient/{patient}", "display": "Iemand"},
        requester=ME,
        asked_on="2026-05-20T10:00:00+02:00",
        identifier=f"asked-{patient}-{instrument}",
        due=due,
    )
    return {**task, "id": f"asked-{patient}-{instrument}"}


def answered(patient: str, instrument: str = "hoop", on: str = "2026-05-28T10:00:00+02:00", **more: object) -> Resource:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": f"answered-{patient}-{instrument}",
        "status": "completed",
        "questionnaire": f"https://verstel.nl/fhir/Questionnaire/{instrument}|1.0.0",
        "subject": {"reference": f"Patient/{patient}"},
        "authored": on,
        **more,
    }


def talk(patient: str, start: str, *, mine: str = "accepted", **more: object) -> Resource:
    who = [({"reference": f"Patient/{patient}", "display": "Iemand"}, "accepted"), (ME, mine)]
    people = [{"actor": actor, "status": status} for actor, status in who]
    made = {"resourceType": "Appointment", "id": f"talk-{patient}", "status": "booked", "start": start}
    return {**made, "participant": people, **more}


def put(app: Flask, *resources: Resource) -> None:
    for resource in resources:
        app.extensions[KEY].local_ehrs[EHR].write(Write("update", resource))


def joost(app: Flask, role: str = "clinician", **more: object) -> Visitor:
    """Return a professional who opened the list of their own clients; whom the helper makes is none of them."""
    return launched(app, role=role, about_nobody=True, scopes=SCOPES, reference="Practitioner/jansen", **more)


def keep_from_the_team(app: Flask, patient: str, *parts: str) -> None:
    """Let a client keep these parts to themselves."""
    core = app.extensions[KEY]
    who = {"reference": f"Patient/{patient}", "display": "Iemand"}
    name = name_of(core.settings.issuer_key(EHR), who["reference"])
    sharing = Sharing({part: Choice(record=False) for part in parts}, "2026-05-30T10:00:00+02:00")
    made = consent_of(sharing, name=name, patient=who, titles={}, displays={})
    core.own_store(EHR).write(Write("create", made))


def follows(
    patient: str, start: dt.date, today: dt.date, decided: Callable[[Course], Course] = lambda one: one
) -> list:
    """Return a programme that a client follows from a day, with its Tasks, as the record has them."""
    course = decided(
        applied(
            programmes()["three-moments"],
            start,
            known=catalogue(),
            patient=f"Patient/{patient}",
            today=start,
            by=ME,
        )
    )
    who = {"reference": f"Patient/{patient}", "display": "Iemand"}
    plan = care_plan_of(course, patient=who, author=ME, created="2026-01-01T10:00:00+01:00", today=today)
    named = {"reference": f"CarePlan/course-{patient}", "display": "Programma"}
    tasks = tasks_of(
        course, care_plan=named, patient=who, requester=ME, asked_on="2026-01-01T10:00:00+01:00", known=catalogue()
    )
    numbered = [{**one, "id": f"task-{patient}-{number}"} for number, one in enumerate(tasks)]
    return [{**plan, "id": f"course-{patient}"}, *numbered]
