"""The benchmark measures the work that it says it measures, and writes a page that says so."""

from __future__ import annotations

import gzip
import sys

import orjson
import pytest

from benchmarks import __main__ as together
from benchmarks import engines, misses, processes, sections, whole
from benchmarks.responses import INSTRUMENTS, lines, rewritten, spaced
from benchmarks.scoring import Timing, compare, on_each, page, plain, table, verstel
from benchmarks.whole import Command, Run, Used, commands_table, runs_table, whole_command
from mappers.fast import FastScorer
from tests.mappers.build import CATALOGUE


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_its_lines_are_the_same_every_time_and_take_the_fast_way(instrument):
    made = lines(30, instrument)
    assert made == lines(30, instrument)
    fast = FastScorer(CATALOGUE)
    assert [fast.observations(line) for line in made] == [plain(line) for line in made]


def test_it_counts_the_floor_beside_each_engine():
    row = compare("x", "y", on_each(orjson.loads), lines(30), rounds=3)
    assert 0.05 < row.ratio < 20
    assert compare("x", "y", verstel, lines(30), rounds=2).micros > 0


def test_the_page_holds_the_table():
    rows = [Timing("Verstel", "scores", 30.04, 0.654), Timing("slow", "scores", 1234.5, 0.00123)]
    assert table(rows)[2:] == ["| Verstel | scores | 30.0 | 0.65 |", "| slow | scores | 1,234.5 | 0.0012 |"]
    command = Command("hoop", 200_000, 9.04, 0.614, 0.5)
    assert commands_table([command])[2:] == ["| hoop | 200,000 | 9.0 | 0.61 | 0.50 |"]
    run = Run("nel", "100 files", 10_000, 76.24, 0.744, 27.4)
    assert runs_table([run])[2:] == ["| nel | 100 files | 10,000 | 76.2 | 0.74 | 27 |"]
    written = page(rows, [command], [run], 9000, 1.26)
    assert {*table(rows), *commands_table([command]), *runs_table([run])} <= {*written}
    assert "1.3 programs" in "\n".join(written)


def test_the_command_is_measured_as_a_whole_process():
    measured = whole_command("hoop", 30, rounds=1)
    assert 0.001 < measured.without_file < 5


def test_rewritten_responses_give_the_same_scores_by_the_plain_way_only():
    made = [rewritten(line) for line in lines(30)]
    fast = FastScorer(CATALOGUE)
    assert {fast.observations(line) for line in made} == {None}
    assert [plain(line) for line in made] == [plain(line) for line in lines(30)]


def test_spaces_change_the_bytes_of_a_response_and_not_its_scores():
    for line, same in zip(lines(3), map(spaced, lines(3)), strict=True):
        assert b'"linkId": ' in same
        assert b'"linkId": ' not in line
        assert orjson.loads(same) == orjson.loads(line)
        assert plain(same) == plain(line)


@pytest.mark.parametrize("many", [False, True])
def test_what_several_processes_give_is_measured_beside_what_the_machine_gives(many):
    row = processes.measured("hoop", 200, many=many, rounds=1)
    assert row.what == f"hoop, 200 responses in {'100 files' if many else 'one file'}"
    assert row.jobs > 0
    assert row.halves > 0
    assert processes.table([row])[-1].count("×") == 2


def test_processes_that_give_too_little_are_said_plainly_beside_the_halves():
    assert processes.Shared("hoop", 3.0, 1.7, 1.9).missed == ""
    rows = [processes.Shared("hoop", 3.0, 1.7, 1.9)]
    assert {*processes.table(rows)} <= {*processes.section(rows, 200_000, 0.4)}
    missed = processes.Shared("hoop", 3.0, 1.69, 1.9).missed
    assert [figure for figure in ("1.69×", "1.7×", "1.90×") if figure not in missed] == []


def test_the_memory_of_who_measures_does_not_count_and_that_of_the_command_does():
    held = b"x" * 100_000_000
    few = whole.used([sys.executable, "-c", ""])
    many = whole.used([sys.executable, "-c", "x = b'x' * 100_000_000; sum(range(1_000_000))"])
    assert few.megabytes < 60 < len(held) / 1e6 < many.megabytes
    assert 0 < few.seconds < many.seconds


