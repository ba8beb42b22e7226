"""HL7's reference validator over everything that we publish and everything that the app wrote.

Run as `python -m tests.conformance.validate [FOLDER|FILE…]`: the named resources, besides the FHIR package with its
examples, the published questionnaires with their variants, what the sandbox's people have (written down anew at each
run) and what the journeys left in `.cache/conformance/written`. No error is accepted; a warning only when
`accepted_warnings.toml` says why. The bad examples must fail for exactly their reason, which also proves that the
validator can fail.
Exit 0: all well, 1: a check failed, 3: Java, Maven or HL7's definitions can't be had here.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from fhir_profiles import definitions, views
from questionnaires.reading import Strict, read
from tests.conformance import strangers
from tests.conformance.java_tools import BuildError, NotHereError, java, version
from tests.conformance.written import write_down
from tests.fhir_profiles.bad_examples import BadExample, bad_examples

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "conformance"
WRITTEN = CACHE / "written"
SANDBOX = CACHE / "sandbox"
PACKAGE = ROOT / "fhir_profiles" / "package"
PUBLISHED = ROOT / "questionnaires" / "published"
HL7 = "HL7's validator"
ACCEPTED = Path(__file__).with_name("accepted_warnings.toml")


class Accepted(Strict, frozen=True):
    """A warning that we accept: its message id, a pattern in its text, and the reason."""

    id: str
    text: str
    reason: str

    def covers(self, issue: dict[str, Any]) -> bool:
        """Tell whether an issue is this warning."""
        return bool((issue["id"] or "") == self.id and re.search(self.text, issue["text"]))


class _AcceptedWarnings(Strict, frozen=True):
    warning: tuple[Accepted, ...]


def accepted_warnings() -> tuple[Accepted, ...]:
    """Return the accepted warnings, in the order of the file."""
    return read(ACCEPTED, _AcceptedWarnings).warning


def run_validator(inputs: Sequence[Path], report: Path) -> list[dict[str, Any]]:
    """Validate files and folders in one run of the Java program; return its result per resource."""
    folders = [PACKAGE, *sorted({path.parent for path in PUBLISHED.rglob("*.json")}), *definitions.fetch_all()[1:]]
    command = java(
        "validator",
        "nl.verstel.conformance.Main",
        "-Xmx3g",
        # Snapshots of extensions are checked against the core package in `~/.fhir/packages` of this home.
        f"-Duser.home={definitions.home()}",
    )
    for folder in folders:
        command += ["--definitions", str(folder)]
    report.unlink(missing_ok=True)
    command += ["--report", str(report), *map(str, inputs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    if not report.is_file():
        raise BuildError(f"the validator gave no report (exit {done.returncode}): {done.stderr[-2000:]}")
    results: list[dict[str, Any]] = json.loads(report.read_bytes())["resources"]
    return results


def issues_of(result: dict[str, Any], *severities: str) -> list[dict[str, Any]]:
    """Return the issues of one resource that have one of these severities."""
    return [issue for issue in result["issues"] if issue["severity"] in severities]


def complaints(results: Iterable[dict[str, Any]], accepted: Sequence[Accepted], used: Counter[str]) -> list[str]:
    """Return one line for each error and each warning that is not accepted, and count the accepted ones in `used`."""
    lines = []
    for result in results:
        for issue in issues_of(result, "error", "fatal", "warning"):
            reason = next((one for one in accepted if issue["severity"] == "warning" and one.covers(issue)), None)
            if reason:
                used[f"{reason.id} {reason.text}"] += 1
            else:
                lines.append(f"{_short(result['file'])}: {issue['severity']}: {_line(issue)} [{issue['id']}]")
    return lines


def check_bad(case: BadExample, result: dict[str, Any]) -> list[str]:
    """Return one line for each way in which a bad example does not fail for its reason."""
    # A profile's error is repeated in other words when a slice or a nested profile reports it too.
    errors = [_line(issue) for issue in issues_of(result, "error", "fatal")]
    return [f"bad example {case.id} ({case.rule}): {line}" for line in case.misses(errors)]


def _line(issue: dict[str, Any]) -> str:
    return f"{issue['at']}: {issue['text']}"


def _short(file: str) -> str:
    return file.removeprefix(f"{ROOT}/")


def judged() -> list[Path]:
    """Return the parts of the package that FHIR R4 has rules for: all but the views."""
    return [path for path in sorted(PACKAGE.iterdir()) if path.name != views.FOLDER]


def main(arguments: list[str]) -> int:
    """Validate, print counts and every complaint, and return the exit code."""
    write_down(SANDBOX)
    written = [SANDBOX, *([WRITTEN] if WRITTEN.is_dir() else []), *(Path(name).resolve() for name in arguments)]
    bad = CACHE / "bad"
    shutil.rmtree(bad, ignore_errors=True)
    bad.mkdir(parents=True)
    cases = {case.id: case for case in bad_examples()}
    for case in cases.values():
        (bad / f"{case.id}.json").write_text(json.dumps(case.resource()), encoding="utf-8")
    try:
        results = run_validator([*judged(), PUBLISHED, *written, bad], CACHE / "validation.json")
    except (NotHereError, definitions.RegistryUnreachableError) as error:
        print(f"HL7 validator: {error}", file=sys.stderr)
        strangers.missing(HL7, error)
        return 3
    except (BuildError, definitions.WrongHashError) as error:
        print(f"HL7 validator: {error}", file=sys.stderr)
        return 1
    bad_results = {Path(one["file"]).stem: one for one in results if Path(one["file"]).parent == bad}
    good_results = [one for one in results if Path(one["file"]).parent != bad]
    accepted, used = accepted_warnings(), Counter[str]()
    failures = complaints(good_results, accepted, used)
    for entry in accepted:
        if not used[f"{entry.id} {entry.text}"]:
            failures.append(f"accepted_warnings.toml: nothing matches {entry.id} /{entry.text}/ any more; remove it")
    for name, case in cases.items():
        failures += check_bad(case, bad_results[name])
    for line in failures:
        print(line)
    _print_counts(good_results, written, len(cases), used)
    strangers.held(HL7, len(results), failures, version=f"{version('validator', 'hapi.version')} (HAPI FHIR)")
    print(f"HL7 validator: {len(failures)} complaints" if failures else "HL7 validator: zero errors")
    return 1 if failures else 0


def _print_counts(good: list[dict[str, Any]], written: list[Path], bad: int, used: Counter[str]) -> None:
    where = {"package": PACKAGE, "questionnaires": PUBLISHED} | {_short(str(path)): path for path in written}
    for name, folder in where.items():
        count = sum(1 for one in good if one["file"].startswith(str(folder)))
        print(f"{name}: {count} resources validated")
    print(f"bad examples: {bad}; accepted warnings: {sum(used.values())} of {len(used)} kinds")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
