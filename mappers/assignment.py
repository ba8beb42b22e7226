"""An assignment (a questionnaire that a clinician asks a client to fill in) as a FHIR Task, and back.

The Task names the questionnaire three times, for three kinds of readers: `input` holds the canonical as HL7 SDC
prescribes (code `complete-questionnaire`), `focus` refers to it for systems that follow references, and `description`
has its title for people who browse the record.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mappers.tolerant import object_in, objects_in, text_in
from questionnaires import canonical
from questionnaires.fhir import SDC_CODES, URI
from questionnaires.model import instrument_id

ASSIGNMENT = "complete-questionnaire"
COURSE_SYSTEM = canonical.identifier_system("course")
"""Of what names a programme that a client follows, and with `/` behind it a moment: the group of its Tasks."""
WAITING = ("requested", "received", "accepted", "ready", "in-progress", "on-hold")
CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Assignment:
    """One request to fill in one questionnaire; `status` is FHIR's Task.status, dates are ISO 8601."""

    id: str
    questionnaire: str  # the canonical as the Task has it, with its version if it names one
    instrument: str  # the id of the instrument, also where the canonical names a variant of its form
    status: str
    asked_on: str
    due: str | None  # the last day on which an answer is in time
    message: str
    asked_by: str
    response: str | None  # reference of the QuestionnaireResponse that answered it
    opens: str | None = None  # the first day on which it is asked
    of_course: bool = False
    """A moment of a programme: what is not answered in its days is missed, and no longer asked."""

    @property
    def waiting(self) -> bool:
        """Tell whether the client may still fill it in, now or when its day comes."""
        return self.status in WAITING

    def is_open(self, today: str) -> bool:
        """Tell whether it is asked `today` (a FHIR date): it waits, its day came, and it is not missed or paused."""
        if not self.waiting or (self.opens or "") > today:
            return False
        return not self.of_course or (self.status != "on-hold" and (self.due or today) >= today)

    def is_coming(self, today: str) -> bool:
        """Tell whether it is planned for a later day."""
        return self.waiting and (self.opens or "") > today


def is_assignment(task: dict[str, Any]) -> bool:
    """Tell whether a Task asks for a questionnaire; the steps of a plan are Tasks too."""
    return task.get("resourceType") == "Task" and bool(questionnaire_of(task))


def questionnaire_of(task: dict[str, Any]) -> str:
    """Return the canonical or reference of the questionnaire that a Task asks for, or "" if it asks for none."""
    # Systems other than ours put it in different elements; SDC's own comes first.
    for given in objects_in(task, "input"):
        canonicals = (text_in(given, "valueCanonical"), text_in(given, "valueUri"))
        if found := next((one for one in canonicals if "/Questionnaire/" in one), ""):
            return found
    focus = object_in(task, "focus")
    named = (text_in(focus, "reference"), text_in(object_in(focus, "identifier"), "value"))
    return next((one for one in named if "Questionnaire/" in one), "")


def assignment_of(task: dict[str, Any]) -> Assignment:
    """Read an assignment from a Task; what the Task leaves out becomes an empty text or None.

    Raises ValueError if the Task asks for no questionnaire: filter with `is_assignment` first.
    """
    questionnaire = questionnaire_of(task)
    if not questionnaire:
        raise ValueError(
            f"Task/{task.get('id', '?')} names no Questionnaire in input or focus: it is not an assignment"
        )
    return Assignment(
        id=text_in(task, "id"),
        questionnaire=questionnaire,
        instrument=instrument_id(questionnaire),
        status=_status(task),
        asked_on=text_in(task, "authoredOn"),
        due=text_in(object_in(object_in(task, "restriction"), "period"), "end") or None,
        message="\n\n".join(text for note in objects_in(task, "note") if (text := text_in(note, "text"))),
        asked_by=text_in(object_in(task, "requester"), "display"),
        response=next((name for out in objects_in(task, "output") if (name := _answer_in(out))), None),
        opens=text_in(object_in(object_in(task, "restriction"), "period"), "start")[:10] or None,
        of_course=object_in(task, "groupIdentifier").get("system") == COURSE_SYSTEM,
    )


