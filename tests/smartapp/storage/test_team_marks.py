"""Marks of clients: theirs while the round is open, nobody's after it, and nothing that says who or when."""

from __future__ import annotations

import datetime as dt
import logging
import sqlite3
import threading
from collections import Counter

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from hypothesis import given as of_any
from hypothesis import strategies as st

from mappers.team import Round
from smartapp.storage.database import open_database
from smartapp.storage.reencrypting import Tally, reencrypt
from smartapp.storage.team_marks import TEAM_MARKS, TEAM_ROUNDS, Given, RoundOver, RoundTaken, TeamMarks
from smartapp.storage.vault import Vault, open_vault
from tests.examples import examples

KEY = Fernet.generate_key().decode()
FIRST, LAST = dt.date(2026, 11, 2), dt.date(2026, 11, 6)
BEFORE, AFTER = FIRST - dt.timedelta(days=1), LAST + dt.timedelta(days=1)
AUTUMN = Round("Herfst", FIRST, LAST)
ANNA, BEA = ("ehr", "Patient/anna"), ("ehr", "Patient/bea")


@pytest.fixture
def engine(url):
    engine = open_database(url)
    yield engine
    engine.dispose()


@pytest.fixture
def marks(engine):
    return TeamMarks(engine, open_vault(engine, [KEY]))


def planned(marks: TeamMarks, round_: Round = AUTUMN, team: str = "fact") -> str:
    return marks.plan([marks.team("ehr", team)], round_).id


def gave(mark: str = "7", why: str = "") -> Given:
    return Given("https://example.org/team-marks|1.0.0", {"mark": mark} | ({"why": why} if why else {}))


def all_given(marks: TeamMarks, round_: str) -> list[str]:
    return sorted(one.answers["mark"] for one in marks.given_in(round_))


def rows(engine: sa.Engine) -> list[sa.Row]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(TEAM_MARKS)))


# ---- rounds


@pytest.mark.parametrize(
    ("start", "end"), [(FIRST, LAST), (LAST, AFTER), (BEFORE, FIRST), (BEFORE, AFTER), (dt.date(2026, 11, 4),) * 2]
)
def test_a_round_with_a_day_of_another_is_refused(marks, start, end):
    planned(marks)
    with pytest.raises(RoundTaken):
        planned(marks, Round("Nog een", start, end))
    assert len(marks.rounds([marks.team("ehr", "fact")])) == 1


def test_rounds_beside_each_other_and_of_other_teams_and_issuers_stand(marks):
    planned(marks)
    planned(marks, Round("Daarvoor", BEFORE, BEFORE))
    planned(marks, Round("Daarna", AFTER, AFTER))
    planned(marks, team="ambulant")
    marks.plan([marks.team("other", "fact")], AUTUMN)
    found = marks.rounds([marks.team("ehr", "fact")])
    assert [one.round.name for one in found] == ["Daarvoor", "Herfst", "Daarna"]  # the oldest first
    assert [one.round for one in marks.rounds([marks.team("ehr", "nobody")])] == []


def test_a_round_under_a_former_name_of_the_team_takes_its_days_too(marks):
    planned(marks)
    former, name = marks.team("ehr", "fact"), marks.team("key", "fact")
    with pytest.raises(RoundTaken):
        marks.plan([name, former], Round("Nog een", LAST, LAST))
    marks.plan([name, former], Round("Daarna", AFTER, AFTER))
    assert len(marks.rounds([name, former])) == 2


