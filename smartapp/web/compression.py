"""Pages and assets leave compressed, for browsers that take gzip.

What an attacker may find out from the length of a compressed page (BREACH) is a secret that stands in many of them.
The only ones are the token of a form, which looks different each time (`guard.form_token`), and the id of the launch,
which is in the address already: who does not know it gets no page.
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from typing import Final

from flask import Flask, Response, request

KINDS: Final = frozenset({"text/html", "text/css", "text/javascript", "image/svg+xml"})
LEAST_BYTES: Final = 1024
"""Below this one packet holds it anyway."""


def init_compression(app: Flask) -> None:
    """Compress what is worth it."""
    app.after_request(compress)


def compress(response: Response) -> Response:
    """Compress one response; only the whole of something, never a part or "as you have it"."""
    if response.mimetype not in KINDS or response.status_code in (206, 304) or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"]:
        return response
    response.direct_passthrough = False  # a file is read, since it does not leave as it is
    data = response.get_data()
    if len(data) >= LEAST_BYTES:
        asset = (request.endpoint or "").endswith("static")
        response.set_data(_once(data) if asset else gzip.compress(data, 6))
        response.headers["Content-Encoding"] = "gzip"
        etag = response.get_etag()[0]
        if etag is not None:
            response.set_etag(etag, weak=True)  # the same thing, in other bytes
    return response


@lru_cache(maxsize=32)
def _once(data: bytes) -> bytes:
    """Compress an asset as well as can be: it is always the same."""
    return gzip.compress(data, 9)
