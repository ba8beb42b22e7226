"""Two auditors of a team send theirs apart: two places, one each, and nothing is readable of the other."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from hypothesis import given as of_any
from hypothesis import strategies as st

from smartapp.storage.database import open_database
from smartapp.storage.team_audits import TEAM_AUDITS, NoPlace, Sent, TeamAudits
from smartapp.storage.vault import open_vault
from tests.examples import examples

KEY = Fernet.generate_key().decode()
MOMENT = "2026-11-28T12:00:00+01:00"


@pytest.fixture
def engine(url):
    engine = open_database(url)
    yield engine
    engine.dispose()


@pytest.fixture
def audits(engine):
    return TeamAudits(engine, open_vault(engine, [KEY]))


def send(audits: TeamAudits, user: str, score: str = "3", *, year: int = 2026, team: str = "fact") -> tuple[Sent, ...]:
    audit = audits.audit("ehr", team, year)
    auditor = audits.auditor(audit, user)
    return audits.send(audit, auditor, form="ropi|1", answers={"ropi-01": score}, moment=MOMENT, language="nl")


def there(audits: TeamAudits) -> list[tuple[int, str]]:
    return [(one.place, one.answers["ropi-01"]) for one in audits.sent(audits.audit("ehr", "fact", 2026))]


def take_back(audits: TeamAudits, user: str) -> Sent | None:
    audit = audits.audit("ehr", "fact", 2026)
    return audits.take_back(audit, audits.auditor(audit, user))


def test_two_auditors_have_a_place_each_and_a_third_has_none(audits):
    assert [one.place for one in send(audits, "joost", "3")] == [1]
    assert [one.place for one in send(audits, "mia", "4")] == [1, 2]
    for user in ("els", "joost", "mia"):  # nor do they themselves, once both are in
        with pytest.raises(NoPlace):
            send(audits, user, "5")
    assert there(audits) == [(1, "3"), (2, "4")]


def test_one_auditor_who_sends_twice_has_one_place_with_what_they_sent_last(audits):
    send(audits, "joost", "3")
    send(audits, "joost", "5")
    assert there(audits) == [(1, "5")]


def test_taking_back_is_for_who_sent_it_and_only_until_both_are_in(audits):
    send(audits, "joost", "3")
    assert take_back(audits, "mia") is None
    back = take_back(audits, "joost")
    assert back is not None
    assert (back.place, back.answers, back.moment, back.form) == (1, {"ropi-01": "3"}, MOMENT, "ropi|1")
    assert there(audits) == []
    send(audits, "mia", "4")
    send(audits, "joost", "2")
    assert there(audits) == [(1, "4"), (2, "2")]
    assert (take_back(audits, "joost"), take_back(audits, "mia")) == (None, None)
    assert there(audits) == [(1, "4"), (2, "2")]


def test_a_place_that_was_given_back_is_free_again(audits):
    send(audits, "joost", "3")
    assert take_back(audits, "joost")
    send(audits, "mia", "4")
    assert there(audits) == [(1, "4")]


def test_teams_and_years_have_nothing_to_do_with_each_other(audits):
    for team, year in (("fact", 2026), ("fact", 2027), ("ambulant", 2026)):
        assert len(send(audits, "joost", team=team, year=year)) == 1
    audits.done(audits.audit("ehr", "fact", 2026))
    assert there(audits) == []
    assert len(audits.sent(audits.audit("ehr", "fact", 2027))) == 1


def test_of_three_who_send_at_once_two_have_a_place(url, audits):
    engines = [open_database(url) for _ in range(3)]
    refused, together = [], threading.Barrier(3)

    def one(engine: sa.Engine, user: str) -> None:
        kept = TeamAudits(engine, open_vault(engine, [KEY]))
        together.wait()
        try:
            send(kept, user, "3")
        except NoPlace:
            refused.append(user)

    pairs = zip(engines, ("joost", "mia", "els"), strict=True)
    threads = [threading.Thread(target=one, args=pair) for pair in pairs]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for engine in engines:
        engine.dispose()
    assert there(audits) == [(1, "3"), (2, "3")]
    assert len(refused) == 1


def test_a_row_names_nobody_and_its_scores_are_sealed(audits, engine):
    send(audits, "Practitioner/joost", "4")
    send(audits, "Practitioner/joost", "4", year=2027)
    with engine.connect() as connection:
        rows = list(connection.execute(sa.select(TEAM_AUDITS)))
    plain = [Fernet(KEY).decrypt(bytes(row.sealed)).decode() for row in rows]
    assert all("joost" not in one and "Practitioner" not in one for one in plain)
    assert all("ropi-01" in one for one in plain)
    assert all(b"ropi" not in bytes(row.sealed) for row in rows)
    # Who scores this year and next cannot be seen to be one person.
    assert len({Fernet(KEY).decrypt(bytes(row.sealed)) for row in rows}) == 2


@pytest.fixture(scope="module")
def shared():
    engine = open_database("sqlite://")
    yield TeamAudits(engine, open_vault(engine, [KEY]))
    engine.dispose()


STEPS = st.lists(st.tuples(st.sampled_from(["joost", "mia", "els"]), st.booleans()), max_size=8)


@examples(80, deadline=None)
@of_any(steps=STEPS)
def test_whatever_three_people_send_and_take_back_the_first_two_stand_and_never_change(shared, steps):
    shared.done(shared.audit("ehr", "fact", 2026))
    inside: dict[str, str] = {}
    for number, (user, sends) in enumerate(steps):
        full = len(inside) == 2
        if not sends:
            assert (take_back(shared, user) is None) == (full or user not in inside)
            if not full:
                inside.pop(user, None)
        elif full:
            with pytest.raises(NoPlace):
                send(shared, user, str(number))
        else:
            send(shared, user, str(number))
            inside[user] = str(number)
        assert sorted(score for _place, score in there(shared)) == sorted(inside.values())
