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


SYSTEM = "https://ehr.example.org/fhir/CodeSystem/eens"


def their_form(**changes) -> dict:
    """The EHR's own Questionnaire, as far as a map goes by it."""
    options = [{"valueCoding": {"system": SYSTEM, "code": code}} for code in "ABCD"]
    items = [{"linkId": f"v{n}", "text": f"Vraag {n}", "type": "choice", "answerOption": options} for n in range(1, 13)]
    items[0]["text"] = "Ik kijk positief naar het leven"
    more = [{"linkId": "intro", "type": "display"}, {"linkId": "department", "type": "string"}]
    url, _, version = FORM.partition("|")
    made = {"resourceType": "Questionnaire", "url": url, "version": version}
    return {**made, "item": [{"linkId": "all", "type": "group", "item": [*items, *more]}], **changes}


def check_with(tmp_path, form, *changes: tuple[str, str]):
    return run("check", written(tmp_path, GOOD, *changes), "--form", "-", given=json.dumps(form))


def test_check_with_the_form_of_the_ehr_where_both_agree(tmp_path):
    done = check_with(tmp_path, their_form())
    assert (done.exit_code, done.stderr) == (0, "")


def test_check_with_the_form_of_the_ehr_names_each_disagreement(tmp_path):
    form = their_form(version="4")
    items = form["item"][0]["item"]
    items[0]["text"] = "Ik voel me alleen"
    items[1]["answerOption"] = [{"valueCoding": {"system": SYSTEM, "code": "E"}}, {"valueString": "Mee eens"}]
    items[2]["answerOption"] = [{"valueCoding": {"system": "https://other.example.org", "code": "A"}}]
    items[3] |= {"answerOption": [], "answerValueSet": "https://ehr.example.org/fhir/ValueSet/eens"}
    del items[4]
    items.append({"linkId": "v13", "type": "choice"})
    done = check_with(tmp_path, form)
    assert done.exit_code == 1
    assert [line.removeprefix("hope-of-the-house.toml: ") for line in done.stderr.splitlines()] == [
        "this map does not read https://ehr.example.org/fhir/Questionnaire/hope|4",
        "'v1' asks something else than the map hope-of-the-house says",
        "hoop-02: option 1 of 'v2': the scale 'eens' of the map hope-of-the-house does not have this answer",
        "hoop-03: option 1 of 'v3': a code of another code system",
        "hoop-04: the answers to 'v4' are in a value set, which is not looked into",
        "the map hope-of-the-house does not say what 'v13' is",
        "hoop-05: the form does not have it",
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{", "--form is not readable as JSON"),
        ('{"resourceType": "Patient"}', "--form is not a Questionnaire"),
        ('{"resourceType": "Questionnaire", "item": 1}', "--form: item: item is not a list of objects"),
    ],
)
def test_a_form_that_is_none_is_said_in_words(tmp_path, given, said):
    done = run("check", written(tmp_path), "--form", "-", given=given)
    assert (done.exit_code, said in done.stderr) == (1, True)


def test_a_form_goes_with_one_map(tmp_path):
    written(tmp_path)
    done = run("check", tmp_path, "--form", "-", given="{}")
    assert (done.exit_code, "--form is about one map" in done.stderr) == (2, True)


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
