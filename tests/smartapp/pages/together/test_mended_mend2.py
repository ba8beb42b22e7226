"""What old tabs and emptied places on the list do not do: lose words, or put them under something else."""

from __future__ import annotations

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
