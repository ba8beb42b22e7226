"""The first page after signing in: the client's own start page; a clinician goes on to the overview."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from mappers.audit import AuditEntry
from mappers.errors import PlanError
from mappers.plan import Goal, goal_of
from mappers.trends import Measurements, measured
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, Unreachable
from smartapp.pages.questionnaire.waiting import ToDo, to_do_now
from smartapp.pages.scores import asking, trends
from smartapp.web import current
from smartapp.web.components.frame import record_address
from smartapp.web.language import day_of, place_zone
from smartapp.web.roles import role

blueprint = Blueprint("home", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class HomePage:
    """What a client finds first. `name` is how we greet; `goals` are the active ones, in the client's own words."""

    name: str
    to_do: list[ToDo]
    goals: list[Goal]
    measured: list[Measurements]
    cut: str = ""
    """The sentence that says that there are more scores than were asked for."""
    record_away: bool = False
    """The record does not answer: only what we keep ourselves can be shown."""

    @property
    def new(self) -> bool:
        """Tell whether this person has nothing here yet."""
        return not (self.goals or self.measured)


@dataclass(frozen=True, slots=True)
class Access:
    """A day on which one of the care team used this record; `last` is the last time that day, with its zone."""

    name: str
    day: dt.date
    last: dt.datetime
    wrote: bool


@blueprint.get("/")
def index() -> str | Response:
    """Show the start page of this person, in one round trip to the record."""
    if current.launch().user.role != "client":
        return redirect(record_address("overview/"), 303)
    patient = current.launch().patient.reference
    away = False
    try:
        tasks, goals, observations = current.records().search(
            Query.of("Task", patient=patient),
            Query.of("Goal", patient=patient),
            asking.scores_of(patient),
        )
    except Unreachable:
        tasks, goals, observations, away = [], [], [], True
    page = HomePage(
        name=_called(current.launch().patient.display),
        to_do=to_do_now(current.records(), tasks, catalogue()),
        goals=_active(record.resource for record in goals),
        measured=measured([record.resource for record in observations], (), catalogue(), day_of),
        cut=asking.cut_sentence(current.records().cut),
        record_away=away,
    )
    return render_template("home/index.html", page=page, trends=trends)


@blueprint.get("/who-looked/")
@role("client")
def who_looked() -> str:
    """Show who of the care team opened this record through Verstel, newest first."""
    entries = current.services().audit.of_person(current.launch().issuer_key, current.launch().patient.reference)
    return render_template("home/who_looked.html", accesses=accesses_of(entries, place_zone()))


def accesses_of(entries: Iterable[AuditEntry], zone: dt.tzinfo) -> list[Access]:
    """Return one line per person and day, newest first; what the client did themselves is left out."""
    found: dict[tuple[str, dt.date], Access] = {}
    for entry in entries:
        # Who was turned away, or left, saw nothing by that.
        if entry.role in {"client", ""} or entry.event in {"denied", "refused", "logout"}:
            continue
        moment = dt.datetime.fromtimestamp(entry.recorded, zone)
        key = (entry.user_name, moment.date())
        before = found.get(key)
        wrote = entry.event in {"create", "update"} or (before is not None and before.wrote)
        last = max(moment, before.last) if before else moment
        found[key] = Access(entry.user_name, moment.date(), last, wrote)
    return sorted(found.values(), key=lambda access: access.last, reverse=True)


def _active(resources: Iterable[dict[str, Any]]) -> list[Goal]:
    """Return the goals of the recovery plan that are still going on, oldest first."""
    found = []
    for resource in resources:
        try:
            goal = goal_of(resource)
        except PlanError:  # a Goal of the record's own: it is shown there, not here
            continue
        if goal.active and goal.domain and goal.progress != "achieved":
            found.append(goal)
    return sorted(found, key=lambda goal: goal.start)


def _called(display: str) -> str:
    """Return the name to greet with: the first name if the display begins with one, else all of it."""
    # "Dr.", "A." and "Jansen," are not what anyone is called.
    first = display.partition(" ")[0]
    return first if len(first) > 1 and not first.endswith((".", ",")) else display
