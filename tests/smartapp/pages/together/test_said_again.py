"""What is decided or said a second time: nothing is lost, and nothing stands that no longer holds."""

from __future__ import annotations

import pytest

from smartapp.fhir.store import Write
from tests.smartapp.helpers import Visitor, launched, text_of
from tests.smartapp.pages.together.test_medicines import SLEEP, address, said, say
from tests.smartapp.pages.together.test_paper import sheet_of
from tests.smartapp.pages.together.test_walk import WORDS, agreements, decide, decisions, field


@pytest.fixture
def joost(app) -> Visitor:
    return launched(app, role="clinician", birth_date="1992-03-14")


def anew(visitor: Visitor, **fields: str):
    """Say anew what comes of the first topic."""
    version = field(visitor.get("overview/together/agree/1?change=1").text, "version")
    said = {f"{name.replace('_', '-')}-1": text for name, text in fields.items()}
    return visitor.post("overview/together/agree/1", {**said, "version": version})


@pytest.mark.parametrize("between", [{"outcome": "differ", "client_view": "Nee."}, {"outcome": "later"}])
def test_what_is_agreed_again_holds_again(joost, between):
    decide(joost, outcome="agreed", words=WORDS)
    anew(joost, **between)
    assert [one.status for one in agreements(joost)] == ["stopped"]
    anew(joost, outcome="agreed", words=WORDS)
    assert [one.status for one in agreements(joost)] == ["planned"]


def test_words_that_were_agreed_do_not_stand_beside_two_views(joost):
    decide(joost, outcome="agreed", words=WORDS)
    assert anew(joost, outcome="differ", client_view="Nee.").status_code == 303
    assert [one.words for one in decisions(joost)] == [""]
    assert WORDS not in text_of(joost.get("overview/together/report"))
    assert WORDS not in sheet_of(joost)


def test_an_option_without_a_name_has_its_number_on_the_sheet(joost):
    joost.post("overview/together/discuss", {"topic-1": "Slapen"})
    joost.post("overview/together/options/1", {"option-1-1-brings": "Rust"})
    decide(joost, outcome="agreed", words=WORDS)
    assert "Mogelijkheid 1" in text_of(joost.get("overview/together/report"))
    assert "Mogelijkheid 1" in sheet_of(joost)


def test_one_more_answer_about_a_medicine_leaves_the_others(joost):
    joost.ehr.write(Write("update", SLEEP))
    say(joost, address(joost), use="De helft.", benefit="Ik slaap.")
    key = address(joost).rpartition("/")[2]
    version = field(joost.get(address(joost)).text, "version")
    joost.post(address(joost), {f"medicine-{key}-burden": "Suf.", "version": version})
    assert [(one.use, one.benefit, one.burden) for one in said(joost)] == [("De helft.", "Ik slaap.", "Suf.")]


def test_a_medicine_saved_unchanged_stays_as_it_is(joost):
    joost.ehr.write(Write("update", SLEEP))
    say(joost, address(joost), use="De helft.")
    version = field(joost.get(address(joost)).text, "version")
    assert joost.post(address(joost), {"version": version}).status_code == 303
    assert [one.use for one in said(joost)] == ["De helft."]


def test_an_answer_about_a_medicine_can_be_taken_away(joost):
    joost.ehr.write(Write("update", SLEEP))
    say(joost, address(joost), use="De helft.", burden="Suf.")
    key = address(joost).rpartition("/")[2]
    version = field(joost.get(address(joost)).text, "version")
    joost.post(address(joost), {f"medicine-{key}-burden": "", "version": version})
    assert [(one.use, one.burden) for one in said(joost)] == [("De helft.", "")]


def test_a_medicine_named_again_shows_what_stands_there_and_can_be_saved(joost):
    say(joost, "overview/together/medicines/new", name="Melatonine", use="Elke avond.")
    answer = say(joost, "overview/together/medicines/new", name="Melatonine", burden="Suf.")
    assert answer.status_code == 409
    assert "Over dit medicijn is vandaag al iets opgeschreven." in text_of(answer)
    assert "Elke avond." in text_of(answer)
    version = field(answer.text, "version")
    again = say(joost, "overview/together/medicines/new", name="Melatonine", burden="Suf.", use="Soms.")
    assert again.status_code == 409
    saved = joost.post(
        "overview/together/medicines/new",
        {"medicine-new-name": "Melatonine", "medicine-new-use": "Elke avond.", "version": version},
    )
    assert saved.status_code == 303
    assert [(one.use, one.burden) for one in said(joost)] == [("Elke avond.", "Suf.")]
