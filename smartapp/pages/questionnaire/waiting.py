"""What is waiting for the client: assignments and unfinished drafts, one entry per questionnaire."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from mappers.assignment import Assignment, assignment_of, is_assignment
from questionnaires.catalogue import Catalogue
from questionnaires.model import Instrument
from smartapp.fhir.store import Query, Unreachable
from smartapp.pages.questionnaire.filling import OtherVersion, filling_of
from smartapp.records import Record, Records
from smartapp.records.following import answered_instrument
from smartapp.records.outbox import Unsent
from smartapp.storage.drafts import Draft


@dataclass(frozen=True, slots=True)
class ToDo:
    """A questionnaire to fill in. `done` of `total` is None if nothing was answered yet.

    `assignment` is None if the client began without being asked; `changed` is when the draft was last kept
    (seconds since 1970); `renewed` tells that the draft belongs to an older version.
    """

    instrument: Instrument
    assignment: Assignment | None = None
    done: int | None = None
    total: int = 0
    minutes: int = 0
    changed: int | None = None
    renewed: bool = False

    @property
    def of_programme(self) -> bool:
        """Tell whether a programme asks it and nobody began with it."""
        return self.done is None and self.assignment is not None and self.assignment.of_course


def to_do_now(records: Records, tasks: Iterable[Record], catalogue: Catalogue, today: str) -> list[ToDo]:
    """Return what is waiting `today` (a FHIR date) for the person of this launch, given the Tasks of their record."""
    return to_do(tasks, records.drafts.all(), catalogue, answered_on_their_way(records.waiting()), today=today)


def tasks_in_reach(records: Records) -> list[Record] | None:
    """Return the Tasks of this person, or None if the record does not answer: filling in goes on without it."""
    try:
        [tasks] = records.search(Query.of("Task", patient=records.launch.patient.reference))
    except Unreachable:
        return None
    return tasks


def to_do(
    tasks: Iterable[Record],
    drafts: Sequence[Draft],
    catalogue: Catalogue,
    answered: Collection[str] = (),
    *,
    today: str,
) -> list[ToDo]:
    """Return what is waiting: drafts first, the last changed on top; then assignments, the earliest due on top.

    `answered` are the ids of instruments whose answers were sent in and whose assignments are about to be closed.
    """
    asked = {name: one for name, one in open_assignments(tasks, catalogue, today).items() if name not in answered}
    # Popped, so that a questionnaire that was begun is not listed again as an assignment.
    begun = [_begun(draft, asked.pop(draft.questionnaire, None), catalogue) for draft in drafts]
    # Without a due date comes last.
    rest = sorted(asked.items(), key=lambda one: (one[1].due or "9999", one[1].asked_on))
    return [entry for entry in begun if entry] + [
        ToDo(instrument, assignment, None, len(instrument.items), instrument.minutes)
        for name, assignment in rest
        for instrument in [catalogue.asked[name]]
    ]


def answered_on_their_way(outbox: Iterable[Unsent]) -> set[str]:
    """Return the ids of the instruments whose assignments the outbox is about to close."""
    return {answered_instrument(entry.unit) for entry in outbox} - {""}


def open_assignments(tasks: Iterable[Record], catalogue: Catalogue, today: str) -> dict[str, Assignment]:
    """Return the oldest assignment that is asked `today` for each instrument that we know, by the instrument's id."""
    found: dict[str, Assignment] = {}
    for task in tasks:
        if not is_assignment(task.resource):
            continue
        assignment = assignment_of(task.resource)
        if assignment.is_open(today) and assignment.instrument in catalogue.asked:
            known = found.get(assignment.instrument)
            if known is None or assignment.asked_on < known.asked_on:
                found[assignment.instrument] = assignment
    return found


def _begun(draft: Draft, assignment: Assignment | None, catalogue: Catalogue) -> ToDo | None:
    if draft.questionnaire not in catalogue.asked:
        return None
    instrument = catalogue.asked[draft.questionnaire]
    try:
        filling = filling_of(instrument, draft.resource, catalogue)
    except OtherVersion:
        return ToDo(instrument, assignment, 0, len(instrument.items), instrument.minutes, draft.changed, renewed=True)
    done, total = len(filling.given), len(filling.asked)
    return ToDo(instrument, assignment, done, total, filling.minutes_left(done), draft.changed)
