"""The plan, the wishes, looking back and the first conversation: what must hold of them, whatever they say."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from questionnaires.catalogue import Catalogue
from questionnaires.model import FORMAL, Instrument, Item, Text

KNOWN = Catalogue()
ORDER = {
    "story": 10,
    "strengths": 20,
    "stressors": 30,
    "own-words": 35,
    "strengths-assessment": 40,
    "wishes": 45,
    "goal-support": 50,
    "evaluation": 70,
    "intake": 90,
}
FORMS = [pytest.param(KNOWN.living[name], id=name) for name in ORDER]
PARTS = {part.code: part for part in KNOWN.plan_parts}
JE = re.compile(r"\b(je|jij|jou|jouw|jezelf|jullie)\b", re.IGNORECASE)
U = re.compile(r"\b(u|uw|uzelf)\b", re.IGNORECASE)


def item(link_id: str) -> Item:
    return next(one for form in KNOWN.living.values() for one in form.items if one.link_id == link_id)


def group(form: str, name: str):
    return next(one for one in KNOWN.living[form].groups if one.link_id == f"{form}-{name}")


def texts(form: Instrument) -> Iterator[Text]:
    """Yield every text of a form that people read."""
    living = form.living
    yield from (form.title, form.subtitle, form.intro, form.wording_note, form.copyright)
    yield from (living.invitation, living.write, living.change, living.saved)
    yield from (one for one in (living.emptied, living.carried, living.review and living.review.question) if one)
    if living.overview:
        yield from (living.overview.title, living.overview.empty)
    for one in form.groups:
        yield from (text for text in (one.title, one.help, one.add) if text)
        for each in one.items:
            yield from (text for text in (each.text, each.help, *each.prompts) if text)
    for scale in form.scales:
        yield from (option.text for option in scale.options if not scale.codes)


# ---- of all of them --------------------------------------------------------------------------------------------------


def test_they_are_shown_in_this_order():
    assert {name: form.living.order for name, form in KNOWN.living.items() if name in ORDER} == ORDER
    assert [name for name in KNOWN.living if name in ORDER] == list(ORDER)


@pytest.mark.parametrize("form", FORMS)
def test_dutch_that_says_je_has_its_twin_with_u_and_no_other_has(form):
    said = list(texts(form))
    assert [text.nl for text in said if bool(JE.search(text.nl)) != (text.u is not None)] == []
    assert [text.nl for text in said if JE.search(text.get(FORMAL)) or U.search(text.nl)] == []


@pytest.mark.parametrize("form", FORMS)
def test_no_sentence_has_more_than_fourteen_words_and_none_shouts(form):
    sentences = [
        sentence
        for text in texts(form)
        for words in (text.nl, text.get(FORMAL))
        for sentence in re.split(r"(?<=[.?:])\s+", words)
    ]
    assert [sentence for sentence in sentences if len(sentence.split()) > 14 or "!" in sentence] == []


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_computed(form):
    assert form.scores == ()
    assert {fact.certainty for fact in form.facts if fact.about == "items"} == {"own"}
    assert any(fact.verified for fact in form.facts)


@pytest.mark.parametrize("form", FORMS)
def test_what_the_overview_says_is_there_where_the_overview_shows_it(form):
    assert (form.living.overview is not None) == ("overview" in form.living.shown_in)


# ---- the parts of the plan that were there ---------------------------------------------------------------------------

WAS = {"story": "story-story", "strengths": "strengths-what", "stressors": "stressors-what"}


EXTENSIONS = {"story": "life-story", "strengths": "strength", "stressors": "stressor"}


@pytest.mark.parametrize("code", WAS)
def test_words_of_before_are_found_by_the_extension_that_they_were_kept_in(code):
    """What plans of before have in the record never changes its address."""
    assert PARTS[code].url == f"https://verstel.nl/fhir/StructureDefinition/{EXTENSIONS[code]}"
    assert [one.link_id for one in KNOWN.living[code].items if one.was] == [WAS[code]]
    assert PARTS[code].many is (code != "story")


def test_no_other_form_says_to_have_been_an_extension():
    assert set(PARTS) == set(WAS)


def test_the_story_has_room_and_its_prompts_are_answers_of_their_own():
    story = KNOWN.living["story"]
    assert item("story-story").rows == 12
    beside = ["talents-now", "talents-then", "before", "lost", "hope"]
    assert [one.link_id for one in story.items] == ["story-story", *(f"story-{name}" for name in beside)]
    assert (story.living.review.months, story.living.review.question.nl) == (12, "Is dit nog jouw verhaal?")


@pytest.mark.parametrize(("form", "factors"), [("strengths", 17), ("stressors", 10)])
def test_each_thing_can_name_an_area_and_a_goal_and_every_factor_is_a_prompt(form, factors):
    """Seventeen factors that further recovery and ten that hinder it: sources/004, lines 763-779 and 785-797."""
    rows = group(form, "list")
    assert (rows.many, rows.ordered) == (True, False)
    assert [item(f"{form}-domain").scale.codes, item(f"{form}-goal").kind] == ["life-domain", "goal"]
    prompts = [prompt.nl for prompt in item(f"{form}-what").prompts]
    assert len(prompts) == len(set(prompts)) == factors


def test_a_strength_is_of_oneself_or_around_one():
    assert [option.text.nl for option in item("strengths-kind").scale.options] == ["van mijzelf", "om mij heen"]


# ---- what leads to goals ---------------------------------------------------------------------------------------------


def test_an_area_has_three_columns_and_the_middle_one_leads_on():
    rows = group("strengths-assessment", "areas")
    assert rows.per == "domain"
    area, *columns = rows.items
    assert area.scale.codes == "life-domain"
    assert [one.link_id.rsplit("-", 1)[1] for one in columns] == ["now", "want", "had"]
    assert [one.becomes for one in columns] == ["", "wishes-wish", ""]


def test_wishes_are_in_the_clients_order_and_can_become_goals():
    assert group("wishes", "list").ordered
    assert item("wishes-wish").becomes == "goal"


@pytest.mark.parametrize("form", ["goal-support", "evaluation"])
def test_there_is_a_row_for_each_goal(form):
    rows = group(form, "goals")
    assert (rows.per, rows.items[0].kind) == ("goal", "goal")


@pytest.mark.parametrize("name", ["helps", "hinders"])
def test_what_helps_and_hinders_a_goal_has_ideas_beside_it(name):
    assert len(item(f"goal-support-{name}").prompts) >= 3


def test_a_mark_is_from_one_to_ten_and_its_number_is_all_it_says():
    options = item("evaluation-mark").scale.options
    assert [(option.code, option.text.nl, option.text.en) for option in options] == [
        (str(number), str(number), str(number)) for number in range(1, 11)
    ]
    assert item("evaluation-on").today
    assert [option.text.en for option in item("evaluation-next").scale.options] == ["keep it", "change it", "stop it"]


# ---- the first conversation ------------------------------------------------------------------------------------------


def test_the_four_questions_fill_the_first_plan():
    """What happened, strengths and vulnerabilities, where to, what is needed: sources/001, lines 103-107."""
    assert [(one.link_id.removeprefix("intake-"), one.becomes) for one in group("intake", "questions").items] == [
        ("happened", "story-story"),
        ("strengths", "strengths-what"),
        ("vulnerabilities", "stressors-what"),
        ("where-to", "wishes-wish"),
        ("needed", "own-words-needs"),
    ]


@pytest.mark.parametrize("form", FORMS)
def test_words_go_to_an_answer_of_a_living_form(form):
    ends = {one.becomes for one in form.items if one.becomes} - {"goal"}
    assert all(item(end).kind in ("text", "line") for end in ends)


@pytest.mark.parametrize("form", FORMS)
def test_words_that_become_one_line_are_written_in_lines(form):
    """Else a story of three paragraphs would have to be cut to be taken along."""
    lines = [one for one in form.items if one.becomes and (one.becomes == "goal" or item(one.becomes).kind == "line")]
    assert [one.link_id for one in lines if one.kind != "line"] == []


def test_the_peer_worker_has_a_part_of_their_own_and_only_there():
    parts = {one.who for one in group("intake", "peer-worker").items}
    assert parts == {"peer-worker"}
    others = {one.link_id for form in FORMS for one in form.values[0].items if one.who != "client"}
    assert others == {"intake-recognised", "intake-told"}


def test_who_is_present_has_a_role_and_what_is_chosen_may_be_several_things():
    assert group("intake", "present").many
    assert len(item("intake-role").scale.options) == 6
    assert item("intake-choice").many
    assert item("intake-choice").scale.options[0].text.nl == "nu niets"
    assert KNOWN.living["intake"].living.shown_in == ("together",)
