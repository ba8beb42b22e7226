"""The compiled package: whole, explained, and with a good and a bad example of each profile."""

import json
import re

import pytest

from fhir_profiles.activities import activities
from fhir_profiles.checking import claimed
from fhir_profiles.compile import PACKAGE, as_json, differences, made, package_files
from questionnaires import canonical
from questionnaires.catalogue import Catalogue
from tests.fhir_profiles.bad_examples import EXAMPLES, BadExample, bad_examples

DEFINITIONS = {path.name: json.loads(path.read_bytes()) for path in PACKAGE.glob("*.json") if path.name[0].isupper()}
STRUCTURES = [one for one in DEFINITIONS.values() if one["resourceType"] == "StructureDefinition"]
PROFILES = [one for one in STRUCTURES if one["type"] != "Extension"]
PROMISED = {
    "recovery-score",
    "recovery-score-panel",
    "recovery-response",
    "recovery-plan",
    "recovery-goal",
    "recovery-step",
    "agreed-step",
    "recovery-care-team",
    "questionnaire-assignment",
    "talking-point",
    "own-note",
    "recovery-phase",
    "plan-consent",
    "reuse-consent",
    "programme-course",
    "ready-message",
    "recovery-audit-event",
    "score-provenance",
    "team-response",
    "team-group",
    "team-report",
    "team-told-back",
    "team-action",
}


def test_all_promised_profiles_are_there():
    assert {one["id"] for one in PROFILES} == PROMISED


@pytest.mark.parametrize("one", PROFILES, ids=lambda one: one["id"])
def test_a_profile_says_how_it_differs_from_its_parent(one):
    assert f"It differs from {one['type']} by:" in one["description"]


@pytest.mark.parametrize("one", STRUCTURES, ids=lambda one: one["id"])
def test_a_structure_has_a_snapshot_and_a_dutch_name(one):
    assert one["snapshot"]["element"]
    assert one["differential"]["element"][0]["alias"]


@pytest.mark.parametrize("one", PROFILES, ids=lambda one: one["id"])
def test_a_profile_says_how_it_relates_to_nl_core(one):
    identities = {mapping["identity"] for mapping in one["mapping"]}
    mapped = [
        e["path"] for e in one["differential"]["element"] for m in e.get("mapping", ()) if m["identity"] == "nl-core"
    ]
    assert "nl-core" in identities
    assert mapped


@pytest.mark.parametrize("one", DEFINITIONS.values(), ids=DEFINITIONS)
def test_a_definition_lives_under_the_canonical_base(one):
    assert one["url"] == f"{canonical.BASE}/{one['resourceType']}/{one['id']}"
    assert {"version", "status", "publisher", "jurisdiction", "copyright"} <= one.keys()


@pytest.mark.parametrize("one", PROFILES, ids=lambda one: one["id"])
def test_a_profile_has_a_good_and_a_bad_example(one):
    good = {path.stem for path in EXAMPLES.glob("*.json") if one["url"] in claimed(json.loads(path.read_bytes()))}
    assert good
    assert [case for case in bad_examples() if case.origin in good and not case.plain]


@pytest.mark.parametrize("one", PROFILES, ids=lambda one: one["id"])
def test_every_rule_of_a_profile_has_a_bad_example(one):
    """Whatever a profile narrows (number, type, value, codes) is changed, removed or repeated by some bad example."""
    touched = [
        re.sub(r"\[\d+\]", "", path)
        for case in bad_examples_of(one)
        for path in (*case.change, *case.remove, *case.repeat)
    ]
    rules = {e["path"].partition(".")[2] for e in one["differential"]["element"][1:] if narrows(e)}
    assert rules
    assert {rule for rule in rules if not any(touches(path, rule) for path in touched)} == set()


def test_every_invariant_is_the_reason_why_a_bad_example_fails():
    keys = {c["key"] for one in PROFILES for e in one["differential"]["element"] for c in e.get("constraint", ())}
    reasons = {reason for case in bad_examples() for reason in case.errors}
    assert keys
    assert keys <= reasons


