"""The circle survives every round trip, whatever others put into the CareTeam, and tells who was in it when."""

from __future__ import annotations

import copy
import json
import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles import checking
from mappers.circle import (
    IDENTIFIER_SYSTEM,
    PROFILE,
    ROLE_SYSTEM,
    ROLES,
    TYPED_BY,
    Circle,
    Member,
    circle_identifier,
    circle_of,
    team_of,
)
from smartapp.fhir.checked import problems
from tests.examples import examples
from tests.mappers.build import bent
from tests.nictiz import person

NOOR = {"reference": "Patient/noor", "display": "Noor Bakker"}
KARIM = {"reference": "Practitioner/karim", "display": "Karim Aziz"}
NOW = "2026-11-27T16:00:00+01:00"
MILA = Member("m1", "Mila Bakker", "mijn zus", "loved-one", "RelatedPerson/mila", since="2026-05-04")
OMA = Member("m2", "Oma", "oma", "loved-one", phone="06 12345678", supports=True)
JOOST = Member("m3", "Joost Terpstra", "SPV", "case-manager", "Practitioner/joost-terpstra")
GP = Member("m4", "Dokter Jansen", "mijn huisarts", "outside", phone="020 1234567")
ALL = Circle((MILA, OMA, JOOST, GP))

_lines = st.text(max_size=12) | st.sampled_from(["<b>Mila</b>", " Jo  Ann ", "O'Neil & zoon", "🚲", "a\u2028b", "\x00"])
_names = _lines.filter(lambda text: bool(Member("x", text).name))
_moments = st.sampled_from(["", "2026", "2026-05", "2026-05-04", "2026-05-04T10:00:00+02:00", NOW])


@st.composite
def members(draw: st.DrawFn, ids: st.SearchStrategy[str]) -> Member:
    references = ["", "", *(f"{kind}/{number}" for kind in ("RelatedPerson", "Practitioner") for number in (1, 2))]
    return Member(
        id=draw(ids),
        name=draw(_names),
        relation=draw(_lines),
        role=draw(st.sampled_from(ROLES)),
        reference=draw(st.sampled_from(references)),
        phone=draw(_lines),
        since=draw(_moments),
        until=draw(_moments),
        invited_on=draw(_moments),
        came_on=draw(_moments),
        supports=draw(st.booleans()),
    )


circles = st.lists(members(st.sampled_from("abcdef")), max_size=5, unique_by=lambda one: one.id).map(
    lambda people: Circle(tuple(people))
)


def written(circle, existing=None, **more):
    return team_of(circle, patient=NOOR, identifier="i-1", language="nl", existing=existing, **more)


# ---- round trips -----------------------------------------------------------------------------------------------------


@examples(60)
@given(circles)
def test_what_is_written_is_read_back(circle):
    made = json.loads(json.dumps(written(circle)))
    assert circle_of(made) == circle
    assert problems(made) == []


@examples(60)
@given(circles, circles)
def test_what_is_changed_is_read_back_and_nothing_of_before_with_it(before, after):
    made = written(after, written(before))
    assert circle_of(made) == after
    assert problems(made) == []
    inside = [one["id"] for one in made.get("contained", [])]
    referred = [one["member"]["reference"] for one in made["participant"]]
    assert sorted(f"#{one}" for one in inside) == sorted(one for one in referred if one.startswith("#"))


@examples(60)
@given(circles)
def test_writing_what_is_stored_changes_nothing(circle):
    stored = written(circle)
    assert written(circle, stored) == stored


@examples(60)
@given(circles)
def test_it_is_in_the_shape_of_the_profile(circle):
    assert checking.problems(written(circle), PROFILE) == []


def test_the_client_is_the_first_and_none_of_the_people():
    first, *others = written(ALL)["participant"]
    assert first["member"] == NOOR
    assert len(others) == len(ALL.people)
    assert circle_of(written(Circle())).people == ()


def test_who_has_no_login_is_described_inside_as_what_they_are():
    inside = {one["name"][0]["text"]: one for one in written(ALL)["contained"]}
    assert inside["Oma"]["resourceType"] == "RelatedPerson"
    assert inside["Oma"]["patient"] == NOOR
    assert inside["Oma"]["telecom"] == [{"system": "phone", "value": "06 12345678"}]
    assert inside["Dokter Jansen"]["resourceType"] == "Practitioner"
    assert "Mila Bakker" not in inside


def test_who_gets_a_login_is_no_longer_described_and_keeps_their_number():
    known = replace(OMA, reference="RelatedPerson/oma")
    made = written(ALL.with_member(known), written(ALL))
    assert circle_of(made).member("m2") == known
    assert "Oma" not in [one["name"][0]["text"] for one in made["contained"]]


