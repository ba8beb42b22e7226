"""`verstel team report`: the scores of a team's clients in a year, of enough people only."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from mappers.answers import response_of
from mappers.small_cells import FEWEST
from mappers.team import Team, scores_in
from questionnaires.catalogue import catalogue
from smartapp.commands.team import command
from smartapp.fhir.store import Query
from smartapp.services import KEY
from smartapp.settings import Issuer
from tests.smartapp.helpers import make_app, settings

BASE = "https://ehr.example/fhir"
NEL = catalogue().instrument("nel")


def response(person: str, answer: int, *, day: str = "2025-05-01", number: int = 0) -> dict[str, Any]:
    """All forty answered alike, so each NEL score is that answer."""
    client = {"reference": f"Patient/{person}", "display": "cliënt"}
    made = response_of(
        {item.link_id: str(answer) for item in NEL.items},
        NEL,
        status="completed",
        authored=f"{day}T10:00:00+02:00",
        subject=client,
        author=client,
        source=client,
        identifier=f"{person}-{day}-{number}",
    )
    return made | {"id": f"{person}-{day}-{number}"}


def patient(person: str, team: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": person, "managingOrganization": {"reference": f"Organization/{team}"}}


def lines(path: Path, resources: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(one) + "\n" for one in resources), encoding="utf-8")
    return str(path)


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(command, ["report", *arguments])


def reports(result: Result) -> dict[tuple[str, int], Any]:
    """Return people, mean and spread by team ("" for all together) and year."""
    found = {}
    for line in result.stdout.splitlines():
        one = json.loads(line)
        group = one.get("contained", [{}])[0]
        mean, spread = one["group"]
        numbers = (
            mean["population"][0].get("count"),
            mean["measureScore"].get("value"),
            spread["measureScore"].get("value"),
        )
        found[group.get("managingEntity", {}).get("reference", ""), int(one["period"]["start"][:4])] = numbers
    return found


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Six people of team a with the answers 2, 2, 3, 3, 4, 4, and seven of team b with 5."""
    people = [
        *((f"a{n}", "a", answer) for n, answer in enumerate((2, 2, 3, 3, 4, 4))),
        *((f"b{n}", "b", 5) for n in range(7)),
    ]
    teams = [patient(person, team) for person, team, _ in people]
    names = [
        {"resourceType": "Organization", "id": "a", "name": "Team Noord"},
        {"resourceType": "Organization", "id": "b", "name": "Team Zuid"},
    ]
    answers = lines(
        tmp_path / "QuestionnaireResponse.ndjson", [response(person, answer) for person, _, answer in people]
    )
    return answers, lines(tmp_path / "Patient.ndjson", [*teams, *names])


def test_each_team_has_its_people_mean_and_spread_and_all_together_theirs(files):
    result = run(files[0], "--teams", files[1])
    assert result.exit_code == 0, result.output
    found = reports(result)
    # a: 18 / 6 = 3, squares 4 × 1 + 2 × 0 = 4, √(4 / 5) = 0.894…; all: (18 + 35) / 13 = 4.076…
    assert found["Organization/a", 2025] == (6, 3.0, pytest.approx(0.8944, abs=1e-4))
    assert found["Organization/b", 2025] == (7, 5.0, 0.0)
    assert found["", 2025][:2] == (13, pytest.approx(53 / 13))


def test_a_table_has_the_names_of_the_teams_in_the_order_of_the_alphabet(files):
    result = run(files[0], "--teams", files[1], "--format", "table")
    assert [line.split()[:2] for line in result.stdout.splitlines() if "mean" in line] == [
        ["Team", "Noord"],
        ["Team", "Zuid"],
        ["all", "teams"],
    ]
    assert "n     6   mean   3.00   sd  0.89" in result.stdout


