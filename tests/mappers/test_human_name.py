"""A person's name as one line, from every shape in which servers send it."""

from __future__ import annotations

import pytest

from mappers.human_name import human_name, reference_to
from tests.smartapp.bent import bent

ANNA = {"prefix": ["drs."], "given": ["Anna", "Maria"], "family": "de Vries", "text": ""}


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ([ANNA], "drs. Anna Maria de Vries"),
        ([{**ANNA, "text": "  Anna de Vries "}], "Anna de Vries"),
        ([{"given": "Anna", "family": "Voorbeeld"}], "Anna Voorbeeld"),
        ([{"prefix": None, "given": ["Anna", None, 7], "family": ["Voorbeeld"]}], "Anna Voorbeeld"),
        ([{"use": "official", "text": "A. de Vries"}, {"use": "usual", "text": "Anna"}], "Anna"),
        ([{"use": "old", "text": "Anna Jansen"}, {"use": "official", "text": "A. de Vries"}], "A. de Vries"),
        ([{"use": "usual"}, {"use": "official", "text": "A. de Vries"}], "A. de Vries"),
        ([{"use": ["usual"], "text": "Anna"}], "Anna"),
        ({"family": "Voorbeeld"}, ""),
        (None, ""),
        ([7], ""),
    ],
)
def test_a_name_is_one_line(names, line):
    assert human_name({"resourceType": "Patient", "name": names}) == line


@pytest.mark.parametrize(
    ("reference", "name", "language", "display"),
    [
        ("Patient/1", "Anna Voorbeeld", "nl", "Anna Voorbeeld"),
        ("Patient/1", "", "nl", "cliënt"),
        ("Patient/1", "", "en", "client"),
        ("Practitioner/1", "", "nl", "zorgverlener"),
        ("PractitionerRole/1", "", "en", "care professional"),
    ],
)
def test_a_reference_to_a_person_always_says_who_it_is(reference, name, language, display):
    assert reference_to(reference, name, language) == {"reference": reference, "display": display}


def test_a_reference_to_what_we_have_no_word_for_has_no_display_rather_than_an_empty_one():
    assert reference_to("Device/1", "", "nl") == {"reference": "Device/1"}


def test_a_person_of_any_shape_has_a_text_for_a_name():
    for person in bent({"resourceType": "Patient", "name": [{**ANNA, "use": "usual"}]}):
        assert isinstance(human_name(person), str)
