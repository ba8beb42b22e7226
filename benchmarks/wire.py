"""As much HTTP/1.1 as the benchmarks need, over asyncio streams: a client of a library would cost more than the app."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Head:
    """The first line and the headers of a message; names of headers in lower case, of a repeated one the last."""

    first: tuple[str, str, str]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]

    @property
    def method(self) -> str:
        """Return the method of a request."""
        return self.first[0]

    @property
    def target(self) -> str:
        """Return the address of a request, without the host."""
        return self.first[1]

    @property
    def status(self) -> int:
        """Return the status of an answer."""
        return int(self.first[1])


def head_of(text: bytes) -> Head:
    """Read what stands before the body."""
    first, *lines = text.decode("latin-1").rstrip("\r\n").split("\r\n")
    one, two, three = (*first.split(" ", 2), "", "")[:3]
    pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    set_ = [value.partition(";")[0].partition("=") for name, value in pairs if name == "set-cookie"]
    return Head((one, two, three), dict(pairs), {name: value for name, _, value in set_})


@dataclass(slots=True)
class Connection:
    """One keep-alive connection to a server on this machine, with the cookies of one browser."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> tuple[Head, str]:
        """Send one request and return its answer; a connection that the server closed meanwhile is opened anew."""
        body = urlencode(form or {}).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Accept: text/html"]
        lines += [f"Cookie: {'; '.join(f'{name}={value}' for name, value in self.cookies.items())}"]
        if method == "POST":
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
            lines += ["Sec-Fetch-Site: same-origin"]
        request = "\r\n".join([*lines, "", ""]).encode() + body
        reused = self._streams is not None
        try:
            head, text = await self._exchange(request)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.close()
            if not reused:
                raise
            head, text = await self._exchange(request)
        self.cookies.update(head.cookies)
        if head.headers.get("connection") == "close":
            self.close()
        return head, text

    async def _exchange(self, request: bytes) -> tuple[Head, str]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._streams
        writer.write(request)
        await writer.drain()
        head = head_of(await reader.readuntil(b"\r\n\r\n"))
        if head.headers.get("transfer-encoding") == "chunked":
            return head, (await _chunks(reader)).decode()
        return head, (await reader.readexactly(int(head.headers.get("content-length", "0")))).decode()

    def close(self) -> None:
        """Close the connection; the next request opens one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body
