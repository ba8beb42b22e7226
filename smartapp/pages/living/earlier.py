"""Earlier versions of what the client wrote in a living form, to be put back; `smartapp.web.versions` says how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import request, url_for

from mappers.living import Content, Row, content_of, field_name
from mappers.living.content import from_field
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Group, Instrument, Item, Who
from smartapp.pages.living.sections import RowBack
from smartapp.pages.living.service import Opened
from smartapp.web import typed, undoing, versions
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of
from smartapp.web.versions import TextForm, Thread
from smartapp.web.written import short, shown


@dataclass(frozen=True, slots=True)
class EarlierPage:
    """The earlier versions of what is written in one form. `readable`: the record lets us read them."""

    form: Instrument
    readable: bool
    on_its_way: bool
    threads: tuple[Thread, ...]
    here: int  # how many pages back
    older: bool  # there is a page after this one


def earlier_page(opened: Opened, known: Catalogue) -> EarlierPage:
    """Return the earlier versions of each answer, and of each row that there is or was."""
    found = _versions(opened)
    form = opened.stored.form
    read = [(one, content_of(one, form)) for one in versions.of_page(found)]
    page = _Page(opened, known, read, versions.writers(), _with_goals(opened.content, read))
    threads = [page.single(item) for group in form.groups if not group.many for item in group.items]
    threads += [page.row(group, key) for group in form.groups if group.many for key in page.keys(group)]
    return EarlierPage(
        form=form,
        readable=bool(found) or opened.stored.record is None or opened.stored.on_its_way,
        on_its_way=opened.stored.on_its_way,
        threads=tuple(thread for thread in threads if thread.versions),
        here=versions.here(),
        older=versions.has_older(found),
    )


def needs_for_row(content: Content, group: Group, key: str) -> dict[str, Any]:
    """Return what is needed to put a row back right after it is taken out; nothing where it is not there."""
    row = content.row(group.link_id, key)
    if row is None:
        return {}
    names = [item.link_id for item in typed_by_client(group)]
    fields = {name: content.field(field_name(name, key)) for name in names}
    seen = {f"seen-{name}": typed.digest("") for name in names}
    at = [one.key for one in content.rows_of(group.link_id)].index(key)
    return {**fields, **seen, "row": dict(row.answers), "at": at, "goals": _goals_in(row, content)}


def row_back(opened: Opened, group: Group, key: str) -> RowBack | None:
    """Return what a row was that this request puts back: right after it was taken out, or from an earlier version.

    From its form alone it would lack what that does not ask: the day on which it was written, and what others wrote.
    """
    if opened.content.row(group.link_id, key) is not None:
        return None
    needs = undoing.taken(request.form.get(undoing.FIELD, "")) or {}
    if "row" in needs:
        answers = {name: tuple(answer) for name, answer in needs["row"].items()}
        return RowBack(Row(key, answers), needs["at"], needs["goals"])
    return _row_before(opened, group, key) if undoing.PUT_BACK in request.form else None


def _row_before(opened: Opened, group: Group, key: str) -> RowBack | None:
    """Return a row as it was when it said what this request says; it costs a look at the versions."""
    said = {item.link_id: request.form.get(item.link_id, "").split() for item in typed_by_client(group)}
    for version in _versions(opened):
        content = content_of(version, opened.stored.form)
        row = content.row(group.link_id, key)
        if row is not None and all(content.field(field_name(name, key)).split() == said[name] for name in said):
            return RowBack(row, goals=_goals_in(row, content))
    return None


def _goals_in(row: Row, content: Content) -> dict[str, str]:
    """Return the words of the goals that a row names, by their identifier."""
    named = {text for answer in row.answers.values() for text in answer}
    return {name: words for name, words in content.goals.items() if name in named}


def typed_by(group: Group, who: Who) -> tuple[Item, ...]:
    """Return what the form of a row asks one party: not the day on which it was written, nor what is others' part."""
    return tuple(item for item in group.items if item.who == who and not item.today)


def typed_by_client(group: Group) -> tuple[Item, ...]:
    """Return what the form of a row asks the client."""
    return typed_by(group, "client")


def _versions(opened: Opened) -> list[Resource]:
    return versions.versions_of([opened.stored.record] if opened.stored.record is not None else [])


def _with_goals(now: Content, read: Sequence[tuple[Resource, Content]]) -> Content:
    goals: dict[str, str] = {}
    for _version, content in reversed(read):
        goals |= content.goals
    return replace(now, goals={**goals, **now.goals})


@dataclass(frozen=True)
class _Page:
    """What the threads of one form share; `read` has its versions, the newest first.

    `naming` is the content of now, which knows also the goals that only earlier versions name.
    """

    opened: Opened
    known: Catalogue
    read: Sequence[tuple[Resource, Content]]
    writers: Mapping[str, str]
    naming: Content

    @property
    def form(self) -> Instrument:
        return self.opened.stored.form

    def keys(self, group: Group) -> list[str]:
        """Return the keys of the rows of a group: those that are there in their order, then those that were."""
        contents = (self.opened.content, *(content for _version, content in self.read))
        return list(dict.fromkeys(row.key for content in contents for row in content.rows_of(group.link_id)))

    def single(self, item: Item) -> Thread:
        mine = item.who == "client"
        step = url_for("living.step", form_id=self.form.id, step=short(self.form, item.link_id))
        return self._thread(text_of(item.text), step if mine else "", [item])

    def row(self, group: Group, key: str) -> Thread:
        items = typed_by_client(group)
        title = self._named(group, key)
        if self.opened.content.row(group.link_id, key) is None:
            title = _("Taken out: %(row)s", row=title)
        name = short(self.form, group.link_id)
        action = url_for("living.row", form_id=self.form.id, group_id=name, key=key) if items else ""
        return self._thread(title, action, items or group.items, key)

    def _named(self, group: Group, key: str) -> str:
        """Return what a row is called: by the words of now, else by those of the last version that has it."""
        contents = (self.opened.content, *(content for _version, content in self.read))
        found = (content.row(group.link_id, key) for content in contents)
        row = next(one for one in found if one is not None)
        return self._shown(group.items[0], row.answers.get(group.items[0].link_id, ())) or text_of(group.title)

    def _thread(self, title: str, action: str, items: Sequence[Item], key: str = "") -> Thread:
        by_name = {item.link_id: item for item in items}

        def texts(content: Content) -> dict[str, str]:
            return {name: content.field(field_name(name, key)) for name in by_name}

        form = TextForm(
            title,
            action,
            texts(self.opened.content),
            more={item.link_id: text_of(item.text) for item in items[1:]},
            shown=lambda name, text: self._shown(by_name[name], from_field(by_name[name], text)),
        )
        return versions.thread(form, [(one, texts(content)) for one, content in self.read], self.writers)

    def _shown(self, item: Item, answer: Iterable[str]) -> str:
        texts = shown(item, answer, self.naming, self.known)
        return ("\n" if item.kind in ("text", "line") else ", ").join(texts)
