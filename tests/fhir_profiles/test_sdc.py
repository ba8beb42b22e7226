"""What Structured Data Capture 3.0.0 and 4.0.0 demand of forms and responses, on all that we publish and write.

Read in HL7/sdc: 4.0.0 at its tag (input/fsh), 3.0.0 at commit f9c12c2eb322 of 1 March 2022 (input/resources), as that
release has no tag there and no package on npm. What npm has is 4.0.0-ballot, of which the extension for `sdc-2` was
another one. Which profile a form is held to depends on what it does: `plain` has no extension and is no form of SDC 4.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache

import pytest

from mappers.answers import answers_of
from questionnaires.catalogue import catalogue
from tests.conformance.validate import PUBLISHED
from tests.conformance.written import far_ends, seeded
from tests.fhir_profiles.rules import SD, Rule, check, each, extensions, items

SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition"
ALGORITHM = f"{SD}/artifact-versionAlgorithm"
R5_SOURCE = "http://hl7.org/fhir/5.0/StructureDefinition/extension-QuestionnaireResponse.source"
EXTRACTED = f"{SDC}/sdc-questionnaire-observationExtract"
TEMPLATE = f"{SDC}/sdc-questionnaire-templateExtract"
CHOICES = frozenset({"answerOption", "answerValueSet"})


@cache
def published():
    found = (json.loads(path.read_bytes()) for path in sorted(PUBLISHED.rglob("*.json")))
    return tuple(one for one in found if one["resourceType"] == "Questionnaire")


def variant(form):
    return next((one for one in ("plain", "template", "structure") if form["id"].endswith(f"-{one}")), "default")


def forms(*variants):
    return [one for one in published() if variant(one) in variants]


def by_observation():
    """The forms that SDC's profile for extraction by Observation is for."""
    return [one for one in published() if any(extensions(item, EXTRACTED) for item in items(one))]


def by_template():
    return [one for one in published() if extensions(one, TEMPLATE) or any(extensions(i, TEMPLATE) for i in items(one))]


@cache
def responses():
    return tuple(one for one in (*seeded(), *far_ends()) if one["resourceType"] == "QuestionnaireResponse")


def taken_out(name):
    return lambda resource: resource.pop(name)


def first(resource, fits=lambda _: True):
    """Return the first item for which something holds. Raises LookupError where there is none."""
    found = next((one for one in items(resource) if fits(one)), None)
    if found is None:
        raise LookupError("no such item")
    return found


def add(element, url, **value):
    element.setdefault("extension", []).append({"url": url, **value})


def never(url, beside):
    """Return that no item has an extension beside one of the elements."""
    return lambda form: not any(extensions(item, url) and item.keys() & beside for item in items(form))


def breaks(url, beside):
    return lambda form: add(first(form, lambda one: one.keys() & beside), url, valueExpression={})


def with_initial(form):
    item = first(form)
    item["initial"] = [{"valueBoolean": True}]
    add(item, f"{SDC}/sdc-questionnaire-initialExpression", valueExpression={})


# ---- forms: 3.0.0, and what 4.0.0 kept of it ------------------------------------------------------------------------

OF_BOTH = (
    Rule("url 1..1", "Questionnaire", lambda one: bool(one.get("url")), taken_out("url")),
    Rule(
        "item.linkId and item.type 1..1",
        "Questionnaire",
        lambda one: all(item.get("linkId") and item.get("type") for item in items(one)),
        lambda one: first(one).pop("type"),
    ),
    Rule(
        "sdc-1",
        "Questionnaire",
        never(f"{SDC}/sdc-questionnaire-answerExpression", CHOICES),
        breaks(f"{SDC}/sdc-questionnaire-answerExpression", CHOICES),
    ),
    Rule(
        "sdc-behave-1",
        "Questionnaire",
        never(f"{SDC}/sdc-questionnaire-initialExpression", frozenset({"initial"})),
        with_initial,
    ),
    Rule(
        "sdc-behave-2",
        "Questionnaire",
        never(f"{SDC}/sdc-questionnaire-enableWhenExpression", frozenset({"enableWhen"})),
        breaks(f"{SDC}/sdc-questionnaire-enableWhenExpression", frozenset({"enableWhen"})),
    ),
)

