"""What stands first on the start page: the next talk, one goal with its next step, and one change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
