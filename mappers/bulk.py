"""Whole populations: blocks of bytes in, Observations as NDJSON out, in order, with a reason for everything refused.

A line is a QuestionnaireResponse or a Bundle with QuestionnaireResponses in it (its other resources are left alone).
Memory does not grow with the number of lines: a batch is as big as the block that was read and the line that it ends,
and a line longer than `LONGEST_LINE` is dropped while it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from mappers.answers import answers_of
from mappers.errors import NotAResponse, RefusedResponse
from mappers.observations import observations_of
from mappers.scoring import score
from mappers.templates import FastScorer
from questionnaires.catalogue import Catalogue

LONGEST_LINE: Final = 32 * 1024 * 1024
TOO_LONG: Final = f"longer than {LONGEST_LINE // 1024 // 1024} MB; give one QuestionnaireResponse per line"
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Batch:
    """Some whole lines that follow each other; `first` is the number of the first (from 1).

    `text` is None for one line that was too long to keep.
    """

    first: int
    text: bytes | None

    @property
    def last(self) -> int:
        """Return the number of the last line."""
        if self.text is None:
            return self.first
        return self.first + self.text.count(b"\n") - self.text.endswith(b"\n")

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the lines that hold anything, with their numbers."""
        for number, line in enumerate((self.text or b"").split(b"\n"), start=self.first):
            if line and not line.isspace():
                yield number, line


@dataclass(frozen=True, slots=True)
class Refusal:
    """One response that gave no scores: the line, the entry within a Bundle (from 0) or None, and why."""

    line: int
    entry: int | None
    reason: str

    def __str__(self) -> str:
        return self.reason if self.entry is None else f"entry[{self.entry}]: {self.reason}"


@dataclass(frozen=True, slots=True)
class Scored:
    """What a batch gave: Observations as NDJSON, how many responses had any, what was refused, and its last line."""

    observations: bytes
    responses: int
    last: int
    refusals: tuple[Refusal, ...]


def batches_of(blocks: Iterable[bytes], longest: int = LONGEST_LINE) -> Iterator[Batch]:
    """Cut blocks of a file into batches of whole lines; a line that is longer than `longest` is a batch without text.

    A byte order mark at the start is skipped. Lines end with LF; a CR before it is white space in JSON.
    """
    first = 1
    begun: list[bytes] = []  # the pieces of a line whose end was not seen yet
    length = 0
    for number, block in enumerate(blocks):
        text = block.removeprefix(_BOM) if number == 0 else block
        end = text.rfind(b"\n") + 1
        if end:
            start = text.index(b"\n") + 1
            if length + start > longest:
                yield Batch(first, None)
                whole, first = text[start:end], first + 1
            else:  # a view, so that the block is copied once
                whole = b"".join([*begun, memoryview(text)[:end]])
            if whole:
                made = Batch(first, whole)
                yield made
                first = made.last + 1
            begun, length = [], 0
        rest = text[end:]
        length += len(rest)
        # Of a line that is too long already, only the length is kept.
        begun = [*begun, rest] if length <= longest else []
    if length:
        yield Batch(first, b"".join(begun) if length <= longest else None)


class BulkScorer:
    """Scores batch after batch; keeps what it compiled in between."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._fast = FastScorer(catalogue)

    def score(self, batch: Batch) -> Scored:
        """Return the Observations and refusals of a batch; never raises for what is in a line."""
        fast = self._fast.observations
        made: list[bytes] = []
        refusals: list[Refusal] = []
        if batch.text is None:
            refusals.append(Refusal(batch.first, None, TOO_LONG))
        for number, line in batch.lines():
            observations = fast(line)
            if observations is not None:
                made.append(observations)
            else:
                made += self._plain(line, number, refusals)
        return Scored(b"".join(made), len(made), batch.last, tuple(refusals))

    def _plain(self, text: bytes, line: int, refusals: list[Refusal]) -> Iterator[bytes]:
        try:
            value = orjson.loads(text)
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
    """Yield the QuestionnaireResponses of a Bundle with the number of their entry."""
    entries = bundle.get("entry", [])
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "QuestionnaireResponse":
            yield number, resource
