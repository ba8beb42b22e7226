"""What is new is what is newer than the reader's last look; the log says when that was."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import pytest

from mappers.agreements import Agreement, Remark
from mappers.audit import AuditEntry
from mappers.own_notes import OwnNote
from mappers.plan import Goal, Plan, Step
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, Write
from smartapp.pages.overview.news import LastLook, conversations, last_look, news, sent_in, written_at
from smartapp.web.language import moment_of
from tests.new_form import known_with
from tests.smartapp.helpers import launched, make_app, text_of
from tests.smartapp.pages.overview.people import filled_in, visit
from tests.smartapp.pages.plan.conftest import put
from tests.smartapp.pages.together.test_walk import decide

LOOK = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
SHORT, VISIT = (catalogue().instruments[id_].title.nl for id_ in ("mansa-short", "sdm-visit"))
BEFORE, SAME_DAY, AFTER = "2026-05-31", "2026-06-01", "2026-06-02"
GOAL = Goal("1", "Zwemmen", "meaning", start="2026-01-10", steps=(Step("2", "Bellen", "done"),))


def kinds(goal=GOAL, *, responses=(), changed=None, since=LOOK):
    plan = Plan(id="p", goals=(goal,) if goal else ())
    found = news(responses=responses, plan=plan, changed=changed or {}, since=since, moment_of=moment_of)
    return [one.kind for one in found]


@pytest.mark.parametrize(("day", "new"), [(BEFORE, []), (SAME_DAY, ["goal"]), (AFTER, ["goal"])])
def test_a_goal_is_new_from_the_day_of_the_look_on(day, new):
    assert kinds(replace(GOAL, start=day)) == new


@pytest.mark.parametrize(("day", "new"), [(BEFORE, []), (AFTER, ["progress"])])
def test_how_a_goal_goes_is_new_when_it_was_said_since(day, new):
    assert kinds(replace(GOAL, progress="improving", progress_date=day)) == new


@pytest.mark.parametrize(
    ("authored", "new"),
    [("2026-06-01T13:59:00+02:00", []), ("2026-06-01T14:01:00+02:00", ["answers"]), ("?", []), ("", [])],
)
def test_answers_are_new_to_the_minute(authored, new):
    """The look was at noon in UTC: 14:00 in the Dutch summer."""
    assert kinds(None, responses=[{"authored": authored}]) == new


def test_a_change_without_a_date_of_its_own_is_known_by_when_it_was_written():
    assert kinds(changed={"2": "2026-06-01T12:01:00Z"}) == ["step"]
    assert kinds(changed={"2": "2026-06-01T11:59:00Z"}) == []
    assert kinds(changed={"1": "2026-06-02T12:00:00Z"}) == ["reworded"]


def test_a_changed_text_is_told_where_nothing_else_of_the_plan_is():
    assert kinds(changed={"p": "2026-06-02T12:00:00Z"}) == ["plan"]
    assert kinds(changed={"p": "2026-06-02T12:00:00Z", "2": "2026-06-02T12:00:00Z"}) == ["step"]


def test_the_first_time_only_what_has_a_date_is_told():
    assert kinds(changed={"2": "2026-06-02T12:00:00Z", "p": "2026-06-02T12:00:00Z"}, since=None) == ["goal"]


def test_the_newest_comes_first():
    found = kinds(replace(GOAL, start=AFTER), responses=[{"authored": "2026-06-03"}, {"authored": BEFORE}])
    assert found == ["answers", "goal"]


def test_when_a_thing_was_written_is_what_its_server_says():
    found = written_at([{"id": "1", "meta": {"lastUpdated": "2026-06-02T12:00:00Z"}}, {"id": "2", "meta": "?"}])
    assert found == {"1": "2026-06-02T12:00:00Z", "2": ""}


def test_what_scores_mean_to_the_client_is_new_when_it_was_written_since():
    note = OwnNote("1", "Ik durf weer.", "hoop", "2026-06-01T12:01:00Z", "n")
    [found] = news(responses=(), notes=[note], plan=Plan(id="p"), changed={}, since=LOOK, moment_of=moment_of)
    assert (found.kind, found.note) == ("note", note)
    older = [replace(note, written_on="2026-06-01T11:59:00Z")]
    assert not news(responses=(), notes=older, plan=Plan(id="p"), changed={}, since=LOOK, moment_of=moment_of)


# --- the last look

ENTRY = AuditEntry(
    100, "read", "0", "", "i", "Practitioner/1", "", "clinician", "s", "Patient/1", "", ("overview.index",)
)


def looked(*entries, most=10):
    return last_look(entries, reader="Practitioner/1", page="overview.index", before=200, most=most)


def test_the_last_look_is_the_newest_before_this_sign_in():
    newer, now = replace(ENTRY, recorded=150), replace(ENTRY, recorded=200)
    assert looked(now, newer, ENTRY) == LastLook(150)


@pytest.mark.parametrize(
    "other",
    [
        replace(ENTRY, user="Practitioner/2"),
        replace(ENTRY, objects=("assignments.index",)),
        replace(ENTRY, recorded=200),
    ],
)
def test_a_look_is_of_this_reader_at_this_page_and_before(other):
    assert looked(other) == LastLook(None)


def test_after_a_long_log_nobody_knows():
    assert looked(*[replace(ENTRY, user="Practitioner/2")] * 3, ENTRY, most=3) == LastLook(None, sure=False)


# --- on the page


@pytest.fixture
def at():
    """The time, to be set."""
    return [dt.datetime(2026, 6, 1, 10, tzinfo=dt.UTC).timestamp()]


@pytest.fixture
def app(at):
    return make_app(clock=lambda: at[0])


def test_who_looks_for_the_first_time_is_told_so_and_sees_the_newest(app):
    visitor = launched(app, role="clinician")
    visit(visitor.ehr)
    page = text_of(visitor.get("overview/"))
    assert "eerste keer" in page
    assert f"{VISIT}: ingevuld 1 jun 2026" in page


def test_the_next_time_only_what_came_since_is_new(app, at):
    visitor = launched(app, role="clinician")
    put(visitor.ehr)
    visit(visitor.ehr, "2026-05-20T10:00:00+02:00")
    visitor.get("overview/")
    at[0] += 5 * 86400
    filled_in(visitor.ehr, "mansa-short", {"mansa-short-01": "4"}, "2026-06-05T10:00:00+02:00")
    step = next(one for one in visitor.ehr.search(Query.of("Task")) if one.resource["status"] != "completed")
    visitor.ehr.write(Write("update", {**step.resource, "status": "completed"}, if_match=step.etag))
    at[0] += 86400
    page = text_of(launched(app, role="clinician").get("overview/"))
    new = page.partition("Nieuw sinds 1 juni 2026")[2].partition("Klaargezet")[0]
    assert SHORT in new
    assert "Bellen met het zwembad" in new
    assert VISIT not in new
    assert "Laatst gekeken: 1 juni 2026" in page


def test_what_is_new_stays_new_while_the_reader_is_signed_in(app, at):
    first = launched(app, role="clinician")
    visit(first.ehr, "2026-05-20T10:00:00+02:00")
    first.get("overview/")
    at[0] += 5 * 86400
    filled_in(first.ehr, "mansa-short", {"mansa-short-01": "4"}, "2026-06-05T10:00:00+02:00")
    second = launched(app, role="clinician")
    again = [text_of(second.get("overview/")) for _time in range(2)]
    at[0] += 60
    again.append(text_of(launched(app, role="clinician", browser=second).get("overview/")))
    assert [SHORT in page.partition("Nieuw sinds 1 juni")[2] for page in again] == [True] * 3


def test_nothing_new_is_said_too(app, at):
    visitor = launched(app, role="clinician")
    visit(visitor.ehr, "2026-05-20T10:00:00+02:00")
    visitor.get("overview/")
    at[0] += 5 * 86400
    assert "Niets nieuws." in text_of(launched(app, role="clinician").get("overview/"))


# --- conversations --------------------------------------------------------------------------------------------------


def of(form: str, authored: str, author: str = "Practitioner/joost") -> dict:
    return {
        "questionnaire": catalogue().instruments[form].canonical if form in catalogue().instruments else form,
        "authored": authored,
        "author": {"reference": author},
    }


def test_what_two_people_wrote_down_was_not_sent_in():
    responses = [of("mansa-short", AFTER), of("decision", AFTER), of("medicine", AFTER), of("http://else/where", AFTER)]
    assert sent_in(responses, catalogue()) == [responses[0], responses[3]]


def test_a_living_form_is_neither_sent_in_nor_a_conversation(tmp_path):
    known = known_with(tmp_path)
    response = {"questionnaire": known.living["garden"].canonical, "authored": AFTER, "author": {"reference": "x"}}
    assert sent_in([response], known) == []
    assert conversations([response], known, reader="Practitioner/me", moment_of=moment_of) == []


def test_a_conversation_is_one_thing_a_day_and_the_reader_s_own_is_no_news():
    responses = [
        of("decision", "2026-06-02T10:00:00+02:00"),
        of("medicine", "2026-06-02T10:20:00+02:00"),
        of("decision", "2026-06-03T10:00:00+02:00"),
        of("decision", "2026-06-04T10:00:00+02:00", "Practitioner/me"),
        of("mansa-short", "2026-06-05T10:00:00+02:00"),
    ]
    found = conversations(responses, catalogue(), reader="Practitioner/me", moment_of=moment_of)
    assert found == ["2026-06-02T10:20:00+02:00", "2026-06-03T10:00:00+02:00"]


def test_what_the_client_said_of_an_agreement_is_new_and_what_was_said_together_is_not():
    alone, together = "2026-06-02T10:00:00+02:00", "2026-06-03T10:00:00+02:00"
    agreed = Agreement(
        "k",
        "Wandelen",
        remarks=(Remark("Gelukt.", alone, "Noor", "Patient/noor"), Remark("Fijn.", together, "J", "Practitioner/j")),
    )
    found = news(responses=(), agreements=[agreed], plan=Plan(id="p"), changed={}, since=LOOK, moment_of=moment_of)
    assert [(one.kind, one.when) for one in found] == [("agreement", alone)]


def test_the_overview_names_a_conversation_and_not_answers(app):
    joost = launched(app, role="clinician")
    visit(joost.ehr)  # somebody with nothing at all has another page
    decide(joost, outcome="agreed", words="Ik ga wandelen.", who="client")
    [task] = joost.ehr.search(Query.of("Task"))
    launched(app).post(f"visits/agreements/{task.resource['id']}", {"went": "done", "was": "planned"})
    page = text_of(joost.get("overview/"))
    assert "Een gesprek" not in page  # their own
    assert "Over “Ik ga wandelen.”: Het is gedaan." in page
    decision = catalogue().instruments["decision"].url
    [response] = joost.ehr.search(Query.of("QuestionnaireResponse", questionnaire=decision))
    author = {"reference": "Practitioner/other", "display": "Een ander"}
    joost.ehr.write(Write("update", {**response.resource, "author": author}, if_match=response.etag))
    page = joost.get("overview/")
    assert "Een gesprek" in text_of(page)
    for form in ("decision", "medicine"):
        assert f"{catalogue().instruments[form].title.nl}: ingevuld" not in text_of(page)
    [address] = re.findall(r'href="([^"]+/report/[^"]+)"', page.text)
    assert "Ik ga wandelen." in text_of(joost.get(address))
