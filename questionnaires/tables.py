"""The tables of our data files, as types: which keys there are and what kind of value each has.

README.md says what each key is for; `catalogue.py` checks which values go together and builds the instrument from them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from questionnaires.model import (
    Aggregate,
    Certainty,
    Day,
    InstrumentKind,
    ItemKind,
    Living,
    Per,
    RoundingRule,
    Subject,
    Text,
    Who,
    Wording,
)
from questionnaires.reading import Name, OneLine, Strict

Answer = str | bool
# TOML has no null, so `false` says "no score"; 0 would be a score.
Expected = Annotated[
    int | float | Literal[False], Meta(description="is {value!r}; it must be a number, or false for no score")
]


class CitationTable(Strict, frozen=True):
    """`[sources]`: one entry."""

    citation: OneLine
    read: OneLine


class FactTable(Strict, frozen=True):
    """`facts`, of the instrument or of a score."""

    about: OneLine
    statement: OneLine
    certainty: Certainty
    verified: bool
    sources: tuple[str, ...] = ()


class ReferenceNumberTable(Strict, frozen=True):
    """`reference_numbers`: a published number."""

    population: OneLine
    n: OneLine
    statistic: OneLine
    source: OneLine
    certainty: Certainty
    note: OneLine = ""


class OptionTable(Strict, frozen=True):
    """One answer of a scale."""

    code: OneLine
    value: int
    text: Text


class ScaleTable(Strict, frozen=True):
    """`[[scales]]`: an answer scale."""

    name: Name
    options: tuple[OptionTable, ...] = ()
    not_applicable: Text | None = None


class ConditionTable(Strict, frozen=True):
    """`enable_when`: the item is asked only after this answer."""

    item: OneLine
    answer: Answer


class ItemTable(Strict, frozen=True):
    """`[[groups.items]]`: one question."""

    id: Name
    subject: OneLine
    text: Text
    kind: ItemKind = "choice"
    scale: OneLine | None = None
    not_applicable: bool | None = None
    help: Text | None = None
    quoted: bool = False
    source: OneLine | None = None
    note: OneLine = ""
    enable_when: ConditionTable | None = None
    # What follows is for living forms only.
    many: bool = False
    who: Who = "client"
    prompts: tuple[Text, ...] = ()
    rows: int | None = None
    today: bool = False
    day: Day = ""
    card: bool = False
    off_card: OneLine | None = None
    becomes: Name | None = None
    offer: bool = False
    changes_goal: OneLine | None = None
    ends_goal: OneLine | None = None
    was: Name | None = None


class GroupTable(Strict, frozen=True):
    """`[[groups]]`: questions under one title."""

    id: Name
    title: Text
    items: tuple[ItemTable, ...] = ()
    help: Text | None = None
    quoted: bool = False
    source: OneLine | None = None
    # What follows is for living forms only.
    many: bool = False
    per: Per = ""
    ordered: bool = False
    add: Text | None = None
    columns: bool = False


class ScoreTable(Strict, frozen=True):
    """`[[scores]]`: how answers become one number."""

    scale: Name
    title: Text
    items: tuple[str, ...]
    aggregate: Aggregate
    minimum_answered: int
    # These follow from the items and are stated all the same, so that a slip in either is noticed.
    low: int
    high: int
    version: OneLine
    default: bool
    published: bool
    reversed: tuple[str, ...] = ()
    rounding: RoundingRule | None = None
    facts: tuple[FactTable, ...] = ()
    note: OneLine = ""


class ExampleTable(Strict, frozen=True):
    """`[[examples]]`: answers and the scores that they give."""

    title: OneLine
    scores: dict[str, Expected]
    working: OneLine
    all: OneLine | None = None
    answers: dict[str, Answer] = field(default_factory=dict)
    unanswered: tuple[str, ...] = ()
    source: OneLine | None = None
    note: OneLine = ""


class InstrumentTable(Strict, frozen=True):
    """A whole file in `definitions/`."""

    id: Name
    version: OneLine
    title: Text
    subtitle: Text
    intro: Text
    minutes: int
    wording: Wording
    wording_note: Text
    copyright: Text
    sources: dict[str, CitationTable]
    kind: InstrumentKind = "questionnaire"
    subject: Subject = "person"
    living: Living | None = None
    note: OneLine = ""
    derived_from: OneLine | None = None
    facts: tuple[FactTable, ...] = ()
    reference_numbers: tuple[ReferenceNumberTable, ...] = ()
    scales: tuple[ScaleTable, ...] = ()
    groups: tuple[GroupTable, ...] = ()
    scores: tuple[ScoreTable, ...] = ()
    examples: tuple[ExampleTable, ...] = ()


class LifeDomainTable(Strict, frozen=True):
    """`[[domains]]` of `life_domains.toml`."""

    code: Name
    title: Text
    question: Text
    help: Text
    plain: Text | None = None
    family: bool = False


class PlanQuestionTable(Strict, frozen=True):
    """`[[questions]]` of `life_domains.toml`."""

    code: Name
    text: Text
    help: Text
    plain: Text | None = None


class LifeDomainsTable(Strict, frozen=True):
    """The whole of `life_domains.toml`."""

    questions: tuple[PlanQuestionTable, ...] = ()
    domains: tuple[LifeDomainTable, ...] = ()


class WordingRowTable(Strict, frozen=True):
    """`[[items]]` of a file with official wording: a text of an item, an answer or a group."""

    item: OneLine
    nl: OneLine
    en: OneLine = ""
    dimension: OneLine | None = None
    reversed: bool | None = None
    not_applicable: bool | None = None


class RightsTable(Strict, frozen=True):
    """`copyright` of a file with official wording; without `en`, the Dutch text serves for both languages."""

    nl: OneLine
    en: OneLine | None = None


class WordingTable(Strict, frozen=True):
    """A whole file with official wording, as TOML."""

    instrument: OneLine
    version: OneLine
    copyright: RightsTable
    source: OneLine
    items: tuple[WordingRowTable, ...] = ()
