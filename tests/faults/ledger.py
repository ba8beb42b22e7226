"""What people wrote, word by word, and what the pages told them became of it: what a checker holds the app to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Claim = Literal["ehr", "companion", "own", "waiting", "kept", "given back", "draft", "nothing"]
"""What a page said: where it is kept, on its way, kept without saying where, given back, a draft, or no page came."""

Slot = tuple[str, ...]
"""What a word is about, such as `("goal", key)`: of two words in one slot, one takes the place of the other."""

COMMITTED: frozenset[Claim] = frozenset({"ehr", "companion", "own", "waiting", "kept"})
"""Claims after which a word must not vanish."""
STORED: frozenset[Claim] = frozenset({"ehr", "companion", "own"})


@dataclass
class Word:
    """One thing that one person wrote once. `content` says it, `seen` are other contents that their page showed."""

    number: int
    at: float
    writer: str
    slot: Slot
    content: Any
    seen: frozenset[Any] = frozenset()
    claim: Claim = "nothing"
    page: str = ""

    @property
    def committed(self) -> bool:
        """Tell whether the app promised to keep this."""
        return self.claim in COMMITTED


@dataclass
class Finding:
    """Something that must not happen: `kind` is a column of the table, `what` says which word and how."""

    kind: str
    what: str


@dataclass
class Ledger:
    """All words of one history, in the order in which they were written, and what was wrong at once."""

    words: list[Word] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    quiet: int | None = None  # how many words there were when the faults ended
    mark: str = ""  # letters that the words of this history have, where several are in one database

    def write(self, at: float, writer: str, slot: Slot, content: Any, seen: frozenset[Any] = frozenset()) -> Word:
        """Note that someone is about to send a word."""
        word = Word(len(self.words), at, writer, slot, content, seen)
        self.words.append(word)
        return word

    def fresh(self, kind: str) -> str:
        """Return a text that no one wrote before, and that can be found again wherever it is."""
        return f"{kind}{self.mark}w{len(self.words):03d}x"

    def slots(self) -> Iterator[tuple[Slot, list[Word]]]:
        """Yield each slot with its words, the oldest first."""
        for slot in dict.fromkeys(word.slot for word in self.words):
            yield slot, [word for word in self.words if word.slot == slot]

    def finds(self, kind: str, what: str) -> None:
        """Note something that must not happen."""
        self.findings.append(Finding(kind, what))
