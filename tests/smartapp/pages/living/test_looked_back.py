"""What the client said of a goal when looking back is offered to be done, and nothing is done without their press."""

from __future__ import annotations

import html
import re

import pytest

from smartapp.fhir.store import Query
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.plan.pages import fields_of, fill, stored_plan
from tests.smartapp.pages.plan.test_mistakes import offers, pressed

FORM = "living/evaluation/"
SWIM = "Weer leren zwemmen"
KEEP, CHANGE, STOP = "1", "2", "3"
CHANGES, ENDS = "Verander dit doel", "Stop met dit doel"


@pytest.fixture
def name(halfway):
    """The name of the goal that goes on."""
    found = (one.resource for one in halfway.ehr.search(Query.of("Goal")))
    return next(one["identifier"][0]["value"] for one in found if one["lifecycleStatus"] == "active")


def look(visitor, name, wish, **typed):
    fields = {f"evaluation-{field}": text for field, text in {"goal": name, "next": wish, **typed}.items()}
    return fill(visitor, f"{FORM}goals/new?about={name}", **fields)


def goal(visitor):
    return next(one for one in stored_plan(visitor.ehr).goals if SWIM in one.text or "baantje" in one.text)


def ends(page):
    """Return the addresses that a press on stopping goes to."""
    forms = re.findall(r'<form method="post" action="([^"]+)"(.*?)</form>', page, re.S)
    return [html.unescape(action).split("/", 3)[3] for action, rest in forms if ENDS in rest]


def changes(page):
    """Return the addresses where the words of a goal are changed."""
    found = re.findall(r'<a class="[^"]*" href="([^"]+)"[^>]*>([^<]*)', page)
    return [html.unescape(href).split("/", 3)[3] for href, said in found if said.strip() == CHANGES]


def statuses(visitor):
    [found] = [one.resource for one in visitor.ehr.search(Query.of("Goal")) if SWIM in str(one.resource)]
    return found["lifecycleStatus"], found["achievementStatus"]["coding"][0]["code"]


def test_stopping_is_one_press_and_one_press_takes_it_back(halfway, name):
    answer = look(halfway, name, STOP)
    before = goal(halfway)
    assert before.active
    [press] = ends(halfway.get(answer.location).text)
    done = halfway.post(press)
    assert statuses(halfway) == ("cancelled", "not-achieved")
    assert f"/{FORM}" in done.location
    page = halfway.get(done.location).text
    assert "Je doel staat nu bij eerdere doelen." in page
    assert not ends(page)
    back = pressed(halfway, done)
    assert goal(halfway) == before
    page = halfway.get(back.location)
    assert "Het is weer zoals het was." in page.text
    assert not offers(halfway, back)
    assert ends(page.text) == [press]


def test_what_was_said_of_a_goal_stays_when_it_is_ended(halfway, name):
    answer = look(halfway, name, STOP, helped="Mijn zus ging mee.", mark="6")
    [press] = ends(halfway.get(answer.location).text)
    page = text_of(halfway.get(halfway.post(press).location))
    assert "Mijn zus ging mee." in page
    assert SWIM in page


def test_pressed_twice_it_ends_once_and_the_way_back_is_that_of_the_first_press(halfway, name):
    look(halfway, name, STOP)
    before = goal(halfway)
    [press] = ends(halfway.get(FORM).text)
    first = halfway.post(press)
    assert halfway.post(press).status_code == 303
    pressed(halfway, first)
    assert goal(halfway) == before


def test_changing_opens_the_words_of_the_goal_beside_what_was_said_and_leads_back(halfway, name):
    answer = look(halfway, name, CHANGE, helped="Mijn zus ging mee.", words="Het water is te koud.")
    before = goal(halfway)
    page = halfway.get(answer.location).text
    assert not ends(page)
    [there] = changes(page)
    assert goal(halfway) == before
    opened = halfway.get(there)
    for said in ("Mijn zus ging mee.", "Het water is te koud."):
        assert said in opened.text
    assert fields_of(opened)["text"] == SWIM
    assert f'<a class="back" href="{halfway.url(FORM)}">' in opened.text
    saved = halfway.post(there, {**fields_of(opened), "text": "Elke week een baantje"})
    assert goal(halfway).text == "Elke week een baantje"
    assert f"/{FORM}" in saved.location
    assert "Je doel is bewaard." in text_of(halfway.get(saved.location))


def test_keeping_asks_for_nothing(halfway, name):
    page = halfway.get(look(halfway, name, KEEP).location).text
    assert not ends(page)
    assert not changes(page)


def test_only_the_last_time_counts_and_the_time_before_stands_beside_it(halfway, name):
    look(halfway, name, STOP, mark="3")
    page = halfway.get(look(halfway, name, KEEP, mark="7").location).text
    assert not ends(page)
    columns = re.search(r'(?s)<div class="columns">(.*?)</section>', page)[1]
    assert [mark in columns for mark in (">7<", ">3<", "stoppen", "houden")] == [True] * 4


def test_a_goal_that_has_ended_is_not_offered_to_be_ended_or_changed(halfway, name):
    look(halfway, name, STOP)
    fill(halfway, f"plan/goals/{goal(halfway).id}/end", ending="reached", note="")
    page = halfway.get(FORM).text
    assert not ends(page)
    assert not changes(page)


def test_a_clinician_alone_reads_it_and_can_not_press(halfway, name):
    look(halfway, name, STOP)
    [press] = ends(halfway.get(FORM).text)
    doctor = launched(halfway.app, role="clinician")
    assert not ends(doctor.get(FORM).text)
    assert doctor.post(press).status_code == 403
    assert goal(halfway).active


def test_written_together_the_client_says_yes_before_a_goal_ends(halfway, name):
    look(halfway, name, STOP)
    doctor = launched(halfway.app, role="clinician")
    doctor.post("overview/together/write", {"what": "evaluation"})
    [press] = ends(doctor.get(FORM).text)
    asked = doctor.post(press)
    assert goal(halfway).active
    assert "Dit doel stopt." in asked.text
    assert SWIM in asked.text
    doctor.post(press, fields_of(asked))
    assert not goal(halfway).active


BEFORE = "De vorige keer, op"


def test_who_looks_back_again_has_the_time_before_in_sight_and_the_first_time_nothing(halfway, name):
    new = f"{FORM}goals/new?about={name}"
    assert BEFORE not in text_of(halfway.get(new))
    look(halfway, name, KEEP, helped="Mijn zus ging mee.", mark="6")
    page = text_of(halfway.get(new))
    assert BEFORE in page
    assert "Mijn zus ging mee." in page.partition(BEFORE)[2]
    refused = look(halfway, name, "")
    assert refused.status_code == 422
    assert BEFORE in text_of(refused), "also where nothing was saved"
    assert BEFORE not in text_of(halfway.get(f"{FORM}goals/new"))


def test_a_time_that_is_changed_stands_beside_the_one_before_it(halfway, name):
    look(halfway, name, KEEP, helped="Mijn zus ging mee.")
    look(halfway, name, KEEP, helped="De badmeester.")
    rows = re.findall(rf'href="[^"]*/({FORM}goals/[^/"]+/)"', halfway.get(FORM).text)
    shown = [text_of(halfway.get(row)).partition(BEFORE)[2] for row in dict.fromkeys(rows)]
    assert ["Mijn zus ging mee." in one for one in shown] == [True, False]
    assert shown[1] == "", "nothing was before the first time"
