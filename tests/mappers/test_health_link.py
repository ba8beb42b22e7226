"""What stands in a SMART Health Link, and the document that it opens."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.health_link import LONGEST_LABEL, Payload, Section, Whose, document_of, manifest_of
from tests import shlink_client

KEY = "rxTgYlOaKJPFtcEd0qcceN8wEU4p94SqAwIWQe6uX7Q"
URL = "https://ehr.example.org/qr/Y9xwkUdtmN9wwoJoN3ffJIhX2UGvCL1JnlPVNL3kDWM/m"
"""Both are the specification's own example."""
NOOR = Whose("Patient/noor", "Noor", "1992-03-14")
ID = "00000000-0000-4000-8000-000000000001"
WHEN = "2026-11-27T10:00:00+01:00"


@given(st.text(), st.integers(0, 2**40), st.booleans(), st.sampled_from(["", "https://viewer.example/view"]))
def test_what_is_put_into_a_link_is_read_from_it_by_a_client_of_the_specification(label, until, asks, viewer):
    link = Payload(URL, KEY, until, label, asks_passcode=asks).link(viewer)
    said = shlink_client.decoded(link.removeprefix("#"))
    assert (said.url, said.key, said.exp, said.flag, said.label, said.v) == (
        URL,
        KEY,
        until,
        "P" if asks else "",
        label[:LONGEST_LABEL],
        1,
    )


@given(st.text(max_size=LONGEST_LABEL), st.integers(0, 2**40), st.booleans())
def test_and_by_ourselves(label, until, asks):
    payload = Payload(URL, KEY, until, label, asks_passcode=asks)
    assert Payload.of(payload.link("https://viewer.example/view")) == payload


@pytest.mark.parametrize(
    "link", ["", "shlink:/", "shlink:/e30", "shlink:/W10", "shlink:/%", "https://x/#shlink:/MQ", "x"]
)
def test_what_is_no_link_is_none(link):
    assert Payload.of(link) is None


@given(st.text())
def test_no_text_breaks_the_reading(text):
    Payload.of(f"https://x/view#shlink:/{text}")


def test_what_the_specification_does_not_allow_is_refused():
    with pytest.raises(ValueError, match="129 characters"):
        Payload("x" * 129, KEY, 0, "")
    with pytest.raises(ValueError, match="43 characters"):
        Payload(URL, KEY[:-1], 0, "")


def test_the_flag_and_the_version_of_others_are_read_as_far_as_they_are_ours():
    packed = Payload(URL, KEY, 1, "x", asks_passcode=True)
    assert shlink_client.decoded(packed.link("").removeprefix("#")).flag == "P"


def goal(number: int, **more):
    return {
        "resourceType": "Goal",
        "id": str(number),
        "meta": {"versionId": "3", "lastUpdated": WHEN, "profile": ["https://x/goal"]},
        "identifier": [{"system": "https://x/goal", "value": f"own-{number}"}],
        "subject": {"reference": "Patient/noor", "display": "Noor"},
        **more,
    }


def made(*resources):
    section = Section("Doelen", ("<p>Zingen</p>",), resources)
    return document_of([section], id=ID, title="Plan", about="Van Noor.", whose=NOOR, made=WHEN, language="nl")


def test_references_inside_go_by_the_names_of_the_document_and_all_others_keep_only_their_display():
    bundle = made(
        goal(1, expressedBy={"reference": "Practitioner/7", "display": "Joost"}),
        goal(
            2, addresses=[{"reference": "urn:uuid:own-1", "display": "Zingen"}, {"reference": "Goal/1", "display": "x"}]
        ),
    )
    (composition, patient, first, second) = [one["resource"] for one in bundle["entry"]]
    names = [one["fullUrl"] for one in bundle["entry"]]
    assert [one["reference"] for one in composition["section"][0]["entry"]] == names[2:]
    assert composition["subject"]["reference"] == names[1] == first["subject"]["reference"]
    assert first["expressedBy"] == {"display": "Joost"}
    assert [one["reference"] for one in second["addresses"]] == [names[2]] * 2
    assert patient["birthDate"] == "1992-03-14"
    assert "id" not in first
    assert first["meta"] == {"profile": ["https://x/goal"]}


def test_it_is_a_document_of_its_own_moment():
    bundle = made(goal(1))
    assert (bundle["type"], bundle["timestamp"]) == ("document", WHEN)
    assert bundle["identifier"] == {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{ID}"}
    other = document_of([], id=str(uuid.uuid4()), title="x", about="x", whose=NOOR, made=WHEN, language="nl")
    assert not {one["fullUrl"] for one in bundle["entry"]} & {one["fullUrl"] for one in other["entry"]}


def test_what_is_given_is_not_changed():
    given_to_it = goal(1)
    made(given_to_it)
    assert given_to_it == goal(1)


def test_a_person_without_a_known_birth_date_has_none():
    bundle = document_of([], id=ID, title="x", about="x", whose=Whose("Patient/x", "X"), made=WHEN, language="en")
    assert "birthDate" not in bundle["entry"][1]["resource"]


def test_a_manifest_says_what_the_file_is_and_that_it_does_not_change():
    (file,) = manifest_of({"embedded": "eyJ"}, made=WHEN)["files"]
    assert file == {
        "contentType": "application/fhir+json",
        "fhirVersion": "4.0.1",
        "lastUpdated": WHEN,
        "status": "finalized",
        "embedded": "eyJ",
    }
