"""A person's name as one line, and what they are called beside it, from every shape in which servers send them."""

from __future__ import annotations

import datetime as dt

import pytest

from mappers.human_name import PersonName, first_name, human_name, name_of, reference_to
from tests.nictiz import family, people, person, qualified
from tests.smartapp.bent import bent

ANNA = {"prefix": ["drs."], "given": ["Anna", "Maria"], "family": "de Vries", "text": ""}


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ([ANNA], "drs. Anna Maria de Vries"),
        ([{**ANNA, "text": "  Anna de Vries "}], "Anna de Vries"),
        ([{"given": "Anna", "family": "Voorbeeld"}], "Anna Voorbeeld"),
        ([{"prefix": None, "given": ["Anna", None, 7], "family": ["Voorbeeld"]}], "Anna Voorbeeld"),
        ([{"use": "official", "text": "A. de Vries"}, {"use": "usual", "text": "Anna"}], "A. de Vries"),
        ([{"use": "old", "text": "Anna Jansen"}, {"use": "official", "text": "A. de Vries"}], "A. de Vries"),
        ([{"use": "usual"}, {"use": "official", "text": "A. de Vries"}], "A. de Vries"),
        ([{"use": ["usual"], "text": "Anna"}], "Anna"),
        ([{"given": ["An\x02na\x00"], "family": "\u202ede\u2066 Vries\x7f"}], "Anna de Vries"),
        ([{"use": "official", "text": "\u202e\x00"}, {"use": "usual", "text": "Anna"}], "Anna"),
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
    for one in bent({"resourceType": "Patient", "name": [{**ANNA, "use": "usual", "period": {"end": "2020"}}]}):
        assert isinstance(name_of(one, TODAY), PersonName)
    for one in bent(person("NameInformation-complete").resource):
        name = name_of(one, TODAY)
        assert isinstance(name.full, str)
        assert isinstance(name.called, str)


# ---- Nictiz' own examples -------------------------------------------------------------------------------------------


def without(resource, *parts):
    """Return a person of whom each name lacks some of its elements."""
    return {**resource, "name": [{k: v for k, v in one.items() if k not in parts} for one in resource["name"]]}


def test_they_are_all_there():
    assert len(people()) == 25
    assert sum(bool(one.called) for one in people()) == 8


@pytest.mark.parametrize("one", people(), ids=lambda one: one.file)
@pytest.mark.parametrize("lacks", [(), ("text",), ("text", "family")], ids=["whole", "no text", "no text nor family"])
def test_a_name_of_nl_core_is_shown_as_nictiz_shows_it_with_the_call_name_beside_it(one, lacks):
    assert name_of(without(one.resource, *lacks)) == PersonName(one.shown, one.called)


@pytest.mark.parametrize(
    ("file", "address"),
    [
        ("Patient-01", "Jo"),
        ("NameInformation-initials", "Henk"),
        ("CareTeam-01-Patient-01", "Ingrid"),
        ("ContactPerson-01", "J.P.M. van Putten-van der Giessen"),
        ("HelpFromOthers-01-RelatedPerson-01", "de Boer"),
    ],
)
def test_somebody_is_spoken_to_by_what_they_are_called(file, address):
    assert name_of(person(file).resource).address == address


