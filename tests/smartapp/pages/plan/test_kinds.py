"""A client at each kind of EHR: the plan is kept everywhere, and in the chart as far as that EHR takes it."""

from __future__ import annotations

import pytest

from smartapp.records.placement import Place
from tests.conftest import serve
from tests.smartapp.helpers import text_of
from tests.smartapp.pages.plan.pages import fields_of
from tests.smartapp.records.desk import Desk

WHERE: dict[Place, str] = {"ehr": "Bewaard in het dossier bij de zorgverlener", "own": "Bewaard in Verstel"}
AS_DOCUMENT = "Je plan staat als document in je dossier. Wie dat mag openen, kan het lezen."


@pytest.mark.parametrize(
    ("kind", "place", "documents"),
    [
        ("full", "ehr", 0),
        ("epic-like", "own", 1),
        ("oracle-like", "own", 1),
        ("athena-like", "own", 0),
        ("read-only", "own", 0),
    ],
)
def test_where_a_plan_is_kept_and_whether_its_document_is_in_the_chart(kind: str, place: Place, documents: int):
    for server in serve(kind):
        desk = Desk(server)
        anna = desk.browser()

        form = {**fields_of(anna.get("living/story/story/", base_url=server.url)), "story-story": "Ik hou van de zee."}
        assert anna.client.post(anna.url("living/story/story/"), data=form, base_url=server.url).status_code == 303
        desk.visit().send_waiting()
        page = text_of(anna.get("plan/", base_url=server.url))
        assert "Ik hou van de zee." in page
        assert WHERE[place] in page
        assert len(desk.stored("DocumentReference")) == documents
        assert (AS_DOCUMENT in page) == bool(documents)
