"""Run every conformance part, say what each found, and end with the verdict as exit code.

0: all parts ran and agreed. 1: a check failed. 3: nothing failed, but a part could not run because its tools can't be
installed here; the last line names it. `make` turns each failure into 2, so the verdict is also kept in
`.cache/conformance/exit` and the last line in `.cache/conformance/last-line`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

CACHE = Path(".cache/conformance")
PASSED, FAILED, NOT_RUN = 0, 1, 3

# Each part is a module with a main of its own that follows the same exit codes. The validator comes after the journeys,
# in the demo and on strangers' servers, because it judges what they left behind.
PARTS = {
    "journeys (browser)": "tests.conformance.journeys",
    "accessibility (IBM Equal Access)": "tests.conformance.accessibility.run",
    "profiles (SUSHI)": "tests.conformance.profiles",
    "mutated records": "tests.conformance.mutated_records",
    "histories of faults": "tests.conformance.faults",
    "killed processes": "tests.conformance.processes",
    "FHIR servers": "tests.conformance.servers",
    "write path": "tests.conformance.write_path",
    "HL7 validator": "tests.conformance.validate",
    "paper (veraPDF)": "tests.conformance.paper",
    "PostgreSQL": "tests.conformance.databases",
    "form renderers": "tests.conformance.renderers.run",
}


def main(names: list[str]) -> int:
    """Run the named parts (all by default) and return the exit code; 2 for a name that no part has."""
    for file in ("exit", "last-line"):
        (CACHE / file).unlink(missing_ok=True)  # the verdict of an earlier run says nothing about this one
    unknown = [name for name in names if not any(name in part for part in PARTS)]
    if unknown:
        print(f"no part is called {', '.join(unknown)}; there are: {', '.join(PARTS)}")
        return 2
    outcomes: dict[str, int] = {}
    for part, module in PARTS.items():
        if names and not any(name in part for name in names):
            continue
        print(f"\n=== {part}", flush=True)
        started = time.monotonic()
        outcomes[part] = subprocess.run([sys.executable, "-m", module], check=False).returncode
        print(f"=== {part}: {_word(outcomes[part])} in {time.monotonic() - started:.0f} s", flush=True)
    failed = [part for part, code in outcomes.items() if code not in {PASSED, NOT_RUN}]
    missing = [part for part, code in outcomes.items() if code == NOT_RUN]
    verdict = FAILED if failed else NOT_RUN if missing else PASSED
    last_line = _last_line(len(outcomes), failed, missing)
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "exit").write_text(f"{verdict}\n")
    (CACHE / "last-line").write_text(f"{last_line}\n")
    print(f"\n{last_line}")
    return verdict


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