# ---- put together from parts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "line"),
    [
        ("NL1", "de Wit"),
        ("NL2", "van Dam"),
        ("NL3", "van Dam-de Wit"),
        ("NL4", "de Wit-van Dam"),
        ("UNK", "de Wit-van Dam"),
        ("", "de Wit-van Dam"),
    ],
)
def test_the_family_name_is_put_together_in_the_order_that_the_record_says(order, line):
    parts = {"own_prefix": "de", "own_name": "Wit", "partner_prefix": "van", "partner_name": "Dam"}
    assert human_name({"name": [{"use": "official", **family(order, **parts)}]}) == line


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        (family("NL3", own_name="Wit"), "Wit"),
        (family("NL2", own_name="Wit"), "Wit"),
        (family("NL1", partner_name="Dam"), "Dam"),
        (family("NL4", own_prefix="de", partner_name="Dam"), "Dam"),
        (family(own_prefix="de"), ""),
        ({**family("NL2", own_name="Wit", partner_name="Dam"), "family": "Wit - Dam"}, "Wit - Dam"),
        ({**family("NL2", own_name="Wit", partner_name="Dam"), "family": " "}, "Dam"),
    ],
)
def test_a_half_that_is_missing_leaves_the_other_and_what_the_record_wrote_goes_before_all(parts, line):
    assert human_name({"name": [parts]}) == line


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ([("Johanna", "BR"), ("Petronella", "BR"), ("J.", "IN"), ("P.", "IN")], "Johanna Petronella"),
        ([("Johanna Petronella", "BR"), ("J.P.", "IN")], "Johanna Petronella"),
        ([("Hendrik", "BR"), ("J.", "IN"), ("W.", "IN")], "Hendrik J.W."),
        ([("J.", "IN"), ("P.", "IN"), ("Maria", "BR")], "J.P. Maria"),
        ([("Janni", "CL"), ("J.P.M.", "IN")], "J.P.M."),
        ([("Janni", "CL")], "Janni"),
        ([("Theodora", "BR"), ("IJsbrand", "BR"), ("Th.IJ.", "IN")], "Theodora IJsbrand"),
        ([("Christiaan", "BR"), ("Chr.", "IN")], "Christiaan"),
        ([("Johanna", "BR"), ("Petronella", "BR"), ("JP", "IN")], "Johanna Petronella"),
        ([("Theodora", "BR"), ("Th.", "IN"), ("M.", "IN")], "Theodora Th.M."),
        ([("Anna", ""), ("Maria", "")], "Anna Maria"),
    ],
)
def test_first_names_stand_with_spaces_and_initials_without_and_nothing_is_said_twice(given, line):
    assert human_name({"name": [{**qualified(*given), "family": "Smit"}]}) == f"{line} Smit"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ({"prefix": ["Mr."], "suffix": ["MSc"], "given": ["Anna"], "family": "Smit"}, "Mr. Anna Smit MSc"),
        ({"prefix": ["Mr."], "suffix": ["MSc"], **qualified(("Anna", "BR")), "family": "Smit"}, "Anna Smit"),
        ({"prefix": ["Mr."], "given": ["Anna"], **family(own_name="Smit")}, "Anna Smit"),
        ({"prefix": ["Mr."], "given": ["Anna"], "family": "Smit", **qualified(("Anna", "XX"))}, "Mr. Anna Smit"),
    ],
)
def test_a_title_stands_in_a_plain_name_and_not_in_a_dutch_one(name, line):
    assert human_name({"name": [name]}) == line


@pytest.mark.parametrize(
    "beside",
    [None, 7, {}, [], [None], [7, None], [None, None, {"extension": 7}], [{"extension": [{"url": 7}]}]],
)
def test_what_stands_beside_given_names_and_is_no_qualifier_counts_as_none(beside):
    assert human_name({"name": [{"given": ["Anna", "B."], "_given": beside, "family": "Smit"}]}) == "Anna B. Smit"


def test_a_qualifier_belongs_to_the_value_at_its_own_place():
    name = qualified(("Janni", "CL"), ("J.", "IN"), ("P.", "IN"))
    name["given"][1] = None
    assert name_of({"name": [{**name, "family": "Smit"}]}) == PersonName("P. Smit", "Janni")


# ---- which name counts ----------------------------------------------------------------------------------------------

TODAY = dt.date(2026, 11, 28)
OFFICIAL = {"use": "official", "given": ["Hendrik"], "family": "Smit"}


