"""A call of a service, read strictly; and what was sent along with it, read as others write it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource
from smartapp.hooks.services import Service

_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_USER: Final = re.compile(r"(Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9\-.]{1,64}")


class NotACall(ValueError):
    """A body that is no call of the service; the message is a code for the log."""


@dataclass(frozen=True, slots=True)
class Call:
    """What an EHR asks: at which FHIR server ("" where it does not say), on behalf of whom, about whom.

    `user` is a reference, `patient_id` an id there, `prefetch` what it sent along by the keys of our templates.
    """

    fhir_server: str
    user: str
    patient_id: str
    prefetch: Mapping[str, Any]

    def resource(self, key: str) -> Resource | None:
        """Return the one resource that was sent along under a key; None where none was, or another than was asked."""
        found = self.prefetch.get(key)
        return found if isinstance(found, dict) and text_in(found, "resourceType") not in _ERRORS else None

    def found(self, key: str) -> list[Resource] | None:
        """Return the resources of a search that was sent along; None where it was not, or had no answer."""
        bundle = self.prefetch.get(key)
        if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
            return None
        resources = (object_in(entry, "resource") for entry in objects_in(bundle, "entry"))
        return [one for one in resources if text_in(one, "resourceType")]


_ERRORS: Final = ("", "OperationOutcome")


def call_of(body: Any, service: Service) -> Call:
    """Return what a body asks of a service. Raises NotACall."""
    if not isinstance(body, dict):
        raise NotACall("no-object")
    if body.get("hook") != service.hook:
        raise NotACall("other-hook")
    try:
        uuid.UUID(text_in(body, "hookInstance"))
    except ValueError:
        raise NotACall("hook-instance") from None
    context = object_in(body, "context")
    if missing := next(_missing(context, service), ""):
        raise NotACall(f"context-{missing}")
    user, patient = text_in(context, "userId"), text_in(context, "patientId")
    if not _USER.fullmatch(user):
        raise NotACall("context-userId")
    if not _ID.fullmatch(patient):
        raise NotACall("context-patientId")
    return Call(text_in(body, "fhirServer"), user, patient, object_in(body, "prefetch"))


def _missing(context: Mapping[str, Any], service: Service) -> Iterator[str]:
    return (name for name in service.needs if not text_in(context, name))
