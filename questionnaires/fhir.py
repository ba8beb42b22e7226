"""FHIR vocabulary that several packages share: what a resource is, HL7's addresses, a text in two languages.

What only one module needs is in that module; our own addresses are in `canonical.py`.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

from questionnaires.model import Text

# A FHIR resource, or a part of one, as it travels: JSON's own types. Models are for checking, not for carrying: they
# rewrite decimals and timestamps, and refuse what real EHRs send (see "Why it is so" in ARCHITECTURE.md).
Resource: TypeAlias = dict[str, Any]

STRUCTURES: Final = "http://hl7.org/fhir/StructureDefinition"
SDC_STRUCTURES: Final = "http://hl7.org/fhir/uv/sdc/StructureDefinition"
TRANSLATION: Final = f"{STRUCTURES}/translation"

COUNTRIES: Final = "urn:iso:std:iso:3166"
OBSERVATION_CATEGORIES: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"
SDC_CODES: Final = "http://hl7.org/fhir/uv/sdc/CodeSystem/temp"
UCUM: Final = "http://unitsofmeasure.org"
# The system of an identifier that is an address by itself.
URI: Final = "urn:ietf:rfc:3986"


def coding(system: str, code: str, display: str) -> Resource:
    """Return a Coding with all that a reader without the code system needs."""
    return {"system": system, "code": code, "display": display}


def concept(system: str, code: str, display: str) -> Resource:
    """Return a CodeableConcept with one coding."""
    return {"coding": [coding(system, code, display)]}


# What a score is, among all that can be observed of a person.
SURVEY: Final = concept(OBSERVATION_CATEGORIES, "survey", "Survey")
# Where what we publish is meant to be used.
NETHERLANDS: Final = concept(COUNTRIES, "NL", "Netherlands (the)")


def translated(
    element: str, text: Text, language: str = "en", *, kind: Literal["string", "markdown"] = "string"
) -> Resource:
    """Return an element in Dutch, with the words in `language` by FHIR's translation extension where they differ."""
    other = text.get(language)
    # A translation that says the same again only makes readers look for a difference.
    if other == text.nl:
        return {element: text.nl}
    value = {"string": "valueString", "markdown": "valueMarkdown"}[kind]
    content = [{"url": "lang", "valueCode": language}, {"url": "content", value: other}]
    return {element: text.nl, f"_{element}": {"extension": [{"url": TRANSLATION, "extension": content}]}}


def computer_name(identifier: str) -> str:
    """Return the `name` of an artefact, for programs: `fill-in-hoop` gives `FillInHoop`."""
    return "".join(part.capitalize() for part in identifier.split("-"))
