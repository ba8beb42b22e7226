"""An issuer's key names what is kept for its people: its address may change, and nobody's things are gone."""

from __future__ import annotations

import re

import pytest
import responses

from mappers.circle import Member, circle_of
from mappers.sharing import ME, Sharing, consent_of
from mappers.sharing.consent import name_of
from smartapp import services as services_module
from smartapp.courier import Courier
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Query, Stored, Unreachable, Write
from smartapp.services import KEY
from smartapp.settings import Issuer
from smartapp.storage import examining
from smartapp.storage.database import open_database
from smartapp.storage.examining import Examination
from tests.smartapp.helpers import EHR, Visitor, launched, make_app, put_circle, settings, share_with, text_of
from tests.smartapp.pages.plan.pages import fields_of, fill

RESPONSE = {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": {"reference": "Patient/anna"}}

GOAL = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"text": "Een moestuin"},
    "subject": {"reference": "Patient/anna"},
}


@pytest.fixture
def sign_in(tmp_path):
    """Let Anna sign in at an address of her EHR, each time in an app that starts anew on the same database."""
    kept = settings(database_url=f"sqlite:///{tmp_path / 'verstel.db'}").encryption_keys
    started = []

    def signed_in(address: str, key: str = "") -> Visitor:
        issuer = Issuer(base=address, name="EHR", client_id="verstel", key=key)
        url = f"sqlite:///{tmp_path / 'verstel.db'}"
        app = make_app(database_url=url, issuers=(issuer,), encryption_keys=kept)
        core = app.extensions[KEY]
        core.local_ehrs[address] = OwnStore(open_database("sqlite://"), address)
        started.append(core.engine)
        anna = launched(app, issuer=address)
        core.adopt_named_by_address(anna.launch)
        return anna

    yield signed_in
    for engine in started:
        engine.dispose()


def leave(anna: Visitor) -> None:
    anna.core.audit.record(launched(anna.app, role="clinician", issuer=anna.launch.issuer).launch, "read", ["Goal/1"])
    anna.records.drafts.change("hoop", lambda _none: {"hoop-01": "3"})
    typed = {**fields_of(anna.get("living/story/story/")), "story-story": "Half een zin"}
    assert anna.post("living/story/story/", typed, headers={"Accept": "application/json"}).json == {"saved": True}
    anna.core.own_store(anna.launch.issuer).write(Write("create", GOAL))
    anna.make_flaky().error = Unreachable("down")
    anna.records.save([Write("create", RESPONSE)])


def own_goals(anna: Visitor) -> list[Stored]:
    return anna.core.own_store(anna.launch.issuer).search(Query.of("Goal", patient="Patient/anna"))


def is_all_there(anna: Visitor) -> bool:
    assert anna.records.drafts.get("hoop").resource == {"hoop-01": "3"}
    assert [one.unit.parcels[0].type for one in anna.records.waiting()] == ["QuestionnaireResponse"]
    assert [one.resource["description"] for one in own_goals(anna)] == [{"text": "Een moestuin"}]
    assert "SPV J. Jansen" in anna.get("who-looked/").text
    assert fields_of(anna.get("living/story/story/"))["story-story"] == "Half een zin"
    return True


def test_when_the_address_changes_and_the_key_stays_everything_is_there(sign_in):
    leave(sign_in("https://old.example/fhir", key="north"))
    assert is_all_there(sign_in("https://new.example/fhir", key="north"))


def test_an_issuer_that_was_known_by_its_address_can_get_a_key(sign_in):
    leave(sign_in("https://old.example/fhir"))
    assert is_all_there(sign_in("https://old.example/fhir", key="north"))
    assert is_all_there(sign_in("https://new.example/fhir", key="north"))


