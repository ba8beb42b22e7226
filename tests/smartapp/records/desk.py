"""A launch at a running sandbox, for tests of what the app does with an EHR's answers over real HTTP."""

from __future__ import annotations

from dataclasses import replace

from smartapp.fhir.store import Query, Write
from smartapp.records import Records
from smartapp.sandbox.tickets import Grant
from smartapp.services import KEY
from smartapp.smart.tokens import Tokens
from smartapp.storage.launches import Launch, Person, Role, User
from smartapp.web.guard import cookie_name
from tests.smartapp.helpers import Visitor

ANNA = {"resourceType": "Patient", "id": "anna", "name": [{"text": "Anna Voorbeeld"}]}
SUBJECT = {"reference": "Patient/anna", "display": "Anna Voorbeeld"}
SCOPES = "patient/*.cruds"
SYSTEM = "https://example.org/ids"
TYPES = ("QuestionnaireResponse", "Observation", "Goal")


class Desk:
    """A launch at a running sandbox, its records made anew for each visit as the app does per request."""

    def __init__(self, server) -> None:
        self.server = server
        self.core = server.app.extensions[KEY]
        server.sandbox.store.write(Write("update", ANNA))
        self.session = session = self.core.sessions.start()
        user = User("Patient/anna", "Anna Voorbeeld", "client", server.base, "anna")
        self.launch = self.core.launches.add(
            Launch("", session.id, server.base, "anna", Person("Patient/anna", "Anna Voorbeeld"), user, SCOPES)
        )
        grant = Grant("verstel", SCOPES, "Patient/anna", "anna", "family-1")
        token = server.sandbox.tickets.token(grant, "access", 3600)
        self.core.tokens.keep(self.launch.id, Tokens(token, None, None, SCOPES, "anna"))

    def browser(self, role: Role = "client") -> Visitor:
        """Someone in a browser, who launched at this EHR: Anna herself, or her nurse."""
        launch = self.launch
        if role == "clinician":
            user = User("Practitioner/jansen", "SPV J. Jansen", role, self.server.base, "jansen")
            launch = self.core.launches.add(replace(self.launch, id="", user=user))
            self.core.tokens.keep(launch.id, self.core.tokens.find(self.launch.id))
        client = self.server.app.test_client()
        for domain in ("127.0.0.1", "localhost"):
            client.set_cookie(cookie_name(self.core.settings), self.session.secret, domain=domain)
        return Visitor(self.server.app, client, launch)

    def visit(self) -> Records:
        return self.core.records(self.launch)

    def stored(self, type_: str) -> list[dict]:
        """What really is in the EHR."""
        return [one.resource for one in self.server.sandbox.store.search(Query.of(type_))]

    def later(self) -> Records:
        """Visit again when the outbox may try again, as the app does: first send what waits."""
        with self.core.engine.begin() as connection:
            connection.exec_driver_sql("update outbox set due = 0, leased_until = 0")
        records = self.visit()
        records.send_waiting()
        return records

    def counts(self) -> dict[str, int]:
        """How many there really are in the EHR of what a unit of these tests holds."""
        return {type_: len(self.stored(type_)) for type_ in TYPES}
