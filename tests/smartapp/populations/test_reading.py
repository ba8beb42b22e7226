"""Lines of a file, read in pieces: none is held that `verstel score` would not take."""

from __future__ import annotations

from io import BytesIO
from itertools import product

from mappers.bulk import batches_of
from smartapp.populations.reading import pieces_of

LONGEST = 5


def test_a_file_is_all_of_its_pieces_and_the_lines_that_are_whole_are_those_that_are_scored() -> None:
    for parts in product([b"", b"a", b"abcd\r", b"abcde", b"abcdef", b"x" * 23], repeat=3):
        content = b"\n".join(parts)
        pieces = list(pieces_of(BytesIO(content), LONGEST))
        assert b"".join(piece for _, piece, _ in pieces) == content
        assert max((len(piece) for _, piece, _ in pieces), default=0) <= LONGEST + 1
        blocks = (bytes([one]) for one in content)
        scored = [line for batch in batches_of(blocks, LONGEST) for line in batch]
        lines = {number: piece.removesuffix(b"\n") if is_whole else None for number, piece, is_whole in pieces}
        assert [lines[number] for number in sorted(lines)] == scored, content


def test_no_more_of_a_line_is_asked_for_than_may_be_held() -> None:
    class Endless:
        asked = 0

        def readline(self, size: int) -> bytes:
            self.asked += 1
            return b"x" * size if self.asked < 1000 else b""

    assert {(number, len(piece), whole) for number, piece, whole in pieces_of(Endless(), LONGEST)} == {(1, 6, False)}
