"""The authorization server of the model EHR: codes, tokens that end, refresh tokens that are used once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs, parse_qsl, urlsplit

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.faults.model_ehr import Answer, Caller

TOKEN_SECONDS = 3600
SCOPES = "openid fhirUser launch launch/patient offline_access patient/*.cruds"


@cache
def _key() -> ECKey:
    return ECKey.generate_key("P-256", auto_kid=True)


@dataclass(frozen=True)
class SignIn:
    """Who signed in about whom: a reference such as `Practitioner/p1`, and the id of the patient."""

    user: str
    patient: str


class Authority:
    """Signs people in at `base`; its clock is the EHR's."""

    def __init__(self, base: str, fhir: str, clock: Callable[[], float]) -> None:
        self.base, self._fhir, self._clock = base, fhir, clock
        self._numbers = itertools.count(1)
        self._codes: dict[str, tuple[SignIn, str]] = {}
        self._access: dict[str, tuple[SignIn, float]] = {}
        self._refresh: dict[str, SignIn] = {}

    def authorize(self, address: str, who: SignIn) -> str:
        """Return the query with which the browser comes back from the address that the app sent it to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = f"code-{next(self._numbers)}"
        self._codes[code] = (who, asked["nonce"])
        return f"state={asked['state']}&code={code}"

    def caller_of(self, token: str) -> Caller | None:
        """Return whose token this is, None if it is none of ours or over."""
        who, until = self._access.get(token, (None, 0.0))
        return Caller(who.user, who.patient) if who and self._clock() < until else None

    def answer(self, method: str, url: str, _headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Answer one request to the authorization server."""
        match urlsplit(url).path.rsplit("/", 1)[-1]:
            case "smart-configuration":
                return _json(200, self._configuration())
            case "jwks":
                return _json(200, {"keys": [_key().as_dict(private=False)]})
            case "token" if method == "POST":
                return self._token(dict(parse_qsl((body or b"").decode())))
            case "revoke":
                return Answer(200)
            case _:
                return Answer(404)

    def _configuration(self) -> dict[str, object]:
        return {
            "issuer": self.base,
            "authorization_endpoint": f"{self.base}/authorize",
            "token_endpoint": f"{self.base}/token",
            "jwks_uri": f"{self.base}/jwks",
            "revocation_endpoint": f"{self.base}/revoke",
            "code_challenge_methods_supported": ["S256"],
        }

    def _token(self, form: dict[str, str]) -> Answer:
        if form.get("grant_type") == "refresh_token":
            who = self._refresh.pop(form.get("refresh_token", ""), None)
            return _json(200, self._tokens(who)) if who else _json(400, {"error": "invalid_grant"})
        who, nonce = self._codes.pop(form.get("code", ""), (None, ""))
        if who is None:
            return _json(400, {"error": "invalid_grant"})
        return _json(200, {**self._tokens(who), "id_token": self._id_token(who, nonce)})

    def _tokens(self, who: SignIn) -> dict[str, object]:
        access, refresh = f"access-{next(self._numbers)}", f"refresh-{next(self._numbers)}"
        self._access[access] = (who, self._clock() + TOKEN_SECONDS)
        self._refresh[refresh] = who
        return {
            "access_token": access,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": SCOPES,
            "patient": who.patient,
        }

    def _id_token(self, who: SignIn, nonce: str) -> str:
        now = int(self._clock())
        claims = {"iss": self.base, "aud": "verstel", "sub": who.user.replace("/", "-"), "nonce": nonce}
        times = {"iat": now, "exp": now + 600}
        more = {"fhirUser": f"{self._fhir}/{who.user}", "locale": "en"}
        return jwt.encode(
            {"alg": "ES256", "kid": _key().kid}, {**claims, **times, **more}, _key(), algorithms=["ES256"]
        )


def _json(status: int, content: dict[str, object]) -> Answer:
    return Answer(status, orjson.dumps(content), {"Content-Type": "application/json"})
