"""What is in a domain before a test begins: people, a care team, what we offer, and a Task for Anna."""

from __future__ import annotations

from typing import Any

from mappers.koppeltaal.activities import address_of
from tests.koppeltaal.domain import INSTANTIATES, MODULE, OTHER_MODULE, Domain
from tests.koppeltaal.portal import APP

TEAM_ROLE = "http://snomed.info/sct"


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
