"""A response is read in every form that EHRs make of it, and refused where it could give a wrong score."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from hypothesis import given

from mappers.answers import answers_of, asked_in, is_finished, kind_of, response_of
from mappers.errors import (
    LivingForm,
    MapperError,
    NotAResponse,
    OtherQuestionnaire,
    RefusedAnswer,
    RefusedItem,
    RefusedResponse,
)
from questionnaires.canonical import questionnaire_url
from questionnaires.catalogue import DEFINITIONS, Catalogue
from tests.examples import examples
from tests.mappers.build import ANNA, CATALOGUE, FLAT, all_answered, response, values_for
from tests.new_form import known_with


def read(resource):
    return answers_of(resource, CATALOGUE).values


def hoop(**changes):
    return response("hoop", all_answered("hoop"), **changes)


def with_first(elements=None, /, **answer):
    """A HOOP response whose first item has this answer instead (or these item elements)."""
    made = hoop()
    made["item"][0]["item"][0].update(elements or {"answer": [answer]})
    return made


@pytest.mark.parametrize("instrument", FLAT, ids=lambda one: one.id)
def test_answers_survive_writing_and_reading(instrument):
    @examples(40)
    @given(values_for(instrument))
    def holds(values):
        made = response(instrument, values)
        assert read(json.loads(json.dumps(made))) == values

    holds()


@pytest.mark.parametrize("instrument", FLAT, ids=lambda one: one.id)
@pytest.mark.parametrize("language", ["nl", "en"])
def test_what_is_written_is_valid_r4_in_both_languages(instrument, language):
    made = response_of(
        all_answered(instrument),
        instrument,
        status="completed",
        authored="2026-05-01",
        subject=ANNA,
        author=ANNA,
        source=ANNA,
        identifier="r-1",
        language=language,
    )
    QuestionnaireResponse.model_validate(made)
    first = instrument.groups[0].items[0]
    written = made["item"][0]["item"][0]
    # HL7's validator demands the Dutch text of the published form; what was read stands beside it.
    assert written["text"] == first.asked.nl
    beside = written.get("_text", {}).get("extension", [])
    told = [part["valueString"] for one in beside for part in one["extension"] if part["url"] == "content"]
    assert told == ([] if language == "nl" else [first.asked.en])


@pytest.mark.parametrize(
    ("status", "finished"),
    [
        ("completed", True),
        ("amended", True),
        ("in-progress", False),
        ("stopped", False),
        ("entered-in-error", False),
        (None, False),
        ({"value": "completed"}, False),
        (["completed"], False),
    ],
)
def test_a_response_is_finished_once_it_was_sent_in_whatever_a_server_says(status, finished):
    assert is_finished({"resourceType": "QuestionnaireResponse", "status": status}) is finished


def test_a_response_carries_who_typed_and_whose_answers_they_are():
    about = answers_of(hoop(author={"reference": "Practitioner/9", "display": "Karim"}), CATALOGUE).response
    assert (about.author["display"], about.source["display"]) == ("Karim", "Anna de Vries")
    assert (about.reference, about.identifier) == ("QuestionnaireResponse/1", "r-1")
    assert about.canonical == CATALOGUE.instrument("hoop").canonical


def test_items_may_stand_flat():
    made = hoop()
    made["item"] = made["item"][0]["item"]
    assert read(made) == all_answered("hoop")


@pytest.mark.parametrize(
    "answer",
    [
        {"valueCoding": {"code": "3"}},
        {"valueCoding": {"system": CATALOGUE.instrument("hoop").items[0].scale.system, "code": "3", "display": "x"}},
        {"valueCoding": {"code": "3", "_display": {"extension": [{"url": "x", "valueString": "agree"}]}}},
        {"valueInteger": 3},
        {"valueDecimal": 3},
        {"valueDecimal": 3.0},
        {"id": "a", "extension": [{"url": "http://example.org", "valueInteger": 1}], "valueInteger": 3},
    ],
)
def test_the_same_answer_in_every_form(answer):
    assert read(with_first(**answer))["hoop-01"] == "3"


@pytest.mark.parametrize(
    "item",
    [{"answer": []}, {"answer": [{}]}, {"answer": [{"extension": [{"url": "x", "valueCode": "asked-declined"}]}]}],
)
def test_an_answer_without_value_is_no_answer(item):
    assert "hoop-01" not in read(with_first(item))


def test_an_empty_text_is_no_answer():
    made = response("sdm-visit", {})
    text = next(item for item in CATALOGUE.instrument("sdm-visit").items if item.kind == "text")
    made["item"] = [{"linkId": text.link_id, "answer": [{"valueString": "  "}]}]
    assert read(made) == {}


def test_a_draft_and_a_response_without_items_can_be_read():
    assert read(hoop(status="in-progress", item=None, authored=None)) == {}


def test_calculated_scores_in_a_response_are_ignored():
    made = hoop()
    made["item"].append(
        {"linkId": "hoop-scores", "item": [{"linkId": "hoop-score-total", "answer": [{"valueDecimal": 99}]}]}
    )
    assert read(made) == all_answered("hoop")


def twice(made, **answer):
    """The first item once more, in the same group, with this answer."""
    made["item"][0]["item"].append({"linkId": "hoop-01", "answer": [answer]})
    return made


def also_flat(made, **answer):
    made["item"].append({"linkId": "hoop-01", "answer": [answer]})
    return made


def beside(item, *, without: int = 0):
    """A HOOP response with an item of an EHR's own, and without some of its last answers."""
    made = hoop()
    made["item"][0]["item"] = made["item"][0]["item"][: -without or None]
    made["item"].append(item)
    return made


