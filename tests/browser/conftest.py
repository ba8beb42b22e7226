"""A demo by the real command and the machine's own Chromium; without a Chromium these tests say so and do not run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from scripts.tour import CHROMIUM, Demo, Visitor, chromium, close


def pytest_runtest_setup() -> None:
    """Skip each test of this folder, with the reason, where there is no browser to run it in."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: the browser tests did not run")


IN_EACH_RUN: Final = {"test_journeys.py", "test_pages.py"}
"""What `make test` plays of this folder: whole journeys, and what must fit a phone or screen. The rest is thorough."""


@pytest.hookimpl(tryfirst=True)  # before those that are left out are left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes longest, as a browser does, so that `make conformance` plays it and `make test` does not."""
    for item in items:
        if item.path.parent == Path(__file__).parent and item.path.name not in IN_EACH_RUN:
            item.add_marker(pytest.mark.thorough)


PHONE: Final = {"width": 320, "height": 700}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=60_000)  # ms; only a failure takes this long
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo.start(tmp_path_factory.mktemp("demo"))
    yield running
    running.stop()


@pytest.fixture
def visitor(browser: Browser, demo: Demo) -> Iterator[Visitor]:
    """Someone with a phone of 320 px."""
    context = browser.new_context(viewport=PHONE, locale="nl-NL")
    yield Visitor(context.new_page(), demo)
    close(context)


@pytest.fixture(params=[True, False], ids=["scripts", "plain"])
def context(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    """A phone of 320 px, with scripts and without."""
    made = browser.new_context(viewport=PHONE, locale="nl-NL", java_script_enabled=request.param)
    yield made
    close(made)
