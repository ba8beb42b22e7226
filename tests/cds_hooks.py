"""CDS Hooks from the other side: HL7's own shapes as a check, and a client as an EHR has one, made from the text alone.

The shapes are the logical models in `tests/data/cds-hooks`, of which the lines `* path min..max type` are read; what
they say beside that in FHIRPath is written out in `complaints`. The client follows CDS Hooks 2.0.1
(https://cds-hooks.hl7.org/2.0/): it reads discovery, fills in the prefetch templates, signs a JWT for each call with
`cryptography` alone, and uses nothing of the app. No package on PyPI or npm does all of that: `cds-validator` (npm,
0.3.0) knows the hooks of before 1.0, and the client in `fhir-mcp` (PyPI, 0.2.2) sends no JWT. What HAPI FHIR has of it
in Java asks too, in `tests/conformance/hooks`.
"""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

SHAPES = Path(__file__).parent / "data" / "cds-hooks"
_ELEMENT = re.compile(r"^\* ([A-Za-z.]+) (\d)\.\.(\d|\*) (\S+)")
_BINDING = re.compile(r"^\* ([A-Za-z.]+) from \S+/(\w+) \(required\)")
_KEYED = re.compile(r"^\* ([A-Za-z.]+) \^extension(?:\[\d\])?\.url = \S+json-property-key")
_MAY_BE_EMPTY = re.compile(r"^\* ([A-Za-z.]+) \^extension\.url = \S+json-empty-behavior")
_CODES = {
    "CDSIndicator": {"info", "warning", "critical"},
    "CDSLinkType": {"absolute", "smart"},
    "CDSSelectionBehavior": {"at-most-one", "any"},
}
_TEXTS = {
    "string": r"[\s\S]+",
    "code": r"\S+",
    "markdown": r"[\s\S]+",
    "url": r"https?://\S+",
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}


@dataclass
class Shape:
    """One logical model: by path the least and most, and the type; bound codes; what is an object of any keys."""

    elements: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    bound: dict[str, str] = field(default_factory=dict)
    keyed: set[str] = field(default_factory=set)
    may_be_empty: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, name: str) -> Shape:
        shape = cls()
        for line in (SHAPES / f"{name}.fsh").read_text().splitlines():
            if found := _ELEMENT.match(line):
                shape.elements[found[1]] = (int(found[2]), found[3], found[4].rpartition("/")[2])
            elif found := _BINDING.match(line):
                shape.bound[found[1]] = found[2]
            elif found := _KEYED.match(line):
                shape.keyed.add(found[1])
            elif found := _MAY_BE_EMPTY.match(line):
                shape.may_be_empty.add(found[1])
        return shape

    def complaints(self, value: Any, path: str = "") -> Iterator[str]:
        """Yield what is not as the model says, one line each."""
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is no object"
            return
        below = f"{path}." if path else ""
        known = {
            name.removeprefix(below)
            for name in self.elements
            if name.startswith(below) and "." not in name.removeprefix(below)
        }
        for name in value.keys() - known - {"extension"}:
            yield f"{below}{name}: is no element"
        for name in sorted(known):
            yield from self._element(value.get(name), f"{below}{name}", there=name in value)

    def _element(self, value: Any, path: str, *, there: bool) -> Iterator[str]:
        least, most, type_ = self.elements[path]
        if not there:
            # A list that may be empty has to be there: `cards`, `services`.
            if least or (path in self.may_be_empty and path in ("cards", "services")):
                yield f"{path}: is missing"
            return
        if path in self.keyed:
            yield from (f"{path}.{key}: {one!r}" for key, one in value.items() if not (key and isinstance(one, str)))
            return
        if most == "*":
            if not isinstance(value, list) or (not value and path not in self.may_be_empty):
                yield f"{path}: {value!r} is no list, or an empty one"
                return
            for one in value:
                yield from self._one(one, path, type_)
        else:
            yield from self._one(value, path, type_)

    def _one(self, value: Any, path: str, type_: str) -> Iterator[str]:
        if type_ in _TEXTS:
            if not isinstance(value, str) or not re.fullmatch(_TEXTS[type_], value):
                yield f"{path}: {value!r} is no {type_}"
            elif path in self.bound and value not in _CODES[self.bound[path]]:
                yield f"{path}: {value!r} is none of {self.bound[path]}"
        elif type_ == "boolean":
            if not isinstance(value, bool):
                yield f"{path}: {value!r} is no boolean"
        elif type_ in ("CDSHooksElement", "Base"):
            yield from self.complaints(value, path)
        elif not isinstance(value, dict):
            yield f"{path}: {value!r} is no {type_}"


