"""A page on which one part of a document is changed: showing its form, taking it, and what is said after that.

The document may be a recovery plan or a living form; `Editing` says how one is loaded and saved. What is typed is kept
as a sketch (`smartapp.web.forms`), what somebody else changed meanwhile is shown beside it, what took words away can be
taken back (`smartapp.web.undoing`), and words of professionals are asked about once (`smartapp.web.whose`).

Where a professional types with the client (`smartapp.web.with_client`), the client reads the words and says yes before
anything is saved (`smartapp.web.confirming`). What is not said yes to is a sketch of who typed it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar
from urllib.parse import urlencode, urlsplit

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from questionnaires.model import Who
from smartapp.i18n import message
from smartapp.records import Place
from smartapp.web import confirming, typed, undoing, whose, with_client
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
    """What a page asks: its fields, the words around them, and where the person goes after saving (`after`).

    `part` says whose part it is; what is not the client's is typed by a professional, and nobody says yes to it.
    """

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
    part: Who = "client"
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
    asks: str = ""  # the first name of the client, who says yes before it is saved; "" where nobody is asked
    own_part: bool = False  # it is the part of a professional, in a form of the client's

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
        if self.form.part != "client":
            with_client.is_own_part()
        if request.method == "GET":
            now = stored if stored is not None else self.editing.load()
            asked = self.asked(now, sketch) if self.asks and confirming.SHOW in request.args else None
            return asked if asked is not None else self.opened(now, sketch)
        return self.take(stored, sketch)

    @property
    def asks(self) -> bool:
        """Tell whether the client says yes before this is saved."""
        return self.form.part == "client" and with_client.goes_on()

    def take(self, stored: _Stored | None, sketch: Sketch, *, undo: bool = False) -> ResponseReturnValue:
        """Save what a form holds; `undo`: it takes back what was saved just now."""
        if self.asks and not confirming.said_yes(sketch.form, self.form.names):
            return self.ask(stored if stored is not None else self.editing.load(), sketch, undo=undo)
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

        there = stored

        def save() -> Saved | Wrong | Clash | Trouble:
            nonlocal there
            there = there if there is not None else self.editing.load()
            return self.editing.change(merge, there)

        # What is put back says nothing about words that were typed since and not saved: those stay with their writer.
        outcome = save() if undo or undoing.PUT_BACK in sketch.form else sketch.take(save)
        if isinstance(outcome, Saved):
            asked = self.asks  # then whose words they are was asked already
            return redirect(_after(self.form, outcome, before, after, undone=undo, asked=asked), 303)
        if isinstance(outcome, Trouble) and self.asks and there is not None:
            return self.reading(there, sketch, trouble=outcome.sentence), outcome.status
        return self.refusal(outcome, sent)

    def ask(self, stored: _Stored, sketch: Sketch, *, undo: bool) -> ResponseReturnValue:
        """Have the client read what a form holds. Nothing is saved; what can't be taken is shown to be mended."""
        sent = typed.submitted_fields(self.form.names, sketch.form)
        section, document = self.section_of(stored), self.editing.document(stored)
        outcome = typed.merge_form(section, document, sent)
        if not isinstance(outcome, Accepted):
            return self.refusal(outcome, sent)
        key = {name: text for name, text in sketch.form.items() if name in ("key", "stop", undoing.PUT_BACK)}
        chosen = replace(sketch, form={**key, **confirming.chosen(sent, section.read(document))})
        if undo or undoing.PUT_BACK in sketch.form:  # what was typed since and not saved stays as it is
            return self.reading(stored, replace(chosen, form={**chosen.form, undoing.PUT_BACK: "1"}))
        if outcome.document == document:
            sketch.forget()
            return redirect(self.form.after, 303)
        chosen.keep()
        marks = {confirming.SHOW: "1", **({"stop": "1"} if "stop" in key else {})}
        return redirect(f"{request.script_root}{request.path}?{urlencode(marks)}", 303)

    def asked(self, stored: _Stored, sketch: Sketch) -> ResponseReturnValue | None:
        """Return the page on which the client reads what was typed, None where there is nothing to read any more."""
        kept = sketch.kept()
        if kept is None or (kept.get("key") and self.editing.made(stored, kept["key"])):
            return None
        sent = typed.submitted_fields(self.form.names, kept)
        outcome = typed.merge_form(self.section_of(stored), self.editing.document(stored), sent)
        if not isinstance(outcome, Accepted):  # since it was typed, somebody saved something else
            return self.refusal(outcome, sent)
        stop = {"stop": "1"} if "stop" in request.args else {}
        return self.reading(stored, replace(sketch, form={**kept, **stop}))

    def reading(self, stored: _Stored, sketch: Sketch, trouble: str = "") -> str:
        """Return the page on which the client reads what a form holds."""
        before = self.section_of(stored).read(self.editing.document(stored))
        sent = typed.submitted_fields(self.form.names, sketch.form)
        said = {name: text for name, text in sent.values.items() if name in _written_in(self.form)}
        names = {"key", "stop", undoing.PUT_BACK, *self.form.names, *(f"seen-{name}" for name in self.form.names)}
        back = self.form.back.href if undoing.PUT_BACK in sketch.form else request.script_root + request.path
        page = confirming.page_of_words(
            confirming.changes_in(self.form.fields, before, sent.values),
            [(name, typed.clean(text)) for name, text in sketch.form.items() if name in names],
            names=self.form.names,
            no=Link(_("No, change it first"), back),
            kicker=self.form.kicker or self.form.title,
            about=self.form.words,
            trouble=trouble,
            whose=whose.are_new(before, said),
        )
        return confirming.shown(page)

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
            asks=with_client.first_name(with_client.client_name()) if self.asks else "",
            own_part=form.part != "client",
        )
        return render_template(self.editing.templates[0], page=page, **form.more)


