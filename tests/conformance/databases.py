"""The tests of what we keep, on a PostgreSQL server that is made for it and thrown away (`apt install postgresql`).

Exit codes: 0 passed, 1 a test failed, 3 there is no PostgreSQL on this machine.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.conformance import strangers

POSTGRESQL = "PostgreSQL"
RESULTS = Path(".cache/conformance/postgresql.xml")
PASSED, FAILED, NOT_RUN = 0, 1, 3
TESTS = (
    "tests/smartapp/storage",
    "tests/smartapp/fhir/test_own.py",
    "tests/smartapp/fhir/test_own_renewing.py",
    "tests/smartapp/fhir/test_capabilities.py",
)
CHOSEN = ("-k", "not sqlite")
"""Those of SQLite are in `make test`."""


def binaries() -> Path | None:
    """Return the folder with PostgreSQL's own commands; Debian keeps them off the path. None where there are none."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """Run a PostgreSQL server on a free port of this machine and yield its address; it goes away with all it held."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="verstel-postgresql-") as folder:
        data, options = f"{folder}/data", f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        if os.geteuid() == 0:
            os.chown(folder, *_nobody())
        _run(programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust")
        _run(programs / "pg_ctl", "-D", data, "-l", f"{folder}/log", "-o", options, "-w", "start")
        try:
            yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        finally:
            _run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _nobody() -> tuple[int, int]:
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _run(*command: str | Path) -> None:
    """Run one of PostgreSQL's commands; they refuse to be root."""
    user, group = _nobody() if os.geteuid() == 0 else (None, None)
    extra = () if user is None else None
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", user=user, group=group, extra_groups=extra)


def main() -> int:
    """Run the tests that are of PostgreSQL, or of no database, and return the exit code."""
    programs = binaries()
    if programs is None:
        print("There is no PostgreSQL on this machine.")
        strangers.missing(POSTGRESQL, "There is none on this machine.")
        return NOT_RUN
    with server(programs) as url:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *CHOSEN, "-p", "no:cacheprovider", f"--junitxml={RESULTS}", *TESTS],
            env={**os.environ, "TEST_POSTGRESQL_URL": url},
            check=False,
        )
    ran, failed = told_by(RESULTS)
    strangers.held(POSTGRESQL, ran, failed, version=programs.parent.name if programs.parent.name.isdecimal() else "")
    return PASSED if done.returncode == 0 else FAILED


def told_by(results: Path) -> tuple[int, list[str]]:
    """Return how many tests ran, and the names of those that failed, from the results that pytest wrote."""
    cases = ET.parse(results).getroot().findall(".//testcase")
    ran = [one for one in cases if one.find("skipped") is None]
    failed = [one for one in ran if one.find("failure") is not None or one.find("error") is not None]
    return len(ran), [f"{one.get('classname')}::{one.get('name')}" for one in failed]


if __name__ == "__main__":
    sys.exit(main())
