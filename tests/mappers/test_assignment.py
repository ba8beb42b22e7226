"""An assignment survives the way to a Task and back; a Task that asks for nothing is not an assignment."""

import pytest
from fhir.resources.R4B.task import Task

from mappers import assignment as tasks

HOOP = "https://verstel.nl/fhir/Questionnaire/hoop|1.0.0"
PATIENT = {"reference": "Patient/noor", "display": "Noor"}
REQUESTER = {"reference": "Practitioner/spv", "display": "Ilse"}


def asked(**changes):
    facts = {
        "questionnaire": HOOP,
        "title": "Hoop",
        "patient": PATIENT,
        "requester": REQUESTER,
        "asked_on": "2026-11-20T10:00:00+01:00",
        "identifier": "a-1",
        "due": "2026-12-01",
        "message": "Voor ons gesprek van dinsdag.",
    }
    return tasks.task_of(**{**facts, **changes})


def test_what_was_asked_survives_the_round_trip():
    found = tasks.assignment_of({**asked(), "id": "7"})
    assert found == tasks.Assignment(
        id="7",
        questionnaire=HOOP,
        instrument="hoop",
        status="requested",
        asked_on="2026-11-20T10:00:00+01:00",
        due="2026-12-01",
        message="Voor ons gesprek van dinsdag.",
        asked_by="Ilse",
        response=None,
    )


def test_an_assignment_without_date_or_message_leaves_them_out_of_the_task():
    assert not {"restriction", "note"} & asked(due=None, message="").keys()


def test_a_step_of_a_plan_is_not_an_assignment():
    step = {
        "resourceType": "Task",
        "id": "s",
        "status": "requested",
        "description": "Bellen met de bibliotheek",
    }
    assert not tasks.is_assignment(step)
    with pytest.raises(ValueError, match="Task/s names no Questionnaire"):
        tasks.assignment_of(step)


def test_a_questionnaire_named_only_in_focus_is_found():
    only_focus = {k: v for k, v in asked().items() if k != "input"}
    assert tasks.assignment_of(only_focus).instrument == "hoop"


def test_what_is_asked_and_what_came_of_it_say_what_they_are():
    sdc = "http://hl7.org/fhir/uv/sdc/CodeSystem/temp"
    assert asked()["input"] == [
        {
            "type": {"coding": [{"system": sdc, "code": "questionnaire", "display": "Questionnaire"}]},
            "valueCanonical": HOOP,
        }
    ]
    kind = {"system": sdc, "code": "questionnaire-response", "display": "Questionnaire Response"}
    answer = {"reference": "QuestionnaireResponse/9", "type": "QuestionnaireResponse", "display": "Hoop"}
    assert tasks.answered(asked(), "QuestionnaireResponse/9", "Hoop")["output"] == [
        {"type": {"coding": [kind]}, "valueReference": answer}
    ]


def test_an_answer_completes_the_task_and_is_named_in_it():
    done = tasks.answered(asked(), "QuestionnaireResponse/9", "Hoop")
    assert tasks.assignment_of(done).response == "QuestionnaireResponse/9"
    assert not tasks.assignment_of(done).waiting


def test_a_cancelled_assignment_waits_no_longer_and_says_why():
    gone = tasks.cancelled(asked(), "Niet meer nodig")
    assert gone["status"] == "cancelled"
    assert gone["statusReason"]["text"] == "Niet meer nodig"
    assert not tasks.assignment_of(gone).waiting


def test_the_same_request_has_the_same_identifier_and_another_day_another():
    first = tasks.assignment_identifier("Patient/noor", HOOP, "2026-11-20")
    assert first == tasks.assignment_identifier("Patient/noor", HOOP, "2026-11-20")
    assert first != tasks.assignment_identifier("Patient/noor", HOOP, "2026-11-21")


def test_a_task_is_a_valid_fhir_task():
    assert Task.model_validate(asked()).status == "requested"


@pytest.mark.parametrize(
    ("task", "asks"),
    [
        (asked(), True),
        (asked(questionnaire="https://verstel.nl/fhir/Questionnaire/hoop-plain|1.0.0"), True),
        (asked(questionnaire="https://verstel.nl/fhir/Questionnaire/hoop-structure"), True),
        (asked(questionnaire="https://verstel.nl/fhir/Questionnaire/nel|1.0.0"), False),
        (tasks.cancelled(asked(), "not needed"), False),
        ({"resourceType": "Task", "status": "requested"}, False),
    ],
    ids=["waits", "by a variant", "without its words", "for another instrument", "taken back", "no assignment"],
)
def test_an_assignment_asks_for_one_instrument_as_long_as_it_waits(task, asks):
    assert tasks.asks_for(task, "hoop", "2026-11-24") is asks


def test_a_questionnaire_in_the_second_input_is_found():
    asking = asked()
    first = {"type": {"text": "reason"}, "valueString": "Voor ons gesprek"}
    assert tasks.assignment_of({**asking, "input": [first, *asking["input"]]}).instrument == "hoop"
