"""A conversation at each kind of EHR, over real HTTP: wherever it is kept, the next one opens with it."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime

import pytest
import requests

from smartapp.fhir.store import Query
from smartapp.sandbox.seeding import seed
from tests.conftest import Server, serve

WORDS = "Ik leg mijn telefoon om tien uur in de keuken."


class Screen:
    """One person with a browser, in one launch."""

    def __init__(self, server: Server, role: str) -> None:
        self.session = requests.Session()
        page = self.session.get(f"{server.url}/sandbox/launch?role={role}&patient=noor", timeout=20)
        self.home = re.match(r".*/l/[^/]+/", page.url)[0]

    def get(self, path: str) -> str:
        answer = self.session.get(self.home + path, timeout=20)
        assert answer.status_code == 200, (path, answer.status_code)
        return html.unescape(answer.text)

    def post(self, path: str, page: str, **fields: str) -> requests.Response:
        """Send a form as the page `page` has it, with these fields filled in."""
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
        return self.session.post(self.home + path, data={**hidden, **fields}, timeout=20)


@pytest.mark.parametrize(
    ("kind", "in_chart"),
    [
        ("full", {"QuestionnaireResponse", "Task"}),
        ("epic-like", set()),
        ("athena-like", {"QuestionnaireResponse"}),
        ("taskless", {"QuestionnaireResponse"}),
        ("read-only", set()),
    ],
)
def test_what_is_agreed_is_kept_and_the_next_conversation_opens_with_it(kind: str, in_chart: set[str]):
    for server in serve(kind):
        seed(server.sandbox, datetime.now(UTC), only=["noor"])
        before = held(server)
        joost = Screen(server, "clinician")
        page = joost.get("overview/together/discuss")
        joost.post("overview/together/discuss", page, **{"topic-1": "Mijn telefoon"})
        page = joost.get("overview/together/agree/1")
        answer = joost.post("overview/together/agree/1", page, **{"outcome-1": "agreed", "words-1": WORDS})
        said = {"Dit staat nu in het dossier.", "Dit is bewaard."}
        whole = in_chart == {"QuestionnaireResponse", "Task"}
        # Of what the EHR does not take, nobody says that it is in the record.
        assert {one for one in said if one in html.unescape(answer.text)} == (
            {"Dit staat nu in het dossier."} if whole else {"Dit is bewaard."}
        )
        assert {type_ for type_ in before if held(server)[type_] > before[type_]} == in_chart
        joost.post("overview/together/finish", joost.get("overview/together/report"))
        assert WORDS in joost.get("overview/together/")
        assert WORDS in Screen(server, "client").get("visits/")


def held(server: Server) -> dict[str, int]:
    """Return how many of each the EHR itself holds."""
    return {type_: len(server.sandbox.store.search(Query.of(type_))) for type_ in ("QuestionnaireResponse", "Task")}


def test_the_made_up_record_shows_its_medicines_and_what_was_agreed_last_time(server):
    joost = Screen(server, "clinician")
    assert "Ik lees in bed, en mijn telefoon blijft beneden." in joost.get("overview/together/")
    assert "Rustpil (verzonnen)" in joost.get("overview/together/medicines")