@pytest.mark.parametrize("text", ["J.P.M. van Putten-van der Giessen", "Jo"])
def test_a_name_that_was_stored_in_parts_or_as_another_line_stays_as_it_was_written(text):
    """Who has a name of nl-core is shown by one line of it; a line that an older version made of one is a name too."""
    stored = written(ALL)
    names = person("ContactPerson-01").resource["name"] if text != "Jo" else [{"text": text}]
    oma = next(one for one in stored["contained"] if one["name"][0]["text"] == "Oma")
    oma["name"] = copy.deepcopy(names)
    there = circle_of(stored)
    [member] = [one for one in there.people if one.name == text]
    for now in (there, there.with_member(replace(member, phone="06 87654321"))):
        made = written(now, copy.deepcopy(stored))
        assert names in [one["name"] for one in made["contained"]]
    renamed = written(there.with_member(replace(member, name="Truus")), copy.deepcopy(stored))
    assert [{"text": "Truus"}] in [one["name"] for one in renamed["contained"]]
    assert names not in [one["name"] for one in renamed["contained"]]


def test_the_narrative_names_who_is_in_it_and_escapes_what_was_typed():
    circle = ALL.with_member(Member("m5", "<script>x</script>", role="loved-one")).ended("m2", NOW)
    said = written(circle)["text"]["div"]
    assert "Mila Bakker: mijn zus" in said
    assert "Oma" not in said
    assert "<script>" not in said


def test_who_typed_it_is_named_where_that_was_not_the_client():
    made = written(ALL, typist=KARIM)
    assert made["extension"] == [{"url": TYPED_BY, "valueReference": KARIM}]
    assert "extension" not in written(ALL, made, typist=NOOR)


@pytest.mark.parametrize(
    "somebody",
    [
        Member("m9", "", role="loved-one"),
        Member("m9", "Iemand"),
        Member("m9", "Iemand", role="boss"),
        Member("not an id", "Iemand", role="loved-one"),
        Member("m9", "Iemand", role="loved-one", reference="Patient/other"),
    ],
)
def test_nobody_new_comes_in_without_a_name_a_role_or_an_id(somebody):
    with pytest.raises(ValueError, match="circle"):
        written(Circle((somebody,)))


def test_the_identifier_is_the_same_in_two_tabs_and_another_for_another_person():
    one = circle_identifier("https://ehr.example", "Patient/1")
    assert one == circle_identifier("https://ehr.example", "Patient/1")
    assert str(uuid.UUID(one)) == one
    assert len({one, *(circle_identifier(*other) for other in OTHERS)}) == 3


OTHERS = (("https://ehr.example", "Patient/2"), ("https://other.example", "Patient/1"))


# ---- who is in it when ---------------------------------------------------------------------------------------------


def test_who_leaves_stays_to_be_told_of_and_is_not_in_it_any_more():
    left = ALL.ended("m1", NOW)
    assert left.of("RelatedPerson/mila", "2026-11-27T15:00:01+00:00") is None
    assert left.of("RelatedPerson/mila", "2026-11-27T15:59:59+01:00") == left.member("m1")
    made = written(left, written(ALL))
    assert next(one for one in made["participant"] if one.get("id") == "m1")["period"] == {
        "start": "2026-05-04",
        "end": NOW,
    }
    assert left.ended("m1", "2027-01-01T00:00:00Z") == left


def test_leaving_by_mistake_is_taken_back_and_no_other_leaving():
    left = ALL.ended("m1", NOW)
    assert left.again("m1", NOW) == ALL
    assert left.again("m1", "2020-01-01") == left


@pytest.mark.parametrize(
    ("since", "until", "is_in"),
    [
        ("", "", True),
        ("2026-11-27", "", True),
        ("2026-11-28", "", False),
        ("", "2026-11-27", True),  # a day is a whole day
        ("", "2026-11-26", False),
        ("", "2026-11", True),
        ("", "2025", False),
        ("", "2026-11-27T16:00:01+01:00", True),
        ("", "2026-11-27T15:00:00Z", False),
        ("", "2026-11-27T14:30:00Z", False),
        ("2026-11-27T15:00:01Z", "", False),
        ("", "somewhen", False),  # what can't be read opens nothing
        ("somewhen", "", False),
        ("", "2026-11-27T17:00:00", False),  # a time without a zone is no moment
    ],
)
def test_who_is_in_it_at_a_moment(since, until, is_in):
    assert Member("m", "Iemand", since=since, until=until).is_in(NOW) is is_in


