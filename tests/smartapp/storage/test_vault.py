"""What a stolen database gives away: nothing that can be read, and nothing that a guess can be tried on."""

from __future__ import annotations

import hashlib

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from smartapp.storage.database import open_database
from smartapp.storage.vault import SealBroken, Vault, open_vault

KEY, NEWER_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def engine(url):
    engine = open_database(url)
    yield engine
    engine.dispose()


def test_a_digest_is_the_same_each_time_the_database_is_opened(engine):
    assert open_vault(engine, [KEY]).digest("Patient/anna") == open_vault(engine, [KEY]).digest("Patient/anna")


def test_another_database_has_another_key_so_no_guess_can_be_tried(engine, tmp_path):
    other = open_database(f"sqlite:///{tmp_path / 'other.db'}")
    found = open_vault(engine, [KEY]).digest("Patient/anna")
    assert found not in {open_vault(other, [KEY]).digest("Patient/anna"), hashlib.sha256(b"Patient/anna").hexdigest()}
    other.dispose()


def test_digests_stay_when_the_encryption_keys_are_rotated(engine):
    before = open_vault(engine, [KEY]).digest("Patient/anna")
    assert open_vault(engine, [NEWER_KEY, KEY]).digest("Patient/anna") == before


def test_a_database_without_its_key_is_not_opened(engine):
    open_vault(engine, [KEY])
    with pytest.raises(SealBroken, match="VERSTEL_ENCRYPTION_KEYS"):
        open_vault(engine, [NEWER_KEY])


def test_a_vault_without_a_database_makes_no_digest_that_would_find_nothing():
    with pytest.raises(RuntimeError, match="no key for digests"):
        Vault([KEY]).digest("Patient/anna")


def test_what_can_be_guessed_stands_nowhere_as_a_plain_digest(engine):
    """The table as an older version left it, with a person whose reference is in everyone's dictionary."""
    guess = hashlib.sha256(b"draft|ehr|Patient/anna|Patient/anna").hexdigest()
    drafts = sa.table("drafts", *map(sa.column, ("owner", "questionnaire", "version", "changed", "sealed")))
    rows = [
        {"owner": guess, "questionnaire": name, "version": 1, "changed": 1, "sealed": b""}
        for name in ("hoop", hashlib.sha256(b"goals/1").hexdigest())
    ]
    with engine.begin() as connection:
        connection.execute(drafts.insert(), rows)
    vault = open_vault(engine, [KEY])
    open_vault(engine, [KEY])  # and only once
    with engine.connect() as connection:
        there = {(row.owner, row.questionnaire) for row in connection.execute(sa.select(drafts))}
    owner = vault.digest("draft|ehr|Patient/anna|Patient/anna")
    assert there == {(owner, "hoop"), (owner, vault.digest("goals/1"))}


def test_one_changed_byte_of_a_sealed_value_is_noticed_wherever_it_is():
    sealed = Vault([KEY]).seal({"story": "Ik ben weer gaan zingen."})
    for place in range(len(sealed)):
        other = b"A" if sealed[place : place + 1] != b"A" else b"B"
        with pytest.raises(SealBroken):
            Vault([KEY]).open(sealed[:place] + other + sealed[place + 1 :])


def test_the_same_value_never_looks_the_same_when_it_is_sealed():
    blocks = {Vault([KEY]).seal("zingen " * 100)[start : start + 16] for _ in range(2) for start in range(0, 800, 16)}
    assert len(blocks) > 95  # a mode without chaining, or without chance, would repeat itself
