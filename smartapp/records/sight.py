"""What one reader sees of the records of a person, and what of them only our own store gets: as that person shares.

It is laid over all that is read, whichever place it came from, and over what is saved: no page can forget it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from mappers.course import is_course
from mappers.plan.reading import domain_in
from mappers.plan.shapes import ANSWERS_URL, PLAN_SYSTEM, extensions
from mappers.reuse import is_reuse
from mappers.sameness import fingerprint
from mappers.sharing import NOTHING, Apart, Hidden, Reader, Rule, Sharing, part_of, parts_in, put_back, seen
from mappers.sharing.model import CLIENT
from mappers.sharing.parts import ASKED, COURSE, TALKS, domain_part, domains_of, form_part
from mappers.tolerant import code_in, objects_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from smartapp.fhir.store import Forbidden
from smartapp.records.overlay import Record

_NAMED_BY_GOALS: Final = frozenset({"CarePlan", "Task", "QuestionnaireResponse"})
"""What may name a goal: to know whether that one is hidden, the goals have to be known."""


@dataclass(frozen=True, slots=True)
class Sight:
    """`hidden` is what the reader does not see, `locked` the parts that they may not type in.

    `private` are the parts that are not in the record: whoever reads them, they are kept by us alone. Where there are
    parts in `adds`, the reader may add something new to those, and do nothing else.
    """

    known: Catalogue
    hidden: Hidden = NOTHING
    locked: frozenset[str] = frozenset()
    private: frozenset[str] = frozenset()
    adds: frozenset[str] = frozenset()
    others: bool = False
    """The reader is not the client: what that one said about reuse of their answers is nobody else's."""

    def needs_goals(self, resources: Iterable[Resource]) -> bool:
        """Tell whether it takes the goals of the person to say what is seen of these."""
        return bool(self.hidden.domains) and any(one["resourceType"] in _NAMED_BY_GOALS for one in resources)

    def with_goals(self, resources: Iterable[Resource]) -> Sight:
        """Return the same, knowing these Goals and Tasks."""
        if not self.hidden.domains:
            return self
        return replace(self, hidden=self.hidden.with_goals(resources, self.known))

    def of(self, records: Iterable[Record]) -> list[Record]:
        """Return the records as the reader sees them, without those of which nothing is seen."""
        theirs = [one for one in records if not (self.others and is_reuse(one.resource))]
        if not self.hidden:
            return theirs
        shown = ((one, seen(one.resource, self.hidden, self.known)) for one in theirs)
        return [one if one.resource is there else replace(one, resource=there) for one, there in shown if there]

    def of_written(self, records: Iterable[Record]) -> list[Record]:
        """Return what the reader wrote just now, as they see it; who may only add knows what they added."""
        return list(records) if self.adds else self.of(records)

    def following(self) -> Sight:
        """Return what is seen by what follows on a unit that arrived: all there is, since nobody is shown any of it."""
        return replace(self, hidden=NOTHING, locked=frozenset(), adds=frozenset(), others=False)

    def parts_of(self, resource: Resource) -> tuple[str, ...]:
        """Return the parts that the reader sees of a resource: of a form that is hidden, what is apart of it."""
        if resource.get("resourceType") == "CarePlan" and not is_course(resource):
            answered = (domain_part(domain_in(one)) for one in extensions(resource, ANSWERS_URL))
            return tuple(part for part in answered if part not in self.hidden.parts)
        part = part_of(resource, self.known)
        if part not in self.hidden.parts:
            return (part,) if part else ()
        apart = (one for one in self.hidden.apart if form_part(one.form) == part)
        return tuple(one.part for one in apart if one.part not in self.hidden.parts)

    def whole(self, new: Resource, before: Resource | None) -> Resource:
        """Return what is saved, with what its writer did not see of what was there. Raises Forbidden."""
        if self.others and is_reuse(new):
            raise Forbidden("Only the person whose record this is says whether their answers may be used again.")
        if self.adds:
            if before is not None or part_of(new, self.known) not in self.adds:
                raise Forbidden("Only answers to one questionnaire come from here.")
            return new
        was = seen(before, self.hidden, self.known) if before else None
        changed = set(self._changed(new, was))
        if changed & (self.locked | self.hidden.parts):
            raise Forbidden("The person whose record this is writes this part without you.")
        return put_back(new, before, self.hidden, self.known) if before and self.hidden else new

    @property
    def locks_goals(self) -> bool:
        """Tell whether there are goals, and so steps, in which the reader may not type."""
        return bool(domains_of(self.locked))

    def check_steps(self, steps: Iterable[Resource], goals: Iterable[Resource]) -> None:
        """Let pass the steps that the reader may write, by the goals that there are. Raises Forbidden."""
        found = list(goals)
        locked = Hidden(self.locked).with_goals(found, self.known)
        if any(seen(step, locked, self.known) is None for step in steps):
            raise Forbidden("The person whose record this is writes this part without you.")

    def _changed(self, new: Resource, was: Resource | None) -> Iterator[str]:
        """Yield the parts whose words somebody writes anew or takes away, as far as those may be locked.

        `was` is what they saw of it before.
        """
        if was is not None and fingerprint(was) == fingerprint(new):  # a plan is saved with all that is in it
            return
        kind, part = new.get("resourceType"), part_of(new, self.known)
        if kind == "CarePlan" and part != COURSE:
            yield from self._changed_in_plan(new, was)
        elif kind == "QuestionnaireResponse":
            yield from self._changed_in_form(new, was, part)
        elif kind in ("Goal", "Observation", "CareTeam") or part in (TALKS, ASKED, COURSE):
            yield from {part, part_of(was or new, self.known)}

    def _changed_in_plan(self, new: Resource, was: Resource | None) -> Iterator[str]:
        before, now = ({domain_in(one): one for one in extensions(plan, ANSWERS_URL)} for plan in (was, new))
        yield from (domain_part(one) for one in before | now if now.get(one) != before.get(one))
        for part in self.known.plan_parts:
            said = [[text_in(one, "valueString") for one in extensions(plan, part.url)] for plan in (was, new)]
            if said[0] != said[1]:
                yield form_part(part.code)

    def _changed_in_form(self, new: Resource, was: Resource | None, part: str) -> Iterator[str]:
        """Yield the part that a form is, or those of its groups in which something changed."""
        of_groups = {name: one.part for one in self.hidden.apart if form_part(one.form) == part for name in one.groups}
        before, now = (objects_in(response, "item") for response in (was, new))
        for item in (*(one for one in now if one not in before), *(one for one in before if one not in now)):
            yield of_groups.get(text_in(item, "linkId"), part)
        if not of_groups:
            yield part

    def is_private(self, resource: Resource) -> bool:
        """Tell whether only our own store may get a resource: one part of it is not in the record."""
        if not self.private:
            return False
        kind = resource.get("resourceType")
        if kind == "CarePlan" and not is_course(resource):
            return self._has_private_words(resource)
        if kind == "DocumentReference":
            return bool(code_in(resource, "type", PLAN_SYSTEM)) and self.has_private_plan
        part = part_of(resource, self.known)
        # A form is kept as one: where a part of it is not in the record, all of it is not.
        return part in self.private or any(form_part(one.form) == part for one in self._apart)

    @property
    def _apart(self) -> Iterator[Apart]:
        """Yield the groups of forms that are private by themselves."""
        return (one for one in self.hidden.apart if one.part in self.private)

    @property
    def has_private_plan(self) -> bool:
        """Tell whether a part of what a document of the plan has in it is not in the record."""
        return any(self._apart) or any(part.startswith(("domain.", "form.")) for part in self.private)

    def _has_private_words(self, plan: Resource) -> bool:
        """Tell whether a CarePlan has words of a part that is not in the record; its goals are asked themselves."""
        domains = domains_of(self.private)
        if any(domain_in(one) in domains for one in extensions(plan, ANSWERS_URL)):
            return True
        return any(extensions(plan, one.url) for one in self.known.plan_parts if form_part(one.code) in self.private)


