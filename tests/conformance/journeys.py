"""The client's and the clinician's whole journeys in a browser, and every resource that they left behind, as files.

Run as `python -m tests.conformance.journeys`. It all lands in `.cache/conformance/written` for HL7's validator:
from the journeys, from the sandbox's people, and from the log of access.
Exit 0: done, 1: a journey failed, 3: there is no Chromium here.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from playwright.sync_api import Browser, Page

from mappers.audit import audit_event
from questionnaires.fhir import Resource
from scripts.journeys import ask_for, fill_in, mark_and_note, send_in, talk_and_agree, write_plan
from scripts.tour import CHROMIUM, Demo, Served, Visitor, chromium
from smartapp.commands.demo import demo_app
from smartapp.fhir.store import Query
from smartapp.services import KEY, Services
from tests.conformance.validate import WRITTEN
from tests.conformance.written import KINDS, write_down

PATIENCE_MS = 120_000


def main() -> int:
    """Walk the journeys against the real command, then write down what is in its stores."""
    if CHROMIUM is None:
        print("no Chromium here: the journeys were not walked")
        return 3
    counts = Counter(write_down(WRITTEN))
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        demo = Demo.start(Path(folder))
        try:
            walk(browser, demo)
        finally:
            demo.stop()
        for resource in left_behind(demo):
            kind = resource["resourceType"]
            counts[kind] += 1
            name = f"journey-{kind}-{resource.get('id', counts[kind])}.json"
            (WRITTEN / name).write_text(json.dumps(resource, ensure_ascii=False), encoding="utf-8")
    print(f"written down: {', '.join(f'{count} {kind}' for kind, count in sorted(counts.items()))}")
    return 0


def walk(browser: Browser, demo: Served) -> None:
    """Do what a client and a clinician come to do; a step that fails raises."""
    clinician = Visitor(_page(browser), demo).launch("clinician", "yara")
    ask_for(clinician, "sdm-visit", "Wil je dit voor dinsdag invullen?")
    client = Visitor(_page(browser), demo).launch("client", "yara")
    for instrument, default in (("hoop", "3"), ("nel", "4"), ("mhcs", "5"), ("mansa", "6")):
        fill_in(client, instrument, {}, default=default)
        send_in(client)
    fill_in(client, "mansa-short", {}, default="")
    fill_in(client, "mansa-short", {"mansa-short-01": "2"})
    send_in(client)
    fill_in(
        client,
        "sdm-visit",
        {"sdm-visit-helps": "Zwemmen.", "sdm-visit-sleep": "2", "sdm-visit-medication-uses": "true"},
    )
    send_in(client)
    # Someone who skipped most of it: no score, with a reason.
    few = Visitor(_page(browser), demo).launch("client", "iwan")
    fill_in(few, "hoop", {"hoop-01": "2"})
    send_in(few)
    write_plan(client)
    write_plan(few)
    mark_and_note(client)
    talk_and_agree(clinician)
    clinician.go("overview/plan")
    if "Ik wil een plek voor mijzelf." not in clinician.page.locator("main").inner_html():
        raise AssertionError("the clinician's page does not show the client's words")


def _page(browser: Browser) -> Page:
    """Open a page that waits long: how fast a server on a busy machine answers is not judged here."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page


def left_behind(demo: Demo) -> list[Resource]:
    """Return every resource in the EHR, in the app's own store and in its log, of a demo that has ended."""
    app, sandbox = demo_app(demo.url, demo.data / "full.db", demo.data / "keys.json")
    core: Services = app.extensions[KEY]
    stores = (sandbox.store, core.own_store(sandbox.base))
    found = [one.resource for store in stores for kind in KINDS for one in store.search(Query.of(kind))]
    return [*found, *(audit_event(entry) for entry in core.audit.entries())]


if __name__ == "__main__":
    sys.exit(main())
