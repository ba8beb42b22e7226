"""Scores over time: numbers with range and source, gaps with a reason, and no verdict anywhere."""

from __future__ import annotations

import html
import re

import pytest

from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, Write
from tests.smartapp.helpers import Visitor, launched, text_of
from tests.smartapp.pages.scores.people import measure

VERDICTS = ("beter", "slechter", "vooruit", "achteruit", "goed zo", "ernstig", "laag", "normaal", "gemiddelde van")


@pytest.fixture
def anna(app) -> Visitor:
    return launched(app)


def panel(page: str, name: str) -> str:
    """Return the HTML of one panel of a page."""
    return page[page.index(f'id="{name}"') :].partition("</section>")[0]


def rows(panel: str) -> list[str]:
    """Return the HTML of each row of a panel."""
    return re.findall(r"<li>(.*?)</li>", panel[panel.index('<ul class="changes">') :].partition("</ul>")[0], re.DOTALL)


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
    for verdict in VERDICTS:
        assert verdict not in page.lower().replace("lager", "")


def test_less_is_drawn_and_said_as_plainly_as_more(anna):
    measure(anna, "hoop", "2024-01-15", "4")
    measure(anna, "hoop", "2026-06-03", "2")
    page = anna.get("scores/hoop/").text
    assert "Dat is 16 lager." in page
    less = re.sub(r'"[\d.]+%?"', '""', rows(panel(page, "hoop"))[0])
    again = launched(anna.app, patient="bram", name="Bram")
    measure(again, "hoop", "2024-01-15", "2")
    measure(again, "hoop", "2026-06-03", "4")
    more = re.sub(r'"[\d.]+%?"', '""', rows(panel(again.get("scores/hoop/").text, "hoop"))[0])
    # But for where the dots stand, and which number comes first, the two rows are the same.
    assert re.sub(r"\b(26|42)\b", "", less) == re.sub(r"\b(26|42)\b", "", more)


