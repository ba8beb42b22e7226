"""A plan names what its owner writes in living forms: `CarePlan.supportingInfo`, by our own identifier of the response.

By identifier, because the two may live at different places and may move: whoever has the record finds the response with
one search.

A goal that began with words of a form has a name that follows from where those are: so one goal is made of them, and it
is found again when either is reworded.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import count

from mappers.answers import IDENTIFIER_SYSTEM
from mappers.living.content import field_name
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource
from questionnaires.model import Instrument, Item


def linked(care_plan: Resource, form: Instrument, identifier: str) -> Resource:
    """Return a CarePlan that names the response with this identifier; the same where it does already."""
    there = objects_in(care_plan, "supportingInfo")
    named = [object_in(one, "identifier") for one in there]
    if any(text_in(one, "system") == IDENTIFIER_SYSTEM and text_in(one, "value") == identifier for one in named):
        return care_plan
    link = {
        "type": "QuestionnaireResponse",
        "identifier": {"system": IDENTIFIER_SYSTEM, "value": identifier},
        "display": form.title.get(text_in(care_plan, "language") or "nl"),
    }
    return {**care_plan, "supportingInfo": [*there, link]}


def names_in(care_plan: Resource | None) -> tuple[str, ...]:
    """Return the identifiers of the responses that a CarePlan names, each once."""
    named = (object_in(one, "identifier") for one in objects_in(care_plan, "supportingInfo"))
    ours = (text_in(one, "value") for one in named if text_in(one, "system") == IDENTIFIER_SYSTEM)
    return tuple(dict.fromkeys(one for one in ours if one))


def goal_names(identifier: str, item: Item, key: str, text: str) -> Iterator[str]:
    """Yield the names, by our own identifier, of the goals that may begin with words of a form.

    `identifier` is that of the response, `key` that of the row, "" for none. Rewording changes no name, except where an
    item takes several answers: there each is known by what it says. The first name is the one to use; the next one
    where a goal of that name was taken out of the plan as a mistake, and another begins at the same words.
    """
    which = f"|{text}" if item.many else ""
    where = f"{identifier}|{field_name(item.link_id, key)}{which}"
    return (str(uuid.uuid5(uuid.NAMESPACE_URL, f"goal {number} {where}")) for number in count(1))
