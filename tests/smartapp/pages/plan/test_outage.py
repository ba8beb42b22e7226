"""The record does not answer, or refuses later: what was saved stays, is shown, and is never called arrived."""

from __future__ import annotations

import pytest

from smartapp.fhir.store import Query, Refused, Unreachable
from tests.smartapp.helpers import launched, make_app
from tests.smartapp.pages.plan.conftest import put
from tests.smartapp.pages.plan.pages import fields_of, fill, stored_plan


@pytest.fixture
def halfway(clock):
    """Anna, with a plan halfway, in an app whose clock stands still."""
    app = make_app(clock=clock)
    visitor = launched(app)
    put(visitor.ehr)
    yield visitor
    visitor.core.engine.dispose()


@pytest.fixture
def flaky(halfway):
    """Her record, which can be made to fail."""
    return halfway.make_flaky()


def test_what_was_saved_during_an_outage_is_shown_and_not_called_saved_in_the_record(halfway, flaky):
    flaky.error = Unreachable("down")
    answer = fill(halfway, "living/story/story/", story_story="Tijdens de storing.")
    assert answer.status_code == 303
    assert "onderweg naar het dossier" in halfway.get(answer.location).text
    page = halfway.get("living/story/?saved=1&waits=1").text
    assert "Tijdens de storing." in page
    assert "onderweg naar het dossier" in page
    assert "Je verhaal is bewaard." not in page.replace("onderweg", "")
    assert stored_plan(flaky).story != "Tijdens de storing."


def test_a_goal_made_during_an_outage_is_shown(halfway, flaky):
    flaky.error = Unreachable("down")
    answer = fill(halfway, "plan/goals/new", text="Een moestuin", domain="housing")
    page = halfway.client.get(answer.location, follow_redirects=True)
    assert page.status_code == 200
    assert "Een moestuin" in page.text
    assert "Een moestuin" in halfway.get("plan/").text


def test_a_goal_that_is_changed_during_an_outage_is_still_shown(halfway, flaky):
    """It is in the record under an id; what waits must be found by that, and not as something new."""
    goal = stored_plan(flaky).goals[0]
    flaky.error = Unreachable("down")
    answer = fill(halfway, f"plan/goals/{goal.id}/progress", progress="improving", note="Ik durf het water in.")
    page = halfway.get(answer.location)
    assert page.status_code == 200
    assert "Ik durf het water in." in page.text
    assert "onderweg naar het dossier" in page.text
    assert "Ik durf het water in." in halfway.get("plan/").text


def test_a_second_change_during_an_outage_keeps_the_text_and_says_why(halfway, flaky):
    flaky.error = Unreachable("down")
    fill(halfway, "living/story/story/", story_story="Eerst.")
    answer = fill(halfway, "living/story/story/", story_story="Dan dit.")
    assert answer.status_code == 409
    assert "nog onderweg naar het dossier" in answer.text
    assert fields_of(answer)["story-story"] == "Dan dit."
    assert fields_of(halfway.get("living/story/story/"))["story-story"] == "Dan dit."


def test_what_waits_of_one_form_holds_up_no_other(halfway, flaky):
    flaky.error = Unreachable("down")
    fill(halfway, "living/story/story/", story_story="Eerst.")
    assert fill(halfway, "living/strengths/list/", strengths_what="Zon").status_code == 303
    flaky.error = None
    halfway.courier_comes()
    assert stored_plan(flaky).story == "Eerst."
    assert stored_plan(flaky).strengths == ("Mijn zus", "Tekenen", "Zon")


def test_what_the_record_refuses_at_once_stays_on_the_page(halfway, flaky):
    flaky.error = Refused("no")
    answer = fill(halfway, "living/story/story/", story_story="Toch mijn woorden.")
    assert answer.status_code == 303
    assert stored_plan(flaky).story != "Toch mijn woorden."
    page = halfway.get("living/story/").text  # the record takes neither the words nor their name: they are kept with us
    assert "Toch mijn woorden." in page
    assert "Bewaard in Verstel" in page


