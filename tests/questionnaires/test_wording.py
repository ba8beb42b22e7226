"""Official wording: what fits makes a new version with the same codes; what does not is refused with row and reason."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappers.scoring import score
from questionnaires.canonical import BASE
from questionnaires.catalogue import Catalogue, DefinitionError, read_instrument
from questionnaires.publish import questionnaire
from questionnaires.wording import WordingRefused, apply_wording, read_wording, wording_template
from questionnaires.writing import definition_toml
from smartapp.commands.wording import command

KNOWN = Catalogue()
META = {"version": "2.0.0", "copyright": "© the owners", "source": "Letter of permission, form of 2009"}
# An order and membership as an official NEL might bring: dimensions in turn, one reversed item, one not applicable.
DIMENSIONS = (
    ["own-wisdom"] * 12
    + ["belonging"] * 6
    + ["social-support"] * 7
    + ["professional-help"] * 4
    + ["self-management"] * 5
    + ["caring-community"] * 6
)

Cells = dict[str, str]
Edit = Callable[[list[Cells]], object]


def filled_in(identifier: str, edit: Edit = lambda rows: rows, meta: Mapping[str, str] = META) -> str:
    """Return the template of an instrument, filled in with made-up official texts, as `edit` leaves the rows."""
    instrument = KNOWN.instrument(identifier)
    lines = wording_template(instrument).splitlines()
    rows = list(csv.DictReader(lines[4:]))
    scored = [item.link_id for item in instrument.items if any(item.link_id in one.items for one in instrument.scores)]
    dimensions = DIMENSIONS if identifier == "nel" else [rule.scale for rule in instrument.scores for _ in rule.items]
    for row in rows:
        row["nl"], row["en"] = f"Officieel {row['item']}", f"Official {row['item']}"
        if row["item"] in scored:
            row.update({column: "no" for column in ("reversed", "not_applicable") if column in row})
            row.update({"dimension": dimensions[scored.index(row["item"])]} if "dimension" in row else {})
    edit(rows)
    out = io.StringIO()
    out.write(f"# instrument: {identifier}\n" + "".join(f"# {key}: {value}\n" for key, value in meta.items()))
    columns = dict.fromkeys(column for row in rows for column in row)
    writer = csv.DictWriter(out, list(columns))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@pytest.fixture
def applied(tmp_path: Path):
    def make(text: str, known: Catalogue = KNOWN, name: str = "wording.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return apply_wording(read_wording(tmp_path / name), known)

    return make


def refusals(tmp_path: Path, text: str, name: str = "wording.csv") -> list[str]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WordingRefused) as refused:
        apply_wording(read_wording(path), KNOWN)
    return [str(problem) for problem in refused.value.problems]


# ---- what fits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", sorted(KNOWN.instruments))
def test_a_filled_in_template_fits_every_instrument(identifier, applied):
    made = applied(filled_in(identifier)).instrument
    base = KNOWN.instrument(identifier)
    assert [item.text.nl for item in made.items] == [f"Officieel {item.link_id}" for item in base.items]


@pytest.mark.parametrize("identifier", ["hoop", "mhcs", "mansa", "mansa-short", "sdm-visit"])
def test_the_same_structure_keeps_link_ids_answers_codes_and_rule_versions(identifier, applied):
    base, made = KNOWN.instrument(identifier), applied(filled_in(identifier)).instrument
    assert [item.link_id for item in made.items] == [item.link_id for item in base.items]
    assert [[o.code for o in s.options] for s in made.scales] == [[o.code for o in s.options] for s in base.scales]
    assert [(r.code, r.version, r.items) for r in made.scores] == [(r.code, r.version, r.items) for r in base.scores]


def test_the_new_version_says_whose_it_is(applied):
    form = questionnaire(applied(filled_in("hoop")).instrument)
    assert form["version"] == "2.0.0"
    assert form["copyright"] == "© the owners"
    assert form["derivedFrom"] == [f"{BASE}/Questionnaire/hoop|1.0.0"]
    assert form["extension"][0]["valueCode"] == "official"
    assert form["status"] == "active"
    assert "Letter of permission" in form["description"]


def test_nothing_is_called_a_quotation_of_the_handbook_any_more(applied):
    assert not [item.link_id for item in applied(filled_in("hoop")).instrument.items if item.quoted]


def test_answers_and_stem_are_replaced_too(applied):
    made = applied(filled_in("mhcs")).instrument
    assert made.groups[0].help is not None
    assert made.groups[0].help.nl == "Officieel mhcs-confidence"
    assert made.scales[0].options[5].text.nl == "Officieel confidence/6"


def test_what_was_said_of_our_own_answers_goes_when_all_answers_are_official(applied):
    def only_items(rows: list[Cells]) -> None:
        rows[:] = [row for row in rows if "/" not in row["item"]]

    def subjects(text: str) -> set[str]:
        return {fact.about for fact in applied(text).instrument.facts}

    assert "answer texts" in subjects(filled_in("hoop", only_items))
    assert "answer texts" not in subjects(filled_in("hoop"))


def test_what_we_chose_for_the_nel_is_not_said_of_its_official_form(applied):
    """Its file must say order, membership, reversal and "not applicable" itself."""
    chosen = {"order", "not applicable", "answer texts"}
    assert chosen <= {fact.about for fact in KNOWN.instrument("nel").facts}
    assert not chosen & {fact.about for fact in applied(filled_in("nel")).instrument.facts}


def test_without_english_the_dutch_stands_alone(applied):
    def no_english(rows: list[Cells]) -> None:
        for row in rows:
            row["en"] = ""

    form = questionnaire(applied(filled_in("hoop", no_english)).instrument)
    assert form["item"][0]["item"][0]["text"] == "Officieel hoop-01"
    assert "_text" not in form["item"][0]["item"][0]


def test_the_definition_that_is_written_is_read_again(applied, tmp_path):
    made = applied(filled_in("nel"))
    path = tmp_path / made.file_name
    path.write_text(definition_toml(made.data))
    assert read_instrument(path) == made.instrument


def test_a_toml_file_gives_the_same_as_a_csv_file(applied):
    rows = csv.DictReader(filled_in("hoop").splitlines()[4:])
    toml = 'instrument = "hoop"\nversion = "2.0.0"\nsource = "Letter of permission, form of 2009"\n'
    toml += 'copyright = { nl = "© the owners" }\n'
    toml += "".join(f'[[items]]\nitem = "{r["item"]}"\nnl = "{r["nl"]}"\nen = "{r["en"]}"\n' for r in rows)
    assert applied(toml, name="w.toml").data == applied(filled_in("hoop")).data


def test_what_a_dutch_spreadsheet_makes_of_it_is_read(applied):
    """Semicolons, a byte order mark, CRLF, padded comment lines, 3 for 03, and an empty last row."""
    lines = [
        "# instrument: hoop;;",
        "# version: 2.0.0;;",
        "# copyright: Owner;;",
        "# source: Letter;;",
        "item;nl;en",
        *(f'{number};"Zin; {number}";' for number in range(1, 13)),
        ";;",
    ]
    made = applied("\ufeff" + "\r\n".join(lines)).instrument
    assert made.item("hoop-03").text.nl == "Zin; 3"


# ---- another structure -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_citation_with_the_delimiter_in_it_is_quoted_by_a_spreadsheet_and_read(delimiter, applied):
    """As a spreadsheet saves a comment that is in one cell, with blank rows around the comments."""
    lines = [
        delimiter * 2,
        f"# instrument: hoop{delimiter * 2}",
        f"# version: 2.0.0{delimiter * 2}",
        f'"# copyright: Owner{delimiter} 2009"{delimiter * 2}',
        f'"# source: Letter{delimiter} about ""the form"""{delimiter * 2}',
        "",
        delimiter.join(["item", "nl", "en"]),
        *(delimiter.join([str(number), f"Zin {number}", ""]) for number in range(1, 13)),
    ]
    data = applied("\r\n".join(lines), name="WORDING.CSV").data
    assert data["copyright"]["nl"] == f"Owner{delimiter} 2009"
    assert data["sources"]["wording-file"]["citation"] == f'Letter{delimiter} about "the form"'


