"""What a sign-in costs the EHR: three calls one after another the first time, two later; and names that come later."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import replace

import pytest
import requests
import sqlalchemy as sa

from smartapp.fhir.bulkheads import present_budget
from smartapp.pages.sign_in import names as sign_in_names
from smartapp.pages.sign_in.names import FIRST_PAUSE_SECONDS, MOST_TRIES, LaterNames
from smartapp.smart.tokens import TOKENS
from smartapp.storage.database import _WRITES, reading
from smartapp.storage.launches import LAUNCHES
from smartapp.web.guard import form_token
from tests.nictiz import person
from tests.smartapp.smart.ehr import BASE, NOW

CONFIGURATION, TOKEN, JWKS = "/fhir/.well-known/smart-configuration", "/token", "/jwks"
METADATA, PATIENT, USER = "/fhir/metadata", "/fhir/Patient/anna", "/fhir/Practitioner/p1"
ROLES, TEAMS = "/fhir/PractitionerRole?practitioner=Practitioner%2Fp1", "/fhir/CareTeam?patient=anna"


class Together:
    """Answers a call of a round only when all calls of that round were made: one that waits for another fails."""

    def __init__(self, *rounds: set[str]) -> None:
        self.rounds = rounds
        self.meetings = {path: barrier for one in rounds for barrier in [threading.Barrier(len(one))] for path in one}
        self.asked: Counter[str] = Counter()

    def __call__(self, path: str) -> None:
        self.asked[path] += 1
        self.meetings[path].wait(20)

    def was_all(self) -> bool:
        return self.asked == Counter(path for one in self.rounds for path in one)


@pytest.fixture
def ehr(ehr):
    def metadata(request):
        ehr.before(request.path_url)
        return 200, {}, json.dumps({"resourceType": "CapabilityStatement"})

    ehr.mock.add_callback("GET", f"{BASE}/metadata", metadata)
    return ehr


def test_a_first_sign_in_asks_an_ehr_three_times_in_a_row_and_a_later_one_twice(browser, ehr):
    ehr.before = first = Together({CONFIGURATION}, {TOKEN, JWKS}, {PATIENT, USER, ROLES, TEAMS, METADATA})
    assert browser.sign_in().status_code == 303
    assert first.was_all(), first.asked
    ehr.before = later = Together({TOKEN}, {PATIENT, USER, ROLES, TEAMS})
    assert browser.sign_in().status_code == 303
    assert later.was_all(), later.asked


def test_a_client_costs_one_call_less_as_both_names_are_one(browser, ehr):
    ehr.claims["fhirUser"] = "Patient/anna"
    browser.enter()
    ehr.before = later = Together({TOKEN}, {PATIENT})
    assert browser.sign_in().status_code == 303
    assert later.was_all(), later.asked


def test_whatever_a_sign_in_asks_counts_for_the_one_request_that_it_is(browser, ehr):
    """A thread that did not know of it would take a place of its own at the EHR, and time and bytes without bound."""
    begun = browser.begin()
    budgets = []
    ehr.before = lambda _path: budgets.append(present_budget())
    assert browser.finish(begun).status_code == 303
    assert len(budgets) == len([TOKEN, JWKS, PATIENT, USER, ROLES, TEAMS, METADATA])
    assert len(set(budgets)) == 1
    assert budgets[0] is not None


class TestANameThatTheEhrDidNotTellAtTheSignIn:
    @pytest.fixture
    def launch(self, browser, ehr, core):
        """A clinician's launch in which neither name could be read; by now the EHR tells them."""
        names, ehr.records = ehr.records, {}
        launch = core.launches.get(browser.enter())
        ehr.records = names
        assert (launch.patient.display, launch.user.display) == ("", "")
        return launch

    def test_is_there_after_a_later_page_which_did_not_wait_for_it(self, browser, ehr, core, launch):
        page_is_done, until = threading.Event(), time.monotonic() + 20
        ehr.before = lambda _path: assert_true(page_is_done.wait(20))
        token = form_token(core.settings, launch.session_id, launch.id)
        assert browser.post(f"/l/{launch.id}/handoff", {"_csrf": token, "_for": "anna"}).status_code == 200
        page_is_done.set()
        while not core.launches.get(launch.id).patient.display and time.monotonic() < until:
            time.sleep(0.01)
        named = core.launches.get(launch.id)
        assert (named.patient.display, named.user.display) == ("Anna Voorbeeld", "Els Visser")
        assert named.patient.birth_date == "1992-03-14"
        assert replace(named, patient=launch.patient, user=launch.user) == launch

    def test_says_what_the_person_is_called_too(self, browser, ehr, core):
        names, ehr.records = ehr.records, {}
        launch = core.launches.get(browser.enter())
        ehr.records = names
        for reference in ("Patient/anna", "Practitioner/p1"):
            ehr.records[reference] |= {"name": person("NameInformation-initials").resource["name"]}
        LaterNames(core).look(launch).result(20)
        named = core.launches.get(launch.id)
        assert {(one.display, one.called) for one in (named.patient, named.user)} == {("H.J.W. Schemer", "Henk")}

    def test_takes_no_other_name_away_and_has_bounds_of_its_own(self, browser, ehr, core):
        names, ehr.records = ehr.records, {}
        ehr.claims["name"] = "SPV Visser"
        launch = core.launches.get(browser.enter())
        ehr.records, budgets = names, []
        ehr.before = lambda _path: budgets.append(present_budget())
        LaterNames(core).look(launch).result(20)
        named = core.launches.get(launch.id)
        assert (named.patient.display, named.user.display) == ("Anna Voorbeeld", "SPV Visser")
        assert len(budgets) == 1
        assert budgets[0] is not None

    def test_is_asked_for_no_more_once_it_is_known(self, core, launch):
        later = LaterNames(core)
        later.look(launch).result(20)
        assert later.look(core.launches.get(launch.id)) is None

    def test_is_asked_for_a_few_times_with_pauses_while_there_is_no_answer(self, ehr, core, launch, clock):
        ehr.before = silent
        later, asked_at = LaterNames(core), []
        for second in range(400):
            clock.now = NOW + second
            asking = later.look(launch)
            if asking is not None:
                asking.result(20)
                asked_at.append(second)
        assert asked_at == [0, FIRST_PAUSE_SECONDS, 3 * FIRST_PAUSE_SECONDS]
        assert len(asked_at) == MOST_TRIES

    def test_is_asked_for_once_where_the_ehr_does_not_tell_it(self, ehr, core, launch, clock):
        ehr.records = {}
        later = LaterNames(core)
        later.look(launch).result(20)
        clock.now += 60
        assert later.look(launch) is None

    def test_is_not_put_into_a_launch_that_has_ended(self, core, launch):
        core.launches.end(launch.id)
        LaterNames(core).look(launch).result(20)
        assert core.launches.get(launch.id) is None

    def test_is_not_put_into_a_launch_that_ends_while_the_ehr_answers(self, ehr, core, launch):
        ehr.before = lambda _path: core.launches.end(launch.id)
        LaterNames(core).look(launch).result(20)
        assert len(ehr.calls("/anna")) == 2
        assert core.launches.get(launch.id) is None

    def test_is_not_asked_of_an_ehr_that_is_no_longer_in_the_settings(self, ehr, core, launch):
        calls = len(ehr.mock.calls)
        object.__setattr__(core.settings, "issuers", ())
        assert LaterNames(core).look(launch).result(20) is None
        assert len(ehr.mock.calls) == calls

    def test_is_counted_for_the_newest_launches_only(self, ehr, core, launch, monkeypatch):
        """So that a process that runs for months does not remember every launch there ever was."""
        monkeypatch.setattr(sign_in_names, "_MOST_REMEMBERED", 2)
        ehr.before = silent
        later = LaterNames(core)
        looks = [later.look(replace(launch, id=id_)) is not None for id_ in ("a", "b", "a", "c", "a", "c")]
        assert looks == [True, True, False, True, True, False]


def silent(_path: str) -> None:
    raise requests.ConnectionError


def assert_true(value: bool) -> None:
    assert value


class TestWhatASignInWrites:
    @pytest.fixture
    def writes(self, core) -> list[str]:
        """What the transactions that began were for, in their order."""
        found: list[str] = []

        @sa.event.listens_for(core.engine, "begin")
        def note(connection) -> None:
            if _WRITES in connection.get_execution_options():
                found.append(connection.get_execution_options()[_WRITES])

        return found

    def test_is_three_times_that_it_came_back_its_session_and_its_launch(self, browser, writes):
        begun = browser.begin()
        writes.clear()
        assert browser.finish(begun).status_code == 303
        assert len(writes) == 3

    def test_is_no_launch_without_its_row_in_the_log(self, browser, core, monkeypatch):
        def full(*_args, **_more):
            raise sa.exc.OperationalError("insert", {}, Exception("database or disk is full"))

        begun = browser.begin()
        monkeypatch.setattr(core.audit, "record", full)
        assert browser.finish(begun).status_code == 500
        with reading(core.engine) as connection:
            for table in (LAUNCHES, TOKENS):
                assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 0
