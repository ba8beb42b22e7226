"""What is typed and not yet saved is kept for its writer, and for nobody else."""

from __future__ import annotations

from smartapp.fhir.store import Gone, Query
from tests.smartapp.helpers import launched, make_app
from tests.smartapp.pages.plan.pages import fields_of, fill, named, stored_plan

JSON = {"Accept": "application/json"}


def sketch(visitor, path, **typed):
    """Send what `app.js` sends while someone types."""
    answer = visitor.post(path, {**fields_of(visitor.get(path)), **named(typed)}, headers=JSON)
    assert answer.status_code == 200
    assert answer.json == {"saved": True}


def test_typing_writes_nothing_to_the_record(anna):
    sketch(anna, "living/story/story/", story_story="Half een zin")
    assert anna.ehr.search(Query.of("CarePlan")) == []


def test_what_was_typed_stands_there_again_and_says_that_it_is_not_saved(anna):
    sketch(anna, "living/story/story/", story_story="Half een zin")
    page = anna.get("living/story/story/")
    assert fields_of(page)["story-story"] == "Half een zin"
    assert "Het staat nog niet in je plan." in page.text


def test_saving_ends_the_sketch(anna):
    sketch(anna, "living/story/story/", story_story="Half een zin")
    fill(anna, "living/story/story/", story_story="Een hele zin.")
    page = anna.get("living/story/story/")
    assert fields_of(page)["story-story"] == "Een hele zin."
    assert "Het staat nog niet in je plan." not in page.text


def test_a_sketch_can_be_thrown_away(halfway):
    sketch(halfway, "living/story/story/", story_story="Toch niet")
    assert halfway.post("living/story/story/", {"sketch": "discard"}).status_code == 303
    assert "Zwolle" in fields_of(halfway.get("living/story/story/"))["story-story"]


def test_a_sketch_that_grew_old_does_not_overwrite_newer_words(halfway):
    sketch(halfway, "living/story/story/", story_story="Mijn schets.")
    newer = {**fields_of(halfway.get("living/story/story/")), "story-story": "x"}
    stored = stored_plan(halfway.ehr)
    assert stored.story != "x"
    # Another tab, without the sketch, saves first.
    halfway.post("living/story/story/", {**newer, "story-story": "Nieuwer."})
    sketch_again = {"story-story": "Mijn schets.", "seen-story-story": newer["seen-story-story"]}
    answer = halfway.post("living/story/story/", sketch_again)
    assert answer.status_code == 409
    assert stored_plan(halfway.ehr).story == "Nieuwer."


def test_an_earlier_version_that_can_not_be_put_back_takes_no_place_of_a_sketch(halfway):
    sketch(halfway, "living/story/story/", story_story="Mijn schets.")
    halfway.make_flaky().error = Gone("it was here")
    form = {**fields_of(halfway.get("living/story/story/")), "story-story": "Van vroeger.", "put-back": "1"}
    assert halfway.post("living/story/story/", form).status_code >= 400
    assert fields_of(halfway.get("living/story/story/"))["story-story"] == "Mijn schets."


def test_a_new_goal_that_was_typed_halfway_keeps_its_key(halfway):
    path = "plan/goals/new"
    typed = {**fields_of(halfway.get(path)), "text": "Een moestuin", "domain": "housing"}
    halfway.post(path, typed, headers=JSON)
    again = fields_of(halfway.get(path))
    assert (again["text"], again["domain"], again["key"]) == ("Een moestuin", "housing", typed["key"])


def test_after_a_goal_is_made_the_form_is_empty_again(halfway):
    fill(halfway, "plan/goals/new", text="Een moestuin", domain="housing")
    assert fields_of(halfway.get("plan/goals/new"))["text"] == ""


def test_a_sketch_is_not_an_unfinished_questionnaire(anna):
    sketch(anna, "living/story/story/", story_story="Half een zin")
    assert anna.records.drafts.all() == []


def test_somebody_else_does_not_see_it(app, anna):
    sketch(anna, "living/story/story/", story_story="Alleen van mij")
    ben = launched(app, patient="ben", name="Ben Voorbeeld")
    assert "Alleen van mij" not in ben.get("living/story/story/").text


def test_it_is_there_again_in_the_next_launch(app, anna):
    sketch(anna, "living/story/story/", story_story="Half een zin")
    assert fields_of(launched(app).get("living/story/story/"))["story-story"] == "Half een zin"


def test_below_a_path_what_was_typed_goes_to_us_and_stands_there_after_a_new_sign_in():
    """Behind a proxy that serves the app below a path, anything beside that path belongs to someone else."""
    app = make_app(public_url="http://localhost/verstel")
    anna = launched(app)
    there = f"/verstel/l/{anna.launch.id}/living/story/story/"
    assert f'data-autosave="{there}"' in anna.get("living/story/story/").text
    sketch(anna, "living/story/story/", story_story="Half een zin")
    again = launched(app)
    assert fields_of(again.get("living/story/story/"))["story-story"] == "Half een zin"
    assert anna.post("living/story/story/", {"sketch": "discard"}).location == there
