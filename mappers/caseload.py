"""The list of a professional's own clients: who is theirs, and what one line says of each.

A line says what a client sent in, what waits for them, and when the two speak each other next. Nothing here counts,
weighs or compares people: no score is read, and there is no order but the name and the day.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mappers.answers import asked_in, is_finished
from mappers.appointment import MomentOf, NextTalk, next_talk
from mappers.assignment import Assignment, assignment_of, is_assignment
from mappers.birth import birth_date_of
from mappers.course import Course, Planned, answered_in, as_decided, course_of, is_course, is_over, standing
from mappers.human_name import name_of
from mappers.period import is_on
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.programmes import programmes

Named = Callable[[str], str]
"""Turns a reference into `Type/id` of the same server, and leaves any other as it is."""

_COMING = ("open", "announced", "later")


@dataclass(frozen=True, slots=True)
class Client:
    """One of a professional's own clients. `patient` is their Patient, None where it did not come.

    `by_team`: a care team of theirs has this professional now; `teams` are those teams. `talks` are the Appointments of
    the two. `called` is what others call them, for where their Patient did not come.
    """

    id: str
    patient: Resource | None = None
    teams: tuple[Resource, ...] = ()
    talks: tuple[Resource, ...] = ()
    called: str = ""

    @property
    def reference(self) -> str:
        """Return `Patient/<id>`."""
        return f"Patient/{self.id}"

    @property
    def by_team(self) -> bool:
        """Tell whether a care team of this client has the professional."""
        return bool(self.teams)


@dataclass(frozen=True, slots=True)
class Sent:
    """What a client sent in: the questionnaire's id, "" for one that we do not know, and when (a FHIR dateTime)."""

    instrument: str
    on: str


@dataclass(frozen=True, slots=True)
class Follows:
    """A programme that a client follows, and its moment of now or, where there is none, the next.

    `moment` is None where the programme is `paused`.
    """

    course: Course
    moment: Planned | None = None
    is_open: bool = False

    @property
    def paused(self) -> bool:
        """Tell whether the programme waits as a whole."""
        return self.course.status == "on-hold"


@dataclass(frozen=True, slots=True)
class Line:
    """What the list says of one client: of what they let its reader see, and of nothing else.

    `called` is what they are called beside their name, "" where the record says nothing of it.
    """

    id: str
    name: str
    birth_date: str
    sent: tuple[Sent, ...] = ()
    waiting: tuple[Assignment, ...] = ()
    talk: NextTalk | None = None
    follows: tuple[Follows, ...] = ()
    days: tuple[dt.date, ...] = ()
    """The days that are to come of which the line tells: of the talk, and until when something is asked."""
    called: str = ""

    @property
    def near(self) -> dt.date | None:
        """Return the first day of which the line tells; None where it tells of none."""
        return min(self.days, default=None)


def own_clients(
    *,
    teams: Iterable[Resource],
    patients: Iterable[Resource],
    talks: Iterable[Resource],
    names: Collection[str],
    named: Named,
    now: dt.datetime,
    moment_of: MomentOf,
) -> Mapping[str, Client]:
    """Return the clients of a professional by their id: by care team, as the practitioner of their Patient, by a talk.

    `names` are the references by which the record knows the professional. Only what holds `now` (a zoned moment) makes
    somebody a client: a team that is over, one that the professional left, or a talk that was called off does not.
    """
    mine, stamp = frozenset(names), now.isoformat()
    in_teams: dict[str, list[Resource]] = defaultdict(list)
    listed: dict[str, Resource] = {}
    in_talks: dict[str, list[Resource]] = defaultdict(list)
    called: dict[str, str] = {}
    for team in teams:
        subject = object_in(team, "subject")
        if (id_ := _patient_in(named(text_in(subject, "reference")))) and _has(team, mine, named, stamp):
            in_teams[id_].append(team)
            called.setdefault(id_, text_in(subject, "display"))
    for patient in patients:
        theirs = {named(text_in(one, "reference")) for one in objects_in(patient, "generalPractitioner")}
        if text_in(patient, "id") and theirs & mine:
            listed[patient["id"]] = patient
    for talk in talks:
        if (found := _talked_to(talk, mine, named)) is None:
            continue
        id_, display = found
        if next_talk([talk], patient=f"Patient/{id_}", now=now, moment_of=moment_of) is not None:
            in_talks[id_].append(talk)
            called.setdefault(id_, display)
    return {
        id_: Client(id_, listed.get(id_), tuple(in_teams[id_]), tuple(in_talks[id_]), called.get(id_, ""))
        for id_ in dict.fromkeys([*in_teams, *listed, *in_talks])
    }


