"""`verstel map`: what a map leaves open, what can't be, and what it makes of one response."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from smartapp.cli import main
from tests.mappers.test_mapping import theirs
from tests.questionnaires.test_maps import FORM, GOOD, written


@pytest.fixture(autouse=True)
def without_a_place(monkeypatch):
    monkeypatch.delenv("VERSTEL_MAPS", raising=False)


def run(*arguments: object, given: str | None = None):
    return CliRunner().invoke(main, ["map", *map(str, arguments)], input=given)


def test_check_says_what_is_read_and_what_is_left_open(tmp_path):
    path = written(tmp_path, GOOD, ('  { ours = "hoop-12", link_id = "v12", scale = "eens" },\n', ""))
    done = run("check", path)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:4] == [
        "hope-of-the-house.toml: hoop 1.0.0, 11 of its 12 items",
        f"  reads {FORM}",
        "  not mapped: hoop-12",
        "  never a score: hoop-total (needs 12 of its 12 items)",
    ]


def test_check_of_a_folder_names_each_that_cannot_be_read_and_tells_of_the_others(tmp_path):
    written(tmp_path)
    written(tmp_path, GOOD, ('id = "hope-of-the-house"', 'id = "twice"'), name="twice")
    written(tmp_path, GOOD, ("left_out", "leave_out"), name="wrong")
    done = run("check", tmp_path)
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        "wrong.toml: leave_out: is not a known key; the keys here are about, id, instrument, items, left_out, "
        "questionnaires, scales, version",
        f"twice.toml: questionnaires: has '{FORM}', which hope-of-the-house.toml reads already",
    ]
    assert "hope-of-the-house.toml: hoop 1.0.0, 12 of its 12 items" in done.stdout


def test_check_of_an_empty_folder_and_of_nothing(tmp_path):
    done = run("check", tmp_path)
    assert (done.exit_code, "no file that ends on .toml" in done.stderr) == (1, True)
    assert run("check").exit_code == 2


def test_try_shows_answers_and_scores(tmp_path):
    path, response = written(tmp_path), tmp_path / "response.json"
    response.write_text(json.dumps(theirs({2: {"valueInteger": 0}})), encoding="utf-8")
    done = run("try", path, response)
    assert done.exit_code == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[:2] == [["hoop-01", "3", "v1"], ["hoop-02", "1", "v2"]]
    # Eleven times 3 and once 1, with items 3 and 6 reversed (3 becomes 2): 9 × 3 + 1 + 2 × 2 = 32.
    [total] = [row for row in rows if row[:1] == ["Hoop"] or "totaal" in " ".join(row).lower()]
    assert total[-1] == "32"
    assert run("try", path, "-", given=response.read_text(encoding="utf-8")).stdout == done.stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{", "not readable as JSON"),
        (json.dumps(theirs(questionnaire="https://other.example.org")), "answers another form; this map reads https"),
        (json.dumps(theirs({2: {"valueInteger": 9}})), "hoop-02: the scale 'eens' of the map hope-of-the-house"),
        ("[]", "answers another form"),
    ],
)
def test_try_says_why_not(tmp_path, given, said):
    done = run("try", written(tmp_path), "-", given=given)
    assert done.exit_code == 1
    assert said in done.stderr
    assert done.stdout == ""


def test_score_takes_the_maps_of_the_place(tmp_path, monkeypatch):
    written(tmp_path)
    line = json.dumps(theirs())
    refused = CliRunner().invoke(main, ["score", "-"], input=line)
    assert (refused.exit_code, refused.stdout) == (1, "")
    monkeypatch.setenv("VERSTEL_MAPS", str(tmp_path))
    done = CliRunner().invoke(main, ["score", "-"], input=line)
    assert (done.exit_code, done.stderr) == (0, "")
    made = [json.loads(one) for one in done.stdout.splitlines()]
    assert {one["derivedFrom"][0]["reference"] for one in made} == {"QuestionnaireResponse/e1"}


def test_a_map_that_cannot_be_read_stops_the_server_at_its_start(tmp_path, monkeypatch):
    written(tmp_path, GOOD, ("left_out", "leave_out"))
    monkeypatch.setenv("VERSTEL_MAPS", str(tmp_path))
    monkeypatch.setenv("VERSTEL_PUBLIC_URL", "https://verstel.example.org")
    monkeypatch.setenv("VERSTEL_SECRET_KEY", "s" * 43)
    monkeypatch.setenv("VERSTEL_ENCRYPTION_KEYS", "cQyN0Q2Nn1m0b5sUoUqfQmGQh5eS4c2f3o1Vb1qkYjE=")
    monkeypatch.setenv("VERSTEL_DATABASE_URL", f"sqlite:///{tmp_path}/verstel.sqlite3")
    done = CliRunner().invoke(main, ["serve", "--check"])
    assert done.exit_code == 2
    assert "hope-of-the-house.toml: leave_out: is not a known key" in done.stderr
