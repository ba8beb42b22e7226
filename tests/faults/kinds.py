"""The kinds of EHR that the simulator plays, read from `kinds.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

INTERACTIONS = {"c": "create", "r": "read", "u": "update", "s": "search-type"}
PEOPLE = ("Patient", "Practitioner", "CareTeam")
SEARCHED_BY = ("patient", "code", "category", "type", "status")


@dataclass(frozen=True)
class Kind:
    """What one EHR takes; see `kinds.toml`."""

    name: str
    types: Mapping[str, str]
    refuses: tuple[str, ...] = ()
    transaction: bool = False
    batch: bool = False
    conditional: bool = False
    client_ids: bool = False
    by_identifier: bool = True
    representation: bool = True

    def offers(self, type_: str, letter: str) -> bool:
        """Tell whether an interaction with a type is offered."""
        return letter in ("rs" if type_ in PEOPLE else self.types.get(type_, ""))

    def takes(self, type_: str, *, living: bool = False) -> bool:
        """Tell whether a type can live here: made, found and, where it changes (a `living` form does), changed."""
        changes = living or type_ in ("CarePlan", "Goal", "Task")
        return type_ not in self.refuses and all(self.offers(type_, one) for one in ("csu" if changes else "cs"))

    @property
    def fences(self) -> bool:
        """Tell whether the same thing sent twice, however late, is made once."""
        return self.conditional or self.client_ids

    def searched_by(self) -> tuple[str, ...]:
        """Return the search parameters that are known."""
        return (*SEARCHED_BY, "identifier") if self.by_identifier else SEARCHED_BY

    def statement(self) -> dict[str, Any]:
        """Return the CapabilityStatement."""
        rows = [
            {
                "type": type_,
                "interaction": [{"code": code} for letter, code in INTERACTIONS.items() if self.offers(type_, letter)],
                "searchParam": [{"name": name} for name in self.searched_by()],
                "conditionalCreate": self.conditional,
                "updateCreate": self.client_ids,
            }
            for type_ in (*self.types, *PEOPLE)
        ]
        together = [{"code": code} for code in ("transaction", "batch") if getattr(self, code)]
        return {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "fhirVersion": "4.0.1",
            "rest": [{"mode": "server", "resource": rows, "interaction": together}],
        }


@cache
def kinds() -> Mapping[str, Kind]:
    """Return every kind by its name."""
    tables = tomllib.loads(Path(__file__).with_name("kinds.toml").read_text(encoding="utf-8"))
    return MappingProxyType(
        {name: Kind(name, **{**row, "refuses": tuple(row.get("refuses", ()))}) for name, row in tables.items()}
    )


GENERAL = Kind(
    "companion",
    types=dict.fromkeys(
        ("QuestionnaireResponse", "Observation", "CarePlan", "Goal", "Task", "DocumentReference"), "crus"
    ),
    transaction=True,
    conditional=True,
    client_ids=True,
)
"""The companion server: a general FHIR server that the operator chose."""
