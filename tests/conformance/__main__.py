"""Run every conformance part, say what each found, and end with the verdict as exit code.

The histories of faults, which wait for nothing, are played beside the other parts in the time that those leave: most
wait for a browser, a server or a disk now and then, on one core. What the histories say comes when they have ended.

0: all parts ran and agreed. 1: a check failed. 3: nothing failed, but a part could not run because its tools can't be
installed here; the last line names it. `make` turns each failure into 2, so the verdict is also kept in
`.cache/conformance/exit` and the last line in `.cache/conformance/last-line`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conformance import strangers

CACHE = Path(".cache/conformance")
PASSED, FAILED, NOT_RUN = 0, 1, 3

# Each part is a module with a main of its own that follows the same exit codes. The validator comes after the journeys,
# in the demo and on strangers' servers, because it judges what they left behind.
PARTS = {
    "journeys (browser)": "tests.conformance.journeys",
    "accessibility (IBM Equal Access)": "tests.conformance.accessibility.run",
    "profiles (SUSHI)": "tests.conformance.profiles",
    "thorough tests": "tests.conformance.thorough",
    "mutated records": "tests.conformance.mutated_records",
    "histories of faults": "tests.conformance.faults",
    "killed processes": "tests.conformance.processes",
    "FHIR servers": "tests.conformance.servers",
    "write path": "tests.conformance.write_path",
    "bulk data": "tests.conformance.bulk",
    "links (SMART Health Links)": "tests.conformance.links.run",
    "hooks (CDS Hooks)": "tests.conformance.hooks.run",
    "PGO (MedMij)": "tests.conformance.mgo.run",
    "sign-in (oidc-provider)": "tests.conformance.sign_in.oidc",
    "PGO answers (STU3)": "tests.conformance.mgo.stu3",
    "Koppeltaal (authorization service)": "tests.conformance.koppeltaal",
    "sign-in (Keycloak)": "tests.conformance.sign_in.keycloak.run",
    "sign-in (SMART launcher)": "tests.conformance.sign_in.launcher.run",
    "HL7 validator": "tests.conformance.validate",
    "views (SQL on FHIR)": "tests.conformance.views.run",
    "populations (Spark, Sail, DuckDB, Polars)": "tests.conformance.engines.run",
    "paper (veraPDF)": "tests.conformance.paper",
    "PostgreSQL": "tests.conformance.databases",
    "form renderers": "tests.conformance.renderers.run",
    "deployment": "tests.conformance.deployed.run",
}

BESIDE = "histories of faults"
"""The part that is played beside the others: its clock is not that of the machine, so that it can't come too late."""
LAST = "19"
"""How much it gives way to whatever else wants a core, as `nice` says it: some of the others measure time."""


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
    outcomes: dict[str, int] = {}
    if BESIDE in chosen and len(chosen) > 1:
        with _begun(BESIDE) as ended:
            outcomes |= {part: _run(part) for part in chosen if part != BESIDE}
            outcomes[BESIDE] = ended()
    else:
        outcomes |= {part: _run(part) for part in chosen}
    failed = [part for part in chosen if outcomes[part] not in {PASSED, NOT_RUN}]
    missing = [part for part in chosen if outcomes[part] == NOT_RUN]
    verdict = FAILED if failed else NOT_RUN if missing else PASSED
    last_line = _last_line(len(outcomes), failed, missing)
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "exit").write_text(f"{verdict}\n")
    (CACHE / "last-line").write_text(f"{last_line}\n")
    if not names:
        strangers.write_page()
    print(f"\n{last_line}")
    return verdict


def _run(part: str) -> int:
    """Run a part and return its exit code."""
    print(f"\n=== {part}", flush=True)
    started = time.monotonic()
    code = subprocess.run([sys.executable, "-m", PARTS[part]], check=False).returncode
    print(f"=== {part}: {_word(code)} in {time.monotonic() - started:.0f} s", flush=True)
    return code


@contextmanager
def _begun(part: str) -> Iterator[Callable[[], int]]:
    """Begin a part that gives way to all others; yield what waits for it, prints what it said and returns its code."""
    CACHE.mkdir(parents=True, exist_ok=True)
    print(f"\n=== {part}: begun, and played beside the others", flush=True)
    said, started = CACHE / "beside.log", time.monotonic()
    with said.open("w", encoding="utf-8") as log:
        command = ["nice", "-n", LAST, sys.executable, "-m", PARTS[part]]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

        def ended() -> int:
            print(f"\n=== {part}", flush=True)
            code = process.wait()
            print(said.read_text(encoding="utf-8", errors="replace"), end="")
            print(f"=== {part}: {_word(code)} in {time.monotonic() - started:.0f} s, beside the others", flush=True)
            return code

        try:
            yield ended
        finally:
            process.terminate()  # where this run was broken off; Ctrl-C and `.ci/run` end our whole group
            process.wait()


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
    sys.exit(main(sys.argv[1:]))
