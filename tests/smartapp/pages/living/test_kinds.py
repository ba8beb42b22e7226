"""Living forms at each kind of EHR, over real HTTP: kept where they can be changed, changed there, and read back."""

from __future__ import annotations

import pytest

from smartapp.fhir.store import Query
from smartapp.records.placement import Place
from tests.conftest import serve
from tests.smartapp.helpers import text_of
from tests.smartapp.pages.plan.pages import fields_of
from tests.smartapp.records.desk import Desk

WHERE: dict[Place, str] = {"ehr": "Bewaard in het dossier bij de zorgverlener", "own": "Bewaard in Verstel"}


class Anna:
    """Anna in a browser, at a running EHR."""

    def __init__(self, desk: Desk, role: str = "client") -> None:
        self.visitor, self.url = desk.browser(role), desk.server.url

    def get(self, path: str):
        return self.visitor.get(path, base_url=self.url)

    def fill(self, path: str, **typed: str) -> int:
        form = {**fields_of(self.get(path)), **typed}
        return self.visitor.client.post(self.visitor.url(path), data=form, base_url=self.url).status_code

    def press(self, path: str) -> int:
        data = {name: text for name, text in fields_of(self.get("living/wishes/")).items() if name.startswith("_")}
        return self.visitor.client.post(self.visitor.url(path), data=data, base_url=self.url).status_code


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("full", "ehr"),
        ("taskless", "ehr"),
        ("epic-like", "own"),  # it takes answers that are sent in, and lets nobody change them
        ("oracle-like", "own"),
        ("athena-like", "own"),
        ("meditech-like", "ehr"),  # its plan is kept with us, and names them all the same
        ("read-only", "own"),
    ],
)
def test_a_form_is_kept_where_it_can_be_changed_and_changed_there(kind: str, place: Place):
    for server in serve(kind):
        desk = Desk(server)
        before = len(desk.stored("QuestionnaireResponse"))
        anna = Anna(desk)
        assert anna.fill("living/own-words/name/", **{"own-words-name": "De ruis"}) == 303
        assert anna.fill("living/own-words/name/", **{"own-words-name": "Ruis, en een radio"}) == 303
        for wish in ("Een tuin", "Een kat"):
            assert anna.fill("living/wishes/list/new", **{"wishes-wish": wish}) == 303
        desk.visit().send_waiting()
        assert desk.visit().waiting() == []
        page = text_of(anna.get("living/own-words/"))
        assert "Ruis, en een radio" in page
        assert WHERE[place] in page
        wishes = text_of(anna.get("living/wishes/"))
        assert wishes.index("Een tuin") < wishes.index("Een kat")
        assert len(desk.stored("QuestionnaireResponse")) - before == (2 if place == "ehr" else 0)
        earlier = text_of(anna.get("living/own-words/earlier"))
        assert "De ruis" in earlier
        assert "Ruis, en een radio" in text_of(Anna(desk, "clinician").get("living/own-words/"))


def test_an_ehr_that_takes_answers_and_lets_nobody_change_them_still_gets_questionnaires():
    """Only what is made to be changed is kept with us; what is sent in goes to the chart as before."""
    for server in serve("epic-like"):
        desk = Desk(server)
        records = desk.visit()
        assert records.place_for("QuestionnaireResponse") == "ehr"
        assert records.place_for("QuestionnaireResponse", living=True) == "own"
        assert records.search(Query.of("QuestionnaireResponse", patient="Patient/anna")) == [[]]
