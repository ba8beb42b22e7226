"""The first page after signing in: the client's own start page; a clinician goes on to the overview."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from mappers.agreements import agreements_in
from mappers.appointment import NextTalk, next_talk, talks_to_come
from mappers.calendar_file import calendar_file
from mappers.errors import PlanError
from mappers.plan import Goal, goal_of
from mappers.trends import Measurements
from questionnaires.catalogue import catalogue
from smartapp.access import table
from smartapp.fhir.store import Query, Refused, Unreachable
from smartapp.pages.course import found as courses
from smartapp.pages.course.views import Ahead, ahead
from smartapp.pages.home import looked
from smartapp.pages.home.inviting import invitation, not_now, still_so
from smartapp.pages.home.today import AgreedToday, Change, GoalToday, agreed_today, change_today, goal_today
from smartapp.pages.plan import stored, ticking
from smartapp.pages.plan.service import living_queries, plan_in
from smartapp.pages.questionnaire.waiting import ToDo, to_do_now
from smartapp.pages.scores import asking, trends
from smartapp.pages.team.views import TeamLine
from smartapp.pages.team.views import lines as team_lines
from smartapp.pages.together import screens
from smartapp.records import Record
from smartapp.web import current, undoing
from smartapp.web.language import format_date, format_list, format_number, moment_of, place_zone
from smartapp.web.language import gettext as _
from smartapp.web.living_views import FormView
from smartapp.web.messages import may_send
from smartapp.web.plan_views import STATUS_TEXTS
from smartapp.web.talks import when

blueprint = Blueprint("home", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class HomePage:
    """What a client finds first. `name` is how we greet; `goals` is how many are being worked on."""

    name: str
    talk: NextTalk | None
    to_do: list[ToDo]
    goal: GoalToday | None
    goals: int
    agreed: AgreedToday
    measured: list[Measurements]
    change: Change | None
    record_away: bool = False
    """The record does not answer: only what we keep ourselves can be shown."""
    invitation: FormView | None = None
    """A living form that asks to be looked at again."""
    reminders: bool = False
    """Messages can be sent here that something is ready."""
    ahead: tuple[Ahead, ...] = ()
    """What the programmes of this person ask now, or well before they ask it."""
    programme: bool = False
    """There is one, or there was."""
    team: tuple[TeamLine, ...] = ()
    """The teams of this place, each with until when marks can be given."""

    @property
    def marks_asked(self) -> list[TeamLine]:
        """Return the teams that can get marks now and did not, or got others than were typed since."""
        return [one for one in self.team if one.until and (one.begun or not one.gave)]

    @property
    def cards(self) -> list[ToDo]:
        """Return what waits and has a card: the first, what somebody asked by themselves, and what is begun.

        A programme may ask four at once; the others of those are `named`, and stand whole on their own page.
        """
        return [one for number, one in enumerate(self.to_do) if number == 0 or not one.of_programme]

    @property
    def named(self) -> list[ToDo]:
        """Return what waits besides, in one line."""
        return [one for one in self.to_do[1:] if one.of_programme]

    @property
    def new(self) -> bool:
        """Tell whether this person has nothing here yet."""
        return not (self.goal or self.measured or self.talk or self.agreed.shown or self.programme)


@blueprint.get("/")
def index() -> str | Response:
    """Show the start page of this person, in one round trip to the record."""
    if current.launch().user.role != "client":
        return redirect(url_for(table().roles[current.launch().user.role].home), 303)
    here, away = current.launch(), False
    current.services().reminders.opened(here.issuer_key, here.patient.reference)
    try:
        found = _found()
    except Unreachable:
        found, away = [[], [], [], [], [], [], []], True
    plan = plan_in([found[0], found[1], found[2]], found[7:])
    pressed = ticking.ticked(on_its_way=plan.on_its_way)
    goals = _active(plan.plan.goals, (record.resource for record in found[1]))
    scores = asking.measured_here(found[3], found[5])
    talk = next_talk(
        [record.resource for record in found[6]],
        patient=current.launch().patient.reference,
        now=current.now(),
        moment_of=moment_of,
    )
    undo = undoing.offered()
    followed = courses.courses_in(found[4], found[2])
    page = HomePage(
        name=current.launch().patient.address,
        talk=talk,
        to_do=to_do_now(current.records(), courses.tasks_as_decided(found[4], found[2]), catalogue(), current.today()),
        goal=goal_today(goals, pressed.step),
        goals=len(goals),
        agreed=_agreed(found[2], undo),
        measured=scores,
        change=change_today(scores),
        record_away=away,
        invitation=invitation(plan.forms),
        reminders=may_send(),
        team=team_lines(),
        ahead=ahead(followed, current.now().date()),
        programme=bool(followed),
    )
    return render_template(
        "home/index.html",
        page=page,
        trends=trends,
        ticked=pressed,
        undo=undo,
        status=STATUS_TEXTS,
        said=said,
        when=when,
        names=format_list,
    )


@blueprint.get("/appointments/<appointment_id>.ics")
def appointment(appointment_id: str) -> Response:
    """Give an appointment that is to come as a file for the client's own calendar, which tells nothing of care."""
    here, core = current.launch(), current.services()
    [found] = current.records().search(_talks())
    coming = talks_to_come(
        [record.resource for record in found], patient=here.patient.reference, now=current.now(), moment_of=moment_of
    )
    talk = next((one for one in coming if one.id == appointment_id), None) or abort(404)
    content = calendar_file(
        # The same each time, so that a calendar that has it changes it; and no id of the record.
        uid=str(uuid.UUID(core.vault.digest(f"appointment|{here.issuer_key}|{talk.id}")[:32])),
        summary=_("Appointment"),
        start=talk.start,
        end=talk.end,
        made=current.now(),
        zone=place_zone(),
    )
    answer = Response(content, mimetype="text/calendar", content_type="text/calendar; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=_("appointment.ics"))
    return answer


def _talks() -> Query:
    return Query.of("Appointment", patient=current.launch().patient.reference, date=f"ge{current.today()}")


def _found() -> list[list[Record]]:
    """Return the plan, scores, programmes, responses, appointments and living forms: in one round trip.

    The plan is three: CarePlans, Goals and Tasks.
    """
    patient = current.launch().patient.reference
    plans, goals, _steps = stored.queries(patient)
    asked = [plans, goals, Query.of("Task", patient=patient), asking.scores_of(patient)]
    asked += [courses.query(patient), asking.responses_of(patient)]
    talks = _talks()
    forms = living_queries()
    try:
        return current.records().search(*asked, talks, *forms)
    except Refused:  # a server may want another question about appointments; the rest is worth more
        found = current.records().search(*asked, *forms)
        return [*found[: len(asked)], [], *found[len(asked) :]]


blueprint.add_url_rule("/look-again/<form_id>/not-now", view_func=not_now, methods=["POST"])
blueprint.add_url_rule("/look-again/<form_id>/still-so", view_func=still_so, methods=["POST"])


def _agreed(tasks: Iterable[Record], undo: undoing.Undo | None) -> AgreedToday:
    """Return what was agreed; what was pressed just now stays there for as long as the press can be taken back."""
    read = agreements_in(one.resource for one in tasks if one.state == "stored")
    said = screens.saved() if "agreement" in request.args else ""
    pressed = request.args.get("agreement", "") if undo else ""
    return agreed_today(read, client=current.launch().patient.reference, pressed=pressed, said=said)


def said(change: Change) -> str:
    """Say a change of a score as two numbers, without a verdict."""
    trend, days = change.trend, [one.day for one in change.trend.scored[-2:]]
    fixed = trend.rule.aggregate == "mean"
    return _(
        "On %(before_day)s it was %(before)s, on %(day)s it was %(now)s.",
        before_day=format_date(days[0]),
        before=format_number(change.before, fixed=fixed),
        day=format_date(days[1]),
        now=format_number(change.now, fixed=fixed),
    )


blueprint.add_url_rule("/who-looked/", view_func=looked.who_looked)
blueprint.add_url_rule("/who-looked/who-looked.pdf", view_func=looked.who_looked_as_pdf)


def _active(planned: Sequence[Goal], resources: Iterable[dict[str, Any]]) -> list[Goal]:
    """Return the goals that are still going on, oldest first: those of the plan with their steps, and others."""
    found = [goal for goal in planned if goal.active and not goal.later and goal.progress != "achieved"]
    known = {goal.id for goal in planned}
    for resource in resources:
        try:
            goal = goal_of(resource)
        except PlanError:  # a Goal of the record's own: it is shown there, not here
            continue
        if goal.id not in known and goal.active and not goal.later and goal.domain and goal.progress != "achieved":
            found.append(goal)
    return sorted(found, key=lambda goal: goal.start)
