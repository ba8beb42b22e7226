"""Marking at each kind of EHR, over real HTTP: wherever it is kept, the client and the clinician read it back."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from urllib.parse import urljoin

import pytest
import requests

from mappers.phase import history_of
from smartapp.fhir.store import Query
from smartapp.sandbox.seeding import seed
from tests.conftest import Server, serve

WORDS = "Vandaag lukt het, met hulp van Mila."


class Person:
    """One person with a browser, in one launch."""

    def __init__(self, server: Server, role: str) -> None:
        self.session = requests.Session()
        page = self.session.get(f"{server.url}/sandbox/launch?role={role}&patient=noor", timeout=20)
        self.home = re.match(r".*/l/[^/]+/", page.url)[0]

    def get(self, path: str) -> str:
        answer = self.session.get(self.home + path, timeout=20)
        assert answer.status_code == 200, (path, answer.status_code)
        return html.unescape(answer.text)

    def post(self, path: str, form: str, **fields: str) -> str:
        """Send a form, given as its source, with these fields filled in; return the page after it."""
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
        answer = self.session.post(path, data={**hidden, **fields}, timeout=20)
        assert answer.status_code == 200, (path, answer.status_code)
        return html.unescape(answer.text)


@pytest.mark.parametrize(
    ("kind", "in_chart"),
    [
        ("full", True),
        ("oracle-like", False),
        ("epic-like", False),
        ("athena-like", False),
        ("taskless", True),
        ("read-only", False),
    ],
)
def test_what_is_marked_is_kept_read_and_taken_away(kind: str, in_chart: bool):
    for server in serve(kind):
        seed(server.sandbox, datetime.now(UTC), only=["noor"])
        before = held(server)
        noor = Person(server, "client")
        saved = noor.post(f"{noor.home}phase/", noor.get("phase/"), phase="living-with", words=WORDS)
        assert "Wat je koos, is bewaard." in saved
        assert held(server) == before + in_chart
        newest = saved.partition("Wat je eerder koos")[2].partition("</li>")[0]
        assert WORDS in newest
        joost = Person(server, "clinician")
        assert "Ik leef ermee" in joost.get("overview/")
        assert WORDS in joost.get("overview/plan")
        assert WORDS in joost.get("overview/together/now")
        address = re.search(r'action="([^"]*/remove)"', newest)[1]
        after = noor.post(urljoin(noor.home, address), newest)
        assert WORDS not in after
        assert WORDS not in joost.get("overview/plan")
        back = re.search(r'<form method="post" action="([^"]*/back)".*?</form>', after, re.DOTALL)
        assert WORDS in noor.post(urljoin(noor.home, back[1]), back[0])
        assert held(server) == before + in_chart


def held(server: Server) -> int:
    """Return how many markings the EHR itself shows."""
    return len(history_of(one.resource for one in server.sandbox.store.search(Query.of("Observation"))))


def test_the_made_up_person_has_marked_three_times_in_two_years_back_and_forth(server):
    found = history_of(
        one.resource for one in server.sandbox.store.search(Query.of("Observation", patient="Patient/noor"))
    )
    assert [one.phase for one in found] == ["struggling", "living-with", "struggling"]
    first, last = (datetime.fromisoformat(found[at].marked_on) for at in (-1, 0))
    assert 600 < (last - first).days < 731
    assert "Noor Achterberg zegt zelf:" in Person(server, "clinician").get("overview/")
