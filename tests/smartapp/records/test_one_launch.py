"""The records of one launch: what a page is told of places, of what waits, and of odd answers of a server."""

from __future__ import annotations

import itertools

import pytest

from smartapp.fhir.capabilities import Capabilities
from smartapp.fhir.store import Forbidden, Found, NotFound, Query, Refused, Stored, Unreachable, Write
from smartapp.records.following import answered_instrument, answers, replaces_documents
from smartapp.records.moving import differ
from smartapp.records.outbox import LEASE_SECONDS, Outbox
from smartapp.records.parcels import Parcel, Unit, with_identifier
from smartapp.services import KEY
from tests.smartapp.helpers import EHR, Visitor, launched, make_app
from tests.smartapp.records.conftest import Clock

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def shared_clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def shared(shared_clock):
    """One app for all tests here: each is about a person of its own."""
    app = make_app(shared_clock)
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.fixture
def clock(shared_clock) -> Clock:
    return shared_clock


@pytest.fixture
def someone(shared) -> Visitor:
    shared.extensions[KEY].capabilities = Capabilities(shared.extensions[KEY].engine, shared.extensions[KEY].clock)
    visitor = launched(shared, patient=f"person-{next(NUMBERS)}")
    yield visitor
    visitor.core.local_ehrs[EHR] = getattr(visitor.ehr, "store", visitor.ehr)


def goal(visitor: Visitor, text: str = "Zingen", **more) -> dict:
    subject = {"reference": visitor.launch.patient.reference, "display": "Iemand"}
    described = {"lifecycleStatus": "active", "description": {"text": text}, "subject": subject}
    return {"resourceType": "Goal", **described, **more}


def changed(record, text: str) -> Write:
    return Write("update", {**record.resource, "description": {"text": text}}, if_match=record.etag)


def goals(visitor: Visitor) -> list[str]:
    """Return what the EHR has of this person."""
    found = visitor.ehr.search(Query.of("Goal", patient=visitor.launch.patient.reference))
    return [one.resource["description"]["text"] for one in found]


def another_process(visitor: Visitor) -> Outbox:
    return Outbox(visitor.core.engine, visitor.core.vault, visitor.core.clock)


def owner_of(visitor: Visitor):
    launch = visitor.launch
    return visitor.core.outbox.owner(launch.issuer_key, launch.patient.reference, launch.user.key)


# ---- what leaves, and what does not


def test_nothing_to_save_is_nothing_saved(someone):
    assert someone.records.save([]) == []
    assert someone.records.waiting() == []


def test_what_is_not_valid_is_kept_here_and_its_words_are_not_in_the_log(someone, caplog):
    with pytest.raises(Refused, match="not valid FHIR"):
        someone.records.save([Write("create", goal(someone, "Woorden van iemand", lifecycleStatus=[]))])
    assert goals(someone) == []
    assert someone.records.waiting() == []
    assert "lifecycleStatus" in caplog.text
    assert "Woorden" not in caplog.text


def test_what_was_wrong_at_the_ehr_already_keeps_nobody_from_changing_the_rest(someone):
    someone.ehr.write(Write("update", goal(someone, id=f"odd-{next(NUMBERS)}", note=[])))
    [[record]] = someone.records.search(Query.of("Goal", patient=someone.launch.patient.reference))
    records = someone.records
    read = records.read("Goal", record.resource["id"])
    records.save([changed(read, "Dansen")])
    assert goals(someone) == ["Dansen"]


def test_what_is_kept_for_later_is_sent_by_the_courier_and_not_by_the_page(someone):
    someone.records.later([Write("create", goal(someone))])
    assert goals(someone) == []
    [unsent] = someone.records.waiting()
    assert unsent.state == "waiting"
    someone.courier_comes()
    assert goals(someone) == ["Zingen"]
    assert someone.records.waiting() == []


# ---- what its author decides


