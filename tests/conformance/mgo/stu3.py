"""HL7's validator, in FHIR STU3, over every answer that a PGO gets.

Run as `python -m tests.conformance.mgo.stu3`. Nictiz' profiles are in no registry, so what they ask is judged only
where VERSTEL_NICTIZ_PROFILES names a folder with them (XML) that is on this machine; elsewhere it is STU3 itself.
Answers that are spoilt must fail, which proves that the validator can fail.
Exit 0: no error, 1: an error, or none where one must be, 3: Java, Maven or HL7's definitions can't be had here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from mappers.medmij import answer, binary, queries
from tests.conformance import strangers
from tests.conformance.java_tools import BuildError, NotHereError, java, version
from tests.mappers.build import response
from tests.mappers.medmij.cases import BASE, CATALOGUE, HOOP_SCORES, RECORD

SYSTEM: Final = "HL7's validator, in STU3"
VARIABLE: Final = "VERSTEL_NICTIZ_PROFILES"
FOLDER: Final = Path(".cache/conformance/mgo")
PASSED, FAILED, NOT_RUN = 0, 1, 3
HALF: Final = response("hoop", {"hoop-01": "2"}, id="half", identifier=None)


def main() -> int:
    """Validate, and say each error, and each spoilt answer without one."""
    named = os.environ.get(VARIABLE, "")
    profiles = Path(named) if named else None
    good, bad = answers(), spoilt(profiled=profiles is not None)
    try:
        results = run_validator({**good, **bad}, profiles)
    except NotHereError as missing:
        print(f"STU3: {missing}", file=sys.stderr)
        strangers.missing(SYSTEM, missing)
        return NOT_RUN
    except BuildError as broken:
        print(f"STU3: {broken}", file=sys.stderr)
        return FAILED
    complaints = complaints_of(results, good, bad)
    for complaint in complaints:
        print(complaint)
    judged = "STU3 and Nictiz' profiles" if profiles else "STU3; Nictiz' profiles are not on this machine"
    print(f"what a PGO gets: {len(good)} resources and answers, against {judged}: {len(complaints)} complaints")
    held = f"{version('validator', 'hapi.version')} (HAPI FHIR)"
    strangers.held(SYSTEM, len(good) + len(bad), complaints, version=held, note=f"Judged against {judged}.")
    return FAILED if complaints else PASSED


def answers() -> dict[str, Any]:
    """Return every answer about a person of whom there is something for each query, and the bytes of each document."""
    record = replace(RECORD, responses=(*RECORD.responses, HALF))
    found: dict[str, Any] = {
        one.id: answer(one.service, one.asked, one.parameters, record, CATALOGUE, base=BASE, path=one.path)
        for one in queries()
    }
    # Each resource by itself too: in a Bundle an error of a profile may be told of the Bundle.
    alone = {
        entry["resource"]["id"]: entry["resource"] for bundle in found.values() for entry in bundle.get("entry", [])
    }
    return found | alone | {f"Binary-{one.id}": binary(one.id, record) for one in record.papers}


def spoilt(*, profiled: bool) -> dict[str, Any]:
    """Return what must fail: a score as it is stored, in R4; and where profiles are judged, what those forbid."""
    found = answers()
    bad = {"bad-r4": HOOP_SCORES[1]}
    if profiled:
        [help_] = [one["resource"] for one in found["helpFromOthers"]["entry"]]
        document = found["documentReference"]["entry"][0]["resource"]
        bad["bad-category"] = {name: value for name, value in help_.items() if name != "category"}
        bad["bad-status"] = {**document, "docStatus": "final"}
    return bad


def run_validator(inputs: dict[str, Any], profiles: Path | None) -> dict[str, list[str]]:
    """Return the errors of each input, by its name."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for name, resource in inputs.items():
        (FOLDER / f"{name}.json").write_text(json.dumps(resource, ensure_ascii=False), encoding="utf-8")
    report = FOLDER.with_suffix(".report")
    report.unlink(missing_ok=True)
    command = [*java("validator", "nl.verstel.conformance.Main", "-Xmx3g"), "--stu3", "--report", str(report)]
    if profiles is not None:
        command += ["--definitions", str(profiles)]
    done = subprocess.run([*command, str(FOLDER)], capture_output=True, text=True, timeout=1200, check=False)
    if not report.is_file():
        raise BuildError(f"the validator gave no report (exit {done.returncode}): {done.stderr[-2000:]}")
    return {
        Path(one["file"]).stem: [
            f"{issue['at']}: {issue['text']}" for issue in one["issues"] if issue["severity"] in ("error", "fatal")
        ]
        for one in json.loads(report.read_bytes())["resources"]
    }


def complaints_of(results: dict[str, list[str]], good: dict[str, Any], bad: dict[str, Any]) -> list[str]:
    """Return a line for each error of what is good, for what was not read, and for what is bad and has none."""
    lines = [f"{name}: {error}" for name in good for error in results.get(name, ["it was not judged"])]
    return lines + [f"{name}: no error where one must be" for name in bad if not results.get(name)]


if __name__ == "__main__":
    sys.exit(main())
