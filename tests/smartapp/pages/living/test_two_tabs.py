"""Two tabs, or two people, write in one living form: nothing is overwritten and nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from smartapp.fhir.store import Query, Refused, Stored, Unreachable, Write
from smartapp.records import Records
from tests.mappers.living import without_ids
from tests.smartapp.helpers import Flaky, launched
from tests.smartapp.pages.living.forms import garden_of, remove_row, response
from tests.smartapp.pages.plan.pages import fields_of, fill
from tests.smartapp.pages.plan.test_two_tabs import at_save, two_tabs

STORY = "living/garden/story/"
ALL = "living/garden/all/"


def words(text: str) -> dict[str, str]:
    return {"garden-story": text}


@pytest.fixture
def planted(anna):
    """Anna, with words in her garden, and two plants."""
    fill(anna, STORY, **words("Eerst."))
    for plant in ("roos", "munt"):
        fill(anna, "living/garden/plants/new", **{"garden-plant": plant})
    return anna


def plants(visitor):
    return [row.of("garden-plant") for row in garden_of(visitor).rows_of("garden-plants")]


def first(visitor) -> str:
    return garden_of(visitor).rows_of("garden-plants")[0].key


def test_the_second_save_shows_both_versions_and_writes_nothing(planted):
    answer = two_tabs(planted, STORY, words("Uit tab één."), words("Uit tab twee."))
    assert answer.status_code == 409
    assert "Uit tab één." in answer.text
    assert "Uit tab twee." in answer.text
    assert garden_of(planted).of("garden-story") == "Uit tab één."


@pytest.mark.parametrize(("choice", "kept"), [("stored", "Uit tab één."), ("typed", "Uit tab twee.")])
def test_the_person_chooses_which_version_stays(planted, choice, kept):
    clash = two_tabs(planted, STORY, words("Uit tab één."), words("Uit tab twee."))
    answer = planted.post(STORY, {**fields_of(clash), "choice-garden-story": choice})
    assert answer.status_code == 303
    assert garden_of(planted).of("garden-story") == kept


def test_two_tabs_that_both_begin_a_form_make_one_response_with_both(anna):
    one, two = fields_of(anna.get(STORY)), fields_of(anna.get("living/garden/tools/"))
    assert anna.post(STORY, {**one, **words("Een.")}).status_code == 303
    assert anna.post("living/garden/tools/", {**two, "garden-tools": "hark"}).status_code == 303
    assert garden_of(anna).answers == {"garden-story": ("Een.",), "garden-tools": ("hark",)}


def test_changes_of_different_questions_and_rows_are_all_kept(planted):
    page, row = fields_of(planted.get(ALL)), fields_of(planted.get(f"living/garden/plants/{first(planted)}/"))
    new = fields_of(planted.get("living/garden/plants/new"))
    assert planted.post(ALL, {**page, "garden-tools": "hark"}).status_code == 303
    path = f"living/garden/plants/{first(planted)}/"
    assert planted.post(path, {**row, "garden-plant": "wilde roos"}).status_code == 303
    assert planted.post("living/garden/plants/new", {**new, "garden-plant": "kool"}).status_code == 303
    assert garden_of(planted).answers == {"garden-story": ("Eerst.",), "garden-tools": ("hark",)}
    assert plants(planted) == ["wilde roos", "munt", "kool"]


def test_one_row_that_two_tabs_change_is_asked_about(planted):
    path = f"living/garden/plants/{first(planted)}/"
    clash = two_tabs(planted, path, {"garden-plant": "wilde roos"}, {"garden-plant": "rode roos"})
    assert clash.status_code == 409
    assert "wilde roos" in clash.text
    assert "rode roos" in clash.text
    planted.post(path, {**fields_of(clash), "choice-garden-plant": "typed"})
    assert plants(planted) == ["rode roos", "munt"]


def test_a_row_that_another_tab_took_out_is_not_made_again_without_asking(planted):
    """What was typed stands beside nothing, and its writer says whether it comes back."""
    key = first(planted)
    path = f"living/garden/plants/{key}/"
    typed = {**fields_of(planted.get(path)), "garden-plant": "wilde roos"}
    remove_row(planted, "garden", "plants", key)
    answer = planted.post(path, typed)
    assert answer.status_code == 409
    assert "wilde roos" in answer.text
    assert plants(planted) == ["munt"]


def test_sending_a_new_row_twice_makes_one(planted):
    new = {**fields_of(planted.get("living/garden/plants/new")), "garden-plant": "kool"}
    assert planted.post("living/garden/plants/new", new).status_code == 303
    assert planted.post("living/garden/plants/new", new).status_code == 303
    assert plants(planted) == ["roos", "munt", "kool"]


def test_moving_a_row_that_is_gone_or_at_its_end_changes_nothing(planted):
    before = response(planted)
    key = first(planted)
    assert planted.post(f"living/garden/plants/{key}/up").status_code == 303
    assert planted.post("living/garden/plants/gone/down").status_code == 303
    assert planted.post("living/garden/plants/gone/remove").status_code == 303
    assert response(planted) == before


# --- at the very moment of saving


def touch(visitor, **changes):
    """Change the response as another program would, which knows nothing of our forms."""
    [found] = visitor.ehr.search(Query.of("QuestionnaireResponse"))
    visitor.ehr.write(Write("update", {**found.resource, **changes}, if_match=found.etag))


def test_another_program_that_writes_in_between_loses_nothing(planted, monkeypatch):
    theirs = [{"url": "https://x.example", "valueString": "Van het dossier."}]
    at_save(monkeypatch, lambda: touch(planted, extension=theirs))
    assert fill(planted, STORY, **words("Nieuw.")).status_code == 303
    assert garden_of(planted).of("garden-story") == "Nieuw."
    assert response(planted)["extension"] == theirs


def test_a_form_that_somebody_else_begins_in_between_is_joined_not_replaced(anna, monkeypatch):
    at_save(monkeypatch, lambda: fill(anna, "living/garden/tools/", **{"garden-tools": "hark"}))
    assert fill(anna, STORY, **words("Een.")).status_code == 303
    assert garden_of(anna).answers == {"garden-story": ("Een.",), "garden-tools": ("hark",)}


def test_two_tabs_that_begin_with_the_same_question_are_asked_which_words_stay(anna, monkeypatch):
    at_save(monkeypatch, lambda: fill(anna, STORY, **words("Een.")))
    answer = fill(anna, STORY, **words("Twee."))
    assert answer.status_code == 409
    assert "Een." in answer.text
    assert fields_of(answer)["garden-story"] == "Twee."
    assert garden_of(anna).of("garden-story") == "Een."


def test_endless_changes_end_in_a_page_that_keeps_the_text(planted, monkeypatch):
    at_save(monkeypatch, lambda: touch(planted), times=99)
    answer = fill(planted, STORY, **words("Houd dit vast."))
    assert answer.status_code == 409
    assert fields_of(answer)["garden-story"] == "Houd dit vast."


@pytest.mark.parametrize(("error", "status"), [(Unreachable("no answer"), 503), (Refused("no"), 422)])
def test_a_save_that_fails_keeps_the_text_on_the_page_and_for_later(planted, monkeypatch, error, status):
    def save(self, writes):
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(Records, "save", save)
        answer = fill(planted, STORY, **words("Houd dit vast."))
    assert answer.status_code == status
    assert fields_of(answer)["garden-story"] == "Houd dit vast."
    assert fields_of(planted.get(STORY))["garden-story"] == "Houd dit vast."
    assert garden_of(planted).of("garden-story") == "Eerst."


class WithoutIds(Flaky):
    """A record that keeps no ids of items: a row has no name there but its place."""

    def write(self, write: Write, /) -> Stored:
        return super().write(replace(write, resource=without_ids(write.resource)))

    def write_all(self, writes: Sequence[Write], /) -> list[Stored]:
        return super().write_all([replace(one, resource=without_ids(one.resource)) for one in writes])


def test_a_record_without_ids_of_rows_gets_each_row_once_and_takes_changes(anna):
    anna.core.local_ehrs[anna.launch.issuer] = WithoutIds(anna.ehr)
    for plant in ("roos", "munt"):
        assert fill(anna, "living/garden/plants/new", **{"garden-plant": plant}).status_code == 303
    assert plants(anna) == ["roos", "munt"]
    assert "id" not in response(anna)["item"][0]
    fill(anna, f"living/garden/plants/{first(anna)}/", **{"garden-plant": "wilde roos"})
    anna.post(f"living/garden/plants/{first(anna)}/down")
    assert plants(anna) == ["munt", "wilde roos"]
    remove_row(anna, "garden", "plants", first(anna))
    assert plants(anna) == ["wilde roos"]


def test_another_launch_of_the_same_person_sees_and_changes_the_same_form(app, planted):
    other = launched(app)
    assert fields_of(other.get(STORY))["garden-story"] == "Eerst."
    fill(other, STORY, **words("Van een ander scherm."))
    assert garden_of(planted).of("garden-story") == "Van een ander scherm."


def test_another_person_has_a_form_of_their_own(app, planted):
    bram = launched(app, patient="bram", name="Bram")
    assert fields_of(bram.get(STORY))["garden-story"] == ""
    fill(bram, STORY, **words("Van Bram."))
    assert garden_of(planted).of("garden-story") == "Eerst."
