"""What took words out of the plan is taken back with one press; a mistake goes out of it, and comes back, in one."""

from __future__ import annotations

import html
import re

import pytest

from mappers.plan.removing import is_removed
from smartapp.fhir.store import Query, Write
from smartapp.web.plan_views import name_of
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.plan.conftest import HALFWAY
from tests.smartapp.pages.plan.pages import fields_of, fill, stored_plan


def pressed(visitor, answer):
    """Press the button that the page after an answer offers to take back what was done; it must be there."""
    page = visitor.get(answer.location).text
    found = re.search(
        r'<form method="post" action="([^"]+)"[^>]*>(?:(?!</form>).)*?name="undo" value="(\w+)"', page, re.S
    )
    assert found, "the page offers nothing to take back"
    return visitor.client.post(html.unescape(found[1]), data={**visitor.hidden(), "undo": found[2]})


def offers(visitor, answer) -> bool:
    return 'name="undo"' in visitor.get(answer.location).text


def goal(visitor):
    return next(one for one in stored_plan(visitor.ehr).goals if one.text == "Weer leren zwemmen")


def in_record(visitor, kind, text):
    [found] = [one for one in visitor.ehr.search(Query.of(kind)) if text in str(one.resource["description"])]
    return found


def test_an_emptied_story_comes_back_with_one_press(halfway):
    answer = fill(halfway, "living/story/story/", story_story="")
    assert stored_plan(halfway.ehr).story == ""
    back = pressed(halfway, answer)
    assert stored_plan(halfway.ehr).story == HALFWAY.story
    assert "Het is weer zoals het was." in halfway.get(back.location).text
    assert not offers(halfway, back)


def test_what_only_grew_offers_nothing_to_take_back(halfway):
    answer = fill(
        halfway, "living/story/story/", story_story=HALFWAY.story.replace("later", "al") + " En daar ben ik nog."
    )
    assert not offers(halfway, answer)
    assert not offers(halfway, fill(halfway, "living/strengths/list/", strengths_what="De zee"))
    [row, *_] = re.findall(r'href="[^"]*/(living/strengths/list/[^"/]+/)"', halfway.get("living/strengths/").text)
    assert offers(halfway, halfway.post(f"{row}remove"))


def test_taking_back_does_not_overwrite_what_someone_else_wrote_since(app, halfway):
    answer = fill(halfway, "living/story/story/", story_story="")
    fill(launched(app), "living/story/story/", story_story="Van een ander scherm.")
    clash = pressed(halfway, answer)
    assert clash.status_code == 409
    assert "Van een ander scherm." in clash.text
    assert "Zwolle" in clash.text
    assert stored_plan(halfway.ehr).story == "Van een ander scherm."


def test_what_was_typed_and_not_saved_since_survives_taking_back(halfway):
    answer = fill(halfway, "living/story/story/", story_story="")
    halfway.post("living/story/story/", {"story-story": "Nog niet af"}, headers={"Accept": "application/json"})
    pressed(halfway, answer)
    assert "Nog niet af" in halfway.get("living/story/story/").text


def test_an_answer_in_a_row_of_questions_is_taken_back_from_the_next_one(halfway):
    answer = fill(halfway, "plan/domains/housing/now", now="")
    assert answer.location.split("?")[0].endswith("/change")
    pressed(halfway, answer)
    assert stored_plan(halfway.ehr).domains[0].now == "Ik woon fijn."


# --- an area that left the plan with words in it


def left_out(visitor, *chosen: str):
    """Choose areas, and say that the words of the others may go."""
    asked = visitor.post("plan/domains", {**fields_of(visitor.get("plan/domains")), "domains": list(chosen)})
    return visitor.post("plan/domains", {**fields_of(asked), "domains": list(chosen), "remove": "1"})


def test_an_area_comes_back_with_its_words_and_in_its_place_with_one_press(halfway):
    before = stored_plan(halfway.ehr)
    answer = left_out(halfway, "meaning", "finances")
    assert {one.domain for one in stored_plan(halfway.ehr).domains} == {"meaning", "finances"}
    back = pressed(halfway, answer)
    assert stored_plan(halfway.ehr) == before
    assert "Het is weer zoals het was." in halfway.get(back.location).text
    assert not offers(halfway, back)


def test_an_area_without_words_offers_nothing_to_take_back(halfway):
    assert not offers(halfway, fill(halfway, "plan/domains", domains="housing"))


