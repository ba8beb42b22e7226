"""What the pages of sent answers show: the questions in the order asked, the time before beside them, no verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mappers.answers import Answers
from mappers.comparing import as_much_changed, before_of, most_changed
from mappers.helper import ROLES, helper_in
from mappers.mapping import map_of
from mappers.talking import TalkingPoint
from mappers.tolerant import object_in, text_in
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument, Item
from smartapp.pages.answers.finding import Reading, Sent
from smartapp.pages.questionnaire.filling import Filling, raw_answers, raw_text
from smartapp.pages.questionnaire.views import answer_text, stem_of
from smartapp.web.language import text_of


@dataclass(frozen=True, slots=True)
class Line:
    """One question with its answer and that of the time before, as text for people; "" where there is none.

    `point`: the client's mark on it, also one that was talked about or taken back.
    """

    link_id: str
    number: int
    question: str
    answer: str
    before: str
    own_words: bool
    point: TalkingPoint | None

    @property
    def marked(self) -> bool:
        """Tell whether the client wants to talk about it, and it was not talked about yet."""
        return self.point is not None and self.point.waiting

    @property
    def discussed(self) -> bool:
        """Tell whether it was talked about."""
        return self.point is not None and self.point.discussed


@dataclass(frozen=True, slots=True)
class Lines:
    """The questions of one group."""

    title: str
    stem: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Change:
    """A statement whose answer differs most from the time before."""

    link_id: str
    question: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """A response of before, to put beside this one."""

    id: str
    authored: str


@dataclass(frozen=True, slots=True)
class ResponsePage:
    """One response. `own`: it is read by the person whose answers these are.

    `place` is where it is kept, or "waiting" or "refused"; `typed_by` who typed it, where that was someone else;
    `helper` who helped; `mapped` if it was filled in on a form of the EHR's own; `beside` the response of before that
    is shown beside it, None where there is none; `earlier` all of before.
    """

    title: str
    response_id: str
    authored: str
    typed_by: str
    helper: str
    mapped: bool
    place: str
    own: bool
    instrument: Instrument | None
    groups: Sequence[Lines]
    unread: Sequence[tuple[str, str]]
    beside: Earlier | None
    earlier: Sequence[Earlier]
    changed: Sequence[Change]
    as_much: int
    readings: Sequence[Reading]
    correctable: bool
    elsewhere: bool
    """Another program made it, or added answers of its own, so that it cannot be corrected here."""

    @property
    def markable(self) -> bool:
        """Tell whether the client can mark answers: they have arrived, and we know what they say."""
        return self.own and bool(self.groups) and self.place not in ("waiting", "refused")

    @property
    def marked(self) -> Sequence[Line]:
        """Return what the client wants to talk about."""
        return [line for group in self.groups for line in group.lines if line.marked]

    @property
    def wishes(self) -> bool:
        """Tell whether this is a conversation form: words about each area, and no score."""
        return is_conversation(self.instrument) if self.instrument else False

    @property
    def wished(self) -> Sequence[tuple[Lines, Line]]:
        """Return the wishes of such a form, each with the group of questions about its area."""
        groups = self.groups if self.wishes else ()
        return [(group, line) for group in groups for line in group.lines if line.own_words and line.answer]


@dataclass(frozen=True, slots=True)
class SentRow:
    """One response in the list of all."""

    title: str
    response_id: str
    authored: str
    place: str
    marked: int
    readings: Sequence[Reading]


@dataclass(frozen=True, slots=True)
class SentList:
    """Everything that was sent in, newest first."""

    rows: Sequence[SentRow]
    own: bool
    cut: str
    parts: Sequence[str]
    """What the rows are of, as it is shared."""


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """One answer, with what the client can do with it."""

    title: str
    response_id: str
    authored: str
    line: Line
    words: str
    goals: Sequence[tuple[str, str]]
    """Goals that a step can be added to: id and words."""
    made: Sequence[tuple[str, str]]
    """Goals, and the goals of steps, that came from this answer: the id of the goal, and the words that were made."""


def is_conversation(instrument: Instrument) -> bool:
    """Tell whether each group of a questionnaire asks one choice and then for words, as a form to talk about does."""
    return not instrument.scores and all(
        [item.kind for item in group.items] == ["choice", "text"] for group in instrument.groups
    )


def lines_of(answers: Answers, earlier: Answers | None, points: Mapping[str, TalkingPoint]) -> list[Lines]:
    """Return every question that was asked, in the order asked, with the answer of now and of the time before."""
    filling = Filling(answers)
    groups = []
    for group in answers.instrument.groups:
        lines = [_line(filling, item, earlier, points) for item in group.items if filling.asks(item)]
        if lines:
            groups.append(Lines(text_of(group.title), stem_of(text_of(group.help)), lines))
    return groups


def _line(filling: Filling, item: Item, earlier: Answers | None, points: Mapping[str, TalkingPoint]) -> Line:
    return Line(
        link_id=item.link_id,
        number=filling.number(item),
        question=text_of(item.text),
        answer=answer_text(item, filling.values.get(item.link_id)),
        before=answer_text(item, before_of(item, earlier)),
        own_words=item.kind == "text",
        point=points.get(item.link_id),
    )


def response_page(
    sent: Sent,
    *,
    own: bool,
    earlier: Sequence[Sent],
    beside: Sent | None,
    points: Mapping[str, TalkingPoint],
    readings: Sequence[Reading],
    correctable: bool,
    state: str,
) -> ResponsePage:
    """Put the page together. `earlier` are the responses of before to the same questionnaire, newest first."""
    answers, before = sent.answers, beside.answers if beside else None
    changed = most_changed(answers, before) if answers else ()
    return ResponsePage(
        title=title_of(sent),
        response_id=sent.record.resource["id"],
        authored=sent.authored,
        typed_by=typed_by(sent),
        helper=helper_of(sent),
        mapped=answers is not None and map_of(sent.record.resource, catalogue().maps) is not None,
        place=sent.record.place if state == "stored" else state,
        own=own,
        instrument=answers.instrument if answers else None,
        groups=lines_of(answers, before, points) if answers else (),
        unread=[] if answers else [(text, raw_text(answer)) for _id, text, answer in raw_answers(sent.record.resource)],
        beside=_earlier(beside) if beside else None,
        earlier=[_earlier(one) for one in earlier],
        changed=[
            Change(
                link_id=one.item.link_id,
                question=text_of(one.item.text),
                before=answer_text(one.item, one.before.code),
                now=answer_text(one.item, one.now.code),
            )
            for one in changed
        ],
        as_much=as_much_changed(answers, before) if answers else 0,
        readings=readings,
        correctable=correctable,
        elsewhere=answers is not None and (not answers.response.identifier or answers.others > 0),
    )


def _earlier(sent: Sent) -> Earlier:
    return Earlier(sent.record.resource["id"], sent.authored)


def title_of(sent: Sent) -> str:
    """Return what a response answers; "" for a questionnaire that is not ours."""
    return text_of(sent.answers.instrument.title) if sent.answers else ""


def typed_by(sent: Sent) -> str:
    """Return who typed the answers, where that was not the person whose answers they are; "" otherwise."""
    author, subject = (object_in(sent.record.resource, name) for name in ("author", "subject"))
    # Without a reference it is nobody whom we know, and the words say all there is.
    other = text_in(author, "reference") != text_in(subject, "reference")
    return text_in(author, "display") if other else ""


def helper_of(sent: Sent) -> str:
    """Return who helped to fill it in, as `Mila (naaste)`; "" where the response does not say."""
    helper = helper_in(sent.record.resource)
    if helper is None:
        return ""
    role = text_of(ROLES[helper.role]) if helper.role else ""
    return f"{helper.name} ({role})" if helper.name and role else helper.name or role
