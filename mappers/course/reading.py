"""A CarePlan → the course that it is. Moments that cannot be read are left out: no day is guessed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from mappers.course.model import Asked, Course, CourseEvent, EventKind, Planned, Status
from mappers.course.shapes import EVENT_URL, GROUP_SYSTEM, IDENTIFIER_SYSTEM, MOMENT_URL, PLAN_SYSTEM, PROGRAMME
from mappers.identity import values_in
from mappers.tolerant import code_in, object_in, objects_in, text_in, texts_in
from questionnaires.fhir import TRANSLATION, Resource
from questionnaires.model import Text
from questionnaires.programmes import Moment, MomentKind, Programme

_EVENTS: Final = frozenset(get_args(EventKind))
_KINDS: Final = frozenset(get_args(MomentKind))
_STATUSES: Final = frozenset(get_args(Status))
_PLAN_DEFINITION: Final = re.compile(r".*/PlanDefinition/(?P<id>[^/|]+)(\|(?P<version>.*))?")
_NAMELESS: Final = Text("Programma", "Programme")


def is_course(resource: Any) -> bool:
    """Tell whether a resource is a course of ours: by its category, or by whose identifier it has."""
    if text_in(resource, "resourceType") != "CarePlan":
        return False
    categories = (code_in({"category": one}, "category", PLAN_SYSTEM) for one in objects_in(resource, "category"))
    return PROGRAMME in categories or bool(values_in(resource, IDENTIFIER_SYSTEM))


def course_of(care_plan: Resource, known: Mapping[str, Programme] | None = None) -> Course | None:
    """Read a course; None where the CarePlan is none, or says no day on which it starts.

    `known` are the programmes: where one still has the very words of the record, those come with all their forms.
    """
    period = object_in(care_plan, "period")
    start = _day(text_in(period, "start"))
    if start is None or not is_course(care_plan):
        return None
    named = (_PLAN_DEFINITION.fullmatch(one) for one in texts_in(care_plan, "instantiatesCanonical"))
    found = next((one for one in named if one), None)
    programme = (known or {}).get(found["id"]) if found else None
    status = text_in(care_plan, "status")
    planned = (_planned(one, programme) for one in objects_in(care_plan, "activity"))
    return Course(
        identifier=next(iter(values_in(care_plan, IDENTIFIER_SYSTEM)), ""),
        programme=found["id"] if found else "",
        version=(found["version"] or "") if found else "",
        title=_text(care_plan, "title", programme.title if programme else None) or _NAMELESS,
        start=start,
        end=_day(text_in(period, "end")),
        planned=tuple(sorted((one for one in planned if one), key=lambda one: (one.opens, one.closes))),
        # What another system says of it holds: one that it calls anything else does not go on.
        status=status if status in _STATUSES else "revoked",  # type: ignore[arg-type]
        events=tuple(_events(care_plan)),
        group=next(
            (
                text_in(one, "display")
                for one in objects_in(care_plan, "supportingInfo")
                if object_in(one, "identifier").get("system") == GROUP_SYSTEM
            ),
            "",
        ),
    )


def _planned(activity: Resource, programme: Programme | None) -> Planned | None:
    parts = next((_parts(one) for one in objects_in(activity, "extension") if one.get("url") == MOMENT_URL), {})
    detail = object_in(activity, "detail")
    period = object_in(detail, "scheduledPeriod")
    opens, closes = _day(text_in(period, "start")), _day(text_in(period, "end"))
    id_, kind = text_in(parts, "id"), text_in(parts, "kind")
    if opens is None or closes is None or not id_ or kind not in _KINDS:
        return None
    moment: Moment | None = programme.moment(text_in(parts, "moment")) if programme else None
    reasons = objects_in(detail, "reasonCode")
    minutes = parts.get("minutes")
    return Planned(
        id=id_,
        moment=text_in(parts, "moment"),
        kind=kind,  # type: ignore[arg-type]
        title=_text(object_in(detail, "code"), "text", moment.title if moment else None) or _NAMELESS,
        purpose=_text(reasons[0] if reasons else {}, "text", moment.purpose if moment else None) or _NAMELESS,
        outcome=_text(detail, "description", moment.outcome if moment else None),
        tell=_day(text_in(parts, "tell")) or opens,
        opens=opens,
        closes=max(opens, closes),
        about=_day(text_in(parts, "about")),
        minutes=minutes if isinstance(minutes, int) and not isinstance(minutes, bool) else None,
        questionnaires=tuple(Asked(one) for one in texts_in(detail, "instantiatesCanonical")),
        declined=text_in(detail, "status") == "cancelled",
    )


def _events(care_plan: Resource) -> Iterator[CourseEvent]:
    for one in objects_in(care_plan, "extension"):
        if one.get("url") != EVENT_URL:
            continue
        parts = _parts(one)
        kind, day = text_in(parts, "kind"), _day(text_in(parts, "day"))
        if kind in _EVENTS and day is not None:
            yield CourseEvent(
                kind,  # type: ignore[arg-type]
                day,
                object_in(parts, "by"),
                text_in(parts, "moment"),
                _day(text_in(parts, "opens")),
                _day(text_in(parts, "closes")),
            )


def _parts(extension: Resource) -> Resource:
    """Return the parts of a complex extension by their url."""
    found: Resource = {}
    for one in objects_in(extension, "extension"):
        value = next((value for name, value in one.items() if name.startswith("value")), None)
        found[text_in(one, "url")] = value
    return found


def _text(element: Resource, name: str, known: Text | None) -> Text | None:
    """Return a text with its translation; as the programme has it, where that says the same in Dutch."""
    nl = text_in(element, name).strip()
    if not nl:
        return None
    if known is not None and known.nl == nl:
        return known
    for one in objects_in(object_in(element, f"_{name}"), "extension"):
        parts = _parts(one)
        if one.get("url") == TRANSLATION and text_in(parts, "lang") == "en" and text_in(parts, "content").strip():
            return Text(nl, text_in(parts, "content").strip())
    return Text(nl, nl)


def _day(text: str) -> dt.date | None:
    """Return a FHIR date, or the day of a dateTime; None where it is less than a day."""
    try:
        return dt.date.fromisoformat(text[:10]) if len(text) >= 10 else None
    except ValueError:
        return None
