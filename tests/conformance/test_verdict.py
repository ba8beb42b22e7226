"""The verdict of a conformance run: what its exit code and its last line say, whatever is played beside what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conformance import __main__ as run

PART = "import sys, time; time.sleep({seconds}); print({said!r}, flush=True); sys.exit({code})"


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put parts of ours in the place of the real ones: the name of each, with how it ends and after how long."""
    monkeypatch.chdir(tmp_path)

    def put(**ends: tuple[int, float]) -> None:
        for name, (code, seconds) in ends.items():
            (tmp_path / f"{name}_part.py").write_text(PART.format(code=code, seconds=seconds, said=f"{name} says so"))
        monkeypatch.setattr(run, "PARTS", {name: f"{name}_part" for name in ends})
        monkeypatch.setattr(run, "BESIDE", "beside")

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
    return re.sub(r"in \d+ s", "in … s", out)


def test_what_is_played_beside_is_waited_for_and_says_its_own_in_one_piece(parts, capfd):
    parts(first=(0, 0), beside=(0, 0.5), last=(0, 0))
    assert run.main([]) == 0
    out = whatever_it_took(capfd.readouterr().out)
    assert "=== last: passed in … s\n\n=== beside\nbeside says so\n=== beside: passed in" in out


def test_alone_a_part_is_played_as_any_other(parts, capfd):
    parts(first=(0, 0), beside=(1, 0))
    assert run.main(["beside"]) == 1
    out = whatever_it_took(capfd.readouterr().out)
    assert "=== beside\nbeside says so\n=== beside: FAILED (exit 1) in … s\n" in out


def test_a_part_that_nobody_has_is_said(parts, capfd):
    parts(first=(0, 0))
    assert run.main(["second"]) == 2
    assert "no part is called second" in capfd.readouterr().out


def test_what_is_played_beside_ends_with_a_run_that_is_broken_off(parts, monkeypatch: pytest.MonkeyPatch):
    parts(first=(0, 0), beside=(0, 60))
    begun = []
    popen = run.subprocess.Popen
    monkeypatch.setattr(
        run.subprocess, "Popen", lambda *given, **more: begun.append(popen(*given, **more)) or begun[-1]
    )
    monkeypatch.setattr(run, "_run", lambda _part: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run.main([])
    assert begun[0].returncode is not None
