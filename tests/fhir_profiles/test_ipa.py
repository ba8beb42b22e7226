"""What the International Patient Access guide demands of what it profiles and the sandbox has or the app writes.

Read in HL7/fhir-ipa at f05721d5a739 (1.1.0), input/resources. It has no profile for plans, goals, teams, tasks or
responses. Its warnings are kept too.
"""

from __future__ import annotations

from functools import cache

from tests.conformance.written import far_ends, seeded
from tests.fhir_profiles.rules import ABSENT, Rule, check, each, extensions


@cache
def written():
    return (*seeded(), *far_ends())


def told(name):
    """ipa-pat-2."""
    said = "family" in name or "given" in name or "text" in name
    return said != bool(extensions(name, ABSENT))


def valued(observation):
    """ipa-obs-1."""
    if "component" in observation or "hasMember" in observation:
        return True
    return "dataAbsentReason" in observation or any(name.startswith("value") for name in observation)


def without_value(observation):
    if "component" in observation or "hasMember" in observation:
        raise LookupError("a panel needs no value")
    for name in [one for one in observation if one.startswith("value") or one == "dataAbsentReason"]:
        del observation[name]


def linked(patient):
    patient["link"] = [{"other": {"reference": "Patient/1"}, "type": "seealso"}]
    del patient["active"]


RULES = (
    Rule("identifier 1..", "Patient", lambda one: bool(one.get("identifier")), lambda one: one.pop("identifier")),
    Rule(
        "identifier.value 1..",
        "Patient",
        lambda one: all(each_.get("value") for each_ in one["identifier"]),
        lambda one: one["identifier"][0].pop("value"),
    ),
    Rule(
        "ipa-pat-1",
        "Patient",
        lambda one: all(each_.keys() & {"system", "type", "assigner"} for each_ in one["identifier"]),
        lambda one: one["identifier"][0].pop("system"),
    ),
    Rule(
        "ipa-pat-2",
        "Patient",
        lambda one: all(map(told, one["name"])),
        lambda one: one["name"].append({"use": "usual"}),
    ),
    Rule(
        "ipa-pat-3",
        "Patient",
        lambda one: all("text" in name for name in one["name"]),
        lambda one: one["name"][0].pop("text"),
    ),
    Rule("ipa-pat-4", "Patient", lambda one: "link" not in one or "active" in one, linked),
    Rule("name 1..", "Practitioner", lambda one: bool(one.get("name")), lambda one: one.pop("name")),
    Rule(
        "ipa-pract-1",
        "Practitioner",
        lambda one: all("text" in name for name in one["name"]),
        lambda one: one["name"][0].pop("text"),
    ),
    Rule("subject 1..", "Observation", lambda one: "subject" in one, lambda one: one.pop("subject")),
    Rule("ipa-obs-1", "Observation", valued, without_value),
)


@each(RULES)
def test_what_we_write_keeps_the_rules_of_ipa(rule):
    check(rule, written())


def test_there_are_observations_of_each_kind_to_try_it_on():
    kinds = {name for one in written() if one["resourceType"] == "Observation" for name in one}
    assert {"valueQuantity", "valueString", "valueCodeableConcept", "hasMember", "dataAbsentReason"} <= kinds
