"""One questionnaire being filled in: what is asked, what was answered, what comes next. Pure, but for the language.

A draft is an in-progress QuestionnaireResponse. Answers are put in one at a time, so that two tabs that answer two
questions keep both. An item with a condition counts only while its condition holds; its answer stays in the draft.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from mappers.answers import Answers, ResponseRef, answers_of, response_from
from mappers.errors import RefusedResponse
from mappers.helper import Helper
from mappers.tolerant import objects_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument, Item
from smartapp.web.language import _
from smartapp.web.typed import LONGEST, clean, digest

Value = str | bool

YES: Final = "yes"
NO: Final = "no"


class AnswerError(ValueError):
    """An answer that this question does not take."""


class NotAnOptionError(AnswerError):
    """An answer outside the options of the question."""


class NotOnListError(AnswerError):
    """Something that was ticked is not on the list; `found` is what was sent, as it was sent."""

    def __init__(self, found: str) -> None:
        super().__init__("not on the list")
        self.found = found


class TooLongError(AnswerError):
    """A text of more than LONGEST characters."""


class OtherVersion(Exception):
    """The draft was begun with another version of this questionnaire; `draft` is the response as stored."""

    def __init__(self, draft: Resource) -> None:
        super().__init__("This draft belongs to another version of the questionnaire.")
        self.draft = draft


@dataclass(frozen=True, slots=True)
class Filling:
    """The answers so far, and what follows from them: what is asked, what comes next, how much is left."""

    answers: Answers

    @classmethod
    def of(cls, instrument: Instrument, values: Mapping[str, Value] | None = None) -> Filling:
        """Begin with these answers: linkId → code, yes/no or text."""
        return cls(Answers(instrument, values or {}, ResponseRef(status="in-progress")))

    @property
    def instrument(self) -> Instrument:
        """Return the questionnaire that is filled in."""
        return self.answers.instrument

    @property
    def values(self) -> Mapping[str, Value]:
        """Return linkId → code, yes/no or text of all that was answered, asked now or not."""
        return self.answers.values

    @property
    def identifier(self) -> str:
        """Return our identifier of the response; "" before there is a draft."""
        return self.answers.response.identifier

    @property
    def asked(self) -> tuple[Item, ...]:
        """Return the items that are asked, given the answers so far."""
        return tuple(item for item in self.instrument.items if self.asks(item))

    def asks(self, item: Item) -> bool:
        """Tell whether an item's condition holds, and that of the item it depends on."""
        condition = item.enable_when
        if condition is None:
            return True
        # An answer that is itself no longer asked for opens nothing, though the draft still has it.
        before = self.instrument.item(condition.item)
        return self.values.get(condition.item) == condition.answer and self.asks(before)

    @property
    def given(self) -> dict[str, Value]:
        """Return the answers to what is asked: what is sent in."""
        return {item.link_id: self.values[item.link_id] for item in self.asked if item.link_id in self.values}

    @property
    def digest(self) -> str:
        """Return the digest of all answers that would be sent in, to tell later whether they are still the same."""
        return digest(repr(sorted(self.given.items())))

    @property
    def unanswered(self) -> tuple[Item, ...]:
        """Return the items that are asked and not answered."""
        return tuple(item for item in self.asked if item.link_id not in self.values)

    def text(self, item: Item) -> str:
        """Return an answer as its form field has it: a code, yes or no, or the text; "" for none."""
        value = self.values.get(item.link_id, "")
        return (YES if value else NO) if isinstance(value, bool) else value

    def number(self, item: Item) -> int:
        """Return the number of an item among those that are asked, from 1."""
        # Counted before it, so that an item that is not asked now has a number too.
        order = [one.link_id for one in self.instrument.items]
        here = order.index(item.link_id)
        return sum(1 for one in self.asked if order.index(one.link_id) < here) + 1

    def after(self, item: Item) -> Item | None:
        """Return the next item that is asked, or None at the end; what is on one list with this one comes before it."""
        items = self.instrument.items
        later = items[items.index(self.list_of(item)[-1]) + 1 :]
        return next((one for one in later if self.asks(one)), None)

    def before(self, item: Item) -> Item | None:
        """Return the previous item that is asked, or None at the beginning; of a list it is the first."""
        items = self.instrument.items
        earlier = items[: items.index(self.list_of(item)[0])]
        found = next((one for one in reversed(earlier) if self.asks(one)), None)
        return self.list_of(found)[0] if found else None

    def list_of(self, item: Item) -> tuple[Item, ...]:
        """Return the items that are asked at once with this one: a list to tick, or the item alone."""
        return next((ticks for ticks in tick_lists(self.instrument) if item in ticks), (item,))

    def resume(self) -> Item | None:
        """Return where the person was: the item after the last one answered, or None when that was the end."""
        answered = [item for item in self.asked if item.link_id in self.values]
        return self.after(answered[-1]) if answered else self.list_of(self.asked[0])[0]

    def minutes_left(self, done: int) -> int:
        """Return about how many minutes are left after `done` items; at least one."""
        # In proportion, and never 0 minutes: even the review takes one.
        total = len(self.asked)
        return max(1, math.ceil(self.instrument.minutes * (total - done) / total)) if total else 1


TICKS_FROM: Final = 3
"""So many questions in a row that are answered with yes or no are one list to tick."""