@pytest.mark.parametrize(
    ("other", "full", "called"),
    [
        ({"use": "usual", "given": ["Henk"]}, "Hendrik Smit", "Henk"),
        ({"use": "usual", "given": ["Henk", "Jan"]}, "Hendrik Smit", "Henk Jan"),
        ({"use": "usual", "text": "Henk"}, "Hendrik Smit", "Henk"),
        ({"use": "usual", "text": "Henk Jan"}, "Hendrik Smit", "Henk Jan"),
        ({"use": "usual", "given": ["H."]}, "Hendrik Smit", ""),
        ({"use": "usual", "text": "Henk Smit"}, "Henk Smit", ""),
        ({"use": "usual", "given": ["Sam", "Lou"], "family": "de Wit"}, "Sam Lou de Wit", "Sam"),
        ({"use": "usual", "given": ["Sam"], **family("NL2", own_name="A", partner_name="B")}, "Sam B", "Sam"),
        ({"given": ["H."], "family": "Smit-Dam"}, "H. Smit-Dam", ""),
        ({"use": "nickname", "given": ["Henkie"]}, "Hendrik Smit", "Henkie"),
        ({"use": "nickname", "text": "Henkie"}, "Hendrik Smit", "Henkie"),
        ({"use": "anonymous", "given": ["Anonymus"], "family": "X"}, "Hendrik Smit", ""),
        ({"use": "temp", "given": ["Baby"], "family": "Smit"}, "Hendrik Smit", ""),
        ({"use": "old", "given": ["Henk"], "family": "Dam"}, "Hendrik Smit", ""),
        ({"use": "maiden", "family": "Dam"}, "Hendrik Smit", ""),
        ({"use": "official", **qualified(("H.", "IN"), ("J.", "IN"))}, "Hendrik Smit", ""),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_complete_usual_name_counts_before_the_official_one_and_a_bare_call_name_does_not(other, full, called, first):
    names = [other, OFFICIAL] if first else [OFFICIAL, other]
    assert name_of({"name": names}, TODAY) == PersonName(full, called)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ({"use": "usual", "given": ["Henk"]}, "Henk"),
        ({"use": "old", "given": ["Henk"], "family": "Dam"}, "Henk Dam"),
        ({"use": "anonymous", "text": "Onbekend"}, "Onbekend"),
        ({"use": "nickname", "text": "Henkie"}, "Henkie"),
        ({"use": "official", "text": "Sukarno"}, "Sukarno"),
        ({"use": "official", "given": ["Henk"], "family": "Dam", "period": {"end": "2020"}}, "Henk Dam"),
    ],
)
def test_a_name_that_stands_alone_is_shown_whatever_it_is_and_is_not_said_twice(name, full):
    assert name_of({"name": [name]}, TODAY) == PersonName(full)


@pytest.mark.parametrize(
    ("period", "holds"),
    [
        ({"end": "2026-11-27"}, False),
        ({"end": "2026-11-28"}, True),
        ({"end": "2026-11-28T08:00:00+01:00"}, True),
        ({"end": "2026-11"}, True),
        ({"end": "2026-10"}, False),
        ({"end": "2026"}, True),
        ({"end": "2020"}, False),
        ({"end": "once"}, True),
        ({"end": 2020}, True),
        ({"start": "2026-11-29"}, False),
        ({"start": "2026-11-28"}, True),
        ({"start": "2027"}, False),
        ({"start": "2026"}, True),
        (7, True),
    ],
)
def test_a_name_counts_on_the_days_of_its_period(period, holds):
    usual = {"use": "usual", "given": ["Sam"], "family": "de Wit", "period": period}
    assert human_name({"name": [usual, OFFICIAL]}, TODAY) == ("Sam de Wit" if holds else "Hendrik Smit")
    assert human_name({"name": [usual, OFFICIAL]}) == "Sam de Wit"  # of what day nobody asked


def test_a_name_as_dutch_records_of_fhir_stu3_have_it_is_read_too():
    """One name without a use holds initials and call name; its text has the call name (nl-core-relatedperson-01)."""
    janni = {
        **qualified(("Janni", "CL"), ("J.P.M.", "IN")),
        **family("NL4", own_prefix="van", own_name="Putten", partner_prefix="van der", partner_name="Giessen"),
    }
    assert name_of({"name": [janni]}) == PersonName("J.P.M. van Putten-van der Giessen", "Janni")
    text = "Janni van Putten-van der Giessen"
    assert name_of({"name": [{**janni, "text": text}]}) == PersonName(text, "Janni")


@pytest.mark.parametrize(
    ("display", "first"),
    [
        ("Anna Voorbeeld", "Anna"),
        ("J. de Vries", "J. de Vries"),
        ("Vries, Jan", "Vries, Jan"),
        ("de Boer", "de Boer"),
        ("Mevrouw de Boer", "Mevrouw de Boer"),
        ("Dhr Jan de Boer", "Dhr Jan de Boer"),
    ],
)
def test_a_first_name_is_taken_from_a_line_that_begins_with_one(display, first):
    assert first_name(display) == PersonName(display).address == first
