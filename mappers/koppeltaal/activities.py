"""What a domain can hand out of ours: an ActivityDefinition for each questionnaire and for the plan, and our Endpoint.

KT2_ActivityDefinition has no place for what ours in the package say of rights, kind and profile; the rights holder's
line therefore stands in the description.
"""

from __future__ import annotations

from typing import Final

from mappers.koppeltaal.codes import extension_url, profile
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires import canonical
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource, computer_name

PLAN: Final = "plan"
IDENTIFIER_SYSTEM: Final = canonical.identifier_system("koppeltaal-activity")
"""Of what we put into a domain: by it we find our own again."""
ENDPOINT: Final = "launch"
_FILL_IN: Final = "fill-in-"
_ORIGIN: Final = extension_url("resource-origin")
_TOPIC: Final = "http://vzvz.nl/fhir/CodeSystem/koppeltaal-definition-topic"
_PLAN_TITLE: Final = "Mijn plan"
_PLAN_ABOUT: Final = "Een eigen plan: wat iemand wil, en de stappen daarheen."


def address_of(activity: str) -> str:
    """Return the canonical address of an activity: the id of a questionnaire, or PLAN."""
    return f"{canonical.BASE}/ActivityDefinition/{name_of(activity)}"


def name_of(activity: str) -> str:
    """Return the name of an activity, as it stands in its address and its identifier."""
    return PLAN if activity == PLAN else f"{_FILL_IN}{activity}"


def activity_at(url: str, known: Catalogue) -> str:
    """Return the activity with an address, with or without a version; "" where it is none of ours."""
    address = url.partition("|")[0]
    return next((one for one in (PLAN, *known.asked) if address_of(one) == address), "")


def endpoint_at(address: str) -> Resource:
    """Return the Endpoint to which portals send their launches."""
    connection = "http://vzvz.nl/fhir/CodeSystem/koppeltaal-endpoint-connection-type"
    payload = "http://terminology.hl7.org/CodeSystem/endpoint-payload-type"
    return {
        "resourceType": "Endpoint",
        "meta": profile("KT2Endpoint"),
        "identifier": [_identifier(ENDPOINT)],
        "status": "active",
        "connectionType": {"system": connection, "code": "hti-smart-on-fhir"},
        "name": "Verstel",
        "payloadType": [{"coding": [{"system": payload, "code": "any"}]}],
        "address": address,
    }


def definition_of(activity: str, known: Catalogue, *, endpoint: str, publisher: str, clients_start: bool) -> Resource:
    """Return the ActivityDefinition of an activity; `endpoint` is the reference of our Endpoint.

    `clients_start`: people may begin it by themselves. `publisher` is our KT2PublisherId, "" for none.
    """
    extensions = [
        {
            "url": extension_url("KT2EndpointExtension"),
            "valueReference": {"reference": endpoint, "type": "Endpoint"},
        }
    ]
    if publisher:
        extensions.append({"url": extension_url("KT2PublisherId"), "valueId": publisher})
    topic = {"coding": [{"system": _TOPIC, "code": "self-treatment" if activity == PLAN else "self-assessment"}]}
    return {
        "resourceType": "ActivityDefinition",
        "meta": profile("KT2ActivityDefinition"),
        "extension": extensions,
        "url": address_of(activity),
        "identifier": [_identifier(name_of(activity))],
        **_said_of(activity, known),
        "name": computer_name(name_of(activity)),
        "status": "active",
        **({"topic": [topic]} if clients_start else {}),
        "participant": [{"type": "patient"}],
    }


def _said_of(activity: str, known: Catalogue) -> Resource:
    if activity == PLAN:
        return {"title": _PLAN_TITLE, "description": _PLAN_ABOUT}
    instrument = known.asked[activity]
    about = (instrument.subtitle.nl, instrument.copyright.nl)
    return {
        "version": instrument.version,
        "title": f"{instrument.title.nl} invullen",
        "description": "\n\n".join(one for one in about if one),
    }


def _identifier(value: str) -> Resource:
    return {"use": "official", "system": IDENTIFIER_SYSTEM, "value": value}


def named_in(resource: Resource) -> str:
    """Return the name by which we put something into a domain, "" for what is not ours."""
    identifiers = (one for one in objects_in(resource, "identifier") if one.get("system") == IDENTIFIER_SYSTEM)
    return next((text_in(one, "value") for one in identifiers), "")


def origin_of(resource: Resource) -> str:
    """Return the Device that put something into a domain, as the domain wrote it; "" where it does not say so."""
    origins = (one for one in objects_in(resource, "extension") if one.get("url") == _ORIGIN)
    return next((text_in(object_in(one, "valueReference"), "reference") for one in origins), "")


def renewed(stored: Resource, wanted: Resource) -> Resource | None:
    """Return what is there brought up to what is wanted, None where it is so already.

    What the domain keeps of it itself stays: its id, its meta beside the profile, and where it came from, which may
    not change.
    """
    origins = [one for one in objects_in(stored, "extension") if one.get("url") == _ORIGIN]
    extension = [*objects_in(wanted, "extension"), *origins]
    kept = {"id": stored["id"], "meta": {**object_in(stored, "meta"), **object_in(wanted, "meta")}}
    made = {**wanted, **kept, **({"extension": extension} if extension else {})}
    return None if _compared(made) == _compared(stored) else made


def _compared(resource: Resource) -> Resource:
    """Return what two versions are compared by: without the narrative and the meta of a server, whatever the order."""
    without = {name: value for name, value in resource.items() if name not in ("meta", "text", "extension")}
    return {**without, "extension": sorted(objects_in(resource, "extension"), key=repr)}


def withdrawn(stored: Resource) -> Resource | None:
    """Return an ActivityDefinition that is handed out no more, None where it is so already. Nothing is deleted."""
    return None if stored.get("status") == "retired" else {**stored, "status": "retired"}
