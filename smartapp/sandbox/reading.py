"""Reading and searching for a caller: only what their token reaches, and never a hint of what lies beyond it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlencode

from questionnaires.fhir import Resource
from smartapp.fhir.own.index import relative
from smartapp.fhir.own.search import Criterion, Search, definition, understand
from smartapp.fhir.store import Forbidden, Query, RecordError, Refused, Stored
from smartapp.sandbox.permissions import ELSEWHERE, allowed, reachable
from smartapp.sandbox.scopes import Reach
from smartapp.sandbox.server import current_sandbox

PAGE = 200
LARGEST_PAGE = 500
_SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


def read_stored(type_: str, id_: str) -> Stored:
    """Return one resource that this call may read."""
    reach = allowed(type_, "r", id_)
    stored = current_sandbox().store.read(type_, id_)
    if not reachable(stored, reach):
        raise Forbidden(f"This {type_} cannot be read. {ELSEWHERE}")
    return stored


def history_bundle(type_: str, id_: str) -> Resource:
    """Return all versions of a resource that this call may read, newest first."""
    read_stored(type_, id_)
    sandbox = current_sandbox()
    versions = sandbox.store.history(type_, id_)
    return {
        "resourceType": "Bundle",
        "type": "history",
        "total": len(versions),
        "link": [{"relation": "self", "url": f"{sandbox.base}/{type_}/{id_}/_history"}],
        "entry": [
            {
                "fullUrl": f"{sandbox.base}/{type_}/{id_}",
                "resource": version.resource,
                "request": {"method": "PUT", "url": f"{type_}/{id_}"},
                "response": {
                    "status": "200 OK",
                    "etag": version.etag,
                    "lastModified": version.resource["meta"]["lastUpdated"],
                },
            }
            for version in versions
        ],
    }


def search_bundle(type_: str, params: tuple[tuple[str, str], ...]) -> Resource:
    """Return the searchset of what this call may see, with total, self and next."""
    reach = allowed(type_, "s")
    params = tuple((name, value) for name, value in params if name not in ("_format", "_pretty"))
    offset = _offset(params)
    asked = tuple((name, value) for name, value in params if name != "_offset")
    search = understand(Query(type_, asked))
    _same_person(search, reach)
    # A scope with a query narrows the search, beside what the caller asked.
    if reach.query:
        search = replace(search, criteria=(*search.criteria, *understand(Query(type_, reach.query)).criteria))
    count = min(PAGE if search.count is None else search.count, LARGEST_PAGE)
    found = current_sandbox().store.find(search, count=count, offset=offset, patient=reach.compartment)
    links = [{"relation": "self", "url": _address(type_, params)}]
    if count and offset + count < found.total:
        # The total is of what this caller may see, so there is a next page only if it has something for them.
        following = (*asked, ("_offset", str(offset + count)))
        links.append({"relation": "next", "url": _address(type_, following)})
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": found.total, "link": links}
    matches = [_cut(one, dict(asked).get("_elements", "")) for one in found.matches]
    entries = [*_entries(matches, "match"), *_entries(filter(_may_include, found.included), "include")]
    # FHIR has no empty lists.
    return {**bundle, "entry": entries} if entries else bundle


def _cut(stored: Stored, elements: str) -> Stored:
    """Return a match with only what was asked of it (`_elements`), and marked so: whoever gets it may not save it."""
    if not elements:
        return stored
    kept = {*elements.split(","), "resourceType", "id", "meta"}
    resource = {name: value for name, value in stored.resource.items() if name in kept}
    meta = {**resource["meta"], "tag": [*resource["meta"].get("tag", []), _SUBSETTED]}
    return replace(stored, resource={**resource, "meta": meta})


def _entries(found: Iterable[Stored], mode: str) -> list[Resource]:
    base = current_sandbox().base
    return [{"fullUrl": f"{base}/{one.reference}", "resource": one.resource, "search": {"mode": mode}} for one in found]


def _address(type_: str, params: tuple[tuple[str, str], ...]) -> str:
    return f"{current_sandbox().base}/{type_}" + (f"?{urlencode(params)}" if params else "")


def _offset(params: tuple[tuple[str, str], ...]) -> int:
    given = dict(params).get("_offset", "0")
    if not (given.isascii() and given.isdigit() and len(given) < 7):
        raise Refused("_offset is not a number. Follow the Bundle's next link as it is.", status=400)
    return int(given)


def _same_person(search: Search, reach: Reach) -> None:
    """Refuse a question about someone else outright: an empty answer would look as if that person had nothing."""
    if reach.compartment is None or definition(search.type).shared:
        return
    asked = {_person(criterion.parameter.target, value) for criterion in search.criteria for value in _names(criterion)}
    if any(person.startswith("Patient/") and person != reach.compartment for person in asked):
        raise Forbidden(f"{search.type} of this patient cannot be searched. {ELSEWHERE}")
    if search.type == "Patient" and any(set(ids) - {reach.compartment.partition("/")[2]} for ids in search.ids):
        raise Forbidden(f"This Patient cannot be searched. {ELSEWHERE}")


def _names(criterion: Criterion) -> tuple[str, ...]:
    return criterion.values if criterion.parameter.kind == "reference" and not criterion.modifier else ()


def _person(target: str | None, value: str) -> str:
    reference = relative(value, current_sandbox().base)
    return f"Patient/{reference}" if target == "Patient" and "/" not in reference else reference


def _may_include(stored: Stored) -> bool:
    try:
        return reachable(stored, allowed(stored.resource["resourceType"], "r", stored.resource["id"]))
    except RecordError:
        return False
