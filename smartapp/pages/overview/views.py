"""What the overview shows, in the order in which it is read: first the person, then the numbers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mappers.agreements import agreements_in
from mappers.answers import is_finished
from mappers.assignment import Assignment, assignment_of, is_assignment
from mappers.own_notes import OwnNote, note_of
from mappers.plan import Plan
from mappers.trends import Measurements, Trend
from mappers.visit import VisitReport, is_visit, latest_visit
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from smartapp.pages.assignments.views import title
from smartapp.pages.phase.views import Said, newest_of
from smartapp.pages.plan.stored import StoredPlan
from smartapp.web.language import gettext as _
from smartapp.web.living import StoredForm
from smartapp.web.living_views import WrittenForm, shown_in, written_form
from smartapp.web.plan_views import (
    DomainView,
    GoalView,
    OtherGoalView,
    Words,
    domain_view,
    goal_view,
    other_goal_views,
)

FIRST_LINES: Final = 420
"""Characters of a text that are shown before "read on": about half a minute of reading."""


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A text of which the rest is behind "read on"; `first` + `rest` is the whole text, to the letter."""

    first: str
    rest: str


@dataclass(frozen=True, slots=True)
class OpenAssignment:
    """A questionnaire that was asked for and has not been filled in yet."""

    title: str
    assignment: Assignment


@dataclass(frozen=True, slots=True)
class InstrumentSummary:
    """One instrument: what was measured, and the trend that leads."""

    measurements: Measurements
    lead: Trend


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """The whole page. Everything the client wrote is shown exactly as written."""

    name: str
    called: str  # the client in a sentence: the call name where the record has one, else the name
    plan: Plan
    goals: tuple[GoalView, ...]  # those being worked on
    earlier: tuple[GoalView, ...]  # those that were reached or ended
    others: tuple[OtherGoalView, ...]  # goals of the record that belong to no life domain of ours
    domains: tuple[DomainView, ...]
    visit: VisitReport | None
    visits: int  # how many preparations there are, those that cannot be read among them
    notes: tuple[OwnNote, ...]  # what scores mean to the client, newest first
    phase: Said | None  # where the client says to be now, where they said so
    measured: tuple[InstrumentSummary, ...]
    waiting: tuple[OpenAssignment, ...]
    cut: str  # the sentence that says that there are more scores than were asked for, else ""
    told: bool  # anything was sent in, talked about or agreed, with or without scores
    forms: tuple[WrittenForm, ...] = ()  # the living forms that belong here, the unwritten ones too
    stored_forms: tuple[StoredForm, ...] = ()  # all living forms

    @property
    def has_words(self) -> bool:
        """Tell whether the client has written anything."""
        written = self.goals or self.earlier or self.domains or self.notes or self.phase
        return any(one.view.written for one in self.forms) or bool(written)

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to show yet."""
        return not (self.has_words or self.others or self.told or self.measured or self.waiting)


def overview_page(
    *,
    name: str,
    called: str,
    stored: StoredPlan,
    today: dt.date,
    tasks: Sequence[Resource],
    measured: Iterable[Measurements],
    responses: Sequence[Resource],
    known: Catalogue,
    language: str,
    notes: Iterable[Resource] = (),
    markings: Iterable[Resource] = (),
    cut: str = "",
) -> OverviewPage:
    """Put the page together from what the record holds; `stored` is the plan with its living forms."""
    words, plan = Words.of(known), stored.plan
    goals = [goal_view(goal, words, stored.began_at(goal)) for goal in plan.goals]
    done = [one for one in responses if is_finished(one)]
    return OverviewPage(
        name=name,
        called=called or name,
        plan=plan,
        goals=tuple(view for view in goals if view.goal.active),
        earlier=tuple(view for view in goals if not view.goal.active),
        others=other_goal_views(stored.others, _("In the client's own words")),
        domains=tuple(
            view for answers in plan.domains for view in [domain_view(answers, plan, words)] if view.answered
        ),
        visit=latest_visit(done, known, language),
        visits=sum(is_visit(one, known) for one in done),
        notes=tuple(sorted(filter(None, map(note_of, notes)), key=lambda note: note.written_on, reverse=True)),
        phase=newest_of(markings),
        measured=tuple(InstrumentSummary(one, one.leading) for one in measured if one.leading is not None),
        waiting=waiting(tasks, known, today),
        cut=cut,
        told=bool(done or agreements_in(tasks)),
        stored_forms=tuple(stored.forms.values()),
        forms=tuple(
            written_form(one, stored.content_of(one.form.id), known, today)
            for one in shown_in(stored.forms, "overview")
            if one.form.living and one.form.living.overview
        ),
    )


_PARAGRAPH: Final = re.compile(r"\n\s*\n")
_SENTENCE: Final = re.compile(r"[.!?…]['\"”’)]*\s+|\n")


def first_lines(text: str, most: int = FIRST_LINES) -> FoldedText:
    """Divide a text after about `most` characters, where a reader would pause; no character is added or lost."""
    # A little over the limit is shown whole: "read on" for two more lines only annoys.
    if len(text) <= most * 1.3:
        return FoldedText(text, "")
    at = _last_end(_PARAGRAPH, text, most) or _last_end(_SENTENCE, text, most) or text.rfind(" ", 0, most) + 1 or most
    return FoldedText(text[:at], text[at:])


def _last_end(pause: re.Pattern[str], text: str, most: int) -> int:
    """Return where the last pause before `most` ends; 0 if that leaves less than half of it."""
    ends = [found.end() for found in pause.finditer(text, 0, most)]
    return ends[-1] if ends and ends[-1] >= most // 2 else 0


def waiting(tasks: Iterable[Resource], known: Catalogue, today: dt.date) -> tuple[OpenAssignment, ...]:
    """Return what is asked for `today` and has not been filled in yet, the oldest first."""
    day = today.isoformat()
    open_ones = [one for task in tasks if is_assignment(task) for one in [assignment_of(task)] if one.is_open(day)]
    return tuple(OpenAssignment(title(one, known), one) for one in sorted(open_ones, key=lambda one: one.asked_on))
