"""`verstel questionnaires` on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from questionnaires.catalogue import Catalogue
from questionnaires.page import instrument_page
from smartapp.commands.questionnaires import command
from tests.new_form import garden, known_with


def run(*arguments: str):
    return CliRunner().invoke(command, list(arguments))


def test_list_shows_every_instrument_on_a_line():
    result = run("list")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(Catalogue().instruments)


def test_show_prints_the_page():
    result = run("show", "mansa")
    assert result.exit_code == 0
    assert result.stdout == instrument_page(Catalogue().instrument("mansa"))


def test_show_of_an_unknown_instrument_is_wrong_usage_and_lists_what_is_there():
    result = run("show", "phq-9")
    assert result.exit_code == 2
    assert re.search(r"there is no instrument 'phq-9'; choose one of .*\bdecision, .*\bhoop, ", result.stderr)


def test_list_and_show_say_what_kind_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    with_garden = known_with(tmp_path)
    monkeypatch.setattr("smartapp.commands.questionnaires.catalogue", lambda: with_garden)
    lines = {line.split()[0]: line for line in run("list").stdout.splitlines()}
    assert lines["garden"].endswith("12 items  Mijn tuin  (living form)")
    assert lines["decision"].endswith("(record of a conversation)")
    assert lines["sdm-visit"].endswith("(no scores)")
    assert run("show", "garden").stdout == instrument_page(garden())


def test_check_counts_living_forms_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    with_garden = known_with(tmp_path)
    monkeypatch.setattr("smartapp.commands.questionnaires.catalogue", lambda: with_garden)
    monkeypatch.setattr("smartapp.commands.questionnaires.stale_files", lambda: iter(()))
    known = Catalogue()
    said = f"{len(known.instruments) - len(known.living)} instruments, {len(known.living) + 1} living forms, "
    assert run("check").stderr.startswith(said)


def test_check_of_words_that_go_nowhere_names_file_and_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    known = known_with(tmp_path)
    path = tmp_path / "definitions" / "garden.toml"
    path.write_text(path.read_text().replace('becomes = "garden-story"', 'becomes = "garden-nothing"'))
    monkeypatch.setattr("smartapp.commands.questionnaires.catalogue", lambda: known)
    result = run("check")
    assert result.exit_code == 1
    assert "garden.toml: groups[3].items[3].becomes: is 'garden-nothing'; it must be 'goal'" in result.stderr


def test_check_says_that_all_is_well():
    result = run("check")
    assert result.exit_code == 0, result.stderr
    assert "all well" in result.stderr


def test_check_finds_a_wrong_example_and_exits_with_1(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("smartapp.commands.questionnaires.wrong_examples", lambda _: iter(["hoop: wrong"]))
    result = run("check")
    assert result.exit_code == 1
    assert "hoop: wrong" in result.stderr


def test_check_of_a_definition_that_cannot_be_read_names_file_and_key(tmp_path, monkeypatch):
    (tmp_path / "hoop@2.0.0.toml").write_text('id = "hoop"\n')
    monkeypatch.setenv("VERSTEL_DEFINITIONS", str(tmp_path))
    result = run("check")
    assert result.exit_code == 1
    assert "hoop@2.0.0.toml: version: is missing" in result.stderr


def test_build_says_in_words_what_it_cannot_write(tmp_path: Path):
    (tmp_path / "file").touch()
    result = run("build", "--variant", "plain", "--out", str(tmp_path / "file" / "plain"))
    assert result.exit_code == 1
    assert "cannot be written: Not a directory" in result.stderr


def test_build_writes_one_variant_into_a_folder(tmp_path: Path):
    result = run("build", "--variant", "plain", "--out", str(tmp_path / "plain"))
    assert result.exit_code == 0
    form = json.loads((tmp_path / "plain" / "Questionnaire-hoop-plain.json").read_text())
    assert form["url"].endswith("/Questionnaire/hoop-plain")
    assert {path.name for path in (tmp_path / "plain").iterdir()} == {
        f"Questionnaire-{identifier}-plain.json" for identifier in Catalogue().instruments
    }


def test_build_of_everything_puts_the_variants_in_their_folders(tmp_path: Path):
    assert run("build", "--out", str(tmp_path)).exit_code == 0
    assert (tmp_path / "CodeSystem-score.json").is_file()
    assert (tmp_path / "variants" / "template" / "Questionnaire-nel-template.json").is_file()
    assert (tmp_path / "variants" / "plain" / "Questionnaire-nel-plain.json").is_file()


def test_building_again_changes_nothing(tmp_path: Path):
    run("build", "--out", str(tmp_path))
    assert ", 0 changed" in run("build", "--out", str(tmp_path)).stderr


@pytest.mark.parametrize("subcommand", ["list", "show", "build", "check"])
def test_every_subcommand_has_an_example_in_its_help(subcommand):
    assert f"verstel questionnaires {subcommand}" in run(subcommand, "--help").stdout
