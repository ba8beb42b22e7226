"""A stand-in for the SMART launcher, for where the launcher itself can't be had: it is ours, and proves less.

Written after what the launcher says of itself: launches in one code, a base per standalone launch, a secret that is
read as it stands in Basic, assertions checked with the keys in the code, and errors on demand. No line of it is theirs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from tests.conformance.sign_in.launcher.flows import CLIENTS, KINDS

KEY = RSAKey.generate_key(2048, auto_kid=True)


class Refused(Exception):
    """The request is refused with this OAuth error."""


@dataclass(slots=True)
class Stub:
    """The WSGI app; `records` answers what passes, given a path below the base."""

    url: str
    records: Callable[[Request, str], Response]
    _given: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        before, _, rest = request.path.removeprefix("/v/r4").partition("/fhir")
        if request.path.endswith("/keys"):
            answer = _json({"keys": [KEY.as_dict(private=False, alg="RS256", use="sig")]})
        elif before.endswith("/auth/authorize"):
            answer = self._authorize(request)
        elif before.endswith("/auth/token"):
            answer = self._token(request)
        elif rest == "/.well-known/smart-configuration":
            answer = _json(self._configuration(f"{self.url}/v/r4{before}"))
        else:
            answer = self._record(request, rest.strip("/"))
        return answer(environ, start_response)

    def _configuration(self, place: str) -> dict[str, Any]:
        return {
            "issuer": f"{place}/fhir",
            "authorization_endpoint": f"{place}/auth/authorize",
            "token_endpoint": f"{place}/auth/token",
            "jwks_uri": f"{self.url}/keys",
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["launch-ehr", "launch-standalone", "authorize-post", "permission-v2"],
        }

    def _authorize(self, request: Request) -> Response:
        asked = request.values.to_dict()
        code = asked.get("launch") or request.path.split("/sim/")[1].split("/")[0]
        launch = _read(code)
        error = {
            "auth_invalid_client_id": "invalid_client",
            "auth_invalid_redirect_uri": "invalid_request",
            "auth_invalid_scope": "invalid_scope",
        }.get(launch["error"])
        base = f"{self.url}{request.path.partition('/auth/')[0]}/fhir"
        if asked.get("aud") != base or (launch["pkce"] == 2 and asked.get("code_challenge_method") != "S256"):
            error = "invalid_request"
        if error:
            return redirect(f"{asked['redirect_uri']}?{urlencode({'error': error, 'state': asked['state']})}")
        if not launch["skip_login"] and "login_success" not in asked and launch["kind"].startswith("patient"):
            return redirect(f"{self.url}/patient-login?{urlencode(asked)}")
        if not launch["skip_auth"] and "auth_success" not in asked:
            return redirect(f"{self.url}/authorize-app?{urlencode(asked)}")
        given = secrets.token_urlsafe(16)
        self._given[given] = {**launch, "asked": asked, "base": base}
        return redirect(f"{asked['redirect_uri']}?{urlencode({'code': given, 'state': asked['state']})}")

    def _token(self, request: Request) -> Response:
        form = request.form
        launch = self._given.pop(form.get("code", ""), None)
        if launch is None or form.get("grant_type") != "authorization_code":
            return _json({"error": "invalid_grant"}, 401)
        try:
            _check_grant(request, launch)
            _check_client(request, launch)
        except Refused as refused:
            return _json({"error": str(refused)}, 401)
        token = secrets.token_urlsafe(16)
        self._given[token] = launch
        asked, user = launch["asked"], launch["user"]
        claims = {
            "iss": launch["base"],
            "aud": asked["client_id"],
            "sub": hashlib.sha256(user.encode()).hexdigest(),
            "fhirUser": user,
            "profile": user,
            "nonce": asked["nonce"],
            "iat": int(time.time()),
            "exp": int(time.time()) + 3600,
        }
        id_token = jwt.encode({"alg": "RS256", "kid": KEY.kid}, claims, KEY, algorithms=["RS256"])
        said = {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": asked["scope"]}
        return _json({**said, "id_token": id_token, "patient": launch["patient"], "need_patient_banner": True})

    def _record(self, request: Request, path: str) -> Response:
        _scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if path != "metadata" and token not in self._given:
            return _json({}, 401)
        return self.records(request, path)


def _read(code: str) -> dict[str, Any]:
    values = json.loads(base64.urlsafe_b64decode(code + "=="))
    kind = KINDS[values[0]]
    return {
        "kind": kind,
        "patient": values[1],
        "user": f"Patient/{values[1]}" if kind.startswith("patient") else f"Practitioner/{values[2]}",
        "skip_login": values[4] == 1,
        "skip_auth": values[5] == 1,
        "secret": values[10],
        "error": values[11],
        "jwks": values[13],
        "client": CLIENTS[values[14]],
        "pkce": values[15],
    }


def _check_grant(request: Request, launch: Mapping[str, Any]) -> None:
    """Check what comes with a code. Raises Refused."""
    digest = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
    if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != launch["asked"]["code_challenge"]:
        raise Refused("invalid_grant")
    if request.form.get("redirect_uri") != launch["asked"]["redirect_uri"]:
        raise Refused("invalid_request")
    if launch["error"] == "token_invalid_token":
        raise Refused("invalid_client")


def _check_client(request: Request, launch: Mapping[str, Any]) -> None:
    """Check who asks as the launcher does. Raises Refused."""
    match launch["client"]:
        case "confidential-symmetric":
            scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
            if launch["error"] == "auth_invalid_client_secret" or scheme != "Basic":
                raise Refused("invalid_client")
            # Not decoded any further than base64, and nothing but two halves.
            if base64.b64decode(rest).decode().split(":") != [launch["asked"]["client_id"], launch["secret"]]:
                raise Refused("invalid_client")
        case "confidential-asymmetric":
            if launch["error"] in ("token_expired_registration_token", "token_invalid_jti"):
                raise Refused("invalid_client")
            try:
                keys = KeySet.import_key_set(json.loads(launch["jwks"]))
                claims = jwt.decode(request.form["client_assertion"], keys, algorithms=["ES384"]).claims
            except (JoseError, ValueError, KeyError):
                raise Refused("invalid_client") from None
            if (claims["iss"], claims["sub"], claims["aud"]) != (*[launch["asked"]["client_id"]] * 2, request.base_url):
                raise Refused("invalid_client")
        case _:
            pass


def _json(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document), status, content_type="application/json")
