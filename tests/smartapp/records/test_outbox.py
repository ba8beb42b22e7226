"""What waits: when it is sent again and by whom, and when it may be forgotten."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from smartapp.courier import Courier
from smartapp.fhir.capabilities import KEEP_SECONDS, RETRY_SECONDS
from smartapp.fhir.store import Query, Refused, Stored, Unreachable, Write
from smartapp.records.arrivals import ARRIVALS, REMEMBERED_SECONDS
from smartapp.records.following import follow
from smartapp.records.outbox import (
    FIRST_WAIT_SECONDS,
    LEASE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    LONGEST_WAIT_SECONDS,
    MOST_UNITS,
    OUTBOX,
    Claim,
    LeaseLost,
    Outbox,
    Unsent,
    pause_after,
)
from smartapp.records.parcels import Parcel, Unit, with_identifier
from smartapp.storage.vault import Vault
from tests.smartapp.helpers import launched

SUBJECT = {"reference": "Patient/anna", "display": "Anna"}


def goal(text: str = "Zingen") -> Write:
    described = {"lifecycleStatus": "active", "description": {"text": text}, "subject": SUBJECT}
    return with_identifier(Write("create", {"resourceType": "Goal", **described}))


def away(*_given):
    raise Unreachable("The EHR is away.")


def another_process(anna) -> Outbox:
    """Return the outbox as another process over the same database has it."""
    return Outbox(anna.core.engine, anna.core.vault, anna.core.clock)


def owner_of(anna):
    return anna.core.outbox.owner(anna.launch.issuer, anna.launch.patient.reference, anna.launch.user.key)


def put(anna, *, launch: str | None = None) -> Claim:
    """Put a goal into the outbox and keep the lease of it."""
    parcels = [Parcel(goal(), "ehr")]
    unit, claim = anna.core.outbox.put(owner_of(anna), launch or anna.launch.id, parcels, begin=lambda unit: unit)
    assert claim is not None
    assert claim.unit == unit
    return claim


def waiting_unit(anna, clock) -> None:
    """Put a goal into the outbox that is due now."""
    claim = put(anna)
    anna.core.outbox.keep(claim, claim.unit, "waiting")
    clock.now += 60


def test_the_pause_doubles_with_every_try_up_to_half_an_hour(anna, clock):
    outbox, claim = anna.core.outbox, put(anna)
    for tries in range(12):
        before = clock.now
        outbox.keep(claim, claim.unit, "waiting")
        clock.now = before + pause_after(tries, claim.unit.id) - 1
        assert outbox.claim() is None
        clock.now += 1
        claim = outbox.claim()
        assert claim is not None


@given(st.integers(0, 200), st.uuids().map(str))
def test_a_pause_is_within_a_quarter_of_its_doubling_and_always_the_same_for_one_unit(tries, unit_id):
    doubled = min(FIRST_WAIT_SECONDS * 2**tries, LONGEST_WAIT_SECONDS)
    assert 0.75 * doubled - 1 <= pause_after(tries, unit_id) <= 1.25 * doubled + 1
    assert pause_after(tries, unit_id) == pause_after(tries, unit_id)


def test_units_that_failed_together_do_not_all_come_back_in_the_same_second():
    assert len({pause_after(6, f"unit-{number}") for number in range(100)}) > 50


@pytest.mark.parametrize(("asked", "waited"), [(600, 600), (86_400, LONGEST_PAUSE_SECONDS)])
def test_a_server_that_says_when_it_wants_to_be_asked_again_is_left_alone_until_then_but_an_hour_at_most(
    anna, clock, asked, waited
):
    claim = put(anna)
    anna.core.outbox.keep(claim, claim.unit, "waiting", retry_after=asked)
    clock.now += waited - 1
    assert anna.core.outbox.claim() is None
    clock.now += 1
    assert anna.core.outbox.claim() is not None


def test_a_clock_that_was_a_day_ahead_does_not_make_anything_wait_for_a_day(anna, clock):
    clock.now += 86_400
    claim = put(anna)
    anna.core.outbox.keep(claim, claim.unit, "waiting")
    put(anna)
    clock.now -= 86_400
    assert anna.core.outbox.claim() is not None


def test_what_one_process_sends_another_leaves_alone(anna):
    claim = put(anna)
    assert another_process(anna).claim() is None
    anna.core.outbox.drop(claim)


def test_what_one_process_has_claimed_another_gets_only_when_the_lease_is_over(anna, clock):
    """Attack 37."""
    waiting_unit(anna, clock)
    assert anna.core.outbox.claim() is not None
    assert another_process(anna).claim() is None
    clock.now += LEASE_SECONDS - 1
    assert another_process(anna).claim() is None
    clock.now += 1
    assert another_process(anna).claim() is not None


def test_who_was_away_for_longer_than_the_lease_can_change_nothing_any_more(anna, clock):
    """Attack 37."""
    waiting_unit(anna, clock)
    late = anna.core.outbox.claim()
    clock.now += LEASE_SECONDS
    new = another_process(anna).claim()
    assert new.lease == late.lease + 1
    outbox = anna.core.outbox
    for change in (
        lambda: outbox.renew(late, late.unit),
        lambda: outbox.keep(late, late.unit, "waiting"),
        lambda: outbox.finish(late, late.unit),
        lambda: outbox.drop(late),
        lambda: outbox.hold(late),
        lambda: outbox.failed(late),
    ):
        with pytest.raises(LeaseLost):
            change()
    outbox.finish(new, new.unit)
    assert outbox.unsent(owner_of(anna)) == []


def test_while_one_unit_of_an_owner_is_being_sent_no_other_of_theirs_is(anna, clock):
    waiting_unit(anna, clock)
    waiting_unit(anna, clock)
    first = anna.core.outbox.claim()
    assert another_process(anna).claim() is None
    anna.core.outbox.finish(first, first.unit)
    assert another_process(anna).claim() is not None


def test_an_issuer_that_is_avoided_waits_and_the_others_do_not(anna, clock):
    waiting_unit(anna, clock)
    assert anna.core.outbox.claim(avoiding=[anna.launch.issuer]) is None
    assert anna.core.outbox.claim(avoiding=["https://other.example/fhir"]) is not None


def test_a_row_that_no_key_opens_is_set_aside_and_holds_up_nobody(anna, clock):
    waiting_unit(anna, clock)
    with anna.core.engine.begin() as connection:
        stranger = Vault([KEY_OF_ANOTHER]).seal({"items": []})
        connection.execute(OUTBOX.update().values(sealed=stranger))
    waiting_unit(anna, clock)
    assert Courier(anna.core).round() == 1
    assert len(anna.ehr.search(Query.of("Goal"))) == 1
    assert [(row.state, row.units) for row in anna.core.outbox.backlog()] == [("aside", 1)]
    assert anna.core.outbox.release_aside() == 1


KEY_OF_ANOTHER = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def test_a_unit_that_fails_in_a_way_nobody_foresaw_is_set_aside_the_third_time_and_holds_up_nobody(
    anna, clock, monkeypatch
):
    waiting_unit(anna, clock)
    nurse = launched(anna.app, role="clinician")
    real = anna.ehr.write

    def trips(write: Write):
        if write.resource["description"]["text"] == "Zingen":
            raise RecursionError
        return real(write)

    monkeypatch.setattr(anna.ehr, "write", trips, raising=False)
    parcels = [Parcel(goal("Fietsen"), "ehr")]
    owner = anna.core.outbox.owner(nurse.launch.issuer, "Patient/anna", nurse.launch.user.key)
    anna.core.outbox.put(owner, nurse.launch.id, parcels)
    Courier(anna.core).round()
    assert [one.resource["description"]["text"] for one in anna.ehr.search(Query.of("Goal"))] == ["Fietsen"]
    for _ in range(2):
        anna.courier_comes()
    assert [(unsent.state, unsent.unit.parcels[0].state) for unsent in anna.records.stopped()] == [("aside", "sent")]


def test_the_newest_words_go_first_and_know_of_the_older_ones_that_are_without_an_answer(anna, clock):
    """The second unit is put while the first is being sent; then the first gets no answer, and waits for longer."""
    outbox, owner = anna.core.outbox, owner_of(anna)
    answers = {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": SUBJECT}
    answers["identifier"] = {"system": "https://example.org", "value": "1"}

    def said(number: int) -> list[Parcel]:
        item = [{"linkId": "hoop-01", "answer": [{"valueInteger": number}]}]
        return [Parcel(with_identifier(Write("create", {**answers, "item": item})), "ehr")]

    first, claim = outbox.put(
        owner, anna.launch.id, said(2), begin=lambda unit: Unit(unit.id, (unit.parcels[0].after("sending"),))
    )
    second, waits = outbox.put(owner, anna.launch.id, said(4), begin=lambda unit: unit)
    assert waits is None
    outbox.keep(claim, first, "waiting")
    newer = outbox.claim()
    assert newer.unit.id == second.id
    [parcel] = newer.unit.parcels
    assert (parcel.state, parcel.amends) == ("sent", True)  # looked for before it is sent, and amended if it is there
    assert parcel.write.resource["item"][0]["answer"] == [{"valueInteger": 4}]
    assert [(one.id, one.unit) for one in outbox.unsent(owner)] == [(second.id, newer.unit)]
    clock.now += 3600
    outbox.finish(newer, newer.unit)
    assert outbox.claim() is None


def test_its_author_can_throw_away_what_was_set_aside_and_not_what_is_on_its_way(anna, clock):
    outbox, claim = anna.core.outbox, put(anna)
    outbox.keep(claim, claim.unit, "waiting")
    assert not outbox.throw_away(owner_of(anna), claim.unit.id)
    assert not outbox.try_again(owner_of(anna), claim.unit.id)
    for _ in range(3):
        clock.now += 3600
        outbox.failed(outbox.claim())
    [unsent] = anna.records.stopped()
    assert unsent.state == "aside"
    assert not outbox.throw_away(outbox.owner("another", "Patient/bram", "someone"), unsent.id)
    assert outbox.throw_away(owner_of(anna), unsent.id)
    assert anna.records.waiting() == []


def test_an_assignment_is_not_closed_by_answers_that_were_thrown_away(anna):
    unit = Unit("x", (), {"instrument": "hoop", "title": "HOOP"})
    asked = {"resourceType": "Task", "status": "requested", "intent": "order", "for": SUBJECT}
    asked["focus"] = {"reference": "https://verstel.nl/fhir/Questionnaire/hoop"}
    anna.ehr.write(Write("create", asked))
    follow(anna.records, "Patient/anna", unit, unit.follow_up, base=anna.launch.issuer)
    assert [one.resource["status"] for one in anna.ehr.search(Query.of("Task"))] == ["requested"]


def test_a_unit_whose_session_ended_is_sent_as_soon_as_its_writer_is_back(anna, clock):
    """Defect 3: it was claimed each time it was due, failed without a token, and pushed further and further."""
    waiting_unit(anna, clock)
    anna.core.launches.end(anna.launch.id)
    courier = Courier(anna.core)
    assert courier.round() == 1
    assert [(row.state, row.units) for row in anna.core.outbox.backlog()] == [("held", 1)]
    for _ in range(40):
        clock.now += LONGEST_WAIT_SECONDS
        assert courier.round() == 0
    launched(anna.app)
    assert courier.round() == 1
    assert len(anna.ehr.search(Query.of("Goal"))) == 1


def test_more_than_a_person_can_have_written_is_not_kept(anna):
    owner = owner_of(anna)
    row = {"owner": owner.digest, "launch_id": "x", "made": 0, "state": "waiting", "attempts": 0, "due": 0}
    rows = [{**row, "id": str(number), "leased_until": 0, "sealed": b""} for number in range(MOST_UNITS)]
    with anna.core.engine.begin() as connection:
        connection.execute(sa.insert(OUTBOX), rows)
    with pytest.raises(Refused, match="Too much"):
        put(anna)


def test_another_process_that_comes_by_while_a_page_waits_for_the_ehr_finds_nothing_to_send(anna, monkeypatch):
    write, found = anna.ehr.write, []

    def slow(given: Write):
        found.append(another_process(anna).claim())
        return write(given)

    monkeypatch.setattr(anna.ehr, "write", slow, raising=False)
    anna.records.save([goal()])
    assert found == [None]
    assert len(anna.ehr.search(Query.of("Goal"))) == 1


def test_a_refused_unit_is_forgotten_only_when_all_of_it_has_been_said_again(anna, clock, monkeypatch):
    first, second = anna.records.save([goal("Zingen"), goal("Fietsen")])
    with monkeypatch.context() as patch:
        patch.setattr(anna.ehr, "write_all", away, raising=False)
        anna.records.save([_changed(first, "Mijn zang"), _changed(second, "Mijn fiets")])
    for one in (first, second):
        anna.ehr.write(_changed(one, "Van een ander"))
    clock.now += 2 * FIRST_WAIT_SECONDS
    anna.records.send_waiting()
    assert [unsent.state for unsent in anna.records.waiting()] == ["stopped"]

    def say(*texts: str) -> list[Unsent]:
        read = [anna.records.read("Goal", one.resource["id"]) for one in (first, second)]
        anna.records.save([_changed(one, text) for one, text in zip(read, texts, strict=False)])
        return anna.records.waiting()

    [kept] = say("Mijn zang")
    assert "Mijn fiets" in [one.write.resource["description"]["text"] for one in kept.unit.parcels]
    records = anna.records
    read = [records.read("Goal", one.resource["id"]) for one in (first, second)]
    records.save([Write("update", one.resource, if_match=one.etag) for one in read])  # as it was read: nobody decided
    assert len(anna.records.waiting()) == 1
    assert len(say("Iets anders", "In een andere tab")) == 1
    assert say("Mijn zang", "Mijn fiets") == []


def test_a_refused_change_of_one_without_identifier_is_not_forgotten_for_another_one(anna, clock, monkeypatch):
    bare = {name: value for name, value in goal().resource.items() if name != "identifier"}
    for id_ in ("one", "two"):
        anna.ehr.write(Write("update", {**bare, "id": id_}))
    one, two = (anna.records.read("Goal", id_) for id_ in ("one", "two"))
    with monkeypatch.context() as patch:
        patch.setattr(anna.ehr, "write", away, raising=False)
        anna.records.save([_changed(one, "Mijn woorden")])
    anna.ehr.write(_changed(one, "Van een ander"))
    clock.now += 2 * FIRST_WAIT_SECONDS
    anna.records.send_waiting()
    anna.records.save([_changed(two, "Iets anders")])
    assert [unsent.state for unsent in anna.records.waiting()] == ["stopped"]


def test_an_outage_does_not_forget_what_the_ehr_offered(anna, clock, monkeypatch):
    statement = anna.ehr.capabilities()
    for row in statement["rest"][0]["resource"]:
        row["interaction"] = [{"code": "read"}, {"code": "search-type"}]
    asked = []
    monkeypatch.setattr(anna.ehr, "capabilities", lambda: statement, raising=False)
    assert anna.records.place_for("Observation") == "own"
    monkeypatch.setattr(anna.ehr, "capabilities", lambda: asked.append(clock.now) or away(), raising=False)
    clock.now += KEEP_SECONDS
    assert anna.records.place_for("Observation") == "own"
    clock.now += RETRY_SECONDS - 1
    assert anna.records.place_for("Observation") == "own"
    assert len(asked) == 1
    clock.now += 1
    assert anna.records.place_for("Observation") == "own"
    assert len(asked) == 2


def _changed(record, text: str) -> Write:
    return Write("update", {**record.resource, "description": {"text": text}}, if_match=record.etag)


def test_a_unit_that_comes_while_another_process_sends_for_the_same_owner_waits_for_it(anna):
    """What a person wrote first arrives first, and is not sent a second time with the newer one."""
    first = put(anna)
    outbox = another_process(anna)
    outbox.news.clear()
    second, claim = outbox.put(owner_of(anna), anna.launch.id, first.unit.parcels, begin=lambda unit: unit)
    assert claim is None
    assert outbox.news.is_set()
    assert {one.id for one in outbox.unsent(owner_of(anna))} == {first.unit.id, second.id}
    anna.core.outbox.finish(first, first.unit)
    taken = outbox.claim(owner_of(anna))
    assert (taken.unit.id, taken.owner, taken.launch_id) == (second.id, owner_of(anna), anna.launch.id)


def test_while_another_process_sends_for_someone_else_nobody_waits(anna):
    put(anna)
    nurse = launched(anna.app, role="clinician")
    owner = anna.core.outbox.owner(nurse.launch.issuer, "Patient/anna", nurse.launch.user.key)
    _unit, claim = another_process(anna).put(owner, nurse.launch.id, [Parcel(goal(), "ehr")], begin=lambda unit: unit)
    assert (claim.owner, claim.launch_id) == (owner, nurse.launch.id)


@pytest.mark.parametrize("way", ["finish", "keep", "hand_over"])
def test_what_arrived_is_known_of_however_its_unit_goes_on(anna, way):
    write = goal()
    outbox, owner = anna.core.outbox, owner_of(anna)
    unit, claim = outbox.put(owner, anna.launch.id, [Parcel(write, "ehr")], begin=lambda unit: unit)
    stored = Stored({**write.resource, "id": "7"}, 'W/"1"')
    arrived = unit.changed({0: unit.parcels[0].after("sending").arrived(stored)})
    if way == "keep":
        outbox.keep(claim, arrived, "waiting")
    else:
        getattr(outbox, way)(claim, arrived)
    again, _claim = outbox.put(owner, anna.launch.id, [Parcel(write, "ehr")], begin=lambda unit: unit)
    assert [(one.state, one.stored.reference) for one in again.parcels] == [("arrived", "Goal/7")]


def test_what_arrived_is_forgotten_after_three_months(anna, clock):
    write = goal()
    unit, claim = anna.core.outbox.put(owner_of(anna), anna.launch.id, [Parcel(write, "ehr")], begin=lambda unit: unit)
    stored = Stored({**write.resource, "id": "7"}, 'W/"1"')
    anna.core.outbox.finish(claim, unit.changed({0: unit.parcels[0].after("sending").arrived(stored)}))
    for seconds, state in ((REMEMBERED_SECONDS, "arrived"), (1, "ready")):
        clock.now += seconds
        anna.core.outbox.forget_old_arrivals()
        again, claim = anna.core.outbox.put(
            owner_of(anna), anna.launch.id, [Parcel(write, "ehr")], begin=lambda unit: unit
        )
        assert again.parcels[0].state == state
        anna.core.outbox.drop(claim)


def test_an_arrival_that_no_key_opens_is_not_known(anna):
    write = goal()
    unit, claim = anna.core.outbox.put(owner_of(anna), anna.launch.id, [Parcel(write, "ehr")], begin=lambda unit: unit)
    stored = Stored({**write.resource, "id": "7"}, 'W/"1"')
    anna.core.outbox.finish(claim, unit.changed({0: unit.parcels[0].after("sending").arrived(stored)}))
    with anna.core.engine.begin() as connection:
        connection.execute(ARRIVALS.update().values(sealed=Vault([KEY_OF_ANOTHER]).seal({})))
    again, _claim = anna.core.outbox.put(
        owner_of(anna), anna.launch.id, [Parcel(write, "ehr")], begin=lambda unit: unit
    )
    assert again.parcels[0].state == "ready"


def test_its_author_can_have_what_was_stopped_tried_again_and_who_was_still_sending_it_stops(anna, clock):
    outbox, claim = anna.core.outbox, put(anna)
    refused = claim.unit.changed({0: claim.unit.parcels[0].after("sending").after("not taken", reason="422")})
    assert not outbox.try_again(owner_of(anna), claim.unit.id)  # while it is being sent
    outbox.keep(claim, refused, "stopped")
    assert outbox.claim() is None
    assert not outbox.try_again(outbox.owner("other", "Patient/anna", "anna"), claim.unit.id)
    assert outbox.try_again(owner_of(anna), claim.unit.id)
    with pytest.raises(LeaseLost):
        outbox.keep(claim, refused, "stopped")
    assert [one.state for one in outbox.claim().unit.parcels] == ["sent"]


def test_units_under_a_former_name_of_their_owner_are_brought_under_the_one_of_today(anna):
    outbox = anna.core.outbox
    former = outbox.owner("https://old.example", "Patient/anna", "anna")
    outbox.put(former, anna.launch.id, [Parcel(goal(), "ehr")])
    outbox.adopt(former, owner_of(anna))
    assert outbox.unsent(former) == []
    assert len(outbox.unsent(owner_of(anna))) == 1
    assert [row.issuer for row in outbox.backlog()] == [owner_of(anna).key]
    assert outbox.erase(owner_of(anna)) == 1
