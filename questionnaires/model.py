"""The vocabulary of this package: text, source, answer scale, item, score rule, instrument, life domain.

Plain frozen data. What the files hold is in `tables.py`, how it becomes this in `catalogue.py`; how it becomes FHIR is
in `publish.py`; what answers are worth is in the package `mappers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from questionnaires.canonical import code_system_url, questionnaire_url, value_set_url
from questionnaires.reading import OneLine, Strict

Language = Literal["nl", "en"]
# How sure we are, and why: "sure" was read in the source; "triangulated" is forced by two or more sources together;
# "inferred" is our reasoning from a source; "recalled" is general knowledge that no source here confirmed; "unknown"
# was looked for and not found; "own" is a choice of this project, not a fact about the instrument.
Certainty = Literal["sure", "triangulated", "inferred", "recalled", "unknown", "own"]
# "line" is a text of one line; "goal" is the words of one of the client's goals, kept as text with a way to the goal.
ItemKind = Literal["choice", "boolean", "text", "line", "date", "goal"]
Aggregate = Literal["sum", "mean", "mean-times-n"]
Wording = Literal["working", "official"]
Variant = Literal["default", "template", "plain", "structure"]
"""A form of the published Questionnaire: what each is for is in `publish.py`."""
# A questionnaire is filled in by the client and sent; a record is what two people write down while they talk, so nobody
# is asked to fill it in; a living form is never finished: its owner comes back to it, and it has versions.
InstrumentKind = Literal["questionnaire", "record", "living"]
Subject = Literal["person", "team"]
"""Whom a form is about: one person, in whose record its answers are, or a team, and then nobody's record has them."""
Who = Literal["client", "peer-worker", "professional"]
"""Whose part of a form something is: who may fill it in."""
Place = Literal["plan", "overview", "together"]
"""Where else than on its own pages a living form is shown."""
Per = Literal["", "domain", "goal"]
"""What a row of a living form is offered for; "" where the client adds rows."""

Day = Literal["", "been", "coming"]
"""Which days a date may name: one that has been, or one that is still to come; today is both. "" where any will do."""

LANGUAGES: tuple[Language, ...] = get_args(Language)
VARIANTS: tuple[Variant, ...] = get_args(Variant)
CERTAINTIES: tuple[str, ...] = get_args(Certainty)
NOT_APPLICABLE = "na"
FORMAL: Final = "nl-x-u"
"""The language tag of Dutch that says *u*."""
DEFAULT_ROWS: Final = 5
"""The height of a field, in lines, where its definition says nothing."""


def instrument_id(form: str) -> str:
    """Return the id of the instrument whose form a canonical or reference names, in whatever version or variant.

    That is the last part of it; a variant (`hoop-plain`) asks and scores as the instrument itself does.
    """
    last = form.partition("|")[0].rpartition("/")[2]
    base, _, variant = last.rpartition("-")
    return base if base and variant in VARIANTS[1:] else last


class Text(Strict, frozen=True):
    """The same words in Dutch, the language we publish in, and in English.

    Dutch says *je* to the client; `u` has the same words with *u*, where that makes a difference. What is published
    and what is kept in a record is `nl`: only pages tell the two apart.
    """

    nl: OneLine
    en: OneLine
    u: OneLine | None = None

    def get(self, language: str) -> str:
        """Return the words in `language` (a tag such as `en`, `nl-NL`, or FORMAL); Dutch where there are none."""
        if language == FORMAL:
            return self.u or self.nl
        return self.en if language.split("-", maxsplit=1)[0].lower() == "en" else self.nl

    def and_then(self, more: Text | None) -> Text:
        """Return this title or question and its explanation in one line, which every renderer shows."""
        if more is None:
            return self

        # A question that ends in its own mark needs no full stop before the explanation.
        def joined(one: str, two: str) -> str:
            return f"{one} {two}" if one[-1] in ".?!" else f"{one}. {two}"

        formal = joined(self.u or self.nl, more.u or more.nl) if self.u or more.u else None
        return Text(joined(self.nl, more.nl), joined(self.en, more.en), formal)


_WHOSE: Final[Mapping[Who, Text]] = {
    "peer-worker": Text("Dit vult de ervaringsdeskundige in.", "The peer worker fills this in."),
    "professional": Text("Dit vult de hulpverlener in.", "The professional fills this in."),
}


