"""`verstel validate`: what it accepts, what it refuses, and what it never repeats."""

import json

import pytest
from click.testing import CliRunner

from smartapp.commands.validate import command
from tests.fhir_profiles.bad_examples import EXAMPLES, bad_examples


def run(*arguments):
    return CliRunner().invoke(command, [str(one) for one in arguments])


def good(name):
    return json.loads((EXAMPLES / f"{name}.json").read_bytes())


def test_good_examples_pass_with_exit_0():
    result = run(*sorted(EXAMPLES.glob("*.json")))
    assert result.exit_code == 0, result.output
    assert "CarePlan as recovery-plan: nothing wrong" in result.output


def test_it_says_how_to_run_the_reference_engine():
    assert "python -m tests.conformance.validate" in run(EXAMPLES / "Goal-example-goal.json").stderr


@pytest.mark.parametrize("case", [c for c in bad_examples() if not c.java], ids=lambda case: case.id)
def test_a_bad_example_is_refused_with_exit_1(case, tmp_path):
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(case.resource()))
    result = run(path)
    assert result.exit_code == 1, case.rule
    assert "1 resources, 1 with something wrong" in result.stderr


def test_each_line_of_ndjson_is_a_resource(tmp_path):
    path = tmp_path / "goals.ndjson"
    other = good("Goal-example-goal")
    del other["expressedBy"]
    path.write_text(f"{json.dumps(good('Goal-example-goal'))}\n\n{json.dumps(other)}\n{{broken\n")
    result = run(path, "--quiet")
    assert result.exit_code == 1
    # Line 1 is fine; the empty line does not count; 2 does not say whose words these are; 3 is not JSON.
    assert f"{path}:1" not in result.output
    assert f"{path}:2: Goal as recovery-goal\n    Goal.expressedBy: minimum required = 1" in result.output
    assert f"{path}:3: refused\n    not JSON" in result.output


def test_what_is_in_a_bundle_is_checked(tmp_path):
    inside = good("Goal-example-goal")
    del inside["statusDate"]
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": inside}]}))
    result = run(path)
    assert result.exit_code == 1
    assert "#entry[0]: Goal as recovery-goal\n    Goal: verstel-goal-progress-dated" in result.output


@pytest.mark.parametrize("content", ['{"a": 1}', "[]", "3", '{"resourceType": 4}'])
def test_what_is_no_resource_is_refused(content, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(content)
    result = run(path)
    assert result.exit_code == 1
    assert "there is no resourceType" in result.output


@pytest.mark.parametrize("kind", ["Recovery", "HumanName", "BackboneElement", "DomainResource"])
def test_what_is_no_type_of_resource_is_refused(kind, tmp_path):
    """Data types and abstract types have a model too, and an empty one would pass."""
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"resourceType": kind}))
    assert f"{kind} is not a resource of FHIR R4" in run(path).output


def test_a_resource_too_deep_to_be_read_is_refused(tmp_path):
    nested: dict = {"url": "https://example.org/x", "valueString": "x"}
    for _ in range(450):
        nested = {"url": "https://example.org/x", "extension": [nested]}
    path = tmp_path / "deep.json"
    path.write_text(json.dumps({"resourceType": "Patient", "extension": [nested]}))
    result = run(path)
    assert result.exit_code == 1
    assert "nested too deeply to be checked" in result.output


def test_no_message_repeats_what_a_person_typed(tmp_path):
    path = tmp_path / "goal.json"
    path.write_text(json.dumps({**good("Goal-example-goal"), "startDate": "zeg ik niet", "target": "geheim"}))
    result = run(path)
    assert result.exit_code == 1
    assert "zeg ik niet" not in result.output
    assert "geheim" not in result.output


def test_a_file_that_is_not_there_is_wrong_usage():
    result = run("nowhere.json")
    assert result.exit_code == 2
    assert "'nowhere.json' does not exist" in result.output


@pytest.mark.parametrize(
    "written",
    [
        {"resourceType": "Bundle", "type": "collection", "entry": 5},
        {"resourceType": "Bundle", "type": "collection", "entry": ["x", {"resource": 5}]},
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": 7}}]},
        {"resourceType": "Goal", "meta": "x"},
        {"resourceType": "Goal", "meta": {"profile": 5}},
    ],
    ids=json.dumps,
)
def test_what_has_another_shape_than_fhir_is_refused_and_not_tripped_over(written, tmp_path):
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(written))
    result = run(path)
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert "1 with something wrong" in result.stderr


@pytest.mark.parametrize(
    ("name", "element"),
    [("QuestionnaireResponse-example-response", "questionnaire"), ("Goal-example-goal", "category")],
)
def test_null_is_as_good_as_absent(name, element, tmp_path):
    """JSON writers of other systems write null for what they do not have."""
    resource = good(name)
    absent, null = tmp_path / "absent.json", tmp_path / "null.json"
    absent.write_text(json.dumps({key: value for key, value in resource.items() if key != element}))
    null.write_text(json.dumps(resource | {element: None}))
    said = run(null)
    assert said.exception is None or isinstance(said.exception, SystemExit)
    assert said.stdout.replace("null.json", "absent.json") == run(absent).stdout
