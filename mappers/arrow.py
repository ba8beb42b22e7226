"""Score by Arrow: columns of lines in, columns of results out, for engines that hold tables (Spark, DuckDB, Polars).

A line is what it is to `mappers.bulk`, and so are its Observations and refusals. Each line gives one result, in its
place: whatever else a row holds (a file and a line number, an id of the warehouse) stays beside it, so that the order
and the names of lines are the table's own. A line that is null or too long is refused; a blank one gives nothing.
Needs pyarrow, which each of the extras for engines brings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

import orjson
import pyarrow as pa

from mappers.bulk import LONGEST_LINE, Batch, BulkScorer
from mappers.observations import ABSENT_SYSTEM, RULE_SYSTEM, SCORE_SYSTEM
from mappers.tolerant import code_in, object_in, objects_in, text_in
from questionnaires.catalogue import catalogue

LINE: Final = "line"
"""What the column of lines is called, unless it is said otherwise."""

REFUSAL: Final = pa.struct([("entry", pa.int32()), ("reason", pa.string())])
RESULT: Final = pa.struct([("observations", pa.binary()), ("refusals", pa.list_(REFUSAL))])
"""What a line gives: its Observations as NDJSON (null for none), and a reason for each response that gave none."""

RESULT_SQL: Final = "observations binary, refusals array<struct<entry: int, reason: string>>"
"""The same columns in the words of Spark, for the schema of `mapInArrow`."""

SCORES: Final = pa.schema(
    [
        ("score_identifier", pa.string()),
        ("status", pa.string()),
        ("subject_reference", pa.string()),
        ("code", pa.string()),
        ("score_value", pa.float64()),
        ("absent_code", pa.string()),
        ("reason", pa.string()),
        ("rule", pa.string()),
        ("score_date", pa.string()),
        ("response_reference", pa.string()),
        ("response_identifier", pa.string()),
    ]
)
"""A row per score, or per reason why there is none; named as in the view `verstel_scores` (docs/views.md)."""

SCORES_SQL: Final = ", ".join(f"{one.name} {'double' if one.type == pa.float64() else 'string'}" for one in SCORES)

# An array of bytes holds 2 GB at most. What lines of this many bytes give, however small they are, stays far below.
_MOST_AT_ONCE: Final = 16 * 1024 * 1024


def results_of(lines: pa.Array | pa.ChunkedArray, *, longest: int = LONGEST_LINE) -> pa.ChunkedArray:
    """Return the result (`RESULT`) of each line of a column of bytes or text, in order.

    A line longer than `longest` bytes is refused as one that is null, whatever is in it.
    """
    scorer = _scorer()
    chunks = [_results(scorer, some) for some in _cut(_as_bytes(lines, longest))]
    return pa.chunked_array(chunks, RESULT)


def scored(
    batches: Iterable[pa.RecordBatch], column: str = LINE, *, longest: int = LONGEST_LINE
) -> Iterator[pa.RecordBatch]:
    """Yield rows with the column of lines replaced by `observations` and `refusals`: a function for `mapInArrow`."""
    for batch in batches:
        at = 0
        for chunk in results_of(batch.column(column), longest=longest).chunks:
            rest = batch.drop_columns([column]).slice(at, len(chunk))
            at += len(chunk)
            names, columns = (*rest.schema.names, "observations", "refusals"), (*rest.columns, *chunk.flatten())
            yield pa.RecordBatch.from_arrays(list(columns), names=list(names))


def scores(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield a row per score (`SCORES`) of rows that `scored` made, and beside it what else its line had."""
    for batch in batches:
        rows: list[dict[str, Any]] = []
        origin: list[int] = []
        for number, observations in enumerate(batch.column("observations").to_pylist()):
            made = [row for one in (observations or b"").splitlines() if (row := _score(orjson.loads(one)))]
            rows += made
            origin += [number] * len(made)
        rest = batch.drop_columns(["observations", "refusals"]).take(pa.array(origin, pa.int64()))
        of_rows = pa.RecordBatch.from_pylist(rows, SCORES)
        names = [*rest.schema.names, *SCORES.names]
        yield pa.RecordBatch.from_arrays([*rest.columns, *of_rows.columns], names=names)


@cache
def _scorer() -> BulkScorer:
    # An engine calls from a process of its own once per batch: what is compiled is kept from one to the next.
    return BulkScorer(catalogue())


def _as_bytes(lines: pa.Array | pa.ChunkedArray, longest: int) -> Iterator[bytes | None]:
    for line in lines.to_pylist():
        known = line.encode() if isinstance(line, str) else line
        yield None if known is None or len(known) > longest else known


def _cut(lines: Iterable[bytes | None]) -> Iterator[Batch]:
    some: Batch = []
    length = 0
    for line in lines:
        some.append(line)
        length += len(line or b"")
        if length >= _MOST_AT_ONCE:
            yield some
            some, length = [], 0
    if some:
        yield some


def _results(scorer: BulkScorer, lines: Batch) -> pa.StructArray:
    made = [scorer.score([line]) for line in lines]
    observations = pa.array([one.observations or None for one in made], pa.binary())
    refused = [[{"entry": each.entry, "reason": each.reason} for each in one.refusals] for one in made]
    return pa.StructArray.from_arrays([observations, pa.array(refused, pa.list_(REFUSAL))], fields=list(RESULT))


def _score(observation: dict[str, Any]) -> dict[str, Any] | None:
    if "hasMember" in observation:  # a panel says nothing that its members do not
        return None
    [response] = objects_in(observation, "derivedFrom")
    found = {
        "score_identifier": text_in(objects_in(observation, "identifier")[0], "value"),
        "status": text_in(observation, "status"),
        "subject_reference": text_in(object_in(observation, "subject"), "reference"),
        "code": code_in(observation, "code", SCORE_SYSTEM),
        "absent_code": code_in(observation, "dataAbsentReason", ABSENT_SYSTEM),
        "reason": text_in(object_in(observation, "dataAbsentReason"), "text"),
        "rule": code_in(observation, "method", RULE_SYSTEM),
        "score_date": text_in(observation, "effectiveDateTime"),
        "response_reference": text_in(response, "reference"),
        "response_identifier": text_in(object_in(response, "identifier"), "value"),
    }
    value = object_in(observation, "valueQuantity").get("value")
    return {name: text or None for name, text in found.items()} | {"score_value": value}
