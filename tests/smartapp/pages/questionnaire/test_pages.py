"""Filling in, page by page: every answer is kept, nothing is called sent before it is, bad input loses nothing."""

from __future__ import annotations

import html
import re

import pytest

from mappers.answers import answers_of
from mappers.assignment import task_of
from mappers.observations import scores_from
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Conflict, Forbidden, Query, Refused, Unreachable, Write
from smartapp.records import Records
from smartapp.web.typed import LONGEST
from tests.smartapp.helpers import Visitor, launched, text_of
from tests.smartapp.pages.plan.pages import fields_of

HOOP = catalogue().instruments["hoop"]
QUESTION = "questionnaires/hoop/questions/hoop-{:02}"
TEXT = "questionnaires/sdm-visit/questions/sdm-visit-helps"
ANNA = {"reference": "Patient/anna", "display": "Anna Voorbeeld"}
JANSEN = {"reference": "Practitioner/jansen", "display": "SPV J. Jansen"}


@pytest.fixture
def anna(app) -> Visitor:
    return launched(app)


def draft(visitor: Visitor, instrument: str = "hoop") -> dict[str, str | bool]:
    """Return the answers in a draft, as the database has them."""
    found = visitor.records.drafts.get(instrument)
    return dict(answers_of(found.resource, catalogue()).values) if found else {}


def fill(visitor: Visitor, code: str = "3", upto: int = 12) -> None:
    for number in range(1, upto + 1):
        visitor.post(QUESTION.format(number), {"answer": code, "next": "1"})


def stored(visitor: Visitor, kind: str) -> list[dict]:
    """Return what the EHR holds of one type."""
    return [one.resource for one in visitor.ehr.search(Query.of(kind, patient="Patient/anna"))]


def ask(visitor: Visitor, identifier: str = "a", **more) -> dict:
    """Let a clinician ask for the HOOP and return the stored Task."""
    task = task_of(
        questionnaire=HOOP.canonical,
        title="HOOP",
        patient=ANNA,
        requester=JANSEN,
        asked_on="2026-11-16T09:00:00+01:00",
        identifier=identifier,
        **more,
    )
    return visitor.ehr.write(Write("create", task)).resource


# ---- before the first question -----------------------------------------------------------------------------------


def test_the_list_offers_every_questionnaire(anna):
    page = anna.get("questionnaires/").text
    assert all(f"/questionnaires/{name}/" in page for name in catalogue().asked)


@pytest.mark.parametrize("record", sorted(catalogue().instruments.keys() - catalogue().asked.keys()))
def test_a_form_that_two_people_fill_in_while_they_talk_is_offered_to_nobody(anna, record):
    assert f"/questionnaires/{record}/" not in anna.get("questionnaires/").text
    assert anna.get(f"questionnaires/{record}/").status_code == 404


def test_the_intro_says_how_much_how_long_and_who_reads(anna):
    page = anna.get("questionnaires/hoop/").text
    assert "12 vragen, ongeveer 3 minuten." in page
    assert "Nu zie alleen jij je antwoorden. Na het versturen: Dit lezen: behandelaar" in page
    assert "Je mag elke vraag overslaan." in page


def test_looking_at_a_question_makes_no_draft(anna):
    anna.get(QUESTION.format(1))
    assert anna.records.drafts.all() == []


def test_an_unknown_questionnaire_is_a_clear_page(anna):
    response = anna.get("questionnaires/phq9/")
    assert response.status_code == 404
    assert "Deze pagina bestaat niet" in response.text


def test_a_clinician_does_not_fill_in_for_the_client(app):
    visitor = launched(app, role="clinician")
    response = visitor.get("questionnaires/hoop/")
    assert response.status_code == 403
    assert "Deze pagina is niet voor jou" in response.text
    assert visitor.post(QUESTION.format(1), {"answer": "1"}).status_code == 403
    assert visitor.records.drafts.all() == launched(app).records.drafts.all() == []


# ---- one question ------------------------------------------------------------------------------------------------


def test_a_question_shows_progress_in_words(anna):
    assert "5 van 12 · 2 minuten" in anna.get(QUESTION.format(5)).text


def test_the_first_line_of_a_sentence_stands_above_its_end(anna):
    page = anna.get("questionnaires/mhcs/questions/mhcs-03").text
    assert page.index("Hoeveel vertrouwen heeft u erin dat u\u00a0…") < page.index(
        "doelen kunt stellen voor uzelf</h1>"
    )


@pytest.mark.parametrize(
    ("pressed", "leads_to"),
    [("next", "questions/hoop-06"), ("previous", "questions/hoop-04"), ("pause", "pause")],
)
def test_every_button_keeps_the_answer(anna, pressed, leads_to):
    response = anna.post(QUESTION.format(5), {"answer": "3", pressed: "1"})
    assert (response.status_code, response.location) == (303, anna.url(f"questionnaires/hoop/{leads_to}"))
    assert draft(anna) == {"hoop-05": "3"}


def test_next_without_an_answer_skips(anna):
    response = anna.post(QUESTION.format(5), {"next": "1"})
    assert response.location.endswith("hoop-06")
    assert anna.records.drafts.all() == []


def test_an_answer_is_chosen_when_one_comes_back(anna):
    anna.post(QUESTION.format(5), {"answer": "3", "next": "1"})
    assert re.search(r'value="3" checked', anna.get(QUESTION.format(5)).text)


