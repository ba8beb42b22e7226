"""The people of Nictiz' own examples of nl-core, as FHIR has them; made of the names in `data/nictiz-names.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

NAMES = Path(__file__).parent / "data" / "nictiz-names.toml"
SD = "http://hl7.org/fhir/StructureDefinition"


@dataclass(frozen=True)
class Person:
    """One of them: the resource, the line that Nictiz made of the name, and the call name or ""."""

    file: str
    resource: dict[str, Any]
    shown: str
    called: str


def extension(name: str, kind: str, value: str) -> dict[str, Any]:
    """Return an extension of a name by its own name: `humanname-own-name`."""
    return {"url": f"{SD}/{name}", f"value{kind}": value}


def qualified(*given: tuple[str, str]) -> dict[str, Any]:
    """Return the elements of a HumanName that hold given names with a qualifier each; "" is none."""
    marks = [{"extension": [extension("iso21090-EN-qualifier", "Code", mark)]} if mark else None for _, mark in given]
    return {"given": [value for value, _ in given], "_given": marks}


def family(order: str = "", **parts: str) -> dict[str, Any]:
    """Return the elements of a HumanName that say a family name by its parts: `own_name="Putten"`."""
    there = [
        extension(f"humanname-{name.replace('_', '-')}", "String", parts[name])
        for name in ("own_prefix", "own_name", "partner_prefix", "partner_name")
        if parts.get(name)
    ]
    says = {"extension": [extension("humanname-assembly-order", "Code", order)]} if order else {}
    return {"_family": {"extension": there}, **says}


@cache
def people() -> tuple[Person, ...]:
    """Return all of them."""
    return tuple(_person(one) for one in tomllib.loads(NAMES.read_text(encoding="utf-8"))["people"])


def person(file: str) -> Person:
    """Return the one of a file, called by its name without `nl-core-` and `.xml`."""
    return next(one for one in people() if one.file == f"nl-core-{file}.xml")


def _person(row: dict[str, Any]) -> Person:
    born = {"birthDate": row["birth_date"]} if "birth_date" in row else {}
    resource = {"resourceType": row["type"], "name": [_name(one) for one in row["names"]], **born}
    return Person(row["file"], resource, row["shown"], row["called"])


def _name(row: dict[str, Any]) -> dict[str, Any]:
    parts = {key.replace("-", "_"): value for key, value in row.items() if key.startswith(("own-", "partner-"))}
    plain = {key: row[key] for key in ("use", "text", "family", "prefix") if key in row}
    return {
        **plain,
        **(family(row.get("order", ""), **parts) if parts else {}),
        **(qualified(*row["given"]) if any(mark for _, mark in row.get("given", ())) else _bare(row)),
    }


def _bare(row: dict[str, Any]) -> dict[str, Any]:
    return {"given": [value for value, _ in row["given"]]} if "given" in row else {}