def wrapped(made, levels: int):
    for number in range(levels):
        made["item"] = [{"linkId": f"page-{number}", "text": "Bladzijde", "item": made["item"]}]
    return made


SYSTEM = CATALOGUE.instrument("nel").items[0].scale.system
AT_THE_EHR = "https://ehr.example/fhir/Questionnaire/hoop"
WARD = {"linkId": "ward", "text": "Afdeling", "answer": [{"valueString": "Polikliniek"}]}
CODED = {"linkId": "hoopvol", "answer": [{"valueCoding": {"system": "https://ehr.example/codes", "code": "3"}}]}
COPY = {"resourceType": "Questionnaire", "id": "q", "status": "active"}
OURS = CATALOGUE.instrument("hoop").canonical


def without_systems(made):
    for item in made["item"][0]["item"]:
        del item["answer"][0]["valueCoding"]["system"]
    return made


def in_two_pieces(made):
    first = made["item"][0]
    made["item"] = [{**first, "item": first["item"][:5]}, {**first, "item": first["item"][5:]}]
    return made


@pytest.mark.parametrize(
    "make",
    [
        lambda: twice(hoop(), valueInteger=2),  # in another form, and yet the same answer
        lambda: also_flat(hoop(), valueCoding={"code": "2"}),
        lambda: wrapped(hoop(), 1),
        lambda: wrapped(hoop(), 8),
        lambda: hoop(item=[{"linkId": "hoop-scores", "item": hoop()["item"]}]),
        lambda: in_two_pieces(hoop()),
        lambda: beside(WARD),
        lambda: beside(CODED),
        lambda: beside({"linkId": "intro", "text": "Lees eerst dit"}),
        lambda: hoop(questionnaire=AT_THE_EHR),
        lambda: hoop(questionnaire=f"{AT_THE_EHR}|1.0.0"),
        lambda: hoop(questionnaire="Questionnaire/hoop-plain"),
        lambda: hoop(questionnaire="#q", contained=[{**COPY, "url": OURS.partition("|")[0], "version": "1.0.0"}]),
        lambda: without_systems(hoop(questionnaire="#q", contained=[{**COPY, "url": OURS.partition("|")[0]}])),
        lambda: hoop(questionnaire="#q", contained=[{**COPY, "url": AT_THE_EHR, "derivedFrom": ["x", OURS]}]),
    ],
)
def test_what_an_ehr_puts_around_or_beside_the_answers_changes_none(make):
    made = answers_of(make(), CATALOGUE)
    assert made.values == all_answered("hoop")
    assert made.instrument.canonical == OURS
    assert asked_in(make(), CATALOGUE).id == "hoop"


