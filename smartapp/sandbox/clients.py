"""Which app is calling, proved the way it is registered: by nothing (public), a secret, or a signed assertion."""

from __future__ import annotations

import hmac

from flask import request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from smartapp.sandbox.oauth import OAuthError
from smartapp.sandbox.server import Client, Sandbox

_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def proved_client(sandbox: Sandbox) -> Client:
    """Return the calling app, once it has proved itself the way it is registered. Raises OAuthError."""
    # One error for all reasons: it must not tell which client_ids exist.
    wrong = OAuthError("invalid_client", "the app could not be recognised: check client_id and how it signs in", 401)
    form = request.form
    if form.get("client_assertion_type") == _JWT_BEARER:
        return _asserted(sandbox, form.get("client_assertion", ""))
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        id_, secret = basic.username or "", basic.password
    else:
        id_, secret = form.get("client_id", ""), form.get("client_secret")
    client = sandbox.clients.get(id_)
    # An app that is registered with keys can't fall back on less.
    if client is None or client.jwks is not None:
        raise wrong
    if client.secret is not None and not hmac.compare_digest(client.secret.encode(), (secret or "").encode()):
        raise wrong
    return client


def refreshing_client(sandbox: Sandbox) -> Client:
    """Return the app whose refresh token is shown, once it has proved itself as far as it has to. Raises OAuthError.

    RFC 6749 6 asks a proof of confidential apps alone: a public one need not even say who it is, as its token does.
    """
    form = request.form
    if request.authorization is not None or "client_id" in form or "client_assertion" in form:
        return proved_client(sandbox)
    client = sandbox.clients.get(sandbox.tickets.client_of(form.get("refresh_token", "")) or "")
    return client if client is not None and client.is_public else proved_client(sandbox)


def _asserted(sandbox: Sandbox, assertion: str) -> Client:
    """Check a private_key_jwt: signature by the registered keys, addressed to us, at most 300 s, never seen before."""
    wrong = OAuthError("invalid_client", "the client assertion is not good: key, aud, exp (at most 300 s) or jti", 401)
    now = sandbox.clock()
    # The key says whose assertion it is. What it claims means nothing before that is known.
    for client in sandbox.clients.values():
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
        if claims.get("aud") != sandbox.endpoints["token_endpoint"] or not isinstance(claims.get("jti"), str):
            raise wrong
        # 5 s for a clock that is a little off.
        if not isinstance(expires, int | float) or not now - 5 < expires <= now + 305:
            raise wrong
        if not sandbox.tickets.first_use(f"{client.id}|{claims['jti']}", expires + 5):
            raise wrong
        return client
    raise wrong
