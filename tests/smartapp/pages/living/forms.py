"""What stands in a living form in the record, read with none of the app's own code for it."""

from __future__ import annotations

from collections.abc import Iterator

from mappers.identity import values_in
from mappers.living import Content, Written, content_of, field_name, form_identifier, response_of
from mappers.plan import PersonRef
from questionnaires.canonical import identifier_system
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.fhir.store import Query, Write
from smartapp.pages.living.steps import ALL
from smartapp.web.written import short
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


def goals_of(visitor: Visitor) -> dict[str, str]:
    """Return the words of the goals in the record by our own identifiers."""
    found = (one.resource for one in visitor.ehr.search(Query.of("Goal")))
    return {values_in(goal, identifier_system("goal"))[0]: goal["description"]["text"] for goal in found}


def put_versions(visitor: Visitor, *contents: Content) -> None:
    """Store a form in the record of this launch, once for each of these contents."""
    client = PersonRef(visitor.launch.patient.reference, visitor.launch.patient.display)
    stored = None
    for number, content in enumerate(contents, start=1):
        name = form_identifier(visitor.launch.issuer_key, client.reference, content.form)
        when = Written(client, client, f"2026-11-{number:02}T10:00:00+01:00")
        made = response_of(content, when, identifier=name, existing=stored)
        stored = visitor.ehr.write(Write("update" if stored else "create", made)).resource


def pages_of(content: Content) -> Iterator[tuple[str, str]]:
    """Yield the pages of a form, with the first row of each of its groups: the endpoint, and the address."""
    form = content.form
    here = f"living/{form.id}"
    yield from (("living.form", f"{here}/"), ("living.earlier", f"{here}/earlier"))
    for group in form.groups:
        name, row = short(form, group.link_id), ""
        if group.many:
            row = next((one.key for one in content.rows_of(group.link_id)), "x")
            yield from (("living.step", f"{here}/{name}/"), ("living.new_row", f"{here}/{name}/new"))
            yield from (
                ("living.row", f"{here}/{name}/{row}/"),
                ("living.part_of_row", f"{here}/{name}/{row}/peer-worker/"),
            )
        for item in group.items:
            if not group.many and item.who == "client":
                yield from (("living.step", f"{here}/{short(form, item.link_id)}/"), ("living.step", f"{here}/{ALL}/"))
            words = field_name(item.link_id, row)
            if item.becomes == "goal":
                yield "living.goal_from_words", f"{here}/goal/{words}"
            elif item.becomes:
                target = next(one for one in catalogue().living if item.becomes.startswith(f"{one}-"))
                yield "living.take", f"living/{target}/take/{item.becomes}?source={form.id}/{words}"