def complaints(answer: Any) -> list[str]:
    """Return what is wrong with an answer of discovery, or with cards, by HL7's model and the text of 2.0.1."""
    if isinstance(answer, dict) and "services" in answer:
        return list(Shape.read("CDSHooksServices").complaints(answer))
    found = list(Shape.read("CDSHooksResponse").complaints(answer))
    for card in answer.get("cards", []) if isinstance(answer, dict) else []:
        if len(card.get("summary", "")) >= 140:
            found.append("cards.summary: 140 characters or more")
        if "suggestions" in card and "selectionBehavior" not in card:  # cds-resp-6
            found.append("cards.selectionBehavior: is missing beside suggestions")
        found += [
            "cards.links.appContext: for smart links only"  # cds-resp-3
            for link in card.get("links", [])
            if link.get("type") != "smart" and "appContext" in link
        ]
    return found


# ---- a client --------------------------------------------------------------------------------------------------------


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass
class CdsClient:
    """The CDS client of an EHR. `ask` makes an HTTP request, `read` answers a FHIR query of a prefetch template."""

    iss: str
    fhir_server: str
    services: str
    ask: Callable[..., Any]
    read: Callable[[str], Any]
    kid: str = "key-1"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP384R1()))

    @property
    def jwks(self) -> dict[str, Any]:
        """The public half of its key, as it is handed over."""
        numbers = self.key.public_key().public_numbers()
        at = {"x": _encoded(numbers.x.to_bytes(48)), "y": _encoded(numbers.y.to_bytes(48))}
        return {"keys": [{"kty": "EC", "crv": "P-384", "use": "sig", "alg": "ES384", "kid": self.kid, **at}]}

    def discover(self) -> dict[str, Any]:
        """Return what the service says of itself."""
        found: dict[str, Any] = self.ask("GET", self.services).json()
        return found

    def token(self, audience: Any, *, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """Return a JWT for one call. A claim or a header that is None is left out."""
        now = int(time.time())
        said = {"iss": self.iss, "aud": audience, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4()), **claims}
        above = {"alg": "ES384", "typ": "JWT", "kid": self.kid, **(header or {})}
        parts = [
            _encoded(json.dumps({k: v for k, v in one.items() if v is not None}).encode()) for one in (above, said)
        ]
        signature = self.key.sign(".".join(parts).encode(), ec.ECDSA(SHA384()))
        r, s = decode_dss_signature(signature)
        return ".".join([*parts, _encoded(r.to_bytes(48) + s.to_bytes(48))])

    def address(self, hook: str) -> str:
        """Return the address of the service for a hook."""
        return next(f"{self.services}/{one['id']}" for one in self.discover()["services"] if one["hook"] == hook)

    def body(self, hook: str, context: Mapping[str, Any]) -> dict[str, Any]:
        """Return a call with all that its templates ask for, as far as the FHIR server has an answer."""
        service = next(one for one in self.discover()["services"] if one["hook"] == hook)
        type_, _, id_ = context["userId"].partition("/")
        tokens = {f"context.{name}": value for name, value in context.items()} | {f"user{type_}Id": id_}
        found = {}
        for key, template in service.get("prefetch", {}).items():
            wanted = re.findall(r"\{\{([\w.]+)\}\}", template)
            if all(name in tokens for name in wanted):  # a token without a value: the key is left out
                query = re.sub(r"\{\{([\w.]+)\}\}", lambda match: str(tokens[match[1]]), template)
                if (answer := self.read(query)) is not None:
                    found[key] = answer
        return {
            "hook": hook,
            "hookInstance": str(uuid.uuid4()),
            "fhirServer": self.fhir_server,
            "context": dict(context),
            "prefetch": found,
        }

    def call(self, hook: str, context: Mapping[str, Any], /, **changes: Any) -> Any:
        """Call the service of a hook and return the HTTP answer; `changes` are to the body."""
        address = self.address(hook)
        return self.post(address, self.token(address), {**self.body(hook, context), **changes})

    def post(self, address: str, token: str, body: Any, **headers: str) -> Any:
        """Send a call with a token."""
        said = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
        return self.ask("POST", address, headers=said, data=json.dumps(body))
