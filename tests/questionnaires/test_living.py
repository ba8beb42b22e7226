"""Living forms: what their keys may say together, where their words may go, and what is published and shown of them."""

from __future__ import annotations

import contextlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from questionnaires.canonical import BASE
from questionnaires.catalogue import Catalogue, DefinitionError, catalogue, instrument_from
from questionnaires.demands import unmet
from questionnaires.model import VARIANTS, Text
from questionnaires.page import index_page, instrument_page
from questionnaires.publish import published, questionnaire
from questionnaires.writing import definition_toml
from tests.new_form import garden, garden_data, known_with

FORM = garden()
WORDS = {"nl": "woord", "en": "word"}


def changed(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return the data with one key set (or, for `...`, removed); a path such as `groups.0.items.2.many`."""
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    table: Any = data
    for step in parents:
        table = table[step]
    if value is ...:
        del table[last]
    else:
        table[last] = value
    return data


def spoilt(path: str, value: Any) -> dict[str, Any]:
    return changed(garden_data(), path, value)


# ---- what is read ----------------------------------------------------------------------------------------------------


def test_a_living_form_says_how_it_is_shown_and_what_its_groups_and_items_are():
    assert FORM.kind == "living"
    assert FORM.living is not None
    assert FORM.living.review is not None
    assert (FORM.living.order, FORM.living.shown_in) == (900, ("plan", "overview", "together"))
    assert (FORM.living.review.months, FORM.living.review.item) == (6, "look-again")
    now, beds, plants = FORM.groups
    assert [(one.many, one.per, one.ordered) for one in (now, beds, plants)] == [
        (False, "", False),
        (True, "domain", False),
        (True, "", True),
    ]
    assert plants.add == Text("Een plant toevoegen", "Add a plant")
    story = FORM.item("garden-story")
    assert (story.rows, story.card, [prompt.u for prompt in story.prompts]) == (8, True, [None, "Wat hoort u?"])
    assert (FORM.item("garden-tools").many, FORM.item("garden-weeded").today) == (True, True)
    assert (FORM.item("garden-plant").becomes, FORM.item("garden-care").becomes) == ("goal", "garden-story")
    assert FORM.item("garden-neighbour").who == "peer-worker"


def test_what_a_definition_does_not_say_has_its_usual_value():
    grows = FORM.item("garden-grows")
    assert (grows.rows, grows.who, grows.becomes, grows.was, grows.many, grows.card) == (
        5,
        "client",
        "",
        "",
        False,
        False,
    )


def test_a_life_domain_is_chosen_from_all_that_there_are_and_counts_for_nothing():
    scale = FORM.item("garden-bed").scale
    assert scale is not None
    assert [(one.code, one.text) for one in scale.options] == [(d.code, d.title) for d in catalogue().life_domains]
    assert (scale.numbers, scale.has_not_applicable) == ((), False)
    assert scale.system == f"{BASE}/CodeSystem/life-domain"
    assert scale.value_set == f"{BASE}/ValueSet/life-domain"


def test_written_as_toml_it_reads_back_as_it_was():
    written = definition_toml(garden_data())
    assert instrument_from(tomllib.loads(written), "garden.toml") == FORM
    assert "\n[living]\norder = 900\n" in written


# ---- what is refused -------------------------------------------------------------------------------------------------

NOW, BEDS, PLANTS = "groups.0", "groups.1", "groups.2"
STORY, TOOLS, SHARED, LOOK_AGAIN = (f"{NOW}.items.{number}" for number in (0, 1, 3, 5))
BED, GROWS, WEEDED = (f"{BEDS}.items.{number}" for number in range(3))
PLANT, PLACE = (f"{PLANTS}.items.{number}" for number in range(2))
ONLY_LIVING = 'is for definitions of kind "living"; leave it out'
ROWS_ONLY = "is for a group with rows; add many = true, or leave it out"

REFUSED = [
    ("living", ..., 'living: is missing; a definition of kind "living" says how it is shown'),
    ("living.order", ..., r"living\.order: is missing; it must be a whole number"),
    ("living.saved", ..., r"living\.saved: is missing"),
    ("living.shown_in", ["front"], r"living\.shown_in\[1\]: is 'front'; it must be one of overview, plan, together"),
    ("living.colour", "red", r"living\.colour: is not a known key"),
    ("living.overview.empty", ..., r"living\.overview\.empty: is missing"),
    ("living.review.months", 0, r"living\.review\.months: is 0; it must be 1 or more"),
    (
        "living.review.months",
        13,
        r"living\.review\.months: is 13; yes is kept 12 months; make it that or less",
    ),
    ("living.review.item", "weeded", r"living\.review\.item: is 'weeded'; .* outside groups with rows are look-again"),
    ("living.review.item", "story", r"living\.review\.item: is 'story'; the dates"),
    ("living.card", False, r"groups\[1\]\.items\[1\]\.card: is true, but the form has no card"),
    (f"{STORY}.off_card", "1", r"items\[1\]\.off_card: is for a group with rows of which something stands on the card"),
    (f"{PLACE}.off_card", "1", r"items\[2\]\.off_card: is for a group with rows of which something stands on the card"),
    (f"{STORY}.card", False, r"living\.card: is true, but nothing goes on it"),
    ("kind", "questionnaire", f"living: {ONLY_LIVING}"),
    ("kind", "record", f"living: {ONLY_LIVING}"),
    ("scales.0.name", "life-domain", r"scales\[1\]\.name: is 'life-domain', which is kept for the life domains"),
    (f"{BED}.not_applicable", True, r"not_applicable: is true, but scale 'life-domain' has no words for it"),
    (f"{NOW}.per", "domain", rf"groups\[1\]\.per: {ROWS_ONLY}"),
    (f"{NOW}.ordered", True, rf"groups\[1\]\.ordered: {ROWS_ONLY}"),
    (f"{NOW}.columns", True, rf"groups\[1\]\.columns: {ROWS_ONLY}"),
    (f"{STORY}.day", "been", r"items\[1\]\.day: is for a date that somebody fills in"),
    (f"{WEEDED}.day", "been", r"items\[3\]\.day: is for a date that somebody fills in"),
    (f"{LOOK_AGAIN}.day", "soon", r"items\[6\]\.day: is 'soon'; it must be one of"),
    (f"{BEDS}.columns", True, r"groups\[2\]\.columns: is for rows of two or three answers, .*; these have 1"),
    (f"{NOW}.add", WORDS, rf"groups\[1\]\.add: {ROWS_ONLY}"),
    (f"{BEDS}.per", "goal", r"groups\[2\]\.per: is 'goal', but 'bed' is not; its first item has kind = 'goal'"),
    (f"{PLANTS}.per", "domain", r"groups\[3\]\.per: is 'domain', but 'plant' is not; .* scale = 'life-domain'"),
    (f"{PLANTS}.per", "week", r"groups\[3\]\.per: is 'week'; it must be one of domain, goal$"),
    (f"{BEDS}.items", [], r"groups\[2\]\.items: is empty"),
    (f"{PLANT}.many", True, r"groups\[3\]\.items: starts with 'plant'; the first item names the row"),
    (f"{PLANT}.kind", "date", r"groups\[3\]\.items: starts with 'plant'; the first item names the row"),
    (f"{PLANT}.kind", "boolean", r"groups\[3\]\.items: starts with 'plant'; the first item names the row"),
    (f"{SHARED}.many", True, r"groups\[1\]\.items\[4\]\.many: is for a text, line or choice; this is a boolean"),
    (f"{LOOK_AGAIN}.many", True, r"items\[6\]\.many: is for a text, line or choice; this is a date"),
    (f"{STORY}.rows", 0, r"items\[1\]\.rows: is 0; it must be from 1 to 40"),
    (f"{STORY}.rows", 41, r"items\[1\]\.rows: is 41; it must be from 1 to 40"),
    (f"{SHARED}.rows", 3, r"items\[4\]\.rows: is for a text or line; this is a boolean"),
    (f"{LOOK_AGAIN}.today", True, r"groups\[1\]\.items\[6\]\.today: is for a date in a group with rows"),
    (f"{GROWS}.today", True, r"groups\[2\]\.items\[2\]\.today: is for a date in a group with rows"),
    (f"{SHARED}.becomes", "goal", r"items\[4\]\.becomes: is for words: a text, line or choice; this is a boolean"),
    (f"{STORY}.becomes", "garden-story", r"items\[1\]\.becomes: is this very item"),
    (f"{STORY}.becomes", "My goal", r"items\[1\]\.becomes: is 'My goal'; use small letters"),
    (f"{STORY}.offer", True, r"items\[1\]\.offer: is for a choice from answers of its own"),
    (f"{BED}.offer", True, r"groups\[2\]\.items\[1\]\.offer: is for a choice from answers of its own"),
    (f"{PLANT}.offer", True, r"groups\[3\]\.items\[1\]\.offer: is for a line outside a group with rows"),
    (f"{BED}.ends_goal", "3", r"groups\[2\]\.items\[1\]\.ends_goal: is for a group with rows about goals"),
    (f"{BED}.was", "life-story", r"groups\[2\]\.items\[1\]\.was: is for a text or line; this is a choice"),
    (f"{STORY}.who", "neighbour", r"items\[1\]\.who: is 'neighbour'; it must be one of client, peer-worker"),
    ("id", "plan", r"^garden\.toml: id: is 'plan', which is kept for a page beside living forms; choose another"),
    (f"{STORY}.id", "all", r"groups\[1\]\.items\[1\]\.id: is 'all', which is kept for another page of the form"),
    (f"{NOW}.id", "all", r"groups\[1\]\.id: is 'all', which is kept"),
    (f"{PLANTS}.id", "all", r"groups\[3\]\.id: is 'all', which is kept"),
    (f"{PLANTS}.id", "goal", r"groups\[3\]\.id: is 'goal', which is kept"),
    (f"{TOOLS}.id", "story-prompts", r"items\[2\]\.id: gives the linkId 'garden-story-prompts', which appears twice"),
    (f"{GROWS}.enable_when", {"item": "shared", "answer": True}, r"enable_when\.item: is in another group"),
    (f"{PLANTS}.items.2.enable_when", {"item": "bed", "answer": "housing"}, r"enable_when\.item: is in another group"),
]


@pytest.mark.parametrize(("path", "value", "message"), REFUSED, ids=[f"{p}={v!r}"[:60] for p, v, _ in REFUSED])
def test_a_spoilt_living_form_is_refused_with_file_and_key(path, value, message):
    with pytest.raises(DefinitionError, match=message) as caught:
        instrument_from(spoilt(path, value), "garden.toml")
    assert caught.value.file == "garden.toml"


ALLOWED = [
    ("living.overview", ...),
    ("living.review", ...),
    ("living.review.item", ...),
    ("living.shown_in", []),
    (f"{PLANTS}.add", ...),
    (f"{PLANT}.kind", "text"),
    (f"{PLANT}.becomes", ...),
    (f"{PLACE}.offer", True),
    (f"{TOOLS}.was", "strength"),
    (f"{GROWS}.enable_when", {"item": "bed", "answer": "housing"}),
    (f"{PLANTS}.items.2.enable_when", {"item": "place", "answer": "2"}),
    (f"{GROWS}.many", True),
    (f"{GROWS}.id", "all"),
    (f"{NOW}.id", "goal"),
    (f"{GROWS}.rows", 40),
    (f"{GROWS}.card", True),
]


@pytest.mark.parametrize(("path", "value"), ALLOWED, ids=[f"{p}={v!r}"[:60] for p, v in ALLOWED])
def test_what_may_be_otherwise_is_read(path, value):
    assert instrument_from(spoilt(path, value), "garden.toml").kind == "living"


def test_an_answer_that_keeps_a_row_off_the_card_can_be_given():
    data = changed(spoilt(f"{PLANT}.card", True), f"{PLACE}.many", False)
    assert instrument_from(changed(data, f"{PLACE}.off_card", "1"), "garden.toml").item("garden-place").off_card == "1"
    with pytest.raises(DefinitionError, match=r"items\[2\]\.off_card: is '9'; it must be one answer of a choice: 1, 2"):
        instrument_from(changed(data, f"{PLACE}.off_card", "9"), "garden.toml")


def test_rows_may_be_offered_for_each_goal():
    data = spoilt(BEDS, {**garden_data()["groups"][1], "per": "goal"})
    data["groups"][1]["items"][0] = {"id": "bed", "kind": "goal", "subject": "goal", "text": WORDS}
    form = instrument_from(data, "garden.toml")
    assert (form.groups[1].per, form.item("garden-bed").kind) == ("goal", "goal")


def test_a_living_form_measures_nothing():
    score = {"scale": "total", "title": WORDS, "items": ["place"], "aggregate": "sum", "minimum_answered": 1}
    score |= {"low": 1, "high": 2, "version": "1", "default": True, "published": True}
    with pytest.raises(DefinitionError, match='scores: are given, but a definition of kind "living" measures nothing'):
        instrument_from(spoilt("scores", [score]), "garden.toml")


OF_LIVING_FORMS = [
    ("groups.0.many", True),
    ("groups.0.per", "domain"),
    ("groups.0.ordered", True),
    ("groups.0.columns", True),
    ("groups.0.add", WORDS),
    ("groups.0.items.0.many", True),
    ("groups.0.items.0.who", "professional"),
    ("groups.0.items.0.prompts", [WORDS]),
    ("groups.0.items.0.rows", 0),
    ("groups.0.items.0.today", True),
    ("groups.0.items.0.card", True),
    ("groups.0.items.0.off_card", "1"),
    ("groups.0.items.0.becomes", "goal"),
    ("groups.0.items.0.offer", True),
    ("groups.0.items.0.changes_goal", "2"),
    ("groups.0.items.0.ends_goal", "3"),
    ("groups.0.items.0.was", "life-story"),
]


def plain_data() -> dict[str, Any]:
    """Return the garden as a questionnaire: its first group, and nothing that only a living form has."""
    items = [
        {"id": "story", "kind": "text", "subject": "story", "text": WORDS},
        {"id": "shared", "kind": "boolean", "subject": "shared", "text": WORDS},
    ]
    data = garden_data() | {"kind": "questionnaire", "groups": [{"id": "now", "title": WORDS, "items": items}]}
    del data["living"]
    return data


def test_without_the_keys_of_living_forms_it_is_a_questionnaire():
    assert instrument_from(plain_data(), "garden.toml").living is None


@pytest.mark.parametrize("kind", ["questionnaire", "record"])
@pytest.mark.parametrize(("path", "value"), OF_LIVING_FORMS, ids=[path for path, _ in OF_LIVING_FORMS])
def test_a_key_of_living_forms_is_refused_elsewhere_and_named(path, value, kind):
    data = changed(plain_data(), path, value) | {"kind": kind}
    key = path.rsplit(".", 1)[1]
    with pytest.raises(DefinitionError, match=rf"groups\[1\]\S*\.{key}: {ONLY_LIVING}"):
        instrument_from(data, "garden.toml")


@pytest.mark.parametrize("kind", ["line", "date", "goal"])
def test_a_kind_of_living_forms_is_refused_elsewhere(kind):
    with pytest.raises(DefinitionError, match=rf"kind: is '{kind}', which is for definitions of kind \"living\""):
        instrument_from(changed(plain_data(), "groups.0.items.0.kind", kind), "garden.toml")


def test_a_choice_of_a_life_domain_is_refused_elsewhere():
    item = {"id": "area", "scale": "life-domain", "subject": "area", "text": WORDS}
    with pytest.raises(DefinitionError, match=r"scale: is 'life-domain', which is for definitions of kind \"living\""):
        instrument_from(changed(plain_data(), "groups.0.items.0", item), "garden.toml")


def _paths(value: Any, path: str = "") -> list[str]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, part in parts for found in (f"{path}{key}", *_paths(part, f"{path}{key}."))]


@pytest.mark.thorough
@pytest.mark.parametrize("value", [..., -1, "x", "", [], {}, True, [1], [[]], {"a": 1}], ids=repr)
def test_whatever_stands_at_any_key_is_read_or_refused_as_a_definition_error(value):
    for path in _paths(garden_data()):
        with contextlib.suppress(DefinitionError):
            instrument_from(spoilt(path, value), "garden.toml")


# ---- in the catalogue ------------------------------------------------------------------------------------------------


def _with(folder: Path, *forms: dict[str, Any]) -> Catalogue:
    for data in forms:
        (folder / f"{data['id']}.toml").write_text(definition_toml(data), encoding="utf-8")
    return Catalogue(definitions=folder)


def test_living_forms_of_ours_send_words_only_where_they_are_taken():
    """`Catalogue.living` refuses any other; each of them is a living form that nobody is asked to send in."""
    known = Catalogue()
    assert known.living == {name: one for name, one in known.instruments.items() if one.kind == "living"}
    assert not known.living.keys() & known.asked.keys()


def test_a_living_form_is_found_like_any_other_and_asked_of_nobody(tmp_path: Path):
    known = known_with(tmp_path)
    assert known.living["garden"] == FORM
    assert "garden" not in known.asked
    assert known.by_canonical(f"{BASE}/Questionnaire/garden|1.0.0") == FORM
    assert known.by_canonical(f"{BASE}/Questionnaire/garden-plain").id == "garden"
    assert known.versions("garden") == (FORM,)


def test_living_forms_come_in_their_order_and_then_by_id(tmp_path: Path):
    orders = {"pond": 5, "hedge": 20, "shed": 5, "path": 10}
    forms = [changed(garden_data(), f"{PLANTS}.items.2.becomes", f"{name}-story") | {"id": name} for name in orders]
    for form in forms:
        form["living"]["order"] = orders[form["id"]]
    assert list(_with(tmp_path, *forms).living) == ["pond", "shed", "path", "hedge"]


@pytest.mark.parametrize("becomes", ["garden-nothing", "pond-story", "garden-shared", "garden-bed", "goals"])
def test_words_that_would_go_where_nothing_takes_them_are_refused(becomes, tmp_path: Path):
    known = _with(tmp_path, spoilt(f"{PLANT}.becomes", becomes))
    assert known.instrument("garden").item("garden-plant").becomes == becomes
    message = rf"^garden\.toml: groups\[3\]\.items\[1\]\.becomes: is '{becomes}'; it must be 'goal', or <form>-<item>"
    with pytest.raises(DefinitionError, match=message):
        _ = known.living


def test_one_item_in_all_living_forms_stands_beside_what_the_place_has(tmp_path: Path):
    alone = _with(tmp_path, spoilt(f"{PLACE}.offer", True))
    assert [item.link_id for item in alone.living["garden"].items if item.offer] == ["garden-place"]
    both = _with(
        tmp_path, changed(garden_data() | {"id": "pond"}, f"{PLACE}.offer", True), spoilt(f"{PLACE}.offer", True)
    )
    with pytest.raises(
        DefinitionError, match=r"^pond\.toml: groups\[3\]\.items\[2\]\.offer: is true, but garden-place"
    ):
        _ = both.living


def test_the_words_of_an_extension_are_taken_over_once(tmp_path: Path):
    both = _with(
        tmp_path,
        changed(garden_data() | {"id": "pond"}, f"{TOOLS}.was", "story"),
        spoilt(f"{TOOLS}.was", "story"),
    )
    with pytest.raises(DefinitionError, match=r"^pond\.toml: .*\.was: is 'story', of which garden-tools has the words"):
        _ = both.living


def test_two_items_of_living_forms_never_have_one_linkid(tmp_path: Path):
    shed = changed(garden_data() | {"id": "garden-shed"}, f"{PLANTS}.items.2.becomes", "goal")
    known = _with(tmp_path, shed, spoilt(f"{STORY}.id", "shed-tools"))
    with pytest.raises(DefinitionError, match=r"items\[\d\]\.id: gives the linkId 'garden-shed-tools', which garden"):
        _ = known.living


def test_a_form_takes_over_the_words_of_one_extension(tmp_path: Path):
    data = changed(spoilt(f"{TOOLS}.was", "story"), f"{GROWS}.was", "other")
    with pytest.raises(
        DefinitionError, match=r"groups\[2\]\.items\[2\]\.was: is the second in this form, after garden"
    ):
        _ = _with(tmp_path, data).living


def test_what_the_place_has_is_chosen_by_name_in_one_line_beside_that_question(tmp_path: Path):
    data = changed(spoilt(f"{PLACE}.offer", True), f"{TOOLS}.offer", True)
    both = _with(tmp_path, data)
    assert [item.link_id for item in both.living["garden"].items if item.from_offer] == ["garden-tools"]
    page = instrument_page(both.living["garden"])
    assert "is chosen from what the place has to offer" in page
    assert "stands beside what the place has to offer" in page
    (folder := tmp_path / "alone").mkdir()
    alone = _with(folder, spoilt(f"{TOOLS}.offer", True))
    with pytest.raises(DefinitionError, match=r"items\[2\]\.offer: is true, but no choice has it"):
        _ = alone.living


def test_words_may_go_to_another_living_form(tmp_path: Path):
    pond = garden_data() | {"id": "pond"}
    known = _with(tmp_path, pond, garden_data())
    assert known.living["pond"].item("pond-care").becomes == "garden-story"


# ---- what is published -----------------------------------------------------------------------------------------------


def items_of(variant: Any = "default") -> dict[str, dict[str, Any]]:
    groups = questionnaire(FORM, variant)["item"]
    return {one["linkId"]: one for group in groups for one in (group, *group["item"])}


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_published_as_valid_r4(variant):
    get_fhir_model_class("Questionnaire").model_validate(questionnaire(FORM, variant))


def test_each_kind_of_item_has_its_type_in_fhir():
    types = {name: items_of()[f"garden-{name}"]["type"] for name in ("story", "tools", "shared", "look-again", "bed")}
    assert types == {"story": "text", "tools": "string", "shared": "boolean", "look-again": "date", "bed": "choice"}
    data = changed(garden_data(), PLANT, {"id": "plant", "kind": "goal", "subject": "goal", "text": WORDS})
    goal = questionnaire(instrument_from(data, "garden.toml"))["item"][2]["item"][0]
    assert goal["type"] == "string"


def test_groups_with_rows_and_items_with_several_answers_repeat_and_nothing_else():
    repeating = {link_id for link_id, one in items_of().items() if one.get("repeats")}
    assert repeating == {"garden-beds", "garden-plants", "garden-tools", "garden-place"}


def test_a_choice_of_several_has_boxes_to_tick_and_any_other_has_buttons():
    def control(name: str) -> str:
        [extension] = items_of()[f"garden-{name}"]["extension"]
        return str(extension["valueCodeableConcept"]["coding"][0]["code"])

    assert (control("place"), control("bed")) == ("check-box", "radio-button")


def test_ideas_stand_below_their_question_to_be_read_only():
    [now, *_] = questionnaire(FORM)["item"]
    assert [one["linkId"] for one in now["item"]][:3] == ["garden-story", "garden-story-prompts", "garden-tools"]
    shown = now["item"][1]
    assert (shown["type"], shown["text"]) == ("display", "Ideeën: Wat bloeit er?; Wat hoor je?")
    assert "Ideas: What is in flower?; What do you hear?" in json.dumps(shown)
    assert items_of("plain")["garden-story-prompts"] == {
        "linkId": "garden-story-prompts",
        "text": "Ideeën: Wat bloeit er?; Wat hoor je?",
        "type": "display",
    }


def test_ideas_are_there_only_when_their_question_is():
    data = changed(garden_data(), f"{NOW}.items.4.prompts", [WORDS])
    made = {one["linkId"]: one for one in questionnaire(instrument_from(data, "garden.toml"))["item"][0]["item"]}
    assert made["garden-with-whom-prompts"]["enableWhen"] == made["garden-with-whom"]["enableWhen"]


def test_anothers_part_says_whose_it_is():
    assert items_of()["garden-neighbour"]["text"] == "Wat ziet de buurman? Dit vult de ervaringsdeskundige in."
    data = changed(garden_data(), f"{NOW}.items.2.who", "professional")
    item = instrument_from(data, "garden.toml").item("garden-neighbour")
    assert item.asked == Text(
        "Wat ziet de buurman? Dit vult de hulpverlener in.",
        "What does the neighbour see? The professional fills this in.",
    )
    assert "vult" not in items_of()["garden-story"]["text"]


def test_life_domains_are_offered_by_the_codes_that_there_are_already(tmp_path: Path):
    offered = [option["valueCoding"] for option in items_of()["garden-bed"]["answerOption"]]
    assert {one["system"] for one in offered} == {f"{BASE}/CodeSystem/life-domain"}
    assert [one["code"] for one in offered] == [domain.code for domain in catalogue().life_domains]
    assert not any("extension" in one for one in offered)  # no weight: a life domain counts for nothing
    more = published("default", known_with(tmp_path)).keys() - published().keys()
    assert more == {
        "Questionnaire-garden.json",
        "CodeSystem-answer-garden-light.json",
        "ValueSet-answer-garden-light.json",
    }


# ---- what is shown ---------------------------------------------------------------------------------------------------


def test_the_page_says_what_becomes_of_what_is_written():
    page = instrument_page(FORM)
    assert "| kind | living form |" in page
    assert "Rows: one is offered for each life domain, named by `garden-bed`." in page
    assert "named by `garden-plant`; the client puts them in order." in page
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `garden-")}
    assert rows["garden-plant"].endswith("| one line | the client | can become a goal |  |")
    assert "| open | the client | can be taken to `garden-story` |" in rows["garden-care"]
    assert "| a date | the client | is the day on which the row was written |" in rows["garden-weeded"]
    assert "| the peer worker |" in rows["garden-neighbour"]
    assert "| one of `life-domain` |" in rows["garden-bed"]
    assert "1–2, several" in rows["garden-place"]
    assert "- Wat hoor je? (What do you hear?)" in page
    assert "6 months after it was last changed, or on the day in `look-again`: Klopt je tuin nog?" in page
    assert "`life-domain`" not in page.partition("## Answer scales")[2]


def test_the_page_tells_the_extension_that_the_words_were_kept_in():
    form = instrument_from(spoilt(f"{STORY}.was", "life-story"), "garden.toml")
    assert "stands on the small card; was the extension `life-story` of the CarePlan" in instrument_page(form)


def test_the_index_lists_living_forms_apart(tmp_path: Path):
    measured, _, living = index_page(known_with(tmp_path).instruments.values()).partition("## Living forms")
    assert "[My garden](garden.md)" in living
    assert "garden" not in measured
    assert "[Hope (HOOP)](hoop.md)" in measured
    assert "## Living forms" not in index_page([catalogue().instrument("hoop")])


# ---- what a definition owes its readers ------------------------------------------------------------------------------


def test_the_garden_owes_nothing():
    assert list(unmet(FORM)) == []


def test_the_same_question_may_be_asked_in_two_groups_and_not_twice_in_one():
    text = garden_data()["groups"][0]["items"][0]["text"]
    assert list(unmet(instrument_from(spoilt(f"{GROWS}.text", text), "garden.toml"))) == []
    data = spoilt(f"{SHARED}.text", garden_data()["groups"][0]["items"][5]["text"])
    [line] = unmet(instrument_from(data, "garden.toml"))
    assert line == "garden: garden-look-again has the same text as garden-shared; readers can't tell them apart"


LONG = "Dit is een zin die met opzet veel langer is dan wij ooit zouden schrijven."


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("living.saved", "saved"),
        ("living.overview.empty", "overview.empty"),
        ("living.review.question", "review.question"),
        (f"{STORY}.prompts.1", "garden-story prompt 2"),
        (f"{STORY}.help", "garden-story help"),
        (f"{NOW}.help", "garden-now help"),
        (f"{PLANTS}.add", "garden-plants add"),
    ],
)
def test_a_sentence_that_is_too_long_is_named_wherever_it_stands(path, place):
    [line] = unmet(instrument_from(spoilt(path, {"nl": f"Kort. {LONG}", "en": "x"}), "garden.toml"))
    assert re.match(rf"garden: {re.escape(place)} has a sentence of 15 words in Dutch", line)
