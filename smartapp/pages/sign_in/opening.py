"""The page that a sign-in ends on: what the EHR opened the app for, where that is here for this reader.

Where it is not, such as a Task of somebody else, they get the first page of their role, and nothing is said of it: a
page that said so would tell that there is such a Task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mappers.assignment import assignment_of, is_assignment
from mappers.roles import Role
from questionnaires.canonical import questionnaire_url
from questionnaires.catalogue import catalogue
from questionnaires.model import instrument_id
from smartapp.access import table
from smartapp.fhir.own.index import patients_of, relative
from smartapp.fhir.store import RecordError
from smartapp.records import Records
from smartapp.services import Services
from smartapp.smart.opened_for import opened_for
from smartapp.storage.launches import Launch

MOST_TASKS: Final = 3
"""How many Tasks are read: each is a question to the EHR before the first page."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A page by its endpoint, with what its address needs."""

    endpoint: str
    values: Mapping[str, Any]


def opening(services: Services, launch: Launch, context: Mapping[str, Any]) -> Opening:
    """Return the page to open first, given the context of a launch as the EHR gave it."""
    role = launch.user.role
    for page in _pages(services, launch, context):
        if table().may(role, page.endpoint):
            return page
    return Opening(table().roles[role].home, {})


def _pages(services: Services, launch: Launch, context: Mapping[str, Any]) -> Iterator[Opening]:
    """Yield where each thing leads that the app was opened for; what leads nowhere for this reader is left out."""
    left = MOST_TASKS
    for one in opened_for(context, *services.settings.bases(launch.issuer)):
        if one.type == "Questionnaire":
            found = _of_questionnaire(launch.user.role, one.name)
        elif left:
            left -= 1
            found = _of_task(services, launch, one.name)
        else:
            found = None
        if found is not None:
            yield found


def _of_questionnaire(role: Role, name: str) -> Opening | None:
    """Return where a client fills in a questionnaire, or a form of theirs; where a professional asks for it."""
    known = catalogue()
    # An EHR may call our form by its id there, but another's canonical that ends like ours is another form.
    asked = instrument_id(name) if "/" not in name or name.startswith(questionnaire_url("")) else ""
    if asked in known.asked:
        own = Opening("questionnaire.intro", {"instrument_id": asked})
        return own if role == "client" else Opening("assignments.new", {"questionnaire": asked})
    return Opening("living.form", {"form_id": asked}) if asked in known.living and role == "client" else None


def _of_task(services: Services, launch: Launch, id_: str) -> Opening | None:
    """Return where a Task leads today, None where it is no assignment of this person that the reader sees."""
    records, today = services.records(launch), services.now()[:10]
    bases = services.settings.bases(launch.issuer)
    try:
        task = records.read("Task", id_).resource
        # A Task about nobody is no one's: it could be meant for anybody.
        if not is_assignment(task) or patients_of(task, *bases) != {launch.patient.reference}:
            return None
        assignment = assignment_of(task)
        if assignment.instrument not in catalogue().asked:
            return None
        if assignment.is_coming(today):  # answers of today would not be those of its days
            return Opening("course.index", {})
        if assignment.waiting:
            own = Opening("questionnaire.intro", {"instrument_id": assignment.instrument})
            return own if launch.user.role == "client" else Opening("assignments.index", {})
        return _of_response(records, relative(assignment.response or "", *bases))
    except RecordError:
        return None


def _of_response(records: Records, reference: str) -> Opening | None:
    """Return where the answer to a Task is read. Raises RecordError where the reader sees none."""
    type_, _, id_ = reference.partition("/")
    if type_ != "QuestionnaireResponse":
        return None
    records.read(type_, id_)
    return Opening("answers.response", {"response_id": id_})
