"""A plan names what its owner writes in living forms: `CarePlan.supportingInfo`, by our own identifier of the response.

By identifier, because the two may live at different places and may move: whoever has the record finds the response with
one search. What the form had in extensions of the CarePlan, before there were living forms, goes out of it here: from
the moment that there is a response, that is where the words are.

A goal that began with words of a form has a name that follows from where those are: so one goal is made of them, and it
is found again when either is reworded.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import count

from mappers.answers import IDENTIFIER_SYSTEM
from mappers.living.content import field_name
from mappers.living.reading import was_in_plan
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource
from questionnaires.model import Instrument, Item


def linked(care_plan: Resource, form: Instrument, identifier: str, *, language: str = "nl") -> Resource:
    """Return a CarePlan that names the response with this identifier; the same where it does already."""
    names = {
        text_in(named, "value")
        for one in objects_in(care_plan, "supportingInfo")
        if text_in(named := object_in(one, "identifier"), "system") == IDENTIFIER_SYSTEM
    }
    made = dict(care_plan)
    if identifier not in names:
        link = {
            "type": "QuestionnaireResponse",
            "identifier": {"system": IDENTIFIER_SYSTEM, "value": identifier},
            "display": form.title.get(language),
        }
        made["supportingInfo"] = [*objects_in(care_plan, "supportingInfo"), link]
    gone = was_in_plan(form)
    left = [one for one in objects_in(care_plan, "extension") if one.get("url") not in gone]
    if left:
        made["extension"] = left
    else:
        made.pop("extension", None)
    return made


def goal_names(identifier: str, item: Item, key: str, text: str) -> Iterator[str]:
    """Yield the names, by our own identifier, of the goals that may begin with words of a form.

    `identifier` is that of the response, `key` that of the row, "" for none. Rewording changes no name, except where an
    item takes several answers: there each is known by what it says. The first name is the one to use; the next one
    where a goal of that name was taken out of the plan as a mistake, and another begins at the same words.
    """
    which = f"|{text}" if item.many else ""
    where = f"{identifier}|{field_name(item.link_id, key)}{which}"
    return (str(uuid.uuid5(uuid.NAMESPACE_URL, f"goal {number} {where}")) for number in count(1))