def test_what_a_client_shares_with_nobody_stays_so_when_their_issuer_gets_a_key_and_moves(sign_in):
    anna = sign_in("https://old.example/fhir")
    chosen = Sharing({"notes": ME}, "2026-11-27T10:00:00+01:00")
    name = name_of(anna.launch.issuer_key, "Patient/anna")
    consent = consent_of(chosen, name=name, patient={"reference": "Patient/anna"}, titles={}, displays={})
    anna.core.own_store(anna.launch.issuer).write(Write("create", consent))
    for address in ("https://old.example/fhir", "https://new.example/fhir"):
        anna = sign_in(address, key="north")
        assert anna.core.sharing(anna.launch) == chosen
    assert sign_in("https://old.example/fhir", key="south").core.sharing(anna.launch) == Sharing()


def test_the_people_of_a_client_stay_theirs_when_their_issuer_gets_a_key_and_moves(sign_in):
    anna = sign_in("https://old.example/fhir")
    mila = launched(anna.app, role="loved-one", issuer=anna.launch.issuer).launch.user.reference
    member = Member("mila", "Mila", "mijn zus", "loved-one", mila)
    put_circle(anna.app, member, issuer=anna.launch.issuer)
    share_with(anna.app, mila, "phase", issuer=anna.launch.issuer)
    for number, address in enumerate(("https://old.example/fhir", "https://new.example/fhir"), start=1):
        anna = sign_in(address, key="north")
        loved_one = launched(anna.app, role="loved-one", issuer=address).launch
        assert "phase" not in anna.core.sight(loved_one).hidden.parts
        assert "mijn zus" in anna.get("people/").text
        assert "en Mila." in text_of(anna.get("sharing/"))
        assert fill(anna, "people/new/loved-one/", name=f"Oma {number}", role="loved-one").status_code == 303
        [team] = anna.core.own_store(address).search(Query.of("CareTeam", patient="Patient/anna"))
        assert len(circle_of(team.resource).people) == 1 + number
    other = sign_in(address, key="south")
    assert other.core.circle(other.launch) is None


def test_the_old_address_can_be_the_key(sign_in):
    leave(sign_in("https://old.example/fhir"))
    assert is_all_there(sign_in("https://new.example/fhir", key="https://old.example/fhir"))


@pytest.mark.parametrize(("days", "left"), [(0, ["nel", "hoop"]), (30, ["nel"])])
def test_drafts_go_after_the_days_that_an_organisation_chose_and_else_they_stay(days, left):
    now = [1_795_694_400.0]
    anna = launched(make_app(clock=lambda: now[0], draft_days=days))
    anna.records.drafts.change("hoop", lambda _none: {"hoop-01": "3"})
    now[0] += 86_400
    anna.records.drafts.change("nel", lambda _none: {"nel-01": "3"})
    now[0] += 29 * 86_400
    Courier(anna.core).round()
    assert [draft.questionnaire for draft in anna.core.drafts(anna.launch).all()] == left
    anna.core.engine.dispose()


def test_two_issuers_never_share_a_person(sign_in):
    leave(sign_in("https://old.example/fhir", key="north"))
    other = sign_in("https://old.example/fhir", key="south")
    assert other.records.drafts.all() == []
    assert other.records.waiting() == []
    assert own_goals(other) == []
    assert "SPV J. Jansen" not in other.get("who-looked/").text


def test_a_draft_that_was_begun_anew_is_not_overwritten_by_the_former_one(sign_in):
    sign_in("https://old.example/fhir").records.drafts.change("hoop", lambda _none: {"hoop-01": "1"})
    anna = sign_in("https://new.example/fhir", key="north")
    anna.records.drafts.change("hoop", lambda _none: {"hoop-01": "4"})
    assert sign_in("https://old.example/fhir", key="north").records.drafts.get("hoop").resource == {"hoop-01": "4"}


