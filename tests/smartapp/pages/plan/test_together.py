"""A professional types in the client's plan, or presses a button of it; the client reads it first, and says yes."""

from __future__ import annotations

import re

import pytest

from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.plan.conftest import put
from tests.smartapp.pages.plan.pages import fields_of, fill, stored_plan

WORDS = "Een keer per week\nmeezingen."


@pytest.fixture
def joost(app):
    """A professional who writes in Anna's plan with her, which is halfway."""
    visitor = launched(app, role="clinician")
    put(visitor.ehr)
    assert visitor.post("overview/together/write", {"what": "plan"}).location.endswith("/plan/")
    return visitor


def goal_id(visitor, text="Weer leren zwemmen"):
    return next(one.id for one in stored_plan(visitor.ehr).goals if one.text == text)


def step_id(visitor, text="Bellen met het zwembad"):
    return next(step.id for goal in stored_plan(visitor.ehr).goals for step in goal.steps if step.text == text)


def resource(visitor, type_, id_):
    return visitor.ehr.read(type_, id_).resource


def with_yes(visitor, path, **typed):
    """Type, check that nothing is saved by that, and say yes; return the page that asked, and the answer to the yes."""
    before = stored_plan(visitor.ehr)
    answer = fill(visitor, path, **typed)
    assert answer.status_code == 303, answer.text
    page = visitor.get(answer.location)
    assert stored_plan(visitor.ehr) == before
    done = visitor.post(path, fields_of(page))
    assert done.status_code == 303, done.text
    return page, done


def pressed_with_yes(visitor, path, **form):
    """Press, check that nothing is done by that, and say yes."""
    before = stored_plan(visitor.ehr)
    page = visitor.post(path, form)
    assert page.status_code == 200
    assert stored_plan(visitor.ehr) == before
    done = visitor.post(path, fields_of(page))
    assert done.status_code == 303, done.text
    return page, done


# --- words ------------------------------------------------------------------------------------------------------


def test_a_goal_is_the_clients_and_is_saved_after_their_yes(joost):
    page, done = with_yes(joost, "plan/goals/new", text=WORDS, domain="meaning")
    said = text_of(page)
    assert "Anna, kloppen deze woorden?" in said
    assert "meezingen." in said
    assert "zin geeft" in said
    made = resource(joost, "Goal", goal_id(joost, WORDS))
    assert made["description"]["text"] == WORDS
    assert made["expressedBy"]["reference"] == made["subject"]["reference"] == "Patient/anna"
    assert "bewaard" in text_of(joost.get(done.location, follow_redirects=True))
    [plan] = joost.ehr.search(Query.of("CarePlan"))
    assert plan.resource["author"]["reference"] == "Patient/anna"
    assert [one["reference"] for one in plan.resource["contributor"]] == ["Practitioner/jansen"]


def test_a_yes_that_is_pressed_twice_makes_one_goal(joost):
    page, _done = with_yes(joost, "plan/goals/new", text=WORDS, domain="meaning")
    assert joost.post("plan/goals/new", fields_of(page)).status_code == 303
    assert [one.text for one in stored_plan(joost.ehr).goals].count(WORDS) == 1


def test_a_step_says_who_typed_it(joost):
    goal = goal_id(joost)
    with_yes(joost, f"plan/goals/{goal}/steps/new", text="Een bus zoeken", who="Anna")
    made = resource(joost, "Task", step_id(joost, "Een bus zoeken"))
    assert made["requester"]["reference"] == "Practitioner/jansen"
    assert made["for"]["reference"] == "Patient/anna"


def test_the_four_questions_are_answered_with_a_yes_each_or_all_at_once(joost):
    page, done = with_yes(joost, "plan/domains/meaning/now", now="Ik zing.")
    assert "Ik zing." in text_of(page)
    assert done.location.endswith("/plan/domains/meaning/change")
    page, done = with_yes(joost, "plan/domains/housing/all", now="Ik woon fijn, met de kat.", how="Zo.")
    said = text_of(page)
    assert said.index("Ik woon fijn.") < said.index("Dit komt ervoor in de plaats") < said.index("met de kat")
    assert "Elke week komt Jaap." not in said
    answers = {one.domain: one for one in stored_plan(joost.ehr).domains}
    assert answers["meaning"].now == "Ik zing."
    assert answers["housing"].support == "Elke week komt Jaap."


def test_a_wrong_date_is_mended_before_anybody_is_asked(joost):
    answer = fill(joost, "plan/goals/new", text=WORDS, domain="meaning", due="straks")
    assert answer.status_code == 422
    assert "Anna, kloppen" not in answer.text


def test_how_it_goes_is_asked_about_too(joost):
    path = f"plan/goals/{goal_id(joost)}/progress"
    page, _done = with_yes(joost, path, progress="improving", note="Het water was warm.")
    assert "Het gaat de goede kant op" in text_of(page)
    [note] = resource(joost, "Goal", goal_id(joost))["note"]
    assert (note["text"], note["authorReference"]["reference"]) == ("Het water was warm.", "Patient/anna")
    page, _done = with_yes(joost, f"plan/goals/{goal_id(joost)}/end", ending="reached")
    assert "Ik heb dit doel bereikt" in text_of(page)
    assert not next(one for one in stored_plan(joost.ehr).goals if one.text == "Weer leren zwemmen").active


