"""A FHIR server that takes Keycloak's tokens: one address per case, before the sandbox's records.

It believes nothing of the app: a token must be signed by Keycloak for this client, not over, and, where it is bound to
a key, be shown as `DPoP` with a proof of that key for this very request, used once. What passes is asked of the sandbox
with a token of its own. What the sandbox writes of its own address is written anew, but in the case `alias`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet
from werkzeug.wrappers import Request, Response

from smartapp.sandbox import Sandbox
from smartapp.sandbox.tickets import Grant
from tests.conformance.sign_in.keycloak.realm import CASES, PERSON, Case

SCOPE = "patient/*.crus user/*.rs"
_PASSED_ON = ("Accept", "Content-Type", "Prefer", "If-Match", "If-None-Match", "If-None-Exist")


class Refused(Exception):
    """A token, or the proof beside it, is not good; the message says why."""


@dataclass(slots=True)
class Front:
    """The WSGI app. `server` is Keycloak's realm; `url` where this is reached. `seen` are the tokens of each case."""

    url: str
    sandbox: Sandbox
    server: Mapping[str, Any] = field(default_factory=dict)
    seen: dict[str, list[str]] = field(default_factory=dict)
    schemes: dict[str, set[str]] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    _jtis: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def base(self, case: Case) -> str:
        """Return the FHIR base of a case."""
        return f"{self.url}/{case.name}/fhir"

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        name, _, rest = request.path.strip("/").partition("/fhir")
        case = next((one for one in CASES if one.name == name), None)
        if case is None:
            return Response("no such case", 404)
        path = rest.strip("/")
        if path == ".well-known/smart-configuration":
            return Response(json.dumps(self._configuration(case)), content_type="application/json")
        if path == "metadata":
            return self._forwarded(request, case, path, None)
        try:
            claims = self._checked(request, case)
        except (Refused, JoseError, ValueError, KeyError) as why:
            self.refusals.append(f"{case.name}: {request.method} {path.partition('?')[0]}: {why!r}")
            return Response(
                "{}", 401, {"WWW-Authenticate": "DPoP" if "dpop.bound.access.tokens" in case.attributes else "Bearer"}
            )
        user = claims["fhirUser"].rpartition("/fhir/")[2].rpartition("/inside/")[2]
        grant = Grant("verstel", SCOPE, user, PERSON, f"front-{case.name}")
        return self._forwarded(request, case, path, self.sandbox.tickets.token(grant, "access", 300))

    def _configuration(self, case: Case) -> dict[str, Any]:
        members = {
            "issuer",
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "revocation_endpoint",
            "code_challenge_methods_supported",
            "token_endpoint_auth_methods_supported",
            "authorization_response_iss_parameter_supported",
            *case.offers,
        }
        capabilities = ["launch-ehr", "launch-standalone", "client-public", "sso-openid-connect", "permission-v2"]
        return {**{name: self.server[name] for name in members}, "capabilities": capabilities}

    def _checked(self, request: Request, case: Case) -> Mapping[str, Any]:
        """Return the claims of the token of a request. Raises Refused, JoseError, ValueError or KeyError."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        keys = KeySet.import_key_set(requests.get(self.server["jwks_uri"], timeout=20).json())
        claims = jwt.decode(token, keys, algorithms=["RS256"]).claims
        if claims["iss"] != self.server["issuer"] or claims["azp"] != case.name or claims["exp"] <= time.time():
            raise Refused("not a token of this client, or over")
        bound = claims.get("cnf", {}).get("jkt")
        if (scheme == "DPoP") != (bound is not None):
            raise Refused(f"shown as {scheme}, and bound to {bound}")
        if bound is not None:
            self._check_proof(request, token, bound)
        with self._lock:
            self.schemes.setdefault(case.name, set()).add(scheme)
            tokens = self.seen.setdefault(case.name, [])
            tokens += [token] if token not in tokens else []
        return claims

    def _check_proof(self, request: Request, token: str, bound: str) -> None:
        """Check a proof as RFC 9449 4.3 and 7.1 say it."""
        proof = request.headers["DPoP"]
        header = json.loads(base64.urlsafe_b64decode(proof.split(".")[0] + "=="))
        key = JWKRegistry.import_key(header["jwk"])
        claims = jwt.decode(proof, key, algorithms=["ES256"]).claims
        ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
        said = (header["typ"], claims["htm"], claims["htu"], claims["ath"], key.thumbprint(), "d" in header["jwk"])
        wanted = ("dpop+jwt", request.method, request.base_url, ath, bound, False)
        if said != wanted or abs(claims["iat"] - time.time()) > 60:
            raise Refused(f"a proof of {said}, not of {wanted}")
        with self._lock:
            if claims["jti"] in self._jtis:
                raise Refused("a proof that was used before")
            self._jtis.add(claims["jti"])

    def _forwarded(self, request: Request, case: Case, path: str, token: str | None) -> Response:
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        query = f"?{request.query_string.decode()}" if request.query_string else ""
        answer = requests.request(
            request.method,
            f"{self.sandbox.base}/{path}{query}".rstrip("/"),
            headers=headers,
            data=request.get_data() or None,
            timeout=30,
        )
        written = self.sandbox.base if case.name == "alias" else self.base(case)
        kept = {
            name: answer.headers[name].replace(self.sandbox.base, written)
            for name in ("Content-Type", "ETag", "Location")
            if name in answer.headers
        }
        return Response(answer.content.replace(self.sandbox.base.encode(), written.encode()), answer.status_code, kept)