@dataclass(frozen=True, slots=True)
class Citation:
    """A publication, page or file that facts come from, and how much of it was read."""

    key: str
    text: str
    read: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where one fact comes from and how sure it is; `note` says what the source does and does not say."""

    key: str
    citation: str
    certainty: Certainty
    note: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement about an instrument or one of its scores, with its source.

    `verified` is true only for what was read in the source or is forced by several of them.
    """

    about: str
    statement: str
    sources: tuple[Source, ...]
    certainty: Certainty
    verified: bool


@dataclass(frozen=True, slots=True)
class ReferenceNumber:
    """A published number, such as a mean or a reliability, with the people it was found in."""

    population: str
    n: str
    statistic: str
    source: Source


@dataclass(frozen=True, slots=True)
class Option:
    """One answer; `value` is the number that it counts for, None for "not applicable" (code `na`) and life domains."""

    code: str
    value: int | None
    text: Text


@dataclass(frozen=True, slots=True)
class AnswerScale:
    """The answers that a choice item offers, lowest value first, "not applicable" last.

    Two scales may share an id: the items that offer "not applicable" have the same scale with one more option.
    """

    id: str
    options: tuple[Option, ...]
    # The id of a CodeSystem of ours that has these codes already, such as `life-domain`; else the scale has its own.
    codes: str = ""

    @property
    def system(self) -> str:
        """Return the CodeSystem of the answers' codes."""
        return code_system_url(self.codes or f"answer-{self.id}")

    @property
    def value_set(self) -> str:
        """Return the ValueSet of exactly these options."""
        return value_set_url(self.codes or f"answer-{self.id}{'-or-na' if self.has_not_applicable else ''}")

    @property
    def has_not_applicable(self) -> bool:
        """Tell whether "not applicable" is one of the options."""
        return any(option.code == NOT_APPLICABLE for option in self.options)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Return the values of the options that have one."""
        return tuple(option.value for option in self.options if option.value is not None)

    @property
    def low(self) -> int:
        """Return the lowest value."""
        return min(self.numbers)

    @property
    def high(self) -> int:
        """Return the highest value."""
        return max(self.numbers)

    def option(self, code: str) -> Option | None:
        """Return the option with this code, or None."""
        return next((option for option in self.options if option.code == code), None)


@dataclass(frozen=True, slots=True)
class EnableWhen:
    """Ask an item only when another item (by linkId) has this answer: a boolean, or the code of a choice."""

    item: str
    answer: bool | str


@dataclass(frozen=True, slots=True)
class Item:
    """One question or statement. `subject` says in a few English words what it is about, in any wording.

    Of living forms: `many`, several answers (texts: one per line; choices: several may be ticked); `prompts`, ideas
    that are shown beside the field and never filled in; `rows`, the height of the field; `today`, a date that is the
    day on which its row was written; `day`, whether a date has been or is still to come; `card`, stands on the small
    card; `off_card`, the answer that keeps its row off the card; `becomes`, where its words can be taken without
    retyping: "goal", or the linkId of an item of a living form; `offer`, beside each answer stands what the place has
    of it, or, of a line, the answers are names of that; `changes_goal` and `ends_goal`, the answer after which the
    client is offered to change the goal of the row, or to end it; `was`, the id of the extension of the CarePlan that
    its words were kept in before there were living forms.
    """

    link_id: str
    kind: ItemKind
    text: Text
    subject: str
    scale: AnswerScale | None = None
    help: Text | None = None
    quoted: bool = False
    source: Source | None = None
    enable_when: EnableWhen | None = None
    # No definition sets this: people may leave any question open.
    required: bool = False
    # What follows is for living forms only.
    many: bool = False
    who: Who = "client"
    prompts: tuple[Text, ...] = ()
    rows: int = DEFAULT_ROWS
    today: bool = False
    day: Day = ""
    card: bool = False
    off_card: str = ""
    becomes: str = ""
    offer: bool = False
    changes_goal: str = ""
    ends_goal: str = ""
    was: str = ""

    @property
    def from_offer(self) -> bool:
        """Tell whether its answers are chosen from what the place has to offer, by their names."""
        return self.offer and self.scale is None

    @property
    def asked(self) -> Text:
        """Return the text of the published form, and therefore of each response: the question with its help.

        Of another's part it says whose it is: no renderer knows that otherwise.
        """
        return self.text.and_then(self.help).and_then(_WHOSE.get(self.who))


@dataclass(frozen=True, slots=True)
class Group:
    """Items that belong together, under a title; the only nesting that all form renderers score the same way.

    `quoted`: the help is a quotation, of `source`. Where it is a stem, each item completes the quoted sentence.

    Of living forms: `many`, the group is there once for each thing that is written down, called a row: a sign with what
    to do then, say. The first item of such a group names the row. `per`: a row is offered for each life domain, or for
    each goal that the client works on; the first item is that domain or goal. `ordered`: the client puts the rows in
    order. `add`: what the button says that makes a row. `columns`: the two or three answers of a row stand beside each
    other, each in its own column, where there is room.
    """

    link_id: str
    title: Text
    items: tuple[Item, ...]
    help: Text | None = None
    quoted: bool = False
    source: Source | None = None
    # What follows is for living forms only.
    many: bool = False
    per: Per = ""
    ordered: bool = False
    add: Text | None = None
    columns: bool = False

    @property
    def asked(self) -> Text:
        """Return the text of the published form, and therefore of each response: the title with its help."""
        return self.title.and_then(self.help)


class RoundingRule(Strict, frozen=True):
    """How a score is rounded, half away from zero, always by decimal arithmetic.

    `sum_decimals` rounds sum × n ÷ answered before anything else (a mean is then that number ÷ n);
    `decimals` rounds the outcome. None leaves that step at full precision.
    """

    sum_decimals: int | None = None
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """How answers become one number.

    An item is *answered* when it has any answer, "not applicable" included; it *counts* when that answer has a number.
    There is a score when at least `minimum_answered` of `items` are answered and at least one of them counts. Then,
    with S the sum of the numbers that count (`reversed` items: lowest + highest − number) and N how many count:

    - `sum`: S (the reader demands that all items are answered and none offers "not applicable")
    - `mean`: S ÷ N
    - `mean-times-n`: S × len(items) ÷ N, in that order, so that every engine finds the same IEEE double

    `rounding` comes last; None keeps full precision. `version` belongs to the rule, not to the instrument: scores of
    different rule versions never share a trend line. `default` scores are shown in the app, the others are named
    alternatives. `published` rules are in the Questionnaire as calculated items.
    `verified` is true when each fact that is not our own choice was read in its source.
    """

    code: str
    scale: str
    title: Text
    items: tuple[str, ...]
    reversed: frozenset[str]
    aggregate: Aggregate
    minimum_answered: int
    rounding: RoundingRule | None
    low: float
    high: float
    version: str
    default: bool
    published: bool
    method: Text
    facts: tuple[Fact, ...]
    note: str = ""

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return the sources of all facts behind this rule, each key once."""
        return tuple({source.key: source for fact in self.facts for source in fact.sources}.values())

    @property
    def verified(self) -> bool:
        """Tell whether every fact that is not this project's own choice was read in its source."""
        return all(fact.verified for fact in self.facts if fact.certainty != "own")