@pytest.fixture
def stopped(someone, clock) -> Visitor:
    """Someone whose change was overtaken while it waited."""
    [record] = someone.records.save([Write("create", goal(someone))])
    flaky = someone.make_flaky()
    flaky.error = Unreachable("The EHR is away.")
    someone.records.save([changed(record, "Mijn woorden")])
    flaky.error = None
    flaky.store.write(changed(record, "Van een ander"))
    someone.courier_comes()
    return someone


def test_an_author_sees_at_once_what_became_of_a_decision(stopped):
    """Also on the page that shows it, which has looked before."""
    records = stopped.records
    [unsent] = records.stopped()
    assert unsent.unit.parcels[0].write.resource["description"]["text"] == "Mijn woorden"
    assert records.try_again(unsent.id)
    assert records.stopped() == []
    assert [one.state for one in records.waiting()] == ["waiting"]
    records.send_waiting()
    [unsent] = records.stopped()  # it is still overtaken
    assert records.throw_away(unsent.id)
    assert records.stopped() == records.waiting() == []
    assert goals(stopped) == ["Van een ander"]


def test_nobody_decides_about_what_someone_else_wrote(stopped, shared):
    [unsent] = stopped.records.stopped()
    other = launched(shared, patient=f"person-{next(NUMBERS)}")
    assert not other.records.try_again(unsent.id)
    assert not other.records.throw_away(unsent.id)
    assert len(stopped.records.stopped()) == 1


# ---- answers that no server should give


def test_a_search_that_the_ehr_forbids_leaves_what_is_elsewhere_and_a_page_can_say_so(someone, monkeypatch):
    someone.core.own_store(EHR).write(Write("create", goal(someone, "Bij ons")))

    def forbids(query: Query):
        raise Forbidden("Not for this app.")

    monkeypatch.setattr(someone.ehr, "search", forbids, raising=False)
    records = someone.records
    [found] = records.search(Query.of("Goal", patient=someone.launch.patient.reference))
    assert [one.place for one in found] == ["own"]
    assert records.forbidden == {"Goal"}


def test_a_search_that_our_own_store_forbids_is_a_fault_and_not_an_empty_page(someone, monkeypatch):
    def forbids(_self, query: Query):
        raise Forbidden("Nothing is forbidden here.")

    monkeypatch.setattr(type(someone.core.own_store(EHR)), "search", forbids)
    someone.make_flaky().search = lambda _query: []
    with pytest.raises(Forbidden):
        someone.records.search(Query.of("Goal", patient=someone.launch.patient.reference))


def test_a_page_is_told_that_there_is_more_than_it_asked_for(someone):
    for day in range(3):
        someone.ehr.write(Write("create", goal(someone, startDate=f"2026-03-0{day + 1}")))
    records = someone.records
    [found] = records.search(Query.newest(2, "Goal", "start-date", patient=someone.launch.patient.reference))
    assert [one.resource["startDate"] for one in found] == ["2026-03-03", "2026-03-02"]
    assert records.cut == {"Goal"}
    records = someone.records
    records.search(Query.newest(3, "Goal", "start-date", patient=someone.launch.patient.reference))
    assert records.cut == set()


def test_what_comes_along_and_is_of_no_type_that_we_know_is_left_out(someone, monkeypatch):
    known, odd = Stored(goal(someone, id="7")), Stored({"resourceType": "Oddity", "id": "7"})
    monkeypatch.setattr(someone.ehr, "search", lambda _query: Found([odd, known]), raising=False)
    [found] = someone.records.search(Query.of("Goal"))
    assert [one.reference for one in found] == ["Goal/7"]


@pytest.mark.parametrize("answer", [{"id": "7"}, {"resourceType": "Goal"}, {"resourceType": 7, "id": "7"}])
def test_an_answer_without_type_or_id_is_the_servers_fault_and_says_what_to_do(someone, monkeypatch, answer):
    monkeypatch.setattr(someone.ehr, "search", lambda _query: [Stored(answer)], raising=False)
    with pytest.raises(Unreachable, match=r"without type or id\. Tell its manager"):
        someone.records.search(Query.of("Goal"))


