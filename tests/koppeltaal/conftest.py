"""An app at https://app.example that a stub of a Koppeltaal domain launches, in both of its presets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
import responses
from flask import Flask
from joserfc.jwk import ECKey

from mappers.koppeltaal.activities import address_of
from smartapp import create_app
from smartapp.courier import Courier
from smartapp.services import KEY, Services
from smartapp.settings import Issuer, Koppeltaal
from tests.koppeltaal.domain import AUTH, BASE, INSTANTIATES, MODULE, OTHER_MODULE, Client, Domain
from tests.koppeltaal.portal import APP, Portal
from tests.smartapp.helpers import settings
from tests.smartapp.smart.ehr import Clock

SIGNING = ECKey.generate_key("P-384", auto_kid=True)
TEAM_ROLE = "http://snomed.info/sct"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["spec", "reference"])
def domain(request: pytest.FixtureRequest, clock: Clock) -> Domain:
    domain = Domain(clock, reference=request.param == "reference")
    fill(domain)
    return domain


def fill(domain: Domain) -> None:
    """Give a domain its people, and a Task for Anna that asks her for the questionnaire HOOP."""
    for type_, id_, family in (
        ("Patient", "anna", "Voorbeeld"),
        ("Patient", "bram", "Ander"),
        ("Practitioner", "els", "Visser"),
        ("Practitioner", "piet", "Steun"),
        ("RelatedPerson", "mila", "Voorbeeld"),
    ):
        person = {
            "resourceType": type_,
            "id": id_,
            "identifier": [{"system": "https://domain.example/people", "value": f"{type_}-{id_}"}],
            "active": True,
            "name": [{"use": "official", "family": family, "given": [id_.capitalize()]}],
            "gender": "other",
            "birthDate": "1992-03-14",
        }
        if type_ == "Patient":  # such a number must not get further than here
            person["identifier"].append({"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": "999990019"})
        if type_ == "RelatedPerson":
            person |= {"patient": {"reference": "Patient/anna"}, "relationship": [legal_representative()]}
        domain.put(person)
    domain.put(team())
    domain.put(endpoint(), origin=f"Device/{MODULE}")
    domain.put(activity("hoop"), origin=f"Device/{MODULE}")
    domain.put(activity("plan"), origin=f"Device/{MODULE}")
    domain.put(activity("other", url="https://other.example/ActivityDefinition/x"), origin=f"Device/{OTHER_MODULE}")
    domain.put(task())


def legal_representative() -> dict[str, Any]:
    system = "urn:oid:2.16.840.1.113883.2.4.3.11.22.472"
    return {"coding": [{"system": system, "code": "24", "display": "Wettelijke vertegenwoordiger"}]}


def team(**changes: Any) -> dict[str, Any]:
    roles = (("Practitioner/els", "405623001"), ("Practitioner/piet", "224608005"), ("RelatedPerson/mila", "407542009"))
    return {
        "resourceType": "CareTeam",
        "id": "team",
        "identifier": [{"system": "https://domain.example/teams", "value": "1"}],
        "status": "active",
        "subject": {"reference": "Patient/anna"},
        "participant": [
            {"role": [{"coding": [{"system": TEAM_ROLE, "code": code}]}], "member": {"reference": member}}
            for member, code in roles
        ],
        **changes,
    }


def endpoint() -> dict[str, Any]:
    return {
        "resourceType": "Endpoint",
        "id": "launch",
        "status": "active",
        "connectionType": {
            "system": "http://vzvz.nl/fhir/CodeSystem/koppeltaal-endpoint-connection-type",
            "code": "hti-smart-on-fhir",
        },
        "payloadType": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/endpoint-payload-type", "code": "any"}]}
        ],
        "address": f"{APP}/launch",
    }


def activity(id_: str, *, url: str = "") -> dict[str, Any]:
    extension = "http://koppeltaal.nl/fhir/StructureDefinition/KT2EndpointExtension"
    return {
        "resourceType": "ActivityDefinition",
        "id": id_,
        "extension": [{"url": extension, "valueReference": {"reference": "Endpoint/launch"}}],
        "url": url or address_of(id_),
        "title": id_,
        "status": "active",
    }


def task(id_: str = "t1", activity: str = "hoop", **changes: Any) -> dict[str, Any]:
    made = {
        "resourceType": "Task",
        "id": id_,
        "extension": [{"url": INSTANTIATES, "valueReference": {"reference": f"ActivityDefinition/{activity}"}}],
        "identifier": [{"system": "https://domain.example/tasks", "value": id_}],
        "status": "ready",
        "intent": "order",
        "priority": "routine",
        "description": "Vul deze lijst in",
        "for": {"reference": "Patient/anna"},
        "owner": {"reference": "Patient/anna"},
        "requester": {"reference": "Practitioner/els"},
        "authoredOn": "2026-01-20T10:00:00+01:00",
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


@pytest.fixture
def mock(domain: Domain) -> Iterator[responses.RequestsMock]:
    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return domain.answer(request.method or "", request.url or "", dict(request.headers), request.body)

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            for base in (BASE, AUTH):
                mock.add_callback(
                    method, re.compile(f"{re.escape(base)}/.*"), answer, content_type="application/fhir+json"
                )
        yield mock


@pytest.fixture
def signing_keys(tmp_path: Path) -> Path:
    path = tmp_path / "signing.json"
    path.write_bytes(orjson.dumps({"keys": [SIGNING.as_dict(private=True)]}))
    return path


@pytest.fixture
def koppeltaal() -> Koppeltaal:
    """What the settings say of the domain; a test may say something else."""
    return Koppeltaal(device=f"Device/{MODULE}")


@pytest.fixture
def issuer(koppeltaal: Koppeltaal) -> Issuer:
    return Issuer(
        base=BASE, name="GGZ Noord", client_id=MODULE, auth="private_key_jwt", key="noord", koppeltaal=koppeltaal
    )


@pytest.fixture
def app(clock: Clock, issuer: Issuer, signing_keys: Path) -> Iterator[Flask]:
    ehr = Issuer(base="https://ehr.example/fhir", name="EHR", client_id="verstel")
    changes = {"public_url": APP, "issuers": (issuer, ehr), "signing_keys_file": signing_keys}
    app = create_app(settings(**changes), clock=clock)
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.fixture
def core(app: Flask) -> Services:
    return app.extensions[KEY]


@pytest.fixture
def courier(core: Services) -> Courier:
    return Courier(core)


@pytest.fixture
def portal(app: Flask, domain: Domain, mock: responses.RequestsMock, core: Services) -> Portal:
    domain.clients[MODULE] = Client(MODULE, f"Device/{MODULE}", core.keys.public, (f"{APP}/callback",))
    return Portal(app.test_client(), domain)
