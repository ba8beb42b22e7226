"""A step is ticked off with one press, and the same press takes that back."""

from __future__ import annotations

import re

import pytest

from mappers.plan import Step
from smartapp.fhir.store import Query, Unreachable, Write
from smartapp.pages.plan.ticking import Ticked
from tests.smartapp.helpers import text_of
from tests.smartapp.pages.plan.pages import stored_plan

BUTTON = re.compile(
    r'<li id="step-[^"]+">\s*<form method="post" action="/l/[^/]+/(?P<path>[^"]+)">.*?'
    r'value="(?P<page>\w+)">\s*<button class="tick" name="tick" value="(?P<status>\w+)" aria-pressed="(?P<on>\w+)">'
    r".*?<span>(?P<text>[^<]+?) <span",
    re.DOTALL,
)


def buttons(page):
    return {found["text"]: found for found in BUTTON.finditer(page.text)}


def press(visitor, page, text):
    """Press the button of a step, as a browser without scripts does."""
    found = buttons(page)[text]
    return visitor.post(found["path"], {"from": found["page"], "tick": found["status"]})


def status_of(store, text):
    return next(step.status for goal in stored_plan(store).goals for step in goal.steps if step.text == text)


def test_one_press_ticks_a_step_off_and_the_next_press_takes_it_back(halfway):
    page = halfway.get("plan/")
    assert buttons(page)["Bellen met het zwembad"]["on"] == "false"
    answer = press(halfway, page, "Bellen met het zwembad")
    assert answer.status_code == 303
    assert status_of(halfway.ehr, "Bellen met het zwembad") == "done"
    page = halfway.get(answer.location)
    assert buttons(page)["Bellen met het zwembad"]["on"] == "true"
    assert "Je stap is bewaard." in text_of(page)
    press(halfway, page, "Bellen met het zwembad")
    assert status_of(halfway.ehr, "Bellen met het zwembad") == "planned"


def test_the_page_lands_at_the_step_that_was_pressed(halfway):
    answer = press(halfway, halfway.get("plan/"), "Bellen met het zwembad")
    assert f'id="{answer.location.partition("#")[2]}"' in halfway.get(answer.location).text
    assert answer.location.partition("#")[2].startswith("step-")


def test_a_step_someone_was_busy_with_is_so_again_when_the_press_is_taken_back(halfway):
    step = halfway.ehr.search(_tasks())[1]
    halfway.ehr.write(Write("update", {**step.resource, "status": "in-progress"}, if_match=step.etag))
    busy = step.resource["description"]
    page = halfway.get(press(halfway, halfway.get("plan/"), busy).location)
    press(halfway, page, busy)
    assert status_of(halfway.ehr, busy) == "doing"


def test_the_same_press_twice_does_no_harm(halfway):
    page = halfway.get("plan/")
    press(halfway, page, "Bellen met het zwembad")
    assert press(halfway, page, "Bellen met het zwembad").status_code == 303
    assert status_of(halfway.ehr, "Bellen met het zwembad") == "done"


def test_a_press_keeps_what_someone_else_wrote_in_the_step_at_the_same_moment(halfway):
    flaky = halfway.make_flaky()
    page = halfway.get("plan/")

    def someone_else():
        step = next(one for one in flaky.search(_tasks()) if one.resource["description"] == "Bellen met het zwembad")
        flaky.store.write(Write("update", {**step.resource, "description": "Bellen met Jaap"}, if_match=step.etag))

    flaky.first = someone_else
    press(halfway, page, "Bellen met het zwembad")
    assert status_of(flaky, "Bellen met Jaap") == "done"


def test_during_an_outage_a_tick_is_kept_and_not_called_saved(halfway):
    flaky = halfway.make_flaky()
    page = halfway.get("plan/")
    flaky.error = Unreachable("down")
    answer = press(halfway, page, "Bellen met het zwembad")
    page = halfway.get(answer.location)
    assert buttons(page)["Bellen met het zwembad"]["on"] == "true"
    assert "onderweg naar het dossier" in text_of(page)
    assert "Je stap is bewaard." not in text_of(page)
    # The record cannot be changed twice before the first change arrived: that is said, and nothing is pretended.
    page = halfway.get(press(halfway, page, "Bellen met het zwembad").location)
    assert "Dit is niet bewaard." in text_of(page)
    assert buttons(page)["Bellen met het zwembad"]["on"] == "true"


@pytest.mark.parametrize("form", [{"tick": "eaten", "from": "plan"}, {"tick": "done", "from": "elsewhere"}, {}])
def test_a_press_that_no_button_of_ours_makes_is_refused(halfway, form):
    path = buttons(halfway.get("plan/"))["Bellen met het zwembad"]["path"]
    assert halfway.post(path, form).status_code == 400
    assert status_of(halfway.ehr, "Bellen met het zwembad") == "planned"


def test_a_step_that_does_not_exist_is_not_ticked(halfway):
    goal = stored_plan(halfway.ehr).goals[0]
    answer = halfway.post(f"plan/goals/{goal.id}/steps/none/tick", {"tick": "done", "from": "plan"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("status", "before", "after"),
    [("planned", "", "done"), ("doing", "", "done"), ("done", "doing", "doing"), ("done", "stopped", "planned")],
)
def test_what_a_press_does(status, before, after):
    assert Ticked("1", before).press(Step("1", "Bellen", status)) == after
    assert Ticked("2", before).press(Step("1", "Bellen", status)) == ("planned" if status == "done" else "done")


def _tasks():
    return Query.of("Task")
