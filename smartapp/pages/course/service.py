"""A course in the record: begun once, changed as somebody decides, and taken back. Nothing is written over unseen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from mappers.course import Course, Standing, applied, care_plan_of, task_changes, tasks_of
from mappers.course.shapes import IDENTIFIER_SYSTEM
from mappers.human_name import reference_to
from mappers.identity import URN
from questionnaires.canonical import identifier_system
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from questionnaires.programmes import Programme
from smartapp.fhir.store import Conflict, Forbidden, NotFound, Query, Refused, Unreachable, Write
from smartapp.pages.course.found import Followed, courses_in, digest_of, foreseen, query
from smartapp.pages.scores import asking
from smartapp.records import Records
from smartapp.web import current
from smartapp.web.forms import ATTEMPTS
from smartapp.web.language import language, place_zone, wording

_OF_TASKS: Final = identifier_system("assignment")


class GoesOn(Exception):
    """The client follows this programme already."""


class BegunBefore(Exception):
    """The client began with this programme on this day before, and it is over."""


class ChangedMeanwhile(Exception):
    """Something else was decided about the course than what this person saw."""


@dataclass(frozen=True, slots=True)
class Done:
    """It is saved; `arrived` False: here, and on its way to the record.

    `course` is as it is now, `before` as it was; None where nothing had to be done any more.
    """

    course: Course
    arrived: bool
    before: Course | None = None


def load(records: Records) -> tuple[Followed, ...]:
    """Return the courses of the person whom some records are about, in one round trip. Raises what `search` does."""
    patient = records.launch.patient.reference
    care_plans, tasks, responses = records.search(
        query(patient), Query.of("Task", patient=patient), asking.responses_of(patient)
    )
    return courses_in(care_plans, tasks, [one.resource for one in responses if one.state != "refused"])


# --- beginning ------------------------------------------------------------------------------------------------------


def planned(patient: str, programme: Programme, start: dt.date, group: str) -> Course:
    """Return the course that would begin for a client (`Patient/1`), decided by who has the page."""
    return applied(
        programme,
        start,
        known=catalogue(),
        patient=patient,
        today=current.now().date(),
        by=_user(),
        group=group,
    )


def foreseen_now(records: Records, course: Course) -> tuple[Standing, ...]:
    """Return where each moment of such a course would be today. Raises what `Records.search` does."""
    [responses] = records.search(asking.responses_of(records.launch.patient.reference))
    sent = (one.resource for one in responses if one.state != "refused")
    return foreseen(course, sent, current.now().date())


def begin(records: Records, course: Course) -> Done:
    """Write a course that begins, once however often it is sent.

    Raises GoesOn, BegunBefore, and what `Records.search` and `Records.save` do.
    """
    [care_plans] = records.search(query(records.launch.patient.reference))
    found, today = courses_in(care_plans), current.now().date()
    same = next((one for one in found if one.course.identifier == course.identifier), None)
    if same is not None and not same.is_over(today):
        return Done(same.course, arrived=not same.on_its_way)
    if any(one.course.programme == course.programme and not one.is_over(today) for one in found):
        raise GoesOn
    if same is not None:
        raise BegunBefore
    saved = records.save(_new(records, course, today))
    _remind(records, course, today)
    return Done(course, arrived=all(one.state == "stored" for one in saved))


def _new(records: Records, course: Course, today: dt.date) -> list[Write]:
    patient, now = _patient(records), current.now().isoformat()
    name = f"{URN}{course.identifier}"
    care_plan = care_plan_of(course, patient=patient, author=_user(), created=now, today=today)
    tasks = tasks_of(
        course,
        care_plan={"reference": name, "type": "CarePlan", "display": course.title.get(language())},
        patient=patient,
        requester=_user(),
        asked_on=now,
        known=catalogue(),
        language=wording(),  # the client reads what it is for as a message, and so as this place speaks to them
    )
    return [
        Write.once(care_plan, identifier=f"{IDENTIFIER_SYSTEM}|{course.identifier}", full_url=name),
        *(_new_task({**one, "language": language()}) for one in tasks),
    ]


def _new_task(task: Resource) -> Write:
    name = task["identifier"][0]["value"]
    return Write.once(task, identifier=f"{_OF_TASKS}|{name}", full_url=f"{URN}{name}")


def _patient(records: Records) -> dict[str, str]:
    """Return the reference to whom some records are about."""
    person = records.launch.patient
    return reference_to(person.reference, person.display, language())


def _user() -> dict[str, str]:
    """Return the reference to who decides: the one who has this page."""
    user = current.launch().user
    return reference_to(user.reference, user.display, language())


# --- deciding -------------------------------------------------------------------------------------------------------

By = Mapping[str, str]
Decide = Callable[[Course, dt.date, By], Course]
"""What is decided about a course: the course as it was, the day, by whom; raises NotPossible."""


def change(identifier: str, seen: str, decide: Decide, *, is_so: Callable[[Course], bool]) -> Done:
    """Write what somebody decided who saw a course as `seen` (its digest); where it `is_so` already, it is done.

    Raises NotPossible, ChangedMeanwhile, NotFound where there is no such course, and what `Records.save` does.
    """
    records, today = current.records(), current.now().date()
    for _attempt in range(ATTEMPTS):
        found = next((one for one in load(records) if one.course.identifier == identifier), None)
        if found is None or not identifier:
            raise NotFound("There is no such course.")
        if is_so(found.course):
            return Done(found.course, arrived=not found.on_its_way)
        if digest_of(found.course) != seen:
            raise ChangedMeanwhile
        if found.on_its_way:
            raise Unreachable("This has not arrived yet, so it cannot be changed. Try again in a moment.")
        made = decide(found.course, today, _user())
        try:
            saved = records.save(_changed(records, found, made, today))
        except Conflict:  # by what else stands in those resources: what was decided is looked at again
            continue
        except (Forbidden, Refused):
            # A Task that the record does not let follow: what was decided stands in the course, and counts.
            if not _is_decided(records, made):
                raise
            saved = []
        _remind(records, made, today)
        return Done(made, all(one.state == "stored" for one in saved), before=found.course)
    raise ChangedMeanwhile


def _is_decided(records: Records, course: Course) -> bool:
    """Tell whether the record says what a course has to be, whatever became of its Tasks."""
    return any(digest_of(one.course) == digest_of(course) for one in load(records))


def _changed(records: Records, found: Followed, course: Course, today: dt.date) -> list[Write]:
    """Return what has to be written to make the record say what a course is now."""
    care_plan = care_plan_of(
        course,
        patient=_patient(records),
        author=_user(),
        created=current.now().isoformat(),
        today=today,
        existing=found.record.resource,
    )
    etags = {one.reference: one.etag for one in found.tasks}
    tasks = task_changes(course, (one.resource for one in found.tasks))
    return [
        Write("update", care_plan, if_match=found.record.etag),
        *(Write("update", one, if_match=etags[f"Task/{one['id']}"]) for one in tasks),
    ]


def _remind(records: Records, course: Course, today: dt.date) -> None:
    """Let the client, where they chose so, be told from the first day of what is asked; of what is not, no more."""
    reminders, launch = current.services().reminders, records.launch
    for one in course.planned:
        if one.closes < today:
            continue
        key, days = f"course|{course.identifier}|{one.id}", (one.opens, one.closes + dt.timedelta(days=1))
        first, over = (dt.datetime.combine(day, dt.time(), place_zone()).timestamp() for day in days)
        for asked in one.questionnaires:
            what = (launch.issuer_key, launch.patient.reference, key)
            if course.status == "active" and not one.declined:
                reminders.ready(*what, first, until=over, instrument=asked.instrument)
            else:
                reminders.no_longer(*what, instrument=asked.instrument)


# --- taking back ----------------------------------------------------------------------------------------------------


def former(course: Course) -> dict[str, Any]:
    """Return what a decision may change of a course, as JSON, to take it back."""
    return {
        "status": course.status,
        "end": course.end.isoformat() if course.end else "",
        "events": len(course.events),
        "days": {
            one.id: [
                *(day.isoformat() if day else "" for day in (one.tell, one.opens, one.closes, one.about)),
                one.declined,
            ]
            for one in course.planned
        },
    }


def as_before(course: Course, was: Mapping[str, Any]) -> Course:
    """Return a course as it was before the last decision; `was` is what `former` gave."""

    def back(one: Any) -> Any:
        tell, opens, closes, about, declined = was["days"][one.id]
        return replace(
            one,
            tell=dt.date.fromisoformat(tell),
            opens=dt.date.fromisoformat(opens),
            closes=dt.date.fromisoformat(closes),
            about=dt.date.fromisoformat(about) if about else None,
            declined=declined,
        )

    planned = sorted((back(one) for one in course.planned), key=lambda one: (one.opens, one.closes))
    return replace(
        course,
        status=was["status"],
        end=dt.date.fromisoformat(was["end"]) if was["end"] else None,
        events=course.events[: was["events"]],
        planned=tuple(planned),
    )
