"""A table of lines becomes a table of results: the same bytes and refusals as lines of a file, in their places."""

from __future__ import annotations

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.arrow import RESULT, SCORES, results_of, scored, scores
from mappers.bulk import TOO_LONG, BulkScorer, Refusal, Scored
from tests.examples import examples
from tests.mappers.build import CATALOGUE, all_answered, response

HOOP = orjson.dumps(response("hoop", all_answered("hoop")))
MANSA = orjson.dumps(response("mansa", all_answered("mansa", "4")))
BUNDLE = orjson.dumps(
    {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"resource": orjson.loads(HOOP)},
            {"resource": {**orjson.loads(HOOP), "status": "in-progress"}},
            {"resource": orjson.loads(MANSA)},
        ],
    }
)
ODD = [b"", b"  ", b"{", b"\xff\xfe", HOOP.replace(b"Anna", b"\xc3\x28"), b'{"resourceType":"Patient"}', None, BUNDLE]
SCORER = BulkScorer(CATALOGUE)


def as_one(results) -> Scored:
    """The results of a column put together as if they had been one batch."""
    rows = results.to_pylist()
    return Scored(
        b"".join(row["observations"] or b"" for row in rows),
        0,
        len(rows),
        tuple(Refusal(n, one["entry"], one["reason"]) for n, row in enumerate(rows, 1) for one in row["refusals"]),
    )


@examples(60)
@given(st.lists(st.sampled_from([HOOP, MANSA, *ODD]) | st.binary(max_size=30), max_size=8), st.integers(0, 3))
def test_a_column_gives_what_a_batch_gives_however_it_is_cut(lines, cut):
    whole = SCORER.score(lines)
    column = pa.chunked_array([pa.array(lines[:cut], pa.binary()), pa.array(lines[cut:], pa.binary())])
    made = as_one(results_of(column))
    assert (made.observations, made.lines, made.refusals) == (whole.observations, whole.lines, whole.refusals)


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.string(), pa.large_string(), pa.binary_view()])
def test_lines_may_be_bytes_or_text_of_any_width(kind):
    made = results_of(pa.array([HOOP, None, MANSA], kind))
    assert made.type == RESULT
    assert as_one(made).observations == SCORER.score([HOOP, MANSA]).observations
    assert as_one(made).refusals == (Refusal(2, None, TOO_LONG),)


def test_a_line_of_exactly_the_longest_length_is_scored_and_one_byte_more_is_refused():
    assert as_one(results_of(pa.array([HOOP]), longest=len(HOOP))).refusals == ()
    assert as_one(results_of(pa.array([HOOP + b" "]), longest=len(HOOP))).refusals == (Refusal(1, None, TOO_LONG),)


def test_what_else_a_row_holds_stays_beside_its_result_and_the_order_is_kept():
    columns = {"id": pa.array([7, 5, 6]), "body": pa.array([HOOP, b"{", BUNDLE]), "ward": ["a", "b", "c"]}
    [made] = scored([pa.record_batch(columns)], "body")
    assert made.schema.names == ["id", "ward", "observations", "refusals"]
    assert made.column("id").to_pylist() == [7, 5, 6]
    assert made.column("ward").to_pylist() == ["a", "b", "c"]
    assert [[one["entry"] for one in row] for row in made.column("refusals").to_pylist()] == [[], [None], [1]]
    assert made.column("observations").to_pylist()[1] is None


def test_a_large_batch_comes_back_in_pieces_that_fit_and_misses_no_row(monkeypatch):
    monkeypatch.setattr("mappers.arrow._MOST_AT_ONCE", 2 * len(HOOP))
    made = list(scored([pa.record_batch({"n": pa.array(range(5)), "line": pa.array([HOOP] * 5)})]))
    assert [one.num_rows for one in made] == [2, 2, 1]
    assert [n for one in made for n in one.column("n").to_pylist()] == [0, 1, 2, 3, 4]


def test_an_empty_table_gives_an_empty_one():
    assert list(scored([])) == []
    assert list(scored([pa.record_batch({"line": pa.array([], pa.binary())})])) == []
    assert results_of(pa.array([], pa.binary())).type == RESULT


def test_scores_are_rows_for_who_counts_them_and_each_says_of_which_line_it_is():
    unanswered = orjson.dumps(response("hoop", {}))
    [made] = scores(scored([pa.record_batch({"n": pa.array([1, 2, 3]), "line": pa.array([HOOP, b"{", unanswered])})]))
    assert made.schema.names == ["n", *SCORES.names]
    rows = [row for row in made.to_pylist() if row["code"] == "hoop-total"]
    # Twelve answers of 2, of which two count the other way round on a scale of 1 to 4: 10 × 2 + 2 × (5 − 2) = 26.
    assert rows[0] == {
        "n": 1,
        "score_identifier": "r-1/hoop-total",
        "status": "final",
        "subject_reference": "Patient/anna",
        "code": "hoop-total",
        "score_value": 26.0,
        "absent_code": None,
        "reason": None,
        "rule": "hoop-total@1",
        "score_date": "2026-05-01T10:00:00+02:00",
        "response_reference": "QuestionnaireResponse/1",
        "response_identifier": "r-1",
    }
    assert (rows[1]["n"], rows[1]["score_value"], rows[1]["absent_code"]) == (3, None, "unknown")
    assert rows[1]["reason"] == "0 van 12 vragen beantwoord; alle antwoorden zijn nodig."
    assert not any(row["code"].endswith("-panel") for row in made.to_pylist())
