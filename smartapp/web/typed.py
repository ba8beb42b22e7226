"""What happens to words that a person typed: taken, sent back with the reason, or shown beside newer words.

A page edits one *part* of the plan: a few fields that are read from the plan and put back into it. The form
carries, for each field, a fingerprint of the text that stood there when the page was opened. So a save can tell
three things apart without remembering anything on the server: this person changed the field, somebody else did,
or both did. Only in the last case there is a question to ask, and nothing is saved until it is answered.
All of it is pure: a plan and a form in, an outcome out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from mappers import fhir_text
from mappers.plan import Plan
from smartapp.i18n import message

Choice = Literal["stored", "typed", ""]

LONGEST: Final = 20_000  # characters in one field: about ten printed pages, far below what servers refuse
TOO_LONG: Final = message("This text is too long to keep in one piece. Please make it shorter.")


@dataclass(frozen=True, slots=True)
class Part:
    """What one page edits. `check` gives, per field that can't be taken, the sentence that says why."""

    fields: tuple[str, ...]
    read: Callable[[Plan], Mapping[str, str]]
    apply: Callable[[Plan, Mapping[str, str]], Plan]
    check: Callable[[Plan, Mapping[str, str]], Mapping[str, str]] = lambda _plan, _values: {}


@dataclass(frozen=True, slots=True)
class Submitted:
    """What came back from a form: texts as typed, fingerprints as shown, and choices where we asked for one."""

    values: Mapping[str, str]
    seen: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Choice] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unsaved:
    """What somebody typed before and did not save: the texts, what they were based on, and the form's key."""

    values: Mapping[str, str]
    seen: Mapping[str, str]
    key: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The plan as it becomes."""

    plan: Plan


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


def clean(text: str) -> str:
    """Return a typed text as we keep it: as FHIR can carry it, and with one kind of line end.

    Browsers send every line end of a form as CR LF, also one that was stored as LF: it must compare as equal.
    """
    return fhir_text.typed(text.replace("\r\n", "\n").replace("\r", "\n"))


def fingerprint(text: str) -> str:
    """Return a short mark of a text, to see later whether it is still the same."""
    return hashlib.sha256(clean(text).encode()).hexdigest()[:16]


def fingerprints(part: Part, plan: Plan) -> dict[str, str]:
    """Return what a form shows now, per field, for its hidden `seen-` fields."""
    stored = part.read(plan)
    return {name: fingerprint(stored.get(name, "")) for name in part.fields}


def submitted(part: Part, form: Mapping[str, str]) -> Submitted:
    """Read one part's fields from a form; a field that the form doesn't have is left out, not emptied."""
    return submitted_fields(part.fields, form)


def submitted_fields(names: Sequence[str], form: Mapping[str, str]) -> Submitted:
    """Read these fields from a form, with the mark and the choice that belong to each."""
    choices: dict[str, Choice] = {}
    for name in names:
        if f"asked-{name}" in form:
            chosen = form.get(f"choice-{name}", "")
            choices[name] = "stored" if chosen == "stored" else "typed" if chosen == "typed" else ""
    return Submitted(
        values={name: clean(form[name]) for name in names if name in form},
        seen={name: form.get(f"seen-{name}", "") for name in names},
        choices=choices,
    )


def weigh(part: Part, plan: Plan, sent: Submitted) -> Accepted | Wrong | Clash:
    """Decide what a form does to the plan as it is stored now."""
    problems = {name: TOO_LONG for name, text in sent.values.items() if len(text) > LONGEST}
    problems.update(part.check(plan, sent.values))
    if problems:
        return Wrong(sent.values, problems)
    stored = part.read(plan)
    final = dict(stored)
    clashing: list[str] = []
    for name, typed in sent.values.items():
        now = stored.get(name, "")
        if typed == clean(now) or sent.choices.get(name) == "stored":
            continue
        if fingerprint(now) == sent.seen.get(name) and sent.choices.get(name, "typed") == "typed":
            final[name] = typed
        elif fingerprint(typed) == sent.seen.get(name):
            continue
        else:
            clashing.append(name)
    if clashing:
        return Clash(tuple(clashing), stored, sent.values, unanswered="" in sent.choices.values())
    return Accepted(part.apply(plan, final))


def sent_fields(names: Iterable[str], form: Mapping[str, str]) -> dict[str, str]:
    """Return what a form's sketch has to hold: the texts, what they were based on, and the form's key."""
    wanted = {"key", *names, *(f"seen-{name}" for name in names)}
    return {name: text for name, text in form.items() if name in wanted}


def unsaved(sketch: Mapping[str, str], names: Iterable[str], stored: Mapping[str, str], *, new: bool) -> Unsaved | None:
    """Return what a sketch holds that the plan does not, or None where it holds nothing new.

    `new` says that the form makes something, so that an empty plan beside it means nothing.
    """
    values = {name: clean(sketch[name]) for name in names if name in sketch}
    differs = any(text != clean(stored.get(name, "")) for name, text in values.items())
    if not differs or (new and not any(values.values())):
        return None
    seen = {name: sketch[f"seen-{name}"] for name in values if f"seen-{name}" in sketch}
    return Unsaved(values, seen, sketch.get("key", "") if new else "")
