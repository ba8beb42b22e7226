"""What was decided about a programme counts, also where the record took the course and not what hangs on it."""

from __future__ import annotations

import pytest

from smartapp.fhir.store import Forbidden, Query, Refused
from tests.smartapp.helpers import Flaky, launched, text_of
from tests.smartapp.pages.course.test_pages import begins, courses, press, seen_in, undo

HOOP = "Hoop (HOOP)"


class KeepsTasks(Flaky):
    """An EHR that lets nobody change an assignment, as some do for clients."""

    refusal: Exception = Refused("No Task is changed here.", status=422)

    def _before(self, *writes):
        if any(one.method == "update" and one.resource["resourceType"] == "Task" for one in writes):
            raise self.refusal
        super()._before(*writes)


@pytest.fixture(params=[Refused("No Task is changed here.", status=422), Forbidden("Not yours.")])
def anna(app, request):
    clinician = launched(app, role="clinician")
    begins(clinician)
    core, issuer = clinician.core, clinician.launch.issuer
    core.local_ehrs[issuer] = KeepsTasks(core.local_ehrs[issuer])
    core.local_ehrs[issuer].refusal = request.param
    return launched(app)


def asked(visitor):
    """Return whether the start page, or the page of all questionnaires, asks for the HOOP."""
    start, all_of_them = text_of(visitor.get("")), text_of(visitor.get("questionnaires/"))
    named = start.partition("Ook voor jou:")[2].partition(".")[0]
    return [f"Bekijken : {HOOP}" in start or HOOP in named, f"Bekijken : {HOOP}" in all_of_them]


def test_what_is_paused_is_not_asked_and_says_so(app, anna):
    assert asked(anna) == [True, True]
    answer = press(anna, "pause")
    assert "Het programma staat op pauze." in text_of(anna.get(answer.location))
    assert "er is niets veranderd" not in text_of(anna.get("course/"))
    assert asked(launched(app)) == [False, False]
    assert "vroeg je dit" not in text_of(launched(app).get("questionnaires/hoop/"))


def test_what_is_declined_is_not_asked_and_is_asked_again_after_undo(app, anna):
    answer = press(anna, "moments/start/decline")
    assert asked(launched(app)) == [False, False]
    undo(anna, answer)
    assert not courses(anna)[0].moment("start").declined
    assert asked(launched(app)) == [True, True]


def test_where_the_course_itself_is_refused_nothing_has_changed_and_that_is_said(anna):
    flaky = anna.core.local_ehrs[anna.launch.issuer]
    flaky.no_updates = flaky.refusal
    identifier, seen = courses(anna)[0].identifier, seen_in(anna.get("course/"))
    answer = anna.post(f"course/{identifier}/pause", {"seen": seen})
    said = text_of(anna.get(answer.location))
    assert "er is niets veranderd" in said or "Alles is zoals het was" in said
    assert courses(anna)[0].status == "active"
    assert asked(anna) == [True, True]
    assert len(anna.ehr.search(Query.of("Task"))) == 12


def test_the_start_page_has_a_card_for_the_first_that_a_programme_asks_and_names_the_others(anna):
    start = text_of(anna.get(""))
    named = start.partition("Ook voor jou:")[2].partition(".")[0]
    assert start.count("Bekijken :") == 1
    assert len(named.split(",")) == 3
    assert text_of(anna.get("questionnaires/")).count("Bekijken :") == 4


def test_the_professional_finds_what_is_asked_as_the_programme_has_it(app, anna):
    """And no way to withdraw it beside it: its moment would go on asking for it."""
    clinician = launched(app, role="clinician")
    page = clinician.get("assignments/")
    assert f"Naar het programma : {HOOP}" in text_of(page)
    assert "/cancel" not in page.text
    [task] = [one for one in anna.ehr.search(Query.of("Task")) if "hoop" in str(one.resource["input"])][:1]
    assert clinician.post(f"assignments/{task.resource['id']}/cancel", {}).location.endswith("/course/")
    press(anna, "pause")
    assert "Er wacht niets." in text_of(clinician.get("assignments/"))
