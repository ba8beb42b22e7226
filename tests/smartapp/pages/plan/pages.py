"""Read our pages as a browser does: the fields of a form, and what it would send."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from html.parser import HTMLParser

from mappers.living import content_of
from mappers.living.in_plan import with_forms
from mappers.plan import Plan, plan_of
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument
from smartapp.fhir.store import Query

FORM = re.compile(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', re.S)
FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._area: str | None = None
        self._buttons: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        name = given.get("name")
        if tag == "textarea":
            self._area = name
            self.fields[name] = ""
        elif tag == "input" and name and name != "sketch":
            ticks = given.get("type") in ("radio", "checkbox")
            if not ticks or "checked" in given:
                before = self.fields.get(name)
                value = given.get("value") or ""
                self.fields[name] = f"{before},{value}" if before and ticks else value

    def handle_endtag(self, tag):
        if tag == "textarea":
            self._area = None

    def handle_data(self, data):
        if self._area:
            # HTML drops the first line end of a textarea; a browser sends every line end as CR LF.
            self.fields[self._area] += data.removeprefix("\n").replace("\n", "\r\n")


def fields_of(page) -> dict[str, str]:
    """Return what a browser would send back from the page, without changing anything."""
    reader = _Form()
    reader.feed(page.text)
    return reader.fields


STORY = "living/story/story/"
"""The page on which the client writes their story; its field is `story-story`."""


def named(typed: Mapping[str, str]) -> dict[str, str]:
    """Return fields by the names that forms give them: `story_story` is `story-story`."""
    return {name.replace("_", "-"): text for name, text in typed.items()}


def fill(visitor, path: str, **typed: str):
    """Open a page, type, and press its main button; a field `story-story` is given as `story_story`."""
    opened = visitor.get(path)
    assert opened.status_code == 200, opened.text
    return visitor.post(path, {**fields_of(opened), **named(typed)})


def stored_plan(store) -> Plan:
    """Read the plan back from the record, with what the client wrote in the living forms that it shows."""
    known = catalogue()
    found = [one.resource for one in store.search(Query.of("CarePlan"))]
    assert len(found) == 1
    goals = [one.resource for one in store.search(Query.of("Goal"))]
    tasks = [one.resource for one in store.search(Query.of("Task"))]
    plan = plan_of(found[0], goals, tasks, known=known)
    forms = known.living.values()
    contents = {form.id: content_of(one, form) for one in responses(store) for form in forms if is_of(one, form)}
    return with_forms(plan, known.plan_parts, contents, contents)


def responses(store) -> list[dict]:
    """Return what the client wrote in living forms."""
    found = [one.resource for one in store.search(Query.of("QuestionnaireResponse"))]
    return [one for one in found if any(is_of(one, form) for form in catalogue().living.values())]


def is_of(response: dict, form: Instrument) -> bool:
    """Tell whether a response is of this form."""
    return response["questionnaire"].partition("|")[0] == form.url


def put_back(visitor, words: str, path: str = "plan/history"):
    """Press 'Zet dit terug' below these words."""
    page = re.sub(r"</?mark>", "", visitor.get(path).text)
    _, found, after = page.partition(html.escape(words, quote=False))
    assert found, f"{words!r} is not on {path}"
    form = next(one for one in FORM.finditer(after) if "Zet dit terug" in one[2])
    fields = {name: html.unescape(value) for name, value in FIELD.findall(form[2])}
    return visitor.client.post(html.unescape(form[1]), data=fields)
