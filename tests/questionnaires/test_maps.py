"""Maps as data: what a file may say, and what is refused with file and key; and which folder counts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec import structs

from questionnaires import maps
from questionnaires.canonical import questionnaire_url
from questionnaires.catalogue import DEFINITIONS, Catalogue, catalogue
from questionnaires.maps import by_form, gaps, read_map, read_maps
from questionnaires.reading import DefinitionError

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "questionnaires" / "README.md").read_text(encoding="utf-8").partition("## A map of your own")[2]
GOOD = SECTION.partition("```toml\n")[2].partition("```")[0]
FORM = "https://ehr.example.org/fhir/Questionnaire/hope|3"


def written(folder: Path, text: str = GOOD, *changes: tuple[str, str], name: str = "hope-of-the-house") -> Path:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def read_changed(folder: Path, *changes: tuple[str, str], text: str = GOOD):
    return read_map(written(folder, text, *changes), catalogue().versions)


def test_the_example_in_the_readme_can_be_read_and_leaves_nothing_open(tmp_path):
    found = read_changed(tmp_path)
    assert (found.id, found.instrument.canonical) == ("hope-of-the-house", f"{questionnaire_url('hoop')}|1.0.0")
    assert gaps(found) == []


def test_readme_names_every_key_of_a_map():
    section = SECTION.partition("\n## ")[0]
    named = set(re.findall(r"`\[*([a-z_]+)\]*`", section))
    tables = (maps.MapTable, maps.MapScale, maps.MapItem, maps.MapAnswer)
    keys = {field.name for table in tables for field in structs.fields(table)}
    assert keys <= named, keys - named
    rows = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
    first = {key for row in rows for key in re.findall(r"`\[*([a-z_]+)\]*`", row)}
    assert first <= keys, first - keys


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "hope-of-the-house"', 'id = "hope"', "id: is 'hope'; the file is called 'hope-of-the-house'"),
        ("left_out", "leave_out", "leave_out: is not a known key"),
        ('instrument = "hoop"', 'instrument = "hop"', "instrument: is 'hop'"),
        ('instrument = "hoop"', 'instrument = "story"', "instrument: is 'story', which nobody fills in as"),
        ('instrument = "hoop"', 'instrument = "decision"', "instrument: is 'decision', which nobody fills in as"),
        ('version = "1.0.0"', 'version = "2.0.0"', "version: is '2.0.0'; the known versions of hoop are 1.0.0"),
        (f'"{FORM}"', "", "questionnaires: is empty"),
        (f'"{FORM}"', f'"{FORM}", "{FORM}"', "questionnaires: has 'https://ehr.example.org/fhir/Questionnaire/hope|3'"),
        (f'"{FORM}"', f'"{questionnaire_url("mhcs")}"', "which is ours; responses to it are read without a map"),
        ('ours = "hoop-02"', 'ours = "hoop-2"', "items[2].ours: is 'hoop-2'; hoop has hoop-01, hoop-02"),
        ('ours = "hoop-02"', 'ours = "hoop-01"', "items[2].ours: is 'hoop-01', which an earlier item has already"),
        ('link_id = "v2", ', "", "items[2].link_id: is missing"),
        ('link_id = "v2"', 'link_id = "v3"', "items: has 'v3' more than once"),
        ('link_id = "v2"', 'text = "Een  vraag"', None),
        (
            'link_id = "v2", scale = "eens"',
            'link_id = "v2"',
            "items[2].scale: is missing; say what the answers to hoop",
        ),
        ('link_id = "v2", scale = "eens"', 'link_id = "v2", scale = "een"', "items[2].scale: is 'een'; [[scales]] has"),
        ('left_out = ["department"]', 'left_out = ["v4"]', "left_out: has 'v4', which is one of the items"),
        (
            'ours = "4", codes',
            'ours = "5", codes',
            "items[1].scale: gives '5', which is no answer to hoop-01; it has 1",
        ),
        ('ours = "4", codes', "ours = true, codes", "items[1].scale: gives True, which is no answer to hoop-01"),
        ('ours = "4", codes', 'ours = "3", codes', "scales[1].answers: has \"ours = '3'\" more than once"),
        ('codes = ["B"]', 'codes = ["A"]', "scales[1].answers: has 'A' more than once"),
        ('codes = ["B"]', 'codes = ["weet-niet"]', "scales[1].answers: has 'weet-niet' more than once"),
        ('texts = ["Mee eens"]', 'texts = ["NIET  mee eens"]', "scales[1].answers: has 'niet mee eens' more than once"),
        ("numbers = [1]", "numbers = [0.0]", "scales[1].answers: has '0' more than once"),
        ("numbers = [1]", "numbers = [nan]", "scales[1].answers[2].numbers: has nan; no answer is that"),
        ("numbers = [1]", "numbers = [true]", "scales[1].answers[2].numbers[1]: is True"),
        (
            '{ ours = "1", codes = ["A"], texts = ["Helemaal niet mee eens"], numbers = [0] }',
            '{ ours = "1" }',
            "scales[1].answers[1]: names nothing of theirs",
        ),
    ],
)
def test_what_cannot_be_names_file_and_key(tmp_path, old, new, said):
    if said is None:
        read_changed(tmp_path, (old, new))
        return
    with pytest.raises(DefinitionError) as refused:
        read_changed(tmp_path, (old, new))
    assert str(refused.value).startswith("hope-of-the-house.toml: ")
    assert said in str(refused.value)


def test_a_scale_that_no_item_uses_and_one_that_is_there_twice_are_refused(tmp_path):
    more = GOOD + '\n[[scales]]\nname = "NAME"\nanswers = [{ ours = "1", numbers = [1] }]\n'
    with pytest.raises(DefinitionError, match=r"scales\[2\]\.name: is 'other', which no item uses"):
        read_changed(tmp_path, ('"NAME"', '"other"'), text=more)
    with pytest.raises(DefinitionError, match=r"scales\[2\]\.name: is 'eens', which an earlier scale has already"):
        read_changed(tmp_path, ('"NAME"', '"eens"'), text=more)


def test_words_have_no_scale(tmp_path):
    text = f"""
