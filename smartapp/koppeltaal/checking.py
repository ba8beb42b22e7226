"""Whether a domain can launch us: what its smart-configuration says, our key there, and our Device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from mappers.tolerant import objects_in, text_in, texts_in
from smartapp.fhir.store import RecordError, RecordStore
from smartapp.settings import Issuer, Settings

_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_CAPABILITIES: Final = (
    "launch-ehr",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-ehr-hti",
)
_CLIENT_IDS: Final = "http://vzvz.nl/fhir/NamingSystem/koppeltaal-client-id"


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at; `needed`: without it nobody is launched."""

    name: str
    met: bool
    needed: bool
    found: str


def check(settings: Settings, issuer: Issuer, smart: Any, store: RecordStore) -> Iterator[Checked]:
    """Yield what holds of a domain: `smart` is its smart-configuration as parsed, `store` its records by our key."""
    for name in _ENDPOINTS:
        said = text_in(smart, name)
        yield Checked(name, bool(said) and issuer.trusts(said), True, said or "not there")
    offered = texts_in(smart, "capabilities")
    for name in _CAPABILITIES:  # what it does not say it may still do
        yield Checked(name, name in offered, False, "offered" if name in offered else "not among its capabilities")
    launch = f"{settings.public_url}/launch"
    yield Checked("our launch address is https", settings.https, True, launch)
    yield from _device(issuer, store)


def _device(issuer: Issuer, store: RecordStore) -> Iterator[Checked]:
    device = issuer.koppeltaal.device if issuer.koppeltaal else ""
    try:
        found = store.read("Device", device.removeprefix("Device/")).resource
    except RecordError as error:
        yield Checked(f"{device}, by our key", False, True, error.message)
        return
    named = [text_in(one, "value") for one in objects_in(found, "identifier") if one.get("system") == _CLIENT_IDS]
    yield Checked(f"{device}, by our key", True, True, "read")
    yield Checked("its client id is ours", issuer.client_id in named, True, ", ".join(named) or "it has none")
    yield Checked("it is active", found.get("status") == "active", True, text_in(found, "status") or "no status")
