"""Addresses of one FHIR server: when two of them are the same, and what lies below one of them.

An EHR may write itself in another way than it is registered: with the port that https has anyway, or by the name that
it has inside its own network. Nothing here asks a server: it only reads what an address says.
"""

from __future__ import annotations

import functools
from typing import Final
from urllib.parse import urlsplit, urlunsplit

_PORTS: Final = {"https": 443, "http": 80}


def normal(address: str) -> str:
    """Return an http(s) address as RFC 3986 6.2 writes it; any other text as it is.

    Scheme and host are in lower case, and the port is left out where the scheme has it by itself. The path stays letter
    for letter: two paths that look alike may be two servers.
    """
    # A reader of addresses drops line ends, and who reads only half of one may be led to another place.
    if not address.isascii() or not address.isprintable() or " " in address:
        return address
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:  # an unmatched bracket, or a port that is no number
        return address
    # With a user name in it, it reads as the address of one server and may lead to another.
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        return address
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
    return urlunsplit((parts.scheme, shown, parts.path, parts.query, parts.fragment))


def behind(address: str, *bases: str) -> str | None:
    """Return what stands behind one of these bases in an address (`Patient/7`), the longest first; None for none."""
    written = normal(address)
    for base in sorted(map(_without_slash, bases), key=len, reverse=True):
        if written.startswith(f"{base}/"):
            return written.removeprefix(f"{base}/")
    return None


@functools.lru_cache(maxsize=1024)
def _without_slash(base: str) -> str:
    return normal(base).rstrip("/")


def same(one: str, other: str) -> bool:
    """Tell whether two bases are one and the same server."""
    return _without_slash(one) == _without_slash(other)


def overlap(one: str, other: str) -> bool:
    """Tell whether two bases are the same, or one of them lies below the other."""
    first, second = _without_slash(one), _without_slash(other)
    return same(one, other) or first.startswith(f"{second}/") or second.startswith(f"{first}/")