def test_five_people_are_not_shown_and_take_the_only_other_team_with_them(files, tmp_path):
    """All together is 12 people: with team b beside it, the five of team a would be what is left."""
    teams = [one for one in map(json.loads, Path(files[1]).read_text().splitlines()) if one["id"] != "a0"]
    result = run(files[0], "--teams", lines(tmp_path / "fewer.ndjson", teams))
    found = reports(result)
    assert found["Organization/a", 2025] == (None, None, None) == found["Organization/b", 2025]
    assert found["", 2025][0] == 12
    assert "1 people with this score are in no team" in result.stderr


def test_nobody_stands_in_what_comes_out(files):
    for form in ("ndjson", "table"):
        result = run(files[0], "--teams", files[1], "--format", form)
        assert "Patient" not in result.output
        assert not any(f'"{team}{number}' in result.output for team in "ab" for number in range(7))


def test_the_newest_measurement_of_a_year_counts_and_each_year_is_its_own(files, tmp_path):
    more = [response(f"a{n}", 1, day="2024-03-01") for n in range(6)] + [response("a0", 5, day="2025-11-01")]
    result = run(files[0], lines(tmp_path / "more.ndjson", more), "--teams", files[1])
    found = reports(result)
    assert found["Organization/a", 2024] == (6, 1.0, 0.0)
    assert found["Organization/a", 2025][:2] == (6, 3.5)  # (5 + 2 + 3 + 3 + 4 + 4) / 6 = 21 / 6


def test_the_year_that_is_not_over_is_left_out_unless_asked_for(files, tmp_path):
    later = lines(tmp_path / "later.ndjson", [response(f"b{n}", 3, day="2999-01-01") for n in range(7)])
    result = run(files[0], later, "--teams", files[1])
    assert {year for _, year in reports(result)} == {2025}
    assert "is not over, and left out; --this-year has it" in result.stderr
    assert reports(run(later, "--teams", files[1], "--this-year"))["Organization/b", 2999][:2] == (7, 3.0)


def test_any_score_can_be_asked_for_by_its_code(files):
    result = run(files[0], "--teams", files[1], "--score", "nel-total")
    assert json.loads(result.stdout.splitlines()[0])["group"][0]["code"]["coding"][0]["code"] == "nel-total"
    assert reports(result)["Organization/b", 2025][:2] == (7, 5.0)


@pytest.mark.parametrize("code", ["nel-happiness", "ropi-say", "nel"])
def test_a_score_that_is_not_there_or_not_of_a_person_is_wrong_usage(files, code):
    result = run(files[0], "--teams", files[1], "--score", code)
    assert result.exit_code == 2
    assert f"There is no score '{code}'. Choose one of:" in result.stderr


def test_groups_and_care_teams_say_who_belongs_where_too(files, tmp_path):
    group = {
        "resourceType": "Group",
        "id": "g",
        "managingEntity": {"reference": f"{BASE}/Organization/a", "display": "Noord"},
        "member": [{"entity": {"reference": f"Patient/a{n}"}} for n in range(6)]
        + [{"entity": {"reference": "Patient/b6"}, "inactive": True}],
    }
    team = {
        "resourceType": "CareTeam",
        "id": "b",
        "participant": [{"member": {"reference": f"Patient/b{n}"}} for n in range(7)],
    }
    path = tmp_path / "Group.ndjson.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(one) + "\n" for one in (group, team)).encode()))
    result = run(files[0], "--teams", str(path))
    assert result.exit_code == 0, result.output
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["group"][0]["population"][0]["count"] for one in found] == [7, 6, 13]  # CareTeam/b, Organization/a
    assert scores_in(found, Team("CareTeam/b", "b"))[0].figure.mean == 5


def test_the_circle_of_one_person_is_no_team(files, tmp_path):
    circle = {"resourceType": "CareTeam", "id": "c", "subject": {"reference": "Patient/a0"}}
    with_circle = lines(tmp_path / "circles.ndjson", [circle])
    result = run(files[0], "--teams", with_circle, "--teams", files[1])
    assert (result.exit_code, reports(result)["Organization/a", 2025][0]) == (0, 6)


