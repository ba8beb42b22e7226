"""Scores of answers that another program saved are put in the record when the client says so: once, and these alone."""

from __future__ import annotations

import re

import pytest

from mappers.answers import answers_of
from mappers.observations import observations_of
from mappers.scoring import score
from questionnaires.catalogue import catalogue
from smartapp.fhir.companion import CompanionStore
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Query, Unreachable, Write
from smartapp.services import KEY, Services
from tests.smartapp.helpers import EHR, Visitor, launched, text_of
from tests.smartapp.pages.scores.people import measure
from tests.smartapp.pages.scores.test_from_answers import fill_in_elsewhere

BUTTON = "Zet deze scores in het dossier"


@pytest.fixture
def anna(app) -> Visitor:
    return launched(app)


def press(visitor: Visitor):
    """Press the button as the page has it."""
    page = visitor.get("scores/").text
    return visitor.post("scores/keep", {"seen": re.search(r'name="seen" value="(\w+)"', page)[1]})


def stored(visitor: Visitor) -> list[dict]:
    found = visitor.ehr.search(Query.of("Observation", patient="Patient/anna"))
    return [one.resource for one in found]


def without_names(resources: list[dict]) -> list[str]:
    """Return resources without what a server adds, and without names that it resolves."""
    return sorted(
        repr({name: one[name] for name in one if name not in ("id", "meta", "hasMember")}) for one in resources
    )


def test_what_is_written_is_what_the_mapper_makes_of_the_answers(anna):
    response = fill_in_elsewhere(anna)
    answer = press(anna)
    assert answer.status_code == 303
    assert "Deze scores staan in het dossier." in text_of(anna.get(answer.location))
    answers = answers_of(response, catalogue())
    made = observations_of(answers, score(answers.instrument, answers.values))
    assert without_names(stored(anna)) == without_names(made)
    [panel] = [one for one in stored(anna) if "hasMember" in one]
    members = {one["reference"] for one in panel["hasMember"]}
    assert members == {f"Observation/{one['id']}" for one in stored(anna)} - {f"Observation/{panel['id']}"}


def test_from_then_on_they_are_in_the_record(app, anna):
    fill_in_elsewhere(anna)
    assert BUTTON in anna.get("scores/").text
    press(anna)
    page = text_of(anna.get("scores/"))
    assert BUTTON not in page
    assert "Laatste keer: elders ingevuld." in page
    assert "Bewaard in het dossier bij de zorgverlener" in anna.get("scores/hoop/").text
    assert "Op 3 juni 2026: 42." in text_of(launched(app, role="clinician").get("scores/"))


def test_a_second_press_and_one_in_another_tab_write_nothing_more(anna):
    fill_in_elsewhere(anna)
    seen = re.search(r'name="seen" value="(\w+)"', anna.get("scores/").text)[1]
    for _ in range(2):
        assert anna.post("scores/keep", {"seen": seen}).status_code == 303
    assert len(stored(anna)) == 1 + len(catalogue().instruments["hoop"].scores)


def test_what_the_page_did_not_name_is_not_written(anna):
    fill_in_elsewhere(anna)
    seen = re.search(r'name="seen" value="(\w+)"', anna.get("scores/").text)[1]
    fill_in_elsewhere(anna, "2026-07-03")
    answer = anna.post("scores/keep", {"seen": seen})
    assert answer.status_code == 303
    assert stored(anna) == []
    assert "3 juli 2026" in text_of(anna.get(answer.location))


def test_all_of_them_are_one_unit_in_the_log(anna):
    fill_in_elsewhere(anna, "2024-01-15", "2")
    fill_in_elsewhere(anna)
    press(anna)
    rules = len(catalogue().instruments["hoop"].scores)
    [entry] = [one for one in anna.core.audit.entries() if one.event == "create"]
    assert len([one for one in entry.objects if one.startswith("Observation/")]) == 2 * (1 + rules)


def test_what_cannot_be_sent_now_is_kept_and_sent_later(anna):
    fill_in_elsewhere(anna)
    flaky = anna.make_flaky()
    flaky.error = Unreachable("away")
    answer = press(anna)
    assert "Je scores blijven hier bewaard tot het lukt." in text_of(anna.get(answer.location))
    assert BUTTON not in anna.get("scores/").text
    flaky.error = None
    anna.courier_comes()
    [panel] = [one.resource for one in flaky.search(Query.of("Observation")) if "hasMember" in one.resource]
    assert len(panel["hasMember"]) == len(catalogue().instruments["hoop"].scores)


def test_an_ehr_that_takes_no_scores_leaves_them_with_us(app):
    anna = launched(app, scopes="openid fhirUser patient/*.rs")
    fill_in_elsewhere(anna)
    answer = press(anna)
    assert "Deze scores staan in het dossier." in text_of(anna.get(answer.location))
    assert stored(anna) == []
    page = anna.get("scores/")
    assert BUTTON not in page.text
    assert "Laatste keer: elders ingevuld." in text_of(page)


def test_a_companion_is_told_in_full_where_the_answers_are(app, monkeypatch):
    """It cannot know what is at the EHR: by a relative reference it would look at itself."""
    there = OwnStore(app.extensions[KEY].engine, EHR, tenant="companion")
    monkeypatch.setattr(Services, "companion", lambda _services, issuer: CompanionStore(there, issuer))
    anna = launched(app, scopes="openid fhirUser patient/*.rs")
    response = fill_in_elsewhere(anna)
    press(anna)
    kept = [one.resource for one in there.search(Query.of("Observation"))]
    assert len(kept) == 1 + len(catalogue().instruments["hoop"].scores)
    named = {one["derivedFrom"][0]["reference"] for one in kept}
    assert named == {f"{EHR}/QuestionnaireResponse/{response['id']}"}
    page = anna.get("scores/")
    assert BUTTON not in page.text
    assert "Laatste keer: elders ingevuld." in text_of(page)


def test_scores_of_ours_and_a_form_without_scores_are_not_offered(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    measure(anna, "sdm-visit", "2026-06-03", "3")
    assert BUTTON not in anna.get("scores/").text


@pytest.mark.parametrize("gone", ["subject", "authored"])
def test_answers_of_nobody_or_of_no_day_are_not_offered(anna, gone):
    response = fill_in_elsewhere(anna)
    anna.ehr.write(Write("update", {name: value for name, value in response.items() if name != gone}))
    assert BUTTON not in anna.get("scores/").text


def test_who_else_reads_the_scores_does_not_press_it(app, anna):
    fill_in_elsewhere(anna)
    clinician = launched(app, role="clinician")
    assert BUTTON not in clinician.get("scores/").text
    assert clinician.post("scores/keep", {"seen": "x"}).status_code == 403
    assert stored(anna) == []


def test_many_of_them_are_folded(anna):
    for month in range(1, 7):
        fill_in_elsewhere(anna, f"2026-0{month}-03")
    assert re.search(r"<details><summary>6 vragenlijsten</summary>\s*<ul", anna.get("scores/").text)


def test_scores_of_ours_that_the_answers_no_longer_give_are_shown_and_not_stored_a_second_time(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    [answers] = [one.resource for one in anna.ehr.search(Query.of("QuestionnaireResponse", patient="Patient/anna"))]
    for item in (item for group in answers["item"] for item in group["item"]):
        item["answer"][0]["valueCoding"]["code"] = "2"
    anna.ehr.write(Write("update", answers))
    page = text_of(anna.get("scores/"))
    assert "Laatste keer 26" in page
    assert BUTTON not in page
    assert "3 juni 2026: Hoop, totaal, 42" in text_of(anna.get("scores/hoop/"))
