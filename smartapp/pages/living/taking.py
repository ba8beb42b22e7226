"""Words of one form that go on a list of another, all at once: one press, and one press that takes it back."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from mappers.living import Content, Row
from mappers.living.content import group_of
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument, Item
from smartapp.pages.living.service import Opened, change, open_form
from smartapp.pages.living.words import Words, left_for, row_of
from smartapp.web import current, undoing
from smartapp.web.confirming import Press
from smartapp.web.editing import TOO_LATE
from smartapp.web.forms import Saved
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of
from smartapp.web.typed import Accepted, digest
from smartapp.web.written import short

GoneOn = Callable[[object, Opened, str], ResponseReturnValue]
"""Answers a save: on to the address after it, or the form with the sentence that says why it is not saved."""


def asks_of_all(form: Instrument, item: Item) -> Press | None:
    """Return what the client is asked where a professional puts all of it on a list; None where nothing is left."""
    source, wanted = _source(item)
    opened = open_form(form)
    left = _left(opened, source, wanted, item)
    sentence = _("This comes under “%(form)s”:", form=text_of(form.title))
    return Press(sentence, _at(source), lines=tuple(words.text for words in left)) if left else None


def asks_of_back(form: Instrument) -> Press:
    """Return what the client is asked before all of it is taken off the list again."""
    return Press(_("What was put here just now goes off this list."), _at(form))


def _at(form: Instrument) -> str:
    return url_for("living.form", form_id=form.id)


def _source(target: Item) -> tuple[Instrument, Item]:
    """Return the form and the item that this request names as `source`; 404 where its words do not go there."""
    from_id, _slash, link_id = request.form.get("taken-from", "").partition("/")
    source = catalogue().living.get(from_id) or abort(404)
    wanted = next((one for one in source.items if one.link_id == link_id), None)
    if wanted is None or wanted.becomes != target.link_id:
        abort(404)
    return source, wanted


def _left(opened: Opened, source: Instrument, wanted: Item, target: Item) -> list[Words]:
    """Return which of the words that the page showed are not on the list yet: nobody chose what came there since."""
    shown = request.form.get("taken-words", "").split()
    theirs = Opened(opened.plan.forms[source.id], opened.plan)
    return [one for one in left_for(theirs, wanted, opened.stored.form, target) if digest(one.text) in shown]


def take_all(form: Instrument, item: Item, gone_on: GoneOn) -> ResponseReturnValue:
    """Add a row for each text of an item (`source`) that the page showed (`words`) and the list does not have yet."""
    source, wanted = _source(item)
    group, opened, today = group_of(form, item), open_form(form), current.today()
    made: list[Row] = []

    def add(now: Opened) -> Accepted[Content]:
        # Asked again where somebody else saved in between: what is on the list by then is not put there twice.
        left = _left(now, source, wanted, item)
        made[:] = [row_of(words, group, str(uuid.uuid4()), today) for words in left]
        content = now.content
        for row in made:
            content = content.with_row(group.link_id, row)
        return Accepted(content)

    outcome = change(add, opened)
    after = url_for("living.form", form_id=form.id, saved="1", _anchor=short(form, group.link_id))
    if made and isinstance(outcome, Saved) and outcome.arrived:
        needs = {"group": group.link_id, "rows": {row.key: says(row) for row in made}}
        after = undoing.offer(url_for("living.take_back", form_id=form.id), needs, after)
    return gone_on(outcome, opened, after)


def take_back(form: Instrument, gone_on: GoneOn) -> ResponseReturnValue:
    """Take out the rows that were added just now, but for those that were changed since."""
    needs = undoing.taken(request.form.get(undoing.FIELD, ""))
    if needs is None:
        flash(_(TOO_LATE), "attention")
        return redirect(_at(form), 303)
    group, rows, opened = needs["group"], needs["rows"], open_form(form)

    def remove(now: Opened) -> Accepted[Content]:
        content = now.content
        for row in content.rows_of(group):
            if rows.get(row.key) == says(row):
                content = content.without_row(group, row.key)
        return Accepted(content)

    outcome = change(remove, opened)
    if isinstance(outcome, Saved):
        undoing.forget()
    return gone_on(outcome, opened, undoing.undone(_at(form)))


def says(row: Row) -> str:
    """Return a digest of all that a row says."""
    return digest("\n".join(f"{name}: {answer}" for name, answer in sorted(row.answers.items())))
