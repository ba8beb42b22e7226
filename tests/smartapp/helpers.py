"""Actors for tests of pages: an app whose EHR is a store in the same process, and someone who has launched it.

def test_home_greets(app):
    client = launched(app, patient="anna", role="client")
    assert "Anna" in client.get("").text          # GET /l/<launch>/
    client.post("living/story/story/", {"story-story": "..."})   # with the form token, as a form of ours would send
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mappers.circle import Circle, Member, circle_identifier, team_of
from mappers.sharing import Choice, Sharing, consent_of
from mappers.sharing.consent import name_of
from questionnaires.fhir import Resource
from smartapp import create_app
from smartapp.access import PageRights, table
from smartapp.courier import Courier
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Query, RecordStore, Stored, Write
from smartapp.records import Records
from smartapp.records.outbox import OUTBOX
from smartapp.services import KEY, Services
from smartapp.settings import Issuer, Settings
from smartapp.storage.audit import AuditEntry
from smartapp.storage.launches import NOBODY, Launch, Person, Role, User
from smartapp.web import roles
from smartapp.web.guard import cookie_name, form_token
from smartapp.web.kept import PROOF, proof_of

PATIENCE = 20.0  # s; only a failure takes this long
EHR = "http://localhost/fhir"
ALL_SCOPES = "openid fhirUser patient/*.cruds"


def until(true: Callable[[], Any]) -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.01)
    return found


def settings(**changes: Any) -> Settings:
    """Return settings for a test: a temporary database and one known EHR."""
    values: dict[str, Any] = {
        "public_url": "http://localhost",
        "secret_keys": ("a secret that only tests know, 32 characters",),
        "encryption_keys": (Fernet.generate_key().decode(),),
        "database_url": "sqlite://",
        "issuers": (Issuer(base=EHR, name="Test EHR", client_id="verstel"),),
    }
    return Settings(**values | changes)


def make_app(clock: Callable[[], float] | None = None, **changes: Any) -> Flask:
    """Return an app whose EHRs are stores in this process, one per issuer in the settings."""
    app = create_app(settings(**changes), clock=clock)
    core: Services = app.extensions[KEY]
    for issuer in core.settings.issuers:
        core.local_ehrs[issuer.base] = OwnStore(core.engine, issuer.base)
    return app


def with_rights(monkeypatch: pytest.MonkeyPatch, pages: Mapping[str, PageRights]) -> None:
    """Let the table of who may what say this of the pages of a test."""
    said = table()
    monkeypatch.setattr(roles, "table", lambda: replace(said, pages={**said.pages, **pages}))


def text_of(page: TestResponse) -> str:
    """Return what a person reads in the main part of a page.

    Do not search the source of a page for what must not be there: form tokens and addresses in it are random, so
    that any short word or number turns up in them one day.
    """
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.text.partition("<main")[2])))


class Clock:
    """A clock that only a test moves, in seconds since 1970."""

    def __init__(self, now: float = 1_795_800_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Flaky:
    """A record in front of another, which fails as a test wants: it takes no writes, or answers nothing at all."""

    def __init__(self, store: RecordStore) -> None:
        self.store = store
        self.error: Exception | None = None  # of every write while it is set
        self.no_updates: Exception | None = None  # of every write that changes something while it is set
        self.good_writes = 0  # how many single writes still succeed while `error` is set
        self.silence: Exception | None = None  # of every search and read while it is set
        self.first: Callable[[], object] | None = None  # what someone else does just before the next write

    def capabilities(self) -> Resource:
        return self.store.capabilities()

    def read(self, type: str, id: str, /) -> Stored:
        self._fail(self.silence)
        return self.store.read(type, id)

    def history(self, type: str, id: str, /) -> list[Stored]:
        self._fail(self.silence)
        return self.store.history(type, id)

    def search(self, query: Query, /) -> list[Stored]:
        self._fail(self.silence)
        return self.store.search(query)

    def write(self, write: Write, /) -> Stored:
        if self.good_writes:
            self.good_writes -= 1
            return self.store.write(write)
        self._before(write)
        return self.store.write(write)

    def write_all(self, writes: Sequence[Write], /) -> list[Stored]:
        self._before(*writes)
        return self.store.write_all(writes)

    def _before(self, *writes: Write) -> None:
        first, self.first = self.first, None
        if first is not None:
            first()
        self._fail(self.error)
        if any(write.method == "update" for write in writes):
            self._fail(self.no_updates)

    def _fail(self, error: Exception | None) -> None:
        if error is not None:
            raise error


@dataclass(frozen=True)
class Visitor:
    """Someone who signed in: a browser (`client`) with one launch."""

    app: Flask
    client: FlaskClient
    launch: Launch

    @property
    def core(self) -> Services:
        return self.app.extensions[KEY]

    @property
    def records(self) -> Records:
        """The records as a page of this launch sees them."""
        return self.core.records(self.launch)

    @property
    def ehr(self) -> OwnStore:
        """The store that plays the EHR."""
        return self.core.local_ehrs[self.launch.issuer]  # type: ignore[return-value]

    def logged(self) -> AuditEntry:
        """Return what the log says last, whoever it is about."""
        *_, last = self.core.audit.entries()
        return last

    def make_flaky(self) -> Flaky:
        """Put a record that can fail in front of the EHR, for everyone who opens it from now on."""
        flaky = Flaky(self.core.local_ehrs[self.launch.issuer])
        self.core.local_ehrs[self.launch.issuer] = flaky
        return flaky

    def courier_comes(self) -> None:
        """Let everything that waits be due, and the courier make its round."""
        with self.core.engine.begin() as connection:
            connection.execute(OUTBOX.update().values(due=0))
        Courier(self.core).round()

    def url(self, path: str = "") -> str:
        return path if path.startswith("/") else f"/l/{self.launch.id}/{path}"

    def get(self, path: str = "", **kwargs: Any) -> TestResponse:
        return self.client.get(self.url(path), **kwargs)

    def hidden(self) -> dict[str, str]:
        """Return the hidden fields that `csrf_field()` puts into a form."""
        token = form_token(self.core.settings, self.launch.session_id, self.launch.id)
        with self.app.app_context():
            return {"_csrf": token, "_for": self.launch.patient_id, PROOF: proof_of(self.launch)}

    def post(self, path: str, data: Mapping[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        return self.client.post(self.url(path), data={**self.hidden(), **(data or {})}, **kwargs)


def put_circle(app: Flask, *people: Member, patient: str = "anna", issuer: str = EHR) -> None:
    """Let these be the people of somebody, as they would have said on their own page."""
    core: Services = app.extensions[KEY]
    name = circle_identifier(core.settings.issuer_key(issuer), f"Patient/{patient}")
    who = {"reference": f"Patient/{patient}", "display": "Anna Voorbeeld"}
    team = team_of(Circle(people), patient=who, identifier=name, language="nl")
    store = core.own_store(issuer)
    found = store.search(Query.of("CareTeam", identifier=name))
    store.write(Write("update", {**team, "id": found[0].resource["id"]}) if found else Write("create", team))


def share_with(app: Flask, reader: str, *parts: str, patient: str = "anna", issuer: str = EHR) -> None:
    """Let somebody share these parts with a reader, a role or a reference, and nothing else with anybody besides."""
    core: Services = app.extensions[KEY]
    key, reference = core.settings.issuer_key(issuer), f"Patient/{patient}"
    sharing = Sharing({part: Choice(readers=frozenset({reader})) for part in parts}, "2026-11-27T10:00:00+01:00")
    who, name = {"reference": reference, "display": "Anna Voorbeeld"}, name_of(key, reference)
    made = consent_of(sharing, name=name, patient=who, titles={}, displays={})
    found = core.consent(issuer, key, reference)
    write = Write("update", {**made, "id": found.resource["id"]}) if found else Write("create", made)
    core.own_store(issuer).write(write)


_PEOPLE: dict[Role, tuple[str, str]] = {
    "clinician": ("Practitioner/jansen", "SPV J. Jansen"),
    "case-manager": ("Practitioner/koster", "C. Koster"),
    "responsible": ("Practitioner/reinders", "R. Reinders"),
    "peer-worker": ("Practitioner/pol", "E. Pol"),
    "outside": ("Practitioner/bakker", "I. Bakker"),
    "loved-one": ("RelatedPerson/mila", "Mila Voorbeeld"),
    "representative": ("RelatedPerson/visser", "W. Visser"),
}


def launched(
    app: Flask,
    patient: str = "anna",
    role: Role = "client",
    *,
    name: str = "Anna Voorbeeld",
    birth_date: str = "",
    called: str = "",
    resources: Sequence[Resource] = (),
    scopes: str = ALL_SCOPES,
    issuer: str = EHR,
    browser: Visitor | None = None,
    language: str | None = None,
    subject: str | None = None,
    reference: str | None = None,
    about_nobody: bool = False,
    reader: Mapping[str, Any] | None = None,
) -> Visitor:
    """Sign someone in directly: a patient in the EHR, `resources` beside it, a session and a launch.

    `browser` is a visitor whose browser (and session) this launch shares, as a second chart does. `reference` is who
    signs in, where that is not the one person that each role has here. With `about_nobody` it is a launch without a
    patient, as for the list of a professional's own clients; `reader` is what the EHR said of them at the sign-in.
    """
    core: Services = app.extensions[KEY]
    store = core.local_ehrs[issuer]
    person = {"resourceType": "Patient", "id": patient, "name": [{"text": name}]}
    for resource in (person, *resources):
        store.write(Write("update", resource))
    session_id = browser.launch.session_id if browser else None
    client = browser.client if browser else app.test_client()
    if session_id is None:
        session = core.sessions.start()
        session_id = session.id
        client.set_cookie(cookie_name(core.settings), session.secret, secure=core.settings.https)
    here, display = _PEOPLE.get(role, (f"Patient/{patient}", name))
    user = User(
        reference=here if reference is None else reference,
        display=display,
        role=role,
        issuer=issuer,
        subject=subject or (reference or here).rpartition("/")[2],
    )
    launch = core.launches.add(
        Launch(
            id="",
            session_id=session_id,
            issuer=issuer,
            patient_id="" if about_nobody else patient,
            patient=NOBODY if about_nobody else Person(f"Patient/{patient}", name, birth_date, called),
            user=user,
            scopes=scopes,
            language=language,
            reader=reader or {},
        )
    )
    if not about_nobody:
        core.records(launch).bind_waiting()
    return Visitor(app, client, launch)
