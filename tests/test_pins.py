"""What is installed is what was pinned, to the byte: each version with the digests of its files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
A_PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+) \\\n(?P<digests>(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.M
)


def pins(file: str) -> dict[str, str]:
    return {pin["name"]: pin["version"] for pin in A_PIN.finditer((ROOT / file).read_text(encoding="utf-8"))}


FILES = ("requirements.txt", "requirements-test.txt", "requirements-postgresql.txt", "requirements-build.txt")


@pytest.mark.parametrize("file", FILES)
def test_every_pin_is_one_version_with_the_digests_of_its_files(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    wanted = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(wanted) == len(pins(file)) > 1


def test_all_pins_agree_so_that_they_can_be_installed_into_one_place():
    versions = {file: pins(file) for file in FILES}
    names = {name for known in versions.values() for name in known}
    assert {name for name in names if len({known[name] for known in versions.values() if name in known}) > 1} == set()
    assert {"psycopg", "psycopg-binary"} <= versions["requirements-postgresql.txt"].keys()


def test_every_dependency_is_pinned_and_tests_run_on_what_is_deployed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[\[>]", one)[0].replace(".", "-") for one in project["dependencies"]}
    assert needed <= pins("requirements.txt").keys()
    assert pins("requirements.txt").items() <= pins("requirements-test.txt").items()