def test_a_first_plan_says_who_wrote_it_down_and_whose_it_is(app):
    visitor = launched(app, role="clinician")
    assert visitor.post("overview/together/write", {"what": "domains"}).location.endswith("/plan/domains")
    seen = fields_of(visitor.get("plan/domains"))["seen-domains"]
    page = visitor.post("plan/domains", {"domains": ["meaning", "housing"], "seen-domains": seen})
    said = text_of(page)
    names = {one.code: one.name.nl for one in catalogue().life_domains}
    assert names["meaning"] in said
    assert names["housing"] in said
    assert visitor.ehr.search(Query.of("CarePlan")) == []
    assert visitor.post("plan/domains", fields_of(page)).status_code == 303
    [plan] = visitor.ehr.search(Query.of("CarePlan"))
    assert {one.domain for one in stored_plan(visitor.ehr).domains} == {"meaning", "housing"}
    assert plan.resource["author"]["reference"] == "Practitioner/jansen"
    assert plan.resource["subject"]["reference"] == "Patient/anna"


def test_a_clash_shows_both_versions_and_what_is_chosen_is_read_again(joost):
    path = "plan/domains/housing/now"
    page = joost.get(fill(joost, path, now="Van Joost.").location)
    fill(launched(joost.app), path, now="Van Anna.")
    both = joost.post(path, fields_of(page))
    assert both.status_code == 409
    assert "Van Anna." in both.text
    assert "Van Joost." in both.text
    asked = joost.post(path, {**fields_of(both), "choice-now": "stored"})
    assert asked.status_code == 303
    assert "confirm" not in asked.location  # nothing is left to say yes to
    assert stored_plan(joost.ehr).domains[0].now == "Van Anna."


def test_earlier_words_are_put_back_with_a_yes(joost):
    path = "plan/domains/housing/now"
    with_yes(joost, path, now="Anders.")
    history = joost.get("plan/history")
    assert "SPV J. Jansen" in text_of(history)
    assert "door jezelf" not in text_of(history)
    page = joost.post(
        path, {"put-back": "1", "now": "Ik woon fijn.", "seen-now": fields_of(joost.get(path))["seen-now"]}
    )
    assert page.status_code == 200
    assert stored_plan(joost.ehr).domains[0].now == "Anders."
    joost.post(path, fields_of(page))
    assert stored_plan(joost.ehr).domains[0].now == "Ik woon fijn."


# --- presses ----------------------------------------------------------------------------------------------------


def test_a_step_is_ticked_off_with_a_yes(joost):
    path = f"plan/goals/{goal_id(joost)}/steps/{step_id(joost)}/tick"
    page, _done = pressed_with_yes(joost, path, tick="done", **{"from": "plan"})
    assert "Deze stap is gedaan." in text_of(page)
    assert "Bellen met het zwembad" in text_of(page)
    assert stored_plan(joost.ehr).goals[0].steps[1].status == "done"


@pytest.mark.parametrize(
    ("rest", "says", "held"),
    [
        ("later", "Dit doel is voor later.", lambda goal: goal.later),
        ("remove", "Dit doel gaat uit je plan.", lambda goal: goal is None),
    ],
)
def test_a_press_on_a_goal_waits_for_a_yes(joost, rest, says, held):
    page, done = pressed_with_yes(joost, f"plan/goals/{goal_id(joost)}/{rest}")
    assert says in text_of(page)
    assert "Weer leren zwemmen" in text_of(page)
    goals = {one.text: one for one in stored_plan(joost.ehr).goals}
    assert held(goals.get("Weer leren zwemmen"))
    undo = re.search(r'action="([^"]*/put-back)"', joost.get(done.location).text)
    if rest == "remove":
        pressed_with_yes(joost, undo[1], undo=fields_of(joost.get(done.location))["undo"])
        assert "Weer leren zwemmen" in {one.text for one in stored_plan(joost.ehr).goals}


def test_an_ended_goal_is_taken_up_again_with_a_yes(joost):
    pressed_with_yes(joost, f"plan/goals/{goal_id(joost, 'Een kat')}/resume")
    assert next(one for one in stored_plan(joost.ehr).goals if one.text == "Een kat").active


def test_a_remark_goes_out_with_a_yes(joost):
    goal = goal_id(joost)
    with_yes(joost, f"plan/goals/{goal}/progress", progress="improving", note="Vergissing.")
    name = re.search(r'name="remark" value="([^"]+)"', joost.get(f"plan/goals/{goal}/").text)[1]
    page, done = pressed_with_yes(joost, f"plan/goals/{goal}/remarks/remove", remark=name)
    assert "Vergissing." in text_of(page)
    assert "note" not in resource(joost, "Goal", goal)
    pressed_with_yes(joost, f"plan/goals/{goal}/remarks/put-back", undo=fields_of(joost.get(done.location))["undo"])
    assert resource(joost, "Goal", goal)["note"][0]["text"] == "Vergissing."


