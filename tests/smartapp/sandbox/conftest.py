"""The sandbox alone, over real HTTP, and actors that speak to it without any code of the app."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from questionnaires.fhir import Resource
from smartapp.fhir.store import Stored, Write
from smartapp.sandbox import Client, Sandbox, make_sandbox
from smartapp.sandbox.app import sandbox_app
from smartapp.sandbox.server import PREFIX
from smartapp.sandbox.tickets import Grant
from smartapp.storage.database import open_database
from tests.conftest import Running

CALLBACK = "http://127.0.0.1:1/callback"
NOTHING = Response("nothing", 404)


@dataclass
class Clock:
    """A clock that a test can move."""

    now: float = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Api:
    """Someone with a token (or none) who calls the FHIR API."""

    base: str
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, method: str, path: str = "", body: Any = None, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, dict):
            named.setdefault("Content-Type", "application/fhir+json")
        return requests.request(
            method,
            f"{self.base}/{path}" if path else self.base,
            headers={**self.headers, **named},
            json=body if isinstance(body, dict) else None,
            data=None if isinstance(body, dict) else body,
            timeout=20,
            allow_redirects=False,
        )

    def get(self, path: str, **headers: str) -> requests.Response:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> requests.Response:
        return self("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> requests.Response:
        return self("PUT", path, body, **headers)


@dataclass
class Ehr:
    """A sandbox with two clients, Anna and Bram, and a professional."""

    sandbox: Sandbox
    clock: Clock

    @property
    def base(self) -> str:
        return self.sandbox.base

    def put(self, resource: Resource) -> Stored:
        return self.sandbox.store.write(Write("update" if "id" in resource else "create", resource))

    def as_(self, user: str | None, scope: str, patient: str | None = None) -> Api:
        """Return an API caller with a token as the authorization server would have given it."""
        token = self.sandbox.tickets.token(Grant("app", scope, user, patient, secrets.token_hex(4)), "access", 3600)
        return Api(self.base, {"Authorization": f"Bearer {token}"})

    def anna(self, scope: str = "patient/*.crus") -> Api:
        return self.as_("Patient/anna", scope, "anna")

    def jansen(self, scope: str = "user/*.crus") -> Api:
        return self.as_("Practitioner/jansen", scope)

    def nobody(self) -> Api:
        return Api(self.base)


PEOPLE: tuple[Resource, ...] = (
    {"resourceType": "Patient", "id": "anna", "name": [{"text": "Anna Voorbeeld", "family": "Voorbeeld"}]},
    {"resourceType": "Patient", "id": "bram", "name": [{"text": "Bram Voorbeeld", "family": "Voorbeeld"}]},
    {
        "resourceType": "RelatedPerson",
        "id": "zus",
        "patient": {"reference": "Patient/anna", "display": "Anna Voorbeeld"},
        "name": [{"text": "Zus Voorbeeld"}],
    },
    {"resourceType": "Practitioner", "id": "jansen", "name": [{"text": "J. Jansen"}]},
)


def serve_ehr(url: str = "sqlite://", kind: str = "full", clients: tuple[Client, ...] | None = None) -> Iterator[Ehr]:
    running, clock = Running(), Clock()
    engine = open_database(url)
    given = clients or (
        Client("app", (CALLBACK,)),
        Client("secret-app", (CALLBACK,), secret="not for browsers"),
    )
    sandbox = make_sandbox(engine, running.url, clients=given, ehr=kind, clock=clock)
    ehr = Ehr(sandbox, clock)
    for person in PEOPLE:
        ehr.put(person)
    running.start(DispatcherMiddleware(NOTHING, {PREFIX: sandbox_app(sandbox)}))
    yield ehr
    sandbox.faults.clear()
    running.stop()
    engine.dispose()


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    yield from serve_ehr()


@pytest.fixture
def ehr_like() -> Iterator[Any]:
    """Return a maker of sandboxes of another kind."""
    made = []

    def make(kind: str) -> Ehr:
        generator = serve_ehr(kind=kind)
        made.append(generator)
        return next(generator)

    yield make
    for generator in made:
        for _ in generator:
            pass


def goal(patient: str = "anna", text: str = "Weer gitaar spelen", **more: Any) -> Resource:
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": text},
        "subject": {"reference": f"Patient/{patient}", "display": "Iemand"},
        **more,
    }


# ---- an app of our own making, that knows only the protocol


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Visitor:
    """A browser and the app it launches, as separate as possible from the code under test."""

    ehr: Ehr
    browser: requests.Session = field(default_factory=requests.Session)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    client_id: str = "app"

    def question(self, **changes: str | None) -> dict[str, str]:
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid fhirUser launch/patient offline_access patient/*.rs patient/Goal.crus",
            "state": "a-state",
            "nonce": "a-nonce",
            "aud": self.ehr.base,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def authorize(self, **changes: str | None) -> requests.Response:
        return self.browser.get(
            f"{self.ehr.sandbox.issuer}/authorize", params=self.question(**changes), allow_redirects=False, timeout=20
        )

    def sign_in(self, answer: requests.Response, person: str) -> requests.Response:
        """Choose a person on the sign-in page and come back to where authorize sends the browser."""
        query = re.search(r'name="query" value="([^"]*)"', answer.text)[1].replace("&amp;", "&")
        choice = {"person": person, "query": query}
        sent = self.browser.post(f"{self.ehr.sandbox.issuer}/sign-in", data=choice, allow_redirects=False, timeout=20)
        return self.browser.get(sent.headers["Location"], allow_redirects=False, timeout=20)

    def chart(self, patient: str = "anna", user: str = "Practitioner/jansen") -> str:
        """Open the app from the chart and return `launch`."""
        answer = self.browser.get(
            f"{self.ehr.sandbox.public_url}/sandbox/launch",
            params={"role": "clinician", "patient": patient, "user": user},
            allow_redirects=False,
            timeout=20,
        )
        return came_back(answer)["launch"]

    def portal(self, patient: str = "anna") -> None:
        self.browser.get(
            f"{self.ehr.sandbox.public_url}/sandbox/launch",
            params={"role": "client", "patient": patient},
            allow_redirects=False,
            timeout=20,
        )

    def code(self, **changes: str | None) -> str:
        return came_back(self.authorize(**changes))["code"]

    def token(self, **form: str) -> requests.Response:
        return requests.post(f"{self.ehr.sandbox.issuer}/token", data={"client_id": self.client_id, **form}, timeout=20)

    def exchange(self, code: str, **changes: str) -> requests.Response:
        return self.token(
            **{
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": CALLBACK,
                "code_verifier": self.verifier,
                **changes,
            }
        )

    def api(self, token: str) -> Api:
        return Api(self.ehr.base, {"Authorization": f"Bearer {token}"})


def came_back(answer: requests.Response) -> dict[str, str]:
    """Return what a redirect brings along."""
    assert answer.status_code in (302, 303), answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


@pytest.fixture
def visitor(ehr) -> Iterator[Visitor]:
    visitor = Visitor(ehr)
    yield visitor
    visitor.browser.close()
