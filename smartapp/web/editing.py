"""A page on which one part of a document is changed: showing its form, taking it, and what is said after that.

The document may be a recovery plan or a living form; `Editing` says how one is loaded and saved. What is typed is kept
as a sketch (`smartapp.web.forms`), what somebody else changed meanwhile is shown beside it, what took words away can be
taken back (`smartapp.web.undoing`), and words of professionals are asked about once (`smartapp.web.whose`).

Where a professional types with the client (`smartapp.web.with_client`), the client reads the words and says yes before
anything is saved (`smartapp.web.confirming`), or later on a screen of their own (`smartapp.web.handing_over`). What is
not said yes to is a sketch of who typed it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar
from urllib.parse import urlencode, urlsplit

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from questionnaires.model import Who
from smartapp.i18n import message
from smartapp.records import Place
from smartapp.storage.handed_over import HandedOver, State
from smartapp.web import confirming, current, handing_over, typed, undoing, whose, with_client
from smartapp.web.confirming import Button
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
    asks_on: bool = False  # the page after this one asks on, and says that this answer is saved
    made_once: bool = False  # it makes something that is not changed here: there is nothing to take back or to reword
    key: str = ""
    part: Who = "client"
    reword: str = ""  # where the words of something new are changed, once it is made; else on this page
    proposed: Mapping[str, str] = field(default_factory=dict)  # a choice that follows from the page they came from
    stays: Mapping[str, str] = field(default_factory=dict)  # what its address says of where they came from
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
    waits: bool  # what was saved on the page before this one has not arrived in the record
    place: Place
    saved: bool = False  # the answer on the page before this one is saved
    asks: str = ""  # the first name of the client, who says yes before it is saved; "" where nobody is asked
    own_part: bool = False  # it is the part of a professional, in a form of the client's

    @property
    def problems(self) -> tuple[dict[str, str], ...]:
        """Return what has to be put right, for the summary at the top."""
        return problems_in(self.fields)


@dataclass(frozen=True, slots=True)
class ClashPage:
    """Both versions side by side, to choose between.

    `handed`: what is sent of words that waited for their owner; `typist`: who typed those.
    """

    title: str
    both: BothVersions
    key: str
    back: Link
    handed: str = ""
    typist: str = ""


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
        if self.form.part != "client":
            with_client.is_own_part()
        if undoing.FIELD in sketch.form:
            words = undoing.taken(sketch.form[undoing.FIELD])
            if words is None:
                flash(_(TOO_LATE), "attention")
                return redirect(self.form.back.href, 303)
            return self.take(stored, replace(sketch, form=words), undo=True)
        if (answer := sketch.answered()) is not None:
            return answer
        if request.method == "GET":
            now = stored if stored is not None else self.editing.load()
            asked = self.asked(now, sketch) if confirming.SHOW in request.args else None
            return asked if asked is not None else self.opened(now, sketch)
        if handing_over.HANDED in sketch.form and not with_client.goes_on():
            return self.answered(stored, sketch)
        return self.take(stored, sketch)

    @property
    def asks(self) -> bool:
        """Tell whether the client says yes before this is saved."""
        return self.form.part == "client" and with_client.goes_on()

    def here(self, **marks: str) -> str:
        """Return the address of this page, with where the person came from."""
        query = urlencode({**self.form.stays, **marks})
        return f"{request.script_root}{request.path}{'?' if query else ''}{query}"

    def take(self, stored: _Stored | None, sketch: Sketch, *, undo: bool = False) -> ResponseReturnValue:
        """Save what a form holds, once the client has said yes where they are asked; `undo`: it takes back a save."""
        if self.asks and not confirming.said_yes(sketch.form, self.form.names):
            return self.ask(stored if stored is not None else self.editing.load(), sketch, undo=undo)
        if self.asks and handing_over.HAND_OVER in sketch.form:
            sketch.keep()
            says = handing_over.hand_over(
                sketch.of,
                self.form.kicker or self.form.title,
                self.to_keep(sketch.form),
                [name for name in _written_in(self.form) if name in sketch.form],
            )
            flash(says, "message")
            return redirect(self.form.back.href, 303)
        return self.save(stored, sketch, undo=undo)

    def save(
        self, stored: _Stored | None, sketch: Sketch, *, undo: bool = False, handed: HandedOver | None = None
    ) -> ResponseReturnValue:
        """Save what a form holds; `handed`: the words waited for their owner's yes."""
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

        def write() -> Saved | Wrong | Clash | Trouble:
            nonlocal there
            there = there if there is not None else self.editing.load()
            return self.editing.change(merge, there)

        # What is put back says nothing about words that were typed since and not saved: those stay with their writer.
        # Nor does what somebody else typed, and its owner says yes to.
        outcome = write() if undo or handed or undoing.PUT_BACK in sketch.form else sketch.take(write)
        read = self.asks or bool(handed)
        if isinstance(outcome, Saved):
            self.settle(sketch, handed, stays=before == after)
            # A form that only adds shows nothing of what is there: then what was typed is what is new.
            said = {name: after.get(name) or text for name, text in sent.values.items()}
            return redirect(_after(self.form, outcome, before, after, said, undone=undo, read=read), 303)
        if isinstance(outcome, Trouble) and there is not None and read:
            return self.reading(there, sketch, trouble=outcome.sentence), outcome.status
        if isinstance(outcome, Wrong) and handed:  # the client mends it, so it is theirs to say from here on
            self.take_over(sketch, handed)
        return self.refusal(outcome, sent, handed)

    def settle(self, sketch: Sketch, handed: HandedOver | None, *, stays: bool) -> None:
        """Let nothing of this form wait for a yes any more, now that it was said here.

        `stays`: all is as it was. Then who kept what another wrote meanwhile said no to the words that waited.
        """
        if handed:
            keeps = any(sketch.form.get(f"choice-{name}") == "stored" for name in self.form.names)
            said: State = "confirmed" if _says(sketch.form, handed.fields, self.form.names) else "changed"
            handing_over.answer(handed, "refused" if keeps and stays else said)
        elif self.asks:
            handing_over.withdraw(sketch.of)

    def ask(self, stored: _Stored, sketch: Sketch, *, undo: bool) -> ResponseReturnValue:
        """Have the client read what a form holds. Nothing is saved; what can't be taken is shown to be mended."""
        sent = typed.submitted_fields(self.form.names, sketch.form)
        section, document = self.section_of(stored), self.editing.document(stored)
        outcome = typed.merge_form(section, document, sent)
        if not isinstance(outcome, Accepted):
            return self.refusal(outcome, sent)
        key = {name: text for name, text in sketch.form.items() if name in ("key", undoing.STOP, undoing.PUT_BACK)}
        chosen = replace(sketch, form={**key, **confirming.chosen(sent, section.read(document))})
        if undo or undoing.PUT_BACK in sketch.form:  # what was typed since and not saved stays as it is
            return self.reading(stored, replace(chosen, form={**chosen.form, undoing.PUT_BACK: "1"}))
        if outcome.document == document:
            sketch.forget()
            return redirect(self.form.after, 303)
        chosen.keep()
        marks = {confirming.SHOW: "1", **({undoing.STOP: "1"} if undoing.STOP in key else {})}
        return redirect(self.here(**marks), 303)

    def asked(self, stored: _Stored, sketch: Sketch) -> ResponseReturnValue | None:
        """Return the page on which the client reads what was typed, None where there is nothing to read any more."""
        words = None if self.asks else handing_over.waiting(request.args[confirming.SHOW], sketch.of)
        kept = sketch.kept() if self.asks else words.fields if words else None
        key = kept.get("key", "") if kept is not None else ""
        if kept is None or (key and self.editing.made(stored, key)):
            return None
        if key and key != self.form.key:  # sent twice, words make one thing: by the key of the form that they came from
            return replace(self, form=replace(self.form, key=key)).asked(stored, sketch)
        handed = {handing_over.HANDED: handing_over.sent_of(words)} if words else {}
        sent, document = typed.submitted_fields(self.form.names, kept), self.editing.document(stored)
        outcome = typed.merge_form(self.section_of(stored), document, sent)
        if not isinstance(outcome, Accepted):  # since it was typed, somebody saved something else
            return self.refusal(outcome, sent, words)
        if words and outcome.document == document:  # the same words were saved meanwhile
            handing_over.answer(words, "confirmed")
            return None
        stop = {undoing.STOP: "1"} if undoing.STOP in request.args else {}
        return self.reading(stored, replace(sketch, form={**kept, **stop, **handed}))

    def answered(self, stored: _Stored | None, sketch: Sketch) -> ResponseReturnValue:
        """Take what the client answers to words that somebody else typed with them."""
        shown = sketch.form[handing_over.HANDED]
        words = handing_over.read(shown, sketch.of)
        if words is None and (others := handing_over.others_than(shown, sketch.of)) is not None:
            flash(_(handing_over.CHANGED), "attention")
            return redirect(self.here(**{confirming.SHOW: others.id}), 303)
        if words is None:
            flash(_(handing_over.GONE), "attention")
            return redirect(self.form.back.href, 303)
        answer = sketch.form.get(handing_over.ANSWER, "")
        if answer == handing_over.REFUSE:
            handing_over.answer(words, "refused")
            flash(_(handing_over.REFUSED), "message")
            return redirect(self.form.back.href, 303)
        if answer == handing_over.CHANGE:
            self.take_over(replace(sketch, form=words.fields), words)
            return redirect(self.here(), 303)
        if _says(sketch.form, words.fields, self.form.names):
            with_client.typed_by(handing_over.typist(words))
        return self.save(stored, sketch, handed=words)

    def take_over(self, sketch: Sketch, handed: HandedOver) -> None:
        """Let words that waited be what the client has typed and not saved, to say it in their own way."""
        replace(sketch, form=_with_own(sketch.form, sketch.kept() or {}, _written_in(self.form))).keep()
        handing_over.answer(handed, "changed")

    def to_keep(self, form: Mapping[str, str]) -> dict[str, str]:
        """Return what of a form waits until the client says yes: the words, what they are based on, and its key."""
        return {name: typed.clean(text) for name, text in typed.sent_fields(self.form.names, form).items()}

    def reading(self, stored: _Stored, sketch: Sketch, trouble: str = "") -> str:
        """Return the page on which the client reads what a form holds."""
        before = self.section_of(stored).read(self.editing.document(stored))
        sent = typed.submitted_fields(self.form.names, sketch.form)
        said = {name: text for name, text in sent.values.items() if name in _written_in(self.form)}
        more = {name: text for name, text in sketch.form.items() if name in _SENT_ALONG}
        handed = more.get(handing_over.HANDED, "")
        back = Link(_("No, change it first"), self.here())
        if handed:
            others: tuple[Button, ...] = (
                Button(handing_over.ANSWER, handing_over.CHANGE, _("No, change it first")),
                Button(handing_over.ANSWER, handing_over.REFUSE, _("No, throw this away")),
            )
        elif undoing.PUT_BACK in more:
            others, back = (), replace(back, href=self.form.back.href)
        else:
            name = with_client.client_called()
            others = (Button(handing_over.HAND_OVER, "1", _("Let %(name)s say yes on their own screen", name=name)),)
        page = confirming.page_of_words(
            confirming.changes_in(self.form.fields, before, sent.values),
            [*self.to_keep(sketch.form).items(), *more.items()],
            names=self.form.names,
            action=self.here(),
            lead=_lead(handed, sketch.of),
            no=None if handed else back,
            others=others,
            kicker=self.form.kicker or self.form.title,
            about=self.form.words,
            trouble=trouble,
            whose=whose.are_new(before, said),
        )
        return confirming.shown(page)

    def refusal(
        self, outcome: Wrong | Clash | Trouble, sent: Submitted, handed: HandedOver | None = None
    ) -> ResponseReturnValue:
        """Return the page that says why nothing was saved, with everything that was typed."""
        if isinstance(outcome, Wrong):
            return self.shown(self.form, outcome.values, sent.based_on, problems=outcome.problems), 422
        if isinstance(outcome, Trouble):
            return self.shown(self.form, sent.values, sent.based_on, trouble=outcome.sentence), outcome.status
        both = both_versions(outcome, self.form.fields)
        page = ClashPage(
            self.form.title,
            both,
            self.form.key,
            self.form.back,
            handed=handing_over.sent_of(handed) if handed else "",
            typist=handed.name if handed else "",
        )
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
            waits=bool(request.args.get("waits")) and not current.records().stopped(),
            saved=request.method == "GET" and "saved" in request.args,
            place=self.editing.place(),
            asks=with_client.client_called() if self.asks else "",
            own_part=form.part != "client",
        )
        return render_template(self.editing.templates[0], page=page, **form.more)


