"""Compile the FSH source with SUSHI, offline, and put the result into `package/`, the committed FHIR package.

A record beside it, `compiled_from.json`, holds what it was compiled from: see `fhir_profiles.compiled_from`.

Run as `python -m fhir_profiles.compile [--check]`. With `--check` nothing is written: the compiled result is compared
with `package/`. Exit 0: success, 1: errors in the source, or `package/` is out of date, 3: the compiler or HL7's
definitions are not available here.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fhir_profiles import compiled_from, definitions, views
from fhir_profiles.activities import activities
from questionnaires import canonical
from questionnaires.fhir import Resource
from questionnaires.reading import DefinitionError

FOLDER = Path(__file__).parent
PACKAGE = FOLDER / "package"
PUBLISHED = FOLDER.parent / "questionnaires" / "published"
CACHE = FOLDER.parent / ".cache"
# What the source writes; another base (VERSTEL_CANONICAL_BASE) replaces it before compiling.
SOURCE_BASE = "https://verstel.nl/fhir"


class CompileError(RuntimeError):
    """SUSHI found errors in the source; the message quotes them."""


def compiler() -> Path:
    """Install the pinned SUSHI into the cache unless it is there, and return its executable."""
    folder = CACHE / "sushi"
    program = folder / "node_modules" / ".bin" / "sushi"
    lock = (FOLDER / "compiler" / "package-lock.json").read_bytes()
    stamp = folder / "package-lock.json"
    if program.exists() and stamp.is_file() and stamp.read_bytes() == lock:
        return program
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(FOLDER / "compiler" / name, folder / name)
    # A package's install scripts could do anything, and SUSHI needs none.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise definitions.RegistryUnreachableError(f"fsh-sushi can't be installed: {error}") from error
    if done.returncode != 0:
        stamp.unlink()  # or the next run would take what is there for complete
        message = f"fsh-sushi can't be installed with npm (exit {done.returncode}): {done.stderr.strip()[-300:]}"
        raise definitions.RegistryUnreachableError(message)
    return program


def project(target: Path) -> None:
    """Lay out SUSHI's project in `target`: our source, and the published terminology for it to refer to."""
    shutil.rmtree(target, ignore_errors=True)
    (target / "input" / "fsh").mkdir(parents=True)
    for source in [FOLDER / "sushi-config.yaml", *sorted((FOLDER / "input" / "fsh").glob("*.fsh"))]:
        text = source.read_text(encoding="utf-8").replace(SOURCE_BASE, canonical.BASE)
        place = target / source.relative_to(FOLDER)
        place.write_text(text, encoding="utf-8")
    known = target / "input" / "vocabulary"
    known.mkdir()
    for path in sorted(PUBLISHED.glob("*.json")):
        if json.loads(path.read_bytes())["resourceType"] in {"CodeSystem", "ValueSet"}:
            shutil.copyfile(path, known / path.name)


def sushi(target: Path) -> list[Resource]:
    """Compile the project in `target` and return the resources, sorted by type and id.

    Raises CompileError, with SUSHI's own messages, for any error and for any warning that is not a known harmless one.
    """
    environment = {
        **os.environ,
        # SUSHI has no option for the place of its package cache: it is always ~/.fhir/packages.
        "HOME": str(definitions.home()),
        # Otherwise it asks a registry for the newest version of a package of tools that nothing here uses.
        "FPL_REGISTRY": "http://127.0.0.1:9",
        "npm_config_update_notifier": "false",
    }
    command = [str(compiler()), "build", str(target), "--snapshot"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603
    output = done.stdout + done.stderr
    complaints = re.findall(r"^(?:error|warn) .*(?:\n  .*)*", output, flags=re.MULTILINE)
    expected = ("The FSHOnly property is set to true", "automatically-provided hl7.fhir.uv.tools.r4")
    unexpected = [text for text in complaints if not any(known in text for known in expected)]
    if done.returncode != 0 or unexpected:
        raise CompileError("\n".join(unexpected) or output[-2000:])
    paths = sorted((target / "fsh-generated" / "resources").glob("*.json"))
    return [json.loads(path.read_bytes()) for path in paths]


def package_files(resources: list[Resource]) -> dict[str, bytes]:
    """Return the files of the committed package by name: the manifest, definitions, examples in `example/`, and views.

    Views lie in a folder of their own: beside the definitions, software for FHIR R4 would stop at a type that is none.
    """
    files: dict[str, bytes] = {"package.json": as_json(manifest())}
    for resource in resources:
        name = f"{resource['resourceType']}-{resource['id']}.json"
        if resource["resourceType"] == "ViewDefinition":
            name = f"{views.FOLDER}/{name}"
        # Definitions have a canonical address; whatever has none is an example.
        elif "url" not in resource:
            name = f"example/{name}"
        files[name] = as_json(resource)
    return files


def manifest() -> Resource:
    """Return the `package.json` of the package, made from `sushi-config.yaml` and the pinned definitions."""
    config = dict(re.findall(r"^([a-zA-Z]+): *(.+)$", (FOLDER / "sushi-config.yaml").read_text("utf-8"), re.MULTILINE))
    return {
        "name": config["id"],
        "version": config["version"],
        "description": config["description"],
        "title": config["title"],
        "type": "fhir.ig",
        "license": config["license"],
        "author": "Verstel",
        "canonical": canonical.BASE,
        "fhirVersions": [config["fhirVersion"]],
        "dependencies": {package.id: package.version for package in definitions.pinned()},
    }


def as_json(value: Any) -> bytes:
    """Return a value as the JSON that we commit: indented, letters unescaped, and with a line end."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def differences(files: Mapping[str, bytes], folder: Path = PACKAGE) -> list[str]:
    """Return one line for each file of the committed package that differs from what the source compiles to."""
    there = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.json")}
    return [
        f"{name}: {'missing' if name not in there else 'left over' if name not in files else 'differs'}"
        for name in sorted(there.keys() | files.keys())
        if there.get(name) != files.get(name)
    ]


def made() -> list[Resource]:
    """Return the resources of the package that are made in Python, without compiling."""
    return activities() + views.definitions()


def compiled() -> dict[str, bytes]:
    """Fetch what is needed, compile the source and return the package's files by name."""
    definitions.fetch_all()
    target = CACHE / "fhir" / "project"
    project(target)
    resources = sushi(target) + made()
    return package_files(sorted(resources, key=lambda one: (one["resourceType"], one["id"])))


def main(arguments: list[str] | None = None) -> int:
    """Compile, then write or compare; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fhir_profiles.compile", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; compare with the committed package")
    check = parser.parse_args(arguments).check
    try:
        files = compiled()
    except definitions.RegistryUnreachableError as error:
        print(f"profiles: {error}", file=sys.stderr)
        return 3
    except (CompileError, definitions.WrongHashError, DefinitionError) as error:
        print(f"profiles: the source does not compile:\n{error}", file=sys.stderr)
        return 1
    if check:
        found = differences(files)
        for line in found:
            print(f"profiles: package/{line}; run `make generate` and look", file=sys.stderr)
        print(f"profiles: {len(files)} files compiled, {len(found)} differ from the committed package")
        return 1 if found else 0
    shutil.rmtree(PACKAGE, ignore_errors=True)
    for name, content in files.items():
        (PACKAGE / name).parent.mkdir(parents=True, exist_ok=True)
        (PACKAGE / name).write_bytes(content)
    compiled_from.write_record()
    print(f"profiles: {len(files)} files written to package/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
