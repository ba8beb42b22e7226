"""Scores over time: numbers with range and source, gaps with a reason, and no verdict anywhere."""

from __future__ import annotations

import html
import re

import pytest

from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, Write
from tests.smartapp.helpers import Visitor, launched, text_of
from tests.smartapp.pages.scores.people import measure


@pytest.fixture
def anna(app) -> Visitor:
    return launched(app)


def test_without_scores_the_page_invites(anna):
    page = anna.get("scores/").text
    assert "Hier zie je straks wat er verandert" in page
    assert "Een vragenlijst kiezen" in page


def test_an_instrument_without_numbers_says_so(anna):
    assert "Nog geen getallen" in anna.get("scores/hoop/").text


@pytest.mark.parametrize("name", ["sdm-visit", "phq9"])
def test_what_has_no_scores_has_no_page(anna, name):
    response = anna.get(f"scores/{name}/")
    assert response.status_code == 404
    assert "Deze pagina bestaat niet" in response.text


def test_the_change_is_a_number_and_nothing_more(anna):
    measure(anna, "hoop", "2024-01-15", "2")  # ten items 2, two reversed 5 − 2 = 3: 26
    measure(anna, "hoop", "2026-06-03", "4")  # ten items 4, two reversed 1: 42
    page = text_of(anna.get("scores/hoop/"))
    words = "De eerste keer, op 15 januari 2024: 26. De laatste keer, op 3 juni 2026: 42. Dat is 16 hoger."
    assert words in page
    for verdict in ("beter", "slechter", "vooruit", "achteruit", "goed zo", "ernstig", "laag", "normaal"):
        assert verdict not in page.lower().replace("lager", "")


def test_less_is_said_as_plainly_as_more(anna):
    measure(anna, "hoop", "2024-01-15", "4")
    measure(anna, "hoop", "2026-06-03", "2")
    assert "Dat is 16 lager." in anna.get("scores/hoop/").text


def test_the_range_is_the_published_one(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    assert "De schaal loopt van 12 tot 48." in anna.get("scores/hoop/").text


def test_every_chart_has_a_table_with_the_same_numbers(anna):
    measure(anna, "nel", "2024-01-15", "2")
    measure(anna, "nel", "2026-06-03", "4")
    page = anna.get("scores/nel/").text
    shown = [rule for rule in catalogue().instruments["nel"].scores if rule.default]
    assert page.count('<figure class="chart') == page.count("<table>") == len(shown)


def test_a_chart_has_a_name_and_a_summary(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    page = anna.get("scores/hoop/").text
    named = re.search(r'<svg role="img" aria-labelledby="(\S+)" aria-describedby="(\S+)">', page)
    assert f'<title id="{named[1]}">' in page
    assert f'<desc id="{named[2]}">' in page


def test_too_few_answers_are_a_gap_with_its_reason(anna):
    measure(anna, "hoop", "2024-01-15", "2")
    measure(anna, "hoop", "2025-01-15", "3", upto=9)
    measure(anna, "hoop", "2026-06-03", "4")
    page = anna.get("scores/hoop/").text
    assert '<td colspan="2">Geen score. 9 van 12 vragen beantwoord' in page
    assert '<line class="gap"' in page
    total = page[page.index("<figure") : page.index("</figure>")]
    assert total.count('class="point"') == 2
    assert '<line class="line"' not in total  # nothing is drawn across the gap


def test_each_row_leads_to_the_answers_behind_it(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    [sent] = anna.ehr.search(Query.of("QuestionnaireResponse", patient="Patient/anna"))
    assert anna.url(f"questionnaires/responses/{sent.resource['id']}") in anna.get("scores/hoop/").text


def test_two_rule_versions_never_share_a_line(anna):
    measure(anna, "hoop", "2024-01-15", "2", rule="0")
    measure(anna, "hoop", "2026-06-03", "4")
    page = anna.get("scores/hoop/").text
    assert "Op 3 juni 2026: 42." in page
    assert "hoger" not in page
    assert "Uitgerekend op een manier die we niet kennen" in page
    assert "15 januari 2024: 26" in page


def test_a_number_outside_its_range_is_not_drawn(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    for stored in anna.ehr.search(Query.of("Observation", patient="Patient/anna")):
        wrong = stored.resource | {"valueQuantity": stored.resource["valueQuantity"] | {"value": 480}}
        anna.ehr.write(Write("update", wrong, if_match=stored.etag))
    page = text_of(anna.get("scores/hoop/"))
    assert "Het bewaarde getal valt buiten de schaal." in page
    assert "480" not in page


def test_an_observation_of_others_changes_nothing(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    other = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"code": "survey"}]}],
        "code": {"text": "hoop-total"},
        "subject": {"reference": "Patient/anna"},
        "valueInteger": 1,
    }
    anna.ehr.write(Write("create", other))
    assert anna.get("scores/").status_code == 200
    assert "Op 3 juni 2026: 42." in anna.get("scores/hoop/").text


def test_alternatives_stand_behind_a_fold(anna):
    measure(anna, "mansa", "2026-06-03", "4")
    page = anna.get("scores/mansa/").text
    fold = page.index("Dezelfde antwoorden, anders opgeteld")
    others = [rule for rule in catalogue().instruments["mansa"].scores if not rule.default]
    assert others
    assert all(html.unescape(page).index(f">{rule.title.nl}</h") > fold for rule in others)


def test_each_number_says_how_it_is_made_and_from_which_source(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    answer = anna.get("scores/hoop/")
    page = html.unescape(answer.text)
    rule = catalogue().instruments["hoop"].score("hoop-total")
    assert "Je 12 antwoorden, bij elkaar opgeteld. Omgekeerd geteld: vraag 3 en 6." in page
    assert rule.code not in text_of(answer)
    assert all(source.citation in page for source in rule.sources)
    assert f"Versie {rule.version}" in page


def test_working_wording_says_so_beside_the_numbers(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    assert "Werkversie" in anna.get("scores/hoop/").text


def test_where_the_scores_are_kept_is_said(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    assert "Bewaard in het dossier bij de zorgverlener" in anna.get("scores/hoop/").text


def test_a_prepared_conversation_can_be_found_back(anna):
    measure(anna, "sdm-visit", "2026-06-03", "3")
    page = anna.get("scores/").text
    assert "Gesprekken die je hebt voorbereid" in page
    assert "3 juni 2026" in page


def test_scores_of_another_person_are_not_here(app, anna):
    measure(anna, "hoop", "2026-06-03", "4")
    assert "Hier zie je straks wat er verandert" in launched(app, patient="bram", name="Bram").get("scores/").text


def test_a_clinician_has_another_page_for_this(app):
    measure(launched(app), "hoop", "2026-06-03", "4")
    response = launched(app, role="clinician").get("scores/")
    assert response.status_code == 403
    assert "Deze pagina is niet voor jou" in response.text
    assert "42" not in text_of(response)


def test_the_difference_is_that_of_the_numbers_shown(anna):
    # NEL total, all items: (39 × 3 + 4) ÷ 40 = 3.025, shown as 3,02 (half to even) or 3,03; never a third number.
    measure(anna, "nel", "2024-01-15", "3")
    measure(anna, "nel", "2026-06-03", "4")
    page = anna.get("scores/nel/").text
    first, last, change = re.search(r"2024: ([\d,]+)\. .*?2026: ([\d,]+)\. Dat is ([\d,]+) hoger", page).groups()
    number = [float(text.replace(",", ".")) for text in (first, last, change)]
    assert number[1] - number[0] == pytest.approx(number[2])