def test_an_area_that_came_back_with_other_words_keeps_those(app, halfway):
    answer = left_out(halfway, "meaning")
    other = launched(app)
    fill(other, "plan/domains", domains="housing,meaning")
    fill(other, "plan/domains/housing/now", now="Ik ga verhuizen.")
    pressed(halfway, answer)
    [housing, _meaning] = stored_plan(halfway.ehr).domains
    assert (housing.now, housing.support) == ("Ik ga verhuizen.", "")


def test_areas_chosen_on_another_screen_meanwhile_are_shown_and_the_words_wait_for_the_choice(app, halfway):
    answer = left_out(halfway, "meaning")
    fill(launched(app), "plan/domains", domains="meaning,finances")
    clash = pressed(halfway, answer)
    assert clash.status_code == 409
    assert "Je gebieden zijn ergens anders veranderd" in clash.text
    assert [one.domain for one in stored_plan(halfway.ehr).domains] == ["finances", "meaning"]
    halfway.post("plan/domains", {**fields_of(clash), "domains": ["housing", "meaning", "finances"]})
    plan = stored_plan(halfway.ehr)
    assert {one.domain for one in plan.domains} == {"housing", "meaning", "finances"}
    assert HALFWAY.domains[0] in plan.domains


def test_words_written_since_in_an_area_that_came_instead_are_asked_about_before_they_go(halfway):
    answer = left_out(halfway, "meaning", "finances")
    fill(halfway, "plan/domains/finances/now", now="Ik spaar.")
    page = halfway.get(answer.location)
    asked = pressed(halfway, answer)
    assert "Ik spaar." in asked.text
    assert fields_of(asked)["undo"] == fields_of(page)["undo"]
    halfway.post("plan/domains", {**fields_of(asked), "domains": ["housing", "meaning"], "remove": "1"})
    assert stored_plan(halfway.ehr).domains == HALFWAY.domains


def test_an_area_that_can_no_longer_be_taken_back_here_says_where_it_can(app, halfway):
    left_out(halfway, "meaning")
    answer = launched(app).post("plan/domains", {"undo": "0" * 16})
    assert answer.status_code == 303
    assert [one.domain for one in stored_plan(halfway.ehr).domains] == ["meaning"]


# --- a goal or a step


def test_a_goal_made_by_mistake_goes_out_of_the_plan_and_keeps_its_words_in_the_record(halfway):
    answer = halfway.post(f"plan/goals/{goal(halfway).id}/remove")
    page = halfway.get(answer.location).text
    assert "Het doel is uit je plan." in page
    assert "zwemmen" not in page
    kept = in_record(halfway, "Goal", "zwemmen").resource
    assert is_removed(kept)
    assert "vergissing" in kept["text"]["div"]
    [plan] = halfway.ehr.search(Query.of("CarePlan"))
    assert kept["id"] not in str(plan.resource["goal"])
    assert is_removed(in_record(halfway, "Task", "badpak").resource)
    assert "activity" not in plan.resource


def test_a_removed_goal_comes_back_exactly_as_it_was(halfway):
    found = in_record(halfway, "Goal", "zwemmen")
    task = in_record(halfway, "Task", "Bellen")
    halfway.ehr.write(Write("update", {**found.resource, "lifecycleStatus": "accepted", "statusReason": "Besproken"}))
    halfway.ehr.write(Write("update", {**task.resource, "status": "accepted"}))
    before = stored_plan(halfway.ehr)
    was = [
        halfway.ehr.read(kind, one["id"]).resource for kind, one in (("Goal", found.resource), ("Task", task.resource))
    ]
    pressed(halfway, halfway.post(f"plan/goals/{goal(halfway).id}/remove"))
    assert stored_plan(halfway.ehr) == before
    now = [halfway.ehr.read(one["resourceType"], one["id"]).resource for one in was]
    assert [{**one, "meta": None} for one in now] == [{**one, "meta": None} for one in was]


def test_a_step_made_by_mistake_goes_and_comes_back_in_its_place(halfway):
    before = stored_plan(halfway.ehr)
    found = goal(halfway)
    answer = halfway.post(f"plan/goals/{found.id}/steps/{found.steps[0].id}/remove")
    assert [step.text for step in goal(halfway).steps] == ["Bellen met het zwembad"]
    assert "De stap is uit je plan." in halfway.get(answer.location).text
    pressed(halfway, answer)
    assert stored_plan(halfway.ehr) == before


def test_without_the_session_a_goal_that_was_reached_comes_back_as_reached(app, halfway):
    reached = next(one for one in stored_plan(halfway.ehr).goals if one.text == "Een kat")
    halfway.post(f"plan/goals/{reached.id}/remove")
    later = launched(app)
    later.post(f"plan/goals/{reached.id}/put-back", {})
    back = next(one for one in stored_plan(halfway.ehr).goals if one.text == "Een kat")
    assert back == reached


