"""Secrets on a page, different each time they are shown.

Pages are compressed, and what stands in each alike could be found from their lengths, guess by guess (BREACH).
"""

from __future__ import annotations

import binascii
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode


def masked(secret: bytes) -> str:
    """Return a secret as a text that looks different each time."""
    mask = secrets.token_bytes(len(secret))
    return urlsafe_b64encode(mask + _xor(mask, secret)).decode()


def unmasked(text: str) -> bytes:
    """Return the secret in a text that `masked` made; b"" for what it cannot have made."""
    try:
        both = urlsafe_b64decode(text)
    except (ValueError, binascii.Error):
        return b""
    half = len(both) // 2
    return _xor(both[:half], both[half:]) if len(both) == 2 * half else b""


def _xor(one: bytes, other: bytes) -> bytes:
    # As numbers, which is one step however long they are.
    return (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(len(one))
