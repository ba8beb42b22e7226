"""Put small faults into the code, one at a time, and count those that no test notices: a sample, drawn by a seed.

Run as `make mutants`, or `python -m scripts.mutants AREA --sample 150 --seed 1` for an area of `areas.toml`. mutmut
makes the faults and runs the tests that reach each of them, in a copy of what git knows (`.cache/mutants`). Prints the
share that was noticed and the names of the others; `mutmut show NAME`, in that folder, shows one.

Two things it cannot do: it changes no constant of a module (the table of states has its own test), and no function
with a decorator, such as a property. A fault that changes nothing for anyone counts as not noticed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from scripts.areas import ROOT, Area, areas_named

CACHE: Final = ROOT / ".cache/mutants"
_NOT_NOTICED: Final = {0: "survived", 5: "no tests", 33: "no tests"}
"""mutmut's exit codes of a fault that went through; 1 and 3 are a test that failed, 24 and 36 one that hung."""

# The tests run several times in one process, then in forks of it. What the first left open is no fault of the second.
_QUIET: Final = ("-p", "no:cacheprovider", "-p", "no:unraisableexception", "-p", "no:threadexception")
_OPTIONS: Final = (*_QUIET, "-W", "ignore::ResourceWarning")


def main(arguments: list[str] | None = None) -> int:
    """Try a sample of faults in one area and return 0 where enough of them were noticed, else 1."""
    parser = argparse.ArgumentParser(description="How many small faults in an area do its nearest tests notice?")
    parser.add_argument("area", nargs="?", default="outbox", help="one of areas.toml (outbox)")
    parser.add_argument("--sample", type=int, default=150, help="how many faults are tried (150)")
    parser.add_argument("--seed", type=int, default=1, help="draws the sample (1)")
    parser.add_argument("--floor", type=float, default=0, help="per cent that has to be noticed (0: only tell)")
    chosen = parser.parse_args(arguments)
    [area] = areas_named(parser, [chosen.area])
    _copy(area)
    # Of one file first, whatever comes of it: mutmut makes all faults then, and learns which test reaches which code.
    _mutmut(f"{_module(area.files()[-1])}.*")
    faults = sorted(_results())
    sample = random.Random(chosen.seed).sample(faults, min(chosen.sample, len(faults)))
    _mutmut(*sample)
    results = {name: code for name, code in _results().items() if name in sample}
    print("\n".join(told(area.name, len(faults), results)))
    return 0 if score(results) >= chosen.floor else 1


def score(results: Mapping[str, int | None]) -> float:
    """Return the per cent of the faults that were noticed, of those that were tried."""
    tried = [code for code in results.values() if code is not None]
    return 100 * sum(code not in _NOT_NOTICED for code in tried) / len(tried) if tried else 0.0


def told(area: str, faults: int, results: Mapping[str, int | None]) -> list[str]:
    """Return the lines that say how many faults were noticed, file by file, and which were not."""
    tried = {name: code for name, code in results.items() if code is not None}
    lines = [f"{area}: {score(tried):.1f} % of {len(tried)} faults noticed ({faults} can be made)"]
    of_file = Counter(_file(name) for name in tried)
    missed = Counter(_file(name) for name, code in tried.items() if code in _NOT_NOTICED)
    lines += [f"  {of_file[file] - missed[file]:4} of {of_file[file]:4}  {file}" for file in sorted(of_file)]
    lines += [f"  {_NOT_NOTICED[code]}: {name}" for name, code in sorted(tried.items()) if code in _NOT_NOTICED]
    if len(tried) < len(results):
        lines.append(f"  {len(results) - len(tried)} were not tried: mutmut ended before, see .cache/mutants/log.txt")
    return lines


def _file(fault: str) -> str:
    return fault.partition(".x")[0]


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _copy(area: Area) -> None:
    """Lay out a fresh copy of all that git knows, with what mutmut is to do with it."""
    shutil.rmtree(CACHE, ignore_errors=True)
    known = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, known.split("\0")):
        if (ROOT / name).is_file():
            (CACHE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, CACHE / name)
    (CACHE / "setup.cfg").write_text(_settings(area, sorted(path.name for path in CACHE.iterdir())))


def _settings(area: Area, copied: Sequence[str]) -> str:
    lists = {
        "source_paths": sorted({one.partition("/")[0] for one in area.code}),
        "only_mutate": area.files(),
        "also_copy": copied,
        "pytest_add_cli_args_test_selection": area.tests,
        "pytest_add_cli_args": _OPTIONS,
    }
    lines = [f"{name} =\n" + "".join(f"    {one}\n" for one in values) for name, values in lists.items()]
    # A machine that is busy must not look like a fault that hangs.
    return "[mutmut]\n" + "".join(lines) + "timeout_constant = 20.0\nuse_git_change_detection = false\n"


def _mutmut(*names: str) -> None:
    """Try these faults; its exit code says nothing, what it found is in its files."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *names]
    with (CACHE / "log.txt").open("ab") as log:
        code = subprocess.run(command, cwd=CACHE, env=environment, stdout=log, stderr=log, check=False).returncode
        log.write(f"\nmutmut ended with {code}\n".encode())


def _results() -> dict[str, int | None]:
    """Return mutmut's exit code of each fault, None for one that was not tried."""
    found: dict[str, int | None] = {}
    for path in sorted((CACHE / "mutants").rglob("*.meta")):
        found |= json.loads(Path(path).read_bytes())["exit_code_by_key"]
    return found


if __name__ == "__main__":
    sys.exit(main())
