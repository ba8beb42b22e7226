"""What somebody reads who has a link: what was chosen, in words and as FHIR, and nothing beside it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from smartapp.fhir.checked import problems
from smartapp.fhir.store import Query, Write
from tests.smartapp.pages.links.conftest import CARD, FORM, write_anew
from tests.smartapp.pages.living.writing import FULL, of_noor
from tests.smartapp.pages.plan.conftest import put

EVERYTHING = (CARD, FORM, "plan")


@pytest.fixture
def document(noor, shared, stranger):
    """Return what is read of something, with a plan halfway beside it."""
    put(noor.ehr)
    return lambda what: stranger.opens(shared(what))


def resources(bundle):
    return [one["resource"] for one in bundle["entry"]]


def read(bundle) -> str:
    """Return the words of all sections."""
    sections = resources(bundle)[0]["section"]
    return " ".join(" ".join(ET.fromstring(one["text"]["div"]).itertext()) for one in sections)


@pytest.mark.parametrize("what", EVERYTHING)
def test_it_is_fhir(document, what):
    bundle = document(what)
    assert problems(bundle) == []
    assert [one for each in resources(bundle) for one in problems(each)] == []


@pytest.mark.parametrize("what", EVERYTHING)
def test_all_that_is_named_in_it_is_in_it_and_has_a_name_of_this_document_alone(document, what):
    bundle = document(what)
    names = [one["fullUrl"] for one in bundle["entry"]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", name) for name in names)
    used = re.findall(r'"reference": "([^"]+)"', json.dumps(bundle))
    assert used
    assert set(used) <= set(names)
    assert not [one for one in resources(bundle) if "id" in one or set(one.get("meta", {})) - {"profile"}]
    assert document(what)["entry"][0]["fullUrl"] not in names


def test_the_card_has_what_stands_on_the_card_and_no_more(document):
    bundle = document(CARD)
    assert [one["resourceType"] for one in resources(bundle)] == ["Composition", "Patient", "QuestionnaireResponse"]
    for said in ("Praat zacht en zeg wie je bent.", "Niet vastpakken.", "Mevrouw Pinas", "06 0000 0002"):
        assert said in read(bundle)
    everything = json.dumps(bundle, ensure_ascii=False)
    for other in ("Zingen", "De buurvrouw van Bobbie", "Mijn ex", "Goal/", "Patient/"):
        assert other not in everything


def test_a_telephone_number_can_be_called(document):
    assert '<a href="tel:0600000002">06 0000 0002</a>' in resources(document(CARD))[0]["section"][0]["text"]["div"]


def test_the_form_has_all_that_is_written_in_it_and_nothing_of_the_plan(document):
    bundle = document(FORM)
    assert [one["resourceType"] for one in resources(bundle)] == ["Composition", "Patient", "QuestionnaireResponse"]
    for said in ("Zingen", "De buurvrouw van Bobbie", "Mijn ex"):
        assert said in read(bundle)


def test_the_plan_has_goals_steps_and_forms(document):
    bundle = document("plan")
    kinds = {one["resourceType"] for one in resources(bundle)}
    assert kinds == {"Composition", "Patient", "QuestionnaireResponse", "Goal", "Task", "CarePlan"}
    goals = [one for one in resources(bundle) if one["resourceType"] == "Goal"]
    assert all(one["description"]["text"] in read(bundle) for one in goals)
    assert "Praat zacht en zeg wie je bent." in read(bundle)


def test_it_says_whose_it_is_and_of_which_day(document):
    composition, patient, *_ = resources(document(CARD))
    assert (patient["name"], patient["birthDate"]) == ([{"text": "Noor Achterberg"}], "1992-03-14")
    assert composition["author"][0]["display"] == "Noor Achterberg"
    assert "De woorden van Noor Achterberg, zoals ze waren op 27 november 2026." in composition["text"]["div"]


def test_what_another_program_put_into_the_record_is_not_shared(noor, shared, stranger):
    (stored,) = noor.ehr.search(Query.of("QuestionnaireResponse", patient="Patient/anna"))
    theirs = {"linkId": "other", "answer": [{"valueString": "Geheim"}]}
    noor.ehr.write(Write("update", {**stored.resource, "item": [*stored.resource["item"], theirs]}))
    assert "Geheim" not in json.dumps(stranger.opens(shared(FORM)))


def test_words_that_look_like_markup_are_words(noor, shared, stranger):
    content, hostile = of_noor(FULL), '<script>alert("1")</script> & <b>'
    write_anew(noor, replace(content, answers={**content.answers, f"{FULL}-crisis-want": (hostile, "\ufffe")}))
    for what in (CARD, FORM):
        bundle = stranger.opens(shared(what))
        assert hostile in read(bundle)
        assert "<script" not in str(bundle["entry"][0])
