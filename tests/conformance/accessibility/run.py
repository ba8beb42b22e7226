"""IBM Equal Access over every page of the tour. Run as `python -m tests.conformance.accessibility.run [NAME…]`.

Each page is judged in Dutch, and in a whole run in English too, as a client and as a clinician: on a wide screen as it
opens, and at 320 px with all that is folded unfolded. What the engine fails is accepted only when
`accepted_findings.toml` says why; what it only asks a person to look at is counted, and kept with its places in
`.cache/conformance/accessibility.json`.

NAME: only the stops whose names begin with it.
Exit codes: 0 nothing failed; 1 a page fails, or the engine did not notice a bad page; 3 npm, the engine or Chromium
can't be had here.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Page

from questionnaires.reading import Strict, read
from scripts.tour import CHROMIUM, STOPS, Demo, Stop, Visitor, chromium, close
from smartapp.i18n import LANGUAGES, cookie_name
from tests.conformance import strangers
from tests.conformance.npm import MissingToolError, install, version
from tests.conformance.sizes import WHOLE, size

HERE = Path(__file__).parent
ENGINE = "IBM Equal Access"
CACHE = Path(".cache/accessibility")
REPORT = Path(".cache/conformance/accessibility.json")
ACCEPTED = HERE / "accepted_findings.toml"
PASSED, FAILED, NOT_RUN = 0, 1, 3
PATIENCE_MS = 120_000
# Both of the engine's own sets: the newest of IBM, and WCAG 2.2.
RULES = ("IBM_Accessibility", "WCAG_2_2")
JUDGE = """async (rules) => (await new ace.Checker().check(document, rules)).results
    .filter(({value: [, outcome]}) => outcome !== "PASS")
    .map(({ruleId, value: [, outcome], message, snippet}) => [ruleId, outcome, message, snippet])"""
UNFOLD = "document.querySelectorAll('details').forEach((part) => { part.open = true })"
BAD_PAGE = """<!doctype html><html lang="nl"><title>x</title><main><h1>x</h1><img src="x">
    <input name="x"></main>"""
FOUND_ON_IT = {"img_alt_valid", "input_label_exists"}


@dataclass(frozen=True)
class Finding:
    """What the engine says about one element of one page; `fails`: false where it only asks a person to look."""

    page: str
    rule: str
    fails: bool
    message: str
    element: str

    def __str__(self) -> str:
        return f"{self.page}: {self.rule}: {self.message}: {self.element[:160]}"


class Accepted(Strict, frozen=True):
    """A finding that we accept: its rule, a pattern in the element it points at, and the reason."""

    rule: str
    at: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Tell whether a finding is this one."""
        return finding.rule == self.rule and bool(re.search(self.at, finding.element))


class _AcceptedFindings(Strict, frozen=True):
    finding: tuple[Accepted, ...]


def accepted_findings() -> tuple[Accepted, ...]:
    """Return the accepted findings, in the order of the file."""
    return read(ACCEPTED, _AcceptedFindings).finding


def failures(findings: Iterable[Finding], accepted: Sequence[Accepted], *, whole: bool = True) -> list[str]:
    """Return what fails the run, a line each; on a `whole` tour also each acceptance that nothing meets any more."""
    failing = [finding for finding in findings if finding.fails]
    met = {entry for entry in accepted if any(entry.covers(finding) for finding in failing)}
    lines = [str(finding) for finding in failing if not any(entry.covers(finding) for entry in accepted)]
    if whole:
        lines += [
            f"{ACCEPTED.name}: nothing matches {entry.rule} at /{entry.at}/ any more; remove it"
            for entry in accepted
            if entry not in met
        ]
    return lines


def judged(page: Page, name: str) -> list[Finding]:
    """Let the engine, which the page has loaded, judge a page as it is now."""
    return [
        Finding(name, rule, outcome == "FAIL", message, element)
        for rule, outcome, message, element in page.evaluate(JUDGE, list(RULES))
    ]


def look(page: Page, name: str, engine: str) -> list[Finding]:
    """Judge the page on a wide screen as it opens, and on the narrowest phone unfolded."""
    page.evaluate(f"{engine};0")  # through the debugger, which no content policy of the page stops
    wide = judged(page, f"{name}, wide")
    page.set_viewport_size({"width": 320, "height": 700})
    page.evaluate(UNFOLD)
    return [*wide, *judged(page, f"{name}, 320 px")]


def tour(engine: str, stops: Sequence[Stop], language: str) -> list[Finding]:
    """Walk the tour in one language, on a demo and in a browser of its own."""
    found: list[Finding] = []
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        demo = Demo.start(Path(folder))
        visitors: dict[tuple[str, str], Visitor] = {}
        try:
            for stop in stops:
                key = (stop.role, stop.person)
                if key not in visitors:
                    visitors[key] = _visitor(browser, demo, stop, language)
                page = visitors[key].page
                page.set_viewport_size({"width": 1280, "height": 800})
                stop.way(visitors[key])
                found += look(page, f"{stop.name} ({language})", engine)
            for visitor in visitors.values():
                close(visitor.page.context)
        finally:
            demo.stop()
    return found


def _visitor(browser: Browser, demo: Demo, stop: Stop, language: str) -> Visitor:
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    context.add_cookies([{"name": cookie_name(https=False), "value": language, "url": demo.url}])
    visitor = Visitor(context.new_page(), demo)
    return visitor if stop.role == "nobody" else visitor.launch(stop.role, stop.person)


def overlooked(engine: str) -> set[str]:
    """Return the rules that the engine should have found broken on a bad page, and did not."""
    with chromium() as browser:
        page = browser.new_page()
        page.set_content(BAD_PAGE)
        return FOUND_ON_IT - {finding.rule for finding in look(page, "bad page", engine) if finding.fails}


def main(names: list[str]) -> int:
    """Walk the tour in each language at once, write the report, and return the exit code."""
    if CHROMIUM is None:
        print("no Chromium here: no page was judged")
        strangers.missing(ENGINE, "There is no Chromium here.")
        return NOT_RUN
    try:
        engine = (install(HERE, CACHE) / "accessibility-checker-engine" / "ace.js").read_text()
    except MissingToolError as missing:
        print(missing)
        strangers.missing(ENGINE, missing)
        return NOT_RUN
    lines = [f"the engine overlooks {rule}" for rule in sorted(overlooked(engine))]
    stops = [stop for stop in STOPS if not names or stop.name.startswith(tuple(names))]
    languages = list(LANGUAGES)[: size("languages under IBM's engine")]
    with ThreadPoolExecutor(len(languages)) as lanes:
        found = [one for lane in lanes.map(partial(tour, engine, stops), languages) for one in lane]
    lines += failures(found, accepted_findings(), whole=WHOLE and not names)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=1))
    to_look_at = Counter(one.rule for one in found if not one.fails)
    print(f"{len(stops)} pages in {' and '.join(languages)}, two widths; to be looked at by a person ({REPORT}):")
    print("\n".join(f"  {rule}: {count}" for rule, count in to_look_at.most_common()))
    print("\n".join(lines) or "nothing fails")
    of = len(stops) * len(languages) * 2  # wide and narrow
    strangers.held(ENGINE, of, lines, version=version(HERE, "accessibility-checker-engine"))
    return FAILED if lines else PASSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
