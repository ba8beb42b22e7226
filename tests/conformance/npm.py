"""Packages of npm that only conformance needs: by exact version and hash, and without install scripts."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.conformance.turns import one_at_a_time

MINUTES = 8


class MissingToolError(Exception):
    """A program or package that a part needs can't be had here; the message names it and what to do."""


@cache
def program(*names: str) -> str:
    """Return the path of the first of these programs that is installed."""
    for name in names:
        if found := shutil.which(name):
            return found
    raise MissingToolError(f"no {' or '.join(names)} on this machine: install it and run again")


def install(source: Path, target: Path) -> Path:
    """Put the packages locked in one folder into another, unless exactly they are there; return its `node_modules`."""
    lock = (source / "package-lock.json").read_bytes()
    stamp, wanted = target / "installed", hashlib.sha256(lock + (source / "package.json").read_bytes()).hexdigest()
    if not (stamp.is_file() and stamp.read_text() == wanted):
        target.mkdir(parents=True, exist_ok=True)
        stamp.unlink(missing_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(source / name, target / name)
        # Peer dependencies are in the lock as far as they are used; npm's own search for the rest takes many minutes.
        with one_at_a_time("npm"):
            npm(target, "ci", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund")
        stamp.write_text(wanted)
    return target / "node_modules"


def version(source: Path, package: str) -> str:
    """Return the version of a package that the lock in a folder asks for."""
    lock = json.loads((source / "package-lock.json").read_text("utf-8"))
    found: str = lock["packages"][f"node_modules/{package}"]["version"]
    return found


def npm(folder: Path, *arguments: str) -> None:
    """Run npm in a folder; raise MissingToolError with its last words when it can't do what was asked."""
    command = [program("npm"), *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=MINUTES * 60)
    except subprocess.TimeoutExpired:
        raise MissingToolError(f"npm {arguments[0]} gave no answer in {MINUTES} minutes: no registry?") from None
    if done.returncode:
        last = "\n".join(line for line in done.stderr.splitlines() if "warn" not in line)[-600:]
        raise MissingToolError(f"npm {arguments[0]} failed: {last}")