_SENT_ALONG: Final = frozenset({undoing.STOP, undoing.PUT_BACK, handing_over.HANDED})
"""What a form sends beside its fields, and the page on which the client reads them sends again."""


def _lead(handed: str, form: str) -> str:
    """Return what stands above the words: who typed them, and that they are not saved yet."""
    words = handing_over.read(handed, form) if handed else None
    if words is not None:
        return _("%(typist)s wrote this down with you. It is saved once you say yes.", typist=words.name)
    return _("%(typist)s typed this. It is saved once you say yes.", typist=with_client.typist_name())


def _says(form: Mapping[str, str], words: Mapping[str, str], names: Iterable[str]) -> bool:
    """Tell whether a form has these words in all fields in which it does not keep what another wrote."""
    sent = [name for name in names if name in form and form.get(f"choice-{name}") != "stored"]
    return all(typed.clean(form[name]) == typed.clean(words.get(name, "")) for name in sent)


def _with_own(words: Mapping[str, str], own: Mapping[str, str], written: Iterable[str]) -> Mapping[str, str]:
    """Return what somebody else typed, below what the client typed in the same form and has not saved."""
    there = {name: own[name].strip() for name in written if own.get(name, "").strip()}
    both = {name: f"{text}\n\n{words.get(name, '')}".strip() for name, text in there.items()}
    return {**words, **{name: text for name, text in both.items() if there[name] != words.get(name, "").strip()}}


