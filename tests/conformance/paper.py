"""veraPDF, the reference validator of PDF/A, over every paper that the app gives: PDF/UA-1 and PDF/A, no rule broken.

Run as `python -m tests.conformance.paper`. The demo gives them as it gives them to people: each PDF that a page of a
made-up person links to, in both languages, and beside those a plan as full and as rough as can be. A PDF that names no
standard must fail both, which proves that the validator can fail. They stay in `.cache/conformance/paper`.
Exit 0: all well, 1: a rule is broken, 3: Java, Maven or veraPDF can't be had here.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import requests
import typst

from questionnaires.catalogue import Catalogue
from questionnaires.model import Language
from scripts.tour import Demo, Role, Served
from smartapp.pages.links.paper import paper as paper_of_link
from smartapp.pages.links.service import NewLink
from smartapp.pages.plan.paper import paper
from smartapp.storage.launches import Person
from smartapp.web.language import kept_in
from tests.conformance import strangers
from tests.conformance.java_tools import BuildError, NotHereError, java, version
from tests.conformance.written import NOW, rough_plan

FOLDER = Path(".cache/conformance/paper")
LANGUAGES: tuple[Language, ...] = ("nl", "en")
PEOPLE = ("noor", "iwan", "sem", "kees", "marlies", "yara")
UA = "ua1"
VERAPDF = "veraPDF"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What veraPDF said of one file and standard: how many checks it made, and each broken rule with its words."""

    file: str
    standard: str
    checks: int
    broken: tuple[str, ...]


def verdicts(pairs: Sequence[tuple[str, Path]], report: Path) -> list[Verdict]:
    """Hold each file against its standard (`ua1`, `2a`, `2u`), in one run; in the order of the pairs."""
    command = [*java("paper", "nl.verstel.conformance.Paper"), "--report", str(report)]
    for standard, file in pairs:
        command += [standard, str(file)]
    report.unlink(missing_ok=True)
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if not report.is_file():
        raise BuildError(f"veraPDF gave no report (exit {done.returncode}): {done.stderr[-2000:]}")
    return [
        Verdict(
            one["file"],
            one["standard"],
            one["checks"],
            tuple(f"{rule['rule']}: {rule['words']}" for rule in one["broken"]),
        )
        for one in json.loads(report.read_bytes())["results"]
    ]


def given(demo: Served) -> Iterator[tuple[str, bytes]]:
    """Fetch every PDF that the pages of the made-up people lead to, as client and as clinician, with a name."""
    for role in ("client", "clinician"):
        for person in PEOPLE:
            for language in LANGUAGES:
                for path, content in _of_one(demo, role, person, language):
                    yield f"{role}-{person}-{language}-{path.removesuffix('.pdf').replace('/', '-')}", content


def _of_one(demo: Served, role: Role, person: str, language: str) -> Iterator[tuple[str, bytes]]:
    """Walk along the links of this person, past the questions, and fetch each PDF that they lead to.

    Three deep, and one more for the card of a form, which is reached from the form.
    """
    browser = requests.Session()
    front = browser.get(f"{demo.url}/sandbox/launch?role={role}&patient={person}", timeout=60)
    found = re.search(r"^(.*/l/[^/]+/)", front.url)
    if found is None:
        raise RuntimeError(f"the launch of {person} as {role} ended at {front.url}")
    home, seen, pages = found[1], set[str](), [""]
    browser.get(f"{home}?lang={language}", timeout=60)
    for depth in range(4):
        links = {link for page in pages for link in _links(browser.get(home + page, timeout=60).text, home)} - seen
        seen |= links
        for link in sorted(one for one in links if one.endswith(".pdf")):
            answer = browser.get(home + link, timeout=60)
            answer.raise_for_status()
            yield link, answer.content
        pages = [one for one in links if (_leads_on(one) if depth < 2 else one.endswith("/card"))]


def _leads_on(link: str) -> bool:
    if link.startswith("questionnaires/") or link.endswith(".pdf"):
        return False
    return link.endswith("/") or link.startswith(("overview/", "visits/"))


def _links(page: str, home: str) -> set[str]:
    """Return where a page leads to within its launch, without queries and anchors."""
    path = re.sub(r"^https?://[^/]+", "", home)
    hrefs = (html.unescape(one) for one in re.findall(r'href="([^"]*)"', page))
    inside = (re.sub(r"^https?://[^/]+", "", one) for one in hrefs)
    return {re.split(r"[?#]", one)[0].removeprefix(path) for one in inside if one.startswith(path)}


def rough() -> Iterator[tuple[str, bytes]]:
    """Make a plan as full and as rough as can be, which is PDF/A-2a, one for which only level u can be had, and a link.

    No page leads to the paper of a link, which is asked for with the link in a form.
    """
    plan, noor = rough_plan(), Person("Patient/noor", "Noor Bakker", "1992-03-14")
    strange = replace(plan, texts={**plan.texts, "story": ("Een icoon van mijn telefoon: \ue000",)})
    for language in LANGUAGES:
        with kept_in(language):
            yield f"rough-{language}", paper(plan, Catalogue(), client=noor, made=NOW)
            link = NewLink(f"https://verstel.example/view#shlink:/{'x' * 320}", "Kaartje", NOW, asks_passcode=True)
            yield f"link-{language}", paper_of_link(link, client=noor, made=NOW)
    yield "private-use", paper(strange, Catalogue(), client=noor, made=NOW)


def level(content: bytes) -> str:
    """Return the part and level of PDF/A that a PDF claims, as veraPDF names it: `2a`, or `3a` with a file inside."""
    part = re.search(rb"<pdfaid:part>(\d)</pdfaid:part>", content)
    found = re.search(rb"<pdfaid:conformance>(\w)</pdfaid:conformance>", content)
    return f"{part[1].decode()}{found[1].decode().lower()}" if part and found else "2a"


def main() -> int:
    """Have the papers made and judged, print counts and each broken rule, and return the exit code."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo.start(Path(folder))
        try:
            papers = [*given(demo), *rough()]
        finally:
            demo.stop()
    pairs = []
    for name, content in papers:
        file = FOLDER / f"{name}.pdf"
        file.write_bytes(content)
        pairs += [(UA, file), (level(content), file)]
    bad = FOLDER / "bad.pdf"
    bad.write_bytes(typst.compile(b"No title, no language, and of no standard.", pdf_tags=False))
    try:
        judged = verdicts([*pairs, (UA, bad), ("2a", bad)], FOLDER / "report.json")
    except NotHereError as error:
        print(error)
        strangers.missing(VERAPDF, error)
        return 3
    good, missed = judged[: len(pairs)], [one for one in judged[len(pairs) :] if not one.broken]
    for one in good:
        for rule in one.broken:
            print(f"{one.file}: {one.standard}: {rule}")
    for one in missed:
        print(f"the bad example passes {one.standard}: the validator proves nothing")
    levels = sorted({standard for standard, _file in pairs})
    print(f"{len(papers)} papers held against {', '.join(levels)}: {sum(one.checks for one in good):,} checks")
    broken = [f"{one.file}: {one.standard}: {rule}" for one in good for rule in one.broken]
    broken += [f"the bad example passes {one.standard}" for one in missed]
    strangers.held(VERAPDF, len(judged), broken, version=version("paper", "verapdf.version"))
    ok = len(papers) > len(PEOPLE) and not missed and all(one.checks and not one.broken for one in good)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
