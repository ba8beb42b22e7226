"""The documentation says what is so: commands, profiles and instruments are in it, its numbers come from a script."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import pytest

import smartapp.cli
from questionnaires.catalogue import catalogue

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
INTEGRATORS = (ROOT / "docs" / "integrators.md").read_text(encoding="utf-8")
COMMANDS = smartapp.cli.main.list_commands(click.Context(smartapp.cli.main))
PROFILES = sorted(
    path.stem.partition("-")[2] for path in (ROOT / "fhir_profiles/package").glob("StructureDefinition-*")
)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_in_the_readme_and_helps_with_an_example(name: str) -> None:
    assert f"`verstel {name}" in README
    command = smartapp.cli.main.get_command(click.Context(smartapp.cli.main), name)
    assert command is not None
    text = f"{command.help}{command.epilog}{command.get_help(click.Context(command, info_name=name))}"
    assert f"verstel {name}" in text, "the help shows no example"


@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_is_explained_to_integrators(profile: str) -> None:
    assert f"`{profile}`" in INTEGRATORS


@pytest.mark.parametrize("instrument", sorted(catalogue().instruments))
def test_each_instrument_has_its_page(instrument: str) -> None:
    """The README leads to the list, which is generated, and the list to every page."""
    index = ROOT / "docs" / "instruments" / "README.md"
    assert "docs/instruments/README.md" in README
    assert f"({instrument}.md)" in index.read_text(encoding="utf-8")
    assert (index.parent / f"{instrument}.md").is_file()


def test_the_readme_quotes_the_measured_speed() -> None:
    """The ratios in the README are the highest and the lowest of docs/benchmarks.md, which the benchmark writes."""
    table = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    instruments = "(?:nel|hoop|mhcs|mansa)"
    in_process = re.findall(rf"^\| \*\*Verstel\*\*, {instruments} .*\| ([\d.]+) \|$", table, re.MULTILINE)
    command = re.findall(rf"^\| {instruments} \| 20,000 \| [\d.]+ \| ([\d.]+) \|", table, re.MULTILINE)
    assert len(in_process) == len(command) == 4
    for measured in (in_process, command):
        for ratio in (max(measured, key=float), min(measured, key=float)):
            assert f"**{ratio}**" in README, f"measured {ratio}"


PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder, pattern in (
        (ROOT, "*.md"),
        *((ROOT / name, "**/*.md") for name in ("docs", "questionnaires", "mappers", "smartapp", "tests", ".github")),
        (ROOT / "fhir_profiles", "*.md"),
    )
    for path in folder.glob(pattern)
)


@pytest.mark.parametrize("page", PAGES)
def test_no_link_between_pages_is_broken(page: str) -> None:
    folder = (ROOT / page).parent
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    broken = [target for target in targets if "://" not in target and not (folder / target).exists()]
    assert broken == []


NAMES = {
    path.name
    for folder in ("questionnaires", "mappers", "fhir_profiles", "smartapp", "tests", "scripts")
    for path in (ROOT / folder).rglob("*.*")
}


def defined_in(path: Path) -> set[str]:
    """Return what a module defines: functions, classes, `Class.method` and names that are assigned at its top."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def stale_references(text: str, folder: Path) -> list[str]:
    """Return the code that a text names, as `file.py`, `folder/` or `file.py::name`, and that is not there.

    A path counts from the folder of the page, from the root or from `smartapp/`; a name alone may be of a file in any
    folder. One with `<` or `*` in it is a pattern, one that begins with `/` an address.
    """
    stale = []
    named = re.findall(r"`([\w.][\w./-]*(?:\.(?:py|toml|md|po)|/))(?:::([\w.]+))?`", text)
    for path, name in named:
        there = [base / path for base in (folder, ROOT, ROOT / "smartapp") if (base / path).exists()]
        if path in NAMES and not there:
            continue
        if not there or (name and name not in defined_in(there[0])):
            stale.append(f"{path}::{name}" if name else path)
    return stale


@pytest.mark.parametrize("page", [page for page in PAGES if not page.startswith(("docs/", "CHANGELOG"))])
def test_the_code_that_a_page_names_is_there(page: str) -> None:
    assert stale_references((ROOT / page).read_text(encoding="utf-8"), (ROOT / page).parent) == []


def test_code_that_is_not_there_is_found() -> None:
    good = (
        "`mappers/scoring.py::score`, `smartapp/fhir/store.py::Write`, `commands/`, `scoring.py`, `a <b>.py`, `x.py y`"
    )
    assert stale_references(good, ROOT / "mappers") == []
    bad = "`mappers/scoring.py::scoer` `mappers/gone.py` `smartapp/records/records.py::Records.sav` `gone/`"
    assert stale_references(bad, ROOT) == [
        "mappers/scoring.py::scoer",
        "mappers/gone.py",
        "smartapp/records/records.py::Records.sav",
        "gone/",
    ]


def test_the_pages_in_the_root_point_at_the_architecture() -> None:
    for page in ("README.md", "CONTRIBUTING.md"):
        assert "(ARCHITECTURE.md)" in (ROOT / page).read_text(encoding="utf-8"), page
