"""A form that keeps what is typed in it, and never writes over what somebody else saved.

Wherever people write, the same is promised, and this module keeps it:

- While someone types, `app.js` posts the form and asks for JSON (*autosave*). What it holds becomes a *sketch*: sealed
  in our own database, and shown to its writer alone. It goes when the record has the words, and no sooner, because what
  waits in the outbox can still be refused.
- The page opens with the sketch, says that it is not saved yet, and offers to throw it away.
- A save is based on what the form showed (`typed`), and is written with If-Match. When somebody else was quicker, it is
  merged again with what is stored by then; what both changed comes back as a `Clash`, with both versions.
- A server that is away or that refuses costs no words: the page comes back with them and a sentence (`Trouble`).

A new page of this kind is a `typed.Part` (its fields, and how they are read from a document and put back) and:

    sketch = Sketch("wishes/1", WISH.fields, posted())
    if (answer := sketch.answered()) is not None:
        return answer
    found = load()
    if request.method == "GET":
        return show(sketch.opened(WISH.read(found.wish)))
    sent = typed.submitted(WISH, sketch.form)
    outcome = sketch.take(
        lambda: merged(lambda now: typed.merge_form(WISH, now.wish, sent), found, again=load, write=write)
    )
    return redirect(after, 303) if isinstance(outcome, Saved) else refusal(outcome)

`show` renders a template with `kept_form`, `seen` and `unsaved` of `components/forms.html`, or with `form_fields` and
`choose_version` of `components/fields.html`, which draw the fields and both versions of `smartapp.web.fields`. `write`
saves one unit, and raises Conflict where someone was quicker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from flask import jsonify, redirect, request
from flask.typing import ResponseReturnValue

from smartapp.fhir.store import Conflict, Forbidden, RecordError, Refused, Unreachable
from smartapp.i18n import message
from smartapp.storage.drafts import Drafts
from smartapp.web import current, typed
from smartapp.web.language import format_number
from smartapp.web.language import gettext as _
from smartapp.web.typed import Accepted, Clash, Wrong

_Result = TypeVar("_Result")
_Stored = TypeVar("_Stored")
_Document = TypeVar("_Document")

ATTEMPTS: Final = 4  # how often a save looks again when someone else saved at the same moment

REFUSED: Final = message(
    "Your record cannot store this text, so it is not saved. Your text is still here. Please tell your care team."
)
UNREACHABLE: Final = message(
    "We cannot reach your record. This is not saved yet. Your text is still here. Please try again in a moment."
)
BUSY: Final = message("Someone else is saving at the same moment. Your text is still here. Please save again.")

Troubles = Mapping[type[Exception], tuple[str, int]]
TROUBLES: Final[Troubles] = {Unreachable: (UNREACHABLE, 503), Refused: (REFUSED, 422), Forbidden: (REFUSED, 422)}
"""What to say to a client when nothing is saved though nothing is wrong with what was typed, and with which status."""


# --- this request -----------------------------------------------------------------------------------------------


def posted() -> dict[str, str]:
    """Return the form of this request with each field once; ticked boxes of one name become codes between commas."""
    return {name: ",".join(values) for name, values in request.form.lists()}


def is_autosave() -> bool:
    """Tell whether the script of the page keeps what is typed, or a person pressed a button."""
    return request.accept_mimetypes.best == "application/json"


def sketches() -> Drafts:
    """Return where unsaved words of this user about this person are kept: apart from unfinished questionnaires."""
    return current.services().sketches(current.launch())


def sketch_name(form: str) -> str:
    """Return the name under which the sketch of a form is kept: the same in every launch, and it says nothing."""
    return current.services().vault.digest(form)


def kept(names: Iterable[str], form: Mapping[str, str], **more: object) -> ResponseReturnValue:
    """Answer autosave: what is typed is kept; and, where that is so, that it is too long to be saved one day."""
    long = typed.longest_too_long(names, form)
    says = _(typed.TOO_LONG_TO_SAVE, most=format_number(typed.LONGEST), now=format_number(long)) if long else None
    return jsonify(saved=True, **more, **({"says": says} if says else {}))


# --- a sketch ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """What a form shows: texts, digests of what they are based on; `draft` where they were typed before, unsaved.

    `key` is that of the form in which they were typed, for one that makes something new; "" for every other.
    """

    values: Mapping[str, str]
    based_on: Mapping[str, str]
    key: str = ""
    draft: bool = False


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is typed in a form and not in the record yet.

    `of` says which form, alike in every launch and different for each thing that is written; `names` are its fields,
    and `form` is what this request sent of it.
    """

    of: str
    names: tuple[str, ...]
    form: Mapping[str, str]

    def answered(self) -> ResponseReturnValue | None:
        """Answer autosave, and the button that throws the sketch away; return None for any other request."""
        if request.method != "POST":
            return None
        if self.form.get("sketch") == "discard":
            self.forget()
            return redirect(request.script_root + request.path, 303)
        if is_autosave():
            self.keep()
            return kept(self.names, self.form)
        return None

    def opened(self, stored: Mapping[str, str], *, new: bool = False) -> Opened:
        """Return what the form opens with: what is stored, and over it what was typed before; `new`: it makes a thing.

        A sketch is based on what its writer saw then. So an old one meets newer words as a clash, and replaces none.
        """
        digests = {name: typed.digest(stored.get(name, "")) for name in self.names}
        there = self.kept()
        kept = typed.unsaved(there, self.names, stored, new=new) if there is not None else None
        if kept is None:
            return Opened(stored, digests)
        return Opened({**stored, **kept.values}, {**digests, **kept.based_on}, kept.key, draft=True)

    def take(self, save: Callable[[], _Result]) -> _Result:
        """Save what the form holds; its words stay here as well, until the record has them. Raises what `save` does."""
        try:
            outcome = save()
        except RecordError:  # the page of this error shows what was typed; here it is kept for the next visit
            self.keep()
            raise
        if isinstance(outcome, Saved) and outcome.arrived:
            self.forget()
        else:
            # What waits in the outbox can still be refused. Until the record has the words, their writer keeps them.
            self.keep()
        return outcome

    def kept(self) -> Mapping[str, str] | None:
        """Return what is kept of the form, None where nothing is: its fields, what they were based on, and its key."""
        draft = sketches().get(sketch_name(self.of))
        return draft.resource if draft else None

    def keep(self) -> None:
        """Keep what the form holds."""
        wanted = typed.sent_fields(self.names, self.form)
        sketches().change(sketch_name(self.of), lambda _before: dict(wanted))

    def forget(self) -> None:
        """Forget what was typed."""
        sketches().delete(sketch_name(self.of))


