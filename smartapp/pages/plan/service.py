"""The plan of this launch: loading it, and saving a change of it so that nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mappers.errors import PlanError, TooManyDomains
from mappers.identity import own_identifier
from mappers.living.in_plan import with_forms
from mappers.plan import PersonRef, Plan
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Conflict, Query, Write
from smartapp.i18n import message
from smartapp.pages.plan import document, stored
from smartapp.pages.plan.stored import StoredPlan
from smartapp.pages.plan.views import WhereStored
from smartapp.records import Place, Record
from smartapp.records.outbox import Unsent
from smartapp.web import current, forms, living, with_client
from smartapp.web.forms import Saved, Trouble
from smartapp.web.language import gettext as _
from smartapp.web.language import language
from smartapp.web.typed import Accepted, Clash, Wrong

ON_ITS_WAY: Final = message(
    "What you saved before is still on its way to the record. Your text is still here. Please save again in a moment."
)
MORE_THAN_FIVE: Final = message(
    "Your plan has more than five areas. Choose five of them first. Your text is kept until you come back."
)
NOT_WRITABLE: Final = message(
    "Your plan holds something that we cannot save again. Your text is still here. Please tell your care team."
)


def load() -> StoredPlan:
    """Return the plan of the person this launch is about, with what they wrote in living forms.

    And with the documents of it, where the chart gets those instead.
    """
    person, records = current.launch().patient_id, current.records()
    looked = document.wanted(records.place_for("CarePlan"))
    documents = (document.query(person),) if looked else ()
    found = records.search(*stored.queries(person), *living_queries(), *documents)
    plan = plan_in(found[:3], found[3 : 3 + len(living_queries())])
    return replace(plan, documents=tuple(found[-1]) if looked else None)


def living_queries() -> tuple[Query, ...]:
    """Return the searches for what this person wrote in living forms, for a page that searches more; at most one."""
    return living.queries(current.launch(), catalogue())


def plan_in(found: list[list[Record]], responses: Sequence[list[Record]]) -> StoredPlan:
    """Return the plan in what `stored.queries` and `living_queries` found; what this user saved is in it."""
    now, outbox = current.now().isoformat(), current.records().waiting()
    return _with_forms(_plan(found, now=now, outbox=outbox), responses)


def plan_read(found: list[list[Record]], responses: Sequence[list[Record]]) -> StoredPlan:
    """Return the plan in what those searches found, for a page that only reads it: as it is in the record."""
    return _with_forms(_plan(found, now="", outbox=()), responses)


def _plan(found: list[list[Record]], *, now: str, outbox: Sequence[Unsent]) -> StoredPlan:
    here = current.launch()
    return stored.read_plan(
        found, known=catalogue(), issuer=here.issuer, patient=here.patient.reference, now=now, outbox=outbox
    )


def _with_forms(plan: StoredPlan, responses: Sequence[list[Record]]) -> StoredPlan:
    here, known = current.launch(), catalogue()
    read = [one for records in responses for one in records]
    named = living.with_former_names(read, _search, care_plan=plan.care_plan, known=known, launch=here)
    found = living.with_new_names(named, _search, known=known, launch=here)
    forms = living.read_forms(found, plan.care_plan, known=known, launch=here)
    contents = {form: one.content for form, one in forms.items() if one.record is not None}
    arrived = [form for form in contents if not forms[form].on_its_way]
    return replace(plan, plan=with_forms(plan.plan, known.plan_parts, contents, arrived), forms=forms)


def _search(query: Query) -> list[Record]:
    return current.records().search(query)[0]


def where_stored(plan: StoredPlan) -> WhereStored:
    """Return where the plan lives, or will live, and whether all of it has arrived there."""
    place: Place = plan.place or current.records().place_for("CarePlan")
    in_chart = document.in_chart(plan.plan, plan.documents) if place != "ehr" and plan.documents else None
    return WhereStored(place, plan.on_its_way, in_chart)


TROUBLES: Final[forms.Troubles] = {
    **forms.TROUBLES,
    TooManyDomains: (MORE_THAN_FIVE, 409),
    PlanError: (NOT_WRITABLE, 422),
}
"""What to say when a plan is not saved though nothing is wrong with what was typed."""


def change(
    edit: Callable[[StoredPlan], Accepted[Plan] | Wrong | Clash],
    first: StoredPlan,
    was: Mapping[str, Mapping[str, Any]] | None = None,
) -> Saved | Wrong | Clash | Trouble:
    """Apply an edit to the plan as it is stored now (`first`), and save it as one unit; see `forms.merged`.

    `was`: see `stored.writes`. Raises Unauthorized: sign in again.
    """
    return forms.merged(
        edit, first, again=load, write=lambda before, after: _save(before, after, was), troubles=TROUBLES
    )


def _with_orphans(unit: list[Write]) -> list[Write]:
    """Return a unit in which what arrived before, and is in no plan, is changed instead of made once more.

    A goal may have arrived whose plan was refused then: its author got the words back, and may have changed them.
    Raises Conflict where it is in the plan by now, as from another tab: then the two are looked at together.
    """
    found: dict[int, Record] = {}
    for number, write in enumerate(unit):
        ours = own_identifier(write.resource)
        if write.method == "create" and write.resource["resourceType"] != "CarePlan" and ours is not None:
            there = current.records().arrived(write.resource["resourceType"], ours)
            if there is not None and there.state == "stored" and not stored.arrived([write], [there]):
                found[number] = there
    if not found:
        return unit
    now = load()
    if any(one.reference == other.reference for one in found.values() for other in now.records):
        raise Conflict("What this form makes was made a moment before, with other words.", None)
    return [
        replace(
            write,
            method="update",
            resource={**write.resource, "id": found[number].resource["id"]},
            if_match=found[number].etag,
            if_none_exist=None,
        )
        if number in found
        else write
        for number, write in enumerate(unit)
    ]


def _save(before: StoredPlan, after: Plan, was: Mapping[str, Mapping[str, Any]] | None = None) -> Saved | Trouble:
    """Write a changed plan as one unit. Raises Conflict if someone else wrote in between."""
    client, who = current.launch().patient, with_client.author()
    person = PersonRef(client.reference, client.display)
    unit = stored.writes(before, after, known=catalogue(), patient=person, author=who, language=language(), was=was)
    if not unit:
        return Saved(arrived=not before.on_its_way)
    if before.on_its_way:
        return Trouble(_(ON_ITS_WAY), 409)
    unit = _with_orphans(unit)
    records = current.records().save(unit)
    if not stored.arrived(unit, records):
        raise Conflict("What this form makes was made a moment before, with other words.", None)
    document.keep_in_chart(before, after, records[-1].place, language())
    return Saved(arrived=all(one.state == "stored" for one in records))
