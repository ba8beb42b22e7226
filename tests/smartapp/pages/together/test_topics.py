"""What old tabs and emptied places on the list do not do: lose words, or put them under something else."""

from __future__ import annotations

import re

import pytest

from tests.smartapp.helpers import Visitor, launched

DISCUSS, AGREE, OPTIONS = "overview/together/discuss", "overview/together/agree/1", "overview/together/options/1"
JSON = {"Accept": "application/json"}


@pytest.fixture
def joost(app) -> Visitor:
    return launched(app, role="clinician")


@pytest.mark.parametrize("number", ["9" * 5000, "99", "0", "x"])
def test_only_a_place_on_the_list_can_be_taken_off(joost, number):
    joost.post(DISCUSS, {"topic-1": "Slapen"})
    assert joost.post(DISCUSS, {"remove": number}).status_code == 303
    assert "Slapen" in joost.get(DISCUSS).text


def test_a_topic_emptied_by_hand_takes_its_options_and_words_along(joost):
    joost.post(DISCUSS, {"topic-1": "Slapen"})
    joost.post(OPTIONS, {"option-1-1-what": "Minder pillen"})
    joost.post(DISCUSS, {"topic-1": ""})
    joost.post(DISCUSS, {"topic-1": "Werk"})
    assert "Minder pillen" not in joost.get(OPTIONS).text


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


@pytest.mark.parametrize("address", [AGREE, OPTIONS])
def test_words_of_an_old_tab_come_back_when_the_topic_is_off_the_list(joost, address):
    joost.post(DISCUSS, {"topic-1": "Slapen"})
    joost.get(address)
    joost.post(DISCUSS, {"remove": "1"})
    form = {"words-1": "Om tien uur naar bed."}
    answer = joost.post(address, form)
    assert answer.status_code == 409
    assert "staat niet meer op de lijst" in answer.text
    assert "Om tien uur naar bed." in answer.text
    stopped = joost.post(address, form, headers=JSON)
    assert stopped.status_code == 409
    assert "staat niet meer op de lijst" in stopped.json["stop"]


@pytest.mark.parametrize("address", [AGREE, OPTIONS])
def test_words_are_never_kept_under_another_topic_at_the_same_place(joost, address):
    joost.post(DISCUSS, {"topic-1": "Slapen"})
    about = hidden(joost.get(address).text, "topic")
    joost.post(DISCUSS, {"remove": "1"})
    joost.post(DISCUSS, {"topic-1": "Werk"})
    form = {"topic": about, "words-1": "Om tien uur.", "option-1-1-what": "Om tien uur.", "outcome-1": "agreed"}
    answer = joost.post(address, form)
    assert answer.status_code == 409
    assert "Om tien uur." in answer.text
    assert about not in answer.text
    assert "Om tien uur." not in joost.get(address).text


def test_words_of_another_tab_are_shown_before_they_are_saved(joost):
    joost.post(DISCUSS, {"topic-1": "Slapen"})
    page = joost.get(AGREE).text
    seen = {f"seen-{name}": hidden(page, f"seen-{name}") for name in ("words-1", "client-view-1", "outcome-1")}
    joost.post(AGREE, {"client-view-1": "Ik slaap genoeg."}, headers=JSON)
    mine = {**seen, "outcome-1": "agreed", "words-1": "Om tien uur.", "client-view-1": ""}
    answer = joost.post(AGREE, mine)
    assert answer.status_code == 409
    assert "ander tabblad" in answer.text
    assert "Om tien uur." in answer.text
    assert "Ik slaap genoeg." in answer.text
