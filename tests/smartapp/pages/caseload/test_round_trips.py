"""The list costs two sequential round trips to the EHR and few calls, with three hundred clients as with three."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest
import requests

from smartapp.fhir.store import Query, Write
from smartapp.records.clients import IDS_AT_ONCE, LONGEST_LIST, lists_of
from smartapp.services import KEY
from smartapp.storage.launches import Person
from tests.conftest import Server, serve
from tests.smartapp.pages.caseload.people import ME, answered, asked, person, team
from tests.smartapp.pages.test_round_trips import LATENCIES, FarAway

CLIENTS = 300
NAMES = [f"client-{number:03}" for number in range(CLIENTS)]


@pytest.fixture(scope="module")
def far() -> Iterator[tuple[Server, FarAway]]:
    # As many hands as an EHR has: with fewer, its own queue would look like questions that wait for each other.
    for server in serve(threads=40):
        nurse = {"resourceType": "Practitioner", "id": "jansen", "name": [{"text": "SPV J. Jansen"}]}
        writes = [Write("update", nurse)]
        for name in NAMES:
            # By the day of the server, which is today's: what is asked is of the last weeks.
            made = (person(name, name), team(name), asked(name), answered(name, on=_now(server)))
            writes += [Write("update", one) for one in made]
        server.sandbox.store.write_all(writes)
        core = server.app.extensions[KEY]
        core.own_store(server.base).write_all(
            [Write("update", answered(name, "nel", on=_now(server))) for name in NAMES]
        )
        away = FarAway(server.app.wsgi_app)
        server.app.wsgi_app = away  # type: ignore[method-assign]
        yield server, away


def _now(server: Server) -> str:
    return server.app.extensions[KEY].now()


def test_three_hundred_clients_cost_two_round_trips_and_few_calls(far):
    server, away = far
    with requests.Session() as browser:
        first = browser.get(f"{server.url}/sandbox/caseload?user={ME['reference']}", timeout=60)
        assert first.status_code == 200
        assert "patient" not in first.url
        for away.latency in LATENCIES:
            away.asked.clear()
            page = browser.get(first.url, timeout=60)
            if len(away.rounds()) <= 2:
                break
    rounds = away.rounds()
    assert len(rounds) == 2, rounds
    calls = Counter(what.rpartition("/")[2] for one in rounds for what in one)
    lists = CLIENTS // IDS_AT_ONCE
    assert calls == {
        "CareTeam": 1,
        "Patient": 1 + lists,
        "Appointment": 1,
        "Task": 2 * lists,
        "QuestionnaireResponse": lists,
        "CarePlan": lists,
    }
    rows = re.findall(r"<li data-line.*?</li>", page.text, re.DOTALL)
    assert len(rows) == CLIENTS
    # The EHR's, our own, and what is asked: each of each.
    assert all(len(re.findall(r"op \d+ \w+ \d{4}", row)) == 2 and "gevraagd door" in row for row in rows)
    # However often it was opened here, each of them has one row in their log, and nobody the others.
    log = Counter(one.patient for one in server.app.extensions[KEY].audit.entries() if "caseload.index" in one.objects)
    assert log.pop("") >= 2
    assert log == dict.fromkeys((f"Patient/{name}" for name in NAMES), 1)


def test_the_answers_themselves_do_not_travel(far):
    server, _away = far
    items = [{"linkId": "hoop-01", "answer": [{"valueString": "x" * 1000}]}]
    server.sandbox.store.write(Write("update", answered(NAMES[0], on=_now(server), item=items)))
    launch = _launch(server)
    query = Query.of("QuestionnaireResponse", patient=NAMES[0], _elements="status,subject,questionnaire")
    [there] = server.app.extensions[KEY].ehr(launch).search(query)
    assert set(there.resource) == {"resourceType", "id", "meta", "status", "subject", "questionnaire"}
    assert there.resource["meta"]["tag"][-1]["code"] == "SUBSETTED"


def test_what_is_begun_for_a_client_from_the_list_goes_into_their_record(far):
    """As far as the demo's token goes: what it may not write there is kept by us, as in a chart."""
    server, _away = far
    records = server.app.extensions[KEY].records_of(_launch(server), Person(f"Patient/{NAMES[0]}", ""))
    places = {type_: records.place_for(type_, living=True) for type_ in ("CarePlan", "Task", "Observation")}
    assert places == {"CarePlan": "ehr", "Task": "ehr", "Observation": "own"}


def _launch(server: Server):
    with requests.Session() as browser:
        page = browser.get(f"{server.url}/sandbox/caseload?user={ME['reference']}&alone=1", timeout=60)
    return server.app.extensions[KEY].launches.get(page.url.split("/l/")[1].split("/")[0])


def test_lists_of_people_fit_in_an_address_and_leave_nobody_out():
    long = [f"{number:036}" + "a" * 28 for number in range(500)]
    for ids in ([], ["a"], NAMES, long):
        lists = list(lists_of(ids))
        assert [one for some in lists for one in some] == ids
        assert all(len(some) <= IDS_AT_ONCE and sum(len(one) + 3 for one in some) <= LONGEST_LIST for some in lists)
