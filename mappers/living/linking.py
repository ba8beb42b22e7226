"""A plan names what its owner writes in living forms: `CarePlan.supportingInfo`, by our own identifier of the response.

By identifier, because the two may live at different places and may move: whoever has the record finds the response with
one search. What the form had in extensions of the CarePlan, before there were living forms, goes out of it here: from
the moment that there is a response, that is where the words are.
"""

from __future__ import annotations

from mappers.answers import IDENTIFIER_SYSTEM
from mappers.living.reading import was_in_plan
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource
from questionnaires.model import Instrument


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