def test_the_official_nel_brings_its_membership(applied):
    made = applied(filled_in("nel")).instrument
    assert made.score("nel-own-wisdom").items == tuple(f"nel-{number:02d}" for number in range(1, 13))
    assert {rule.scale: len(rule.items) for rule in made.scores}["professional-help"] == 4


def test_scores_of_another_structure_get_a_new_rule_version(applied):
    """Our forty are not the official forty, so not one NEL score goes on in the same trend."""
    made = applied(filled_in("nel"))
    assert {rule.version for rule in made.instrument.scores} == {"2.0.0"}
    assert made.scores[0] == "nel-total: new rule version 2.0.0; not in one trend with earlier scores"


def test_a_correction_of_the_same_structure_keeps_the_rule_version(applied, tmp_path):
    first = applied(filled_in("nel"))
    (tmp_path / first.file_name).write_text(definition_toml(first.data))
    again = applied(filled_in("nel", meta={**META, "version": "2.0.1"}), Catalogue(tmp_path))
    assert {rule.version for rule in again.instrument.scores} == {"2.0.0"}


def test_only_the_scores_that_change_get_a_new_rule_version(applied):
    """MHCS 7 moved from coping to optimism: the total and advocacy stay as they are."""

    def moved(rows: list[Cells]) -> None:
        base = KNOWN.instrument("mhcs")
        for row in rows[:16]:
            [row["dimension"]] = [r.scale for r in base.scores[1:] if row["item"] in r.items]
        rows[6]["dimension"] = "optimism"

    text = filled_in("mhcs", moved)
    made = applied(text).instrument
    assert {rule.scale: rule.version for rule in made.scores} == {
        "total": "1",
        "optimism": "2.0.0",
        "coping": "2.0.0",
        "advocacy": "1",
    }
    assert (made.score("mhcs-optimism").low, made.score("mhcs-optimism").high) == (7, 42)


