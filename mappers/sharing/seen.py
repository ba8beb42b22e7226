"""What a reader sees of a resource when some parts are not for them, and how what they save keeps the rest.

Nothing tells that something was left out: what is left out is not there, in no list, no summary and no date of it.
Saving is the other way round: who writes with the client writes on top of what they saw, and what they did not see is
put back where it was (`put_back`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from mappers.course import is_course
from mappers.identity import URN, identifiers, values_in
from mappers.living.reading import GOAL_URL
from mappers.plan.reading import domain_in
from mappers.plan.shapes import ANSWERS_URL, DOMAIN_SYSTEM, PLAN_SYSTEM, key, target_of
from mappers.sharing.consent import IDENTIFIER_SYSTEM as CONSENT_SYSTEM
from mappers.sharing.parts import Apart, domains_of, form_part, is_step, kinds_of, part_of
from mappers.tolerant import code_in, object_in, objects_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument

_NOT_SHOWN: Final = ("text", "_text")
"""The narrative repeats what stands in the elements."""
_LISTS: Final = ("extension", "goal", "activity")
"""Of a CarePlan: what names a life domain, a goal or a step."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is not for one reader: `parts`, and what the goals and steps of hidden domains are called.

    `names` are their references (`Goal/1`) and the values of their identifiers; `apart` are the groups of forms that
    are parts of their own. `shown` are the names of goals and steps of which it is known that they are seen: one that
    nobody can find may be of any domain, so where one is hidden, it is too.
    """

    parts: frozenset[str]
    names: frozenset[str] = frozenset()
    apart: tuple[Apart, ...] = ()
    shown: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.parts)

    @property
    def domains(self) -> frozenset[str]:
        """Return the hidden life domains."""
        return domains_of(self.parts)

    def hides(self, resource: Resource, known: Catalogue) -> bool:
        """Tell whether a resource is of a part that is hidden, or may be of one for all that it says."""
        kinds = kinds_of(resource, known)
        return part_of(resource, known) in self.parts or bool(
            kinds and any(one.startswith(kinds) for one in self.parts)
        )

    def hides_domain(self, domain: str, known: Catalogue) -> bool:
        """Tell whether a life domain is hidden; of one that is not in the catalogue nobody could choose."""
        return domain in self.domains or (bool(self.domains) and all(domain != one.code for one in known.life_domains))

    def with_goals(self, resources: Iterable[Resource], known: Catalogue) -> Hidden:
        """Return the same, with the names of what belongs to a hidden domain among these Goals and Tasks."""
        found = list(resources)
        goals = [one for one in found if one.get("resourceType") == "Goal"]
        names = self.names | {name for one in goals if part_of(one, known) in self.parts for name in names_of(one)}
        shown = self.shown | {name for one in goals if not self.hides(one, known) for name in names_of(one)}
        now = replace(self, names=names, shown=shown - names)
        tasks = [one for one in found if one.get("resourceType") == "Task"]
        steps = {name for one in tasks if is_step(one) and _is_of(one, now.names) for name in names_of(one)}
        seen_ = {name for one in tasks if not _is_hidden(one, now, known) for name in names_of(one)}
        return replace(now, names=names | steps, shown=(now.shown | seen_) - steps)


NOTHING: Final = Hidden(frozenset())
"""What is hidden from the client, and from who reads all of it."""


def names_of(resource: Resource) -> frozenset[str]:
    """Return what others may call a resource: its reference, and the values of its identifiers."""
    values = {one.value for one in identifiers(resource)}
    own = values | {f"{URN}{one.removeprefix(URN)}" for one in values}
    id_ = text_in(resource, "id")
    return frozenset(own | ({key(text_in(resource, "resourceType"), id_)} if id_ else set()))


def seen(resource: Resource, hidden: Hidden, known: Catalogue) -> Resource | None:
    """Return what is seen of a resource; None where nothing is. The same object where all of it is."""
    if not hidden:
        return resource
    match resource.get("resourceType"):
        case "CarePlan" if not is_course(resource):
            return _plan_seen(resource, hidden, known)
        case "QuestionnaireResponse":
            return _response_seen(resource, hidden, known)
        case "Consent" if values_in(resource, CONSENT_SYSTEM):
            return None  # it tells what there is that is hidden
        case "DocumentReference" if code_in(resource, "type", PLAN_SYSTEM):
            return None  # it has the whole plan in it
        case _:
            return None if _is_hidden(resource, hidden, known) else resource


def _is_hidden(resource: Resource, hidden: Hidden, known: Catalogue) -> bool:
    if names_of(resource) & hidden.names or hidden.hides(resource, known):
        return True
    return is_step(resource) and _is_not_shown(object_in(resource, "focus"), hidden)


def put_back(new: Resource, whole: Resource, hidden: Hidden, known: Catalogue) -> Resource:
    """Return what is saved: `new`, which was made on top of what is seen of `whole`, with what was not seen."""
    was = seen(whole, hidden, known)
    if was is None or was is whole:
        return new
    if new.get("resourceType") == "CarePlan" and not is_course(new):
        lists = {
            name: _with_hidden(objects_in(new, name), objects_in(whole, name), _plan_filter(name, hidden, known))
            for name in _LISTS
        }
        return {**{name: one for name, one in new.items() if name not in _LISTS}, **_filled(lists)}
    form = _form_of(whole, known)
    if form is None:
        return new
    items = _items_back(objects_in(new, "item"), objects_in(whole, "item"), hidden, form, _top_seen)
    return {**new, "item": items}


def _filled(lists: dict[str, list[Resource]]) -> Resource:
    return {name: there for name, there in lists.items() if there}


def _is_of(step: Resource, goals: frozenset[str]) -> bool:
    return bool(_called(object_in(step, "focus")) & goals)


# ---- the plan --------------------------------------------------------------------------------------------------------


def _plan_seen(plan: Resource, hidden: Hidden, known: Catalogue) -> Resource | None:
    lists = {
        name: [one for one in objects_in(plan, name) if not _plan_filter(name, hidden, known)(one)] for name in _LISTS
    }
    if all(len(there) == len(objects_in(plan, name)) for name, there in lists.items()):
        return plan
    # When it was changed last may be when something changed that is not seen.
    meta = {name: value for name, value in object_in(plan, "meta").items() if name != "lastUpdated"}
    shown = {name: value for name, value in plan.items() if name not in (*_LISTS, *_NOT_SHOWN, "meta")}
    return {**shown, "meta": meta, **_filled(lists)}


def _plan_filter(name: str, hidden: Hidden, known: Catalogue) -> Callable[[Resource], bool]:
    """Return what tells of an entry of one of a CarePlan's lists whether it is hidden."""
    if name == "extension":
        urls = {part.url for part in known.plan_parts if form_part(part.code) in hidden.parts}
        return lambda one: (
            one.get("url") in urls or (one.get("url") == ANSWERS_URL and hidden.hides_domain(domain_in(one), known))
        )
    if name == "goal":
        return lambda one: _is_not_shown(one, hidden)
    return lambda one: _is_step_not_shown(object_in(one, "reference"), hidden)


