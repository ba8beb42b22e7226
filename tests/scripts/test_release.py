"""A release is made when tag, versions and changes agree, and else says what does not."""

from __future__ import annotations

import pytest

from scripts.release import changes, main, problems
from scripts.sbom import of_version

CHANGELOG = "# Changes\n\n## Unreleased\n\n## 1.2.3, 28 November 2026\n\n- one\n- two\n\n## 1.2.2\n\n- old\n"


def test_the_changes_of_a_version_are_those_below_its_heading():
    assert changes(CHANGELOG, "1.2.3") == "- one\n- two"
    assert changes(CHANGELOG, "1.2.2") == "- old"
    assert changes(CHANGELOG, "1.2") is None


def test_what_agrees_has_no_problem():
    assert problems("v1.2.3", version="1.2.3", fhir="1.2.3", changelog=CHANGELOG) == []


@pytest.mark.parametrize(
    ("tag", "version", "fhir", "says"),
    [
        ("v1.2.4", "1.2.3", "1.2.3", "The tag is v1.2.4"),
        ("1.2.3", "1.2.3", "1.2.3", "The tag is 1.2.3"),
        ("v1.2.3", "1.2.3", "1.2.2", "sushi-config.yaml has version 1.2.2"),
        ("v1.3.0", "1.3.0", "1.3.0", "no section '## 1.3.0'"),
    ],
)
def test_each_thing_that_does_not_agree_is_named(tag, version, fhir, says):
    [problem] = problems(tag, version=version, fhir=fhir, changelog=CHANGELOG)
    assert says in problem


def test_what_changed_since_and_is_not_said_of_a_version_is_not_released():
    changelog = CHANGELOG.replace("## Unreleased\n", "## Unreleased\n\n### Added\n\n- new\n")
    [problem] = problems("v1.2.3", version="1.2.3", fhir="1.2.3", changelog=changelog)
    assert "changes that are *Unreleased*" in problem


def test_a_release_without_a_tag_says_what_it_needs(capsys):
    assert main([]) == 1
    assert "TAG=v1.2.3" in capsys.readouterr().out


def test_the_list_of_components_says_of_which_version_it_is():
    listed = {"metadata": {"tools": {}, "component": {"name": "verstel", "type": "application"}}, "components": [{}]}
    made = of_version(listed, "1.2.3")
    assert made["metadata"]["component"] == {
        "name": "verstel",
        "type": "application",
        "version": "1.2.3",
    }
    assert {**made, "metadata": {}} == {**listed, "metadata": {}}
    assert made["metadata"]["tools"] == {}
