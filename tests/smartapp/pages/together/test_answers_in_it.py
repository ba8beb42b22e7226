"""What the client sent in is there in a conversation: each response opens in it, and a wish goes on the list."""

from __future__ import annotations

import re

import pytest

from mappers.said_in import SaidIn
from mappers.talking import task_of
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, Write
from tests.smartapp.helpers import Visitor, launched, text_of
from tests.smartapp.pages.overview.people import ANNA, filled_in, hope

WISH = "Een eigen voordeur."
OTHER = "Dat iemand mij belt."


@pytest.fixture
def joost(app) -> Visitor:
    visitor = launched(app, role="clinician")
    hope(visitor.ehr)
    old = {"mansa-short-01": "2", "mansa-short-home-change": "Een grotere tuin."}
    filled_in(visitor.ehr, "mansa-short", old, "2026-01-01T10:00:00+01:00")
    new = {"mansa-short-01": "2", "mansa-short-home-change": WISH, "mansa-short-social-change": OTHER}
    filled_in(visitor.ehr, "mansa-short", new, "2026-06-01T10:00:00+02:00")
    return visitor


def test_the_newest_of_each_questionnaire_opens_in_the_conversation_and_leads_back_to_it(joost):
    page = joost.get("overview/together/now").text
    links = re.findall(r'href="[^"]*/(answers/[^"/]+/\?together=1)">([^<]+)<', page)
    assert sorted(title.rpartition(",")[2].strip() for _path, title in links) == ["1 juni 2026", "2 juni 2026"]
    opened = next(joost.get(path).text for path, title in links if "MANSA" in title)
    assert WISH in opened
    assert 'class="together"' in opened
    assert "Terug naar ons gesprek" in opened
    # The time before stays in the conversation too, and so does the list of all.
    everything = joost.get("answers/?together=1").text
    assert len(re.findall(r"/answers/[^\"/]+/\?together=1", everything)) == 5
    assert "Terug naar ons gesprek" in everything
    assert "Terug naar ons gesprek" not in joost.get("answers/").text


def test_a_wish_of_the_newest_form_goes_on_the_list_with_one_press(joost):
    page = text_of(joost.get("overview/together/discuss"))
    assert "Wat ik zou willen veranderen" in page
    assert "Een grotere tuin." not in page
    joost.post("overview/together/discuss", {"add": f"|{WISH}"})
    page = joost.get("overview/together/discuss").text
    assert f'value="|{WISH}"' not in page
    assert f'value="|{OTHER}"' in page


@pytest.mark.parametrize(("status", "shown"), [("requested", False), ("completed", False), ("cancelled", True)])
def test_a_wish_that_the_client_marked_is_not_offered_twice(joost, status, shown):
    url = catalogue().instrument("mansa-short").url
    found = joost.ehr.search(Query.of("QuestionnaireResponse", questionnaire=url))
    response = next(one.resource for one in found if one.resource["authored"].startswith("2026-06"))
    answer = SaidIn("mansa-short-home-change", identifier=response["identifier"]["value"])
    made = task_of(answer, words=WISH, patient=ANNA, requester=ANNA, marked_on="2026-06-02T10:00:00Z", language="nl")
    joost.ehr.write(Write("create", {**made, "status": status}))
    page = joost.get("overview/together/discuss").text
    assert (f'value="|{WISH}"' in page) is shown


def test_a_mark_of_another_program_that_has_no_words_breaks_nothing_and_is_not_offered(joost):
    answer = SaidIn("hoop-01", identifier="of-another-program")
    made = task_of(answer, words="x", patient=ANNA, requester=ANNA, marked_on="2026-06-02T10:00:00Z", language="nl")
    del made["description"]
    stored = joost.ehr.write(Write("create", made))
    page = joost.get("overview/together/discuss")
    assert page.status_code == 200
    assert f'value="{stored.resource["id"]}|' not in page.text


def test_a_client_is_led_back_to_their_own_list_whatever_the_address_says(app, joost):
    anna = launched(app)
    assert "Terug naar ons gesprek" not in anna.get("answers/?together=1").text


def test_scores_are_the_same_picture_as_elsewhere_with_both_numbers_and_its_days_a_press_away(joost):
    page = joost.get("overview/together/now")
    assert "change__picture" in page.text
    read = text_of(page)
    assert re.search(r"Eerste keer \d+ → Laatste keer \d+", read)
    assert "De eerste keer, op 1 februari 2024" in read
