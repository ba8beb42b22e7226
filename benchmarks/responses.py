"""Made-up responses to measure with, the same ones every time, and the forms in which other programs write them."""

from __future__ import annotations

import json
import random
from typing import Final

import orjson

from mappers.answers import response_of
from questionnaires.catalogue import catalogue
from questionnaires.model import NOT_APPLICABLE

INSTRUMENT: Final = "nel"
INSTRUMENTS: Final = ("nel", "hoop", "mhcs", "mansa")
SEED: Final = 20261122
MISSING: Final = 0.03


def lines(count: int, instrument: str = INSTRUMENT) -> list[bytes]:
    """Make responses to all questions of an instrument with 3 % of the answers missing, the same ones every time."""
    drawn = random.Random(SEED)
    form = catalogue().instrument(instrument)
    made = []
    for number in range(count):
        values: dict[str, str | bool] = {
            item.link_id: drawn.choice(item.scale.options).code if item.scale is not None else drawn.random() < 0.5
            for item in form.items
            if drawn.random() >= MISSING
        }
        client = {"reference": f"Patient/p{number % 5000}", "display": f"Persoon {number % 5000}"}
        response = response_of(
            values,
            form,
            status="completed",
            authored=f"2026-{1 + number % 12:02}-{1 + number % 28:02}T10:00:00+01:00",
            subject=client,
            author=client,
            source=client,
            identifier=f"{drawn.getrandbits(128):032x}",
        )
        made.append(orjson.dumps({"id": f"r{number}", **response}))
    return made


def rewritten(line: bytes) -> bytes:
    """Return a response as some EHRs return it, with numbers instead of codes; only the plain way reads that."""
    response = orjson.loads(line)
    for group in response["item"]:
        for item in group["item"]:
            code = item["answer"][0]["valueCoding"]["code"]
            if code != NOT_APPLICABLE:
                item["answer"] = [{"valueInteger": int(code)}]
    return orjson.dumps(response)


def spaced(line: bytes) -> bytes:
    """Return a response as many programs write one, with a space after each comma and colon between its members."""
    return json.dumps(orjson.loads(line), ensure_ascii=False).encode()
