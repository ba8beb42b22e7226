"""The launches that the SMART launcher offers, as it writes them into an address: one list of seventeen values."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Final, Literal

from smartapp.settings import AuthMethod, SecretAs

Kind = Literal["provider-ehr", "patient-portal", "provider-standalone", "patient-standalone"]
KINDS: Final[tuple[Kind, ...]] = ("provider-ehr", "patient-portal", "provider-standalone", "patient-standalone")
CLIENTS: Final = ("public", "confidential-symmetric", "confidential-asymmetric")
CHECKS: Final = ("none", "auto", "always")
"""How it looks at PKCE."""
PATIENT: Final = "noor"
PROVIDER: Final = "joost-terpstra"
CLIENT_ID: Final = "verstel"
PLAIN: Final = "a-plain-secret"
SIGNS: Final = "s3+cr/et==%"
"""A secret with signs that are written otherwise in a form; the launcher reads Basic as it stands."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One launch. `error` is what the launcher is asked to do wrong; `opens` whether a launch may come of it."""

    name: str
    kind: Kind = "patient-standalone"
    auth: AuthMethod = "public"
    secret: str = ""
    secret_as: SecretAs = "basic"
    pkce: str = "auto"
    screens: bool = False
    error: str = ""
    opens: bool = True

    @property
    def from_chart(self) -> bool:
        """Tell whether the EHR or portal opens the app, so that the code travels as `launch` and not in the base."""
        return self.kind in ("provider-ehr", "patient-portal")

    @property
    def role(self) -> str:
        """Return what who signs in becomes in the app."""
        return "clinician" if self.kind.startswith("provider") else "client"

    def code(self, jwks: str) -> str:
        """Return the launch as it stands in an address; `jwks` are the keys of the app, for who signs in with one."""
        client = {"public": 0, "client_secret": 1, "private_key_jwt": 2}[self.auth]
        skips = 0 if self.screens else 1
        values = [KINDS.index(self.kind), PATIENT, PROVIDER, "NONE", skips, skips, 0, "", "", CLIENT_ID]
        values += [self.secret, self.error, "", jwks if client == 2 else "", client, CHECKS.index(self.pkce), ""]
        return base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()


_ERRORS_OF_THE_BROWSER = ("auth_invalid_client_id", "auth_invalid_redirect_uri", "auth_invalid_scope")
_ERRORS_OF_A_KEY = ("token_expired_registration_token", "token_invalid_jti")

FLOWS: Final = (
    *(Flow(kind, kind) for kind in KINDS),
    *(Flow(f"{kind}, PKCE always", kind, pkce="always") for kind in KINDS),
    Flow("login and consent", screens=True),
    Flow("portal, login and consent", "patient-portal", screens=True),
    Flow("secret", auth="client_secret", secret=PLAIN),
    Flow("secret with signs, as it stands", auth="client_secret", secret=SIGNS, secret_as="basic-raw"),
    Flow("secret with signs, form-encoded", auth="client_secret", secret=f"{SIGNS}/", opens=False),
    Flow("key", auth="private_key_jwt"),
    Flow("key of a professional", "provider-standalone", auth="private_key_jwt", pkce="always"),
    *(Flow(error, error=error, opens=False) for error in _ERRORS_OF_THE_BROWSER),
    Flow(
        "auth_invalid_client_secret",
        auth="client_secret",
        secret=PLAIN,
        error="auth_invalid_client_secret",
        opens=False,
    ),
    Flow("token_invalid_token", error="token_invalid_token", opens=False),
    *(Flow(error, auth="private_key_jwt", error=error, opens=False) for error in _ERRORS_OF_A_KEY),
)
