"""Each page speaks to its reader in one way, *je* or *u*; only quotations and what people wrote stand as they are."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from flask import Flask

from questionnaires.catalogue import catalogue
from smartapp.services import KEY
from tests.smartapp.helpers import Visitor, launched, make_app
from tests.smartapp.pages.plan.pages import fill

JE = re.compile(r"\b(je|jij|jou|jouw|jezelf|jullie)\b", re.IGNORECASE)
U = re.compile(r"\b(u|uw|uzelf)\b", re.IGNORECASE)
KNOWN = catalogue()
# What stands as its source has it, and what completes such a sentence.
QUOTED = sorted(
    {item.text.nl for one in KNOWN.instruments.values() for group in one.groups for item in group.items if item.quoted}
    | {
        text.nl.removesuffix(" …")
        for one in KNOWN.instruments.values()
        for group in one.groups
        if group.quoted and group.help
        for text in (group.help, *(item.text for item in group.items))
    },
    key=len,
    reverse=True,
)
ASKED = [one for one in KNOWN.instruments.values() if one.kind == "questionnaire"]
CLIENT = [
    "",
    "who-looked/",
    "questionnaires/",
    "answers/",
    "help/",
    "scores/",
    "plan/",
    "plan/domains",
    "plan/domains?family=1",
    "plan/domains/finances/",
    "plan/domains/finances/now",
    "plan/domains/finances/all",
    "plan/goals/new",
    *(f"plan/{part.code}" for part in KNOWN.plan_parts),
    *(f"questionnaires/{one.id}/" for one in ASKED),
    *(f"questionnaires/{one.id}/questions/{item.link_id}" for one in ASKED for item in (one.items[0], one.items[1])),
    *(f"questionnaires/{one.id}/review" for one in ASKED[:1]),
    *(f"questionnaires/{one.id}/pause" for one in ASKED[:1]),
    *(f"scores/{one.id}/" for one in ASKED if one.scores),
    "nowhere",
]
CLINICIAN = ["overview/", "overview/plan", "overview/scores", "assignments/", "assignments/new", "answers/", "help/"]


def read(visitor: Visitor, path: str) -> str:
    """Return all that a page says, its title, labels and messages of scripts too, without quotations."""
    page = visitor.get(path)
    assert page.status_code in (200, 404), path
    # Of attributes only those that are sentences: form tokens are random, and any short word turns up in them one day.
    spoken = re.findall(r'(?:data-[a-z-]+|aria-label|title)="([^"]+ [^"]+)"', page.text)
    said = html.unescape(" ".join([re.sub(r"<[^>]+>", " ", page.text), *spoken]))
    for text in QUOTED:
        said = said.replace(text, "")
    return said


@pytest.fixture(scope="module", params=["je", "u"])
def place(request) -> Iterator[tuple[Flask, str]]:
    app = make_app(form_of_address=request.param)
    assert fill(launched(app), "plan/domains", domains="finances").status_code == 303
    yield app, request.param
    app.extensions[KEY].engine.dispose()


def others(said: str, form: str) -> list[str]:
    return [found[0] for found in (JE if form == "u" else U).finditer(said)]


@pytest.mark.parametrize("path", CLIENT)
def test_a_page_of_the_client_says_je_or_u_and_never_both(place, path):
    app, form = place
    assert others(read(launched(app), path), form) == []


@pytest.mark.parametrize("path", CLINICIAN)
def test_a_page_of_the_clinician_says_no_je_where_a_place_says_u(place, path):
    app, form = place
    assert others(read(launched(app, role="clinician"), path), form) == []


def test_a_page_with_both_would_be_seen():
    assert "Hoeveel vertrouwen heeft u erin dat u" in QUOTED
    assert others("Vertel het uw behandelteam", "je") == ["uw"]
    assert others("Vertel het je behandelteam", "u") == ["je"]
