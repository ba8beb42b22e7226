"""The sandbox's data files, and what the own store searches by: a misspelt key is refused with file and key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fhir.resources.R4B import get_fhir_model_class

from questionnaires.reading import DefinitionError
from smartapp.fhir.own import search
from smartapp.sandbox import checking, kinds, person_files, seeding

SANDBOX = Path(kinds.__file__).parent


def _people(file: Path):
    return person_files.read_people(file.parent)


READERS = {
    "search_parameters.toml": (Path(search.__file__).parent, search.read_definitions),
    "capabilities.toml": (SANDBOX, kinds.read_kinds),
    "practitioners.toml": (SANDBOX, person_files.read_practitioners),
    "noor.toml": (seeding.PEOPLE, _people),
    "codes.toml": (SANDBOX, checking.read_codes),
}
UNKNOWN = "is not a known key"
SPOILT = [
    ("search_parameters.toml", "\nshared = true", "\nsharde = true", f"Practitioner.sharde: {UNKNOWN}"),
    ("search_parameters.toml", "\npublic = true", "\npublik = true", f".publik: {UNKNOWN}"),
    (
        "search_parameters.toml",
        "\nshared = true",
        '\nshared = "true"',
        "Practitioner.shared: is 'true'",
    ),
    ("search_parameters.toml", "compartment =", "compartement =", f"Patient.compartement: {UNKNOWN}"),
    (
        "search_parameters.toml",
        '"token", path = "identifier"',
        '"tokn", path = "identifier"',
        "kind: is 'tokn'; it must",
    ),
    ("search_parameters.toml", 'target = "Patient"', 'targett = "Patient"', f"patient.targett: {UNKNOWN}"),
    ("capabilities.toml", "everything = true", "everyting = true", f"full.everyting: {UNKNOWN}"),
    ("capabilities.toml", "only_users =", "only_user =", f"oracle-like.rules[1].only_user: {UNKNOWN}"),
    (
        "capabilities.toml",
        '["Practitioner", "system"]',
        '["Nurse"]',
        "rules[1].only_users[1]: is 'Nurse'",
    ),
    ("capabilities.toml", 'Goal = "rs"', 'Gaol = "rs"', "epic-like.types.Gaol: is an unknown type"),
    ("capabilities.toml", 'Task = "rus"', 'Task = "rux"', "epic-like.types.Task: is an unknown type, or 'rux' has"),
    ("capabilities.toml", 'type = "Observation"', 'type = "Media"', "epic-like.rules[2].type: is 'Media', which this"),
    ("capabilities.toml", 'Encounter = "rs"', "Encounter = 1", "_common.Encounter: is 1; it must be a text"),
    ("practitioners.toml", "occupation =", "ocupation =", f"practitioner[1].ocupation: {UNKNOWN}"),
    ("noor.toml", "message =", "mesage =", f"assignment[1].mesage: {UNKNOWN}"),
    ("noor.toml", 'who = "ik"', 'wie = "ik"', f"plan.goal[1].step[2].wie: {UNKNOWN}"),
    ("noor.toml", 'status = "doing"', 'status = "busy"', "plan.goal[1].step[3].status: is 'busy'; it must be one of"),
    ("noor.toml", 'progress = "improving"\n', "", "plan.goal[1].progress: goes with progress_days_ago"),
    ("noor.toml", 'name = "Esra"', 'nmae = "Esra"', f"circle[5].nmae: {UNKNOWN}"),
    ("noor.toml", 'who = "mila"', 'who = "milla"', "circle[1].who: is 'milla', who is not in the team"),
    ("noor.toml", 'name = "Esra"', 'name = "Esra"\nwho = "mila"', "circle[5].name: and who: one of the people has one"),
    (
        "noor.toml",
        'name = "Esra"',
        'name = "Esra"\nreads = ["form.story"]',
        "circle[5].reads: is of somebody",
    ),
    ("noor.toml", 'programme = "npi', 'program = "npi', f"course[2].program: {UNKNOWN}"),
    ("noor.toml", '"npi-recovery"', '"nip-recovery"', "course[2].programme: is 'nip-recovery'; ours are npi-recovery"),
    (
        "noor.toml",
        'days_ago = 914\nby = "joost-terpstra"',
        'days_ago = 914\nby = "ruben-kartosen"',
        "course[1].by: is 'ruben-kartosen', who is not in the team",
    ),
    *(
        ("noor.toml", "days_ago = 173\n", f"days_ago = 173\ndecision = [{{ {decision} }}]\n", f"decision[1].{message}")
        for decision, message in (
            ('kind = "moved", days_ago = 1', "kind: is 'moved'; it must be one of"),
            ('kind = "paused", days_ago = 174', "days_ago: is 174"),
            ('kind = "declined", days_ago = 1', "moment: goes with declined"),
            ('kind = "paused", days_ago = 1, moment = "plan"', "moment: goes with declined"),
            ('kind = "paused", days_ago = 1, by = "ruben-kartosen"', "by: is 'ruben-kartosen', who is not in the team"),
        )
    ),
    ("capabilities.toml", '["vital-signs"]', "[]", "rules[2].only_categories: is []; write a list of at least one"),
    ("capabilities.toml", '["Practitioner", "system"]', "[]", "rules[1].only_users: is []; write a list of at least"),
    *(
        ("noor.toml", "\ndays_ago = ", f"\ndays_ago = {days} # ", f"days_ago: is {days}; it must be a number of days")
        for days in ("-1", "inf", "nan", "40001")
    ),
    ("noor.toml", "\ndue_in_days = ", "\ndue_in_days = inf # ", "due_in_days: is inf; it must be a number of days"),
    ("codes.toml", "[Goal]", "[Gaol]", "Gaol: is not kept here"),
    ("codes.toml", 'gender = ["male"', 'gender = [1, "male"', "Patient.gender[1]: is 1; it must be a text"),
]


@pytest.mark.parametrize(("name", "old", "new", "message"), SPOILT, ids=[f"{one[0]}-{one[2]}" for one in SPOILT])
def test_a_misspelt_key_or_value_is_refused_with_file_and_key(name, old, new, message, tmp_path):
    folder, read = READERS[name]
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DefinitionError, match=rf"^{re.escape(name)}: .*{re.escape(message)}"):
        read(tmp_path / name)


@pytest.mark.parametrize("name", ["search_parameters.toml", "capabilities.toml"])
@pytest.mark.parametrize("text", ["", "[_common]\n"])
def test_a_file_without_an_entry_is_refused(name, text, tmp_path):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match=rf"^{re.escape(name)}: has no .*; write at least one"):
        READERS[name][1](tmp_path / name)


@pytest.mark.parametrize("name", READERS)
def test_the_file_itself_is_read(name, tmp_path):
    folder, read = READERS[name]
    (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert read(tmp_path / name)


def test_whose_record_a_resource_is_in_is_said_of_every_type():
    """A type is in a person's record, or may be read by everyone; none is neither by an oversight."""
    neither = {type_ for type_, known in search.definitions().items() if not known.compartment and not known.shared}
    assert neither == set()


def test_the_codes_are_of_elements_that_exist():
    codes = checking.read_codes(SANDBOX / "codes.toml")
    unknown = [
        f"{type_}.{element}"
        for type_, elements in codes.items()
        for element in elements
        if element not in get_fhir_model_class(type_).elements_sequence()
    ]
    assert unknown == []
