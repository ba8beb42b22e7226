"""The verdict of a conformance run: what its exit code and its last line say, whatever is played beside what."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.conformance import __main__ as run

PART = """
import sys, time
from pathlib import Path

Path("order").open("a").write("{name} begins\\n")
print("{name} says so", flush=True)
time.sleep({seconds})
if "--beside" in sys.argv:
    sys.stdin.read()
Path("order").open("a").write("{name} ends\\n")
sys.exit({code})
"""


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put parts of ours in the place of the real ones: the name of each, with how it ends and after how long."""
    monkeypatch.chdir(tmp_path)

    def put(**ends: tuple[int, float]) -> None:
        for name, (code, seconds) in ends.items():
            (tmp_path / f"{name}_part.py").write_text(PART.format(name=name, code=code, seconds=seconds))
        monkeypatch.setattr(run, "PARTS", {name: f"{name}_part" for name in ends})
        monkeypatch.setattr(run, "BESIDE", "beside")
        monkeypatch.setattr(run, "AFTER", {"late": {"early"}})

    return put


@pytest.mark.parametrize(
    ("codes", "verdict", "last_line"),
    [
        ((0, 0), 0, "conformance: all 3 parts ran and passed"),
        ((0, 1), 1, "conformance: failed: beside"),
        ((2, 0), 1, "conformance: failed: first"),
        ((1, 4), 1, "conformance: failed: first, beside"),
        (
            (3, 0),
            3,
            "conformance: nothing failed, but these parts did not run, their tools can't be installed here: first",
        ),
        ((3, 1), 1, "conformance: failed: beside; did not run, their tools can't be installed here: first"),
    ],
)
def test_the_verdict_is_that_of_all_parts(parts, capfd, codes, verdict, last_line):
    first, beside = codes
    parts(first=(first, 0), beside=(beside, 0.2), last=(0, 0))
    assert run.main([]) == verdict
    assert capfd.readouterr().out.rstrip().endswith(f"\n\n{last_line}")
    assert (run.CACHE / "exit").read_text() == f"{verdict}\n"
    assert (run.CACHE / "last-line").read_text() == f"{last_line}\n"


def whatever_it_took(out: str) -> str:
    return re.sub(r"in \d+ s(, \d+ s of a core)?", "in … s", out)


def order() -> list[str]:
    """Return what began and ended, as the parts themselves wrote it down."""
    return Path("order").read_text().splitlines()


def test_each_says_its_own_in_one_piece(parts, capfd):
    parts(first=(0, 0.5), second=(0, 0.2))
    assert run.main([]) == 0
    out = whatever_it_took(capfd.readouterr().out)
    assert "\n=== first\nfirst says so\n=== first: passed in … s\n" in out
    assert "\n=== second\nsecond says so\n=== second: passed in … s\n" in out


def test_two_are_under_way_at_a_time(parts):
    parts(first=(0, 2), second=(0, 2), third=(0, 0))
    assert run.main([]) == 0
    assert set(order()[:2]) == {"first begins", "second begins"}
    assert order().index("third begins") > 2


def test_a_part_begins_when_those_that_it_comes_after_have_ended(parts):
    parts(early=(0, 1), late=(0, 0), other=(0, 0))
    assert run.main([]) == 0
    assert order().index("other ends") < order().index("early ends") < order().index("late begins")


def test_a_part_that_comes_after_one_that_is_not_asked_for_begins(parts):
    parts(late=(0, 0), other=(0, 0))
    assert run.main([]) == 0
    assert "late ends" in order()


def test_what_is_played_beside_ends_when_it_is_told_that_all_others_have(parts):
    parts(first=(0, 0.5), beside=(0, 0), last=(0, 0.5))
    assert run.main([]) == 0
    assert order()[-1] == "beside ends"


def test_alone_a_part_is_played_as_any_other(parts, capfd):
    parts(first=(0, 0), beside=(1, 0))
    assert run.main(["beside"]) == 1
    out = whatever_it_took(capfd.readouterr().out)
    assert "=== beside\nbeside says so\n=== beside: FAILED (exit 1) in … s\n" in out


def test_a_part_that_nobody_has_is_said(parts, capfd):
    parts(first=(0, 0))
    assert run.main(["second"]) == 2
    assert "no part is called second" in capfd.readouterr().out


def test_a_run_that_is_broken_off_ends_its_parts_and_says_what_they_said(parts, capfd):
    parts(first=(0, 60), beside=(0, 60))

    def end() -> None:
        while "first says so" not in "".join(file.read_text() for file in run.CACHE.glob("first.said")):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=end).start()
    with pytest.raises(KeyboardInterrupt):
        run.main([])
    assert "=== first\nfirst says so\n=== first: not finished\n" in capfd.readouterr().out
    assert "first ends" not in order()
    assert "beside ends" not in order()
