"""A page of the guide of each kind, in a browser: readable by axe's rules, light and dark, and on a small telephone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from fhir_profiles import tgz
from fhir_profiles.guide.pages import pages
from fhir_profiles.guide.versions import kept
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser

KINDS = (
    "index",
    "mappings",
    "versions",
    "StructureDefinition-recovery-plan",
    "CodeSystem-life-domain",
    "ValueSet-care-team-role",
    "Questionnaire-nel",
    "Questionnaire-nel-structure",
    "PlanDefinition-three-moments",
    "CapabilityStatement-app-requirements",
    "ViewDefinition-answers",
    "Goal-example-goal",
)


@pytest.fixture(scope="module")
def guide(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("guide")
    for path, content in pages(tgz.files(), kept()).items():
        (folder / path).write_bytes(content)
    return folder


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", KINDS)
def test_a_page_of_the_guide_can_be_read_by_everybody(guide, browser: Browser, name, scheme):
    context = browser.new_context(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    page = context.new_page()
    page.goto((guide / f"{name}.html").as_uri())
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    context.close()
