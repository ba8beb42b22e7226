"""Connections whose whole answer has its time, headers included.

The time-out of a socket starts anew with every byte. A server that sends one header byte in nine seconds would hold
the one who asks for hours, as the HTTP library waits for the whole head before it returns.
"""

from __future__ import annotations

import io
import socket
import time
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any

import requests
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

UNTIL: ContextVar[float] = ContextVar("until")
"""The moment, by the monotonic clock, at which the answer that this thread waits for must be there as a whole."""


class _InTime(io.RawIOBase):
    """What comes in over a socket, read with the time that is left."""

    def __init__(self, stream: io.BufferedReader, connection: socket.socket, until: float) -> None:
        self._stream = stream
        self._connection = connection
        self._until = until
        self._each = connection.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the whole answer took too long")
        self._connection.settimeout(left if self._each is None else min(left, self._each))
        return self._stream.raw.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(_InTime(self.fp, sock, UNTIL.get()))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class InTimeAdapter(requests.adapters.HTTPAdapter):
    """Asks over such connections, through a proxy too."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        """Return the pools of connections through a proxy."""
        manager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


_POOLS = {"http": _Pool, "https": _SecurePool}
