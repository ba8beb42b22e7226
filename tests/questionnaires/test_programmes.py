"""Programmes as data: what a file may say and what is refused with file and key; and whose file counts."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from msgspec import structs

from mappers.roles import ROLES
from questionnaires import programmes as reading
from questionnaires.catalogue import catalogue
from questionnaires.programmes import PROGRAMMES, after, programmes, read_programme, read_programmes, span_of
from questionnaires.reading import DefinitionError
from questionnaires.tables import CitationTable, FactTable

ROOT = Path(__file__).parents[2]

GOOD = """
id = "walking"
version = "1.0.0"
title = { nl = "Wandelen", en = "Walking" }
about = { nl = "Samen lopen.", en = "Walking together." }
counted_from = { nl = "de eerste keer", en = "the first time" }
started_by = ["peer-worker"]
longest = "6 months"
facts = [{ about = "length", statement = "Half a year.", sources = ["book"], certainty = "sure", verified = true }]

[sources]
book = { citation = "A book about walking", read = "whole" }

[[available]]
role = "peer-worker"
text = { nl = "Er loopt iemand mee.", en = "Somebody walks along." }

[[moments]]
id = "begin"
kind = "measurement"
title = { nl = "Aan het begin", en = "At the start" }
purpose = { nl = "Zien waar het begint.", en = "See where it begins." }
outcome = { nl = "Hoop", en = "Hope" }
about = "1 week"
opens = "0 days"
closes = "2 weeks"
questionnaires = ["hoop"]

