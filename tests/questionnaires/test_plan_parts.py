"""The parts of the plan are read strictly, and speak to people in both ways that Dutch has."""

from __future__ import annotations

import re

import pytest

from questionnaires.model import FORMAL, Text
from questionnaires.plan_parts import PLAN_PARTS, TAKEN, read_plan_parts
from questionnaires.reading import DefinitionError
from tests.new_part import HARBOUR, parts_with

ROOT = PLAN_PARTS.parents[1]
PARTS = read_plan_parts()
JE = re.compile(r"\b(je|jij|jou|jouw|jezelf)\b", re.IGNORECASE)


def texts(part) -> dict[str, Text]:
    return {f"{part.code}.{name}": getattr(part, name) for name in ("help", "invitation", "write", "change", "saved")}


TEXTS = {name: text for part in PARTS for name, text in texts(part).items()}


def test_the_parts_are_in_the_order_in_which_they_are_shown():
    first = [(part.code, part.many) for part in PARTS][:3]
    assert first == [("story", False), ("strengths", True), ("stressors", True)]


def test_a_part_is_known_to_fhir_by_its_extension():
    extension = PARTS[0].extension
    assert extension.url == "https://verstel.nl/fhir/StructureDefinition/life-story"
    assert (extension.name, extension.slice) == ("LifeStory", "lifeStory")


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_says_je_has_one_that_says_u(name):
    text = TEXTS[name]
    assert bool(JE.search(text.nl)) == (text.u is not None)
    assert not JE.search(text.u or "")


def test_dutch_that_says_u_is_asked_for_by_its_own_tag():
    text = Text(nl="Je verhaal", u="Uw verhaal", en="Your story")
    assert [text.get(tag) for tag in ("nl", "nl-NL", "en-GB", FORMAL)] == [
        "Je verhaal",
        "Je verhaal",
        "Your story",
        "Uw verhaal",
    ]
    assert Text(nl="Bewaard", en="Saved").get(FORMAL) == "Bewaard"
    assert PARTS[0].title.get(FORMAL) == "Mijn verhaal"


def test_another_part_is_read_after_ours(tmp_path):
    parts = read_plan_parts(parts_with(tmp_path))
    assert parts[:-1] == PARTS
    assert parts[-1].extension.name == "SafeHarbour"


def test_the_worked_example_in_contributing_is_an_entry(tmp_path):
    """A copy of it is read as a part; the files and names that it mentions exist."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("### A new part of the plan\n")[2].partition("\n### ")[0]
    entry = section.partition("```toml\n")[2].partition("```")[0]
    part = read_plan_parts(parts_with(tmp_path, f"\n{entry}"))[-1]
    assert part.code in section.replace(entry, "")
    assert f"EXT_{part.extension.name}.fsh" in section
    for path in re.findall(r"`((?:docs|fhir_profiles|mappers|questionnaires|smartapp|tests)/[^`*]+?)`", section):
        assert (ROOT / path).exists() or part.extension.name in path


SAVED = next(line for line in HARBOUR.splitlines() if line.startswith("saved"))


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ('code = "harbour"', 'code = "story"', r".code: is 'story', which an earlier part has already"),
        ('id = "safe-harbour"', 'id = "strength"', r".extension.id: is 'strength', which an earlier part has already"),
        ('code = "harbour"', 'code = "My harbour"', r".code: is 'My harbour'; use small letters"),
        ("rows = 10", "rows = 0", r".rows: is 0; it must be from 1 to 40$"),
        ("rows = 10", "rows = 41", r".rows: is 41; it must be from 1 to 40$"),
        ("rows = 10", 'rows = "10"', r".rows: is '10'; it must be from 1 to 40$"),
        ("rows = 10", "row = 10", r".row: is not a known key; the keys here are .*rows"),
        ("rows = 10", 'shown_in = ["front"]', r".shown_in\[1\]: is 'front'; it must be one of .*overview"),
        (SAVED, "", r".saved: is missing"),
        *(('code = "harbour"', f'code = "{name}"', r".code: .* choose another") for name in sorted(TAKEN)),
    ],
)
def test_what_can_not_be_is_refused_with_file_and_key(tmp_path, written, instead, said):
    assert written in HARBOUR
    with pytest.raises(DefinitionError, match=rf"plan_parts.toml: parts\[{len(PARTS) + 1}\]{said}"):
        read_plan_parts(parts_with(tmp_path, HARBOUR.replace(written, instead)))
