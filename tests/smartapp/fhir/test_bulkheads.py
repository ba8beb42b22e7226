"""One server's trouble stays its own: places, pauses, and what one page may take in all (attack 35)."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import responses

from smartapp.fhir.bulkheads import HOSTS, LONGEST_PAUSE_SECONDS, MOST_FAILURES, PAUSE_SECONDS, Hosts, Stopped, budget
from smartapp.fhir.http import OutboundError, ask
from smartapp.fhir.remote import RemoteStore
from smartapp.fhir.store import Query, Unreachable
from tests.smartapp.helpers import EHR, launched

BASE = "https://ehr.example/fhir"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Silence(Exception):
    """The host did not answer."""


class NeverAsked(Exception):
    """What was to be asked could not be sent."""


def answered(error: Exception) -> bool | None:
    return None if isinstance(error, NeverAsked) else not isinstance(error, Silence)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def host(clock):
    return Hosts(clock).of("https://ehr.example")


def call(host, error: Exception | None = None, who: object = None) -> None:
    with host.visit(who or object(), answered):
        if error is not None:
            raise error


def fail(host, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(Silence):
            call(host, Silence())


def paused(host) -> int:
    with pytest.raises(Stopped) as caught:
        call(host)
    assert caught.value.code == "paused"
    return caught.value.retry_after


class TestAHostThatDoesNotAnswer:
    def test_is_left_alone_after_some_failures_in_a_row(self, host):
        fail(host, MOST_FAILURES - 1)
        call(host)
        fail(host, MOST_FAILURES)
        assert paused(host) == PAUSE_SECONDS

    def test_is_then_tried_by_one_and_open_to_all_when_it_answers(self, host, clock):
        fail(host, MOST_FAILURES)
        clock.now += PAUSE_SECONDS
        with host.visit(object(), answered):
            assert paused(host) == 1  # while somebody tries
        call(host)
        fail(host, MOST_FAILURES - 1)
        call(host)  # counted from nothing again

    def test_is_left_alone_longer_each_time_the_try_fails_up_to_a_minute(self, host, clock):
        fail(host, MOST_FAILURES)
        pauses = []
        for _ in range(6):
            clock.now += LONGEST_PAUSE_SECONDS
            fail(host)
            pauses.append(paused(host))
        assert pauses == [10, 20, 40, 60, 60, 60]

    def test_a_try_that_never_reached_it_leaves_the_next_one_to_another(self, host, clock):
        fail(host, MOST_FAILURES)
        clock.now += PAUSE_SECONDS
        with pytest.raises(NeverAsked):
            call(host, NeverAsked())
        call(host)

    def test_is_not_shut_for_longer_by_those_who_were_waiting_already(self, host):
        waiting = [host.visit(object(), answered) for _ in range(10)]
        for one in waiting:
            one.__enter__()
        fail(host, MOST_FAILURES)
        for one in waiting:
            one.__exit__(Silence, Silence(), None)
        assert paused(host) == PAUSE_SECONDS

    def test_an_answer_of_any_kind_is_a_sign_of_life(self, host):
        fail(host, MOST_FAILURES - 1)
        with pytest.raises(ValueError, match="a redirect"):
            call(host, ValueError("a redirect"))
        fail(host, MOST_FAILURES - 1)
        call(host)

    def test_says_nothing_about_another_host(self, clock):
        hosts = Hosts(clock)
        fail(hosts.of("https://a.example"), MOST_FAILURES)
        call(hosts.of("https://b.example"))
        assert paused(hosts.of("https://a.example"))


def test_one_who_does_not_let_in_more_than_its_places_turns_away_at_once_when_nothing_moves(monkeypatch):
    monkeypatch.setattr("smartapp.fhir.bulkheads.STILL_SECONDS", 0.02)
    host = Hosts(most_at_once=2).of("https://ehr.example")
    page = object()
    with host.visit(page, answered), host.visit(object(), answered):
        call(host, who=page)  # a page that is inside may ask for several things at once
        with pytest.raises(Stopped) as caught:
            call(host)
        assert caught.value.code == "busy"
        assert caught.value.retry_after
    call(host)


@pytest.mark.parametrize(("threads", "places"), [(4, 3), (16, 12), (1, 1)])
def test_some_threads_are_left_for_the_others_however_many_there_are(monkeypatch, threads, places):
    monkeypatch.setattr("smartapp.fhir.bulkheads.STILL_SECONDS", 0.01)
    hosts = Hosts()
    hosts.share(threads)
    host = hosts.of("https://ehr.example")
    with contextlib.ExitStack() as inside:
        for _ in range(places):
            inside.enter_context(host.visit(object(), answered))
        with pytest.raises(Stopped, match="busy"):
            call(host)


def test_a_place_that_becomes_free_is_for_one_who_waits():
    host = Hosts(most_at_once=1).of("https://ehr.example")
    inside, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with host.visit(object(), answered):
            inside.set()
            leave.wait(5)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(stay)
        assert inside.wait(5)
        second = pool.submit(call, host)
        leave.set()
        first.result()
        second.result()


def test_a_silent_server_is_asked_a_few_times_and_then_answers_come_at_once(monkeypatch):
    """Defect 11: one EHR that says nothing held every thread for ten seconds, again and again."""
    monkeypatch.setattr("smartapp.fhir.http.READ_SECONDS", 0.01)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        store = RemoteStore(f"http://127.0.0.1:{silent.getsockname()[1]}/fhir")
        for _ in range(MOST_FAILURES):
            with pytest.raises(Unreachable, match="timeout"):
                store.read("Goal", "1")
        with pytest.raises(Unreachable, match="was not asked: it gave no answer the last times") as caught:
            store.read("Goal", "1")
        assert (caught.value.retry_after, caught.value.status) == (PAUSE_SECONDS, 429)


def many_pages(mock, type_: str, size: int) -> None:
    """Let the EHR answer a search with page after page of this many bytes."""

    def page(request):
        text = {"resourceType": "Basic", "id": "1", "text": {"div": "x" * size}}
        turn = len(mock.calls)
        links = [{"relation": "next", "url": f"{BASE}/{type_}?page={turn}"}]
        return 200, {}, json.dumps({"resourceType": "Bundle", "link": links, "entry": [{"resource": text}]})

    mock.add_callback("GET", f"{BASE}/{type_}", callback=page)


@pytest.fixture
def mock():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def test_attack_35_the_pages_of_one_search_are_bounded_together(mock):
    """Forty pages of 7.9 MB filled 3.6 GB; here everything is a thousand times smaller."""
    many_pages(mock, "Goal", 7_900)
    with budget(most_bytes=32_000), pytest.raises(Unreachable, match="more than one page can take"):
        RemoteStore(BASE).search(Query.of("Goal"))
    assert len(mock.calls) == 4


def test_attack_35_the_searches_of_one_page_are_bounded_together_though_they_run_in_threads(app, mock, monkeypatch):
    anna = launched(app)
    anna.core.local_ehrs[EHR] = RemoteStore(BASE)
    monkeypatch.setattr("smartapp.fhir.bulkheads.PAGE_BYTES", 64_000)
    monkeypatch.setattr("smartapp.fhir.remote.MOST_PAGES", 30)
    for type_ in ("CarePlan", "Goal", "Observation", "Task", "QuestionnaireResponse"):
        many_pages(mock, type_, 7_900)
    mock.add("GET", f"{BASE}/metadata", status=404)
    assert anna.get("plan/").status_code == 502
    assert len(mock.calls) < 20
    before = len(mock.calls)
    assert anna.get("plan/").status_code == 502  # the next page starts anew
    assert len(mock.calls) > before


def test_a_page_that_ran_out_of_time_asks_nothing_more_and_blames_nobody(mock):
    mock.add("GET", f"{BASE}/Goal/1", status=404)
    with budget(seconds=-1):
        for _ in range(MOST_FAILURES):
            with pytest.raises(OutboundError, match="over-budget"):
                ask("GET", f"{BASE}/Goal/1")
    assert not mock.calls
    assert ask("GET", f"{BASE}/Goal/1").status == 404
    assert HOSTS.of("https://ehr.example")
