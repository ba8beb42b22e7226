"""The rows of the outbox: whose they are, who gets them when, and what is left of them after all that happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from mappers.identity import Identifier
from smartapp.fhir.store import Refused, Stored, Write
from smartapp.records.arrivals import ARRIVALS
from smartapp.records.outbox import (
    FIRST_WAIT_SECONDS,
    LEASE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    LONGEST_WAIT_SECONDS,
    OUTBOX,
    Backlog,
    Claim,
    LeaseLost,
    Outbox,
    Owner,
    pause_after,
    state_of,
)
from smartapp.records.parcels import Parcel, Unit
from smartapp.records.states import State
from smartapp.storage.database import open_database
from smartapp.storage.vault import Vault
from tests.smartapp.records.conftest import Clock

ISSUER = "https://ehr.example/fhir"
SYSTEM = "https://example.org/ids"
VAULT = Vault([Fernet.generate_key().decode()], b"a key of digests that only tests know")


@pytest.fixture
def engine():
    engine = open_database("sqlite://")
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock(1_770_000_000.0)


@pytest.fixture
def box(engine, clock) -> Outbox:
    return Outbox(engine, VAULT, clock)


@pytest.fixture
def anna(box) -> Owner:
    return box.owner(ISSUER, "Patient/anna", "anna")


@pytest.fixture
def bram(box) -> Owner:
    return box.owner(ISSUER, "Patient/bram", "bram")


def parcel(name: str = "1", state: State = "ready", **more) -> Parcel:
    identifier = [{"system": SYSTEM, "value": name}]
    resource = {"resourceType": "Goal", "identifier": identifier, "description": {"text": f"Doel {name}"}}
    return Parcel(Write("create", resource, full_url=f"urn:uuid:{name}"), "ehr", ("own",), state, **more)


def arrived(name: str = "1", **more) -> Parcel:
    one = parcel(name, "arrived", **more)
    return replace(one, stored=Stored({**one.write.resource, "id": f"at-{name}"}, 'W/"1"'))


def put(box: Outbox, owner: Owner, *parcels: Parcel, launch: str = "launch") -> Claim:
    """Put a unit into the outbox and hold it."""
    _unit, claim = box.put(owner, launch, parcels or [parcel()], begin=lambda unit: unit)
    assert claim is not None
    return claim


def left(box: Outbox, owner: Owner) -> list[tuple[str, list[State]]]:
    return [(one.state, [each.state for each in one.unit.parcels]) for one in box.unsent(owner)]


def stopped(box: Outbox, owner: Owner, *parcels: Parcel) -> Claim:
    """Leave a unit that waits for its author."""
    claim = put(box, owner, *parcels)
    box.keep(claim, claim.unit, "stopped")
    return claim


# ---- whose


def test_an_owner_is_a_user_and_a_person_at_an_issuer_and_the_row_names_none_of_them(box, anna):
    assert anna == box.owner(ISSUER, "Patient/anna", "anna")
    others = [(ISSUER, "Patient/anna", "nurse"), (ISSUER, "Patient/bram", "anna"), ("other", "Patient/anna", "anna")]
    assert len({anna.digest, *(box.owner(*one).digest for one in others)}) == 4
    assert anna.key == ISSUER
    assert "anna" not in anna.digest


def test_what_one_put_another_neither_sees_nor_sends_nor_erases(box, anna, bram):
    box.put(anna, "launch", [parcel()])
    assert box.unsent(bram) == []
    assert box.claim(bram) is None
    assert box.bind(bram, "other") == 0
    assert box.erase(bram) == 0
    assert box.claim(anna).launch_id == "launch"
    assert box.erase(anna) == 1
    assert box.unsent(anna) == []


# ---- putting


def test_who_puts_a_unit_and_sends_it_has_its_first_lease_and_nobody_is_told(box, anna):
    claim = put(box, anna, parcel("1"), parcel("2"))
    assert (claim.owner, claim.launch_id, claim.lease) == (anna, "launch", 1)
    assert not box.news.is_set()
    assert box.claim(anna) is None
    [unsent] = box.unsent(anna)
    assert (unsent.id, unsent.unit, unsent.state) == (claim.unit.id, claim.unit, "waiting")


def test_what_begins_is_kept_as_it_begins(box, anna):
    begun, _claim = box.put(
        anna, "launch", [parcel()], begin=lambda unit: unit.changed({0: unit.parcels[0].after("sending")})
    )
    assert left(box, anna) == [("waiting", ["sent"])]
    assert begun.parcels[0].state == "sent"


def test_a_unit_that_nobody_waits_for_is_due_at_once_and_the_courier_is_told(box, anna):
    unit, claim = box.put(anna, "launch", [parcel()], follow_up={"instrument": "hoop"})
    assert claim is None
    assert box.news.is_set()
    assert box.unsent(anna)[0].unit.follow_up == {"instrument": "hoop"}
    assert box.claim().unit == unit


def test_what_its_author_does_now_the_courier_leaves_alone_for_a_while(box, anna, clock):
    unit, _claim = box.put(anna, "launch", [], follow_up={"takes-out": True}, after=LEASE_SECONDS)
    clock.now += LEASE_SECONDS - 1
    assert box.claim() is None
    clock.now += 1
    assert box.claim().unit == unit


def test_what_its_author_has_done_is_forgotten_and_nothing_else(box, anna):
    bram = box.owner(ISSUER, "Patient/bram", "bram")
    [done, other, being_sent] = [box.put(anna, "launch", [], follow_up={"takes-out": True})[0] for _ in range(3)]
    while (claim := box.claim()).unit != being_sent:
        box.keep(claim, claim.unit, "waiting")
    box.withdraw(bram, done.id)
    box.withdraw(anna, done.id)
    box.withdraw(anna, being_sent.id)
    assert [one.id for one in box.unsent(anna)] == [other.id, being_sent.id]


def test_what_was_put_within_one_second_stays_in_its_order(box, anna, clock):
    claim = put(box, anna, parcel("0"))
    box.keep(claim, claim.unit, "waiting")
    for number in range(1, 4):
        box.put(anna, "launch", [parcel(str(number))])
    found = box.unsent(anna)
    assert [one.unit.parcels[0].write.full_url for one in found] == [f"urn:uuid:{number}" for number in range(4)]
    assert [one.made - found[0].made for one in found] == [0, 1, 2, 3]
    assert found[0].made == clock.now


def test_newer_words_about_the_same_thing_take_the_place_of_older_ones_that_wait(box, anna):
    claim = put(box, anna, replace(parcel("1"), place="companion"))
    box.keep(claim, claim.unit, "waiting")
    unit, _claim = box.put(anna, "launch", [parcel("1"), parcel("2")], begin=lambda unit: unit)
    assert [one.id for one in box.unsent(anna)] == [unit.id]
    assert [one.place for one in unit.parcels] == ["companion", "ehr"]


def test_what_is_being_sent_is_not_taken_from_who_sends_it(box, anna):
    first = put(box, anna)
    unit, claim = box.put(anna, "launch", [parcel()], begin=lambda _unit: pytest.fail("not now"))
    assert claim is None
    assert [one.id for one in box.unsent(anna)] == [first.unit.id, unit.id]


def test_a_lease_of_a_clock_that_was_a_day_ahead_holds_nobody_up(box, anna, clock):
    clock.now += 86_400
    put(box, anna)
    clock.now -= 86_400
    assert put(box, anna, parcel("2"))


def test_a_lease_that_is_over_holds_nobody_up(box, anna, clock):
    put(box, anna)
    clock.now += LEASE_SECONDS - 1
    assert box.put(anna, "launch", [parcel("2")], begin=lambda unit: unit)[1] is None
    clock.now += 1
    assert put(box, anna, parcel("3"))


def test_a_unit_too_many_is_refused_in_words_that_say_what_to_do(box, anna, bram, monkeypatch):
    monkeypatch.setattr("smartapp.records.outbox.MOST_UNITS", 2)
    for number in range(2):
        box.put(anna, "launch", [parcel(str(number))])
    with pytest.raises(Refused, match=r"Too much of this person is waiting to be sent\. Wait until"):
        box.put(anna, "launch", [parcel("2")])
    assert box.put(bram, "launch", [parcel()])
    assert len(box.unsent(anna)) == 2


# ---- claiming


def test_what_has_been_due_longest_goes_first(box, anna, bram, clock):
    later = put(box, bram)
    clock.now += 1
    sooner = put(box, anna)
    box.keep(later, later.unit, "waiting", retry_after=600)
    box.keep(sooner, sooner.unit, "waiting")
    clock.now += 601
    assert [box.claim().owner, box.claim().owner, box.claim()] == [anna, bram, None]


def test_a_claim_is_of_its_owner_alone_where_one_is_named(box, anna, bram):
    box.put(anna, "launch", [parcel()])
    box.put(bram, "other", [parcel()])
    assert [box.claim(bram).launch_id, box.claim(bram), box.claim(anna).launch_id] == ["other", None, "launch"]


@pytest.mark.parametrize("state", ["held", "stopped", "aside"])
def test_only_what_waits_is_sent(box, anna, clock, state):
    claim = put(box, anna)
    box.keep(claim, claim.unit, state)
    clock.now += LONGEST_PAUSE_SECONDS
    assert box.claim() is None


def test_each_claim_raises_the_number_of_the_lease(box, anna, clock):
    put(box, anna)
    leases = []
    for _ in range(3):
        clock.now += LEASE_SECONDS
        leases.append(box.claim().lease)
    assert leases == [2, 3, 4]


def test_what_a_claimed_unit_learns_from_older_ones_is_kept_with_it(box, anna, clock):
    """The older ones are gone by then; who dies before the first answer must not forget what they knew."""
    first = put(box, anna, parcel("1"))
    box.put(anna, "launch", [parcel("1"), parcel("2")])
    box.keep(first, first.unit.changed({0: parcel("1").after("sending")}), "waiting")
    box.claim(anna)
    assert left(box, anna) == [("waiting", ["sent", "ready"])]
    clock.now += LEASE_SECONDS
    assert [one.state for one in box.claim(anna).unit.parcels] == ["sent", "ready"]


def test_a_unit_knows_of_what_arrived_before_when_it_is_claimed(box, anna):
    first = put(box, anna)
    box.put(anna, "launch", [parcel("1"), parcel("2")])
    box.finish(first, first.unit.changed({0: arrived()}))
    claim = box.claim(anna)
    assert [one.state for one in claim.unit.parcels] == ["arrived", "ready"]
    assert claim.unit.parcels[0].stored.reference == "Goal/at-1"


# ---- going on


def test_progress_is_kept_and_the_lease_goes_on_from_now(box, anna, clock):
    claim = put(box, anna)
    clock.now += LEASE_SECONDS - 1
    box.renew(claim, claim.unit.changed({0: arrived()}))
    assert left(box, anna) == [("waiting", ["arrived"])]
    clock.now += LEASE_SECONDS - 1
    assert box.claim() is None
    clock.now += 1
    assert box.claim().lease == 2


def test_what_is_dropped_is_known_to_nobody(box, anna):
    claim = put(box, anna, arrived())
    box.drop(claim)
    assert box.unsent(anna) == []
    assert box.arrival(anna, "Goal", Identifier(SYSTEM, "1")) is None


@pytest.mark.parametrize("way", ["finish", "keep", "hand_over"])
def test_what_arrived_is_on_the_list_with_where_it_stands(box, anna, bram, way):
    claim = put(box, anna, arrived("1"), parcel("2"), arrived("3", closing=True))
    box.keep(claim, claim.unit, "waiting") if way == "keep" else getattr(box, way)(claim, claim.unit)
    found = box.arrival(anna, "Goal", Identifier(SYSTEM, "1"))
    assert (found.place, found.stored.reference, found.stored.etag, found.number) == ("ehr", "Goal/at-1", 'W/"1"', 1)
    assert box.arrival(bram, "Goal", Identifier(SYSTEM, "1")) == found  # at one EHR it is one thing, whoever wrote it
    unknown = [("Goal", "2"), ("Goal", "3"), ("Task", "1")]
    assert [box.arrival(anna, type_, Identifier(SYSTEM, value)) for type_, value in unknown] == [None] * 3
    other = box.owner("https://other.example", "Patient/anna", "anna")
    assert box.arrival(other, "Goal", Identifier(SYSTEM, "1")) is None


def test_what_arrived_before_there_were_successors_is_the_first_of_its_line(box, engine, anna):
    claim = put(box, anna, arrived())
    box.finish(claim, claim.unit)
    with engine.begin() as connection:
        content = VAULT.open(connection.execute(sa.select(ARRIVALS.c.sealed)).scalar_one())
        del content["number"]
        connection.execute(ARRIVALS.update().values(sealed=VAULT.seal(content)))
    assert box.arrival(anna, "Goal", Identifier(SYSTEM, "1")).number == 1


def test_a_unit_that_arrived_and_has_something_left_to_do_is_due_at_once(box, anna):
    claim = put(box, anna)
    box.news.clear()
    box.hand_over(claim, claim.unit.changed({0: arrived()}))
    assert box.news.is_set()
    assert [one.state for one in box.claim(anna).unit.parcels] == ["arrived"]


def test_what_is_kept_for_later_keeps_what_became_of_it(box, anna):
    claim = put(box, anna, parcel("1"), parcel("2"))
    box.keep(claim, claim.unit.changed({1: parcel("2", "refused", reason="422")}), "waiting")
    assert left(box, anna) == [("waiting", ["ready", "refused"])]
    assert box.unsent(anna)[0].unit.reason == "422"


def test_a_unit_that_fails_is_tried_again_after_pauses_and_set_aside_the_third_time(box, anna, clock):
    put(box, anna)
    clock.now += LEASE_SECONDS
    for failures in (1, 2):
        claim = box.claim()
        box.failed(claim)
        clock.now += pause_after(failures, claim.unit.id) - 1
        assert box.claim() is None
        clock.now += 1
    box.failed(box.claim())
    clock.now += LONGEST_PAUSE_SECONDS
    assert box.claim() is None
    assert left(box, anna) == [("aside", ["ready"])]


def test_what_was_set_aside_is_let_go_by_the_operator_and_may_fail_three_times_again(box, anna, clock):
    put(box, anna)
    for _ in range(3):
        clock.now += LONGEST_PAUSE_SECONDS
        box.failed(box.claim())
    stopped(box, anna, parcel("2", "refused"))
    box.news.clear()
    assert box.release_aside() == 1
    assert box.news.is_set()
    assert left(box, anna) == [("waiting", ["ready"]), ("stopped", ["refused"])]
    box.failed(box.claim())
    assert [state for state, _parcels in left(box, anna)] == ["waiting", "stopped"]
    assert box.release_aside() == 0


def test_a_unit_that_is_gone_cannot_fail_or_be_kept(box, anna):
    claim = put(box, anna)
    box.erase(anna)
    for change in (lambda: box.failed(claim), lambda: box.keep(claim, claim.unit, "waiting")):
        with pytest.raises(LeaseLost):
            change()


# ---- signing in


def test_who_signs_in_sends_what_waited_and_what_was_held_with_the_newest_launch_at_once(box, anna, clock):
    held = put(box, anna, parcel("1"))
    box.hold(held)
    waits = put(box, anna, parcel("2"))
    for _ in range(6):
        box.keep(waits, waits.unit, "waiting")
        clock.now += LONGEST_PAUSE_SECONDS
        waits = box.claim(anna)
    box.keep(waits, waits.unit, "waiting")
    stopped(box, anna, parcel("3", "refused"))
    box.news.clear()
    assert box.bind(anna, "newest") == 2
    assert box.news.is_set()
    claims = []
    for _ in range(2):
        claims.append(box.claim(anna))
        box.keep(claims[-1], claims[-1].unit, "waiting")
    assert {one.launch_id for one in claims} == {"newest"}
    assert {one.unit.id for one in claims} == {held.unit.id, waits.unit.id}
    clock.now += round(1.25 * FIRST_WAIT_SECONDS) + 1  # the pauses begin anew
    assert box.claim(anna) is not None


# ---- what its author decides


def test_trying_again_is_for_the_parts_that_stopped_and_is_due_at_once(box, anna, clock):
    claim = put(box, anna, parcel("1", "refused"), parcel("2", "conflict"), arrived("3"))
    for _ in range(5):
        box.keep(claim, claim.unit, "waiting")
        clock.now += LONGEST_PAUSE_SECONDS
        claim = box.claim(anna)
    box.keep(claim, claim.unit, "stopped")
    box.news.clear()
    assert box.try_again(anna, claim.unit.id)
    assert box.news.is_set()
    assert left(box, anna) == [("waiting", ["sent", "sent", "arrived"])]
    claim = box.claim(anna)
    box.keep(claim, claim.unit, "waiting")
    clock.now += round(1.25 * FIRST_WAIT_SECONDS) + 1
    assert box.claim(anna) is not None


def test_who_was_still_sending_what_is_tried_again_has_lost_it_for_good(box, anna):
    claim = stopped(box, anna, parcel("1", "refused"))
    assert box.try_again(anna, claim.unit.id)
    assert box.claim(anna).lease == claim.lease + 2
    with pytest.raises(LeaseLost):
        box.renew(claim, claim.unit)


def test_throwing_away_what_stopped_leaves_the_rest_on_its_way(box, anna):
    claim = stopped(box, anna, parcel("1", "refused"), parcel("2", "sent"))
    box.news.clear()
    assert box.throw_away(anna, claim.unit.id)
    assert left(box, anna) == [("waiting", ["sent"])]
    assert box.claim(anna) is not None


def test_throwing_away_the_last_of_a_unit_forgets_it(box, anna):
    claim = stopped(box, anna, parcel("1", "refused"), arrived("2"))
    assert box.throw_away(anna, claim.unit.id)
    assert box.unsent(anna) == []
    assert not box.throw_away(anna, claim.unit.id)


def test_nobody_decides_about_what_cannot_be_read_or_is_not_there(box, engine, anna):
    claim = stopped(box, anna, parcel("1", "refused"))
    with engine.begin() as connection:
        connection.execute(OUTBOX.update().values(sealed=b"of another key"))
    for decision in (box.try_again, box.throw_away):
        assert not decision(anna, claim.unit.id)
        assert not decision(anna, "no such unit")
    assert box.unsent(anna) == []
    assert [(one.state, one.units) for one in box.backlog()] == [("stopped", 1)]


def test_a_unit_that_an_older_version_refused_as_a_whole_shows_its_words_as_refused(box, anna):
    claim = stopped(box, anna, parcel("1", "sent"), arrived("2"))
    assert left(box, anna) == [("stopped", ["refused", "arrived"])]
    assert box.try_again(anna, claim.unit.id)
    assert left(box, anna) == [("waiting", ["sent", "arrived"])]


@pytest.mark.parametrize(
    ("saved", "is_forgotten"),
    [
        ([arrived("1"), arrived("2")], True),
        ([arrived("1"), arrived("2"), arrived("3")], True),
        ([arrived("1")], False),
        ([arrived("1"), parcel("2", "sent")], False),
        ([arrived("1"), arrived("2", anew=False)], False),
    ],
    ids=["all", "and more", "a part", "on its way", "as it was read"],
)
def test_what_stopped_is_forgotten_only_when_all_of_it_was_written_anew_and_arrived(box, anna, saved, is_forgotten):
    stopped(box, anna, parcel("1", "refused"), parcel("2", "conflict"), arrived("4"))
    newer = put(box, anna, parcel("5"))
    box.forget_tried_again(newer, Unit("new", tuple(saved)))
    box.drop(newer)
    assert (box.unsent(anna) == []) is is_forgotten


def test_what_is_still_on_its_way_is_not_forgotten_for_what_was_saved_again(box, anna):
    claim = put(box, anna, parcel("1"))
    box.keep(claim, claim.unit, "waiting")
    newer = put(box, anna, parcel("5"))
    box.forget_tried_again(newer, Unit("new", (arrived("1"),)))
    assert left(box, anna) == [("waiting", ["ready"])] * 2


def test_what_stopped_after_older_words_were_put_is_not_forgotten_for_them(box, anna):
    older = put(box, anna, parcel("5"))
    box.keep(older, older.unit, "waiting")
    stopped(box, anna, parcel("1", "refused"))
    box.forget_tried_again(older, Unit("old", (arrived("1"),)))
    assert left(box, anna) == [("waiting", ["ready"]), ("stopped", ["refused"])]


# ---- what an operator sees


def test_the_backlog_counts_by_issuer_and_state_with_the_oldest(box, anna, clock):
    other = box.owner("https://a.example", "Patient/x", "x")
    begun = int(clock.now)
    for number, owner in enumerate((anna, other, anna)):
        clock.now = begun + 10 * number
        claim = put(box, owner, parcel(str(number)))
        box.keep(claim, claim.unit, "waiting")
    stopped(box, anna, parcel("9", "refused"))
    assert box.backlog() == [
        Backlog("https://a.example", "waiting", 1, begun + 10),
        Backlog(ISSUER, "stopped", 1, begun + 21),
        Backlog(ISSUER, "waiting", 2, begun),
    ]


def test_units_of_a_former_name_are_adopted_whole_and_no_others(box, anna, bram):
    former = box.owner("https://old.example", "Patient/anna", "anna")
    box.put(former, "launch", [parcel("1")])
    box.put(bram, "launch", [parcel("2")])
    box.adopt(former, anna)
    assert [len(box.unsent(one)) for one in (former, anna, bram)] == [0, 1, 1]
    assert [(one.issuer, one.units) for one in box.backlog()] == [(ISSUER, 2)]
    renamed = Owner("key-of-issuer", anna.digest)
    box.adopt(anna, renamed)
    assert box.claim(renamed).owner == renamed


def test_a_unit_that_is_not_done_waits_while_there_is_something_that_we_can_do():
    def of(*states: State) -> Unit:
        return Unit("u", tuple(arrived() if state == "arrived" else parcel(state=state) for state in states))

    assert [
        state_of(of(*states)) for states in (["ready"], ["sent", "refused"], ["arrived"], ["arrived", "conflict"])
    ] == [
        "waiting",
        "waiting",
        "waiting",
        "stopped",
    ]


@pytest.mark.parametrize("tries", [0, 3, 30])
def test_pauses_of_many_units_are_spread_on_both_sides_of_the_doubling(tries):
    doubled = min(FIRST_WAIT_SECONDS * 2**tries, LONGEST_WAIT_SECONDS)
    pauses: Sequence[int] = [pause_after(tries, f"unit-{number}") for number in range(200)]
    assert min(pauses) < 0.85 * doubled
    assert max(pauses) > 1.15 * doubled
    assert 0.75 * doubled - 1 <= min(pauses) <= max(pauses) <= 1.25 * doubled + 1
