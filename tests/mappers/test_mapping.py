"""An EHR's own form is read by a map of the place: each answer as the map states it, and nothing else."""

from __future__ import annotations

import contextlib
import copy

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.answers import answers_of, asked_in
from mappers.bulk import BulkScorer
from mappers.errors import NotAResponse, OtherQuestionnaire, RefusedAnswer, RefusedItem, RefusedResponse
from mappers.fast import FastScorer
from mappers.mapping import mapped, ours
from mappers.read_scores import read_scores, unstored
from questionnaires.catalogue import Catalogue
from tests.examples import examples
from tests.mappers.build import CATALOGUE, all_answered, response
from tests.questionnaires.test_maps import FORM, written

SYSTEM = "https://ehr.example.org/fhir/CodeSystem/eens"
_NAMES = ("item", "answer", "linkId", "text", "valueCoding", "valueInteger", "valueString", "code", "system", "display")
CODES = dict(zip("1234", "ABCD", strict=True))


@pytest.fixture(scope="module")
def known(tmp_path_factory) -> Catalogue:
    folder = tmp_path_factory.mktemp("maps")
    written(folder)
    text = f"""
id = "life-here"
about = "Us"
instrument = "mansa"
version = "1.0.0"
questionnaires = ["Questionnaire/77"]
items = [
  {{ ours = "mansa-01", text = "Hoe tevreden bent u met uw leven?", scale = "cijfer" }},
  {{ ours = "mansa-02", text = "Hoe tevreden bent u met uw werk?", scale = "cijfer" }},
  {{ ours = "mansa-07", link_id = "crime", scale = "ja-nee" }},
]
left_out = ["Opmerkingen"]
[[scales]]
name = "cijfer"
answers = [{", ".join(f'{{ ours = "{n}", numbers = [{n}], texts = ["{n}"] }}' for n in range(1, 8))}]
[[scales]]
name = "ja-nee"
answers = [{{ ours = true, codes = ["J"], booleans = [true] }}, {{ ours = false, codes = ["N"], booleans = [false] }}]
"""
    written(folder, text, name="life-here")
    return Catalogue(maps=folder)


def theirs(answers=None, **changes):
    """A response to the EHR's form, with these answers (item number → value of the answer) and C elsewhere."""
    given = {n: {"valueCoding": {"system": SYSTEM, "code": "C"}} for n in range(1, 13)} | (answers or {})
    items = [{"linkId": f"v{n}", "answer": [value]} for n, value in given.items()]
    made = {
        "resourceType": "QuestionnaireResponse",
        "id": "e1",
        "questionnaire": FORM,
        "status": "completed",
        "authored": "2026-05-01T10:00:00+02:00",
        "subject": {"reference": "Patient/anna", "display": "Anna"},
        "item": [{"linkId": "all", "item": items}],
    }
    return {**made, **changes}


