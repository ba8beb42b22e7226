"""What becomes of a Task: the assignment that it is here, and the steps that the domain hears of."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from mappers.assignment import assignment_of
from mappers.koppeltaal.projection import task_named_in
from smartapp.erasing import erase
from smartapp.fhir.store import Query, Write
from smartapp.storage.koppeltaal import ToTell
from tests.koppeltaal import checking
from tests.koppeltaal.domain import BASE, INSTANTIATES, ORIGIN, RIGHTS
from tests.koppeltaal.people import task
from tests.koppeltaal.portal import APP
from tests.smartapp.helpers import Visitor
from tests.smartapp.pages.questionnaire.test_pages import fill, form_of

CLINICAL = ("QuestionnaireResponse", "Observation", "Goal", "CarePlan")


class Anna(Visitor):
    """Anna, who came from her portal."""

    def get(self, path: str = "", **kwargs: Any) -> TestResponse:
        return super().get(path, base_url=APP, **kwargs)

    def post(self, path: str, data: Any = None, **kwargs: Any) -> TestResponse:
        return super().post(path, data, base_url=APP, **kwargs)

    def answers(self) -> None:
        """Fill in HOOP and send it in."""
        fill(self)
        sent = self.post("questionnaires/hoop/submit", form_of(self.get("questionnaires/hoop/review").text))
        assert sent.status_code == 303


@pytest.fixture
def anna(app, portal, core):
    def enter(**claims: Any) -> Anna:
        launch_id, _page = portal.enter(**claims)
        return Anna(app, portal.client, core.launches.get(launch_id))

    return enter


def ours(core) -> list[dict]:
    """Return our own Tasks."""
    return [one.resource for one in core.own_store(BASE).search(Query.of("Task"))]


def statuses(domain, name: str = "Task/t1") -> list[str]:
    return [one["status"] for one in domain.versions[name]]


def told(core) -> list[tuple[str, str, bool]]:
    """Return what waits for the domain: the Task and its step, and whether it stopped; events are ("", "")."""
    return [(what.task, what.step, stopped) for what, stopped in core.koppeltaal_writes.of("noord")]


def test_a_task_is_an_assignment_of_ours_once(anna, core):
    anna()
    anna()
    [made] = ours(core)
    assert task_named_in(made) == "Task/t1"
    assignment = assignment_of(made)
    assert (assignment.instrument, assignment.status) == ("hoop", "requested")
    assert assignment.asked_by == "Els Visser"
    assert assignment.asked_on == "2026-01-20T10:00:00+01:00"


def test_a_task_that_nobody_asked_was_asked_by_the_place(anna, domain, core):
    domain.change("Task/t1", requester=None)
    anna()
    assert assignment_of(ours(core)[0]).asked_by == "GGZ Noord"


def test_it_begins_at_the_launch_and_is_done_when_the_answers_are_sent_in(anna, domain, core, courier):
    client = anna()
    courier.round()
    assert statuses(domain) == ["ready", "in-progress"]
    client.answers()
    courier.round()
    assert assignment_of(ours(core)[0]).status == "completed"
    assert statuses(domain) == ["ready", "in-progress", "completed"]
    assert told(core) == []


def test_what_was_read_of_a_task_stays_but_for_its_status(anna, domain, courier):
    more = {"description": "Iets van hen", "executionPeriod": {"start": "2026-01-01"}, "_description": {"id": "x"}}
    domain.change("Task/t1", **more)
    before = domain.now("Task/t1")
    anna()
    courier.round()
    after = domain.now("Task/t1")
    ours_of_it = {"status", "lastModified", "meta"}
    assert {k: v for k, v in after.items() if k not in ours_of_it} == {
        k: v for k, v in before.items() if k not in ours_of_it
    }
    assert any(one["url"] == ORIGIN for one in after["extension"])
    [put] = domain.asked("PUT", "/Task/")
    assert put.headers["If-Match"] == f'W/"{before["meta"]["versionId"]}"'
    assert checking.problems(put.body) == []


def test_answers_live_with_us_and_the_domain_has_none(anna, domain, core, courier):
    client = anna()
    client.answers()
    courier.round()
    kept = {one: len(core.own_store(BASE).search(Query.of(one))) for one in CLINICAL}
    assert kept["QuestionnaireResponse"] == 1
    assert kept["Observation"] > 0
    assert not [one for one in domain.requests if any(type_ in one.path for type_ in CLINICAL)]
    assert {name.partition("/")[0] for name in domain.versions} & set(CLINICAL) == set()


def test_a_silent_domain_keeps_no_answers_back_and_hears_once_of_them(anna, domain, core, courier, clock):
    client = anna()
    courier.round()
    domain.silent = True
    client.answers()
    assert len(core.own_store(BASE).search(Query.of("QuestionnaireResponse"))) == 1
    courier.round()
    assert told(core) == [("Task/t1", "completed", False)]
    domain.silent = False
    courier.round()  # not yet: its pause is not over
    assert statuses(domain)[-1] == "in-progress"
    clock.now += 60
    courier.round()
    courier.round()
    assert statuses(domain) == ["ready", "in-progress", "completed"]


@pytest.mark.parametrize("stale", [409, 412])
def test_who_changed_the_task_meanwhile_is_not_overwritten(anna, domain, courier, stale):
    domain.stale = stale
    changed = []

    def once() -> None:
        if not changed:
            changed.append(domain.change("Task/t1", description="Anders"))

    domain.before_update = once
    anna()
    courier.round()
    assert domain.now("Task/t1")["description"] == "Anders"
    assert statuses(domain) == ["ready", "ready", "in-progress"]


@pytest.mark.parametrize("over", ["cancelled", "failed", "entered-in-error", "rejected", "on-hold", "completed"])
def test_what_others_ended_meanwhile_is_not_moved(anna, domain, core, courier, over):
    domain.before_update = lambda: domain.change("Task/t1", status=over) if over not in statuses(domain) else None
    anna()
    courier.round()
    assert statuses(domain) == ["ready", over]
    assert told(core) == []


@pytest.mark.parametrize(
    ("status", "ends"),
    [
        *((one, ("questionnaires/hoop/", "in-progress")) for one in ("requested", "received", "accepted", "ready")),
        ("in-progress", ("questionnaires/hoop/", "in-progress")),
        *((one, ("", one)) for one in ("on-hold", "completed", "draft", "cancelled", "rejected", "failed")),
        *((one, ("", one)) for one in ("entered-in-error", "something-new")),
    ],
)
def test_each_status_leads_to_one_page_and_goes_one_way(portal, domain, courier, status, ends):
    domain.put(task(status=status))
    page = portal.enter()[1]
    courier.round()
    assert (page, domain.now("Task/t1")["status"]) == ends


def test_a_task_that_is_done_opens_what_was_answered(anna, portal, courier):
    client = anna()
    client.answers()
    courier.round()
    page = portal.enter()[1]
    assert page.startswith("answers/")


def test_what_was_stopped_in_the_portal_is_asked_here_no_more_and_again_when_it_is_ready(anna, domain, core, courier):
    anna()
    courier.round()
    domain.change("Task/t1", status="cancelled")
    anna()
    assert ours(core)[0]["status"] == "cancelled"
    domain.change("Task/t1", status="ready")
    anna()
    assert ours(core)[0]["status"] == "requested"
    assert "statusReason" not in ours(core)[0]


def test_what_was_stopped_meanwhile_is_seen_at_the_next_launch_of_anything(anna, domain, core):
    domain.put(task("t2"))
    anna()
    for status in ("on-hold", "cancelled"):
        domain.change("Task/t1", status=status)
        anna(task="Task/t2")
        waits = {task_named_in(one): assignment_of(one).waiting for one in ours(core)}
        assert waits == {"Task/t1": status == "on-hold", "Task/t2": True}


def test_what_is_no_longer_in_the_domain_is_asked_no_more(anna, domain, core):
    domain.put(task("t2"))
    anna()
    del domain.versions["Task/t1"]
    anna(task="Task/t2")
    assert {task_named_in(one): one["status"] for one in ours(core)} == {"Task/t1": "cancelled", "Task/t2": "requested"}


def test_what_gives_no_answer_stays_asked(anna, domain, core):
    domain.put(task("t2"))
    anna()
    domain.versions["Task/t1"][-1] = {"resourceType": "Patient", "id": "t1", "meta": {"versionId": "2"}}
    anna(task="Task/t2")
    assert {one["status"] for one in ours(core)} == {"requested"}


def test_a_domain_that_forgot_that_it_is_done_hears_it_again(anna, domain, courier):
    anna().answers()
    courier.round()
    domain.change("Task/t1", status="in-progress")
    anna()
    courier.round()
    assert domain.now("Task/t1")["status"] == "completed"


@pytest.mark.parametrize("who", ["Practitioner/els", "RelatedPerson/mila"])
def test_nobody_else_moves_the_task_of_a_client(portal, domain, core, courier, who):
    portal.enter(who)
    courier.round()
    assert statuses(domain) == ["ready"]
    assert ours(core) == []


def test_a_task_of_a_professional_is_not_moved_by_opening_it(portal, domain, courier):
    domain.change("Task/t1", owner={"reference": "Practitioner/els"})
    portal.enter("Practitioner/els")
    courier.round()
    assert set(statuses(domain)) == {"ready"}


def view_of(main: str = "t1", **changes: Any) -> dict:
    code = {"coding": [{"system": "http://vzvz.nl/fhir/CodeSystem/koppeltaal-task-code", "code": "view"}]}
    part = {"partOf": [{"reference": f"Task/{main}"}]} if main else {}
    return task("v1", code=code, owner={"reference": "Practitioner/els"}, **part, **changes)


def test_a_view_is_read_by_a_professional_and_never_moved(anna, portal, domain, core, courier):
    anna()
    courier.round()
    domain.put(view_of())
    page = portal.enter("Practitioner/els", task="Task/v1")[1]
    courier.round()
    assert page == "assignments/"
    assert statuses(domain, "Task/v1") == ["ready"]
    assert len(ours(core)) == 1


@pytest.mark.parametrize(
    ("view", "main"),
    [
        (view_of(main=""), {}),
        (view_of(), {"for": {"reference": "Patient/bram"}}),
        (view_of(), {"code": {"coding": [{"system": "https://x.example", "code": "y"}]}}),
    ],
)
def test_a_view_that_is_none_is_not_opened(portal, domain, core, view, main):
    domain.change("Task/t1", **main)
    domain.put(view)
    response = portal.launch("Practitioner/els", task="Task/v1")
    assert response.status_code == 400
    assert [one.reason for one in core.audit.entries()][-1] == "koppeltaal-view"


def test_a_sub_task_that_is_done_leaves_the_main_task(anna, domain, courier):
    domain.put(task("s1", partOf=[{"reference": "Task/t1"}]))
    anna(task="Task/s1").answers()
    courier.round()
    assert statuses(domain, "Task/s1")[-1] == "completed"
    assert statuses(domain) == ["ready"]


def test_one_questionnaire_that_two_tasks_ask_for_answers_both(anna, domain, courier):
    domain.put(task("t2"))
    anna()
    anna(task="Task/t2").answers()
    courier.round()
    assert (statuses(domain)[-1], statuses(domain, "Task/t2")[-1]) == ("completed", "completed")


def test_a_task_for_the_plan_begins_and_is_not_ended_by_us(anna, domain, core, courier):
    plan = {"url": INSTANTIATES, "valueReference": {"reference": "ActivityDefinition/plan"}}
    domain.change("Task/t1", extension=[plan])
    anna(definition="ActivityDefinition/plan")
    courier.round()
    assert domain.now("Task/t1")["status"] == "in-progress"
    assert ours(core) == []


def test_what_the_domain_does_not_take_stops_and_is_kept_for_the_operator(anna, domain, core, courier, monkeypatch):
    anna()
    monkeypatch.setitem(RIGHTS, "Task", "r")
    courier.round()
    assert ("Task/t1", "in-progress", True) in told(core)
    assert statuses(domain) == ["ready"]


def test_each_write_has_a_new_number_and_the_trace_of_the_launch(portal, domain, courier):
    portal.enter(jti="trace-7")
    courier.round()
    writes = [one for one in domain.requests if one.method in ("PUT", "POST") and "/fhir/" in one.path]
    assert {one.headers["X-Trace-Id"] for one in writes} == {"trace-7"}
    numbers = [one.headers["X-Request-Id"] for one in domain.requests if "X-Request-Id" in one.headers]
    assert len(numbers) == len(set(numbers))


# --- the Task of somebody else ----------------------------------------------------------------------------------------


def names_instead(core, name: str) -> None:
    """Let our own assignment name another Task of the domain, as one that comes out of a file of a person's own may."""
    store = core.own_store(BASE)
    [found] = store.search(Query.of("Task"))
    named = [{**one, "value": name} if one["value"] == "Task/t1" else one for one in found.resource["identifier"]]
    store.write(Write("update", {**found.resource, "identifier": named}, if_match=found.etag))


