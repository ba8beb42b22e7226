"""What stands in a living form in the record, read with none of the app's own code for it."""

from __future__ import annotations

from mappers.living import Content, content_of
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.fhir.store import Query
from tests.smartapp.helpers import Visitor


def response(visitor: Visitor, patient: str = "anna") -> Resource:
    """Return the one response that the EHR has."""
    [found] = visitor.ehr.search(Query.of("QuestionnaireResponse", patient=f"Patient/{patient}"))
    return found.resource


def garden_of(visitor: Visitor) -> Content:
    """Return what stands in the made-up form."""
    return content_of(response(visitor), catalogue().living["garden"])


def remove_row(visitor: Visitor, form: str, group: str, key: str):
    """Press "Take this out" of a row."""
    return visitor.post(f"living/{form}/{group}/{key}/remove")
