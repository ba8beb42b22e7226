"""The phases are read strictly, speak in the first person, and are published as terminology without an order."""

from __future__ import annotations

import re

import pytest

from questionnaires.phases import PHASES, phases
from questionnaires.publish import published
from questionnaires.reading import DefinitionError

KNOWN = phases()
TEXTS = [text for one in KNOWN.phases for text in (one.title, one.description)]


def test_there_are_the_four_of_the_handbook():
    """Handreiking herstelondersteunende zorg (2012), sources/004, lines 514-518."""
    assert KNOWN.codes == ("overwhelmed", "struggling", "living-with", "living-beyond")
    assert {(one.source, one.certainty) for one in KNOWN.phases} == {("handbook", "sure")}
    assert KNOWN.phase("recovered") is None


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.en)
def test_a_phase_speaks_in_the_first_person_and_of_no_illness(text):
    assert not re.search(r"\b(je|jij|u|uw|cliënt|patiënt)\b", text.nl, re.IGNORECASE)
    assert text.u is None
    assert not re.search(r"ziek|aandoening|stoornis|symptoom|klacht", text.nl, re.IGNORECASE)
    assert all(len(sentence.split()) < 15 for sentence in re.split(r"(?<=[.?])\s+", text.nl))


def test_what_is_published_has_the_words_that_explain_it_and_no_number():
    files = published()
    system, values = files["CodeSystem-recovery-phase.json"], files["ValueSet-recovery-phase.json"]
    assert [one["code"] for one in system["concept"]] == list(KNOWN.codes)
    assert system["concept"][0]["definition"] == KNOWN.phases[0].description.nl
    assert "property" not in system  # such as an order or a weight
    assert "hierarchyMeaning" not in system
    assert "niet gelezen" in system["description"]
    assert values["compose"]["include"] == [{"system": system["url"]}]
    assert values["version"] == system["version"]


WHOLE = PHASES.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('code = "struggling"', 'code = "overwhelmed"', r"phases\[2\].code: is 'overwhelmed', which an earlier phase"),
        ('source = "handbook"', 'source = "book"', r"phases\[1\].source: is 'book'; \[sources\] has handbook"),
        ('source = "handbook"\n', "", r"phases\[1\].source: is ''; \[sources\] has handbook"),
        ('certainty = "sure"', 'certainty = "own"', r"phases\[1\].source: is 'handbook', but the phase is 'own'"),
        ('certainty = "sure"', 'certainty = "certain"', r"phases\[1\].certainty"),
        ('code = "struggling"', 'code = "struggling"\nnumber = 2', r"phases\[2\].number"),
        ('code = "struggling"\n', "", r"phases\[2\].code"),
    ],
)
def test_a_slip_is_named_with_its_place(tmp_path, old, new, says):
    path = tmp_path / "phases.toml"
    assert old in WHOLE
    path.write_text(WHOLE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DefinitionError, match=f"^phases.toml: {says}"):
        phases(path)


def test_a_file_without_phases_is_refused(tmp_path):
    path = tmp_path / "phases.toml"
    path.write_text(WHOLE.partition("[[phases]]")[0].replace("[sources]", "phases = []\n\n[sources]"), encoding="utf-8")
    with pytest.raises(DefinitionError, match="is empty; there is at least one to choose"):
        phases(path)
