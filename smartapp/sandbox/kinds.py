"""The kinds of EHR that the sandbox can play, read from `capabilities.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from smartapp.fhir.own.search import definitions
from smartapp.fhir.store import Resource

# Scope letter -> FHIR interaction. This server has no delete: what was written about a person stays traceable.
INTERACTIONS: Mapping[str, str] = {"c": "create", "r": "read", "u": "update", "s": "search-type"}


class UnknownKind(ValueError):
    """There is no such kind of EHR; the message lists those there are."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A refusal beyond what the CapabilityStatement says; see `capabilities.toml`."""

    type: str
    only_categories: tuple[str, ...] = ()
    only_users: tuple[str, ...] = ()
    only_known_questionnaires: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of EHR takes: per resource type the letters of what it offers."""

    name: str
    title: str
    title_nl: str
    letters: Mapping[str, frozenset[str]]
    transaction: bool
    batch: bool
    conditional_create: bool
    update_create: bool
    rules: tuple[Rule, ...] = field(default=())

    def offers(self, type_: str, letter: str) -> bool:
        """Say whether an interaction (its scope letter) is offered on a type."""
        return letter in self.letters.get(type_, frozenset())


@cache
def kinds() -> Mapping[str, Kind]:
    """Return all kinds by name."""
    data = tomllib.loads(Path(__file__).with_name("capabilities.toml").read_text(encoding="utf-8"))
    common = data.pop("_common")
    return {name: _kind(name, entry, common) for name, entry in data.items()}


def kind(name: str) -> Kind:
    """Return one kind, or raise UnknownKind."""
    if name not in kinds():
        raise UnknownKind(f"There is no kind of EHR called {name!r}. Choose one of: {', '.join(kinds())}.")
    return kinds()[name]


def _kind(name: str, entry: Mapping[str, object], common: Mapping[str, str]) -> Kind:
    known = {"title", "title_nl", "everything", "system", "conditional_create", "update_create", "types", "rules"}
    if unknown := set(entry) - known:
        raise ValueError(f"capabilities.toml: {name}: unknown key {sorted(unknown)[0]!r}; known: {sorted(known)}")
    types: Mapping[str, str] = (
        dict.fromkeys(definitions(), "crus") if entry.get("everything") else {**common, **entry["types"]}  # type: ignore[dict-item]
    )
    for type_, letters in types.items():
        if type_ not in definitions() or not set(letters) <= set(INTERACTIONS):
            raise ValueError(f"capabilities.toml: {name}.types.{type_}: unknown type or letters {letters!r}")
    system = list(entry["system"])  # type: ignore[call-overload]
    return Kind(
        name=name,
        title=str(entry["title"]),
        title_nl=str(entry["title_nl"]),
        letters={type_: frozenset(letters) for type_, letters in types.items()},
        transaction="transaction" in system,
        batch="batch" in system,
        conditional_create=bool(entry["conditional_create"]),
        update_create=bool(entry["update_create"]),
        rules=tuple(
            Rule(
                type=rule.pop("type"),
                only_categories=tuple(rule.pop("only_categories", ())),
                only_users=tuple(rule.pop("only_users", ())),
                only_known_questionnaires=rule.pop("only_known_questionnaires", False),
                **rule,
            )
            for rule in entry.get("rules", [])  # type: ignore[attr-defined]
        ),
    )


def capability_statement(kind: Kind, full: Resource, *, base: str, auth: Mapping[str, str]) -> Resource:
    """Return the CapabilityStatement of a kind, cut from the store's `full` one; `auth` are the SMART addresses."""
    rest = full["rest"][0]
    return {
        **full,
        "software": {"name": f"Verstel sandbox ({kind.name})"},
        "implementation": {"description": f"Made-up people, for demonstration. {kind.title}.", "url": base},
        "rest": [
            {
                "mode": "server",
                "security": {
                    "extension": [
                        {
                            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                            "extension": [
                                {"url": name, "valueUri": auth[f"{name}_endpoint"]}
                                for name in ("authorize", "token", "revoke", "introspect")
                            ],
                        }
                    ],
                    "service": [
                        {
                            "coding": [
                                {
                                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                                    "code": "SMART-on-FHIR",
                                    "display": "SMART-on-FHIR",
                                }
                            ]
                        }
                    ],
                },
                "resource": [
                    {
                        **entry,
                        "interaction": [
                            {"code": code}
                            for letter, code in [*INTERACTIONS.items(), ("r", "vread"), ("r", "history-instance")]
                            if kind.offers(entry["type"], letter)
                        ],
                        "updateCreate": kind.update_create,
                        "conditionalCreate": kind.conditional_create,
                    }
                    for entry in rest["resource"]
                    if entry["type"] in kind.letters
                ],
                "interaction": [
                    {"code": code} for code, has in (("transaction", kind.transaction), ("batch", kind.batch)) if has
                ],
            }
        ],
    }
