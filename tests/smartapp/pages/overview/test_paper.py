"""The overview as a PDF: in the order of its page, with all steps and numbers, for the clinician alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from tests.smartapp.helpers import launched
from tests.smartapp.pages.overview.people import filled_in, hope, talk_about, visit
from tests.smartapp.pages.plan.conftest import HALFWAY, put
from tests.smartapp.pages.plan.pdf_text import sheets_in, tags_in


@pytest.fixture
def clinician(app):
    visitor = launched(app, role="clinician", birth_date="1992-03-14")
    put(visitor.ehr)
    hope(visitor.ehr)
    visit(visitor.ehr)
    return visitor


def printed(visitor, path="overview/overview.pdf"):
    answer = visitor.get(path)
    assert answer.status_code == 200
    return " ".join(sheets_in(answer.data))


def test_the_person_comes_first_and_numbers_come_last(clinician):
    text = printed(clinician)
    order = [
        "Anna Voorbeeld, geboren 14 maart 1992",
        "Ik ben opgegroeid in Zwolle.",
        "Mijn zus",
        "Voor dit gesprek",
        "Het nieuwste",
        "Een badpak kopen · Gedaan · Ik",
        "12 tot 48",
    ]
    places = [text.index(one) for one in order]
    assert places == sorted(places)


def test_what_must_be_discussed_stands_there_whole(app):
    visitor = launched(app, role="clinician")
    filled_in(visitor.ehr, "sdm-visit", {"sdm-visit-purpose-first": "De pillen. " * 40}, "2026-06-01T09:00:00+02:00")
    talk_about(visitor.ehr, "Ik slaap goed: nee")
    text = printed(visitor)
    assert text.count("De pillen.") == 40
    assert "Ik slaap goed: nee" in text


def test_a_long_story_is_cut_where_its_reader_would_pause_and_shows_it(app):
    visitor = launched(app, role="clinician")
    put(visitor.ehr, replace(HALFWAY, texts={"story": ("Een zin van mij. " * 60,)}))
    text = printed(visitor)
    assert "Een zin van mij. …" in text
    assert 20 < text.count("Een zin van mij.") < 30


def test_each_line_is_told_in_words(clinician):
    tags = tags_in(clinician.get("overview/overview.pdf").data)
    told = [alt for tag, alt in tags if tag == "Figure"]
    assert told
    assert all("hoger" in alt or "lager" in alt for alt in told)
    # No level is skipped: what is below a heading is one deeper.
    levels = [int(tag[1]) for tag, _alt in tags if tag in {"H1", "H2", "H3"}]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_where_nothing_is_written_it_says_so(app):
    text = printed(launched(app, role="clinician"))
    for sentence in ("Hier staat geen voorbereiding van een gesprek.", "Niets nieuws.", "Hier staan geen doelen."):
        assert sentence in text


@pytest.mark.parametrize(
    ("page", "path", "words"),
    [
        ("overview/plan", "overview/plan.pdf", "Weer leren zwemmen"),
        ("scores/", "scores/scores.pdf", "12 tot 48"),
    ],
)
def test_plan_and_scores_are_the_clinician_s_to_take_along_too(clinician, page, path, words):
    assert f"/{path}" in clinician.get(page).text
    assert words in printed(clinician, path)
    assert "jouw" not in printed(clinician, path)


@pytest.mark.parametrize("path", ["overview/overview.pdf", "overview/plan.pdf"])
def test_they_are_not_the_client_s(app, path):
    client = launched(app)
    assert client.get(path).status_code == 403
    assert client.logged().event == "denied"


def test_the_name_of_the_file_says_nobody_s(clinician):
    answer = clinician.get("overview/overview.pdf")
    assert answer.headers["Content-Disposition"] == "attachment; filename=overzicht.pdf"
