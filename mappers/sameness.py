"""Whether what a server has says what was written: told by what was said, not by when, by whom stored, or in what form.

Pure comparisons of resources; `smartapp.records` uses them to see whether something arrived, and whether an earlier
content of the same author stands in its place.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import orjson

from mappers.tolerant import objects_in, text_in
from questionnaires.fhir import Resource

_OF_THE_SERVER: Final = frozenset({"meta", "text", "id"})
"""Elements that a server may write anew: versions, the narrative, and the id that it gave."""

_MOMENTS: Final = frozenset({"authored", "authoredOn", "issued", "effectiveDateTime", "lastModified", "created"})
"""When something was written down: pressing a button twice changes it, and what was said stays the same."""

_MEASURED: Final = frozenset({"authored", "effectiveDateTime"})
"""The moments that a thing is about: correcting a typing error in June says nothing new about when it was May."""

_AMENDED: Final = {
    ("QuestionnaireResponse", "completed"): "amended",
    ("Observation", "final"): "corrected",
}


_ANSWERS: Final = frozenset({"valueCoding", "valueInteger", "valueDecimal", "valueString"})

_FILED: Final = ("basedOn", "partOf", "encounter")
"""Elements by which an EHR files answers and scores where they belong; in these we write none of them."""

RESTATED: Final = frozenset(resource_type for resource_type, _status in _AMENDED)
"""Types that their author states as a whole each time, so that the newest replaces what they said before.

Of anything else, such as a plan, another content may be the work of another tab or person: that is never replaced.
"""


def says(current: Any, sent: Any) -> bool:
    """Tell whether a stored element says everything that was sent; a server may add to it.

    EHRs rewrite the code of an answer as a number (`valueCoding` "3" as `valueInteger` 3): that is the same answer. And
    some drop the ids of elements, which say nothing themselves.
    """
    if isinstance(sent, dict):
        if not isinstance(current, dict):
            return False
        rewritten = sent.keys() & _ANSWERS and not sent.keys() & current.keys() & _ANSWERS
        return _answer(current) == _answer(sent) if rewritten else _says_each(current, sent)
    if isinstance(sent, list):
        return (
            isinstance(current, list)
            and len(current) == len(sent)
            and all(says(one, other) for one, other in zip(current, sent, strict=True))
        )
    return bool(current == sent)


def _says_each(current: Resource, sent: Resource) -> bool:
    dropped = {"id"} - current.keys() if "resourceType" not in sent else set()
    return all(says(current.get(name), value) for name, value in sent.items() if name not in dropped)


def _answer(node: Resource) -> str | None:
    """Return an answer as text, whichever of FHIR's types it was written in; None for no answer."""
    value = next((node[name] for name in _ANSWERS if name in node), None)
    value = text_in(value, "code") if isinstance(value, dict) else value
    whole = isinstance(value, float) and value.is_integer()
    return None if value is None else str(int(value) if whole else value)


def says_all_of(current: Resource, sent: Resource) -> bool:
    """Tell whether a stored resource says all that was written in `sent`, whatever the server keeps for itself."""
    return says(current, _without(sent, _OF_THE_SERVER))


def says_the_same(current: Resource, sent: Resource) -> bool:
    """Tell whether a stored resource says what `sent` says, though perhaps written down at another moment.

    What was amended before says the same as what is sent for the first time, if the words are the same.
    """
    told = _without(sent, _OF_THE_SERVER | _MOMENTS)
    if _AMENDED.get((sent.get("resourceType", ""), sent.get("status", ""))) == current.get("status"):
        told.pop("status", None)
    return says(current, told)


def has_all_answers(current: Resource, sent: Resource) -> bool:
    """Tell whether a stored response has each answer that was sent, wherever a server has put it."""
    return not Counter(_answers_in(sent)) - Counter(_answers_in(current))


def _answers_in(node: Any) -> Iterator[tuple[str, str]]:
    for item in objects_in(node, "item"):
        for answer in objects_in(item, "answer"):
            other = next((value for name, value in answer.items() if name.startswith("value")), None)
            yield text_in(item, "linkId"), _answer(answer) or str(other)
        yield from _answers_in(item)


def fingerprint(resource: Resource) -> str:
    """Return a digest of what a resource says: equal for two writings of one thing at two moments."""
    said = _without(resource, _OF_THE_SERVER | _MOMENTS)
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def moments_of(resource: Resource) -> Resource:
    """Return the elements that say which moment a resource is about."""
    return {name: value for name, value in resource.items() if name in _MEASURED}


def as_amendment(resource: Resource, before: Resource) -> Resource:
    """Return a resource as it replaces what the same author said `before`: a response amended, a score corrected.

    It takes the id of what it replaces, and is about the same moment. What another program answered in it stays, and
    where that filed it.
    """
    status = _AMENDED.get((resource.get("resourceType", ""), resource.get("status", "")))
    kept = {"id": before["id"], **moments_of(before)}
    if status:
        kept |= {name: before[name] for name in _FILED if before.get(name) and name not in resource}
    if theirs := list(_of_others(before, _names_in_form(resource))):
        kept["item"] = [*objects_in(resource, "item"), *theirs]
    return {**resource, **kept, **({"status": status} if status else {})}


def _names_in_form(response: Resource) -> str:
    """Return what the linkIds of a form begin with; "" for what answers none."""
    form = text_in(response, "questionnaire").partition("|")[0].rpartition("/")[2]
    return f"{form}-" if form else ""


def _of_others(node: Resource, form: str) -> Iterator[Resource]:
    """Yield the items in a response that its form does not have, in the groups of another program that hold them."""
    for item in objects_in(node, "item") if form else ():
        inside = list(_of_others(item, form))
        if text_in(item, "linkId").startswith(form):
            yield from inside
        elif inside or not item.get("item") or item.get("answer"):
            rest = {name: value for name, value in item.items() if name != "item"}
            yield {**rest, **({"item": inside} if inside else {})}


def _without(resource: Resource, names: frozenset[str]) -> Resource:
    return {name: value for name, value in resource.items() if name not in names}