def _without_empty_ticks(form: Mapping[str, str], asked: Form) -> dict[str, str]:
    """Return a form without what stands in a list to tick so that an empty one is sent too."""
    ticked = {one.name for one in asked.fields if one.kind == "checks"}
    return {name: ",".join(filter(None, text.split(","))) if name in ticked else text for name, text in form.items()}


def _after(
    form: Form, saved: Saved, before: Mapping[str, str], after: Mapping[str, str], *, undone: bool, asked: bool
) -> str:
    """Return the address of the page after a save; where words went, it offers to take that back.

    `asked`: whose words they are was asked before the save.
    """
    if not saved.arrived:
        return waiting(form.after)
    if undone:
        undoing.forget()
        return undoing.undone(form.after)
    here, address = request.script_root + request.path, form.after
    written = [one.name for one in form.fields if not confirming.is_plain(one) and one.name in before]
    said = {name: after.get(name, "") for name in _written_in(form) if name in before}
    if not asked and undoing.PUT_BACK not in request.form and whose.are_new(before, said):
        address = whose.ask(form.reword or here, address)
    if any(takes_words(before[name], after.get(name, "")) for name in written):
        changed = [name for name in before if before[name] != after.get(name, "")]
        seen = {f"seen-{name}": typed.digest(after.get(name, "")) for name in changed}
        return undoing.offer(here, {name: before[name] for name in changed} | seen, address)
    return address


def _written_in(form: Form) -> list[str]:
    """Return the names of the fields with words; a name is nobody's sentence."""
    return [one.name for one in form.fields if not confirming.is_plain(one) and one.name != "who"]


def takes_words(before: str, after: str) -> bool:
    """Tell whether a text no longer has every word that it had, in its order: what is only added to lost nothing."""
    left = iter(after.split())
    return not all(word in left for word in before.split())


def waiting(address: str) -> str:
    """Return the address of the page after a save, for one that has to wait: that page may have to say otherwise."""
    parts = urlsplit(address)
    return parts._replace(query="&".join(filter(None, (parts.query, "waits=1")))).geturl()
