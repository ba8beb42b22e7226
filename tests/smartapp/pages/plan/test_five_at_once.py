"""At most five areas with goals at once: a goal in a sixth is kept for later, and one press lets another rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mappers.plan import DomainAnswers, Goal
from questionnaires.catalogue import catalogue
from tests.smartapp.helpers import launched, make_app, text_of
from tests.smartapp.pages.plan.conftest import HALFWAY, put
from tests.smartapp.pages.plan.pages import fill, stored_plan

AREAS = [domain.code for domain in catalogue().life_domains if not domain.family]


def someone(app, areas: int):
    """Someone with a goal in so many areas, and room on the plan's list of areas for another."""
    visitor = launched(app)
    goals = [
        Goal(f"urn:uuid:00000000-0000-4000-8000-0000000001{number:02}", f"Doel {number}", AREAS[number])
        for number in range(areas)
    ]
    put(visitor.ehr, replace(HALFWAY, domains=(DomainAnswers(AREAS[7]),), goals=tuple(goals)))
    return visitor


@pytest.fixture
def full(app):
    return someone(app, 5)


def goals(visitor) -> dict[str, bool]:
    return {goal.text: goal.later for goal in stored_plan(visitor.ehr).goals}


def test_a_goal_in_a_sixth_area_is_saved_for_later_and_the_page_says_what_can_be_done(full):
    answer = fill(full, "plan/goals/new", text="Fluit leren spelen", domain=AREAS[7])
    answer = full.get(answer.location)
    page = text_of(full.get(answer.location))
    assert goals(full)["Fluit leren spelen"] is True
    assert "Daarom is dit doel bewaard voor later." in page
    assert "Voor later Fluit leren spelen" in text_of(full.get("plan/"))


def test_with_room_a_new_goal_is_worked_on(app):
    visitor = someone(app, 4)
    fill(visitor, "plan/goals/new", text="Fluit leren spelen", domain=AREAS[7])
    assert goals(visitor)["Fluit leren spelen"] is False


def test_one_press_lets_an_area_rest_and_takes_up_the_goal(full):
    fill(full, "plan/goals/new", text="Fluit leren spelen", domain=AREAS[7])
    new = next(goal for goal in stored_plan(full.ehr).goals if goal.later)
    path = f"plan/goals/{new.id}/now"
    assert fill(full, path).status_code == 422
    assert fill(full, path, rest=AREAS[6]).status_code == 422
    assert fill(full, path, rest=AREAS[2]).status_code == 303
    assert goals(full) == {**{f"Doel {number}": number == 2 for number in range(5)}, "Fluit leren spelen": False}


def test_where_there_is_room_a_resting_goal_is_taken_up_at_once(app):
    visitor = someone(app, 3)
    first = stored_plan(visitor.ehr).goals[0]
    answer = visitor.post(f"plan/goals/{first.id}/later")
    assert "Dit doel is voor later." in visitor.get(answer.location).text
    assert goals(visitor)["Doel 0"] is True
    assert visitor.post(f"plan/goals/{first.id}/now").status_code == 303
    assert goals(visitor)["Doel 0"] is False


def test_a_goal_that_is_taken_up_again_in_a_sixth_area_is_for_later_too(full):
    fill(full, "plan/goals/new", text="Fluit leren spelen", domain=AREAS[7])
    new = next(goal for goal in stored_plan(full.ehr).goals if goal.later)
    fill(full, f"plan/goals/{new.id}/end", ending="let-go")
    full.post(f"plan/goals/{new.id}/resume")
    back = next(goal for goal in stored_plan(full.ehr).goals if goal.id == new.id)
    assert (back.active, back.later) == (True, True)


def test_a_plan_with_six_areas_is_told_kindly_and_nothing_is_blocked_or_lost(full):
    assert "Vijf tegelijk is genoeg" not in full.get("plan/").text
    six = someone(make_app(), 6)
    assert "Je werkt aan doelen in 6 gebieden. Vijf tegelijk is genoeg." in text_of(six.get("plan/"))
    found = stored_plan(six.ehr).goals[5]
    assert fill(six, f"plan/goals/{found.id}/words", text="Zesde, anders").status_code == 303
    assert goals(six) == {**{f"Doel {number}": False for number in range(5)}, "Zesde, anders": False}
    six.core.engine.dispose()
