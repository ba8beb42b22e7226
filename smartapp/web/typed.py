"""What happens to words that a person typed: taken, sent back with the reason, or shown beside newer words.

A page edits one *part* of a document, such as a recovery plan: a few fields that are read from the document and put
back into it. With each field the form carries a digest of the text that it was based on. So a save can tell three
things apart without the server remembering who opened what: this person changed the field, someone else did, or both
did. Only the last case needs an answer from the person, and nothing is saved until it is given.

`merge` decides for one text, `merge_form` for all fields of a form. Both are pure, and every page that takes free
text uses them: two rules for one question would sooner or later disagree, and then someone's words are gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, TypeVar

from mappers import fhir_text
from smartapp.i18n import message

Document = TypeVar("Document")
Choice = Literal["stored", "typed", ""]

LONGEST: Final = 20_000  # characters in one field: about ten printed pages, far below what servers refuse
BRIEF: Final = 60  # characters of what is on no list: enough to see what was found, and no page full of it
TOO_LONG: Final = message("This text is too long to keep in one piece. Please make it shorter.")
TOO_LONG_TO_SAVE: Final = message(
    "What you type is kept here. It is too long to save: at most %(most)s characters fit, and there are %(now)s."
)


# --- one text ---------------------------------------------------------------------------------------------------


def clean(text: str) -> str:
    """Return a typed text as we keep it: as FHIR can carry it, and with one kind of line end.

    Browsers send every line end of a form as CR LF, even one that was stored as LF: both must compare as equal.
    """
    return fhir_text.typed(text.replace("\r\n", "\n").replace("\r", "\n"))


def digest(text: str) -> str:
    """Return 16 hexadecimal digits that represent a text, to see later whether it is still the same.

    The text itself would do as well, but it would double every page, and a hidden field is no place for a life story.
    """
    return hashlib.sha256(clean(text).encode()).hexdigest()[:16]


def briefly(text: str) -> str:
    """Return what was found in place of a choice, short enough to stand in a sentence."""
    return text if len(text) <= BRIEF else f"{text[: BRIEF - 1]}…"


def merge(based_on: str, stored: str, typed: str) -> str | None:
    """Return the text to keep, or None where two people, or two tabs, both changed it in their own way.

    `based_on` is the digest of the text that the form showed ("" where the form does not say): a stored text is only
    replaced when it is the one that the person saw.
    """
    if clean(typed) == clean(stored) or digest(typed) == based_on:
        return stored
    return typed if digest(stored) == based_on else None


# --- a form -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)  # no slots: Python 3.11 can't call `Part[Plan](…)` on a frozen class that has them
class Part(Generic[Document]):
    """What one page edits. `check` gives, per field that can't be taken, the sentence that says why."""

    fields: tuple[str, ...]
    read: Callable[[Document], Mapping[str, str]]
    apply: Callable[[Document, Mapping[str, str]], Document]
    check: Callable[[Document, Mapping[str, str]], Mapping[str, str]] = lambda _document, _values: {}


@dataclass(frozen=True, slots=True)
class Submitted:
    """What came back from a form: texts as typed, digests of what they were based on, and choices where we asked."""

    values: Mapping[str, str]
    based_on: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Choice] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unsaved:
    """What was typed before and not saved: the texts, digests of what they were based on, and the form's key."""

    values: Mapping[str, str]
    based_on: Mapping[str, str]
    key: str


@dataclass(frozen=True, slots=True)
class Accepted(Generic[Document]):
    """The document as it becomes."""

    document: Document


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something can't be taken: `problems` says what, per field; `values` keeps all that was typed."""

    values: Mapping[str, str]
    problems: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Clash:
    """Both changed: `stored` and `values` have the two texts of each field in `fields`."""

    fields: tuple[str, ...]
    stored: Mapping[str, str]
    values: Mapping[str, str]
    unanswered: bool  # we asked to choose before, and no choice was made


def digests(part: Part[Document], document: Document) -> dict[str, str]:
    """Return the digest of what a form shows now, per field, for its hidden `seen-` fields."""
    stored = part.read(document)
    return {name: digest(stored.get(name, "")) for name in part.fields}


def submitted(part: Part[Document], form: Mapping[str, str]) -> Submitted:
    """Read one part's fields from a form; a field that the form doesn't have is left out, not emptied."""
    return submitted_fields(part.fields, form)


def submitted_fields(names: Sequence[str], form: Mapping[str, str]) -> Submitted:
    """Read these fields from a form, with the digest and the choice that belong to each."""
    choices: dict[str, Choice] = {}
    for name in names:
        if f"asked-{name}" in form:
            chosen = form.get(f"choice-{name}", "")
            choices[name] = "stored" if chosen == "stored" else "typed" if chosen == "typed" else ""
    return Submitted(
        values={name: clean(form[name]) for name in names if name in form},
        based_on={name: form.get(f"seen-{name}", "") for name in names},
        choices=choices,
    )


def merge_form(part: Part[Document], document: Document, sent: Submitted) -> Accepted[Document] | Wrong | Clash:
    """Decide what a form does to the document as it is stored now."""
    problems = {name: TOO_LONG for name, text in sent.values.items() if len(text) > LONGEST}
    problems.update(part.check(document, sent.values))
    if problems:
        return Wrong(sent.values, problems)
    stored = part.read(document)
    merged = {name: _merged(sent, name, stored.get(name, "")) for name in sent.values}
    clashing = tuple(name for name, text in merged.items() if text is None)
    if clashing:
        return Clash(clashing, stored, sent.values, unanswered="" in sent.choices.values())
    return Accepted(
        part.apply(document, {**stored, **{name: text for name, text in merged.items() if text is not None}})
    )


def _merged(sent: Submitted, name: str, stored: str) -> str | None:
    """Merge one field; what the person chose between two texts comes first, and a choice not made is asked again."""
    choice = sent.choices.get(name, "typed")
    if choice == "stored":
        return stored
    merged = merge(sent.based_on.get(name, ""), stored, sent.values[name])
    return merged if choice == "typed" or merged == stored else None


def longest_too_long(names: Iterable[str], form: Mapping[str, str]) -> int:
    """Return how many characters the longest of these fields has, where that is too many to save; else 0."""
    longest = max((len(clean(form.get(name, ""))) for name in names), default=0)
    return longest if longest > LONGEST else 0


def sent_fields(names: Iterable[str], form: Mapping[str, str]) -> dict[str, str]:
    """Return what a sketch of this form has to hold: the texts, what they were based on, and the form's key."""
    wanted = {"key", *names, *(f"seen-{name}" for name in names)}
    return {name: text for name, text in form.items() if name in wanted}


def unsaved(sketch: Mapping[str, str], names: Iterable[str], stored: Mapping[str, str], *, new: bool) -> Unsaved | None:
    """Return what a sketch holds that the document does not, or None where it holds nothing new.

    `new` says that the form makes something new: then there is nothing stored to compare with, and only words count.
    """
    values = {name: clean(sketch[name]) for name in names if name in sketch}
    differs = any(text != clean(stored.get(name, "")) for name, text in values.items())
    if not differs or (new and not any(values.values())):
        return None
    based_on = {name: sketch[f"seen-{name}"] for name in values if f"seen-{name}" in sketch}
    return Unsaved(values, based_on, sketch.get("key", "") if new else "")