def test_what_was_answered_to_an_ehrs_own_items_is_counted():
    assert [answers_of(one, CATALOGUE).others for one in (hoop(), beside(WARD), beside({"linkId": "intro"}))] == [
        0,
        1,
        0,
    ]


def test_an_item_of_an_ehr_that_can_be_no_number_does_no_harm_where_answers_are_missing():
    ward = {"linkId": "ward", "answer": [{"valueReference": {"reference": "Location/1"}}]}
    assert read(beside(ward, without=2)) == dict.fromkeys(list(all_answered("hoop"))[:-2], "2")


def nested_deeper(made):
    made["item"][0]["item"][0]["item"] = [{"linkId": "hoop-02"}]
    return made


def group_with_answer(made):
    made["item"][0]["answer"] = [{"valueInteger": 1}]
    return made


REFUSED = [
    (list, NotAResponse, "not a JSON object"),
    (lambda: {"resourceType": "Patient"}, NotAResponse, "'Patient'.*Give a QuestionnaireResponse"),
    (lambda: {"resourceType": {}}, NotAResponse, "not shown"),
    (lambda: hoop(status="done"), NotAResponse, "status: no such status: 'done'"),
    (lambda: hoop(status=["completed"]), NotAResponse, "status"),
    (lambda: hoop(status=None), NotAResponse, "status"),
    (lambda: hoop(authored="31-05-2026"), NotAResponse, "authored: not a FHIR dateTime"),
    (lambda: hoop(authored="2026-05-31T10:00:00"), NotAResponse, "authored"),
    (lambda: hoop(authored="2026-05-31T10:00+02:00"), NotAResponse, "authored"),  # R4 wants seconds
    (lambda: hoop(authored="2026-02-29"), NotAResponse, "authored"),
    (lambda: hoop(authored="0000"), NotAResponse, "authored"),
    (lambda: hoop(authored="２０２６-05-31"), NotAResponse, "authored"),  # digits, but not FHIR's
    (lambda: hoop(authored=20260531), NotAResponse, "authored"),
    (lambda: hoop(id="a b"), NotAResponse, "id: not a FHIR id"),
    (lambda: hoop(subject="Patient/anna"), NotAResponse, "subject: not a FHIR Reference"),
    (lambda: hoop(subject={"reference": 1}), NotAResponse, "subject"),
    (lambda: hoop(identifier={"system": "https://verstel.nl/fhir/identifier/response"}), NotAResponse, "identifier"),
    (lambda: hoop(questionnaire=None), OtherQuestionnaire, "which questionnaire"),
    (
        lambda: hoop(questionnaire="https://example.org/Questionnaire/phq-9|1"),
        OtherQuestionnaire,
        "not a known questionnaire",
    ),
    (lambda: hoop(questionnaire="https://verstel.nl/fhir/Questionnaire/hoop|9.9.9"), OtherQuestionnaire, "9.9.9"),
    (lambda: hoop(questionnaire="x" * 5000), OtherQuestionnaire, "^questionnaire: this questionnaire is not known"),
    (lambda: hoop(item={}), NotAResponse, "item is not a list"),
    (lambda: hoop(item=[1]), NotAResponse, "item is not a list of objects"),
    (lambda: hoop(item=[{"answer": []}]), RefusedItem, "no linkId"),
    (lambda: hoop(item=[{"linkId": 7}]), RefusedItem, "no linkId"),
    (lambda: hoop(item=[{"linkId": "nel-01"}]), RefusedItem, "has no item 'nel-01'"),
    (lambda: hoop(item=[{"linkId": "Mijn geheim", "answer": [{"valueInteger": 1}]}]), RefusedItem, "not shown"),
    (lambda: twice(hoop(), valueInteger=3), RefusedItem, "'hoop-01' appears twice"),
    (lambda: also_flat(hoop(), valueInteger=3), RefusedItem, "'hoop-01' appears twice"),
    (lambda: also_flat(hoop()), RefusedItem, "'hoop-01' appears twice"),  # an answer, and none
    (lambda: nested_deeper(hoop()), RefusedItem, "has items in it"),
    (lambda: wrapped(hoop(), 10), RefusedItem, "nested too deep"),
    # What an EHR added may be a question of ours under another name, as long as one of ours is not answered.
    (lambda: beside(CODED, without=1), RefusedItem, "has no item 'hoopvol'"),
    (lambda: beside(WARD, without=1), RefusedItem, "has no item 'ward'"),
    (lambda: beside({"linkId": "hoop-13", "answer": [{"valueDate": "2026-05-01"}]}), RefusedItem, "no item 'hoop-13'"),
    (lambda: beside({"linkId": "x", "answer": [{"valueCoding": {"system": SYSTEM}}]}), RefusedItem, "no item 'x'"),
    (lambda: beside({"linkId": "x", "answer": [{**WARD["answer"][0], "item": [WARD]}]}), RefusedItem, "no item 'x'"),
    (lambda: beside({"linkId": "x", "answer": {}}), RefusedAnswer, "answer is not a list"),
    # By where an EHR keeps it, a form is ours only as far as its codes say so.
    (lambda: without_systems(hoop(questionnaire=AT_THE_EHR)), OtherQuestionnaire, "not a known questionnaire"),
    (lambda: with_first(valueInteger=3) | {"questionnaire": AT_THE_EHR}, RefusedAnswer, "does not say that it is ours"),
    (
        lambda: without_systems(hoop(questionnaire="#q", contained=[{**COPY, "derivedFrom": [OURS]}])),
        RefusedAnswer,
        "does not say that it is ours",
    ),
    (lambda: hoop(questionnaire="#q", contained=[{**COPY, "id": "r", "url": OURS}]), OtherQuestionnaire, "not a known"),
    (lambda: hoop(questionnaire="#q", contained=[{**COPY, "url": AT_THE_EHR}]), OtherQuestionnaire, "not a known"),
    (lambda: group_with_answer(hoop()), RefusedItem, "answer of its own"),
    (lambda: hoop(item=[{"linkId": "hoop-01", "item": [{"linkId": "hoop-02"}]}]), RefusedItem, "has items in it"),
    (lambda: with_first({"answer": {}}), RefusedAnswer, "answer is not a list"),
    (lambda: with_first({"answer": [{"valueInteger": 1}, {"valueInteger": 1}]}), RefusedAnswer, "hoop-01: 2 answers"),
    (lambda: with_first(valueInteger=1, valueDecimal=1), RefusedAnswer, "more than one value"),
    (lambda: with_first(valueInteger=1, item=[{"linkId": "hoop-02"}]), RefusedItem, "items inside an answer"),
    (lambda: with_first(valueString="3"), RefusedAnswer, "of another kind"),
    (lambda: with_first(valueInteger="3"), RefusedAnswer, "of another kind"),
    (lambda: with_first(valueInteger=3.0), RefusedAnswer, "of another kind"),
    (lambda: with_first(valueInteger=True), RefusedAnswer, "of another kind"),
    (lambda: with_first(valueDecimal=3.5), RefusedAnswer, "of another kind"),
    (lambda: with_first(valueDecimal=float("nan")), RefusedAnswer, "of another kind"),
    (lambda: with_first(valueDecimal=float("inf")), RefusedAnswer, "of another kind"),
    (lambda: with_first(valueDecimal=1e300), RefusedAnswer, "not one of the options"),
    (lambda: with_first(valueInteger=5), RefusedAnswer, "not one of the options.*1, 2, 3, 4"),
    (lambda: with_first(valueInteger=0), RefusedAnswer, "not one of the options"),
    (lambda: with_first(valueCoding={"code": "5"}), RefusedAnswer, "not one of the options"),
    (lambda: with_first(valueCoding={"code": "na"}), RefusedAnswer, "not one of the options"),
    (lambda: with_first(valueCoding={"code": 3}), RefusedAnswer, "not one of the options"),
    (lambda: with_first(valueCoding={"system": "http://loinc.org", "code": "3"}), RefusedAnswer, "another code system"),
    # An empty system is not a missing one: FHIR forbids it, so what wrote it is not to be guessed at.
    (lambda: with_first(valueCoding={"system": "", "code": "3"}), RefusedAnswer, "another code system"),
    (lambda: with_first(valueCoding="3"), RefusedAnswer, "of another kind"),
    (lambda: with_first(valueBoolean=True), RefusedAnswer, "of another kind"),
]


