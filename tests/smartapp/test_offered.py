"""No page offers what its reader is refused: every link and form that a role meets leads somewhere for that role."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from urllib.parse import urldefrag, urlsplit

import pytest
import requests

from smartapp.access import table
from smartapp.services import KEY
from smartapp.web import with_client

MOST_OF_ONE = 2
"""Pages of one kind that are looked at: they differ in words, not in what they offer."""
WAYS = {
    "clinician": "role=clinician&patient=noor",
    "case-manager": "role=clinician&patient=iwan",
    "responsible": "role=clinician&patient=noor&user=Practitioner/hanna-de-wit",
    "peer-worker": "role=clinician&patient=noor&user=Practitioner/fatiha-amrani",
    "outside": "role=clinician&patient=noor&user=Practitioner/ruben-kartosen",
    "loved-one": "role=loved-one&patient=noor&user=RelatedPerson/mila",
    "representative": "role=loved-one&patient=kees&user=RelatedPerson/wilma",
}


class Reader:
    """Somebody who follows every link of every page, as far as pages differ."""

    def __init__(self, server, query: str) -> None:
        self.server, self.browser = server, requests.Session()
        self.urls = server.app.url_map.bind(urlsplit(server.url).netloc)
        first = self.browser.get(f"{server.url}/sandbox/launch?{query}", timeout=30)
        assert first.status_code == 200
        self.launch = server.app.extensions[KEY].launches.get(first.url.split("/l/")[1].split("/")[0])
        self.first = urlsplit(first.url).path

    def come(self, path: str) -> str:
        page = self.browser.get(f"{self.server.url}{path}", timeout=30)
        assert page.status_code != 403, f"{path} is offered and refused"
        return page.text if "text/html" in page.headers.get("Content-Type", "") else ""

    def press(self, page: str, path: str, **fields: str) -> None:
        """Send a form of this launch with the hidden fields that a page has."""
        hidden = dict(re.findall(r'<input type="hidden" name="(_\w+)" value="([^"]*)"', page))
        sent = self.browser.post(f"{self.server.url}{path}", {**hidden, **fields}, timeout=30)
        assert sent.status_code == 200, sent.text

    def goes_round(self, *, together: bool = False) -> set[str]:
        """Follow what is offered from the first page on; return the endpoints of the pages that were met."""
        role, access, met = self.launch.user.role, table(), Counter()
        waiting, seen = [self.first], {self.first}
        while waiting:
            path = waiting.pop(0)
            endpoint, _values = self.urls.match(urlsplit(path).path, method="GET")
            met[endpoint] += 1
            if met[endpoint] > MOST_OF_ONE:
                continue
            text = self.come(path)
            for action in re.findall(r'<form[^>]* action="([^"]+)"', text):
                if action.startswith("/l/"):
                    name, _values = self.urls.match(urlsplit(unescape(action)).path, method="POST")
                    may = access.may(role, name, "POST") or (together and access.may_together(role, name))
                    assert may, f"{path} has a form for {name}, which is refused"
            for href in re.findall(r'href="(/l/[^"]+)"', text):
                link = urldefrag(unescape(href)).url
                blueprint = self.urls.match(urlsplit(link).path, method="GET")[0].partition(".")[0]
                # Who opens a page that is no part of writing together has left it.
                if link not in seen and (not together or blueprint in with_client._PAGES):
                    seen.add(link)
                    waiting.append(link)
        return set(met)


@pytest.mark.parametrize("role", WAYS)
def test_no_page_offers_what_its_reader_is_refused(server, role):
    reader = Reader(server, WAYS[role])
    assert reader.launch.user.role == role
    met = reader.goes_round()
    assert "help.index" in met
    assert ("assignments.index" in met) is (role in ("clinician", "case-manager"))
    assert ("scores.index" in met) is (role in ("clinician", "case-manager", "responsible", "peer-worker"))
    assert ("together.start" in met) is (role in ("clinician", "case-manager", "peer-worker"))


@pytest.mark.parametrize("role", ["clinician", "peer-worker"])
def test_nor_does_one_on_which_two_people_write_together(server, role):
    reader = Reader(server, WAYS[role])
    here = reader.first.removesuffix("overview/")
    reader.press(reader.come(f"{here}overview/together/write"), f"{here}overview/together/write", what="plan")
    reader.first = f"{here}plan/"
    met = reader.goes_round(together=True)
    assert {"plan.start", "plan.goal", "living.form", "living.step"} <= met
