"""All of a person's own as a document in their chart: at their press, once, without what is not shared there."""

from __future__ import annotations

import base64
import json

import pypdfium2
import pytest

from mappers.portable import read
from smartapp.fhir.checked import problems
from smartapp.fhir.store import Query, Refused
from smartapp.records.records import Records
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.take_along.people import SIGN, STORY, with_everything


@pytest.fixture
def anna(app):
    return with_everything(app)


def documents(visitor):
    return [one.resource for one in visitor.ehr.search(Query.of("DocumentReference"))]


def inside(document) -> bytes:
    """Return the file in the PDF of a document."""
    pdf = pypdfium2.PdfDocument(base64.b64decode(document["content"][0]["attachment"]["data"]))
    found = bytes(pdf.get_attachment(0).get_data())
    pdf.close()
    return found


def test_the_page_says_who_can_read_it_then(anna):
    page = text_of(anna.get("take-along/"))
    assert "Iedereen die je dossier mag openen, kan het dan lezen." in page
    assert documents(anna) == []


def test_at_her_press_the_chart_has_the_paper_with_the_file_inside(anna):
    anna.post("take-along/in-chart")
    [document] = documents(anna)
    assert problems({name: value for name, value in document.items() if name not in ("id", "meta")}) == []
    assert document["subject"] == {"reference": "Patient/anna", "display": "Anna Voorbeeld"}
    assert STORY in inside(document).decode()
    assert read(inside(document)).owner.patient_id == "anna"
    assert "Het bestand staat nu in je dossier." in text_of(anna.get("take-along/"))


def test_the_same_words_are_there_once(anna):
    for _press in range(2):
        anna.post("take-along/in-chart")
    assert len(documents(anna)) == 1


def test_what_is_not_shared_in_the_record_is_not_in_it(anna, monkeypatch):
    def is_private(_records, resource):
        return "Questionnaire/story" in resource.get("questionnaire", "")

    monkeypatch.setattr(Records, "is_private", is_private)
    anna.post("take-along/in-chart")
    [document] = documents(anna)
    said = inside(document).decode()
    assert STORY not in said
    assert SIGN in said
    kinds = {one["resource"]["resourceType"] for one in json.loads(said)["entry"]}
    assert not kinds & {"CareTeam", "Consent"}


def test_an_ehr_that_does_not_take_it_is_not_said_to_have_it(anna):
    anna.make_flaky().error = Refused("no documents", status=422)
    anna.post("take-along/in-chart")
    page = text_of(anna.get("take-along/"))
    assert "nam het bestand niet aan" in page
    assert documents(anna) == []


def test_where_the_ehr_takes_no_documents_there_is_no_button(app):
    visitor = launched(app, scopes="openid fhirUser patient/Goal.cruds")
    assert "take-along/in-chart" not in visitor.get("take-along/").text
    assert launched(app, role="clinician").post("take-along/in-chart").status_code == 403
