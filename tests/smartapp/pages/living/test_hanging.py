"""From the page of a goal or a life domain one press leads to a new row that hangs on it, and saving it leads back."""

from __future__ import annotations

import html
import re

import pytest

from smartapp.fhir.store import Query, Unreachable, Write
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.living.test_together import asked, begin, yes
from tests.smartapp.pages.plan.pages import fields_of, fill, stored_plan
from tests.smartapp.pages.plan.test_about import NAME, OTHER, goal_page

HELPS = f"living/strengths/list/new?about={NAME}"
AREA = "plan/domains/meaning/"
CHOSEN = r'<option value="([^"]*)" selected>'


@pytest.fixture
def anna(harvester):
    return harvester


@pytest.fixture
def joost(anna):
    """A professional who writes with Anna."""
    visitor = launched(anna.app, role="clinician")
    begin(visitor, "strengths")
    return visitor


def offered(page):
    """Return the links of the line with which something is added, by what they say."""
    lines = re.findall(r"(?s)<p[^>]*>Schrijf hier iets bij:(.*?)</p>", page.text)
    assert len(lines) <= 1
    found = re.findall(r'(?s)<a href="([^"]+)">(.*?)</a>', "".join(lines))
    return {html.unescape(re.sub(r"<[^>]+>", "", label)): html.unescape(href) for href, label in found}


