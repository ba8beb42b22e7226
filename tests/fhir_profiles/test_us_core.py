"""What US Core demands of the resources that are ours to write, checked on what the sandbox's people have.

Read in HL7/US-Core, tag 8.0.0, input/resources-yaml. Until 7.0.0 a CarePlan also had to carry the category
`assess-plan`, which means a clinician's conclusions; a client's own plan is none, so that version is not claimed.
"""

from __future__ import annotations

from functools import cache

from tests.conformance.written import seeded
from tests.fhir_profiles.rules import ABSENT, Rule, check, each, extensions


@cache
def written():
    return tuple(seeded())


def identified(resource):
    there = resource.get("identifier", [])
    return bool(there) and all(one.get("system") and one.get("value") for one in there)


def taken_out(name):
    return lambda resource: resource.pop(name)


def without_name(resource):
    resource["name"] = [{"text": resource["name"][0]["text"]}]


def named(resource):
    """us-core-6."""
    return bool(resource.get("name")) and all(
        ("family" in one or "given" in one) != bool(extensions(one, ABSENT)) for one in resource["name"]
    )


NARRATIVE = {"additional", "generated"}  # ValueSet us-core-narrative-status, required
RULES = (
    Rule(
        "text.status of the value set",
        "CarePlan",
        lambda one: one.get("text", {}).get("status") in NARRATIVE,
        lambda one: one["text"].update(status="extensions"),
    ),
    Rule("category 1..", "CarePlan", lambda one: bool(one.get("category")), taken_out("category")),
    Rule("subject 1..", "CarePlan", lambda one: "subject" in one, taken_out("subject")),
    Rule(
        "description.text",
        "Goal",
        lambda one: bool(one["description"].get("text")),
        lambda one: one["description"].pop("text"),
    ),
    Rule("identifier 1.., system and value", "Patient", identified, lambda one: one["identifier"][0].pop("value")),
    Rule("name 1.., us-core-6", "Patient", named, without_name),
    Rule("identifier 1.., system and value", "Practitioner", identified, taken_out("identifier")),
    Rule(
        "name 1.., family 1..",
        "Practitioner",
        lambda one: bool(one.get("name")) and all(name.get("family") for name in one["name"]),
        without_name,
    ),
    Rule("subject 1..", "CareTeam", lambda one: "subject" in one, taken_out("subject")),
    Rule(
        "participant 1.., role and member",
        "CareTeam",
        lambda one: (
            bool(one.get("participant")) and all(who.get("role") and who.get("member") for who in one["participant"])
        ),
        lambda one: one["participant"][0].pop("role"),
    ),
)


@each(RULES)
def test_what_we_write_keeps_the_rules_of_us_core_8(rule):
    check(rule, written())


def test_the_text_of_a_plan_says_that_it_has_more_than_the_plan():
    """R4, narrative-status: `additional` is what may contain information not found in the structured data."""
    plans = [one for one in written() if one["resourceType"] == "CarePlan" and "goal" in one]
    assert plans
    assert {one["text"]["status"] for one in plans} == {"additional"}
