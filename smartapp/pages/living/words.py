"""Words that go on elsewhere without being typed again: from a living form into another one, or into a goal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mappers.living import Content
from questionnaires.living import LIFE_DOMAIN
from questionnaires.model import Item
from smartapp.pages.living.service import Opened
from smartapp.web.living import StoredForm


@dataclass(frozen=True, slots=True)
class Words:
    """Words of an answer: the item, the form that they are in, and the life domain of their row, "" for none."""

    text: str
    item: Item
    stored: StoredForm
    domain: str = ""


def words_of(source: str, opened: Opened) -> Words | None:
    """Return the words that an address names, as `form/linkId` or `form/linkId.row`; None where there are none."""
    form_id, _, name = source.partition("/")
    stored = opened.plan.forms.get(form_id)
    if stored is None:
        return None
    try:
        text = stored.content.field(name)
        item = stored.form.item(name.partition(".")[0])
    except KeyError:
        return None
    return Words(text, item, stored, _domain_beside(stored.content, name)) if text else None


def proposed_from(source: str, opened: Opened, items: Iterable[Item]) -> dict[str, str]:
    """Return what a form opens with: the words that an address names, after what is there, and their life domain."""
    words = words_of(source, opened) if source else None
    if words is None:
        return {}
    wanted = list(items)
    target = next((item for item in wanted if item.link_id == words.item.becomes), None)
    if target is None:
        return {}
    there = opened.content.answers.get(target.link_id, ())
    between = "\n" if target.many else "\n\n"
    text = " ".join(words.text.split()) if target.kind == "line" and not target.many else words.text
    proposed = {target.link_id: between.join([*there, text])}
    domain = next((item for item in wanted if item.scale is not None and item.scale.id == LIFE_DOMAIN), None)
    return {**proposed, domain.link_id: words.domain} if domain and words.domain else proposed


def _domain_beside(content: Content, name: str) -> str:
    """Return the life domain that stands in the same row as an answer."""
    _, _, key = name.partition(".")
    rows = (row for rows in content.rows.values() for row in rows if key and row.key == key)
    domains = [item.link_id for item in content.form.items if item.scale is not None and item.scale.id == LIFE_DOMAIN]
    return next((row.of(link_id) for row in rows for link_id in domains if row.of(link_id)), "")
