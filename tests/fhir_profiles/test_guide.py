"""The guide: every artefact has a page that can be reached, every link leads somewhere, every difference is told."""

from __future__ import annotations

import copy
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fhir_profiles import tgz
from fhir_profiles.guide.__main__ import main
from fhir_profiles.guide.pages import html_of, pages, paragraphs
from fhir_profiles.guide.versions import Change, changes, digest, keep, kept

FILES = tgz.files()
GUIDE = pages(FILES, kept())
PAGES = {path: content.decode() for path, content in GUIDE.items() if path.endswith(".html")}
DEFINITIONS = {
    name: json.loads(content)
    for name, content in FILES.items()
    if name.endswith(".json") and name not in {"package.json", ".index.json"}
}
NOT_CLOSED = frozenset({"meta", "link", "br", "input", "img", "hr"})


class Read(HTMLParser):
    """What a page has: its links, ids and headings; an element that is not closed in turn is a fault."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.names: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.faults: list[str] = []
        self.feed(page)
        self.close()
        self.faults += self._open

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.names.append(tag)
        self.attributes.append((tag, given))
        self.links += [value for name, value in attrs if name in {"href", "src"} and value]
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in NOT_CLOSED:
            self._open.append(tag)

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}>")


READ = {path: Read(page) for path, page in PAGES.items()}


def test_every_artefact_and_example_has_a_page_and_its_file():
    assert len(DEFINITIONS) > 150
    for one in DEFINITIONS.values():
        name = f"{one['resourceType']}-{one['id']}"
        assert f"{name}.html" in PAGES
        assert json.loads(GUIDE[f"{name}.json"]) == one


def test_every_page_is_reached_from_the_first():
    reached, todo = set(), ["index.html"]
    while todo:
        path = todo.pop()
        if path not in reached:
            reached.add(path)
            todo += [link.partition("#")[0] for link in READ[path].links if link.partition("#")[0] in PAGES]
    assert reached == PAGES.keys()


@pytest.mark.parametrize("path", sorted(PAGES))
def test_a_page_is_whole_and_its_links_lead_somewhere(path):
    page = READ[path]
    assert page.faults == []
    assert len(page.ids) == len(set(page.ids))
    assert page.names.count("h1") == page.names.count("title") == page.names.count("main") == 1
    assert "script" not in page.names
    assert ("html", {"lang": "en"}) in page.attributes
    assert all(given.get("scope") for tag, given in page.attributes if tag == "th")
    for link in page.links:
        file, _, fragment = link.partition("#")
        assert (file or path) in GUIDE, link
        assert not fragment or fragment in READ[file or path].ids, link


def test_the_same_package_gives_the_same_bytes():
    assert pages(FILES, kept()) == GUIDE


def test_a_profile_shows_its_elements_rules_mapping_and_examples():
    goal = PAGES["StructureDefinition-recovery-goal.html"]
    for words in (
        "extension:saidIn",
        "verstel-reference-display",
        "Hersteldoel",
        "nl-core-TreatmentObjective",
        "Goal-example-goal",
    ):
        assert words in goal
    assert PAGES["Questionnaire-hoop.html"].count("hoop-structure") >= 2  # among its variants, as a link with its name
    assert "verstel_scores" in PAGES["ViewDefinition-scores.html"]


def test_words_of_the_package_are_text_and_never_markup():
    spoilt = json.loads(FILES["StructureDefinition-recovery-goal.json"])
    spoilt["description"] = "Words <script>alert(1)</script> & `<b>` more"
    files = {**FILES, "StructureDefinition-recovery-goal.json": json.dumps(spoilt).encode()}
    page = pages(files, {})["StructureDefinition-recovery-goal.html"].decode()
    assert "<script" not in page
    assert "Words &lt;script&gt;alert(1)&lt;/script&gt; &amp; <code>&lt;b&gt;</code> more" in page


def test_paragraphs_lists_and_code():
    assert paragraphs("One\ntwo.\n\n- a\n- `b`") == "<p>One two.</p>\n<ul><li>a</li><li><code>b</code></li></ul>"
    assert html_of("a ` b") == "a ` b"


# --- differences ------------------------------------------------------------------------------------------------------


def test_nothing_differs_from_itself():
    assert changes(digest(DEFINITIONS), digest(DEFINITIONS)) == []


def test_what_others_rely_on_is_a_change_and_words_are_none():
    before, after = digest(DEFINITIONS), copy.deepcopy(DEFINITIONS)
    goal = after["StructureDefinition-recovery-goal.json"]
    goal["description"] = "Other words."
    [found] = [one for one in goal["snapshot"]["element"] if one["id"] == "Goal.identifier"]
    found["min"] = 0
    after["CodeSystem-care-team-role.json"]["concept"].append({"code": "neighbour", "display": "Neighbour"})
    del after["other/ViewDefinition-plans.json"]
    del after["example/Goal-example-goal.json"]
    assert changes(before, digest(after)) == [
        Change("CodeSystem/care-team-role", "code neighbour", "", "Neighbour"),
        Change(
            "StructureDefinition/recovery-goal", "element Goal.identifier", "1..* Identifier S", "0..* Identifier S"
        ),
        Change("ViewDefinition/plans", "", "there", ""),
    ]


def test_a_version_that_was_kept_is_told_apart_from_what_is_here(tmp_path):
    old = {name: one for name, one in DEFINITIONS.items() if name != "StructureDefinition-recovery-goal.json"}
    keep("2027-01-01", "0.2.0", digest(old), tmp_path)
    keep("2026-01-01", "0.1.9", digest(DEFINITIONS), tmp_path)
    assert list(kept(tmp_path)) == ["0.2.0", "0.1.9"]
    page = pages(FILES, kept(tmp_path))["versions.html"].decode()
    first, second = page.split("New and gone since 0.1.9</h2>")
    assert "StructureDefinition/recovery-goal" in first
    assert "StructureDefinition/recovery-goal" not in second


def test_every_version_that_was_kept_can_be_told_apart():
    assert kept()
    assert all(f"since {name}" in PAGES["versions.html"] for name in kept())


def test_without_a_version_before_it_says_so():
    assert "No version was handed out before this one." in pages(FILES, {})["versions.html"].decode()


def test_it_is_written_into_a_folder(tmp_path: Path, capsys):
    assert main([str(tmp_path / "guide")]) == 0
    assert {path.name for path in (tmp_path / "guide").iterdir()} == GUIDE.keys()
    assert main([]) == 2
    assert main(["record", "2027-13-01", "0.2.0"]) == 2
