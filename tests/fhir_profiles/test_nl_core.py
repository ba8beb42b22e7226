"""What Dutch receivers demand, checked on everything that the sandbox's people have.

The package nictiz.fhir.nl.r4.nl-core is in none of the registries that this project fetches from, so HL7's validator
can't be given it. These are its constraints as read in its source (Nictiz-R4-zib2020, 0.12.1-beta.1), and what Nictiz'
own qualification scripts (Nictiz-testscripts) assert on every answer. They were read, not run.
"""

import re
from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from mappers.human_name import OWN_NAME, OWN_PREFIX, PARTNER_NAME, PARTNER_PREFIX, QUALIFIER, human_name
from tests.conformance.written import audit_events, far_ends, seeded
from tests.fhir_profiles.rules import Rule, check, each, extensions

SNOMED_ICF_NOC_OMAHA = {
    "http://snomed.info/sct",
    "http://hl7.org/fhir/sid/icf-nl",
    "urn:oid:2.16.840.1.113883.6.16",
    "urn:oid:2.16.840.1.113883.6.98",
}
FUNCTIONAL, MENTAL = "118228005", "384821006"


@cache
def written():
    return (*seeded(), *far_ends(), *audit_events())


def of(kind):
    found = [one for one in written() if one["resourceType"] == kind]
    assert found, f"nobody in the sandbox has a {kind}"
    return found


def objects(value):
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner)


def kind_of(reference):
    return reference["reference"].partition("/")[0]


# ---- nl-core-TreatmentObjective ------------------------------------------------------------------------------------


def test_a_goal_says_the_desired_result_in_text():
    """nl-core-TreatmentObjective: description.text carries DesiredHealthcareResult."""
    assert all(goal["description"]["text"].strip() for goal in of("Goal"))


def test_a_goal_has_at_most_one_problem():
    """nl-core-TreatmentObjective: addresses ..1."""
    assert all(len(goal.get("addresses", [])) <= 1 for goal in of("Goal"))


def test_where_a_goal_has_more_than_the_one_note_of_nl_core_the_first_is_the_newest_of_the_client():
    """nl-core-TreatmentObjective: note ..1. A receiver that takes the first has what the client said last."""
    noted = [goal for goal in of("Goal") if len(goal.get("note", [])) > 1]
    assert noted
    for goal in noted:
        own = [
            note
            for note in goal["note"]
            if note.get("authorReference", {}).get("reference") == goal["subject"]["reference"]
        ]
        assert goal["note"][0] == max(own, key=lambda note: note.get("time", ""))


def test_a_goal_is_of_a_person():
    """nl-core-TreatmentObjective: subject is a Patient, Group or Organization."""
    assert {kind_of(goal["subject"]) for goal in of("Goal")} == {"Patient"}


def test_a_target_has_a_date_and_no_code_that_is_only_ours():
    """nl-core-TreatmentObjective: dueDate is a date; measure and detailCodeableConcept come from four code systems."""
    targets = [target for goal in of("Goal") for target in goal.get("target", [])]
    assert targets
    for target in targets:
        assert re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", target["dueDate"])
        for name in ("measure", "detailCodeableConcept"):
            systems = {coding["system"] for coding in target.get(name, {}).get("coding", [])}
            assert name not in target or systems & SNOMED_ICF_NOC_OMAHA


# ---- nl-core-FunctionalOrMentalStatus ------------------------------------------------------------------------------


def test_a_score_does_not_pretend_to_be_a_functional_or_mental_status():
    """nl-core-FunctionalOrMentalStatus: category 118228005 or 384821006 needs a code of SNOMED, ICF, NOC or Omaha."""
    for one in of("Observation"):
        categories = {coding["code"] for category in one.get("category", ()) for coding in category["coding"]}
        systems = {coding["system"] for coding in one["code"]["coding"]}
        assert not categories & {FUNCTIONAL, MENTAL} or systems & SNOMED_ICF_NOC_OMAHA


def test_a_score_has_a_date_and_at_most_one_note():
    """nl-core-FunctionalOrMentalStatus: effectiveDateTime, note ..1."""
    assert all("effectiveDateTime" in one and len(one.get("note", [])) <= 1 for one in of("Observation"))


# ---- nl-core-CareTeam ----------------------------------------------------------------------------------------------


def test_where_a_team_goes_beyond_nl_core_it_is_by_having_more_people():
    """nl-core-CareTeam: contactPerson ..1, patient ..1, healthcareProfessional (PractitionerRole) ..1.

    Nictiz' own example has several professionals; so may a team here. One client, always.
    """
    for team in of("CareTeam"):
        assert team["subject"]["reference"].startswith("Patient/")
        kinds = Counter(kind_of(participant["member"]) for participant in team["participant"])
        assert kinds["Patient"] == 1


# ---- nl-core-Patient, -ContactPerson, -HealthProfessional-Practitioner ---------------------------------------------


LANGUAGES = "urn:oid:1.0.639.1"
"""The system of every code of CommunicatieTaalCodelijst, to which zib-Patient binds a language (required)."""


def official(person):
    return [one for one in person["name"] if one.get("use") == "official"]


def qualifiers(name):
    """Return of each official given name how many qualifiers it has."""
    beside = [*name.get("_given", []), *[None] * len(name.get("given", []))]
    return [len(extensions(one, QUALIFIER)) for one, _ in zip(beside, name.get("given", []), strict=False)]


def family_part(url):
    return lambda name: bool(extensions(name.get("_family"), url))


def implied(if_there, then_there):
    return lambda person: all(not if_there(name) or then_there(name) for name in official(person))


def prefix_alone(prefix):
    def spoil(person):
        official(person)[0]["_family"]["extension"] = [{"url": prefix, "valueString": "van"}]

    return spoil


