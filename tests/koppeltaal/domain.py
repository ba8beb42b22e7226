"""A stub of a Koppeltaal domain: authorization service and FHIR store, as the topics describe them, and a portal.

Two presets. `spec` does what the topics say. `reference` does what the reference implementations do where they differ
or where the topics are silent: a nonce of its own, the user as `sub`, no `fhirUser`, no launch without a task. It
is ours, made by reading; docs/koppeltaal.md says what was read and what is assumed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from tests.koppeltaal import checking

BASE = "https://domain.example/api/v1/NOORD/fhir/r4"
AUTH = "https://domain.example/api/v1/NOORD/oauth2"
PORTAL = "portal-1"
MODULE = "verstel-1"
OTHER_MODULE = "other-1"
ORIGIN = "http://koppeltaal.nl/fhir/StructureDefinition/resource-origin"
INSTANTIATES = "http://vzvz.nl/fhir/StructureDefinition/instantiates"
CLIENT_IDS = "http://vzvz.nl/fhir/NamingSystem/koppeltaal-client-id"
SCOPES = {"launch", "openid", "fhirUser"}
SIGNED = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]
TYPES = {
    *("Patient", "Practitioner", "RelatedPerson", "CareTeam", "Task", "ActivityDefinition", "Endpoint", "Device"),
    *("Organization", "Subscription", "AuditEvent"),
}
RIGHTS = {  # TOP-KT-005 and -005b, as far as they can be read, for the role "eHealth module"
    **dict.fromkeys(("Patient", "Practitioner", "RelatedPerson", "CareTeam", "Device", "Organization"), "r"),
    **dict.fromkeys(("Task", "ActivityDefinition", "Endpoint", "Subscription"), "cru"),
    "AuditEvent": "c",
}
Answer = tuple[int, dict[str, str], str]
KEYS = {name: RSAKey.generate_key(2048, auto_kid=True) for name in ("portal", "domain", "stranger")}


class Refuse(Exception):
    """The domain refuses with a status and, where it is an OAuth endpoint, an error."""

    def __init__(self, status: int, error: str = "") -> None:
        super().__init__(f"{status} {error}")
        self.status, self.error = status, error


@dataclass
class Client:
    """An application that the domain knows: its id, its Device, its public keys and where it comes back."""

    id: str
    device: str
    jwks: Callable[[], dict[str, Any]]
    redirect_uris: tuple[str, ...] = ()


@dataclass
class Request:
    """One request that came in, for a test to look at."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Domain:
    """One domain. `clock` gives seconds since 1970; `reference` chooses the preset."""

    clock: Callable[[], float]
    reference: bool = False
    base: str = BASE
    auth: str = AUTH
    stale: int = 412
    """What an update with an old version gets: 412 or 409 (TOP-KT-012a)."""
    signed_in: str = ""
    """Who is signed in at the identity provider (`Type/id`); "": whoever launches."""
    clients: dict[str, Client] = field(default_factory=dict)
    versions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    answer_more: dict[str, Any] = field(default_factory=dict)
    """What the answer to a code says instead; None leaves it out."""
    claims_more: dict[str, Any] = field(default_factory=dict)
    signs_with: str = "domain"
    """Whose key signs its id_tokens; the domain publishes its own."""
    silent: bool = False
    """The FHIR store does not answer."""
    before_update: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._used: set[str] = set()
        self._codes: dict[str, dict[str, Any]] = {}
        self._tokens: dict[str, str] = {}
        self.clients[PORTAL] = Client(PORTAL, f"Device/{PORTAL}", _public("portal"))
        for id_ in (PORTAL, MODULE, OTHER_MODULE):
            self.put(
                {
                    "resourceType": "Device",
                    "id": id_,
                    "identifier": [{"system": CLIENT_IDS, "value": id_}],
                    "status": "active",
                    "deviceName": [{"name": id_, "type": "user-friendly-name"}],
                },
                origin="",
            )

    # ---- what tests put in and look at

    def put(self, resource: dict[str, Any], *, origin: str = f"Device/{PORTAL}") -> dict[str, Any]:
        """Store a resource as some other application of the domain wrote it."""
        name = f"{resource['resourceType']}/{resource['id']}"
        rest = [one for one in resource.get("extension", []) if one["url"] != ORIGIN]
        if origin:
            rest.append({"url": ORIGIN, "valueReference": {"reference": origin, "type": "Device"}})
        version = len(self.versions.get(name, [])) + 1
        kept = {**resource, "meta": {**resource.get("meta", {}), "versionId": str(version)}}
        if rest:
            kept["extension"] = rest
        self.versions.setdefault(name, []).append(kept)
        return kept

    def change(self, reference: str, **members: Any) -> None:
        """Store another version of a resource, with other members; None takes one away."""
        now = {**self.now(reference), **members}
        self.put({name: value for name, value in now.items() if value is not None}, origin=_origin(now))

    def now(self, reference: str) -> dict[str, Any]:
        """Return a resource as it is now."""
        return self.versions[reference][-1]

    def of_type(self, type_: str) -> list[dict[str, Any]]:
        """Return the resources of a type as they are now."""
        return [found[-1] for name, found in self.versions.items() if name.startswith(f"{type_}/")]

    def hti(self, *, key: str = "portal", **claims: Any) -> str:
        """Return the HTI token of the portal for a launch; a claim that is None is left out."""
        now = int(self.clock())
        said = {
            "iss": PORTAL,
            "aud": f"Device/{MODULE}",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": str(uuid.uuid4()),
            "hti-version": "2.0",
            **claims,
        }
        header = {"alg": "RS512", "kid": KEYS[key].kid, "typ": "JWT"}
        return jwt.encode(header, {n: v for n, v in said.items() if v is not None}, KEYS[key], algorithms=["RS512"])

    def asked(self, method: str, part: str) -> list[Request]:
        """Return the requests of a method whose path holds a part."""
        return [one for one in self.requests if one.method == method and part in one.path]

    # ---- HTTP

    def answer(self, method: str, url: str, headers: dict[str, str], body: str | bytes | None) -> Answer:
        """Answer one request, as the services of the domain do."""
        text = body.decode() if isinstance(body, bytes) else body or ""
        form = headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
        parsed: Any = dict(parse_qsl(text)) if form else json.loads(text) if text else None
        self.requests.append(Request(method, url, dict(headers), parsed))
        try:
            if url.startswith(f"{self.auth}/"):
                return self._oauth(method, urlsplit(url).path.rpartition("/")[2], parsed)
            return self._fhir(method, url.removeprefix(self.base), headers, parsed)
        except Refuse as refused:
            said = {"error": refused.error} if refused.error else {"resourceType": "OperationOutcome", "issue": []}
            return refused.status, {}, json.dumps(said)

    def authorize(self, url: str) -> str:
        """Answer the browser that was sent to the authorize endpoint: where it is sent on. Raises Refuse."""
        assert url.startswith(f"{self.auth}/authorize?")
        query = parse_qs(urlsplit(url).query, keep_blank_values=True)
        if any(len(values) > 1 for values in query.values()):
            raise Refuse(400, "invalid_request")
        asked = {name: value for name, (value,) in query.items()}
        client = self.clients.get(asked.get("client_id", ""))
        if client is None or asked.get("redirect_uri") not in client.redirect_uris:
            raise Refuse(400, "invalid_request")
        right = {"response_type": "code", "aud": self.base, "code_challenge_method": "S256"}
        if any(asked.get(name) != value for name, value in right.items()) or not asked.get("code_challenge"):
            raise Refuse(400, "invalid_request")
        context = self._launched(asked, client) if "launch" in asked else self._standalone(asked)
        user = context["sub"]
        if self.signed_in not in ("", user):  # L 185: identity and identifier of the user have to be the same
            raise Refuse(403, "access_denied")
        if user.startswith("RelatedPerson/") and "launch" in asked:
            patient = self.now(user)["patient"]["reference"]
            if context.get("patient", "") not in (patient, patient.removeprefix("Patient/")):
                raise Refuse(403, "access_denied")
        code = str(uuid.uuid4())
        self._codes[code] = {"asked": asked, "context": context, "client": client.id}
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def _launched(self, asked: dict[str, str], client: Client) -> dict[str, Any]:
        if set(asked.get("scope", "").split()) != SCOPES:
            raise Refuse(400, "invalid_scope")
        claims = self._hti_claims(asked["launch"])
        if claims is None or claims["aud"] != client.device:
            raise Refuse(400, "invalid_request")
        return {name: claims[name] for name in ("resource", "definition", "sub", "patient", "intent") if name in claims}

    def _standalone(self, asked: dict[str, str]) -> dict[str, Any]:
        if self.reference or set(asked.get("scope", "").split()) != {"openid", "fhirUser", "launch/patient"}:
            raise Refuse(400, "invalid_scope")
        return {"sub": self.signed_in}

    def _hti_claims(self, token: str) -> dict[str, Any] | None:
        """Return what an HTI token says, None where it is not good. It works once, wherever it is shown."""
        try:
            claims = jwt.decode(token, KEYS["portal"], algorithms=SIGNED).claims
        except (JoseError, ValueError):
            return None
        now = self.clock()
        needed = ("iss", "aud", "iat", "exp", "jti", "sub", "resource", "definition")
        if any(name not in claims for name in needed) or claims["iss"] != PORTAL:
            return None
        if not (claims["exp"] - claims["iat"] <= 300 and claims["iat"] - 60 <= now < claims["exp"]):
            return None
        return claims if self._first_use(claims["jti"]) else None

    def _first_use(self, jti: str) -> bool:
        new = jti not in self._used
        self._used.add(jti)
        return new

    def _oauth(self, method: str, name: str, form: Any) -> Answer:
        match method, name:
            case "GET", "jwks":
                return _json({"keys": [{**KEYS["domain"].as_dict(private=False), "use": "sig"}]})
            case "POST", "token":
                client = self._client(form)
                if form["grant_type"] == "client_credentials":
                    return _json(self._system_token(client))
                return _json(self._traded(client, form))
            case "POST", "introspect":
                self._client(form)
                claims = self._hti_claims(form.get("token", ""))
                return _json({"active": False} if claims is None else {**claims, "active": True})
            case _:
                raise Refuse(404)

    def _client(self, form: dict[str, str]) -> Client:
        """Return who proves by an assertion (RFC 7523) who they are: for the token endpoint, short-lived, used once."""
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        token = form.get("client_assertion", "")
        try:
            said = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
            client = self.clients[said["iss"]]
            claims = jwt.decode(token, KeySet.import_key_set(client.jwks()), algorithms=SIGNED).claims
        except (IndexError, KeyError, ValueError, JoseError):
            raise Refuse(401, "invalid_client") from None
        now = self.clock()
        good = (
            form.get("client_assertion_type") == kind
            and claims["sub"] == claims["iss"]
            and claims["aud"] == f"{self.auth}/token"
            and claims["iat"] - 60 <= now < claims["exp"] <= claims["iat"] + 300
            and self._first_use(claims["jti"])
        )
        if not good:
            raise Refuse(401, "invalid_client")
        return client

    def _system_token(self, client: Client) -> dict[str, Any]:
        token = str(uuid.uuid4())
        self._tokens[token] = client.id
        scope = " ".join(f"system/{type_}.{rights}" for type_, rights in RIGHTS.items())
        return {"access_token": token, "token_type": "bearer", "expires_in": 300, "scope": scope}

    def _traded(self, client: Client, form: dict[str, str]) -> dict[str, Any]:
        known = self._codes.pop(form.get("code", ""), None)  # a code works once
        if known is None or known["client"] != client.id:
            raise Refuse(400, "invalid_grant")
        asked, context = known["asked"], known["context"]
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != asked["code_challenge"] or form.get("redirect_uri") != asked["redirect_uri"]:
            raise Refuse(400, "invalid_grant")
        answer: dict[str, Any] = {
            "access_token": "NOOP",
            "token_type": "Bearer" if self.reference else "bearer",
            "expires_in": 300,
            "scope": asked["scope"],
            "id_token": self._id_token(client, asked, context),
        }
        if "launch" in asked:
            answer |= context
        elif context["sub"].startswith("Patient/"):
            answer |= {"patient": context["sub"].removeprefix("Patient/")}
        answer |= self.answer_more
        return {name: value for name, value in answer.items() if value is not None}

    def _id_token(self, client: Client, asked: dict[str, str], context: dict[str, Any]) -> str:
        now = int(self.clock())
        claims: dict[str, Any] = {"iss": self.auth, "aud": client.id, "azp": client.id, "iat": now, "exp": now + 300}
        if self.reference:
            claims |= {"sub": context["sub"], "nonce": str(uuid.uuid4()), "jti": str(uuid.uuid4())}
        else:
            user = f"{self.base}/{context['sub']}"
            claims |= {"sub": f"idp-{context['sub']}", "fhirUser": user, "nonce": asked["nonce"]}
        claims |= self.claims_more
        header = {"alg": "RS512" if self.reference else "RS256", "kid": KEYS[self.signs_with].kid}
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, said, KEYS[self.signs_with], algorithms=["RS256", "RS512"])

    # ---- the store

    def _fhir(self, method: str, path: str, headers: dict[str, str], body: Any) -> Answer:
        if path == "/.well-known/smart-configuration":
            return _json(self._configuration())
        if self.silent:
            raise Refuse(503)
        client = self._allowed(headers)
        parts = urlsplit(path).path.strip("/").split("/")
        type_, id_ = parts[0], parts[1] if len(parts) > 1 else ""
        if type_ not in TYPES:
            raise Refuse(404)
        letter = {"GET": "r", "POST": "c", "PUT": "u"}.get(method)
        if letter is None:
            raise Refuse(405)
        if letter not in RIGHTS[type_]:
            raise Refuse(403)
        echo = {name: headers[name] for name in ("X-Request-Id", "X-Trace-Id") if name in headers}
        if method == "GET" and id_:
            return self._read(f"{type_}/{id_}", echo)
        if method == "GET":
            return self._search(type_, dict(parse_qsl(urlsplit(path).query)))
        self._check_body(type_, body)
        if method == "POST":
            return self._create(client, body, id_)
        return self._update(f"{type_}/{id_}", body, headers)

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.auth,
            "jwks_uri": f"{self.auth}/jwks",
            "authorization_endpoint": f"{self.auth}/authorize",
            "token_endpoint": f"{self.auth}/token",
            "introspection_endpoint": f"{self.auth}/introspect",
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "scopes_supported": ["openid", "launch", "fhirUser", "system/*.cruds"],
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": [
                *("launch-ehr", "authorize-post", "client-confidential-asymmetric", "sso-openid-connect"),
                *("context-ehr-hti", "permission-v2"),
            ],
        }

    def _allowed(self, headers: dict[str, str]) -> Client:
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self._tokens:  # NOOP among them
            raise Refuse(401)
        if not all(_is_uuid(headers.get(name, "")) for name in ("X-Request-Id",)) or not headers.get("X-Trace-Id"):
            raise Refuse(400)
        return self.clients[self._tokens[token]]

    def _read(self, name: str, echo: dict[str, str]) -> Answer:
        if name not in self.versions:
            raise Refuse(404)
        found = self.now(name)
        return 200, {"ETag": f'W/"{found["meta"]["versionId"]}"', **echo}, json.dumps(found)

    def _search(self, type_: str, query: dict[str, str]) -> Answer:
        found = self.of_type(type_)
        for name, value in query.items():
            if name == "patient":
                wanted = value if "/" in value else f"Patient/{value}"
                found = [one for one in found if one.get("subject", {}).get("reference") == wanted]
            elif name == "identifier":
                wanted_ones = {tuple(one.split("|")) for one in value.split(",")}
                found = [one for one in found if _named(one) & wanted_ones]
            else:
                raise Refuse(400)
        entries = [{"fullUrl": f"{self.base}/{type_}/{one['id']}", "resource": one} for one in found]
        return _json({"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries})

    def _check_body(self, type_: str, body: Any) -> None:
        if not isinstance(body, dict) or body.get("resourceType") != type_ or checking.problems(body):
            raise Refuse(422)
        for reference in _references(body):  # literal, and of something that is there
            if reference.partition("/_history/")[0] not in self.versions:
                raise Refuse(422)

    def _create(self, client: Client, body: dict[str, Any], id_: str) -> Answer:
        if id_ or "id" in body or _origin(body):
            raise Refuse(400)
        made = self.put({**body, "id": str(uuid.uuid4())}, origin=client.device)
        reference = f"{made['resourceType']}/{made['id']}"
        return 201, {"Location": f"{self.base}/{reference}/_history/1", "ETag": 'W/"1"'}, json.dumps(made)

    def _update(self, name: str, body: dict[str, Any], headers: dict[str, str]) -> Answer:
        if name not in self.versions or name != f"{body['resourceType']}/{body.get('id')}":
            raise Refuse(404)  # no id is chosen by who writes
        self.before_update()
        if "If-Match" not in headers:
            raise Refuse(412)
        if headers["If-Match"] != f'W/"{self.now(name)["meta"]["versionId"]}"':
            raise Refuse(self.stale)
        if _origin(body) != _origin(self.now(name)):
            raise Refuse(403)
        kept = self.put(body, origin=_origin(body))
        return 200, {"ETag": f'W/"{kept["meta"]["versionId"]}"'}, json.dumps(kept)


def _public(name: str) -> Callable[[], dict[str, Any]]:
    return lambda: {"keys": [KEYS[name].as_dict(private=False)]}


def _json(document: dict[str, Any]) -> Answer:
    return 200, {}, json.dumps(document)


def _origin(resource: dict[str, Any]) -> str:
    named = [one["valueReference"]["reference"] for one in resource.get("extension", []) if one["url"] == ORIGIN]
    return next(iter(named), "")


def _named(resource: dict[str, Any]) -> set[tuple[str, ...]]:
    return {(one["system"], one["value"]) for one in resource.get("identifier", [])}


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for one in node for found in _references(one)]
    if not isinstance(node, dict):
        return []
    here = [node["reference"]] if isinstance(node.get("reference"), str) else []
    return here + [found for value in node.values() for found in _references(value)]


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
