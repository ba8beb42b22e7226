"""Two tabs, or two people, change one plan: nothing is overwritten and nothing that was typed is lost."""

from __future__ import annotations

import pytest

from smartapp.fhir.store import Conflict, Query, Refused, Unreachable, Write
from smartapp.records import Records
from smartapp.web.typed import digest
from tests.smartapp.pages.plan.pages import fields_of, fill, stored_plan


def two_tabs(visitor, path, first, second):
    """Open a page in two tabs, save the first, then the second; return what the second gets to see."""
    one, two = fields_of(visitor.get(path)), fields_of(visitor.get(path))
    assert visitor.post(path, {**one, **first}).status_code == 303
    return visitor.post(path, {**two, **second})


def test_the_second_save_shows_both_versions_and_writes_nothing(halfway):
    answer = two_tabs(halfway, "living/story/story/", {"story-story": "Uit tab één."}, {"story-story": "Uit tab twee."})
    assert answer.status_code == 409
    assert "Uit tab één." in answer.text
    assert "Uit tab twee." in answer.text
    assert stored_plan(halfway.ehr).story == "Uit tab één."


@pytest.mark.parametrize(("choice", "kept"), [("stored", "Uit tab één."), ("typed", "Uit tab twee.")])
def test_the_person_chooses_which_version_stays(halfway, choice, kept):
    clash = two_tabs(halfway, "living/story/story/", {"story-story": "Uit tab één."}, {"story-story": "Uit tab twee."})
    answer = halfway.post("living/story/story/", {**fields_of(clash), "choice-story-story": choice})
    assert answer.status_code == 303
    assert stored_plan(halfway.ehr).story == kept


def test_the_two_versions_can_be_made_into_one(halfway):
    clash = two_tabs(halfway, "living/story/story/", {"story-story": "Eén."}, {"story-story": "Twee."})
    halfway.post(
        "living/story/story/", {**fields_of(clash), "choice-story-story": "typed", "story-story": "Eén. Twee."}
    )
    assert stored_plan(halfway.ehr).story == "Eén. Twee."


def test_without_a_choice_we_ask_again(halfway):
    clash = two_tabs(halfway, "living/story/story/", {"story-story": "Eén."}, {"story-story": "Twee."})
    again = halfway.post("living/story/story/", fields_of(clash))
    assert again.status_code == 409
    assert "Kies van elke tekst een van de twee versies." in again.text
    assert fields_of(again)["story-story"] == "Twee."
    assert stored_plan(halfway.ehr).story == "Eén."


def test_a_third_change_during_the_choice_is_not_overwritten_either(halfway):
    clash = fields_of(two_tabs(halfway, "living/story/story/", {"story-story": "Eén."}, {"story-story": "Twee."}))
    third = {"story-story": "Drie.", "seen-story-story": digest("Eén.")}
    assert halfway.post("living/story/story/", third).status_code == 303
    answer = halfway.post("living/story/story/", {**clash, "choice-story-story": "typed"})
    assert answer.status_code == 409
    assert stored_plan(halfway.ehr).story == "Drie."


def test_changes_of_different_fields_of_one_form_are_both_kept(halfway):
    answer = two_tabs(halfway, "plan/domains/meaning/all", {"now": "Eén."}, {"how": "Twee."})
    assert answer.status_code == 303
    answers = stored_plan(halfway.ehr).domains[1]
    assert (answers.now, answers.how) == ("Eén.", "Twee.")


def test_changes_on_different_pages_are_both_kept(halfway):
    story, helps = fields_of(halfway.get("living/story/story/")), fields_of(halfway.get("living/strengths/list/"))
    halfway.post("living/story/story/", {**story, "story-story": "Nieuw verhaal."})
    assert halfway.post("living/strengths/list/", {**helps, "strengths-what": "Zon"}).status_code == 303
    plan = stored_plan(halfway.ehr)
    assert (plan.story, plan.strengths) == ("Nieuw verhaal.", ("Mijn zus", "Tekenen", "Zon"))


