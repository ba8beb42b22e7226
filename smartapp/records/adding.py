"""A CarePlan of which a save changes nothing but which new goals, steps and living forms it names.

Someone else may change such a plan meanwhile. Their words and ours do not touch then: the new names are put on top of
what they made of it, and nobody has to choose. Without that a goal would be there that no plan names and no page shows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from mappers.answers import IDENTIFIER_SYSTEM
from mappers.identity import URN
from mappers.plan.moving import is_closed
from mappers.sameness import says_all_of
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.references import references

_LISTS: Final = ("goal", "activity", "supportingInfo")
_NOT_SAID: Final = ("text", "meta")


def only_names(before: Resource | None, plan: Resource, names: Collection[str]) -> bool:
    """Tell whether a CarePlan says what it said `before`, and beside that only names some of `names`."""
    if before is None or plan["resourceType"] != "CarePlan":
        return False
    rest = _without(plan, names)
    return rest != plan and _said(rest) == _said(before)


def on_top_of(found: Resource, plan: Resource, names: Mapping[str, str]) -> Resource | None:
    """Return what is there now with what `plan` names of `names`, each with the reference that it became, or "".

    That is `found` itself where it names all of them already. None where the plan is closed: it goes on elsewhere. The
    narrative is ours where it tells all that is there, else theirs.
    """
    if is_closed(found):
        return None
    there = [f"/{reference}" for reference in references(found)]
    forms = {_form_named(one) for one in objects_in(found, "supportingInfo")}
    new = {
        name
        for name, became in names.items()
        if name not in forms and not (became and any(one.endswith(f"/{became}") for one in there))
    }
    ours = {name: [one for one in objects_in(plan, name) if _names(one, new)] for name in _LISTS}
    lists = {name: [*objects_in(found, name), *entries] for name, entries in ours.items() if entries}
    if not lists:
        return found
    is_told = says_all_of(found, _without(plan, names))
    return {**found, **({"text": plan["text"]} if is_told and "text" in plan else {}), **lists}


def _without(plan: Resource, names: Collection[str]) -> Resource:
    left: Resource = {name: [one for one in objects_in(plan, name) if not _names(one, names)] for name in _LISTS}
    return {name: left.get(name, value) for name, value in plan.items() if left.get(name, value) != []}


def _names(entry: Any, names: Collection[str]) -> bool:
    return _form_named(entry) in names or any(reference in names for reference in references(entry))


def _form_named(entry: Any) -> str:
    """Return the name that a response has in its unit, of an entry that names it by identifier; "" of any other."""
    named = object_in(entry, "identifier")
    is_ours = text_in(named, "system") == IDENTIFIER_SYSTEM
    return f"{URN}{text_in(named, 'value')}" if is_ours else ""


def _said(plan: Resource) -> Resource:
    return {name: value for name, value in plan.items() if name not in _NOT_SAID and value != []}
