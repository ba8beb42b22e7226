"""What a client shares with the reader: all that `Records` lets them see, divided into parts that are opened alone.

Nothing here decides who sees what. A part that is empty, or not shared, is not there; the two can't be told apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mappers.answers import is_finished
from mappers.own_notes import OwnNote, note_of
from mappers.sharing.parts import ASKED, CIRCLE, COURSE, NOTES, SCORES, TALKS, domain_part, form_part
from mappers.trends import Trend
from questionnaires.catalogue import catalogue
from smartapp.access import table
from smartapp.fhir.store import Query
from smartapp.i18n import message
from smartapp.pages.answers.finding import Sent, sent_in
from smartapp.pages.course import found as courses
from smartapp.pages.course.views import Told, told
from smartapp.pages.overview.views import OpenAssignment, waiting
from smartapp.pages.people.views import PersonView, people_page
from smartapp.pages.phase.markings import markings_of
from smartapp.pages.phase.views import Said, newest_of
from smartapp.pages.plan import stored
from smartapp.pages.plan.service import plan_read
from smartapp.pages.plan.stored import StoredPlan
from smartapp.pages.scores import asking
from smartapp.pages.scores.notes import notes_of
from smartapp.pages.together import found, screens
from smartapp.pages.together.by_visit import Visit, visits_in
from smartapp.records import Record
from smartapp.web import circle, current
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of
from smartapp.web.living_views import WrittenForm, written_form
from smartapp.web.plan_views import DomainView, GoalView, Words, domain_view, goal_view

IN_A_PAGE = "200"
"""How many responses a server is asked for at once: each page more is a round trip more."""
PHASE = "phase"
ANSWERS = "answers"
TITLES = {
    PHASE: message("Where %(name)s is now"),
    SCORES: message("Scores"),
    NOTES: message("What scores mean to %(name)s"),
    ANSWERS: message("Questionnaires that %(name)s filled in"),
    TALKS: message("Conversations and what was agreed"),
    ASKED: message("What was asked of %(name)s"),
    COURSE: message("The programme of %(name)s"),
    CIRCLE: message("The people around %(name)s"),
}


@dataclass(frozen=True, slots=True)
class SharedDomain:
    """An area of life: what is answered about it, and the goals in it."""

    code: str
    title: str
    answered: DomainView | None
    goals: tuple[GoalView, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Something to open; `name` is what its address calls it."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Shared:
    """All that the reader may see; nothing in it where nothing is shared, or nothing is written.

    `name` is what the client is called here.
    """

    name: str
    forms: tuple[tuple[Part, WrittenForm], ...] = ()
    domains: tuple[SharedDomain, ...] = ()
    phase: Said | None = None
    scores: tuple[Trend, ...] = ()
    notes: tuple[OwnNote, ...] = ()
    sent: tuple[Sent, ...] = ()
    visits: tuple[Visit, ...] = ()
    asked: tuple[OpenAssignment, ...] = ()
    programmes: tuple[Told, ...] = ()
    people: tuple[PersonView, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return what there is to open, in the order in which people read it."""
        others = {
            PHASE: self.phase,
            SCORES: self.scores,
            NOTES: self.notes,
            ANSWERS: self.sent,
            TALKS: self.visits,
            ASKED: self.asked,
            COURSE: self.programmes,
            CIRCLE: self.people,
        }
        return (
            *(part for part, _form in self.forms),
            *(Part(domain_part(one.code), one.title) for one in self.domains),
            *(Part(name, _(TITLES[name], name=self.name)) for name, there in others.items() if there),
        )

    def part(self, name: str) -> Part | None:
        """Return one part, None where there is no such part for this reader."""
        return next((one for one in self.parts if one.name == name), None)


def load(name: str) -> Shared:
    """Return what is shared with the reader, all asked for at once; `name` is what the client is called here."""
    launch, known = current.launch(), catalogue()
    patient = launch.patient.reference
    plans, goals, _steps = stored.queries(patient)
    teams, _related = circle.queries(patient)
    # Responses are asked for once: a server takes only so many questions at once, and those that wait take longer.
    asked = (
        plans,
        goals,
        Query.of("Task", patient=patient),
        asking.scores_of(patient),
        Query.of("QuestionnaireResponse", patient=patient, _count=IN_A_PAGE),
    )
    results = current.records().search(*asked, notes_of(patient), markings_of(patient), teams, courses.query(patient))
    tasks, scores, responses, notes, markings, people, programmes = results[2:]
    plan = plan_read(results[:3], [responses])
    today = current.now().date()
    own = circle.read_circle(people, (), launch, current.bases(), today=today)
    now = people_page(own, current.now().isoformat())
    finished = [one.resource for one in responses if is_finished(one.resource)]
    trends = (one.leading for one in asking.measured_here(scores, responses))
    return Shared(
        name,
        forms=tuple(_forms(plan)),
        domains=tuple(_domains(plan)),
        phase=newest_of(_resources(markings)),
        scores=tuple(one for one in trends if one is not None and one.scored),
        notes=tuple(
            sorted(filter(None, map(note_of, _resources(notes))), key=lambda one: one.written_on, reverse=True)
        ),
        sent=tuple(one for one in sent_in(responses) if one.answers is not None),
        visits=tuple(
            one for one in visits_in(found.found_in([responses, responses, tasks], known), screens.day) if not one.empty
        ),
        asked=waiting(_resources(tasks), known, today),
        programmes=tuple(told(one, today, own=False) for one in courses.courses_in(programmes, tasks, finished)),
        people=(*now.loved_ones, *now.professionals) if own.record else (),
    )


def _resources(records: Iterable[Record]) -> list[dict[str, object]]:
    return [one.resource for one in records]


def _forms(plan: StoredPlan) -> Iterator[tuple[Part, WrittenForm]]:
    hidden, access, known = current.services().sight(current.launch()).hidden.parts, table(), catalogue()
    for one in plan.forms.values():
        written = written_form(one, plan.content_of(one.form.id), known, current.now().date())
        if not written.view.written:
            continue
        part = form_part(one.form.id)
        # Where a group of it is shared alone, that is all there is: it has a name of its own.
        alone = (each.part for each in access.apart if each.form == one.form.id and each.part not in hidden)
        name = next(alone, part) if part in hidden else part
        yield Part(name, text_of(access.part_title(name, known))), written


def _domains(plan: StoredPlan) -> Iterator[SharedDomain]:
    words = Words.of(catalogue())
    answers = {one.domain: domain_view(one, plan.plan, words) for one in plan.plan.domains}
    goals: dict[str, list[GoalView]] = {}
    for goal in plan.plan.goals:
        if goal.active:
            goals.setdefault(goal.domain, []).append(goal_view(goal, words))
    for code, title in words.domains.items():
        said = answers.get(code)
        answered = said if said is not None and said.answered else None
        if answered or code in goals:
            yield SharedDomain(code, title, answered, tuple(goals.get(code, ())))
