"""What a call is answered: who asks, what they see of this person, and the cards that tell of it.

The record is not asked for anything: no token comes with a call, and one that did would be somebody else's. So what was
sent along counts, and what lives in our own store. The reader's role comes from the same resources as at a sign-in, and
what the client hid lies over all of it as it does over each page.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mappers.appointment import MomentOf
from mappers.circle import Circle, circle_of
from mappers.human_name import human_name
from mappers.tolerant import text_in
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Language
from smartapp.access import table
from smartapp.fhir.own.index import patients_of
from smartapp.fhir.store import Query
from smartapp.hooks.calls import Call
from smartapp.hooks.cards import cards_of, told_by
from smartapp.hooks.services import Service
from smartapp.records.overlay import Record
from smartapp.services import Services, circle_among
from smartapp.settings import Issuer
from smartapp.smart.relation import Known, relation_of
from smartapp.storage.launches import Launch, Person, User

LOGGED_AS = "hooks"
"""How the log names a call, with the service behind it: `hooks.verstel-patient-view`."""


class NotKnownWhoAsks(Exception):
    """What says who asks was not sent along, and nobody is told anything by a guess."""


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a call is answered: at which zoned moment, how a FHIR text is read in that zone, in which language."""

    now: dt.datetime
    moment_of: MomentOf
    language: Language


def answer(services: Services, issuer: Issuer, service: Service, call: Call, reader: Reader) -> list[dict[str, Any]]:
    """Return the cards for a call, and write it into the log. Raises NotKnownWhoAsks, which is in the log too."""
    name = f"{LOGGED_AS}.{service.id}"
    known = _known(services, issuer, call)
    if known is None:
        user = User(call.user, "", "guest", issuer.key, "")
        services.audit.by_hook(
            user, issuer.base, f"Patient/{call.patient_id}", objects=(name,), reason="prefetch-missing"
        )
        raise NotKnownWhoAsks
    launch = _as_launch(issuer, call, known, reader.now)
    told = told_by(_seen(services, launch, call), catalogue(), now=reader.now, moment_of=reader.moment_of)
    sight = services.sight(launch)
    parts = [part for one in told.resources for part in sight.parts_of(one)]
    objects = (name, *(f"{one['resourceType']}/{text_in(one, 'id')}" for one in told.resources))
    services.audit.by_hook(launch.user, issuer.base, launch.patient.reference, objects=objects, parts=parts)
    patient = call.resource("patient")
    theirs = patient if text_in(patient, "id") == call.patient_id else None
    address, today = f"{services.settings.public_url}/launch", reader.now.date()
    return cards_of(told, theirs, launch=address, language=reader.language, today=today)


def _known(services: Services, issuer: Issuer, call: Call) -> Known | None:
    """Return what was sent along of who asks; None where that is not all it takes to know what they may read."""
    user, roles, teams = call.resource("user"), call.found("roles"), call.found("teams")
    type_ = call.user.partition("/")[0]
    if user is None or f"{text_in(user, 'resourceType')}/{text_in(user, 'id')}" != call.user:
        return None
    if (type_ == "Practitioner" and roles is None) or (teams is None and issuer.team == "follow"):
        return None
    return Known(user, roles, teams, _circle(services, issuer, call))


def _circle(services: Services, issuer: Issuer, call: Call) -> Circle:
    patient = f"Patient/{call.patient_id}"
    found = services.own_store(issuer.base).search(Query.of("CareTeam", patient=patient))
    circle = circle_among(found, issuer.key, patient)
    return circle_of(circle.resource) if circle else Circle()


def _as_launch(issuer: Issuer, call: Call, known: Known, now: dt.datetime) -> Launch:
    """Return who asks about whom, as a launch of theirs would say it; it is kept nowhere and opens nothing."""
    relation = relation_of(call.user, call.patient_id, known, issuer, now.isoformat())
    user = User(call.user, human_name(known.user, now.date()), relation.role, issuer.key, "")
    patient = Person(f"Patient/{call.patient_id}", "")
    return Launch(
        id="", session_id="", issuer=issuer.base, patient_id=call.patient_id, patient=patient, user=user, scopes=""
    )


def _seen(services: Services, launch: Launch, call: Call) -> Iterator[Resource]:
    """Yield what a professional who asks sees of what was sent along and of what lives with us; others see nothing."""
    if not table().roles[launch.user.role].professional:
        return
    ours = services.own_store(launch.issuer)
    bases = services.settings.bases(launch.issuer)
    queries = [Query.of(type_, patient=launch.patient.reference) for type_ in ("QuestionnaireResponse", "Task")]
    here = [stored.resource for query in queries for stored in ours.search(query)]
    sent = [one for key in ("answers", "points") for one in call.found(key) or () if one["resourceType"] in _TYPES]
    records = [
        Record(one, None, "own") for one in (*here, *sent) if patients_of(one, *bases) == {launch.patient.reference}
    ]
    yield from (record.resource for record in services.sight(launch).of(records))


_TYPES = frozenset({"QuestionnaireResponse", "Task"})
