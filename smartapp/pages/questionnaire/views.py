"""What each page of a questionnaire shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mappers.assignment import Assignment
from mappers.helper import ROLES, Helper
from questionnaires.model import Group, Instrument, Item, Option
from smartapp.pages.questionnaire.before import Before
from smartapp.pages.questionnaire.filling import NO, YES, AnswerError, Filling, NotAnOptionError, NotOnListError, Value
from smartapp.pages.questionnaire.waiting import ToDo
from smartapp.web.language import _, text_of
from smartapp.web.typed import briefly, digest

LAST_DIGIT: Final = 9


@dataclass(frozen=True, slots=True)
class QuestionnairesPage:
    """All questionnaires: what is waiting, and what can be filled in without being asked."""

    to_do: Sequence[ToDo]
    others: Sequence[Instrument]
    before: Mapping[str, Before]
    """When each was last sent in, by the instrument's id."""
    record_away: bool = False
    """The record does not answer: assignments cannot be shown now."""


@dataclass(frozen=True, slots=True)
class IntroPage:
    """Before the first question: what it is, how long it takes, who sees it; or where the client left off."""

    instrument: Instrument
    filling: Filling
    assignment: Assignment | None
    resume: str | None
    """LinkId of the question to go on with; None if all were seen: go to the review."""
    begun: bool
    before: Before | None = None
    """When it was last sent in."""


@dataclass(frozen=True, slots=True)
class QuestionPage:
    """One question."""

    filling: Filling
    item: Item
    group: Group
    here: int
    total: int
    minutes: int
    options: Sequence[dict[str, str]]
    chosen: str
    """The code that is chosen now, or the text in the field; "" for none."""
    based_on: str
    """The digest of the answer that the form shows, sent back as its field `was`."""
    answered: bool
    previous: str | None
    from_review: bool
    ticks: Sequence[dict[str, str]] = ()
    """The rows of a list to tick; then `ticked` has those that are ticked, and the item is the first of them."""
    ticked: Sequence[str] = ()
    error: str | None = None
    other_text: str | None = None
    """What another tab saved for this question meanwhile."""

    @property
    def first_of_group(self) -> bool:
        """Tell whether a new group begins here."""
        return self.group.items[0].link_id == self.item.link_id

    @property
    def stem(self) -> str:
        """Return the beginning of a sentence that every item of the group completes, or ""."""
        help_text = text_of(self.group.help)
        return stem_of(help_text)


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One line of the review: the question, its answer for people ("" for none), and the way back to it."""

    link_id: str
    number: int
    question: str
    answer: str
    own_words: bool


@dataclass(frozen=True, slots=True)
class AnswerGroup:
    """The lines of one group."""

    title: str
    stem: str
    rows: Sequence[AnswerRow]


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """Everything once more before it is sent in."""

    filling: Filling
    groups: Sequence[AnswerGroup]
    unanswered: Sequence[AnswerRow]
    digest: str
    """The digest of the answers on this page, by which sending in knows that they are what the person saw."""
    problem: str | None = None
    helper: Helper | None = None
    """Who helped, as far as the person said."""
    roles: Sequence[dict[str, str]] = ()
    correcting: str | None = None
    """When the response was filled in that these answers correct (a FHIR dateTime); None for a new one."""


@dataclass(frozen=True, slots=True)
class SentPage:
    """After sending in: what was answered, when, and where it is kept."""

    instrument: Instrument
    groups: Sequence[AnswerGroup]
    authored: str
    place: str
    scored: bool
    response_id: str


@dataclass(frozen=True, slots=True)
class RenewedPage:
    """A draft of an older version of the questionnaire: nothing is lost, the person says how to go on."""

    instrument: Instrument
    answers: Sequence[tuple[str, str]]
    left_out: Sequence[tuple[str, str]]


def stem_of(help_text: str) -> str:
    """Return a group's help if it is the beginning of every item's sentence, its dots kept with the last word."""
    return help_text.replace(" …", "\u00a0…") if help_text.endswith("…") else ""


def options_of(item: Item) -> list[dict[str, str]]:
    """Return the radio rows of an item; `number` is the key that chooses it, and stands before it."""
    if item.kind == "boolean":
        return [{"value": YES, "label": _("Yes")}, {"value": NO, "label": _("No")}]
    return [
        {"value": one.code, "label": _capital(text_of(one.text)), "number": _key_of(one)}
        for one in (item.scale.options if item.scale else ())
    ]


def _key_of(option: Option) -> str:
    """Return the key that chooses an option: the digit that it counts for, 0 for "not applicable", else none."""
    if option.value is None:
        return "0"
    return str(option.value) if 1 <= option.value <= LAST_DIGIT else ""


def _capital(text: str) -> str:
    # Options are worded to end a sentence; in a row of their own they begin one.
    return text[:1].upper() + text[1:]


def answer_text(item: Item, value: Value | None) -> str:
    """Return an answer as people read it; "" for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    option = item.scale.option(value) if item.scale else None
    return _capital(text_of(option.text)) if option else value


