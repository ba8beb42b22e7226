"""The SMART authorization server: authorize, token, introspection, revocation, keys (SMART App Launch 2.2.0)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from typing import Any
from urllib.parse import parse_qs, urlencode

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from werkzeug.wrappers import Response as BaseResponse

from smartapp.fhir.own.search import understand
from smartapp.fhir.store import NotFound, Query
from smartapp.sandbox.identities import COOKIE, everybody, with_session
from smartapp.sandbox.scopes import PLAIN, grant
from smartapp.sandbox.server import Client, Sandbox, sandbox
from smartapp.sandbox.tickets import ACCESS_SECONDS, Grant, TicketError

blueprint = Blueprint("authorization", __name__)

# RFC 7636: 43 to 128 characters; an S256 challenge is always 43.
_VERIFIER = re.compile(r"^[A-Za-z0-9\-._~]{43,128}$")
_CHALLENGE = re.compile(r"^[A-Za-z0-9\-_]{43}$")
_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class OAuthError(Exception):
    """An OAuth error as the protocol names it, with a sentence for the developer of the app."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code, self.description, self.status = code, description, status


# ---- what the server says about itself


def smart_configuration(box: Sandbox) -> dict[str, Any]:
    """Return `.well-known/smart-configuration`."""
    return {
        "issuer": box.issuer,
        "jwks_uri": box.endpoints["jwks_uri"],
        "authorization_endpoint": box.endpoints["authorize_endpoint"],
        "token_endpoint": box.endpoints["token_endpoint"],
        "introspection_endpoint": box.endpoints["introspect_endpoint"],
        "revocation_endpoint": box.endpoints["revoke_endpoint"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types_supported": ["code"],
        "scopes_supported": [*PLAIN, "patient/*.rs", "user/*.rs", "patient/Goal.crus"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "capabilities": [
            "launch-ehr",
            "launch-standalone",
            "authorize-post",
            "client-public",
            "client-confidential-symmetric",
            "client-confidential-asymmetric",
            "sso-openid-connect",
            "context-banner",
            "context-ehr-patient",
            "context-standalone-patient",
            "permission-offline",
            "permission-online",
            "permission-patient",
            "permission-user",
            "permission-v1",
            "permission-v2",
        ],
    }


@blueprint.get("/.well-known/openid-configuration")
def openid_configuration() -> Response:
    """Say what OpenID Connect clients ask for."""
    return jsonify(
        {
            **smart_configuration(sandbox()),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nonce", "fhirUser"],
        }
    )


@blueprint.get("/jwks")
def jwks() -> Response:
    """Give the public halves of the keys that sign id_tokens."""
    response = jsonify(sandbox().tickets.keys().as_dict(private=False))
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


# ---- authorize


@blueprint.route("/authorize", methods=["GET", "POST"])
def authorize() -> BaseResponse | tuple[str, int]:
    """Take an authorization request: sign in where nobody is, then send the browser back with a code."""
    box = sandbox()
    asked = {name: values[0] for name, values in _asked().items()}
    client = box.clients.get(asked.get("client_id", ""))
    uri = asked.get("redirect_uri", "")
    if client is None:
        return _page_error("This app is not registered here (unknown client_id). Register it before launching it.")
    if uri not in client.redirect_uris:
        return _page_error("The redirect_uri is not registered for this app. It must be equal letter for letter.")
    try:
        _check_request(box, asked)
        user = box.tickets.signed_in(request.cookies.get(COOKIE))
        launched = _launched(box, asked)
        if user is None or (launched is not None and launched[0] != user):
            return _choose_person(box, asked, launched[0] if launched else None)
        return _authorized(box, client, asked, user, launched[1] if launched else None)
    except OAuthError as error:
        back = {"error": error.code, "error_description": error.description}
        return _back(box, uri, back, asked.get("state"))


def _asked() -> dict[str, list[str]]:
    source = request.form if request.method == "POST" else request.args
    return dict(source.lists())


def _check_request(box: Sandbox, asked: dict[str, str]) -> None:
    for name, values in _asked().items():
        if len(values) > 1:
            raise OAuthError("invalid_request", f"{name} is given more than once")
    if asked.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be 'code'")
    if not asked.get("state"):
        raise OAuthError("invalid_request", "state is missing: send an unguessable one")
    if asked.get("aud") != box.base:
        raise OAuthError("invalid_request", f"aud must be the FHIR base, letter for letter: {box.base}")
    if asked.get("code_challenge_method") != "S256" or not _CHALLENGE.match(asked.get("code_challenge", "")):
        raise OAuthError("invalid_request", "PKCE is required: code_challenge_method=S256 and a code_challenge")
    if not asked.get("scope", "").split():
        raise OAuthError("invalid_scope", "scope is missing")


def _launched(box: Sandbox, asked: dict[str, str]) -> tuple[str, str] | None:
    if "launch" not in asked:
        return None
    found = box.tickets.launched(asked["launch"])
    if found is None:
        raise OAuthError("invalid_request", "the launch is not known, too old or used; launch again from the chart")
    return found


def _choose_person(box: Sandbox, asked: dict[str, str], only: str | None) -> tuple[str, int]:
    """Show who could sign in; after a launch from a chart only the one who launched."""
    people = [only] if only else None
    choices = [person for person in everybody(box) if people is None or person.reference in people]
    return render_template("sign_in.html", people=choices, query=urlencode(asked)), 200


def _authorized(
    box: Sandbox, client: Client, asked: dict[str, str], user: str, launched: str | None
) -> BaseResponse | tuple[str, int]:
    persona, _, user_id = user.partition("/")
    patient = launched
    wants_patient = "launch/patient" in asked["scope"].split()
    if patient is None and persona == "Patient":
        patient = user_id
    elif patient is None and persona == "RelatedPerson":
        patient = _patient_of(box, user)
    elif patient is None and wants_patient:
        patient = asked.get("chosen_patient")
        if patient is None:
            return _choose_patient(box, asked)
        _read(box, "Patient", patient)
    if persona == "Patient" and patient != user_id:
        raise OAuthError("access_denied", "a person can only open their own record")
    scope = grant(asked["scope"], box.kind, persona)
    if not scope:
        raise OAuthError("invalid_scope", "nothing of what was asked can be granted to this user here")
    code = box.tickets.code(
        Grant(
            client=client.id,
            scope=scope,
            user=user,
            patient=patient,
            family=str(uuid.uuid4()),
            redirect_uri=asked["redirect_uri"],
            challenge=asked["code_challenge"],
            nonce=asked.get("nonce"),
        ),
        asked.get("launch"),
    )
    if code is None:
        raise OAuthError("invalid_request", "the launch has been used; launch again from the chart")
    return _back(box, asked["redirect_uri"], {"code": code}, asked["state"])


def _choose_patient(box: Sandbox, asked: dict[str, str]) -> tuple[str, int]:
    page = box.store.find(understand(Query.of("Patient", _sort="family")), count=200)
    patients = [(one.resource["id"], one.resource.get("name", [{}])[0].get("text", "?")) for one in page.matches]
    return render_template("choose_patient.html", patients=patients, asked=asked), 200


def _patient_of(box: Sandbox, user: str) -> str | None:
    related = _read(box, *user.split("/", 1))
    reference = related.get("patient", {}).get("reference", "")
    return reference.removeprefix("Patient/") or None


def _read(box: Sandbox, type_: str, id_: str) -> dict[str, Any]:
    try:
        return box.store.read(type_, id_).resource
    except NotFound:
        raise OAuthError("access_denied", f"there is no such {type_} here") from None


def _back(box: Sandbox, uri: str, values: dict[str, str], state: str | None) -> BaseResponse:
    # `iss` (RFC 9207) lets the app see which server answers; it is the issuer, not the FHIR base.
    values = {**values, **({"state": state} if state else {}), "iss": box.issuer}
    response = redirect(
        f"{uri}{'&' if '?' in uri else '?'}{urlencode(values)}", 303 if request.method == "POST" else 302
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _page_error(text: str) -> tuple[str, int]:
    # Never back to an address that is not registered: that would send people wherever a link says.
    return render_template("problem.html", text=text), 400


@blueprint.post("/sign-in")
def sign_in() -> BaseResponse | tuple[str, int]:
    """Take the choice of who sits here, and go on with the authorization request."""
    box = sandbox()
    person = request.form.get("person", "")
    if person not in {one.reference for one in everybody(box)}:
        return _page_error("This person is not known here. Go back and choose somebody from the list.")
    query = urlencode({name: values[0] for name, values in parse_qs(request.form.get("query", "")).items()})
    return with_session(redirect(f"{box.endpoints['authorize_endpoint']}?{query}", 303), box, person)


# ---- token


@blueprint.post("/token")
def token() -> Response:
    """Exchange a code, refresh, or give a backend service its token."""
    box = sandbox()
    fault = box.faults.take("POST", "token")
    if fault == "timeout":
        box.faults.hang()
    if isinstance(fault, int) or fault == "timeout":
        return _no_store(jsonify({"error": "temporarily_unavailable"}), fault if isinstance(fault, int) else 504)
    try:
        answer = _granted(box, _client(box))
    except OAuthError as error:
        return _oauth_answer(error)
    return _no_store(jsonify(answer), 200)


def _granted(box: Sandbox, client: Client) -> dict[str, Any]:
    match request.form.get("grant_type"):
        case "authorization_code":
            return _exchanged(box, client)
        case "refresh_token":
            return _refreshed(box, client)
        case "client_credentials":
            return _backend(box, client)
        case _:
            raise OAuthError("unsupported_grant_type", "use authorization_code, refresh_token or client_credentials")


def _oauth_answer(error: OAuthError) -> Response:
    response = _no_store(jsonify({"error": error.code, "error_description": error.description}), error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="sandbox"'
    return response


def _no_store(response: Response, status: int) -> Response:
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


def _exchanged(box: Sandbox, client: Client) -> dict[str, Any]:
    try:
        grant_ = box.tickets.redeem(request.form.get("code", ""))
    except TicketError as error:
        raise OAuthError("invalid_grant", str(error)) from None
    if grant_.client != client.id:
        raise OAuthError("invalid_grant", "the authorization code was given to another app")
    if request.form.get("redirect_uri") != grant_.redirect_uri:
        raise OAuthError("invalid_grant", "redirect_uri differs from the one of the authorization request")
    verifier = request.form.get("code_verifier", "")
    if not _VERIFIER.match(verifier):
        raise OAuthError("invalid_grant", "code_verifier is missing or not 43 to 128 allowed characters")
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not hmac.compare_digest(hashed, grant_.challenge):
        raise OAuthError("invalid_grant", "code_verifier does not fit the code_challenge")
    granted = set(grant_.scope.split())
    refresh = None
    if granted & {"offline_access", "online_access"}:
        refresh = box.tickets.token(grant_, "refresh", None)
    return _answer(box, grant_, refresh, with_identity=True)


def _refreshed(box: Sandbox, client: Client) -> dict[str, Any]:
    asked = request.form.get("scope")
    presented = request.form.get("refresh_token", "")
    current = box.tickets.known(presented, "refresh")
    if current is not None and asked is not None and not set(asked.split()) <= set(current.scope.split()):
        raise OAuthError("invalid_scope", "a refresh cannot ask for more than was granted")
    try:
        grant_, following = box.tickets.rotate(presented, client.id)
    except TicketError as error:
        raise OAuthError("invalid_grant", str(error)) from None
    if asked:
        grant_ = Grant(grant_.client, asked, grant_.user, grant_.patient, grant_.family)
    return _answer(box, grant_, following, with_identity=False)


def _backend(box: Sandbox, client: Client) -> dict[str, Any]:
    if not client.backend or client.jwks is None:
        raise OAuthError("unauthorized_client", "this app is not registered as a backend service")
    scope = grant(request.form.get("scope", ""), box.kind, "system")
    if not scope:
        raise OAuthError("invalid_scope", "ask for system scopes, such as system/Questionnaire.rs")
    grant_ = Grant(client.id, scope, None, None, str(uuid.uuid4()))
    return {
        "access_token": box.tickets.token(grant_, "access", 300),
        "token_type": "bearer",
        "expires_in": 300,
        "scope": scope,
    }


def _answer(box: Sandbox, grant_: Grant, refresh: str | None, *, with_identity: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "access_token": box.tickets.token(grant_, "access", ACCESS_SECONDS),
        "token_type": "Bearer",
        "expires_in": ACCESS_SECONDS,
        "scope": grant_.scope,
        # The sandbox shows nothing around the app, so the app itself must say whose record is open.
        "need_patient_banner": True,
    }
    if grant_.patient is not None:
        answer["patient"] = grant_.patient
    if refresh is not None:
        answer["refresh_token"] = refresh
    if with_identity and "openid" in grant_.scope.split():
        answer["id_token"] = _id_token(box, grant_)
    return answer


def _id_token(box: Sandbox, grant_: Grant) -> str:
    key = box.tickets.keys().keys[0]
    now = int(box.clock())
    claims: dict[str, Any] = {
        "iss": box.issuer,
        "sub": str(uuid.uuid5(uuid.NAMESPACE_URL, f"verstel-sandbox:{grant_.user}")),
        "aud": grant_.client,
        "iat": now,
        "exp": now + 600,
        "jti": secrets.token_urlsafe(12),
    }
    if grant_.nonce is not None:
        claims["nonce"] = grant_.nonce
    if {"fhirUser", "profile"} & set(grant_.scope.split()):
        claims["fhirUser"] = f"{box.base}/{grant_.user}"
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key, algorithms=["RS256"])


# ---- who is this app


def _client(box: Sandbox) -> Client:
    """Return the app that speaks, once it has proved itself as it is registered. Raises OAuthError."""
    wrong = OAuthError("invalid_client", "the app could not be recognised: check client_id and how it signs in", 401)
    form = request.form
    if form.get("client_assertion_type") == _JWT_BEARER:
        return _asserted(box, form.get("client_assertion", ""))
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        id_, secret = basic.username or "", basic.password
    else:
        id_, secret = form.get("client_id", ""), form.get("client_secret")
    client = box.clients.get(id_)
    if client is None or client.jwks is not None:
        raise wrong
    if client.secret is not None and not hmac.compare_digest(client.secret.encode(), (secret or "").encode()):
        raise wrong
    return client


def _asserted(box: Sandbox, assertion: str) -> Client:
    """Check a private_key_jwt: signature by the registered keys, addressed to us, at most 300 s, never seen before."""
    wrong = OAuthError("invalid_client", "the client assertion is not good: key, aud, exp (at most 300 s) or jti", 401)
    now = box.clock()
    for client in box.clients.values():
        if client.jwks is None:
            continue
        try:
            found = jwt.decode(assertion, KeySet.import_key_set(dict(client.jwks)), algorithms=["RS384", "ES384"])  # type: ignore[arg-type]
        except (JoseError, ValueError):
            continue
        claims = found.claims
        expires = claims.get("exp")
        if claims.get("iss") != client.id or claims.get("sub") != client.id or "kid" not in found.header:
            continue
        if claims.get("aud") != box.endpoints["token_endpoint"] or not isinstance(claims.get("jti"), str):
            raise wrong
        if not isinstance(expires, int | float) or not now - 5 < expires <= now + 305:
            raise wrong
        if not box.tickets.first_use(f"{client.id}|{claims['jti']}", expires + 5):
            raise wrong
        return client
    raise wrong


# ---- introspection and revocation


@blueprint.post("/introspect")
def introspect() -> Response:
    """Say whether an access token is good, to an app that proves itself; of another app's token it says nothing."""
    box = sandbox()
    try:
        client = _client(box)
    except OAuthError as error:
        return _oauth_answer(error)
    found = box.tickets.known(request.form.get("token", ""), "access")
    if found is None or found.client != client.id:
        return _no_store(jsonify({"active": False}), 200)
    answer: dict[str, Any] = {
        "active": True,
        "client_id": found.client,
        "scope": found.scope,
        "exp": int(found.expires or 0),
        "iss": box.issuer,
    }
    if found.patient is not None:
        answer["patient"] = found.patient
    if found.user is not None:
        answer["fhirUser"] = f"{box.base}/{found.user}"
    return _no_store(jsonify(answer), 200)


@blueprint.post("/revoke")
def revoke() -> Response:
    """End a sign-in (RFC 7009): the answer is the same whether the token was known or not."""
    box = sandbox()
    try:
        client = _client(box)
    except OAuthError as error:
        return _oauth_answer(error)
    box.tickets.revoke(request.form.get("token", ""), client.id)
    return _no_store(Response(), 200)
