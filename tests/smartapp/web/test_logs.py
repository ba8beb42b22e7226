"""The text log says what happened, when (UTC) and on which route, and nothing that names a person."""

from __future__ import annotations

import json
import logging

import pytest

from smartapp.web import logs
from smartapp.web.logs import Json, NowAndThen, Text, set_up, told
from tests.smartapp.helpers import EHR, launched

MOMENT = 1_770_000_000.25  # 2026-02-02T02:40:00.25Z, by `date -u -d @1770000000`


def record(name: str, message: str, *args: object, error: BaseException | None = None, **more: object):
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord(name, logging.WARNING, __file__, 1, message, args, info)
    made.created = MOMENT
    for field, value in more.items():
        setattr(made, field, value)
    return made


def test_an_event_is_one_json_object_with_its_zone():
    line = Json().format(record("smartapp.x", "%s of\n%s", 1, 2, status=200, route="/l/<launch_id>/"))
    assert json.loads(line) == {
        "time": "2026-02-02T02:40:00.250+00:00",
        "level": "WARNING",
        "logger": "smartapp.x",
        "event": "1 of 2",  # a line break would begin another event
        "route": "/l/<launch_id>/",
        "status": 200,
    }


def test_an_event_is_one_line_of_text():
    line = Text().format(record("smartapp.x", "request", route="/start", status=303, ms=4))
    assert line == "2026-02-02T02:40:00.250+00:00 WARNING smartapp.x: request route=/start status=303 ms=4"


@pytest.mark.parametrize(
    ("name", "message", "args"),
    [
        ("urllib3.connection", "Failed to parse headers (url=%s): %s", ("http://ehr/Task?patient=anna", "x")),
        ("waitress", "Exception while serving /l/secret-launch/", ()),
        ("some.library", "Anna Voorbeeld is here", ()),
    ],
)
def test_attack_29_what_other_libraries_say_is_not_repeated(name, message, args):
    line = Json().format(record(name, message, *args))
    assert json.loads(line)["event"] == "(message withheld)"
    assert not any(word in line for word in ("anna", "Anna", "secret"))


def test_that_connections_have_run_out_is_repeated():
    said = "total open connections reached the connection limit, no longer accepting new connections"
    assert told(record("waitress", said))["event"] == said


def test_what_is_said_again_and_again_is_let_through_now_and_then():
    heard = NowAndThen(10)
    moments = (0, 1, 9.9, 10, 19, 21, 5)  # the last by a clock that was set back
    made = [record("waitress.queue", "Task queue depth is 1") for _moment in moments]
    for one, moment in zip(made, moments, strict=True):
        one.created = MOMENT + moment
    assert [heard.filter(one) for one in made] == [True, False, False, True, False, True, True]


def test_that_requests_wait_is_not_said_at_each_of_them(monkeypatch, capsys):
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.root.level)  # put back afterwards
    monkeypatch.setattr(logs._NOW_AND_THEN, "_last", 0.0)
    set_up("text")
    for depth in range(3):
        logging.getLogger("waitress.queue").warning("Task queue depth is %d", depth)
    assert capsys.readouterr().err.count("Task queue depth") == 1


def test_attack_29_of_an_error_the_place_is_told_and_not_the_message():
    try:
        int("mijn lange verhaal")
    except ValueError as error:
        line = Text().format(record("smartapp.x", "unforeseen", error=error))
    assert "verhaal" not in line
    assert "error=ValueError at=test_attack_29_of_an_error_the_place_is_told_and_not_the_message (test_logs.py:" in line


def test_a_request_is_one_event_with_its_route_and_a_page_of_nobody_has_none(app, caplog):
    with caplog.at_level(logging.INFO, "smartapp.web.logs"):
        anna = launched(app)
        anna.get("scores/?from=elsewhere")
        app.test_client().get("/no/such/page")
        app.test_client().get("/healthz")
    events = [told(entry) for entry in caplog.records if entry.message == "request"]
    seen = [(event["method"], event["route"], event["status"]) for event in events]
    assert seen == [("GET", "/l/<launch_id>/scores/", 200), ("GET", "none", 404)]
    assert all(event["ms"] >= 0 for event in events)
    assert anna.launch.id not in str(events)


def test_all_events_of_one_request_have_one_id(app, caplog):
    heard: list[str] = []

    class Hearing(logging.Handler):
        def emit(self, entry: logging.LogRecord) -> None:
            heard.append(told(entry).get("request_id", ""))

    handler, logger = Hearing(), logging.getLogger("smartapp")
    logger.addHandler(handler)
    try:
        with caplog.at_level(logging.INFO, "smartapp"):
            app.test_client().get(f"/launch?iss={EHR}x&launch=y")
    finally:
        logger.removeHandler(handler)
    assert len(heard) >= 2
    assert len(set(heard)) == 1
    assert heard[0]


def test_what_is_never_repeated_and_always_said_is_not_logged_at_all(monkeypatch):
    """Alembic says two sentences at each start; "(message withheld)" twice looks as if something were hidden."""
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.root.level)  # put back afterwards
    set_up("text")
    assert not logging.getLogger("alembic.runtime.migration").isEnabledFor(logging.INFO)
