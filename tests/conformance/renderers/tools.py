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
from pathlib import Path

from scripts.tour import CHROMIUMS
from tests.conformance.npm import MissingToolError, install, npm, program

HERE = Path(__file__).parent
DRIVERS = HERE / "drivers"
CACHE = Path(".cache/renderers").resolve()
MODULES = CACHE / "node_modules"
LHC_FORMS = CACHE / "lforms"
# The engines work in threads of their own, and two of them use the same npm packages.
_ONE_AT_A_TIME = threading.Lock()
DRIVER_MINUTES = 8
LHC_FORMS_FILES = ("webcomponent/assets/lib/zone.min.js", "webcomponent/lhc-forms.js", "fhir/R4/lformsFHIR.min.js")


class DriverError(Exception):
    """A driver ended without answers; the message is what it said."""


def chromium() -> str:
    """Return the path of a Chromium."""
    return program(*CHROMIUMS)


def versions() -> dict[str, str]:
    """Return the exact versions that are asked for, by package name."""
    packages: dict[str, str] = json.loads((HERE / "package.json").read_text())["dependencies"]
    lforms = json.loads((HERE / "lforms.json").read_text())
    return {**packages, lforms["name"]: lforms["version"]}


def install_modules() -> None:
    """Put the locked npm packages into the cache, unless exactly they are there already."""
    with _ONE_AT_A_TIME:
        install(HERE, CACHE)


def install_lhc_forms() -> None:
    """Put LHC-Forms' browser bundle into the cache, checked by hash."""
    package = json.loads((HERE / "lforms.json").read_text())
    stamp = LHC_FORMS / "installed"
    if stamp.is_file() and stamp.read_text() == package["integrity"]:
        return
    shutil.rmtree(LHC_FORMS, ignore_errors=True)
    LHC_FORMS.mkdir(parents=True)
    wanted = f"{package['name']}@{package['version']}"
    npm(CACHE, "pack", wanted, "--ignore-scripts", "--pack-destination", str(LHC_FORMS))
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
