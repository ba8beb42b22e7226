"""What a text of the plan was before: its earlier versions, and which of their words are no longer there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

MOST_WORDS: Final = 4000
"""In both texts together; comparing longer ones would keep a page waiting, so nothing is marked in them."""
_WORD: Final = re.compile(r"\s*\S+")


@dataclass(frozen=True, slots=True)
class Version:
    """The texts of some fields in one version of a resource; `changed` is an instant, `name` its reference."""

    texts: Mapping[str, str]
    changed: str
    name: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """Texts that were there once and are not now.

    `written` is the version that they came with, None where that is from before what we can read; `replaced` the one
    that others came with.
    """

    texts: Mapping[str, str]
    written: Version | None
    replaced: Version


def earlier(
    versions: Sequence[Version], *, whole: bool = True, now: Mapping[str, str] | None = None
) -> tuple[Earlier, ...]:
    """Return what was there before, the newest first; `versions` are the newest first, the first is what is there now.

    Texts that came back are told once, by when they were there last; what has no words, or the words of now, is not
    told. `whole`: the oldest of these is the first of all, so it is where its texts came from. `now` are the texts of
    now, where `versions` are older ones: the first of them is not told itself, as it ends what was told before.
    """
    now = now if now is not None else versions[0].texts if versions else {}
    told: list[Mapping[str, str]] = [now]
    found = []
    for at, replaced in enumerate(versions[:-1]):
        texts = versions[at + 1].texts
        if texts == replaced.texts or texts in told or not any(texts.values()):
            continue
        told.append(texts)
        first = at + 1
        while first + 1 < len(versions) and versions[first + 1].texts == texts:
            first += 1
        known = whole or first + 1 < len(versions)
        found.append(Earlier(texts, versions[first] if known else None, replaced))
    return tuple(found)


def gone(then: str, now: str) -> tuple[tuple[str, bool], ...]:
    """Return an earlier text in pieces, each with whether it is not in the text of now: together they are the text."""
    words, others = _words(then), _words(now)
    if len(words) + len(others) > MOST_WORDS:
        return ((then, False),)
    matcher = SequenceMatcher(None, [one.strip() for one in words], [one.strip() for one in others], autojunk=False)
    pieces = []
    for kind, start, end, _from, _to in matcher.get_opcodes():
        if piece := "".join(words[start:end]):
            pieces.append((piece, kind != "equal"))
    rest = then[sum(len(piece) for piece, _gone in pieces) :]
    return (*pieces, (rest, False)) if rest else tuple(pieces)


def _words(text: str) -> Sequence[str]:
    return _WORD.findall(text)
