"""How tables of two engines are compared: what is equal, what is not, and that neither is by accident."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fhir_profiles.views import definitions, views
from questionnaires.catalogue import Catalogue
from scripts.view_tables import QUERIES
from tests.conformance.strangers import systems
from tests.conformance.views import meaning
from tests.conformance.views.corpus import KINDS, strange
from tests.conformance.views.run import (
    DUCKDB,
    ENGINES,
    FAILED,
    MEDPLUM,
    NOT_RUN,
    PASSED,
    REFERENCE,
    Made,
    asked_alike,
    unnoticed,
    verdict,
    with_fault,
)
from tests.conformance.views.tables import NOWHERE, PATIENTS, UNPROMISED, differences, empty_columns, plain

NAMES = [one.name for one in views()]


def tables(prefix: str = "", **more: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return tables with one client who has a goal and a step of it, with keys as an engine writes them."""

    def key(kind: str, ident: str) -> str:
        return f"{kind}/{ident}" if prefix == "long" else ident

    made: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES}
    goal = {"goal_key": key("Goal", "7"), "goal_id": "7", "domain": "housing", "status": "active"}
    step = {
        "step_key": key("Task", "9"),
        "step_id": "9",
        "status": "completed",
        "goal_key": key("Goal", "7"),
        "goal_reference": "Goal/7",
    }
    made |= {"verstel_goals": [goal], "verstel_steps": [step]}
    made[PATIENTS] = [{"patient_key": key("Patient", "noor"), "patient_id": "noor"}]
    return made | more


def test_engines_may_write_keys_in_their_own_way():
    assert list(differences(tables(), tables("long"))) == []


def test_rows_may_stand_in_any_order_but_each_as_often():
    two = [{"goal_key": ident, "goal_id": ident, "domain": None} for ident in "ab"]
    assert list(differences(tables(verstel_goals=two), tables(verstel_goals=two[::-1]))) == []
    [line] = differences(tables(verstel_goals=two), tables(verstel_goals=[*two, two[0]]))
    assert line.startswith("verstel_goals: only the second has")


def test_numbers_are_compared_as_numbers_and_never_as_true_or_false():
    def one(value: object) -> dict[str, list[dict[str, Any]]]:
        return tables(verstel_answers=[{"response_key": "1", "response_id": "1", "value": value}])

    assert list(differences(one(2), one(2.0))) == []
    assert len(list(differences(one(1), one(True)))) == 2
    assert len(list(differences(one(2), one(2.01)))) == 2
    assert list(differences(one(""), one(None))) == []


def test_a_key_that_leads_to_another_resource_is_another_key():
    goals = [{"goal_key": ident, "goal_id": ident, "domain": None} for ident in "78"]
    step = tables()["verstel_steps"][0]
    first = tables(verstel_goals=goals)
    second = tables(verstel_goals=goals, verstel_steps=[{**step, "goal_key": "8"}])
    assert [line.partition(":")[0] for line in differences(first, second)] == ["verstel_steps", "verstel_steps"]


def test_a_key_that_no_row_has_leads_nowhere_and_of_a_whole_address_none_is_promised():
    step = tables()["verstel_steps"][0]
    gone = plain(tables(verstel_steps=[{**step, "goal_key": "12", "goal_reference": "Goal/12"}]))["verstel_steps"]
    assert dict(next(iter(gone)))["goal_key"] == NOWHERE
    for key in ("7", "https://ehr.example.org/Goal/7"):
        row = {**step, "goal_key": key, "goal_reference": "https://ehr.example.org/Goal/7"}
        assert dict(next(iter(plain(tables(verstel_steps=[row]))["verstel_steps"])))["goal_key"] == UNPROMISED


