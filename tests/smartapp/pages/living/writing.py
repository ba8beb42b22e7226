"""What somebody wrote in a living form before a test begins: in their record, as the app would have put it there."""

from __future__ import annotations

from mappers.living import Content, Written, form_identifier, response_of
from mappers.plan import PersonRef
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Write
from smartapp.sandbox.living import FormReader
from smartapp.sandbox.seeding import people
from tests.smartapp.helpers import Visitor

WHEN = "2026-11-20T10:00:00+01:00"
FULL = "staying-well"
"""The longest form that made-up Noor filled in: all its groups, with rows, telephone numbers and a card."""


def of_noor(form_id: str) -> Content:
    """Return what made-up Noor wrote in a form."""
    person = people()["noor"]
    reader = FormReader(
        catalogue().living[form_id],
        goals={},
        day=lambda _days: "2026-11-20",
        key=lambda group, number: f"{group}-{number}",
        where="noor.toml",
    )
    return reader.content(person.living[form_id])


def put_form(visitor: Visitor, content: Content) -> None:
    """Store what is written in a form in the record of this launch."""
    client = PersonRef(visitor.launch.patient.reference, visitor.launch.patient.display)
    name = form_identifier(visitor.launch.issuer_key, client.reference, content.form)
    made = response_of(content, Written(client, client, WHEN), identifier=name)
    visitor.ehr.write(Write("create", made, full_url=f"urn:uuid:{name}"))
