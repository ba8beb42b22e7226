"""Requests that leave us: bounded as a whole, quiet in the log, and every accident is one error (attacks 2, 29, 35)."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import responses

from smartapp.fhir.http import MOST_LEVELS, OutboundError, Reply, ask
from smartapp.fhir.remote import RemoteStore
from smartapp.fhir.store import Unreachable

PERSON = [("patient", "secret-id")]
Answering = Callable[[socket.socket, threading.Event], None]


@contextlib.contextmanager
def server(answer: Answering) -> Iterator[str]:
    """One connection on this machine, answered as `answer` wants until the block ends."""
    left = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                answer(connection, left)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"
        finally:
            left.set()
            thread.join()


def dripping(begin: str) -> Answering:
    def answer(connection: socket.socket, left: threading.Event) -> None:
        connection.sendall(begin.encode())
        while not left.wait(0.02):
            connection.sendall(b"a")

    return answer


@pytest.mark.parametrize("begin", ["HTTP/1.1 ", "HTTP/1.1 200 OK\r\nX-Slow: "])
def test_attack_2_headers_that_come_byte_by_byte_are_left(monkeypatch, begin):
    """Each byte comes in time; together they would take for ever."""
    monkeypatch.setattr("smartapp.fhir.http.WHOLE_SECONDS", 0.2)
    with server(dripping(begin)) as url, pytest.raises(OutboundError, match="timeout"):
        ask("GET", url)


def test_a_connection_is_used_again_with_new_time(monkeypatch):
    """The time of one answer says nothing about the next one on the same connection."""
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    def twice(connection: socket.socket, _left: threading.Event) -> None:
        connection.sendall(body)
        connection.recv(65536)
        connection.sendall(body)

    with server(twice) as url:
        monkeypatch.setattr("smartapp.fhir.http.WHOLE_SECONDS", 0.2)
        assert ask("GET", url).json() == {}
        monkeypatch.setattr("smartapp.fhir.http.WHOLE_SECONDS", 30)
        assert ask("GET", url).json() == {}


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX-Patient: secret-name\r\nno header at all secret-name\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX-Patient: secret-name",
        b"secret-name",
    ],
    ids=["no header", "broken off", "no HTTP"],
)
def test_attack_29_an_answer_that_breaks_off_leaves_no_address_in_the_log(caplog, answer):
    caplog.set_level(logging.DEBUG)
    with (
        server(lambda connection, _left: connection.sendall(answer)) as url,
        contextlib.suppress(OutboundError),
    ):
        ask("GET", f"{url}/Task", params=PERSON)
    assert "secret" not in caplog.text
    assert logging.getLogger("urllib3.connectionpool").getEffectiveLevel() == logging.CRITICAL


def test_attack_29_an_error_quotes_no_address_either(caplog):
    """Whoever logs our error with its causes logs what the HTTP library says, which is the whole address."""
    with server(lambda connection, _left: connection.sendall(b"?")) as url:
        try:
            ask("GET", f"{url}/Task", params=PERSON)
        except OutboundError:
            logging.getLogger("test").exception("it failed")
    assert "it failed" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("token", ["a☃b", "a\nb", "\ud800"])
def test_attack_12_a_header_that_cannot_be_sent_is_an_error_like_any_other(token):
    with server(lambda _connection, _left: None) as url:
        with pytest.raises(OutboundError) as caught:
            ask("GET", url, headers={"Authorization": f"Bearer {token}"})
        assert caught.value.code in ("unsendable", "unreachable")
        with contextlib.suppress(OutboundError):  # lets the server end
            ask("GET", url)


@pytest.mark.parametrize("url", ["https://[::1", "https://a..b/", "https://ehr.example:99999/", "https://\ud800/"])
def test_an_address_that_is_none_is_an_error_like_any_other(url):
    with pytest.raises(OutboundError):
        ask("GET", url)


@pytest.mark.parametrize("pair", ["[]", ["{}"]], ids=["lists", "objects"])
def test_attack_35_json_that_is_nested_deeper_than_any_fhir_is_not_json(pair):
    def nested(levels: int) -> Reply:
        value: object = [] if pair == "[]" else {}
        for _ in range(levels - 1):
            value = [value] if pair == "[]" else {"item": value}
        return Reply(200, {}, json.dumps(value).encode())

    assert nested(MOST_LEVELS).json()
    for levels in (MOST_LEVELS + 1, 450, 900):
        with pytest.raises(OutboundError, match="not-json"):
            nested(levels).json()


def test_attack_35_a_record_that_is_nested_450_levels_deep_is_no_answer():
    item: dict = {"linkId": "1"}
    for _ in range(225):
        item = {"linkId": "1", "item": [item]}
    response = {"resourceType": "QuestionnaireResponse", "id": "1", "item": [item]}
    with responses.RequestsMock() as mock:
        mock.add("GET", "https://ehr.example/fhir/QuestionnaireResponse/1", json=response)
        with pytest.raises(Unreachable):
            RemoteStore("https://ehr.example/fhir").read("QuestionnaireResponse", "1")
