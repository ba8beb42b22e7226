"""Words of one form that go on to the others, as many as its owner ticks: one press, one save, and one press back.

They are copied. What is written in the form stays there as it is.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.living import Content
from mappers.living.content import as_field, group_of
from questionnaires.catalogue import Catalogue, catalogue
from questionnaires.model import Instrument, Item
from smartapp.pages.living.service import Opened, open_form, save_all
from smartapp.pages.living.taking import says
from smartapp.pages.living.words import Words, as_answer, row_of, same_words, stands_in, target_of, words_in
from smartapp.web import current, forms, undoing
from smartapp.web.confirming import Press
from smartapp.web.editing import TOO_LATE, waiting
from smartapp.web.fields import FieldOption
from smartapp.web.forms import Saved, Trouble, posted
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of
from smartapp.web.typed import Accepted, digest

FIELD: Final = "words"
"""The field with what is ticked."""
TAKEN_ALONG: Final = "taken"
"""The mark of a page that says that words were taken along just now."""


@dataclass(frozen=True, slots=True)
class Going:
    """Words that can go on, and the form and the item that they go to."""

    words: Words
    form: Instrument
    item: Item

    @property
    def mark(self) -> str:
        """Return what stands for these words at their place, and for no others."""
        return digest(f"{self.words.source}\n{self.words.text}")


@dataclass(frozen=True, slots=True)
class ToForm:
    """What can go to one form: its title and the words, each to be ticked."""

    title: str
    ticks: tuple[FieldOption, ...]


@dataclass(frozen=True, slots=True)
class ToPlanPage:
    """All that can go on from a form. `ticked`: what of it is; `nothing`: no box was ticked when the button was."""

    form: Instrument
    to: tuple[ToForm, ...]
    ticked: tuple[str, ...]
    nothing: bool = False


# --- what can go on ---------------------------------------------------------------------------------------------


def going_on(opened: Opened, known: Catalogue) -> tuple[Going, ...]:
    """Return the client's words in a form that can be put under others at once and are not there yet, each once.

    What becomes a goal does not: a goal needs an area of life, so its owner makes each by itself.
    """
    found: dict[tuple[str, str], Going] = {}
    for asked in opened.stored.form.items:
        target = target_of(asked, known) if asked.who == "client" else None
        if target is None or not _takes_more(*target):
            continue
        form, item = target
        there = opened.plan.content_of(form.id)
        for words in words_in(opened.stored, [asked]):
            if not stands_in(words.text, item, there):
                found.setdefault((item.link_id, same_words(words.text)), Going(words, form, item))
    return tuple(found.values())


def is_worth_it(going: tuple[Going, ...]) -> bool:
    """Tell whether a page for all of them spares a press: for one answer there is a link beside it."""
    return len({one.words.item.link_id for one in going}) > 1


def _takes_more(form: Instrument, item: Item) -> bool:
    """Tell whether words can be added to an item, whatever is there: as a row, as one of several, or below a text."""
    group = group_of(form, item)
    return group.items[0] == item if group.many else item.many or item.kind == "text"


def added(content: Content, going: Going, today: str) -> Content:
    """Return the content of a form with words in it, after what is there."""
    item, group = going.item, group_of(content.form, going.item)
    if group.many:
        return content.with_row(group.link_id, row_of(going.words, group, str(uuid.uuid4()), today))
    there, text = content.answers.get(item.link_id, ()), as_answer(going.words.text, item)
    answer = (*there, text) if item.many else ("\n\n".join([*there, text]),)
    return replace(content, answers={**content.answers, item.link_id: answer})


# --- the page ---------------------------------------------------------------------------------------------------


def to_plan(form: Instrument) -> ResponseReturnValue:
    """Show what can go on from a form, all of it ticked at first; or put what is ticked where it goes."""
    opened = open_form(form)
    if request.method == "GET":
        return _page(opened, tuple(one.mark for one in going_on(opened, catalogue())))
    ticked = _ticked()
    return _take_along(opened, ticked) if ticked else (_page(opened, (), nothing=True), 400)


def _ticked() -> tuple[str, ...]:
    return tuple(filter(None, posted().get(FIELD, "").split(",")))


def _page(opened: Opened, ticked: tuple[str, ...], *, nothing: bool = False) -> str:
    by_form: dict[str, list[Going]] = {}
    for one in going_on(opened, catalogue()):
        by_form.setdefault(one.form.id, []).append(one)
    to = tuple(
        ToForm(text_of(here[0].form.title), tuple(FieldOption(one.mark, one.words.text) for one in here))
        for here in by_form.values()
    )
    return render_template("living/to_plan.html", page=ToPlanPage(opened.stored.form, to, ticked, nothing))


def asks_of_going(form: Instrument) -> Press | None:
    """Return what the client is asked where a professional takes words along; None where nothing goes on."""
    ticked = _ticked()
    going = [one for one in going_on(open_form(form), catalogue()) if one.mark in ticked]
    lines = tuple(f"{text_of(one.form.title)}: {one.words.text}" for one in going)
    return Press(_("These words are copied to the plan:"), _at(form), lines=lines) if lines else None


def asks_of_back(form: Instrument) -> Press:
    """Return what the client is asked before all of it is taken out again."""
    return Press(_("What was copied just now goes out of the plan again."), _at(form))


def _at(form: Instrument, **marks: Any) -> str:
    return url_for("living.form", form_id=form.id, **marks)


# --- there and back ---------------------------------------------------------------------------------------------


def _take_along(opened: Opened, ticked: tuple[str, ...]) -> ResponseReturnValue:
    form, today = opened.stored.form, current.today()
    needs: dict[str, Any] = {}

    def add(now: Opened) -> Accepted[dict[str, Content]]:
        # Asked again where somebody else saved in between: what is there by then does not come there twice.
        changed: dict[str, Content] = {}
        for one in going_on(now, catalogue()):
            if one.mark in ticked:
                changed[one.form.id] = added(changed.get(one.form.id, now.plan.content_of(one.form.id)), one, today)
        needs.clear()
        needs.update({name: _way_back(now.plan.content_of(name), content) for name, content in changed.items()})
        return Accepted(changed)

    outcome = forms.merged(add, opened, again=lambda: open_form(form), write=_save)
    after = _at(form, **{TAKEN_ALONG: "1"})
    if needs and isinstance(outcome, Saved) and outcome.arrived:
        after = undoing.offer(url_for("living.out_of_plan", form_id=form.id), {"forms": dict(needs)}, after)
    return _gone_on(outcome, form, after)


def out_of_plan(form: Instrument) -> ResponseReturnValue:
    """Take out what was copied just now, but for what was changed since."""
    needs = undoing.taken(request.form.get(undoing.FIELD, ""))
    if needs is None:
        flash(_(TOO_LATE), "attention")
        return redirect(_at(form), 303)

    def remove(now: Opened) -> Accepted[dict[str, Content]]:
        before = {name: now.plan.content_of(name) for name in needs["forms"]}
        return Accepted({name: _without(content, needs["forms"][name]) for name, content in before.items()})

    outcome = forms.merged(remove, open_form(form), again=lambda: open_form(form), write=_save)
    if isinstance(outcome, Saved):
        undoing.forget()
    return _gone_on(outcome, form, undoing.undone(_at(form)))


def _save(now: Opened, changed: Mapping[str, Content]) -> Saved | Trouble:
    return save_all(changed, now.plan)


def _gone_on(outcome: object, form: Instrument, after: str) -> ResponseReturnValue:
    if isinstance(outcome, Trouble):
        flash(outcome.sentence, "attention")
        return redirect(_at(form), 303)
    return redirect(after if isinstance(outcome, Saved) and outcome.arrived else waiting(after), 303)


def _way_back(before: Content, after: Content) -> dict[str, Any]:
    """Return what taking back needs to know: the new rows, and how long each longer answer was, with what they say."""
    there = {row.key for row in before.all_rows}
    new = {group: {row.key: says(row) for row in rows if row.key not in there} for group, rows in after.rows.items()}
    longer = {
        name: [_length(after.form, name, before.answers.get(name, ())), digest(_text(after, name))]
        for name, answer in after.answers.items()
        if answer != before.answers.get(name, ())
    }
    return {"rows": new, "answers": longer}


def _without(content: Content, way_back: Mapping[str, Any]) -> Content:
    for group, rows in way_back["rows"].items():
        for row in content.rows_of(group):
            if rows.get(row.key) == says(row):
                content = content.without_row(group, row.key)
    for name, (length, said) in way_back["answers"].items():
        if digest(_text(content, name)) == said:
            answer = content.answers[name]
            was = answer[:length] if _item(content.form, name).many else (answer[0][:length],)
            content = replace(content, answers={**content.answers, name: was})
    return content


def _length(form: Instrument, name: str, answer: tuple[str, ...]) -> int:
    return len(answer) if _item(form, name).many else len("".join(answer))


def _text(content: Content, name: str) -> str:
    return as_field(_item(content.form, name), content.answers.get(name, ()))


def _item(form: Instrument, name: str) -> Item:
    return next(item for item in form.items if item.link_id == name)
