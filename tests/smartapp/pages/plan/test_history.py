"""Earlier versions of the plan: which there were, by whom and when, and put back in one press."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from smartapp.fhir.capabilities import Capability
from smartapp.fhir.store import NotFound, Query, Write
from smartapp.web import versions
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.plan.conftest import HALFWAY, put
from tests.smartapp.pages.plan.pages import fields_of, fill, put_back, stored_plan


def goal_path(visitor) -> str:
    return f"plan/goals/{stored_plan(visitor.ehr).goals[0].id}/"


def test_a_story_of_before_is_put_back_and_the_one_of_now_becomes_an_earlier_one(halfway):
    fill(halfway, "living/story/story/", story_story="Ik ben nu hier.")
    back = put_back(halfway, "Ik ben opgegroeid in Zwolle.")
    assert back.status_code == 303
    assert stored_plan(halfway.ehr).story == HALFWAY.story
    assert "Je verhaal is bewaard." in halfway.get(back.location).text
    assert "Ik ben nu hier." in text_of(halfway.get("plan/history"))


def test_it_says_who_wrote_and_changed_a_version_and_when_and_guesses_nobody(halfway):
    fill(halfway, "living/story/story/", story_story="Ik ben nu hier.")
    fill(halfway, "living/story/story/", story_story="Ik ben nog hier.")
    page = text_of(halfway.get("plan/history"))
    first, second = page.split("Ik ben nu hier.")[1], page.split("Ik ben opgegroeid")[1]
    assert re.match(r" *Geschreven op [^.]* door jou\. Veranderd op [^.]* door jou\.", first)
    assert "Door wie, weet deze app niet. Veranderd op" in second.split("Zet dit terug")[0]


def test_what_someone_else_changed_through_the_app_has_their_name(app, halfway):
    record = halfway.ehr.search(Query.of("CarePlan"))[0]
    clinician = launched(app, role="clinician")
    clinician.records.search(Query.of("CarePlan", patient="Patient/anna"))
    told = {**record.resource["extension"][0], "valueString": "Van mijn begeleider."}
    changed = {**record.resource, "extension": [told, *record.resource["extension"][1:]]}
    clinician.records.save([Write("update", changed, if_match=record.etag)])
    page = text_of(halfway.get("plan/history"))
    assert f"door {clinician.launch.user.display}." in page
    assert "door jou" not in page


def test_words_that_are_gone_are_marked(halfway):
    fill(halfway, "living/story/story/", story_story=HALFWAY.story.replace("Zwolle", "Deventer"))
    assert re.findall(r"<mark>(.*?)</mark>", halfway.get("plan/history").text) == [" Zwolle."]


def test_putting_back_does_not_overwrite_what_another_screen_wrote_meanwhile(app, halfway):
    fill(halfway, "living/story/story/", story_story="Ik ben nu hier.")
    page = halfway.get("plan/history")
    fill(launched(app), "living/story/story/", story_story="Van een ander scherm.")
    fields = {**fields_of(page), "story-story": HALFWAY.story, "seen-story-story": fields_of(page)["seen-story-story"]}
    answer = halfway.client.post(halfway.url("living/story/story/"), data=fields)
    assert answer.status_code == 409
    assert stored_plan(halfway.ehr).story == "Van een ander scherm."


def test_words_typed_and_not_saved_stay_when_something_is_put_back(halfway):
    fill(halfway, "living/story/story/", story_story="Ik ben nu hier.")
    halfway.post("living/story/story/", {"story-story": "Nog niet af"}, headers={"Accept": "application/json"})
    put_back(halfway, "Ik ben opgegroeid in Zwolle.")
    assert "Nog niet af" in halfway.get("living/story/story/").text


def test_lists_and_answers_have_their_versions_too(halfway):
    [row, *_] = re.findall(r'href="[^"]*/(living/strengths/list/[^"/]+/)"', halfway.get("living/strengths/").text)
    assert halfway.post(f"{row}remove").status_code == 303
    fill(halfway, "plan/domains/housing/support", support="")
    put_back(halfway, "Mijn zus")
    put_back(halfway, "Elke week komt Jaap.")
    plan = stored_plan(halfway.ehr)
    assert set(plan.strengths) == set(HALFWAY.strengths)
    assert plan.domains[0] == HALFWAY.domains[0]


def test_the_answers_of_an_area_that_left_the_plan_bring_it_back(halfway):
    fill(halfway, "plan/domains", domains="meaning", remove="1")
    assert [one.domain for one in stored_plan(halfway.ehr).domains] == ["meaning"]
    assert put_back(halfway, "Ik woon fijn.").status_code == 303
    put_back(halfway, "Elke week komt Jaap.")
    assert HALFWAY.domains[0] in stored_plan(halfway.ehr).domains


def test_the_words_of_a_goal_and_a_step_are_put_back(halfway):
    path = goal_path(halfway)
    step = stored_plan(halfway.ehr).goals[0].steps[0]
    before = stored_plan(halfway.ehr)
    fill(halfway, f"{path}words", text="Fietsen", domain="housing", due="")
    fill(halfway, f"{path}steps/{step.id}", text="Een fiets kopen", who="")
    put_back(halfway, "Weer leren zwemmen", f"{path}history")
    put_back(halfway, "Een badpak kopen", f"{path}history")
    assert stored_plan(halfway.ehr) == before


def test_what_was_taken_out_stands_there_to_be_put_back(app, halfway):
    path = goal_path(halfway)
    step = stored_plan(halfway.ehr).goals[0].steps[1]
    halfway.post(f"{path}steps/{step.id}/remove")
    cat = stored_plan(halfway.ehr).goals[1]
    halfway.post(f"plan/goals/{cat.id}/remove")
    later = launched(app)
    put_back(later, "Bellen met het zwembad")
    put_back(later, "Een kat")
    plan = stored_plan(halfway.ehr)
    assert [goal.text for goal in plan.goals] == ["Weer leren zwemmen", "Een kat"]
    assert {step.text for step in plan.goals[0].steps} == {"Een badpak kopen", "Bellen met het zwembad"}
    assert "Uit je plan gehaald" not in later.get("plan/history").text


def test_a_plan_of_one_version_says_that_there_is_nothing_yet(halfway):
    assert "nog geen andere woorden" in halfway.get("plan/history").text
    assert "nog geen andere woorden" in halfway.get(f"{goal_path(halfway)}history").text


@pytest.mark.parametrize("how", ["not offered", "refused"])
def test_where_the_record_gives_no_versions_the_page_says_so_and_nothing_breaks(halfway, monkeypatch, how):
    fill(halfway, "living/story/story/", story_story="Ik ben nu hier.")
    if how == "not offered":
        can = Capability.can
        monkeypatch.setattr(Capability, "can", lambda self, *what: what[1] != "history-instance" and can(self, *what))
    else:

        def refuse(*_what):
            raise NotFound("No history here.")

        monkeypatch.setattr(type(halfway.ehr), "history", refuse)
    for path in ("plan/history", f"{goal_path(halfway)}history"):
        page = halfway.get(path)
        assert page.status_code == 200
        assert "laat ons geen eerdere versies lezen" in page.text


def test_in_our_own_store_versions_are_there_too(app):
    reader = launched(app, scopes="openid patient/*.rs")
    fill(reader, "living/story/story/", story_story="Eerst dit.")
    fill(reader, "living/story/story/", story_story="Toen dat.")
    put_back(reader, "Eerst dit.")
    assert "Eerst dit." in fields_of(reader.get("living/story/story/"))["story-story"]
    assert reader.ehr.search(Query.of("CarePlan")) == []


def test_nobody_elses_versions_are_shown_and_no_clinician_comes_here(app, halfway):
    fill(halfway, "living/story/story/", story_story="Ik ben nu hier.")
    assert launched(app, role="clinician").get("plan/history").status_code == 403
    bram = launched(app, "bram", name="Bram Voorbeeld")
    assert "Zwolle" not in bram.get("plan/history").text


def test_reading_versions_is_in_the_log_only_as_what_was_read(app, halfway):
    """A client's own looks are the line of their sign-in; nothing of the page itself is written."""
    put(halfway.ehr, replace(HALFWAY, id="urn:uuid:00000000-0000-4000-8000-000000000099", goals=()))
    before = len(list(halfway.core.audit.entries()))
    halfway.get("plan/history")
    assert len(list(halfway.core.audit.entries())) == before


