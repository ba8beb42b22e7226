"""How much of the code that carries people's words its nearest tests reach: each line, and each way out of a branch.

Run as `make coverage`, or `python -m scripts.covered [AREA …]` for some of the areas in `areas.toml`. Prints a table,
names what is not reached, and ends with 1 where an area is below its floor or one of its tests fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from scripts.areas import ROOT, Area, areas_named

CACHE = ROOT / ".cache/coverage"


def main(arguments: list[str] | None = None) -> int:
    """Measure the named areas (all by default) and return 0 where each reaches its floor, else 1."""
    parser = argparse.ArgumentParser(description="How much of some areas their nearest tests reach.")
    parser.add_argument("area", nargs="*", help="one of areas.toml; all by default")
    chosen = areas_named(parser, parser.parse_args(arguments).area)
    CACHE.mkdir(parents=True, exist_ok=True)
    return max([_judged(area) for area in chosen])


def _judged(area: Area) -> int:
    passed = _run_tests(area)
    report = _report(area)
    print("\n".join(table(area, report)), flush=True)
    if not passed:
        print(f"{area.name}: a test failed, so what it would have reached is not counted")
    return 0 if passed and report["totals"]["percent_covered"] >= area.floor else 1


def table(area: Area, report: Mapping[str, Any]) -> list[str]:
    """Return the lines that say how far an area is reached, and in which files what is not."""
    totals = report["totals"]
    lines = [
        f"{area.name}: {totals['percent_covered']:.2f} % of {totals['num_statements']} lines and "
        f"{totals['num_branches']} branches (floor {area.floor} %)"
    ]
    for name, file in sorted(report["files"].items()):
        if missing := [*map(str, file["missing_lines"]), *(_arrow(one) for one in file["missing_branches"])]:
            lines.append(f"  {file['summary']['percent_covered']:6.2f} %  {name}: {', '.join(missing)}")
    return lines


def _arrow(branch: list[int]) -> str:
    start, end = branch
    return f"{start}→{end if end > 0 else 'out'}"


def _run_tests(area: Area) -> bool:
    # Folders, not files: what no test imports is not reached either, and has to be seen.
    folders = {one.rpartition("/")[0] if one.endswith(".py") else one for one in area.code}
    source = f"--source={','.join(sorted(folders))}"
    pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *area.tests]
    return _coverage(area, "run", "--branch", source, *pytest).returncode == 0


def _report(area: Area) -> Any:
    path = CACHE / f"{area.name}.json"
    include = ",".join(one if one.endswith(".py") else f"{one}/*" for one in area.code)
    _coverage(area, "json", "--quiet", f"--include={include}", "-o", str(path)).check_returncode()
    return json.loads(path.read_bytes())


def _coverage(area: Area, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "COVERAGE_FILE": str(CACHE / f"{area.name}.data")}
    return subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=ROOT, env=environment, check=False)


if __name__ == "__main__":
    sys.exit(main())
