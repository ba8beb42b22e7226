"""The profiles of the plan's parts say what the table of parts says, and a new part is missed by name."""

from __future__ import annotations

import json

import pytest

from fhir_profiles.compile import PACKAGE
from fhir_profiles.plan_parts import FOLDER, committed, sources, stale, write
from questionnaires.plan_parts import read_plan_parts
from questionnaires.reading import DefinitionError
from tests.new_part import HARBOUR, parts_with

PARTS = read_plan_parts()
PLAN = json.loads((PACKAGE / "StructureDefinition-recovery-plan.json").read_bytes())
ELEMENTS = PLAN["differential"]["element"]
SLICES = {one["sliceName"]: one for one in ELEMENTS if one["path"] == "CarePlan.extension" and "sliceName" in one}


def test_the_committed_source_has_every_part():
    assert list(stale(committed())) == []


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.code)
def test_the_package_has_the_extension_of_every_part(part):
    path = PACKAGE / f"StructureDefinition-{part.extension.id}.json"
    assert path.is_file(), "run make generate"
    found = json.loads(path.read_bytes())
    assert (found["url"], found["name"]) == (part.extension.url, part.extension.name)
    assert (found["title"], found["description"]) == (part.extension.title, part.extension.description)
    assert found["differential"]["element"][0]["alias"] == [part.title.nl]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.code)
def test_the_plan_may_have_each_part_as_often_as_it_is_asked(part):
    found = SLICES[part.extension.slice]
    assert found["type"][0]["profile"] == [part.extension.url]
    assert (found["min"], found["max"]) == (0, "*" if part.many else "1")


def test_a_new_part_is_missed_by_name_then_written_and_removed_with_its_part(tmp_path):
    write(committed(), tmp_path)
    (tmp_path / "EXT_WordingStatus.fsh").write_bytes((FOLDER / "EXT_WordingStatus.fsh").read_bytes())
    more = sources(read_plan_parts(parts_with(tmp_path)))
    assert list(stale(more, tmp_path)) == [
        "fhir_profiles/input/fsh/DEF_PlanParts.fsh: is not what questionnaires/plan_parts.toml gives",
        "fhir_profiles/input/fsh/EXT_SafeHarbour.fsh: is missing, but questionnaires/plan_parts.toml has its part",
    ]
    write(more, tmp_path)
    assert list(stale(more, tmp_path)) == []
    assert "Id: safe-harbour" in (tmp_path / "EXT_SafeHarbour.fsh").read_text()
    assert "SafeHarbour named safeHarbour 0..1 MS" in (tmp_path / "DEF_PlanParts.fsh").read_text()
    assert [line.partition(":")[0] for line in stale(committed(), tmp_path)] == [
        "fhir_profiles/input/fsh/DEF_PlanParts.fsh",
        "fhir_profiles/input/fsh/EXT_SafeHarbour.fsh",
    ]
    write(committed(), tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*.fsh")) == sorted([*committed(), "EXT_WordingStatus.fsh"])


OTHERS = sorted(
    path.stem.partition("-")[2]
    for path in PACKAGE.glob("StructureDefinition-*.json")
    if path.stem.partition("-")[2] not in {part.extension.id for part in PARTS}
)


@pytest.mark.parametrize("taken", OTHERS)
def test_a_part_can_not_have_the_id_of_another_structure(taken, tmp_path):
    entry = HARBOUR.replace('id = "safe-harbour"', f'id = "{taken}"')
    place = rf"plan_parts\.toml: parts\[{len(PARTS) + 1}\]\.extension\.id"
    with pytest.raises(DefinitionError, match=f"{place}: is '{taken}', which another profile"):
        sources(read_plan_parts(parts_with(tmp_path, entry)))


def test_signs_that_mean_something_to_the_compiler_are_escaped(tmp_path):
    entry = HARBOUR.replace('nl = "Mijn haven"', "nl = 'Mijn (oude) \"haven\", en dan'", 1)
    made = sources(read_plan_parts(parts_with(tmp_path, entry)))["EXT_SafeHarbour.fsh"]
    assert r'insert Publish("Mijn (oude\) \"haven\"\, en dan")' in made
