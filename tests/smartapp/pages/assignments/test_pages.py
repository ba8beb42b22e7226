"""A clinician asks for a questionnaire, sees what waits, and takes it back; a client can not."""

from __future__ import annotations

import re

import pytest

from mappers.assignment import answered, assignment_of
from smartapp.fhir.store import Conflict, Query, Refused, Unreachable, Write
from smartapp.records import Records
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.plan.pages import fields_of


@pytest.fixture
def clinician(app):
    """A clinician who opened Anna's record."""
    return launched(app, role="clinician")


def tasks(visitor):
    return [one.resource for one in visitor.ehr.search(Query.of("Task"))]


def ask(visitor, **typed):
    return visitor.post("assignments/new", {**fields_of(visitor.get("assignments/new")), **typed})


def test_a_questionnaire_that_was_asked_for_is_a_task_for_the_client(clinician):
    answer = ask(clinician, questionnaire="hoop", due="2099-01-31", message="Voor dinsdag.")
    assert answer.status_code == 303
    (task,) = tasks(clinician)
    found = assignment_of(task)
    assert (found.instrument, found.due, found.message, found.status) == (
        "hoop",
        "2099-01-31",
        "Voor dinsdag.",
        "requested",
    )
    assert task["for"] == {"reference": "Patient/anna", "display": "Anna Voorbeeld"}
    assert task["requester"] == {"reference": "Practitioner/jansen", "display": "SPV J. Jansen"}
    page = clinician.client.get(answer.location).text
    assert "De vragenlijst staat klaar voor de cliënt." in page


def test_date_and_message_may_stay_empty(clinician):
    assert ask(clinician, questionnaire="hoop").status_code == 303
    assert assignment_of(tasks(clinician)[0]).due is None


def test_in_another_language_nothing_typed_is_lost_and_nothing_is_asked_yet(clinician):
    typed = {"questionnaire": "hoop", "due": "2099-01-31", "message": "Voor dinsdag."}
    opened = fields_of(clinician.get("assignments/new"))
    page = clinician.post("assignments/new?lang=en", {**opened, **typed, "look": "1"})
    assert page.status_code == 200
    assert "By when?" in page.text
    shown = fields_of(page)
    assert {name: shown[name] for name in typed} == typed
    assert shown["key"] == opened["key"]
    assert tasks(clinician) == []


def test_the_client_finds_it_on_the_start_page(app, clinician):
    ask(clinician, questionnaire="hoop")
    assert "questionnaires/hoop" in launched(app).get("").text


def test_a_questionnaire_that_waits_is_not_asked_for_twice(clinician):
    ask(clinician, questionnaire="hoop")
    answer = ask(clinician, questionnaire="hoop", message="Nog eens")
    assert answer.status_code == 409
    assert "Deze vragenlijst staat al klaar" in answer.text
    assert fields_of(answer)["message"] == "Nog eens"
    assert len(tasks(clinician)) == 1


def test_a_form_that_is_sent_twice_asks_once(clinician):
    form = {**fields_of(clinician.get("assignments/new")), "questionnaire": "hoop"}
    assert clinician.post("assignments/new", form).status_code == 303
    assert clinician.post("assignments/new", form).status_code == 303
    assert len(tasks(clinician)) == 1


def test_after_it_is_filled_in_it_can_be_asked_for_again(clinician):
    ask(clinician, questionnaire="hoop")
    stored = clinician.ehr.search(Query.of("Task"))[0]
    done = answered(stored.resource, "QuestionnaireResponse/1", "HOOP")
    clinician.ehr.write(Write("update", done, if_match=stored.etag))
    assert ask(clinician, questionnaire="hoop").status_code == 303
    assert len(tasks(clinician)) == 2


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({}, "Kies een vragenlijst."),
        ({"questionnaire": "phq-9"}, "Kies een vragenlijst."),
        ({"questionnaire": "hoop", "due": "morgen"}, "We herkennen deze datum niet."),
        ({"questionnaire": "hoop", "due": "2020-01-01"}, "Deze dag is voorbij."),
        ({"questionnaire": "hoop", "message": "a" * 1001}, "Dit bericht is te lang."),
    ],
)
def test_what_can_not_be_asked_is_sent_back_with_the_reason(clinician, typed, says):
    answer = ask(clinician, **typed)
    assert answer.status_code == 422
    assert says in answer.text
    assert tasks(clinician) == []
    assert fields_of(answer).get("message", "") == typed.get("message", "")
    assert fields_of(answer)["due"] == typed.get("due", "")


