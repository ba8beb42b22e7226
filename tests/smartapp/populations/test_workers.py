"""`verstel score --jobs`: several real processes give what one gives, and whatever happens to them is said in words."""

from __future__ import annotations

import errno
import gzip
import io
import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from mappers.bulk import BOM, BulkScorer
from smartapp.commands.score import command
from smartapp.populations import ranges, reading, workers
from smartapp.populations.pieces import Piece, WorkerLost, one_process
from smartapp.populations.ranges import SHORTER, SIZE
from smartapp.populations.reading import Source
from smartapp.populations.workers import file_behind, several_processes
from tests.mappers.build import CATALOGUE, all_answered, response

GOOD = json.dumps(response("hoop", all_answered("hoop"))).encode() + b"\n"
MHCS = json.dumps(response("mhcs", all_answered("mhcs"))).encode() + b"\n"
PANEL = b'"code":"hoop-panel"'
COMMAND = "from smartapp.cli import main; main()"

EITHER_WAY = (lambda _folder: None, lambda folder: folder / "out")
"""Where scores go: through the process that was asked, or to a file that the workers write."""

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's list of processes")


def run(*arguments, stdin=None):
    return CliRunner().invoke(command, [str(one) for one in arguments], input=stdin)


def started(*arguments, **how):
    """Start the command in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "score", *map(str, arguments)],
        stdout=how.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        start_new_session=True,
        bufsize=0,
        **how,
    )


def no_process_is_left(of):
    with pytest.raises(ProcessLookupError):
        os.killpg(of.pid, 0)


def children(of):
    return [int(one) for one in Path(f"/proc/{of.pid}/task/{of.pid}/children").read_text().split()]


def is_alive(process):
    """Tell whether a process still runs; one that only waits for somebody to ask how it ended does not."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes() != b""
    except FileNotFoundError:
        return False