def test_an_answer_can_be_taken_back(anna):
    fill(anna, upto=2)
    anna.post(QUESTION.format(1), {"answer": "3", "clear": "1"})
    assert draft(anna) == {"hoop-02": "3"}


def test_after_the_last_question_comes_the_review(anna):
    assert anna.post(QUESTION.format(12), {"answer": "3", "next": "1"}).location.endswith("/review")


def test_before_the_first_question_comes_the_intro(anna):
    assert anna.post(QUESTION.format(1), {"previous": "1"}).location.endswith("/questionnaires/hoop/")


def test_one_resumes_after_the_last_answer(anna):
    fill(anna, upto=4)
    page = anna.get("questionnaires/hoop/").text
    assert "4 van 12 beantwoord" in page
    assert re.search(r'href="[^"]*/questions/hoop-05">Verder waar je was', page)


def test_a_new_sign_in_finds_the_draft(app, anna):
    fill(anna, upto=4)
    assert "4 van 12 beantwoord" in launched(app).get("questionnaires/hoop/").text


def test_a_pause_says_what_is_kept(anna):
    fill(anna, upto=4)
    page = anna.get("questionnaires/hoop/pause").text
    assert "Je 4 antwoorden zijn bewaard." in page
    assert "Bewaard in Verstel" in page


def test_a_question_that_is_not_asked_leads_back(anna):
    address = "questionnaires/sdm-visit/questions/sdm-visit-medication-benefit"
    assert anna.get(address).location.endswith("/questionnaires/sdm-visit/")


def test_free_text_says_who_reads_it_and_is_kept_to_the_letter(anna):
    text = "  Wandelen.\n\nEn <b>muziek</b> & 🎷"
    page = anna.get(TEXT).text
    assert "Na het versturen: Dit lezen: behandelaar" in page
    assert "bel 112" in page
    anna.post(TEXT, {"answer": text.replace("\n", "\r\n"), "was": "", "next": "1"})
    assert draft(anna, "sdm-visit") == {"sdm-visit-helps": text}
    assert html.escape(text, quote=False) in anna.get(TEXT).text.replace("&#34;", '"')


def test_where_nothing_is_answered_there_is_nothing_to_look_over(anna):
    page = anna.get("questionnaires/hoop/review").text
    assert "Hier staan nu geen antwoorden." in page
    assert "Alsnog beantwoorden" not in page
    assert "Versturen" not in page
    assert 'questionnaires/hoop/">Beginnen' in page
    fill(anna, upto=2)
    page = anna.get("questionnaires/hoop/review").text
    assert page.count("Alsnog beantwoorden") == 10
    assert "Versturen" in page


# ---- bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["5", "0", "na", "3 OR 1=1", ""])
def test_an_answer_outside_the_options_is_refused_and_loses_nothing(anna, wrong):
    fill(anna, upto=2)
    response = anna.post(QUESTION.format(2), {"answer": wrong, "next": "1"})
    assert response.status_code == 422
    assert "Dit antwoord staat niet in de lijst." in response.text
    assert draft(anna) == {"hoop-01": "3", "hoop-02": "3"}


def test_an_unknown_question_is_refused_and_gives_the_text_back(anna):
    response = anna.post("questionnaires/hoop/questions/hoop-13", {"answer": "Mijn hele verhaal"})
    assert response.status_code == 404
    assert "Mijn hele verhaal" in response.text
    assert anna.records.drafts.all() == []


def test_too_long_a_text_comes_back_whole(anna):
    text = "a" * (LONGEST + 1)
    response = anna.post(TEXT, {"answer": text, "was": "", "next": "1"})
    assert response.status_code == 422
    assert text in response.text
    assert draft(anna, "sdm-visit") == {}


def test_a_draft_of_another_version_is_shown_and_taken_over(anna):
    fill(anna, upto=3)
    present = anna.records.drafts.get("hoop")
    old = present.resource | {"questionnaire": f"{HOOP.url}|0.9.0"}
    anna.records.drafts.change("hoop", lambda _present: old)
    for address in ("questionnaires/hoop/", QUESTION.format(4), "questionnaires/hoop/review"):
        assert "Deze vragenlijst is vernieuwd" in anna.get(address).text
    response = anna.post(QUESTION.format(4), {"answer": "2", "next": "1"})
    assert response.status_code == 409
    assert anna.post("questionnaires/hoop/submit").status_code == 409
    assert anna.records.drafts.get("hoop").resource == old  # nothing was touched
    anna.post("questionnaires/hoop/take-over")
    assert draft(anna) == {"hoop-01": "3", "hoop-02": "3", "hoop-03": "3"}


def test_a_form_about_somebody_else_is_refused(app, anna):
    other = launched(app, patient="bram", name="Bram", browser=anna)
    response = other.post(QUESTION.format(1), {"answer": "1", "_for": "anna"})
    assert response.status_code in {403, 409}
    assert other.records.drafts.all() == []


def test_two_people_at_one_issuer_never_share_a_draft(app, anna):
    fill(anna, upto=4)
    assert "4 van 12" not in launched(app, patient="bram", name="Bram").get("questionnaires/hoop/").text


# ---- two tabs ----------------------------------------------------------------------------------------------------


def test_two_tabs_that_answer_two_questions_keep_both(anna):
    anna.get(QUESTION.format(1))
    anna.get(QUESTION.format(2))
    anna.post(QUESTION.format(2), {"answer": "4", "next": "1"})
    anna.post(QUESTION.format(1), {"answer": "1", "next": "1"})
    assert draft(anna) == {"hoop-01": "1", "hoop-02": "4"}


