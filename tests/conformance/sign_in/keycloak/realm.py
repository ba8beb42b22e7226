"""The cases that are tried, and the realm of Keycloak that has a client for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from smartapp.settings import DEFAULT_SCOPES, AuthMethod, SecretAs

REALM: Final = "verstel"
USER: Final = "noor"
PASSWORD: Final = "only for conformance"
PERSON: Final = "noor"
SECRET: Final = "s3+cr/et==%:x y"
"""With all the signs that travel badly."""
TOKEN_SECONDS: Final = 40
"""So long a token of the realm lasts: ten seconds later the app renews it, as it is too close to its end."""


@dataclass(frozen=True, slots=True)
class Case:
    """One client of the realm, which is one issuer of the app: how it proves itself, and who comes back.

    `offers` are the members of its smart-configuration beside those that each has. `role` is what the user must become
    in the app; a guest reads the code `why`.
    """

    name: str
    auth: AuthMethod = "public"
    secret_as: SecretAs = "basic"
    fhir_user: str = f"Patient/{PERSON}"
    role: str = "client"
    why: str = ""
    offers: frozenset[str] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=dict)


DPOP: Final = frozenset({"dpop_signing_alg_values_supported"})
PAR: Final = frozenset({"pushed_authorization_request_endpoint"})
INSIDE: Final = "http://127.0.0.1:9/inside"
"""How a gateway's EHR writes itself: no server is there, so whoever asks at it gets nothing."""
ELSEWHERE: Final = "https://another-ehr.example/fhir"
CLINICIAN: Final = "Practitioner/joost-terpstra"

CASES: Final = (
    Case("public"),
    Case("secret", auth="client_secret"),
    Case("secret-post", auth="client_secret", secret_as="post"),
    Case("key", auth="private_key_jwt"),
    Case("par-public", offers=PAR, attributes={"require.pushed.authorization.requests": "true"}),
    Case("par-key", auth="private_key_jwt", offers=PAR, attributes={"require.pushed.authorization.requests": "true"}),
    Case("dpop-public", offers=DPOP, attributes={"dpop.bound.access.tokens": "true"}),
    Case("dpop-par-key", auth="private_key_jwt", offers=DPOP | PAR, attributes={"dpop.bound.access.tokens": "true"}),
    Case("clinician", fhir_user=CLINICIAN, role="clinician"),
    Case("alias", fhir_user=f"{INSIDE}/{CLINICIAN}", role="clinician"),
    Case("elsewhere", fhir_user=f"{ELSEWHERE}/{CLINICIAN}", role="guest", why="guest-fhir-user-elsewhere"),
)


def realm(app: str) -> dict[str, Any]:
    """Return the realm as Keycloak imports it, for an app at this address."""
    scopes = sorted({*DEFAULT_SCOPES.split(), "user/PractitionerRole.rs", "patient/Appointment.rs"} - {"openid"})
    return {
        "realm": REALM,
        "enabled": True,
        "sslRequired": "none",
        "accessTokenLifespan": TOKEN_SECONDS,
        "roles": {"realm": [{"name": "offline_access"}]},
        "clientScopes": [
            {"name": one, "protocol": "openid-connect", "attributes": {"include.in.token.scope": "true"}}
            for one in scopes
        ],
        "users": [
            {
                "username": USER,
                "enabled": True,
                "email": "noor@example.org",
                "emailVerified": True,
                "firstName": "Noor",
                "lastName": "Achterberg",
                "realmRoles": ["offline_access"],
                "credentials": [{"type": "password", "value": PASSWORD, "temporary": False}],
            }
        ],
        "clients": [_client(case, app, scopes) for case in CASES],
    }


def _client(case: Case, app: str, scopes: list[str]) -> dict[str, Any]:
    how = {
        "public": {"publicClient": True},
        "client_secret": {"clientAuthenticatorType": "client-secret", "secret": SECRET},
        "private_key_jwt": {"clientAuthenticatorType": "client-jwt"},
    }[case.auth]
    keys = {
        "use.jwks.url": "true",
        "jwks.url": f"{app}/.well-known/jwks.json",
        "token.endpoint.auth.signing.alg": "ES384",
    }
    return {
        "clientId": case.name,
        "protocol": "openid-connect",
        "redirectUris": [f"{app}/callback"],
        "optionalClientScopes": scopes,
        "defaultClientScopes": [],
        **how,
        "attributes": {
            "pkce.code.challenge.method": "S256",
            **(keys if case.auth == "private_key_jwt" else {}),
            **case.attributes,
        },
        "protocolMappers": [
            {"name": "sub", "protocol": "openid-connect", "protocolMapper": "oidc-sub-mapper", "config": _IN_TOKENS},
            _claim("patient", PERSON, **{"access.tokenResponse.claim": "true", "id.token.claim": "false"}),
            _claim("fhirUser", case.fhir_user, **{"id.token.claim": "true"}),
        ],
    }


_IN_TOKENS: Final = {"access.token.claim": "true", "introspection.token.claim": "true"}


def _claim(name: str, value: str, **config: str) -> dict[str, Any]:
    """Return a mapper that puts one value into tokens: of a user's attribute Keycloak puts none into the response."""
    said = {"claim.name": name, "claim.value": value, "jsonType.label": "String", "access.token.claim": "true"}
    return {
        "name": name,
        "protocol": "openid-connect",
        "protocolMapper": "oidc-hardcoded-claim-mapper",
        "config": {**said, **config},
    }