def _is_step_not_shown(reference: Resource, hidden: Hidden) -> bool:
    # What is in an activity itself, or refers to something else, is the work of another program.
    is_task = target_of(reference).startswith(("Task/", URN)) or not target_of(reference)
    return bool(_called(reference)) and is_task and _is_not_shown(reference, hidden)


def _is_not_shown(reference: Resource, hidden: Hidden) -> bool:
    """Tell whether what a reference names is hidden, or nobody knows that it is not: its display has its words."""
    called = _called(reference)
    return bool(hidden.domains) and (bool(called & hidden.names) or not called & hidden.shown)


def _called(reference: Resource) -> set[str]:
    return {target_of(reference), text_in(object_in(reference, "identifier"), "value")} - {""}


# ---- a living form ---------------------------------------------------------------------------------------------------


def _response_seen(response: Resource, hidden: Hidden, known: Catalogue) -> Resource | None:
    part, form = part_of(response, known), _form_of(response, known)
    if form is None:
        return None if hidden.hides(response, known) else response
    there = objects_in(response, "item")
    shown = [one for item in there if (one := _top_seen(item, hidden, form)) is not None]
    if shown == there:
        return None if not there and part in hidden.parts else response
    # A response with nothing in it would tell that there is something.
    return _with_items(response, shown) if shown else None


def _with_items(response: Resource, items: list[Resource]) -> Resource:
    """Return a response with only these items, and without when it was changed: that may be something not seen."""
    rest = {name: value for name, value in response.items() if name not in ("item", "authored", "meta", *_NOT_SHOWN)}
    meta = {name: value for name, value in object_in(response, "meta").items() if name != "lastUpdated"}
    return {**rest, "meta": meta, "item": items}


def _form_of(response: Resource, known: Catalogue) -> Instrument | None:
    part = part_of(response, known)
    return known.living[part.removeprefix("form.")] if part.startswith("form.") else None


