"""The house keeps its shape: imports run one way, packages carry their data, and nothing names a machine."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import questionnaires

ROOT = Path(__file__).parents[1]


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.decode().split("\0") if name]


def test_import_contracts_hold() -> None:
    result = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


def _all_but_code(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if "." in name and not name.endswith(".py")]


@pytest.mark.parametrize(
    ("module", "line", "said"),
    [
        ("mappers/scoring.py", "import flask", "mappers.scoring -> flask"),
        ("questionnaires/model.py", "import mappers.scoring", "questionnaires.model -> mappers.scoring"),
        ("smartapp/storage/vault.py", "import smartapp.pages.home", "smartapp.storage.vault -> smartapp.pages.home"),
        ("smartapp/records/placement.py", "import flask", "smartapp.records.placement -> flask"),
        ("smartapp/pages/scores/trends.py", "import smartapp.pages.overview", ".scores -> .overview"),
        ("smartapp/sandbox/server.py", "import smartapp.sandbox.portal", ".server -> .portal"),
    ],
)
def test_each_import_contract_can_break(tmp_path: Path, module: str, line: str, said: str) -> None:
    """Good and bad: the contracts hold for the tree as it is, and one wrong import in a copy of it breaks them."""
    for package in ("questionnaires", "mappers", "fhir_profiles", "smartapp"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=_all_but_code)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    with (tmp_path / module).open("a") as file:
        file.write(f"\n{line}\n")
    result = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert said in result.stdout


def test_wheel_carries_the_data(tmp_path: Path) -> None:
    """One wheel holds the code and every definition, template, style sheet and published file."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    data = [
        str(path.relative_to(ROOT))
        for path in tracked_files()
        if path.relative_to(ROOT).parts[0] in {"questionnaires", "mappers", "smartapp", "fhir_profiles"}
        and path.name != ".gitkeep"
        and path.exists()
    ]
    assert len(data) > 50
    assert [name for name in data if name not in inside] == []


def test_every_dependency_has_a_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    reasons = (ROOT / "CONTRIBUTING.md").read_text()
    wanted = project["dependencies"] + [name for extra in project["optional-dependencies"].values() for name in extra]
    names = [requirement.split(">")[0].split("[")[0] for requirement in wanted]
    assert [name for name in names if f"`{name}`" not in reasons] == []


def test_every_chore_is_explained() -> None:
    """Each word that the Makefile offers appears in CONTRIBUTING.md."""
    makefile = (ROOT / "Makefile").read_text()
    chores = makefile.split(".PHONY:")[1].split("\n")[0].split()
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert [chore for chore in chores if f"`make {chore}`" not in text] == []


def test_there_is_one_version() -> None:
    """The wheel reads it where the code does; FSH cannot read it, so its copies are compared."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["tool"]["hatch"]["version"] == {"path": "questionnaires/__init__.py"}
    source = ROOT / "fhir_profiles"
    [ours] = re.findall(r"^version: (.+)$", (source / "sushi-config.yaml").read_text(), re.MULTILINE)
    copies = [
        copy
        for path in sorted((source / "input" / "fsh").glob("*.fsh"))
        for copy in re.findall(r'^\* version = "(.+)"$|"Verstel (\d[^"]*)"', path.read_text(), re.MULTILINE)
    ]
    assert {ours, *(one or other for one, other in copies)} == {questionnaires.__version__}
    assert len(copies) >= 2


def test_each_package_says_that_it_is_typed() -> None:
    linted = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    assert [name for name in linted if not (ROOT / name / "py.typed").is_file()] == []


@pytest.mark.parametrize("file", [".github/workflows/ci.yml", ".ci/run"])
def test_ci_calls_words_that_the_makefile_has(file: str) -> None:
    """Each forge calls the same words as people do, so that none of them checks something else."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = set(re.findall(r"\bmake ([a-z-]+)", re.sub(r"#.*", "", (ROOT / file).read_text())))
    assert {"lint", "test", "conformance"} <= called <= targets


def test_every_generated_file_that_is_marked_is_there() -> None:
    """A pattern that matches nothing is left over from something that moved."""
    names = [path.relative_to(ROOT).as_posix() for path in tracked_files()]
    attributes = (ROOT / ".gitattributes").read_text()
    patterns = re.findall(r"^(\S+) linguist-generated$", attributes, re.MULTILINE)
    assert len(patterns) > 5
    assert [one for one in patterns if not fnmatch.filter(names, one.replace("**/", "*").replace("**", "*"))] == []


def test_the_environment_is_read_in_these_places_only() -> None:
    """As `smartapp/settings.py` says; the compiler passes its own environment on to SUSHI; the database adds to it.

    So do engines, which start programs of their own.
    """
    packages = ("questionnaires", "mappers", "fhir_profiles", "smartapp")
    code = [path for name in packages for path in (ROOT / name).rglob("*.py")]
    reads = re.compile(r"\bos\.(environ|getenv)")
    read = {path.relative_to(ROOT).as_posix() for path in code if reads.search(path.read_text(encoding="utf-8"))}
    assert read == {
        "fhir_profiles/compile.py",
        "questionnaires/canonical.py",
        "questionnaires/catalogue.py",
        "questionnaires/maps.py",
        "questionnaires/programmes.py",
        "smartapp/populations/clusters.py",
        "smartapp/settings.py",
        "smartapp/storage/database.py",
    }


def test_the_time_is_asked_in_these_places_only() -> None:
    """Everything else goes by the clock that it is given, so that a test or a demo can be on another day.

    Each of these is where a clock begins, or is about the time of other machines: the header `Date` of a mail and of an
    answer, a token of the command line; or it is a command that works on what an installation keeps.
    """
    packages = ("questionnaires", "mappers", "smartapp")
    code = [path for name in packages for path in (ROOT / name).rglob("*.py")]
    asks = re.compile(r"\btime\.time\b|\bdatetime\.(now|today|utcnow)\b|\bdate\.today\b")
    asking = {path.relative_to(ROOT).as_posix() for path in code if asks.search(path.read_text(encoding="utf-8"))}
    assert {one for one in asking if not one.startswith("smartapp/commands/")} == {
        "smartapp/app.py",
        "smartapp/fhir/http.py",
        "smartapp/fhir/own/store.py",
        "smartapp/mail.py",
        "smartapp/populations/bulk_export.py",
        "smartapp/sandbox/server.py",
        "smartapp/smart/backend.py",
        "smartapp/storage/clock.py",
    }
