"""The References of a resource: found wherever they are nested, renamed without touching anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.fhir.references import references, renamed, with_references

PLAN = {
    "resourceType": "CarePlan",
    "subject": {"reference": "Patient/1", "display": "Anna"},
    "goal": [{"reference": "urn:uuid:a"}, {"reference": "Goal/2"}],
    "activity": [{"reference": {"reference": "urn:uuid:b"}}],
    "description": "urn:uuid:a is a name that someone wrote down",
    "contributor": [{"type": "Practitioner", "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:a"}}],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["reference", "subject", "display"]), inner, max_size=3)
    ),
    max_leaves=12,
)


def test_every_reference_is_found_in_the_order_of_the_resource():
    assert list(references(PLAN)) == ["Patient/1", "urn:uuid:a", "Goal/2", "urn:uuid:b"]


def test_renaming_changes_references_and_no_other_text():
    changed = renamed(PLAN, lambda name: {"urn:uuid:a": "Goal/1", "urn:uuid:b": "Task/1"}.get(name, name))
    assert list(references(changed)) == ["Patient/1", "Goal/1", "Goal/2", "Task/1"]
    assert changed["description"] == PLAN["description"]
    assert changed["contributor"] == PLAN["contributor"]
    assert list(references(PLAN))[1] == "urn:uuid:a", "the original must stay as it was"


def test_a_change_may_say_more_than_another_address():
    changed = with_references(
        PLAN["goal"], lambda one: {"type": "Goal"} if one["reference"].startswith("urn:") else dict(one)
    )
    assert changed == [{"type": "Goal"}, {"reference": "Goal/2"}]


def test_what_a_change_raises_passes_through():
    def refuse(_name: str) -> str:
        raise LookupError

    with pytest.raises(LookupError):
        renamed(PLAN, refuse)


@pytest.mark.parametrize("node", [{"reference": 1}, {"reference": None}, {"reference": ["Patient/1"]}, "Patient/1", 7])
def test_what_is_not_a_reference_is_left_alone(node):
    assert list(references(node)) == []
    assert renamed(node, str.upper) == node


@given(JSON)
def test_renaming_to_the_same_names_changes_nothing(node):
    assert renamed(node, lambda name: name) == node


@given(JSON)
def test_renaming_renames_exactly_what_is_found(node):
    assert sorted(references(renamed(node, lambda name: f"x{name}"))) == sorted(f"x{name}" for name in references(node))
