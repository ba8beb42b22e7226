"""`verstel outbox` says how much waits and in what state, and never of a database that is not there."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet

from smartapp.cli import main
from smartapp.storage.database import open_database


@pytest.fixture
def environment(tmp_path):
    return {
        "VERSTEL_PUBLIC_URL": "http://localhost",
        "VERSTEL_SECRET_KEY": "a secret that only tests know 32 characters",
        "VERSTEL_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "VERSTEL_DATABASE_URL": f"sqlite:///{tmp_path / 'verstel.db'}",
    }


@pytest.mark.parametrize(
    "command",
    [
        ["outbox"],
        ["outbox", "--retry-aside"],
        ["reminders"],
        ["keys", "reencrypt"],
        ["erase", "--issuer", "north", "--patient", "7", "--yes"],
    ],
)
def test_a_database_that_is_not_there_is_refused_and_not_made(environment, tmp_path, command):
    """Else a wrong address reads as: nothing waits, nothing needs an older key, nothing is kept."""
    (tmp_path / "issuers.toml").write_text(
        '[[issuer]]\nbase = "https://ehr.example/fhir"\nname = "E"\nclient_id = "v"\nkey = "north"\n'
    )
    environment["VERSTEL_ISSUERS_FILE"] = str(tmp_path / "issuers.toml")
    result = CliRunner(env=environment).invoke(main, command)
    assert result.exit_code == 2
    assert "VERSTEL_DATABASE_URL" in result.output
    assert not (tmp_path / "verstel.db").exists()


def test_an_empty_outbox_says_that_everything_arrived(environment):
    open_database(environment["VERSTEL_DATABASE_URL"]).dispose()
    runner = CliRunner(env=environment)
    assert runner.invoke(main, ["outbox"]).output == "Nothing waits: everything has arrived.\n"
    assert json.loads(runner.invoke(main, ["outbox", "--format", "json"]).output) == []


def test_the_help_has_each_state_on_a_line_of_its_own():
    lines = CliRunner().invoke(main, ["outbox", "--help"], terminal_width=80).output.splitlines()
    states = [line.split()[0] for line in lines if line.startswith("  ") and line.split()]
    assert [state for state in states if state in ("waiting", "held", "stopped", "aside")] == [
        "waiting",
        "held",
        "stopped",
        "aside",
    ]