@pytest.mark.parametrize(("make", "error", "words"), REFUSED)
def test_a_response_that_could_give_a_wrong_score_is_refused_with_a_reason(make, error, words):
    with pytest.raises(error, match=words) as caught:
        answers_of(make(), CATALOGUE)
    assert isinstance(caught.value, RefusedResponse)
    assert caught.value.reason


def test_each_refusal_says_where_what_was_found_and_what_to_do():
    """An integrator has these sentences and nothing else; `refusals.txt` has them for people to read."""
    said = set()
    for make, _, _ in REFUSED:
        with pytest.raises(MapperError) as caught:
            answers_of(make(), CATALOGUE)
        # The list of instruments grows, and is left out here.
        said.add(re.sub(r"with one of [a-z, -]+\.", "with one of ….", str(caught.value)))
    assert sorted(said) == (Path(__file__).parent / "refusals.txt").read_text(encoding="utf-8").splitlines()


GARDEN = {"resourceType": "QuestionnaireResponse", "status": "completed"}
OF_GARDEN = f"{questionnaire_url('garden')}|1.0.0"
ROW = {"linkId": "garden-plants", "item": [{"linkId": "garden-plant", "answer": [{"valueString": "geheim"}]}]}


def test_rows_of_a_living_form_are_no_answers_to_be_scored(tmp_path):
    made = {**GARDEN, "questionnaire": OF_GARDEN, "item": [ROW, ROW]}
    with pytest.raises(LivingForm) as caught:
        answers_of(made, known_with(tmp_path))
    said = f"questionnaire: {OF_GARDEN} is a living form: it measures nothing, and has no scores. Leave it out"
    assert str(caught.value) == said


