"""What a domain can hand out of ours, by the address of its ActivityDefinition: a questionnaire, or the plan."""

from __future__ import annotations

from typing import Final

from questionnaires import canonical
from questionnaires.catalogue import Catalogue

PLAN: Final = "plan"
_FILL_IN: Final = "fill-in-"


def address_of(activity: str) -> str:
    """Return the canonical address of an activity: the id of a questionnaire, or PLAN."""
    name = PLAN if activity == PLAN else f"{_FILL_IN}{activity}"
    return f"{canonical.BASE}/ActivityDefinition/{name}"


def activity_at(url: str, known: Catalogue) -> str:
    """Return the activity with an address, with or without a version; "" where it is none of ours."""
    address = url.partition("|")[0]
    return next((one for one in (PLAN, *known.asked) if address_of(one) == address), "")