def test_answers_move_no_task_that_is_of_another_person_by_now(anna, domain, core, courier):
    visitor = anna()
    courier.round()
    domain.change("Task/t1", **{name: {"reference": "Patient/bram"} for name in ("for", "owner")})
    visitor.answers()
    courier.round()
    assert assignment_of(ours(core)[0]).status == "completed"
    assert told(core) == []
    assert domain.now("Task/t1")["status"] == "in-progress"


def test_answers_move_no_task_of_another_person_that_our_own_assignment_names(anna, domain, core, courier):
    bram = {"reference": "Patient/bram"}
    domain.put(task("of-bram", **{"for": bram, "owner": bram}))
    visitor = anna()
    courier.round()
    names_instead(core, "Task/of-bram")
    visitor.answers()
    courier.round()
    assert assignment_of(ours(core)[0]).status == "completed"
    assert told(core) == []
    assert statuses(domain, "Task/of-bram") == ["ready"]


def test_how_it_is_with_a_task_of_another_person_is_told_to_nobody(anna, domain, core):
    bram = {"reference": "Patient/bram"}
    domain.put(task("of-bram", **{"for": bram, "owner": bram}))
    anna()
    names_instead(core, "Task/of-bram")
    domain.change("Task/of-bram", status="cancelled")
    domain.put(task("t2", "plan"))
    anna(task="Task/t2", definition="ActivityDefinition/plan")
    [ours_] = ours(core)
    assert assignment_of(ours_).waiting


