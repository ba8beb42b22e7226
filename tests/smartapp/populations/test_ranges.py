"""Files cut into ranges: each line is in exactly one, whatever the bytes and wherever the cuts."""

from __future__ import annotations

import gzip
import io
import itertools
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.bulk import BOM, BulkScorer, Refusal, Scored
from smartapp.populations.pieces import one_process, pieces_of
from smartapp.populations.ranges import SHORTER, Part, Task, lines_between, tasks_of
from smartapp.populations.reading import Damaged, Source
from tests.mappers.build import CATALOGUE


def names(tasks):
    return [[(part.source.path.name, part.start, part.end) for part in task.parts] for task in tasks]


def in_ranges(text, cuts):
    """Return what each range of these bytes holds, read one by one."""
    bounds = [0, *sorted({cut for cut in cuts if 0 < cut < len(text)}), len(text)]
    read = (lines_between(io.BytesIO(text), *bound, len(text)) for bound in itertools.pairwise(bounds))
    return [b"".join(blocks) for blocks in read]


BYTES = st.lists(st.sampled_from([b"\n", b"\r\n", b"{}", b" ", b"ab", BOM, b"\n\n"]), max_size=40).map(b"".join)


@given(BYTES, st.lists(st.integers(0, 80)))
def test_ranges_give_every_byte_once_in_order_and_each_begins_with_a_line(text, cuts):
    held = in_ranges(text, cuts)
    assert b"".join(held) == text
    starts = itertools.accumulate(map(len, held), initial=0)
    assert all(start == 0 or text[start - 1 : start] == b"\n" for start, one in zip(starts, held, strict=False) if one)


def test_a_line_belongs_to_the_range_in_which_it_begins():
    # bytes: a b LF c d LF; the second line begins at 3
    assert in_ranges(b"ab\ncd\n", [2]) == [b"ab\n", b"cd\n"]
    assert in_ranges(b"ab\ncd\n", [3]) == [b"ab\n", b"cd\n"]
    assert in_ranges(b"ab\ncd\n", [4]) == [b"ab\ncd\n", b""]


def test_a_range_within_a_long_line_reads_hardly_further_than_its_own_end():
    """Otherwise each range of an endless line would read all of it."""
    file = io.BytesIO(b"x" * 1_000_000)
    assert list(lines_between(file, 1_000, 2_000, 1_000_000)) == []
    assert file.tell() < 20_000


def test_what_is_added_to_a_file_after_it_was_cut_is_not_read():
    assert list(lines_between(io.BytesIO(b"ab\ncd\nef\n"), 3, 6, 6)) == [b"cd\n"]
    assert list(lines_between(io.BytesIO(b"ab\ncd, and more"), 3, 5, 5)) == [b"cd"]


def test_a_file_that_became_shorter_is_damaged_there():
    with pytest.raises(Damaged, match="became shorter"):
        list(lines_between(io.BytesIO(b"ab\n"), 3, 6, 6))


LINE = st.sampled_from([b"", b" ", b"{", b"[]", b'{"resourceType":"Bundle"}', BOM, BOM + b"{}", b"\r", b"\xff", b"7"])


@given(lines=st.lists(LINE, max_size=12), ended=st.booleans(), size=st.integers(1, 40), mark=st.booleans())
def test_a_file_cut_anywhere_gives_the_scores_lines_and_refusals_of_one_that_is_not(
    tmp_path_factory, lines, ended, size, mark
):
    path = tmp_path_factory.mktemp("cut") / "responses.ndjson"
    path.write_bytes((BOM if mark else b"") + b"\n".join(lines) + (b"\n" if ended else b""))
    source, score = Source(str(path)), BulkScorer(CATALOGUE).score

    def told(pieces):
        line, refused = 0, []
        for piece in pieces:
            refused += [(refusal.line + line, refusal.entry, refusal.reason) for refusal in piece.refusals]
            line += piece.lines
        return line, refused

    parts = [part for task in tasks_of([source], size) for part in task.parts]
    cut = [piece for part in parts for piece in pieces_of(part, score, bytes)]
    assert told(cut) == told(one_process([source], score, bytes))
    assert sum(piece.taken for piece in cut) == path.stat().st_size


def test_large_files_are_cut_and_small_ones_are_read_several_at_a_time_in_their_order(tmp_path):
    sources = []
    for name, size in {"a": 4, "b": 5, "c": 25, "d": 9, "e": 3}.items():
        (tmp_path / name).write_bytes(b"x\n" * size)
        sources.append(Source(str(tmp_path / name)))
    # Bytes: a 8, b 10, c 50, d 18, e 6; at most 20 in a task.
    assert names(tasks_of(sources, 20)) == [
        [("a", 0, None), ("b", 0, None)],
        [("c", 0, 20)],
        [("c", 20, 40)],
        [("c", 40, 50)],
        [("d", 0, None)],
        [("e", 0, None)],
    ]


@pytest.mark.parametrize(
    ("content", "why_one"),
    [
        (gzip.compress(b"x\n" * 400, mtime=0), "is compressed"),
        (b'{\n"resourceType":"Bundle"}' + b"\n" * 40, "is one document"),
        (b'{"resourceType":"Bundle","entry":[]}       ', "is one line"),
    ],
    ids=["gzip", "document", "line"],
)
def test_what_cannot_be_cut_is_one_task_that_says_why(tmp_path, content, why_one):
    (tmp_path / "file").write_bytes(content)
    source = Source(str(tmp_path / "file"))
    assert list(tasks_of([source], 20)) == [Task((Part(source),), why_one)]


def test_a_pipe_is_read_by_the_process_that_writes(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("-", str(tmp_path / "pipe")):
        (task,) = tasks_of([Source(name)])
        assert (task.why_one, task.stream) == ("is no file on disk", True)


def test_a_file_that_cannot_be_read_is_a_refusal_in_its_place(tmp_path):
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (piece,) = one_process([Source(str(tmp_path / "gone"))], lambda _batch: Scored(b"", 0, 0, ()), bytes)
    assert piece.refusals == (Refusal(1, None, "the file cannot be read from here: No such file or directory"),)


def test_a_file_that_is_cut_off_before_it_is_read_gives_what_it_still_has(tmp_path):
    path = tmp_path / "responses.ndjson"
    path.write_bytes(b"[]\n" * 20)
    source = Source(str(path))
    parts = [part for task in tasks_of([source], 20) for part in task.parts]  # [0, 20), [20, 40), [40, 60)
    os.truncate(path, 30)
    read = [piece for part in parts for piece in pieces_of(part, BulkScorer(CATALOGUE).score, bytes)]
    # Ten lines are left: those of bytes 0 to 29. The second and the third range miss something.
    assert sum(piece.lines for piece in read) == 10
    assert [refusal.reason for piece in read for refusal in piece.refusals].count(SHORTER) == 2
