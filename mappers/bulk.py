"""Whole populations: blocks of bytes in, Observations as NDJSON out, in order, with a reason for everything refused.

A line is a QuestionnaireResponse or a Bundle with QuestionnaireResponses in it (its other resources are left alone).
Memory does not grow with the number of lines: a batch is as big as the block that was read and the line that it ends,
and a line longer than `LONGEST_LINE` is dropped while it is read. A line of that length made of nothing but tiny
objects takes about forty times its size once parsed: the most that was measured is 1.25 GB.

A name that stands twice in one JSON object is not noticed: the last one counts, in the fast way as in the plain one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from mappers.answers import answers_of
from mappers.errors import NotAResponse, RefusedResponse
from mappers.fast import FastScorer
from mappers.observations import observations_of
from mappers.scoring import score
from questionnaires.catalogue import Catalogue

LONGEST_LINE: Final = 32 * 1024 * 1024
TOO_LONG: Final = f"longer than {LONGEST_LINE // 1024 // 1024} MB; give one QuestionnaireResponse per line"
BOM: Final = b"\xef\xbb\xbf"


# Whole lines that follow each other, without their ends; None for a line that was too long to keep.
Batch = list[bytes | None]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One response that gave no scores: the line (from 1), the entry within a Bundle (from 0) or None, and why."""

    line: int
    entry: int | None
    reason: str

    def __str__(self) -> str:
        return self.reason if self.entry is None else f"entry[{self.entry}]: {self.reason}"


@dataclass(frozen=True, slots=True)
class Scored:
    """What a batch gave: Observations as NDJSON, how many responses had any, and what was refused; and its lines."""

    observations: bytes
    responses: int
    lines: int
    refusals: tuple[Refusal, ...]


def batches_of(blocks: Iterable[bytes], longest: int = LONGEST_LINE) -> Iterator[Batch]:
    """Cut blocks of a file into batches of whole lines; a line that is longer than `longest` becomes None.

    A byte order mark at the start is skipped (one further on, where files were put together, when its line is read).
    Lines end with LF; a CR before it is white space in JSON.
    """
    begun: list[bytes] = []  # the pieces of a line whose end was not seen yet
    length = 0
    for number, block in enumerate(blocks):
        text = block.removeprefix(BOM) if number == 0 else block
        pieces = text.split(b"\n")
        rest = pieces.pop()
        if pieces:
            lines: Batch = [*pieces]
            if length:
                lines[0] = b"".join([*begun, pieces[0]]) if length + len(pieces[0]) <= longest else None
            yield lines
            begun, length = [], 0
        length += len(rest)
        # Of a line that is too long already, only the length is kept.
        begun = [*begun, rest] if length <= longest else []
    if length:
        yield [b"".join(begun) if length <= longest else None]


def numbered(results: Iterable[Scored]) -> Iterator[Scored]:
    """Turn line numbers within each batch into line numbers within the file."""
    before = 0
    for made in results:
        moved = [replace(refusal, line=refusal.line + before) for refusal in made.refusals]
        yield replace(made, refusals=tuple(moved)) if moved else made
        before += made.lines


class BulkScorer:
    """Scores batch after batch; keeps what it compiled in between."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._fast = FastScorer(catalogue)

    def score(self, batch: Batch) -> Scored:
        """Return the Observations and refusals of a batch, its first line being 1; never raises for what is in it."""
        fast = self._fast.observations
        made: list[bytes] = []
        refusals: list[Refusal] = []
        for number, line in enumerate(batch, start=1):
            if line is None:
                refusals.append(Refusal(number, None, TOO_LONG))
                continue
            observations = fast(line)
            if observations is not None:
                made.append(observations)
            elif line and not line.isspace():
                made += self._plain(line, number, refusals)
        return Scored(b"".join(made), len(made), len(batch), tuple(refusals))

    def _plain(self, text: bytes, line: int, refusals: list[Refusal]) -> Iterator[bytes]:
        try:
            value = orjson.loads(text.removeprefix(BOM))
        except orjson.JSONDecodeError as error:
            refusals.append(Refusal(line, None, f"not readable as JSON: {error}"))
            return
        is_bundle = isinstance(value, dict) and value.get("resourceType") == "Bundle"
        for entry, response in _responses(value) if is_bundle else [(None, value)]:
            try:
                made = observations_as_ndjson(response, self._catalogue)
            except RefusedResponse as refused:
                refusals.append(Refusal(line, entry, str(refused)))
            else:
                if made:
                    yield made


def observations_as_ndjson(response: Any, catalogue: Catalogue) -> bytes:
    """Return one parsed response's Observations as NDJSON, the plain way; empty for an instrument without scores.

    Raises RefusedResponse.
    """
    answers = answers_of(response, catalogue)
    made = observations_of(answers, score(answers.instrument, answers.values))
    try:
        return b"".join(orjson.dumps(one) + b"\n" for one in made)
    except orjson.JSONEncodeError as error:
        raise NotAResponse(f"its subject or identifier cannot be written as JSON ({error})") from None


def _responses(bundle: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    """Yield the QuestionnaireResponses of a Bundle with the number of their entry.

    A Bundle in it (a batch of searches has those) comes along, to be refused: nothing in it is lost in silence.
    """
    entries = bundle.get("entry", [])
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") in ("QuestionnaireResponse", "Bundle"):
            yield number, resource