OBSERVATION = Rule(
    "sdc-obsn-1",
    "Questionnaire",
    lambda one: not any(item["type"] == "display" and extensions(item, EXTRACTED) for item in items(one)),
    lambda one: first(one, lambda item: extensions(item, EXTRACTED)).update(type="display"),
)


@each(OF_BOTH)
def test_every_form_keeps_the_rules_of_sdc_3(rule):
    check(rule, forms("default", "plain", "template", "structure"))


def test_what_is_extracted_as_an_observation_is_a_question():
    check(OBSERVATION, by_observation())


def test_each_form_with_scores_is_of_one_way_of_extraction():
    scored = {one.id for one in catalogue().instruments.values() if any(rule.published for rule in one.scores)}
    assert {one["id"] for one in by_observation()} == {*scored, *(f"{id_}-structure" for id_ in scored)}
    assert {one["id"] for one in by_template()} == {f"{id_}-template" for id_ in scored}


# ---- forms: 4.0.0 ---------------------------------------------------------------------------------------------------


def codings(form):
    return [one["valueCoding"] for item in items(form) for one in item.get("answerOption", []) if "valueCoding" in one]


def a_coding(form):
    found = next(iter(codings(form)), None)
    if found is None:
        raise LookupError("no answer with a code")
    return found


def of_semver(form):
    found = [one.get("valueCoding", {}) for one in extensions(form, ALGORITHM)]
    wanted = ("http://hl7.org/fhir/version-algorithm", "semver")
    return all((one.get("system"), one.get("code")) == wanted for one in found)


OF_FOUR = (
    Rule(
        "sdc-2",
        "Questionnaire",
        lambda one: "version" not in one or bool(extensions(one, ALGORITHM)),
        taken_out("extension"),
    ),
    Rule(
        "versionAlgorithm 0..1",
        "Questionnaire",
        lambda one: len(extensions(one, ALGORITHM)) < 2,
        lambda one: add(one, ALGORITHM),
    ),
    Rule(
        "sdc-3",
        "Questionnaire",
        of_semver,
        lambda one: extensions(one, ALGORITHM)[0]["valueCoding"].update(code="natural"),
    ),
    Rule(
        "cnl-1",
        "Questionnaire",
        lambda one: not set("|# ") & set(one["url"]),
        lambda one: one.update(url="https://a.example/f|1"),
    ),
    Rule(
        "que-1b",
        "Questionnaire",
        lambda one: all(item["type"] != "group" or item.get("item") for item in items(one)),
        lambda one: first(one, lambda item: item["type"] == "group").pop("item"),
    ),
    Rule(
        "que-1c",
        "Questionnaire",
        lambda one: not any(item["type"] == "display" and "item" in item for item in items(one)),
        lambda one: first(one, lambda item: item["type"] == "group").update(type="display"),
    ),
    Rule(
        "que-15",
        "Questionnaire",
        lambda one: all(len(item["linkId"]) <= 255 for item in items(one)),
        lambda one: first(one).update(linkId="x" * 256),
    ),
    Rule(
        "sdc-base-1",
        "Questionnaire",
        lambda one: all("code" in coding or "display" in coding for coding in codings(one)),
        lambda one: (a_coding(one).pop("display", ""), a_coding(one).pop("code")),
    ),
    Rule(
        "sdc-base-2",
        "Questionnaire",
        lambda one: all("code" not in coding or "system" in coding for coding in codings(one)),
        lambda one: a_coding(one).pop("system"),
    ),
)