def test_what_it_makes_is_ours_and_the_rest_of_the_response_is_kept(known):
    given = theirs(text={"status": "generated", "div": "<div>Mee eens</div>"}, meta={"versionId": "2"})
    before = copy.deepcopy(given)
    made = mapped(given, known.maps)
    assert given == before
    expected = response("hoop", all_answered("hoop", "3"))
    assert made["questionnaire"] == expected["questionnaire"]
    assert {key: made[key] for key in ("id", "status", "authored", "subject", "meta")} == {
        key: given[key] for key in ("id", "status", "authored", "subject", "meta")
    }
    assert "text" not in made  # the words of the other form
    codings = [
        (one["linkId"], {key: one["answer"][0]["valueCoding"][key] for key in ("system", "code")})
        for group in made["item"]
        for one in group["item"]
    ]
    system = CATALOGUE.instrument("hoop").items[0].scale.system
    assert codings == [(f"hoop-{n:02}", {"system": system, "code": "3"}) for n in range(1, 13)]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"valueCoding": {"system": SYSTEM, "code": "A"}}, "1"),
        ({"valueCoding": {"code": "D"}}, "4"),
        ({"valueCoding": {"system": SYSTEM, "code": "B", "display": "Niet mee eens"}}, "2"),
        ({"valueCoding": {"system": SYSTEM, "code": "B", "display": "eerder niet"}}, "2"),
        ({"valueCoding": {"display": "helemaal  MEE eens"}}, "4"),
        ({"valueString": " Niet mee eens"}, "2"),
        ({"valueInteger": 0}, "1"),
        ({"valueDecimal": 3.0}, "4"),
        ({"valueCoding": {"system": SYSTEM, "code": "weet-niet"}}, None),
        ({"valueString": "Weet-niet"}, None),
        ({"valueString": "  "}, None),
        ({"extension": [{"url": "https://example.org/why", "valueString": "skipped"}]}, None),
    ],
)
def test_an_answer_is_what_the_map_says(known, value, code):
    assert answers_of(theirs({2: value}), known).values.get("hoop-02") == code


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"valueCoding": {"system": SYSTEM, "code": "E"}}, "does not have this answer"),
        ({"valueCoding": {"system": "https://other.example.org", "code": "A"}}, "a code of another code system"),
        ({"valueCoding": {"system": SYSTEM, "code": "A", "display": "Mee eens"}}, "another answer than its words"),
        ({"valueCoding": {"system": SYSTEM}}, "does not have this answer"),
        ({"valueString": "geheim"}, "does not have this answer"),
        ({"valueString": "1"}, "does not have this answer"),
        ({"valueInteger": 4}, "does not have this answer"),
        ({"valueDecimal": 1.5}, "does not have this answer"),
        ({"valueInteger": True}, "of a kind that no map reads"),
        ({"valueBoolean": True}, "does not have this answer"),
        ({"valueQuantity": {"value": 1}}, "of a kind that no map reads"),
        ({"valueInteger": 1, "valueString": "Mee eens"}, "2 answers to one question"),
    ],
)
def test_an_answer_that_the_map_does_not_state_is_refused(known, value, said):
    with pytest.raises(RefusedAnswer, match=said) as refused:
        answers_of(theirs({2: value}), known)
    assert str(refused.value).startswith("hoop-02: ")
    assert "geheim" not in str(refused.value)


def with_items(*more, **changes):
    made = theirs(**changes)
    made["item"] += more
    return made


def test_an_item_that_the_map_does_not_name_is_refused_with_its_link_id(known):
    other = {"linkId": "v13", "answer": [{"valueString": "geheim"}]}
    with pytest.raises(RefusedItem, match=r"the map hope-of-the-house does not say what 'v13' is") as refused:
        answers_of(with_items(other), known)
    assert "geheim" not in str(refused.value)
    # Nested in an answer is no hiding place.
    nested = {"linkId": "department", "answer": [{"valueString": "A", "item": [other]}]}
    with pytest.raises(RefusedItem, match="'v13'"):
        answers_of(with_items(nested), known)


def test_what_is_left_out_and_what_has_no_answer_may_be_there(known):
    more = [{"linkId": "department", "answer": [{"valueString": "A"}]}, {"linkId": "display"}, {"linkId": "v13"}]
    assert answers_of(with_items(*more), known).values == all_answered("hoop", "3")


def test_a_form_that_was_renumbered_is_refused(known):
    made = theirs()
    made["item"][0]["item"][0]["text"] = "ik kijk  positief naar het leven"
    assert answers_of(made, known).values["hoop-01"] == "3"
    made["item"][0]["item"][0]["text"] = "Ik voel me alleen"
    with pytest.raises(RefusedItem, match="'v1' asks something else than the map hope-of-the-house says"):
        answers_of(made, known)


def test_the_same_twice_is_one_and_two_answers_are_refused(known):
    same = {"linkId": "v1", "answer": [{"valueInteger": 2}]}
    assert answers_of(with_items(same), known).values["hoop-01"] == "3"
    for other in ([{"valueInteger": 0}], []):
        with pytest.raises(RefusedItem, match="'v1' appears twice"):
            answers_of(with_items({"linkId": "v1", "answer": other}), known)


def test_items_are_found_by_their_text_where_link_ids_differ(known):
    items = [
        {"linkId": "x1", "text": "Hoe tevreden bent u met uw leven?", "answer": [{"valueInteger": 5}]},
        {"linkId": "x2", "text": "hoe tevreden bent u  met uw werk?", "answer": [{"valueString": "2"}]},
        {"linkId": "crime", "answer": [{"valueCoding": {"code": "J"}}]},
        {"linkId": "x9", "text": "Opmerkingen", "answer": [{"valueString": "Nee"}]},
    ]
    made = answers_of(theirs(questionnaire="Questionnaire/77", item=items), known)
    assert made.values == {"mansa-01": "5", "mansa-02": "2", "mansa-07": True}
    items[2]["answer"] = [{"valueBoolean": False}]
    assert answers_of(theirs(questionnaire="Questionnaire/77", item=items), known).values["mansa-07"] is False


