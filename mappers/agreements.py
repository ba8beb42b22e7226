"""An agreement of a conversation ↔ Task: what, who, by when, and how it went, in the client's words.

Unlike a step of a recovery plan it is for no goal and in no life domain. How it went is a row of notes, each with its
time and who said it: a new one never takes the place of an earlier one. An agreement and the decision that it comes
from have the same value as identifier, so that the two are found together wherever each of them is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from mappers.fhir_text import first_words, heading, narrative, paragraph, typed
from mappers.identity import URN, values_in
from mappers.plan.model import PersonRef, StepStatus
from mappers.plan.shapes import PLAN_SYSTEM, step_status_of, target_of
from mappers.tolerant import code_in, object_in, objects_in, text_in
from questionnaires.canonical import identifier_system, structure_url
from questionnaires.fhir import Resource
from questionnaires.model import Text

AGREED: Final = "agreed-step"
PROFILE: Final = structure_url(AGREED)
IDENTIFIER_SYSTEM: Final = identifier_system("agreement")

_STATUS: Final[dict[StepStatus, str]] = {
    "planned": "requested",
    "doing": "in-progress",
    "done": "completed",
    "stopped": "cancelled",
}
_TITLE: Final = Text("Afspraak van een gesprek", "Agreement of a conversation")
_WHO: Final = Text("Wie", "Who")
_BY: Final = Text("Voor", "By")
SAID: Final[dict[StepStatus, Text]] = {
    "done": Text("Het is gedaan.", "It is done."),
    "doing": Text("Het gaat nog door.", "It still goes on."),
    "stopped": Text("Hier stoppen we mee.", "We stop with this."),
}
"""What a client says with one press and no words of their own, so that it is known who said it, and when."""


@dataclass(frozen=True, slots=True)
class Remark:
    """How it went, in somebody's own words; `time` is a FHIR dateTime, `by` a name, each "" where it is not known.

    `by_reference` (`Patient/1`) is who that is in the record, "" for someone it does not know.
    """

    text: str
    time: str = ""
    by: str = ""
    by_reference: str = ""

    @property
    def by_client(self) -> bool:
        """Tell whether the client said it alone: in a conversation the professional types."""
        return self.by_reference.rpartition("/")[0].rpartition("/")[2] == "Patient"


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two people agreed. `key` is its own identifier; `id` the record's, "" while it has none.

    `who` is a name; `who_reference` (`Patient/1`) who that is in the record, "" for someone it does not know.
    `due` is a FHIR date or ""; `made` the dateTime of the conversation,
    `changed` when it was last said how it goes, "" before that; `remarks` are in the order of their time.
    `reason` says why it no longer holds, "" where people only said how it went.
    """

    key: str
    text: str
    id: str = ""
    status: StepStatus = "planned"
    who: str = ""
    who_reference: str = ""
    due: str = ""
    made: str = ""
    changed: str = ""
    remarks: tuple[Remark, ...] = ()
    reason: str = ""

    @property
    def talked_of(self) -> tuple[str, ...]:
        """Return the moments (FHIR dateTimes) at which was said how it goes, but for what the client said alone."""
        alone = {remark.time for remark in self.remarks if remark.by_client}
        moments = (*(remark.time for remark in self.remarks), self.changed)
        return tuple(dict.fromkeys(time for time in moments if time and time not in alone))

    @property
    def settled(self) -> bool:
        """Tell whether people said that it is done or that they stop with it: what can have been said by mistake."""
        return not self.open and not self.reason

    def is_of(self, person: str) -> bool:
        """Tell whether a person (`Patient/1`) does it, or no one else that the record knows.

        Of what a professional does, the client does not say on their own how it went, and the other way round.
        """
        return self.who_reference in ("", person)

    @property
    def open(self) -> bool:
        """Tell whether it still goes on, so that the next conversation opens with it."""
        return self.status in ("planned", "doing")


@dataclass(frozen=True, slots=True)
class Progress:
    """One time that was said how an agreement goes, as far as it takes to take it back.

    `by` (`Patient/1`) said it at `time` (a FHIR dateTime). Before that its status was `was` and its time `changed`;
    after it the status was `status`.
    """

    by: str
    time: str
    was: StepStatus
    status: StepStatus
    changed: str = ""


# --- reading --------------------------------------------------------------------------------------------------------


def is_agreement(task: Any) -> bool:
    """Tell an agreement from the other Tasks of a record: steps of a plan, and requests to fill something in."""
    return text_in(task, "resourceType") == "Task" and code_in(task, "code", PLAN_SYSTEM) == AGREED


def agreement_of(task: Resource) -> Agreement | None:
    """Read an agreement from a Task; None if it is none of ours, has no words, or was entered in error."""
    status = step_status_of(task)
    text = typed(text_in(task, "description"))
    if status is None or not text or not is_agreement(task):
        return None
    owner = object_in(task, "owner")
    remarks = [_remark(note) for note in objects_in(task, "note") if typed(text_in(note, "text"))]
    return Agreement(
        key=next(iter(values_in(task, IDENTIFIER_SYSTEM)), "") or text_in(task, "id"),
        text=text,
        id=text_in(task, "id"),
        status=status,
        who=text_in(owner, "display"),
        who_reference=target_of(owner),
        due=text_in(object_in(object_in(task, "restriction"), "period"), "end"),
        made=text_in(task, "authoredOn"),
        changed=text_in(task, "lastModified"),
        remarks=tuple(sorted(remarks, key=lambda one: one.time)),
        reason=text_in(object_in(task, "statusReason"), "text"),
    )


