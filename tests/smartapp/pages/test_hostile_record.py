"""Attacks 34 and 35: a record full of markup, or of things that FHIR does not allow. Every page is still a page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import pytest
from flask import Flask

from questionnaires.fhir import Resource
from smartapp.fhir.own.search import definitions
from smartapp.fhir.store import Query, RecordStore, Stored, Write
from smartapp.sandbox import make_sandbox
from smartapp.sandbox.seeding import people, seed
from smartapp.storage.database import open_database
from smartapp.web.typed import digest
from tests.smartapp.helpers import EHR, Flaky, Visitor, launched, text_of
from tests.smartapp.pages.scores.people import measure

MARKUP = """'"><x-evil onload=alert(1)></title></textarea></svg><x-evil>&lt;x-evil&gt;{{ 7 * 7 }}"""
"""Ends an attribute, a title, a text field and a picture; what was escaped already has to stay so."""

FROM_RECORD = f"(record) {MARKUP}"
"""The markup as resources have it; the name of the person, on every page, has the other one."""

WORDS = frozenset(["text", "display", "title", "description", "name", "div", "valueString", "unit", "comment", "value"])
"""The elements of FHIR that hold words for people (`name` and `value` only where they hold a text)."""


def hostile(part: Any, key: str = "") -> Any:
    """Return a part of a resource with markup in all its words; what programs read stays, so that pages use it."""
    if isinstance(part, dict):
        identifies = "system" in part and "code" not in part
        return {name: hostile(value, "" if identifies else name) for name, value in part.items()}
    if isinstance(part, list):
        return [hostile(one, key) for one in part]
    return f"{part} {FROM_RECORD}" if isinstance(part, str) and key in WORDS else part


ADDRESS = re.compile(r"(/|\?|#|https?://|tel:|mailto:)[^\s<>]*$|$")


