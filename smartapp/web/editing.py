"""A page on which one part of a document is changed: showing its form, taking it, and what is said after that.

The document may be a recovery plan or a living form; `Editing` says how one is loaded and saved. What is typed is kept
as a sketch (`smartapp.web.forms`), what somebody else changed meanwhile is shown beside it, what took words away can be
taken back (`smartapp.web.undoing`), and words of professionals are asked about once (`smartapp.web.whose`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar
from urllib.parse import urlsplit

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from smartapp.i18n import message
from smartapp.records import Place
from smartapp.web import typed, undoing, whose
from smartapp.web.fields import BothVersions, Field, Link, both_versions, filled, problems_in
from smartapp.web.forms import Saved, Sketch, Trouble, posted
from smartapp.web.language import gettext as _
from smartapp.web.typed import Accepted, Clash, Part, Submitted, Wrong

_Stored = TypeVar("_Stored")
_Document = TypeVar("_Document")

TOO_LATE: Final = message("This can no longer be taken back here. Look among the earlier versions of your plan.")


@dataclass(frozen=True)
class Editing(Generic[_Stored, _Document]):
    """How a document is loaded and saved.

    `document` is what a section is a part of; `change` saves it (see `forms.merged`); `sketch_of` names the form of
    this request, alike in every launch; `made` tells whether the form with this key has made something already;
    `templates` show the form and both versions of a clash; `place` is where it is stored.
    """

    load: Callable[[], _Stored]
    document: Callable[[_Stored], _Document]
    change: Callable[
        [Callable[[_Stored], Accepted[_Document] | Wrong | Clash], _Stored], Saved | Wrong | Clash | Trouble
    ]
    sketch_of: Callable[[_Stored | None], str]
    made: Callable[[_Stored, str], bool]
    templates: tuple[str, str]
    place: Callable[[], Place]


@dataclass(frozen=True, slots=True)
class Form:
    """What a page asks: its fields, the words around them, and where the person goes after saving (`after`)."""

    title: str
    fields: tuple[Field, ...]
    back: Link
    after: str
    lead: str = ""
    kicker: str = ""
    words: str = ""
    save: str = ""
    stop: str = ""
    remove: str = ""
    key: str = ""
    reword: str = ""  # where the words of something new are changed, once it is made; else on this page
    proposed: Mapping[str, str] = field(default_factory=dict)  # a choice that follows from the page they came from
    more: Mapping[str, object] = field(default_factory=dict)  # what the template of this form needs besides

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the fields."""
        return tuple(one.name for one in self.fields)


def form_key() -> str:
    """Return the key of a form that makes something: the one it was shown with, or a fresh one."""
    try:
        return str(uuid.UUID(request.form.get("key", "")))
    except ValueError:
        return str(uuid.uuid4())


# --- pages ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FormPage:
    """A page with one thing to do. `key` names what a form makes, so that sending it twice makes it once."""

    title: str
    fields: tuple[Field, ...]
    back: Link
    save: str
    lead: str
    kicker: str
    words: str  # the goal that this page is about, in the client's words
    stop: str  # the label of a second button: save, and go no further
    remove: str  # where what this page is about is taken out of the plan, "" where it cannot be
    key: str
    trouble: str  # why it could not be saved, though nothing is wrong with it
    draft: bool  # the fields hold what was typed before and is not saved in the plan
    place: Place

    @property
    def problems(self) -> tuple[dict[str, str], ...]:
        """Return what has to be put right, for the summary at the top."""
        return problems_in(self.fields)


@dataclass(frozen=True, slots=True)
class ClashPage:
    """Both versions side by side, to choose between."""

    title: str
    both: BothVersions
    key: str
    back: Link


# --- one request ------------------------------------------------------------------------------------------------


def edit(
    editing: Editing[_Stored, _Document],
    section_of: Callable[[_Stored], Part[_Document]],
    form: Form,
    stored: _Stored | None = None,
) -> ResponseReturnValue:
    """Show the form of one section of a document, or take it: the heart of every page that changes something.

    `section_of` is asked again whenever someone else saved in between. `stored` spares loading it twice. What is typed
    and not (yet) saved is kept as a sketch, which only its writer sees (`smartapp.web.forms`).
    """
    return _Page(editing, section_of, form).answer(stored)


