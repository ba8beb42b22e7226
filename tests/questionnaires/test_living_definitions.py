"""The staying-well plan and the conversation cards have the parts that the handbook names, in words of our own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import msgspec
import pytest

from questionnaires.catalogue import DEFINITIONS, catalogue
from questionnaires.model import FORMAL, Group, Instrument, Item, Text
from tests.questionnaires.test_form_of_address import JE, U

STAYING_WELL = catalogue().instrument("staying-well")
CARDS = catalogue().instrument("conversation-cards")
FORMS = pytest.mark.parametrize("form", [STAYING_WELL, CARDS], ids=lambda form: form.id)
# The name of the existing product, whole or by its letters; "wrapped up" is another word.
FORBIDDEN = re.compile(r"\bwrap\b|wellness\s+recovery|copeland", re.IGNORECASE)
# Handbook of recovery-supporting care, on self-management: the parts and their order. The sixth has more groups.
SEVEN_PARTS = ("what-helps", "upkeep", "triggers", "early-signs", "worse", "crisis", "after-crisis")
CRISIS = ("crisis", "supporters", "crisis-care", "crisis-home", "crisis-end")
WITH_ACTIONS = {
    "triggers": ("trigger", "trigger-do", "trigger-others"),
    "early-signs": ("early-sign", "early-sign-do", "early-sign-others"),
    "worse": ("worse-sign", "worse-do", "worse-others"),
}


def _texts(value: object, place: str) -> Iterator[tuple[str, Text]]:
    """Yield each text in a definition with where it stands, however deep."""
    if isinstance(value, Text):
        yield place, value
    elif isinstance(value, tuple):
        for number, one in enumerate(value, start=1):
            yield from _texts(one, f"{place}[{number}]")
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _texts(getattr(value, name), f"{place}.{name}")
    elif is_dataclass(value):
        for field in fields(value):
            if not field.name.startswith("_"):
                yield from _texts(getattr(value, field.name), f"{place}.{field.name}")


def _group(form: Instrument, name: str) -> Group:
    return next(group for group in form.groups if group.link_id == f"{form.id}-{name}")


def _names(form: Instrument, group: Group) -> tuple[str, ...]:
    return tuple(item.link_id.removeprefix(f"{form.id}-") for item in group.items)


def _item(form: Instrument, name: str) -> Item:
    return form.item(f"{form.id}-{name}")


# ---- both ------------------------------------------------------------------------------------------------------------


@FORMS
def test_it_is_a_living_form_and_computes_nothing(form: Instrument):
    assert form.kind == "living"
    assert form.living is not None
    assert form.scores == ()


@FORMS
def test_nothing_has_to_be_answered(form: Instrument):
    assert not any(item.required for item in form.items)


def test_the_texts_that_are_looked_at_are_of_every_sort():
    found = dict(_texts(STAYING_WELL, "form"))
    assert {"form.intro", "form.living.saved", "form.living.review.question", "form.groups[3].add"} <= set(found)
    assert "form.groups[1].items[1].prompts[1]" in found
    assert any(place.endswith("scale.options[1].text") for place in found)


@FORMS
def test_a_text_that_says_je_has_one_that_says_u_and_no_other_has(form: Instrument):
    texts = dict(_texts(form, form.id))
    assert [place for place, text in texts.items() if bool(JE.search(text.nl)) != (text.u is not None)] == []
    assert [place for place, text in texts.items() if JE.search(text.get(FORMAL)) or U.search(text.nl)] == []


@FORMS
def test_the_sentences_for_people_are_short_and_calm(form: Instrument):
    for place, text in _texts(form, form.id):
        assert "!" not in text.nl + text.en, place
        if place not in (f"{form.id}.wording_note", f"{form.id}.copyright"):
            longest = max(len(sentence.split()) for sentence in re.split(r"[.?!:]\s", text.nl))
            assert longest < 15, f"{place}: {text.nl}"


@FORMS
def test_what_it_says_to_people_never_has_the_name_of_the_existing_product(form: Instrument):
    assert FORBIDDEN.search((DEFINITIONS / f"{form.id}.toml").read_text(encoding="utf-8")) is None


@pytest.mark.parametrize("said", ["een WRAP", "Wellness Recovery Action Plan", "wellness\nrecovery"])
def test_that_name_is_seen_where_it_stands(said):
    assert FORBIDDEN.search(said)


@FORMS
def test_what_comes_from_the_handbook_says_so_and_what_is_ours_says_that(form: Instrument):
    assert {fact.certainty for fact in form.facts if fact.about in ("items", "score")} == {"own"}
    read = [fact for fact in form.facts if fact.verified]
    assert len(read) > 5
    assert all(fact.certainty == "sure" and fact.sources for fact in read)


# ---- staying well ----------------------------------------------------------------------------------------------------


def test_the_seven_parts_stand_in_the_order_of_the_handbook():
    groups = [group.link_id.removeprefix("staying-well-") for group in STAYING_WELL.groups]
    assert [name for name in groups if name in SEVEN_PARTS] == list(SEVEN_PARTS)
    assert set(groups) - set(SEVEN_PARTS) - set(CRISIS) == {"this-plan"}
    # The groups of the crisis part are together, and what is asked about the plan itself comes last.
    first = groups.index("crisis")
    assert groups[first : first + len(CRISIS)] == list(CRISIS)
    assert groups[-1] == "this-plan"


@pytest.mark.parametrize(("part", "items"), WITH_ACTIONS.items())
def test_each_trigger_and_sign_has_an_action_plan_of_its_own(part, items):
    group = _group(STAYING_WELL, part)
    assert group.many
    assert group.add is not None
    sign, own, others = (_item(STAYING_WELL, name) for name in items)
    assert group.items[0] == sign
    assert sign.kind == "line"
    assert {own, others} <= set(group.items)
    assert (own.kind, others.kind) == ("text", "text")


def test_daily_upkeep_has_its_three_lists():
    assert _names(STAYING_WELL, _group(STAYING_WELL, "upkeep")) == ("well", "every-day", "now-and-then")


def test_when_it_goes_wrong_there_are_instructions():
    group = _group(STAYING_WELL, "worse")
    assert "worse-call" in _names(STAYING_WELL, group)
    assert group.help is not None
    assert "opdrachten" in group.help.nl
    assert all("opdrachten" in _item(STAYING_WELL, name).text.nl.lower() for name in ("worse-do", "worse-others"))


def test_the_crisis_part_asks_what_is_wanted_and_what_is_not():
    assert _names(STAYING_WELL, _group(STAYING_WELL, "crisis")) == (
        "crisis-signs",
        "crisis-want",
        "crisis-not-want",
        "crisis-decides",
        "crisis-decides-not",
    )
    care = _names(STAYING_WELL, _group(STAYING_WELL, "crisis-care"))
    assert care == ("medicines-help", "medicines-not", "places", "places-not")
    assert _names(STAYING_WELL, _group(STAYING_WELL, "crisis-home")) == ("children", "animals", "home")
    assert _names(STAYING_WELL, _group(STAYING_WELL, "crisis-end")) == ("crisis-over",)


def test_a_supporter_keeps_a_yes_or_a_no_and_the_day_of_it():
    group = _group(STAYING_WELL, "supporters")
    assert group.many
    assert group.ordered  # who is called first
    assert _names(STAYING_WELL, group) == (
        "supporter",
        "supporter-relation",
        "supporter-telephone",
        "supporter-does",
        "supporter-answer",
        "supporter-answer-day",
    )
    answer, day = _item(STAYING_WELL, "supporter-answer"), _item(STAYING_WELL, "supporter-answer-day")
    assert answer.scale is not None
    assert [option.text.en for option in answer.scale.options] == ["not asked yet", "said yes", "said no"]
    # A row may be written long before the supporter is asked: its day is not the day of the answer.
    assert (day.kind, day.today) == ("date", False)


def test_medicines_are_words_of_the_client_only():
    assert {_item(STAYING_WELL, name).kind for name in ("medicines-help", "medicines-not")} == {"text"}


def test_on_the_card_stands_what_must_be_at_hand_in_a_crisis_and_no_more():
    on_card = [item.link_id.removeprefix("staying-well-") for item in STAYING_WELL.items if item.card]
    assert on_card == ["crisis-want", "crisis-not-want", "supporter", "supporter-telephone", "supporter-answer"]


def test_it_asks_to_be_looked_at_again_on_a_day_that_its_owner_chose():
    assert STAYING_WELL.living is not None
    review = STAYING_WELL.living.review
    assert review is not None
    assert (review.item, review.months) == ("look-again", 12)
    assert _item(STAYING_WELL, "look-again").kind == "date"


def test_it_claims_to_be_no_legal_declaration():
    assert "Het is geen juridische verklaring." in STAYING_WELL.intro.nl
    assert "It is not a legal declaration." in STAYING_WELL.intro.en
    assert "geen zelfbindingsverklaring" in STAYING_WELL.wording_note.nl
    said = {fact.certainty for fact in STAYING_WELL.facts if fact.about == "law"}
    assert said == {"sure", "own"}


def test_it_is_shown_everywhere_and_can_be_carried():
    living = STAYING_WELL.living
    assert living is not None
    assert living.shown_in == ("plan", "overview", "together")
    assert (living.card, living.offline, living.cards) == (True, True, False)


# ---- conversation cards ----------------------------------------------------------------------------------------------


def test_there_are_five_themes_with_thirteen_questions_as_in_the_handbook():
    """Handreiking herstelondersteunende zorg (2012), sources/004, lines 4550-4572."""
    assert [len(group.items) for group in CARDS.groups] == [2, 3, 2, 3, 3]
    assert len(CARDS.items) == 13


def test_each_card_says_its_theme_and_asks_in_words():
    assert all(group.help is not None and not group.many for group in CARDS.groups)
    assert all(item.kind == "text" and item.text.nl.endswith("?") for item in CARDS.items)


def test_nobody_who_answers_alone_is_asked_about_an_i_that_is_not_them():
    """The source lets a support worker ask what they may do ("I"); here the client may be alone with the card."""
    assert [item.link_id for item in CARDS.items if re.search(r"\b(ik|mij|mijn)\b", item.text.nl)] == []
    assert sum("begeleider" in item.text.nl for item in CARDS.items) == 5


def test_cards_are_chosen_together_or_in_the_own_plan():
    living = CARDS.living
    assert living is not None
    assert set(living.shown_in) == {"together", "plan"}
    assert living.cards
    assert living.overview is None
