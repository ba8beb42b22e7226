"""Where the EHR keeps no plans, the plan reaches the chart as a document: one that holds, and says what it replaces."""

from __future__ import annotations

import base64
import json

import pytest

from mappers.medmij import Custodian
from mappers.plan import Plan, plan_of
from mappers.plan.document import TYPE, digest_of, edition_of
from questionnaires.catalogue import catalogue
from smartapp.errors import NotTypeset
from smartapp.fhir.store import Query, Refused, Unreachable, Write
from smartapp.settings import Issuer
from tests.smartapp.helpers import EHR, launched, make_app, text_of
from tests.smartapp.pages.plan.pages import STORY, fields_of, fill
from tests.smartapp.pages.plan.pdf_text import squeezed, text_in

# As at epic-like and oracle-like: documents are taken, plans only read.
READ_ONLY_PLANS = "openid fhirUser patient/CarePlan.rs patient/Goal.rs patient/Task.rs patient/DocumentReference."
ARRIVED = "Je plan staat als document in je dossier. Wie dat mag openen, kan het lezen."
ON_ITS_WAY = "Je plan is als document op weg naar je dossier."


@pytest.fixture
def chart(clock):
    """Anna, at an EHR that takes documents and no plans."""
    visitor = launched(make_app(clock=clock), scopes=f"{READ_ONLY_PLANS}crus")
    yield visitor
    visitor.core.engine.dispose()


PAGES = {"story": STORY, "strengths": "living/strengths/list/"}
FIELDS = {"story": "story_story", "strengths": "strengths_what"}


def write(visitor, code: str, text: str):
    answer = fill(visitor, PAGES[code], **{FIELDS[code]: text}, stop="1")
    assert answer.status_code == 303, answer.text
    deliver(visitor)
    return answer


def deliver(visitor) -> None:
    """Have what waits sent, as the courier does."""
    visitor.records.send_waiting()


def documents(visitor) -> list[dict]:
    found = visitor.ehr.search(Query.of("DocumentReference", patient="anna", type=TYPE))
    found = [one for one in found if edition_of(one.resource)]
    return sorted((one.resource for one in found), key=lambda one: edition_of(one).number)


def contents(document: dict) -> tuple[bytes, dict]:
    pdf, fhir = (base64.b64decode(one["attachment"]["data"]) for one in document["content"])
    return pdf, json.loads(fhir)


def plan_in(bundle: dict) -> Plan:
    of = {"Goal": [], "Task": [], "CarePlan": []}
    for one in bundle["entry"]:
        of[one["resource"]["resourceType"]].append(one["resource"])
    return plan_of(of["CarePlan"][0], of["Goal"], of["Task"], known=catalogue())


def test_a_saved_plan_is_in_the_chart_as_a_pdf_with_the_same_plan_beside_it(chart):
    write(chart, "story", "Ik hou van de zee.")
    (document,) = documents(chart)
    pdf, bundle = contents(document)
    assert squeezed("Ik hou van de zee.") in text_in(pdf)
    assert plan_in(bundle).story == "Ik hou van de zee."
    assert document["author"] == [document["subject"]]
    assert document["status"] == "current"
    assert chart.ehr.search(Query.of("CarePlan")) == []


def test_the_document_that_went_to_the_chart_is_in_the_log(chart):
    write(chart, "story", "Ik hou van de zee.")
    [document] = documents(chart)
    about = chart.core.audit.of_person(chart.launch.issuer_key, chart.launch.patient.reference)
    assert ("create", (f"DocumentReference/{document['id']}/_history/1",)) in [
        (entry.event, entry.objects) for entry in about
    ]


def test_a_goal_and_its_steps_are_in_it_too(chart):
    fill(chart, "plan/domains", domains="housing")
    fill(chart, "plan/goals/new", text="Een moestuin", domain="housing")
    deliver(chart)
    *_, last = documents(chart)
    pdf, bundle = contents(last)
    assert squeezed("Een moestuin") in text_in(pdf)
    assert [goal.text for goal in plan_in(bundle).goals] == ["Een moestuin"]


def test_a_changed_plan_replaces_the_document_that_was_there(chart):
    write(chart, "story", "Eerst dit.")
    write(chart, "story", "Nu dat.")
    former, now = documents(chart)
    assert (former["status"], now["status"]) == ("superseded", "current")
    (relation,) = now["relatesTo"]
    assert relation == {
        "code": "replaces",
        "target": {"reference": f"DocumentReference/{former['id']}", "display": "Herstelplan"},
    }
    assert contents(former)[1]["entry"]  # what was read once can be read again


def test_where_documents_cannot_be_changed_the_new_one_says_what_it_replaces(clock):
    anna = launched(make_app(clock=clock), scopes=f"{READ_ONLY_PLANS}crs")
    write(anna, "story", "Eerst dit.")
    write(anna, "story", "Nu dat.")
    former, now = documents(anna)
    assert (former["status"], now["status"]) == ("current", "current")
    assert now["relatesTo"][0]["target"]["reference"] == f"DocumentReference/{former['id']}"
    assert ARRIVED in text_of(anna.get("plan/"))
    anna.core.engine.dispose()