def test_a_tab_that_skips_does_not_remove_what_another_answered(anna):
    anna.post(QUESTION.format(1), {"answer": "2", "next": "1"})
    anna.post(QUESTION.format(1), {"next": "1"})
    assert draft(anna) == {"hoop-01": "2"}


def was(page: str) -> str:
    return re.search(r'name="was" value="(\w*)"', page)[1]


def test_two_tabs_with_two_texts_show_both_and_overwrite_neither(anna):
    stale = was(anna.get(TEXT).text)
    anna.post(TEXT, {"answer": "Eerste tekst", "was": stale, "next": "1"})
    response = anna.post(TEXT, {"answer": "Tweede tekst", "was": stale, "next": "1"})
    assert response.status_code == 409
    assert "Eerste tekst" in response.text
    assert "Tweede tekst</textarea>" in response.text
    assert draft(anna, "sdm-visit") == {"sdm-visit-helps": "Eerste tekst"}
    # Having seen both, the person decides.
    decided = {"answer": "Eerste en tweede", "was": was(response.text), "next": "1"}
    assert anna.post(TEXT, decided).status_code == 303
    assert draft(anna, "sdm-visit") == {"sdm-visit-helps": "Eerste en tweede"}


def test_a_text_can_be_emptied_by_the_tab_that_shows_it(anna):
    anna.post(TEXT, {"answer": "Weg ermee", "was": "", "next": "1"})
    assert anna.post(TEXT, {"answer": "", "was": was(anna.get(TEXT).text), "next": "1"}).status_code == 303
    assert draft(anna, "sdm-visit") == {}


def test_a_tab_that_changes_nothing_still_shows_the_newer_text_of_another(anna):
    anna.post(TEXT, {"answer": "Oud", "was": "", "next": "1"})
    stale = was(anna.get(TEXT).text)
    anna.post(TEXT, {"answer": "Nieuw", "was": stale, "next": "1"})
    response = anna.post(TEXT, {"answer": "Oud", "was": stale, "next": "1"})
    assert response.status_code == 409
    assert "Nieuw" in response.text
    assert draft(anna, "sdm-visit") == {"sdm-visit-helps": "Nieuw"}


def test_a_text_that_another_tab_emptied_may_be_typed_again(anna):
    anna.post(TEXT, {"answer": "Oud", "was": "", "next": "1"})
    stale = was(anna.get(TEXT).text)
    anna.post(TEXT, {"answer": "", "was": stale, "next": "1"})
    assert anna.post(TEXT, {"answer": "Toch weer", "was": stale, "next": "1"}).status_code == 303
    assert draft(anna, "sdm-visit") == {"sdm-visit-helps": "Toch weer"}


# ---- autosave ----------------------------------------------------------------------------------------------------


def test_autosave_says_saved_after_it_is_in_the_database(anna):
    answer = anna.post(f"{TEXT}/autosave", {"answer": "Wandelen", "was": ""})
    assert answer.json["saved"] is True
    assert draft(anna, "sdm-visit") == {"sdm-visit-helps": "Wandelen"}


def test_autosave_goes_on_from_its_own_last_text(anna):
    first = anna.post(f"{TEXT}/autosave", {"answer": "Wandel", "was": ""}).json
    second = anna.post(f"{TEXT}/autosave", {"answer": "Wandelen", "was": first["fields"]["was"]})
    assert second.json["saved"] is True


def test_autosave_over_another_tabs_text_stops_and_says_so(anna):
    anna.post(f"{TEXT}/autosave", {"answer": "Eerste", "was": ""})
    answer = anna.post(f"{TEXT}/autosave", {"answer": "Tweede", "was": ""})
    assert answer.status_code == 409
    assert "saved" not in answer.json
    assert answer.json["stop"].startswith("In een ander tabblad")


def test_autosave_of_a_wrong_answer_is_not_called_saved(anna):
    answer = anna.post(f"{QUESTION.format(1)}/autosave", {"answer": "9"})
    assert (answer.status_code, "saved" in answer.json) == (422, False)
    assert draft(anna) == {}


def test_the_form_works_without_javascript(anna):
    page = anna.get(QUESTION.format(1)).text
    form = page[page.index("<form class") : page.index("</form>", page.index("<form class"))]
    assert 'method="post"' in form
    assert re.search(r'<button class="button"[^>]*name="next"', form)


# ---- review and sending in ---------------------------------------------------------------------------------------


def test_the_review_shows_every_answer_and_names_what_is_missing(anna):
    fill(anna, upto=10)
    page = anna.get("questionnaires/hoop/review").text
    assert "2 vragen hebben geen antwoord" in page
    assert page.count("review=1") == 12 + 2  # one way back per question, and one per missing answer
    assert "Er is nog niets verstuurd." in page


def test_changing_from_the_review_leads_back_to_it(anna):
    fill(anna)
    assert 'name="from_review"' in anna.get(f"{QUESTION.format(3)}?review=1").text
    response = anna.post(QUESTION.format(3), {"answer": "1", "from_review": "1", "next": "1"})
    assert response.location.endswith("/review")


def test_a_question_that_opens_in_the_review_is_asked_first(anna):
    response = anna.post(
        "questionnaires/sdm-visit/questions/sdm-visit-medication-uses",
        {"answer": "yes", "from_review": "1", "next": "1"},
    )
    assert "medication-benefit" in response.location


