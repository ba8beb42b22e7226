"""Words go on without being typed again, and once: to a goal, to a list of another form, or all of them at once."""

from __future__ import annotations

import html
import re

import pytest

from mappers.living import content_of
from smartapp.fhir.store import Query, Unreachable
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.plan.conftest import HALFWAY
from tests.smartapp.pages.plan.pages import fields_of, fill, stored_plan

MAKE, THERE = "Maak hier een doel van", "Het is een doel in je plan"
PUT, PUT_ALL, STANDS = "Zet dit bij ‘Mijn tuin’", "Zet dit allemaal bij ‘Mijn tuin’", "Het staat bij ‘Mijn tuin’"


def links(page, label):
    """Return the addresses of the links that begin with a label, as paths below that of the launch."""
    found = re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)', page.partition("<main")[2])
    return [html.unescape(href).split("/", 3)[3] for href, said in found if html.unescape(said).strip() == label]


def content(visitor, form):
    found = visitor.ehr.search(Query.of("QuestionnaireResponse", patient="Patient/anna"))
    return next(content_of(one.resource, form) for one in found if form.id in one.resource["questionnaire"])


RESPONSES = Query.of("QuestionnaireResponse", patient="Patient/anna")


# --- to a goal


def plant(visitor, words):
    fill(visitor, "living/garden/plants/new", **{"garden-plant": words})


def make_goal(visitor, address, **typed):
    opened = visitor.get(address)
    return visitor.post(address, {**fields_of(opened), "domain": "meaning", **typed})


def test_a_wish_that_a_goal_came_from_leads_to_it_and_makes_no_second_one(halfway):
    plant(halfway, "Een roos")
    plant(halfway, "Munt")
    rose, mint = links(halfway.get("living/garden/").text, MAKE)
    assert fields_of(halfway.get(rose))["text"] == "Een roos"
    make_goal(halfway, rose)
    page = halfway.get("living/garden/").text
    assert links(page, MAKE) == [mint]
    [goal] = [one for one in stored_plan(halfway.ehr).goals if one.text == "Een roos"]
    assert links(page, THERE) == [f"plan/goals/{goal.id}/"]
    again = halfway.get(rose)
    assert (again.status_code, again.location) == (303, halfway.url(f"plan/goals/{goal.id}/"))


def test_it_is_known_when_both_are_reworded(halfway):
    plant(halfway, "Een roos")
    [rose] = links(halfway.get("living/garden/").text, MAKE)
    make_goal(halfway, rose, text="Rozen op mijn balkon")
    [row] = re.findall(r"living/garden/plants/([0-9a-f-]{36})/\"", halfway.get("living/garden/").text)
    fill(halfway, f"living/garden/plants/{row}/", **{"garden-plant": "Veel rozen"})
    page = halfway.get("living/garden/").text
    assert not links(page, MAKE)
    [there] = links(page, THERE)
    assert "Rozen op mijn balkon" in halfway.get(there).text


def test_a_goal_that_says_the_same_already_is_not_made_a_second_time(halfway):
    plant(halfway, "weer  leren zwemmen")
    plant(halfway, "Een kat")  # a goal that was reached: whoever wants it again may begin it again
    page = halfway.get("living/garden/").text
    [there] = links(page, THERE)
    assert "Weer leren zwemmen" in halfway.get(there).text
    assert len(links(page, MAKE)) == 1


def test_pressed_twice_it_makes_one_goal(halfway):
    plant(halfway, "Een roos")
    [rose] = links(halfway.get("living/garden/").text, MAKE)
    typed = {**fields_of(halfway.get(rose)), "domain": "meaning"}
    for _press in range(2):
        assert halfway.post(rose, typed).status_code == 303
    assert [one.text for one in stored_plan(halfway.ehr).goals].count("Een roos") == 1


def test_where_its_goal_was_taken_out_as_a_mistake_another_can_begin(halfway):
    plant(halfway, "Een roos")
    [rose] = links(halfway.get("living/garden/").text, MAKE)
    make_goal(halfway, rose)
    [there] = links(halfway.get("living/garden/").text, THERE)
    halfway.post(f"{there}remove")
    assert links(halfway.get("living/garden/").text, MAKE) == [rose]
    make_goal(halfway, rose, text="Toch een roos")
    [again] = links(halfway.get("living/garden/").text, THERE)
    assert again != there
    assert "Toch een roos" in halfway.get(again).text


def test_the_goal_leads_back_to_the_row_that_it_began_with(halfway):
    for words in ("Munt", "Een roos"):
        plant(halfway, words)
    _mint, rose = links(halfway.get("living/garden/").text, MAKE)
    make_goal(halfway, rose)
    [there] = links(halfway.get("living/garden/").text, THERE)
    [back] = links(halfway.get(there).text, "Het begon met jouw woorden")
    row = back.partition("#row-")[2]
    page = halfway.get(back).text
    assert re.search(rf'id="row-{row}-title"[^>]*>Een roos<', page)


