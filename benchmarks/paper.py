"""Two ways to make a PDF, on the same two pages of the demo's fullest person: typst, as we do, and WeasyPrint.

Run as `python -m benchmarks.paper`. WeasyPrint sets the pages as they are printed from the browser; typst sets its own
templates of the same contents. For each file: sheets, kilobytes, the best time of seven, and how many rules veraPDF
says it breaks of PDF/UA-1 and of PDF/A-2a. WeasyPrint claims one standard at a time, so it makes each page twice.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pypdfium2
import requests

from scripts.tour import Demo
from tests.conformance.paper import verdicts

PEERS = Path(".cache/benchmarks-paper")
FOLDER = PEERS / "made"
PAGES = {"plan": ("plan/", "plan/plan.pdf"), "scores of the NEL": ("scores/nel/", "scores/nel/scores.pdf")}
ROUNDS = 7

# Set in a process of its own: its packages must not become the project's.
_WEASYPRINT = """
import json, sys, time, weasyprint
home, page, variant, made = sys.argv[1:]
def once():
    started = time.perf_counter()
    content = weasyprint.HTML(string=page, base_url=home).write_pdf(pdf_variant=variant)
    return content, time.perf_counter() - started
once()
rounds = [once() for _ in range({rounds})]
open(made, "wb").write(rounds[0][0])
print(json.dumps([seconds for _, seconds in rounds]))
"""


@dataclass(frozen=True, slots=True)
class Made:
    """One file: who made it of which page, by which standard, and how long each round took (s)."""

    maker: str
    page: str
    standard: str
    file: Path
    seconds: tuple[float, ...]


def install() -> None:
    """Install WeasyPrint into a folder of its own."""
    if not (PEERS / "weasyprint").is_dir():
        wanted = Path(__file__).with_name("paper-requirements.txt")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(PEERS), "-r", str(wanted)]
        subprocess.run(command, check=True)


def make(demo: Demo) -> list[Made]:
    """Make every file; the app is asked over HTTP, and what a page without typesetting takes is taken off."""
    browser = requests.Session()
    front = browser.get(f"{demo.url}/sandbox/launch?role=client&patient=noor", timeout=60)
    home = re.sub(r"(/l/[^/]+/).*", r"\1", front.url)
    files = []
    for page, (path, pdf) in PAGES.items():
        seconds, content = _timed(lambda pdf=pdf: browser.get(home + pdf, timeout=60).content)
        plain, html = _timed(lambda path=path: browser.get(home + path, timeout=60).content)
        file = FOLDER / f"typst-{path.strip('/').replace('/', '-')}.pdf"
        file.write_bytes(content)
        # Both read the record. What the page takes is taken off: what is left is a little less than the setting.
        files.append(Made("typst", page, "PDF/UA-1 + PDF/A-2a", file, tuple(one - min(plain) for one in seconds)))
        for variant in ("pdf/ua-1", "pdf/a-2a"):
            file = FOLDER / f"weasyprint-{path.strip('/').replace('/', '-')}-{variant.replace('/', '-')}.pdf"
            command = [sys.executable, "-c", _WEASYPRINT.replace("{rounds}", str(ROUNDS)), home, html.decode(), variant]
            done = subprocess.run(
                [*command, str(file)], check=True, capture_output=True, env={"PYTHONPATH": str(PEERS.resolve())}
            )
            files.append(Made("WeasyPrint", page, variant.upper(), file, tuple(json.loads(done.stdout))))
    return files


def _timed(get: Callable[[], bytes]) -> tuple[list[float], bytes]:
    content, seconds = get(), []
    for _round in range(ROUNDS):
        started = time.perf_counter()
        get()
        seconds.append(time.perf_counter() - started)
    return seconds, content


def table(files: list[Made]) -> str:
    """Return the table, in Markdown, one line per file."""
    judged = verdicts([(standard, one.file) for one in files for standard in ("ua1", "2a")], FOLDER / "report.json")
    lines = [
        "| made by | page | standard | sheets | kB | ms | rules broken: PDF/UA-1 | PDF/A-2a |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for number, one in enumerate(files):
        ua, a = judged[2 * number : 2 * number + 2]
        document = pypdfium2.PdfDocument(one.file)
        lines.append(
            f"| {one.maker} | {one.page} | {one.standard} | {len(document)} | {one.file.stat().st_size / 1000:.0f} "
            f"| {min(one.seconds) * 1000:.0f} | {len(ua.broken)} | {len(a.broken)} |"
        )
        document.close()
    return "\n".join(lines)


def installed() -> str:
    """Return what each brings along: packages and megabytes on disk."""
    files = metadata.files("typst") or []
    typst = sum(Path(str(file.locate())).stat().st_size for file in files)
    peers = [path for path in PEERS.rglob("*") if path.is_file() and FOLDER not in path.parents]
    packages = len(list(PEERS.glob("*.dist-info")))
    megabytes = sum(path.stat().st_size for path in peers) / 1e6
    return (
        f"typst {metadata.version('typst')}: 1 package, {typst / 1e6:.0f} MB. "
        f"WeasyPrint: {packages} packages, {megabytes:.0f} MB, and Pango of the system."
    )


def main() -> int:
    """Compare, and print the table."""
    install()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo.start(Path(folder))
        try:
            files = make(demo)
        finally:
            demo.stop()
    print(table(files), installed(), sep="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
