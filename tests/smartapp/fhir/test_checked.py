"""What we author is valid FHIR when it leaves, and what an EHR would refuse is found first (defect 6)."""

from __future__ import annotations

from typing import Any

import pytest

from smartapp.fhir.checked import model_problems, prepare, problems
from tests.conformance.written import audit_events, far_ends, seeded

GOAL = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"text": "Zingen"},
    "subject": {"reference": "Patient/1", "display": "Anna"},
}


def test_everything_that_the_app_writes_has_no_problem():
    written = [*seeded(), *far_ends(), *audit_events()]
    assert len(written) > 200
    assert [line for one in written for line in problems(one)] == []


def leaves(node: Any, path: tuple[Any, ...] = ()):
    if isinstance(node, dict | list):
        for name, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield (*path, name)
            yield from leaves(value, (*path, name))


def with_value(node: Any, path: tuple[Any, ...], value: object) -> Any:
    if not path:
        return value
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[path[0]] = with_value(node[path[0]], path[1:], value)
    return copy


def test_emptiness_at_any_place_of_anything_we_write_is_a_problem():
    one_of_each = {one["resourceType"]: one for one in [*far_ends(), *audit_events()]}
    assert len(one_of_each) > 5
    for resource in one_of_each.values():
        places = [path for path in leaves(resource) if path[-1] != "resourceType"]
        for number, empty in enumerate(["", "  ", None, [], {}, "x\0y"] * 2):
            path = places[number * len(places) // 12]
            assert problems(with_value(resource, path, empty)), (resource["resourceType"], path, empty)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"subject": {"reference": "Patient/1", "display": ""}}, "Goal.subject.display"),
        ({"startDate": "26-11-2026"}, "Goal.startDate"),
        ({"note": [{"text": "a"}, {"text": "b", "time": "today"}]}, "Goal.note[1].time"),
        ({"goalText": "x"}, "Goal.goalText"),
        ({"description": {"text": 7}}, "Goal.description.text"),
        ({"id": "not an id"}, "Goal.id"),
        ({"contained": [{"resourceType": "Nothing"}]}, "Goal"),
        ({"resourceType": "Nothing"}, "resourceType 'Nothing'"),
        ({"category": []}, "Goal.category"),
    ],
)
def test_a_problem_names_its_place_and_quotes_no_value(change, place):
    found = problems({**GOAL, **change})
    assert found
    assert found[0].startswith(place)
    assert not any("26-11" in line or "today" in line or "not an id" in line for line in found)


def test_a_missing_element_is_a_problem():
    assert problems({name: value for name, value in GOAL.items() if name != "subject"}) == [
        "Goal.subject: Field required"
    ]


def test_what_the_server_had_wrong_already_is_not_ours_to_refuse():
    theirs = {**GOAL, "addresses": [], "start": "yesterday"}
    assert problems(theirs)
    assert problems({**theirs, "description": {"text": "Dansen"}}, theirs) == []
    assert problems({**theirs, "description": {"text": ""}}, theirs) != []


def test_references_that_have_no_address_yet_and_a_resource_without_id_are_fine():
    assert problems({**GOAL, "subject": {"reference": "urn:uuid:0b9f1f0e-6a54-4f7b-9d0f-3f0e5f0f8a01"}}) == []


def test_an_extension_may_translate_its_value():
    """R4 allows `_valueString` there; the models do not know it."""
    translated = {
        "url": "urn:x",
        "valueString": "Hoop",
        "_valueString": {"extension": [{"url": "urn:t", "valueCode": "en"}]},
    }
    assert problems({**GOAL, "extension": [translated]}) == []


def test_a_shape_that_the_models_trip_over_is_a_problem_and_no_accident():
    for odd in ({"contained": [{"resourceType": "Nothing"}]}, {"contained": [7]}, {"meta": 7}, {"extension": "x"}):
        assert model_problems({**GOAL, **odd})


def test_the_models_can_be_loaded_before_they_are_needed():
    prepare()