@dataclass(frozen=True)
class _Page(Generic[_Stored, _Document]):
    """One page that changes something, in this request."""

    editing: Editing[_Stored, _Document]
    section_of: Callable[[_Stored], Part[_Document]]
    form: Form

    def answer(self, stored: _Stored | None) -> ResponseReturnValue:
        sketch = Sketch(self.editing.sketch_of(stored), self.form.names, _without_empty_ticks(posted(), self.form))
        if undoing.FIELD in sketch.form:
            words = undoing.taken(sketch.form[undoing.FIELD])
            if words is None:
                flash(_(TOO_LATE), "attention")
                return redirect(self.form.back.href, 303)
            return self.take(stored, replace(sketch, form=words), undo=True)
        if (answer := sketch.answered()) is not None:
            return answer
        if request.method == "GET":
            return self.opened(stored if stored is not None else self.editing.load(), sketch)
        return self.take(stored, sketch)

    def take(self, stored: _Stored | None, sketch: Sketch, *, undo: bool = False) -> ResponseReturnValue:
        """Save what a form holds; `undo`: it takes back what was saved just now."""
        sent = typed.submitted_fields(self.form.names, sketch.form)
        before: Mapping[str, str] = {}
        after: Mapping[str, str] = {}

        def merge(now: _Stored) -> Accepted[_Document] | Wrong | Clash:
            nonlocal before, after
            section = self.section_of(now)
            document = self.editing.document(now)
            outcome = typed.merge_form(section, document, sent)
            if isinstance(outcome, Accepted):
                before, after = section.read(document), section.read(outcome.document)
            return outcome

        def save() -> Saved | Wrong | Clash | Trouble:
            return self.editing.change(merge, stored if stored is not None else self.editing.load())

        # What is put back says nothing about words that were typed since and not saved: those stay with their writer.
        outcome = save() if undo or undoing.PUT_BACK in sketch.form else sketch.take(save)
        if isinstance(outcome, Saved):
            return redirect(_after(self.form, outcome, before, after, undone=undo), 303)
        return self.refusal(outcome, sent)

    def refusal(self, outcome: Wrong | Clash | Trouble, sent: Submitted) -> ResponseReturnValue:
        """Return the page that says why nothing was saved, with everything that was typed."""
        if isinstance(outcome, Wrong):
            return self.shown(self.form, outcome.values, sent.based_on, problems=outcome.problems), 422
        if isinstance(outcome, Trouble):
            return self.shown(self.form, sent.values, sent.based_on, trouble=outcome.sentence), outcome.status
        page = ClashPage(self.form.title, both_versions(outcome, self.form.fields), self.form.key, self.form.back)
        return render_template(self.editing.templates[1], page=page), 409

    def opened(self, stored: _Stored, sketch: Sketch) -> str:
        section, document, form = self.section_of(stored), self.editing.document(stored), self.form
        there = section.read(document)
        opened = sketch.opened(there, new=bool(form.key))
        if not opened.draft or (opened.key and self.editing.made(stored, opened.key)):
            return self.shown(form, {**there, **form.proposed}, typed.digests(section, document))
        if opened.key:
            # With a new key, saving these words now and the same words from another tab would make two goals.
            form = replace(form, key=opened.key)
        return self.shown(form, opened.values, opened.based_on, draft=True)

    def shown(
        self,
        form: Form,
        values: Mapping[str, str],
        based_on: Mapping[str, str],
        *,
        problems: Mapping[str, str] | None = None,
        trouble: str = "",
        draft: bool = False,
    ) -> str:
        page = FormPage(
            title=form.title,
            fields=filled(form.fields, values, based_on, problems or {}),
            back=form.back,
            save=form.save or _("Save"),
            lead=form.lead,
            kicker=form.kicker,
            words=form.words,
            stop=form.stop,
            remove=form.remove,
            key=form.key,
            trouble=trouble,
            draft=draft,
            place=self.editing.place(),
        )
        return render_template(self.editing.templates[0], page=page, **form.more)


def _without_empty_ticks(form: Mapping[str, str], asked: Form) -> dict[str, str]:
    """Return a form without what stands in a list to tick so that an empty one is sent too."""
    ticked = {one.name for one in asked.fields if one.kind == "checks"}
    return {name: ",".join(filter(None, text.split(","))) if name in ticked else text for name, text in form.items()}


def _after(form: Form, saved: Saved, before: Mapping[str, str], after: Mapping[str, str], *, undone: bool) -> str:
    """Return the address of the page after a save; where words went, it offers to take that back."""
    if not saved.arrived:
        return waiting(form.after)
    if undone:
        undoing.forget()
        return undoing.undone(form.after)
    here, address = request.script_root + request.path, form.after
    written = [one.name for one in form.fields if one.kind in ("area", "line") and one.name in before]
    said = {name: after.get(name, "") for name in written if name != "who"}  # a name is nobody's sentence
    if undoing.PUT_BACK not in request.form and whose.are_new(before, said):
        address = whose.ask(form.reword or here, address)
    if any(takes_words(before[name], after.get(name, "")) for name in written):
        changed = [name for name in before if before[name] != after.get(name, "")]
        seen = {f"seen-{name}": typed.digest(after.get(name, "")) for name in changed}
        return undoing.offer(here, {name: before[name] for name in changed} | seen, address)
    return address


def takes_words(before: str, after: str) -> bool:
    """Tell whether a text no longer has every word that it had, in its order: what is only added to lost nothing."""
    left = iter(after.split())
    return not all(word in left for word in before.split())


def waiting(address: str) -> str:
    """Return the address of the page after a save, for one that has to wait: that page may have to say otherwise."""
    parts = urlsplit(address)
    return parts._replace(query="&".join(filter(None, (parts.query, "waits=1")))).geturl()