@pytest.mark.parametrize(
    "goals",
    [
        [{"goal_key": "7", "goal_id": "7"}, {"goal_key": "7", "goal_id": "8"}],
        [{"goal_key": "7", "goal_id": "7"}, {"goal_key": "8", "goal_id": "7"}],
    ],
)
def test_one_key_for_two_resources_or_two_for_one_is_no_key(goals):
    with pytest.raises(ValueError, match="two"):
        plain(tables(verstel_goals=goals))


def test_other_columns_are_said():
    [line] = differences(tables(), tables(verstel_goals=[{"goal_key": "7", "goal_id": "7"}]))
    assert line.startswith("verstel_goals: the columns differ")


def test_a_column_without_anything_is_named():
    made = {view.name: [dict.fromkeys((c.name for c in view.columns), "x")] for view in views()}
    assert empty_columns(made, views()) == []
    made["verstel_goals"][0]["due_date"] = None
    assert empty_columns(made, views()) == ["verstel_goals.due_date"]


def test_a_query_that_gives_something_else_is_named(monkeypatch: pytest.MonkeyPatch):
    [steps] = (query for query in QUERIES.values() if "count(" in query)
    monkeypatch.setattr("tests.conformance.views.run.QUERIES", {"Steps:": steps})
    row = {"goal_key": "Goal/7", "domain": "housing", "steps": 1, "done": 1}
    assert list(asked_alike(Made(tables()), Made(tables("long"), [[row]]))) == []
    [line] = asked_alike(Made(tables()), Made(tables("long"), [[{**row, "done": 0}]]))
    assert line.startswith("Steps:")


def test_a_wrong_path_that_changes_nothing_is_named():
    made = Made(tables())
    assert {line.partition(":")[0] for line in unnoticed(lambda _views, _resources: made, made, [])} == set(NAMES)


def paths(view: dict[str, Any]) -> list[str]:
    """Return the paths of all columns of a view."""
    return re.findall(r"'path': (?:'|\")(.+?)(?:'|\")[,}]", str(view["select"]))


@pytest.mark.parametrize("view", definitions(), ids=NAMES)
def test_a_fault_changes_one_path_and_no_column(view):
    bad = with_fault(view)
    assert bad != view
    assert sum(one != other for one, other in zip(paths(bad), paths(view), strict=True)) == 1
    assert "id.where(false)" in paths(bad)


def test_what_the_app_reads_otherwise_is_named():
    resources = [one for one in strange() if one["resourceType"] == "Goal"]
    [columns] = (view.columns for view in views() if view.id == "goals")
    goal = {**dict.fromkeys((one.name for one in columns), None), "goal_id": "7", "goal_text": "Zingen"}
    lines = list(meaning.complaints(tables(verstel_goals=[goal], verstel_steps=[]), resources, Catalogue()))
    assert (
        "goals: the app reads ('foreign', 'A goal of another program', '', '', '', '', None), the table has it not"
        in (lines)
    )
    assert any(line.startswith("goals: the table has ('7',") for line in lines)
    assert "scores: the app reads none, so nothing was compared" in lines


def test_resources_of_other_programs_are_of_each_type_and_have_ids():
    made = strange()
    assert {one["resourceType"] for one in made} == set(KINDS) - {"Patient"}
    assert len({(one["resourceType"], one["id"]) for one in made}) == len(made)


def test_all_engines_are_on_the_page():
    assert ENGINES.keys() <= {one.name for one in systems()}


@pytest.mark.parametrize(
    ("complaints", "missing", "code"),
    [
        ([], set(), PASSED),
        ([], {REFERENCE}, PASSED),
        ([], {REFERENCE, DUCKDB}, NOT_RUN),
        (["a row"], {REFERENCE, DUCKDB}, FAILED),
    ],
)
def test_only_the_reference_may_be_missing(complaints, missing, code):
    assert verdict({MEDPLUM: complaints}, missing) == code


def test_columns_may_stand_in_any_order():
    turned = [{"domain": "housing", "status": "active", "goal_id": "7", "goal_key": "7"}]
    assert list(differences(tables(), tables(verstel_goals=turned))) == []