def test_of_two_processes_that_plan_the_same_days_one_does(url, marks):
    other = open_database(url)
    beside = TeamMarks(other, open_vault(other, [KEY]))
    made, refused, both = [], [], threading.Barrier(2)

    def plan(kept: TeamMarks) -> None:
        both.wait()
        try:
            made.append(planned(kept))
        except RoundTaken:
            refused.append(kept)

    threads = [threading.Thread(target=plan, args=(one,)) for one in (marks, beside)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    other.dispose()
    assert (len(made), len(refused)) == (1, 1)


def test_a_round_that_is_stopped_ends_today_and_is_open_until_then(marks):
    id_ = planned(marks)
    marks.give(id_, ANNA, gave(), FIRST)
    assert marks.stop(id_, FIRST)
    [kept] = marks.rounds([marks.team("ehr", "fact")])
    assert (kept.id, kept.round) == (id_, Round("Herfst", FIRST, FIRST))
    marks.give(id_, BEA, gave("6"), FIRST)
    with pytest.raises(RoundOver):
        marks.give(id_, BEA, gave("5"), dt.date(2026, 11, 3))
    assert all_given(marks, id_) == ["6", "7"]


def test_a_round_that_is_over_is_not_stopped_and_never_longer_or_open_again(marks):
    id_ = planned(marks)
    assert not marks.stop(id_, AFTER)
    assert marks.stop(id_, LAST)  # on its last day that changes nothing
    assert not marks.stop("f" * 64, FIRST)
    assert [one.round for one in marks.rounds([marks.team("ehr", "fact")])] == [AUTUMN]


def test_a_round_that_has_not_begun_is_taken_away(marks):
    id_ = planned(marks)
    assert marks.stop(id_, BEFORE)
    assert marks.rounds([marks.team("ehr", "fact")]) == []
    assert not marks.stop(id_, BEFORE)


# ---- giving, changing, taking back


def test_marks_are_given_changed_and_taken_back_from_the_first_day_to_the_last(marks):
    id_ = planned(marks)
    marks.give(id_, ANNA, gave("4"), FIRST)
    marks.give(id_, BEA, gave("9", "fijn"), FIRST)
    marks.give(id_, ANNA, gave("8"), LAST)
    assert marks.of_person(id_, ANNA) == gave("8")
    assert marks.of_person(id_, BEA) == gave("9", "fijn")
    assert all_given(marks, id_) == ["8", "9"]
    marks.take_back(id_, ANNA, LAST)
    assert marks.of_person(id_, ANNA) is None
    assert all_given(marks, id_) == ["9"]
    marks.take_back(id_, ANNA, LAST)  # twice is once
    marks.give(id_, ANNA, gave("3"), LAST)
    assert all_given(marks, id_) == ["3", "9"]


@pytest.mark.parametrize("day", [BEFORE, AFTER])
def test_outside_its_days_a_round_takes_nothing_and_gives_nothing_back(marks, day):
    id_ = planned(marks)
    marks.give(id_, ANNA, gave("4"), FIRST)
    with pytest.raises(RoundOver):
        marks.give(id_, ANNA, gave("8"), day)
    with pytest.raises(RoundOver):
        marks.take_back(id_, ANNA, day)
    with pytest.raises(RoundOver):
        marks.give("f" * 64, ANNA, gave("8"), FIRST)
    assert all_given(marks, id_) == ["4"]


def test_one_name_at_two_issuers_is_two_people(marks):
    id_ = planned(marks)
    marks.give(id_, ANNA, gave("4"), FIRST)
    marks.give(id_, ("other", "Patient/anna"), gave("5"), FIRST)
    assert all_given(marks, id_) == ["4", "5"]
    marks.take_back(id_, ("other", "Patient/anna"), FIRST)
    assert marks.of_person(id_, ANNA) == gave("4")


PEOPLE = [("ehr", f"Patient/{number}") for number in range(4)]
STEPS = st.lists(st.tuples(st.sampled_from(PEOPLE), st.integers(1, 10) | st.none()), max_size=12)


@pytest.fixture(scope="module")
def shared():
    engine = open_database("sqlite://")
    yield TeamMarks(engine, open_vault(engine, [KEY])), engine
    engine.dispose()


@examples(100, deadline=None)
@of_any(steps=STEPS)
def test_whatever_people_give_change_and_take_back_the_last_of_each_stays_before_and_after_the_last_day(shared, steps):
    marks, engine = shared
    with engine.begin() as connection:
        connection.execute(TEAM_ROUNDS.delete())
    id_ = planned(marks)
    last: dict[tuple[str, str], int] = {}
    for person, mark in steps:
        if mark is None:
            marks.take_back(id_, person, FIRST)
            last.pop(person, None)
        else:
            marks.give(id_, person, gave(str(mark)), FIRST)
            last[person] = mark
    for person in PEOPLE:
        assert marks.of_person(id_, person) == (gave(str(last[person])) if person in last else None)
    assert Counter(all_given(marks, id_)) == Counter(map(str, last.values()))
    marks.loosen(AFTER)
    assert Counter(all_given(marks, id_)) == Counter(map(str, last.values()))
    assert [marks.of_person(id_, person) for person in PEOPLE] == [None] * len(PEOPLE)


def test_what_was_given_under_a_former_name_of_the_issuer_is_theirs_and_counts_once(marks):
    """An issuer got a key while a round was open."""
    id_, over = planned(marks), planned(marks, Round("Daarvoor", BEFORE, BEFORE))
    named = [("key", one[1]) for one in (ANNA, BEA)]
    marks.give(over, ANNA, gave("1"), BEFORE)
    marks.loosen(FIRST)
    for person, mark in ((ANNA, "4"), (BEA, "5"), (named[1], "9")):
        marks.give(id_, person, gave(mark), FIRST)
    for former, person in zip((ANNA, BEA), named, strict=True):
        for _twice in range(2):
            marks.adopt(former, person)
    assert [marks.of_person(id_, one) for one in (ANNA, BEA)] == [None, None]
    assert [marks.of_person(id_, one) for one in named] == [gave("4"), gave("9")]
    assert (all_given(marks, id_), all_given(marks, over)) == (["4", "9"], ["1"])


# ---- after the last day


@pytest.mark.parametrize("many", [5, 6])
def test_after_the_last_day_the_names_are_random_and_find_nobody_any_more(marks, engine, many):
    id_ = planned(marks)
    people = [("ehr", f"Patient/{number}") for number in range(many)]
    for number, person in enumerate(people):
        marks.give(id_, person, gave(str(number + 1)), FIRST)
    names = {row.id for row in rows(engine)}
    assert marks.loosen(LAST) == 0  # not sooner
    assert {row.id for row in rows(engine)} == names
    assert marks.loosen(AFTER) == 1
    assert names.isdisjoint(row.id for row in rows(engine))
    assert [marks.of_person(id_, person) for person in people] == [None] * many
    assert [marks.erase(person, AFTER) for person in people] == [0] * many
    assert all_given(marks, id_) == [str(number + 1) for number in range(many)]
    assert marks.loosen(AFTER) == 0  # once is enough


def test_other_rounds_keep_their_names(marks):
    over, still = planned(marks), planned(marks, Round("Daarna", AFTER, AFTER))
    marks.give(over, ANNA, gave("1"), FIRST)
    marks.give(still, ANNA, gave("2"), AFTER)
    assert marks.loosen(AFTER) == 1
    assert marks.of_person(over, ANNA) is None
    assert marks.of_person(still, ANNA) == gave("2")


def test_two_processes_that_loosen_at_once_lose_and_double_nothing(url, marks):
    id_ = planned(marks)
    for number in range(8):
        marks.give(id_, ("ehr", f"Patient/{number}"), gave(str(number + 1)), FIRST)
    other = open_database(url)
    beside, both = TeamMarks(other, open_vault(other, [KEY])), threading.Barrier(2)

    def loosen(kept: TeamMarks) -> None:
        both.wait()
        kept.loosen(AFTER)

    threads = [threading.Thread(target=loosen, args=(one,)) for one in (marks, beside)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    other.dispose()
    assert all_given(marks, id_) == [str(number + 1) for number in range(8)]
    assert marks.of_person(id_, ("ehr", "Patient/1")) is None


def test_a_round_whose_names_are_gone_takes_nothing_from_a_process_whose_clock_is_slow(marks):
    """It would be a second answer of the same person, under a name that finds them."""
    id_ = planned(marks)
    marks.give(id_, ANNA, gave("4"), LAST)
    marks.loosen(AFTER)
    with pytest.raises(RoundOver):
        marks.give(id_, ANNA, gave("8"), LAST)
    with pytest.raises(RoundOver):
        marks.take_back(id_, ANNA, LAST)
    assert not marks.stop(id_, LAST)
    assert all_given(marks, id_) == ["4"]


# ---- nothing says who or when


def test_nothing_in_a_row_says_who_or_when(marks, engine):
    id_ = planned(marks)
    for number in (3, 1, 2):
        marks.give(id_, ("ehr", f"Patient/{number}"), gave(str(number), f"woorden van {number}"), FIRST)
    for row in rows(engine):
        assert set(row._mapping) == {"id", "round", "sealed"}
        sealed = bytes(row.sealed)
        assert Fernet(KEY).extract_timestamp(sealed) == 0
        plain = Fernet(KEY).decrypt(sealed).decode()
        assert "woorden van" in plain
        assert "Patient" not in plain
        assert "ehr" not in plain
        assert "2026" not in plain


def test_sealed_anew_with_another_key_it_still_has_no_time(marks, engine):
    id_ = planned(marks)
    marks.give(id_, ANNA, gave("4"), FIRST)
    new = Fernet.generate_key().decode()
    tally = Tally()
    list(reencrypt(engine, [new, KEY], tally))
    assert tally.sealed_anew >= 2
    [row] = rows(engine)
    assert Fernet(new).extract_timestamp(bytes(row.sealed)) == 0
    assert TeamMarks(engine, open_vault(engine, [new])).of_person(id_, ANNA) == gave("4")


@pytest.mark.parametrize("people", [("a", "b", "c", "d", "e", "f"), ("f", "e", "d", "c", "b", "a")])
def test_the_order_in_which_people_came_stands_nowhere(marks, engine, people):
    id_ = planned(marks)
    for one in people:
        marks.give(id_, ("ehr", f"Patient/{one}"), gave("7", one), FIRST)
    if engine.dialect.name == "sqlite":
        assert [row.id for row in rows(engine)] == sorted(row.id for row in rows(engine))
        with engine.connect() as connection, pytest.raises(sa.exc.OperationalError, match="rowid"):
            connection.exec_driver_sql("SELECT rowid FROM team_marks")
    marks.loosen(AFTER)
    assert [row.id for row in rows(engine)] == sorted(row.id for row in rows(engine))
    if engine.dialect.name == "postgresql":  # one transaction wrote them all
        with engine.connect() as connection:
            assert len(set(connection.exec_driver_sql("SELECT xmin FROM team_marks").scalars())) == 1


def test_what_was_changed_taken_back_or_loosened_leaves_nothing_in_the_file(tmp_path):
    """SQLite leaves the bytes of a deleted row where they are, unless it is told not to."""
    file = tmp_path / "verstel.db"
    engine = open_database(f"sqlite:///{file}")
    marks = TeamMarks(engine, open_vault(engine, [KEY]))
    id_ = planned(marks)
    gone: set[bytes] = set()
    for number in range(40):
        marks.give(id_, ("ehr", f"Patient/{number}"), gave("1", "x" * 300), FIRST)
    for row in rows(engine):
        gone |= {row.id.encode(), bytes(row.sealed)}
    for number in range(30):
        marks.give(id_, ("ehr", f"Patient/{number}"), gave("2", "y" * 300), FIRST)
    marks.take_back(id_, ("ehr", "Patient/0"), FIRST)
    for row in rows(engine):
        gone |= {row.id.encode(), bytes(row.sealed)}
    marks.loosen(AFTER)
    left = {row.id.encode() for row in rows(engine)}
    engine.dispose()
    plain = sqlite3.connect(file)
    plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    plain.close()
    content = file.read_bytes()
    assert len(left) == 39
    assert all(one in content for one in left)
    assert [one for one in gone if one in content] == []


def test_what_is_loosened_has_another_seal_so_that_a_copy_of_before_does_not_join(marks, engine):
    id_ = planned(marks)
    marks.give(id_, ANNA, gave("4"), FIRST)
    [before] = rows(engine)
    marks.loosen(AFTER)
    [after] = rows(engine)
    assert bytes(before.sealed) != bytes(after.sealed)
    assert Fernet(KEY).extract_timestamp(bytes(after.sealed)) == 0
    assert all_given(marks, id_) == ["4"]


# ---- erasing, and keys that are gone


def test_erasing_somebody_takes_what_they_gave_in_open_rounds_at_that_issuer_and_nothing_else(marks):
    over, open_ = planned(marks), planned(marks, Round("Daarna", AFTER, AFTER), team="ambulant")
    for person in (ANNA, BEA, ("other", "Patient/anna")):
        marks.give(over, person, gave("1"), FIRST)
    for person in (ANNA, BEA, ("other", "Patient/anna")):
        marks.give(open_, person, gave("2"), AFTER)
    assert marks.erase(ANNA, AFTER) == 1
    assert all_given(marks, over) == ["1"] * 3
    assert all_given(marks, open_) == ["2"] * 2
    assert marks.of_person(open_, BEA) == gave("2")
    assert marks.of_person(open_, ("other", "Patient/anna")) == gave("2")
    assert marks.erase(ANNA, AFTER) == 0


def test_one_row_that_no_key_opens_stops_nothing(marks, engine, caplog):
    id_ = planned(marks)
    marks.give(id_, ANNA, gave("4"), FIRST)
    with engine.begin() as connection:
        strange = Vault([Fernet.generate_key().decode()]).seal({})
        connection.execute(TEAM_MARKS.insert().values(id="0" * 64, round=id_, sealed=strange))
        connection.execute(TEAM_ROUNDS.insert().values(id="0" * 64, team="0" * 64, loosened=0, sealed=strange))
    with caplog.at_level(logging.WARNING):
        assert all_given(marks, id_) == ["4"]
        assert marks.loosen(AFTER) == 1
        assert all_given(marks, id_) == ["4"]
    assert "1 stored values do not open" in caplog.text
    assert len(rows(engine)) == 2
