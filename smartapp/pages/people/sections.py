"""What one form of the circle edits: one person in it, who may be new."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from mappers.circle import LOVED_ONES, ROLES, Circle, Member, one_line
from smartapp.i18n import message
from smartapp.pages.people.views import NAME, PHONE, RELATION, ROLE, SUPPORTS, YES
from smartapp.web import typed
from smartapp.web.typed import Part

NO_NAME: Final = message("Write a name. A first name is enough.")
NO_ROLE: Final = message("Choose what this person is here.")
IS_THERE: Final = message("This person is already among your people.")
LONGEST: Final = 200  # characters of a name and the like: one line on a page and on paper


def of_member(new: Member, names: tuple[str, ...], now: str) -> Part[Circle]:
    """Return what a form with these fields edits: the person with the id of `new`, who begins as that."""

    def member(circle: Circle) -> Member:
        return circle.member(new.id) or new

    def read(circle: Circle) -> Mapping[str, str]:
        there = circle.member(new.id)
        return _as_fields(there, names) if there else dict.fromkeys(names, "")

    def apply(circle: Circle, values: Mapping[str, str]) -> Circle:
        return circle.with_member(_changed(member(circle), values))

    return Part(names, read, apply, _check(new, now))


def _as_fields(member: Member, names: tuple[str, ...]) -> dict[str, str]:
    every = {
        NAME: member.name,
        RELATION: member.relation,
        ROLE: member.role,
        PHONE: member.phone,
        SUPPORTS: YES if member.supports else "",
    }
    return {name: every[name] for name in names}


def proposed(member: Member, names: tuple[str, ...]) -> dict[str, str]:
    """Return what the form for somebody new begins with, where something is known of them."""
    return {name: text for name, text in _as_fields(member, names).items() if text}


def _changed(member: Member, values: Mapping[str, str]) -> Member:
    role = values.get(ROLE, member.role)
    supports = values[SUPPORTS] == YES if SUPPORTS in values else member.supports and role in LOVED_ONES
    return replace(
        member,
        name=values.get(NAME, member.name),
        relation=values.get(RELATION, member.relation),
        phone=values.get(PHONE, member.phone),
        role=role,
        supports=supports,
    )


def _check(new: Member, now: str) -> Callable[[Circle, Mapping[str, str]], Mapping[str, str]]:
    def check(circle: Circle, values: Mapping[str, str]) -> Mapping[str, str]:
        problems = {name: typed.TOO_LONG for name in (NAME, RELATION, PHONE) if len(values.get(name, "")) > LONGEST}
        there = circle.of(new.reference, now)
        if there is not None and there.id != new.id:
            problems[NAME] = IS_THERE
        if NAME in values and not one_line(values[NAME]):
            problems[NAME] = NO_NAME
        if values.get(ROLE, new.role) not in ROLES:
            problems[ROLE] = NO_ROLE
        return problems

    return check