def _without_empty_ticks(form: Mapping[str, str], asked: Form) -> dict[str, str]:
    """Return a form without what stands in a list to tick so that an empty one is sent too."""
    ticked = {one.name for one in asked.fields if one.kind == "checks"}
    return {name: ",".join(filter(None, text.split(","))) if name in ticked else text for name, text in form.items()}


def _after(
    form: Form,
    saved: Saved,
    before: Mapping[str, str],
    after: Mapping[str, str],
    typed_now: Mapping[str, str],
    *,
    undone: bool,
    read: bool,
) -> str:
    """Return the address of the page after a save; where words went, it offers to take that back.

    `read`: the client has read the words and said yes; then whose words they are was asked too.
    """
    if not saved.arrived:
        return waiting(form.after)
    if undone:
        undoing.forget()
        return undoing.undone(form.after)
    if form.made_once:
        return form.after
    here, address = request.script_root + request.path, form.after
    if form.asks_on and any(before[name] != after.get(name, "") for name in before):
        address = _marked(address, "saved=1")
    written = [one.name for one in form.fields if not confirming.is_plain(one) and one.name in before]
    said = {name: typed_now.get(name, "") for name in _written_in(form) if name in before}
    if not read and undoing.PUT_BACK not in request.form and whose.are_new(before, said):
        address = whose.ask(form.reword or here, address)
    if any(takes_words(before[name], after.get(name, "")) for name in written):
        changed = [name for name in before if before[name] != after.get(name, "")]
        seen = {f"seen-{name}": typed.digest(after.get(name, "")) for name in changed}
        stop = {undoing.STOP: "1"} if undoing.STOP in request.form else {}
        return undoing.offer(here, {name: before[name] for name in changed} | seen | stop, address)
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
    return _marked(address, "waits=1")


def _marked(address: str, mark: str) -> str:
    parts = urlsplit(address)
    return parts._replace(query="&".join(filter(None, (parts.query, mark)))).geturl()