@pytest.mark.parametrize(
    "changes",
    [
        {"questionnaire": "Questionnaire/77|5"},  # named without version: every version
        {
            "questionnaire": "#form",
            "contained": [{"resourceType": "Questionnaire", "id": "form", "url": "Questionnaire/77"}],
        },
    ],
)
def test_a_form_is_known_by_its_name_in_any_version_and_contained(known, changes):
    items = [{"linkId": "x1", "text": "Hoe tevreden bent u met uw leven?", "answer": [{"valueInteger": 5}]}]
    assert answers_of(theirs(**changes, item=items), known).values == {"mansa-01": "5"}


@pytest.mark.parametrize("form", [FORM.replace("|3", "|4"), FORM.replace("|3", ""), "https://ehr.example.org/else"])
def test_another_form_or_version_is_not_read(known, form):
    made = theirs(questionnaire=form)
    assert mapped(made, known.maps) is None
    assert ours(made, known.maps) is made
    assert asked_in(made, known) is None
    with pytest.raises(OtherQuestionnaire):
        answers_of(made, known)


def test_without_maps_nothing_is_mapped():
    assert mapped(theirs(), {}) is None
    with pytest.raises(OtherQuestionnaire):
        answers_of(theirs(), CATALOGUE)


@pytest.mark.parametrize("item", ["x", {"linkId": "v1"}, [1], [{"linkId": "v1", "answer": [1]}]])
def test_what_is_no_response_at_all_is_refused_and_nothing_crashes(known, item):
    with pytest.raises((NotAResponse, RefusedAnswer)):
        answers_of(theirs(item=item), known)


def test_items_nested_without_end_are_refused(known):
    deep = {"linkId": "v1", "answer": [{"valueInteger": 2}]}
    for _ in range(12):
        deep = {"linkId": "group", "item": [deep]}
    with pytest.raises(RefusedItem, match="nested too deep"):
        answers_of(theirs(item=[deep]), known)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 5) | st.floats() | st.sampled_from(["", "v1", "A", "Mee eens", FORM]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
    max_leaves=20,
)


@examples(400)
@given(item=json_values, contained=json_values, status=json_values)
def test_whatever_stands_in_a_response_is_read_or_refused(known, item, contained, status):
    made = theirs(item=item, contained=contained, status=status)
    with contextlib.suppress(RefusedResponse):
        assert all(value in set("1234") for value in answers_of(made, known).values.values())
    assert asked_in(made, known).id == "hoop"


def test_all_that_was_answered_is_the_ehrs_own(known):
    """So no page offers to change such answers: written by us, the EHR's own would be gone."""
    more = {"linkId": "department", "answer": [{"valueString": "A"}]}
    assert answers_of(with_items(more), known).others == 13
    assert asked_in(theirs(), known).id == "hoop"


def test_its_scores_are_those_of_the_same_answers_to_our_form(known):
    codes = dict(zip(range(1, 13), "123412341234", strict=True))
    given = theirs({n: {"valueCoding": {"system": SYSTEM, "code": CODES[code]}} for n, code in codes.items()})
    same = response("hoop", {f"hoop-{n:02}": code for n, code in codes.items()}, id="e1", identifier=None)
    ([by_map], [by_form]) = (
        [[(one.point.code, one.point.value) for one in read_scores([], [one], known)]] for one in (given, same)
    )
    assert by_map == by_form
    # 1..4 three times, items 3 (3 → 2) and 6 (2 → 3) reversed: 30 - 3 + 2 - 2 + 3 = 30.
    assert dict(by_map)["hoop-total"] == 30
    [(original, answers)] = unstored([], [given], known)
    assert original is given
    assert answers.response.reference == "QuestionnaireResponse/e1"


def test_bulk_scoring_reads_maps_and_the_fast_way_leaves_them_to_the_plain_one(known):
    lines = [orjson.dumps(theirs()), orjson.dumps(response("hoop", all_answered("hoop", "3"), id="r2"))]
    assert FastScorer(known).observations(lines[0]) is None
    made = BulkScorer(known).score(list(lines))
    assert (made.responses, made.refusals) == (2, ())
    # What is ours is scored to the byte as without maps.
    assert made.observations.endswith(BulkScorer(CATALOGUE).score([lines[1]]).observations)
    [refused] = BulkScorer(CATALOGUE).score([lines[0]]).refusals
    assert "not a known questionnaire" in refused.reason
