"""Messages in the portal: a Communication in the EHR, written over real HTTP by a backend service with a real key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from joserfc.jwk import ECKey, KeySet
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from fhir_profiles.checking import problems as profile_problems
from mappers.ready_message import PROFILE
from smartapp.courier import Courier
from smartapp.fhir.checked import problems
from smartapp.fhir.store import Query, Write
from smartapp.sandbox import Client, Sandbox, make_sandbox, sandbox_app
from smartapp.services import KEY
from smartapp.settings import ConfigError, Issuer
from smartapp.storage.database import open_database
from tests.conftest import Running
from tests.smartapp.helpers import Visitor, launched, make_app, settings, text_of
from tests.smartapp.pages.reminders.test_pages import CANARIES, DAY, LONG, Clock, who_looked

PERSON = {"resourceType": "Patient", "id": "patientkanarie", "name": [{"text": "Anna Kanariegeel"}]}


@dataclass(frozen=True)
class Portal:
    anna: Visitor
    sandbox: Sandbox
    clock: Clock

    def courier(self) -> None:
        Courier(self.anna.core).round()

    def ready(self, key: str = "assignment|hoop") -> None:
        core, launch = self.anna.core, self.anna.launch
        core.reminders.ready(launch.issuer_key, launch.patient.reference, key, self.clock())

    def messages(self) -> list[dict[str, Any]]:
        return [one.resource for one in self.sandbox.store.search(Query("Communication"))]


@pytest.fixture
def keys(tmp_path):
    key = ECKey.generate_key("P-384", parameters={"kid": "one"})
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(KeySet([key]).as_dict(private=True)))
    return file, KeySet([key]).as_dict(private=False)


@pytest.fixture
def portal(keys, tmp_path) -> Iterator[Portal]:
    file, public = keys
    clock, running = Clock(), Running()
    engine = open_database(f"sqlite:///{tmp_path / 'hospital.db'}")
    robot = Client("verstel-messages", jwks=public, backend=True)
    sandbox = make_sandbox(engine, running.url, clients=(robot,), clock=clock)
    sandbox.store.write(Write("update", PERSON))
    running.start(DispatcherMiddleware(Response("nothing", 404), {"/sandbox": sandbox_app(sandbox)}))
    issuer = Issuer(base=sandbox.base, name="GGZ", client_id="verstel", messages_client_id="verstel-messages")
    app = make_app(clock, issuers=(issuer,), signing_keys_file=file, inactivity_minutes=LONG, absolute_minutes=LONG)
    anna = launched(app, "patientkanarie", name="Anna Kanariegeel", language="nl", issuer=sandbox.base)
    anna.post("reminders/", {"choice-often": "once", "choice-how": "portal"})
    del app.extensions[KEY].local_ehrs[sandbox.base]
    clock.now += 2 * DAY
    yield Portal(anna, sandbox, clock)
    sandbox.faults.clear()
    running.stop()
    engine.dispose()
    app.extensions[KEY].engine.dispose()


def test_the_portal_gets_one_message_that_tells_nothing_of_what_is_ready(portal):
    portal.ready()
    portal.courier()
    portal.courier()
    [message] = portal.messages()
    assert (problems(message), profile_problems(message, PROFILE)) == ([], [])
    assert message["recipient"] == [{"reference": "Patient/patientkanarie", "display": "Patient"}]
    assert message["payload"] == [{"contentString": "Er staat iets klaar. Log zelf in om het te zien."}]
    said = json.dumps({name: value for name, value in message.items() if name not in ("subject", "recipient", "meta")})
    for word in (*CANARIES, portal.anna.launch.id):
        assert word not in said.replace("https://verstel.nl", "")
    assert "Stuurde je een bericht dat er iets klaarstond" in who_looked(portal.anna)


def test_an_ehr_that_is_away_gets_it_later_and_once(portal):
    portal.sandbox.faults.add("POST", "token", 503)
    portal.ready()
    portal.courier()
    assert portal.messages() == []
    portal.clock.now += 600
    portal.courier()
    assert len(portal.messages()) == 1


def test_a_connection_that_breaks_after_it_was_written_makes_no_second_one(portal):
    portal.sandbox.faults.add("POST", "Communication", "drop")
    portal.ready()
    for _day in range(5):
        portal.courier()
        portal.clock.now += DAY
    assert len(portal.messages()) == 1
    assert "We weten niet of het laatste bericht aankwam" in text_of(portal.anna.get("reminders/"))


def test_what_the_ehr_refuses_is_told_to_the_client(portal):
    portal.sandbox.faults.add("POST", "Communication", 422)
    portal.ready()
    for _day in range(5):
        portal.courier()
        portal.clock.now += DAY
    assert portal.messages() == []
    page = text_of(portal.anna.get("reminders/"))
    assert "Het laatste bericht kwam niet aan" in page
    assert "Klopt dit adres" not in page


def test_the_page_asks_no_address_where_only_the_portal_is_there_and_one_press_stops_it(portal):
    page = portal.anna.get("reminders/")
    assert 'name="address"' not in page.text
    assert "Je berichten gaan naar je portaal" in text_of(page)
    portal.anna.post("reminders/stop")
    portal.ready()
    portal.courier()
    assert portal.messages() == []


def test_without_keys_to_sign_in_with_it_cannot_be_set():
    issuer = Issuer(base="https://ehr.example/fhir", name="EHR", client_id="verstel", messages_client_id="m")
    with pytest.raises(ConfigError, match="VERSTEL_SIGNING_KEYS_FILE"):
        settings(issuers=(issuer,))
