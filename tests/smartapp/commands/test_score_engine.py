"""`verstel score --engine` says what it needs, and goes with what another engine can do."""

from __future__ import annotations

import orjson
import pytest
from click.testing import CliRunner

from smartapp.cli import main
from smartapp.populations import engines
from tests.mappers.build import all_answered, response


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "responses.ndjson"
    path.write_bytes(orjson.dumps(response("hoop", all_answered("hoop"))) + b"\n")
    return str(path)


def ran(*arguments):
    return CliRunner().invoke(main, ["score", *arguments])


@pytest.mark.parametrize("engine", engines.ENGINES)
def test_an_engine_that_is_not_installed_is_wrong_usage_that_names_its_extra(engine, file, monkeypatch):
    monkeypatch.setitem(engines._NEEDS, engine, ("pyarrow", "no_such_module"))
    result = ran("--engine", engine, file)
    assert result.exit_code == 2
    assert f"{engine} needs no_such_module" in result.output
    assert f"pip install 'verstel[{engine}]'" in result.output


@pytest.mark.parametrize("option", [["--master", "sc://host"], ["--out", "parts"]])
@pytest.mark.parametrize("engine", [[], ["--engine", "duckdb"], ["--engine", "polars"]])
def test_a_cluster_is_for_an_engine_that_has_workers(engine, option, file):
    result = ran(*engine, *option, file)
    assert result.exit_code == 2
    assert "--master, --package and --out go with --engine spark or sail." in result.output


@pytest.mark.parametrize("other", [["--jobs", "2"], ["--format", "table"], ["--from", "https://ehr.example/r4"]])
def test_what_an_engine_does_not_do_is_wrong_usage(other, file):
    result = ran("--engine", "spark", *other, file)
    assert result.exit_code == 2
    assert "--engine scores files into NDJSON" in result.output


@pytest.fixture
def no_engine_needed(monkeypatch):
    monkeypatch.setattr(engines, "_NEEDS", dict.fromkeys(engines.ENGINES, ("pyarrow",)))


def test_workers_cannot_open_standard_input(no_engine_needed):
    result = ran("--engine", "sail", "-")
    assert result.exit_code == 2
    assert "save it as a file" in result.output


def test_spark_without_java_says_so_before_it_starts(no_engine_needed, file, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    result = ran("--engine", "spark", file)
    assert result.exit_code == 2
    assert "Spark needs Java 17 or newer" in result.output


def test_a_folder_with_something_in_it_is_not_written_to(no_engine_needed, file, tmp_path):
    result = ran("--engine", "sail", "--out", str(tmp_path), file)
    assert result.exit_code == 2
    assert "is not empty" in result.output