def test_a_reversed_item_is_reversed_in_every_score_it_is_in(applied):
    def reverse_first(rows: list[Cells]) -> None:
        rows[0]["reversed"] = "ja"

    made = applied(filled_in("nel", reverse_first)).instrument
    assert [rule.scale for rule in made.scores if "nel-01" in rule.reversed] == ["total", "own-wisdom"]
    # All answers 5, one reversed to 1: own wisdom (11×5 + 1) / 12 = 4.666…
    values = {item.link_id: "5" for item in made.items}
    scores = {one.rule.scale: one.value for one in score(made, values)}
    assert scores["own-wisdom"] == (11 * 5 + 1) / 12
    assert scores["belonging"] == 5


def test_not_applicable_is_offered_where_the_file_says_so(applied):
    def second(rows: list[Cells]) -> None:
        rows[1]["not_applicable"] = "yes"

    made = applied(filled_in("nel", second)).instrument
    assert [i.link_id for i in made.items if i.scale and i.scale.has_not_applicable] == ["nel-02"]


def test_the_order_of_the_rows_is_the_order_of_the_form(applied):
    def backwards(rows: list[Cells]) -> None:
        rows[:12] = reversed(rows[:12])

    made = applied(filled_in("hoop", backwards)).instrument
    assert [item.link_id for item in made.items] == [f"hoop-{number:02d}" for number in range(12, 0, -1)]
    assert {rule.version for rule in made.scores} == {"1"}


def test_an_order_across_dimensions_makes_one_group(applied):
    def swap(rows: list[Cells]) -> None:
        rows[0], rows[39] = rows[39], rows[0]

    made = applied(filled_in("nel", swap)).instrument
    assert [group.link_id for group in made.groups] == ["nel-all"]
    assert made.items[0].link_id == "nel-40"


def test_worked_examples_of_another_structure_are_left_out(applied):
    assert applied(filled_in("nel")).instrument.examples == ()
    assert applied(filled_in("hoop")).instrument.examples == KNOWN.instrument("hoop").examples


# ---- a made-up sixth instrument, without dimensions ------------------------------------------------------------------


