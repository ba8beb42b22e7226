"""What the pages of the plan show: one dataclass per page, its fields in the order a person reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from mappers.plan import MOST_DOMAINS, OtherGoal, Plan
from mappers.plan.at_once import carrying, has_room
from mappers.sharing.parts import domain_part, form_part
from questionnaires.catalogue import Catalogue
from smartapp.i18n import message
from smartapp.pages.plan.document import InChart
from smartapp.pages.plan.stored import StoredPlan
from smartapp.records import Place
from smartapp.web.about import AboutView, Subject, about
from smartapp.web.fields import FieldOption
from smartapp.web.language import gettext as _
from smartapp.web.living_views import FormView
from smartapp.web.plan_views import (
    DomainView,
    GoalView,
    OtherGoalView,
    PartView,
    Words,
    domain_view,
    goal_view,
    other_goal_views,
    part_views,
)

ENDING_TEXTS: Final[Mapping[str, str]] = {
    "reached": message("I reached this goal"),
    "changed": message("My goal has changed"),
    "let-go": message("I let this goal go"),
}


@dataclass(frozen=True, slots=True)
class WhereStored:
    """Where the plan lives, and whether part of it is still on its way there.

    `in_chart` is what the chart has of it as a document, where the EHR keeps no plans.
    """

    place: Place
    on_its_way: bool
    in_chart: InChart | None = None


@dataclass(frozen=True, slots=True)
class StartPage:
    """The start page of my plan."""

    rows: tuple[tuple[PartView, ...], ...]  # lists stand side by side; a single text has the whole width
    domains: tuple[DomainView, ...]
    goals: tuple[GoalView, ...]
    later: tuple[GoalView, ...]  # wishes, and goals that rest
    too_many: int  # how many areas carry goals that are worked on, where that is more than five; else 0
    earlier: tuple[GoalView, ...]  # goals reached, changed or let go
    others: tuple[OtherGoalView, ...]
    updated: str  # when the plan was last changed, as the record says
    where: WhereStored
    saved: str  # a sentence about what was just saved, or ""
    saved_at: str  # the section that was saved, where its reader lands; "" for the top of the page
    begun: bool
    forms: tuple[FormView, ...] = ()  # the living forms that belong to the plan

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the parts of the record whose words stand on this page, each once."""
        texts = (form_part(one.part.code) for row in self.rows for one in row if one.texts)
        areas = (domain_part(one.code) for one in self.domains)
        goals = (domain_part(one.goal.domain) for one in (*self.goals, *self.later, *self.earlier))
        return tuple(dict.fromkeys((*texts, *areas, *goals)))


@dataclass(frozen=True, slots=True)
class DomainsPage:
    """Choosing life domains. `chosen` are the codes that are ticked now, saved or not."""

    domains: tuple[FieldOption, ...]
    family: tuple[FieldOption, ...]  # empty unless they are to be shown
    chosen: tuple[str, ...]
    based_on: str
    problem: str
    trouble: str
    show_family: bool
    elsewhere: tuple[str, ...]  # areas that were chosen in another tab in the meantime
    looking: bool = False  # shown again with ticks that nobody saved yet
    again: str = ""  # what is taken back with this choice, by its id: areas that come back with their answers


@dataclass(frozen=True, slots=True)
class LeavePage:
    """Before words leave the plan: which life domains would go, and what the client wrote about them."""

    leaving: tuple[DomainView, ...]
    chosen: tuple[str, ...]
    based_on: str
    again: str = ""  # as in DomainsPage


@dataclass(frozen=True, slots=True)
class DomainPage:
    """One life domain: four answers, and its goals."""

    domain: DomainView
    in_plan: bool
    where: WhereStored
    saved: str
    about: tuple[AboutView, ...] = ()  # what is written about it in living forms


@dataclass(frozen=True, slots=True)
class GoalPage:
    """One goal, its steps, and how it goes."""

    view: GoalView
    where: WhereStored
    saved: str
    trouble: str = ""
    room: bool = True  # fewer than five areas go on, or the goal's own is one of them: it can be worked on now
    about: tuple[AboutView, ...] = ()  # what is written about it in living forms


def goal_page(
    view: GoalView, stored: StoredPlan, where: WhereStored, known: Catalogue, *, saved: str = "", trouble: str = ""
) -> GoalPage:
    """Return the page of one goal of a plan."""
    goal = view.goal
    # Another program may name a goal by its words alone.
    subject = Subject("goal", tuple(name for name in (stored.name_of(goal), goal.text) if name))
    said = about(subject, map(stored.content_of, stored.forms), known, writes=goal.active and not goal.later)
    return GoalPage(view, where, saved, trouble, room=has_room(stored.plan, goal.domain), about=said)


SECTIONS: Final = frozenset({"goal", "domains", "ended", "goal-removed"})
"""The sections of the start page that say what was saved, by the mark in `?saved=`."""


def start_page(
    plan: Plan,
    known: Catalogue,
    *,
    where: WhereStored,
    saved: str,
    saved_at: str,
    others: Iterable[tuple[OtherGoal, Place]],
    forms: Iterable[FormView] = (),
) -> StartPage:
    """Return the start page of a plan; `others` are goals of other programs, `forms` its living forms."""
    words = Words.of(known)
    goals = [goal_view(goal, words) for goal in plan.goals]
    shown = SECTIONS
    if all(view.goal.active for view in goals):
        shown -= {"ended"}
    return StartPage(
        rows=tuple(tuple(row) for _many, row in groupby(part_views(plan, known), key=lambda view: view.part.many)),
        domains=tuple(domain_view(answers, plan, words) for answers in plan.domains),
        goals=tuple(view for view in goals if view.goal.active and not view.goal.later),
        later=tuple(view for view in goals if view.goal.active and view.goal.later),
        too_many=len(at_once) if len(at_once := carrying(plan)) > MOST_DOMAINS else 0,
        earlier=tuple(view for view in goals if not view.goal.active),
        others=other_goal_views(others, _("In your own words")),
        updated=plan.updated,
        where=where,
        saved=saved,
        saved_at=saved_at if saved_at in shown else "",
        begun=bool(plan.texts or plan.domains or plan.goals or any(one.written for one in forms)),
        forms=tuple(one for one in forms if one.form.id not in {part.code for part in known.plan_parts}),
    )