class Reader(HTMLParser):
    """What a browser would make of a page: its links, the words it shows, and every element that is not ours."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.evil: list[str] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if tag == "a" and name == "href" and value:
                self.links.append(value)
            if name in {"href", "src", "action", "formaction"} and not ADDRESS.match(value or ""):
                self.evil.append(f"{name}={value}")
            if name.startswith("on") or name == "style":
                self.evil.append(name)
        if tag == "x-evil":
            self.evil.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="module")
def records() -> dict[str, list[Resource]]:
    """Everything that the sandbox holds about each of its people, with markup in all words."""
    engine = open_database("sqlite://")
    sandbox = make_sandbox(engine, "http://127.0.0.1:1", clients=())
    seed(sandbox, datetime(2026, 11, 22, 15, 0, tzinfo=UTC), issuer=EHR)
    found = {
        patient: [
            stored.resource
            for type_, kind in definitions().items()
            if "patient" in kind.params
            for stored in sandbox.store.search(Query.of(type_, patient=patient))
        ]
        for patient in people()
    }
    engine.dispose()
    return {patient: [hostile(resource) for resource in about] for patient, about in found.items()}


OF_AN_ANSWER = re.compile(r"^answers/[^/]+/[^/?]+$|/new/from/")
"""Pages that each of some hundred answers has."""
MOST_ALIKE = 12


def is_of_an_answer(path: str) -> bool:
    return OF_AN_ANSWER.search(path) is not None


def crawl(visitor: Visitor) -> dict[str, Reader]:
    """Open every page of a launch that a link leads to; the key is the path after `/l/<launch>/`."""
    home = visitor.url()
    pages: dict[str, Reader] = {}
    asked: set[str] = set()  # documents to take along too, which are no pages
    ahead = [home]
    while ahead:
        address = ahead.pop()
        path = address.removeprefix(home)
        if path in asked or (OF_AN_ANSWER.search(path) and sum(map(is_of_an_answer, asked)) >= MOST_ALIKE):
            continue
        asked.add(path)
        answer = visitor.client.get(address, follow_redirects=True)
        assert answer.status_code in {200, 404, 409}, f"{path}: {answer.status}"
        if answer.mimetype != "text/html":  # a document to take along
            continue
        pages[path] = Reader(answer.text)
        found = (urljoin(address, link).partition("#")[0] for link in pages[path].links)
        ahead += [link for link in found if link.startswith(home) and "lang=" not in link]
    return pages


def showing(pages: dict[str, Reader]) -> set[str]:
    """Return the first parts of the paths of pages that show the markup as words."""
    return {path.partition("?")[0].partition("/")[0] for path, page in pages.items() if FROM_RECORD in page.words}


@pytest.mark.thorough
def test_every_page_of_a_client_shows_markup_as_words(app: Flask, records: dict[str, list[Resource]]) -> None:
    visitor = launched(app, "noor", name=f"Noor {MARKUP}", resources=records["noor"])
    stranger = next(one for one in records["noor"] if one["resourceType"] == "QuestionnaireResponse")
    unknown = {**stranger, "questionnaire": f"https://example.org/Questionnaire/{MARKUP}|1"}
    visitor.ehr.write(Write("update", {**unknown, "id": "stranger", "identifier": None}))
    older = {**stranger, "questionnaire": stranger["questionnaire"].partition("|")[0] + "|0.1", "status": "in-progress"}
    visitor.records.drafts.change("nel", lambda _none: older)
    professional = replace(visitor.launch.user, role="clinician", display=f"J. Jansen {FROM_RECORD}")
    visitor.core.audit.record(replace(visitor.launch, user=professional), "read", ["Goal/1"])
    pages = crawl(visitor)
    pages["stranger"] = Reader(visitor.get("answers/stranger/").text)
    assert {path: page.evil for path, page in pages.items() if page.evil} == {}
    assert showing(pages) >= {"", "questionnaires", "plan", "living", "who-looked", "stranger"}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("patient", "parts"),
    [("noor", {"", "overview", "assignments"}), ("iwan", {"", "overview"}), ("marlies", {"", "overview"})],
)
def test_every_page_of_a_clinician_shows_markup_as_words(
    app: Flask, records: dict[str, list[Resource]], patient: str, parts: set[str]
) -> None:
    visitor = launched(app, patient, "clinician", name=f"Noor {MARKUP}", resources=records[patient])
    pages = crawl(visitor)
    assert {path: page.evil for path, page in pages.items() if page.evil} == {}
    assert showing(pages) >= parts


class WithAnOddOne(Flaky):
    """A record that gives what it has of a type, and beside it the first once more, broken."""

    def __init__(self, store: RecordStore, type_: str, broken: dict[str, Any]) -> None:
        super().__init__(store)
        self.type_, self.broken = type_, broken

    def search(self, query: Query, /) -> list[Stored]:
        found = super().search(query)
        odd = found[:1] if query.type == self.type_ else []
        return [*found, *(replace(one, resource={**one.resource, "id": "odd", **self.broken}) for one in odd)]


@pytest.mark.parametrize(
    ("type_", "broken"),
    [
        ("CarePlan", {"status": [], "language": {}}),
        ("Observation", {"effectiveDateTime": None}),
        ("Observation", {"effectiveDateTime": "9999-99-99"}),
        ("Observation", {"effectiveDateTime": "0001-01-01T00:00:00+01:00"}),
        ("Observation", {"code": []}),
        ("Observation", {"identifier": [{"system": ["x"], "value": "y"}]}),
        ("QuestionnaireResponse", {"authored": 2026}),
        ("QuestionnaireResponse", {"authored": None}),
        ("QuestionnaireResponse", {"status": {}, "questionnaire": []}),
        ("Task", {"focus": {"reference": 7}, "input": None}),
        ("Task", {"note": ["text"], "requester": [], "restriction": None, "output": [7]}),
        ("Task", {"authoredOn": "last week", "restriction": {"period": {"end": "soon"}}}),
    ],
    ids=str,
)
def test_what_is_no_fhir_breaks_no_page(app: Flask, type_: str, broken: dict[str, Any]) -> None:
    """One odd resource that others wrote does not hide the rest: the pages come, and show the rest."""
    client = launched(app, "anna", name="Anna Voorbeeld")
    measure(client, "sdm-visit", "2026-02-01", "3")
    measure(client, "hoop", "2026-03-01", "3")
    clinician = launched(app, "anna", "clinician", name="Anna Voorbeeld")
    clinician.post("assignments/new", {"questionnaire": "nel", "message": "Zullen we dit samen bekijken?", "key": "k"})
    client.post("living/story/story/", {"story-story": "Ik zing weer.", "seen-story-story": digest("")})
    assert client.ehr.search(Query.of(type_)), "there is something to break"
    client.core.local_ehrs[client.launch.issuer] = WithAnOddOne(client.ehr, type_, broken)
    for visitor, paths in (
        (client, ("", "questionnaires/", "scores/", "scores/hoop/", "plan/")),
        (client, ("living/", "living/story/", "living/story/earlier", "living/story/story/")),
        (clinician, ("living/", "living/story/")),
        (clinician, ("overview/", "overview/plan", "scores/", "overview/together/now", "assignments/")),
    ):
        assert {path: visitor.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)
    assert "34" in text_of(client.get("scores/hoop/"))  # ten times 3, and 5 - 3 for the two that are reversed
    assert "Ik zing weer." in client.get("living/story/").text
    assert "Zullen we dit samen bekijken?" in clinician.get("assignments/").text
