"""When answers have arrived the assignments that they answer are closed: those of today, and never at their cost."""

from __future__ import annotations

import pytest

from mappers.assignment import assignment_of, task_of
from mappers.plan.document import TYPE, Edition
from smartapp.fhir.store import Conflict, Forbidden, NotFound, Query, Refused, Stored, Unreachable, Write
from smartapp.records.following import answers, follow, named_at, replaces_documents
from smartapp.records.parcels import Parcel, Unit

PERSON = {"reference": "Patient/anna", "display": "Anna"}
HOOP = "https://verstel.nl/fhir/Questionnaire/hoop|1.0.0"
NEL = "https://verstel.nl/fhir/Questionnaire/nel|1.0.0"
RESPONSE = {
    "resourceType": "QuestionnaireResponse",
    "identifier": {"system": "https://verstel.nl/fhir/identifier/response", "value": "r-1"},
    "questionnaire": HOOP,
    "status": "completed",
    "subject": PERSON,
    "authored": "2026-03-03T10:00:00+01:00",
}


def asked(questionnaire: str, number: int) -> dict:
    nurse = {"reference": "Practitioner/spv", "display": "Ilse"}
    moment = "2026-03-01T10:00:00+01:00"
    facts = {"title": "Vragen", "patient": PERSON, "requester": nurse, "asked_on": moment, "identifier": f"a-{number}"}
    return {**task_of(questionnaire=questionnaire, due=None, message="", **facts), "id": f"t{number}"}


def statuses(anna) -> dict[str, str]:
    return {one.resource["id"]: one.resource["status"] for one in anna.ehr.search(Query.of("Task"))}


@pytest.fixture
def waiting(anna):
    """Anna, who was asked for two questionnaires."""
    for number, questionnaire in enumerate((HOOP, NEL), start=1):
        anna.ehr.write(Write("update", asked(questionnaire, number)))
    return anna


def send_in(anna) -> None:
    anna.records.save([Write("create", RESPONSE)], follow_up=answers("hoop", "Hoop"))


def test_the_assignment_of_these_questions_is_closed_with_the_answers_in_it_and_no_other(waiting):
    send_in(waiting)
    waiting.courier_comes()
    assert statuses(waiting) == {"t1": "completed", "t2": "requested"}
    [response] = waiting.ehr.search(Query.of("QuestionnaireResponse"))
    closed = assignment_of(waiting.ehr.read("Task", "t1").resource)
    assert closed.response == response.reference
    assert waiting.records.waiting() == []


def test_the_page_does_not_wait_for_it(waiting):
    send_in(waiting)
    assert statuses(waiting)["t1"] == "requested"


def test_one_that_somebody_changes_at_that_moment_is_read_again(waiting):
    flaky = waiting.make_flaky()
    send_in(waiting)
    changed = {**waiting.ehr.read("Task", "t1").resource, "priority": "urgent"}
    flaky.first = lambda: flaky.store.write(Write("update", changed))
    waiting.courier_comes()
    task = flaky.store.read("Task", "t1").resource
    assert (task["status"], task["priority"]) == ("completed", "urgent")


@pytest.mark.parametrize("error", [Forbidden, Refused, NotFound])
def test_an_ehr_that_keeps_it_from_clients_costs_them_nothing(waiting, error):
    flaky = waiting.make_flaky()
    send_in(waiting)
    flaky.error = error("Not for clients.")
    waiting.courier_comes()
    assert waiting.records.waiting() == []
    assert statuses(waiting)["t1"] == "requested"


@pytest.mark.parametrize("error", [Unreachable("The EHR is away."), Conflict("Changed all the time.", None)])
def test_what_has_to_wait_is_done_later_and_the_answers_count_as_arrived(waiting, error):
    flaky = waiting.make_flaky()
    send_in(waiting)
    flaky.error = error
    waiting.courier_comes()
    [unsent] = waiting.records.waiting()
    assert unsent.unit.pending == []
    flaky.error = None
    waiting.courier_comes()
    assert waiting.records.waiting() == []
    assert statuses(waiting)["t1"] == "completed"


@pytest.mark.parametrize(
    ("of", "at", "named"),
    [
        ("ehr", "ehr", {"reference": "QuestionnaireResponse/7"}),
        ("ehr", "companion", {"reference": "https://ehr.example/QuestionnaireResponse/7"}),
        ("companion", "ehr", {"identifier": RESPONSE["identifier"]}),
        ("own", "ehr", {"identifier": RESPONSE["identifier"]}),
        ("own", "companion", {"identifier": RESPONSE["identifier"]}),
        ("companion", "own", {"reference": "QuestionnaireResponse/7"}),
    ],
)
def test_an_assignment_names_its_answers_as_its_own_place_can_take_it(of, at, named):
    given = {"type": "QuestionnaireResponse", "display": "Hoop"}
    reference = {**given, "reference": "QuestionnaireResponse/7"}
    parcel = Parcel(Write("create", RESPONSE), of)
    assert named_at(at, parcel, "QuestionnaireResponse/7", "https://ehr.example", reference) == {**given, **named}
    other = {"reference": "Patient/anna"}
    assert named_at(at, parcel, "QuestionnaireResponse/7", "https://ehr.example", other) == other


# ---- a new document of a plan


def document(number: int, plan: str = "plan-1", status: str = "current", **more) -> dict:
    kind = {"coding": [dict(zip(("system", "code"), TYPE.split("|"), strict=True))]}
    name = Edition(plan, number, "words").identifier
    content = [{"attachment": {"contentType": "application/pdf", "title": "Plan"}}]
    made = {"resourceType": "DocumentReference", "status": status, "type": kind, "subject": PERSON, "content": content}
    return {**made, "identifier": [name.as_fhir()], **more}


def holding(anna) -> dict[str, str]:
    found = (one.resource for one in anna.ehr.search(Query.of("DocumentReference")))
    return {one["identifier"][0]["value"]: one["status"] for one in found}


def test_a_new_document_takes_the_place_of_the_former_ones_of_its_plan_in_the_chart(anna):
    for number, plan in ((1, "plan-1"), (3, "plan-1"), (1, "plan-2")):
        anna.ehr.write(Write("create", document(number, plan)))
    foreign = {**document(1), "identifier": [{"system": "https://other.example", "value": "x"}]}
    anna.ehr.write(Write("create", foreign))
    kept = anna.core.own_store(anna.launch.issuer).write(Write("create", document(1)))
    anna.records.save([Write("create", document(2))], follow_up=replaces_documents())
    anna.courier_comes()
    assert holding(anna) == {
        "plan-1.1.words": "superseded",
        "plan-1.2.words": "current",
        "plan-1.3.words": "current",  # newer: another process was first
        "plan-2.1.words": "current",
        "x": "current",
    }
    own = anna.core.own_store(anna.launch.issuer).read("DocumentReference", kept.resource["id"])
    assert own.resource["status"] == "current"  # nobody reads that one as the plan of the chart
    assert anna.records.waiting() == []


def test_a_document_that_is_not_in_the_chart_takes_nobodys_place(anna):
    anna.ehr.write(Write("create", document(1)))
    elsewhere = Parcel(Write("create", document(2)), "own", state="arrived", stored=Stored({**document(2), "id": "7"}))
    waiting = Parcel(Write("create", document(2)), "ehr")
    for parcel in (elsewhere, waiting):
        follow(anna.records, "Patient/anna", Unit("u", (parcel,)), replaces_documents(), base=anna.launch.issuer)
    assert holding(anna) == {"plan-1.1.words": "current"}