OF_TEMPLATES = (
    Rule("contained 1..", "Questionnaire", lambda one: bool(one.get("contained")), taken_out("contained")),
    Rule(
        "tev-1",
        "Questionnaire",
        lambda one: bool(extensions(one, TEMPLATE)) or any(extensions(item, TEMPLATE) for item in items(one)),
        lambda one: [item.pop("extension", None) for item in items(one)],
    ),
)


@each(OF_FOUR)
def test_every_form_with_extensions_keeps_the_rules_of_sdc_4(rule):
    check(rule, forms("default", "template", "structure"))


@each(OF_TEMPLATES)
def test_a_form_with_templates_keeps_the_rules_for_those(rule):
    check(rule, by_template())


def test_a_plain_form_has_nothing_of_sdc():
    """So `sdc-2` is not for it; its items have extensions of FHIR itself alone."""
    assert not any(extensions(form, ALGORITHM) for form in forms("plain"))
    assert not any(SDC in json.dumps(form) for form in forms("plain"))
    assert all(SDC in json.dumps(form) for form in by_observation())


# ---- responses ------------------------------------------------------------------------------------------------------


def once(elements):
    counted = Counter(one["linkId"] for one in elements if any(_valued(answer) for answer in one.get("answer", [])))
    return all(count == 1 for count in counted.values())


def _valued(answer):
    return any(name.startswith("value") for name in answer)


def distinct(response):
    """sdcqr-2, qrs-2: below one parent, at any depth, each question that is answered stands once."""
    below = [answer.get("item", []) for item in items(response) for answer in item.get("answer", [])]
    return all(once(one) for one in (response["item"], *(item.get("item", []) for item in items(response)), *below))


def twice(response):
    for parent in (response, *items(response)):
        for item in parent.get("item", []):
            if any(map(_valued, item.get("answer", []))):
                parent["item"].append(item)
                return
    raise LookupError("nothing is answered")


OF_RESPONSES = (
    Rule("questionnaire 1..1", "QuestionnaireResponse", lambda one: "questionnaire" in one, taken_out("questionnaire")),
    Rule("authored 1..1", "QuestionnaireResponse", lambda one: "authored" in one, taken_out("authored")),
    Rule("sdcqr-1", "QuestionnaireResponse", lambda one: "subject" in one, taken_out("subject")),
    Rule("sdcqr-2, qrs-2", "QuestionnaireResponse", distinct, twice),
    Rule(
        "sdcqr-3",
        "QuestionnaireResponse",
        lambda one: not ("source" in one and extensions(one, R5_SOURCE)),
        lambda one: (one.update(source={"reference": "Patient/1"}), add(one, R5_SOURCE, valueReference={})),
    ),
    Rule(
        "the version of the form",
        "QuestionnaireResponse",
        lambda one: "|" in one["questionnaire"],
        lambda one: one.update(questionnaire=one["questionnaire"].partition("|")[0]),
    ),
)


@each(OF_RESPONSES)
def test_every_response_keeps_the_rules_of_sdc_3_and_4(rule):
    check(rule, responses())


@pytest.mark.parametrize("empty", [{}, {"answer": []}, {"text": "?"}, {"item": []}], ids=str)
def test_an_item_without_an_answer_means_the_same_as_no_item(empty):
    """SDC after 4.0.0 (HL7/sdc at ed74e04, general.xml; in no release yet): there is no difference in meaning."""
    hoop = catalogue().instruments["hoop"]
    whole = next(one for one in responses() if one["questionnaire"] == hoop.canonical)
    there = json.loads(json.dumps(whole))
    item = first(there, lambda one: "answer" in one)
    parent = next(one for one in (there, *items(there)) if any(each_ is item for each_ in one.get("item", [])))
    without = [one for one in parent["item"] if one is not item]
    parent["item"] = without
    omitted = answers_of(json.loads(json.dumps(there)), catalogue())
    parent["item"] = [*without, {"linkId": item["linkId"], **empty}]
    assert answers_of(there, catalogue()).values == omitted.values
    assert item["linkId"] not in omitted.values
