"""The first page after signing in. A client gets their own start page, a clinician goes on to the overview."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, redirect, render_template
from werkzeug.wrappers import Response

from mappers.errors import PlanError
from mappers.plan import Goal, goal_of
from questionnaires.catalogue import catalogue
from smartapp.components.frame import record_address
from smartapp.questionnaire.waiting import Waiting, waiting
from smartapp.records.store import Query
from smartapp.scores import trends
from smartapp.scores.trends import Measurements, measurements

blueprint = Blueprint("home", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class HomePage:
    """What a client finds first. `name` is how we greet; `goals` are the active ones, in the client's own words."""

    name: str
    waiting: list[Waiting]
    goals: list[Goal]
    measured: list[Measurements]

    @property
    def new(self) -> bool:
        """Tell whether this person has nothing here yet."""
        return not (self.goals or self.measured)


@blueprint.get("/")
def index() -> str | Response:
    """Show the start page of this person, in one round trip to the record."""
    if g.launch.user.role != "client":
        return redirect(record_address("overview/"), 303)
    patient = g.launch.patient.reference
    tasks, goals, observations = g.records.search(
        Query.of("Task", patient=patient),
        Query.of("Goal", patient=patient),
        Query.of("Observation", patient=patient, category="survey"),
    )
    page = HomePage(
        name=_called(g.launch.patient.display),
        waiting=waiting(tasks, g.records.drafts.all(), catalogue()),
        goals=_active(record.resource for record in goals),
        measured=measurements([record.resource for record in observations], (), catalogue()),
    )
    return render_template("home/index.html", page=page, trends=trends)


def _active(resources: Iterable[dict[str, Any]]) -> list[Goal]:
    """Return the goals of the recovery plan that are still going on, oldest first."""
    found = []
    for resource in resources:
        try:
            goal = goal_of(resource)
        except PlanError:
            continue
        if goal.active and goal.domain and goal.progress != "achieved":
            found.append(goal)
    return sorted(found, key=lambda goal: goal.start)


def _called(display: str) -> str:
    """Return the name to greet with: the first name where the display begins with one, else all of it."""
    first = display.partition(" ")[0]
    return first if len(first) > 1 and not first.endswith((".", ",")) else display
