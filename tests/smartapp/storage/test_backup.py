"""The commands of docs/operators.md make a backup while people write, and bring all of it back."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from smartapp.storage.database import open_database
from smartapp.storage.drafts import Drafts
from smartapp.storage.vault import open_vault

KEY = Fernet.generate_key().decode()
SECTION = (
    Path("docs/operators.md").read_text(encoding="utf-8").partition("## Backup and restore")[2].partition("\n## ")[0]
)
BACKUP, RESTORE = 0, 2
"""Where the commands stand among those of the section: for SQLite, and behind each those for PostgreSQL."""


def run(number: int, database: str, backup: Path) -> None:
    commands = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)[number]
    environment = {**os.environ, "DATABASE": database, "BACKUP": str(backup)}
    subprocess.run(["sh", "-euc", commands], env=environment, check=True, capture_output=True)


def drafts(engine) -> Drafts:
    vault = open_vault(engine, [KEY])
    return Drafts(engine, vault, lambda: 1.0, issuer="ehr", patient="Patient/anna", author="Patient/anna")


def test_what_was_there_at_the_backup_is_there_after_the_restore(url, tmp_path):
    is_sqlite = url.startswith("sqlite")
    if shutil.which("sqlite3" if is_sqlite else "pg_dump") is None:
        pytest.skip("the program that makes the backup is not on this machine")
    database = url.removeprefix("sqlite:///").replace("postgresql+psycopg:", "postgresql:")
    engine = open_database(url, alone=True)  # Verstel runs
    drafts(engine).change("hoop", lambda _none: {"hoop-01": "3"})
    run(BACKUP + (not is_sqlite), database, tmp_path / "backup")
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600
    drafts(engine).change("hoop", lambda _present: {"hoop-01": "a mistake"})
    engine.dispose()
    run(RESTORE + (not is_sqlite), database, tmp_path / "backup")
    again = open_database(url)
    assert drafts(again).get("hoop").resource == {"hoop-01": "3"}
    again.dispose()
