"""A form that no place lets be changed goes on one place lower, and once more: it is one form, wherever it has been."""

from __future__ import annotations

import pytest

from mappers.identity import former
from mappers.living import content_of
from questionnaires.catalogue import catalogue
from smartapp.fhir.companion import CompanionStore
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Query, Refused
from smartapp.services import KEY, Services
from tests.smartapp.helpers import Flaky, launched, text_of
from tests.smartapp.pages.plan.pages import fields_of, fill

STORY, FORM = "living/garden/story/", "living/garden/"
RESPONSES = Query.of("QuestionnaireResponse")
CLOSED = Refused("no changes here")
BASE = "http://localhost/fhir"
"""The address of the EHR, by which the companion calls its people."""


@pytest.fixture
def companion(app, monkeypatch):
    """A server beside the EHR, for what that does not take."""
    store = Flaky(OwnStore(app.extensions[KEY].engine, BASE, tenant="companion"))
    monkeypatch.setattr(Services, "companion", lambda _self, issuer: CompanionStore(store, issuer))
    return store


@pytest.fixture
def anna(known, app, companion):
    """Anna, whose garden was in the EHR, then at the companion, and is in our own store now."""
    visitor = launched(app)
    fill(visitor, STORY, **{"garden-story": "In het EPD."})
    visitor.make_flaky().no_updates = CLOSED
    fill(visitor, STORY, **{"garden-story": "Bij de buren."})
    companion.no_updates = CLOSED
    fill(visitor, STORY, **{"garden-story": "Bij onszelf."})
    return visitor


def words(store):
    found = [one.resource for one in store.search(RESPONSES)]
    return [content_of(one, catalogue().living["garden"]).of("garden-story") for one in found]


def own(visitor):
    return visitor.core.own_store(visitor.launch.issuer)


def test_each_place_has_what_it_took_and_the_last_says_where_it_was_before(anna, companion):
    assert (words(anna.ehr), words(companion), words(own(anna))) == (
        ["In het EPD."],
        ["Bij de buren."],
        ["Bij onszelf."],
    )
    [here] = own(anna).search(RESPONSES)
    [at_the_ehr], [beside] = anna.ehr.search(RESPONSES), companion.search(RESPONSES)
    assert list(former(here.resource)) == [("ehr", at_the_ehr.reference), ("companion", beside.reference)]


@pytest.mark.parametrize(
    ("role", "path"), [("client", FORM), ("client", f"{FORM}all/"), ("clinician", "overview/plan")]
)
def test_every_reader_has_the_last_words_and_no_others(anna, role, path):
    anna.ehr.no_updates = None  # or nobody could be put into the record who reads it
    page = text_of(launched(anna.app, role=role).get(path))
    assert "Bij onszelf." in page
    assert "In het EPD." not in page
    assert "Bij de buren." not in page


def test_it_goes_on_where_it_is_now_and_nothing_is_made_anew(anna, companion):
    fill(anna, "living/garden/tools/", **{"garden-tools": "hark"})
    assert [len(store.search(RESPONSES)) for store in (anna.ehr, companion, own(anna))] == [1, 1, 1]
    assert fields_of(anna.get(STORY))["garden-story"] == "Bij onszelf."
    page = text_of(anna.get(FORM))
    assert "hark" in page
    assert "Bij onszelf." in page


@pytest.mark.parametrize("gone", ["ehr", "companion"])
def test_it_is_found_where_one_of_its_former_places_opens_again(anna, companion, gone):
    """Neither place takes over again from what it let nobody change."""
    (anna.ehr if gone == "ehr" else companion).no_updates = None
    fill(anna, STORY, **{"garden-story": "Nog steeds bij onszelf."})
    assert words(own(anna)) == ["Nog steeds bij onszelf."]
    assert (words(anna.ehr), words(companion)) == (["In het EPD."], ["Bij de buren."])
    assert "Nog steeds bij onszelf." in text_of(anna.get(FORM))


def test_a_goal_that_began_there_leads_back_to_its_words_and_is_made_once(known, app, companion):
    anna = launched(app)
    fill(anna, "living/garden/plants/new", **{"garden-plant": "roos"})
    [row] = content_of(anna.ehr.search(RESPONSES)[0].resource, known.living["garden"]).rows_of("garden-plants")
    make = f"living/garden/goal/garden-plant.{row.key}"
    fill(anna, make, domain="meaning")
    anna.make_flaky().no_updates = CLOSED
    here = f"living/garden/plants/{row.key}/"
    fill(anna, here, **{"garden-plant": "wilde roos"})
    companion.no_updates = CLOSED
    fill(anna, here, **{"garden-plant": "witte roos"})
    goal = anna.get(make)
    assert goal.status_code == 303, "it is a goal already"
    assert f'{anna.url(FORM)}#row-{row.key}"' in anna.get(goal.location).text