def bad_examples_of(profile):
    good = {path.stem for path in EXAMPLES.glob("*.json") if profile["url"] in claimed(json.loads(path.read_bytes()))}
    return [case for case in bad_examples() if case.origin in good and not case.plain]


def narrows(element):
    """Tell whether an element of a differential refuses anything; a slice is judged where its list is."""
    required = element.get("binding", {}).get("strength") == "required"
    return required or any(name in ("min", "max", "type") or name.startswith(("pattern", "fixed")) for name in element)


def touches(path, rule):
    """Tell whether changing `path` touches the element of `rule`: itself, what contains it, or what it contains.

    An element with a choice of types has its type in the path of an example: `value[x].code` is `valueQuantity.code`.
    """
    pattern = re.escape(rule).replace(re.escape("[x]"), r"[A-Z]\w*")
    return rule.startswith(f"{path}.") or re.match(rf"{pattern}(\.|$)", path) is not None


def test_references_are_to_types_of_fhir_and_not_to_profiles_of_others():
    targets = {
        target
        for one in PROFILES
        for element in one["differential"]["element"]
        for kind in element.get("type", [])
        for target in kind.get("targetProfile", [])
    }
    assert targets
    assert all(target.startswith("http://hl7.org/fhir/StructureDefinition/") for target in targets)


def test_no_profile_derives_from_a_profile():
    assert all(one["baseDefinition"] == f"http://hl7.org/fhir/StructureDefinition/{one['type']}" for one in STRUCTURES)


def test_each_questionnaire_can_be_asked_for():
    asked = {
        one["relatedArtifact"][0]["resource"] for one in activities() if one["resourceType"] == "ActivityDefinition"
    }
    assert asked == {instrument.canonical for instrument in Catalogue().asked.values()}


def test_the_three_moments_ask_for_what_has_scores():
    plan = next(one for one in activities() if one["id"] == "three-moments")
    assert [(one["id"], *sorted(one.keys() & {"timingRange", "timingDuration"})) for one in plan["action"]] == [
        ("start", "timingRange"),
        ("follow-up", "timingDuration"),
        ("consolidation", "timingDuration"),
    ]
    scored = [i.id for i in Catalogue().scored.values() if any(rule.default for rule in i.scores)]
    for moment in plan["action"]:
        assert sorted(one["id"] for one in moment["action"]) == sorted(f"{moment['id']}-{ident}" for ident in scored)


def test_a_talk_that_comes_again_is_a_timing_within_the_longest_of_its_programme():
    plan = next(one for one in activities() if one["id"] == "npi-recovery")
    talk = next(one for one in plan["action"] if one["id"] == "talk")
    assert talk["timingTiming"]["repeat"] == {
        "boundsDuration": {"value": 12, "unit": "maanden", "system": "http://unitsofmeasure.org", "code": "mo"},
        "frequency": 1,
        "period": 6,
        "periodUnit": "wk",
    }


def test_the_generated_part_of_the_package_is_up_to_date():
    """What needs no compiler is made again and compared here; the rest in `tests.conformance.profiles`."""
    stale = [
        name
        for name, content in package_files(made()).items()
        if name != "package.json" and (PACKAGE / name).read_bytes() != content
    ]
    assert stale == [], "run python -m fhir_profiles.compile"


def test_a_file_that_differs_is_named(tmp_path):
    (tmp_path / "old.json").write_bytes(as_json({"a": 1}))
    (tmp_path / "same.json").write_bytes(as_json({"b": "é"}))
    (tmp_path / "changed.json").write_bytes(as_json({"c": 1}))
    files = {"same.json": as_json({"b": "é"}), "changed.json": as_json({"c": 2}), "new.json": as_json({})}
    assert differences(files, tmp_path) == ["changed.json: differs", "new.json: missing", "old.json: left over"]


def test_a_bad_example_that_fails_for_another_reason_is_not_good_enough():
    case = BadExample(id="x", rule="", origin="", errors=("status.*minimum",))
    assert case.misses(["Observation.status: minimum required = 1"]) == []
    assert case.misses([]) == ["no error matches 'status.*minimum'"]
    other = case.misses(["Observation.status: minimum required = 1", "Observation.code: unknown"])
    assert other == ["not the reason: Observation.code: unknown"]