def test_the_kind_of_form_that_a_response_answers_is_known_whatever_its_version(tmp_path):
    known = known_with(tmp_path)
    canonicals = {
        OF_GARDEN: "living",
        f"{questionnaire_url('garden-plain')}|9.0.0": "living",
        f"{questionnaire_url('decision')}|1.0.0": "record",
        questionnaire_url("hoop"): "questionnaire",
        questionnaire_url("phq-9"): None,
        "https://example.org/garden": None,
        "": None,
    }
    assert {one: kind_of({"questionnaire": one}, known) for one in canonicals} == canonicals
    assert kind_of({}, known) is None


def test_no_error_repeats_an_answer():
    for make, _, _ in REFUSED:
        with pytest.raises(MapperError) as caught:
            answers_of(make(), CATALOGUE)
        assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("value", ["true", 1, None, {}])
def test_a_yes_no_item_takes_booleans_only(value):
    made = response("mansa", {"mansa-07": True})
    made["item"] = [{"linkId": "mansa-07", "answer": [{"valueBoolean": value}]}]
    with pytest.raises(RefusedAnswer, match=r"^mansa-07: the answer is not yes or no\. Give valueBoolean$"):
        answers_of(made, CATALOGUE)


def with_version_two(folder: Path, old: str = "", new: str = "") -> Catalogue:
    text = (DEFINITIONS / "hoop.toml").read_text(encoding="utf-8")
    assert old in text
    text = text.replace('version = "1.0.0"', 'version = "2.0.0"', 1).replace(old, new)
    (folder / "hoop@2.0.0.toml").write_text(text, encoding="utf-8")
    return Catalogue(folder)


