"""People whose names the EHR does not tell: what they write is FHIR all the same, or the EHR would refuse it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import pytest

from smartapp.fhir.store import Query
from smartapp.storage.launches import Launches
from tests.smartapp.helpers import Visitor, launched
from tests.smartapp.pages.plan.pages import fields_of, fill
from tests.smartapp.pages.questionnaire.test_pages import QUESTION, form_of


def texts(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text in a resource with the names that lead to it."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from texts(one, f"{at}.{name}")
    elif isinstance(value, list):
        for one in value:
            yield from texts(one, at)
    elif isinstance(value, str):
        yield at, value


def written(visitor: Visitor, *types: str) -> list[dict[str, Any]]:
    found = [one.resource for type_ in types for one in visitor.ehr.search(Query.of(type_))]
    assert {one["resourceType"] for one in found} == set(types)
    return found


def test_what_a_client_without_a_name_writes_has_no_empty_text(app):
    anna = launched(app, name="")
    for number in range(1, 13):
        anna.post(QUESTION.format(number), {"answer": "3", "next": "1"})
    anna.post("questionnaires/hoop/submit", form_of(anna.get("questionnaires/hoop/review").text))
    fill(anna, "plan/domains", domains="housing")
    fill(anna, "plan/goals/new", text="Zondag pannenkoeken bakken", domain="housing")
    resources = written(anna, "QuestionnaireResponse", "Observation", "CarePlan", "Goal")
    assert [at for one in resources for at, text in texts(one) if text == ""] == []
    assert {one["subject"]["display"] for one in resources} == {"cliënt"}


def test_what_a_clinician_without_a_name_asks_has_no_empty_text(app, monkeypatch):
    find = Launches.find
    monkeypatch.setattr(Launches, "find", lambda *given: without_names(find(*given)))
    els = launched(app, role="clinician")
    els.post("assignments/new", {**fields_of(els.get("assignments/new")), "questionnaire": "hoop", "message": "Hallo"})
    [task] = written(els, "Task")
    assert [at for at, text in texts(task) if text == ""] == []
    assert (task["for"]["display"], task["requester"]["display"]) == ("cliënt", "zorgverlener")


@pytest.mark.parametrize(
    ("role", "path", "heading"), [("client", "", "Welkom"), ("clinician", "overview/", "Overzicht")]
)
def test_a_page_about_a_person_without_a_name_still_has_a_heading(app, monkeypatch, role, path, heading):
    find = Launches.find
    monkeypatch.setattr(Launches, "find", lambda *given: without_names(find(*given)))
    page = launched(app, role=role, name="").get(path)
    assert re.findall(r"<h1[^>]*>(.*?)</h1>", page.text) == [heading]


def without_names(launch):
    patient, user = (dataclasses.replace(one, display="") for one in (launch.patient, launch.user))
    return dataclasses.replace(launch, patient=patient, user=user)
