"""Run every conformance part, say what each found, and end with the verdict as exit code.

Two parts run at a time, for most wait for a browser, a server or a disk now and then; what one said is printed in one
piece when it has ended. The histories of faults, which wait for nothing, are played in the time that all others leave,
and end soon after them.

0: all parts ran and agreed. 1: a check failed. 3: nothing failed, but a part could not run because its tools can't be
installed here; the last line names it. `make` turns each failure into 2, so the verdict is also kept in
`.cache/conformance/exit` and the last line in `.cache/conformance/last-line`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conformance import strangers
from tests.conformance.sizes import WHOLE

CACHE = Path(".cache/conformance")
PASSED, FAILED, NOT_RUN = 0, 1, 3

# Each part is a module with a main of its own that follows the same exit codes. They begin in this order: the longest
# first, so that neither of two is left with one of them when the other is done.
PARTS = {
    "histories of faults": "tests.conformance.faults",
    "journeys (browser)": "tests.conformance.journeys",
    "FHIR servers": "tests.conformance.servers",
    "killed processes": "tests.conformance.processes",
    "PostgreSQL": "tests.conformance.databases",
    "thorough tests": "tests.conformance.thorough",
    "accessibility (IBM Equal Access)": "tests.conformance.accessibility.run",
    "form renderers": "tests.conformance.renderers.run",
    "mutated records": "tests.conformance.mutated_records",
    "links (SMART Health Links)": "tests.conformance.links.run",
    "HL7 validator": "tests.conformance.validate",
    "sign-in (Keycloak)": "tests.conformance.sign_in.keycloak.run",
    "write path": "tests.conformance.write_path",
    "paper (veraPDF)": "tests.conformance.paper",
    "populations (Spark, Sail, DuckDB, Polars)": "tests.conformance.engines.run",
    "deployment": "tests.conformance.deployed.run",
    "bulk data": "tests.conformance.bulk",
    "views (SQL on FHIR)": "tests.conformance.views.run",
    "profiles (SUSHI)": "tests.conformance.profiles",
    "hooks (CDS Hooks)": "tests.conformance.hooks.run",
    "sign-in (oidc-provider)": "tests.conformance.sign_in.oidc",
    "PGO answers (STU3)": "tests.conformance.mgo.stu3",
    "sign-in (SMART launcher)": "tests.conformance.sign_in.launcher.run",
    "PGO (MedMij)": "tests.conformance.mgo.run",
    "Koppeltaal (authorization service)": "tests.conformance.koppeltaal",
}

AFTER = {
    "FHIR servers": {"journeys (browser)"},
    "links (SMART Health Links)": {"journeys (browser)"},
    "HL7 validator": {"journeys (browser)", "FHIR servers", "links (SMART Health Links)"},
}
"""Which parts begin when others have ended: the validator judges what journeys, in the demo and on strangers' servers,
and links left behind, in a folder that the first of them empties."""

AT_ONCE = 2
BESIDE = "histories of faults"
"""The part that is played beside the others: its clock is not that of the machine, so that it can't come too late. It
ends, when it has played enough, after its standard input was closed."""
LAST = 19
"""How much it gives way to whatever else wants a core, as `nice` says it: some of the others measure time."""
OFTEN_S = 0.05
LAST_WORDS = 40


@dataclass(frozen=True)
class Part:
    """A part that is under way: its process, and the file that holds what it says."""

    name: str
    process: subprocess.Popen[bytes]
    said: Path
    started: float = field(default_factory=time.monotonic)

    def words(self) -> str:
        """Return all that it said so far."""
        return self.said.read_text(encoding="utf-8", errors="replace")


def main(names: list[str]) -> int:
    """Run the named parts (all by default) and return the exit code; 2 for a name that no part has."""
    for file in ("exit", "last-line"):
        (CACHE / file).unlink(missing_ok=True)  # the verdict of an earlier run says nothing about this one
    unknown = [name for name in names if not any(name in part for part in PARTS)]
    if unknown:
        print(f"no part is called {', '.join(unknown)}; there are: {', '.join(PARTS)}")
        return 2
    chosen = [part for part in PARTS if not names or any(name in part for name in names)]
    strangers.forget(chosen)
    CACHE.mkdir(parents=True, exist_ok=True)
    outcomes = {chosen[0]: _alone(chosen[0])} if len(chosen) == 1 else _together(chosen)
    failed = [part for part in chosen if outcomes[part] not in {PASSED, NOT_RUN}]
    missing = [part for part in chosen if outcomes[part] == NOT_RUN]
    verdict = FAILED if failed else NOT_RUN if missing else PASSED
    last_line = _last_line(len(outcomes), failed, missing)
    (CACHE / "exit").write_text(f"{verdict}\n")
    (CACHE / "last-line").write_text(f"{last_line}\n")
    if WHOLE and not names:
        strangers.write_page()
    print(f"\n{last_line}")
    return verdict


def _alone(part: str) -> int:
    """Run one part, which says what it says at once, and return its exit code."""
    print(f"\n=== {part}", flush=True)
    started = time.monotonic()
    code = subprocess.run([sys.executable, "-m", PARTS[part]], check=False).returncode
    print(f"=== {part}: {_word(code)} in {time.monotonic() - started:.0f} s", flush=True)
    return code


def _together(chosen: Sequence[str]) -> dict[str, int]:
    """Run several parts, two at a time and one beside them, and return their exit codes."""
    outcomes: dict[str, int] = {}
    waiting = [part for part in chosen if part != BESIDE]
    with _under_way() as parts:
        beside = _begun(BESIDE, parts, waits=True) if BESIDE in chosen else None
        while waiting or len(parts) > (beside in parts):
            while len(parts) - (beside in parts) < AT_ONCE and (part := _next(waiting, parts)):
                waiting.remove(part)
                _begun(part, parts)
            outcomes |= _ended(parts)
            time.sleep(OFTEN_S)
        if beside and beside.process.stdin:
            beside.process.stdin.close()
        while parts:
            outcomes |= _ended(parts)
            time.sleep(OFTEN_S)
    return outcomes


@contextmanager
def _under_way() -> Iterator[list[Part]]:
    """Yield a list for the parts that are under way; those that are still in it at the end are ended, and told."""
    parts: list[Part] = []
    try:
        yield parts
    finally:
        for part in parts:
            part.process.terminate()
            if part.process.stdin:
                part.process.stdin.close()
        for part in parts:
            part.process.wait()
            last = "\n".join(part.words().splitlines()[-LAST_WORDS:])
            print(f"\n=== {part.name}\n{last}\n=== {part.name}: not finished", flush=True)


def _next(waiting: Sequence[str], parts: Sequence[Part]) -> str | None:
    """Return the first part that waits for no other."""
    unfinished = {*waiting, *(part.name for part in parts)}
    return next((part for part in waiting if not AFTER.get(part, set()) & unfinished), None)


def _begun(name: str, parts: list[Part], *, waits: bool = False) -> Part:
    """Begin a part, or one that gives way to all others and goes on until its standard input is closed."""
    said = CACHE / f"{name.partition(' (')[0].replace(' ', '-')}.said"
    command = [sys.executable, "-m", PARTS[name]]
    if waits:
        command = ["nice", "-n", str(LAST), *command, "--beside"]
    with said.open("wb") as log:
        stdin = subprocess.PIPE if waits else subprocess.DEVNULL
        process = subprocess.Popen(command, stdin=stdin, stdout=log, stderr=subprocess.STDOUT)
    part = Part(name, process, said)
    parts.append(part)
    print(f"\n=== {name}: begun", flush=True)
    return part


def _ended(parts: list[Part]) -> dict[str, int]:
    """Take those that have ended off the list, print what they said, and return their exit codes."""
    outcomes = {}
    for part in list(parts):
        pid, status, used = os.wait4(part.process.pid, os.WNOHANG)
        if pid:
            parts.remove(part)
            part.process.returncode = outcomes[part.name] = code = os.waitstatus_to_exitcode(status)
            took, core = time.monotonic() - part.started, used.ru_utime + used.ru_stime
            print(f"\n=== {part.name}\n{part.words()}", end="")
            print(f"=== {part.name}: {_word(code)} in {took:.0f} s, {core:.0f} s of a core", flush=True)
    return outcomes


def _last_line(parts: int, failed: list[str], missing: list[str]) -> str:
    did_not_run = f"did not run, their tools can't be installed here: {', '.join(missing)}" if missing else ""
    if failed:
        return f"conformance: failed: {', '.join(failed)}{'; ' if missing else ''}{did_not_run}"
    if missing:
        return f"conformance: nothing failed, but these parts {did_not_run}"
    return f"conformance: all {parts} parts ran and passed"


def _word(code: int) -> str:
    return {PASSED: "passed", NOT_RUN: "did not run"}.get(code, f"FAILED (exit {code})")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who ends us hears what was under way, as after Ctrl-C
    sys.exit(main(sys.argv[1:]))