def question_page(
    filling: Filling, item: Item, *, from_review: bool = False, typed: str | None = None, **more: Any
) -> QuestionPage:
    """Put together the page of one question; `typed` is shown instead of the stored answer."""
    group = next(group for group in filling.instrument.groups if item in group.items)
    here, total = filling.number(item), max(len(filling.asked), 1)
    before, ticks = filling.before(item), filling.list_of(item)
    asked_at_once = ticks if len(ticks) > 1 else ()
    return QuestionPage(
        filling=filling,
        item=item,
        group=group,
        here=here,
        total=total,
        minutes=filling.minutes_left(here - 1),
        options=options_of(item),
        # What was not kept is given back, to be mended or taken out of here.
        chosen=typed if typed is not None else filling.text(item),
        based_on=digest(filling.text(item)),
        answered=any(one.link_id in filling.values for one in ticks),
        ticks=[{"value": one.link_id, "label": text_of(one.text)} for one in asked_at_once],
        ticked=[one.link_id for one in asked_at_once if filling.values.get(one.link_id) is True],
        previous=before.link_id if before else None,
        from_review=from_review,
        **more,
    )


def answer_groups(filling: Filling) -> list[AnswerGroup]:
    """Return every asked question with its answer, in the questionnaire's groups."""
    groups = []
    for group in filling.instrument.groups:
        rows = [_row(filling, item) for item in group.items if filling.asks(item)]
        help_text = text_of(group.help)
        if rows:
            groups.append(AnswerGroup(text_of(group.title), stem_of(help_text), rows))
    return groups


def _row(filling: Filling, item: Item) -> AnswerRow:
    return AnswerRow(
        link_id=item.link_id,
        number=filling.number(item),
        question=text_of(item.text),
        answer=answer_text(item, filling.values.get(item.link_id)),
        own_words=item.kind == "text",
    )


def review_page(filling: Filling, problem: str | None = None, correcting: str | None = None) -> ReviewPage:
    """Put together the review."""
    groups = answer_groups(filling)
    empty = [row for group in groups for row in group.rows if not row.answer]
    return ReviewPage(
        filling=filling,
        groups=groups,
        unanswered=empty,
        digest=filling.digest,
        problem=problem,
        helper=filling.answers.response.helper,
        roles=[{"value": code, "label": text_of(text)} for code, text in ROLES.items()],
        correcting=correcting,
    )


def explained(error: AnswerError) -> str:
    """Return why an answer is not kept, for the person who gave it."""
    if isinstance(error, NotOnListError):
        return _("“%(found)s” is not on this list. What you ticked is kept.", found=briefly(error.found))
    if isinstance(error, NotAnOptionError):
        return _("This answer is not one of the options. Choose one, or go on without an answer.")
    return _("This is longer than we can keep. Shorten it a little.")
