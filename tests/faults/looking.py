"""What a person finds when they look for their words: every page of theirs that links lead to."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final

from questionnaires.catalogue import catalogue
from questionnaires.model import Item
from tests.faults.browser import Page
from tests.faults.ledger import Word
from tests.faults.people import Person

STARTS: Final = ("", "plan/", "questionnaires/", "scores/", "assignments/")
MOST_PAGES: Final = 40
TAKEN_BACK: Final = "Withdrawn by the care team"
"""How an assignment that was taken back reads on the page of what did not get through; the status itself is no text."""
_LINK = re.compile(r'href="(/l/[^"#]+)')
_NOT_FOLLOWED = re.compile(
    r"[?&]lang=|/logout|/components|/assets|\.(svg|css|js|csv|pdf|json)\b|/questions/|/parts/|/who-looked"
    r"|/answers/[^/]+/[^/]+$|/from/|[?&]beside=|/help/"
)


def shown(person: Person, word: Word) -> Page | None:
    """Return a page that shows a word to its writer, None if there is none; rather one that says it is on its way."""
    found = [page for page in pages_of(person, word) if says(page, word)]
    return max(found, key=on_its_way, default=None)


def on_its_way(page: Page) -> bool:
    """Tell whether a page says that what it shows will arrive by itself."""
    return "on its way" in page.text or "are on their way" in page.text


def pages_of(person: Person, word: Word) -> Iterator[Page]:
    """Yield the pages of this launch, by the links from page to page, and the ones that this word had."""
    if not person.there():
        return
    to_visit = [f"/l/{person.launch}/{path}" for path in (*_addresses(word), *STARTS)]
    visited: set[str] = set()
    while to_visit and len(visited) < MOST_PAGES:
        path = to_visit.pop(0)
        if path in visited:
            continue
        visited.add(path)
        page = person.get(path)
        page = person.follow(page) if page is not None else None
        if page is not None and page.status == 200:
            yield page
            links = (html.unescape(link) for link in _LINK.findall(page.source))
            to_visit += [link for link in links if not _NOT_FOLLOWED.search(link)]


def _addresses(word: Word) -> list[str]:
    if word.slot[0] != "response":
        return []
    return [f"questionnaires/responses/{word.slot[1]}", f"questionnaires/{word.slot[2]}/review"]


def says(page: Page, word: Word) -> bool:
    """Tell whether a page shows a word."""
    if word.slot[0] == "taken back":
        return str(word.content) in page.text or ("did not get through" in page.text and TAKEN_BACK in page.text)
    if word.slot[0] != "response":
        return str(word.content) in page.text
    items = {item.link_id: item for item in catalogue().instruments[word.slot[2]].items}
    rows = _rows(page)
    return all(_wording(items[link_id], value) in rows for link_id, value in word.content)


def _rows(page: Page) -> set[tuple[str, str]]:
    """Return the (question, answer) pairs that a page lists."""
    rows = set()
    for row in re.split(r"<li\b[^>]*>", page.source)[1:]:
        texts = re.search(r'<p class="soft">\d+\. (.*?)</p>.*?<(?:strong|blockquote[^>]*)>(.*?)</', row, re.S)
        if texts:
            rows.add((_plain(texts[1]), _plain(texts[2])))
    return rows


def _wording(item: Item, value: str) -> tuple[str, str]:
    option = item.scale.option(value) if item.scale else None
    return _plain(item.text.get("en")), _plain(option.text.get("en") if option else value)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(text)).strip().lower()
