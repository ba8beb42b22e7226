"""What a server says about itself is asked for once, however many want to know; a failure is kept for a while."""

from __future__ import annotations

import contextlib
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from smartapp.errors import EhrTrouble
from smartapp.smart.discovery import KEEP_SECONDS, STALE_SECONDS
from smartapp.smart.kept import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Kept
from tests.smartapp.smart.ehr import AUTH, BASE


class Server:
    """Answers with how many requests it got, or fails; each request can be held up until a test lets it go."""

    def __init__(self) -> None:
        self.asked, self.broken, self.code = 0, False, "broken"
        self.begun, self.go = threading.Event(), threading.Event()
        self.go.set()

    def __call__(self) -> str:
        self.asked += 1
        self.begun.set()
        assert self.go.wait(20)
        if self.broken:
            raise EhrTrouble(code=self.code)
        return f"answer {self.asked}"


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.mark.parametrize("broken", [False, True])
def test_eight_who_ask_at_once_are_one_request(clock, server, broken):
    kept = Kept[str](clock, fresh=60, patience=20)
    server.broken = broken
    server.go.clear()

    def said() -> str:
        try:
            return kept.get("ehr", server)
        except EhrTrouble as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(said)
        assert server.begun.wait(20)
        others = [pool.submit(said) for _ in range(7)]
        server.go.set()
        answers = {one.result() for one in (first, *others)}
    assert answers == ({"broken"} if broken else {"answer 1"})
    assert server.asked == 1


def test_who_comes_when_a_request_takes_too_long_is_told_so_and_does_not_wait(clock, server):
    kept = Kept[str](clock, fresh=60, patience=0)
    server.go.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(kept.get, "ehr", server)
        assert server.begun.wait(20)
        with pytest.raises(EhrTrouble) as caught:
            kept.get("ehr", server)
        server.go.set()
        assert first.result() == "answer 1"
    assert caught.value.code == "still-asking"
    assert server.asked == 1


def test_one_server_that_is_silent_holds_up_nobody_at_another(clock, server):
    kept = Kept[str](clock, fresh=60, patience=20)
    server.go.clear()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(kept.get, "silent", server)
        assert server.begun.wait(20)
        assert kept.get("other", lambda: "here") == "here"
        server.go.set()


def test_a_failure_stands_for_pauses_that_double_up_to_the_longest(clock, server):
    kept = Kept[str](clock, fresh=60, patience=1)
    server.broken = True
    asked_at = []
    for second in range(400):
        clock.now = second
        with pytest.raises(EhrTrouble):
            kept.get("ehr", server)
        if server.asked > len(asked_at):
            asked_at.append(second)
    pauses = [later - earlier for earlier, later in itertools.pairwise(asked_at)]
    assert pauses == [FIRST_PAUSE_SECONDS, 10, 20, 40, 80, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]


def test_after_a_success_the_next_failure_stands_briefly_again(clock, server):
    kept = Kept[str](clock, fresh=60, patience=1)
    for broken in (True, True, False, True):
        server.broken = broken
        clock.now += LONGEST_PAUSE_SECONDS
        try:
            kept.get("ehr", server)
        except EhrTrouble:
            assert broken
    clock.now += FIRST_PAUSE_SECONDS
    server.broken = False
    assert kept.get("ehr", server) == "answer 5"


@pytest.mark.parametrize("broken", [False, True])
def test_a_clock_that_was_a_day_ahead_makes_nothing_stand_for_a_day(clock, server, broken):
    kept = Kept[str](clock, fresh=60, patience=20)
    server.broken = broken
    clock.now += 86_400
    with contextlib.suppress(EhrTrouble):
        kept.get("ehr", server)
    clock.now -= 86_400
    server.broken = False
    assert kept.get("ehr", server) == "answer 2"


def test_a_question_that_was_never_asked_is_no_failure_of_who_would_answer(clock, server):
    kept = Kept[str](clock, fresh=60, patience=1)

    def stopped() -> str:
        raise EhrTrouble(code="discovery-paused")

    with pytest.raises(EhrTrouble):
        kept.get("ehr", stopped)
    assert kept.get("ehr", server) == "answer 1"


@pytest.mark.parametrize("ending", ["busy", "paused", "over-budget"])
def test_what_nobody_asked_stops_nobody_from_asking(clock, server, ending):
    kept = Kept[str](clock, fresh=60, patience=1)
    server.code = f"discovery-{ending}"
    server.broken = True
    for _ in range(3):
        with pytest.raises(EhrTrouble):
            kept.get("ehr", server)
    assert server.asked == 3


