"""The page of a goal, and that of a life domain, has what living forms say about it, and the way to write it."""

from __future__ import annotations

import html
import re

import pytest

from mappers.living import content_of
from smartapp.fhir.store import Query, Write
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.plan.pages import fill, stored_plan

NAME = "00000000-0000-4000-8000-000000000002"
"""Our own identifier of the goal that Anna works on."""
OTHER = "00000000-0000-4000-8000-000000000005"


@pytest.fixture
def anna(harvester):
    return harvester


def goal_page(visitor, text="Weer leren zwemmen"):
    [goal] = [one for one in stored_plan(visitor.ehr).goals if one.text == text]
    return visitor.get(f"plan/goals/{goal.id}/")


def look(visitor, name=NAME, **typed):
    fields = {f"harvest-{key}": text for key, text in {"of": name, **typed}.items()}
    return fill(visitor, f"living/harvest/looks/new?about={name}", **fields)


def sections(page):
    """Return the sections of living forms on a page, by their title, as a person reads them."""
    found = re.findall(r'(?s)<section[^>]*aria-labelledby="about-\d+-title">(.*?)</section>', page.text)
    read = [re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", one))).strip() for one in found]
    titles = [html.unescape(re.findall(r"<h2[^>]*><a[^>]*>([^<]*)", one)[0]) for one in found]
    return dict(zip(titles, read, strict=True))


def test_where_nothing_is_written_it_invites_and_the_form_opens_with_this_goal(anna):
    page = goal_page(anna)
    assert "Wat leverde het op?" in sections(page)["Mijn oogst: Per doel"]
    [address] = re.findall(r'href="[^"]*/(living/harvest/looks/new\?about=[^"]+)">Mijn oogst opschrijven', page.text)
    form = anna.get(address)
    assert f'<option value="{NAME}" selected>' in form.text


def test_the_last_time_stands_beside_the_time_before_and_older_ones_are_folded(anna):
    for weight, taste in (("4", "Zuur"), ("5", "Zout"), ("7", "Zoet")):
        look(anna, weight=weight, taste=taste)
    said = sections(goal_page(anna))["Mijn oogst: Per doel"]
    places = [said.index(one) for one in ("zeven", "Zoet", "vijf", "Zout", "1 keer daarvoor", "vier", "Zuur")]
    assert places == sorted(places)
    assert "Weer oogsten" in said
    assert "Welk doel?" not in said  # that is what the page is about


def test_what_is_said_of_another_goal_stands_on_its_own_page(anna):
    look(anna, taste="Zoet")
    look(anna, OTHER, taste="Bitter")
    assert "Bitter" not in goal_page(anna).text
    assert "Bitter" in goal_page(anna, "Een kat").text


def test_a_goal_that_ended_keeps_what_was_said_and_asks_for_no_more(anna):
    assert "Mijn oogst: Per doel" not in sections(goal_page(anna, "Een kat"))
    look(anna, OTHER, taste="Bitter")
    said = sections(goal_page(anna, "Een kat"))["Mijn oogst: Per doel"]
    assert "Bitter" in said
    assert "Weer oogsten" not in said


def test_a_row_that_hangs_on_the_goal_is_named_there_with_the_way_to_it(anna, two_forms):
    fill(anna, "living/harvest/helpers/new", **{"harvest-helper": "Mijn zus", "harvest-with": NAME})
    fill(anna, "living/harvest/helpers/new", **{"harvest-helper": "De buurman"})
    page = goal_page(anna)
    assert "De buurman" not in page.text
    [found] = [one.resource for one in anna.ehr.search(Query.of("QuestionnaireResponse"))]
    [row, _other] = content_of(found, two_forms.living["harvest"]).rows_of("harvest-helpers")
    assert f'href="{anna.url("living/harvest/")}#row-{row.key}">Mijn zus<' in page.text
    assert f'id="row-{row.key}"' in anna.get("living/harvest/").text


def test_a_goal_that_another_program_names_by_its_words_alone_is_the_goal(anna):
    look(anna, taste="Zoet")
    [stored] = anna.ehr.search(Query.of("QuestionnaireResponse"))
    said = stored.resource
    [named] = [one for row in said["item"] for one in row["item"] if one["linkId"] == "harvest-of"]
    named["answer"] = [{"valueString": "Weer leren zwemmen"}]
    anna.ehr.write(Write("update", said, if_match=stored.etag))
    assert "Zoet" in sections(goal_page(anna))["Mijn oogst: Per doel"]


def test_it_stays_with_the_goal_when_the_goal_is_reworded(anna):
    look(anna, taste="Zoet")
    [goal] = [one for one in stored_plan(anna.ehr).goals if one.active]
    fill(anna, f"plan/goals/{goal.id}/words", text="Zwemmen in zee", domain="meaning")
    assert "Zoet" in sections(goal_page(anna, "Zwemmen in zee"))["Mijn oogst: Per doel"]


# --- a life domain


def test_a_life_domain_has_what_is_written_about_it_and_what_hangs_on_it(anna):
    fill(anna, "living/garden/beds/new", **{"garden-bed": "meaning", "garden-grows": "Klaver"})
    fill(anna, "living/garden/beds/new", **{"garden-bed": "housing", "garden-grows": "Mos"})
    fill(anna, "living/harvest/helpers/new", **{"harvest-helper": "Mijn zus", "harvest-where": "meaning"})
    page = anna.get("plan/domains/meaning/")
    said = sections(page)
    assert "Klaver" in said["Mijn tuin: De bedden"]
    assert "Mijn zus" in said["Mijn oogst: Wie hielp"]
    assert "Mos" not in page.text


def test_a_life_domain_invites_to_write_about_it_only_while_it_is_in_the_plan(anna):
    page = anna.get("plan/domains/meaning/")
    [address] = re.findall(r'href="[^"]*/(living/garden/beds/new\?about=meaning)"', page.text)
    assert '<option value="meaning" selected>' in anna.get(address).text
    assert "about=finances" not in anna.get("plan/domains/finances/").text


# --- looking back


def test_the_plan_has_the_way_to_look_back_once_there_are_goals(anna):
    assert "Mijn oogst opschrijven" in text_of(anna.get("plan/"))
    look(anna, taste="Zoet")
    assert "Weer oogsten" in text_of(anna.get("plan/"))
    kees = launched(anna.app, patient="kees", name="Kees Voorbeeld")
    assert "Mijn oogst opschrijven" not in text_of(kees.get("plan/"))


def test_from_what_was_said_one_press_leads_to_the_goal_to_change_or_close_it(anna):
    page = anna.get(look(anna, weight="4").location)
    [address] = re.findall(r'href="[^"]*/(plan/goals/[^"]+)"[^>]*>Naar dit doel', page.text)
    goal = anna.get(address)
    assert "De woorden of de datum aanpassen" in goal.text
    assert "Dit doel afsluiten" in goal.text


def test_the_pages_stay_readable_with_a_form_that_another_program_bent(anna):
    look(anna, taste="Zoet")
    [stored] = anna.ehr.search(Query.of("QuestionnaireResponse"))
    for item in ([{"linkId": "harvest-looks"}], [{"linkId": "harvest-looks", "item": [{"linkId": "harvest-of"}]}], []):
        stored = anna.ehr.write(Write("update", {**stored.resource, "item": item}, if_match=stored.etag))
        assert goal_page(anna).status_code == 200