def test_nothing_answered_is_not_sent(anna):
    response = anna.post("questionnaires/hoop/submit")
    assert response.status_code == 422
    assert "Er zijn nog geen antwoorden." in response.text
    assert stored(anna, "QuestionnaireResponse") == []


def test_going_back_after_sending_does_not_say_that_nothing_was_sent(anna):
    """The browser's Back leads to the review, which has nothing to look over any more."""
    fill(anna)
    assert "Er is nog niets verstuurd." in anna.get("questionnaires/hoop/review").text
    anna.post("questionnaires/hoop/submit")
    after = anna.get("questionnaires/hoop/review").text
    assert "Er is nog niets verstuurd." not in after
    assert "Wat je eerder verstuurde, kun je teruglezen." in after


def test_sending_in_writes_response_and_scores_and_empties_the_draft(anna):
    fill(anna, "4")
    response = anna.post("questionnaires/hoop/submit")
    assert response.status_code == 303
    [sent] = stored(anna, "QuestionnaireResponse")
    assert (sent["status"], sent["questionnaire"]) == ("completed", HOOP.canonical)
    assert sent["author"]["reference"] == sent["source"]["reference"] == sent["subject"]["reference"] == "Patient/anna"
    assert re.search(r"T\d\d:\d\d:\d\d[+-]\d\d:\d\d$", sent["authored"])  # with the organisation's time zone
    points = {point.code: point for point in scores_from(stored(anna, "Observation"))}
    # Ten items count 4; items 3 and 6 are reversed and count 1: 10 × 4 + 2 × 1 = 42.
    assert points["hoop-total"].value == 42
    assert points["hoop-total"].response_reference == f"QuestionnaireResponse/{sent['id']}"
    assert anna.records.drafts.all() == []


def test_the_panel_holds_the_stored_scores(anna):
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    observations = stored(anna, "Observation")
    [panel] = [one for one in observations if "hasMember" in one]
    assert {one["reference"] for one in panel["hasMember"]} == {
        f"Observation/{one['id']}" for one in observations if one is not panel
    }


def test_after_sending_the_person_hears_where_it_is(anna):
    fill(anna)
    page = anna.get(anna.post("questionnaires/hoop/submit").location).text
    assert "Dank je wel" in page
    assert "Bewaard in het dossier bij de zorgverlener" in page
    assert anna.url("scores/hoop/") in page


def test_too_few_answers_give_no_score_and_a_reason(anna):
    fill(anna, upto=9)
    anna.post("questionnaires/hoop/submit")
    [total] = [point for point in scores_from(stored(anna, "Observation")) if point.code == "hoop-total"]
    assert total.value is None
    assert total.reason.startswith("9 van 12 vragen beantwoord")


def test_sending_twice_writes_once(anna):
    fill(anna)
    kept = anna.records.drafts.get("hoop").resource
    anna.post("questionnaires/hoop/submit")
    counts = [len(stored(anna, kind)) for kind in ("QuestionnaireResponse", "Observation")]
    anna.records.drafts.change("hoop", lambda _none: kept)  # as after a kill between sending and clearing the draft
    assert anna.post("questionnaires/hoop/submit").status_code == 303
    assert [len(stored(anna, kind)) for kind in ("QuestionnaireResponse", "Observation")] == counts


def test_other_answers_after_such_a_kill_amend_what_arrived(anna):
    """Attack 37."""
    fill(anna, "4")
    kept = anna.records.drafts.get("hoop").resource
    anna.post("questionnaires/hoop/submit")
    anna.records.drafts.change("hoop", lambda _none: kept)
    anna.post(QUESTION.format(1), {"answer": "1", "next": "1"})
    anna.post("questionnaires/hoop/submit")
    [sent] = stored(anna, "QuestionnaireResponse")
    assert sent["status"] == "amended"
    [total] = [point for point in scores_from(stored(anna, "Observation")) if point.code == "hoop-total"]
    assert (total.value, total.status) == (39, "corrected")  # 42 − 4 + 1


def test_an_answer_given_while_the_record_takes_its_time_is_not_thrown_away(anna, monkeypatch):
    """The record may take half a minute to say that it has the answers; in another tab the filling in goes on."""
    fill(anna, "4")
    save = Records.save

    def slow(records, writes, **more):
        saved = save(records, writes, **more)
        monkeypatch.setattr(Records, "save", save)
        anna.post(f"{QUESTION.format(1)}/autosave", {"answer": "1"})
        return saved

    monkeypatch.setattr(Records, "save", slow)
    answer = anna.post("questionnaires/hoop/submit")
    assert answer.status_code == 409
    assert "Er is iets veranderd" in answer.text
    assert "Er is nog niets verstuurd." not in answer.text
    assert "Wat je veranderde, is nog niet verstuurd." in answer.text
    assert anna.post("questionnaires/hoop/submit").status_code == 303
    [sent] = stored(anna, "QuestionnaireResponse")
    assert (sent["status"], answers_of(sent, catalogue()).values["hoop-01"]) == ("amended", "1")
    assert anna.records.drafts.get("hoop") is None


def form_of(page: str) -> dict[str, str]:
    """Return the hidden fields of the form that sends in."""
    return {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("identifier", "seen")}


