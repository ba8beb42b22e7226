"""Scores as they come out of whole files: pieces in the order of the input, whoever computed them.

`one_process` is the plain way; `workers.several_processes` gives the same pieces. Another engine is one more function
of the type `Pieces`; what is written from them is the business of the command.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass

from mappers.bulk import Batch, Refusal, Scored, batches_of
from smartapp.populations.ranges import Part, blocks_of_range
from smartapp.populations.reading import Damaged, Source, blocks_of


class WorkerLost(Exception):
    """A process that scored ended before its work was done; the message says how. What was written are whole lines."""


Score = Callable[[Batch], Scored]
Show = Callable[[bytes], bytes]
"""Makes of Observations as NDJSON what is written of them."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Scores of some consecutive lines of a file: what to write, in whole lines, and which lines were refused.

    `lines`: how many lines it is of. Refusals count from the first of these as 1. `taken`: bytes of the file.
    `output` may be overwritten once the next piece is asked for; it is empty where it was written already.
    """

    source: Source
    output: bytes | memoryview
    lines: int
    refusals: tuple[Refusal, ...]
    taken: int


Pieces = Generator[Piece, None, None]


def one_process(sources: Iterable[Source], score: Score, show: Show) -> Pieces:
    """Score files one after another, in this process. Damage half-way through one is a refusal; the next is read."""
    for source in sources:
        yield from pieces_of(Part(source), score, show)


def pieces_of(part: Part, score: Score, show: Show) -> Pieces:
    """Score a part of a file, as it is read."""
    taken = 0

    def read(size: int) -> None:
        nonlocal taken
        taken += size

    try:
        for batch in batches_of(blocks_of(part.source, read) if part.end is None else blocks_of_range(part)):
            made = score(batch)
            yield Piece(part.source, show(made.observations), made.lines, made.refusals, taken)
            taken = 0
        yield Piece(part.source, b"", 0, (), taken if part.end is None else part.end - part.start)
    except Damaged as damaged:
        yield Piece(part.source, b"", 0, (Refusal(1, None, str(damaged)),), taken)