id = "hope-of-the-house"
about = "Us"
instrument = "mansa-short"
version = "1.0.0"
questionnaires = ["{FORM}"]
items = [{{ ours = "mansa-short-social-change", link_id = "change" }}]
"""
    assert read_changed(tmp_path, text=text).instrument.id == "mansa-short"
    with pytest.raises(DefinitionError, match=r"items\[1\]\.scale: is for answers that are chosen"):
        read_changed(tmp_path, ('link_id = "change"', 'link_id = "change", scale = "eens"'), text=text)


def test_gaps_name_items_scores_and_answers(tmp_path):
    # Without hoop-12 no total can come; and nothing gives 4.
    short = re.sub(r'  \{ ours = "hoop-12".*\n', "", GOOD)
    short = re.sub(r'  \{ ours = "4".*\n', "", short)
    said = gaps(read_changed(tmp_path, text=short))
    assert said[:2] == ["not mapped: hoop-12", "never a score: hoop-total (needs 12 of its 12 items)"]
    assert "nothing leads to: hoop-01 4" in said


def test_two_maps_of_one_form_are_refused(tmp_path):
    written(tmp_path)
    other = written(tmp_path, GOOD, ('id = "hope-of-the-house"', 'id = "other"'), name="other")
    with pytest.raises(
        DefinitionError, match=r"other\.toml: questionnaires: has 'https://ehr.*which hope-of-the-house"
    ):
        read_maps(tmp_path, catalogue().versions)
    written(tmp_path, other.read_text(encoding="utf-8"), ("hope|3", "hope|4"), name="other")
    assert len(read_maps(tmp_path, catalogue().versions)) == 2


def test_the_folder_of_the_place_counts(tmp_path, monkeypatch):
    monkeypatch.delenv("VERSTEL_MAPS", raising=False)
    assert catalogue().maps == {}
    written(tmp_path)
    monkeypatch.setenv("VERSTEL_MAPS", str(tmp_path))
    assert list(catalogue().maps) == [FORM]
    monkeypatch.setenv("VERSTEL_MAPS", str(tmp_path / "none"))
    with pytest.raises(DefinitionError, match=r"none: is not a folder; VERSTEL_MAPS must name one that exists"):
        _ = catalogue().maps


def test_a_map_keeps_to_its_version_of_the_instrument(tmp_path):
    """Official wording may give a linkId another question: what was compared with the old one leads to the old one."""
    applied, folder = tmp_path / "applied", tmp_path / "maps"
    applied.mkdir()
    folder.mkdir()
    text = (DEFINITIONS / "hoop.toml").read_text(encoding="utf-8").replace('version = "1.0.0"', 'version = "2.0.0"', 1)
    (applied / "hoop@2.0.0.toml").write_text(text, encoding="utf-8")
    written(folder)
    known = Catalogue(applied, maps=folder)
    assert known.instrument("hoop").version == "2.0.0"
    assert by_form(known.maps.values())[FORM].instrument.version == "1.0.0"
