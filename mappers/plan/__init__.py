"""A recovery plan as the client sees it ↔ CarePlan, Goals and Tasks as the record keeps them.

Texts survive exactly: `plan_of(*parts_of(resources_of(plan, …)), known=known)` is the plan again (what a text may hold:
`mappers.fhir_text`). What other people or systems added to the same resources survives too: give the resources as they
are stored now as `existing`, and only the elements that a plan is made of are replaced. Which texts of the client there
are is data: `known` is the catalogue that has them.

Identity. What the record does not know yet has an id `urn:uuid:…` that the caller made up; its resource has no `id`,
is referred to by that URN (the `fullUrl` in a transaction), and carries the UUID as identifier, so that sending twice
can write once. What the record knows has the record's own id.

References point one way only, so that the resources can also be written one by one, in the order they are returned:
Goals, then Tasks (`focus` → Goal), then the CarePlan (`goal` → Goal, `activity.reference` → Task).

`model` has the plan, `reading` and `writing` the two directions, `checks` what a plan must be to be written, and
`shapes` what both directions know of the resources.
"""

from __future__ import annotations

from mappers.plan.model import (
    MOST_DOMAINS,
    PROGRESS,
    QUESTIONS,
    STEP_STATUSES,
    DomainAnswers,
    Goal,
    OtherGoal,
    PersonRef,
    Plan,
    Progress,
    Remark,
    Step,
    StepStatus,
)
from mappers.plan.reading import goal_of, other_goal_of, parts_of, plan_of
from mappers.plan.shapes import (
    ANSWERS_URL,
    DOMAIN_SYSTEM,
    GOAL_PROFILE,
    PLAN_PROFILE,
    PLAN_SYSTEM,
    STEP_PROFILE,
)
from mappers.plan.writing import resources_of

__all__ = [
    "ANSWERS_URL",
    "DOMAIN_SYSTEM",
    "GOAL_PROFILE",
    "MOST_DOMAINS",
    "PLAN_PROFILE",
    "PLAN_SYSTEM",
    "PROGRESS",
    "QUESTIONS",
    "STEP_PROFILE",
    "STEP_STATUSES",
    "DomainAnswers",
    "Goal",
    "OtherGoal",
    "PersonRef",
    "Plan",
    "Progress",
    "Remark",
    "Step",
    "StepStatus",
    "goal_of",
    "other_goal_of",
    "parts_of",
    "plan_of",
    "resources_of",
]