def test_a_second_press_finds_that_it_was_sent(anna):
    fill(anna)
    form = form_of(anna.get("questionnaires/hoop/review").text)
    first = anna.post("questionnaires/hoop/submit", form)
    second = anna.post("questionnaires/hoop/submit", form)
    assert (second.status_code, second.location) == (303, first.location)
    assert len(stored(anna, "QuestionnaireResponse")) == 1


def test_nothing_is_sent_that_the_person_has_not_seen(anna):
    fill(anna)
    form = form_of(anna.get("questionnaires/hoop/review").text)
    anna.post(QUESTION.format(1), {"answer": "1", "next": "1"})  # in another tab
    response = anna.post("questionnaires/hoop/submit", form)
    assert response.status_code == 409
    assert "Er is iets veranderd sinds je deze pagina opende." in response.text
    assert stored(anna, "QuestionnaireResponse") == []


@pytest.mark.parametrize("identifier", ["a,b", "a|b", "*", "x" * 65, ""])
def test_an_identifier_cannot_ask_the_record_something_else(anna, identifier):
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    response = anna.post("questionnaires/hoop/submit", {"identifier": identifier})
    assert response.status_code == 422
    assert "Er zijn nog geen antwoorden." in response.text
    assert len(stored(anna, "QuestionnaireResponse")) == 1


def test_a_press_after_sending_has_nothing_to_send(anna):
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    assert anna.post("questionnaires/hoop/submit").status_code == 422
    assert len(stored(anna, "QuestionnaireResponse")) == 1


WRONG = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invariant"}]}


@pytest.mark.parametrize("error", [Refused("no", outcome=WRONG), Conflict("stale", current=None)])
def test_what_the_record_refuses_is_not_called_sent_and_stays(anna, error):
    """A correction belongs where the first answers are: refused there, it has nowhere else to go."""
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    [sent] = stored(anna, "QuestionnaireResponse")
    anna.post(f"questionnaires/responses/{sent['id']}/correct")
    anna.post(QUESTION.format(1), {"answer": "1", "next": "1"})
    flaky = anna.make_flaky()
    flaky.error = error
    response = anna.post("questionnaires/hoop/submit")
    assert response.status_code == 502
    assert "Je antwoorden zijn nog niet verstuurd. Ze staan hier veilig." in response.text
    assert draft(anna) == {**dict.fromkeys((item.link_id for item in HOOP.items), "3"), "hoop-01": "1"}
    assert stored(anna, "QuestionnaireResponse") == [sent]
    flaky.error = None
    assert anna.post("questionnaires/hoop/submit").status_code == 303
    assert [one["status"] for one in stored(anna, "QuestionnaireResponse")] == ["amended"]


@pytest.mark.parametrize("error", [Refused("no"), Forbidden("no"), Refused("no", status=405)])
def test_a_correction_that_the_record_never_takes_is_a_response_of_its_own(anna, error):
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    [sent] = stored(anna, "QuestionnaireResponse")
    anna.post(f"questionnaires/responses/{sent['id']}/correct")
    anna.post(QUESTION.format(1), {"answer": "1", "next": "1"})
    anna.make_flaky().no_updates = error
    page = anna.get(anna.post("questionnaires/hoop/submit").location)
    assert "Je antwoorden zijn aangekomen." in page.text
    assert draft(anna) == {}
    first, second = stored(anna, "QuestionnaireResponse")
    assert first == sent
    assert (second["status"], second["identifier"]["value"]) == ("completed", f"{sent['identifier']['value']}.2")
    totals = [one for one in stored(anna, "Observation") if one["code"]["coding"][0]["code"] == "hoop-total"]
    assert [one["derivedFrom"][0]["reference"].partition("/")[2] for one in totals] == [first["id"], second["id"]]
    again = anna.post("questionnaires/hoop/submit", {"identifier": sent["identifier"]["value"]})
    assert f"/responses/{second['id']}?" in again.location


def test_a_record_that_is_away_gets_the_answers_later(anna):
    task = ask(anna)
    fill(anna)
    flaky = anna.make_flaky()
    flaky.error = Unreachable("away")
    location = anna.post("questionnaires/hoop/submit").location
    page = anna.get(location).text
    assert "Je antwoorden zijn onderweg." in page
    assert "aangekomen" not in page
    assert task["id"] not in anna.get("").text  # it no longer waits for the client
    assert "vroeg je dit" not in anna.get("").text
    assert stored(anna, "QuestionnaireResponse") == []
    flaky.error = None
    anna.courier_comes()
    assert len(stored(anna, "QuestionnaireResponse")) == 1
    assert "Je antwoorden zijn aangekomen." in anna.get(location).text


def test_what_was_just_sent_in_can_be_read_while_the_record_is_silent(anna):
    fill(anna)
    flaky = anna.make_flaky()
    flaky.silence = flaky.error = Unreachable("silent")
    page = anna.get(anna.post("questionnaires/hoop/submit").location)
    assert page.status_code == 200
    assert "Je antwoorden zijn onderweg." in page.text


def test_filling_in_goes_on_while_the_record_is_away(anna):
    fill(anna, upto=2)
    anna.make_flaky().silence = Unreachable("away")
    for address in ("", "questionnaires/"):
        page = anna.get(address).text
        assert "We kunnen je dossier nu niet bereiken" in page
        assert "2 van 12 beantwoord" in page
    assert "2 van 12 beantwoord" in anna.get("questionnaires/hoop/").text
    assert anna.get("questionnaires/hoop/review").status_code == 200
    assert anna.post(QUESTION.format(3), {"answer": "1", "next": "1"}).status_code == 303
    assert len(draft(anna)) == 3


