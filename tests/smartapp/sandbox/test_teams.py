"""The made-up team: its page says what its file holds, and a second start adds nothing."""

from __future__ import annotations

import datetime as dt

from fhir.resources.R4B.bundle import Bundle

from smartapp.fhir.store import Query
from smartapp.sandbox.teams import made_up_team, seed_team
from smartapp.settings import Issuer, TeamHere
from tests.smartapp.helpers import EHR, launched, make_app, text_of

NOW = dt.datetime(2026, 11, 28, 12, 0, tzinfo=dt.UTC)
TEAM = made_up_team()
TEAMS = (TeamHere(id=TEAM.id, name=TEAM.name, references=(TEAM.reference,)),)
PAGE = f"team/{TEAM.id}/"


def seeded():
    app = make_app(clock=NOW.timestamp, issuers=(Issuer(base=EHR, name="E", client_id="v", teams=TEAMS),))
    core = app.extensions["verstel"]
    for _twice in range(2):
        seed_team(core.own_store(EHR), core.team_marks, EHR, NOW)
    return app


def test_the_page_of_the_made_up_team_says_what_its_file_holds():
    app = seeded()
    page = text_of(launched(app).get(PAGE))
    assert "Je kunt tot en met 10 december 2026 cijfers geven." in page  # twelve days from now
    # The marks of spring are 6 + 7 + 5 + 6 + 8 + 6 + 7 = 45 of seven; of autumn 7 + 7 + 6 + 8 + 7 + 8 + 7 + 6 = 56.
    assert "7,0 8 mensen" in page
    assert "6,4 7 mensen" in page
    # Peer-led, spring, of six who gave a mark: (7 + 8 + 7 + 9 + 8 + 7) / 6 = 46 / 6.
    assert "7,7 6 mensen" in page
    assert page.index("De sfeer ging van 6,4 naar 7,0.") < page.index("Een rustige zithoek maken")
    assert "Erbij waren: 5 cliënten, 2 ervaringsdeskundigen." in page
    # The ROPI: (3 + 4) / 2, (3 + 3) / 2, (3 + 3) / 2 of the first dimension.
    assert "Tegemoet komen aan basale zorgbehoeftes 3,5 3,0 3,0" in page
    assert "2025 3,63 (spreiding 0,58) 17 mensen" in page


def test_a_second_start_adds_nothing():
    app = seeded()
    core = app.extensions["verstel"]
    assert len(core.team_marks.rounds([core.team_marks.team(EHR, TEAM.id)])) == len(TEAM.rounds)
    assert len(core.own_store(EHR).search(Query.of("Task", subject=TEAM.reference))) == len(TEAM.actions)
    assert len(core.own_store(EHR).search(Query.of("QuestionnaireResponse", subject=TEAM.reference))) == 3 + 1


def test_as_fhir_it_is_a_bundle_of_figures_and_of_what_staff_wrote_without_anybody_s_marks():
    answer = launched(seeded()).get(f"{PAGE}team.json")
    assert answer.mimetype == "application/fhir+json"
    found = [entry["resource"] for entry in answer.get_json()["entry"]]
    Bundle.model_validate(answer.get_json())
    kinds = [(one["resourceType"], (one.get("measure") or "").rpartition("/")[2]) for one in found]
    assert kinds.count(("MeasureReport", "team-marks")) == 2  # of the rounds that are over
    assert kinds.count(("MeasureReport", "team-ropi")) == 1
    assert kinds.count(("MeasureReport", "team-score")) == 2
    assert kinds.count(("Communication", "")) == len(TEAM.told)
    assert kinds.count(("Task", "")) == len(TEAM.actions)
    assert kinds.count(("QuestionnaireResponse", "")) == 3 + 1
    assert "team-marks-atmosphere-mark" not in answer.text
    assert "De nieuwe zithoek is rustig." not in answer.text
    assert len({entry["fullUrl"] for entry in answer.get_json()["entry"]}) == len(found)
