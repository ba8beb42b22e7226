"""A page costs at most two sequential round trips to the EHR, whatever it shows: what can be asked together, is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
import requests

from smartapp.sandbox.seeding import seed
from tests.conftest import Server, serve

# Seconds that an EHR somewhere else takes. Questions asked together overlap; questions that wait for each other cannot.
# On a busy machine a thread may begin so late that its question comes after the first answer, but the longer answers
# take, the less so. The other way round nothing is hidden: questions that wait for each other do so at any latency.
LATENCIES = (0.1, 0.5, 2.0)
# What these pages show we keep ourselves: the draft, and the log.
OUR_OWN = ("questionnaires/hoop/questions/hoop-01", "who-looked/", "links/", "reminders/", "sharing/domain.meaning")


@dataclass
class FarAway:
    """A WSGI app whose FHIR answers take their time; keeps when each began and ended."""

    app: WSGIApplication
    latency: float = 0
    asked: list[tuple[float, float, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        path = environ["PATH_INFO"]
        if not path.startswith("/sandbox/fhir"):
            return self.app(environ, start_response)
        began = time.monotonic()
        time.sleep(self.latency)
        answer = self.app(environ, start_response)
        with self.lock:
            self.asked.append((began, time.monotonic(), f"{environ['REQUEST_METHOD']} {path}"))
        return answer

    def rounds(self) -> list[list[str]]:
        """Return the questions in rounds: a round is what began before the first answer to it was there."""
        rounds: list[list[str]] = []
        first_answer = 0.0
        for began, ended, what in sorted(self.asked):
            if not rounds or began >= first_answer:
                rounds.append([])
                first_answer = ended
            rounds[-1].append(what)
            first_answer = min(first_answer, ended)
        return rounds


@pytest.fixture(scope="module")
def far() -> Iterator[tuple[Server, FarAway]]:
    for server in serve():
        seed(server.sandbox, datetime.now(UTC))
        # waitress holds the Flask app itself, which asks its wsgi_app at each request.
        away = FarAway(server.app.wsgi_app)
        server.app.wsgi_app = away  # type: ignore[method-assign]
        yield server, away


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("client", ""),
        ("client", "plan/"),
        ("client", "living/story/story/"),
        ("client", "living/"),
        ("client", "living/staying-well/"),
        ("client", "living/staying-well/all/"),
        ("client", "living/staying-well/triggers/new"),
        ("client", "living/staying-well/earlier"),
        ("client", "phase/"),
        ("client", "people/"),
        ("client", "people/new/"),
        ("client", "people/new/RelatedPerson/mila/"),
        ("client", "scores/"),
        ("client", "scores/nel/"),
        ("client", "questionnaires/"),
        ("client", "questionnaires/hoop/"),
        ("client", "questionnaires/hoop/questions/hoop-01"),
        ("client", "who-looked/"),
        ("client", "plan/history"),
        ("client", "visits/"),
        ("clinician", "overview/"),
        ("clinician", "overview/plan"),
        ("clinician", "living/staying-well/"),
        ("clinician", "scores/"),
        ("clinician", "overview/together/"),
        ("clinician", "overview/together/now"),
        ("clinician", "overview/together/medicines"),
        ("clinician", "overview/together/discuss"),
        ("clinician", "overview/together/report"),
        ("clinician", "assignments/"),
        ("clinician", "assignments/new"),
        ("clinician", "course/"),
        ("client", "course/"),
        ("client", "sharing/"),
        ("client", "sharing/domain.meaning"),
        ("client", "take-along/"),
        ("client", "links/"),
        ("client", "reminders/"),
        ("clinician&user=Practitioner/fatiha-amrani", "overview/"),
        ("clinician&user=Practitioner/ruben-kartosen", "overview/"),
        ("loved-one&user=RelatedPerson/mila", "loved-one/"),
    ],
)
def test_page_takes_at_most_two_round_trips(far: tuple[Server, FarAway], role: str, path: str) -> None:
    server, away = far
    away.latency = 0  # the sign-in is not what is measured
    with requests.Session() as browser:
        home = browser.get(f"{server.url}/sandbox/launch?role={role}&patient=noor", timeout=30).url
        root = home[: home.index("/", home.index("/l/") + 3) + 1]
        for away.latency in LATENCIES:
            away.asked.clear()
            assert browser.get(f"{root}{path}", timeout=60).ok
            rounds = away.rounds()
            if len(rounds) <= 2:
                break
    assert bool(rounds) == (path not in OUR_OWN)
    assert len(rounds) <= 2, rounds


def test_questions_that_wait_for_each_other_are_two_rounds() -> None:
    """The counting can fail: of three questions, two together and one after them make two rounds."""
    away = FarAway(lambda _environ, _start: [])
    away.asked = [(0.0, 0.2, "a"), (0.01, 0.25, "b"), (0.3, 0.5, "c")]
    assert away.rounds() == [["a", "b"], ["c"]]
