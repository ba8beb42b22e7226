"""What a PGO asks of this EHR, over HTTP: the queries of MedMij at `/medmij/50` and `/medmij/51`, in FHIR STU3.

Here an integrator sees what a DVA would serve, and the tests ask literally what a PGO asks. It is a part of the sandbox
alone: in MedMij a DVA has its own sign-in, and the app has no such address. The token is one of this sandbox: that of
the person themselves, for nobody else has a PGO of theirs. What is not stored here, such as what they keep to
themselves and papers that are made when they are asked for, is not in the answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from urllib.parse import unquote

from flask import Blueprint, Response, request

from mappers.birth import birth_date_of
from mappers.course import is_course
from mappers.errors import NotAsked
from mappers.human_name import human_name
from mappers.identity import values_in
from mappers.medmij import CARE, DOCUMENTS, OwnRecord, Paper, answer, binary, paper_in
from mappers.plan import PLAN_SYSTEM, PersonRef, plan_of
from mappers.plan.document import TYPE
from mappers.tolerant import object_in, text_in
from questionnaires.canonical import identifier_system
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.fhir.store import Forbidden, NotFound, RecordError, Refused, Unauthorized
from smartapp.sandbox import answers
from smartapp.sandbox.permissions import caller
from smartapp.sandbox.reading import LARGEST_PAGE, read_stored, search_bundle
from smartapp.sandbox.server import PREFIX, current_sandbox

blueprint = Blueprint("pgo", __name__)
blueprint.register_error_handler(RecordError, answers.refused)

ADDRESS: Final = "/medmij"
_GOES_ON: Final = frozenset({"active", "draft", "on-hold"})


@blueprint.get(f"/{CARE}/<path:asked>", defaults={"service": CARE})
@blueprint.get(f"/{DOCUMENTS}/<path:asked>", defaults={"service": DOCUMENTS})
def query(service: str, asked: str) -> Response:
    """Answer a query of one of the two services, or give the bytes of a document."""
    own = _record(_whose(), service)
    base = f"{current_sandbox().public_url}{PREFIX}{ADDRESS}/{service}"
    if service == DOCUMENTS and asked.startswith("Binary/"):
        found = binary(asked.removeprefix("Binary/"), own)
        if found is None:
            raise NotFound("There is no document with this id.")
        return answers.answer(found)
    parameters = tuple((name, value) for name, value in request.args.items(multi=True) if name != "_format")
    path = f"/{asked}?{unquote(request.query_string.decode())}" if request.query_string else f"/{asked}"
    try:
        return answers.answer(answer(service, asked, parameters, own, catalogue(), base=base, path=path))
    except NotAsked as error:
        raise Refused(f"A PGO does not ask this of service {service}. See docs/integrators.md.", status=400) from error


def _whose() -> str:
    """Return the id of the person whose token this is. Raises Unauthorized, Forbidden."""
    calling = caller()
    if calling is None:
        raise Unauthorized("This call carries no access token. Launch the app and send 'Authorization: Bearer …'.")
    if calling.patient is None or calling.user != f"Patient/{calling.patient}":
        raise Forbidden("A PGO asks with the token of the person themselves: launch as the patient.")
    return calling.patient


def _record(patient: str, service: str) -> OwnRecord:
    """Return what is stored of a person and this token may read, as far as this service needs it."""
    person = read_stored("Patient", patient).resource
    client = PersonRef(f"Patient/{patient}", human_name(person))
    sandbox = current_sandbox()
    now = datetime.fromtimestamp(sandbox.clock(), sandbox.zone).isoformat()
    if service == DOCUMENTS:
        return OwnRecord(client, now, papers=tuple(_papers(patient)))
    plan = _plan(patient)
    return OwnRecord(
        client,
        now,
        birth_date=birth_date_of(person),
        observations=tuple(_all("Observation", patient, ("category", "survey"))),
        responses=tuple(_all("QuestionnaireResponse", patient)),
        plan=plan_of(plan, known=catalogue()) if plan else None,
        plan_name=next(iter(values_in(plan, identifier_system("plan"))), "") or text_in(plan, "id"),
        teams=tuple(_all("CareTeam", patient)),
    )


def _plan(patient: str) -> Resource | None:
    """Return the plan that goes on and was changed last; None where there is none."""
    found = [
        one
        for one in _all("CarePlan", patient, ("category", f"{PLAN_SYSTEM}|recovery-plan"))
        if not is_course(one) and text_in(one, "status") in _GOES_ON
    ]
    return max(found, key=lambda one: text_in(object_in(one, "meta"), "lastUpdated"), default=None)


def _papers(patient: str) -> Iterator[Paper]:
    for one in _all("DocumentReference", patient, ("type", TYPE)):
        if (paper := paper_in(one)) is not None:
            yield paper


def _all(type_: str, patient: str, *more: tuple[str, str]) -> Iterator[Resource]:
    """Yield all resources of a type that this call may see; none where this EHR does not offer to search them."""
    if not current_sandbox().kind.offers(type_, "s"):
        return
    offset, total = 0, 1
    while offset < total:
        params = (("patient", patient), *more, ("_count", str(LARGEST_PAGE)), ("_offset", str(offset)))
        page = search_bundle(type_, params)
        yield from (entry["resource"] for entry in page.get("entry", []))
        offset, total = offset + LARGEST_PAGE, page["total"]
