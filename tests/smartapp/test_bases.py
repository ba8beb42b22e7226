"""Addresses of one server: what is the same, what lies below it, and what only looks so."""

from __future__ import annotations

import pytest

from smartapp.bases import behind, normal, overlap, same

BASE = "https://ehr.example/fhir"


@pytest.mark.parametrize(
    ("address", "rest"),
    [
        (f"{BASE}/Patient/7", "Patient/7"),
        ("HTTPS://EHR.Example/fhir/Patient/7", "Patient/7"),
        ("https://ehr.example:443/fhir/Patient/7", "Patient/7"),
        ("https://inside.example:8443/r4/Patient/7", "Patient/7"),
        (f"{BASE}/deep/Patient/7", "Patient/7"),  # the longest first
        ("https://ehr.example:8443/fhir/Patient/7", None),
        ("http://ehr.example/fhir/Patient/7", None),
        ("https://ehr.example:80/fhir/Patient/7", None),
        ("https://ehr.example/FHIR/Patient/7", None),
        ("https://ehr.example//fhir/Patient/7", None),
        ("https://ehr.example/fhirx/Patient/7", None),
        ("https://ehr.example.evil.example/fhir/Patient/7", None),
        ("https://evil.example/https://ehr.example/fhir/Patient/7", None),
        ("https://ehr.example@evil.example/fhir/Patient/7", None),
        ("https://evil.example@ehr.example/fhir/Patient/7", None),
        ("https://ehr.exa\nmple/fhir/Patient/7", None),
        ("https://[ehr.example/fhir/Patient/7", None),
        ("https://ehr.example:many/fhir/Patient/7", None),
        (BASE, None),
        ("Patient/7", None),
        ("", None),
    ],
)
def test_what_stands_behind_a_base(address, rest):
    assert behind(address, f"{BASE}/", "https://inside.example:8443/r4", f"{BASE}/deep") == rest


def test_the_normal_form_keeps_what_tells_two_addresses_apart():
    assert normal("HTTP://[::1]:80/a/B?c=D#e") == "http://[::1]/a/B?c=D#e"
    assert normal("ftp://EHR.example") == "ftp://EHR.example"


def test_two_bases_are_the_same_server_however_they_are_written():
    assert same(BASE, "HTTPS://EHR.example:443/fhir/")
    assert not same(BASE, f"{BASE}/tenant")


@pytest.mark.parametrize(
    ("other", "does"),
    [
        ("https://EHR.example:443/fhir/", True),
        ("https://ehr.example", True),
        (f"{BASE}/tenant", True),
        (f"{BASE}2", False),
        ("https://other.example/fhir", False),
    ],
)
def test_two_bases_overlap_where_one_lies_below_the_other(other, does):
    assert overlap(BASE, other) is does
    assert overlap(other, BASE) is does
