"""A FHIR server that takes Observations, by the rules of FHIR's RESTful API, with faults where a test wants them.

`faults` are what goes wrong at one write after another: a status ("429/7" with `Retry-After`), or a word: "stored, then
nothing" and "stored, then half" (the answer gets lost), "kill" (the process that asks, after the write), "kill before".
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class ScoresServer:
    """The server; `stored` are its Observations in the order of their ids. `bad`: codes that it refuses.

    `silent`: how often it does not say yet what it does."""

    transaction: bool = True
    conditional: bool = True
    faults: list = field(default_factory=list)
    bad: set[str] = field(default_factory=set)
    stored: list[dict] = field(default_factory=list)
    writes: int = 0
    victim: int = 0
    silent: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> ScoresServer:
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"of": self}))
        self.http.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.http.server_port}/fhir"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def kill(self, process: int) -> None:
        """Say which process is killed where a fault says so."""
        self.victim = process

    def counts(self) -> Counter[str]:
        """How many Observations there are of each identifier."""
        return Counter(one["identifier"][0]["value"] for one in self.stored)

    def create(self, resource: dict, once: str) -> tuple[int, dict]:
        """Return 201 and what is stored now, or 200 and what was there."""
        same = [one for one in self.stored if once and f"identifier={_token(one)}" == once]
        if same:
            return 200, same[0]
        made = {**resource, "id": f"o{len(self.stored) + 1}", "meta": {"versionId": "1"}}
        self.stored.append(made)
        return 201, made


class _Handler(BaseHTTPRequestHandler):
    of: ScoresServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body at once: else each answer waits for the client's word that it got the head

    def log_message(self, *_arguments) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if self.path.endswith("/metadata"):
            if self.of.silent:
                self.of.silent -= 1
                return self._json(503, _outcome("starting"))
            return self._json(200, _statement(self.of))
        values = parse_qs(urlsplit(self.path).query)["identifier"][0].split(",")
        found = [{"resource": one} for one in self.of.stored if _token(one) in values]
        return self._json(200, {"resourceType": "Bundle", "type": "searchset", "entry": found})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.of.lock:
            self.of.writes += 1
            fault = self.of.faults.pop(0) if self.of.faults else None
            if fault == "kill before":
                os.kill(self.of.victim, signal.SIGKILL)
                return None
            if fault and str(fault)[0].isdigit():
                status, _, after = str(fault).partition("/")
                return self._json(int(status), _outcome("not now"), {"Retry-After": after} if after else {})
            status, answer = self._written(body)
        if fault == "kill":
            os.kill(self.of.victim, signal.SIGKILL)
        if fault in ("kill", "stored, then nothing"):
            self.close_connection = True
            self.connection.close()
            return None
        return self._json(status, answer, half=fault == "stored, then half")

    def _written(self, body: dict) -> tuple[int, dict]:
        if body["resourceType"] == "Observation":
            if _code(body) in self.of.bad:
                return 422, _outcome(f"{_code(body)} is not taken here")
            return self.of.create(body, self.headers.get("If-None-Exist", ""))
        bad = [_code(one["resource"]) for one in body["entry"] if _code(one["resource"]) in self.of.bad]
        if bad:
            return 422, _outcome(f"{bad[0]} is not taken here")
        made = [self.of.create(one["resource"], one["request"].get("ifNoneExist", "")) for one in body["entry"]]
        names = {one["fullUrl"]: f"Observation/{got['id']}" for one, (_, got) in zip(body["entry"], made, strict=True)}
        for _status, one in made:
            for member in one.get("hasMember", []):
                member["reference"] = names.get(member["reference"], member["reference"])
        entries = [{"resource": one, "response": {"status": str(status)}} for status, one in made]
        return 200, {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}

    def _json(self, status: int, body: dict, headers: dict | None = None, *, half: bool = False) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/fhir+json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if half else content)
        self.close_connection = self.close_connection or half


def _statement(server: ScoresServer) -> dict:
    row = {
        "type": "Observation",
        "interaction": [{"code": "create"}, {"code": "read"}, {"code": "search-type"}],
        "conditionalCreate": server.conditional,
        "searchParam": [{"name": "identifier", "type": "token"}],
    }
    rest = {"mode": "server", "resource": [row], "interaction": [{"code": "transaction"}] * server.transaction}
    return {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [rest]}


def _token(observation: dict) -> str:
    return f"{observation['identifier'][0]['system']}|{observation['identifier'][0]['value']}"


def _code(observation: dict) -> str:
    return observation["code"]["coding"][0]["code"]


def _outcome(text: str) -> dict:
    issue = {"severity": "error", "code": "processing", "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
