"""What a PGO asks is data, read strictly: each change of the file that cannot be is refused by file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappers.medmij.queries import QUERIES, queries, query_of
from questionnaires.reading import DefinitionError

TEXT = QUERIES.read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "payer"', 'id = "patient"', r"queries\[2\]\.id"),
        ('path = "/Condition"', 'path = "Condition"', r"queries\[6\]\.path"),
        ('path = "/Procedure"', 'path = "/Condition"', r"queries\[16\]\.path"),
        ('ours = "no"', 'ours = "maybe"', "ours"),
        ("profile =", "profil =", "profil"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, old, new, said):
    path = tmp_path / "queries.toml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DefinitionError, match=said):
        queries(path)


def test_an_empty_file_is_a_mistake(tmp_path):
    path = tmp_path / "queries.toml"
    path.write_text("queries = []")
    with pytest.raises(DefinitionError, match="is empty"):
        queries(path)


@pytest.mark.parametrize("query", queries(), ids=lambda one: one.id)
def test_a_query_is_recognised_by_all_of_what_it_asks(query):
    assert query_of(query.service, query.asked, query.parameters) is query
    assert query_of(query.service, query.asked, (*query.parameters, ("_count", "1"))) is None
    assert query_of("49", query.asked, query.parameters) is None


def test_a_path_is_what_is_asked_and_its_parameters():
    query = next(one for one in queries() if one.id == "laboratoryTestResult")
    assert query.asked == "Observation/$lastn"
    assert query.parameters == (
        ("category", "http://snomed.info/sct|275711006"),
        ("_include", "Observation:related-target"),
        ("_include", "Observation:specimen"),
    )


def test_the_page_for_integrators_has_each_query_with_what_of_it_is_ours():
    page = (Path(__file__).parents[3] / "docs" / "integrators.md").read_text("utf-8")
    ours = {"whole": "yes", "part": "in part", "no": "no"}
    rows = [f"| `{one.path.replace('|', chr(92) + '|')}` | {ours[one.ours]} | {one.why.en} |" for one in queries()]
    assert "\n".join(rows) in page