[[moments]]
id = "walk"
kind = "talk"
title = { nl = "Een rondje", en = "A walk" }
purpose = { nl = "Samen lopen.", en = "Walk together." }
opens = "1 week"
closes = "2 weeks"
every = "3 weeks"
tell = "3 days"
minutes = 45
"""

# ---- what fits


@pytest.fixture
def written(tmp_path):
    """Write a programme of a place, with some words replaced; return its file."""

    def write(*changes: tuple[str, str], name: str = "walking.toml") -> Path:
        text = GOOD
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_what_fits_is_read_with_its_defaults(written):
    found = read_programme(written())
    begin, walk = found.moments
    assert (found.id, found.started_by, found.longest) == ("walking", ("peer-worker",), "6 months")
    assert (begin.kind, begin.questionnaires, begin.every, begin.tell) == ("measurement", ("hoop",), None, "0 days")
    assert (walk.every, walk.tell, walk.minutes, walk.outcome) == ("3 weeks", "3 days", 45, None)
    assert found.canonical.endswith("/PlanDefinition/walking|1.0.0")
    assert found.moment("walk") is walk
    assert found.moment("run") is None


FITS = [
    ('longest = "6 months"', 'longest = "7 days"'),  # the last that opens does so on day 7
    ('about = "1 week"\n', 'about = "0 days"\n'),
    ('about = "1 week"\n', 'about = "2 weeks"\n'),
    ('about = "1 week"\n', ""),
    ('about = "1 week"\nopens = "0 days"\ncloses = "2 weeks"', 'opens = "0 days"\ncloses = "0 days"'),  # one day
    ('every = "3 weeks"\n', 'every = "8 days"\n'),  # 7 to 14, then from 15 on
    ('every = "3 weeks"\n', ""),
    ('tell = "3 days"', 'tell = "1 month"'),
    ("minutes = 45", "minutes = 480"),
    ('questionnaires = ["hoop"]', 'questionnaires = ["nel", "hoop"]'),
    ('sources = ["book"], certainty = "sure", verified = true', 'sources = [], certainty = "own", verified = false'),
    ('started_by = ["peer-worker"]', 'started_by = ["clinician", "case-manager", "peer-worker"]'),
]


@pytest.mark.parametrize(("old", "new"), FITS)
def test_what_just_fits_is_read(old, new, written):
    assert read_programme(written((old, new))).id == "walking"


REFUSED = [
    ("longest =", "longets =", "longets: is not a known key"),
    ("tell =", "told =", "moments[2].told: is not a known key"),
    ("role =", "rol =", "available[1].rol: is not a known key"),
    ("read =", "red =", "sources.book.red: is not a known key"),
    ('id = "walking"\n', 'id = "wandering"\n', "id: is 'wandering'; the file is called 'walking'"),
    ('id = "walking"\n', 'id = "Walking"\n', "id: is 'Walking'; use small letters"),
    ('id = "walking"\n', "", "id: is missing"),
    ('version = "1.0.0"', 'version = "1.0"', "version: is '1.0'; write it like 1.0.0"),
    ('["peer-worker"]', "[]", "started_by: is empty; somebody has to be able to start it"),
    ('["peer-worker"]', '["loved-one"]', "started_by[1]: is 'loved-one'; it must be one of"),
    ('kind = "talk"', 'kind = "chat"', "moments[2].kind: is 'chat'; it must be one of"),
    ('id = "walk"\n', 'id = "begin"\n', "moments[2].id: is 'begin', which an earlier moment has already"),
    ('opens = "1 week"', 'opens = "3 weeks"', "moments[2].closes: is '2 weeks', which comes before opens, '3 weeks'"),
    # A month is shorter than 30 days only after some days of the year, and then this would close before it opens.
    (
        'opens = "1 week"\ncloses = "2 weeks"',
        'opens = "30 days"\ncloses = "1 month"',
        "moments[2].closes: is '1 month', which comes before opens, '30 days'",
    ),
    ('about = "1 week"\n', 'about = "3 weeks"\n', "moments[1].about: is '3 weeks', which is not between '0 days' and"),
    ('longest = "6 months"', 'longest = "6 days"', "moments[2].opens: is '1 week', after the longest"),
    ('longest = "6 months"\n', "", "moments[2].every: needs an end: give the programme its longest"),
    ('every = "3 weeks"', 'every = "0 weeks"', "moments[2].every: is no time at all"),
    ('longest = "6 months"', 'longest = "9999 months"', "moments[2].every: is '3 weeks': it would come more than 200"),
    ('every = "3 weeks"', 'every = "1 week"', "moments[2].every: is '1 week': the next would begin before this one is"),
    ('opens = "1 week"', 'opens = "1 year"', "moments[2].opens: is '1 year'; write a number of days, weeks or months"),
    ('opens = "1 week"', 'opens = "-1 week"', "moments[2].opens: is '-1 week'; write a number of days"),
    ('opens = "1 week"', 'opens = "01 week"', "moments[2].opens: is '01 week'; write a number of days"),
    ('tell = "3 days"', 'tell = "soon"', "moments[2].tell: is 'soon'; write a number of days"),
    ("minutes = 45", "minutes = 0", "moments[2].minutes: is 0"),
    ("minutes = 45", "minutes = 481", "moments[2].minutes: is 481"),
    ('["hoop"]', '["phq-9"]', "moments[1].questionnaires: has 'phq-9'; use one of "),
    ('["hoop"]', '["decision"]', "moments[1].questionnaires: has 'decision'; use one of "),  # nobody is asked for it
    ('["hoop"]', '["hoop", "hoop"]', "moments[1].questionnaires: has one of them twice"),
    ('questionnaires = ["hoop"]', "", "moments[1].questionnaires: is empty; a measurement asks at least one"),
    ('outcome = { nl = "Hoop", en = "Hope" }\n', "", "moments[1].outcome: is missing; say what is measured"),
    ('sources = ["book"]', 'sources = ["film"]', "facts[1].sources: has 'film'; [sources] has book"),
    ('sources = ["book"]', "sources = []", "facts[1].verified: is true, but no source is named"),
]


@pytest.mark.parametrize(("old", "new", "message"), REFUSED, ids=[message[:40] for _, _, message in REFUSED])
def test_what_cannot_be_is_refused_with_file_and_key(old, new, message, written):
    with pytest.raises(DefinitionError, match=rf"^walking\.toml: {re.escape(message)}"):
        read_programme(written((old, new)))


def test_a_programme_without_moments_is_refused(tmp_path):
    path = tmp_path / "walking.toml"
    path.write_text(GOOD.partition("[[moments]]")[0], encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"^walking\.toml: moments: is missing"):
        read_programme(path)
    path.write_text("moments = []\n" + GOOD.partition("[[moments]]")[0], encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"^walking\.toml: moments: is empty; a programme has at least one"):
        read_programme(path)


def test_a_file_that_is_no_toml_is_refused_by_its_name(tmp_path):
    path = tmp_path / "walking.toml"
    path.write_text("id = ", encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"^walking\.toml: "):
        read_programme(path)


# ---- lengths of time


@pytest.mark.parametrize(
    ("span", "read"), [("0 days", (0, "days")), ("1 week", (1, "weeks")), ("18 months", (18, "months"))]
)
def test_a_span_is_a_number_and_a_unit(span, read):
    assert span_of(span) == read


@pytest.mark.parametrize(
    "span", ["", "weeks", "6", "6 years", "6  weeks", "6 weeks ", "00 days", "10000 days", "-1 day"]
)
def test_what_is_no_span_is_refused(span):
    with pytest.raises(ValueError, match="is no number of days, weeks or months"):
        span_of(span)


def test_a_span_that_is_read_from_a_file_can_always_be_counted():
    """The two patterns, of the file and of the arithmetic, agree."""
    pattern = structs.fields(reading.Moment)[4].type.__metadata__[0].pattern
    for span in ("0 days", "1 day", "6 weeks", "9999 months", "6 years", "6", " 6 days", "6 days\n", "١ day"):
        fits = re.search(pattern, span) is not None
        assert fits == (reading._SPAN.fullmatch(span) is not None), span


def test_a_month_after_the_last_of_january_is_the_last_of_february():
    assert after(dt.date(2027, 1, 31), "1 month") == dt.date(2027, 2, 28)
    assert after(dt.date(2028, 1, 31), "1 month") == dt.date(2028, 2, 29)
    assert after(dt.date(2027, 1, 31), "1 month", 2) == dt.date(2027, 3, 31)
    assert after(dt.date(2027, 3, 31), "1 month", -1) == dt.date(2027, 2, 28)
    assert after(dt.date(2026, 12, 5), "6 weeks") == dt.date(2027, 1, 16)


# ---- whose file counts


def test_ours_are_read_without_a_folder_of_a_place(monkeypatch):
    monkeypatch.delenv("VERSTEL_PROGRAMMES", raising=False)
    assert list(programmes()) == ["npi-recovery", "three-moments"]


def test_a_place_adds_its_own_programmes(written, monkeypatch):
    monkeypatch.setenv("VERSTEL_PROGRAMMES", str(written().parent))
    assert list(programmes()) == ["npi-recovery", "three-moments", "walking"]


def test_a_file_of_a_place_replaces_ours_with_the_same_id(tmp_path, monkeypatch):
    text = (PROGRAMMES / "three-moments.toml").read_text(encoding="utf-8")
    changed = text.replace('version = "1.0.0"', 'version = "2.0.0"').replace(
        'opens = "17 months"', 'opens = "16 months"'
    )
    (tmp_path / "three-moments.toml").write_text(changed, encoding="utf-8")
    monkeypatch.setenv("VERSTEL_PROGRAMMES", str(tmp_path))
    found = programmes()
    assert list(found) == ["npi-recovery", "three-moments"]
    assert found["three-moments"].version == "2.0.0"
    assert found["three-moments"].moment("follow-up").opens == "16 months"
    assert read_programmes([PROGRAMMES])["three-moments"].version == "1.0.0"


def test_a_folder_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("VERSTEL_PROGRAMMES", str(tmp_path / "none"))
    with pytest.raises(DefinitionError, match=r"none: is not a folder; VERSTEL_PROGRAMMES must name one that exists"):
        programmes()


def test_other_files_in_the_folder_are_left_alone(written):
    (written().parent / "README.md").write_text("about these", encoding="utf-8")
    assert list(read_programmes([written().parent])) == ["walking"]


# ---- ours


@pytest.mark.parametrize("id_", ["npi-recovery", "three-moments"])
def test_ours_name_sources_that_were_read_and_say_what_is_our_own_choice(id_):
    found = read_programmes([PROGRAMMES])[id_]
    assert {fact.certainty for fact in found.facts} == {"sure", "own"}
    for fact in found.facts:
        assert (fact.certainty == "sure") == bool(fact.sources) == fact.verified
    assert {one for fact in found.facts for one in fact.sources} == set(found.sources)


def test_whoever_is_available_has_a_role_that_the_app_knows():
    for found in read_programmes([PROGRAMMES]).values():
        assert {one.role for one in found.available} <= set(ROLES)


def test_readme_names_every_key_of_a_programme():
    text = (ROOT / "questionnaires" / "README.md").read_text(encoding="utf-8")
    section = text.partition("## A programme of your own")[2].partition("\n## ")[0]
    named = set(re.findall(r"`\[*([a-z_]+)\]*`", section))
    tables = (reading.Programme, reading.Moment, reading.Available)
    keys = {field.name for table in tables for field in structs.fields(table)}
    assert keys <= named, keys - named
    # And no key that there is not, in the first column of its tables.
    first = {
        key
        for row in re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
        for key in re.findall(r"`\[*([a-z_]+)\]*`", row)
    }
    assert first <= keys, first - keys
    for table in (CitationTable, FactTable):  # these two are described with a definition
        assert all(field.name in text for field in structs.fields(table))


def test_the_example_in_the_readme_can_be_read(tmp_path):
    text = (ROOT / "questionnaires" / "README.md").read_text(encoding="utf-8")
    section = text.partition("## A programme of your own")[2].partition("\n## ")[0]
    example = section.partition("```toml\n")[2].partition("```")[0]
    id_ = re.search(r'^id = "(.*)"', example)[1]
    path = tmp_path / f"{id_}.toml"
    path.write_text(example, encoding="utf-8")
    assert read_programme(path, catalogue()).id == id_


def test_the_wheel_has_every_data_file(tmp_path):
    """A programme that is not in the wheel is there in a checkout only."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    data = {
        path.relative_to(ROOT).as_posix()
        for package in ("questionnaires", "mappers", "smartapp")
        for path in (ROOT / package).rglob("*.toml")
    }
    assert {"questionnaires/programmes/three-moments.toml", "questionnaires/definitions/hoop.toml"} <= data
    assert data <= names, data - names