@functools.lru_cache(maxsize=64)
def tick_lists(instrument: Instrument) -> tuple[tuple[Item, ...], ...]:
    """Return the lists to tick: in one group, in a row, all yes or no, and none that depends on another answer."""
    found = []
    for group in instrument.groups:
        for ticks, run in itertools.groupby(group.items, lambda item: item.kind == "boolean" and not item.enable_when):
            items = tuple(run)
            if ticks and len(items) >= TICKS_FROM:
                found.append(items)
    return tuple(found)


def filling_of(instrument: Instrument, draft: Resource | None, catalogue: Catalogue) -> Filling:
    """Read a draft (None: nothing answered yet). Raises OtherVersion if it belongs to another version."""
    if draft is None:
        return Filling.of(instrument)
    if draft.get("questionnaire") != instrument.canonical:
        raise OtherVersion(draft)
    try:
        return Filling(answers_of(draft, catalogue))
    except RefusedResponse as refused:
        # Unreadable under the same version: the person sees it as the response words it, rather than lose it.
        raise OtherVersion(draft) from refused


def draft_of(filling: Filling, about: ResponseRef) -> Resource:
    """Write a draft. `about` says who and when; its identifier is used where the draft has none yet."""
    return response_from(replace(filling.answers, response=_kept_identifier(filling, about)))


def finished(filling: Filling, about: ResponseRef) -> Answers:
    """Return the answers as completed: only those to what was asked."""
    about = replace(_kept_identifier(filling, about), status="completed")
    return Answers(filling.instrument, filling.given, about)


def _kept_identifier(filling: Filling, about: ResponseRef) -> ResponseRef:
    told = filling.answers.response
    return replace(about, identifier=told.identifier or about.identifier, helper=told.helper)


def parse(item: Item, raw: str) -> Value | None:
    """Return what a form field means for this item; None for an empty text. Raises an AnswerError."""
    if item.kind == "text":
        text = clean(raw)
        if len(text) > LONGEST:
            raise TooLongError(f"{len(text)} characters; at most {LONGEST} fit")
        return text or None
    if item.kind == "boolean":
        if raw not in {YES, NO}:
            raise NotAnOptionError("not yes or no")
        return raw == YES
    if item.scale is None or item.scale.option(raw) is None:
        raise NotAnOptionError("not one of the options")
    return raw


def with_answer(filling: Filling, item: Item, value: Value | None) -> Filling:
    """Return the filling with one answer put in, or taken out for None; all others stay."""
    values = {key: kept for key, kept in filling.values.items() if key != item.link_id}
    if value is not None:
        values[item.link_id] = value
    return Filling(replace(filling.answers, values=values))


def with_helper(filling: Filling, helper: Helper | None) -> Filling:
    """Return the filling with who helped, or None for nobody."""
    return Filling(replace(filling.answers, response=replace(filling.answers.response, helper=helper)))


def with_ticks(filling: Filling, items: Sequence[Item], ticked: Collection[str], *, whole: bool) -> Filling:
    """Return the filling with a list as it was ticked, by linkId.

    What is ticked is a yes. What is not is a no once the list is left (`whole`) with something on it, or where it was a
    yes before; a list that nobody touched stays without answers, as any question may.
    """
    touched = bool(ticked) or any(item.link_id in filling.values for item in items)
    for item in items:
        if item.link_id in ticked:
            filling = with_answer(filling, item, True)
        elif (whole and touched) or filling.values.get(item.link_id) is True:
            filling = with_answer(filling, item, False)
    return filling


def taken_over(instrument: Instrument, draft: Resource) -> tuple[Filling, list[tuple[str, str]]]:
    """Take the answers of an older draft into this version of the questionnaire.

    Returns the filling, and what did not fit as (question, answer) for people: nothing disappears unseen.
    """
    values: dict[str, Value] = {}
    left: list[tuple[str, str]] = []
    known = {item.link_id: item for item in instrument.items}
    for link_id, question, answer in raw_answers(draft):
        value = _fitting(known.get(link_id), answer)
        if value is None:
            left.append((question, raw_text(answer)))
        else:
            values[link_id] = value
    return Filling.of(instrument, values), left


def _fitting(item: Item | None, answer: Any) -> Value | None:
    """Return an answer from another version as this item takes it, or None."""
    if item is None:
        return None
    if item.kind in ("boolean", "text"):
        fits = isinstance(answer, bool if item.kind == "boolean" else str)
        return answer if fits else None
    # By code alone: another version of a scale may have another system.
    code = answer.get("code") if isinstance(answer, dict) else None
    option = item.scale.option(code) if item.scale and isinstance(code, str) else None
    return option.code if option else None


def raw_answers(response: Resource) -> list[tuple[str, str, Any]]:
    """Return (linkId, question, value) of each answer in a response, without needing to know its questionnaire."""
    found: list[tuple[str, str, Any]] = []
    for item in objects_in(response, "item"):
        found += raw_answers(item)
        link_id = text_in(item, "linkId")
        values = [answer[name] for answer in objects_in(item, "answer") for name in answer if name.startswith("value")]
        found += [(link_id, text_in(item, "text") or link_id, value) for value in values]
    return found


def raw_text(answer: Any) -> str:
    """Return an answer of any kind for people, as the response itself words it."""
    if isinstance(answer, bool):
        return _("Yes") if answer else _("No")
    if isinstance(answer, dict):
        return text_in(answer, "display") or text_in(answer, "code")
    return answer if isinstance(answer, str) else str(answer) if isinstance(answer, int | float) else ""