def test_a_row_says_its_range_where_ranges_differ_and_the_panel_where_not(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    measure(anna, "nel", "2026-06-03", "4")
    hoop, nel = (panel(anna.get(f"scores/{name}/").text, name) for name in ("hoop", "nel"))
    assert [re.search(r"(\d+ tot \d+)", row)[1] for row in rows(hoop)] == ["12 tot 48", "6 tot 24", "6 tot 24"]
    assert "De schaal loopt van 1 tot 5." in nel
    assert not any(" tot " in row for row in rows(nel))


def test_a_panel_has_a_row_per_scale_in_the_order_of_the_instrument_and_one_table(anna):
    measure(anna, "nel", "2024-01-15", "2")
    measure(anna, "nel", "2026-06-03", "4")
    page = anna.get("scores/nel/").text
    shown = [rule for rule in catalogue().instruments["nel"].scores if rule.default]
    assert page.count("<table>") == 1
    found = rows(panel(page, "nel"))
    assert [re.search(r'class="change__name">([^<]+)<', row)[1] for row in found] == [rule.title.nl for rule in shown]
    # Professional help has no reversed item: the mean of the same answers is that answer.
    assert "Eerste keer 2,00 → Laatste keer 4,00" in " ".join(re.sub(r"<[^>]+>", "", found[1]).split())
    table = page[page.index("<table>") : page.index("</table>")]
    numbers = re.findall(r'<td class="number">(\d,\d\d)<', table)
    assert len(numbers) == 2 * len(shown)
    assert re.findall(r'class="moment">\s*<a [^>]*>([^<]+)<', table) == ["3 juni 2026", "15 januari 2024"]


def test_a_mean_has_two_decimals_and_a_sum_has_none(anna):
    measure(anna, "mansa", "2026-06-03", "4")  # twelve times 4: mean 4, sum 48
    mean, total = rows(panel(anna.get("scores/mansa/").text, "mansa"))
    assert ">4,00</strong>" in re.sub(r"<span[^>]*>[^<]*</span>", "", mean)
    assert ">48</strong>" in re.sub(r"<span[^>]*>[^<]*</span>", "", total)
    assert "4.00" in anna.get("scores/mansa/?lang=en").text


def test_a_picture_is_skipped_by_a_screen_reader_and_its_numbers_are_read(anna):
    measure(anna, "hoop", "2024-01-15", "2")
    measure(anna, "hoop", "2026-06-03", "4")
    [row, *_rest] = rows(panel(anna.get("scores/hoop/").text, "hoop"))
    assert '<svg class="change__picture" aria-hidden="true"' in row
    heard = " ".join(
        re.sub(r"<[^>]+>", "", re.sub(r"<(\w+)[^>]*aria-hidden.*?</\1>", "", row, flags=re.DOTALL)).split()
    )
    assert heard == "Hoop, totaal 12 tot 48 Eerste keer 26 Laatste keer 42"


def test_from_three_scores_on_a_row_opens_into_its_line(anna):
    measure(anna, "hoop", "2024-01-15", "2")
    measure(anna, "hoop", "2025-06-03", "3")
    assert "<figure" not in anna.get("scores/hoop/").text
    measure(anna, "hoop", "2026-06-03", "4")
    page = anna.get("scores/hoop/").text
    first = panel(page, "hoop").partition("<figure")[0]
    assert first.count("<details") == first.count('<details class="change">') == 1
    named = re.search(r'<svg role="img" aria-labelledby="(\S+)" aria-describedby="(\S+)">', page)
    assert f'<title id="{named[1]}">' in page
    assert f'<desc id="{named[2]}">' in page


def test_a_single_measurement_is_a_row_of_dots(anna):
    measure(anna, "nel", "2026-06-03", "4")
    page = panel(anna.get("scores/nel/").text, "nel")
    assert "1 keer ingevuld: 3 juni 2026." in page
    assert "eerste keer" not in text_of_html(page)
    for row in rows(page):
        assert re.findall(r'<circle class="(\w+)"', row) == ["last"]
        assert "→" not in row


def text_of_html(part: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", part).split())


def test_too_few_answers_are_a_gap_with_its_reason(anna):
    measure(anna, "hoop", "2024-01-15", "2")
    measure(anna, "hoop", "2025-01-15", "3", upto=9)
    measure(anna, "hoop", "2026-06-03", "4")
    page = anna.get("scores/hoop/").text
    assert '<td colspan="2">Geen score. 9 van 12 vragen beantwoord' in page
    total = rows(panel(page, "hoop"))[0]
    assert re.findall(r'<circle class="(\w+)"', total) == ["first", "last"]
    assert '<line class="span"' not in total  # nothing is drawn across the gap
    assert "15 jan 2025: geen score. 9 van 12 vragen beantwoord" in total


def test_the_reason_is_in_the_language_of_the_page_and_not_of_who_sent_it_in(anna):
    measure(anna, "hoop", "2025-01-15", "3", upto=9)
    page = anna.get("scores/hoop/?lang=en").text
    assert "9 of 12 questions answered; all answers are needed." in page
    assert "beantwoord" not in page


def test_a_reason_in_the_words_of_another_program_stays_as_it_is(anna):
    measure(anna, "hoop", "2025-01-15", "3", upto=9)
    for one in anna.ehr.search(Query.of("Observation")):
        if "dataAbsentReason" in one.resource:
            told = {**one.resource["dataAbsentReason"], "text": "Te moe."}
            anna.ehr.write(Write("update", {**one.resource, "dataAbsentReason": told}))
    assert "No score. Te moe." in anna.get("scores/hoop/?lang=en").text


def test_the_line_behind_a_row_has_the_gap_too(anna):
    for day, code, upto in (
        ("2023-01-15", "2", 99),
        ("2024-01-15", "2", 99),
        ("2025-01-15", "3", 9),
        ("2026-06-03", "4", 99),
    ):
        measure(anna, "hoop", day, code, upto=upto)
    page = anna.get("scores/hoop/").text
    line = page[page.index("<figure") : page.index("</figure>")]
    assert line.count('<line class="gap"') == 1
    assert line.count('<line class="line"') == 1  # from the first to the second, and none to the last
    assert rows(panel(page, "hoop"))[0].count('<line class="span"') == 1


def test_each_moment_leads_to_the_answers_behind_it(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    [sent] = anna.ehr.search(Query.of("QuestionnaireResponse", patient="Patient/anna"))
    assert anna.url(f"answers/{sent.resource['id']}/") in anna.get("scores/hoop/").text


def test_the_sentences_that_changed_most_are_those_since_the_time_before(anna):
    measure(anna, "hoop", "2024-01-15", "1")
    page = text_of(anna.get("scores/hoop/"))
    assert "Welke zinnen veranderden het meest?" not in page
    measure(anna, "hoop", "2025-06-03", "4")
    measure(anna, "hoop", "2026-06-03", "2")
    page = text_of(anna.get("scores/hoop/"))
    item = catalogue().instruments["hoop"].item("hoop-01")
    before, now = (item.scale.option(code).text.nl for code in ("4", "2"))
    assert f"Van 3 juni 2025 tot 3 juni 2026. {item.text.nl} Toen: {before}. Nu: {now} ." in page


def test_a_sentence_that_changed_is_whole_where_its_group_begins_it(anna):
    measure(anna, "mhcs", "2025-06-03", "2")
    measure(anna, "mhcs", "2026-06-03", "5")
    instrument = catalogue().instruments["mhcs"]
    stem, first = instrument.groups[0].help.nl, instrument.items[0].text.nl
    assert stem.endswith("…")
    assert f"{stem.removesuffix('…').strip()} {first}" in text_of(anna.get("scores/mhcs/"))


def test_the_same_answers_are_said_to_be_the_same(anna):
    measure(anna, "hoop", "2025-06-03", "2")
    measure(anna, "hoop", "2026-06-03", "2")
    page = text_of(anna.get("scores/hoop/"))
    assert "Van 3 juni 2025 tot 3 juni 2026 veranderde geen antwoord." in page
    assert "Dat is gelijk gebleven." in page


def test_two_rule_versions_never_share_a_line(anna):
    measure(anna, "hoop", "2024-01-15", "2", rule="0")
    measure(anna, "hoop", "2026-06-03", "4")
    page = anna.get("scores/hoop/").text
    assert "Op 3 juni 2026: 42." in page
    assert "hoger" not in page
    assert "Hoop (HOOP): uitgerekend op een manier die we niet kennen" in page
    assert "15 januari 2024: Hoop, totaal, 26 (Versie 0)" in page


def test_a_number_outside_its_range_is_not_drawn(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    for stored in anna.ehr.search(Query.of("Observation", patient="Patient/anna")):
        wrong = stored.resource | {"valueQuantity": stored.resource["valueQuantity"] | {"value": 480}}
        anna.ehr.write(Write("update", wrong, if_match=stored.etag))
    response = anna.get("scores/hoop/")
    page = text_of(response)
    assert "Het bewaarde getal valt buiten de schaal." in page
    assert "480" not in page
    assert "<circle" not in rows(panel(response.text, "hoop"))[0]


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
    page = html.unescape(anna.get("scores/mansa/").text)
    fold = page.index("Dezelfde antwoorden, anders opgeteld")
    others = [rule for rule in catalogue().instruments["mansa"].scores if not rule.default]
    assert others
    assert all(page.index(f'class="change__name">{rule.title.nl}<') > fold for rule in others)


def test_each_number_says_how_it_is_made_and_from_which_source(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    answer = anna.get("scores/hoop/")
    page = html.unescape(answer.text)
    assert "Je 12 antwoorden, bij elkaar opgeteld. Omgekeerd geteld: vraag 3 en 6." in page
    for rule in catalogue().instruments["hoop"].scores:
        assert rule.code not in text_of(answer)
        assert all(source.citation in page for source in rule.sources)
        assert f"Versie {rule.version}" in page


def test_the_care_team_is_told_in_full_how_each_number_is_made(app, anna):
    measure(anna, "hoop", "2026-06-03", "4")
    page = html.unescape(launched(app, role="clinician").get("scores/").text)
    assert all(rule.method.nl in page for rule in catalogue().instruments["hoop"].scores)
    assert "Je 12 antwoorden" not in page


def test_working_wording_says_so_beside_the_numbers(app, anna):
    measure(anna, "hoop", "2026-06-03", "4")
    assert anna.get("scores/hoop/").text.count("Werkversie") == 1
    assert launched(app, role="clinician").get("scores/").text.count("Werkversie") == 1


def test_where_the_scores_are_kept_is_said(app, anna):
    measure(anna, "hoop", "2026-06-03", "4")
    assert "Bewaard in het dossier bij de zorgverlener" in anna.get("scores/hoop/").text
    assert "Bewaard in het dossier bij de zorgverlener" in launched(app, role="clinician").get("scores/").text


def test_the_list_of_all_has_one_row_per_questionnaire_that_leads_to_the_rest(anna):
    measure(anna, "hoop", "2024-01-15", "2")
    measure(anna, "hoop", "2026-06-03", "4")
    measure(anna, "nel", "2026-06-04", "4")
    page = anna.get("scores/").text
    nel, hoop = re.findall(
        r"<li>(.*?)</li>", page[page.index('<ul class="changes">') :].partition("</ul>")[0], re.DOTALL
    )
    assert f'<h2><a href="{anna.url("scores/nel/")}">' in nel
    assert "Eerste keer 26 → Laatste keer 42" in text_of_html(hoop)


def test_a_prepared_conversation_can_be_found_back(anna):
    measure(anna, "sdm-visit", "2026-06-03", "3")
    page = anna.get("scores/").text
    assert "Gesprekken die je hebt voorbereid" in page
    assert "3 juni 2026" in page


def test_scores_of_another_person_are_not_here(app, anna):
    measure(anna, "hoop", "2026-06-03", "4")
    assert "Hier zie je straks wat er verandert" in launched(app, patient="bram", name="Bram").get("scores/").text


def test_the_care_team_sees_the_same_panels_all_on_one_page(app, anna):
    measure(anna, "hoop", "2024-01-15", "2")
    measure(anna, "hoop", "2026-06-03", "4")
    measure(anna, "nel", "2026-06-03", "4")
    page = launched(app, role="clinician").get("scores/").text
    mine = anna.get("scores/hoop/").text
    assert rows(panel(page, "hoop")) == rows(panel(mine, "hoop"))
    assert len(rows(panel(page, "nel"))) == 7
    assert "jij weet" not in page  # what is said to the client
    assert "Opnieuw invullen" not in page


def test_the_care_team_is_told_that_nothing_was_filled_in(app):
    assert "Hier staan geen scores." in launched(app, role="clinician").get("scores/").text


def test_that_the_care_team_looked_at_scores_is_in_the_log(app, anna):
    measure(anna, "hoop", "2026-06-03", "4")
    launched(app, role="clinician").get("scores/")
    assert "scores" in text_of(anna.get("who-looked/"))


def test_a_clinician_has_another_page_for_one_questionnaire(app):
    measure(launched(app), "hoop", "2026-06-03", "4")
    response = launched(app, role="clinician").get("scores/hoop/")
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


def test_parts_with_a_score_are_said_where_the_whole_has_none(app, anna):
    measure(anna, "nel", "2026-06-03", "4", upto=11)  # professional help and social support are whole
    assert "Van 2 onderdelen is er wel een score." in anna.get("scores/").text
    clinician = launched(app, role="clinician")
    assert "geen score, 2 onderdelen wel" in clinician.get("overview/").text
    measure(anna, "nel", "2026-07-03", "4")
    assert "onderdelen is er wel" not in anna.get("scores/").text
    measure(anna, "nel", "2026-08-03", "4", upto=3)
    assert "is er wel een score" not in anna.get("scores/").text
