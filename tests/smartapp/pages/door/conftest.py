"""Joost, who gives a tablet to Anna, and the tablet, on which nobody is signed in."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartapp.fhir.store import Query
from smartapp.services import KEY
from smartapp.storage.doors import Door
from tests.smartapp.helpers import Clock, Visitor, launched, make_app

HOOP = [f"hoop-{number:02}" for number in range(1, 13)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(clock):
    app = make_app(clock)
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.fixture
def joost(app) -> Visitor:
    return launched(app, role="clinician", name="Anna de Voorbeeld-Jansen")


@dataclass(frozen=True)
class Shown:
    """What stands on the page of who made a door: the secret in the link of the QR code, and the code to type."""

    secret: str
    code: str


def made(visitor: Visitor, instrument: str = "hoop") -> Shown:
    """Make a door, as its page does."""
    key = re.search(r'name="key" value="([^"]+)"', visitor.get("door/").text)
    assert key
    page = visitor.post("door/", {"key": key[1], "questionnaire": instrument})
    assert page.status_code == 200, page.text
    fields = dict(re.findall(r'name="(link|passcode)" value="([^"]+)"', page.text))
    return Shown(html.unescape(fields["link"]), fields["passcode"])


@dataclass(frozen=True)
class Device:
    """A tablet: a browser in which nobody is signed in, until a door is opened on it."""

    app: Flask
    client: FlaskClient

    def opens(self, **given: str) -> Any:
        return self.client.post("/door/", data=given)

    def inside(self, shown: Shown) -> Visitor:
        """Open a door, and return this device as a visitor of what it got."""
        answer = self.opens(link=shown.secret)
        assert answer.status_code == 303, answer.text
        launch_id = answer.headers["Location"].split("/")[2]
        launch = self.app.extensions[KEY].launches.get(launch_id)
        assert launch is not None
        return Visitor(self.app, self.client, launch)


@pytest.fixture
def tablet(app) -> Device:
    return Device(app, app.test_client())


@pytest.fixture
def other(app) -> Device:
    return Device(app, app.test_client())


def door_of(visitor: Visitor) -> Door:
    """Return the newest door that somebody made."""
    return visitor.core.doors.made_by(visitor.launch)[0]


def fill_in(device: Visitor, number: int = 12, answer: str = "3") -> None:
    """Answer so many questions of the HOOP, as its pages do."""
    for link_id in HOOP[:number]:
        page = device.post(f"questionnaires/hoop/questions/{link_id}", {"answer": answer, "next": ""})
        assert page.status_code == 303, page.text


def send_in(device: Visitor) -> Any:
    page = device.get("questionnaires/hoop/review").text
    fields = dict(re.findall(r'name="(identifier|seen)" value="([^"]+)"', page))
    return device.post("questionnaires/hoop/submit", fields)


def responses(visitor: Visitor) -> list[dict[str, Any]]:
    """Return what the EHR has of answers."""
    return [one.resource for one in visitor.ehr.search(Query.of("QuestionnaireResponse", patient="Patient/anna"))]
