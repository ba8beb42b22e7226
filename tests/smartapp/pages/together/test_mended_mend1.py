"""What is decided or said a second time: nothing is lost, and nothing stands that no longer holds."""

from __future__ import annotations

import pytest

from tests.smartapp.helpers import Visitor, launched, text_of
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