@pytest.mark.parametrize(
    "change", [{"for": {"reference": "Patient/bram"}}, {"owner": {"reference": "Practitioner/els"}}]
)
def test_a_task_that_went_to_somebody_else_meanwhile_is_left_as_it_is(anna, domain, courier, change):
    anna()
    domain.change("Task/t1", **change)
    courier.round()
    assert domain.now("Task/t1")["status"] == "ready"


def test_who_is_erased_leaves_no_step_that_waits_and_others_keep_theirs(anna, domain, core, issuer):
    anna()
    bram = {"reference": "Patient/bram"}
    domain.put(task("of-bram", **{"for": bram, "owner": bram}))
    anna(user="Patient/bram", task="Task/of-bram")
    erased, _rows = erase(core, issuer, "anna")
    assert erased["steps that a Koppeltaal domain had to hear"] == 1
    assert [one for one in told(core) if one[0]] == [("Task/of-bram", "in-progress", False)]


def test_a_step_that_came_while_the_one_before_was_told_is_not_lost_whoever_tells_it(core):
    waiting = core.koppeltaal_writes
    waiting.put(ToTell("noord", "t", "", "Task/t1", "Patient/anna", "in-progress"))
    first = waiting.take()
    waiting.put(ToTell("noord", "t", "", "Task/t1", "Patient/anna", "completed"))
    second = waiting.take()  # by another process
    waiting.done(first)
    waiting.later(second, "503")
    assert told(core) == [("Task/t1", "completed", False)]
