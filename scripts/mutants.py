"""Put small faults into the code, one at a time, and count those that no test notices: a sample, drawn by a seed.

Run as `make mutants`, or `python -m scripts.mutants AREA --sample 150 --seed 1` for an area of `areas.toml`. mutmut
makes the faults, `scripts.tried` runs the tests that reach each of them, in a copy of what git knows
(`.cache/mutants/AREA`). Prints the share that was noticed, and each fault that was not.

Two things it cannot do: it changes no constant of a module (the table of states has its own test), and no function
with a decorator, such as a property. A fault that changes nothing for anyone counts as not noticed, unless it is of a
kind that `equivalent.toml` names.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.areas import ROOT, areas_named

CACHE: Final = ROOT / ".cache/mutants"


@dataclass(frozen=True, slots=True)
class Tried:
    """A fault as mutmut names it, what came of it, the lines that it changes, and how many faults could be made."""

    fault: str
    outcome: str
    diff: str
    of: int
    seconds: float

    @property
    def noticed(self) -> bool:
        """Whether a test failed, hung or died with the fault."""
        return self.outcome.startswith("noticed")

    @property
    def module(self) -> str:
        """The module that has the fault."""
        return self.fault.partition(".x")[0]


def main(arguments: list[str] | None = None) -> int:
    """Try a sample of faults in one area and return 0 where enough of them were noticed, else 1."""
    parser = argparse.ArgumentParser(description="How many small faults in an area do its nearest tests notice?")
    parser.add_argument("area", nargs="?", default="outbox", help="one of areas.toml (outbox)")
    parser.add_argument("--sample", type=int, default=150, help="how many faults are tried (150)")
    parser.add_argument("--seed", type=int, default=1, help="draws the sample (1)")
    parser.add_argument("--floor", type=float, default=0, help="per cent that has to be noticed (0: only tell)")
    chosen = parser.parse_args(arguments)
    [area] = areas_named(parser, [chosen.area])
    copy = CACHE / area.name
    _lay_out(copy)
    # Python would look there before it looks in the copy.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "scripts.tried", area.name, str(chosen.sample), str(chosen.seed)]
    ended = subprocess.run(command, cwd=copy, env=environment, check=False).returncode
    tried = results(copy / "results.jsonl")
    print("\n".join(told(area.name, tried)))
    return 0 if not ended and score(tried) >= chosen.floor else 1


def results(path: Path) -> list[Tried]:
    """Return what was tried; where it broke off, what was tried before."""
    return [Tried(**json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []


def score(tried: Sequence[Tried]) -> float:
    """Return the per cent of the faults that were noticed, of those that were tried."""
    return 100 * sum(one.noticed for one in tried) / len(tried) if tried else 0.0


def told(area: str, tried: Sequence[Tried]) -> list[str]:
    """Return the lines that say how many faults were noticed, file by file, and which were not."""
    if not tried:
        return [f"{area}: nothing was tried, see .cache/mutants/{area}/log.txt"]
    of_file = Counter(one.module for one in tried)
    noticed = Counter(one.module for one in tried if one.noticed)
    lines = [f"{area}: {score(tried):.1f} % of {len(tried)} faults noticed ({tried[0].of} can be made)"]
    lines += [f"  {noticed[file]:4} of {of_file[file]:4}  {file}" for file in sorted(of_file)]
    return lines + [f"{one.fault}: {one.outcome}\n{one.diff}" for one in tried if not one.noticed]


def _lay_out(copy: Path) -> None:
    """Copy all that git knows into a fresh folder; mutmut wants a word on where the code is."""
    shutil.rmtree(copy, ignore_errors=True)
    known = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, known.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    (copy / "setup.cfg").write_text("[mutmut]\nsource_paths = smartapp\n")


if __name__ == "__main__":
    sys.exit(main())
