"""What the pages of assignments show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mappers.assignment import Assignment, assignment_of, is_assignment
from questionnaires.catalogue import Catalogue
from smartapp.records import Place, Record
from smartapp.web.language import text_of


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    """One assignment in the list."""

    title: str
    assignment: Assignment
    place: Place | Literal["waiting", "refused"]  # these two: in the outbox, not in the record


@dataclass(frozen=True, slots=True)
class AssignmentsPage:
    """All assignments of one person."""

    waiting: tuple[AssignmentRow, ...]  # the longest waiting first
    over: tuple[AssignmentRow, ...]  # the newest first
    news: str  # a sentence about what just happened, or ""
    trouble: str  # why something could not be done, or ""


@dataclass(frozen=True, slots=True)
class QuestionnaireChoice:
    """A questionnaire that can be asked for; `help` says how long it takes, or that it is already waiting."""

    value: str
    label: str
    help: str


@dataclass(frozen=True, slots=True)
class NewPage:
    """The form that asks for a questionnaire, with everything typed so far."""

    choices: tuple[QuestionnaireChoice, ...]
    chosen: str
    due: str
    message: str
    key: str  # a UUID that makes this form recognisable when it is sent twice
    problems: dict[str, str]  # by the name of the field
    trouble: str  # why the record did not take it, or ""
    already: AssignmentRow | None  # the same questionnaire, if it is already waiting
    looking: bool = False  # shown again, with what nobody sent yet

    @property
    def summary(self) -> tuple[dict[str, str], ...]:
        """Return what needs correcting, with the id of the field, for the summary at the top of the page."""
        # A group of radio buttons has no id; a link to it goes to the first button.
        first = {"questionnaire": f"questionnaire-{self.choices[0].value}"} if self.choices else {}
        return tuple({"field": first.get(name, name), "text": text} for name, text in self.problems.items())


def rows(tasks: Iterable[Record], known: Catalogue) -> tuple[AssignmentRow, ...]:
    """Return the assignments among the Tasks, the newest first."""
    found = [
        AssignmentRow(title(one, known), one, record.place if record.state == "stored" else record.state)
        for record in tasks
        if is_assignment(record.resource)
        for one in [assignment_of(record.resource)]
    ]
    return tuple(sorted(found, key=lambda row: row.assignment.asked_on, reverse=True))


def assignments_page(
    tasks: Iterable[Record], known: Catalogue, *, today: str, news: str = "", trouble: str = ""
) -> AssignmentsPage:
    """Divide the assignments into those that are asked `today` (a FHIR date) and those that are over.

    What a programme asks later, or asked and missed, is on the page of its course.
    """
    all_rows = rows(tasks, known)
    return AssignmentsPage(
        waiting=tuple(row for row in reversed(all_rows) if row.assignment.is_open(today)),
        over=tuple(row for row in all_rows if _is_over(row.assignment)),
        news=news,
        trouble=trouble,
    )


def _is_over(assignment: Assignment) -> bool:
    if assignment.of_course:
        return assignment.status == "completed"
    return not assignment.waiting


def title(assignment: Assignment, known: Catalogue) -> str:
    """Return the questionnaire's name in the reader's language, or its id if we do not know it."""
    if assignment.instrument in known.instruments:
        return text_of(known.instruments[assignment.instrument].title)
    return assignment.instrument