# --- a save -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Saved:
    """It is saved; `arrived` False: here, and on its way to the record."""

    arrived: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """Nothing is wrong with what was typed, and still it is not saved: `sentence` says why."""

    sentence: str
    status: int


def merged(
    merge: Callable[[_Stored], Accepted[_Document] | Wrong | Clash],
    first: _Stored,
    *,
    again: Callable[[], _Stored],
    write: Callable[[_Stored, _Document], Saved | Trouble],
    troubles: Troubles = TROUBLES,
) -> Saved | Wrong | Clash | Trouble:
    """Merge a form with what is stored now (`first`), and write it as one unit.

    `write` raises Conflict when someone else saved in between: then `again` says what is stored by then, and the form
    is merged with that. So a save either is based on what is stored, or shows both versions; it never overwrites.
    Raises what `write` does, but for Conflict and `troubles`; Unauthorized, say: sign in again.
    """
    stored = first
    for _attempt in range(ATTEMPTS):
        outcome = merge(stored)
        if not isinstance(outcome, Accepted):
            return outcome
        try:
            return _written(write, stored, outcome.document, troubles)
        except Conflict:
            stored = again()
    return Trouble(_(BUSY), 409)


def _written(
    write: Callable[[_Stored, _Document], Saved | Trouble], stored: _Stored, document: _Document, troubles: Troubles
) -> Saved | Trouble:
    return tried(lambda: write(stored, document), troubles)


def tried(do: Callable[[], _Result], troubles: Troubles = TROUBLES) -> _Result | Trouble:
    """Do something, or return the sentence that says why it was not done."""
    try:
        return do()
    except tuple(troubles) as error:
        sentence, status = next(troubles[kind] for kind in type(error).__mro__ if kind in troubles)
        return Trouble(_(sentence), status)
