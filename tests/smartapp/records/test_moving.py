"""A plan at an EHR that refuses a part of it when it is written, whatever it said before: the whole plan moves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mappers.identity import former
from smartapp.fhir.companion import CompanionStore
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Conflict, Forbidden, Query, RecordStore, Unreachable, Write
from smartapp.records import delivery
from smartapp.records.moving import moved
from smartapp.services import Services
from tests.conftest import serve
from tests.smartapp.records.desk import SUBJECT, Desk

OURS = "https://verstel.nl/fhir/identifier"
PLAN, GOAL, STEP = (f"urn:uuid:00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
PARTS = {"CarePlan": "plan", "Goal": "goal", "Task": "step"}
STATUS = {"CarePlan": "status", "Goal": "lifecycleStatus", "Task": "status"}


def new(resource: dict, name: str) -> Write:
    identifier = {"system": f"{OURS}/{PARTS[resource['resourceType']]}", "value": name.removeprefix("urn:uuid:")}
    return Write("create", {**resource, "identifier": [identifier]}, full_url=name)


def goal() -> Write:
    described = {"lifecycleStatus": "active", "description": {"text": "Weer naar het koor"}, "subject": SUBJECT}
    return new({"resourceType": "Goal", **described}, GOAL)


def step(of: str = GOAL) -> Write:
    what = {"status": "ready", "intent": "plan", "description": "Bellen", "focus": {"reference": of, "display": "Koor"}}
    return new({"resourceType": "Task", **what, "for": SUBJECT}, STEP)


def care_plan(goals: tuple[str, ...] = (GOAL,), steps: tuple[str, ...] = (STEP,)) -> dict:
    parts = {
        "goal": [{"reference": one, "display": "Koor"} for one in goals],
        "activity": [{"reference": {"reference": one, "display": "Bellen"}} for one in steps],
    }
    plan = {"resourceType": "CarePlan", "status": "active", "intent": "plan", "language": "nl", "subject": SUBJECT}
    return plan | {name: part for name, part in parts.items() if part}


def whole_plan() -> list[Write]:
    return [goal(), step(), new(care_plan(), PLAN)]


def with_plan_in_the_ehr(desk: Desk, *goals: str) -> list:
    """Begin a plan with one goal, which such an EHR takes; return its records."""
    return desk.visit().save([goal(), new(care_plan((GOAL, *goals), ()), PLAN)])


def a_step_for(plan: list) -> list[Write]:
    """What a page saves when a step is added to a plan that is stored."""
    aim, care = plan
    changed = {**care.resource, "activity": [{"reference": {"reference": STEP, "display": "Bellen"}}]}
    return [step(aim.reference), Write("update", changed, if_match=care.etag)]


def begun_elsewhere(desk: Desk, write: Write) -> None:
    """Store what another tab or process sent."""
    [record] = desk.visit().save([write])
    assert record.place == "ehr"


def shown(desk: Desk) -> dict[str, list]:
    """Return what a page finds of the plan, by type."""
    found = desk.visit().search(*(Query.of(type_, patient="Patient/anna") for type_ in PARTS))
    return dict(zip(PARTS, found, strict=True))


def is_whole(desk: Desk, place: str = "own") -> bool:
    """Tell whether each part is shown once, stored at one place, and refers to the others there."""
    found = shown(desk)
    if [[(one.place, one.state) for one in records] for records in found.values()] != [[(place, "stored")]] * 3:
        return False
    care, aim, task = (found[type_][0] for type_ in PARTS)
    return (care.resource["status"], aim.resource["lifecycleStatus"]) == ("active", "active") and (
        care.resource["goal"][0]["reference"],
        care.resource["activity"][0]["reference"]["reference"],
        task.resource["focus"]["reference"],
    ) == (aim.reference, task.reference, aim.reference)


def statuses(desk: Desk) -> dict[str, list[str]]:
    """Return the statuses of the parts that the EHR itself holds."""
    return {type_: [one[STATUS[type_]] for one in desk.stored(type_)] for type_ in PARTS}


KINDS = {
    "with transactions": {"update_create": False},
    "one by one": {"update_create": False, "transaction": False},
    "unconditional": {"update_create": False, "transaction": False, "conditional_create": False},
    "ids of the client": {"update_create": True, "transaction": False},
}


@pytest.fixture(params=KINDS)
def desk(request):
    for server in serve("taskless"):
        server.sandbox.kind = replace(server.sandbox.kind, **KINDS[request.param])
        yield Desk(server)


@pytest.fixture
def companion(desk, monkeypatch) -> OwnStore:
    """A companion FHIR server in this process, which finds people by their address at the EHR as those do."""
    store = OwnStore(desk.core.engine, desk.server.base, tenant="companion")
    monkeypatch.setattr(Services, "companion", lambda _self, issuer: CompanionStore(store, issuer))
    return store


def test_the_ehr_promises_all_that_a_plan_needs(desk):
    assert desk.visit().place_for("CarePlan") == "ehr"


def test_a_new_plan_lands_whole_in_our_own_store_and_leaves_no_open_part_behind(desk):
    saved = desk.visit().save(whole_plan())
    assert [(one.place, one.state) for one in saved] == [("own", "stored")] * 3
    assert is_whole(desk)
    assert desk.visit().waiting() == []
    left = statuses(desk)
    assert (left["CarePlan"], left["Task"], set(left["Goal"])) == ([], [], {"entered-in-error"})


def test_the_next_new_plan_is_not_offered_to_the_ehr_first(desk):
    desk.visit().save(whole_plan())
    assert desk.visit().place_for("CarePlan") == "own"
    assert desk.visit().place_for("Observation") == "ehr"


def test_a_plan_that_the_ehr_has_moves_whole_when_it_gets_a_step(desk):
    plan = with_plan_in_the_ehr(desk)
    assert [one.place for one in plan] == ["ehr", "ehr"]
    saved = desk.visit().save(a_step_for(plan))
    assert [(one.place, one.state) for one in saved] == [("own", "stored")] * 2
    assert is_whole(desk)
    assert statuses(desk) == {"CarePlan": ["entered-in-error"], "Goal": ["entered-in-error"], "Task": []}
    assert desk.visit().waiting() == []


def test_what_its_author_did_not_touch_moves_along_as_words_that_are_not_new(desk, monkeypatch):
    """A page of what did not get through asks about what its author wrote now, and about nothing older."""
    plan = with_plan_in_the_ehr(desk)
    units = []
    monkeypatch.setattr(delivery, "moved", lambda *given, **more: units.append(moved(*given, **more)) or units[-1])
    desk.visit().save(a_step_for(plan))
    [unit] = units
    assert {one.type: one.anew for one in unit.parcels if not one.closing} == {
        "CarePlan": True,
        "Goal": False,
        "Task": True,
    }


def test_what_is_left_in_the_chart_says_why_and_what_moved_says_from_where(desk):
    plan = with_plan_in_the_ehr(desk)
    desk.visit().save(a_step_for(plan))
    [care], [aim] = desk.stored("CarePlan"), desk.stored("Goal")
    assert "gaat verder in Verstel" in care["note"][0]["text"]
    assert "gaat verder in Verstel" in aim["statusReason"]
    assert aim["description"]["text"] == "Weer naar het koor"
    found = shown(desk)
    assert list(former(found["Goal"][0].resource)) == [("ehr", plan[0].reference)]
    assert list(former(found["CarePlan"][0].resource)) == [("ehr", plan[1].reference)]


def test_a_plan_that_moved_is_changed_and_gets_its_next_step_where_it_lives_now(desk):
    desk.visit().save(a_step_for(with_plan_in_the_ehr(desk)))
    care, aim = shown(desk)["CarePlan"][0], shown(desk)["Goal"][0]
    before = statuses(desk)
    second = replace(step(aim.reference), full_url="urn:uuid:00000000-0000-4000-8000-000000000009")
    second = replace(second, resource={**second.resource, "identifier": [{"system": f"{OURS}/step", "value": "9"}]})
    changed = {**care.resource, "activity": [*care.resource["activity"], {"reference": {"reference": second.full_url}}]}
    saved = desk.visit().save([second, Write("update", changed, if_match=care.etag)])
    assert [(one.place, one.state) for one in saved] == [("own", "stored")] * 2
    assert len(shown(desk)["Task"]) == 2
    assert statuses(desk) == before


def test_a_goal_of_another_program_stays_and_the_plan_still_names_it(desk):
    theirs = desk.server.sandbox.store.write(Write("create", {**goal().resource, "identifier": []})).reference
    desk.visit().save(a_step_for(with_plan_in_the_ehr(desk, theirs)))
    assert sorted(statuses(desk)["Goal"]) == ["active", "entered-in-error"]
    named = [one["reference"] for one in shown(desk)["CarePlan"][0].resource["goal"]]
    assert named[1:] == [f"{desk.server.base}/{theirs}"]


def test_an_ehr_that_lets_nothing_be_closed_still_shows_each_part_once_and_leaves_nothing_waiting(desk):
    plan = with_plan_in_the_ehr(desk)
    desk.server.sandbox.faults.add("PUT", "*", 403, times=9)
    saved = desk.visit().save(a_step_for(plan))
    assert [one.state for one in saved] == ["stored"] * 2
    assert statuses(desk)["CarePlan"] == ["active"]
    assert is_whole(desk)
    assert desk.visit().waiting() == []


@pytest.mark.parametrize("fault", ["drop", "drop-before", 503])
def test_an_outage_while_the_plan_is_being_closed_keeps_every_word_in_sight_of_its_author(desk, fault):
    plan = with_plan_in_the_ehr(desk)
    desk.server.sandbox.faults.add("PUT", "CarePlan", fault)
    saved = desk.visit().save(a_step_for(plan))
    assert [one.state for one in saved] == ["waiting"] * 2
    found = shown(desk)
    assert [[one.state for one in records] for records in found.values()] == [["waiting"]] * 3
    desk.later()
    assert is_whole(desk)
    assert statuses(desk) == {"CarePlan": ["entered-in-error"], "Goal": ["entered-in-error"], "Task": []}


def test_an_outage_after_every_word_has_arrived_is_no_concern_of_its_author(desk):
    plan = with_plan_in_the_ehr(desk)
    desk.server.sandbox.faults.add("PUT", "Goal", 503)
    assert [one.state for one in desk.visit().save(a_step_for(plan))] == ["stored"] * 2
    assert is_whole(desk)
    [unsent] = desk.visit().waiting()
    assert (unsent.state, unsent.unit.is_safe) == ("waiting", True)
    assert desk.later().waiting() == []
    assert statuses(desk)["Goal"] == ["entered-in-error"]


def test_a_change_that_someone_else_made_in_between_stops_the_move_and_is_not_closed_away(desk):
    plan = with_plan_in_the_ehr(desk)
    desk.server.sandbox.store.write(Write("update", {**plan[1].resource, "title": "Van een ander"}))
    with pytest.raises(Conflict) as caught:
        desk.visit().save(a_step_for(plan))
    assert caught.value.current.resource["title"] == "Van een ander"
    assert statuses(desk)["CarePlan"] == ["active"]
    assert [one.place for one in shown(desk)["CarePlan"]] == ["ehr"]
    assert desk.visit().waiting() == []


def test_a_plan_that_another_tab_began_meanwhile_is_not_hidden_by_a_second_one(desk):
    begun_elsewhere(desk, new(care_plan((), ()), PLAN))
    with pytest.raises(Conflict):
        desk.visit().save(whole_plan())
    assert [(one.place, one.resource["status"]) for one in shown(desk)["CarePlan"]] == [("ehr", "active")]


def test_a_process_that_dies_in_the_middle_of_a_move_leaves_a_unit_that_another_one_finishes(desk, monkeypatch):
    plan = with_plan_in_the_ehr(desk)
    with monkeypatch.context() as patch:
        patch.setattr(OwnStore, "write_all", _dies)
        with pytest.raises(SystemExit):
            desk.visit().save(a_step_for(plan))
    assert statuses(desk)["CarePlan"] == ["entered-in-error"]
    assert [one.state for one in shown(desk)["CarePlan"]] == ["waiting"]
    desk.later()
    assert is_whole(desk)


def test_the_half_of_a_plan_that_an_earlier_refusal_left_open_is_found_by_its_identifier_and_closed(desk):
    begun_elsewhere(desk, goal())
    desk.visit().save(whole_plan())
    assert is_whole(desk)
    assert statuses(desk)["Goal"] == ["entered-in-error"]


def test_content_that_the_ehr_finds_wrong_moves_this_plan_and_decides_nothing_for_others(desk):
    desk.server.sandbox.kind = replace(desk.server.sandbox.kind, rules=(), transaction=False)
    for method in ("PUT", "POST"):
        desk.server.sandbox.faults.add(method, "Task", 400)
    assert [one.place for one in desk.visit().save(whole_plan())] == ["own"] * 3
    assert is_whole(desk)
    assert desk.visit().place_for("CarePlan") == "ehr"


def test_a_change_that_is_refused_is_told_and_moves_nothing(desk):
    plan = with_plan_in_the_ehr(desk)
    desk.server.sandbox.faults.add("PUT", "CarePlan", 403)
    with pytest.raises(Forbidden):
        desk.visit().save([Write("update", plan[1].resource, if_match=plan[1].etag)])
    assert [one.place for one in shown(desk)["CarePlan"]] == ["ehr"]


def test_another_persons_goal_is_not_taken_along(desk):
    store = desk.server.sandbox.store
    store.write(Write("update", {"resourceType": "Patient", "id": "bram", "name": [{"text": "Bram"}]}))
    theirs = goal()
    of_bram = {"subject": {"reference": "Patient/bram"}, "identifier": [{"system": f"{OURS}/goal", "value": "bram"}]}
    theirs = replace(theirs, resource={**theirs.resource, **of_bram})
    reference = store.write(theirs).reference
    desk.visit().save(a_step_for(with_plan_in_the_ehr(desk, reference)))
    assert store.read("Goal", reference.partition("/")[2]).resource["lifecycleStatus"] == "active"
    assert len(shown(desk)["Goal"]) == 1


# ---- with a companion server


def test_a_plan_moves_to_the_companion_first(desk, companion):
    desk.visit().save(a_step_for(with_plan_in_the_ehr(desk)))
    assert is_whole(desk, "companion")
    [aim] = companion.search(Query.of("Goal"))
    assert aim.resource["subject"]["reference"] == f"{desk.server.base}/Patient/anna"


def test_a_companion_that_refuses_it_too_leaves_the_plan_with_us_and_nothing_open_elsewhere(
    desk, companion, monkeypatch
):
    monkeypatch.setattr(companion, "write_all", _takes_no(companion.write_all, "Task"), raising=False)
    monkeypatch.setattr(companion, "write", _takes_no(companion.write, "Task"), raising=False)
    saved = desk.visit().save(a_step_for(with_plan_in_the_ehr(desk)))
    assert [(one.place, one.state) for one in saved] == [("own", "stored")] * 2
    assert is_whole(desk)
    assert {one.resource["lifecycleStatus"] for one in companion.search(Query.of("Goal"))} <= {"entered-in-error"}
    assert companion.search(Query.of("CarePlan", status="active")) == []
    assert desk.visit().waiting() == []


def test_a_companion_that_is_away_keeps_the_plan_waiting_and_then_takes_it_once(desk, companion, monkeypatch):
    plan = with_plan_in_the_ehr(desk)
    with monkeypatch.context() as patch:
        patch.setattr(companion, "write_all", _away, raising=False)
        assert [one.state for one in desk.visit().save(a_step_for(plan))] == ["waiting"] * 2
        assert [[one.place for one in records] for records in shown(desk).values()] == [["companion"]] * 3
    desk.later()
    assert is_whole(desk, "companion")
    assert desk.visit().waiting() == []


def _takes_no(write, type_: str):
    def guarded(given):
        if type_ in {one.resource["resourceType"] for one in (given if isinstance(given, list) else [given])}:
            raise Forbidden("Not here.")
        return write(given)

    return guarded


def _away(_writes):
    raise Unreachable("The companion is away.")


def _dies(_self: RecordStore, _writes):
    raise SystemExit
