"""What a PGO asks, asked literally over real HTTP: as the state's own does, with its headers, by the person's token."""

from __future__ import annotations

import base64
import http.client
import json
from urllib.parse import urlsplit

import pytest

from mappers.medmij import queries
from smartapp.sandbox.reading import LARGEST_PAGE
from tests.mappers.medmij.cases import HOOP_SCORES, entries
from tests.mappers.medmij.reader import shown
from tests.mappers.medmij.rules import broken

OWN = "patient/*.rs"


def ask(api, service: str, path: str):
    """Send the path as it is written, with nothing in it encoded: that is how this PGO does it."""
    parts = urlsplit(api.base)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    headers = {**api.headers, "Accept": "application/fhir+json; fhirVersion=3.0"}
    connection.request("GET", f"{parts.path.removesuffix('/fhir')}/medmij/{service}{path}", headers=headers)
    answer = connection.getresponse()
    status, body = answer.status, json.loads(answer.read())
    connection.close()
    return status, body


@pytest.fixture
def told(ehr):
    """Anna's record, with a plan, scores, a circle and a document."""
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries()}
    assert ehr.anna().post("", bundle).status_code == 200
    return ehr


def found(ehr, id_: str):
    query = next(one for one in queries() if one.id == id_)
    status, bundle = ask(ehr.anna(OWN), query.service, query.path)
    assert status == 200
    return [one["resource"] for one in bundle.get("entry", [])]


@pytest.mark.parametrize("query", queries(), ids=lambda one: one.id)
def test_every_query_is_answered_as_it_is_asked(told, query):
    status, bundle = ask(told.anna(OWN), query.service, query.path)
    assert status == 200
    assert broken(bundle, query.path) == []
    assert (bundle["total"] > 0) == (query.ours != "no")
    base = f"{told.base.removesuffix('/fhir')}/medmij/{query.service}/"
    assert all(one["fullUrl"].startswith(base) for one in bundle.get("entry", []))


def test_what_is_stored_is_what_is_shown(told):
    [person] = found(told, "patient")
    assert shown(person)["name"] == ["Anna Voorbeeld"]
    [help_] = found(told, "helpFromOthers")
    assert shown(help_)["help"] == [
        ("Wonen", "Twee keer per week iemand van het team"),
        ("Financiën en administratie", "Mijn bewindvoerder"),
    ]
    [network] = found(told, "participationInSociety")
    assert shown(network)["network"] == "Ik zie mijn zus\nelke week."
    assert len(found(told, "generalMeasurement")) == len(HOOP_SCORES)
    [team] = found(told, "careteam")
    assert "Mila Bakker" in str(shown(team))


def test_a_document_is_fetched_by_the_address_in_it(told):
    [document] = found(told, "documentReference")
    [name] = shown(document)["binary"]
    status, content = ask(told.anna(OWN), "51", f"/Binary/{name}")
    assert (status, content["resourceType"]) == (200, "Binary")
    assert base64.b64decode(content["content"]) == b"%PDF-1.7"
    assert ask(told.anna(OWN), "51", "/Binary/other")[0] == 404


def test_of_more_than_fits_one_page_everything_is_there(told):
    for number in range(LARGEST_PAGE):
        told.put(
            {
                "resourceType": "Observation",
                "status": "final",
                "code": {"text": str(number)},
                "category": HOOP_SCORES[0]["category"],
                "subject": {"reference": "Patient/anna"},
            }
        )
    assert len(found(told, "generalMeasurement")) == len(HOOP_SCORES)


def test_only_the_person_themselves_may_ask_and_only_what_they_were_granted(told):
    path = "/Observation?category=http://hl7.org/fhir/observation-category|survey"
    assert ask(told.nobody(), "50", path)[0] == 401
    assert ask(told.jansen(), "50", path)[0] == 403
    assert ask(told.as_("Practitioner/jansen", OWN, "anna"), "50", path)[0] == 403
    assert ask(told.as_("RelatedPerson/zus", OWN, "anna"), "50", path)[0] == 403
    assert ask(told.anna("patient/Patient.r"), "50", path)[0] == 403
    status, bundle = ask(told.as_("Patient/bram", OWN, "bram"), "50", path)
    assert (status, bundle["total"]) == (200, 0)


@pytest.mark.parametrize(
    ("service", "path", "status"),
    [
        ("50", "/Goal", 400),
        ("50", "/Observation", 400),
        ("51", "/Patient?_include=Patient:general-practitioner", 400),
        ("51", "/DocumentReference?indexed=2026", 400),
        ("51", "/DocumentReference?status=current&indexed=ge2026-11-20", 200),
        ("52", "/Patient", 404),
    ],
)
def test_another_question_is_refused_in_fhir(told, service, path, status):
    answered, body = ask(told.anna(OWN), service, path)
    assert answered == status
    assert (body["resourceType"] == "OperationOutcome") == (status != 200)


def test_nothing_can_be_written_there(told):
    api = told.anna("patient/*.crus")
    api.base = f"{told.base.removesuffix('/fhir')}/medmij/50"
    assert api.post("Observation", {"resourceType": "Observation"}).status_code == 405


@pytest.mark.parametrize("kind", ["epic-like", "oracle-like", "athena-like", "meditech-like"])
def test_every_kind_of_ehr_answers_with_what_it_has(ehr_like, kind):
    ehr = ehr_like(kind)
    for query in queries():
        status, bundle = ask(ehr.anna(OWN), query.service, query.path)
        assert (status, broken(bundle, query.path)) == (200, [])