def test_who_is_in_two_teams_stays_in_the_first_and_is_told(files, tmp_path):
    twice = lines(tmp_path / "twice.ndjson", [patient("a0", "b")])
    result = run(files[0], "--teams", files[1], "--teams", twice)
    assert result.exit_code == 1
    assert f"{twice}:1: 1 of its people are in another team already, where they stay" in result.stderr
    assert reports(result)["Organization/a", 2025][0] == 6


def test_refused_lines_are_told_with_file_and_line_and_all_others_count(files, tmp_path):
    broken = tmp_path / "broken.ndjson"
    broken.write_text('{"resourceType": "Observation"}\n\n{"resource\n')
    result = run(files[0], str(broken), "--teams", files[1])
    assert result.exit_code == 1
    assert f"{broken}:1: " in result.stderr
    assert f"{broken}:3: not readable as JSON" in result.stderr
    assert reports(result)["Organization/a", 2025][0] == 6


def test_a_file_that_names_no_team_is_wrong_usage(files):
    result = run(files[0], "--teams", files[0])
    assert result.exit_code == 2
    assert "says of anybody which team is theirs" in result.stderr


def test_a_folder_of_a_bulk_export_is_read_and_an_empty_one_is_wrong_usage(files, tmp_path):
    assert reports(run(str(tmp_path), "--teams", files[1]))["Organization/b", 2025][0] == 7
    (tmp_path / "empty").mkdir()
    assert run(str(tmp_path / "empty"), "--teams", files[1]).exit_code == 2


def test_keep_needs_an_issuer_and_an_issuer_needs_keep(files):
    assert run(files[0], "--teams", files[1], "--keep").exit_code == 2
    assert run(files[0], "--teams", files[1], "--issuer", "north").exit_code == 2


def test_kept_reports_are_in_our_own_store_once_however_often_it_runs(files, tmp_path):
    (tmp_path / "issuers.toml").write_text(
        f'[[issuer]]\nbase = "{BASE}"\nname = "EHR"\nclient_id = "verstel"\nkey = "north"\n'
    )
    environment = {
        "VERSTEL_PUBLIC_URL": "http://localhost",
        "VERSTEL_SECRET_KEY": "a secret that only tests know 32 characters",
        "VERSTEL_ENCRYPTION_KEYS": settings().encryption_keys[0],
        "VERSTEL_ISSUERS_FILE": str(tmp_path / "issuers.toml"),
        "VERSTEL_DATABASE_URL": f"sqlite:///{tmp_path / 'verstel.db'}",
    }
    issuers = (Issuer(base=BASE, name="EHR", client_id="verstel", key="north"),)
    app = make_app(
        database_url=environment["VERSTEL_DATABASE_URL"],
        encryption_keys=(environment["VERSTEL_ENCRYPTION_KEYS"],),
        issuers=issuers,
    )
    for _ in range(2):
        result = run(files[0], "--teams", files[1], "--keep", "--issuer", "north", **environment)
        assert result.exit_code == 0, result.output
        assert "2 reports are kept for EHR." in result.stderr
    found = [one.resource for one in app.extensions[KEY].own_store(BASE).search(Query.of("MeasureReport"))]
    app.extensions[KEY].engine.dispose()
    assert len(found) == 2
    [kept] = scores_in(found, Team("Organization/a", "Team Noord"))
    assert (kept.year, kept.figure.people, kept.figure.mean) == (2025, 6, 3.0)


_PEOPLE = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5), st.booleans()), min_size=1, max_size=24)


@given(_PEOPLE)
def test_whoever_is_measured_no_report_is_of_fewer_than_six_people(tmp_path_factory, people):
    folder = tmp_path_factory.mktemp("teams")
    answers = lines(
        folder / "r.ndjson",
        [response(f"p{n}", answer, number=n) for n, (_, answer, there) in enumerate(people) if there]
        or [response("nobody", 3)],
    )
    teams = lines(folder / "t.ndjson", [patient(f"p{n}", f"t{team}") for n, (team, _, _) in enumerate(people)])
    found = reports(run(answers, "--teams", teams))
    assert all(number is None or number >= FEWEST for number, _, _ in found.values())
    assert all((number is None) == (mean is None) == (spread is None) for number, mean, spread in found.values())