# ---- assignments -------------------------------------------------------------------------------------------------


def test_an_assignment_says_who_asks_and_why(anna):
    ask(anna, due="2099-12-01", message="Fijn voor ons gesprek.")
    for address in ("questionnaires/", "questionnaires/hoop/", ""):
        page = anna.get(address).text
        assert "SPV J. Jansen vroeg je dit op 16 november 2026." in page
        assert "1 december 2099" in page
        assert "Fijn voor ons gesprek." in page


def test_a_day_that_is_over_is_not_asked_for(anna):
    ask(anna, due="2026-01-31", message="Fijn voor ons gesprek.")
    for address in ("questionnaires/", "questionnaires/hoop/", ""):
        page = anna.get(address).text
        assert "Fijn voor ons gesprek." in page
        assert "31 januari 2026" not in page


# ---- when it was last filled in ----------------------------------------------------------------------------------


def test_a_questionnaire_that_was_just_sent_says_so(anna):
    assert "Net verstuurd" not in anna.get("questionnaires/").text
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    [sent] = stored(anna, "QuestionnaireResponse")
    for address in ("questionnaires/", "questionnaires/hoop/"):
        page = anna.get(address).text
        assert "Net verstuurd" in page
        assert f"/answers/{sent['id']}/" in page
    assert "Net verstuurd" not in anna.get("questionnaires/nel/").text


def test_a_questionnaire_says_when_it_was_last_filled_in(anna):
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    [sent] = stored(anna, "QuestionnaireResponse")
    for day, status in (("2024-03-01", "completed"), ("2025-03-01", "amended"), ("2025-04-01", "in-progress")):
        anna.ehr.write(Write("create", {**sent, "authored": f"{day}T12:00:00+01:00", "status": status}))
    anna.ehr.write(Write("update", {**sent, "status": "entered-in-error"}))
    assert "Laatst ingevuld op 1 maart 2025." in anna.get("questionnaires/").text


def test_while_it_is_filled_in_again_the_time_before_is_not_in_the_way(anna):
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    anna.post(QUESTION.format(1), {"answer": "2", "next": "1"})
    assert "Net verstuurd" not in anna.get("questionnaires/hoop/").text


@pytest.mark.parametrize("instrument", [one for one in catalogue().asked if one != "sdm-visit"])
def test_the_list_says_so_for_each_questionnaire_and_for_no_other(anna, instrument):
    first = next(item for item in catalogue().asked[instrument].items if item.enable_when is None)
    value = first.scale.options[0].code if first.scale else "Dit."
    anna.post(f"questionnaires/{instrument}/questions/{first.link_id}", {"answer": value, "next": "1"})
    anna.post(f"questionnaires/{instrument}/submit")
    page = anna.get("questionnaires/").text
    [row] = [row for row in page.split("<li>") if "Net verstuurd" in row]
    assert f"/questionnaires/{instrument}/" in row


def test_one_that_is_asked_for_again_says_too_that_it_was_just_sent(anna):
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    anna.courier_comes()
    ask(anna, "b")
    for address in ("questionnaires/", "questionnaires/hoop/"):
        page = anna.get(address).text
        assert "SPV J. Jansen vroeg je dit" in page
        assert "Net verstuurd" in page


def test_what_is_on_its_way_was_just_sent_also_while_the_record_is_silent(anna):
    fill(anna)
    flaky = anna.make_flaky()
    flaky.silence = flaky.error = Unreachable("silent")
    anna.post("questionnaires/hoop/submit")
    for address in ("questionnaires/", "questionnaires/hoop/"):
        page = anna.get(address).text
        assert "Net verstuurd" in page
        there = re.search(r'href="[^"]*/(questionnaires/responses/[^"]+)">Je antwoorden lezen', page)
        assert there, "there is no way to read them"
        read = anna.get(there[1])
        assert "Je antwoorden zijn onderweg." in read.text
        assert read.text.count("<strong>") == 12
    flaky.silence = flaky.error = None
    anna.courier_comes()
    assert "Je antwoorden zijn aangekomen." in anna.get(there[1]).text  # by the address that it had while it waited


def test_who_goes_back_after_sending_sees_why_the_questions_are_empty_and_sends_nothing_twice(anna):
    fill(anna)
    sent_from = fields_of(anna.get("questionnaires/hoop/review"))
    anna.get(anna.post("questionnaires/hoop/submit").location)
    review = anna.get("questionnaires/hoop/review").text
    assert "Net verstuurd" in review
    assert "Toch beantwoorden" not in review
    assert "Versturen</button>" not in review
    for address in (QUESTION.format(12), "questionnaires/hoop/parts/hoop-statements"):
        assert "Wat je hier antwoordt, is een nieuwe keer." in anna.get(address).text
    anna.post(QUESTION.format(12), {"next": "1"})  # going on from there without a choice begins nothing
    assert draft(anna) == {}
    assert anna.post("questionnaires/hoop/submit", sent_from).status_code == 303
    assert len(stored(anna, "QuestionnaireResponse")) == 1


def test_who_fills_in_once_more_is_told_nothing_of_the_last_time_any_more(anna):
    fill(anna)
    anna.get(anna.post("questionnaires/hoop/submit").location)
    anna.post(QUESTION.format(1), {"answer": "2", "next": "1"})
    assert "Net verstuurd" not in anna.get(QUESTION.format(2)).text
    review = anna.get("questionnaires/hoop/review").text
    assert "Net verstuurd" not in review
    assert "Versturen</button>" in review


