"""The environment with all engines, in .cache: by exact versions and hashes, none of it in that of the project."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path
from typing import Final

from tests.conformance.npm import MissingToolError
from tests.conformance.validate import CACHE

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[2]
PINS: Final = HERE / "requirements.txt"
PLACE: Final = CACHE / "engines"
PATIENCE: Final = 400


def python() -> Path:
    """Return the Python that has the engines; MissingToolError where they can't be installed."""
    program, stamp, pins = PLACE / "bin" / "python", PLACE / "installed", PINS.read_text("utf-8")
    if not (stamp.is_file() and stamp.read_text("utf-8") == pins):
        venv.create(PLACE, clear=True, with_pip=True)
        command = [program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        done = subprocess.run(
            [*map(str, command), "-r", str(PINS)], capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        if done.returncode:
            raise MissingToolError(f"the engines can't be installed: {done.stderr[-300:]}")
        stamp.write_text(pins, encoding="utf-8")
    return program.absolute()


def surroundings() -> dict[str, str]:
    """Return the environment variables in which that Python finds this checkout, and its own packages only."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def version(package: str) -> str:
    """Return the version that is pinned of a package."""
    lines = PINS.read_text("utf-8").splitlines()
    return next(line for line in lines if line.startswith(f"{package}==")).partition("==")[2].split()[0]
