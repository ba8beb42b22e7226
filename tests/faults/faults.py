"""What can happen to a request: each fault by its name, as a way that the request travels."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import orjson
import requests

from tests.faults.model_ehr import Answer
from tests.faults.network import Server, ask

OTHER_ID: Final = "other"
"""The id that a server gives by mistake, of which it knows nothing afterwards."""
HTML = b"<!doctype html><title>Maintenance</title><h1>Back at nine</h1>"


@dataclass(frozen=True)
class Trip:
    """One request on its way: its server, what makes time pass, and the chance of this trip."""

    request: requests.PreparedRequest
    server: Server
    wait: Callable[[float], None]
    chance: random.Random

    def whole(self) -> Answer:
        """Bring the request there and the answer back."""
        return ask(self.server, self.request)

    @property
    def writes(self) -> bool:
        """Tell whether this request is meant to change something."""
        return self.request.method in ("POST", "PUT") and not (self.request.url or "").endswith(("_search", "token"))


Fault = Callable[[Trip], Answer]


def _drop_before(trip: Trip) -> Answer:
    raise requests.ConnectionError("the connection was refused", request=trip.request)


def _drop_after(trip: Trip) -> Answer:
    trip.whole()
    raise requests.ConnectionError("the connection broke", request=trip.request)


def _silence(trip: Trip) -> Answer:
    trip.wait(10)
    raise requests.ReadTimeout("no answer", request=trip.request)


def _silence_after(trip: Trip) -> Answer:
    trip.whole()
    trip.wait(10)
    raise requests.ReadTimeout("no answer", request=trip.request)


def _delay(trip: Trip) -> Answer:
    trip.wait(trip.chance.uniform(1, 9))
    return trip.whole()


def _late(trip: Trip) -> Answer:
    answer = trip.whole()
    trip.wait(trip.chance.uniform(1, 9))
    return answer


def _error_before(trip: Trip) -> Answer:
    return _outcome(trip.chance.choice((500, 502, 503)))


def _error_after(trip: Trip) -> Answer:
    trip.whole()
    return _outcome(trip.chance.choice((500, 502, 504)))


def _status(status: int, **headers: str) -> Fault:
    return lambda _trip: _outcome(status, headers)


def _busy(trip: Trip) -> Answer:
    return _outcome(429, {"Retry-After": str(trip.chance.choice((3, 30, 120)))})


def _html(_trip: Trip) -> Answer:
    return Answer(200, HTML, {"Content-Type": "text/html"})


def _html_after(trip: Trip) -> Answer:
    trip.whole()
    return Answer(200, HTML, {"Content-Type": "text/html"})


def _truncated(trip: Trip) -> Answer:
    answer = trip.whole()
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def _empty(trip: Trip) -> Answer:
    answer = trip.whole()
    return Answer(answer.status)


def _redirect(_trip: Trip) -> Answer:
    return Answer(302, b"", {"Location": "https://login.example/"})


def _wrong_resource(trip: Trip) -> Answer:
    trip.whole()
    return _json(200, {"resourceType": "Basic", "id": "b1", "code": {"text": "something else"}})


def _other_id(trip: Trip) -> Answer:
    return _bent(trip, lambda resource: {**resource, "id": OTHER_ID})


def _other_person(trip: Trip) -> Answer:
    names = ("subject", "for")
    return _bent(
        trip, lambda one: {**one, **{name: {"reference": "Patient/stranger"} for name in names if name in one}}
    )


def _bent(trip: Trip, bend: Callable[[dict[str, object]], dict[str, object]]) -> Answer:
    """Return the answer with the resource in it, or each of those in its Bundle, as another one."""
    answer = trip.whole()
    try:
        content = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return answer
    if content.get("resourceType") == "Bundle":
        for entry in content.get("entry", []):
            if "resource" in entry:
                entry["resource"] = bend(entry["resource"])
    elif "resourceType" in content:
        content = bend(content)
    return replace(answer, body=orjson.dumps(content))


def _outcome(status: int, headers: Mapping[str, str] = MappingProxyType({})) -> Answer:
    issue = {"severity": "error", "code": "transient", "diagnostics": f"made up: {status}"}
    return _json(status, {"resourceType": "OperationOutcome", "issue": [issue]}, headers)


def _json(status: int, content: object, headers: Mapping[str, str] = MappingProxyType({})) -> Answer:
    return Answer(status, orjson.dumps(content), {"Content-Type": "application/fhir+json", **headers})


FAULTS: Final[Mapping[str, Fault]] = {
    "drop-before": _drop_before,
    "drop-after": _drop_after,
    "silence": _silence,
    "silence-after": _silence_after,
    "delay": _delay,
    "late": _late,
    "5xx-before": _error_before,
    "5xx-after": _error_after,
    "409": _status(409),
    "412": _status(412),
    "429": _busy,
    "401": _status(401),
    "403": _status(403),
    "422": _status(422),
    "html-200": _html,
    "html-200-after": _html_after,
    "truncated": _truncated,
    "empty": _empty,
    "redirect": _redirect,
    "wrong-resource": _wrong_resource,
    "other-id": _other_id,
    "other-person": _other_person,
}

PLANNED: Final[Mapping[str, Fault]] = {**FAULTS, "400": _status(400)}
"""Those that a told story may name as well. No history draws them, so that each seed stays what it was."""

REFUSALS: Final = frozenset({"403", "422"})
"""Faults with which a server says that it does not take this: what was meant for it may go elsewhere."""