def sight_of(
    reader: Reader, sharing: Sharing, rule_of: Callable[[str], Rule], known: Catalogue, apart: Iterable[Apart] = ()
) -> Sight:
    """Return what somebody sees of what a client shares; `rule_of` gives what holds for what is in the record."""
    groups = tuple(apart)
    parts = parts_in(known, groups)
    return Sight(
        known,
        hidden=Hidden(frozenset(one for one in parts if not sharing.may_read(one, reader, rule_of(one))), apart=groups),
        locked=frozenset(one for one in parts if not sharing.may_type(one, reader, rule_of(one))),
        private=frozenset(one for one in parts if not sharing.of(one).record),
        others=reader.role != CLIENT,
    )


def sight_to_add(parts_added: Iterable[str], sharing: Sharing, known: Catalogue, apart: Iterable[Apart] = ()) -> Sight:
    """Return what somebody sees who reads nothing of a client, and may add to some parts."""
    groups = tuple(apart)
    parts = frozenset(parts_in(known, groups))
    return Sight(
        known,
        hidden=Hidden(parts, apart=groups),
        locked=parts,
        private=frozenset(one for one in parts if not sharing.of(one).record),
        adds=frozenset(parts_added),
        others=True,
    )


def without_repeats(versions: list[Record]) -> list[Record] | None:
    """Return the versions of one resource without those in which nothing changed of what is seen; None for none."""
    kept: list[Record] = []
    # The newest first: of several that look the same the oldest is when it came to say so.
    for one in reversed(versions):
        if not kept or _words(kept[-1].resource) != _words(one.resource):
            kept.append(one)
    return kept[::-1] or None


def _words(resource: Resource) -> Resource:
    return {name: value for name, value in resource.items() if name not in ("meta", "text")}