def test_areas_that_are_ticked_stay_ticked_where_the_client_says_no(joost):
    page = joost.post("plan/domains", {"domains": ["meaning", "housing", "finances"]})
    again = joost.post("plan/domains", {**fields_of(page), "look": "back"})
    assert re.search(r'value="finances"[^>]* checked', again.text)
    assert "finances" not in {one.domain for one in stored_plan(joost.ehr).domains}


def test_words_that_would_leave_with_an_area_are_shown_before_the_client_is_asked(joost):
    seen = fields_of(joost.get("plan/domains"))["seen-domains"]
    leaves = joost.post("plan/domains", {"domains": "meaning", "seen-domains": seen})
    assert "Ik woon fijn." in text_of(leaves)
    asked = joost.post("plan/domains", {**fields_of(leaves), "remove": "1"})
    assert "Je kiest deze gebieden" in text_of(asked)
    assert len(stored_plan(joost.ehr).domains) == 2
    assert joost.post("plan/domains", fields_of(asked)).status_code == 303
    assert [one.domain for one in stored_plan(joost.ehr).domains] == ["meaning"]


def test_six_areas_are_too_many_before_anybody_is_asked(joost):
    six = ["meaning", "housing", "finances", "daytime-activity", "social-contacts", "mental-health"]
    assert joost.post("plan/domains", {"domains": six}).status_code == 422


# --- two screens ------------------------------------------------------------------------------------------------


def test_a_goal_that_is_confirmed_on_the_clients_own_screen_is_made_once(joost):
    asked = joost.get(fill(joost, "plan/goals/new", text=WORDS, domain="meaning").location)
    joost.post("plan/goals/new", {**fields_of(asked), "hand-over": "1"})
    anna = launched(joost.app)
    address = re.search(r'href="([^"]*confirm=[^"]+)"', anna.get("plan/").text)[1]
    page = anna.get(address)
    assert "SPV J. Jansen schreef dit met je op." in text_of(page)
    assert "meezingen." in text_of(page)
    assert WORDS not in {one.text for one in stored_plan(joost.ehr).goals}
    assert anna.post("plan/goals/new", fields_of(page)).status_code == 303
    assert [one.text for one in stored_plan(joost.ehr).goals].count(WORDS) == 1
    assert resource(joost, "Goal", goal_id(joost, WORDS))["expressedBy"]["reference"] == "Patient/anna"
    assert fields_of(joost.get("plan/goals/new"))["text"] == ""  # it is made, so it is no sketch any more


def test_a_step_that_is_confirmed_there_says_who_typed_it(joost):
    path = f"plan/goals/{goal_id(joost)}/steps/new"
    asked = joost.get(fill(joost, path, text="Een bus zoeken").location)
    joost.post(path, {**fields_of(asked), "hand-over": "1"})
    anna = launched(joost.app)
    page = anna.get(re.search(r'href="([^"]*confirm=[^"]+)"', anna.get("").text)[1])
    assert anna.post(path, fields_of(page)).status_code == 303
    assert resource(joost, "Task", step_id(joost, "Een bus zoeken"))["requester"]["reference"] == "Practitioner/jansen"


# --- whose page it is -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["plan/", "plan/domains", "plan/goals/new", "plan/history", "plan/domains/housing/now"]
)
def test_without_the_client_a_page_of_the_plan_says_so_with_the_way_in(app, path):
    visitor = launched(app, role="clinician")
    page = visitor.get(path)
    assert page.status_code == 403
    assert "/overview/together/write" in page.text


def test_no_view_of_the_plan_lets_a_professional_write_without_a_yes(joost):
    """Each address of the plan that takes a form asks first, or refuses; whatever is sent, the plan stays as it is."""
    before = stored_plan(joost.ehr)
    values = {"goal_id": goal_id(joost), "step_id": step_id(joost), "code": "housing", "question": "now", "key": "x"}
    values |= {"form_id": "evaluation"}
    sent = {"text": "X", "now": "X", "domain": "housing", "status": "done", "progress": "improving", "note": "X"}
    sent |= {"ending": "reached", "domains": "housing", "remove": "1", "tick": "done", "from": "plan", "remark": "x"}
    rules = [
        one for one in joost.app.url_map.iter_rules() if one.endpoint.startswith("plan.") and "POST" in one.methods
    ]
    assert len(rules) > 15
    for rule in rules:
        path = rule.rule.removeprefix("/l/<launch_id>/")
        for name, value in values.items():
            path = path.replace(f"<{name}>", value)
        for form in (sent, {**sent, "confirmed": "yes"}, {**sent, "put-back": "1"}):
            joost.post(re.sub(r"<[^>]+>", "x", path), form)
        assert stored_plan(joost.ehr) == before, rule.rule