def test_words_that_stay_the_same_make_no_new_document(chart):
    write(chart, "story", "Ik hou van de zee.")
    write(chart, "story", "Ik hou van de zee.")
    assert len(documents(chart)) == 1


def test_words_that_come_back_are_a_new_document(chart):
    for text in ("Eerst dit.", "Nu dat.", "Eerst dit."):
        write(chart, "story", text)
    assert [one["status"] for one in documents(chart)] == ["superseded", "superseded", "current"]
    assert plan_in(contents(documents(chart)[2])[1]).story == "Eerst dit."


def test_the_page_says_that_it_is_there_only_when_it_is(chart, clock):
    assert ARRIVED not in text_of(chart.get("plan/"))
    flaky = chart.make_flaky()
    flaky.error = Unreachable("down")
    assert fill(chart, "living/story/story/", story_story="Tijdens de storing.").status_code == 303
    page = text_of(chart.get("plan/"))
    assert "Tijdens de storing." in page
    assert ON_ITS_WAY in page
    assert ARRIVED not in page
    flaky.error = None
    clock.now += 600
    deliver(chart)
    page = text_of(chart.get("plan/"))
    assert ARRIVED in page
    assert ON_ITS_WAY not in page


def test_a_plan_that_changed_since_is_not_called_there(chart):
    write(chart, "story", "Eerst dit.")
    flaky = chart.make_flaky()
    flaky.error = Refused("no documents today", status=400)
    fill(chart, "living/story/story/", story_story="Nu dat.")
    deliver(chart)
    page = text_of(chart.get("plan/"))
    assert ARRIVED not in page
    assert "In je dossier staat je plan van 15 januari 2027, als document." in page


def test_of_changes_that_wait_the_chart_gets_the_last(chart, clock):
    write(chart, "story", "Vooraf.")
    flaky = chart.make_flaky()
    flaky.error = Unreachable("down")
    for text in ("Eerst dit.", "Nu dat.", "En nu dit."):
        fill(chart, "living/story/story/", story_story=text)
    assert len(chart.records.waiting()) == 1
    flaky.error = None
    clock.now += 600
    deliver(chart)
    assert [one["status"] for one in documents(chart)] == ["superseded", "current"]
    assert plan_in(contents(documents(chart)[-1])[1]).story == "En nu dit."


def test_a_change_while_the_former_is_being_sent_names_it_by_identifier(chart):
    fill(chart, "living/story/story/", story_story="Eerst dit.")
    claim = chart.core.outbox.claim()
    fill(chart, "living/story/story/", story_story="Nu dat.")
    chart.records.resume(claim)
    deliver(chart)
    first, second = documents(chart)
    assert second["relatesTo"][0]["target"]["identifier"] == first["identifier"][0]
    assert [first["status"], second["status"]] == ["superseded", "current"]


@pytest.mark.parametrize("status", [403, 405, 422])
def test_a_document_that_the_ehr_refuses_is_nowhere_else_and_not_tried_again_that_day(chart, clock, status):
    flaky = chart.make_flaky()
    flaky.error = Refused("no", status=status)
    write(chart, "story", "Eerst dit.")
    assert chart.records.waiting() == []
    flaky.error = None
    write(chart, "story", "Nu dat.")
    ours = chart.core.own_store(chart.launch.issuer).search(Query.of("DocumentReference", patient="anna"))
    assert (documents(chart), ours) == ([], [])
    clock.now += 25 * 3600
    tomorrow = launched(chart.app, scopes=chart.launch.scopes)
    write(tomorrow, "story", "En nu dit.")
    assert [one["status"] for one in documents(tomorrow)] == ["current"]


@pytest.mark.parametrize("error", [Unreachable("down"), Refused("no", status=422), Refused("no", status=400)])
def test_a_document_that_the_ehr_does_not_take_costs_the_client_nothing(chart, error):
    chart.make_flaky().error = error
    answer = fill(chart, "living/story/story/", story_story="Ik hou van de zee.", stop="1")
    assert answer.status_code == 303
    page = text_of(chart.get(answer.location))
    assert "Je verhaal is bewaard." in page
    assert "nam een van je wijzigingen niet aan" not in page
    assert fields_of(chart.get("living/story/story/"))["story-story"] == "Ik hou van de zee."
    assert fill(chart, "living/story/story/", story_story="En van de bergen.").status_code == 303


def test_a_document_that_cannot_be_made_costs_the_client_nothing(chart, monkeypatch, caplog):
    def fails(*_args, **_kwargs):
        raise NotTypeset("Ik hou van de zee.")

    monkeypatch.setattr("smartapp.pages.plan.document.paper", fails)
    answer = fill(chart, "living/story/story/", story_story="Ik hou van de zee.", stop="1")
    assert answer.status_code == 303
    assert "Je verhaal is bewaard." in text_of(chart.get(answer.location))
    assert "zee" not in caplog.text
    assert "NotTypeset" in caplog.text


