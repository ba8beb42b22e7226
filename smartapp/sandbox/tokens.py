"""The token endpoint and what goes with it: a code for tokens, refresh, backend services, introspection, revocation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, jsonify, request
from joserfc import jwt

from smartapp.sandbox.clients import proved_client, refreshing_client
from smartapp.sandbox.oauth import OAuthError, no_store, oauth_answer
from smartapp.sandbox.scopes import grant, registered
from smartapp.sandbox.server import Client, Sandbox, current_sandbox
from smartapp.sandbox.tickets import ACCESS_SECONDS, Grant, TicketError

blueprint = Blueprint("tokens", __name__)

# RFC 7636: 43 to 128 characters; an S256 challenge is always 43.
_VERIFIER = re.compile(r"^[A-Za-z0-9\-._~]{43,128}$")


@blueprint.post("/token")
def token() -> Response:
    """Exchange a code, refresh, or give a backend service its token."""
    sandbox = current_sandbox()
    fault = sandbox.faults.take("POST", "token")
    if fault == "timeout":
        sandbox.faults.hang()
    if isinstance(fault, int) or fault == "timeout":
        return no_store(jsonify({"error": "temporarily_unavailable"}), fault if isinstance(fault, int) else 504)
    try:
        refreshes = request.form.get("grant_type") == "refresh_token"
        answer = _granted(sandbox, refreshing_client(sandbox) if refreshes else proved_client(sandbox))
    except OAuthError as error:
        return oauth_answer(error)
    return no_store(jsonify(answer), 200)


def _granted(sandbox: Sandbox, client: Client) -> dict[str, Any]:
    match request.form.get("grant_type"):
        case "authorization_code":
            return _exchanged(sandbox, client)
        case "refresh_token":
            return _refreshed(sandbox, client)
        case "client_credentials":
            return _backend(sandbox, client)
        case _:
            raise OAuthError("unsupported_grant_type", "use authorization_code, refresh_token or client_credentials")


def _exchanged(sandbox: Sandbox, client: Client) -> dict[str, Any]:
    # The code is spent first, even by a request that fails below: no one gets a second guess at its verifier.
    try:
        grant_ = sandbox.tickets.redeem(request.form.get("code", ""))
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
        refresh = sandbox.tickets.token(grant_, "refresh", None)
    return _answer(sandbox, grant_, refresh, with_identity=True)


def _refreshed(sandbox: Sandbox, client: Client) -> dict[str, Any]:
    asked = request.form.get("scope")
    presented = request.form.get("refresh_token", "")
    # Checked before the token is spent: a request that asks too much must not cost the app its sign-in.
    current = sandbox.tickets.known(presented, "refresh")
    if current is not None and asked is not None and not set(asked.split()) <= set(current.scope.split()):
        raise OAuthError("invalid_scope", "a refresh cannot ask for more than was granted")
    try:
        grant_, following = sandbox.tickets.rotate(presented, client.id)
    except TicketError as error:
        raise OAuthError("invalid_grant", str(error)) from None
    if asked:
        grant_ = replace(grant_, scope=asked)
    return _answer(sandbox, grant_, following, with_identity=False)


def _backend(sandbox: Sandbox, client: Client) -> dict[str, Any]:
    if not client.backend or client.jwks is None:
        raise OAuthError("unauthorized_client", "this app is not registered as a backend service")
    scope = grant(registered(request.form.get("scope", ""), client.scope), sandbox.kind, "system")
    if not scope:
        raise OAuthError("invalid_scope", "ask for system scopes, such as system/Questionnaire.rs")
    grant_ = Grant(client.id, scope, None, None, str(uuid.uuid4()))
    return {
        "access_token": sandbox.tickets.token(grant_, "access", 300),
        "token_type": "bearer",
        "expires_in": 300,
        "scope": scope,
    }


def _answer(sandbox: Sandbox, grant_: Grant, refresh: str | None, *, with_identity: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "access_token": sandbox.tickets.token(grant_, "access", ACCESS_SECONDS),
        "token_type": "Bearer",
        "expires_in": ACCESS_SECONDS,
        "scope": grant_.scope,
        # The sandbox shows nothing around the app, so the app itself must say whose record is open.
        "need_patient_banner": True,
        **_context(grant_),
    }
    if grant_.patient is not None:
        answer["patient"] = grant_.patient
    if refresh is not None:
        answer["refresh_token"] = refresh
    if with_identity and "openid" in grant_.scope.split():
        answer["id_token"] = _id_token(sandbox, grant_)
    return answer


def _context(grant_: Grant) -> dict[str, Any]:
    """Return what the app is told besides; how it speaks with the page around it only where it was granted that."""
    messages = "messaging/ui" in grant_.scope.split()
    return {name: one for name, one in grant_.context.items() if messages or not name.startswith("smart_web_messaging")}


def _id_token(sandbox: Sandbox, grant_: Grant) -> str:
    key = sandbox.tickets.keys().keys[0]
    now = int(sandbox.clock())
    claims: dict[str, Any] = {
        "iss": sandbox.issuer,
        # The same at each sign-in, and not the id of a record: apps must not read one out of it.
        "sub": str(uuid.uuid5(uuid.NAMESPACE_URL, f"verstel-sandbox:{grant_.user}")),
        "aud": grant_.client,
        "iat": now,
        "exp": now + 600,
        "jti": secrets.token_urlsafe(12),
    }
    if grant_.nonce is not None:
        claims["nonce"] = grant_.nonce
    if {"fhirUser", "profile"} & set(grant_.scope.split()):
        claims["fhirUser"] = f"{sandbox.base}/{grant_.user}"
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key, algorithms=["RS256"])


@blueprint.post("/introspect")
def introspect() -> Response:
    """Say whether an access token is good, to an app that proves itself; of another app's token it says nothing."""
    sandbox = current_sandbox()
    try:
        client = proved_client(sandbox)
    except OAuthError as error:
        return oauth_answer(error)
    found = sandbox.tickets.known(request.form.get("token", ""), "access")
    if found is None or found.client != client.id:
        return no_store(jsonify({"active": False}), 200)
    answer: dict[str, Any] = {
        "active": True,
        "client_id": found.client,
        "scope": found.scope,
        "exp": int(found.expires or 0),
        "iss": sandbox.issuer,
    }
    if found.patient is not None:
        answer["patient"] = found.patient
    if found.user is not None:
        answer["fhirUser"] = f"{sandbox.base}/{found.user}"
    return no_store(jsonify(answer), 200)


@blueprint.post("/revoke")
def revoke() -> Response:
    """End a sign-in (RFC 7009): the answer is the same whether the token was known or not."""
    sandbox = current_sandbox()
    try:
        client = proved_client(sandbox)
    except OAuthError as error:
        return oauth_answer(error)
    sandbox.tickets.revoke(request.form.get("token", ""), client.id)
    return no_store(Response(), 200)
