"""The first page after signing in: the client's own start page; a clinician goes on to the overview."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from mappers.audit import AuditEntry
from mappers.errors import PlanError
from mappers.plan import Goal, goal_of
from mappers.trends import Measurements, measured
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, Unreachable
from smartapp.i18n import message
from smartapp.pages.questionnaire.waiting import ToDo, to_do_now
from smartapp.pages.scores import asking, trends
from smartapp.web import current
from smartapp.web.components.frame import record_address
from smartapp.web.language import day_of, format_list, gettext, place_zone
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
    """A day on which somebody else used this record; `last` is the last time that day, with its zone."""

    name: str
    role: str
    last: dt.datetime
    parts: tuple[str, ...] = ()
    """What they saw, as message ids; none where they signed in and opened nothing."""
    wrote: bool = False


PARTS = {
    message("the overview"): {"overview"},
    message("your plan"): {"plan", "CarePlan", "Goal", "DocumentReference"},
    message("your answers"): {"questionnaire", "QuestionnaireResponse"},
    message("your scores"): {"scores", "Observation"},
    message("what was asked of you"): {"assignments", "Task"},
}
"""By part of the record: the pages that show it, and the resources it is made of."""
ROLES = {"clinician": message("care team"), "guest": message("someone with another role")}
MOST_NUMBER: Final = 2**63
LOOKS = 200
"""Rows of the log that a page tells of: a day of somebody's is one line, of as many rows as they opened pages."""


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
    """Show who else opened this record through Verstel, newest first; `before` goes on where a page ended."""
    launch, before = current.launch(), request.args.get("before", type=int)
    looks = current.services().audit.looks(
        launch.issuer_key, launch.patient.reference, before=before if before and before < MOST_NUMBER else None
    )
    rows = list(islice(looks, LOOKS + 1))
    older = rows[LOOKS - 1][0] if len(rows) > LOOKS else None
    accesses = accesses_of([entry for _number, entry in rows[:LOOKS]], place_zone())
    return render_template("home/who_looked.html", accesses=accesses, older=older, roles=ROLES, seen=seen)


def accesses_of(entries: Iterable[AuditEntry], zone: dt.tzinfo) -> list[Access]:
    """Return one line per person and day, newest first."""
    found: dict[tuple[str, str, dt.date], Access] = {}
    for entry in entries:
        moment = dt.datetime.fromtimestamp(entry.recorded, zone)
        key = (entry.user, entry.user_name, moment.date())
        before = found.get(key, Access(entry.user_name, entry.role, moment))
        found[key] = replace(
            before,
            last=max(moment, before.last),
            parts=tuple(part for part in PARTS if part in before.parts or part in _parts_of(entry)),
            wrote=before.wrote or entry.event in {"create", "update"},
        )
    return sorted(found.values(), key=lambda access: access.last, reverse=True)


def seen(parts: Sequence[str]) -> str:
    """Return the parts of a record as a reader names them: `the overview, your plan and your scores`."""
    return format_list([gettext(part) for part in parts])


def _parts_of(entry: AuditEntry) -> set[str]:
    named = {re.split("[./]", each)[0] for each in entry.objects}
    return {part for part, names in PARTS.items() if names & named}


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
