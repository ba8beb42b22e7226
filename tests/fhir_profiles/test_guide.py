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


@pytest.fixture(scope="module")
def guide() -> dict[str, bytes]:
    return pages(FILES, kept())


@pytest.fixture(scope="module")
def texts(guide: dict[str, bytes]) -> dict[str, str]:
    """Its pages as text."""
    return {path: content.decode() for path, content in guide.items() if path.endswith(".html")}


@pytest.fixture(scope="module")
def read(texts: dict[str, str]) -> dict[str, Read]:
    """What each page has."""
    return {path: Read(page) for path, page in texts.items()}


def test_every_artefact_and_example_has_a_page_and_its_file(guide, texts):
    assert len(DEFINITIONS) > 150
    for one in DEFINITIONS.values():
        name = f"{one['resourceType']}-{one['id']}"
        assert f"{name}.html" in texts
        assert json.loads(guide[f"{name}.json"]) == one


def test_every_page_is_reached_from_the_first(texts, read):
    reached, todo = set(), ["index.html"]
    while todo:
        path = todo.pop()
        if path not in reached:
            reached.add(path)
            todo += [link.partition("#")[0] for link in read[path].links if link.partition("#")[0] in texts]
    assert reached == texts.keys()


def faults_of(path: str, guide: dict[str, bytes], read: dict[str, Read]) -> list[str]:
    """Return what is wrong with a page: elements, ids and headings, and each link that leads nowhere."""
    page = read[path]
    faults = [*page.faults]
    if len(page.ids) != len(set(page.ids)):
        faults.append("an id twice")
    faults += [f"{name}: {page.names.count(name)}" for name in ("h1", "title", "main") if page.names.count(name) != 1]
    if "script" in page.names:
        faults.append("a script")
    if ("html", {"lang": "en"}) not in page.attributes:
        faults.append("no language")
    faults += ["a th without scope" for tag, given in page.attributes if tag == "th" and not given.get("scope")]
    for link in page.links:
        file, _, fragment = link.partition("#")
        if (file or path) not in guide or (fragment and fragment not in read[file or path].ids):
            faults.append(f"a link to {link}")
    return faults


def test_each_page_is_whole_and_its_links_lead_somewhere(guide, read):
    assert {path: found for path in read if (found := faults_of(path, guide, read))} == {}


def test_a_page_that_is_not_whole_is_noticed():
    bad = '<html><main><h1 id="a">A</h1><p id="a"><a href="b.html">b</a><a href="#c">c</a><script></script><th></main>'
    found = faults_of("bad.html", {"bad.html": b""}, {"bad.html": Read(bad)})
    assert {
        "an id twice",
        "title: 0",
        "a script",
        "no language",
        "a th without scope",
        "a link to b.html",
        "a link to #c",
    } <= {*found}


def test_the_same_package_gives_the_same_bytes(guide):
    assert pages(FILES, kept()) == guide


def test_a_profile_shows_its_elements_rules_mapping_and_examples(texts):
    goal = texts["StructureDefinition-recovery-goal.html"]
    for words in (
        "extension:saidIn",
        "verstel-reference-display",
        "Hersteldoel",
        "nl-core-TreatmentObjective",
        "Goal-example-goal",
    ):
        assert words in goal
    assert texts["Questionnaire-hoop.html"].count("hoop-structure") >= 2  # among its variants, as a link with its name
    assert "verstel_scores" in texts["ViewDefinition-scores.html"]


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


def test_every_version_that_was_kept_can_be_told_apart(texts):
    assert kept()
    assert all(f"since {name}" in texts["versions.html"] for name in kept())


def test_without_a_version_before_it_says_so():
    assert "No version was handed out before this one." in pages(FILES, {})["versions.html"].decode()


def test_it_is_written_into_a_folder(guide, tmp_path: Path, capsys):
    assert main([str(tmp_path / "guide")]) == 0
    assert {path.name for path in (tmp_path / "guide").iterdir()} == guide.keys()
    assert main([]) == 2
    assert main(["record", "2027-13-01", "0.2.0"]) == 2
