"""The words by which a sentence may be a professional's rather than the client's own: `standard_sentences.toml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from questionnaires.reading import OneLine, Strict, read

STANDARD_SENTENCES: Final = Path(__file__).with_name("standard_sentences.toml")


class StandardSentence(Strict, frozen=True):
    """Words that follow each other in such a sentence, each row of them by itself, and where they were read, or ""."""

    words: tuple[OneLine, ...]
    source: OneLine = ""


class _Sentences(Strict, frozen=True):
    sentences: tuple[StandardSentence, ...]


@cache
def standard_sentences(path: Path = STANDARD_SENTENCES) -> tuple[StandardSentence, ...]:
    """Return the rows of the file; DefinitionError names file and key."""
    return read(path, _Sentences).sentences
