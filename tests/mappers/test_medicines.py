"""Medicines: a name as the record has it, and what was said about each in a row."""

from __future__ import annotations

import pytest

from mappers.answers import answers_of, response_of
from mappers.medicines import Experience, Medicine, experience_of, medicine_in, rows_of, values_of
from questionnaires.catalogue import Catalogue

KNOWN = Catalogue()
NOOR = {"reference": "Patient/noor", "display": "Noor"}


def request(**more: object) -> dict:
    base = {"resourceType": "MedicationRequest", "id": "1", "status": "active"}
    return {**base, "medicationCodeableConcept": {"text": "Slaappil"}, **more}


def test_a_request_is_read_with_its_name_reference_and_dosage():
    found = medicine_in(request(dosageInstruction=[{"text": "1 voor het slapen"}]))
    assert found == Medicine("Slaappil", "MedicationRequest/1", "1 voor het slapen")


@pytest.mark.parametrize(
    "more",
    [
        {"medicationCodeableConcept": {"coding": [{"display": "Slaappil"}]}},
        {
            "medicationCodeableConcept": None,
            "medicationReference": {"display": "Slaappil"},
        },
        {
            "medicationCodeableConcept": None,
            "medicationReference": {"reference": "#m"},
            "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "Slaappil"}}],
        },
        {"status": "on-hold"},
    ],
)
def test_each_way_in_which_fhir_names_a_medicine_is_read(more):
    found = medicine_in(request(**more))
    assert found is not None
    assert found.name == "Slaappil"


@pytest.mark.parametrize(
    "more",
    [
        {"status": "stopped"},
        {"status": "entered-in-error"},
        {"medicationCodeableConcept": {"text": " "}},
        {"medicationCodeableConcept": 7},
        {"resourceType": "Observation"},
    ],
)
def test_what_is_over_or_has_no_name_is_no_medicine_to_talk_about(more):
    assert medicine_in(request(**more)) is None


def said(name: str, authored: str, record: str = "", use: str = "") -> Experience:
    return Experience(Medicine(name, record), use=use, authored=authored)


def test_what_was_said_comes_back_from_the_record():
    one = Experience(Medicine("Slaappil", "MedicationRequest/1"), "De helft", "Ik slaap", "Suf", "2026-11-27", "k")
    response = response_of(
        values_of(one),
        KNOWN.instrument("medicine"),
        status="completed",
        authored=one.authored,
        subject=NOOR,
        author=NOOR,
        source=NOOR,
        identifier=one.key,
    )
    assert experience_of(answers_of(response, KNOWN)) == one


def test_rows_follow_one_medicine_over_conversations_the_newest_first():
    [row] = rows_of(
        [Medicine("Slaappil", "MedicationRequest/1")],
        [said("Slaappil", "2026-01-01", "MedicationRequest/1"), said("Slaappil", "2026-06-01", "MedicationRequest/1")],
    )
    assert [one.authored for one in row.said] == ["2026-06-01", "2026-01-01"]
    assert row.current


def test_a_typed_name_and_the_record_s_are_one_row_and_another_name_is_not():
    rows = rows_of(
        [Medicine("Slaappil", "MedicationRequest/1"), Medicine("slaappil", "MedicationStatement/2")],
        [said(" slaapPIL ", "2026-06-01"), said("Rustpil", "2026-06-01")],
    )
    assert [(row.medicine.name, len(row.said), row.current) for row in rows] == [
        ("Slaappil", 1, True),
        ("Rustpil", 1, False),
    ]


def test_what_was_said_stays_when_the_record_has_the_medicine_under_another_id():
    [row] = rows_of([Medicine("Slaappil", "MedicationRequest/2")], [said("Slaappil", "2026", "MedicationRequest/1")])
    assert len(row.said) == 1
