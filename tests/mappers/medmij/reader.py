"""What the state's own PGO takes of each resource, and so what a person sees: written from what was read, not copied.

Read in minvws/nl-mgo-app-web (commit 83d8e9cb), packages/hcim. It finds a resource's reader by `meta.profile`, shows a
concept by the displays of its codings alone, a quantity by value and unit, and a reference by its display. What has no
profile that it knows is not shown at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CODE_SPECIFICATION = "http://nictiz.nl/fhir/StructureDefinition/code-specification"
_ZIB = "http://nictiz.nl/fhir/StructureDefinition"
_NL_CORE = "http://fhir.nl/fhir/StructureDefinition"


def _concept(value: Any) -> list[str]:
    return [one["display"] for one in (value or {}).get("coding", []) if one.get("display")]


def _measurement(one: Any) -> dict[str, Any]:
    quantity = one.get("valueQuantity") or {}
    status = [
        _concept(each["valueCodeableConcept"])
        for each in one.get("_status", {}).get("extension", [])
        if each["url"] == CODE_SPECIFICATION
    ]
    return {
        "what": _concept(one.get("code")),
        "value": (quantity["value"], quantity["unit"]) if "unit" in quantity else None,
        "status": status,
        "when": one.get("effectiveDateTime"),
        "comment": one.get("comment"),
        "how": _concept(one.get("method")),
        "members": [each["target"].get("display") for each in one.get("related", [])],
        "whose": one["subject"].get("display"),
    }


def _help(one: Any) -> dict[str, Any]:
    details = [each["detail"] for each in one.get("activity", [])]
    return {
        "help": [(each.get("code", {}).get("text"), each.get("description")) for each in details],
        "from": one.get("period", {}).get("start"),
        "whose": one["subject"].get("display"),
    }


def _participation(one: Any) -> dict[str, Any]:
    components = {each["code"]["coding"][0]["code"]: each.get("valueString") for each in one.get("component", [])}
    return {
        "network": components.get("365469004"),
        "hobby": components.get("405081003"),
        "work": components.get("364703007"),
        "comment": one.get("comment"),
        "by": [each.get("display") for each in one.get("performer", [])],
    }


def _team(one: Any) -> dict[str, Any]:
    people = one.get("participant", [])
    return {"people": [(each.get("member", {}).get("display"), _concept(each.get("role"))) for each in people]}


def _patient(one: Any) -> dict[str, Any]:
    return {"name": [each.get("text") for each in one.get("name", [])], "born": one.get("birthDate")}


def _document(one: Any) -> dict[str, Any]:
    attachments = [each["attachment"] for each in one["content"]]
    return {
        "title": [each.get("title") for each in attachments],
        "kind": [each.get("contentType") for each in attachments],
        # Only an address of this form is fetched as a Binary.
        "binary": [url.removeprefix("Binary/") for each in attachments if (url := each["url"]).startswith("Binary/")],
        "type": _concept(one.get("type")),
        "when": one.get("indexed"),
    }


_READERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    f"{_ZIB}/zib-GeneralMeasurement": _measurement,
    f"{_ZIB}/zib-HelpFromOthers": _help,
    f"{_ZIB}/zib-ParticipationInSociety": _participation,
    f"{_NL_CORE}/nl-core-careteam": _team,
    f"{_NL_CORE}/nl-core-patient": _patient,
    f"{_ZIB}/IHE.MHD.Minimal.DocumentReference": _document,
}


def shown(resource: Any) -> dict[str, Any] | None:
    """Return what a person sees of a resource, by what it is; None where the PGO does not know what it is."""
    reader = next((_READERS[one] for one in resource["meta"]["profile"] if one in _READERS), None)
    return reader(resource) if reader else None
