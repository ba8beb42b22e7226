"""The documentation says what is so: commands, profiles and instruments are in it, its numbers come from a script."""

from __future__ import annotations

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
    assert f"docs/instruments/{instrument}.md" in README


def test_the_readme_quotes_the_measured_speed() -> None:
    """The two ratios in the README are those of docs/benchmarks.md, which the benchmark writes."""
    table = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    measured = {
        name: re.search(rf"^\| {re.escape(name)} .*\| ([\d.]+) \|$", table, re.MULTILINE)
        for name in ("**Verstel**", "verstel score")
    }
    for name, row in measured.items():
        assert row is not None, name
        assert f"**{row[1]}**" in README, f"{name}: measured {row[1]}"


@pytest.mark.parametrize(
    "page",
    [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")] + ["README.md", "CONTRIBUTING.md"],
)
def test_no_link_between_pages_is_broken(page: str) -> None:
    folder = (ROOT / page).parent
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    broken = [target for target in targets if "://" not in target and not (folder / target).exists()]
    assert broken == []
