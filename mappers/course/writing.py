"""A course → its CarePlan, in the shape of the profile ProgrammeCourse.

All that was decided stands in it as events, so that no version of before is needed to tell what happened. What others
put into it stays.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, Final

from mappers.course.model import Course, CourseEvent, Planned
from mappers.course.shapes import (
    DECLINED,
    EVENT_URL,
    GROUP_SYSTEM,
    IDENTIFIER_SYSTEM,
    MOMENT_URL,
    PAUSED,
    PLAN_SYSTEM,
    PROFILE,
    PROGRAMME,
    REASONS,
    STOPPED,
)
from mappers.course.standing import why_not
from mappers.fhir_text import narrative, paragraph
from mappers.tolerant import object_in, objects_in
from questionnaires import canonical
from questionnaires.fhir import Resource, concept, translated

_STATUS: Final = {DECLINED: "cancelled", STOPPED: "stopped", PAUSED: "on-hold"}
"""FHIR's status of an activity, by the code of its reason."""
_LANGUAGE: Final = "nl"  # what is published and kept is Dutch, with English by the translation extension


def care_plan_of(
    course: Course,
    *,
    patient: Mapping[str, str],
    author: Mapping[str, str],
    created: str,
    today: dt.date,
    existing: Resource | None = None,
) -> Resource:
    """Return the CarePlan of a course as it is `today`, on top of what is stored.

    `patient` and `author` (who began it) are References with a display, `created` is a FHIR dateTime; of an existing
    one all three stay.
    """
    made: dict[str, Any] = dict(existing or {})
    made |= {
        "resourceType": "CarePlan",
        "meta": {**object_in(made, "meta"), "profile": [PROFILE]},
        "language": _LANGUAGE,
        "text": narrative([paragraph(_sentence(course))], _LANGUAGE, "generated"),
        "extension": [*_others(made, EVENT_URL), *map(_event, course.events)],
        "identifier": objects_in(made, "identifier") or [{"system": IDENTIFIER_SYSTEM, "value": course.identifier}],
        "instantiatesCanonical": [f"{canonical.BASE}/PlanDefinition/{course.programme}|{course.version}"],
        "status": course.status,
        "intent": "plan",
        "category": objects_in(made, "category") or [concept(PLAN_SYSTEM, PROGRAMME, "Programma")],
        **translated("title", course.title),
        "subject": made.get("subject") or dict(patient),
        "period": {"start": course.start.isoformat()} | ({"end": course.end.isoformat()} if course.end else {}),
        "created": made.get("created") or created,
        "author": made.get("author") or dict(author),
        "activity": [
            *(_activity(course, one, today) for one in course.planned),
            *(one for one in objects_in(made, "activity") if not _is_ours(one)),
        ],
    }
    if course.group:
        made["supportingInfo"] = [*_not_groups(made), _group(course.group)]
    return made


def _sentence(course: Course) -> str:
    days = f"vanaf {course.start.isoformat()}" + (f", hoogstens tot {course.end.isoformat()}" if course.end else "")
    return f"{course.title.nl}, {days}."


def _others(resource: Resource, *ours: str) -> list[Resource]:
    return [one for one in objects_in(resource, "extension") if one.get("url") not in ours]


def _is_ours(activity: Resource) -> bool:
    return any(one.get("url") == MOMENT_URL for one in objects_in(activity, "extension"))


def _not_groups(resource: Resource) -> list[Resource]:
    return [
        one
        for one in objects_in(resource, "supportingInfo")
        if object_in(one, "identifier").get("system") != GROUP_SYSTEM
    ]


def _group(name: str) -> Resource:
    value = str(uuid.uuid5(uuid.NAMESPACE_URL, f"course-group {name}"))
    return {"type": "Group", "identifier": {"system": GROUP_SYSTEM, "value": value}, "display": name}


def _event(event: CourseEvent) -> Resource:
    parts: list[Resource] = [
        {"url": "kind", "valueCode": event.kind},
        {"url": "day", "valueDate": event.day.isoformat()},
    ]
    if event.by:
        parts.append({"url": "by", "valueReference": dict(event.by)})
    if event.moment:
        parts.append({"url": "moment", "valueString": event.moment})
    parts += [_date(name, day) for name, day in (("opens", event.opens), ("closes", event.closes)) if day]
    return {"url": EVENT_URL, "extension": parts}


def _date(url: str, day: dt.date) -> Resource:
    return {"url": url, "valueDate": day.isoformat()}


def _activity(course: Course, one: Planned, today: dt.date) -> Resource:
    what: list[Resource] = [
        {"url": "id", "valueString": one.id},
        {"url": "moment", "valueString": one.moment},
        {"url": "kind", "valueCode": one.kind},
        _date("tell", one.tell),
    ]
    what += [_date("about", one.about)] if one.about else []
    what += [{"url": "minutes", "valuePositiveInt": one.minutes}] if one.minutes else []
    # Whether answers came is not the CarePlan's to say: they stand in the record by themselves.
    reason = why_not(course, one)
    status = _STATUS[reason] if reason else "unknown" if one.closes < today else "not-started"
    detail: Resource = {
        "kind": "Task" if one.questionnaires else "Appointment",
        "code": translated("text", one.title),
        "reasonCode": [translated("text", one.purpose)],
        "status": status,
        "scheduledPeriod": {"start": one.opens.isoformat(), "end": one.closes.isoformat()},
    }
    if one.questionnaires:
        detail["instantiatesCanonical"] = [asked.canonical for asked in one.questionnaires]
    if reason:
        detail["statusReason"] = concept(PLAN_SYSTEM, reason, REASONS[reason])
    if one.outcome:
        detail |= translated("description", one.outcome)
    return {"extension": [{"url": MOMENT_URL, "extension": what}], "detail": detail}
