"""Someone who is with us for years: the pages ask for the newest, say so, and cost no more than before."""

from __future__ import annotations

import pytest

from smartapp.fhir.store import Query, Write
from smartapp.pages.scores import asking
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.scores.people import measure

CUT = "Hier staan de nieuwste 12 scores, met de antwoorden op de nieuwste 2 vragenlijsten."


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(asking, "MOST_SCORES", 12)
    monkeypatch.setattr(asking, "MOST_RESPONSES", 2)


def years(visitor) -> None:
    measure(visitor, "mansa", "2015-01-15", "5")
    for year in range(2016, 2024):
        measure(visitor, "hoop", f"{year}-01-15", "3")


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("client", "scores/"),
        ("client", "scores/hoop/"),
        ("clinician", "overview/"),
        ("clinician", "scores/"),
        ("clinician", "overview/together/now"),
    ],
)
def test_a_page_says_that_there_is_more(app, small, role, path):
    visitor = launched(app, role=role)
    years(visitor)
    assert CUT in text_of(visitor.get(path))


@pytest.mark.parametrize(("role", "path"), [("client", "scores/"), ("clinician", "overview/")])
def test_a_page_that_shows_everything_says_nothing_of_the_kind(app, role, path):
    visitor = launched(app, role=role)
    years(visitor)
    assert "Hier staan de nieuwste" not in text_of(visitor.get(path))


def test_the_newest_scores_are_the_ones_that_are_shown(app, small):
    anna = launched(app)
    years(anna)
    page = text_of(anna.get("scores/hoop/"))
    assert "15 januari 2023" in page
    assert "15 januari 2016" not in page


def test_what_lies_beyond_is_not_called_not_filled_in(app, small):
    anna = launched(app)
    years(anna)
    assert "Nog niet ingevuld" not in text_of(anna.get("scores/"))
    assert "15 januari 2015" in text_of(anna.get("scores/mansa/"))  # its own page asks for its own scores


def test_the_surveys_of_others_take_no_place(app, small):
    """An EHR keeps surveys of its own in the same category, by the thousand."""
    anna = launched(app)
    measure(anna, "hoop", "2020-01-15", "3")
    (ours, *_) = anna.ehr.search(Query.of("Observation"))
    theirs = {
        **{name: value for name, value in ours.resource.items() if name not in ("id", "identifier", "meta")},
        "code": {"coding": [{"system": "http://loinc.org", "code": "44261-6"}]},
        "effectiveDateTime": "2026-01-01",
    }
    anna.ehr.write_all([Write("create", theirs) for _ in range(20)])
    page = text_of(anna.get("scores/"))
    assert "Laatste keer 34" in page  # ten times 3, and the two reversed ones 5 - 3 = 2 each
    assert CUT not in page


def test_an_ehr_that_does_not_search_by_code_gives_more_and_we_choose(app, small, monkeypatch):
    anna = launched(app)
    years(anna)
    statement = anna.ehr.capabilities()
    (offered,) = [one for one in statement["rest"][0]["resource"] if one["type"] == "Observation"]
    offered["searchParam"] = [one for one in offered["searchParam"] if one["name"] != "code"]
    monkeypatch.setattr(anna.ehr, "capabilities", lambda: statement, raising=False)
    assert "15 januari 2015" in text_of(anna.get("scores/mansa/"))
    assert "15 januari 2016" in text_of(anna.get("scores/hoop/"))
