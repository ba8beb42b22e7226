"""By which name a living form is found: it is there too when the EHR got another address, or a key in our settings."""

from __future__ import annotations

from dataclasses import replace

from questionnaires.catalogue import catalogue
from smartapp.pages.living.routes import TAKEN
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
    """Else its address would lead to that page."""
    rules = [rule.rule.partition("/living/<form_id>/")[2] for rule in app.url_map.iter_rules()]
    pages = {rule.split("/")[0] for rule in rules if rule and not rule.startswith("<")}
    assert {page for page in pages if "." not in page} <= TAKEN  # no question has a dot in its name
    asked = {
        short(form, one.link_id)
        for form in catalogue().living.values()
        for group in form.groups
        for one in (group, *group.items)
    }
    assert asked & TAKEN == set()