def sixth(folder: Path) -> Catalogue:
    """Return a catalogue with one instrument: four items, one score, all of it our own choice."""
    words = {"nl": "Woord", "en": "Word"}
    own = {"statement": "Chosen by us.", "certainty": "own", "verified": False}
    data = {
        "id": "week",
        "version": "1.0.0",
        "minutes": 1,
        "wording": "working",
        "sources": {},
        **dict.fromkeys(("title", "subtitle", "intro", "wording_note", "copyright"), words),
        "scales": [
            {"name": "days", "options": [{"code": str(n), "value": n, "text": words} for n in range(4)]},
        ],
        "groups": [
            {
                "id": "all",
                "title": words,
                "items": [{"id": f"0{n}", "scale": "days", "subject": "a day", "text": words} for n in range(1, 5)],
            }
        ],
        "scores": [
            {
                "scale": "total",
                "title": words,
                "items": ["01", "02", "03", "04"],
                "aggregate": "sum",
                "minimum_answered": 4,
                "low": 0,
                "high": 12,
                "version": "1",
                "default": True,
                "published": True,
                "facts": [{"about": one, **own} for one in ("membership", "reversal", "aggregate", "range", "missing")],
            }
        ],
        "examples": [{"title": "All 1", "all": "1", "scores": {"total": 4}, "working": "4 × 1 = 4"}],
        "facts": [],
    }
    (folder / "week.toml").write_text(definition_toml(data), encoding="utf-8")
    return Catalogue(definitions=folder)


def test_an_instrument_without_dimensions_goes_from_template_to_check_to_apply(tmp_path):
    """The template has exactly the columns that the check demands: for this one only the direction of each item."""
    known = sixth(tmp_path)
    lines = wording_template(known.instrument("week")).splitlines()
    assert lines[4] == "item,nl,en,reversed"
    rows = [f"{name},Zin {name},," + ("ja" if name == "week-02" else "nee") for name in known.instrument("week")._items]
    meta = ["# instrument: week", *(f"# {key}: {value}" for key, value in META.items())]
    (tmp_path / "week.csv").write_text("\n".join([*meta, lines[4], *rows]), encoding="utf-8")
    made = apply_wording(read_wording(tmp_path / "week.csv"), known)
    assert made.instrument.score("week-total").reversed == {"week-02"}
    assert made.instrument.score("week-total").version == "2.0.0"
    (tmp_path / made.file_name).write_text(definition_toml(made.data), encoding="utf-8")
    (tmp_path / "week.toml").rename(tmp_path / "own.toml")
    assert read_instrument(tmp_path / made.file_name) == made.instrument


@pytest.mark.parametrize(
    ("head", "end", "reason"),
    [
        ("item,nl,en", "", "the items have no reversed; for week that is our own choice"),
        ("item,nl,en,reversed,dimension", ",nee,total", "row 6: week has no dimensions; leave that column out"),
        ("item,nl,en,reversed,not_applicable", ",nee,ja", "row 6: 'week-01' can't be not applicable"),
    ],
)
def test_what_an_instrument_without_dimensions_cannot_take_is_refused(head, end, reason, tmp_path):
    known = sixth(tmp_path)
    meta = ["# instrument: week", *(f"# {key}: {value}" for key, value in META.items())]
    rows = [f"{item.link_id},Zin,{end}" for item in known.instrument("week").items]
    (tmp_path / "week.csv").write_text("\n".join([*meta, head, *rows]), encoding="utf-8")
    with pytest.raises(WordingRefused) as refused:
        apply_wording(read_wording(tmp_path / "week.csv"), known)
    assert str(refused.value.problems[0]).startswith(reason)


def structure_columns(identifier: str) -> list[str]:
    return wording_template(KNOWN.instrument(identifier)).splitlines()[4].split(",")[3:]


ASKED = [(identifier, column) for identifier in KNOWN.instruments for column in structure_columns(identifier)]


@pytest.mark.parametrize(("identifier", "column"), ASKED)
def test_the_check_demands_each_column_of_structure_that_the_template_has(identifier, column, tmp_path):
    """And no other: a filled in template fits every instrument, see above."""

    def without(rows: list[Cells]) -> None:
        for row in rows:
            del row[column]

    assert any(f"the items have no {column}" in one for one in refusals(tmp_path, filled_in(identifier, without)))


# ---- what does not fit -----------------------------------------------------------------------------------------------


def _set(place: int, **cells: str) -> Edit:
    return lambda rows: rows[place].update(cells)


