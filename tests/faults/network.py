"""The way between the app and the servers: `requests` without sockets, on which anything can happen to a request.

The seam is `HTTPAdapter.send`, where every request that the app makes with `requests` arrives whole and in one place,
whatever sessions, pools and limits the app puts around it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from tests.faults.model_ehr import Answer

Server = Callable[[str, str, Mapping[str, str], bytes | None], Answer]
"""Answers (method, address, headers, body)."""

Way = Callable[[requests.PreparedRequest, Server], Answer]
"""Lets one request travel to its server; may raise what `requests` raises when a network fails."""


@contextmanager
def connected(servers: Mapping[str, Server], way: Way) -> Iterator[None]:
    """Let every request of this process go to the server whose address it begins with, by way of `way`."""

    def send(adapter: HTTPAdapter, request: requests.PreparedRequest, **_kwargs: Any) -> requests.Response:
        base = max((base for base in servers if (request.url or "").startswith(base)), key=len, default=None)
        if base is None:
            raise requests.ConnectionError(f"nothing listens at {urlsplit(request.url or '').netloc}", request=request)
        answer = way(request, servers[base])
        raw = urllib3.HTTPResponse(
            io.BytesIO(answer.body), answer.headers, answer.status, preload_content=False, request_method=request.method
        )
        return adapter.build_response(request, raw)

    with patch.object(HTTPAdapter, "send", send):
        yield


def ask(server: Server, request: requests.PreparedRequest) -> Answer:
    """Bring a request to a server and its answer back, on a network where nothing happens."""
    body = request.body.encode() if isinstance(request.body, str) else request.body
    return server(request.method or "GET", request.url or "", request.headers, body)
