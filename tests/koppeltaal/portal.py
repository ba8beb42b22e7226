"""Somebody at a portal of a domain, with a browser: launches Verstel by a form, signs in, and lands on a page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.koppeltaal.domain import BASE, Domain

APP = "https://app.example"
FROM_ELSEWHERE = {"Origin": "https://portal.example", "Sec-Fetch-Site": "cross-site"}


class Portal:
    """A browser at the portal of a domain."""

    def __init__(self, client: FlaskClient, domain: Domain) -> None:
        self.client, self.domain = client, domain

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=APP)

    def send(self, launch: str, iss: str = BASE) -> TestResponse:
        """Post the form of a launch, as the page of the portal does."""
        form = {"launch": launch, "iss": iss}
        return self.client.post("/launch", data=form, base_url=APP, headers=FROM_ELSEWHERE)

    def come_back(self, begun: TestResponse) -> TestResponse:
        """Sign in at the domain and come back from there."""
        assert begun.status_code == 303, begun.text
        callback = urlsplit(self.domain.authorize(begun.headers["Location"]))
        return self.get(f"{callback.path}?{callback.query}")

    def launch(self, user: str = "Patient/anna", task: str = "Task/t1", **claims: Any) -> TestResponse:
        """Launch with a Task, as the portal does for this user, and return where that ends."""
        said = {"definition": "ActivityDefinition/hoop", **claims}
        if not user.startswith("Patient/"):
            said = {"patient": "Patient/anna", **said}
        return self.come_back(self.send(self.domain.hti(sub=user, resource=task, **said)))

    def enter(self, user: str = "Patient/anna", task: str = "Task/t1", **claims: Any) -> tuple[str, str]:
        """Launch, and return the id of our launch and the page that it ends on, below that launch."""
        response = self.launch(user, task, **claims)
        assert response.status_code == 303, response.text
        parts = urlsplit(response.headers["Location"]).path.split("/", 3)
        return parts[2], parts[3]