REFUSED = [
    ("hoop", lambda rows: rows.pop(4), "there is no row for 05; official wording has every item"),
    ("hoop", _set(2, nl=""), "row 8: 'hoop-03' has no Dutch text"),
    ("hoop", _set(2, item="hoop-13"), "row 8: 'hoop-13' is not an item, answer or group of hoop"),
    ("hoop", _set(2, item="hoop-02"), "row 8: 'hoop-02' is in row 7 already"),
    ("hoop", _set(12, item="agreement/9"), "row 18: 'agreement/9' is not an item, answer or group"),
    ("hoop", _set(2, nl="x" * 1001), "row 8: the nl text has 1001 characters; at most 1000 fit"),
    ("hoop", _set(2, en="tab\there"), "row 8: the en text has a line break or control character"),
    ("hoop", _set(0, dimension="joy"), "row 6: the dimension is 'joy'; hoop has view-on-life"),
    ("mansa", _set(0, dimension="x"), "row 6: mansa has no dimensions; leave that column out"),
    ("nel", _set(0, dimension=""), "row 6: 'nel-01' has no dimension, but other rows have one"),
    ("nel", _set(0, reversed="maybe"), "row 6: reversed is 'maybe'; write yes or no"),
    ("nel", _set(40, not_applicable="no"), "row 46: 'agreement/1' is not an item; only items have dimension"),
    (
        "nel",
        lambda rows: [row.update(reversed="") for row in rows],
        "the items have no reversed; for nel that is our own choice in the working wording",
    ),
    (
        "nel",
        lambda rows: [row.update(dimension="belonging") for row in rows[:40]],
        "no item has the dimension professional-help, social-support",
    ),
]


@pytest.mark.parametrize(("identifier", "edit", "reason"), REFUSED, ids=[reason[:60] for *_, reason in REFUSED])
def test_what_does_not_fit_is_refused_with_row_and_reason(identifier, edit, reason, tmp_path):
    assert any(problem.startswith(reason) for problem in refusals(tmp_path, filled_in(identifier, edit)))


def test_every_problem_is_said_at_once(tmp_path):
    def spoil(rows: list[Cells]) -> None:
        rows[0]["nl"] = ""
        rows[5]["item"] = "nonsense"

    assert len(refusals(tmp_path, filled_in("hoop", spoil))) == 3  # no text, no such item, no row for 06


def test_not_applicable_is_refused_where_the_scale_has_no_words_for_it(tmp_path):
    text = filled_in(
        "hoop", lambda rows: [row.update(not_applicable="yes" if not n else "no") for n, row in enumerate(rows[:12])]
    )
    assert refusals(tmp_path, text) == [
        "row 6: 'hoop-01' can't be not applicable: its answer scale has no words for that"
    ]


@pytest.mark.parametrize(
    ("meta", "reason"),
    [
        ({**META, "version": "1.0.0"}, r"version 1.0.0 is taken \(1.0.0\); responses refer to it, so choose a new one"),
        ({**META, "version": "new"}, r"version: is 'new'; write it as 1\.0\.0"),
        ({"version": "2.0.0"}, r"there is no line '# copyright: …' above the table; add it"),
        (
            {**META, "colour": "red"},
            r"'# colour:' is not a known line; the lines are instrument, version, copyright, source",
        ),
    ],
)
def test_the_lines_above_the_table_are_checked(meta, reason, tmp_path):
    assert re.search(reason, "\n".join(refusals(tmp_path, filled_in("hoop", meta=meta))))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "# instrument: phq-9\n# version: 2.0.0\n# copyright: x\n# source: y\nitem,nl\n",
            "there is no instrument 'phq-9'",
        ),
        (
            "# instrument: hoop\n# version: 2.0.0\n# copyright: x\n# source: y\nnr,text\n",
            "row 5: the columns are nr, text",
        ),
        (filled_in("hoop") + 'hoop-12,"open', "is not CSV"),
        (filled_in("hoop") + "hoop-12,a,b,c\n", "has more cells than there are columns"),
        ("", "there is no line '# instrument: …'"),
    ],
)
def test_a_file_of_another_shape_is_refused(text, reason, tmp_path):
    assert any(reason in problem for problem in refusals(tmp_path, text))


def test_a_file_of_another_kind_is_refused(tmp_path):
    assert refusals(tmp_path, "", "wording.docx") == ["is neither .toml nor .csv; save it as one of these"]


def test_bytes_that_are_not_utf8_are_refused(tmp_path):
    (tmp_path / "w.csv").write_bytes("# instrument: hóóp".encode("latin-1"))
    with pytest.raises(WordingRefused, match="is not UTF-8; save it as 'CSV UTF-8'"):
        read_wording(tmp_path / "w.csv")


