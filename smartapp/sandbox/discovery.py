"""What the sandbox's authorization server says about itself: smart-configuration, OpenID configuration, public keys."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from smartapp.sandbox.scopes import PLAIN
from smartapp.sandbox.server import Sandbox, current_sandbox

blueprint = Blueprint("discovery", __name__)


def smart_configuration(sandbox: Sandbox) -> dict[str, Any]:
    """Return `.well-known/smart-configuration`."""
    return {
        "issuer": sandbox.issuer,
        "jwks_uri": sandbox.endpoints["jwks_uri"],
        "authorization_endpoint": sandbox.endpoints["authorize_endpoint"],
        "token_endpoint": sandbox.endpoints["token_endpoint"],
        "introspection_endpoint": sandbox.endpoints["introspect_endpoint"],
        "revocation_endpoint": sandbox.endpoints["revoke_endpoint"],
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
            **smart_configuration(current_sandbox()),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nonce", "fhirUser"],
        }
    )


@blueprint.get("/jwks")
def jwks() -> Response:
    """Give the public halves of the keys that sign id_tokens."""
    response = jsonify(current_sandbox().tickets.keys().as_dict(private=False))
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
