"""A programme applied to a client as one FHIR transaction, for systems that keep the result themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from mappers.course import applied, care_plan_of, tasks_of
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.programmes import Programme


def transaction_of(
    programme: Programme,
    start: dt.date,
    *,
    patient: Mapping[str, str],
    by: Mapping[str, str],
    now: dt.datetime,
    known: Catalogue,
) -> Resource:
    """Return what `$apply` gives for a client who begins on `start`: the CarePlan, and a Task per questionnaire.

    `patient` and `by` (who begins it) are References with a display, `now` is the moment, with a zone. Each entry is a
    create that happens once (`ifNoneExist`): the same client, programme and start give the same identifiers.
    """
    instant = now.isoformat(timespec="seconds")
    course = applied(programme, start, known=known, patient=patient["reference"], today=now.date(), by=by)
    plan = care_plan_of(course, patient=patient, author=by, created=instant, today=now.date())
    name = {"reference": _urn(plan), "display": course.title.nl}
    tasks = tasks_of(course, care_plan=name, patient=patient, requester=by, asked_on=instant, known=known)
    return {"resourceType": "Bundle", "type": "transaction", "entry": [_entry(one) for one in (plan, *tasks)]}


def _urn(resource: Resource) -> str:
    return f"urn:uuid:{resource['identifier'][0]['value']}"


def _entry(resource: Resource) -> Resource:
    name = resource["identifier"][0]
    request = {
        "method": "POST",
        "url": resource["resourceType"],
        "ifNoneExist": f"identifier={name['system']}|{name['value']}",
    }
    return {"fullUrl": _urn(resource), "resource": resource, "request": request}