def test_a_document_holds_until_the_one_that_replaces_it_is_there(chart):
    write(chart, "story", "Eerst dit.")
    flaky = chart.make_flaky()
    flaky.error = Refused("no documents today", status=400)
    write(chart, "story", "Nu dat.")
    flaky.error = None
    deliver(chart)
    assert [one["status"] for one in documents(chart)] == ["current"]


def test_a_document_is_not_sent_while_the_client_waits(chart):
    fill(chart, "living/story/story/", story_story="Ik hou van de zee.")
    assert documents(chart) == []
    assert ON_ITS_WAY in text_of(chart.get("plan/"))


def test_documents_of_other_programs_and_other_plans_are_left_alone(chart):
    write(chart, "story", "Ik hou van de zee.")
    (ours,) = documents(chart)
    for id_, value in (("other", "x"), ("older", "another-plan.1.d")):
        chart.ehr.write(Write("update", {**ours, "id": id_, "identifier": [{**ours["identifier"][0], "value": value}]}))
    write(chart, "story", "En van de bergen.")
    assert {one: chart.ehr.read("DocumentReference", one).resource["status"] for one in ("other", "older")} == {
        "other": "current",
        "older": "current",
    }


@pytest.mark.parametrize("letters", ["rs", "c"])
def test_an_ehr_that_does_not_take_and_find_documents_gets_none(clock, letters):
    anna = launched(make_app(clock=clock), scopes=f"{READ_ONLY_PLANS}{letters}")
    write(anna, "story", "Ik hou van de zee.")
    assert documents(anna) == []
    anna.core.engine.dispose()


def test_an_ehr_that_keeps_the_plan_gets_no_document(anna):
    write(anna, "story", "Ik hou van de zee.")
    assert len(anna.ehr.search(Query.of("CarePlan"))) == 1
    assert documents(anna) == []


def test_a_document_that_was_taken_back_in_the_chart_is_not_called_there(chart):
    write(chart, "story", "Ik hou van de zee.")
    (document,) = documents(chart)
    chart.ehr.write(Write("update", {**document, "status": "entered-in-error"}))
    assert ARRIVED not in text_of(chart.get("plan/"))


def test_the_words_around_it_are_in_the_language_of_the_plan_and_not_of_who_saves(clock):
    app = make_app(clock=clock)
    dutch = launched(app, scopes=f"{READ_ONLY_PLANS}crus")
    write(dutch, "story", "Ik hou van de zee.")
    english = launched(app, scopes=f"{READ_ONLY_PLANS}crus", language="en")
    write(english, "story", "Ik hou van de bergen.")
    *_, last = documents(english)
    assert last["language"] == "nl"
    assert "Mijnverhaal" in text_in(contents(last)[0])
    dutch.core.engine.dispose()


def test_the_digest_of_what_was_saved_is_that_of_what_is_read_back(chart):
    fill(chart, "plan/domains", domains="housing")
    write(chart, "story", "  Twee regels\r\n\r\nen een spatie ")
    *_, last = documents(chart)
    assert edition_of(last).digest == digest_of(plan_in(contents(last)[1]))
    assert ARRIVED in text_of(chart.get("plan/"))


# --- by IHE MHD -------------------------------------------------------------------------------------------------------


@pytest.fixture
def exchange(clock):
    """Anna, at an EHR that takes documents as IHE MHD has them, for an organisation that answers for them."""
    issuer = Issuer(
        base=EHR,
        name="Test EHR",
        client_id="verstel",
        documents="mhd",
        custodian=Custodian("Instelling Noord", "urn:oid:2.16.528.1.1007.3.3", "00000001"),
    )
    visitor = launched(make_app(clock=clock, issuers=(issuer,)), scopes=f"{READ_ONLY_PLANS}crus")
    yield visitor
    visitor.core.engine.dispose()


def test_where_documents_go_by_mhd_there_is_one_content_with_a_name_and_a_custodian(exchange):
    write(exchange, "story", "Ik hou van de zee.")
    (document,) = documents(exchange)
    [content] = document["content"]
    pdf = base64.b64decode(content["attachment"]["data"])
    assert squeezed("Ik hou van de zee.") in text_in(pdf)
    assert document["masterIdentifier"]["value"] == edition_of(document).name
    assert document["custodian"]["display"] == "Instelling Noord"
    assert "docStatus" not in document
    assert ARRIVED in text_of(exchange.get("plan/"))


def test_there_a_changed_plan_replaces_the_former_too_and_the_same_words_are_sent_once(exchange):
    for text in ("Eerst dit.", "Nu dat.", "Nu dat."):
        write(exchange, "story", text)
    former, now = documents(exchange)
    assert (former["status"], now["status"]) == ("superseded", "current")
    assert now["relatesTo"][0]["target"]["reference"] == f"DocumentReference/{former['id']}"
