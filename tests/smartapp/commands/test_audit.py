"""`verstel audit` gives an auditor the log, whole and checked, or says why it cannot."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet
from fhir.resources.R4B.auditevent import AuditEvent

from fhir_profiles.checking import claimed, problems
from mappers.audit import AuditEntry
from smartapp.commands import audit as commands_audit
from smartapp.commands.audit import command
from smartapp.storage import audit
from smartapp.storage.audit import Audit
from smartapp.storage.database import open_database
from smartapp.storage.launches import Launch, Person, User
from smartapp.storage.vault import Vault, open_vault

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
        "VERSTEL_SECRET_KEY": "a secret that only tests know: 32 characters",
        "VERSTEL_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "VERSTEL_DATABASE_URL": f"sqlite:///{tmp_path / 'verstel.db'}",
    }


@pytest.fixture
def log(environment: Mapping[str, str]) -> Audit:
    """A log with a read the day before yesterday, a change yesterday and a refusal today."""
    engine = open_database(environment["VERSTEL_DATABASE_URL"])
    moments = iter((NOON - 2 * DAY, NOON - DAY, NOON))
    made = Audit(engine, open_vault(engine, [environment["VERSTEL_ENCRYPTION_KEYS"]]), lambda: next(moments))
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
    assert len(list(log.entries())) == len(export(environment).stdout.splitlines()) == 3


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


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(("since", "said"), [("2026-11-24", "3 events.\n"), ("2026-11-26", "1 event.\n")])
def test_how_many_events_there_were_is_said_beside_them(environment, since, said):
    assert export(environment, "--since", since).stderr == said


@pytest.mark.parametrize("query", ["", "?uri=true"])
def test_a_database_that_is_not_there_is_refused_and_not_made(environment, tmp_path, query):
    place = tmp_path / "mistyped" / "verstel.db"
    result = export({**environment, "VERSTEL_DATABASE_URL": f"sqlite:///{'file:' if query else ''}{place}{query}"})
    assert (result.exit_code, result.stdout) == (2, "")
    assert "VERSTEL_DATABASE_URL" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_a_log_is_refused_and_stays_as_it_was(environment, tmp_path):
    place = tmp_path / "verstel.db"
    with sqlite3.connect(place) as other:
        other.execute("CREATE TABLE of_something_else (number INTEGER)")
    other.close()
    before = place.read_bytes()
    result = export(environment)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no table 'audit'" in result.stderr
    assert "VERSTEL_DATABASE_URL" in result.stderr
    assert place.read_bytes() == before
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_temporary_database_has_no_log(environment, url):
    result = export({**environment, "VERSTEL_DATABASE_URL": url})
    assert result.exit_code == 2
    assert "VERSTEL_DATABASE_URL" in result.stderr


def test_a_file_that_is_not_a_database_is_refused_without_its_address(environment, tmp_path):
    (tmp_path / "verstel.db").write_text("not a database, but long enough to be looked at as one" * 50)
    result = export(environment)
    assert result.exit_code == 2
    assert "cannot be opened: file is not a database" in result.stderr
    assert str(tmp_path) not in result.stderr


def test_a_path_with_signs_that_mean_something_in_an_address_is_read(environment, tmp_path):
    url = f"sqlite:///{tmp_path / 'of 100% #1' / 'verstel.db'}"
    open_database(url).dispose()
    assert export({**environment, "VERSTEL_DATABASE_URL": url}).exit_code == 0


@pytest.mark.usefixtures("log")
def test_a_row_sealed_with_another_key_is_named_and_those_before_it_are_written(environment):
    other = Fernet.generate_key().decode()
    engine = open_database(environment["VERSTEL_DATABASE_URL"])
    Audit(engine, Vault((other,), b"another key"), lambda: NOON).refused("launch", "unknown-issuer")
    result = export(environment)
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 3
    assert "Row 4 of the log" in result.stderr
    assert "VERSTEL_ENCRYPTION_KEYS" in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here plays a full disk")
@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_said_in_a_sentence(environment, unbuffered):
    command_line = [sys.executable, "-m", "smartapp", "audit", "export"]
    environ = {**os.environ, **environment, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(command_line, env=environ, stdout=full, stderr=subprocess.PIPE, check=False)
    assert result.returncode == 1
    assert b"Error: stopped before the end: No space left on device" in result.stderr
    assert b"Traceback" not in result.stderr


@pytest.mark.usefixtures("log")
def test_a_database_that_fails_half_way_is_said_in_a_sentence(environment, tmp_path, monkeypatch):
    monkeypatch.setattr(audit, "ROWS_AT_ONCE", 1)
    place = tmp_path / "verstel.db"
    change(tmp_path, "UPDATE audit SET sealed = zeroblob(1000000) WHERE number = 3")
    change(tmp_path, "PRAGMA wal_checkpoint(TRUNCATE)")
    with place.open("r+b") as file:  # the disk loses the end of the file, where the pages of that row are
        file.seek(-16_384, os.SEEK_END)
        file.write(b"\xff" * 16_384)
    result = export(environment)
    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 2)
    assert "Error: stopped before the end: the database failed" in result.stderr
    assert "Traceback" not in result.stderr


def rows_of(environment: Mapping[str, str]) -> list[AuditEntry]:
    engine = open_database(environment["VERSTEL_DATABASE_URL"])
    try:
        return list(Audit(engine, open_vault(engine, [environment["VERSTEL_ENCRYPTION_KEYS"]]), lambda: NOON).entries())
    finally:
        engine.dispose()


@pytest.mark.usefixtures("log")
def test_that_rows_were_taken_out_is_a_row_and_the_chain_holds(environment):
    assert export(environment).exit_code == 0
    row = rows_of(environment)[-1]
    assert (row.event, row.role, row.patient, row.objects) == ("export", "operator", "", ("the log, 3 events",))
    assert row.system == "https://verstel.example.org"
    assert len(export(environment).stdout.splitlines()) == 4
    assert run(environment, "verify").exit_code == 0


@pytest.mark.usefixtures("log")
def test_each_event_names_its_row_as_verify_does(environment):
    events = [json.loads(line) for line in export(environment, "--since", "2026-11-25").stdout.splitlines()]
    [first, second] = [event["entity"][-1]["what"]["identifier"]["value"] for event in events]
    assert (first, second) == ("verstel#2", "verstel#3")  # the rows of this test know no installation


@pytest.mark.usefixtures("log")
def test_behind_an_end_that_is_not_ours_nothing_is_written(environment, tmp_path):
    change(tmp_path, "UPDATE audit_marks SET sealed = 'x'")
    result = export(environment)
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 3)
    assert "not noted in the log" in result.stderr
    assert len(rows_of(environment)) == 3


@pytest.mark.usefixtures("log")
def test_an_output_that_ends_early_is_noted_too(environment):
    reader = f"{sys.executable} -m smartapp audit export | true"
    subprocess.run(["bash", "-c", reader], env={**os.environ, **environment}, check=False, stderr=subprocess.DEVNULL)
    assert rows_of(environment)[-1].event == "export"


class TestOnePerson:
    @pytest.fixture
    def two_people(self, environment, tmp_path) -> Mapping[str, str]:
        """The settings of one EHR with a key, and a log about two people, one of them under its address too."""
        (tmp_path / "issuers.toml").write_text(
            '[[issuer]]\nbase = "https://ehr.example/fhir"\nname = "Example"\nclient_id = "c"\nkey = "example"\n'
        )
        engine = open_database(environment["VERSTEL_DATABASE_URL"])
        log = Audit(engine, open_vault(engine, [environment["VERSTEL_ENCRYPTION_KEYS"]]), lambda: NOON)
        log.record(LAUNCH, "read", ["Goal/1"])
        log.record(replace(LAUNCH, user=replace(LAUNCH.user, issuer="example")), "update", ["Goal/1"])
        log.record(replace(LAUNCH, patient=Person("Patient/bram", "Bram")), "create", ["Goal/2"])
        engine.dispose()
        return {**environment, "VERSTEL_ISSUERS_FILE": str(tmp_path / "issuers.toml")}

    def test_that_answers_were_handed_out_is_exported_and_its_rows_are_chained(self, two_people, tmp_path):
        engine = open_database(two_people["VERSTEL_DATABASE_URL"])
        log = Audit(engine, open_vault(engine, [two_people["VERSTEL_ENCRYPTION_KEYS"]]), lambda: NOON)
        people = ["Patient/anna", "Patient/bram", ""]
        log.handed_out("example", "https://ehr.example/fhir", people, by="D. Manager", what="recovery 2026, csv")
        engine.dispose()
        result = run(two_people, "verify")
        assert result.exit_code == 0, result.output
        assert "6 rows were checked" in result.output  # three of before, one for each person, and one of all
        events = [json.loads(line) for line in export(two_people).stdout.splitlines()][3:]
        assert [AuditEvent.model_validate(event).type.code for event in events] == ["110106"] * 3
        assert all(problems(event, url) == [] for event in events for url in claimed(event))
        written = [json.dumps(event) for event in events]
        assert [[who for who in people if who and f'"{who}"' in one] for one in written] == [
            ["Patient/anna"],
            ["Patient/bram"],
            [],
        ]
        assert all("D. Manager" in one and "recovery 2026, csv" in one for one in written)
        [_created, only] = export(two_people, "--person", "Patient/bram").stdout.splitlines()
        assert "D. Manager" in only
        assert "Patient/anna" not in only
        assert run(two_people, "verify").exit_code == 0
        with sqlite3.connect(tmp_path / "verstel.db") as other:
            other.execute("DELETE FROM audit WHERE number = 4")
        other.close()
        assert run(two_people, "verify").exit_code == 1

    @pytest.mark.parametrize("issuer", [(), ("--issuer", "example")])
    def test_only_what_is_about_them_is_written(self, two_people, issuer):
        result = export(two_people, "--person", "Patient/anna", *issuer)
        assert [json.loads(line)["action"] for line in result.stdout.splitlines()] == ["R", "U"]
        row = rows_of(two_people)[-1]
        assert (row.event, row.patient, row.issuer, row.organisation) == (
            *("export", "Patient/anna"),
            *("https://ehr.example/fhir", "Example"),
        )
        # They read it themselves, as every other look.
        engine = open_database(two_people["VERSTEL_DATABASE_URL"])
        log = Audit(engine, open_vault(engine, [two_people["VERSTEL_ENCRYPTION_KEYS"]]), lambda: NOON)
        assert next(log.looks("example", "Patient/anna"))[1] == row

    def test_of_somebody_who_has_no_rows_it_is_noted_without_them(self, two_people):
        assert export(two_people, "--person", "Patient/nobody").exit_code == 0
        assert (rows_of(two_people)[-1].event, rows_of(two_people)[-1].patient) == ("export", "")

    @pytest.mark.parametrize(
        ("options", "complaint"),
        [
            (("--person", "anna"), "no Patient/ID"),
            (("--issuer", "example"), "--issuer goes with --person"),
            (("--person", "Patient/anna", "--issuer", "another"), "In VERSTEL_ISSUERS_FILE: example"),
        ],
    )
    def test_who_cannot_be_found_is_said(self, two_people, options, complaint):
        result = export(two_people, *options)
        assert result.exit_code == 2
        assert complaint in result.stderr


def run(environment: Mapping[str, str], *words: str, said: str | None = None) -> Result:
    return CliRunner(env=dict(environment)).invoke(command, list(words), input=said)


def change(tmp_path: Path, statement: str) -> None:
    with sqlite3.connect(tmp_path / "verstel.db") as other:
        other.execute(statement)
    other.close()


class TestVerify:
    @pytest.mark.usefixtures("log")
    def test_a_log_that_holds_says_how_far_it_goes_and_what_to_note(self, environment):
        result = run(environment, "verify")
        said = re.fullmatch(
            r"3 rows were checked\. The last row and its link, to be noted: (3:[0-9a-f]{64})\n", result.output
        )
        assert result.exit_code == 0
        assert run(environment, "verify", "--noted", said[1]).exit_code == 0

    @pytest.mark.usefixtures("log")
    def test_what_is_wrong_is_said_with_the_row(self, environment, tmp_path):
        change(tmp_path, "UPDATE audit SET outcome = '8' WHERE number = 2")
        result = run(environment, "verify")
        assert result.exit_code == 1
        assert "Row 2 was changed" in result.output

    @pytest.mark.usefixtures("log")
    def test_an_end_that_was_noted_and_cut_off_is_found(self, environment):
        result = run(environment, "verify", "--noted", f"4:{'a' * 64}")
        assert result.exit_code == 1
        assert "Row 4 was noted, and the log ends at row 3" in result.output

    def test_rows_without_a_link_are_those_of_an_older_version_or_were_taken_out(self, environment, log, tmp_path):
        change(tmp_path, "UPDATE audit SET link = NULL")
        change(tmp_path, "DELETE FROM audit_marks")
        log._clock = lambda: NOON
        log.refused("launch", "unknown-issuer")
        said = run(environment, "verify")
        assert said.exit_code == 1
        assert "The chain begins after row 3." in said.output
        assert run(environment, "verify", "--began-after", "3").exit_code == 0
        assert run(environment, "verify", "--began-after", "2").exit_code == 1

    @pytest.mark.usefixtures("log")
    def test_of_very_many_findings_some_are_shown_and_the_rest_counted(self, environment, tmp_path, monkeypatch):
        monkeypatch.setattr(commands_audit, "MOST_FINDINGS", 2)
        change(tmp_path, "UPDATE audit SET outcome = '8'")
        result = run(environment, "verify")
        assert result.output.splitlines()[2] == "… and 1 more."

    @pytest.mark.usefixtures("log")
    def test_keys_that_are_others_are_said(self, environment):
        result = run({**environment, "VERSTEL_ENCRYPTION_KEYS": Fernet.generate_key().decode()}, "verify")
        assert result.exit_code == 1
        assert "VERSTEL_ENCRYPTION_KEYS" in result.output

    @pytest.mark.parametrize("noted", ["3", "3:abc", "x:" + "a" * 64])
    def test_a_note_that_is_none_is_refused(self, environment, noted):
        assert run(environment, "verify", "--noted", noted).exit_code == 2

    def test_a_database_without_a_log_is_refused(self, environment, tmp_path):
        change(tmp_path, "CREATE TABLE of_something_else (number INTEGER)")
        assert run(environment, "verify").exit_code == 2

    @pytest.mark.usefixtures("log")
    def test_a_database_that_fails_is_said_in_a_sentence(self, environment, tmp_path):
        change(tmp_path, "ALTER TABLE audit DROP COLUMN link")
        result = run(environment, "verify")
        assert result.exit_code == 1
        assert "the database failed" in result.output


class TestHead:
    @pytest.mark.usefixtures("log")
    def test_it_prints_what_verify_compares_with(self, environment):
        printed = run(environment, "head").output.strip()
        assert printed in run(environment, "verify").output
        assert run(environment, "verify", "--noted", printed).exit_code == 0
        number, _, link = printed.partition(":")
        other = f"{number}:{link[::-1]}"
        assert "Row 3 is not the one that was noted." in run(environment, "verify", "--noted", other).output

    @pytest.mark.usefixtures("log")
    @pytest.mark.parametrize(
        ("damage", "said"),
        [
            ("DELETE FROM audit_marks", "the log has no end"),
            ("UPDATE audit_marks SET sealed = zeroblob(9)", "Run verstel audit verify."),
        ],
    )
    def test_an_end_that_is_gone_or_not_ours_is_said(self, environment, tmp_path, damage, said):
        change(tmp_path, damage)
        result = run(environment, "head")
        assert (result.exit_code, result.stdout) == (1, "")
        assert said in result.stderr


class TestPrune:
    @pytest.mark.usefixtures("log")
    def test_what_is_older_goes_which_is_in_the_log_and_the_chain_holds(self, environment):
        result = run(environment, "prune", "--before", "2026-11-26", "--yes")
        assert (result.exit_code, result.output) == (0, "2 rows removed.\n")
        *_, last = map(json.loads, export(environment).stdout.splitlines())
        assert (last["action"], last["outcomeDesc"]) == ("D", "recorded before 2026-11-26T00:00Z")
        said = run(environment, "verify")
        assert said.exit_code == 0
        assert "Rows up to 2 were removed by verstel audit prune." in said.output

    @pytest.mark.usefixtures("log")
    def test_nothing_that_is_old_enough_is_nothing_to_log(self, environment):
        assert run(environment, "prune", "--keep-days", "36500", "--yes").output == "0 rows removed.\n"
        assert len(export(environment).stdout.splitlines()) == 3

    @pytest.mark.usefixtures("log")
    def test_a_mark_of_what_was_removed_that_is_not_ours_stops_it(self, environment, tmp_path):
        run(environment, "prune", "--before", "2026-11-25", "--yes")
        change(tmp_path, "UPDATE audit_marks SET sealed = zeroblob(9) WHERE name = 'pruned'")
        result = run(environment, "prune", "--before", "2026-11-26", "--yes")
        assert result.exit_code == 1
        assert "Run verstel audit verify." in result.stderr

    @pytest.mark.usefixtures("log")
    def test_it_asks_first(self, environment):
        result = run(environment, "prune", "--before", "2026-11-26", said="n\n")
        assert result.exit_code == 1
        assert len(export(environment).stdout.splitlines()) == 3

    @pytest.mark.parametrize("rule", [(), ("--before", "2026-11-26", "--keep-days", "3")])
    def test_it_needs_one_rule(self, environment, rule):
        assert run(environment, "prune", *rule).exit_code == 2

    def test_a_database_that_is_not_there_is_not_made(self, environment, tmp_path):
        assert run(environment, "prune", "--keep-days", "3", "--yes").exit_code == 2
        assert list(tmp_path.iterdir()) == []
