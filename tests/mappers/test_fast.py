"""The fast way gives, byte for byte, what the plain way gives; what it does not know it leaves to the plain way."""

from __future__ import annotations

import json
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.answers import STATUSES
from mappers.bulk import observations_as_ndjson
from mappers.errors import RefusedResponse
from mappers.fast import FastScorer, NoFastWay, _Compiled
from tests.examples import examples
from tests.mappers.build import CATALOGUE, OBSERVED, all_answered, bent, response, values_for

RESPONSES = "https://verstel.nl/fhir/identifier/response"
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
ids = st.from_regex(r"[A-Za-z0-9.-]{1,64}", fullmatch=True)


def plain(line):
    """The plain way's bytes, or None where it refuses."""
    try:
        return observations_as_ndjson(orjson.loads(line), CATALOGUE)
    except (RefusedResponse, orjson.JSONDecodeError):
        return None


@st.composite
def usual(draw, instrument):
    """A response as our own app or a good renderer makes it, with everything that may differ."""
    made = response(
        instrument,
        draw(values_for(instrument)),
        id=draw(ids),
        identifier=draw(st.one_of(st.none(), words.map(lambda value: {"system": RESPONSES, "value": value}))),
        status=draw(st.sampled_from(["completed", "amended", "entered-in-error"])),
        authored=draw(st.sampled_from(["2026", "2026-05", "2026-05-31", "2026-05-31T10:00:00.123+02:00"])),
        language=draw(st.sampled_from(["nl", "en", None])),
        # A question mark makes it a search, which is left to the plain way.
        subject={"reference": draw(words.filter(lambda one: "?" not in one)), "display": draw(words)},
        text={"status": "generated", "div": draw(words)},
    )
    if draw(st.booleans()):  # what form renderers add: calculated scores, and questions without answer
        scores = draw(st.lists(st.sampled_from(instrument.scores), unique=True))
        items = [
            {"linkId": f"{instrument.id}-score-{rule.scale}", "answer": [{"valueDecimal": draw(st.floats(0, 90))}]}
            for rule in scores
        ]
        made["item"] = [*made.get("item", []), {"linkId": f"{instrument.id}-scores", "item": items}]
        asked = {item["linkId"] for group in made["item"] for item in group["item"]}
        for group in made["item"]:
            missing = [one.link_id for one in instrument.items if one.link_id not in asked]
            group["item"] += [{"linkId": link_id} for link_id in missing if draw(st.booleans())]
            asked |= {item["linkId"] for item in group["item"]}
    return made


@pytest.mark.parametrize("instrument", OBSERVED, ids=lambda one: one.id)
def test_both_ways_give_the_same_bytes(instrument):
    fast = FastScorer(CATALOGUE)

    @examples(60)
    @given(usual(instrument), st.booleans(), st.booleans())
    def holds(made, escaped, compact):
        line = json.dumps(made, ensure_ascii=escaped, separators=(",", ":") if compact else None).encode()
        # The second time its answers are known by their bytes, where it has no spaces between them.
        assert fast.observations(line) == fast.observations(line) == plain(line) is not None

    holds()


def test_instruments_may_alternate():
    fast = FastScorer(CATALOGUE)
    lines = [orjson.dumps(response(one, all_answered(one))) for one in OBSERVED] * 3
    assert [fast.observations(line) for line in lines] == [plain(line) for line in lines]


BENT = FastScorer(CATALOGUE)


@examples(400)
@given(bent(st.sampled_from(OBSERVED).flatmap(usual)))
def test_the_fast_way_never_scores_what_the_plain_way_refuses(changed):
    line = orjson.dumps(changed)
    made = BENT.observations(line)
    assert made is None or made == plain(line)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "in-progress"},
        {"authored": None},
        {"authored": "today"},
        {"authored": "2026-02-29"},
        {"authored": "2026-05-31T10:00+02:00"},
        {"id": None, "identifier": None},
        {"id": "a b"},
        {"subject": None},
        {"subject": {"reference": "Patient/1"}},
        {"subject": {"reference": "Patient?identifier=https://example.org/mrn|7", "display": "A."}},
        {"language": "fr"},
        {"questionnaire": "https://verstel.nl/fhir/Questionnaire/hoop"},
        {"questionnaire": "https://verstel.nl/fhir/Questionnaire/hoop|9.9.9"},
        {"item": [{"linkId": "hoop-01", "answer": [{"valueCoding": {"code": "1"}}]}]},
    ],
    ids=str,
)
def test_what_the_fast_way_does_not_know_it_leaves(changes):
    assert FastScorer(CATALOGUE).observations(orjson.dumps(response("hoop", all_answered("hoop"), **changes))) is None