def test_without_a_version_the_newest_is_meant_as_long_as_all_count_the_same(tmp_path):
    bare = hoop(questionnaire="https://verstel.nl/fhir/Questionnaire/hoop")
    assert read(bare) == all_answered("hoop")
    made = answers_of(bare, with_version_two(tmp_path))
    assert (made.instrument.version, made.values) == ("2.0.0", all_answered("hoop"))


def test_without_a_version_none_is_meant_where_two_count_differently(tmp_path):
    known = with_version_two(tmp_path, 'reversed = ["03", "06"]', 'reversed = ["03"]')
    with pytest.raises(OtherQuestionnaire) as refused:
        answers_of(hoop(questionnaire="https://verstel.nl/fhir/Questionnaire/hoop"), known)
    address = "https://verstel.nl/fhir/Questionnaire/hoop"
    assert str(refused.value) == (
        "questionnaire: the questionnaire's version is missing, and not all that are known count the same. "
        f"Name one of {address}|2.0.0, {address}|1.0.0"
    )


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        (
            {"hoop-99": "1"},
            RefusedItem,
            "values: https://verstel.nl/fhir/Questionnaire/hoop|1.0.0 has no item 'hoop-99'",
        ),
        ({"hoop-01": "9"}, RefusedAnswer, "hoop-01: the answer is not one of the options"),
        ({"hoop-01": True}, RefusedAnswer, "hoop-01: the answer is not one of the options"),
    ],
)
def test_writing_refuses_what_reading_would_refuse(values, error, said):
    with pytest.raises(error) as refused:
        response("hoop", values)
    assert str(refused.value) == said


def test_writing_refuses_another_kind_of_answer():
    with pytest.raises(RefusedAnswer, match=r"^mansa-07: the answer is not a boolean$"):
        response("mansa", {"mansa-07": "1"})


def test_an_error_survives_the_way_back_from_another_process():
    error = RefusedItem("reason", where="place", advice="Do this")
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back)) == (RefusedItem, "place: reason. Do this")


def test_an_item_for_words_takes_words_only():
    made = response("sdm-visit", {"sdm-visit-helps": "Zingen"})
    item = next(one for group in made["item"] for one in group["item"] if one["linkId"] == "sdm-visit-helps")
    item["answer"] = [{"valueInteger": 3}]
    with pytest.raises(RefusedAnswer, match=r"^sdm-visit-helps: the answer is not text\. Give valueString$"):
        answers_of(made, CATALOGUE)


def test_a_choice_without_answer_scale_is_a_mistake_of_ours_and_nobodys_refusal(monkeypatch):
    """The catalogue refuses such a definition; should one come in another way, no answer to it is made up."""
    known = Catalogue()
    instrument = known.instrument("hoop")
    bare = tuple(
        replace(group, items=tuple(replace(item, scale=None) for item in group.items)) for group in instrument.groups
    )
    monkeypatch.setattr(known, "by_canonical", lambda _canonical: replace(instrument, groups=bare))
    with pytest.raises(TypeError, match="hoop-01 is a choice without answer scale"):
        answers_of(with_first(valueInteger=3), known)
