"""A paper as it is published by IHE MHD, and a document of the chart as a paper."""

from __future__ import annotations

import base64
import hashlib

import pytest
from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.STU3 import get_fhir_model_class as stu3

from mappers.medmij import Custodian, published
from mappers.medmij.documents import Paper, paper_in, paper_of, reference_of
from mappers.plan.document import Edition, document_of, reference_to, superseded
from tests.mappers.medmij.cases import ANNA, NOW, PAPERS

HOSPITAL = Custodian("Instelling Noord", "urn:oid:2.16.528.1.1007.3.3", "00000001")
PLAN, TALK = PAPERS
EDITION = Edition("0b9f1f0e-6a54-4f7b-9d0f-3f0e5f0f8a01", 3, "a" * 32)


def in_chart(**changes):
    bundle = {"resourceType": "Bundle", "type": "collection"}
    made = document_of(b"%PDF-1.7 chart", bundle, edition=EDITION, client=ANNA, date=NOW, language="nl")
    return {**made, "id": "5", **changes}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda one: one.kind)
def test_what_is_published_has_what_simplified_publish_asks_and_nothing_that_it_forbids(paper):
    made = published(paper, client=ANNA)
    get_fhir_model_class("DocumentReference")(**made)
    assert made["status"] == "current"
    assert "docStatus" not in made
    master = made["masterIdentifier"]
    assert master["type"]["coding"][0]["code"] == "uniqueId"
    assert (master["system"], master["value"]) == ("urn:ietf:rfc:3986", paper.name)
    [content] = made["content"]
    inside = content["attachment"]
    data = base64.b64decode(inside["data"])
    assert data == paper.content
    assert inside["size"] == len(data)
    assert base64.b64decode(inside["hash"]) == hashlib.sha1(data).digest()
    assert "url" not in inside
    assert made["subject"]["reference"] == "Patient/anna"


def test_a_custodian_is_named_where_there_is_one_and_nowhere_else():
    made = published(PLAN, client=ANNA, custodian=HOSPITAL)
    get_fhir_model_class("DocumentReference")(**made)
    assert made["custodian"]["display"] == "Instelling Noord"
    assert made["custodian"]["identifier"]["value"] == "00000001"
    assert made["date"] == NOW  # the EU Health Data API asks for both
    assert "custodian" not in published(PLAN, client=ANNA)


def test_only_a_plan_is_all_the_client_s_words():
    assert published(PLAN, client=ANNA)["author"] == [ANNA.as_reference()]
    assert "author" not in published(TALK, client=ANNA)


def test_what_it_is_is_said_by_our_code_and_where_one_was_read_by_that_of_loinc():
    def codes(paper):
        return [one["code"] for one in published(paper, client=ANNA)["type"]["coding"]]

    assert codes(PLAN) == ["recovery-plan", "18776-5"]
    assert codes(TALK) == ["conversation-report"]


def test_a_former_document_is_named():
    former = reference_to(in_chart(), "nl")
    made = published(PLAN, client=ANNA, replaces=[former])
    assert made["relatesTo"] == [{"code": "replaces", "target": former}]
    assert former["reference"] == "DocumentReference/5"
    assert "relatesTo" not in published(PLAN, client=ANNA)


def test_other_bytes_are_another_document_and_the_same_bytes_the_same():
    def made(content):
        return paper_of(content, "recovery-plan", "p", title="Plan", made=NOW, language="nl")

    assert made(b"1").name == made(b"1").name != made(b"2").name
    assert made(b"1").id != made(b"2").id


def test_a_document_of_the_chart_is_the_paper_in_it():
    paper = paper_in(in_chart())
    assert paper == Paper(b"%PDF-1.7 chart", "recovery-plan", "Herstelplan", NOW, EDITION.identifier, "nl")
    assert paper.name == EDITION.name
    stu3("DocumentReference")(**reference_of(paper, client=ANNA))


def test_a_document_that_was_published_is_the_paper_in_it_too():
    paper = paper_in(in_chart())
    assert paper_in({**published(paper, client=ANNA, custodian=HOSPITAL), "id": "6"}) == paper


@pytest.mark.parametrize(
    "document",
    [
        superseded(in_chart()),
        in_chart(identifier=[{"system": "https://ehr.example", "value": "1"}]),
        in_chart(content=[]),
        in_chart(content=[{"attachment": {"contentType": "application/pdf", "data": "no base64!"}}]),
        in_chart(content=[{"attachment": {"contentType": "application/pdf", "url": "Binary/1"}}]),
        in_chart(date="2026-11-28"),
        in_chart(date=7),
        {},
        None,
    ],
)
def test_what_does_not_hold_is_not_ours_or_has_no_bytes_is_no_paper(document):
    assert paper_in(document) is None
