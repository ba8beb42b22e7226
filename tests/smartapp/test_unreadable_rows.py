"""A row that none of our keys opens stops nobody but its owner, and is not written over."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from smartapp.smart.tokens import TOKENS, Tokens
from smartapp.storage.drafts import DRAFTS
from smartapp.storage.launches import LAUNCHES
from smartapp.storage.sessions import SESSIONS
from smartapp.storage.vault import SealBroken, Vault
from tests.smartapp.helpers import Visitor, launched, make_app

OF_ANOTHER_KEY = Vault([Fernet.generate_key().decode()]).seal({"who": "knows"})
DAY = 86_400


@pytest.fixture
def clock():
    return [1_795_694_400.0]


@pytest.fixture
def anna(clock):
    """Anna, whose launch and token do not open any more, beside Bram, whose do."""
    app = make_app(clock=lambda: clock[0])
    anna = launched(app)
    anna.core.tokens.keep(anna.launch.id, Tokens("access-1", None, None, "", "anna"))
    yield anna
    anna.core.engine.dispose()


def spoil(visitor: Visitor, table: sa.Table, *, column: str = "sealed") -> None:
    with visitor.core.engine.begin() as connection:
        connection.execute(table.update().values({column: OF_ANOTHER_KEY}))


def test_sessions_end_also_where_one_has_a_launch_that_does_not_open(anna, clock):
    spoil(anna, LAUNCHES)
    launched(anna.app, patient="bram")
    clock[0] += DAY
    assert anna.core.end_sessions_that_are_over() == 2
    assert anna.core.sessions.over() == []


def test_sessions_end_also_where_one_has_a_token_that_does_not_open(anna, clock):
    spoil(anna, TOKENS)
    clock[0] += DAY
    assert anna.core.end_sessions_that_are_over() == 1


def test_a_launch_that_does_not_open_has_ended(anna):
    spoil(anna, LAUNCHES)
    assert anna.get("").status_code == 404


def test_what_one_page_told_the_next_is_forgotten_when_it_does_not_open(anna):
    spoil(anna, SESSIONS, column="data")
    assert anna.get("").status_code == 200


def test_one_draft_that_does_not_open_leaves_the_others(anna, caplog):
    anna.records.drafts.change("hoop", lambda _none: {"hoop-01": "3"})
    spoil(anna, DRAFTS)
    anna.records.drafts.change("nel", lambda _none: {"nel-01": "3"})
    assert [draft.questionnaire for draft in anna.records.drafts.all()] == ["nel"]
    assert caplog.messages == ["1 stored values do not open with our keys; see verstel keys reencrypt"]


def test_a_draft_that_does_not_open_is_not_written_over(anna):
    anna.records.drafts.change("hoop", lambda _none: {"hoop-01": "3"})
    spoil(anna, DRAFTS)
    with pytest.raises(SealBroken):
        anna.records.drafts.change("hoop", lambda present: {**(present or {}), "hoop-02": "1"})
    with anna.core.engine.connect() as connection:
        assert connection.execute(sa.select(DRAFTS.c.sealed)).scalars().all() == [OF_ANOTHER_KEY]