def opened(visitor, path):
    """Return what a browser would send back from a new row, with what is chosen in its lists."""
    page = visitor.get(path)
    lists = re.findall(r'(?s)<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page.text)
    return {**fields_of(page), **{name: "".join(re.findall(CHOSEN, options)) for name, options in lists}}


def address_of(visitor, text="Weer leren zwemmen"):
    [goal] = [one for one in stored_plan(visitor.ehr).goals if one.text == text]
    return visitor.url(f"plan/goals/{goal.id}/")


def test_a_goal_offers_each_list_that_can_hang_on_it_and_no_other(anna):
    assert offered(goal_page(anna)) == {
        "Wat mij helpt: iets nieuws": anna.url(HELPS),
        "Wat mij energie kost: iets nieuws": anna.url(f"living/stressors/list/new?about={NAME}"),
        "Mijn oogst: Wie hielp: iets nieuws": anna.url(f"living/harvest/helpers/new?about={NAME}"),
    }


def test_a_life_domain_offers_them_too_while_it_is_in_the_plan(anna):
    links = offered(anna.get(AREA))
    assert list(links) == [
        f"{title}: iets nieuws"
        for title in ("Wat mij helpt", "Wat mij energie kost", "Mijn wensen", "Mijn oogst: Wie hielp")
    ]
    assert all(address.endswith("new?about=meaning") for address in links.values())
    assert offered(anna.get("plan/domains/finances/")) == {}


def test_a_goal_that_is_not_worked_on_offers_nothing(anna):
    assert offered(goal_page(anna, "Een kat")) == {}
    anna.post(address_of(anna).removeprefix(anna.url("")) + "later")
    assert offered(goal_page(anna)) == {}


def test_it_opens_with_the_goal_chosen_and_leads_back_to_it(anna):
    form = anna.get(HELPS)
    assert f'<option value="{NAME}" selected>' in form.text
    assert f'href="{address_of(anna)}"' in form.text
    assert "Terug naar dit doel" in text_of(form)
    answer = anna.post(HELPS, {**opened(anna, HELPS), "strengths-what": "De zee"})
    there = anna.get(answer.location)
    assert there.location.partition("?")[0] == address_of(anna)
    page = anna.get(there.location)
    assert "Wat jou helpt is bewaard." in text_of(page)
    assert ">De zee</a>" in page.text
    assert list(offered(page)) == list(offered(goal_page(anna)))  # one more can hang there, too


def test_it_opens_with_the_area_chosen_and_leads_back_to_it(anna):
    new = "living/stressors/list/new?about=meaning"
    form = opened(anna, new)
    assert (form["stressors-domain"], form["stressors-goal"]) == ("meaning", "")
    answer = anna.post(new, {**form, "stressors-what": "Haast"})
    assert answer.location == anna.url(f"{AREA}?saved=stressors")
    page = anna.get(answer.location)
    assert "Wat jou energie kost is bewaard." in text_of(page)
    assert ">Haast</a>" in page.text


def test_one_who_chooses_another_goal_is_led_back_to_where_they_came_from(anna):
    answer = fill(anna, HELPS, **{"strengths-what": "De zee", "strengths-goal": OTHER})
    assert anna.get(answer.location).location.partition("?")[0] == address_of(anna)
    assert ">De zee</a>" not in goal_page(anna).text
    assert ">De zee</a>" in goal_page(anna, "Een kat").text


@pytest.mark.parametrize("name", ["", "nothing", "finances", "00000000-0000-4000-8000-00000000abcd"])
def test_what_is_not_in_the_plan_is_not_chosen_and_leads_to_the_form(anna, name):
    new = f"living/strengths/list/new?about={name}"
    form = opened(anna, new)
    assert form["strengths-goal"] == form["strengths-domain"] == ""
    answer = anna.post(new, {**form, "strengths-what": "De zee"})
    assert answer.location == anna.url("living/strengths/?saved=1#list")


def test_what_is_wrong_with_it_is_said_first_and_then_it_leads_back_still(anna):
    form = opened(anna, HELPS)
    wrong = anna.post(HELPS, {**form, "strengths-what": " "})
    assert wrong.status_code == 422
    assert f'<option value="{NAME}" selected>' in wrong.text
    answer = anna.post(HELPS, {**form, "strengths-what": "De zee"})
    assert f"/by-key/{NAME}" in answer.location


def test_what_has_to_wait_is_not_called_saved(anna):
    new = "living/strengths/list/new?about=meaning"
    form = {**opened(anna, new), "strengths-what": "De zee"}
    anna.make_flaky().error = Unreachable("down")
    answer = anna.post(new, form)
    page = text_of(anna.get(answer.location))
    assert "onderweg naar het dossier" in page
    assert "is bewaard" not in page


def test_together_the_client_says_yes_and_then_it_leads_back(joost):
    [address] = [link for label, link in offered(goal_page(joost)).items() if label.startswith("Wat mij helpt")]
    assert address == joost.url(HELPS)
    question = asked(joost, HELPS, **{**opened(joost, HELPS), "strengths-what": "De zee"})
    sent = re.findall(r'<form method="post" action="([^"]+)"', question.text)
    assert joost.url(HELPS) in map(html.unescape, sent)
    assert f'href="{joost.url(HELPS)}"' in question.text  # no, change it first
    answer = yes(joost, question, HELPS)
    assert joost.get(answer.location).location.partition("?")[0] == address_of(joost)
    assert ">De zee</a>" in goal_page(joost).text


def test_a_clinician_who_reads_has_no_way_to_add_anything(anna):
    doctor = launched(anna.app, role="clinician")
    pages = [doctor.get(path) for path in ("overview/", "overview/plan", "living/strengths/", "overview/together/")]
    assert {page.status_code for page in pages} == {200}
    assert not any("?about=" in page.text or "Schrijf hier iets bij" in page.text for page in pages)
    assert {doctor.get(path).status_code for path in (HELPS, AREA)} == {403}
    assert doctor.post(HELPS, {"strengths-what": "De zee"}).status_code == 403


def test_a_goal_that_only_another_program_names_can_be_chosen_nowhere_and_offers_nothing(anna):
    [stored] = [
        one for one in anna.ehr.search(Query.of("Goal")) if one.resource["description"]["text"].startswith("Weer")
    ]
    nameless = {key: value for key, value in stored.resource.items() if key != "identifier"}
    anna.ehr.write(Write("update", nameless, if_match=stored.etag))
    assert goal_page(anna).status_code == 200
    assert offered(goal_page(anna)) == {}
