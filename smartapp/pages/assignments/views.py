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
class Row:
    """One assignment as it is listed."""

    title: str
    assignment: Assignment
    place: Place | Literal["waiting"]  # waiting: not in the record yet


@dataclass(frozen=True, slots=True)
class ListPage:
    """All assignments of one person: those that wait first, then those that are over, the newest first."""

    waiting: tuple[Row, ...]
    over: tuple[Row, ...]
    news: str  # a sentence about what just happened, or ""
    trouble: str  # why something could not be done, or ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A questionnaire that can be asked for; `help` says how long it takes, or that it is waiting already."""

    value: str
    label: str
    help: str


@dataclass(frozen=True, slots=True)
class NewPage:
    """The form to ask for a questionnaire, with everything that was typed."""

    choices: tuple[Choice, ...]
    chosen: str
    due: str
    message: str
    key: str
    problems: dict[str, str]
    trouble: str
    already: Row | None  # the same questionnaire is waiting already

    @property
    def summary(self) -> tuple[dict[str, str], ...]:
        """Return what is to be mended, for the summary on top."""
        first = {"questionnaire": f"questionnaire-{self.choices[0].value}"} if self.choices else {}
        return tuple({"field": first.get(name, name), "text": text} for name, text in self.problems.items())


def rows(tasks: Iterable[Record], known: Catalogue) -> tuple[Row, ...]:
    """Return every assignment among the Tasks, the newest first."""
    found = [
        Row(title(one, known), one, record.place if record.state == "stored" else "waiting")
        for record in tasks
        if is_assignment(record.resource)
        for one in [assignment_of(record.resource)]
    ]
    return tuple(sorted(found, key=lambda row: row.assignment.asked_on, reverse=True))


def list_page(tasks: Iterable[Record], known: Catalogue, *, news: str = "", trouble: str = "") -> ListPage:
    """Return the page with all assignments."""
    all_rows = rows(tasks, known)
    return ListPage(
        waiting=tuple(row for row in reversed(all_rows) if row.assignment.waiting),
        over=tuple(row for row in all_rows if not row.assignment.waiting),
        news=news,
        trouble=trouble,
    )


def title(assignment: Assignment, known: Catalogue) -> str:
    """Return the questionnaire's name in the reader's language, or its id where we do not know it."""
    if assignment.instrument in known.instruments:
        return text_of(known.instruments[assignment.instrument].title)
    return assignment.instrument
