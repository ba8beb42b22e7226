"""Every sealed value is looked at once, block by block, and one that changed meanwhile is left to who changed it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from smartapp.storage import reencrypting
from smartapp.storage.database import open_database
from smartapp.storage.drafts import DRAFTS
from smartapp.storage.reencrypting import Tally, reencrypt, values_in
from smartapp.storage.vault import Vault, open_vault

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
MANY = 7


@pytest.fixture
def engine(url, monkeypatch):
    """A database with seven drafts of an older key, in blocks of three, and the key of its digests."""
    monkeypatch.setattr(reencrypting, "ROWS_AT_ONCE", 3)
    engine = open_database(url)
    open_vault(engine, [OLD])
    rows = [
        {
            "owner": f"o{n // 3}",
            "questionnaire": f"q{n % 3}",
            "version": 1,
            "changed": 1,
            "sealed": Vault([OLD]).seal(n),
        }
        for n in range(MANY)
    ]
    with engine.begin() as connection:
        connection.execute(DRAFTS.insert(), rows)
    yield engine
    engine.dispose()


def drafts(engine: sa.Engine, key: str) -> list[object]:
    with engine.connect() as connection:
        return sorted(map(Vault([key]).open, connection.execute(sa.select(DRAFTS.c.sealed)).scalars()))


def test_all_is_sealed_anew_in_blocks(engine):
    tally = Tally()
    assert sum(reencrypt(engine, [NEW, OLD], tally)) == values_in(engine) == MANY + 1
    assert (tally.sealed_anew, tally.current, tally.unreadable) == (MANY + 1, 0, {})
    assert drafts(engine, NEW) == list(range(MANY))


def test_a_run_that_was_broken_off_goes_on(engine):
    blocks = reencrypt(engine, [NEW, OLD], Tally())
    assert next(blocks) == 3
    blocks.close()
    rest = Tally()
    assert sum(reencrypt(engine, [NEW, OLD], rest)) == MANY + 1
    assert (rest.sealed_anew, rest.current) == (MANY + 1 - 3, 3)


def test_what_somebody_wrote_meanwhile_is_not_written_over(engine, monkeypatch):
    rotate = reencrypting.MultiFernet.rotate

    def while_someone_writes(keys, value):
        with engine.begin() as connection:
            connection.execute(DRAFTS.update().where(DRAFTS.c.owner == "o0").values(sealed=Vault([OLD]).seal(99)))
        return rotate(keys, value)

    monkeypatch.setattr(reencrypting.MultiFernet, "rotate", while_someone_writes)
    tally = Tally()
    list(reencrypt(engine, [NEW, OLD], tally))
    monkeypatch.undo()
    list(reencrypt(engine, [NEW, OLD], tally))
    assert drafts(engine, NEW) == [3, 4, 5, 6, 99, 99, 99]
