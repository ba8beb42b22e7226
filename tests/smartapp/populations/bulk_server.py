"""A server of FHIR Bulk Data Access, written from its specification: real HTTP, with faults where a test wants them.

`expires`: in how many seconds, or the header itself; with `renews` each asking gives other addresses.
`faults[step]` is what goes wrong at a step, one after another; then all goes well. Steps: token, kick-off, poll, file,
delete. A fault is a status, a status with `Retry-After` ("429/7"), or a word that `_Handler` knows.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

DAY = 86_400


@dataclass
class Held:
    """One file that the server exports."""

    kind: str
    type: str
    content: bytes
    count: int | None = None


@dataclass
class BulkServer:
    """The server; `asked` are the requests that it got, as (method, path, headers)."""

    files: list[Held] = field(default_factory=list)
    faults: dict[str, list] = field(default_factory=lambda: defaultdict(list))
    asked: list[tuple[str, str, dict]] = field(default_factory=list)
    jobs: int = 0
    ended: set[int] = field(default_factory=set)
    tags: bool = True
    packed: bool = False
    requires_token: bool = True
    elsewhere: str = ""
    token_uses: int = 10**9
    tokens: dict[str, int] = field(default_factory=dict)
    renewed: int = 0
    expired_below: int = 0
    pages: bool = False
    expires: int | str = ""
    renews: bool = False
    kill_in: int = 0
    victim: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> BulkServer:
        handler = type("Handler", (_Handler,), {"of": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self.http.server_port}"
        self.base = f"{self.origin}/fhir"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def kill(self, process: int) -> None:
        """Say which process is killed when the time has come."""
        self.victim = process

    def kills(self) -> bool:
        """Tell whether this request is the one at which the process that asks is killed."""
        with self.lock:
            self.kill_in -= 1
            return self.kill_in == 0

    def paths(self, begin: str) -> list[str]:
        return [path for _method, path, _headers in self.asked if urlsplit(path).path.startswith(begin)]

    def manifest(self, job: int, page: int = 1) -> dict:
        """The list of files; their addresses are renewed at each asking if the test says so."""
        shown: dict[str, list] = {"output": [], "deleted": [], "error": []}
        for number, held in enumerate(self.files):
            if self.pages and (number >= 1) != (page == 2):
                continue
            url = f"{self.elsewhere or self.origin}/files/{job}/{number}?signed={self.renewed}"
            one = {"type": held.type, "url": url}
            shown[held.kind].append(one if held.count is None else {**one, "count": held.count})
        link = [{"relation": "next", "url": f"{self.base}/poll/{job}?page=2"}] if self.pages and page == 1 else []
        return {
            "transactionTime": f"2026-11-28T10:00:0{job}Z",
            "request": f"{self.base}/Patient/$export",
            "requiresAccessToken": self.requires_token,
            **shown,
            "link": link,
        }


class _Handler(BaseHTTPRequestHandler):
    of: BulkServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body at once: else each answer waits for the client's word that it got the head

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate((timestamp or time.time()) - DAY, usegmt=True)

    def log_message(self, *_arguments) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self._failed("token"):
            with self.of.lock:
                token = f"token{len(self.of.tokens) + 1}"
                self.of.tokens[token] = self.of.token_uses
            self._json(200, {"access_token": token, "token_type": "bearer", "expires_in": 300})

    def do_DELETE(self) -> None:
        if not self._known() or self._failed("delete"):
            return
        self.of.ended.add(int(self.path.split("/")[3].partition("?")[0]))
        self._answer(202, b"")

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.endswith("/smart-configuration"):
            self._json(200, {"token_endpoint": f"{self.of.origin}/token"})
        elif path.endswith("/$export"):
            self._kick_off()
        elif path.startswith("/fhir/poll/"):
            self._poll(int(path.rpartition("/")[2]))
        else:
            self._file(path)

    def _kick_off(self) -> None:
        if not self._known() or self._failed("kick-off"):
            return
        if self.headers["Prefer"] != "respond-async" or self.headers["Accept"] != "application/fhir+json":
            self._json(400, _outcome("Prefer: respond-async and Accept: application/fhir+json are required"))
            return
        with self.of.lock:
            self.of.jobs += 1
        self._answer(202, b"", {"Content-Location": f"{self.of.base}/poll/{self.of.jobs}"})

    def _poll(self, job: int) -> None:
        if not self._known() or self._failed("poll"):
            return
        if job in self.of.ended:
            self._json(404, _outcome("there is no such job"))
            return
        page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
        self.of.renewed += self.of.renews
        told = self.of.expires
        if isinstance(told, int):  # by a clock that is a day behind, as its own Date is
            told = formatdate(time.time() - DAY + told, usegmt=True)
        headers = {"Expires": told} if told else {}
        self._json(200, self.of.manifest(job, page), kind="application/json", headers=headers)

    def _file(self, path: str) -> None:
        if self.of.requires_token and not self.of.elsewhere and not self._known():
            return None
        with self.of.lock:
            self.of.asked.append(("GET", self.path, dict(self.headers)))
            fault = self.of.faults["file"].pop(0) if self.of.faults["file"] else None
        job, number = (int(part) for part in path.split("/")[2:4])
        signed = int(parse_qs(urlsplit(self.path).query)["signed"][0])
        if job <= self.of.expired_below or fault == "renew":
            self.of.renewed += fault == "renew"
            return self._json(403, _outcome("the link has expired"))
        if signed != self.of.renewed:
            return self._json(403, _outcome("the link has expired"))
        content = self.of.files[number].content
        headers = {"Content-Type": "application/fhir+ndjson"}
        if self.of.packed:
            content = gzip.compress(content, mtime=0)
            headers["Content-Encoding"] = "gzip"
            if fault == "damaged":
                content = content[:-6]  # within the check sum at its end
        if self.of.tags:
            headers["ETag"] = f'"{job}-{number}-{fault == "changed"}"'
        if fault == "outcome":
            return self._json(200, _outcome("out of order"))
        if fault is not None and fault not in ("cut", "changed", "damaged"):
            return self._fail(fault)
        begin, status = 0, 200
        wanted = self.headers.get("Range", "")
        if wanted and self.of.tags and self.headers.get("If-Range") == headers["ETag"]:
            begin, status = int(wanted.removeprefix("bytes=").rstrip("-")), 206
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        body = content[begin:]
        self._answer(status, body, headers, cut=fault == "cut")
        return None

    def _known(self) -> bool:
        """Note the request, and tell whether its token is one of ours and still good."""
        with self.of.lock:
            if not urlsplit(self.path).path.startswith("/files/"):
                self.of.asked.append((self.command, self.path, dict(self.headers)))
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            if self.of.tokens.get(token, 0) > 0:
                self.of.tokens[token] -= 1
                return True
        self._json(401, _outcome("the token is over"))
        return False

    def _failed(self, step: str) -> bool:
        with self.of.lock:
            fault = self.of.faults[step].pop(0) if self.of.faults[step] else None
        if fault is None:
            return False
        self._fail(fault)
        return True

    def _fail(self, fault) -> None:
        if fault == "hang up":
            self.close_connection = True
            self.connection.close()
        elif fault == "outcome":
            self._json(200, _outcome("out of order"))
        else:
            status, _, after = str(fault).partition("/")
            headers = {"Retry-After": after} if after else {}
            self._json(int(status), _outcome("not now"), headers=headers)

    def _json(self, status: int, body, *, kind: str = "application/fhir+json", headers=None) -> None:
        self._answer(status, json.dumps(body).encode(), {"Content-Type": kind, **(headers or {})})

    def _answer(self, status: int, body: bytes, headers=None, *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if kills := self.of.kills():
            cut = True
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if kills:
            self.wfile.flush()
            os.kill(self.of.victim, signal.SIGKILL)
        if cut:
            self.wfile.flush()
            self.close_connection = True


def _outcome(text: str) -> dict:
    issue = {"severity": "error", "code": "exception", "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
