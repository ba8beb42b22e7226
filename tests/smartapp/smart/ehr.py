"""An EHR that says whatever a test wants it to say: every answer of a well-behaved one, to be bent per test."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests
import responses
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from smartapp.services import Services

BASE = "https://ehr.example/fhir"
AUTH = "https://login.ehr.example"
HOSTS = ("login.ehr.example",)
"""What the settings of this EHR list beside its own host."""
APP = "https://app.example"
NOW = 1_770_000_000
KEY = RSAKey.generate_key(2048, auto_kid=True)


def opened(core: Services) -> int:
    """Return how many launches there are: a sign-in that was refused opened none, and has no tokens either."""
    with core.engine.connect() as connection:
        launches, tokens = (
            connection.exec_driver_sql(f"select count(*) from {table}").scalar() for table in ("launches", "tokens")
        )
    assert launches == tokens
    return int(launches or 0)


Answer = tuple[int, dict[str, str], str]


def _bearer(request: requests.PreparedRequest) -> Answer | None:
    good = request.headers.get("Authorization", "").startswith("Bearer access-")
    return None if good else (401, {}, "{}")


class Clock:
    """A clock that a test sets; it starts at NOW."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


class Ehr:
    """Answers of one EHR. Change `configuration`, `token`, `claims`, `id_token` or `records` before the request."""

    def __init__(self, mock: responses.RequestsMock, clock: Clock, base: str = BASE, auth: str = AUTH) -> None:
        self.mock, self.clock, self.base, self.auth = mock, clock, base, auth
        self.configuration: dict[str, Any] = {
            "issuer": auth,
            "authorization_endpoint": f"{auth}/authorize",
            "token_endpoint": f"{auth}/token",
            "jwks_uri": f"{auth}/jwks",
            "revocation_endpoint": f"{auth}/revoke",
            "code_challenge_methods_supported": ["S256"],
        }
        self.jwks: dict[str, Any] = {"keys": [KEY.as_dict(private=False)]}
        self.claims: dict[str, Any] = {
            "iss": auth,
            "aud": "verstel",
            "sub": "u1",
            "fhirUser": "Practitioner/p1",
            "iat": NOW,
            "exp": NOW + 600,
        }
        self.header: dict[str, Any] = {"alg": "RS256", "kid": KEY.kid}
        self.id_token: Callable[[dict[str, Any]], str | None] = self.signed
        self.token: dict[str, Any] = {
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "openid fhirUser launch patient/*.cruds",
            "patient": "anna",
        }
        self.token_answer: Callable[[dict[str, str]], tuple[int, dict[str, str], str]] | None = None
        self.records: dict[str, dict[str, Any]] = {
            "Patient/anna": {
                "resourceType": "Patient",
                "id": "anna",
                "birthDate": "1992-03-14",
                "name": [{"text": "Anna Voorbeeld"}],
            },
            "Patient/bram": {"resourceType": "Patient", "id": "bram", "name": [{"text": "Bram Voorbeeld"}]},
            "Practitioner/p1": {
                "resourceType": "Practitioner",
                "id": "p1",
                "name": [{"given": ["Els"], "family": "Visser"}],
            },
        }
        self.found: dict[str, list[dict[str, Any]]] = {}
        """What a search finds, by type; of a type that is not here the search is refused."""
        self.judged: Callable[[requests.PreparedRequest], Answer | None] = _bearer
        """Says at each FHIR request why it is refused, None where its token is good."""
        self.judged_token: Callable[[requests.PreparedRequest], Answer | None] = lambda _request: None
        """The same at each token request."""
        self.heads: dict[str, str] = {}
        """Headers that go with every answer of the token endpoint and the FHIR server."""
        self.before: Callable[[str], None] = lambda _path: None
        """Called with the path of each request before it is answered."""
        self.nonces: dict[str, str] = {}
        self._numbers = itertools.count(1)
        json_answer = {"content_type": "application/json"}
        mock.add_callback("GET", f"{base}/.well-known/smart-configuration", self._configuration, **json_answer)
        mock.add_callback("GET", f"{auth}/jwks", self._jwks, **json_answer)
        mock.add_callback("POST", f"{auth}/token", self._token, **json_answer)
        mock.add_callback("POST", f"{auth}/revoke", lambda _: (200, {}, ""))
        mock.add_callback("GET", re.compile(rf"{re.escape(base)}/[A-Z]\w+/\w+"), self._read, **json_answer)
        mock.add_callback("GET", re.compile(rf"{re.escape(base)}/[A-Z]\w+\?"), self._search, **json_answer)

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode(self.header, claims, KEY, algorithms=["RS256"])

    def calls(self, ending: str) -> list[requests.PreparedRequest]:
        """Return the requests that went to an address."""
        return [call.request for call in self.mock.calls if urlsplit(call.request.url).path.endswith(ending)]

    def form(self, number: int = -1) -> dict[str, str]:
        """Return the form of one token request."""
        return dict(parse_qsl(self.calls("/token")[number].body))

    def _configuration(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.before(request.path_url)
        return 200, {}, json.dumps(self.configuration)

    def _jwks(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.before(request.path_url)
        return 200, {}, json.dumps(self.jwks)

    def _token(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.before(request.path_url)
        form = dict(parse_qsl(request.body))
        refused = self.judged_token(request)
        if refused is not None:
            return refused
        if self.token_answer is not None:
            return self.token_answer(form)
        number = next(self._numbers)
        answer = {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}", **self.token}
        if form["grant_type"] == "authorization_code":
            id_token = self.id_token({**self.claims, "nonce": self.nonces[form["code"]]})
            if id_token is not None:
                answer["id_token"] = id_token
        return 200, self.heads, json.dumps({key: value for key, value in answer.items() if value is not None})

    def _read(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.before(request.path_url)
        reference = urlsplit(request.url).path.removeprefix(urlsplit(self.base).path + "/")
        refused = self.judged(request)
        if refused is not None:
            return refused
        if reference not in self.records:
            return 404, {}, "{}"
        return 200, self.heads, json.dumps(self.records[reference])

    def _search(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.before(request.path_url)
        found = self.found.get(urlsplit(request.url).path.rpartition("/")[2])
        if found is None:
            return 403, {}, "{}"
        entries = [{"resource": one, "search": {"mode": "match"}} for one in found]
        return 200, {}, json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries})


class Browser:
    """A browser that follows a sign-in by hand, so that a test can put something else in between."""

    def __init__(self, client: FlaskClient, ehr: Ehr) -> None:
        self.client, self.ehr = client, ehr

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=APP)

    def post(self, path: str, data: dict[str, str] | None = None, **kwargs: Any) -> TestResponse:
        return self.client.post(path, data=data or {}, base_url=APP, **kwargs)

    def begin(self, path: str | None = None) -> dict[str, str]:
        """Begin a sign-in and return the parameters of the authorization request."""
        response = self.get(path or f"/launch?iss={self.ehr.base}&launch=chart-7")
        assert response.status_code == 303, response.text
        query = parse_qs(urlsplit(response.headers["Location"]).query)
        return {name: value for name, (value,) in query.items()}

    def finish(self, asked: dict[str, str], code: str | None = None, **more: str) -> TestResponse:
        """Come back from the EHR with a code."""
        code = code or f"code-{asked['state'][:8]}"
        self.ehr.nonces[code] = asked["nonce"]
        query = "&".join(f"{name}={value}" for name, value in {"state": asked["state"], "code": code, **more}.items())
        return self.get(f"/callback?{query}")

    def sign_in(self, path: str | None = None) -> TestResponse:
        return self.finish(self.begin(path))

    def enter(self, path: str | None = None) -> str:
        """Sign in and return the id of the launch."""
        response = self.sign_in(path)
        assert response.status_code == 303, response.text
        return urlsplit(response.headers["Location"]).path.split("/")[2]