def test_versions_of_long_ago_are_on_older_pages_and_each_is_put_back_from_there(app, halfway, monkeypatch):
    monkeypatch.setattr(versions, "MOST_VERSIONS", 3)
    for number in range(1, 7):
        fill(halfway, "living/story/story/", story_story=f"Verhaal {number}.")
    # Seven versions: the one that each page begins with ended the last one of the page before.
    said = []
    for older in ("", "?older=1", "?older=2"):
        page = text_of(halfway.get(f"plan/history{older}"))
        said.append(re.findall(r"Verhaal \d|Ik ben opgegroeid", page))
        assert ("Oudere versies" in page, "Nieuwere versies" in page) == (older != "?older=2", older != "")
    assert said == [["Verhaal 5", "Verhaal 4"], ["Verhaal 3", "Verhaal 2", "Verhaal 1"], ["Ik ben opgegroeid"]]
    put_back(halfway, "Ik ben opgegroeid in Zwolle.", "plan/history?older=2")
    assert stored_plan(halfway.ehr).story == HALFWAY.story


def test_older_versions_of_a_goal_have_their_pages_too(halfway, monkeypatch):
    monkeypatch.setattr(versions, "MOST_VERSIONS", 2)
    path = goal_path(halfway)
    for words in ("Fietsen", "Lopen"):
        fill(halfway, f"{path}words", text=words)
    assert "Oudere versies" in halfway.get(f"{path}history").text
    page = text_of(halfway.get(f"{path}history?older=1"))
    assert "Weer leren zwemmen" in page
    assert "Oudere versies" not in page


@pytest.mark.parametrize("older", ["-1", "x", "", "99999999999999999999"])
def test_a_page_that_is_none_is_no_trouble(halfway, older):
    fill(halfway, "living/story/story/", story_story="Ik ben nu hier.")
    assert halfway.get(f"plan/history?older={older}").status_code == 200
