"""The kinds of EHR that the sandbox can play, read from `capabilities.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from questionnaires.fhir import Resource, concept
from questionnaires.reading import FilePlace, OneLine, Strict, convert, read_toml
from smartapp.fhir.own.search import definitions

_SECURITY_SERVICES = "http://terminology.hl7.org/CodeSystem/restful-security-service"

# Scope letter -> FHIR interaction. This server has no delete: what was written about a person stays traceable.
INTERACTIONS: Mapping[str, str] = {"c": "create", "r": "read", "u": "update", "s": "search-type"}


# Empty, a rule would say "only these" of nothing, and be taken for no rule at all.
_SOME = msgspec.Meta(min_length=1, description="is {value!r}; write a list of at least one, or leave it out")


class UnknownKind(ValueError):
    """An unknown kind of EHR; the message lists the known ones."""


class Rule(Strict, frozen=True):
    """A refusal beyond what the CapabilityStatement says; see `capabilities.toml`."""

    type: OneLine
    only_categories: Annotated[tuple[OneLine, ...], _SOME] = ()
    only_users: Annotated[tuple[Literal["Practitioner", "Patient", "system"], ...], _SOME] = ()
    only_known_questionnaires: bool = False
    refuses_writes: bool = False


class _KindTable(Strict, frozen=True):
    title: OneLine
    title_nl: OneLine
    system: tuple[Literal["transaction", "batch"], ...]
    conditional_create: bool
    update_create: bool
    everything: bool = False
    types: dict[str, str] = msgspec.field(default_factory=dict)
    rules: tuple[Rule, ...] = ()


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
    return read_kinds(Path(__file__).with_name("capabilities.toml"))


def read_kinds(path: Path) -> Mapping[str, Kind]:
    """Return the kinds in a file, by name; DefinitionError names what does not fit."""
    data = read_toml(path)
    top = FilePlace(path.name)
    # Taken out first: what remains are the kinds, all of one form.
    common = convert(data.pop("_common", {}), dict[str, str], top.at("_common"))
    tables = convert(data, dict[str, _KindTable], top)
    if not tables:
        raise top.error("", "has no kind of EHR; write at least one")
    return {name: _kind(name, table, common, top.at(name)) for name, table in tables.items()}


def kind(name: str) -> Kind:
    """Return one kind, or raise UnknownKind."""
    if name not in kinds():
        raise UnknownKind(f"There is no kind of EHR called {name!r}. Choose one of: {', '.join(kinds())}.")
    return kinds()[name]


def _kind(name: str, table: _KindTable, common: Mapping[str, str], place: FilePlace) -> Kind:
    types = dict.fromkeys(definitions(), "crus") if table.everything else {**common, **table.types}
    for type_, letters in types.items():
        if type_ not in definitions() or not set(letters) <= set(INTERACTIONS):
            raise place.error(f"types.{type_}", f"is an unknown type, or {letters!r} has letters other than crus")
    for one, rule in place.each("rules", table.rules):
        if rule.type not in types:
            raise one.error("type", f"is {rule.type!r}, which this kind does not offer")
    return Kind(
        name=name,
        title=table.title,
        title_nl=table.title_nl,
        letters={type_: frozenset(letters) for type_, letters in types.items()},
        transaction="transaction" in table.system,
        batch="batch" in table.system,
        conditional_create=table.conditional_create,
        update_create=table.update_create,
        rules=table.rules,
    )


def capability_statement(kind: Kind, full: Resource, *, base: str, auth: Mapping[str, str]) -> Resource:
    """Return the CapabilityStatement of a kind, cut from the store's `full` one; `auth` are the SMART addresses."""
    systemwide = (("transaction", kind.transaction), ("batch", kind.batch))
    return {
        **full,
        "software": {"name": f"Verstel sandbox ({kind.name})"},
        "implementation": {"description": f"Made-up people, for demonstration. {kind.title}.", "url": base},
        "rest": [
            {
                "mode": "server",
                "security": _security(auth),
                "resource": [_offer(kind, one) for one in full["rest"][0]["resource"] if one["type"] in kind.letters],
                "interaction": [{"code": code} for code, has in systemwide if has],
            }
        ],
    }


def _security(auth: Mapping[str, str]) -> Resource:
    """Return where to sign in, as SMART 1 put it: clients of that time look here and not in the smart-configuration."""
    return {
        "extension": [
            {
                "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                "extension": [
                    {"url": name, "valueUri": auth[f"{name}_endpoint"]}
                    for name in ("authorize", "token", "revoke", "introspect")
                ],
            }
        ],
        "service": [concept(_SECURITY_SERVICES, "SMART-on-FHIR", "SMART-on-FHIR")],
    }


def _offer(kind: Kind, full: Resource) -> Resource:
    """Return what a kind offers of one resource type."""
    return {
        **full,
        "interaction": [
            {"code": code}
            for letter, code in [*INTERACTIONS.items(), ("r", "vread"), ("r", "history-instance")]
            if kind.offers(full["type"], letter)
        ],
        "updateCreate": kind.update_create,
        "conditionalCreate": kind.conditional_create,
    }
