"""Links in the database, on SQLite and on PostgreSQL: what several processes ask of one at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet

from smartapp.storage.audit import Audit
from smartapp.storage.database import open_database
from smartapp.storage.health_links import (
    FILE_SECONDS,
    MOST_LINKS,
    TRIES,
    About,
    HealthLinks,
    Opened,
    TooManyLinks,
    WrongPasscode,
    hashed,
    new_secret,
)
from smartapp.storage.vault import open_vault

PASSCODE, CONTENT = "482913", "eyJhbGciOiJkaXIifQ..a.b.c"
ISSUER, PATIENT = "north", "Patient/anna"


@pytest.fixture
def processes(url) -> Iterator[list[HealthLinks]]:
    """The same database, opened by several as if each were a process of its own."""
    keys = [Fernet.generate_key().decode()]
    engines = [open_database(url) for _ in range(3)]
    yield [
        HealthLinks(engine, vault, Audit(engine, vault, time.time), time.time)
        for engine in engines
        if (vault := open_vault(engine, keys))
    ]
    for engine in engines:
        engine.dispose()


def made(links: HealthLinks, *, passcode: str = PASSCODE, seconds: int = 3600, asked: str = "") -> str:
    secret = new_secret()
    about = About("plan", "Mijn plan", "https://ehr.example", PATIENT, **(hashed(passcode) if passcode else {}))
    person = links.person(ISSUER, PATIENT)
    until = int(time.time()) + seconds
    assert links.make(person, about, asked=asked or secret, secret=secret, content=CONTENT, until=until)
    return secret


def all_at_once(processes: list[HealthLinks], times: int, ask) -> list:
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(lambda number: ask(processes[number % len(processes)], number), range(times)))


def test_attack_41_processes_together_give_no_more_tries_than_one(processes):
    secret = made(processes[0])
    found = all_at_once(processes, 18, lambda links, number: links.knock(secret, f"{number:06}", recipient="R"))
    assert sorted(one.remaining for one in found if isinstance(one, WrongPasscode)) == list(range(TRIES))
    assert found.count(None) == 18 - TRIES
    assert processes[1].knock(secret, PASSCODE, recipient="R") is None


def test_a_right_passcode_among_wrong_ones_opens_only_while_there_are_tries(processes):
    """Each answer is decided in one transaction: what was right when the tries were used up opens nothing."""
    secret = made(processes[0])
    given = [f"{number:06}" for number in range(17)] + [PASSCODE]
    found = all_at_once(processes, 18, lambda links, number: links.knock(secret, given[number], recipient="R"))
    opened = sum(isinstance(one, Opened) for one in found)
    (link,) = processes[0].of(processes[0].person(ISSUER, PATIENT))
    assert (opened, link.opened) in ((0, 0), (1, 1))
    assert sum(isinstance(one, WrongPasscode) for one in found) == TRIES
    assert link.ended_by == "tries"


def test_an_address_of_a_document_is_given_to_one_of_them(processes):
    secret = made(processes[0], passcode="")
    handed = processes[0].knock(secret, None, recipient="R", fits=lambda _content: False)
    assert isinstance(handed, Opened)
    found = all_at_once(processes, 9, lambda links, _number: links.fetch(handed.token))
    assert sorted(one is not None for one in found) == [False] * 8 + [True]


def test_it_is_opened_or_ended_and_never_opened_after_it_was_ended(processes):
    secret = made(processes[0], passcode="")
    person = processes[0].person(ISSUER, PATIENT)
    (id_,) = [one.id for one in processes[0].of(person)]

    def ask(links: HealthLinks, number: int):
        return links.end(person, id_) if number == 4 else links.knock(secret, None, recipient="R")

    found = all_at_once(processes, 9, ask)
    assert found[4] is True
    (link,) = processes[0].of(person)
    assert link.opened == sum(isinstance(one, Opened) for one in found)
    assert link.refused == found.count(None)
    assert processes[2].knock(secret, None, recipient="R") is None


def test_a_form_that_is_sent_to_two_of_them_makes_one_link_and_a_person_has_at_most_so_many(processes):
    person = processes[0].person(ISSUER, PATIENT)

    def ask(asked: str):
        about = About("plan", "Mijn plan", "https://ehr.example", PATIENT)
        until = int(time.time()) + 60
        secret = new_secret()

        def make(links: HealthLinks, number: int):
            try:
                return links.make(
                    person, about, asked=asked or str(number), secret=f"{secret}{number}", content=CONTENT, until=until
                )
            except TooManyLinks:
                return None

        return make

    assert sorted(all_at_once(processes, 6, ask("one form"))) == [False] * 5 + [True]
    assert all_at_once(processes, 15, ask("")).count(True) == MOST_LINKS - 1


def test_time_over_is_over_and_wiped_whoever_asks_first(processes):
    links = processes[0]
    secret = made(links, passcode="", seconds=-1)
    assert links.knock(secret, None, recipient="R") is None
    (link,) = links.of(links.person(ISSUER, PATIENT))
    assert (link.ended_by, link.refused, link.is_open(time.time())) == ("time", 1, False)


def test_what_the_specification_bounds_is_within_it():
    assert FILE_SECONDS <= 3600
    assert len(new_secret()) == 43
