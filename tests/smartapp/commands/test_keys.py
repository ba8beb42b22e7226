"""Keys are made and rotated without losing one, and everything that is sealed can be sealed anew."""

from __future__ import annotations

import json
import sqlite3
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from smartapp.commands.keys import command
from smartapp.smart.keys import SigningKeys
from smartapp.storage.database import open_database
from smartapp.storage.vault import open_vault

OLD = Path("tests/data/database-ab13e23")
KEPT = json.loads((OLD / "kept.json").read_text(encoding="utf-8"))["settings"]


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments], env=environment)


def made(kind: str, file: Path) -> str:
    result = run("new", kind, "--file", file)
    assert result.exit_code == 0, result.output
    return file.read_text()


class TestFiles:
    @pytest.mark.parametrize("kind", ["encryption", "secret", "signing"])
    def test_a_new_one_can_be_read_by_its_owner_only_and_is_never_written_over(self, tmp_path, kind):
        before = made(kind, tmp_path / "keys")
        assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o600
        again = run("new", kind, "--file", tmp_path / "keys")
        assert again.exit_code == 1
        assert "File exists" in again.output
        assert (tmp_path / "keys").read_text() == before

    def test_a_new_encryption_key_goes_in_front_and_the_old_one_stays(self, tmp_path):
        first = made("encryption", tmp_path / "keys").strip()
        assert run("rotate", "encryption", tmp_path / "keys").exit_code == 0
        newest, *older = (tmp_path / "keys").read_text().strip().split(",")
        assert older == [first]
        assert Fernet(newest).decrypt(Fernet(newest).encrypt(b"x")) == b"x"

    def test_a_new_signing_key_waits_behind_until_it_is_told_to_sign(self, tmp_path):
        file = tmp_path / "keys.json"
        made("signing", file)
        [first] = [key["kid"] for key in SigningKeys.read(file).public()["keys"]]
        run("rotate", "signing", file)
        both = [key["kid"] for key in SigningKeys.read(file).public()["keys"]]
        assert both[0] == first
        run("rotate", "signing", file, "--front")
        assert [key["kid"] for key in SigningKeys.read(file).public()["keys"]] == both[::-1]

    def test_a_file_keeps_the_rights_that_it_gave_its_group(self, tmp_path):
        made("secret", tmp_path / "keys")
        (tmp_path / "keys").chmod(0o644)
        run("rotate", "secret", tmp_path / "keys")
        assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o640
        assert [file.name for file in tmp_path.iterdir()] == ["keys"]

    def test_what_is_no_file_of_keys_stays_as_it_is(self, tmp_path):
        (tmp_path / "keys.json").write_text("{}")
        result = run("rotate", "signing", tmp_path / "keys.json")
        assert result.exit_code == 1
        assert "is not a JSON Web Key Set" in result.output
        assert (tmp_path / "keys.json").read_text() == "{}"

    @pytest.mark.parametrize("kind", ["encryption", "secret"])
    def test_a_file_of_another_kind_of_keys_stays_as_it_is(self, tmp_path, kind):
        signing = made("signing", tmp_path / "keys.json")
        result = run("rotate", kind, tmp_path / "keys.json")
        assert result.exit_code == 1
        assert f"is no file of {kind} keys, and stays as it is" in result.output
        assert (tmp_path / "keys.json").read_text() == signing

    def test_keys_may_stand_one_on_a_line(self, tmp_path):
        before = [Fernet.generate_key().decode() for _ in range(2)]
        (tmp_path / "keys").write_text("\n".join(before))
        assert "has 3 keys" in run("rotate", "encryption", tmp_path / "keys").output
        assert (tmp_path / "keys").read_text().strip().split(",")[1:] == before

    def test_only_signing_keys_are_told_to_sign(self, tmp_path):
        made("secret", tmp_path / "keys")
        assert run("rotate", "secret", tmp_path / "keys", "--front").exit_code == 2


NEWER_KEY = Fernet.generate_key().decode()


class TestReencrypt:
    @pytest.fixture
    def database(self, tmp_path):
        """A database with something sealed in every table that has sealed values, by an older key."""
        with sqlite3.connect(tmp_path / "verstel.db") as old:
            old.executescript((OLD / "dump.sql").read_text(encoding="utf-8"))
        old.close()
        engine = open_database(f"sqlite:///{tmp_path / 'verstel.db'}")
        open_vault(engine, KEPT["encryption_keys"])
        engine.dispose()
        return tmp_path / "verstel.db"

    def reencrypted(self, database: Path, *keys: str) -> Result:
        return run(
            "reencrypt",
            VERSTEL_PUBLIC_URL="https://verstel.example.org",
            VERSTEL_SECRET_KEY="a secret that only tests know 32 characters",
            VERSTEL_ENCRYPTION_KEYS=",".join(keys),
            VERSTEL_DATABASE_URL=f"sqlite:///{database}",
        )

    def sealed(self, database: Path) -> list[bytes]:
        names = [
            "sessions.carried",
            *(f"{name}.sealed" for name in ("launches", "tokens", "drafts", "outbox", "audit")),
        ]
        names += ["authorizations.sealed", "vault_keys.sealed"]
        with sqlite3.connect(database) as connection:
            found = [
                value
                for table, column in (name.split(".") for name in names)
                for (value,) in connection.execute(f"SELECT {column} FROM {table}")
            ]
        connection.close()
        return found

    def test_everything_opens_with_the_new_key_alone_and_a_second_time_nothing_is_left_to_do(self, database):
        plain = [Fernet(KEPT["encryption_keys"][0]).decrypt(value) for value in self.sealed(database)]
        result = self.reencrypted(database, NEWER_KEY, *KEPT["encryption_keys"])
        assert result.exit_code == 0, result.output
        assert f"{len(plain)} sealed anew, 0 were already. 0 still need an older key." in result.output
        assert [Fernet(NEWER_KEY).decrypt(value) for value in self.sealed(database)] == plain
        again = self.reencrypted(database, NEWER_KEY)
        assert f"0 sealed anew, {len(plain)} were already. 0 still need an older key." in again.output

    def test_what_no_key_opens_is_counted_and_left(self, database):
        engine = open_database(f"sqlite:///{database}")
        of_another = Fernet(Fernet.generate_key()).encrypt(b"{}")
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE tokens SET sealed = ?", (of_another,))
        engine.dispose()
        result = self.reencrypted(database, NEWER_KEY, *KEPT["encryption_keys"])
        assert result.exit_code == 1
        assert "2 still need an older key" in result.output
        assert "None of the keys opens 2 in tokens" in result.output
        assert self.sealed(database).count(of_another) == 2
