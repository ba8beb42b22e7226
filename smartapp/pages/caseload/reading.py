"""The lines of a professional's own clients: whose they are, and of each what that client lets this reader see.

Everything is read for all of them at once; the sight of each client is laid over what was found of that one, as in a
launch about them. So a line with a hidden part is the line of a client who has none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mappers.caseload import Client, Line, is_gone, line_of, own_clients
from mappers.circle import Circle, circle_of
from mappers.sharing import sharing_of
from mappers.sharing.parts import ASKED, COURSE, answers_part
from mappers.tolerant import text_in
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.access import CASELOAD, table
from smartapp.fhir.own.index import relative
from smartapp.records.clients import KEPT, Clients, Found
from smartapp.services import Services, circle_among, consent_among, sight_by
from smartapp.storage.launches import Launch, Person
from smartapp.web import current
from smartapp.web.language import moment_of
from smartapp.web.looked_at import IN_LIST

SENT_DAYS: Final = 42
"""What was sent in so many days ago, or later, is on the list: six weeks, as far as two talks are often apart."""
READ_DAYS: Final = 120
"""Of so many days what was sent in is read: to know of a moment of a programme that it is done."""
TALK_DAYS: Final = 56
"""An appointment within so many days makes somebody a client for whom nothing else does."""
MOST: Final = 1000
"""So many clients are on the list; a page of more is read by nobody."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One line, the launch of its reader as one about this client, and the parts that it tells of."""

    line: Line
    launch: Launch
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Caseload:
    """The lines, in the order of names; whether there are `more`; whether the record tells whose clients they are.

    `lacks` is what the record has and did not give all of: `clients`, `talks`, `sent`, `waiting`, `programmes`.
    """

    shown: tuple[Shown, ...]
    more: bool
    told: bool
    since: dt.date
    lacks: tuple[str, ...] = ()


def caseload(services: Services, launch: Launch) -> Caseload:
    """Read the clients of the user of a launch about nobody. Raises RecordError where the record gives no answer."""
    now = current.now()
    since = now.date() - dt.timedelta(days=SENT_DAYS)
    places = _places(services, launch)
    clients = _own(places, launch, now)
    known, more = dict(list(clients.items())[:MOST]), len(clients) > MOST
    unnamed = [id_ for id_, one in known.items() if one.patient is None]
    # In whose team the reader is, is known; of the others it may be that they are in none, and so outside of it.
    without_team = [id_ for id_, one in known.items() if not one.by_team]
    read_since = now.date() - dt.timedelta(days=READ_DAYS)
    found = places.people(unnamed, without_team, read_since.isoformat(), list(known))
    reader, asked = _Reader(services, launch, found, since), "CareTeam.patient" not in places.refused
    shown = []
    for client in known.values():
        others = [one.resource for one in found.at(client.id, "ehr", "CareTeam")] if asked else None
        line = reader.line(client, client.teams or others)
        shown += [line] if line is not None else []
    return Caseload(
        tuple(sorted(shown, key=lambda one: (one.line.name.casefold(), one.line.id))),
        more=more,
        told=bool(known) or len(places.refused & _TIES) < len(_TIES),
        since=since,
        lacks=tuple(what for what, asked_by in _LACKS.items() if asked_by & places.kept_back),
    )


_TIES: Final = frozenset({"CareTeam.participant", "Patient.general-practitioner", "Appointment.actor"})
_LACKS: Final[Mapping[str, frozenset[str]]] = {
    "clients": _TIES,
    "talks": frozenset({"Appointment.actor"}),
    "sent": frozenset({"QuestionnaireResponse.patient"}),
    "waiting": frozenset({"Task.patient"}),
    "programmes": frozenset({"CarePlan.patient"}),
}


def names_of(launch: Launch) -> tuple[str, ...]:
    """Return by what references the record knows the user: their own, and those of their PractitionerRoles."""
    roles = launch.reader.get("roles") or ()
    works_as = (f"PractitionerRole/{text_in(one, 'id')}" for one in roles if text_in(one, "id"))
    return tuple(dict.fromkeys([launch.user.reference, *works_as]))


def _places(services: Services, launch: Launch) -> Clients:
    ehr = services.ehr(launch)
    companion = services.companion(launch.issuer)
    person = services.outbox.owner(launch.issuer_key, "", launch.user.key).digest
    role = launch.user.role
    return Clients(
        {"ehr": ehr, "own": services.own_store(launch.issuer), **({"companion": companion} if companion else {})},
        services.capabilities.of(launch.issuer_key, ehr, launch.scopes, role=role, person=person),
        services.settings.bases(launch.issuer),
    )


def _own(places: Clients, launch: Launch, now: dt.datetime) -> Mapping[str, Client]:
    until = now.date() + dt.timedelta(days=TALK_DAYS)
    names = names_of(launch)
    teams, patients, talks = places.ties(names, now.date().isoformat(), until.isoformat())
    return own_clients(
        teams=teams,
        patients=patients,
        talks=talks,
        names=names,
        named=lambda reference: relative(reference, *places.bases),
        now=now,
        moment_of=moment_of,
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Makes lines for the user of a launch about nobody, of what was `found` of their clients."""

    services: Services
    launch: Launch
    found: Found
    since: dt.date

    def line(self, client: Client, teams: Sequence[Resource] | None) -> Shown | None:
        """Return the line of a client, whose care teams are these; None where there is none for this reader."""
        found, key = self.found, self.launch.issuer_key
        told = client.patient or next((one.resource for one in found.at(client.id, "ehr", "Patient")), None)
        if is_gone(told):
            return None
        circle = circle_among(found.at(client.id, "own", "CareTeam"), key, client.reference)
        people = circle_of(circle.resource) if circle else Circle()
        about = self.services.towards(self.launch, Person(client.reference, ""), teams, people)
        # Outside the team one reads what to do in a crisis, and no list tells of that.
        if about.user.role not in table().page(CASELOAD).get:
            return None
        now = current.now()
        consent = consent_among(found.at(client.id, "own", "Consent"), key, client.reference)
        sight = sight_by(
            about.user,
            sharing_of(consent.resource if consent else None),
            lambda: people.of(about.user.reference, now.isoformat()) is not None,
        )
        seen = [one.resource for one in sight.of(found.of(client.id, *KEPT))]
        whole = replace(client, patient=told)
        line = line_of(whole, seen, since=self.since, now=now, moment_of=moment_of, known=catalogue())
        person = Person(client.reference, line.name, line.birth_date, line.called)
        return Shown(line, replace(about, patient=person), tuple(_parts(line)))


def _parts(line: Line) -> Iterator[str]:
    """Yield the parts that a line tells of, for the log: that the client stands there is one itself."""
    yield IN_LIST
    if any(not one.of_course for one in line.waiting):
        yield ASKED
    if line.follows or any(one.of_course for one in line.waiting):
        yield COURSE
    yield from (answers_part(one.instrument) for one in line.sent if one.instrument)