def test_only_the_fields_that_clash_are_asked_about(halfway):
    clash = two_tabs(halfway, "plan/domains/meaning/all", {"now": "Eén."}, {"now": "Twee.", "support": "Mijn zus."})
    assert 'name="choice-now"' in clash.text
    assert 'name="choice-support"' not in clash.text
    halfway.post("plan/domains/meaning/all", {**fields_of(clash), "choice-now": "typed"})
    answers = stored_plan(halfway.ehr).domains[1]
    assert (answers.now, answers.support) == ("Twee.", "Mijn zus.")


def test_two_different_choices_of_areas_are_shown_together(halfway):
    clash = two_tabs(
        halfway,
        "plan/domains",
        {"domains": ["housing", "meaning", "finances"]},
        {"domains": ["housing", "meaning", "justice"]},
    )
    assert clash.status_code == 409
    assert set(fields_of(clash)["domains"].split(",")) == {"housing", "meaning", "finances", "justice"}
    assert [found.domain for found in stored_plan(halfway.ehr).domains] == ["housing", "finances", "meaning"]


def test_two_tabs_that_both_begin_the_plan_make_one_plan(anna):
    story, helps = fields_of(anna.get("living/story/story/")), fields_of(anna.get("living/strengths/list/"))
    assert anna.post("living/story/story/", {**story, "story-story": "Eerst dit."}).status_code == 303
    assert anna.post("living/strengths/list/", {**helps, "strengths-what": "Zon"}).status_code == 303
    plan = stored_plan(anna.ehr)
    assert (plan.story, plan.strengths) == ("Eerst dit.", ("Zon",))


# --- at the very moment of saving


def at_save(monkeypatch, act, times: int = 1):
    """Let `act` happen between reading and writing, the first `times` times."""
    real, count = Records.save, iter(range(times))

    def save(self, writes):
        if next(count, None) is not None:
            act()
        return real(self, writes)

    monkeypatch.setattr(Records, "save", save)


def touch(visitor, **changes):
    """Change the CarePlan as another program would, which knows nothing of our forms."""
    store = visitor.ehr
    found = store.search(Query.of("CarePlan"))[0]
    store.write(Write("update", {**found.resource, **changes}, if_match=found.etag))


def test_another_program_that_writes_in_between_loses_nothing(halfway, monkeypatch):
    at_save(monkeypatch, lambda: touch(halfway, description="Van het dossier."))
    assert fill(halfway, "living/story/story/", story_story="Nieuw.").status_code == 303
    assert stored_plan(halfway.ehr).story == "Nieuw."
    assert halfway.ehr.search(Query.of("CarePlan"))[0].resource["description"] == "Van het dossier."


def test_a_plan_that_somebody_else_begins_in_between_is_joined_not_replaced(anna, monkeypatch):
    def other_tab():
        monkeypatch.undo()
        fill(anna, "living/strengths/list/", strengths_what="Zon")

    at_save(monkeypatch, other_tab)
    assert fill(anna, "living/story/story/", story_story="Mijn begin.").status_code == 303
    plan = stored_plan(anna.ehr)
    assert (plan.story, plan.strengths) == ("Mijn begin.", ("Zon",))


def test_endless_changes_end_in_a_page_that_keeps_the_text(halfway, monkeypatch):
    at_save(monkeypatch, lambda: touch(halfway), times=99)
    answer = fill(halfway, "living/story/story/", story_story="Houd dit vast.")
    assert answer.status_code == 409
    assert fields_of(answer)["story-story"] == "Houd dit vast."


@pytest.mark.parametrize(
    ("error", "status"), [(Unreachable("no answer"), 503), (Refused("no"), 422), (Conflict("busy", None), 409)]
)
def test_a_save_that_fails_keeps_the_text_on_the_page_and_for_later(halfway, monkeypatch, error, status):
    def save(self, writes):
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(Records, "save", save)
        answer = fill(halfway, "living/story/story/", story_story="Houd dit vast.")
    assert answer.status_code == status
    assert fields_of(answer)["story-story"] == "Houd dit vast."
    assert fields_of(halfway.get("living/story/story/"))["story-story"] == "Houd dit vast."
    assert "bewaard." not in answer.text.partition("<main")[2].replace("nog niet bewaard.", "").replace(
        "dus niet bewaard.", ""
    )