@pytest.fixture
def many(tmp_path):
    """A file of nine ranges: its scores are more than two workers can hold back."""
    path = tmp_path / "many.ndjson"
    path.write_bytes(GOOD * (9 * SIZE // len(GOOD)))
    return path


def scored(*paths, jobs=0, size=100, said=None, out=None):
    """Return the output and the refusals of files, from one process or several; `out`: a file for them to write."""
    sources = [Source(str(path)) for path in paths]
    score = BulkScorer(CATALOGUE).score
    say = (lambda source, why: said.append((source.path.name, why))) if said is not None else (lambda *_told: None)
    refused, lines = [], dict.fromkeys(map(str, paths), 0)
    with out.open("w+b", buffering=0) if out else io.BytesIO() as file:
        there = file_behind(file)
        assert (there is not None) is (out is not None)
        if jobs:
            pieces = several_processes(sources, score, bytes, jobs=jobs, say=say, out=there, size=size)
        else:
            pieces = one_process(sources, score, bytes)
        for piece in pieces:
            file.write(piece.output)
            name = piece.source.name
            refused += [(name, one.line + lines[name], one.entry, one.reason) for one in piece.refusals]
            lines[name] += piece.lines
        file.seek(0)
        return file.read(), refused


@pytest.mark.parametrize("to", EITHER_WAY)
def test_a_folder_of_all_kinds_of_files_gives_the_same_from_several_processes_as_from_one(tmp_path, to):
    out = to(tmp_path)
    bundle = json.dumps(
        {"resourceType": "Bundle", "entry": [{"resource": json.loads(GOOD)}, {"resource": {"resourceType": "Bundle"}}]}
    )
    contents = {
        "a-plain": GOOD + b"\n{\n \r\n" + MHCS * 9 + b"[]\n",
        "b-marked-crlf-and-no-last-line-feed": BOM + GOOD.replace(b"\n", b"\r\n") * 5 + BOM + b"7\r\n" + GOOD.strip(),
        "c-empty": b"",
        "d-packed": gzip.compress(MHCS * 30 + b"7\n"),
        "e-damaged": gzip.compress(GOOD * 50)[:-200],
        "f-a-document": json.dumps(json.loads(MHCS), indent=2).encode(),
        "g-one-line": bundle.encode(),
        "h-too-long-a-line": b'{"x":"' + b"x" * (33 << 20) + b'"}\n' + GOOD,
        "i-small": GOOD,
        "j-small": b"7\n" + MHCS,
    }
    paths = []
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        paths.append(tmp_path / name)
    paths.insert(3, tmp_path / "gone")  # nothing of this name is there: refused in its place
    said = []
    one = scored(*paths)
    assert scored(*paths, jobs=3, size=1 << 20, out=out) == one
    small = [path for path in paths if path.name != "h-too-long-a-line"]
    assert scored(*small, jobs=3, size=700, said=said, out=out) == scored(*small)
    assert said == [
        ("d-packed", "is compressed"),
        ("e-damaged", "is compressed"),
        ("f-a-document", "is one document"),
        ("g-one-line", "is one line"),
    ]
    # Two of a, one each of b, d, g and j, and those that a rule names: gone, damaged, too long.
    assert len(one[1]) == 2 + 1 + 1 + 1 + 1 + 3
    assert one[0].count(PANEL) > 1 + 6 + 1 + 1 + 1  # of a, b, g, h and i; how many of e depends on how it was packed


@pytest.mark.parametrize("to", EITHER_WAY)
@pytest.mark.parametrize(("held", "refusals"), [(5_000, 10_000), (1 << 30, 3)])
def test_scores_and_refusals_of_a_part_may_be_more_than_a_worker_holds_back(tmp_path, monkeypatch, to, held, refusals):
    """It waits for its turn then, also within a file that only one process reads, and writes the rest as it comes."""
    monkeypatch.setattr(workers, "HELD", held)
    monkeypatch.setattr(workers, "_TELL", held)
    monkeypatch.setattr(workers, "_MANY_REFUSALS", refusals)
    out = to(tmp_path)
    (tmp_path / "a.gz").write_bytes(gzip.compress((GOOD * 3 + b"7\n" * 5) * 40))
    (tmp_path / "b").write_bytes(MHCS * 50)
    monkeypatch.setattr(reading, "BLOCK", 10_000)
    both = tmp_path / "a.gz", tmp_path / "b", tmp_path / "a.gz"
    assert scored(*both, jobs=2, size=20_000, out=out) == scored(*both)


def test_a_file_that_becomes_shorter_while_it_is_read_says_so_once(tmp_path):
    path = tmp_path / "responses.ndjson"
    path.write_bytes(b"[]\n" * 1_000)  # 150 ranges of 20 bytes; two workers are at most 4 ahead
    sources = [Source(str(path))]
    pieces = several_processes(sources, BulkScorer(CATALOGUE).score, bytes, jobs=2, say=lambda *_told: None, size=20)
    next(pieces)
    os.truncate(path, 0)
    assert [refusal.reason for piece in pieces for refusal in piece.refusals].count(SHORTER) == 1


@pytest.mark.parametrize("form", [["--format", "table"], ["--rejects", "refused"], []])
def test_each_form_of_output_is_the_same_from_several_processes(tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ranges, "SIZE", 2_000)
    Path("responses.ndjson").write_bytes((GOOD + MHCS + b"7\n") * 700)  # more than two ranges
    results = []
    for jobs in (1, 2):
        done = run("--jobs", jobs, *form, "responses.ndjson")
        results.append(
            (done.exit_code, done.stdout, done.stderr, Path("refused").exists() and Path("refused").read_text())
        )
    assert results[0] == results[1]
    assert results[0][0] == 1
    assert results[0][1]


def test_what_one_process_reads_is_said_once_and_only_to_those_who_asked_for_more(tmp_path):
    for name in ("a.ndjson.gz", "b.ndjson.gz"):
        (tmp_path / name).write_bytes(gzip.compress(GOOD))
    both = tmp_path / "a.ndjson.gz", tmp_path / "b.ndjson.gz"
    assert run("--jobs", 2, *both).stderr == f"{both[0]} is compressed: read by one process\n"
    assert run(*both).stderr == ""
    done = run("--jobs", 2, "-", stdin=GOOD)
    assert (done.exit_code, done.stderr) == (0, "standard input is no file on disk: read by one process\n")


def test_standard_input_among_files_keeps_its_place(tmp_path):
    (tmp_path / "a").write_bytes(MHCS)
    done = run("--jobs", 2, tmp_path / "a", "-", tmp_path / "a", stdin=GOOD)
    assert done.stdout == run(tmp_path / "a", "-", tmp_path / "a", stdin=GOOD).stdout
    assert done.stdout.count("hoop-panel") > 0


def test_a_reader_that_has_seen_enough_ends_all_processes(many):
    with started("--jobs", "2", many) as running:
        assert running.stdout.readline().startswith(b"{")
        running.stdout.close()
        assert running.wait(30) == 1
        assert running.stderr.read() == b""
    no_process_is_left(running)


def test_a_full_disk_ends_all_processes_and_is_said_in_words(many):
    with Path("/dev/full").open("wb") as full, started("--jobs", "2", many, stdout=full) as running:
        _, error = running.communicate(timeout=30)
    assert (running.returncode, error) == (1, b"Error: stopped before the end: No space left on device\n")
    no_process_is_left(running)


def test_a_worker_that_is_killed_is_said_in_words_and_what_was_written_are_whole_lines(many):
    with started("--jobs", "2", many) as running:
        first = running.stdout.read(1)  # nobody reads the rest yet, so work is left
        assert len(children(running)) == 2
        os.kill(children(running)[0], signal.SIGKILL)
        rest, error = running.communicate(timeout=30)
    assert running.returncode == 1
    assert error.startswith(b"Error: stopped before the end: a process that scored was ended by signal 9;")
    assert [json.loads(line)["resourceType"] for line in (first + rest).splitlines()]
    assert (first + rest).endswith(b"\n")
    no_process_is_left(running)


def is_killed(_file, _torn):
    os.kill(os.getpid(), signal.SIGKILL)


def sees_ctrl_c(_file, _torn):
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(600)


def finds_a_full_disk(_file, _torn):
    raise OSError(errno.ENOSPC, "no room")


@pytest.mark.parametrize(
    ("happens", "raised"), [(is_killed, WorkerLost), (sees_ctrl_c, KeyboardInterrupt), (finds_a_full_disk, OSError)]
)
def test_what_a_worker_had_written_of_a_line_is_taken_away_again(tmp_path, monkeypatch, happens, raised):
    """Of the second task that is written only a torn line is there when something happens."""
    whole = workers._write_all

    def torn(file, outputs):
        if not os.lseek(file, 0, os.SEEK_CUR) or not any(outputs):
            whole(file, outputs)
            return
        os.write(file, b"".join(map(bytes, outputs))[:-7])
        happens(file, outputs)

    monkeypatch.setattr(workers, "_write_all", torn)
    (tmp_path / "a").write_bytes(GOOD * 40)
    with pytest.raises(raised):
        scored(tmp_path / "a", jobs=2, size=len(GOOD) * 10, out=tmp_path / "out")
    expected, _ = scored(tmp_path / "a")
    assert (tmp_path / "out").read_bytes() == expected[: len(expected) // 4]


INTERRUPTED_TWICE = """
import os, signal
from multiprocessing.process import BaseProcess
from smartapp.populations import workers

def once_more(process, timeout=None, join=BaseProcess.join):
    os.kill(os.getpid(), signal.SIGINT)
    join(process, timeout)

BaseProcess.join = once_more
with workers._pool(None, None, 1, 1) as pool:
    pool.one_more()
    os.write(1, b"whole, torn")
    pool.whole = len(b"whole")
    raise KeyboardInterrupt
"""


def test_a_second_ctrl_c_does_not_leave_what_the_first_interrupted(tmp_path):
    """It comes while the workers are waited for; some programs that start others hand Ctrl-C on once more."""
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-c", INTERRUPTED_TWICE], check=False, stdout=out, stderr=subprocess.PIPE
        )
    assert done.returncode == -signal.SIGINT
    assert (tmp_path / "out").read_bytes() == b"whole"


ENDED_WITHIN_A_LINE = """
import os
from smartapp.cli import main
from smartapp.populations import workers

def in_two(file, outputs):
    for output in outputs:
        os.write(file, output[:9])
        os.killpg(0, {asked})
        os.write(file, output[9:])

workers._write_all = in_two
main()
"""


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGHUP])
def test_whole_lines_are_left_where_all_processes_are_asked_to_end(many, tmp_path, asked):
    """As a supervisor, `timeout` or a closed terminal does: a worker ends by itself then, after a line."""
    # `nohup` has all that it starts ignore one of them.
    heeds = f"import signal; signal.signal({int(asked)}, signal.SIG_DFL)\n"
    program = heeds + ENDED_WITHIN_A_LINE.format(asked=int(asked))
    with (tmp_path / "out").open("wb") as out:
        command = [sys.executable, "-c", program, "score", "--jobs", "2", str(many)]
        with subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, start_new_session=True) as running:
            _, error = running.communicate(timeout=30)  # that is when nobody holds the other end any more
    assert (running.returncode, error) == (-asked, b"")
    assert (tmp_path / "out").read_bytes().endswith(b"}\n")