def test_a_command_that_does_not_end_well_has_no_figure():
    with pytest.raises(SystemExit, match="ended with exit code 1 and not 0"):
        whole.used([sys.executable, "-c", "raise SystemExit(1)"])
    assert whole.used([sys.executable, "-c", "raise SystemExit(1)"], code=1).wall > 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says whose the orphans are")
def test_what_a_command_starts_and_leaves_behind_counts_too():
    busy = "import time\nwhile time.process_time() < 0.5: pass"
    left = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {busy!r}])"
    assert whole.used([sys.executable, "-c", left]).seconds >= 0.5


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what each process had")
def test_a_process_that_nobody_waits_for_counts_where_it_is_watched():
    busy = "import time\nwhile time.process_time() < 1.5: pass"
    program = (
        "import signal, subprocess, sys\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        f"subprocess.call([sys.executable, '-c', {busy!r}])"
    )
    assert whole.used([sys.executable, "-c", program]).seconds < 0.7
    assert whole.used([sys.executable, "-c", program], watch=True).seconds > 0.9


def test_growth_is_measured_on_one_file_of_so_many_lines(monkeypatch):
    seen = []
    monkeypatch.setattr(whole, "DIFFERENT", 10)
    monkeypatch.setattr(
        whole, "run", lambda _name, _what, count, files, _rounds: seen.append((count, _lines(files[0]))) or count
    )
    assert list(whole.growth("hoop", (10, 30, 100))) == [10, 30, 100]
    assert seen == [(10, 10), (30, 30), (100, 100)]
    monkeypatch.setattr(whole.shutil, "disk_usage", lambda _folder: whole.shutil._ntuple_diskusage(9, 8, 1))
    assert list(whole.growth("hoop", (10,))) == []


def test_the_other_files_hold_what_their_rows_say(monkeypatch):
    held = {}

    def run(_name, what, count, files, _rounds, *, packed=False):
        held[what] = (count, sum(_lines(file, gzip.open if packed else open) for file in files))

    monkeypatch.setattr(whole, "run", run)
    monkeypatch.setattr(whole, "DIFFERENT", 200)
    assert len(list(whole.other_files("hoop", 400, 600))) == 3
    assert held == {"100 files": (400, 400), "one `.gz` file": (600, 600), "spaces between members": (400, 400)}


def _lines(path, opened=open):
    with opened(path, "rb") as file:
        return sum(1 for _ in file)


def test_too_slow_too_large_and_growing_are_each_said():
    good = Command("hoop", 200_000, 25.0, 0.6, 0.5)
    assert whole.too_slow([good, Command("nel", 20_000, 25.0, 0.1, 0.1)]) == []
    assert len(whole.too_slow([good, Command("hoop", 200_000, 25.0, 0.59, 0.5)])) == 1
    usual = Run("nel", "one file", 100_000, 50.0, 0.9, 30)
    assert whole.grown([usual, Run("nel", "one file", 5_000_000, 60.0, 0.9, 150)]) == []
    (slower,) = whole.grown([usual, Run("nel", "one file", 5_000_000, 60.1, 0.9, 30)])
    assert "5,000,000" in slower
    (larger,) = whole.grown([usual, Run("hoop", "one `.gz` file", 1_000_000, 99.0, 0.9, 150.1)])
    assert ".gz" in larger


@pytest.fixture
def engine_lines(monkeypatch, tmp_path):
    """Lines for engines that are not started: each writes what `says` holds of its name; a file takes 1,000 seconds."""
    says = {}

    def used(command, out, *, code, environment, watch):
        assert (code, watch) == (1, True)
        files = [one for one in command if one.endswith("responses.ndjson")]
        scores, refusals = says.get(command[-len(files) - 1], (b"scores", b"refusals"))
        out.write_bytes(scores * len(files))
        out.with_name("rejects").write_bytes(refusals)
        return Used(10.0 + 1_000.0 * len(files), 30.0, 9.0 * len(files))

    monkeypatch.setattr(engines, "used", used)
    monkeypatch.setattr(engines, "python", lambda: sys.executable)
    return engines.Lines(tmp_path / "responses.ndjson", 4_000), says


