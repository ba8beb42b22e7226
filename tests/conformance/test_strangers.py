"""The page of strangers: every system is on it, whatever became of it, and what failed is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import __main__ as run
from tests.conformance import strangers
from tests.conformance.strangers import Row, System, page, report, reported, systems

ONE = System("Keycloak", "an authorization server", "signing in", "sign-in")
OTHER = System("Blaze", "a FHIR server", "writing", "FHIR servers")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(strangers, "REPORTS", tmp_path / "reports")
    return tmp_path


def told(rows: dict[str, Row]) -> str:
    return page([ONE, OTHER], rows)


def test_each_system_is_named_with_what_held_whatever_became_of_it():
    said = told({"Keycloak": Row("Keycloak", held=12, of=12, version="26.4.7")})
    assert "| Keycloak | 26.4.7 | an authorization server | signing in | 12 of 12 |" in said
    assert "| Blaze |  | a FHIR server | writing | not tried |" in said
    assert "- **Blaze**: it did not run." in said
    assert "Nothing, in the last whole run." in said


def test_what_failed_is_named_and_what_could_not_be_had_says_why():
    rows = {
        "Keycloak": Row("Keycloak", held=1, of=3, failed=("a public client: refused", "a secret: refused")),
        "Blaze": Row("Blaze", missing="Java can't be had here."),
    }
    said = told(rows)
    assert "| Keycloak |  | an authorization server | signing in | 1 of 3 |" in said
    assert "- **Keycloak**\n  - a public client: refused\n  - a secret: refused\n" in said
    assert "- **Blaze**: Java can't be had here." in said
    assert "Nothing, in the last whole run." not in said


def test_of_very_many_failures_the_page_gives_the_number():
    said = told({"Keycloak": Row("Keycloak", of=50, failed=tuple(f"number {one}" for one in range(50)))})
    assert "number 19\n  - and 30 more\n" in said
    assert "number 20\n" not in said


@pytest.mark.parametrize(
    "wrong",
    [
        {"held": 3, "of": 2},
        {"held": -1, "of": 2},
        {"held": 2, "of": 2, "failed": ("one",)},
    ],
)
def test_a_row_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(ValueError, match="Keycloak"):
        Row("Keycloak", **wrong)


def test_what_was_reported_is_read_again_until_its_part_begins_anew(cache):
    hapi = Row("HAPI FHIR JPA", held=1, of=2, failed=("« één » failed",), note="n")
    report(hapi)
    report(Row("SUSHI", held=1, of=1))
    assert reported() == {"HAPI FHIR JPA": hapi, "SUSHI": Row("SUSHI", held=1, of=1)}
    strangers.forget(["FHIR servers"])
    assert set(reported()) == {"SUSHI"}


def test_a_system_that_the_page_does_not_have_cannot_be_reported(cache):
    with pytest.raises(KeyError, match="Unheard-of"):
        report(Row("Unheard-of", held=1, of=1))


def test_every_system_belongs_to_a_part_and_is_named_once():
    names = [one.name for one in systems()]
    assert len(names) == len(set(names))
    assert {one.part for one in systems()} <= set(run.PARTS)


def test_the_page_in_the_documents_has_every_system():
    said = strangers.PAGE.read_text("utf-8")
    assert [one.name for one in systems() if f"| {one.name} |" not in said] == []