def test_answering_completes_the_assignment_as_soon_as_the_courier_comes(anna):
    ask(anna)
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    assert "vroeg je dit" not in anna.get("").text  # no page asks again meanwhile
    anna.courier_comes()
    [task] = stored(anna, "Task")
    [sent] = stored(anna, "QuestionnaireResponse")
    assert task["status"] == "completed"
    assert task["output"][0]["valueReference"]["reference"] == f"QuestionnaireResponse/{sent['id']}"


def test_an_assignment_changed_in_between_does_not_stop_the_answers(anna, monkeypatch):
    task = ask(anna)
    fill(anna)

    real, calls = Records.write_now, []

    def write_now(self, write, place):
        if not calls:
            calls.append(1)
            anna.ehr.write(Write("update", task | {"priority": "urgent"}))
        real(self, write, place)

    monkeypatch.setattr(Records, "write_now", write_now)
    assert anna.post("questionnaires/hoop/submit").status_code == 303
    anna.courier_comes()
    [changed] = stored(anna, "Task")
    assert (changed["status"], changed["priority"]) == ("completed", "urgent")
    assert len(stored(anna, "QuestionnaireResponse")) == 1


# ---- reading back ------------------------------------------------------------------------------------------------


def test_what_was_sent_can_be_read_back(anna):
    fill(anna, "4")
    anna.post("questionnaires/hoop/submit")
    [sent] = stored(anna, "QuestionnaireResponse")
    there = anna.get(f"questionnaires/responses/{sent['id']}").location  # the address it had before
    assert there.endswith(f"/answers/{sent['id']}/")
    page = anna.get(f"answers/{sent['id']}/").text
    assert page.count("<strong>Sterk mee eens</strong>") == 12


def test_a_sent_response_can_be_corrected_and_its_scores_follow(anna):
    fill(anna, "4")
    anna.post("questionnaires/hoop/submit")
    [before] = stored(anna, "QuestionnaireResponse")
    page = anna.get(f"answers/{before['id']}/").text
    assert "Mijn antwoorden verbeteren" in page
    review = anna.post(f"questionnaires/responses/{before['id']}/correct").location
    assert "Je verbetert wat je op" in anna.get(review).text
    anna.post(QUESTION.format(1), {"answer": "1", "from_review": "1", "next": "1"})
    anna.post("questionnaires/hoop/submit")
    [after] = stored(anna, "QuestionnaireResponse")
    assert (after["status"], after["authored"]) == ("amended", before["authored"])
    [total] = [point for point in scores_from(stored(anna, "Observation")) if point.code == "hoop-total"]
    assert (total.value, total.status, total.date) == (39, "corrected", before["authored"])  # 42 − 4 + 1
    [panel] = [one for one in stored(anna, "Observation") if "hasMember" in one]
    assert f"Observation/{total.id}" in {member["reference"] for member in panel["hasMember"]}


def test_a_correction_without_a_change_changes_nothing(anna):
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    [before] = stored(anna, "QuestionnaireResponse")
    anna.post(f"questionnaires/responses/{before['id']}/correct")
    anna.post("questionnaires/hoop/submit")
    assert stored(anna, "QuestionnaireResponse") == [before]


def test_an_unfinished_questionnaire_is_not_pushed_aside_by_a_correction(anna):
    fill(anna, "4")
    anna.post("questionnaires/hoop/submit")
    [sent] = stored(anna, "QuestionnaireResponse")
    anna.post(QUESTION.format(1), {"answer": "2", "next": "1"})
    assert "Mijn antwoorden verbeteren" not in anna.get(f"answers/{sent['id']}/").text
    assert anna.post(f"questionnaires/responses/{sent['id']}/correct").status_code == 404
    assert draft(anna) == {"hoop-01": "2"}


def test_a_response_in_which_another_program_answered_too_is_not_rewritten_without_that(anna):
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    [sent] = stored(anna, "QuestionnaireResponse")
    own_item = {"linkId": "department", "text": "Afdeling", "answer": [{"valueString": "Oost"}]}
    changed = anna.ehr.write(Write("update", {**sent, "item": [*sent["item"], own_item]})).resource
    page = text_of(anna.get(f"answers/{sent['id']}/"))
    assert "Mijn antwoorden verbeteren" not in page
    assert "Verbeteren kan alleen daar." in page
    assert anna.post(f"questionnaires/responses/{sent['id']}/correct").status_code == 404
    assert draft(anna) == {}
    assert stored(anna, "QuestionnaireResponse") == [changed]


def test_what_another_program_answers_while_a_correction_is_open_stays_when_that_is_sent(anna):
    fill(anna, "4")
    anna.post("questionnaires/hoop/submit")
    [sent] = stored(anna, "QuestionnaireResponse")
    anna.post(f"questionnaires/responses/{sent['id']}/correct")
    anna.post(QUESTION.format(1), {"answer": "1", "from_review": "1", "next": "1"})
    own_item = {"linkId": "department", "text": "Afdeling", "answer": [{"valueString": "Oost"}]}
    anna.ehr.write(Write("update", {**sent, "item": [*sent["item"], own_item]}))
    assert anna.post("questionnaires/hoop/submit").status_code == 303
    [after] = stored(anna, "QuestionnaireResponse")
    assert (after["status"], after["item"][-1]) == ("amended", own_item)
    read = answers_of(after, catalogue())
    assert (read.values["hoop-01"], read.others) == ("1", 1)
    [total] = [point for point in scores_from(stored(anna, "Observation")) if point.code == "hoop-total"]
    assert total.value == 39  # 42 − 4 + 1


