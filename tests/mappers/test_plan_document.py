"""A plan as a document: one content to read and one for machines, named so that the same words are written once."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given

from mappers.plan import DomainAnswers, Goal, PersonRef, Plan, Step, parts_of, plan_of, resources_of
from mappers.plan.document import (
    Edition,
    bundle_of,
    digest_of,
    document_of,
    edition_of,
    next_edition,
    superseded,
)
from questionnaires.catalogue import catalogue
from tests.examples import examples
from tests.mappers.test_plan import plans

ANNA = PersonRef("Patient/anna", "Anna de Vries")
DATE = "2026-11-26T11:00:00+01:00"
URN = "urn:uuid:0b9f1f0e-6a54-4f7b-9d0f-3f0e5f0f8a0"
PLAN = Plan(
    id=f"{URN}1",
    texts={"story": ("Mijn verhaal",), "strengths": ("Fietsen",)},
    domains=(DomainAnswers("housing", now="Goed"),),
    goals=(Goal(f"{URN}2", "Een tuin", "housing", steps=(Step(f"{URN}3", "Bellen"),)),),
)
FIRST = Edition("0b9f1f0e-6a54-4f7b-9d0f-3f0e5f0f8a01", 1, digest_of(PLAN))


def test_the_same_plan_has_the_same_digest_in_every_version_of_ours():
    """A chart holds it: with another one, each document there would be written once more after an upgrade."""
    assert FIRST.digest == "df70c270970aa4bed1f8be35ebcbbdc5"


def resources(plan=PLAN, existing=()):
    return resources_of(plan, patient=ANNA, author=ANNA, known=catalogue(), existing=existing)


def bundle(made, edition=FIRST):
    return bundle_of(made, edition=edition, date=DATE, language="nl")


def document(edition=FIRST, replaces=()):
    made = bundle(resources(), edition)
    return document_of(b"%PDF-1.7", made, edition=edition, client=ANNA, date=DATE, language="nl", replaces=replaces)


def stored(resource, id_):
    return {**resource, "id": id_, "meta": {**resource["meta"], "versionId": "3", "lastUpdated": DATE}}


def test_a_document_has_the_pdf_first_and_the_plan_as_fhir_beside_it():
    pdf, fhir = (one["attachment"] for one in document()["content"])
    assert (pdf["contentType"], fhir["contentType"]) == ("application/pdf", "application/fhir+json")
    assert base64.b64decode(pdf["data"]) == b"%PDF-1.7"
    kept = json.loads(base64.b64decode(fhir["data"]))
    assert b'": ' not in base64.b64decode(fhir["data"])  # no space that nobody reads: it is sent at each save
    goals, tasks, (care_plan,) = (
        [one["resource"] for one in kept["entry"] if one["resource"]["resourceType"] == kind]
        for kind in ("Goal", "Task", "CarePlan")
    )
    assert plan_of(care_plan, goals, tasks, known=catalogue()) == PLAN


def test_each_attachment_says_how_long_it_is_and_its_hash():
    for one in document()["content"]:
        content = base64.b64decode(one["attachment"]["data"])
        assert one["attachment"]["size"] == len(content)
        assert base64.b64decode(one["attachment"]["hash"]) == hashlib.sha1(content).digest()


def test_a_document_is_about_the_client_and_by_the_client():
    assert document()["subject"] == document()["author"][0] == {"reference": "Patient/anna", "display": "Anna de Vries"}


def test_a_document_is_valid_fhir():
    former = {**document(), "id": "7"}
    for one in (former, document(replaces=[former]), superseded(former), bundle(resources())):
        get_fhir_model_class(one["resourceType"]).model_validate(one)


def test_a_document_says_which_it_replaces():
    former = {**document(), "id": "7"}
    (relation,) = document(Edition(FIRST.plan, 2, "d"), [former])["relatesTo"]
    assert relation == {
        "code": "replaces",
        "target": {"reference": "DocumentReference/7", "display": former["content"][0]["attachment"]["title"]},
    }


def test_one_that_has_no_id_yet_is_replaced_by_its_identifier():
    (relation,) = document(Edition(FIRST.plan, 2, "d"), [document()])["relatesTo"]
    assert relation["target"] == {
        "type": "DocumentReference",
        "identifier": FIRST.identifier.as_fhir(),
        "display": document()["content"][0]["attachment"]["title"],
    }


def test_a_document_says_which_edition_it_is():
    assert edition_of(document()) == FIRST


@pytest.mark.parametrize("value", ["", "x", "x.y", "x.y.z", "x.1.", ".1.z"])
def test_a_document_of_another_program_is_no_edition(value):
    assert edition_of({"identifier": [{**FIRST.identifier.as_fhir(), "value": value}]}) is None


def test_editions_count_on_so_that_words_that_come_back_are_a_new_document():
    assert next_edition(FIRST.plan, "d", []).number == 1
    assert next_edition(FIRST.plan, FIRST.digest, [document(), document(replace(FIRST, number=4))]).number == 5
    assert next_edition("another plan", "d", [document()]).number == 1


def test_the_bundle_of_a_stored_plan_holds_no_name_that_only_its_server_knows():
    goal, task, care_plan = resources()
    text = json.dumps([stored(goal, "g1"), stored(task, "t1"), stored(care_plan, "c1")])
    for urn, real in ((f"{URN}2", "Goal/g1"), (f"{URN}3", "Task/t1")):
        text = text.replace(urn, real)
    assert bundle(json.loads(text)) == bundle([goal, task, care_plan])


def test_a_part_that_another_program_made_gets_a_name_that_is_a_uuid():
    goal, *_ = resources()
    other = {**goal, "id": "g1", "identifier": [{**goal["identifier"][0], "value": "g1"}]}
    (entry,) = bundle([other])["entry"]
    assert len(entry["fullUrl"]) == len(f"{URN}1")
    assert "g1" not in json.dumps(entry["fullUrl"])


@examples(40)
@given(plans)
def test_words_that_went_into_the_record_and_came_back_are_the_same_words(plan):
    again = plan_of(*parts_of(resources(plan)), known=catalogue())
    assert digest_of(again) == digest_of(plan)


CHANGED = [
    PLAN.with_texts("story", ["Mijn verhaal."]),
    PLAN.with_texts("stressors", ["Fietsen"]),
    replace(PLAN, domains=(DomainAnswers("housing", change="Goed"),)),
    replace(PLAN, goals=(replace(PLAN.goals[0], progress="improving", progress_date="2026"),)),
    replace(PLAN, goals=(replace(PLAN.goals[0], steps=()),)),
    replace(PLAN, goals=(replace(PLAN.goals[0], active=False),)),
]


@pytest.mark.parametrize("changed", CHANGED)
def test_other_words_have_another_digest(changed):
    assert digest_of(changed) != digest_of(PLAN)


def test_another_id_is_not_another_word():
    assert digest_of(replace(PLAN, id="7", goals=(replace(PLAN.goals[0], id="8"),))) == digest_of(PLAN)


def test_the_names_of_an_edition_are_made_of_it_and_differ_from_those_of_others():
    assert FIRST.name == replace(FIRST).name
    assert len({FIRST.name, replace(FIRST, number=2).name, replace(FIRST, digest="d").name}) == 3