def _items_seen(items: Iterable[Resource], hidden: Hidden, form: Instrument) -> list[Resource]:
    return [one for item in items if (one := _item_seen(item, hidden, form)) is not None]


def _item_seen(item: Resource, hidden: Hidden, form: Instrument) -> Resource | None:
    """Return what is seen of an item; None where it is hidden, or all that it says is."""
    if text_in(item, "linkId") in _groups_apart(hidden, form, shown=False) or _is_row_about_hidden(item, hidden, form):
        return None
    answers, inside = objects_in(item, "answer"), objects_in(item, "item")
    shown, below = [one for one in answers if not _tells(one, hidden)], _items_seen(inside, hidden, form)
    if shown == answers and below == inside:
        return item
    left = {"answer": shown, "item": below}
    if not shown and not below:
        return None
    return {name: value for name, value in item.items() if name not in left} | {k: v for k, v in left.items() if v}


def _top_seen(item: Resource, hidden: Hidden, form: Instrument) -> Resource | None:
    """Return what is seen of an item that stands in no other; of a hidden form only groups that are shared apart."""
    if form_part(form.id) in hidden.parts and text_in(item, "linkId") not in _groups_apart(hidden, form, shown=True):
        return None
    return _item_seen(item, hidden, form)


def _groups_apart(hidden: Hidden, form: Instrument, *, shown: bool) -> frozenset[str]:
    """Return the groups of a form that are parts of their own: of those that are shown, or of those that are not."""
    those = (one.groups for one in hidden.apart if one.form == form.id and (one.part not in hidden.parts) == shown)
    return frozenset(name for groups in those for name in groups)


def _is_row_about_hidden(item: Resource, hidden: Hidden, form: Instrument) -> bool:
    """Tell whether an item is a row about a life domain or a goal that is hidden: then so is all it says."""
    group = next((one for one in form.groups if one.per and one.link_id == text_in(item, "linkId")), None)
    if group is None:
        return False
    names = (one for one in objects_in(item, "item") if text_in(one, "linkId") == group.items[0].link_id)
    return any(_tells(answer, hidden) for one in names for answer in objects_in(one, "answer"))


def _tells(answer: Resource, hidden: Hidden) -> bool:
    """Tell whether an answer names a hidden life domain or goal."""
    coding = object_in(answer, "valueCoding")
    if coding.get("system") == DOMAIN_SYSTEM and text_in(coding, "code") in hidden.domains:
        return True
    links = (one for one in objects_in(answer, "extension") if one.get("url") == GOAL_URL)
    return any(_is_not_shown(object_in(one, "valueReference"), hidden) for one in links)


# ---- saving ----------------------------------------------------------------------------------------------------------


def _with_hidden(new: list[Resource], whole: list[Resource], is_hidden: Callable[[Resource], bool]) -> list[Resource]:
    """Return a list with what is hidden of the one before it, each at its former place."""
    made = list(new)
    for at, one in enumerate(whole):
        if is_hidden(one):
            made.insert(min(at, len(made)), one)
    return made


def _items_back(
    new: list[Resource],
    whole: list[Resource],
    hidden: Hidden,
    form: Instrument,
    of: Callable[[Resource, Hidden, Instrument], Resource | None],
) -> list[Resource]:
    """Return the items of a form with what was not seen of those before them.

    A row that its writer took away stays away, with what was hidden in it.
    """
    made = list(new)
    for at, before in enumerate(whole):
        shown = of(before, hidden, form)
        if shown is before:
            continue
        here = None if shown is None else next((n for n, one in enumerate(made) if _is_same(one, before)), None)
        if shown is None:
            if not any(_is_same(one, before) for one in made):
                made.insert(min(at, len(made)), before)
        elif here is not None:
            made[here] = _item_back(made[here], before, hidden, form)
    return made


def _item_back(new: Resource, before: Resource, hidden: Hidden, form: Instrument) -> Resource:
    answers = _with_hidden(objects_in(new, "answer"), objects_in(before, "answer"), lambda one: _tells(one, hidden))
    items = _items_back(objects_in(new, "item"), objects_in(before, "item"), hidden, form, _item_seen)
    return {**new, **_filled({"answer": answers, "item": items})}


def _is_same(one: Resource, other: Resource) -> bool:
    """Tell whether two items are the same question, or the same row."""
    return text_in(one, "linkId") == text_in(other, "linkId") and text_in(one, "id") == text_in(other, "id")
