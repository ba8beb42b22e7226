"""A form is named by its issuer, which may get a key, and then another address: it stays the same form."""

from __future__ import annotations

import pytest

from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Query, Write
from smartapp.services import KEY
from smartapp.settings import Issuer
from smartapp.storage.database import open_database
from tests.smartapp.helpers import launched, make_app, text_of
from tests.smartapp.pages.living.forms import garden_of
from tests.smartapp.pages.plan.pages import fields_of, fill

OLD, NEW = "https://old.example/fhir", "https://new.example/fhir"
STORY, FORM = "living/garden/story/", "living/garden/"
RESPONSES = Query.of("QuestionnaireResponse", patient="Patient/anna")


@pytest.fixture
def sign_in(known):
    """Let Anna sign in at an address of her EHR, which keeps what it has."""
    record, started = open_database("sqlite://"), []

    def signed_in(address: str, key: str = ""):
        app = make_app(issuers=(Issuer(base=address, name="EHR", client_id="verstel", key=key),))
        core = app.extensions[KEY]
        core.local_ehrs[address] = OwnStore(record, address, tenant="the record")
        started.append(core.engine)
        return launched(app, issuer=address)

    yield signed_in
    for engine in (*started, record):
        engine.dispose()


@pytest.fixture
def moved(sign_in):
    """Anna, whose garden was begun when her EHR had no key, and whose EHR has another address since."""
    fill(sign_in(OLD), STORY, **{"garden-story": "Onkruid."})
    fill(sign_in(OLD, key="north"), "living/garden/tools/", **{"garden-tools": "hark"})
    return sign_in(NEW, key="north")


def test_what_was_written_before_the_key_is_found_after_the_address_changed(moved):
    page = text_of(moved.get(FORM))
    assert "Onkruid." in page
    assert "hark" in page
    assert fields_of(moved.get(STORY))["garden-story"] == "Onkruid."


def test_it_is_changed_where_it_is_and_keeps_its_name(moved):
    [before] = moved.ehr.search(RESPONSES)
    fill(moved, STORY, **{"garden-story": "Klaver."})
    [after] = moved.ehr.search(RESPONSES)
    assert garden_of(moved).answers == {"garden-story": ("Klaver.",), "garden-tools": ("hark",)}
    assert after.resource["identifier"] == before.resource["identifier"]
    [plan] = moved.ehr.search(Query.of("CarePlan", patient="Patient/anna"))
    assert [one["identifier"] for one in plan.resource["supportingInfo"]] == [before.resource["identifier"]]


def test_what_is_of_another_form_or_of_somebody_else_is_no_garden(moved):
    [stored] = moved.ehr.search(RESPONSES)
    moved.ehr.write(Write("update", {**stored.resource, "questionnaire": "https://x.example/Questionnaire/garden"}))
    assert "Onkruid." not in text_of(moved.get(FORM))


def test_what_the_plan_names_and_nobody_has_breaks_nothing(moved):
    [plan] = moved.ehr.search(Query.of("CarePlan", patient="Patient/anna"))
    [named] = plan.resource["supportingInfo"]
    gone = [{**named, "identifier": {**named["identifier"], "value": value}} for value in ("0" * 36, "a,b", "x y")]
    moved.ehr.write(Write("update", {**plan.resource, "supportingInfo": [*gone, named]}, if_match=plan.etag))
    assert "Onkruid." in text_of(moved.get(FORM))
