"""The client's circle in the record: how it is found there, and what a change of it has to write.

It is kept in our own store and nowhere else (`Write.only_here`): who may read what follows from it, so it may not be
where others write. Care teams of the EHR are read beside it. They belong to who made them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from mappers.circle import IDENTIFIER_SYSTEM, Circle, Member, circle_identifier, circle_of, is_circle, team_of
from mappers.human_name import human_name, reference_to
from mappers.identity import URN, values_in
from mappers.plan import PersonRef
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.store import Conflict, Query, Unreachable, Write
from smartapp.records import Record
from smartapp.smart.identity import relative_user

if TYPE_CHECKING:
    from smartapp.services import Services
    from smartapp.storage.launches import Launch

_ATTEMPTS: Final = 3
_ENDED: Final = ("inactive", "entered-in-error")


@dataclass(frozen=True, slots=True)
class StoredCircle:
    """A circle, the record that it was read from (None while there is none), and who the record itself has.

    `teams` are the people in care teams of the record, `related` its loved ones, each with their reference; none of
    them is in the circle because of that.
    """

    circle: Circle
    identifier: str
    record: Record | None = None
    teams: tuple[Member, ...] = ()
    related: tuple[Member, ...] = ()

    def known(self, reference: str) -> Member | None:
        """Return who the record has under a reference, None where it has nobody of that name."""
        return next((one for one in (*self.related, *self.teams) if reference and one.reference == reference), None)


def queries(patient: str) -> tuple[Query, Query]:
    """Return the searches for care teams, ours among them, and for the loved ones that the record has."""
    return Query.of("CareTeam", patient=patient), Query.of("RelatedPerson", patient=patient)


def read_circle(
    teams: Iterable[Record], related: Iterable[Record], launch: Launch, bases: Sequence[str], *, today: dt.date
) -> StoredCircle:
    """Return the circle of the person of a launch, from what `queries` found; `bases` are the addresses of its EHR.

    The names are those of the day `today`.
    """
    found, name = list(teams), circle_identifier(launch.issuer_key, launch.patient.reference)
    # One at another place is not ours: what others can write gives nobody a right here. One that was named when the
    # issuer had another key or address is: a person has one circle.
    own = [one for one in found if one.place == "own" and is_circle(one.resource)]
    named = (one for one in own if name in values_in(one.resource, IDENTIFIER_SYSTEM))
    record = next(named, next(iter(own), None))
    members = (
        # Who is of another server, or called in a way that no server reads, is nobody who could sign in here.
        replace(member, reference=relative_user(member.reference, *bases))
        for one in found
        if one not in own and text_in(one.resource, "status") not in _ENDED
        for member in circle_of(one.resource).people
    )
    return StoredCircle(
        circle=circle_of(record.resource) if record else Circle(),
        identifier=next(iter(values_in(record.resource, IDENTIFIER_SYSTEM))) if record else name,
        record=record,
        teams=_each_once(member for member in members if member.reference and member.name),
        related=_each_once(_related(one.resource, today) for one in related if one.resource.get("active") is not False),
    )


def _each_once(people: Iterable[Member]) -> tuple[Member, ...]:
    return tuple({one.reference: one for one in reversed([*people])}.values())[::-1]


def _related(person: Resource, today: dt.date) -> Member:
    relation = next((text_in(one, "text") for one in objects_in(person, "relationship") if text_in(one, "text")), "")
    reference = f"RelatedPerson/{text_in(person, 'id')}"
    return Member(reference, human_name(person, today), relation, "loved-one", reference)


def write_of(before: StoredCircle, after: Circle, launch: Launch, *, author: PersonRef, language: str) -> Write | None:
    """Return what has to be written so that the record says `after`; None where it does already.

    Raises Unreachable while what was saved before is still on its way.
    """
    if after == before.circle:
        return None
    if before.record is not None and before.record.state != "stored":
        raise Unreachable("What was saved before has not arrived yet. Try again in a moment.")
    made = team_of(
        after,
        patient=reference_to(launch.patient.reference, launch.patient.display, language),
        identifier=before.identifier,
        language=language,
        existing=before.record.resource if before.record else None,
        typist=author.as_reference(language),
    )
    if before.record is not None:
        return Write("update", made, if_match=before.record.etag, only_here=True)
    token, name = f"{IDENTIFIER_SYSTEM}|{before.identifier}", f"{URN}{before.identifier}"
    return Write.once(made, identifier=token, full_url=name, only_here=True)


def note_first_time(services: Services, launch: Launch, now: str) -> None:
    """Note in the circle that somebody in it signed in for the first time; `now` is a FHIR dateTime.

    It needs nobody's rights, and gives none. Raises what the store does.
    """
    for _attempt in range(_ATTEMPTS):
        stored = services.circle(launch)
        circle = circle_of(stored.resource) if stored else Circle()
        member = circle.of(launch.user.reference, now)
        if stored is None or member is None or member.came_on:
            return
        made = team_of(
            circle.came(member.id, now),
            patient=object_in(stored.resource, "subject"),
            identifier=next(iter(values_in(stored.resource, IDENTIFIER_SYSTEM))),
            language=text_in(stored.resource, "language") or "nl",
            existing=stored.resource,
        )
        with contextlib.suppress(Conflict):
            store = services.own_store(launch.issuer)
            store.write(Write("update", made, if_match=stored.etag, only_here=True))
            return