def test_without_the_session_a_goal_comes_back_with_the_steps_that_were_done(app, halfway):
    before = goal(halfway)
    assert [step.status for step in before.steps] == ["done", "planned"]
    halfway.post(f"plan/goals/{before.id}/remove")
    launched(app).post(f"plan/goals/{before.id}/put-back", {})
    assert goal(halfway) == before


def test_without_the_session_a_step_that_was_done_comes_back_as_done(app, halfway):
    before = goal(halfway)
    halfway.post(f"plan/goals/{before.id}/steps/{before.steps[0].id}/remove")
    launched(app).post(f"plan/goals/{before.id}/steps/{before.steps[0].id}/put-back", {})
    assert {step.text: step.status for step in goal(halfway).steps}["Een badpak kopen"] == "done"


def test_a_step_that_went_before_its_goal_does_not_come_back_with_it(halfway):
    path = f"plan/goals/{goal(halfway).id}/"
    halfway.post(f"{path}steps/{goal(halfway).steps[0].id}/remove")
    pressed(halfway, halfway.post(f"{path}remove"))
    assert [step.text for step in goal(halfway).steps] == ["Bellen met het zwembad"]


def test_putting_back_twice_makes_one_goal(halfway):
    found = goal(halfway)
    halfway.post(f"plan/goals/{found.id}/remove")
    for _press in range(2):
        assert halfway.post(f"plan/goals/{found.id}/put-back", {}).status_code == 303
    assert [one.text for one in stored_plan(halfway.ehr).goals].count(found.text) == 1


def test_a_change_of_something_else_does_not_come_between(app, halfway):
    found = goal(halfway)
    answer = halfway.post(f"plan/goals/{found.id}/remove")
    fill(launched(app), "living/strengths/list/", strengths_what="De zee")
    pressed(halfway, answer)
    assert goal(halfway).text == found.text
    assert stored_plan(halfway.ehr).strengths == (*HALFWAY.strengths, "De zee")


# --- the old address of what went


def page_of(answer) -> str:
    assert answer.status_code == 404
    return text_of(answer)


@pytest.mark.parametrize("rest", ["", "words", "progress", "end", "now", "history", "steps/new", "steps/none"])
def test_the_old_address_of_a_removed_goal_says_so_and_offers_to_put_it_back(app, halfway, rest):
    before, path = stored_plan(halfway.ehr), f"plan/goals/{goal(halfway).id}/"
    halfway.post(f"{path}remove")
    later = launched(app)
    answer = later.get(f"{path}{rest}")
    page = page_of(answer)
    assert "Dit doel staat nu niet in je plan Weer leren zwemmen" in page
    assert re.search(r"Uit je plan gehaald op [^.]* door jou\.", page)
    [action] = re.findall(r'<form method="post" action="([^"]+put-back)"', answer.text)
    later.client.post(html.unescape(action), data=later.hidden())
    assert {one.text for one in stored_plan(halfway.ehr).goals} == {one.text for one in before.goals}
    assert later.get(path).status_code == 200


def test_the_old_address_of_a_removed_step_says_so_and_offers_to_put_it_back(halfway):
    found = goal(halfway)
    path = f"plan/goals/{found.id}/steps/{found.steps[0].id}"
    halfway.post(f"{path}/remove")
    page = page_of(halfway.get(path))
    assert "Deze stap staat nu niet in je plan Een badpak kopen Een stap naar: Weer leren zwemmen" in page
    assert halfway.post(f"{path}/remove").status_code == 404  # pressed once more, it says the same
    assert halfway.post(f"{path}/put-back").status_code == 303
    assert halfway.get(path).status_code == 200


def test_words_typed_for_what_went_meanwhile_are_given_back(app, halfway):
    path = f"plan/goals/{goal(halfway).id}/"
    opened = fields_of(halfway.get(f"{path}progress"))
    launched(app).post(f"{path}remove")
    page = page_of(halfway.post(f"{path}progress", {**opened, "progress": "improving", "note": "Ik dreef."}))
    assert "Dit doel staat nu niet in je plan" in page
    assert "Ik dreef." in page
    assert "Dit is niet bewaard." in page


def test_a_stranger_learns_nothing_from_the_address_of_what_went(app, halfway):
    path = f"plan/goals/{goal(halfway).id}/"
    halfway.post(f"{path}remove")
    bram = launched(app, "bram", name="Bram Voorbeeld")
    theirs = [page_of(bram.get(one)) for one in (path, "plan/goals/none/", f"{path}steps/none")]
    assert len(set(theirs)) == 1
    assert "Dit staat niet in je plan" in theirs[0]
    assert "zwemmen" not in theirs[0]
    clinician = launched(app, role="clinician").get(path)
    assert clinician.status_code == 403
    assert "zwemmen" not in clinician.text


