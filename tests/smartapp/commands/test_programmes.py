"""`verstel programmes`: what there is, in words; whether a place's files can be read; and one applied to a client."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhir_profiles.checking import claimed, problems
from mappers.assignment import assignment_of
from mappers.course import course_of, moment_of
from questionnaires.catalogue import Catalogue
from questionnaires.programme_page import programme_page, programmes_page
from questionnaires.programmes import PROGRAMMES, read_programmes
from smartapp.cli import main
from smartapp.commands.questionnaires import PROGRAMMES_PAGE
from smartapp.fhir.store import Write
from smartapp.sandbox import make_sandbox
from smartapp.storage.database import open_database
from tests.questionnaires.test_programmes import GOOD

OURS = read_programmes([PROGRAMMES])


@pytest.fixture(autouse=True)
def without_a_place(monkeypatch):
    monkeypatch.delenv("VERSTEL_PROGRAMMES", raising=False)


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A folder of a place with one programme of its own, and another version of one of ours."""
    (tmp_path / "walking.toml").write_text(GOOD, encoding="utf-8")
    text = (PROGRAMMES / "three-moments.toml").read_text(encoding="utf-8")
    (tmp_path / "three-moments.toml").write_text(text.replace('"1.0.0"', '"2.0.0"', 1), encoding="utf-8")
    monkeypatch.setenv("VERSTEL_PROGRAMMES", str(tmp_path))
    return tmp_path


def run(*arguments: str):
    return CliRunner().invoke(main, ["programmes", *arguments])


def applied(*arguments: str) -> dict:
    done = run("apply", *arguments)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


THREE = ("three-moments", "--start", "2027-01-31", "--patient", "Patient/1", "--by", "Practitioner/2")

# ---- list and show


def test_list_names_each_with_its_version():
    rows = [line.split()[:2] for line in run("list").stdout.splitlines()]
    assert rows == [["npi-recovery", "1.0.0"], ["three-moments", "1.0.0"]]


def test_list_says_which_are_of_the_place(place):
    whose = {line.split()[0]: line.rpartition("(")[2] for line in run("list").stdout.splitlines()}
    assert whose == {"npi-recovery": "ours)", "three-moments": "of this place)", "walking": "of this place)"}


@pytest.mark.parametrize("id_", OURS)
def test_show_says_every_moment_every_fact_and_every_source(id_):
    said, programme = run("show", id_).stdout, OURS[id_]
    assert said == programme_page(programme)
    for one in programme.moments:
        assert f"`{one.id}`, {one.title.nl} ({one.title.en})" in said
        assert all(f"`{asked}`" in said for asked in one.questionnaires)
        assert one.outcome is None or one.outcome.nl in said
    for fact in programme.facts:
        assert f"| {fact.statement} |" in said
    assert {"read in the source", "our own choice"} <= {cell.strip() for cell in said.split("|")}
    assert all(source.citation in said for source in programme.sources.values())


def test_show_of_an_unknown_one_is_wrong_usage_and_lists_what_is_there():
    done = run("show", "running")
    assert done.exit_code == 2
    assert "There is no programme 'running'; choose one of npi-recovery, three-moments." in done.stderr


def test_the_page_in_the_documentation_is_of_ours_alone(place):
    made = programmes_page(read_programmes([PROGRAMMES], Catalogue()).values())
    assert PROGRAMMES_PAGE.read_text(encoding="utf-8") == made


# ---- check


def test_check_says_that_all_is_well():
    done = run("check")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "2 programmes: all well\n")


def test_check_reads_those_of_the_place_too_and_says_which_replaces_ours(place):
    done = run("check")
    assert done.exit_code == 0
    assert done.stderr == "three-moments.toml: counts instead of ours with this id\n4 programmes: all well\n"
    assert run("check", str(place)).stderr.endswith("\n2 programmes: all well\n")


def test_check_names_everything_that_is_wrong_with_file_and_key(place):
    for name, old, new in (("walking", "tell =", "told ="), ("three-moments", '"20 months"', '"16 months"')):
        path = place / f"{name}.toml"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    for done in (run("check"), run("check", str(place))):
        assert done.exit_code == 1
        three, walking = done.stderr.splitlines()
        assert three.startswith("three-moments.toml: moments[2].closes: is '16 months', which comes before opens")
        assert walking.startswith("walking.toml: moments[2].told: is not a known key")