def agreements_in(tasks: Iterable[Resource]) -> list[Agreement]:
    """Return the readable agreements, the newest first."""
    found = [one for one in map(agreement_of, tasks) if one is not None]
    return sorted(found, key=lambda one: one.made, reverse=True)


def _remark(note: Resource) -> Remark:
    author = object_in(note, "authorReference")
    by = text_in(author, "display") or text_in(note, "authorString")
    return Remark(text_in(note, "text"), text_in(note, "time"), by, target_of(author))


# --- writing --------------------------------------------------------------------------------------------------------


def task_of_agreement(
    agreement: Agreement, *, patient: PersonRef, author: PersonRef, topic: str, language: str = "nl"
) -> Resource:
    """Write a new agreement as a Task, for the decision that has the same key and is written in the same unit.

    `author` is who typed it; `topic` what the decision is about, as the display of the reference to it.
    """
    task: Resource = {
        "resourceType": "Task",
        "meta": {"profile": [PROFILE]},
        "language": language,
        "identifier": [{"system": IDENTIFIER_SYSTEM, "value": agreement.key}],
        "status": _STATUS[agreement.status],
        "intent": "plan",
        "code": {"coding": [{"system": PLAN_SYSTEM, "code": AGREED, "display": _TITLE.get(language)}]},
        "for": patient.as_reference(language),
        "authoredOn": agreement.made,
        "requester": author.as_reference(language),
        "reasonReference": {
            "reference": f"{URN}{agreement.key}",
            "type": "QuestionnaireResponse",
            "display": first_words(topic),
        },
    }
    return with_words(task, agreement, language)


def with_words(task: Resource, agreement: Agreement, language: str = "nl") -> Resource:
    """Return a Task that says what, who and by when as the agreement does; everything else in it stays."""
    lines = [heading(_TITLE.get(language)), paragraph(agreement.text)]
    owner = {"reference": agreement.who_reference, "display": agreement.who}
    restriction = object_in(task, "restriction")
    period = {**object_in(restriction, "period"), "end": agreement.due}
    if agreement.who:
        lines.append(paragraph(f"{_WHO.get(language)}: {agreement.who}"))
    if agreement.due:
        lines.append(paragraph(f"{_BY.get(language)}: {agreement.due}"))
    return _filled(
        {
            **task,
            "text": narrative(lines, language, "generated"),
            "description": agreement.text,
            "owner": _filled(owner),
            "restriction": _filled({**restriction, "period": _filled(period)}),
        }
    )


def _filled(elements: Resource) -> Resource:
    """Return the elements that have a value: FHIR has no empty ones."""
    return {name: value for name, value in elements.items() if value}


def with_progress(
    task: Resource, status: StepStatus, remark: str, *, by: PersonRef, now: str, language: str = "nl"
) -> Resource:
    """Return the Task with how it went: the status, and what was said about it as one more note.

    A finer status that a server gave for the same thing stays; `now` is a FHIR dateTime with a zone.
    """
    made = {**task, "lastModified": now}
    if step_status_of(task) != status:
        made["status"] = _STATUS[status]
    if words := typed(remark):
        note = {"authorReference": by.as_reference(language), "time": now, "text": words}
        made["note"] = [*objects_in(task, "note"), note]
    return made


def without_progress(task: Resource, progress: Progress) -> Resource:
    """Return the Task as it was before this was said: its status, when that was said, and without the remark.

    What others remarked since stays, and so does what the same person said before it within the same second. Of what
    was taken back the record keeps the earlier version.
    """
    gone = _said_then(task, progress)
    notes = [note for note in objects_in(task, "note") if note is not gone]
    return _filled({**task, "status": _STATUS[progress.was], "lastModified": progress.changed, "note": notes})


def remark_of(task: Resource, progress: Progress) -> str:
    """Return the words with which this was said, "" where there were none of somebody's own."""
    words = text_in(_said_then(task, progress), "text")
    return "" if any(words in (said.nl, said.en) for said in SAID.values()) else words


def _said_then(task: Resource, progress: Progress) -> Resource | None:
    """Return the note with which this was said: the last of its time and speaker, None where it had no words."""
    return next((note for note in reversed(objects_in(task, "note")) if _is_by(note, progress)), None)


def _is_by(note: Resource, progress: Progress) -> bool:
    remark = _remark(note)
    return bool(progress.time) and (remark.time, remark.by_reference) == (progress.time, progress.by)


def withdrawn(task: Resource, reason: str) -> Resource:
    """Return the Task of an agreement that no longer holds, with the sentence that says why."""
    return {**task, "status": _STATUS["stopped"], "statusReason": {"text": reason}}


def holding_again(task: Resource, reasons: Iterable[str]) -> Resource:
    """Return the Task as planned anew where it was withdrawn for one of these reasons, else as it is."""
    reason = text_in(object_in(task, "statusReason"), "text")
    if step_status_of(task) != "stopped" or reason not in tuple(reasons):
        return task
    return {name: value for name, value in task.items() if name != "statusReason"} | {"status": _STATUS["planned"]}
