"""The three form engines, each behind the same question: what do your score items hold after these answers?"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, Route, sync_playwright

from scripts.tour import CHROMIUM_OPTIONS
from tests.conformance.renderers import tools
from tests.conformance.renderers.cases import Case, Form

# (form, cases, extract) → results in the order of the cases, and the seconds that the engine took
Answer = Callable[[Form, Sequence[Case], bool], tuple[list[dict[str, Any]], float]]

_PAGE: Final = """<!doctype html><html lang="nl"><head><meta charset="utf-8"><title>LHC-Forms</title></head><body>
<div id="form"></div>
<script src="zone.min.js"></script><script src="lhc-forms.js"></script><script src="lformsFHIR.min.js"></script>
<script src="driver.js"></script></body></html>"""


@dataclass(frozen=True, slots=True)
class Engine:
    """A form engine: its name, the npm package whose version counts, and how to open it."""

    name: str
    package: str
    open: Callable[[], Any]
    extracts: str = ""


@contextmanager
def _node(script: str) -> Iterator[Answer]:
    tools.install_modules()
    path = tools.driver(script)

    def answer(form: Form, cases: Sequence[Case], extract: bool) -> tuple[list[dict[str, Any]], float]:
        with tempfile.TemporaryDirectory() as folder:
            job, result = Path(folder, "job.json"), Path(folder, "result.json")
            asked = {"questionnaire": form.questionnaire, "extract": extract, "cases": [case.job() for case in cases]}
            job.write_text(json.dumps(asked))
            tools.run_driver(path, job, result)
            made = json.loads(result.read_text())
        return made["results"], made["seconds"]

    yield answer


@dataclass(frozen=True, slots=True)
class LhcForms:
    """LHC-Forms in a page of its own; answers cases on a form that it renders once per call."""

    page: Page
    file: Path

    def __call__(self, form: Form, cases: Sequence[Case], extract: bool) -> tuple[list[dict[str, Any]], float]:
        """Answer the cases, see `Answer`."""
        started = time.perf_counter()
        self.render(form)
        asked = {"cases": [case.job() for case in cases], "extract": extract}
        return self.page.evaluate("job => answered(job)", asked), time.perf_counter() - started

    def render(self, form: Form) -> None:
        """Show a form on a fresh page."""
        self.page.goto(self.file.as_uri())
        self.page.evaluate("questionnaire => rendered(questionnaire)", form.questionnaire)

    def reopen(self, form: Form, response: dict[str, Any]) -> None:
        """Show a form with a saved response in it, on a fresh page."""
        self.render(form)
        self.page.evaluate("job => reopened(job)", {"questionnaire": form.questionnaire, "response": response})


@contextmanager
def _lhc_forms() -> Iterator[LhcForms]:
    """Open LHC-Forms in a headless Chromium, off every network."""
    browser_path = tools.chromium()
    tools.install_lhc_forms()
    file = tools.LHC_FORMS / "page.html"
    file.write_text(_PAGE)
    (tools.LHC_FORMS / "driver.js").write_bytes((tools.DRIVERS / "lhc-forms.js").read_bytes())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=CHROMIUM_OPTIONS)
        try:
            page = browser.new_page()
            page.set_default_timeout(120_000)
            page.route("**/*", _only_files)
            yield LhcForms(page, file)
        finally:
            browser.close()


def _only_files(route: Route) -> None:
    """Keep the page off every network: a form that needs one must fail here."""
    if route.request.url.startswith("file:"):
        route.continue_()
    else:
        route.abort()


LHC_FORMS: Final = Engine("LHC-Forms", "lforms", _lhc_forms, extracts="observationExtract")
SMART_FORMS: Final = Engine(
    "Smart Forms", "@aehrc/smart-forms-renderer", lambda: _node("smart-forms"), extracts="templateExtract"
)
MEDPLUM: Final = Engine("Medplum", "@medplum/react-hooks", lambda: _node("medplum"))
ENGINES: Final = (LHC_FORMS, SMART_FORMS, MEDPLUM)