# --- what was said about a goal


def say(visitor, *texts: str) -> None:
    """Say these things about the goal, an hour after each other; the last one is what was said last."""
    found = in_record(visitor, "Goal", "zwemmen").resource
    notes = [
        {"authorReference": found["subject"], "time": f"2026-03-01T1{hour}:00:00+01:00", "text": text}
        for hour, text in enumerate(texts)
    ]
    visitor.ehr.write(Write("update", {**found, "note": notes[::-1]}))


def remarks(visitor) -> list[str]:
    return [one.text for one in goal(visitor).remarks]


def take_out(visitor, text: str):
    """Press the button below a remark."""
    path = f"plan/goals/{goal(visitor).id}/"
    [name] = re.findall(
        rf"{re.escape(text)}</p>(?:(?!</li>).)*?name=\"remark\" value=\"(\w+)\"", visitor.get(path).text, re.S
    )
    return visitor.post(f"{path}remarks/remove", {"remark": name})


def test_a_remark_made_by_mistake_goes_and_comes_back_in_its_place_with_who_and_when(halfway):
    say(halfway, "Te koud.", "Nu wel.", "Heerlijk.")
    before = in_record(halfway, "Goal", "zwemmen").resource["note"]
    answer = take_out(halfway, "Nu wel.")
    assert remarks(halfway) == ["Heerlijk.", "Te koud."]
    page = halfway.get(answer.location).text
    assert "De opmerking is weg bij dit doel." in page
    assert "Nu wel." not in page
    pressed(halfway, answer)
    assert in_record(halfway, "Goal", "zwemmen").resource["note"] == before


def test_a_remark_that_went_is_put_back_from_the_earlier_versions_later(app, halfway):
    say(halfway, "Te koud.", "Nu wel.")
    said = goal(halfway).remarks
    take_out(halfway, "Te koud.")
    later = launched(app)
    path = f"plan/goals/{goal(halfway).id}/"
    page = later.get(f"{path}history").text
    assert "Opmerkingen die je hebt weggehaald" in page
    [name] = re.findall(r'name="remark" value="(\w+)"', page)
    for _press in range(2):
        assert later.post(f"{path}remarks/put-back", {"remark": name}).status_code == 303
    assert goal(halfway).remarks == said
    assert "Opmerkingen die je" not in later.get(f"{path}history").text


def test_pressed_twice_one_remark_goes_and_the_rest_stays(halfway):
    say(halfway, "Te koud.", "Nu wel.")
    [_first, name] = re.findall(r'name="remark" value="(\w+)"', halfway.get(f"plan/goals/{goal(halfway).id}/").text)
    for _press in range(2):
        assert halfway.post(f"plan/goals/{goal(halfway).id}/remarks/remove", {"remark": name}).status_code == 303
    assert remarks(halfway) == ["Nu wel."]


def test_what_another_said_about_it_is_not_the_clients_to_take_out(halfway):
    say(halfway, "Nu wel.")
    found = in_record(halfway, "Goal", "zwemmen")
    theirs = {"authorReference": {"reference": "Practitioner/1", "display": "J. Jansen"}, "text": "Knap."}
    halfway.ehr.write(Write("update", {**found.resource, "note": [*found.resource["note"], theirs]}))
    path = f"plan/goals/{goal(halfway).id}/"
    assert halfway.get(path).text.count('name="remark"') == 1
    [other] = goal(halfway).of_others
    assert halfway.post(f"{path}remarks/remove", {"remark": name_of(other)}).status_code == 404
    take_out(halfway, "Nu wel.")
    assert in_record(halfway, "Goal", "zwemmen").resource["note"] == [theirs]


def test_a_remark_that_nobody_made_can_not_be_put_back(halfway):
    say(halfway, "Nu wel.")
    answer = halfway.post(f"plan/goals/{goal(halfway).id}/remarks/put-back", {"remark": "0" * 16})
    assert "We kunnen deze opmerking niet meer vinden." in halfway.get(answer.location).text
    assert remarks(halfway) == ["Nu wel."]


def test_a_clinician_removes_nothing(app, halfway):
    found = goal(halfway)
    clinician = launched(app, role="clinician")
    assert clinician.post(f"plan/goals/{found.id}/remove").status_code == 403
    assert clinician.post(f"plan/goals/{found.id}/remarks/remove").status_code == 403
    assert goal(halfway).text == found.text
