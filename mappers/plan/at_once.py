"""At most five life domains at once carry goals that the client works on; a goal in a sixth is kept, for later."""

from __future__ import annotations

from dataclasses import replace

from mappers.plan.model import MOST_DOMAINS, Plan


def carrying(plan: Plan) -> tuple[str, ...]:
    """Return the life domains with a goal that the client works on now, in the order of the plan."""
    return tuple(dict.fromkeys(goal.domain for goal in plan.goals if goal.active and not goal.later))


def has_room(plan: Plan, domain: str) -> bool:
    """Tell whether a goal in this life domain can be worked on now."""
    at_once = carrying(plan)
    return domain in at_once or len(at_once) < MOST_DOMAINS


def within_five(before: Plan, after: Plan) -> Plan:
    """Return the plan `after`, in which goals that would open a sixth domain are for later.

    What was being worked on `before` goes on: a plan that has more than five loses nothing, it only gets no more.
    """
    there = carrying(before)
    going = [domain for domain in carrying(after) if domain in there]
    for domain in carrying(after):
        if domain not in going and len(going) < MOST_DOMAINS:
            going.append(domain)
    goals = (replace(one, later=one.later or (one.active and one.domain not in going)) for one in after.goals)
    return replace(after, goals=tuple(goals))


def paused(plan: Plan, domain: str, today: str) -> Plan:
    """Return the plan in which all goals of a life domain that the client works on are for later."""
    return replace(
        plan,
        goals=tuple(
            replace(one, later=True, progress_date=today) if one.active and one.domain == domain else one
            for one in plan.goals
        ),
    )
