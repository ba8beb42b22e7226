"""By which name a living form is found: it is there too when the EHR got another address, or a key in our settings."""

from __future__ import annotations

from dataclasses import replace

from questionnaires.catalogue import catalogue
from smartapp.records import Record
from smartapp.settings import Issuer
from smartapp.web.living import queries, read_forms
from smartapp.web.written import short
from tests.smartapp.helpers import EHR, launched, make_app
from tests.smartapp.pages.plan.pages import fill


def found(visitor, launch, known):
    [query] = queries(launch, known)
    records = [Record(one.resource, one.etag, "ehr") for one in visitor.ehr.search(query)]
    return read_forms(records, None, known=known, launch=launch)["garden"]


def test_it_is_found_when_the_ehr_has_another_address(known):
    anna = launched(make_app(issuers=(Issuer(base=EHR, name="Test EHR", client_id="verstel", key="test-ehr"),)))
    fill(anna, "living/garden/story/", **{"garden-story": "Een roos."})
    moved = replace(anna.launch, issuer="https://elsewhere.example/fhir")
    assert found(anna, moved, known).content.of("garden-story") == "Een roos."
    anna.core.engine.dispose()


def test_it_is_found_by_the_name_that_it_got_before_the_ehr_had_a_key(anna, known):
    fill(anna, "living/garden/story/", **{"garden-story": "Een roos."})
    named = replace(anna.launch, user=replace(anna.launch.user, issuer="test-ehr"))
    stored = found(anna, named, known)
    assert stored.content.of("garden-story") == "Een roos."
    assert stored.identifier == found(anna, anna.launch, known).identifier  # the plan names it so


def test_another_persons_form_has_another_name(anna, known):
    other = replace(anna.launch, patient=replace(anna.launch.patient, reference="Patient/bea"))
    assert found(anna, other, known).identifier != found(anna, anna.launch, known).identifier


def test_no_question_is_called_as_a_page_below_its_form(app):
    """Its address would lead to that page."""
    led = app.url_map.bind("localhost")

    def leads_to(address):
        return led.match(f"/l/x/living/{address}")[0]

    for form in catalogue().living.values():
        for group in form.groups:
            name = short(form, group.link_id)
            if group.many:
                assert leads_to(f"{form.id}/{name}/new") == "living.new_row"
                assert leads_to(f"{form.id}/{name}/{KEY}/") == "living.row"
            for link_id in (group.link_id, *(item.link_id for item in group.items)):
                assert leads_to(f"{form.id}/{short(form, link_id)}/") == "living.step"


KEY = "00000000-0000-4000-8000-000000000001"