def test_words_that_went_while_their_goal_was_written_lose_no_word_of_it(halfway):
    plant(halfway, "Een roos")
    [rose] = links(halfway.get("living/garden/").text, MAKE)
    typed = {**fields_of(halfway.get(rose)), "domain": "meaning", "text": "Rozen planten"}
    [row] = re.findall(r"living/garden/plants/([0-9a-f-]{36})/\"", halfway.get("living/garden/").text)
    halfway.post(f"living/garden/plants/{row}/remove")
    halfway.post(rose, typed)
    assert "Rozen planten" in [one.text for one in stored_plan(halfway.ehr).goals]


@pytest.mark.parametrize("name", ["garden-care.x", "garden-story", "garden-plant.nowhere", "nothing"])
def test_of_other_words_no_goal_is_made(halfway, name):
    fill(halfway, "living/garden/story/", **{"garden-story": "Onkruid."})
    assert halfway.get(f"living/garden/goal/{name}").status_code == 404


# --- to a list


def sow(visitor, seeds, area="meaning"):
    fill(visitor, "living/harvest/seeds/new", **{"harvest-area": area, "harvest-seed": seeds})


def test_each_of_several_words_goes_on_the_list_by_itself_with_its_area(harvester, two_forms):
    sow(harvester, "Zonnebloem\r\nMaïs")
    _sun, corn = links(harvester.get("living/harvest/").text, PUT)
    form = harvester.get(harvester.get(corn).location)
    assert fields_of(form)["garden-plant"] == "Maïs"
    harvester.post(form.request.path, {**fields_of(form)})
    assert [row.of("garden-plant") for row in content(harvester, two_forms.living["garden"]).all_rows] == ["Maïs"]
    page = harvester.get("living/harvest/").text
    assert len(links(page, PUT)) == len(links(page, STANDS)) == 1


def shown_words(visitor):
    """Return what the button for all of them sends."""
    return fields_of(visitor.get("living/harvest/")).get("taken-words", "")


def press_all(visitor, words=None):
    """Press the button, as the page has it or as it was there a moment ago."""
    sent = {"taken-from": "harvest/harvest-seed", "taken-words": shown_words(visitor) if words is None else words}
    return visitor.post("living/garden/take/garden-plant", sent)


def test_all_that_is_not_on_the_list_goes_there_in_one_press_and_one_save(harvester, two_forms):
    garden = two_forms.living["garden"]
    fill(harvester, "living/garden/plants/new", **{"garden-plant": "zonnebloem"})
    sow(harvester, "Zonnebloem\r\nMaïs\r\nMunt")
    sow(harvester, "Munt\r\nTijm", "housing")
    assert PUT_ALL in text_of(harvester.get("living/harvest/"))
    shown = shown_words(harvester)
    answer = press_all(harvester)
    assert answer.location.partition("#")[2] == "plants"
    plants = [row.of("garden-plant") for row in content(harvester, garden).rows_of("garden-plants")]
    assert plants == ["zonnebloem", "Maïs", "Munt", "Tijm"]
    responses = [one.resource for one in harvester.ehr.search(Query.of("QuestionnaireResponse"))]
    [list_id] = [one["id"] for one in responses if "garden" in one["questionnaire"]]
    assert len(harvester.ehr.history("QuestionnaireResponse", list_id)) == 2
    assert PUT_ALL not in text_of(harvester.get("living/harvest/"))
    assert press_all(harvester, shown).status_code == 303  # on a page that was still open
    assert len(content(harvester, garden).rows_of("garden-plants")) == 4


def test_what_came_there_after_the_page_was_opened_is_not_put_on_the_list_unseen(harvester, two_forms):
    sow(harvester, "Maïs\r\nMunt")
    shown = shown_words(harvester)
    sow(harvester, "Tijm", "housing")
    press_all(harvester, shown)
    plants = [row.of("garden-plant") for row in content(harvester, two_forms.living["garden"]).all_rows]
    assert plants == ["Maïs", "Munt"]


def test_written_together_the_client_reads_all_of_it_before_it_goes_on_the_list(harvester, two_forms):
    sow(harvester, "Maïs\r\nMunt")
    joost = launched(harvester.app, role="clinician")
    joost.post("overview/together/write", {"what": "harvest"})
    asked = press_all(joost)
    assert asked.status_code == 200
    assert "Anna, klopt dit?" in text_of(asked)
    assert "Dit komt bij ‘Mijn tuin’ te staan:" in text_of(asked)
    for words in ("Maïs", "Munt"):
        assert words in text_of(asked)
    assert "garden" not in " ".join(one.resource["questionnaire"] for one in harvester.ehr.search(RESPONSES))
    assert joost.post("living/garden/take/garden-plant", fields_of(asked)).status_code == 303
    assert len(content(harvester, two_forms.living["garden"]).all_rows) == 2


