"""Install the form engines into `.cache/renderers` and find the programs that run them.

The npm packages come by exact version and hash (package-lock.json) and without install scripts. LHC-Forms is packed
by itself: its browser bundle contains what it needs, and the Angular packages that its manifest names are only for
building it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import threading
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
DRIVERS = HERE / "drivers"
CACHE = Path(".cache/renderers").resolve()
MODULES = CACHE / "node_modules"
LHC_FORMS = CACHE / "lforms"
# The engines work in threads of their own, and two of them use the same npm packages.
_ONE_AT_A_TIME = threading.Lock()
NPM_MINUTES = 8
DRIVER_MINUTES = 8
LHC_FORMS_FILES = ("webcomponent/assets/lib/zone.min.js", "webcomponent/lhc-forms.js", "fhir/R4/lformsFHIR.min.js")


class MissingToolError(Exception):
    """A program or package that a part needs can't be had here; the message names it and what to do."""


class DriverError(Exception):
    """A driver ended without answers; the message is what it said."""


@cache
def program(*names: str) -> str:
    """Return the path of the first of these programs that is installed."""
    for name in names:
        if found := shutil.which(name):
            return found
    raise MissingToolError(f"no {' or '.join(names)} on this machine: install it and run again")


def chromium() -> str:
    """Return the path of a Chromium."""
    return program("chromium", "chromium-browser", "google-chrome")


def versions() -> dict[str, str]:
    """Return the exact versions that are asked for, by package name."""
    packages: dict[str, str] = json.loads((HERE / "package.json").read_text())["dependencies"]
    lforms = json.loads((HERE / "lforms.json").read_text())
    return {**packages, lforms["name"]: lforms["version"]}


def install_modules() -> None:
    """Put the locked npm packages into the cache, unless exactly they are there already."""
    with _ONE_AT_A_TIME:
        _install_modules()


def _install_modules() -> None:
    lock = (HERE / "package-lock.json").read_bytes()
    stamp, wanted = CACHE / "installed", hashlib.sha256(lock + (HERE / "package.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, CACHE / name)
    # Peer dependencies are in the lock as far as they are used; npm's own search for the rest takes many minutes.
    _npm("ci", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund")
    stamp.write_text(wanted)


def install_lhc_forms() -> None:
    """Put LHC-Forms' browser bundle into the cache, checked by hash."""
    package = json.loads((HERE / "lforms.json").read_text())
    stamp = LHC_FORMS / "installed"
    if stamp.is_file() and stamp.read_text() == package["integrity"]:
        return
    shutil.rmtree(LHC_FORMS, ignore_errors=True)
    LHC_FORMS.mkdir(parents=True)
    _npm("pack", f"{package['name']}@{package['version']}", "--ignore-scripts", "--pack-destination", str(LHC_FORMS))
    archive = next(LHC_FORMS.glob("*.tgz"))
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != package["integrity"]:
        raise MissingToolError(f"{archive.name} is not the file that lforms.json names ({found}): not used")
    with tarfile.open(archive) as files:
        for name in LHC_FORMS_FILES:
            (LHC_FORMS / Path(name).name).write_bytes(_bytes(files, f"package/dist/lforms/{name}"))
    archive.unlink()
    stamp.write_text(package["integrity"])


def _bytes(files: tarfile.TarFile, name: str) -> bytes:
    member = files.extractfile(name)
    if member is None:
        raise MissingToolError(f"the lforms package has no {name}")
    return member.read()


def _npm(*arguments: str) -> None:
    try:
        done = subprocess.run(
            [program("npm"), *arguments],
            cwd=CACHE,
            capture_output=True,
            text=True,
            check=False,
            timeout=NPM_MINUTES * 60,
        )
    except subprocess.TimeoutExpired:
        raise MissingToolError(f"npm {arguments[0]} gave no answer in {NPM_MINUTES} minutes: no registry?") from None
    if done.returncode:
        last = "\n".join(line for line in done.stderr.splitlines() if "warn" not in line)[-600:]
        raise MissingToolError(f"npm {arguments[0]} failed: {last}")


def driver(name: str) -> Path:
    """Return a node driver where it can run: beside the packages, bundled where node can't load them as they are."""
    target = CACHE / "drivers"
    with _ONE_AT_A_TIME:
        shutil.copytree(DRIVERS, target, dirs_exist_ok=True)
    if name != "smart-forms":
        return target / f"{name}.mjs"
    bundle = target / "smart-forms.bundle.mjs"
    _node(target / "bundle.mjs", target / "smart-forms.mjs", bundle, MODULES)
    return bundle


def run_driver(script: Path, job: Path, result: Path) -> None:
    """Let a node driver answer a job file; raise DriverError with what it said when it could not."""
    _node(script, job, result)


def _node(*arguments: Path) -> None:
    command = [program("node"), *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DRIVER_MINUTES * 60)
    except subprocess.TimeoutExpired:
        raise DriverError(f"{arguments[0].name} was not done in {DRIVER_MINUTES} minutes") from None
    if done.returncode:
        raise DriverError(f"{arguments[0].name} exited with {done.returncode}:\n{done.stderr[-2000:]}")