def test_what_a_file_had_further_on_is_not_taken_away(tmp_path):
    """A file that is overwritten in place, as by `1<> file`, has more than was written to it."""
    (tmp_path / "out").write_bytes(b"before\nafter\n")
    with (tmp_path / "out").open("r+b") as out:
        assert file_behind(out) is None
        out.seek(0, os.SEEK_END)
        assert file_behind(out) == out.fileno()


def test_a_file_that_cannot_become_larger_ends_all_processes_in_words_with_whole_lines(many, tmp_path):
    """The system takes a part of what is written then, as with a full disk."""
    most = 5_000_000
    with (tmp_path / "out").open("wb") as out:
        running = started(
            "--jobs", "2", many, stdout=out, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        )
        with running:
            _, error = running.communicate(timeout=60)
    assert (running.returncode, error) == (1, b"Error: stopped before the end: File too large\n")
    written = (tmp_path / "out").read_bytes()
    assert len(written) < most
    assert written.endswith(b"}\n") or not written
    no_process_is_left(running)


def test_a_file_that_others_write_to_as_well_is_written_by_one_process(tmp_path):
    (tmp_path / "a").write_bytes(GOOD * 40)
    whole, _ = scored(tmp_path / "a")
    with (tmp_path / "out").open("ab") as out:
        out.write(b"before\n")
        out.flush()
        assert file_behind(out) is None
        for _ in range(2):
            with started("--jobs", "2", tmp_path / "a", tmp_path / "a", stdout=out) as running:
                running.communicate(timeout=60)
    assert (tmp_path / "out").read_bytes() == b"before\n" + whole * 4
    program = "import sys; from smartapp.populations.workers import file_behind; print(file_behind(sys.stdout.buffer))"
    told = []
    for stderr in (subprocess.STDOUT, subprocess.PIPE):
        with (tmp_path / "told").open("wb") as out:
            subprocess.run([sys.executable, "-c", program], check=True, stdout=out, stderr=stderr)
        told.append((tmp_path / "told").read_text())
    assert told == ["None\n", "1\n"]