def test_nobody_is_found_by_an_empty_reference_or_by_that_of_another_server():
    assert ALL.of("", NOW) is None
    elsewhere = Circle((replace(MILA, reference="https://evil.example/RelatedPerson/mila"),))
    assert elsewhere.of("RelatedPerson/mila", NOW) is None


# ---- what others write ---------------------------------------------------------------------------------------------


def test_what_others_put_into_it_stays():
    stored = written(ALL)
    lab = {"role": [{"text": "lab"}], "member": {"identifier": {"system": "urn:x", "value": "1"}}}
    other = {"url": "https://ehr.example/colour", "valueString": "blue"}
    stored["participant"].insert(1, lab)
    stored["participant"][2]["extension"] = [other]
    stored["participant"][2]["onBehalfOf"] = {"reference": "Organization/1", "display": "Team"}
    stored["participant"][2]["role"].append({"text": "buurvrouw"})
    stored["participant"][2]["role"][0]["coding"].append({"system": "http://snomed.info/sct", "code": "1"})
    stored["contained"].append({"resourceType": "Organization", "id": "team", "name": "Team"})
    stored["managingOrganization"] = [{"reference": "#team", "display": "Team"}]
    stored["meta"] = {"profile": ["https://ehr.example/Profile"], "tag": [{"system": "urn:x", "code": "t"}]}
    made = written(circle_of(stored).ended("m1", NOW), copy.deepcopy(stored))
    assert lab in made["participant"]
    mila = next(one for one in made["participant"] if one.get("id") == "m1")
    assert mila["extension"] == [other]
    assert mila["onBehalfOf"]["display"] == "Team"
    assert {"text": "buurvrouw"} in mila["role"]
    assert [one["system"] for one in mila["role"][0]["coding"]] == [ROLE_SYSTEM, "http://snomed.info/sct"]
    assert {"resourceType": "Organization", "id": "team", "name": "Team"} in made["contained"]
    assert made["managingOrganization"] == stored["managingOrganization"]
    assert made["meta"]["tag"] == stored["meta"]["tag"]
    assert "https://ehr.example/Profile" in made["meta"]["profile"]


def test_people_without_an_id_get_one_that_stays():
    stored = written(ALL)
    for one in stored["participant"]:
        one.pop("id", None)
    keys = [one.id for one in circle_of(stored).people]
    assert len(set(keys)) == 4
    stored["participant"].insert(
        0, {"member": {"reference": "Organization/1", "display": "Team"}, "role": [{"text": "team"}]}
    )
    made = written(circle_of(stored), stored)
    assert circle_of(made) == circle_of(stored)
    assert circle_of(written(circle_of(made), made)) == circle_of(made)


def test_one_id_for_two_people_names_neither():
    stored = written(ALL)
    stored["participant"][2]["id"] = stored["participant"][1]["id"]
    assert len({one.id for one in circle_of(stored).people}) == 4


def test_the_team_of_a_record_is_read_too():
    team = {
        "resourceType": "CareTeam",
        "subject": NOOR,
        "participant": [
            {"role": [{"coding": [{"system": "http://snomed.info/sct", "code": "1"}]}], "member": NOOR},
            {
                "role": [{"text": "Psychiater"}],
                "member": {"reference": "Practitioner/hanna", "display": "Hanna de Wit"},
            },
            {"member": {"reference": "RelatedPerson/mila"}},
            {"member": {"display": ""}},
            {},
            "broken",
        ],
    }
    hanna, mila = circle_of(team).people
    assert (hanna.name, hanna.relation, hanna.role) == ("Hanna de Wit", "Psychiater", "")
    assert (mila.name, mila.reference) == ("", "RelatedPerson/mila")


@examples(100)
@given(bent(st.just(team_of(ALL, patient=NOOR, identifier="i-1", language="nl"))))
def test_a_care_team_changed_at_random_is_read_and_written(stored):
    circle = circle_of(stored)
    assert len({one.id for one in circle.people}) == len(circle.people)
    again = circle_of(written(circle, stored))
    assert [(one.name, one.reference, one.until) for one in again.people if one.name] == [
        (one.name, one.reference, one.until) for one in circle.people if one.name
    ]


def test_it_carries_our_identifier_and_keeps_those_of_others():
    other = {"system": "urn:ehr", "value": "9"}
    made = written(ALL, {"identifier": [other]})
    assert made["identifier"] == [{"system": IDENTIFIER_SYSTEM, "value": "i-1"}, other]