def structured(name):
    return bool(name.keys() & {"family", "given", "prefix", "suffix"})


NAMES = (
    Rule(
        "zib-NameInformation use 1..",
        "",
        lambda one: all(name.get("use") in {"official", "usual"} for name in one["name"]),
        lambda one: one["name"][0].pop("use"),
    ),
    Rule(
        "zib-NameInformation given.extension 1..",
        "",
        lambda one: all(len(name.get("_given", [])) == len(name.get("given", [])) for name in official(one)),
        lambda one: one["name"][0].pop("_given"),
    ),
    Rule(
        "zib-NameInformation given.extension:givenOrInitial 1..1",
        "",
        lambda one: all(count == 1 for name in official(one) for count in qualifiers(name)),
        lambda one: one["name"][0]["_given"][0]["extension"][0].update(url="https://ehr.example/other"),
    ),
    Rule(
        "zib-NameInformation-1",
        "",
        implied(family_part(OWN_PREFIX), family_part(OWN_NAME)),
        prefix_alone(OWN_PREFIX),
    ),
    Rule(
        "zib-NameInformation-2",
        "",
        implied(family_part(PARTNER_PREFIX), family_part(PARTNER_NAME)),
        prefix_alone(PARTNER_PREFIX),
    ),
    Rule(
        "nl-core-NameInformation-01",
        "",
        implied(structured, lambda name: bool(name.get("text"))),
        lambda one: one["name"][0].pop("text"),
    ),
    Rule(
        "nl-core-NameInformation-02",
        "",
        implied(lambda name: "extension" in name.get("_family", {}), lambda name: bool(name.get("family"))),
        lambda one: one["name"][0].pop("family"),
    ),
)
PATIENT = (
    Rule("gender 1..", "Patient", lambda one: bool(one.get("gender")), lambda one: one.pop("gender")),
    Rule(
        "telecom.system 1..",
        "Patient",
        lambda one: all("system" in telecom for telecom in one.get("telecom", [])),
        lambda one: one.update(telecom=[{"value": "06 12345678"}]),
    ),
    Rule(
        "communication.language of CommunicatieTaalCodelijst",
        "Patient",
        lambda one: all(
            any(coding["system"] == LANGUAGES and coding["code"] for coding in each_["language"]["coding"])
            for each_ in one.get("communication", [])
        ),
        lambda one: one.update(communication=[{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "nl"}]}}]),
    ),
)


@each(replace(rule, kind=kind) for kind in ("Patient", "RelatedPerson", "Practitioner") for rule in NAMES)
def test_a_name_is_as_nl_core_has_it(rule):
    """nl-core-Patient, -ContactPerson, -HealthProfessional-Practitioner: their names are nl-core-NameInformation."""
    check(rule, written())


@each(PATIENT)
def test_a_patient_has_what_nl_core_requires(rule):
    """nl-core-Patient: gender, telecom, and a language by which of its codes."""
    check(rule, written())


def test_the_family_name_of_our_people_is_the_one_that_its_parts_make():
    """nl-core-NameInformation, comment at family: the value is made of the parts in the order of NameUsage."""
    for one in written():
        for name in one.get("name", []) if one["resourceType"] in {"Patient", "RelatedPerson", "Practitioner"} else []:
            parts = {key: value for key, value in name.items() if key not in {"text", "family"}}
            assert human_name({"name": [parts]}) == name["text"]


# ---- Nictiz-testscripts: on every answer ---------------------------------------------------------------------------


def test_what_the_app_writes_names_its_profile():
    """Nictiz-testscripts: meta.profile is present."""
    ours = {"QuestionnaireResponse", "Observation", "CarePlan", "Goal", "Task", "CareTeam", "Provenance", "AuditEvent"}
    for one in written():
        assert one["resourceType"] not in ours or one["meta"]["profile"], one.get("id")


def test_every_coding_has_system_and_code():
    """Nictiz-testscripts: every Coding has system and code."""
    codings = [coding for one in written() for thing in objects(one) for coding in thing.get("coding", [])]
    assert codings
    assert all("system" in coding and "code" in coding for coding in codings)


def test_every_concept_has_words():
    """Nictiz-testscripts: every CodeableConcept has display or text."""
    for one in written():
        for thing in objects(one):
            if isinstance(thing.get("coding"), list):
                assert thing.get("text") or any("display" in coding for coding in thing["coding"]), thing


def test_every_reference_has_a_display():
    """Nictiz-testscripts: every Reference has a display."""
    references = [thing for one in written() for thing in objects(one) if isinstance(thing.get("reference"), str)]
    assert references
    assert all("display" in reference for reference in references)


def test_every_identifier_has_system_and_value():
    """Nictiz-testscripts: every Identifier has system and value."""
    for one in written():
        for thing in objects(one):
            given = thing.get("identifier", [])
            for identifier in given if isinstance(given, list) else [given]:
                assert identifier["system"]
                assert identifier["value"]


def test_there_is_no_bsn_anywhere():
    """Nictiz-testscripts (MedMij): the BSN stands nowhere in what is exchanged."""
    for one in written():
        for thing in objects(one):
            assert thing.get("system") not in {
                "http://fhir.nl/fhir/NamingSystem/bsn",
                "urn:oid:2.16.840.1.113883.2.4.6.3",
            }


@pytest.mark.parametrize("kind", ["Goal", "CarePlan", "QuestionnaireResponse", "Observation"])
def test_what_a_dutch_portal_gets_names_the_person_by_reference(kind):
    """MedMij core: the subject is the client whose token it is; never a group."""
    assert all(kind_of(one["subject"]) == "Patient" for one in of(kind))
