"""Score whole populations: blocks of bytes in, Observations as NDJSON out, in order, and a reason for each refusal.

A line is a QuestionnaireResponse, or a Bundle that holds some (its other resources are ignored). Memory does not grow
with the number of lines: a batch is as big as the block that was read plus the line that it completes, and a line
longer than `LONGEST_LINE` is dropped while it is being read. Parsed, a line of that length made up of nothing but tiny
objects takes about forty times its size: the most we measured is 1.25 GB.

A name that appears twice in one JSON object goes unnoticed: the last one counts, in the fast way as in the plain one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from mappers.answers import answers_of
from mappers.errors import LivingForm, NotAResponse, RefusedResponse
from mappers.fast import FastScorer
from mappers.observations import observations_of
from mappers.scoring import score
from questionnaires.catalogue import Catalogue

LONGEST_LINE: Final = 32 * 1024 * 1024
TOO_LONG: Final = f"longer than {LONGEST_LINE // 1024 // 1024} MB; give one QuestionnaireResponse per line"
BOM: Final = b"\xef\xbb\xbf"
_STAND_IN: Final = "QuestionnaireResponse/nameless"


# Consecutive whole lines without their line ends; None for a line that was too long to keep.
Batch = list[bytes | None]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A response that gave no scores: its line (from 1), its entry if it was in a Bundle (from 0), and why."""

    line: int
    entry: int | None
    reason: str

    def __str__(self) -> str:
        return self.reason if self.entry is None else f"entry[{self.entry}]: {self.reason}"


@dataclass(frozen=True, slots=True)
class Scored:
    """What a batch gave: Observations as NDJSON, the responses that had any, the lines read, and the refusals."""

    observations: bytes
    responses: int
    lines: int
    refusals: tuple[Refusal, ...]


def batches_of(blocks: Iterable[bytes], longest: int = LONGEST_LINE) -> Iterator[Batch]:
    """Cut blocks of a file into batches of whole lines; a line longer than `longest` bytes becomes None.

    A byte order mark at the start is skipped here. One further on, where files were concatenated, is skipped when its
    line is parsed. Lines end with LF; a CR before it is white space in JSON.
    """
    begun: list[bytes] = []  # the pieces of a line whose end has not been seen yet
    length = 0
    for number, block in enumerate(blocks):
        text = block.removeprefix(BOM) if number == 0 else block
        pieces, rest = _lines_of(text)
        if pieces:
            lines: Batch = [*pieces]
            if length:
                lines[0] = b"".join([*begun, pieces[0]]) if length + len(pieces[0]) <= longest else None
            yield lines
            begun, length = [], 0
        length += len(rest)
        # Once a line is too long only its length is kept: an endless one must not fill the memory.
        begun = [*begun, rest] if length <= longest else []
    if length:
        yield [b"".join(begun) if length <= longest else None]


def _lines_of(text: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole lines of a text without their ends, and what follows the last one.

    `bytes.split` looks at one byte after another; `find` at many at once, which is much for lines of kilobytes.
    """
    lines: list[bytes] = []
    start = 0
    while (end := text.find(b"\n", start)) >= 0:
        lines.append(text[start:end])
        start = end + 1
    return lines, text[start:]


def numbered(results: Iterable[Scored]) -> Iterator[Scored]:
    """Count the lines of refusals from the start of the file instead of from the start of their batch."""
    before = 0
    for made in results:
        moved = [replace(refusal, line=refusal.line + before) for refusal in made.refusals]
        yield replace(made, refusals=tuple(moved)) if moved else made
        before += made.lines


class BulkScorer:
    """Scores one batch after another, and keeps what it has compiled from one to the next."""

    def __init__(self, catalogue: Catalogue, *, nameless: bool = False) -> None:
        """Score with this catalogue; `nameless` for scores that nobody stores: then a response needs no name."""
        self._catalogue = catalogue
        self._stand_in = _STAND_IN if nameless else ""
        self._fast = FastScorer(catalogue)

    def score(self, batch: Batch) -> Scored:
        """Score a batch, whose first line is number 1; never raises for what is in it."""
        fast = self._fast.pieces_of
        made: list[bytes] = []  # the pieces of all lines: joined once, for each join copies every byte
        responses = 0
        refusals: list[Refusal] = []
        for number, line in enumerate(batch, start=1):
            if line is None:
                refusals.append(Refusal(number, None, TOO_LONG))
                continue
            pieces = fast(line)
            if pieces is not None:
                made += pieces
                responses += 1
            elif line and not line.isspace():
                found = [*self._plain(line, number, refusals)]
                made += found
                responses += len(found)
        return Scored(b"".join(made), responses, len(batch), tuple(refusals))

    def _plain(self, text: bytes, line: int, refusals: list[Refusal]) -> Iterator[bytes]:
        try:
            value = orjson.loads(text.removeprefix(BOM))
        except orjson.JSONDecodeError as error:
            refusals.append(Refusal(line, None, f"not readable as JSON: {error}"))
            return
        is_bundle = isinstance(value, dict) and value.get("resourceType") == "Bundle"
        for entry, response in _responses(value) if is_bundle else [(None, value)]:
            try:
                made = observations_as_ndjson(response, self._catalogue, stand_in=self._stand_in)
            except RefusedResponse as refused:
                refusals.append(Refusal(line, entry, str(refused)))
            else:
                if made:
                    yield made


def observations_as_ndjson(response: Any, catalogue: Catalogue, *, stand_in: str = "") -> bytes:
    """Return the Observations of one parsed response as NDJSON, the plain way; empty if its instrument has no scores.

    `stand_in` is what a response is called that has neither id nor identifier. Raises RefusedResponse.
    """
    try:
        answers = answers_of(response, catalogue)
    except LivingForm:  # an export of a whole record has these too, and there is nothing wrong with them
        return b""
    reference = answers.response.reference or ("" if answers.response.identifier else stand_in)
    made = observations_of(answers, score(answers.instrument, answers.values), response_reference=reference)
    try:
        return b"".join(orjson.dumps(one) + b"\n" for one in made)
    except orjson.JSONEncodeError as error:  # json.loads, unlike orjson's, lets half a surrogate pair through
        raise NotAResponse(f"its subject or identifier cannot be written as JSON ({error})") from None


def _responses(bundle: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    """Yield each QuestionnaireResponse of a Bundle with the number of its entry.

    A Bundle within it (the answer to a batch of searches has them) is yielded too, and will be refused: what it holds
    must not be lost in silence.
    """
    entries = bundle.get("entry", [])
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") in ("QuestionnaireResponse", "Bundle"):
            yield number, resource
