"""Whole files are scored in order, whatever is in them, and every refusal says where and why."""

from __future__ import annotations

import json
import time
import tracemalloc

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mappers.bulk import BulkScorer, batches_of, numbered, observations_as_ndjson
from mappers.errors import NotAResponse
from questionnaires.canonical import questionnaire_url
from tests.examples import examples
from tests.mappers.build import CATALOGUE, all_answered, response
from tests.new_form import known_with

GOOD = orjson.dumps(response("hoop", all_answered("hoop")))
NEL = orjson.dumps(response("nel", all_answered("nel", "3")))
ONE = observations_as_ndjson(orjson.loads(GOOD), CATALOGUE)


def scored(text, block=1 << 20, known=CATALOGUE, **options):
    """The whole output and the refusals of a file, read in blocks of a size."""
    blocks = [text[at : at + block] for at in range(0, len(text), block)]
    scorer = BulkScorer(known)
    made = list(numbered(map(scorer.score, batches_of(blocks, **options))))
    return b"".join(one.observations for one in made), [refusal for one in made for refusal in one.refusals]


lines = st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b" ")), max_size=20)


@given(lines, st.integers(1, 40), st.booleans())
def test_cutting_into_batches_loses_no_line(content, block, ends):
    text = b"\n".join(content) + (b"\n" if ends and content else b"")
    blocks = [text[at : at + block] for at in range(0, len(text), block)]
    assume(not text.startswith(b"\xef\xbb\xbf"))
    whole = text.split(b"\n") if not text.endswith(b"\n") else text.split(b"\n")[:-1]
    assert [line for batch in batches_of(blocks) for line in batch] == (whole if text else [])


def test_the_order_of_the_input_is_the_order_of_the_output():
    text = b"\n".join([GOOD, NEL] * 20)
    made, refusals = scored(text, block=5000)
    codes = [json.loads(line)["code"]["coding"][0]["code"] for line in made.splitlines()]
    assert [code for code in codes if code.endswith("-panel")] == ["hoop-panel", "nel-panel"] * 20
    assert refusals == []


def test_a_refused_line_says_its_number_and_the_rest_is_scored():
    text = b"\n".join([GOOD, b"{", b"", b'{"resourceType":"Patient"}', GOOD])
    made, refusals = scored(text)
    assert made == ONE * 2
    assert [(one.line, one.entry) for one in refusals] == [(2, None), (4, None)]
    assert "not readable as JSON" in refusals[0].reason
    assert "Give a QuestionnaireResponse" in refusals[1].reason


def test_living_forms_and_records_of_an_export_give_no_scores_and_are_not_refused(tmp_path):
    """A folder of a bulk export has all responses of a person; there is nothing wrong with these."""
    row = {"linkId": "garden-plants", "item": [{"linkId": "garden-plant", "answer": [{"valueString": "Munt"}]}]}
    about = {"resourceType": "QuestionnaireResponse", "status": "completed", "authored": "2026-05-31"}
    garden = {**about, "questionnaire": f"{questionnaire_url('garden')}|1.0.0", "item": [row, row]}
    decision = response("decision", {"decision-topic": "Slapen"})
    text = b"\n".join([GOOD, orjson.dumps(garden), orjson.dumps(decision), GOOD])
    assert scored(text, known=known_with(tmp_path)) == (ONE * 2, [])


def test_a_bundle_gives_the_scores_of_its_responses_and_names_the_entry_that_it_refuses():
    draft = response("hoop", {}, status="in-progress")
    entries = [{"resource": one} for one in (orjson.loads(GOOD), {"resourceType": "Patient"}, draft)]
    made, refusals = scored(orjson.dumps({"resourceType": "Bundle", "entry": entries}))
    assert made == ONE
    assert [str(one) for one in refusals] == [
        "entry[2]: status: the response is 'in-progress'. Only completed answers are scored: if they were sent in, "
        "have the form program set 'completed'"
    ]


def test_a_bundle_in_a_bundle_is_refused_and_not_passed_over_in_silence():
    """The answer to a batch of searches is one; the responses in it would be lost."""
    inner = {"resourceType": "Bundle", "entry": [{"resource": response("hoop", all_answered("hoop"))}]}
    made, (refusal,) = scored(orjson.dumps({"resourceType": "Bundle", "entry": [{"resource": inner}]}))
    assert made == b""
    assert str(refusal) == "entry[0]: this is a resource of type 'Bundle'. Give a QuestionnaireResponse"


@pytest.mark.parametrize("bundle", [{}, {"entry": None}, {"entry": {}}, {"entry": [1, {}, {"resource": 3}]}])
def test_a_bundle_without_responses_gives_nothing(bundle):
    assert scored(orjson.dumps({"resourceType": "Bundle", **bundle})) == (b"", [])


def test_an_instrument_without_scores_is_no_refusal():
    assert scored(orjson.dumps(response("sdm-visit", {"sdm-visit-helps": "Zingen"}))) == (b"", [])


