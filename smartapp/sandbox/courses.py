"""The programmes that made-up people follow: begun, decided about and answered, each at its own moment in the past."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from mappers import course as courses
from mappers.assignment import answered, asks_for
from mappers.course import Course, NotPossible
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument
from smartapp.fhir.store import RecordStore, Write
from smartapp.sandbox.person_files import CourseEntry, DecisionEntry, SeedError, our_programmes

_ABOUT_ALL: Final[Mapping[str, Callable[[Course, date, Mapping[str, str]], Course]]] = {
    "paused": courses.paused,
    "resumed": courses.resumed,
    "stopped": courses.stopped,
}


@dataclass(frozen=True, slots=True)
class Sent:
    """Answers that were sent in, kept where the course is kept."""

    instrument: Instrument
    days_ago: float
    reference: str


@dataclass(frozen=True, slots=True)
class CourseSeeder:
    """Writes the courses of one person.

    `store` says where a unit is kept, at a moment in the past; `moment` turns days ago into a moment, `professional` an
    id into a Reference; `where` is the person's file.
    """

    store: Callable[[datetime, Sequence[Write]], RecordStore]
    moment: Callable[[float], datetime]
    professional: Callable[[str], Resource]
    patient: Resource
    where: str

    def add(self, entry: CourseEntry, sent: Sequence[Sent]) -> None:
        """Add a course with what was decided and answered since; begun again half way, it goes on from there."""
        course, begun = self._begun(entry)
        writes = [_once(one) for one in begun]
        kept = {one.reference: one.resource for one in self._at(entry.days_ago, writes).write_all(writes)}
        later: list[DecisionEntry | Sent] = [*entry.decision, *(one for one in sent if one.days_ago <= entry.days_ago)]
        for one in sorted(later, key=lambda one: one.days_ago, reverse=True):
            if isinstance(one, Sent):
                changed = list(self._closed(one, kept.values()))
            else:
                course = self._decided(course, one)
                changed = self._following(course, kept.values(), one.days_ago)
            again = [Write("update", new) for new in changed]
            for stored in self._at(one.days_ago, writes).write_all(again):
                kept[stored.reference] = stored.resource

    def _at(self, days_ago: float, writes: Sequence[Write]) -> RecordStore:
        return self.store(self.moment(days_ago), writes)

    def _day(self, days_ago: float) -> date:
        return self.moment(days_ago).date()

    def _begun(self, entry: CourseEntry) -> tuple[Course, list[Resource]]:
        """Return a course on its first day, with its CarePlan and its Tasks."""
        day, by = self._day(entry.days_ago), self.professional(entry.by)
        instant = self.moment(entry.days_ago).astimezone(UTC).isoformat(timespec="seconds")
        programme, patient = our_programmes()[entry.programme], self.patient["reference"]
        course = courses.applied(programme, day, known=catalogue(), patient=patient, today=day, by=by)
        care_plan = courses.care_plan_of(course, patient=self.patient, author=by, created=instant, today=day)
        tasks = courses.tasks_of(
            course,
            care_plan={"reference": f"urn:uuid:{course.identifier}", "display": course.title.nl},
            patient=self.patient,
            requester=by,
            asked_on=instant,
            known=catalogue(),
        )
        return course, [care_plan, *tasks]

    def _decided(self, course: Course, entry: DecisionEntry) -> Course:
        day, by = self._day(entry.days_ago), self.professional(entry.by) if entry.by else self.patient
        try:
            if entry.kind == "declined":
                return courses.declined(course, entry.moment, day, by)
            return _ABOUT_ALL[entry.kind](course, day, by)
        except NotPossible as error:
            what = f"{course.programme}, {entry.kind} {entry.days_ago} days ago"
            raise SeedError(f"{self.where}: {what}: this is not possible ({error.code})") from error

    def _following(self, course: Course, kept: Iterable[Resource], days_ago: float) -> list[Resource]:
        """Return what has to change for a decision; nothing where that was done before."""
        care_plan = next(one for one in kept if courses.is_course(one))
        stored = courses.course_of(care_plan)
        if stored is None or len(stored.events) >= len(course.events):
            return []
        changed = courses.care_plan_of(
            course,
            patient=self.patient,
            author=care_plan["author"],
            created=care_plan["created"],
            today=self._day(days_ago),
            existing=care_plan,
        )
        return [changed, *courses.task_changes(course, kept)]

    def _closed(self, sent: Sent, kept: Iterable[Resource]) -> Iterator[Resource]:
        """Yield the Tasks that answers close, as the app closes them when answers are sent in."""
        for task in kept:
            if asks_for(task, sent.instrument.id, self._day(sent.days_ago).isoformat()):
                yield answered(task, sent.reference, sent.instrument.title.nl)


def _once(resource: Resource) -> Write:
    [name] = resource["identifier"]
    token = f"{name['system']}|{name['value']}"
    return Write.once(resource, identifier=token, full_url=f"urn:uuid:{name['value']}")