@pytest.mark.parametrize("name", ["w.csv", "w.toml"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_no_bytes_at_all_break_the_reader(name, content, tmp_path):
    """Whatever the file holds, it is read or refused with a reason."""
    (tmp_path / name).write_bytes(content)
    with contextlib.suppress(WordingRefused, DefinitionError):
        apply_wording(read_wording(tmp_path / name), KNOWN)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.text(alphabet="item,nlen;\"'/0123-\n\r\t\x00é", max_size=120))
def test_no_table_at_all_breaks_the_reader(table, tmp_path):
    head = "# instrument: hoop\n# version: 2.0.0\n# copyright: x\n# source: y\nitem,nl\n"
    assert refusals(tmp_path, head + table)


def test_brackets_ten_thousand_deep_are_refused(tmp_path):
    (tmp_path / "w.toml").write_text("a = " + "[" * 10_000)
    with pytest.raises(DefinitionError, match=r"w\.toml: is not TOML"):
        read_wording(tmp_path / "w.toml")


def test_a_column_that_stands_twice_is_refused(tmp_path):
    text = "# instrument: hoop\n# version: 2.0.0\n# copyright: x\n# source: y\nitem,nl,nl\n"
    assert refusals(tmp_path, text)[0].startswith("row 5: the columns are item, nl, nl; they must be")


# ---- the command -----------------------------------------------------------------------------------------------------


def test_the_command_writes_a_definition_that_the_catalogue_finds(tmp_path, monkeypatch):
    monkeypatch.delenv("VERSTEL_DEFINITIONS", raising=False)
    file = tmp_path / "hoop.csv"
    file.write_text(filled_in("hoop"), encoding="utf-8")
    result = CliRunner().invoke(command, ["apply", str(file), "--out", str(tmp_path / "made")])
    assert result.exit_code == 0, result.output
    assert Catalogue(tmp_path / "made").instrument("hoop").wording == "official"
    assert "set VERSTEL_DEFINITIONS=" in result.stderr


def test_the_command_refuses_with_exit_code_1_and_writes_nothing(tmp_path):
    file = tmp_path / "hoop.csv"
    file.write_text(filled_in("hoop", _set(2, nl="")), encoding="utf-8")
    result = CliRunner().invoke(command, ["apply", str(file), "--out", str(tmp_path / "made")])
    assert result.exit_code == 1
    assert result.stderr == "hoop.csv: row 8: 'hoop-03' has no Dutch text\n"
    assert not (tmp_path / "made").exists()


def test_a_folder_that_cannot_be_made_is_said_in_words(tmp_path):
    path, file = tmp_path / "wording.csv", tmp_path / "a-file"
    path.write_text(filled_in("hoop"), encoding="utf-8")
    file.touch()
    result = CliRunner().invoke(command, ["apply", str(path), "--out", str(file / "definitions")])
    assert result.exit_code == 1
    assert "hoop@2.0.0.toml cannot be written: Not a directory" in result.stderr


def test_the_command_never_overwrites_a_version(tmp_path):
    file = tmp_path / "hoop.csv"
    file.write_text(filled_in("hoop"), encoding="utf-8")
    arguments = ["apply", str(file), "--out", str(tmp_path)]
    (tmp_path / "hoop@2.0.0.toml").write_text("another")
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 1
    assert "already exists; choose another version" in result.stderr
    assert (tmp_path / "hoop@2.0.0.toml").read_text() == "another"


def test_check_writes_nothing_and_tells_what_becomes_of_each_score(tmp_path):
    file = tmp_path / "nel.csv"
    file.write_text(filled_in("nel"), encoding="utf-8")
    result = CliRunner().invoke(command, ["check", str(file)])
    assert result.exit_code == 0
    assert "nel-belonging: new rule version 2.0.0" in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["nel.csv"]


def test_apply_without_a_folder_is_wrong_usage(tmp_path, monkeypatch):
    monkeypatch.delenv("VERSTEL_DEFINITIONS", raising=False)
    file = tmp_path / "hoop.csv"
    file.write_text(filled_in("hoop"), encoding="utf-8")
    before = file.read_text(encoding="utf-8")
    result = CliRunner().invoke(command, ["apply", str(file)])
    assert result.exit_code == 2
    assert "Say where to write: --out DIR" in result.output
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == [before]