def test_windows_line_ends_blank_lines_and_a_byte_order_mark_are_fine():
    made, refusals = scored(b"\xef\xbb\xbf" + GOOD + b"\r\n\r\n" + GOOD + b"\r\n")
    assert (made, refusals) == (ONE * 2, [])


def replaced(old, new):
    assert old in GOOD
    return GOOD.replace(old, new, 1)


SYSTEM = CATALOGUE.instrument("hoop").items[0].scale.system.encode()
FIRST = GOOD[GOOD.index(b'"answer":') : GOOD.index(b"]", GOOD.index(b'"answer":')) + 1]

HOSTILE = {
    "truncated": GOOD[:-20],
    "depth 10,000": replaced(b'"status"', b'"x":' + b"[" * 10_000 + b"]" * 10_000 + b',"status"'),
    "depth 10,000, never closed": b'{"a":' * 10_000,
    "items 1,000 deep": replaced(b'"item":[', b'"item":[' + b'{"linkId":"hoop-statements","item":[' * 500),
    "two answers": replaced(FIRST, FIRST[:-1] + b',{"valueInteger":1}]'),
    "two values": replaced(FIRST, b'"answer":[{"valueInteger":1,"valueDecimal":2}]'),
    "number as text": replaced(FIRST, b'"answer":[{"valueString":"3"}]'),
    "not a number": replaced(FIRST, b'"answer":[{"valueDecimal":NaN}]'),
    "too big a number": replaced(FIRST, b'"answer":[{"valueDecimal":1e400}]'),
    "a number of 100,000 digits": replaced(FIRST, b'"answer":[{"valueInteger":' + b"1" * 100_000 + b"}]"),
    "unknown questionnaire": replaced(b"Questionnaire/hoop|", b"Questionnaire/phq-9|"),
    "unknown version": replaced(b"hoop|1.0.0", b"hoop|1.0.1"),
    "not UTF-8": replaced(b"Anna", b"Ann\xe9"),
    "UTF-16": GOOD.decode().encode("utf-16"),
    "a lone surrogate": replaced(b"Anna", b"\\ud800"),
    "a null byte": replaced(b"Anna", b"An\x00na"),
    "a list": b"[" + GOOD + b"]",
    "two resources on one line": GOOD + GOOD,
    "another code system": replaced(SYSTEM, b"http://loinc.org"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_lines_are_refused_with_a_reason_and_the_next_line_is_scored(name):
    started = time.process_time()
    made, refusals = scored(HOSTILE[name] + b"\n" + GOOD)
    assert made == ONE
    assert [refusal.line for refusal in refusals] == [1]
    assert 10 < len(refusals[0].reason) < 600
    assert time.process_time() - started < 5


def test_a_line_of_50_mb_is_dropped_while_it_is_read_and_the_rest_is_scored():
    """50 blocks of 1 MB without a line end; no more than the longest line may be in memory (here 4 MB)."""

    def blocks():
        yield GOOD + b"\n"
        yield from (b'"' + b"x" * (1 << 20) for _ in range(50))
        yield b"\n" + GOOD + b"\n"

    tracemalloc.start()
    try:
        made = list(numbered(map(BulkScorer(CATALOGUE).score, batches_of(blocks(), longest=4 << 20))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert b"".join(one.observations for one in made) == ONE * 2
    assert [(refusal.line, refusal.reason) for one in made for refusal in one.refusals] == [
        (2, "longer than 32 MB; give one QuestionnaireResponse per line")
    ]
    assert peak < 16 << 20


def test_memory_does_not_grow_with_the_number_of_lines():
    def peak(blocks):
        scorer = BulkScorer(CATALOGUE)
        tracemalloc.start()
        try:
            for batch in batches_of((GOOD + b"\n") * 50 for _ in range(blocks)):
                scorer.score(batch)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)
    assert peak(20) < 1.5 * peak(2)


@examples(300)
@given(st.binary(max_size=200), st.integers(0, len(GOOD)), st.integers(0, 60))
def test_random_bytes_in_a_line_never_crash_and_never_touch_the_next_line(junk, at, taken):
    line = (GOOD[:at] + junk + GOOD[at + taken :]).replace(b"\n", b" ")
    made, refusals = scored(line + b"\n" + GOOD)
    assert made.endswith(ONE)
    assert bool(refusals) == (made == ONE and bool(line.strip()))


def test_line_numbers_run_on_over_batches():
    text = b"\n".join([b"{", b"", GOOD, b"["] * 3)
    assert [one.line for one in scored(text, block=700)[1]] == [1, 4, 5, 8, 9, 12]


def test_half_a_character_in_a_name_is_a_refusal_and_no_crash():
    """`json.loads`, unlike orjson, lets half a surrogate pair through."""
    given = json.loads(GOOD.replace(b"Anna", b"\\ud800", 1))
    with pytest.raises(NotAResponse, match="cannot be written as JSON"):
        observations_as_ndjson(given, CATALOGUE)