@pytest.mark.parametrize(("search", "asked"), [("get", "/Goal?patient="), ("post", "/Goal/_search")])
def test_a_companion_is_searched_as_the_ehr_that_it_stands_beside(search, asked):
    """It is asked for people by their whole address at the EHR."""
    issuer = Issuer(
        base="https://ehr.example/fhir", name="EHR", client_id="v", companion="https://fhir.example", search=search
    )
    app = make_app(issuers=(issuer,))
    with responses.RequestsMock() as mock:
        mock.add("GET" if search == "get" else "POST", re.compile(".*"), json={"resourceType": "Bundle"})
        app.extensions[KEY].companion(issuer.base).search(Query.of("Goal", patient="Patient/anna"))
        assert asked in mock.calls[0].request.url
    app.extensions[KEY].engine.dispose()


@pytest.mark.parametrize(("days", "left"), [(0, [0, 1, 2]), (13, [1, 2]), (7, [2])])
def test_rows_of_the_log_go_after_the_days_that_an_organisation_chose_and_that_is_a_row(days, left):
    now = [1_800_000_000.0]
    anna = launched(make_app(clock=lambda: now[0], audit_keep_days=days))
    for number in range(3):
        anna.core.audit.record(anna.launch, "update", [f"Goal/{number}"])
        now[0] += 6 * 86_400
    Courier(anna.core).round()
    rows = list(anna.core.audit.entries())
    assert [entry.objects for entry in rows if entry.event == "update"] == [(f"Goal/{number}",) for number in left]
    told = [(entry.objects, entry.patient) for entry in rows if entry.event == "pruned"]
    assert told == ([((f"{3 - len(left)} rows",), "")] if days else [])
    assert all("VERSTEL_AUDIT_KEEP_DAYS" in entry.reason for entry in rows if entry.event == "pruned")
    assert list(Examination(anna.core.engine, anna.core.vault, {EHR}).findings()) == []


def test_where_nothing_is_old_no_row_says_that_something_went():
    anna = launched(make_app(audit_keep_days=1))
    anna.core.audit.record(anna.launch, "update", ["Goal/1"])
    assert anna.core.forget_old_log() == 0
    assert [entry.event for entry in anna.core.audit.entries()] == ["update"]


def test_many_old_rows_go_a_few_blocks_at_a_time(monkeypatch):
    monkeypatch.setattr(examining, "PRUNED_AT_ONCE", 2)
    monkeypatch.setattr(services_module, "MOST_PRUNED_BLOCKS", 2)
    now = [1_800_000_000.0]
    anna = launched(make_app(clock=lambda: now[0], audit_keep_days=1))
    for number in range(9):
        anna.core.audit.record(anna.launch, "update", [f"Goal/{number}"])
    now[0] += 2 * 86_400
    assert [anna.core.forget_old_log() for _ in range(4)] == [4, 4, 1, 0]
    assert [entry.event for entry in anna.core.audit.entries()] == ["pruned"] * 3


def test_a_log_whose_mark_is_not_ours_is_not_pruned_and_nothing_else_stops(caplog):
    now = [1_800_000_000.0]
    anna = launched(make_app(clock=lambda: now[0], audit_keep_days=1))
    anna.core.audit.record(anna.launch, "update", ["Goal/1"])
    now[0] += 2 * 86_400
    assert anna.core.forget_old_log() == 1
    anna.core.audit.record(anna.launch, "update", ["Goal/2"])
    with anna.core.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit_marks SET sealed = 'x' WHERE name = 'pruned'")
    now[0] += 2 * 86_400
    assert anna.core.forget_old_log() == 0
    assert "run verstel audit verify" in caplog.text


def test_our_own_store_goes_by_the_one_clock():
    """So a demo that is days ahead, or a test, finds its own records of the day that it says."""
    app = make_app(clock=lambda: 1_900_000_000.25)
    stored = app.extensions[KEY].own_store(EHR).write(Write("create", GOAL))
    assert stored.resource["meta"]["lastUpdated"] == "2030-03-17T17:46:40.250Z"
    app.extensions[KEY].engine.dispose()