def test_someone_who_reads_what_is_nowhere_is_told_where_it_was_looked_for(someone):
    with pytest.raises(NotFound, match="Goal/nowhere is at none of the places"):
        someone.records.read("Goal", "nowhere")


# ---- two processes


def test_what_is_saved_while_another_process_sends_for_the_same_person_waits_and_then_arrives(someone):
    parcel = Parcel(with_identifier(Write("create", goal(someone, "Eerst"))), "ehr")
    _unit, claim = another_process(someone).put(owner_of(someone), someone.launch.id, [parcel], begin=lambda unit: unit)
    [record] = someone.records.save([Write("create", goal(someone, "Daarna"))])
    assert record.state == "waiting"
    assert goals(someone) == []
    another_process(someone).drop(claim)
    someone.courier_comes()
    assert goals(someone) == ["Daarna"]


@pytest.mark.parametrize("who", ["page", "courier"])
def test_who_was_away_for_longer_than_the_lease_leaves_it_to_who_has_it_now(someone, clock, who):
    """The answer of the EHR takes longer than any that we wait for, and another process goes on with the unit."""
    flaky, taken = someone.make_flaky(), []

    def slow() -> None:
        clock.now += LEASE_SECONDS + 1
        taken.append(another_process(someone).claim(owner_of(someone)))

    if who == "page":
        flaky.first = slow
        [record] = someone.records.save([Write("create", goal(someone))])
        assert record.state == "waiting"
    else:
        someone.records.later([Write("create", goal(someone))])
        flaky.first = slow
        someone.records.send_waiting()
    [claim] = taken
    assert [one.id for one in someone.records.waiting()] == [claim.unit.id]  # whoever has it now decides
    clock.now += LEASE_SECONDS + 1
    someone.records.send_waiting()
    assert goals(someone) == ["Zingen"]
    assert someone.records.waiting() == []


def test_a_row_that_no_key_opens_is_nothing_to_send(someone, clock):
    someone.records.later([Write("create", goal(someone))])
    with someone.core.engine.begin() as connection:
        connection.exec_driver_sql("update outbox set sealed = x'00' where owner = ?", (owner_of(someone).digest,))
    assert someone.core.outbox.claim(owner_of(someone)) is None
    aside = [row for row in someone.core.outbox.backlog() if row.state == "aside"]
    assert [(row.issuer, row.units, row.oldest) for row in aside] == [(EHR, 1, clock.now)]
    someone.core.outbox.erase(owner_of(someone))


def test_a_process_that_runs_for_months_keeps_no_lock_of_everybody(someone):
    outbox = another_process(someone)
    first, in_use = outbox.lock(outbox.owner("", "", "first")), outbox.lock(outbox.owner("", "", "in use"))
    with in_use:
        for number in range(10_001):
            outbox.lock(outbox.owner("", "", str(number)))
        assert outbox.lock(outbox.owner("", "", "in use")) is in_use
        assert outbox.lock(outbox.owner("", "", "first")) is not first


# ---- small things that several pages rely on


def test_what_a_unit_closes_when_it_has_arrived_is_told_by_its_follow_up():
    assert answered_instrument(Unit("u", (), answers("hoop", "HOOP"))) == "hoop"
    assert answered_instrument(Unit("u", (), replaces_documents())) == ""
    assert answered_instrument(Unit("u", ())) == ""


@pytest.mark.parametrize(
    ("found", "expected", "answer"),
    [
        ('W/"1"', 'W/"1"', False),
        ('W/"1"', '"1"', False),
        ('"1"', 'W/"1"', False),
        ('W/"1"', 'W/"2"', True),
        (None, 'W/"1"', False),
        ('W/"1"', None, False),
    ],
)
def test_two_version_tags_are_of_two_versions_only_when_both_are_known_and_say_so(found, expected, answer):
    assert differ(found, expected) is answer
