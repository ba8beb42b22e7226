"""What nobody wants to be asked now: for thirty days, of who said it alone, and with an end of its own."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from smartapp.storage.database import open_database
from smartapp.storage.drafts import DRAFTS, Drafts, forget_untouched
from smartapp.storage.not_now import (
    DAYS,
    STILL_SO_DAYS,
    forget_not_now,
    is_not_now,
    say_not_now,
    say_still_so,
    was_still_so,
)
from smartapp.storage.vault import open_vault

KEY = Fernet.generate_key().decode()
DAY = 86_400
BEGIN = 1_800_000_000.0
TODAY = dt.date(2027, 1, 15)
ABOUT = "a" * 64


@pytest.fixture
def engine(url):
    engine = open_database(url)
    yield engine
    engine.dispose()


def drafts_of(engine, author="anna plan") -> Drafts:
    return Drafts(engine, open_vault(engine, [KEY]), lambda: BEGIN, issuer="ehr", patient="Patient/anna", author=author)


def left(engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(DRAFTS)).scalar_one())


def test_it_lasts_so_many_days_for_who_said_it_and_of_what_they_said_it(engine):
    there = drafts_of(engine)
    say_not_now(there, ABOUT, TODAY)
    days = [number for number in range(DAYS + 2) if is_not_now(there, ABOUT, TODAY + dt.timedelta(days=number))]
    assert days == list(range(DAYS))
    assert not is_not_now(there, "b" * 64, TODAY)
    assert not is_not_now(drafts_of(engine, "bea plan"), ABOUT, TODAY)


def test_it_does_not_go_with_drafts_and_goes_once_it_is_over(engine):
    there = drafts_of(engine)
    there.change("nel", lambda _before: {"nel-01": "1"})
    say_not_now(there, ABOUT, TODAY)
    assert forget_untouched(engine, int(BEGIN)) == 1
    forget_not_now(engine, BEGIN + DAYS * DAY)
    assert is_not_now(there, ABOUT, TODAY)
    forget_not_now(engine, BEGIN + (DAYS + 1) * DAY)
    assert left(engine) == 0


def test_only_what_is_over_is_forgotten_and_no_draft(engine):
    there = drafts_of(engine)
    there.change("nel", lambda _before: {"nel-01": "1"})
    forget_not_now(engine, BEGIN + 400 * DAY)
    assert left(engine) == 1


def test_all_of_its_owner_is_deleted_with_it(engine):
    there = drafts_of(engine)
    say_not_now(there, ABOUT, TODAY)
    assert there.erase() == 1
    assert left(engine) == 0


def test_that_it_is_still_so_is_kept_a_year_and_a_day_beside_not_now(engine):
    there = drafts_of(engine)
    say_not_now(there, ABOUT, TODAY)
    say_still_so(there, ABOUT, TODAY)
    assert (was_still_so(there, ABOUT), was_still_so(there, "b" * 64)) == ("2027-01-15", "")
    assert was_still_so(drafts_of(engine, "bea plan"), ABOUT) == ""
    assert forget_untouched(engine, int(BEGIN)) == 0
    forget_not_now(engine, BEGIN + STILL_SO_DAYS * DAY)
    assert (is_not_now(there, ABOUT, TODAY), was_still_so(there, ABOUT)) == (False, "2027-01-15")
    forget_not_now(engine, BEGIN + (STILL_SO_DAYS + 1) * DAY)
    assert left(engine) == 0