@pytest.mark.parametrize("strange", ["\0", "", 0, 1, {}, [], None], ids=repr)
def test_items_below_an_item_and_answers_of_a_group_are_left_to_the_plain_way_whatever_they_are(strange):
    below_an_item, of_a_group = (response("hoop", all_answered("hoop")) for _ in range(2))
    below_an_item["item"][0]["item"][0]["item"] = strange
    of_a_group["item"][0]["answer"] = strange
    for made in (below_an_item, of_a_group):
        assert FastScorer(CATALOGUE).observations(orjson.dumps(made)) is None


# --- recalling ---------------------------------------------------------------------------------------------------

HOOP = response("hoop", all_answered("hoop"))
LINE = orjson.dumps(HOOP)
HEAD, *CUTS = LINE.split(b'{"linkId":')


def knowing(*lines):
    """A scorer that has seen these lines, and decodes of another one no more than its beginning."""
    fast = FastScorer(CATALOGUE)
    assert None not in [fast.observations(line) for line in lines]
    (compiled,) = fast._compiled.values()
    narrow = compiled.narrow
    compiled.narrow = compiled.wide = lambda line: narrow(line if line.endswith(b'"item":[]}') else b"")
    return fast


@pytest.mark.parametrize("end", [b"", b"\r"], ids=["LF", "CR LF"])
def test_answers_that_were_seen_before_are_recalled_for_another_client(end):
    fast = knowing(LINE + end)
    other = orjson.dumps(
        HOOP | {"id": "other", "authored": "2024-02-29", "subject": {"reference": "P/2", "display": "Zoë"}}
    )
    assert fast.observations(other + end) == plain(other) != plain(LINE)


def test_answers_of_several_responses_are_recalled_together():
    """HOOP with all 1, and with all 4: then the first item from one and the others from the other."""
    low, high = (orjson.dumps(response("hoop", all_answered("hoop", code))) for code in "14")
    fast = knowing(low, high)
    mixed = orjson.dumps(response("hoop", all_answered("hoop", "4") | {"hoop-01": "1"}))
    assert fast.observations(mixed) == plain(mixed) is not None


@pytest.mark.parametrize("instrument", OBSERVED, ids=lambda one: one.id)
def test_responses_with_spaces_between_their_members_are_recalled_too(instrument):
    fast = FastScorer(CATALOGUE)
    line = json.dumps(response(instrument.id, all_answered(instrument))).encode()
    assert b'{"linkId": "' in line
    assert fast.observations(line) == plain(line) is not None
    compiled = fast._compiled[instrument.canonical]
    head, *cuts = line.split(b'{"linkId":')
    assert compiled.recall(head, cuts) is not None
    assert compiled.recall(head.replace(b'"item": [', b'"item" : ['), cuts) is None  # other spaces are decoded


@pytest.mark.parametrize(
    ("order", "recalled"),
    [
        ([0, 1, 2, 3, -1], True),
        ([0, 3, 1, 2, -1], True),  # another order than the form's closes the same
        ([0, 1, 3, -1], True),  # so does one in which an item is not there
        ([1, 0, 2, 3, -1], False),  # an item before its group
        ([0, 1, -1, 2, 3], False),  # nothing may follow the end
        ([0, 1, 2, 3], False),  # no end
        ([0, 1, 2, 2, -1], False),  # an item twice
    ],
)
def test_known_cuts_are_recalled_in_an_order_in_which_they_close_what_they_open_and_no_other(order, recalled):
    fast = FastScorer(CATALOGUE)
    fast.observations(LINE)
    (compiled,) = fast._compiled.values()
    assert (compiled.recall(HEAD, [CUTS[at] for at in order]) is not None) == recalled


