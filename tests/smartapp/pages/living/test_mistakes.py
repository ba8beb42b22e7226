"""What took words out of a living form is taken back with one press: of an answer, and of a whole row at its place."""

from __future__ import annotations

import pytest

from mappers.living import Content, Row
from smartapp.services import KEY
from tests.smartapp.helpers import launched, make_app, text_of
from tests.smartapp.pages.living.forms import garden_of, put_versions, remove_row
from tests.smartapp.pages.plan.conftest import put
from tests.smartapp.pages.plan.pages import fields_of, fill
from tests.smartapp.pages.plan.test_mistakes import offers, pressed

STORY = "living/garden/story/"


@pytest.fixture
def app(clock):
    """An app whose clock stands still."""
    made = make_app(clock=clock)
    yield made
    made.extensions[KEY].engine.dispose()


@pytest.fixture
def planted(anna, known):
    """Anna, with everything in her garden that can be there; a bed of long ago among it, and a neighbour's words."""
    garden = known.living["garden"]
    plants = tuple(Row(f"p{number}", {"garden-plant": (name,)}) for number, name in enumerate(("roos", "munt", "kool")))
    bed = Row("b1", {"garden-bed": ("meaning",), "garden-grows": ("Rust.",), "garden-weeded": ("2020-05-01",)})
    answers = {"garden-story": ("Onkruid.\n\nEn een roos.",), "garden-tools": ("hark", "schep")}
    put_versions(anna, Content(garden, answers, {"garden-beds": (bed,), "garden-plants": plants}))
    return anna


def test_emptied_words_come_back_with_one_press(planted):
    before = garden_of(planted)
    answer = fill(planted, STORY, **{"garden-story": ""}, stop="1")
    assert not garden_of(planted).of("garden-story")
    back = pressed(planted, answer)
    assert garden_of(planted) == before
    assert "Het is weer zoals het was." in planted.get(back.location).text
    assert not offers(planted, back)


def test_it_is_taken_back_from_the_question_that_comes_next(planted):
    answer = fill(planted, STORY, **{"garden-story": "Onkruid."})
    assert "/tools/" in answer.location
    pressed(planted, answer)
    assert garden_of(planted).of("garden-story") == "Onkruid.\n\nEn een roos."


def test_what_only_grew_offers_nothing_to_take_back(planted):
    answer = fill(planted, "living/garden/tools/", **{"garden-tools": "hark\r\nschep\r\ngieter"})
    assert not offers(planted, answer)


def test_words_that_left_a_row_come_back(planted):
    path = "living/garden/beds/b1/"
    before = garden_of(planted)
    answer = fill(planted, path, **{"garden-bed": "meaning", "garden-grows": ""})
    assert garden_of(planted).field("garden-grows.b1") == ""
    pressed(planted, answer)
    assert garden_of(planted) == before


@pytest.mark.parametrize("key", ["p0", "p1", "p2"])
def test_a_row_that_was_taken_out_comes_back_at_its_place(planted, key):
    before = garden_of(planted)
    answer = remove_row(planted, "garden", "plants", key)
    assert "Je tuin is bewaard." in text_of(planted.get(answer.location))
    assert len(garden_of(planted).rows_of("garden-plants")) == 2
    pressed(planted, answer)
    assert garden_of(planted) == before


def test_a_row_comes_back_with_the_day_on_which_it_was_written(planted):
    before = garden_of(planted)
    answer = remove_row(planted, "garden", "beds", "b1")
    assert garden_of(planted).rows_of("garden-beds") == ()
    pressed(planted, answer)
    assert garden_of(planted) == before
    assert garden_of(planted).field("garden-weeded.b1") == "2020-05-01"


def test_a_row_about_a_goal_that_has_left_the_plan_comes_back(anna, known):
    put(anna.ehr)
    form = known.living["goal-support"]
    row = Row("a", {"goal-support-goal": ("gone",), "goal-support-support": ("Jaap.",)})
    put_versions(anna, Content(form, {}, {"goal-support-goals": (row,)}, {"gone": "Een doel van toen"}))
    answer = remove_row(anna, "goal-support", "goals", "a")
    pressed(anna, answer)
    assert "Een doel van toen" in text_of(anna.get("living/goal-support/"))
    assert "Jaap." in text_of(anna.get("living/goal-support/"))


