"""Noor, who wrote down how she stays well, and somebody without an account who has a link of hers."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from mappers.living import Content, Written, response_of
from mappers.plan import PersonRef
from smartapp.fhir.store import Query, Write
from smartapp.services import KEY
from tests import shlink_client
from tests.smartapp.helpers import Clock, Visitor, launched, make_app
from tests.smartapp.pages.living.writing import FULL, WHEN, of_noor, put_form

CARD, FORM = f"card.{FULL}", f"form.{FULL}"
PASSCODE = "482913"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(clock):
    app = make_app(clock)
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.fixture
def noor(app) -> Visitor:
    visitor = launched(app, name="Noor Achterberg", birth_date="1992-03-14")
    put_form(visitor, of_noor(FULL))
    return visitor


@dataclass(frozen=True)
class Stranger:
    """Somebody without an account, with a client of the specification. `headers` go along with each request."""

    app: Flask
    headers: tuple[tuple[str, str], ...] = ()

    def ask(self, method: str, address: str, headers: dict[str, str], body: bytes | None) -> Any:
        path = address.removeprefix(self.app.extensions[KEY].settings.public_url)
        return self.app.test_client().open(path, method=method, headers={**dict(self.headers), **headers}, data=body)

    def opens(self, link: str, passcode: str | None = PASSCODE, **more: Any) -> dict[str, Any]:
        (bundle,) = shlink_client.open_link(self.ask, link, recipient="Ambulance 12", passcode=passcode, **more)
        return bundle

    def refused(self, link: str, passcode: str | None = PASSCODE) -> shlink_client.NotOpened:
        with pytest.raises(shlink_client.NotOpened) as refused:
            self.opens(link, passcode)
        return refused.value


@pytest.fixture
def stranger(app) -> Stranger:
    return Stranger(app)


def asked(visitor: Visitor, what: str = CARD, days: str = "7", **more: Any) -> Any:
    """Send the form that makes a link, as its page does."""
    page = visitor.get("links/new").text
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key, page
    fields = {"key": key[1], "what": what, "choice-days": days, "passcode": PASSCODE, **more}
    return visitor.post("links/new", fields)


def link_on(page: Any) -> str:
    found = re.search(r'name="link" value="([^"]+)"', page.text)
    assert found, page.text
    return html.unescape(found[1])


@pytest.fixture
def shared(noor) -> Callable[..., str]:
    """Make a link of Noor's, and return it."""

    def make(what: str = CARD, **more: Any) -> str:
        return link_on(asked(noor, what, **more))

    return make


def write_anew(visitor: Visitor, content: Content) -> None:
    """Put other words into the form, as somebody who writes in it does."""
    client = PersonRef(visitor.launch.patient.reference, visitor.launch.patient.display)
    (stored,) = visitor.ehr.search(Query.of("QuestionnaireResponse", patient=client.reference))
    made = response_of(content, Written(client, client, WHEN), identifier="", existing=stored.resource)
    visitor.ehr.write(Write("update", made))


def end_all(visitor: Visitor) -> None:
    for address in re.findall(r'action="[^"]*/(links/[^"/]+/end)"', visitor.get("links/").text):
        assert visitor.post(address).status_code == 303