@pytest.mark.parametrize(("error", "status"), [(Unreachable("no"), 503), (Refused("no"), 422)])
def test_what_the_record_does_not_take_keeps_what_was_typed(clinician, monkeypatch, error, status):
    form = {**fields_of(clinician.get("assignments/new")), "questionnaire": "hoop", "message": "Hallo"}

    def save(self, writes):
        raise error

    monkeypatch.setattr(Records, "save", save)
    answer = clinician.post("assignments/new", form)
    assert answer.status_code == status
    assert fields_of(answer)["message"] == "Hallo"
    assert fields_of(answer)["questionnaire"] == "hoop"


def cancel(visitor):
    return visitor.post(f"assignments/{tasks(visitor)[0]['id']}/cancel")


def test_an_assignment_can_be_taken_back(clinician):
    ask(clinician, questionnaire="hoop")
    answer = cancel(clinician)
    assert answer.status_code == 303
    assert tasks(clinician)[0]["status"] == "cancelled"
    assert "Ingetrokken" in clinician.client.get(answer.location).text


def undo(visitor, answer):
    """Press 'Ongedaan maken' on the page after an answer."""
    page = visitor.get(answer.location).text
    found = re.search(r'action="([^"]+/restore)".*?name="undo" value="(\w+)"', page, re.S)
    assert found, "the page offers nothing to take back"
    return visitor.post(found[1], {"undo": found[2]})


def test_an_assignment_that_was_taken_back_by_mistake_is_there_again_as_it_was(app, clinician):
    ask(clinician, questionnaire="hoop", message="Voor dinsdag.")
    before = {**tasks(clinician)[0], "meta": None}
    answer = undo(clinician, cancel(clinician))
    assert {**tasks(clinician)[0], "meta": None} == before
    page = clinician.get(answer.location).text
    assert "staat weer klaar voor de cliënt, zoals eerst" in page
    assert 'name="undo"' not in page
    assert "questionnaires/hoop" in launched(app).get("").text


def test_one_that_was_asked_for_anew_meanwhile_is_not_there_twice(app, clinician):
    ask(clinician, questionnaire="hoop")
    answer = cancel(clinician)
    ask(launched(app, role="clinician"), questionnaire="hoop")
    refused = undo(clinician, answer)
    assert refused.status_code == 409
    assert "Ongedaan maken kan niet meer." in refused.text
    assert sorted(task["status"] for task in tasks(clinician)) == ["cancelled", "requested"]


def test_a_client_puts_back_no_assignment(app, clinician):
    ask(clinician, questionnaire="hoop")
    cancel(clinician)
    assert launched(app).post(f"assignments/{tasks(clinician)[0]['id']}/restore").status_code == 403
    assert tasks(clinician)[0]["status"] == "cancelled"


def test_taking_back_during_an_outage_is_not_called_done_before_it_is(clinician):
    ask(clinician, questionnaire="hoop")
    clinician.make_flaky().error = Unreachable("away")
    answer = cancel(clinician)
    page = clinician.get(answer.location).text
    assert "De vragenlijst wordt ingetrokken zodra dat weer kan." in page
    assert "Je nam de vragenlijst terug" not in page


def test_taking_back_what_is_filled_in_says_so_and_changes_nothing(clinician):
    ask(clinician, questionnaire="hoop")
    stored = clinician.ehr.search(Query.of("Task"))[0]
    done = answered(stored.resource, "QuestionnaireResponse/1", "HOOP")
    clinician.ehr.write(Write("update", done, if_match=stored.etag))
    answer = cancel(clinician)
    assert answer.status_code == 409
    assert "intussen ingevuld of ingetrokken" in answer.text
    assert tasks(clinician)[0]["status"] == "completed"