def test_a_response_that_was_taken_back_while_its_correction_was_open_stays_taken_back(anna):
    fill(anna, "4")
    anna.post("questionnaires/hoop/submit")
    [sent] = stored(anna, "QuestionnaireResponse")
    anna.post(f"questionnaires/responses/{sent['id']}/correct")
    anna.post(QUESTION.format(1), {"answer": "1", "from_review": "1", "next": "1"})
    anna.ehr.write(Write("update", {**sent, "status": "entered-in-error"}))
    anna.post("questionnaires/hoop/submit")
    assert [one["status"] for one in stored(anna, "QuestionnaireResponse")] == ["entered-in-error"]
    assert draft(anna)["hoop-01"] == "1"


def test_a_response_that_cannot_be_read_anymore_is_not_corrected(anna):
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    [sent] = stored(anna, "QuestionnaireResponse")
    strange = {"linkId": "hoop-99", "answer": [{"valueInteger": 2}]}
    anna.ehr.write(Write("update", {**sent, "item": [*sent["item"], strange]}))
    assert anna.post(f"questionnaires/responses/{sent['id']}/correct").status_code == 404
    assert draft(anna) == {}


def test_a_response_of_another_program_is_not_corrected_here(anna):
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    [sent] = stored(anna, "QuestionnaireResponse")
    anna.ehr.write(Write("update", {name: value for name, value in sent.items() if name != "identifier"}))
    assert "Verbeteren kan alleen daar." in text_of(anna.get(f"answers/{sent['id']}/"))
    assert anna.post(f"questionnaires/responses/{sent['id']}/correct").status_code == 404


def test_somebody_else_corrects_nothing(app, anna):
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    [sent] = stored(anna, "QuestionnaireResponse")
    other = launched(app, patient="bram", name="Bram")
    assert other.post(f"questionnaires/responses/{sent['id']}/correct").status_code == 404
    assert other.records.drafts.all() == []


def test_somebody_elses_response_does_not_exist_here(app, anna):
    fill(anna)
    anna.post("questionnaires/hoop/submit")
    [sent] = stored(anna, "QuestionnaireResponse")
    other = launched(app, patient="bram", name="Bram")
    response = other.get(f"questionnaires/responses/{sent['id']}")
    assert response.status_code == 404
    assert "Deze pagina bestaat niet" in response.text
    assert "HOOP" not in response.text


def test_a_response_to_a_questionnaire_we_do_not_know_is_shown_as_it_is(anna):
    made = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "https://example.org/Questionnaire/other|1",
        "subject": ANNA,
        "item": [{"linkId": "1", "text": "Een vraag", "answer": [{"valueString": "<i>Een antwoord</i>"}]}],
    }
    record = anna.ehr.write(Write("create", made)).resource
    page = anna.get(f"answers/{record['id']}/").text
    assert "Een vraag" in page
    assert "&lt;i&gt;Een antwoord" in page


def test_beginning_again_asks_first(anna):
    fill(anna, upto=3)
    assert "Je 3 antwoorden tot nu toe zijn dan voorgoed weg." in anna.get("questionnaires/hoop/again").text
    assert len(draft(anna)) == 3
    anna.post("questionnaires/hoop/again")
    assert draft(anna) == {}


# ---- both languages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "questionnaires/", "questionnaires/hoop/", QUESTION.format(1), "scores/"])
def test_a_page_exists_in_english(anna, path):
    page = anna.get(f"{path}?lang=en").text
    assert '<html lang="en">' in page
    assert "This is the place of Anna Voorbeeld" in page


def test_an_english_reader_gets_english_questions(anna):
    page = anna.get(f"{QUESTION.format(1)}?lang=en").text
    assert HOOP.item("hoop-01").text.en in html.unescape(page)


TICKS = "sdm-visit-purpose-{}"
TICK_LIST = f"questionnaires/sdm-visit/questions/{TICKS.format('information')}"


def test_something_that_is_not_on_a_tick_list_is_named_and_what_was_ticked_is_kept(anna):
    ticked = [TICKS.format("plan"), "<castles>", TICKS.format("support")]
    answer = anna.post(TICK_LIST, {"answer": ticked, "next": "1"})
    assert answer.status_code == 422
    assert "‘&lt;castles&gt;’ staat niet op deze lijst. Wat je aankruiste, is bewaard." in answer.text
    assert re.findall(r'value="sdm-visit-purpose-([a-z]+)" checked', answer.text) == ["plan", "support"]
    # The person is still on the list: what they did not tick is no answer yet.
    assert draft(anna, "sdm-visit") == {TICKS.format("plan"): True, TICKS.format("support"): True}
    assert anna.post(TICK_LIST, {"answer": ticked[:1], "next": "1"}).status_code == 303
    assert draft(anna, "sdm-visit")[TICKS.format("support")] is False


def test_the_script_is_told_too_what_is_not_on_the_list(anna):
    answer = anna.post(f"{TICK_LIST}/autosave", {"answer": [TICKS.format("plan"), "castles"]})
    assert answer.status_code == 422
    assert "castles" in answer.json["stop"]
    assert draft(anna, "sdm-visit") == {TICKS.format("plan"): True}
