"""Writing for a caller: content, this EHR's rules and the caller's reach are checked, then it is stored as one unit."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request

from mappers.tolerant import objects_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.own.index import patients_of
from smartapp.fhir.own.search import definition
from smartapp.fhir.store import Conflict, Forbidden, NotFound, Query, Refused, Stored, Write, operation_outcome
from smartapp.sandbox.answers import answer, location, version_headers
from smartapp.sandbox.checking import check
from smartapp.sandbox.kinds import Rule
from smartapp.sandbox.permissions import ELSEWHERE, allowed, caller
from smartapp.sandbox.scopes import Reach
from smartapp.sandbox.server import current_sandbox


@dataclass(frozen=True, slots=True)
class CheckedWrite:
    """One write that has been checked, and what it may reach."""

    write: Write
    reach: Reach


def checked_create(type_: str, resource: Resource, if_none_exist: str | None, where: str = "") -> CheckedWrite:
    """Check a create and return it. Raises RecordError."""
    reach = allowed(type_, "c")
    if if_none_exist is not None and not current_sandbox().kind.conditional_create:
        raise Refused("This server does not do conditional create. Search first, then create.", status=412)
    _check_content(type_, resource, where)
    return CheckedWrite(Write("create", resource, if_none_exist=if_none_exist), reach)


def checked_update(
    type_: str, id_: str, resource: Resource, guards: tuple[str | None, str | None], where: str = ""
) -> CheckedWrite:
    """Check an update and return it. Raises RecordError.

    `guards` are If-Match, for only this version, and If-None-Match, of which `*` means only if it is not there.
    """
    if_match, if_none_match = guards
    reach = allowed(type_, "u")
    if resource.get("id") != id_:
        raise Refused(
            f"The address says {type_}/{id_[:64]}, the body another id (or none). Make them equal.", status=400
        )
    _check_content(type_, resource, where)
    # The store itself creates by update; not every EHR does.
    if not current_sandbox().kind.update_create:
        try:
            current_sandbox().store.read(type_, id_)
        except NotFound:
            raise NotFound(f"There is no {type_}/{id_[:64]}, and an update does not create here. Use POST.") from None
    if if_none_match is None:
        return CheckedWrite(Write("update", resource, if_match=if_match), reach)
    if if_none_match != "*" or if_match is not None:
        raise Refused("On an update If-None-Match takes * only, and no If-Match beside it.", status=400)
    return CheckedWrite(Write("create", resource, new_id=id_), reach)


def _check_content(type_: str, resource: Resource, where: str) -> None:
    if resource.get("resourceType") != type_:
        raise Refused(
            f"The address says {type_}, the body {str(resource.get('resourceType'))[:64]!r}. Make them equal.",
            status=400,
        )
    check(resource, where)
    _check_rules(resource)


def _check_rules(resource: Resource) -> None:
    for rule in current_sandbox().kind.rules:
        if rule.type == resource["resourceType"]:
            _check_at_all(rule)
            _check_users(rule)
            _check_categories(rule, resource)
            _check_questionnaire(rule, resource)


def _check_at_all(rule: Rule) -> None:
    if rule.refuses_writes:
        raise Forbidden(f"{_this_server()} does not take {rule.type}, although its metadata says so.")


def _check_users(rule: Rule) -> None:
    calling = caller()
    if rule.only_users and calling is not None and calling.persona not in rule.only_users:
        raise Forbidden(f"{_this_server()} takes {rule.type} only from {' and '.join(rule.only_users)} users.")


def _check_categories(rule: Rule, resource: Resource) -> None:
    codes = {
        text_in(coding, "code")
        for category in objects_in(resource, "category")
        for coding in objects_in(category, "coding")
    }
    if rule.only_categories and not codes & set(rule.only_categories):
        raise Refused(
            f"{_this_server()} takes {rule.type} only of category {' or '.join(rule.only_categories)}.", status=422
        )


def _check_questionnaire(rule: Rule, resource: Resource) -> None:
    if not rule.only_known_questionnaires:
        return
    url = text_in(resource, "questionnaire").partition("|")[0]
    if not url or not current_sandbox().store.search(Query.of("Questionnaire", url=url)):
        raise Refused(
            f"{_this_server()} does not know the questionnaire of this response. "
            "It takes responses to its own questionnaires only.",
            status=422,
        )


def _this_server() -> str:
    return f"This server ({current_sandbox().kind.name})"


def store_all(writes: list[CheckedWrite]) -> list[Stored]:
    """Store what was checked, all or nothing, and refuse what would enter or leave a record out of reach."""
    narrow = {one.write.resource["resourceType"]: one.reach for one in writes if one.reach.compartment is not None}
    new = {f"{one.write.resource['resourceType']}/{one.write.new_id}" for one in writes if one.write.new_id}

    def permit(resource: Resource, current: Stored | None, patients: frozenset[str]) -> None:
        reach = narrow.get(resource["resourceType"])
        if reach is not None:
            _check_record(resource, current, patients, reach)
        if current is not None and current.reference in new:
            raise Conflict(
                f"This {resource['resourceType']} is there already, and If-None-Match: * only creates. "
                "Read it; to change it, send its ETag in If-Match.",
                current,
            )

    return current_sandbox().store.put_all([one.write for one in writes], permit)


def _check_record(resource: Resource, current: Stored | None, patients: frozenset[str], reach: Reach) -> None:
    # Both sides count: an update must not move a resource out of another record, nor into one.
    before = patients_of(current.resource, current_sandbox().base) if current is not None else patients
    if definition(resource["resourceType"]).shared or patients != {reach.compartment} or before != patients:
        raise Forbidden(f"This {resource['resourceType']} cannot be written. {ELSEWHERE}")


def written(stored: Stored) -> Response:
    """Answer a write: 201 or 200, where it lives now, its version, and what Prefer asks for."""
    headers = version_headers(stored)
    if stored.created:
        headers["Location"] = location(stored)
    prefer = request.headers.get("Prefer", "")
    content: Resource | None = stored.resource
    if "return=minimal" in prefer:
        content = None
    elif "return=OperationOutcome" in prefer:
        done = "Created" if stored.created else "Updated"
        content = operation_outcome("informational", f"{done}: {stored.reference}.", severity="information")
    return answer(content, 201 if stored.created else 200, headers)
