"""The plan is put together from what a record holds: the right plan, and only what belongs to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mappers.plan import resources_of
from questionnaires.catalogue import catalogue
from smartapp.pages.plan.stored import StoredPlan, read_plan, writes
from smartapp.records import Record
from tests.smartapp.pages.plan.conftest import ANNA, HALFWAY


def records(place="ehr", **changes):
    """Return the halfway plan as a record at one place keeps it, in the order of `queries`; `changes` of the CarePlan.

    Servers number from 1 each, so the same ids are in use at every place.
    """
    found: dict[str, list[Record]] = {"CarePlan": [], "Goal": [], "Task": []}
    for resource in resources_of(HALFWAY, patient=ANNA, author=ANNA, known=catalogue()):
        kind = resource["resourceType"]
        number = resource["identifier"][0]["value"][-1]
        made = {**resource, "id": number, **(changes if kind == "CarePlan" else {})}
        found[kind].append(Record(_with_ids(made), "1", place))
    return list(found.values())


def _with_ids(part):
    """Return a resource whose references have become ids, as a server makes them of `urn:uuid:…`."""
    if isinstance(part, dict):
        return {name: _with_ids(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_with_ids(one) for one in part]
    if isinstance(part, str) and part.startswith("urn:uuid:"):
        return f"{'Task' if part[-1] in '34' else 'Goal'}/{part[-1]}"
    return part


def read(found) -> StoredPlan:
    return read_plan(found, known=catalogue(), issuer="https://ehr", patient="Patient/anna", now="2026-11-01T10:00:00Z")


def of_another(goal: Record) -> Record:
    return Record({**goal.resource, "description": {"text": "Van een ander"}}, "1", "own")


def test_goals_and_steps_come_with_the_plan_that_refers_to_them():
    plan = read(records()).plan
    assert [goal.text for goal in plan.goals] == ["Weer leren zwemmen", "Een kat"]
    assert [step.text for step in plan.goals[0].steps] == ["Een badpak kopen", "Bellen met het zwembad"]


def test_a_goal_of_another_place_with_the_same_id_is_not_in_the_plan():
    """Goal/2 in the EHR and Goal/2 in our own store are two goals: the plan means the one at its own place."""
    care_plans, goals, tasks = records()
    strange = [of_another(one) for one in goals]
    for mixed in ([*strange, *goals], [*goals, *strange]):
        found = read([care_plans, mixed, tasks])
        assert [goal.text for goal in found.plan.goals] == ["Weer leren zwemmen", "Een kat"]
        assert {one.place for one in found.records} == {"ehr"}


def test_the_plan_that_was_changed_last_is_the_plan():
    older = records(meta={"lastUpdated": "2025-01-01T10:00:00Z"})[0]
    newer = records(meta={"lastUpdated": "2026-01-01T10:00:00Z"}, id="newer")[0]
    for both in ([*older, *newer], [*newer, *older]):
        assert read([both, [], []]).plan.id == "newer"


def test_a_plan_that_is_over_is_not_the_plan():
    found = read(records(status="completed"))
    assert found.place is None
    assert found.plan.texts == {}
    assert found.plan.created == "2026-11-01T10:00:00Z"


def test_a_plan_without_a_moment_of_change_is_read():
    assert read(records(meta="not an object")).plan.story == HALFWAY.story


@pytest.mark.parametrize(
    "narrative", [{"status": "generated", "div": '<div xml:lang="nl" xmlns="http://www.w3.org/1999/xhtml"/>'}, None]
)
def test_what_only_a_server_wrote_in_its_own_way_is_not_written_again(narrative):
    """HAPI puts the attributes of a narrative in another order: with each story, all goals were written anew."""
    found = [
        [replace(one, resource={**one.resource, "text": narrative}) for one in of_a_kind] for of_a_kind in records()
    ]
    before = read(found)
    who = {"known": catalogue(), "patient": ANNA, "author": ANNA, "language": "nl"}
    assert writes(before, before.plan, **who) == []
    told = before.plan.with_texts("story", ["Een nieuw begin"])
    assert [one.resource["resourceType"] for one in writes(before, told, **who)] == ["CarePlan"]
    first, *others = before.plan.goals
    said = replace(before.plan, goals=(replace(first, text="Met andere woorden"), *others))
    goals = [one for one in writes(before, said, **who) if one.resource["resourceType"] == "Goal"]
    assert [one.resource["description"]["text"] for one in goals] == ["Met andere woorden"]


def test_a_programme_that_the_person_follows_is_not_the_plan():
    """A server may take no notice of the category that is asked for."""
    care_plans, goals, tasks = records()
    course = {**care_plans[0].resource, "id": "77", "meta": {"lastUpdated": "2099-01-01T00:00:00Z"}}
    course["category"] = [{"coding": [{"system": "https://verstel.nl/fhir/CodeSystem/plan", "code": "programme"}]}]
    found = read([[Record(course, "1", "ehr"), *care_plans], goals, tasks])
    assert [goal.text for goal in found.plan.goals] == ["Weer leren zwemmen", "Een kat"]
