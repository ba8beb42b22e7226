"""Make the faults of one area and try a sample of them: what `scripts.mutants` runs, in its copy of the project.

`python -m scripts.tried AREA SAMPLE SEED`, only there: it writes mutmut's faults over the code. The tests are collected
once; each test, and then each fault, has a fork of that process to itself, so that no server, thread or cache of one is
there for the next. A fault counts as noticed where a test that succeeds alone fails alone with it, or hangs.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import hashlib
import json
import os
import random
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import pytest
from coverage import Coverage
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.utils.format_utils import get_mutant_name, mangled_name_from_mutant_name

from scripts.areas import ROOT, Area, areas, is_equivalent

RESULTS: Final = ROOT / "results.jsonl"
LOG: Final = ROOT / "log.txt"
REACHES: Final = ROOT.with_suffix(".json")
"""What each test reaches, beside the copy: it outlives it, and holds until the code or the file of the test changes."""

_HEARD: Final = ROOT / "heard.json"

_PATIENCE: Final = 20
"""Seconds that a fault has above three times what its tests take: a busy machine must not look like one that hangs."""

_FARTHER: Final = 60
"""How many farther tests a fault is tried with at most; what they do not notice counts as not noticed."""

_OPTIONS: Final = ("-q", "--capture=no", "-p", "no:cacheprovider", f"--basetemp={ROOT / 'tmp'}", "-o", "timeout=0")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as mutmut names it: the lines that it changes, and where those are in the file that has all faults."""

    name: str
    diff: str
    path: str
    lines: frozenset[int]


def main(name: str, sample: int, seed: int) -> int:
    """Try `sample` faults in the area `name`, drawn by `seed`, and write what came of each to a line of `RESULTS`."""
    area = areas()[name]
    digests = _digests()  # before the faults are in
    faults = {fault.name: fault for path in area.files() for fault in made(path) if not is_equivalent(fault.diff)}
    drawn = random.Random(seed).sample(sorted(faults), min(sample, len(faults)))
    trial = Trial(area, [faults[name] for name in drawn], len(faults), digests)
    return int(pytest.main([*_OPTIONS, *area.tests], plugins=[trial]))


def made(path: str) -> list[Fault]:
    """Write all faults that mutmut can make into the file, each asleep until it is named, and return them."""
    file = ROOT / path
    mutated = mutate_file_contents(path, file.read_text())
    file.write_text(mutated.code)
    lines = mutated.code.splitlines()
    spans = mutated.line_span_by_function_name
    statements = _statements(mutated.code)

    def version(name: str) -> list[str]:
        """Return the lines of one version of a function, as if it had the function's own name."""
        function = mangled_name_from_mutant_name(name)
        return [line.replace(name, function) for line in lines[spans[name].start - 1 : spans[name].end]]

    def fault(name: str) -> Fault:
        original = f"{mangled_name_from_mutant_name(name)}__mutmut_orig"
        before, after = version(original), version(name)
        first = spans[original].start
        places = [
            place
            for tag, place, end, *_ in SequenceMatcher(None, before, after).get_opcodes()
            if tag != "equal"
            for place in range(place, end)
        ]
        touched = [statements[first + place] for place in places if first + place in statements]
        changed = set().union(*touched) if touched else range(first + 1, spans[original].end + 1)
        return Fault(get_mutant_name(Path(path), name), _difference(before, after), path, frozenset(changed))

    return [fault(name) for name in mutated.mutant_names]


def _statements(code: str) -> dict[int, frozenset[int]]:
    """Return for each line all lines of its statement, of which Python says that it has run some."""
    found: dict[int, frozenset[int]] = {}
    for node in ast.walk(ast.parse(code)):  # outer ones first, so that inner ones win
        if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.ClassDef):
            body = getattr(node, "body", None)
            lines = frozenset(range(node.lineno, body[0].lineno if body else (node.end_lineno or node.lineno) + 1))
            found |= dict.fromkeys(lines, lines)
    return found


def _difference(before: Sequence[str], after: Sequence[str]) -> str:
    lines = difflib.unified_diff(before, after, n=0, lineterm="")
    return "\n".join(f"  {line}" for line in lines if not line.startswith(("---", "+++", "@@")))


def _digests() -> dict[str, str]:
    """Return for each file of tests a digest of it and of all that it may use: what is neither a test nor a script."""
    found = (path for path in sorted(ROOT.rglob("*.*")) if path.suffix in (".py", ".toml"))
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in found}
    tests = {name: content for name, content in files.items() if Path(name).name.startswith("test_")}
    shared = b"".join(files[name] for name in sorted(files.keys() - tests.keys()) if not name.startswith("scripts/"))
    return {name: hashlib.sha256(shared + content).hexdigest() for name, content in tests.items()}


