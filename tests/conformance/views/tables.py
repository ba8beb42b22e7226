"""Tables of two engines, compared: equal rows, in whatever order, with keys that lead to the same resources. Pure."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fhir_profiles.views import FHIR_VERSION, View
from questionnaires.fhir import Resource

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]
Value = str | float | None

PATIENTS: Final = "probe_patients"
PROBE: Final[Resource] = {
    "resourceType": "ViewDefinition",
    "name": PATIENTS,
    "status": "draft",
    "resource": "Patient",
    "fhirVersion": [FHIR_VERSION],
    "select": [
        {
            "column": [
                {"name": "patient_key", "path": "getResourceKey()", "type": "string"},
                {"name": "patient_id", "path": "id", "type": "id"},
            ]
        }
    ],
}
"""A table of Patients, which no view of ours makes: without it nobody could say to whom a key of a client leads."""
NOWHERE: Final = "leads nowhere"
UNPROMISED: Final = "of an address that engines need not read"
SHORT: Final = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}")
# Which column has the reference that a key is made of. Engines promise a key only where that is relative.
_STORED: Final = {
    "patient_key": "subject_reference",
    "goal_key": "goal_reference",
    "response_key": "response_reference",
}


def own_keys(tables: Tables) -> dict[str, str]:
    """Return to which resource (`Goal/7`) each key of an engine leads, from the rows that have both key and id.

    Raises ValueError where one key leads to two resources, or two keys to one.
    """
    own = {PATIENTS: "patient"}
    own |= {f"verstel_{name}s": name for name in ("score", "goal", "step", "plan")} | {"verstel_answers": "response"}
    found: dict[str, str] = {}
    for table, name in own.items():
        for row in tables[table]:
            target = f"{name}/{row[f'{name}_id']}"
            if found.setdefault(f"{name} {row[f'{name}_key']}", target) != target:
                raise ValueError(f"{table}: the key {row[f'{name}_key']} is that of two resources")
    if len(set(found.values())) < len(found):
        raise ValueError("two keys lead to the same resource")
    return found


def plain(tables: Tables) -> dict[str, Counter[tuple[tuple[str, Value], ...]]]:
    """Return how often each row stands in each table, with keys as the resources that they lead to."""
    keys = own_keys(tables)
    return {
        name: Counter(tuple((column, _plain(column, row, keys)) for column in sorted(row)) for row in rows)
        for name, rows in tables.items()
    }


def _plain(column: str, row: Row, keys: Mapping[str, str]) -> Value:
    value = row[column]
    stored = row.get(_STORED.get(column, "")) if column.endswith("_key") else None
    if stored is not None and not SHORT.fullmatch(stored):
        return UNPROMISED
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or value == "":
        return None
    if isinstance(value, int | float):
        return float(value)
    if not column.endswith("_key"):
        return str(value)
    return keys.get(f"{column.removesuffix('_key')} {value}", NOWHERE)


def differences(ours: Tables, theirs: Tables) -> Iterator[str]:
    """Yield a line for each row that only one of two engines has."""
    here, there = plain(ours), plain(theirs)
    for name in here:
        columns = {tuple(sorted(row)) for rows in (ours[name], theirs[name]) for row in rows}
        if len(columns) > 1:
            yield f"{name}: the columns differ: {sorted(columns)}"
            continue
        for row in here[name] - there[name]:
            yield f"{name}: only the first has {_told(row)}"
        for row in there[name] - here[name]:
            yield f"{name}: only the second has {_told(row)}"


def _told(row: tuple[tuple[str, Value], ...]) -> str:
    return ", ".join(f"{name} {str(value)[:60]!r}" for name, value in row if value is not None)


def empty_columns(tables: Tables, views: Iterable[View]) -> list[str]:
    """Return the columns in which no row has anything: nobody can say that their path is right."""
    return [
        f"{view.name}.{column.name}"
        for view in views
        for column in view.columns
        if all(row[column.name] is None for row in tables[view.name])
    ]


# ---- queries ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query gave: rows by columns, with keys as the resources that they lead to."""

    rows: Counter[tuple[Value, ...]]

    @classmethod
    def of(cls, rows: Iterable[Row], tables: Tables) -> Asked:
        """Return the rows of a query that was asked of these tables."""
        keys = own_keys(tables)
        return cls(Counter(tuple(_plain(column, row, keys) for column in row) for row in rows))


def in_sqlite(tables: Tables, queries: Iterable[str]) -> list[list[Row]]:
    """Ask the queries of the tables in SQLite; names are not quoted, as people would not."""
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    for name, rows in ((name, rows) for name, rows in tables.items() if rows):
        columns = list(rows[0])
        connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        marks = ", ".join("?" for _ in columns)
        values = [tuple(row[column] for column in columns) for row in rows]
        connection.executemany(f"INSERT INTO {name} VALUES ({marks})", values)
    return [[dict(row) for row in connection.execute(query)] for query in queries]