@dataclass(frozen=True, slots=True)
class WorkedExample:
    """Answers (linkId, code or boolean) and the scores they give (scale, number or None), with the sum written out."""

    title: str
    answers: tuple[tuple[str, str | bool], ...]
    scores: tuple[tuple[str, float | None], ...]
    working: str
    source: Source | None = None


class Shown(Strict, frozen=True):
    """What the clinician's overview says above a living form, and in its place while nothing is written."""

    title: Text
    empty: Text


class Review(Strict, frozen=True):
    """When a living form asks to be looked at again: so many months after it was last changed, or on a day.

    `item` names the date item (without the form's id) in which its owner wrote that day, which goes first. `yes` is
    what its owner can answer in one press where it is still so; without it they can only look, or not now.
    """

    question: Text
    yes: Text | None = None
    months: int = 12
    item: str = ""


class Living(Strict, frozen=True):
    """How a living form is shown, in the words of the page. `order`: its place among the others.

    `summary`: what its sheet is called, for whoever was there, where it is about more than one person's words.
    `cards`: its groups are shown as cards to choose from, and not one after the other. `card`: what is marked so fits
    on a card the size of a bank card. `offline`: its owner may keep it on an own device, to read without a network.
    `carried` stands on top wherever it is read away from its own page: on paper, and on that device.
    """

    order: int
    invitation: Text
    write: Text
    change: Text
    saved: Text
    emptied: Text | None = None
    summary: Text | None = None
    overview: Shown | None = None
    shown_in: tuple[Place, ...] = ("plan",)
    review: Review | None = None
    cards: bool = False
    card: bool = False
    offline: bool = False
    carried: Text | None = None