def test_workers_end_when_the_process_that_writes_is_killed(many):
    with started("--jobs", "2", many) as running:
        running.stdout.read(1)
        theirs = children(running)
        running.kill()
        running.communicate(timeout=30)
    assert len(theirs) == 2
    until = time.monotonic() + 20
    while any(map(is_alive, theirs)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(is_alive, theirs))


def test_a_worker_that_ends_in_the_midst_of_a_message_is_lost_and_how_is_said():
    ended = multiprocessing.get_context("fork").Process(target=os._exit, args=(3,))
    ended.start()
    ours, theirs = multiprocessing.Pipe()
    os.write(theirs.fileno(), (1000).to_bytes(4, "big") + b"of which this is the beginning")
    theirs.close()
    with ours, pytest.raises(WorkerLost, match="a process that scored ended by itself"):
        workers._Worker(ended, ours, None).receive()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_standard_input_or_output_that_is_closed_is_said_in_words(tmp_path, jobs):
    (tmp_path / "a").write_bytes(GOOD)
    score = [sys.executable, "-c", COMMAND, "score", "--jobs", jobs]
    shell = ["sh", "-c", 'exec "$@" <&-', "sh", *score, str(tmp_path / "a"), "-"]
    done = subprocess.run(shell, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout.count(PANEL.decode())) == (1, 1)
    assert "-:1: the file cannot be read from here: standard input is closed" in done.stderr
    assert "Traceback" not in done.stderr
    shell[2] = 'exec "$@" >&-'
    done = subprocess.run([*shell[:-1]], check=False, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert "Standard output is closed" in done.stderr


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_whose_name_is_no_text_is_named_in_refusals(tmp_path, jobs):
    odd = tmp_path / os.fsdecode(b"odd-\xff.ndjson")
    odd.write_bytes(GOOD + b"7\n")
    (tmp_path / "b").write_bytes(b"7\n")
    refused = tmp_path / "refused"
    done = run("--jobs", jobs, "--rejects", refused, odd, tmp_path / "b")
    assert done.exit_code == 1, done.output
    assert [json.loads(line)["file"] for line in refused.read_text().splitlines()] == [
        f"{tmp_path}/odd-\\xff.ndjson",
        f"{tmp_path}/b",
    ]


def test_a_system_without_that_setting_of_memory_has_none(monkeypatch):
    monkeypatch.setattr(workers.ctypes, "CDLL", lambda _name: object())
    workers._keep_memory()  # other systems than glibc have no mallopt
    asked = []
    library = type("Library", (), {"mallopt": lambda _self, *setting: asked.append(setting)})
    monkeypatch.setattr(workers.ctypes, "CDLL", lambda _name: library())
    workers._keep_memory()
    assert asked == [(-3, 4 << 20), (-1, 16 << 20)]


def test_a_small_file_needs_no_second_process(tmp_path, monkeypatch):
    monkeypatch.setattr(workers._Pool, "one_more", lambda _pool: pytest.fail("started a process"))
    (tmp_path / "small").write_bytes(GOOD)
    assert run("--jobs", 8, tmp_path / "small").exit_code == 0


def test_what_a_worker_does_for_a_piece_does_not_grow_with_those_that_it_holds():
    """Of tiny files there are thousands of pieces in a task."""

    def calls(pieces):
        ours, theirs = multiprocessing.Pipe()
        with ours, theirs:
            ours.send(workers._Do(0, ()))
            scores = workers._Scores(theirs, None, None)
            scores.next_task()
            counted = []
            sys.setprofile(lambda _frame, event, _of: counted.append(event) if event == "call" else None)
            try:
                for _ in range(pieces):
                    scores.add(0, Piece(Source("a"), b"1", 1, (), 1))
            finally:
                sys.setprofile(None)
        return len(counted)

    assert calls(20) < calls(200) <= calls(20) * 10
