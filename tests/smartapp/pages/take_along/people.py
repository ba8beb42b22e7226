"""Anna with something of everything in her record, in words that are found nowhere else."""

from __future__ import annotations

import datetime as dt

from flask import Flask

from mappers.agreements import Agreement, task_of_agreement
from mappers.course import applied, care_plan_of, paused, tasks_of
from mappers.living import Content, Row, Written, form_identifier, response_of
from mappers.own_notes import observation_of as own_note
from mappers.phase import Marking
from mappers.phase import observation_of as marking
from mappers.plan import PersonRef
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from questionnaires.phases import phases
from questionnaires.programmes import programmes
from smartapp.fhir.store import Write
from tests.smartapp.helpers import EHR, Visitor, launched
from tests.smartapp.pages.overview.people import filled_in
from tests.smartapp.pages.plan.conftest import put

ANNA = PersonRef("Patient/anna", "Anna Voorbeeld")
BORN = "1992-03-14"
WHO = {"reference": ANNA.reference, "display": ANNA.display}
STORY = "Ik zing weer, op donderdag."
SIGN = "Dan slaap ik licht."
NOTE = "Dit getal zegt weinig over mij."
PHASE_WORDS = "Het is rustiger nu."
AGREED = "Ik bel de bakker."
TYPIST = "Karim Aziz"
START = dt.date(2026, 5, 4)
MONDAY = Written(ANNA, PersonRef("Practitioner/karim", TYPIST), "2026-05-04T10:00:00+02:00")


def story(text: str = STORY) -> Content:
    """Return a story."""
    return Content(catalogue().living["story"], {"story-story": (text,)})


def signs(*texts: str) -> Content:
    """Return a plan to stay well with these early signs."""
    rows = tuple(Row(f"row-{number}", {"staying-well-early-sign": (text,)}) for number, text in enumerate(texts))
    return Content(catalogue().living["staying-well"], rows={"staying-well-early-signs": rows})


def observations() -> list[Resource]:
    """Return a note beside scores, and where she was."""
    name = "10000000-0000-4000-8000-00000000000"
    hope, day = catalogue().instruments["hoop"], "2026-05-03T10:00:00+02:00"
    note = own_note(NOTE, hope, response="", name=f"{name}1", patient=WHO, written_on=day, language="nl")
    said = Marking(phases().codes[0], PHASE_WORDS, day, f"{name}2")
    return [note, marking(said, patient=WHO, language="nl")]


def write(visitor: Visitor, content: Content) -> None:
    """Let a form be written by a professional who typed with her."""
    launch = visitor.launch
    name = form_identifier(launch.issuer_key, launch.patient.reference, content.form)
    visitor.ehr.write(Write("create", response_of(content, MONDAY, identifier=name)))


def with_everything(app: Flask, issuer: str = EHR) -> Visitor:
    """Sign Anna in, who has a plan, two forms, answers with their scores, a note, a marking and a programme."""
    visitor = launched(app, birth_date=BORN, issuer=issuer)
    put(visitor.ehr)
    for content in (story(), signs(SIGN)):
        write(visitor, content)
    filled_in(visitor.ehr, "hoop", {f"hoop-{number:02}": "3" for number in range(1, 13)}, "2026-05-01T10:00:00+02:00")
    for one in [*observations(), agreement()]:
        visitor.ehr.write(Write("create", one))
    visitor.ehr.write_all(course())
    return visitor


def course() -> list[Write]:
    """Return a programme that she follows, paused by herself, with what it asks: one unit."""
    typist = MONDAY.author.as_reference()
    begun = applied(
        programmes()["three-moments"],
        START,
        known=catalogue(),
        patient=ANNA.reference,
        today=START,
        by=typist,
    )
    now = paused(begun, START, WHO)
    url, moment = f"urn:uuid:{now.identifier}", MONDAY.when
    care_plan = care_plan_of(now, patient=WHO, author=typist, created=moment, today=START)
    based_on = {"reference": url, "display": now.title.nl}
    tasks = tasks_of(now, care_plan=based_on, patient=WHO, requester=typist, asked_on=moment, known=catalogue())
    return [Write("create", care_plan, full_url=url), *(Write("create", task) for task in tasks)]


def agreement() -> Resource:
    """Return what was agreed in a conversation: a Task that is no step of the plan."""
    agreed = Agreement("10000000-0000-4000-8000-000000000003", AGREED, who="Anna", made="2026-05-04T10:00:00+02:00")
    made = task_of_agreement(agreed, patient=ANNA, author=MONDAY.author, topic="Slapen")
    return {name: value for name, value in made.items() if name != "reasonReference"}  # the decision is not here