def test_an_answer_is_fresh_for_its_time_and_not_a_second_longer(clock, server):
    kept = Kept[str](clock, fresh=60, patience=1)
    kept.get("ehr", server)
    clock.now += 59
    assert kept.get("ehr", server) == "answer 1"
    clock.now += 1
    assert kept.get("ehr", server) == "answer 2"


@pytest.mark.parametrize(("age", "known"), [(99, "answer 1"), (100, None)])
def test_the_last_answer_does_until_it_is_stale_whoever_cannot_be_asked(clock, server, age, known):
    kept = Kept[str](clock, fresh=60, stale=100, patience=1)
    assert kept.last("ehr") is None
    kept.get("ehr", server)
    clock.now += age
    server.broken = True
    assert kept.last("ehr") == known
    for _ in range(2):  # by asking, and by the failure that this was
        try:
            assert kept.get("ehr", server) == known
        except EhrTrouble:
            assert known is None
    assert server.asked == 2


def test_who_gets_a_failure_of_another_gets_its_sentence_and_code_and_no_traceback(clock):
    kept = Kept[str](clock, fresh=60, patience=1)
    first = EhrTrouble("The record system is closed.", code="closed")

    def closed() -> str:
        raise first

    with pytest.raises(EhrTrouble):
        kept.get("ehr", closed)
    with pytest.raises(EhrTrouble) as second:
        kept.get("ehr", closed)
    assert second.value is not first
    assert (second.value.text, second.value.code) == ("The record system is closed.", "closed")


def test_an_answer_that_did_not_do_is_asked_for_again(clock, server):
    kept = Kept[str](clock, fresh=60, patience=1)
    first = kept.get("keys", server)
    assert kept.get("keys", server, other_than=first) == "answer 2"
    assert kept.get("keys", server, other_than=first) == "answer 2"


def test_a_failure_that_nobody_foresaw_leaves_the_way_free(clock, server):
    kept = Kept[str](clock, fresh=60, patience=20)
    with pytest.raises(ZeroDivisionError):
        kept.get("ehr", lambda: str(1 // 0))
    assert kept.get("ehr", server) == "answer 1"


class TestInASignIn:
    def break_discovery(self, ehr):
        ehr.mock.replace("GET", f"{BASE}/.well-known/smart-configuration", status=503)

    def test_twenty_sign_ins_at_an_ehr_that_fails_are_one_request(self, browser, ehr):
        self.break_discovery(ehr)
        assert {browser.get(f"/start?iss={BASE}").status_code for _ in range(20)} == {502}
        assert len(ehr.calls("smart-configuration")) == 1

    def test_it_is_asked_again_after_a_pause(self, browser, ehr, clock):
        configuration = ehr.configuration
        ehr.configuration = {}
        assert browser.get(f"/start?iss={BASE}").status_code == 502
        ehr.configuration = configuration
        clock.now += FIRST_PAUSE_SECONDS
        assert browser.get(f"/start?iss={BASE}").status_code == 303

    @pytest.mark.parametrize(("later", "status"), [(KEEP_SECONDS, 303), (STALE_SECONDS, 502)])
    def test_endpoints_of_today_do_while_the_configuration_cannot_be_read(self, browser, ehr, clock, later, status):
        assert browser.get(f"/start?iss={BASE}").status_code == 303
        self.break_discovery(ehr)
        clock.now += later
        assert [browser.get(f"/start?iss={BASE}").status_code for _ in range(2)] == [status] * 2
        assert len(ehr.calls("smart-configuration")) == 2

    def test_keys_that_cannot_be_read_are_not_asked_for_at_every_sign_in(self, browser, ehr):
        ehr.mock.replace("GET", f"{AUTH}/jwks", status=503)
        assert [browser.sign_in().status_code for _ in range(3)] == [400] * 3
        assert len(ehr.calls("/jwks")) == 1

    def test_keys_of_an_hour_ago_vouch_for_nobody_when_new_ones_cannot_be_read(self, browser, ehr, clock):
        browser.enter()
        ehr.mock.replace("GET", f"{AUTH}/jwks", status=503)
        clock.now += KEEP_SECONDS
        ehr.claims |= {"iat": int(clock.now), "exp": int(clock.now) + 600}
        assert browser.sign_in().status_code == 400