@examples(300)
@given(st.permutations(CUTS), st.integers(0, len(CUTS)), st.sampled_from(CUTS))
def test_known_cuts_in_whatever_order_give_what_the_plain_way_gives_or_nothing(cuts, kept, more):
    line = b'{"linkId":'.join([HEAD, *cuts[:kept], more, CUTS[-1]])
    fast = FastScorer(CATALOGUE)
    fast.observations(LINE)
    made = fast.observations(line)
    assert made is None or made == plain(line)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"item":[{"linkId":"hoop-statements"', b'"other":[{"linkId":"hoop-statements"'),
        (b'"item":[{"linkId":"hoop-statements"', b'"other":{"item":[{"linkId":"hoop-statements"'),
        (b'{"id"', b'{"modifierExtension":[{"url":"https://example.org"}],"id"'),
        (b'{"id"', b'{"implicitRules":"https://example.org","id"'),
        (b'{"id"', b'{"\\u006dodifierExtension":[{"url":"https://example.org"}],"id"'),
        (b'{"id"', b'{"text":{"div":"\xff"},"id"'),
        (CUTS[1], CUTS[1].replace(b'"text"', b'"modifierExtension":[{"url":"https://example.org"}],"text"')),
        (CUTS[1], CUTS[2]),
        (CUTS[0], b""),
        (CUTS[-1], CUTS[-1].replace(b"]}]}", b"]}")),
        (CUTS[-1], CUTS[-1] + b"{}"),
    ],
    ids=str,
)
def test_a_line_that_is_not_what_it_seems_is_not_recalled_though_its_answers_are_known(old, new):
    fast = FastScorer(CATALOGUE)
    assert fast.observations(LINE) == plain(LINE)
    assert old in LINE
    line = LINE.replace(old, new, 1)
    made = fast.observations(line)
    assert made in (None, plain(line))
    assert made != plain(LINE)


def test_answers_that_are_never_the_same_twice_do_not_fill_the_memory(monkeypatch):
    """Twelve answers and a group each, with a text of their own: 13 a line, of which 20 are kept."""
    monkeypatch.setattr("mappers.fast._MOST_CUTS", 20)
    fast = FastScorer(CATALOGUE)
    for number in range(5):
        line = LINE.replace(b'"text":"', b'"text":"%d ' % number)
        assert fast.observations(line) == fast.observations(line) == plain(line)
    (compiled,) = fast._compiled.values()
    assert len(compiled.cuts._known) == 20


def test_every_status_has_one_of_the_two_ways():
    assert {"in-progress", "stopped"} == STATUSES - {"completed", "amended", "entered-in-error"}


def test_bytes_that_are_not_utf_8_are_left_to_the_plain_way_even_where_nothing_reads_them():
    line = orjson.dumps(response("hoop", all_answered("hoop"), text={"div": "XX"})).replace(b"XX", b"\xff\xfe")
    assert FastScorer(CATALOGUE).observations(line) is None


def test_of_a_name_that_appears_twice_in_an_object_both_ways_take_the_last():
    """HOOP 1 answered 1, and then in the same object 4: three more in the total than the first would give."""
    line = orjson.dumps(response("hoop", all_answered("hoop", "1")))
    twice = line.replace(b'"code":"1"', b'"code":"1","code":"4"', 1)
    last = line.replace(b'"code":"1"', b'"code":"4"', 1)
    assert twice != line
    assert FastScorer(CATALOGUE).observations(twice) == plain(twice) == plain(last) != plain(line)


@pytest.mark.parametrize("instrument", OBSERVED, ids=lambda one: one.id)
@pytest.mark.parametrize("times", [2, 3, 40])
def test_an_item_that_appears_twice_is_seen_however_high_its_answers_add_up(instrument, times):
    """The six items of NEL's last dimension answered 5, one of them twice, add up to 35: more than its sum has bits."""
    for group in instrument.groups:
        highest = {item.link_id: str(item.scale.high) if item.scale else True for item in group.items}
        for link_id in highest:
            made = response(instrument, highest)
            made["item"][0]["item"] += [one for one in made["item"][0]["item"] if one["linkId"] == link_id] * (
                times - 1
            )
            assert FastScorer(CATALOGUE).observations(orjson.dumps(made)) is None, link_id


def test_instruments_without_scores_and_unknown_ones_have_no_fast_way():
    fast = FastScorer(CATALOGUE)
    assert fast.observations(orjson.dumps(response("sdm-visit", {}))) is None
    assert fast.observations(b'{"questionnaire": "https://example.org|1"}') is None
    assert fast.observations(b"") is None


def test_made_up_questionnaires_do_not_fill_the_memory():
    fast = FastScorer(CATALOGUE)
    for number in range(2500):
        fast.observations(b'{"questionnaire": "https://example.org|%d"}' % number)
    assert len(fast._compiled) <= 1001


def test_pieces_that_were_forgotten_are_made_anew_and_say_the_same(monkeypatch):
    monkeypatch.setattr("mappers.fast._MOST_PIECES", 1)
    fast = FastScorer(CATALOGUE)
    lines = [orjson.dumps(response("nel", all_answered("nel", code))) for code in "12345"] * 2
    assert [fast.observations(line) for line in lines] == [plain(line) for line in lines]


def test_an_instrument_with_two_code_systems_is_left_to_the_plain_way():
    hoop = CATALOGUE.instrument("hoop")
    group, *others = hoop.groups
    first, *rest = group.items
    assert first.scale is not None
    strange = replace(first, scale=replace(first.scale, id="other"))
    mixed = replace(hoop, groups=(replace(group, items=(strange, *rest)), *others))
    with pytest.raises(NoFastWay):
        _Compiled.of(mixed)


def test_a_form_about_a_team_gives_no_scores_of_a_person_by_the_fast_way():
    with pytest.raises(NoFastWay):
        _Compiled.of(replace(CATALOGUE.instrument("hoop"), subject="team"))