def asks_for(task: dict[str, Any], instrument: str, day: str) -> bool:
    """Tell whether a Task is an assignment that answers of a day (a FHIR date) are for, given by their instrument.

    What is planned for later stays: answers of today say nothing of how it will be then.
    """
    if not is_assignment(task):
        return False
    assignment = assignment_of(task)
    return assignment.instrument == instrument and assignment.is_open(day)


def _status(task: dict[str, Any]) -> str:
    return text_in(task, "status") or "requested"  # some systems leave out what FHIR requires


def _answer_in(output: dict[str, Any]) -> str:
    return text_in(object_in(output, "valueReference"), "reference")


def task_of(
    *,
    questionnaire: str,
    title: str,
    patient: dict[str, str],
    requester: dict[str, str],
    asked_on: str,
    identifier: str,
    due: str | None = None,
    message: str = "",
) -> dict[str, Any]:
    """Build the Task that asks a client to fill in a questionnaire.

    `questionnaire` is the canonical with its version, `patient` and `requester` are References with a display,
    `asked_on` is a FHIR dateTime with a zone, and `due` a date that is itself still in time. `identifier` must be the
    same when the same request is sent again. The Task has no `id`: the server assigns one.
    """
    task: dict[str, Any] = {
        "resourceType": "Task",
        "meta": {"profile": [canonical.structure_url("questionnaire-assignment")]},
        "identifier": [{"system": canonical.identifier_system("assignment"), "value": identifier}],
        "status": "requested",
        "intent": "order",
        "code": {"coding": [_sdc(ASSIGNMENT, "Complete Questionnaire")], "text": "Vragenlijst invullen"},
        "description": title,
        # By identifier: HAPI refuses a literal reference that leaves its own base (HAPI-0507).
        "focus": {
            "type": "Questionnaire",
            "identifier": {"system": URI, "value": questionnaire.partition("|")[0]},
            "display": title,
        },
        "for": patient,
        "authoredOn": asked_on,
        "requester": requester,
        "owner": patient,
        "input": [
            {"type": {"coding": [_sdc("questionnaire", "Questionnaire")]}, "valueCanonical": questionnaire},
        ],
    }
    if due:
        task["restriction"] = {"period": {"end": due}}
    if message:
        task["note"] = [{"authorReference": requester, "time": asked_on, "text": message}]
    return task


def _sdc(code: str, display: str) -> dict[str, str]:
    return {"system": SDC_CODES, "code": code, "display": display}


def answered(task: dict[str, Any], response: str, display: str) -> dict[str, Any]:
    """Return the Task completed by a response; `response` is its reference, or its urn:uuid in a transaction."""
    output = {
        "type": {"coding": [_sdc("questionnaire-response", "Questionnaire Response")]},
        "valueReference": {"reference": response, "type": "QuestionnaireResponse", "display": display},
    }
    return {**task, "status": "completed", "output": [*objects_in(task, "output"), output]}


def cancelled(task: dict[str, Any], reason: str) -> dict[str, Any]:
    """Return the Task withdrawn, with a sentence that says why."""
    return {**task, "status": CANCELLED, "statusReason": {"text": reason}}


def former(task: dict[str, Any]) -> dict[str, Any]:
    """Return what `cancelled` takes from a Task: its status and the reason for it, None where there is none."""
    return {name: task.get(name) for name in ("status", "statusReason")}


def asked_again(task: dict[str, Any], was: Mapping[str, Any]) -> dict[str, Any]:
    """Return a withdrawn Task as it was before; `was` is what `former` gave."""
    kept = {name: value for name, value in task.items() if name not in was}
    return kept | {name: value for name, value in was.items() if value is not None}


def assignment_identifier(patient: str, questionnaire: str, asked_on: str) -> str:
    """Return the same UUID for the same request, so that a form sent twice asks only once."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{patient} {questionnaire} {asked_on}"))
