"""A client of SMART Health Links, written from HL7's specification (STU 1) and from nothing of ours.

Each step names the section it follows. It uses no JOSE library, so that what ours writes is read by other code.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Answer(Protocol):
    """What a server answered: `requests.Response`, and a response of Flask's test client with `Wire`."""

    status_code: int
    text: str

    @property
    def headers(self) -> Any: ...


Ask = Callable[[str, str, dict[str, str], bytes | None], Answer]
"""Asks a server: method, address, headers, body."""


class NotOpened(Exception):
    """The server refused: its status, and how many wrong passcodes are left where it said so."""

    def __init__(self, status: int, remaining: int | None = None) -> None:
        super().__init__(f"refused with {status}")
        self.status = status
        self.remaining = remaining


@dataclass(frozen=True)
class Link:
    """The payload of a link."""

    url: str
    key: str
    exp: int | None
    flag: str
    label: str
    v: int


def decoded(link: str) -> Link:
    """Construct a SMART Health Link Payload, read backwards: a viewer may stand before it, and ends with `#`."""
    viewer, _, bare = link.rpartition("#")
    assert not viewer or urlsplit(viewer).scheme in ("https", "http")
    assert bare.startswith("shlink:/")
    packed = bare.removeprefix("shlink:/")
    assert "=" not in packed  # base64url without padding
    payload = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    said = Link(
        url=payload["url"],
        key=payload["key"],
        exp=payload.get("exp"),
        flag=payload.get("flag", ""),
        label=payload.get("label", ""),
        v=payload.get("v", 1),
    )
    assert len(said.url) <= 128
    assert len(said.key) == 43
    assert len(_bytes(said.key)) == 32
    assert len(said.label) <= 80
    assert list(said.flag) == sorted(said.flag)
    assert "U" not in said.flag
    # "at least 256 bits of entropy": a random path segment of 43 characters carries as many
    assert max(len(_bytes_or_none(part)) for part in urlsplit(said.url).path.split("/")) >= 32
    return said


def open_link(
    ask: Ask, link: str, *, recipient: str, passcode: str | None = None, embedded_length_max: int | None = None
) -> list[Any]:
    """SMART Health Link Manifest Request, then each of its files, decrypted and parsed."""
    said = decoded(link)
    return [
        json.loads(file) for file in files(ask, said, manifest(ask, said, recipient, passcode, embedded_length_max))
    ]


def manifest(
    ask: Ask, link: Link, recipient: str, passcode: str | None = None, embedded_length_max: int | None = None
) -> dict[str, Any]:
    """POST to the url with a JSON body."""
    body: dict[str, Any] = {"recipient": recipient}
    if passcode is not None:
        body["passcode"] = passcode
    if embedded_length_max is not None:
        body["embeddedLengthMax"] = embedded_length_max
    answer = ask("POST", link.url, {"content-type": "application/json"}, json.dumps(body).encode())
    if answer.status_code == 401:
        raise NotOpened(401, json.loads(answer.text)["remainingAttempts"])
    if answer.status_code != 200:
        raise NotOpened(answer.status_code)
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    said = json.loads(answer.text)
    for file in said["files"]:
        assert file["contentType"] in (
            "application/smart-health-card",
            "application/fhir+json",
            "application/smart-api-access",
        )
        assert ("embedded" in file) != ("location" in file)
        if embedded_length_max is not None and "embedded" in file:
            assert len(file["embedded"]) <= embedded_length_max
    return said


def files(ask: Ask, link: Link, said: dict[str, Any]) -> list[bytes]:
    """Return what each file of a manifest holds."""
    return [opened(_jwe(ask, file), link.key, file["contentType"]) for file in said["files"]]


def _jwe(ask: Ask, file: dict[str, Any]) -> str:
    """.files.location links: GET without authentication, and application/jose."""
    if "embedded" in file:
        return file["embedded"]
    answer = ask("GET", file["location"], {}, None)
    if answer.status_code != 200:
        raise NotOpened(answer.status_code)
    assert answer.headers["content-type"].split(";")[0] == "application/jose"
    return answer.text


def opened(jwe: str, key: str, content_type: str) -> bytes:
    """Encrypting and Decrypting Files: JWE compact, `dir`, `A256GCM`, `cty`, maybe `zip`."""
    header, encrypted_key, iv, ciphertext, tag = jwe.split(".")
    said = json.loads(_bytes(header))
    assert (said["alg"], said["enc"], said["cty"], encrypted_key) == ("dir", "A256GCM", content_type, "")
    assert len(_bytes(iv)) == 12
    plain = AESGCM(_bytes(key)).decrypt(_bytes(iv), _bytes(ciphertext) + _bytes(tag), header.encode())
    return zlib.decompress(plain, wbits=-15) if said.get("zip") == "DEF" else plain


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _bytes_or_none(text: str) -> bytes:
    try:
        return _bytes(text)
    except ValueError:
        return b""
