"""Make links on the pages of a running demo, and have programs of others open them.

`jsqr` reads the QR code from a picture of the page, and `kill-the-clipboard` opens what it says: with its passcode,
with a wrong one, embedded and by an address, and once more after the client has stopped it. What it reads is written
down for HL7's validator. Run as `python -m tests.conformance.links.run`.
Exit 0: all as it should be, 1: it is not, 3: Chromium, Node or the packages can't be had here.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser

from scripts.tour import CHROMIUM, Demo, Served, Visitor, chromium
from tests.conformance import strangers
from tests.conformance.npm import MissingToolError, install, program, version
from tests.conformance.validate import CACHE, WRITTEN

HERE: Final = Path(__file__).parent
READER: Final = "kill-the-clipboard"
PATIENCE: Final = 60
PERSON: Final = "noor"
PASSED, FAILED, NOT_RUN = 0, 1, 3
WORDS: Final = {
    "card.staying-well": ("Praat zacht en zeg wie je bent.",),
    "form.staying-well": ("Praat zacht en zeg wie je bent.", "Zingen"),
    "plan": ("Praat zacht en zeg wie je bent.", "Mijn doelen"),
}
"""What can be shared of Noor's, and words that whoever opens it must find."""


@dataclass(frozen=True)
class Shared:
    """A link as its page shows it: the address, a picture of its QR code, and its passcode ("" for none)."""

    what: str
    link: str
    picture: bytes
    passcode: str


def main() -> int:
    """Open a link to each thing that can be shared, and say what was not as it should be."""
    if CHROMIUM is None:
        print("links were not opened: no Chromium here to make one with")
        strangers.missing(READER, "There is no Chromium here to make a link with.")
        return NOT_RUN
    try:
        program("node")
        packages = install(HERE, CACHE / "links")
    except MissingToolError as missing:
        print(f"links were not opened: {missing}")
        strangers.missing(READER, missing)
        return NOT_RUN
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        demo = Demo.start(Path(folder))
        try:
            complaints = list(complaints_of(browser, demo, packages))
        finally:
            demo.stop()
    for complaint in complaints:
        print(complaint)
    print(f"links: {len(WORDS)} shared, opened by kill-the-clipboard: {len(complaints)} complaints")
    # Each link is opened embedded, by an address, with a wrong passcode where it has one, and after it was stopped.
    of = sum(3 if what.startswith("card.") else 4 for what in WORDS)
    strangers.held(READER, of, complaints, version=version(HERE, READER))
    return FAILED if complaints else PASSED


def complaints_of(browser: Browser, demo: Served, packages: Path) -> Iterator[str]:
    """Yield what is not as it should be, one line each."""
    visitor = Visitor(browser.new_context(locale="nl-NL").new_page(), demo).launch("client", PERSON)
    all_shared = [share(visitor, what, without=what.startswith("card.")) for what in WORDS]
    for shared in all_shared:
        yield from (f"{shared.what}: {one}" for one in _while_it_lasts(shared, packages))
    stop_all(visitor)
    for shared in all_shared:
        if (answer := opened(shared, packages)).get("refused") != "SHLManifestNotFoundError":
            yield f"{shared.what}: after it was stopped: {_short(answer)}"


def _while_it_lasts(shared: Shared, packages: Path) -> Iterator[str]:
    answers = {
        "embedded": opened(shared, packages),
        "by an address": opened(shared, packages, embeddedLengthMax=10),
    }
    for how, answer in answers.items():
        resources = answer.get("resources", [])
        if answer["link"] != shared.link:
            yield f"the QR code says {answer['link'][:40]!r}, not the link of the page"
        elif len(resources) != 1 or (resources[0]["resourceType"], resources[0]["type"]) != ("Bundle", "document"):
            yield f"{how}: {_short(answer)}"
        elif missing := [
            words for words in WORDS[shared.what] if words not in json.dumps(resources, ensure_ascii=False)
        ]:
            yield f"{how}: these words are not in it: {missing}"
        else:
            write_down(shared.what, resources[0])
    if shared.passcode:
        wrong = opened(shared, packages, passcode="no-such-code")
        if wrong.get("refused") != "SHLInvalidPasscodeError":
            yield f"with a wrong passcode: {_short(wrong)}"


def share(visitor: Visitor, what: str, *, without: bool) -> Shared:
    """Make a link as its person does, and take a picture of its QR code."""
    page = visitor.go("links/new")
    page.locator(f'input[name="what"][value="{what}"]').check()
    passcode = "" if without else page.locator("#passcode").input_value()
    if without:
        page.locator("#choice-without").check()
    visitor.press("#new-link .actions button")
    link = page.locator('#again input[name="link"]').input_value()
    return Shared(what, link, page.locator(".qr-code").screenshot(scale="device"), passcode)


def stop_all(visitor: Visitor) -> None:
    """Press "stop" of each link."""
    page = visitor.go("links/")
    while page.locator('form[action$="/end"]').count():
        visitor.press('form[action$="/end"] button')


def opened(shared: Shared, packages: Path, **change: Any) -> dict[str, Any]:
    """Return what the stranger's programs say of a link."""
    job = {
        "qr": base64.b64encode(shared.picture).decode(),
        "recipient": "A stranger",
        **({"passcode": shared.passcode} if shared.passcode else {}),
        **change,
    }
    done = subprocess.run(
        [program("node"), str(HERE / "driver.mjs"), str(packages)],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    if done.returncode:
        return {"link": "", "refused": "crashed", "said": done.stderr[-400:]}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def write_down(what: str, bundle: dict[str, Any]) -> None:
    """Keep a document for HL7's validator."""
    WRITTEN.mkdir(parents=True, exist_ok=True)
    file = WRITTEN / f"link-{what.replace('.', '-')}.json"
    file.write_text(json.dumps(bundle, ensure_ascii=False), encoding="utf-8")


def _short(answer: dict[str, Any]) -> str:
    return str({name: answer[name] for name in ("refused", "said") if name in answer} or "opened")[:300]


if __name__ == "__main__":
    sys.exit(main())
