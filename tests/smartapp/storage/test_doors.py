"""Doors in the database, on SQLite and on PostgreSQL: what several processes ask of one at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.fernet import Fernet

from smartapp.storage.audit import Audit
from smartapp.storage.database import open_database
from smartapp.storage.doors import MOST_DOORS, Door, Doors, TooManyDoors
from smartapp.storage.launches import Launch as Giver
from smartapp.storage.launches import Launches, Person, User
from smartapp.storage.marks import Marks
from smartapp.storage.vault import open_vault
from tests.smartapp.helpers import EHR, settings

GIVER = Giver(
    "l", "s", EHR, "anna", Person("Patient/anna", "Anna"), User("Practitioner/j", "J", "clinician", EHR, "j"), ""
)


@pytest.fixture
def processes(url) -> Iterator[list[Doors]]:
    """The same database, opened by several as if each were a process of its own."""
    keys, here = [Fernet.generate_key().decode()], settings()
    engines = [open_database(url) for _ in range(3)]
    found = []
    for engine in engines:
        vault = open_vault(engine, keys)
        launches = Launches(engine, vault, Marks(here), time.time, absolute=3600, issuer_key=here.issuer_key)
        found.append(Doors(engine, vault, Audit(engine, vault, time.time), time.time, launches.read))
    yield found
    for engine in engines:
        engine.dispose()


def all_at_once(processes: list[Doors], times: int, ask: Callable[[Doors, int], Any]) -> list[Any]:
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(lambda number: ask(processes[number % len(processes)], number), range(times)))


def test_attack_46_of_many_processes_that_open_it_one_does(processes):
    new = processes[0].make(GIVER, "hoop", asked="1")
    assert new is not None

    def opens(doors: Doors, _number: int) -> bool:
        door = doors.find(new.secret)
        return door is not None and doors.open(door)

    assert all_at_once(processes, 12, opens).count(True) == 1


def test_one_that_is_withdrawn_while_it_is_opened_ends_once_and_is_opened_at_most_once(processes):
    for number in range(MOST_DOORS - 1):
        new = processes[0].make(GIVER, "hoop", asked=str(number))
        assert new is not None
        door = processes[0].find(new.secret)
        assert door is not None

        def asks(doors: Doors, at: int, door: Door = door) -> tuple[str, bool]:
            return ("end", doors.end(door, "withdrawn")) if at % 2 else ("open", doors.open(door))

        found = all_at_once(processes, 8, asks)
        assert found.count(("end", True)) == 1
        assert found.count(("open", True)) <= 1
        ended = processes[1].get(door.id)
        assert ended is not None
        assert ended.how == "withdrawn"
        assert not processes[2].open(ended)


def test_a_form_that_is_sent_many_times_at_once_makes_one(processes):
    made = all_at_once(processes, 9, lambda doors, _number: doors.make(GIVER, "hoop", asked="the same"))
    assert sum(one is not None for one in made) == 1


def test_no_more_are_made_at_once_than_there_may_be(processes):
    def make(doors: Doors, number: int) -> bool:
        try:
            return doors.make(GIVER, "hoop", asked=str(number)) is not None
        except TooManyDoors:
            return False

    assert all_at_once(processes, 12, make).count(True) == MOST_DOORS


def test_what_was_sent_is_sent_also_where_it_was_withdrawn_meanwhile(processes):
    new = processes[0].make(GIVER, "hoop", asked="1")
    assert new is not None
    door = processes[0].find(new.secret)
    assert door is not None
    assert processes[0].open(door)
    assert processes[1].end(door, "withdrawn")
    assert processes[0].end(door, "sent", response="r")
    assert not processes[2].end(door, "over")
    found = processes[2].get(door.id)
    assert found is not None
    assert (found.how, found.response) == ("sent", "r")
