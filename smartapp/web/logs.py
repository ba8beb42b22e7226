"""The text log: one line per event, in text or JSON, with nothing in it that names a person.

What another library says is repeated only where its sentence is known to hold no address and no name: urllib3 writes
whole URLs into its warnings, and waitress the path of a page. What it was, and when, is told in any case.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import secrets
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, g, has_request_context, request

log = logging.getLogger(__name__)

OURS: Final = ("smartapp", "mappers", "questionnaires", "fhir_profiles")
KNOWN: Final = ("total open connections reached", "total open connections dropped", "Task queue depth is")
"""How the sentences of others begin that may be repeated."""
_FIELDS: Final = ("method", "route", "status", "ms", "request_id")
_QUIET: Final = frozenset({"health.healthz", "health.readyz", "components.static"})
"""Asked all day long, and no one asks about them afterwards."""


def init_logs(app: Flask) -> None:
    """Write one line per request: the route as a template, never the address."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()
        g.request_id = secrets.token_hex(6)

    @app.after_request
    def tell(response: Response) -> Response:
        if request.endpoint not in _QUIET:
            took = round(1000 * seconds_so_far())
            known = {"method": request.method, "route": route(), "status": response.status_code, "ms": took}
            log.info("request", extra=known)
        return response


def route() -> str:
    """Return the template of the address of this request, such as `/l/<launch_id>/plan/`; "none" for no page."""
    return request.url_rule.rule if request.url_rule is not None else "none"


def seconds_so_far() -> float:
    """Return how long this request has taken."""
    began: float = g.get("began", time.perf_counter())
    return time.perf_counter() - began


def set_up(form: str) -> None:
    """Send every event to standard error, as `form`: "text" or "json"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if form == "json" else Text())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # Said at each request that has to wait, and with everybody waiting until it is said.
    logging.getLogger("waitress.queue").addFilter(_NOW_AND_THEN)
    # Two lines at each start, of which nothing may be repeated: they would only look as if something were hidden.
    logging.getLogger("alembic").setLevel(logging.WARNING)


class NowAndThen(logging.Filter):
    """Lets one event through, and the next one after `seconds`."""

    def __init__(self, seconds: float = 10.0) -> None:
        super().__init__()
        self._seconds = seconds
        self._last = -seconds

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether it is time to say something again."""
        if not 0 <= record.created - self._last < self._seconds:
            self._last = record.created
            return True
        return False


_NOW_AND_THEN: Final = NowAndThen()


class Text(logging.Formatter):
    """An event as a line to read."""

    def format(self, record: logging.LogRecord) -> str:
        """Return time, level, logger and event, then the fields as `name=value`."""
        event = told(record)
        head = f"{event.pop('time')} {event.pop('level')} {event.pop('logger')}: {event.pop('event')}"
        return " ".join([head, *(f"{name}={value}" for name, value in event.items())])


class Json(logging.Formatter):
    """An event as a JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the event with all its fields."""
        return json.dumps(told(record), ensure_ascii=False)


def told(record: logging.LogRecord) -> dict[str, Any]:
    """Return what is told of an event: time (UTC), level, logger, event, and the fields that it has."""
    event: dict[str, Any] = {
        "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "event": _sentence(record),
    }
    event |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
    if has_request_context() and g.get("request_id"):
        event["request_id"] = g.request_id
    if record.exc_info and record.exc_info[0] is not None:
        event["error"] = record.exc_info[0].__name__
        event["at"] = _frames(record)
    return event


def _sentence(record: logging.LogRecord) -> str:
    sentence = record.getMessage()
    ours = record.name.partition(".")[0] in OURS
    # A line break would begin what looks like another event.
    return " ".join(sentence.split()) if ours or sentence.startswith(KNOWN) else "(message withheld)"


def _frames(record: logging.LogRecord) -> str:
    """Return where an error came from, innermost first; its message may quote what someone typed, so it is left out."""
    assert record.exc_info is not None  # noqa: S101  (the caller looked)
    frames = reversed(traceback.extract_tb(record.exc_info[2]))
    return " < ".join(f"{frame.name} ({Path(frame.filename).name}:{frame.lineno})" for frame in frames)
