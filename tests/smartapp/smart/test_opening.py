"""The page that a sign-in ends on: what the chart or the portal opened the app for, over real HTTP."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from mappers.assignment import answered, task_of
from mappers.sharing import ME, Sharing
from mappers.sharing.consent import consent_of, name_of
from questionnaires.catalogue import catalogue
from smartapp.access import table
from smartapp.fhir.store import Write
from smartapp.pages.sign_in import opening
from smartapp.services import KEY

PEOPLE = [
    {"resourceType": "Patient", "id": "anna", "name": [{"text": "Anna Voorbeeld"}]},
    {"resourceType": "Patient", "id": "bram", "name": [{"text": "Bram Voorbeeld"}]},
    {"resourceType": "Practitioner", "id": "els", "name": [{"given": ["Els"], "family": "Visser"}]},
]
HOOP = catalogue().instruments["hoop"].canonical
HOME = {"client": "", "clinician": "overview/"}


def asked_of(patient: str, id_: str, **changes):
    task = task_of(
        questionnaire=HOOP,
        title="Hoop",
        patient={"reference": f"Patient/{patient}", "display": patient},
        requester={"reference": "Practitioner/els", "display": "Els Visser"},
        asked_on="2026-11-20T10:00:00+01:00",
        identifier=f"asked-{id_}",
    )
    return {**task, "id": id_, **changes}


@pytest.fixture
def server(fresh_server):
    response = {
        "resourceType": "QuestionnaireResponse",
        "id": "r-1",
        "questionnaire": HOOP,
        "status": "completed",
        "authored": "2026-11-21T10:00:00+01:00",
        "subject": {"reference": "Patient/anna"},
        "author": {"reference": "Patient/anna"},
        "source": {"reference": "Patient/anna"},
    }
    done = answered(asked_of("anna", "done"), "QuestionnaireResponse/r-1", "Hoop")
    nobodys = {name: value for name, value in asked_of("anna", "nobodys").items() if name not in ("for", "owner")}
    elsewhere = asked_of("anna", "other", input=[], focus={"reference": "Questionnaire/of-another"})
    step = {"resourceType": "Task", "id": "step", "status": "requested", "intent": "plan", "for": done["for"]}
    later = asked_of("anna", "later", restriction={"period": {"start": "2999-01-01", "end": "2999-03-01"}})
    tasks = [later, asked_of("anna", "waiting"), asked_of("bram", "of-bram"), done, nobodys, elsewhere, step]
    for one in [*PEOPLE, response, *tasks]:
        fresh_server.sandbox.store.write(Write("update", one))
    return fresh_server


def opened(server, role: str, *context: str) -> str:
    """Open the app for something and return the page within the record that it ends on, as the browser shows it."""
    asked = {"role": role, "patient": "anna", **({"user": "Practitioner/els"} if role == "clinician" else {})}
    query = urlencode([*asked.items(), *(("context", one) for one in context)])
    with requests.Session() as browser:
        page = browser.get(f"{server.url}/sandbox/launch?{query}", timeout=20)
    assert page.status_code == 200, page.text
    parts = urlsplit(page.url)
    return re.sub(r"^/l/[\w-]+/", "", parts.path) + (f"?{parts.query}" if parts.query else "")


@pytest.mark.parametrize(
    "context",
    [
        "Task/waiting",
        HOOP,
        "https://verstel.nl/fhir/Questionnaire/hoop",
        "https://verstel.nl/fhir/Questionnaire/hoop-plain",
    ],
)
def test_a_client_lands_on_the_questionnaire_that_the_portal_opened(server, context):
    assert opened(server, "client", context) == "questionnaires/hoop/"


def test_a_client_lands_on_a_form_of_theirs(server):
    assert opened(server, "client", catalogue().living["story"].canonical) == "living/story/"


@pytest.mark.parametrize("role", ["client", "clinician"])
def test_a_task_that_was_answered_leads_to_the_answers(server, role):
    assert opened(server, role, "Task/done") == "answers/r-1/"


def test_a_clinician_lands_where_it_is_of_use_to_them(server):
    assert opened(server, "clinician", "Task/waiting") == "assignments/"
    assert opened(server, "clinician", HOOP) == "assignments/new?questionnaire=hoop"


@pytest.mark.parametrize("role", ["client", "clinician"])
@pytest.mark.parametrize(
    "context",
    [
        "Task/of-bram",
        "Task/nobodys",
        "Task/nowhere",
        "Task/other",
        "Task/step",
        "Appointment/1",
        "https://example.org/fhir/Questionnaire/hoop",
    ],
)
def test_attack_45_what_is_not_theirs_or_not_ours_opens_the_ordinary_first_page(server, role, context):
    assert opened(server, role, context) == opened(server, role) == HOME[role]


def test_what_leads_nowhere_does_not_stand_before_what_does(server):
    assert opened(server, "client", "Task/of-bram", "Task/waiting") == "questionnaires/hoop/"


def test_a_role_without_the_page_gets_its_first_page(server, monkeypatch):
    kept = {name: page for name, page in table().pages.items() if not name.startswith("assignments")}
    monkeypatch.setattr(opening, "table", lambda: replace(table(), pages=kept))
    assert opened(server, "clinician", "Task/waiting") == HOME["clinician"]


def test_attack_45_what_the_client_hides_from_a_clinician_opens_nothing(server):
    core = server.app.extensions[KEY]
    sharing = Sharing({"asked": ME, "answers.hoop": ME}, "2026-11-27T10:00:00+01:00")
    who, name = {"reference": "Patient/anna", "display": "Anna"}, name_of(server.base, "Patient/anna")
    consent = consent_of(sharing, name=name, patient=who, titles={}, displays={})
    core.own_store(server.base).write(Write("create", consent))
    assert opened(server, "clinician", "Task/waiting") == opened(server, "clinician", "Task/done") == HOME["clinician"]
    assert opened(server, "client", "Task/waiting") == "questionnaires/hoop/"


def test_an_ehr_that_does_not_answer_for_the_task_opens_the_ordinary_first_page(server):
    server.sandbox.faults.add("GET", "Task", 500)
    assert opened(server, "clinician", "Task/waiting") == HOME["clinician"]


def test_the_sandbox_says_what_it_can_be_asked_for(server):
    asked = f"{server.url}/sandbox/launch?role=client&patient=anna&context=nonsense"
    assert requests.get(asked, timeout=20).status_code == 400


@pytest.mark.parametrize("role", ["client", "clinician"])
def test_what_is_planned_for_later_opens_the_programme_and_no_form_yet(server, role):
    assert opened(server, role, "Task/later") == "course/"