def _talked_to(talk: Resource, mine: frozenset[str], named: Named) -> tuple[str, str] | None:
    """Return the id of the one client with whom a professional has an Appointment, and what they are called there.

    None where there is none, where the professional does not come, and for a group: as in a chart, that is no talk of
    one of them.
    """
    actors = [(named(text_in(object_in(one, "actor"), "reference")), one) for one in objects_in(talk, "participant")]
    clients = [(id_, one) for reference, one in actors if (id_ := _patient_in(reference))]
    coming = any(reference in mine and text_in(one, "status") != "declined" for reference, one in actors)
    if len(clients) != 1 or not coming:
        return None
    [(id_, there)] = clients
    return id_, text_in(object_in(there, "actor"), "display")


def is_gone(patient: Resource | None) -> bool:
    """Tell whether a Patient is one of whom nothing is asked any more: not in use, or of somebody who died."""
    if patient is None:
        return False
    return patient.get("active") is False or bool(patient.get("deceasedBoolean") or patient.get("deceasedDateTime"))


def line_of(
    client: Client,
    resources: Iterable[Resource],
    *,
    since: dt.date,
    now: dt.datetime,
    moment_of: MomentOf,
    known: Catalogue,
) -> Line:
    """Return the line about a client, made of what its reader sees of them.

    `resources` are their responses, Tasks and courses, each once. Of what was sent in before the day `since` it says
    nothing, but that a moment of a programme is done.
    """
    there = list(resources)
    responses = [one for one in there if one.get("resourceType") == "QuestionnaireResponse"]
    sent = [
        (moment, Sent(asked.id if asked else "", text_in(one, "authored")))
        for one in responses
        for asked in [asked_in(one, known)]
        if is_finished(one) and (asked is None or asked.kind == "questionnaire")
        for moment in [_day(moment_of(text_in(one, "authored")))]
        if moment is not None and moment >= since
    ]
    read = (course_of(one, programmes()) for one in there if is_course(one))
    courses = sorted((one for one in read if one is not None), key=lambda one: (one.start, one.identifier))
    asked = [assignment_of(as_decided(one, courses)) for one in there if is_assignment(one)]
    today = now.date()
    name = name_of(client.patient, today)
    waiting = sorted(
        (one for one in asked if one.is_open(today.isoformat())), key=lambda one: (one.due or "9999", one.asked_on)
    )
    talk = next_talk(client.talks, patient=client.reference, now=now, moment_of=moment_of)
    follows = tuple(_follows(courses, there, responses, today, moment_of, known=known))
    days = [
        *(_day(moment_of(one.due or "")) for one in waiting),
        *([talk.start.date()] if talk else []),
        *(one.moment.closes if one.is_open else one.moment.opens for one in follows if one.moment),
    ]
    return Line(
        id=client.id,
        name=name.full or client.called,
        birth_date=birth_date_of(client.patient) if client.patient else "",
        sent=tuple(one for _, one in sorted(sent, key=lambda pair: (pair[0], pair[1].on), reverse=True)),
        waiting=tuple(waiting),
        talk=talk,
        follows=follows,
        days=tuple(day for day in days if day is not None and day >= today),
        called=name.called,
    )


def _follows(
    courses: Iterable[Course],
    tasks: Sequence[Resource],
    responses: Sequence[Resource],
    today: dt.date,
    moment_of: MomentOf,
    *,
    known: Catalogue,
) -> Iterator[Follows]:
    """Yield the programmes that go on, in the order of their days; `tasks` may have other resources among them."""
    for course in courses:
        answered = answered_in(course, tasks, responses, lambda text: _day(moment_of(text)), known)
        moments = standing(course, answered, today)
        if is_over(course, moments, today):
            continue
        found = next((one for one in moments if one.state in _COMING), None)
        if course.status == "on-hold":
            yield Follows(course)
        elif found is not None:
            yield Follows(course, found.planned, found.state == "open")


def _has(team: Resource, names: frozenset[str], named: Named, now: str) -> bool:
    """Tell whether a care team is in use and has one of these as a member, both at this moment."""
    if text_in(team, "status") not in ("active", "") or not _holds(team, now):
        return False
    members = (one for one in objects_in(team, "participant") if _holds(one, now))
    return any(named(text_in(object_in(one, "member"), "reference")) in names for one in members)


def _holds(resource: Resource, now: str) -> bool:
    period = object_in(resource, "period")
    return is_on(text_in(period, "start"), text_in(period, "end"), now)


def _patient_in(reference: str) -> str:
    type_, _, id_ = reference.partition("/")
    return id_ if type_ == "Patient" and "/" not in id_ else ""


def _day(moment: dt.date | None) -> dt.date | None:
    return moment.date() if isinstance(moment, dt.datetime) else moment
