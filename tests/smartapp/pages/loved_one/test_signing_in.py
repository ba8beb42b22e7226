"""Mila signs in at the portal over real HTTP: she reads what her sister shares, and her sister sees that she came."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import requests

from mappers.circle import circle_of
from smartapp.fhir.store import Query
from smartapp.sandbox.seeding import seed
from smartapp.services import KEY
from tests.conftest import serve

MILA = "role=loved-one&patient=noor&user=RelatedPerson/mila"


@pytest.fixture(scope="module")
def place():
    for server in serve():
        services = server.app.extensions[KEY]
        own = services.own_store(server.sandbox.base)
        seed(
            server.sandbox,
            datetime.now(UTC),
            own=own,
            only=["noor", "kees"],
            issuer=services.settings.issuer_key(server.sandbox.base),
        )
        yield server, own


def people(own):
    [team] = own.search(Query.of("CareTeam", patient="Patient/noor"))
    return {one.name: one for one in circle_of(team.resource).people}


def test_what_the_made_up_noor_shares_with_her_sister_is_read_from_the_record_itself(place):
    server, own = place
    assert people(own)["Mila Achterberg"].came_on == ""
    with requests.Session() as browser:
        page = browser.get(f"{server.url}/sandbox/launch?{MILA}", timeout=30)
        assert page.url.endswith("/loved-one/")
        assert "Wat Noor met je deelt" in page.text
        story = browser.get(f"{page.url}shared/form.story/", timeout=30)
        assert "accordeon" in story.text
        assert browser.get(f"{page.url}shared/scores/", timeout=30).status_code == 404
        assert browser.get(f"{page.url}../plan/", timeout=30).status_code == 403
    first = people(own)["Mila Achterberg"].came_on
    assert first
    with requests.Session() as browser:
        browser.get(f"{server.url}/sandbox/launch?{MILA}", timeout=30)
    assert people(own)["Mila Achterberg"].came_on == first
    assert [one.came_on for name, one in people(own).items() if name != "Mila Achterberg"] == [""] * 4


def test_who_is_in_nobodys_circle_signs_in_and_finds_what_is_there_for_themselves(place):
    server, _own = place
    with requests.Session() as browser:
        query = "role=loved-one&patient=kees&user=RelatedPerson/wilma"
        page = browser.get(f"{server.url}/sandbox/launch?{query}", timeout=30)
        assert page.url.endswith("/loved-one/")
        assert "Er staat nu niets om te lezen." in page.text
        assert "wettelijk vertegenwoordiger van Kees" in page.text
