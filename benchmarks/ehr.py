"""An EHR for benchmarks: signs everyone in at once, keeps resources in memory, answers after a set time, counts calls.

    python -m benchmarks.ehr --port 9001 --delay 0.2 [--no-transactions]

The sandbox is the EHR to look at and to test with; this one costs next to nothing, so that what is measured is the app.
`GET /calls` returns how many requests came since the last time it was asked, and how many of them one after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import orjson
from joserfc import jwt
from joserfc.jwk import RSAKey

from benchmarks.wire import Head, head_of

KEY = RSAKey.generate_key(2048, auto_kid=True)
TYPES = ("Patient", "Practitioner", "QuestionnaireResponse", "Observation", "CarePlan", "Goal", "Task", "CareTeam")
NOT_FOUND = (404, {"resourceType": "OperationOutcome", "issue": []})
OURS = frozenset({"CarePlan", "Goal", "Observation", "QuestionnaireResponse", "Task"})


class Ehr:
    """What the EHR knows: resources by type and id, and how often it was asked."""

    def __init__(self, url: str, *, transactions: bool) -> None:
        self.url = url
        self.transactions = transactions
        self.calls = self.in_a_row = self.counts = 0
        self.resources: dict[str, dict[str, dict[str, object]]] = {type_: {} for type_ in TYPES}
        self.ids = itertools.count(1)

    def answer(self, head: Head, body: bytes) -> tuple[int, object]:
        """Answer one request: status and JSON."""
        address = urlsplit(head.target)
        match [head.method, *address.path.strip("/").split("/")]:
            case ["GET", "calls"]:
                counted = {"calls": self.calls, "in_a_row": self.in_a_row}
                self.calls, self.in_a_row, self.counts = 0, 0, self.counts + 1
                return 200, counted
            case ["GET", "fhir", ".well-known", "smart-configuration"]:
                return 200, self.configuration()
            case ["GET", "auth", "jwks"]:
                return 200, {"keys": [KEY.as_dict(private=False)]}
            case ["POST", "auth", "token"]:
                return 200, self.token(_pairs(body.decode()))
            case [method, "fhir", *path]:
                return self.fhir(method, path, _pairs(address.query), body)
        return NOT_FOUND

    def fhir(self, method: str, path: list[str], query: dict[str, str], body: bytes) -> tuple[int, object]:
        """Answer one request of the FHIR API."""
        match [method, *path]:
            case ["GET", type_]:
                return 200, self.metadata() if type_ == "metadata" else self.found(type_, query)
            case ["GET", type_, id_]:
                return self.read(type_, id_)
            case ["POST"]:
                return 200, self.bundle(orjson.loads(body))
            case ["POST", type_]:
                return 201, self.keep(type_, str(next(self.ids)), orjson.loads(body))
            case ["PUT", type_, id_]:
                return (200 if id_ in self.resources[type_] else 201), self.keep(type_, id_, orjson.loads(body))
        return NOT_FOUND

    def configuration(self) -> dict[str, object]:
        """Return the smart-configuration."""
        return {
            "issuer": f"{self.url}/auth",
            "authorization_endpoint": f"{self.url}/auth/authorize",
            "token_endpoint": f"{self.url}/auth/token",
            "jwks_uri": f"{self.url}/auth/jwks",
            "code_challenge_methods_supported": ["S256"],
        }

    def token(self, form: dict[str, str]) -> dict[str, object]:
        """Return tokens; the code says itself who signs in (see `people.py`)."""
        who = orjson.loads(urlsafe_b64decode(form["code"]))
        now = int(time.time())
        claims = {"iss": f"{self.url}/auth", "aud": "verstel", "sub": who["user"], "fhirUser": who["user"]}
        claims |= {"iat": now, "exp": now + 600, "nonce": who["nonce"]}
        return {
            "access_token": f"token-{next(self.ids)}",
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "openid fhirUser patient/*.cruds",
            "patient": who["patient"],
            "id_token": jwt.encode({"alg": "RS256", "kid": KEY.kid}, claims, KEY, algorithms=["RS256"]),
        }

    def metadata(self) -> dict[str, object]:
        """Return what this server takes."""
        codes = [{"code": code} for code in ("create", "read", "update", "search-type")]
        resources = [{"type": type_, "interaction": codes, "conditionalCreate": False} for type_ in TYPES]
        system = [{"code": "transaction"}] if self.transactions else []
        rest = [{"mode": "server", "interaction": system, "resource": resources}]
        return {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": rest}

    def found(self, type_: str, query: dict[str, str]) -> dict[str, object]:
        """Return what is about one patient, or has one identifier."""
        patient = (query.get("patient") or query.get("subject") or "").rpartition("/")[2]
        identifier = query.get("identifier", "").rpartition("|")[2]
        entries = [
            {"resource": resource}
            for resource in self.resources.get(type_, {}).values()
            if (not patient or patient in subjects(resource))
            and (not identifier or identifier in identifiers(resource))
        ]
        return {"resourceType": "Bundle", "type": "searchset", "entry": entries}

    def read(self, type_: str, id_: str) -> tuple[int, object]:
        """Return one resource; everyone who signs in exists."""
        if type_ in ("Patient", "Practitioner"):
            return 200, {"resourceType": type_, "id": id_, "name": [{"text": f"Persoon {id_}"}]}
        resource = self.resources.get(type_, {}).get(id_)
        return NOT_FOUND if resource is None else (200, resource)

    def keep(self, type_: str, id_: str, resource: dict[str, object]) -> dict[str, object]:
        """Keep a resource and return it as it is kept."""
        before = self.resources[type_].get(id_, {}).get("meta")
        version = int(before["versionId"]) + 1 if isinstance(before, dict) else 1
        kept = {**resource, "id": id_, "meta": {"versionId": str(version), "lastUpdated": "2026-01-01T00:00:00Z"}}
        self.resources[type_][id_] = kept
        return kept

    def bundle(self, bundle: dict[str, list[dict[str, dict[str, str]]]]) -> dict[str, object]:
        """Do a transaction: new addresses first, since its resources refer to each other by them."""
        text = orjson.dumps(bundle).decode()
        places: list[tuple[str, str]] = []
        for entry in bundle["entry"]:
            type_, _, id_ = entry["request"]["url"].partition("/")
            id_ = id_ or str(next(self.ids))
            places.append((type_, id_))
            if entry.get("fullUrl"):
                text = text.replace(str(entry["fullUrl"]), f"{type_}/{id_}")
        answers = []
        for (type_, id_), entry in zip(places, orjson.loads(text)["entry"], strict=True):
            kept = self.keep(type_, id_, entry["resource"])
            answers.append({"resource": kept, "response": {"status": "201", "location": f"{type_}/{id_}/_history/1"}})
        return {"resourceType": "Bundle", "type": "transaction-response", "entry": answers}


def _pairs(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


def subjects(resource: dict[str, object]) -> Iterator[str]:
    """Yield the ids that a resource names as its patient."""
    for member in ("subject", "for", "patient"):
        reference = resource.get(member)
        if isinstance(reference, dict):
            yield str(reference.get("reference", "")).rpartition("/")[2]


def identifiers(resource: dict[str, object]) -> list[object]:
    """Return the values of a resource's identifiers."""
    given = resource.get("identifier", [])
    return [one.get("value") for one in (given if isinstance(given, list) else [given]) if isinstance(one, dict)]


