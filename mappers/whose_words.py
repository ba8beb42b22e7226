"""Whose words are these? A goal in the words of professionals is one that the client may not recognise as their own.

The handbook gives three such goals as what a plan should not have. Whether a sentence is somebody's own, only they can
say: so this tells when it is kind to ask, and nothing more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from questionnaires.standard_sentences import StandardSentence

_WORD: Final = re.compile(r"[^\W_]+")


def may_be_anothers(text: str, sentences: Iterable[StandardSentence]) -> bool:
    """Tell whether a text has words of a standard sentence, as whole words, in their order."""
    said = _words(text)
    return any(_holds(said, _words(words)) for sentence in sentences for words in sentence.words)


def _words(text: str) -> tuple[str, ...]:
    """Return the words of a text without capitals, accents and what stands between them."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return tuple(_WORD.findall(plain.casefold()))


def _holds(said: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return any(said[at : at + len(words)] == words for at in range(len(said) - len(words) + 1))