def test_what_the_record_refuses_of_a_goal_stays_on_the_page(halfway, flaky):
    flaky.error = Refused("no")
    found = stored_plan(flaky).goals[0]
    answer = fill(halfway, f"plan/goals/{found.id}/words", text="Toch mijn woorden.")
    assert answer.status_code == 422
    assert fields_of(answer)["text"] == "Toch mijn woorden."
    flaky.error = None
    assert fill(halfway, f"plan/goals/{found.id}/words").status_code == 303
    assert stored_plan(flaky).goals[0].text == "Toch mijn woorden."


def test_a_record_that_can_not_be_read_keeps_what_was_typed(halfway, flaky):
    form = {**fields_of(halfway.get("living/story/story/")), "story-story": "Bewaar mij."}

    flaky.silence = Unreachable("down")
    answer = halfway.post("living/story/story/", form)
    assert answer.status_code >= 500
    assert "Bewaar mij." in answer.text
    flaky.silence = None
    assert fields_of(halfway.get("living/story/story/"))["story-story"] == "Bewaar mij."


def test_after_the_outage_it_arrives_once(halfway, flaky):
    flaky.error = Unreachable("down")
    fill(halfway, "plan/goals/new", text="Een moestuin", domain="housing")
    flaky.error = None
    halfway.courier_comes()
    page = halfway.get("plan/")
    assert "onderweg naar het dossier" not in page.text
    assert [goal.text for goal in stored_plan(flaky).goals] == ["Weer leren zwemmen", "Een kat", "Een moestuin"]
    assert len(flaky.search(Query.of("Goal"))) == 3


@pytest.fixture
def without_transactions(flaky, monkeypatch):
    """Her record, which takes one resource at a time."""

    def write_all(_writes):
        raise Refused("no transactions here")

    monkeypatch.setattr(flaky, "write_all", write_all)
    return flaky


def test_a_goal_that_arrived_before_its_plan_is_shown_and_not_made_twice(halfway, without_transactions):
    """The Goal was taken, then the record broke down before the CarePlan that refers to it."""
    flaky = without_transactions
    flaky.error, flaky.good_writes = Unreachable("down"), 1
    fill(halfway, "plan/goals/new", text="Een moestuin", domain="housing")
    assert len(flaky.search(Query.of("Goal"))) == 3
    assert len(stored_plan(flaky).goals) == 2
    assert "Een moestuin" in halfway.get("plan/").text
    flaky.error = None
    halfway.courier_comes()
    assert "Een moestuin" in halfway.get("plan/").text
    assert [goal.text for goal in stored_plan(flaky).goals] == ["Weer leren zwemmen", "Een kat", "Een moestuin"]
    assert len(flaky.search(Query.of("Goal"))) == 3


def test_a_step_that_arrived_before_its_plan_is_shown(halfway, without_transactions):
    """The Task was taken, then the record broke down before the CarePlan."""
    flaky = without_transactions
    flaky.error, flaky.good_writes = Unreachable("down"), 1
    goal = stored_plan(flaky).goals[0]
    answer = fill(halfway, f"plan/goals/{goal.id}/steps/new", text="Een schep lenen")
    assert "Een schep lenen" in halfway.get(answer.location).text
    flaky.error = None
    halfway.courier_comes()
    halfway.get("plan/")
    assert stored_plan(flaky).goals[0].steps[-1].text == "Een schep lenen"


def test_a_goal_whose_plan_was_refused_is_saved_again_with_other_words(halfway, flaky, monkeypatch):
    """Without transactions a goal arrives before its plan; the form that made it changes it, and makes no second."""
    whole = flaky.store.capabilities()
    rest = [{**one, "interaction": []} for one in whole["rest"]]
    monkeypatch.setattr(flaky, "capabilities", lambda: {**whole, "rest": rest})
    form = {**fields_of(halfway.get("plan/goals/new")), "text": "Een hond", "domain": "housing"}
    flaky.no_updates = Refused("no")
    refused = halfway.post("plan/goals/new", form)
    assert refused.status_code == 422
    before = [one.resource["description"]["text"] for one in flaky.search(Query.of("Goal"))]
    assert "Een hond" in before
    assert "Een hond" not in [goal.text for goal in stored_plan(flaky).goals]
    flaky.no_updates = None
    assert halfway.post("plan/goals/new", {**form, "text": "Een kat en een hond"}).status_code == 303
    assert "Een kat en een hond" in [goal.text for goal in stored_plan(flaky).goals]
    assert len(flaky.search(Query.of("Goal"))) == len(before)
