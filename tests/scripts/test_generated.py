"""Every generated file is up to date, and an old one is named with the word that renews it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_profiles import compiled_from
from questionnaires.catalogue import Catalogue
from scripts import generated
from scripts.generated import Generated, check, make, parts


@pytest.mark.thorough
def test_every_generated_file_is_up_to_date():
    assert check(parts()) == []


def test_what_is_old_is_named_with_the_word_that_renews_it():
    said = ["a.json: is not what the definitions produce; run `verstel questionnaires build`", "b.json: was changed"]
    assert check([Generated("x", lambda: said, lambda: 0)]) == [
        "a.json: is not what the definitions produce; run `make generate`",
        "b.json: was changed; run `make generate`",
    ]


def test_only_what_is_old_is_made_and_a_failure_ends_it(capsys: pytest.CaptureFixture[str]):
    made: list[str] = []

    def maker(name: str, code: int) -> Callable[[], int]:
        def make_it() -> int:
            made.append(name)
            return code

        return make_it

    known = [
        Generated("fresh", list, maker("fresh", 0)),
        Generated("old", lambda: ["a"], maker("old", 0)),
        Generated("broken", lambda: ["b"], maker("broken", 3)),
        Generated("after", lambda: ["c"], maker("after", 0)),
    ]
    assert make(known) == 3
    assert made == ["old", "broken"]
    out, err = capsys.readouterr()
    assert out == "fresh: up to date\nold: renewed\n"
    assert err == "broken: could not be made; see above\n"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of what the FHIR package is compiled from and of the package, with the record between them."""
    for folder in (
        "fhir_profiles/input",
        "fhir_profiles/package",
        "fhir_profiles/compiler",
        "questionnaires/published",
    ):
        shutil.copytree(compiled_from.ROOT / folder, tmp_path / folder)
    for name in ("sushi-config.yaml", "definitions.toml", "compiled_from.json"):
        shutil.copy(compiled_from.ROOT / "fhir_profiles" / name, tmp_path / "fhir_profiles" / name)
    return tmp_path


def test_the_record_fits_what_is_committed(copied: Path):
    assert compiled_from.stale(copied) == []
    assert len(json.loads((copied / compiled_from.RECORD).read_bytes())["sources"]) > 50


@pytest.mark.parametrize(
    "source",
    [
        "fhir_profiles/input/fsh/AL_Aliases.fsh",
        "fhir_profiles/sushi-config.yaml",
        "fhir_profiles/definitions.toml",
        "fhir_profiles/compiler/package-lock.json",
        "questionnaires/published/CodeSystem-life-domain.json",
        "questionnaires/published/ValueSet-answer-hoop-agreement.json",
    ],
)
def test_a_source_changed_since_it_was_compiled_is_named(copied: Path, source: str):
    (copied / source).write_text("changed")
    assert compiled_from.stale(copied) == [f"{source}: was changed since fhir_profiles/package/ was compiled"]


def test_a_source_added_or_removed_is_named(copied: Path):
    (copied / "fhir_profiles/input/fsh/SD_New.fsh").touch()
    (copied / "fhir_profiles/input/fsh/AL_Aliases.fsh").unlink()
    assert compiled_from.stale(copied) == [
        "fhir_profiles/input/fsh/AL_Aliases.fsh: was removed since fhir_profiles/package/ was compiled",
        "fhir_profiles/input/fsh/SD_New.fsh: was added since fhir_profiles/package/ was compiled",
    ]


def test_a_questionnaire_without_new_codes_asks_for_no_compiler(copied: Path):
    (copied / "questionnaires/published/Questionnaire-hoop.json").write_text("changed")
    assert compiled_from.stale(copied) == []


def test_a_compiled_file_changed_by_hand_is_named(copied: Path):
    (copied / "fhir_profiles/package/package.json").write_text("{}")
    assert compiled_from.stale(copied) == [
        "fhir_profiles/package/package.json: was changed by hand, but is compiled from fhir_profiles/input/fsh/"
    ]


def test_without_a_record_the_package_counts_as_old(copied: Path):
    (copied / compiled_from.RECORD).unlink()
    [line] = compiled_from.stale(copied)
    assert line.startswith("fhir_profiles/compiled_from.json: is missing")
    compiled_from.write_record(copied)
    assert compiled_from.stale(copied) == []


@pytest.mark.parametrize("arguments", [["--check"], []])
def test_a_source_that_can_not_be_read_is_named(arguments, monkeypatch, tmp_path, capsys):
    (tmp_path / "garden.toml").write_text('id = "garden"\n')

    def read() -> list[str]:
        return [Catalogue(definitions=tmp_path).instrument("garden").id]

    known = generated.Generated("a made-up part", read, lambda: len(read()))
    monkeypatch.setattr(generated, "parts", lambda: (known,))
    assert generated.main(arguments) == 1
    assert "garden.toml: version: is missing" in capsys.readouterr().err
