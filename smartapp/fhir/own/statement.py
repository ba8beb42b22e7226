"""The CapabilityStatement of our own store: every type of `search_parameters.toml`, and all that this store does."""

from __future__ import annotations

from questionnaires.fhir import Resource
from smartapp.fhir.own.search import Definition, ParameterKind, definitions

_INTERACTIONS = ("read", "vread", "history-instance", "search-type", "create", "update")


def capability_statement(base_url: str) -> Resource:
    """Return what the store at this address can do."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-22",
        "kind": "instance",
        "software": {"name": "Verstel own store"},
        "implementation": {"description": "Verstel own store", "url": base_url},
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "resource": [_of_type(known) for known in definitions().values()],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


def _of_type(known: Definition) -> Resource:
    params = known.params.values()
    return {
        "type": known.type,
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "searchInclude": [f"{known.type}:{one.name}" for one in params if one.kind == "reference"],
        "searchParam": [
            {"name": "_id", "type": "token"},
            *({"name": one.name, "type": _search_type(one.kind)} for one in params),
        ],
    }


def _search_type(kind: ParameterKind) -> str:
    # FHIR has no type of its own for canonicals: parameters on them are references.
    return "reference" if kind == "canonical" else kind
