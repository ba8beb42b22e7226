"""What we demand of our own definitions beyond what the strict reader enforces.

`verstel questionnaires check` reports these and the tests assert them, so that the author of an instrument hears of a
gap from the command. They hold for our own working wording; official wording is taken as its owners wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from questionnaires.living import words_around
from questionnaires.model import Group, Instrument, Text

# Plain Dutch (B1): sentences under fifteen words.
LONGEST_SENTENCE = 14
# What speaks to one person as *je*; where a place says *u*, such a text needs its twin.
JE = re.compile(r"\b(je|jij|jou|jouw|jezelf|jullie)\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.?!:;])\s+")


def unworked_scores(instrument: Instrument) -> Iterator[str]:
    """Yield each score that no worked example gives a number for."""
    worked = {scale for example in instrument.examples for scale, value in example.scores if value is not None}
    for rule in instrument.scores:
        if rule.scale not in worked:
            yield f"no worked example gives {rule.scale} a number; add one to [[examples]], with the sum written out"


def no_example_of_too_few(instrument: Instrument) -> Iterator[str]:
    """Yield a line if no worked example shows that too few answers give no score."""
    absent = [scale for example in instrument.examples for scale, value in example.scores if value is None]
    if instrument.scores and not absent:
        yield "no worked example has too few answers; add one to [[examples]] whose score is false"


def unused_sources(instrument: Instrument) -> Iterator[str]:
    """Yield each source that no fact, number, item or example refers to."""
    used = {source.key for _, fact in instrument.all_facts() for source in fact.sources}
    used |= {number.source.key for number in instrument.reference_numbers}
    used |= {item.source.key for item in instrument.items if item.source}
    used |= {example.source.key for example in instrument.examples if example.source}
    for citation in instrument.citations:
        if citation.key not in used:
            yield f"[sources] has {citation.key}, which nothing refers to; say what it was read for, or leave it out"


def repeated_texts(instrument: Instrument) -> Iterator[str]:
    """Yield each item that asks, letter for letter, what an earlier one asks.

    A living form may ask the same in several groups, such as what helps: there the group's title tells them apart.
    """
    apart = [group.items for group in instrument.groups] if instrument.living else [instrument.items]
    for items in apart:
        seen: dict[str, str] = {}
        for item in items:
            if item.kind != "text" and seen.setdefault(item.text.nl, item.link_id) != item.link_id:
                yield f"{item.link_id} has the same text as {seen[item.text.nl]}; readers can't tell them apart"


def long_sentences(instrument: Instrument) -> Iterator[str]:
    """Yield each item whose Dutch is longer than plain language allows."""
    for item in instrument.items:
        if (words := len(item.text.nl.split())) > LONGEST_SENTENCE:
            yield f"{item.link_id} has {words} words in Dutch; at most {LONGEST_SENTENCE} read easily"


def long_words_around(instrument: Instrument) -> Iterator[str]:
    """Yield each other text of a living form, such as an idea, that has a longer sentence than that."""
    for place, text in words_around(instrument):
        longest = max(len(sentence.split()) for sentence in _SENTENCE_END.split(text.nl))
        if longest > LONGEST_SENTENCE:
            yield f"{place} has a sentence of {longest} words in Dutch; at most {LONGEST_SENTENCE} read easily"


def texts_of(instrument: Instrument) -> Iterator[tuple[str, Text, bool]]:
    """Yield each text of a definition with its place, and whether it is a quotation or completes one."""
    for name in ("title", "subtitle", "intro", "wording_note", "copyright"):
        yield f"{instrument.id} {name}", getattr(instrument, name), False
    for group in instrument.groups:
        yield from _texts_of_group(group)
    for scale in instrument.scales:
        for option in scale.options:
            yield f"{scale.id} {option.code}", option.text, False
    for rule in instrument.scores:
        yield rule.code, rule.title, False
    for place, text in words_around(instrument):
        yield f"{instrument.id} {place}", text, False


def _texts_of_group(group: Group) -> Iterator[tuple[str, Text, bool]]:
    yield f"{group.link_id} title", group.title, False
    if group.help:
        yield f"{group.link_id} help", group.help, group.quoted
    for item in group.items:
        yield item.link_id, item.text, item.quoted or group.quoted
        if item.help:
            yield f"{item.link_id} help", item.help, False


def je_without_u(instrument: Instrument) -> Iterator[str]:
    """Yield each text of ours that says *je* and has no twin with *u*, for places that say *u*."""
    seen = dict.fromkeys(text for _, text, quoted in texts_of(instrument) if not quoted)
    for text in seen:
        if text.u is None and JE.search(text.nl):
            yield f'“{text.nl}” says je; add u = "…" with the same sentence for who is addressed as u'


def no_facts(instrument: Instrument) -> Iterator[str]:
    """Yield a line where a definition does not say where what it asks comes from."""
    if not instrument.facts:
        yield 'no fact says where its items come from; add one to facts, with its source, or certainty = "own"'


DEMANDS: tuple[Callable[[Instrument], Iterator[str]], ...] = (
    unworked_scores,
    no_example_of_too_few,
    unused_sources,
    repeated_texts,
    long_sentences,
    long_words_around,
    je_without_u,
    no_facts,
)


def unmet(instrument: Instrument) -> Iterator[str]:
    """Yield what a definition still lacks, each line beginning with the instrument's id; nothing if all is well."""
    if instrument.wording == "working":
        for demand in DEMANDS:
            yield from (f"{instrument.id}: {line}" for line in demand(instrument))
