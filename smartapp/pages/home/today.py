"""What stands first on the start page: the next talk, one goal with its next step, and one change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mappers.agreements import Agreement
from mappers.plan import Goal, Step
from mappers.trends import Measurements, Trend


@dataclass(frozen=True, slots=True)
class GoalToday:
    """A goal, with the steps that stand beside it: one that was pressed just now, and the next one to do."""

    goal: Goal
    steps: tuple[Step, ...]


def goal_today(goals: Sequence[Goal], pressed: str = "") -> GoalToday | None:
    """Return one of the goals that are being worked on, oldest first; `pressed` is the id of a step, "" for none.

    That of the step that was pressed: it can be taken back where it was. Else the first with something to do, and
    before all what somebody is busy with.
    """
    if not goals:
        return None
    for goal in goals:
        if any(step.id == pressed for step in goal.steps):
            following = _next(goal)
            return GoalToday(goal, tuple(step for step in goal.steps if step.id == pressed or step is following))
    chosen = min(goals, key=lambda goal: _turn(_next(goal)))
    step = _next(chosen)
    return GoalToday(chosen, (step,) if step else ())


def _next(goal: Goal) -> Step | None:
    return min((step for step in goal.steps if step.status in ("doing", "planned")), key=_turn, default=None)


def _turn(step: Step | None) -> int:
    return 2 if step is None else ("doing", "planned").index(step.status)


@dataclass(frozen=True, slots=True)
class AgreedToday:
    """What was agreed in a conversation: the next thing of the client's, and one that was pressed just now.

    `more` is how many of theirs go on beside these; `said` what is said of the press, "" for nothing.
    """

    shown: tuple[Agreement, ...] = ()
    more: int = 0
    said: str = ""


def agreed_today(agreements: Iterable[Agreement], *, client: str, pressed: str = "", said: str = "") -> AgreedToday:
    """Return which agreement the client (`Patient/1`) finds first: what is due first, then what was agreed first.

    `pressed` is the id of one that was pressed and can be taken back, "" for none: it stays where it was.
    """
    mine = [one for one in agreements if one.is_of(client) and (one.open or one.id == pressed)]
    going_on = sorted((one for one in mine if one.open), key=lambda one: (one.due or "9999", one.made, one.id))
    shown = [one for one in mine if one.id == pressed and not one.open] + going_on[:1]
    return AgreedToday(tuple(shown), len(going_on[1:]), said)


@dataclass(frozen=True, slots=True)
class Change:
    """The last two numbers of one score: `before` and `now`, with the trend that they are of."""

    trend: Trend
    before: float
    now: float


def change_today(measured: Iterable[Measurements]) -> Change | None:
    """Return the last change of a score: of what was measured last and before, None where nothing can be compared.

    Whether a change is good is not ours to say, so the newest is shown and not the largest. Twice the same is none.
    """
    for one in measured:
        for trend in one.shown:
            last = [each.value for each in trend.scored[-2:] if each.value is not None]
            if len(last) == 2 and round(last[0], 2) != round(last[1], 2):
                return Change(trend, last[0], last[1])
    return None