def test_one_press_takes_all_of_them_back_but_what_was_changed_since(harvester, two_forms):
    garden = two_forms.living["garden"]
    sow(harvester, "Maïs\r\nMunt")
    page = harvester.get(press_all(harvester).location)
    assert "Ongedaan maken" in page.text
    [undo] = re.findall(r'name="undo" value="([0-9a-f]+)"', page.text)
    mint = content(harvester, garden).rows_of("garden-plants")[1]
    fill(harvester, f"living/garden/plants/{mint.key}/", **{"garden-care": "Veel water"})
    answer = harvester.post("living/garden/take-back", {"undo": undo})
    assert "Het is weer zoals het was." in harvester.get(answer.location).text
    assert [row.of("garden-plant") for row in content(harvester, garden).rows_of("garden-plants")] == ["Munt"]
    late = harvester.post("living/garden/take-back", {"undo": undo})
    assert "kun je hier niet meer ongedaan maken" in harvester.get(late.location).text


def test_one_word_alone_is_no_reason_for_a_press_for_all(harvester):
    sow(harvester, "Maïs")
    assert PUT_ALL not in text_of(harvester.get("living/harvest/"))


@pytest.mark.parametrize("source", ["", "harvest/harvest-helper", "garden/garden-plant", "nowhere/x"])
def test_only_words_that_go_there_are_put_on_a_list(harvester, source):
    sow(harvester, "Maïs\r\nMunt")
    assert harvester.post("living/garden/take/garden-plant", {"taken-from": source}).status_code == 404


def test_while_the_list_is_on_its_way_nothing_is_put_on_it(harvester):
    sow(harvester, "Maïs\r\nMunt")
    flaky = harvester.make_flaky()
    flaky.error = Unreachable("away")
    plant(harvester, "Tijm")
    answer = press_all(harvester)
    assert answer.status_code == 409
    assert "onderweg" in answer.text


# --- what was written over time


def look(visitor, goal, **typed):
    fields = {f"harvest-{name}": text for name, text in {"of": goal, **typed}.items()}
    return fill(visitor, f"living/harvest/looks/new?about={goal}", **fields)


@pytest.fixture
def goal(harvester):
    """The name of the goal that goes on."""
    goals = [one.resource for one in harvester.ehr.search(Query.of("Goal"))]
    [name] = [one["identifier"][0]["value"] for one in goals if one["lifecycleStatus"] == "active"]
    return name


def test_the_last_time_stands_beside_the_time_before_with_the_day_and_what_is_older_is_folded(harvester, goal):
    for weight, taste in (("4", "Zuur"), ("7", "Zoet"), ("4", "Rijp")):
        look(harvester, goal, weight=weight, taste=taste)
    page = text_of(harvester.get("living/harvest/"))
    assert [page.index(one) for one in ("Rijp", "Zoet", "1 keer daarvoor", "Zuur")] == sorted(
        page.index(one) for one in ("Rijp", "Zoet", "1 keer daarvoor", "Zuur")
    )
    assert page.count("Weer leren zwemmen") >= 1
    assert "Op welke dag?" not in page


def test_what_was_said_of_a_goal_leads_to_that_goal(harvester, goal):
    answer = look(harvester, goal, weight="4")
    page = harvester.get(answer.location).text
    [there] = links(page, "Naar dit doel")
    assert HALFWAY.goals[0].text in harvester.get(there).text


def test_marks_stand_as_they_were_given_and_nothing_is_made_of_them(harvester, goal):
    for weight in ("4", "7"):
        look(harvester, goal, weight=weight)
    page = text_of(harvester.get("living/harvest/"))
    assert "zeven" in page
    assert "vier" in page
    for made_up in ("5,5", "gemiddeld", "hoger", "lager"):
        assert made_up not in page.lower()
    sections = "".join(re.findall(r"(?s)<section.*?</section>", harvester.get("living/harvest/").text))
    assert "zeven" in sections
    assert "<svg" not in sections


def test_the_goal_that_is_gone_from_the_plan_keeps_its_words_there(harvester, goal):
    look(harvester, goal, taste="Zoet")
    [stored] = [one for one in stored_plan(harvester.ehr).goals if one.active]
    harvester.post(f"plan/goals/{stored.id}/remove")
    page = harvester.get("living/harvest/").text
    assert "Weer leren zwemmen" in page
    assert not links(page, "Naar dit doel")
