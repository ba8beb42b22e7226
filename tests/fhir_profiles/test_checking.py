"""What `verstel validate` checks without Java: every good example passes, every bad one fails for its reason."""

import json
import re

import pytest

from fhir_profiles.checking import INVARIANTS, claimed, problems, profiles
from tests.fhir_profiles.bad_examples import EXAMPLES, bad_examples

GOOD = sorted(EXAMPLES.glob("*.json"))
# What HL7's engine alone can see is marked so in the file; `plain` cases are about FHIR itself, not about our profiles.
OURS = [case for case in bad_examples() if not case.java and not case.plain]


def found(resource):
    return [line for url in claimed(resource) for line in problems(resource, url)]


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_example_has_no_problems(path):
    resource = json.loads(path.read_bytes())
    assert claimed(resource)
    assert found(resource) == []


@pytest.mark.parametrize("case", OURS, ids=lambda case: case.id)
def test_a_bad_example_is_refused(case):
    assert found(case.resource()), case.rule


@pytest.mark.parametrize("case", OURS, ids=lambda case: case.id)
def test_a_bad_example_is_refused_for_what_was_changed(case):
    """The last name in the changed path, or the invariant's key, appears in a line about it."""
    changed = [*case.change, *case.remove, *case.repeat]
    names = {name for path in changed for name in re.findall(r"[A-Za-z]+", path)}
    stems = {re.split(r"(?=[A-Z])", name)[0] for name in names}
    for line in found(case.resource()):
        assert any(stem in line for stem in stems) or "verstel-" in line, line


def test_every_invariant_of_the_package_is_checked_here_too():
    keys = {
        constraint["key"]
        for profile in profiles().values()
        for element in profile["differential"]["element"]
        for constraint in element.get("constraint", [])
    }
    assert keys == INVARIANTS.keys()


def test_another_type_is_refused():
    url = next(url for url in profiles() if url.endswith("/recovery-goal"))
    assert problems({"resourceType": "Task"}, url) == [f"Task: this profile is for Goal: {url}"]


def test_a_profile_with_version_is_recognised():
    url = next(url for url in profiles() if url.endswith("/recovery-goal"))
    assert claimed({"resourceType": "Goal", "meta": {"profile": [f"{url}|0.1.0", "http://example.org/other"]}}) == [url]
