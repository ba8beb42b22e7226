"""What is written of Observations: a Provenance after those of each response, or a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from mappers.observations import provenance_of
from questionnaires import __version__
from questionnaires.fhir import Resource


def with_provenance(observations: bytes, recorded: str) -> bytes:
    """Return the Observations of each response, and after them the Provenance that says what computed them, and when.

    `recorded` is a FHIR instant.
    """
    written: list[bytes] = []
    for made in _by_response(map(orjson.loads, observations.splitlines())):
        added = provenance_of(made, recorded=recorded, software="Verstel", version=__version__)
        written += [orjson.dumps(one) + b"\n" for one in (*made, added)]
    return b"".join(written)


def as_table(observations: bytes) -> str:
    """Return the scores for people: a heading per response, and below it each score or why there is none.

    A status other than final (corrected, or entered in error) is shown beside the heading.
    """
    return "".join(f"{_row(orjson.loads(line))}\n" for line in observations.splitlines())


def _row(one: dict[str, Any]) -> str:
    if "hasMember" in one:
        status = "" if one["status"] == "final" else f"  [{one['status']}]"
        return f"\n{one['effectiveDateTime'][:10]}  {one['code']['text']}  ({_whose(one)}){status}"
    if "valueQuantity" in one:
        return f"  {one['code']['text']:<45} {one['valueQuantity']['value']:>8.2f}".rstrip("0").rstrip(".")
    return f"  {one['code']['text']:<45}        –  {one['dataAbsentReason']['text']}"


def _whose(observation: dict[str, Any]) -> str:
    subject = observation["subject"]
    return str(subject.get("reference") or subject["display"])


def _by_response(observations: Iterable[Resource]) -> Iterator[list[Resource]]:
    """Yield the Observations of one response at a time: each begins with its panel, the only one that has members."""
    group: list[Resource] = []
    for one in observations:
        if group and "hasMember" in one:
            yield group
            group = []
        group.append(one)
    if group:
        yield group
