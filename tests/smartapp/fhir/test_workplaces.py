"""Few work at a time: who waits gives the place away, and gets on without asking when the wait is over."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.fhir.workplaces import Workplaces, elsewhere, holding
from smartapp.records.parallel import in_parallel


class Counting(Workplaces):
    """Says how often a place became free."""

    def __init__(self, count: int = 1) -> None:
        super().__init__(count, self._heard)
        self.heard = 0

    def _heard(self) -> None:
        self.heard += 1


@pytest.fixture
def places():
    made = Counting()
    made.take()
    yield made
    made.leave()


@given(st.integers(1, 5), st.integers(0, 8))
def test_there_is_a_place_as_long_as_fewer_work_than_there_are_places(count, working):
    places = Counting(count)
    for _one in range(working):
        places.take()
    assert places.free == (working < count)
    for _one in range(working):
        places.leave()
    assert (places.free, places.heard) == (True, working)


def test_who_waits_gives_the_place_away_and_takes_one_again(places):
    assert not places.free
    with elsewhere():
        assert (places.free, places.heard) == (True, 1)
    assert not places.free


def test_who_waited_in_vain_works_on_too(places):
    with pytest.raises(LookupError), elsewhere():
        raise LookupError
    assert not places.free


def test_who_waits_while_waiting_has_nothing_more_to_give(places):
    with elsewhere(), elsewhere():
        assert (places.free, places.heard) == (True, 1)
    assert not places.free


def test_who_has_no_place_just_waits(places):
    seen: list[bool] = []

    def wait() -> None:
        with elsewhere():
            seen.append(places.free)

    other = threading.Thread(target=wait)
    other.start()
    other.join()
    assert (seen, places.heard) == ([False], 0)


def test_the_place_is_free_while_its_thread_waits_for_those_that_ask_for_it(places):
    freed = threading.Event()
    places._freed = freed.set
    assert in_parallel([lambda: places.free, lambda: freed.wait(10)]) == [False, True]
    assert not places.free
    places._freed = places._heard


def test_the_place_is_free_while_somebody_else_holds_the_lock(places):
    lock, waits = threading.Lock(), threading.Event()
    lock.acquire()

    def others() -> None:
        waits.wait(10)
        seen.append(places.free)
        lock.release()

    seen: list[bool] = []
    places._freed = waits.set
    other = threading.Thread(target=others)
    other.start()
    with holding(lock):
        assert lock.locked()
        assert not places.free
    other.join()
    places._freed = places._heard
    assert (seen, lock.locked()) == ([True], False)