@dataclass(frozen=True, slots=True)
class Instrument:
    """A questionnaire: its items in groups, its score rules, and what is known about it."""

    id: str
    version: str
    title: Text
    subtitle: Text
    intro: Text
    minutes: int
    note: str
    groups: tuple[Group, ...]
    scores: tuple[ScoreRule, ...]
    copyright: Text
    wording: Wording
    wording_note: Text
    citations: tuple[Citation, ...]
    facts: tuple[Fact, ...]
    reference_numbers: tuple[ReferenceNumber, ...]
    examples: tuple[WorkedExample, ...]
    derived_from: str | None = None
    kind: InstrumentKind = "questionnaire"
    subject: Subject = "person"
    living: Living | None = None
    _items: dict[str, Item] = field(init=False, repr=False, compare=False)
    _scores: dict[str, ScoreRule] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Scoring looks items and rules up for every answer. The class is frozen, hence the detour.
        items = {item.link_id: item for group in self.groups for item in group.items}
        object.__setattr__(self, "_items", items)
        object.__setattr__(self, "_scores", {rule.code: rule for rule in self.scores})

    def __hash__(self) -> int:
        # The generated hash would walk every item and fact, for each response: instruments are keys of caches.
        return hash((self.id, self.version))

    @property
    def url(self) -> str:
        """Return the canonical address without version."""
        return questionnaire_url(self.id)

    @property
    def canonical(self) -> str:
        """Return the canonical address with version: what a response refers to."""
        return f"{self.url}|{self.version}"

    @property
    def panel_code(self) -> str:
        """Return the code of the Observation that holds all scores of one response together."""
        return f"{self.id}-panel"

    @property
    def items(self) -> tuple[Item, ...]:
        """Return all items in document order."""
        return tuple(self._items.values())

    @property
    def scales(self) -> tuple[AnswerScale, ...]:
        """Return the distinct answer scales in order of first use."""
        return tuple(dict.fromkeys(item.scale for item in self.items if item.scale is not None))

    def item(self, link_id: str) -> Item:
        """Return the item with this linkId; KeyError names what was asked and of which instrument."""
        if link_id not in self._items:
            raise KeyError(f"{self.id} has no item {link_id!r}")
        return self._items[link_id]

    def score(self, code: str) -> ScoreRule:
        """Return the score rule with this code (`hoop-total`); KeyError lists the codes that exist."""
        if code not in self._scores:
            raise KeyError(f"{self.id} has no score {code!r}; it has {', '.join(self._scores) or 'none'}")
        return self._scores[code]

    def all_facts(self) -> Iterator[tuple[str, Fact]]:
        """Yield every fact with what it belongs to: "" for the instrument, else the code of a score."""
        for fact in self.facts:
            yield "", fact
        for rule in self.scores:
            for fact in rule.facts:
                yield rule.code, fact


@dataclass(frozen=True, slots=True)
class LifeDomain:
    """One area of life that a plan can be about; `family` ones are offered to family teams only.

    `title` is the handbook's word, which records keep; `plain` is what people say, where that is another word.
    """

    code: str
    title: Text
    question: Text
    help: Text
    family: bool
    order: int
    plain: Text | None = None

    @property
    def name(self) -> Text:
        """Return what pages call it: the plain name."""
        return self.plain or self.title


@dataclass(frozen=True, slots=True)
class PlanQuestion:
    """One of the four questions that are asked about every chosen life domain; `text` is the handbook's."""

    code: str
    text: Text
    help: Text
    plain: Text | None = None

    @property
    def asked(self) -> Text:
        """Return how pages ask it: in plain words."""
        return self.plain or self.text