async def serve(port: int, delay: float, *, transactions: bool) -> None:
    """Serve until the process is ended."""
    ehr = Ehr(f"http://127.0.0.1:{port}", transactions=transactions)

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = head_of(await reader.readuntil(b"\r\n\r\n"))
                body = await reader.readexactly(int(head.headers.get("content-length", "0")))
                if head.target != "/calls":
                    # It waited for as many as were answered one after the other before it came.
                    place, count = ehr.in_a_row + 1, ehr.counts
                    await asyncio.sleep(delay)
                    ehr.calls += 1
                    # One that began before the last count, such as the courier's, waited for nothing in this one.
                    ehr.in_a_row = max(ehr.in_a_row, place if count == ehr.counts else 1)
                status, value = ehr.answer(head, body)
                writer.write(response(status, value))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", port)
    print(json.dumps({"listening": port}), flush=True)
    async with server:
        await server.serve_forever()


def response(status: int, value: object) -> bytes:
    """Return an HTTP answer with a JSON body; a resource brings its address and version."""
    body = orjson.dumps(value)
    lines = [f"HTTP/1.1 {status} OK", "Content-Type: application/fhir+json", f"Content-Length: {len(body)}"]
    if isinstance(value, dict) and value.get("resourceType") in OURS:
        lines.append(f'ETag: W/"{value["meta"]["versionId"]}"')
        lines.append(f"Location: {value['resourceType']}/{value['id']}/_history/{value['meta']['versionId']}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def main() -> None:
    """Read the options and serve."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--delay", type=float, default=0.0, help="seconds that every answer takes")
    options.add_argument("--no-transactions", action="store_true")
    chosen = options.parse_args()
    asyncio.run(serve(chosen.port, chosen.delay, transactions=not chosen.no_transactions))


if __name__ == "__main__":
    main()
