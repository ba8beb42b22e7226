"""The fields of each form of the plan, with the questions in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable

from mappers.plan import STEP_STATUSES, Goal, Plan
from mappers.plan.at_once import carrying, has_room
from smartapp.pages.plan import sections
from smartapp.pages.plan.views import ENDING_TEXTS
from smartapp.web.fields import Field, FieldOption, options
from smartapp.web.language import gettext as _
from smartapp.web.plan_views import GOING_TEXTS, STATUS_TEXTS, Words


def questions(names: Iterable[str], words: Words) -> tuple[Field, ...]:
    """Return a field for each of these questions about a life domain."""
    return tuple(Field(name, words.questions[name], help=words.question_help.get(name, ""), rows=6) for name in names)


def goal(plan: Plan, words: Words, offered: Iterable[str] = ()) -> tuple[Field, ...]:
    """Return the fields of a goal; it belongs to a life domain that the plan has, or that an earlier goal had.

    `offered` are others that may be chosen too.
    """
    there = [answers.domain for answers in plan.domains] + [goal.domain for goal in plan.goals] + list(offered)
    areas = tuple(FieldOption(code, words.domains.get(code, code)) for code in dict.fromkeys(there))
    return (
        Field("text", _("What do you want to reach?"), help=_("In your own words. Big or small."), rows=4),
        Field("domain", _("Which area of life does it belong to?"), kind="choices", options=areas),
        Field("due", _("By when? (you may leave this empty)"), kind="date"),
    )


def progress() -> tuple[Field, ...]:
    """Return the fields that say how it goes with a goal."""
    return (
        Field("progress", _("What fits best?"), kind="choices", options=options(GOING_TEXTS, sections.GOING)),
        _note(),
    )


def ending() -> tuple[Field, ...]:
    """Return the fields that end a goal."""
    return (
        Field("ending", _("What fits best?"), kind="choices", options=options(ENDING_TEXTS, sections.ENDINGS)),
        _note(),
    )


def _note() -> Field:
    return Field(
        "note",
        _("Do you want to say more about it? (you may leave this empty)"),
        help=_("What you said before stays with your goal."),
        rows=4,
    )


def rest(plan: Plan, goal: Goal, words: Words) -> tuple[Field, ...]:
    """Return the field that asks which area rests when this goal is taken up; none where there is room."""
    if has_room(plan, goal.domain):
        return ()
    areas = tuple(FieldOption(code, words.domains.get(code, code), _goals_in(plan, code)) for code in carrying(plan))
    return (Field("rest", _("Which area rests for now?"), kind="choices", options=areas),)


def _goals_in(plan: Plan, domain: str) -> str:
    return " · ".join(one.text for one in plan.goals if one.active and not one.later and one.domain == domain)


def step(*, with_status: bool) -> tuple[Field, ...]:
    """Return the fields of a step; a new one has no status to ask for."""
    status = Field("status", _("How far are you?"), kind="choices", options=options(STATUS_TEXTS, STEP_STATUSES))
    return (
        Field("text", _("What is the step?"), kind="line"),
        Field("who", _("Who does it? (you may leave this empty)"), kind="line"),
        Field("due", _("By when? (you may leave this empty)"), kind="date"),
        *([status] if with_status else []),
    )
