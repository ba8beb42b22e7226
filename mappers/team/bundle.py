"""All that the page of a team says, as one FHIR Bundle, for another program: figures, and what staff wrote.

What one client gave is in none of it: marks are there as the mean of a round that is over, as on the page.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from mappers.answers import is_finished
from mappers.team.audit import FORM as ROPI
from mappers.team.mirror import Mirror
from mappers.team.model import local
from mappers.team.panel import FORM as PANEL
from mappers.team.reports import audit_report, marks_report, scores_in
from mappers.team.told import action_in, told_back_in
from mappers.tolerant import object_in, text_in
from questionnaires.fhir import Resource
from questionnaires.model import instrument_id


def bundle_of(mirror: Mirror, resources: Iterable[Any], *, made: str) -> Resource:
    """Return a Bundle of type collection: MeasureReports of marks and the ROPI, and of `resources` what is shown.

    `resources` are those that the mirror was made of; `made` is the moment of making it, a FHIR dateTime.
    """
    reports = [
        *(marks_report(one, mirror.team, made=made) for one in mirror.marks),
        *(audit_report(one, mirror.team, made=made) for one in mirror.audits if "agreed" in one.there),
    ]
    shown = [one for one in resources if _is_shown(one, mirror)]
    entries = [one for one in (*reports, *shown) if one is not None]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": made,
        "entry": [{"fullUrl": _name(one), "resource": one} for one in entries],
    }


def _is_shown(resource: Any, mirror: Mirror) -> bool:
    team = mirror.team
    if text_in(resource, "resourceType") == "QuestionnaireResponse":
        about = local(object_in(resource, "subject")) == team.reference
        return about and is_finished(resource) and instrument_id(text_in(resource, "questionnaire")) in (ROPI, PANEL)
    return bool(told_back_in(resource, team) or action_in(resource, team) or scores_in([resource], team))


def _name(resource: Resource) -> str:
    named = resource["identifier"]
    first = named[0] if isinstance(named, list) else named
    name = "|".join((text_in(first, "system"), text_in(first, "value")))
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"
