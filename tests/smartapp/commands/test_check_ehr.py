"""`verstel check-ehr`: the rows of four captured EHRs (facts of summer 2026) and where our artefacts would live there.

The statements are those that the sandbox gives when it plays each kind of EHR (smartapp/sandbox/capabilities.toml).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import responses
from click.testing import CliRunner, Result

from smartapp.commands.check_ehr import command
from smartapp.deploy.ehr_check import report
from smartapp.sandbox.kinds import kinds
from tests.conftest import Server, serve

INTEGRATORS = (Path(__file__).parents[3] / "docs" / "integrators.md").read_text(encoding="utf-8")
BASE = "https://ehr.example.org/fhir"
SMART = {
    "issuer": "https://login.example.org",
    "authorization_endpoint": "https://login.example.org/authorize",
    "token_endpoint": "https://login.example.org/token",
    "jwks_uri": "https://login.example.org/jwks",
    "code_challenge_methods_supported": ["S256"],
    "capabilities": ["launch-ehr", "sso-openid-connect"],
}


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def statement(types: dict[str, list[str]], version: str = "4.0.1") -> dict[str, Any]:
    resources = [{"type": kind, "interaction": [{"code": code} for code in codes]} for kind, codes in types.items()]
    return {
        "resourceType": "CapabilityStatement",
        "fhirVersion": version,
        "rest": [{"mode": "server", "resource": resources}],
    }


EVERYTHING = {
    kind: ["read", "search-type", "create", "update"]
    for kind in ("Patient", "QuestionnaireResponse", "Observation", "CarePlan", "Goal", "Task")
}


@pytest.fixture
def ehr() -> Iterator[Callable[[str], Server]]:
    running: list[Iterator[Server]] = []

    def start(kind: str) -> Server:
        running.append(serve(kind))
        return next(running[-1])

    yield start
    for one in running:
        next(one, None)


def check(base: str, *options: str) -> Result:
    return CliRunner().invoke(command, [base, *options])


@pytest.mark.parametrize(
    ("kind", "places"),
    # answers, scores, plan, goals, steps, assignments, the plan as a document. No captured EHR lets an app create
    # CarePlan or Goal, so a plan stays with us; a place that can create but not update cannot keep a Task.
    [
        ("full", ["ehr", "ehr", "ehr", "ehr", "ehr", "ehr", None]),
        ("epic-like", ["ehr", "ehr", "own", "own", "own", "own", "ehr"]),
        ("oracle-like", ["own", "ehr", "own", "own", "own", "own", "ehr"]),
        ("athena-like", ["ehr", "own", "own", "own", "own", "own", None]),
        ("meditech-like", ["ehr", "own", "own", "own", "own", "own", None]),
        ("read-only", ["own", "own", "own", "own", "own", "own", None]),
    ],
)
def test_where_each_artefact_would_live(ehr: Callable[[str], Server], kind: str, places: list[str]) -> None:
    result = check(ehr(kind).base, "--format", "json")
    assert result.exit_code == 0, result.output
    assert [artefact["place"] for artefact in json.loads(result.stdout)["artefacts"]] == places


def test_companion_takes_what_the_ehr_does_not(ehr: Callable[[str], Server]) -> None:
    found = json.loads(check(ehr("epic-like").base, "--format", "json", "--companion").stdout)
    assert [artefact["place"] for artefact in found["artefacts"]][2:] == [*["companion"] * 4, "ehr"]


WORDS = {"EHR": "ehr", "own store": "own", "not needed": None, "not taken": None}


def test_the_table_for_integrators_says_what_the_command_says(ehr: Callable[[str], Server]) -> None:
    rows = re.findall(
        r"^\| `([\w-]+)` \|((?: (?:EHR|own store|not needed|not taken) \|){5})$", INTEGRATORS, re.MULTILINE
    )
    assert len(rows) == len(kinds()) - 1  # taskless says what full says, and refuses
    for kind, cells in rows:
        said = [WORDS[cell.strip()] for cell in cells.strip(" |").split("|")]
        found = json.loads(check(ehr(kind).base, "--format", "json").stdout)["artefacts"]
        answers, scores, plan, goals, steps, assignments, document = (one["place"] for one in found)
        assert plan == goals == steps
        assert said == [answers, scores, plan, assignments, document], kind


def test_table_reads_as_sentences(ehr: Callable[[str], Server]) -> None:
    result = check(ehr("epic-like").base)
    assert "  yes  FHIR R4" in result.output
    assert "the plan                    CarePlan                read, search-type" in result.output
    document = r"the plan as a document +DocumentReference +read, search-type, create, update +the EHR"
    assert re.search(document, result.output)
    assert result.output.endswith("The app can be launched here.\n")


def test_scope_that_is_not_granted_moves_the_artefact() -> None:
    found = report(BASE, statement(EVERYTHING), SMART, scopes="patient/*.rs patient/Observation.cruds")
    assert [artefact.place for artefact in found.artefacts] == ["own", "ehr", "own", "own", "own", "own", None]


def test_hosts_that_the_issuers_file_has_to_list_are_named() -> None:
    [row] = [
        row for row in report(BASE, statement(EVERYTHING), SMART).requirements if row.name == "SMART configuration"
    ]
    assert row.found == "complete; hosts to list for this issuer: login.example.org"


@pytest.mark.parametrize(
    ("listed", "met", "found"),
    [
        (["RS256", "ES256"], True, 'dpop = "off"'),
        (["RS256"], False, "not for ES256"),
        (None, False, "dpop_signing_alg_values_supported is not listed"),
    ],
)
def test_whether_tokens_would_be_bound_to_a_key_is_said(listed: Any, met: bool, found: str) -> None:
    told = report(BASE, statement(EVERYTHING), {**SMART, "dpop_signing_alg_values_supported": listed})
    [row] = [row for row in told.requirements if row.name == "tokens bound to a key"]
    assert (row.met, row.needed, found in row.found) == (met, False, True)
    assert told.usable


PUSHED = {"pushed_authorization_request_endpoint": "https://par.example.org/par"}


@pytest.mark.parametrize(
    ("smart", "said", "usable"),
    [
        ({}, (False, "pushed_authorization_request_endpoint is not listed"), True),
        (PUSHED, (True, "offered"), True),
        ({**PUSHED, "require_pushed_authorization_requests": True}, (True, "required"), True),
        (
            {"require_pushed_authorization_requests": True},
            (False, "pushed_authorization_request_endpoint is not listed"),
            False,
        ),
    ],
)
def test_whether_requests_would_be_pushed_is_said(smart: Any, said: tuple[bool, str], usable: bool) -> None:
    told = report(BASE, statement(EVERYTHING), {**SMART, **smart})
    [row] = [row for row in told.requirements if row.name == "pushed requests"]
    assert ((row.met, row.found), told.usable) == (said, usable)
    [hosts] = [row.found for row in told.requirements if row.name == "SMART configuration"]
    assert ("par.example.org" in hosts) == ("pushed_authorization_request_endpoint" in smart)


def test_good_server_is_usable() -> None:
    assert report(BASE, statement(EVERYTHING), SMART).usable


@pytest.mark.parametrize(
    ("types", "version", "smart", "missing"),
    [
        (EVERYTHING, "5.0.0", SMART, "FHIR R4"),
        ({"Observation": ["read"]}, "4.0.1", SMART, "read Patient"),
        (EVERYTHING, "4.0.1", None, "SMART configuration"),
        (EVERYTHING, "4.0.1", {**SMART, "token_endpoint": "http://login.example.org/token"}, "SMART configuration"),
        (EVERYTHING, "4.0.1", {**SMART, "token_endpoint": "https://10.0.0.5/token"}, "SMART configuration"),
        (EVERYTHING, "4.0.1", {**SMART, "token_endpoint": "https://a_b/token"}, "SMART configuration"),
        (EVERYTHING, "4.0.1", {**SMART, "code_challenge_methods_supported": ["plain"]}, "SMART configuration"),
        (EVERYTHING, "4.0.1", {**SMART, "capabilities": []}, "a way to launch"),
    ],
)
def test_server_without_a_necessity_is_not_usable(types: Any, version: str, smart: Any, missing: str) -> None:
    found = report(BASE, statement(types, version), smart)
    assert not found.usable
    assert [row.name for row in found.requirements if row.needed and not row.met] == [missing]


def test_server_that_is_not_there_is_an_error_with_exit_code_1() -> None:
    result = check("http://127.0.0.1:9/fhir")
    assert result.exit_code == 1
    assert "gave no usable answer" in result.output


def test_server_that_hides_its_metadata_is_said_to_whoever_typed_the_command(mock: responses.RequestsMock) -> None:
    mock.add("GET", f"{BASE}/metadata", status=401, json={})
    result = check(BASE)
    assert result.exit_code == 1
    assert "/metadata requires a sign-in (401)" in result.output


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"status": 404}, "answered 404"),
        ({"status": 301, "headers": {"Location": f"{BASE}/x"}}, "redirect"),
        ({"body": "<html>"}, "not-json"),
    ],
)
def test_why_there_is_no_smart_configuration_is_said(mock: responses.RequestsMock, answer: Any, why: str) -> None:
    mock.add("GET", f"{BASE}/metadata", json=statement(EVERYTHING))
    mock.add("GET", f"{BASE}/.well-known/smart-configuration", **answer)
    assert f"no .well-known/smart-configuration ({why})" in check(BASE).output


def test_address_that_is_no_url_is_wrong_usage() -> None:
    result = check("ehr.example.org")
    assert result.exit_code == 2
    assert "'ehr.example.org' is not an absolute https URL" in result.output