def test_check_of_a_folder_that_is_not_there_is_wrong_usage(tmp_path, monkeypatch):
    assert run("check", str(tmp_path / "none")).exit_code == 2
    monkeypatch.setenv("VERSTEL_PROGRAMMES", str(tmp_path / "none"))
    done = run("check")
    assert done.exit_code == 2
    assert "which is not a folder" in done.stderr


def test_check_of_an_empty_folder_says_so(tmp_path):
    done = run("check", str(tmp_path))
    assert done.exit_code == 1
    assert "has no file that ends on .toml" in done.stderr


def test_the_other_words_end_with_file_and_key_too(place):
    (place / "walking.toml").write_text(GOOD.replace("tell =", "told ="), encoding="utf-8")
    for words in (("list",), ("show", "three-moments"), ("apply", *THREE)):
        done = run(*words)
        assert done.exit_code == 1
        assert "walking.toml: moments[2].told: is not a known key" in done.stderr


# ---- apply


def test_apply_gives_a_care_plan_and_a_task_for_each_questionnaire():
    bundle = applied(*THREE)
    assert bundle["type"] == "transaction"
    plan, *tasks = [one["resource"] for one in bundle["entry"]]
    course = course_of(plan)
    # A month after 31 January is the last of February, and 18 months after it the last of July.
    days = [(one.id, one.opens.isoformat(), one.closes.isoformat()) for one in course.planned]
    assert days == [
        ("start", "2027-01-31", "2027-03-31"),
        ("follow-up", "2028-06-30", "2028-09-30"),
        ("consolidation", "2029-06-30", "2029-09-30"),
    ]
    asked = [(moment_of(task)[1], assignment_of(task).instrument) for task in tasks]
    four = ("nel", "hoop", "mhcs", "mansa")
    assert asked == [(one, each) for one in ("start", "follow-up", "consolidation") for each in four]
    assert {task["basedOn"][0]["reference"] for task in tasks} == {bundle["entry"][0]["fullUrl"]}


@pytest.mark.parametrize("id_", OURS)
def test_what_it_gives_is_what_our_profiles_ask(id_):
    bundle = applied(id_, *THREE[1:], "--patient-name", "Noor", "--by-name", "Joost")
    for entry in bundle["entry"]:
        assert [wrong for profile in claimed(entry["resource"]) for wrong in problems(entry["resource"], profile)] == []
    plan = bundle["entry"][0]["resource"]
    assert (plan["subject"]["display"], plan["author"]["display"]) == ("Noor", "Joost")


def test_a_server_takes_it_and_the_second_time_changes_nothing():
    """By the store behind the sandbox, with the conditions that stand in the bundle."""
    sandbox = make_sandbox(open_database("sqlite://"), "http://127.0.0.1:1", clients=())
    for made in (True, False):
        writes = [
            Write(
                "create",
                one["resource"],
                if_none_exist=one["request"]["ifNoneExist"],
                full_url=one["fullUrl"],
            )
            for one in applied(*THREE)["entry"]
        ]
        stored = sandbox.store.write_all(writes)
        assert {one.created for one in stored} == {made}
    assert stored[1].resource["basedOn"][0]["reference"] == stored[0].reference
    sandbox.engine.dispose()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("three-moments", "--start", "tomorrow", *THREE[3:]), "does not match the format '%Y-%m-%d'"),
        (("three-moments", "--start", "2027-02-29", *THREE[3:]), "does not match the format"),
        ((*THREE[:4], "Noor", *THREE[5:]), "--patient is 'Noor'; write a relative reference, such as Patient/1."),
        ((*THREE[:4], "Patient/1/2", *THREE[5:]), "--patient is 'Patient/1/2'"),
        ((*THREE[:4], "Patient/1\n", *THREE[5:]), "--patient is 'Patient/1\\n'"),
        ((*THREE[:6], "Patient/2"), "--by is 'Patient/2'; write a relative reference, such as Practitioner/2."),
        (THREE[:5], "Missing option '--by'"),
        (("three-moments", "--start", "9999-12-31", *THREE[3:]), "--start is 9999-12-31; counted from there"),
        (("running", *THREE[1:]), "There is no programme 'running'"),
    ],
)
def test_wrong_usage_is_exit_2_and_says_what_to_do(wrong, message):
    done = run("apply", *wrong)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr
