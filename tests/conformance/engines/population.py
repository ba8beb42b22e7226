"""Responses of every scored instrument, with all that can be wrong among them: a file that every engine is given."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from mappers.answers import response_of
from mappers.bulk import LONGEST_LINE
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument

INSTRUMENTS: Final = ("nel", "hoop", "mhcs", "mansa")
SEED: Final = 20261128
ODD_EVERY: Final = 50
"""One line in so many is not an ordinary response."""


def ordinary(count: int) -> Iterator[bytes]:
    """Yield `count` finished responses, the instruments in turn, 3 % of the answers missing; always the same."""
    drawn = random.Random(SEED)
    instruments = [catalogue().instrument(name) for name in INSTRUMENTS]
    for number in range(count):
        yield orjson.dumps(_response(drawn, instruments[number % len(instruments)], number))


def _response(drawn: random.Random, instrument: Instrument, number: int) -> dict[str, Any]:
    values: dict[str, str | bool] = {}
    for item in instrument.items:
        if drawn.random() >= 0.03:
            options = item.scale.options if item.scale is not None else ()
            values[item.link_id] = drawn.choice(options).code if options else True if item.kind == "boolean" else "Zo"
    client = {"reference": f"Patient/p{number % 5000}", "display": f"Persoon {number % 5000} – Zoë"}
    made = response_of(
        values,
        instrument,
        status="completed",
        authored=f"2026-{1 + number % 12:02}-{1 + number % 28:02}T10:00:00+01:00",
        subject=client,
        author=client,
        source=client,
        identifier=f"{drawn.getrandbits(128):032x}",
    )
    return {"id": f"r{number}", **made}


def odd(line: bytes) -> list[bytes]:
    """Return what may stand in a file in place of a response: refused, without scores, or scored all the same."""
    response = orjson.loads(line)
    draft = {**response, "status": "in-progress"}
    bundle = {"resourceType": "Bundle", "type": "collection"}
    return [
        b"",
        b" \t",
        b"{",
        line[: len(line) // 2],
        line.replace(b"Persoon", b"\xff\xfe"),
        line.replace(b"Persoon", "Персона 人".encode()),
        line + b"\r",
        b"\xef\xbb\xbf" + line,
        b"null",
        b'{"resourceType":"Patient","id":"p1"}',
        orjson.dumps({**response, "questionnaire": "https://example.org/Questionnaire/own|1"}),
        orjson.dumps(draft),
        orjson.dumps({**response, "status": "amended"}),
        orjson.dumps({**bundle, "entry": [{"resource": one} for one in (response, draft, response)]}),
        orjson.dumps({**bundle, "entry": [{"resource": {**bundle, "entry": []}}]}),
    ]


def write(path: Path, count: int) -> None:
    """Write `count` lines to a file, of which one in `ODD_EVERY` is odd, each way in turn; and one that is too long."""
    with path.open("wb") as file:
        for number, line in enumerate(ordinary(count)):
            at, rest = divmod(number, ODD_EVERY)
            file.write(line if rest else odd(line)[at % len(odd(line))])
            file.write(b"\n")
            if number == count // 2:
                file.write(b"x" * (LONGEST_LINE + 1) + b"\n")