class Trial:
    """A plugin that runs the tests in its own way: each alone to see what it reaches, then those that reach a fault."""

    def __init__(self, area: Area, faults: Sequence[Fault], possible: int, digests: Mapping[str, str]) -> None:
        self._area = area
        self._faults = faults
        self._possible = possible
        self._digests = digests
        self._items: dict[str, pytest.Item] = {}
        self._reaches: dict[str, dict[str, Any]] = {}

    def pytest_configure(self) -> None:
        """Keep Hypothesis from making a failing example smaller, and from handing it to the next fault."""
        from hypothesis import Phase, settings  # noqa: PLC0415  (pytest wants to be the first to import it)

        settings.register_profile("tried", settings(), phases=(Phase.explicit, Phase.generate), database=None)
        settings.load_profile("tried")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn what each test reaches, then try each fault."""
        self._items = {item.nodeid: item for item in session.items}
        _warm_up(with_app=self._area.code[0].startswith("smartapp"))
        self._learn()
        with RESULTS.open("w") as results:
            for number, fault in enumerate(self._faults, 1):
                began = time.monotonic()
                line = {"fault": fault.name, "outcome": self._outcome(fault), "diff": fault.diff, "of": self._possible}
                results.write(json.dumps(line | {"seconds": round(time.monotonic() - began, 2)}) + "\n")
                results.flush()
                if not number % 10:
                    print(f"{number} of {len(self._faults)} tried", flush=True)
        return True

    def _learn(self) -> None:
        """Learn which lines each test reaches and how long it takes, without any fault."""
        known = json.loads(REACHES.read_text()) if REACHES.exists() else {}
        for test in self._items:
            digest = self._digests[test.partition("::")[0]]
            reach = known.get(test, {})
            if reach.get("digest") != digest:
                reach = self._reach(test) | {"digest": digest}
            if reach["failed"]:
                print(f"left out, since it fails alone and without a fault: {test}", flush=True)
            else:
                self._reaches[test] = reach
        REACHES.write_text(json.dumps(self._reaches))

    def _reach(self, test: str) -> dict[str, Any]:
        def watched() -> dict[str, Any]:
            watch = Coverage(
                data_file=None, config_file=False, include=[str(ROOT / name) for name in self._area.files()]
            )
            watch.set_option("run:disable_warnings", ["no-data-collected"])
            began = time.monotonic()
            with watch.collect():
                failed = self._first_failure([test]) is not None
            seconds = time.monotonic() - began
            found = watch.get_data()
            return {
                "failed": failed,
                "seconds": seconds,
                "lines": {name: found.lines(str(ROOT / name)) for name in self._area.files()},
            }

        return _forked(watched, 300) or {"failed": True}

    def _outcome(self, fault: Fault) -> str:
        tests = self._reaching(fault)
        if not tests:
            return "no test reaches it"
        while tests:
            failed = self._failing(fault, tests)
            if failed is None:
                return "survived"
            if failed == 0 or self._failing(fault, [tests[failed]]) == 0:
                return f"noticed by {tests[failed]}"
            tests = tests[failed + 1 :]
        return "survived"

    def _reaching(self, fault: Fault) -> list[str]:
        """Return tests that reach the lines of a fault, in the order in which they are most likely to notice it.

        First those of the file that has the name of the code, then the quickest of every other file by turns, and not
        all of them: what each sign-in runs through is reached by hundreds, which would take minutes.
        """
        by_file: defaultdict[str, list[str]] = defaultdict(list)
        for test in sorted(self._reaches, key=self._seconds):
            if fault.lines & set(self._reaches[test]["lines"].get(fault.path) or ()):
                by_file[test.partition("::")[0]].append(test)
        code = Path(fault.path)
        name = code.parent.name if code.stem == "__init__" else code.stem
        nearest = [test for file in list(by_file) if Path(file).stem == f"test_{name}" for test in by_file.pop(file)]
        by_turns = [test for turn in zip_longest(*by_file.values()) for test in turn if test]
        return nearest + by_turns[:_FARTHER]

    def _seconds(self, test: str) -> float:
        seconds: float = self._reaches[test]["seconds"]
        return seconds

    def _failing(self, fault: Fault, tests: Sequence[str]) -> int | None:
        """Return the place of the first of these tests that fails with the fault, or 0 where they hang or die."""

        def faulty() -> dict[str, Any]:
            set_mutant_under_test(fault.name)
            return {"place": self._first_failure(tests)}

        heard = _forked(faulty, _PATIENCE + 3 * round(sum(map(self._seconds, tests))))
        place: int | None = heard["place"] if heard else 0
        return place

    def _first_failure(self, tests: Sequence[str]) -> int | None:
        items = [self._items[test] for test in tests]
        for place, (item, following) in enumerate(zip(items, [*items[1:], None], strict=True)):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if item.session.testsfailed:
                return place
        return None


def _warm_up(*, with_app: bool) -> None:
    """Make what is dear to make, needed by most tests, and of no area: else each fork makes it anew."""
    # Imported here, and nothing of ours before: what came in before its faults were written would have none of them.
    from questionnaires.catalogue import catalogue  # noqa: PLC0415
    from smartapp.fhir import checked  # noqa: PLC0415

    catalogue()
    checked.prepare()
    if with_app:  # its templates and addresses, which `tests/conftest.py` compiles once for a process
        from cryptography.fernet import Fernet  # noqa: PLC0415  (an area without the app needs none of this)

        from smartapp import create_app  # noqa: PLC0415
        from smartapp.services import KEY  # noqa: PLC0415
        from smartapp.settings import Settings  # noqa: PLC0415

        keys = (Fernet.generate_key().decode(),)
        app = create_app(Settings(public_url="http://localhost", secret_keys=keys, encryption_keys=keys))
        for template in app.jinja_env.list_templates():
            app.jinja_env.get_template(template)
        app.extensions[KEY].engine.dispose()


def _forked(work: Callable[[], dict[str, Any]], seconds: int) -> dict[str, Any] | None:
    """Do the work in a process of its own and return what it says, None where it hangs or dies.

    All that it started ends with it.
    """
    _HEARD.unlink(missing_ok=True)
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):  # whatever happens, the copy must not go on as if it were the first
            os.setpgid(0, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(seconds)
            log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            said = json.dumps(work())
            _HEARD.write_text(said)
        os._exit(0)
    os.waitpid(child, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    return json.loads(_HEARD.read_text()) if _HEARD.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