def test_taking_back_does_not_overwrite_what_someone_else_wrote_since(app, planted):
    answer = fill(planted, STORY, **{"garden-story": ""}, stop="1")
    fill(launched(app), STORY, **{"garden-story": "Van een ander scherm."})
    clash = pressed(planted, answer)
    assert clash.status_code == 409
    assert "Van een ander scherm." in clash.text
    assert garden_of(planted).of("garden-story") == "Van een ander scherm."


def test_a_row_that_was_put_back_elsewhere_already_is_there_once(app, planted):
    answer = remove_row(planted, "garden", "plants", "p0")
    pressed(planted, answer)
    assert pressed_again(planted, "living/garden/plants/p0/").status_code in (303, 409)
    assert [row.key for row in garden_of(planted).rows_of("garden-plants")].count("p0") == 1


def pressed_again(visitor, path):
    return visitor.post(path, {"undo": "what was taken back already"})


def test_what_was_typed_and_not_saved_since_survives_taking_back(planted):
    answer = fill(planted, STORY, **{"garden-story": ""}, stop="1")
    typed = {**fields_of(planted.get(STORY)), "garden-story": "Nog niet af"}
    planted.post(STORY, typed, headers={"Accept": "application/json"})
    pressed(planted, answer)
    assert "Nog niet af" in planted.get(STORY).text


# --- what is typed and not yet saved

JSON = {"Accept": "application/json"}


def sketch(visitor, path, **typed):
    """Send what `app.js` sends while someone types."""
    answer = visitor.post(path, {**fields_of(visitor.get(path)), **typed}, headers=JSON)
    assert answer.json == {"saved": True}


def test_a_sketch_stands_there_again_says_that_it_is_not_saved_and_can_be_thrown_away(planted):
    sketch(planted, STORY, **{"garden-story": "Half een zin"})
    page = planted.get(STORY)
    assert fields_of(page)["garden-story"] == "Half een zin"
    assert "Gooi weg" in text_of(page) or 'value="discard"' in page.text
    assert planted.post(STORY, {"sketch": "discard"}).status_code == 303
    assert fields_of(planted.get(STORY))["garden-story"].startswith("Onkruid.")


def test_a_sketch_is_of_one_page_one_row_and_one_person(app, planted):
    sketch(planted, "living/garden/plants/p0/", **{"garden-plant": "Wilde roos"})
    assert fields_of(planted.get("living/garden/plants/p1/"))["garden-plant"] == "munt"
    assert fields_of(planted.get("living/garden/plants/new"))["garden-plant"] == ""
    assert fields_of(launched(app).get("living/garden/plants/p0/"))["garden-plant"] == "Wilde roos"
    fill(planted, "living/garden/plants/p0/")
    assert garden_of(planted).field("garden-plant.p0") == "Wilde roos"


def test_a_new_row_that_was_typed_halfway_keeps_its_key_and_is_made_once(planted):
    path = "living/garden/plants/new"
    typed = {**fields_of(planted.get(path)), "garden-plant": "peer"}
    planted.post(path, typed, headers=JSON)
    again = fields_of(planted.get(path))
    assert (again["garden-plant"], again["key"]) == ("peer", typed["key"])
    planted.post(path, again)
    assert fields_of(planted.get(path))["garden-plant"] == ""
    assert fields_of(planted.get(path))["key"] != typed["key"]
    assert [row.of("garden-plant") for row in garden_of(planted).rows_of("garden-plants")][-1:] == ["peer"]


def test_a_sketch_that_grew_old_does_not_overwrite_newer_words(app, planted):
    sketch(planted, STORY, **{"garden-story": "Mijn schets."})
    opened = fields_of(planted.get(STORY))
    shown = {name: text for name, text in opened.items() if not name.startswith("_")}
    assert launched(app).post(STORY, {**shown, "garden-story": "Nieuwer."}).status_code == 303
    answer = planted.post(STORY, opened)
    assert answer.status_code == 409
    assert garden_of(planted).of("garden-story") == "Nieuwer."