def test_what_was_filled_in_leads_to_the_answers_and_what_was_withdrawn_does_not(clinician):
    ask(clinician, questionnaire="mansa")
    assert cancel(clinician).status_code == 303
    page = clinician.get("assignments/").text
    assert "Ingetrokken" in page
    assert "Antwoorden lezen" not in page
    ask(clinician, questionnaire="hoop")
    [stored] = [one for one in clinician.ehr.search(Query.of("Task")) if one.resource["status"] == "requested"]
    done = answered(stored.resource, "QuestionnaireResponse/1", "HOOP")
    clinician.ehr.write(Write("update", done, if_match=stored.etag))
    assert f'/l/{clinician.launch.id}/answers/1/">Antwoorden lezen' in clinician.get("assignments/").text


def test_a_client_who_sends_it_in_at_the_same_moment_wins(clinician):
    ask(clinician, questionnaire="hoop")
    flaky = clinician.make_flaky()

    def send_in() -> None:
        stored = flaky.store.search(Query.of("Task"))[0]
        done = answered(stored.resource, "QuestionnaireResponse/1", "HOOP")
        flaky.store.write(Write("update", done, if_match=stored.etag))

    flaky.first = send_in
    response = cancel(clinician)
    assert response.status_code == 409
    assert "intussen ingevuld of ingetrokken" in response.text
    assert tasks(clinician)[0]["status"] == "completed"


def test_a_record_that_keeps_refusing_gets_an_honest_page(clinician):
    ask(clinician, questionnaire="hoop")
    clinician.make_flaky().error = Conflict("busy", None)
    response = cancel(clinician)
    assert response.status_code == 503
    assert "er is nog niets ingetrokken" in text_of(response)
    assert "intussen ingevuld of ingetrokken" not in text_of(response)
    [task] = tasks(clinician)
    assert task["status"] == "requested"
    assert f"assignments/{task['id']}/cancel" in response.text  # it is still there, to be tried again
    assert "Ingetrokken" not in text_of(response)


def test_what_was_sent_in_while_the_record_kept_refusing_is_said(clinician):
    ask(clinician, questionnaire="hoop")
    flaky = clinician.make_flaky()
    flaky.error = Conflict("busy", None)

    def at_the_last_attempt() -> None:
        stored = flaky.store.search(Query.of("Task"))[0]
        done = answered(stored.resource, "QuestionnaireResponse/1", "HOOP")
        flaky.store.write(Write("update", done, if_match=stored.etag))

    def at_the_first_attempt() -> None:
        flaky.first = at_the_last_attempt

    flaky.first = at_the_first_attempt
    response = cancel(clinician)
    assert response.status_code == 409
    assert "intussen ingevuld of ingetrokken" in response.text


def test_a_step_of_the_plan_can_not_be_taken_back_here(clinician):
    step = {
        "resourceType": "Task",
        "id": "step",
        "status": "requested",
        "intent": "plan",
        "description": "Bellen",
        "for": {"reference": "Patient/anna"},
    }
    clinician.ehr.write(Write("update", step))
    response = clinician.post("assignments/step/cancel")
    assert response.status_code == 404
    assert "Deze pagina bestaat niet" in response.text
    assert tasks(clinician)[0]["status"] == "requested"


def test_another_persons_assignment_can_not_be_taken_back(app, clinician):
    ask(clinician, questionnaire="hoop")
    other = launched(app, patient="ben", role="clinician", name="Ben Voorbeeld")
    assert cancel(other).status_code == 404
    assert tasks(clinician)[0]["status"] == "requested"


@pytest.mark.parametrize("path", ["assignments/", "assignments/new"])
def test_a_client_can_not_open_these_pages(app, path):
    client = launched(app)
    response = client.get(path)
    assert response.status_code == 403
    assert "Deze pagina is niet voor jou" in response.text
    assert client.logged().event == "denied"


@pytest.mark.parametrize("path", ["assignments/new", "assignments/1/cancel"])
def test_a_client_can_not_ask_or_take_back(app, path):
    visitor = launched(app)
    assert visitor.post(path, {"questionnaire": "hoop"}).status_code == 403
    assert tasks(visitor) == []
