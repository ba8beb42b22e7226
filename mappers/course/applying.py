"""A programme and a day → a course: what FHIR's `$apply` does, as a pure function."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping

from mappers.course.model import Asked, Course, CourseEvent, Planned
from questionnaires.catalogue import Catalogue
from questionnaires.programmes import Moment, Programme, after


def applied(
    programme: Programme,
    start: dt.date,
    *,
    known: Catalogue,
    patient: str,
    today: dt.date,
    by: Mapping[str, str],
    group: str = "",
) -> Course:
    """Return the course of a client (`Patient/1`) who begins on `start`; decided `today` by who is `by`.

    Started twice on one day from the same start it is the same course. Moments come in the order of their first day.
    """
    end = after(start, programme.longest) if programme.longest else None
    planned = [one for moment in programme.moments for one in _each(moment, start, end, known)]
    return Course(
        identifier=course_identifier(patient, programme.id, start),
        programme=programme.id,
        version=programme.version,
        title=programme.title,
        start=start,
        end=end,
        planned=tuple(sorted(planned, key=lambda one: (one.opens, one.closes))),
        events=(CourseEvent("started", today, by),),
        group=group,
    )


def course_identifier(patient: str, programme: str, start: dt.date) -> str:
    """Return the identifier of a course, the same for the same client, programme and start."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{patient} {programme} {start.isoformat()}"))


def _each(moment: Moment, start: dt.date, end: dt.date | None, known: Catalogue) -> Iterator[Planned]:
    """Yield a moment once, or every time that it comes before the end."""
    if moment.every is None:
        yield _planned(moment, moment.id, start, start, known)
        return
    if end is None:
        raise ValueError(f"{moment.id} comes again and again, and its programme has no end")
    number = 0
    # What the source names is the point in time; where it names none, the first day.
    while after(shifted := after(start, moment.every, number), moment.about or moment.opens) <= end:
        number += 1
        yield _planned(moment, f"{moment.id}-{number}", shifted, start, known)


def _planned(moment: Moment, id_: str, from_: dt.date, start: dt.date, known: Catalogue) -> Planned:
    opens = after(from_, moment.opens)
    return Planned(
        id=id_,
        moment=moment.id,
        kind=moment.kind,
        title=moment.title,
        purpose=moment.purpose,
        outcome=moment.outcome,
        tell=max(start, after(opens, moment.tell, -1)),  # nobody reads of it before it was begun
        opens=opens,
        closes=max(opens, after(from_, moment.closes)),
        about=after(from_, moment.about) if moment.about else None,
        minutes=moment.minutes,
        questionnaires=tuple(Asked(known.asked[one].canonical) for one in moment.questionnaires),
    )
