"""Medicines one by one: the record's list where it shows one, typed where it does not; words stay in a row."""

from __future__ import annotations

import re

import pytest

from mappers.answers import answers_of
from mappers.medicines import experience_of
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, Unreachable, Write
from tests.smartapp.helpers import Visitor, launched, text_of

SLEEP = {
    "resourceType": "MedicationRequest",
    "id": "m1",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"text": "Slaappil"},
    "subject": {"reference": "Patient/anna"},
    "dosageInstruction": [{"text": "1 voor het slapen"}],
}
NO_MEDICINES = "openid fhirUser patient/QuestionnaireResponse.cruds patient/Task.cruds"


@pytest.fixture
def joost(app) -> Visitor:
    visitor = launched(app, role="clinician")
    visitor.ehr.write(Write("update", SLEEP))
    return visitor


def address(visitor: Visitor) -> str:
    """Return the address of the only medicine on the list."""
    found = re.findall(r'href="([^"]*/medicines/[0-9a-f]{32})"', visitor.get("overview/together/medicines").text)
    assert len(found) == 1
    return found[0]


def say(visitor: Visitor, path: str, **fields: str):
    key = path.rpartition("/")[2]
    return visitor.post(path, {f"medicine-{key}-{name}": text for name, text in fields.items()})


def said(visitor: Visitor):
    found = visitor.ehr.search(Query.of("QuestionnaireResponse", questionnaire=catalogue().instrument("medicine").url))
    return [experience_of(answers_of(one.resource, catalogue())) for one in found]


def test_what_is_said_of_a_medicine_of_the_record_is_kept_with_where_it_came_from(joost):
    page = text_of(joost.get("overview/together/medicines"))
    assert "Slaappil" in page
    assert "1 voor het slapen" in page
    answer = say(joost, address(joost), use="De helft.", benefit="Ik slaap.", burden="Suf.")
    assert "saved=medicine" in answer.location
    [one] = said(joost)
    assert (one.medicine.record, one.use, one.benefit, one.burden) == (
        "MedicationRequest/m1",
        "De helft.",
        "Ik slaap.",
        "Suf.",
    )
    assert "Suf." in text_of(joost.get("overview/together/report"))


def test_the_next_conversation_has_a_row_of_its_own_and_shows_the_one_before(joost):
    say(joost, address(joost), use="De helft.")
    joost.post("overview/together/finish")
    assert "De helft." in text_of(joost.get(address(joost)))
    say(joost, address(joost), use="Elke avond.")
    assert sorted(one.use for one in said(joost)) == ["De helft.", "Elke avond."]


def test_in_one_conversation_the_same_row_is_changed(joost):
    say(joost, address(joost), use="De helft.")
    page = joost.get(address(joost)).text
    version = re.search(r'name="version" value="([^"]*)"', page)[1].replace("&#34;", '"')
    key = address(joost).rpartition("/")[2]
    joost.post(address(joost), {f"medicine-{key}-use": "Een kwart.", "version": version})
    assert [one.use for one in said(joost)] == ["Een kwart."]


def test_where_the_record_shows_none_a_name_is_typed(app):
    joost = launched(app, role="clinician", scopes=NO_MEDICINES)
    joost.ehr.write(Write("update", SLEEP))
    page = text_of(joost.get("overview/together/medicines"))
    assert "Slaappil" not in page
    assert "Het dossier laat hier geen medicijnen zien." in page
    say(joost, "overview/together/medicines/new", name="Rustpil", burden="Droge mond.")
    [one] = said(joost)
    assert (one.medicine.name, one.medicine.record) == ("Rustpil", "")
    assert "Droge mond." in text_of(joost.get("overview/together/medicines"))


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"use": "Elke dag"}, "Schrijf op hoe het medicijn heet."), ({"name": "Rustpil"}, "Er staat nog niets over")],
)
def test_a_new_one_needs_a_name_and_something_said(joost, fields, why):
    answer = say(joost, "overview/together/medicines/new", **fields)
    assert answer.status_code == 422
    assert why in text_of(answer)
    assert said(joost) == []


def test_no_address_names_a_medicine(joost):
    assert "Slaappil" not in address(joost)
    assert joost.get("overview/together/medicines/Slaappil").status_code == 404


def test_a_list_that_does_not_answer_keeps_nobody_from_talking(joost, monkeypatch):
    ehr = joost.core.local_ehrs[joost.launch.issuer]
    search = type(ehr).search

    def silent(store, query):
        if query.type.startswith("Medication"):
            raise Unreachable("no answer")
        return search(store, query)

    monkeypatch.setattr(type(ehr), "search", silent)
    page = text_of(joost.get("overview/together/medicines"))
    assert "De medicijnen in het dossier zijn nu niet te lezen." in page
    assert joost.get("overview/together/medicines/new").status_code == 200


def test_the_software_says_nothing_of_its_own_about_a_medicine(joost):
    """No dose, effect or warning: what stands there is the record's, the client's, or a question."""
    page = text_of(joost.get(address(joost)))
    assert not re.search(r"bijwerking|waarschuwing|advies|dosering|overleg met", page, re.IGNORECASE)