def test_starting_is_told_apart_by_two_lengths_and_no_part_of_the_ratio(engine_lines):
    row = engine_lines[0].scored("x", ("--engine", "x"), [])
    # 1,010 seconds for the file and 3,010 for three times the file: 1,000 each, and 10 that no line asks for.
    assert (row.start, row.rest, row.wall) == (10.0, 1_000.0, 9.0)


@pytest.mark.parametrize(("said", "named"), [((b"other", b"refusals"), "scores"), ((b"scores", b"other"), "refusals")])
def test_an_engine_that_gives_something_else_has_no_figure(engine_lines, said, named):
    lines_of, says = engine_lines
    expected = []
    lines_of.scored("one", (), expected)
    lines_of.scored("x", ("--engine", "x"), expected)
    says["y"] = said
    with pytest.raises(engines.Differs, match=f"y gives other {named}"):
        lines_of.scored("y", ("--engine", "y"), expected)


def test_an_engine_of_which_a_core_gives_too_little_is_said():
    one = engines.Row("**one process**", 0.3, 5.0, 6.0)
    rows = [one, engines.Row("Spark 4", 20.0, 10.0, 30.0), engines.Row("DuckDB 2", 1.0, 50.0, 60.0)]
    assert engines.ratios(rows) == [1.0, 0.5, 0.1]
    assert engines.missed(rows) == []
    (missed,) = engines.missed([*rows, engines.Row("Sail 1", 1.0, 10.1, 9.0)])
    assert missed.startswith("Sail 1: a core gives 0.50 of one process")
    assert engines.table(rows)[3] == "| Spark 4 | 0.50 | 20.0 | 10.0 | 30.0 |"
    assert {*engines.table(rows)} <= {*engines.section(rows, 200_000, 0.4)}


def test_each_script_writes_its_own_part_of_the_page(tmp_path):
    path = tmp_path / "page.md"
    sections.write(sections.OTHERS, ["others"], path)
    sections.write(sections.SCORING, ["# Title", "", "## In process"], path)
    sections.write(sections.PROCESSES, ["several"], path)
    whole_page = "# Title\n\n## In process\n\n## Several processes\n\nseveral\n\n## Other engines\n\nothers\n"
    assert path.read_text("utf-8") == whole_page
    sections.write(sections.PROCESSES, ["more"], path)
    assert path.read_text("utf-8") == whole_page.replace("several\n", "more\n")


def test_one_that_misses_ends_none_of_the_others_and_all_are_named(monkeypatch, capfd):
    def program(text):
        return [sys.executable, "-c", text]

    tell = f"import sys; print('Missed: slow', file=sys.stderr); print({misses.MISSED!r} + 'large', file=sys.stderr)"
    assert together.missed_by(program(tell + "; sys.exit(1)"), "scoring") == ["scoring: slow", "scoring: large"]
    assert together.missed_by(program("raise SystemExit(3)"), "log")[0].startswith("log: ended with exit code 3")
    assert together.missed_by(program("import sys; print('only said', file=sys.stderr)"), "load") == []
    assert "only said" in capfd.readouterr().err

    missing = {"scoring": ["scoring: slow"], "log": ["log: grows"]}
    ran = []
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    monkeypatch.setattr(together, "missed_by", lambda _command, name: ran.append(name) or missing.get(name, []))
    assert together.main() == 1
    assert ran == [name for name, *_ in together.ALL]
    assert {"scoring: slow", "log: grows"} <= {*capfd.readouterr().out.splitlines()}
    missing.clear()
    assert together.main() == 0


def test_what_is_missed_is_told_in_words_and_by_the_exit_code(capsys):
    assert misses.tell([]) == 0
    assert misses.tell(["one", "two"]) == 1
    assert capsys.readouterr().err == "Missed: one\nMissed: two\n"
