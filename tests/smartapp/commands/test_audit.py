"""`verstel audit export` gives an auditor the whole log, and says why where it cannot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet
from fhir.resources.R4B.auditevent import AuditEvent

from smartapp.commands.audit import command
from smartapp.storage import audit
from smartapp.storage.audit import Audit
from smartapp.storage.database import open_database
from smartapp.storage.launches import Launch, Person, User
from smartapp.storage.vault import Vault

NOON = 1_795_694_400  # 2026-11-26 12:00 UTC
DAY = 86_400
LAUNCH = Launch(
    id="l1",
    session_id="s1",
    issuer="https://ehr.example/fhir",
    patient_id="anna",
    patient=Person("Patient/anna", "Anna Voorbeeld"),
    user=User("Practitioner/els", "Els Visser", "clinician", "https://ehr.example/fhir", "u1"),
    scopes="patient/*.rs",
)


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    return {
        "VERSTEL_PUBLIC_URL": "https://verstel.example.org",
        "VERSTEL_SECRET_KEY": "a secret that only tests know, 32 characters",
        "VERSTEL_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "VERSTEL_DATABASE_URL": f"sqlite:///{tmp_path / 'verstel.db'}",
    }


@pytest.fixture
def log(environment: Mapping[str, str]) -> Audit:
    """A log with a read the day before yesterday, a change yesterday and a refusal today."""
    engine = open_database(environment["VERSTEL_DATABASE_URL"])
    moments = iter((NOON - 2 * DAY, NOON - DAY, NOON))
    made = Audit(engine, Vault((environment["VERSTEL_ENCRYPTION_KEYS"],)), lambda: next(moments))
    made.record(LAUNCH, "read", ["Goal/1"])
    made.record(LAUNCH, "update", ["Goal/1"])
    made.refused("launch", "unknown-issuer")
    return made


def export(environment: Mapping[str, str], *options: str) -> Result:
    return CliRunner(env=dict(environment)).invoke(command, ["export", *options])


@pytest.mark.usefixtures("log")
def test_every_row_is_a_valid_audit_event_oldest_first(environment):
    result = export(environment)
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [AuditEvent.model_validate(event).action for event in events] == ["R", "U", "E"]
    assert [event["recorded"][:10] for event in events] == ["2026-11-24", "2026-11-25", "2026-11-26"]
    assert events[0]["entity"][0]["what"]["reference"] == "Goal/1"


@pytest.mark.usefixtures("log")
def test_since_a_day_leaves_out_what_came_before_it(environment):
    events = [json.loads(line) for line in export(environment, "--since", "2026-11-25").stdout.splitlines()]
    assert [event["action"] for event in events] == ["U", "E"]


def test_a_log_longer_than_one_block_is_whole(environment, log, monkeypatch):
    monkeypatch.setattr(audit, "ROWS_AT_ONCE", 2)
    assert len(export(environment).stdout.splitlines()) == len(list(log.entries())) == 3


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"VERSTEL_SECRET_KEY": ""}, "VERSTEL_SECRET_KEY is not set"),
        ({"VERSTEL_DATABASE_URL": "nonsense"}, "database address"),
    ],
)
def test_a_setting_that_is_wrong_is_named(environment, changes, complaint):
    result = export({**environment, **changes})
    assert result.exit_code == 2
    assert complaint in result.output
