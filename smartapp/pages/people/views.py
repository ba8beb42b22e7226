"""What the pages of the circle show: each person, what they are to the client, and how they come in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from flask import url_for

from mappers.circle import LOVED_ONES, PROFESSIONALS, SIGNS_IN, Member
from mappers.roles import ROLES
from smartapp.access import table
from smartapp.i18n import message
from smartapp.pages.people.service import Proposed
from smartapp.web.circle import StoredCircle
from smartapp.web.fields import Field, FieldOption
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of
from smartapp.web.reading import Reading, read_by

_NAMES: Final = {"loved-one": message("A loved one"), "professional": message("A professional")}
NAME: Final = "name"
RELATION: Final = "relation"
ROLE: Final = "role"
PHONE: Final = "phone"
SUPPORTS: Final = "supports"
YES: Final = "yes"


@dataclass(frozen=True, slots=True)
class PersonView:
    """One of the people, to read. `what` says what they are to the client, `href` is their own page."""

    member: Member
    name: str
    what: str
    href: str
    is_in: bool
    reads: tuple[Reading, ...] = ()
    """What a loved one reads who can sign in, to their client; of a professional that follows from the record too."""

    @property
    def signs_in(self) -> bool:
        """Tell whether they can sign in somewhere."""
        return bool(self.member.reference)

    @property
    def is_loved_one(self) -> bool:
        """Tell whether they would sign in at the portal, and not in a chart."""
        return self.member.reference.startswith("RelatedPerson/")

    @property
    def dialled(self) -> str:
        """Return the telephone number as a link dials it, "" where it has too little of a number."""
        digits = "".join(sign for sign in self.member.phone if sign.isdecimal() or sign == "+")
        return digits if len(digits) >= 3 else ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody who can be put into the circle without typing them again."""

    name: str
    what: str
    href: str


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """The circle: loved ones, professionals, who was in it before, and the people that the record has besides."""

    loved_ones: tuple[PersonView, ...]
    professionals: tuple[PersonView, ...]
    earlier: tuple[PersonView, ...]
    from_record: tuple[Choice, ...]

    @property
    def is_empty(self) -> bool:
        """Tell whether nobody is in the circle now."""
        return not (self.loved_ones or self.professionals)


@dataclass(frozen=True, slots=True)
class WhomPage:
    """Whom a client could add: the loved ones of the record, its professionals, and supporters of their own plan."""

    related: tuple[Choice, ...]
    teams: tuple[Choice, ...]
    supporters: tuple[Choice, ...]


def people_page(stored: StoredCircle, now: str) -> PeoplePage:
    """Return the circle as it is at a moment."""
    people = [person(one, now) for one in stored.circle.people]
    here = [one for one in people if one.is_in]
    return PeoplePage(
        loved_ones=tuple(one for one in here if not _works(one.member)),
        professionals=tuple(one for one in here if _works(one.member)),
        earlier=tuple(one for one in people if not one.is_in),
        from_record=_choices(stored.teams, stored, now),
    )


def whom_page(proposed: Proposed, now: str) -> WhomPage:
    """Return whom a client could add."""
    stored = proposed.stored
    there = [one.name.casefold() for one in stored.circle.people if one.is_in(now)]
    related = {one.reference for one in stored.related}
    return WhomPage(
        related=_choices(stored.related, stored, now),
        teams=_choices((one for one in stored.teams if one.reference not in related), stored, now),
        supporters=tuple(
            Choice(one.name, one.relation, url_for("people.new_supporter", key=one.id))
            for one in proposed.supporters
            if not any(_may_be(one.name.casefold(), name) for name in there)
        ),
    )


def _may_be(name: str, other: str) -> bool:
    """Tell whether two names can be of one person: the same, or a first name alone."""
    return f"{other} ".startswith(f"{name} ")


def _choices(people: Iterable[Member], stored: StoredCircle, now: str) -> tuple[Choice, ...]:
    return tuple(
        Choice(one.name, what(one), url_for("people.new_from_record", type_=type_, id_=id_))
        for one in people
        for type_, _slash, id_ in (one.reference.partition("/"),)
        if one.name and type_ in SIGNS_IN and stored.circle.of(one.reference, now) is None
    )


def _works(member: Member) -> bool:
    return member.is_professional or (not member.role and not member.reference.startswith("RelatedPerson/"))


def person(member: Member, now: str) -> PersonView:
    """Return one of the people as others read them."""
    href = url_for("people.person", member_id=member.id)
    is_in = member.is_in(now)
    reads = read_by(member.reference, member.role) if is_in and member.reference.startswith("RelatedPerson/") else ()
    return PersonView(member, member.name or _("Somebody without a name"), what(member), href, is_in, reads)


def what(member: Member) -> str:
    """Return what somebody is to the client: in the client's words, and by their role where that says more."""
    title = role_title(member.role)
    if not title or title.casefold() in member.relation.casefold():
        return member.relation
    return f"{member.relation} · {title}" if member.relation else title


def role_title(role: str) -> str:
    """Return what a role is called, "" for one that says nothing of its own."""
    known = next((one for one in ROLES if one == role), None)
    return text_of(table().roles[known].title) if known else ""


def fields(kind: str) -> tuple[Field, ...]:
    """Return what is asked of somebody: `kind` is `loved-one`, `professional`, or "" where that is not known."""
    roles = {"loved-one": LOVED_ONES, "professional": PROFESSIONALS}.get(kind, (*LOVED_ONES, *PROFESSIONALS))
    offered = tuple(FieldOption(one, _first_upper(role_title(one))) for one in roles if role_title(one))
    yes = FieldOption(YES, _("Said yes to supporting me on hard days"))
    return (
        Field(NAME, _("Name"), "line"),
        Field(
            RELATION,
            _("Who this is to me"),
            "line",
            help=_("In your own words, such as: my sister, my neighbour, my nurse."),
        ),
        Field(ROLE, _("What this person is here"), "choices", options=offered),
        Field(PHONE, _("Telephone number, if you like"), "line"),
        *([Field(SUPPORTS, _("On hard days"), "checks", options=(yes,))] if kind != "professional" else []),
    )


def kind_of(member: Member) -> str:
    """Return which kind of form somebody has."""
    if not member.role:
        return "loved-one" if member.reference.startswith("RelatedPerson/") else ""
    return "professional" if member.is_professional else "loved-one"


def kind_title(kind: str) -> str:
    """Return what stands above the form for somebody new of a kind."""
    return _(_NAMES[kind]) if kind in _NAMES else _("Somebody")


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
