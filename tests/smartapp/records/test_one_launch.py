"""The records of one launch: what a page is told of places, of what waits, and of odd answers of a server."""

from __future__ import annotations

import itertools

import pytest

from mappers.identity import Identifier
from smartapp.fhir.capabilities import Capabilities
from smartapp.fhir.companion import CompanionStore
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import (
    MOST_RESULTS,
    Conflict,
    Forbidden,
    Found,
    Gone,
    NotFound,
    Query,
    Refused,
    Stored,
    Unreachable,
    Write,
)
from smartapp.records.following import answered_instrument, answers, replaces_documents
from smartapp.records.moving import differ
from smartapp.records.outbox import LEASE_SECONDS, Outbox
from smartapp.records.parcels import Parcel, Unit, with_identifier
from smartapp.services import KEY, Services
from tests.smartapp.helpers import EHR, Visitor, launched, make_app
from tests.smartapp.records.conftest import Clock

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def shared_clock() -> Clock:
    return Clock(1_770_000_000.0)


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


def test_a_change_that_is_overtaken_is_given_back_to_its_author_and_not_sent_after_that(someone):
    [record] = someone.records.save([Write("create", goal(someone))])
    someone.ehr.write(changed(record, "Van een ander"))
    with pytest.raises(Conflict) as caught:
        someone.records.save([changed(record, "Mijn woorden")])
    assert caught.value.current.resource["description"]["text"] == "Van een ander"
    assert someone.records.waiting() == []


def test_a_type_that_we_do_not_work_with_is_not_searched_for(someone):
    with pytest.raises(Refused, match="'Medication' is not a type of resource that this app works with"):
        someone.records.search(Query.of("Medication"))


def test_what_waits_is_read_without_asking_anybody(someone):
    flaky = someone.make_flaky()
    flaky.error = flaky.silence = Unreachable("The EHR is away.")
    [record] = someone.records.save([Write("create", goal(someone))])
    read = someone.records.read(*record.reference.split("/"))
    assert (read.state, read.resource["description"]["text"]) == ("waiting", "Zingen")


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
    two = Query.newest(2, "Goal", "start-date", patient=someone.launch.patient.reference)
    [found] = records.search(two)
    assert [one.resource["startDate"] for one in found] == ["2026-03-03", "2026-03-02"]
    assert records.cut == {two}
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


# ---- what is noted of who looked and who wrote


def noted(visitor: Visitor) -> list[tuple[str, tuple[str, ...]]]:
    """Return what the log says of this person, the oldest first."""
    mine = (one for one in visitor.core.audit.entries() if one.patient == visitor.launch.patient.reference)
    return [(one.event, one.objects) for one in mine]


def test_each_look_and_each_write_is_noted_with_what_it_was_about(someone):
    records = someone.records
    [made] = records.save([Write("create", goal(someone))])
    records.read("Goal", made.resource["id"])
    records.search(Query.of("Goal", patient=someone.launch.patient.reference))
    [after] = records.save([changed(made, "Dansen")])
    records.write_now(changed(after, "Zwemmen"), "ehr")
    what = (made.reference,)
    wrote = [(f"{made.reference}/_history/{number}",) for number in (1, 2)]
    assert noted(someone) == [
        ("create", wrote[0]),
        ("read", what),
        ("search", what),
        ("update", wrote[1]),
        ("update", what),
    ]


def test_what_did_not_arrive_is_not_noted_as_written(someone):
    someone.make_flaky().error = Unreachable("The EHR is away.")
    someone.records.save([Write("create", goal(someone))])
    assert [event for event, _objects in noted(someone)] == []


def test_what_lives_with_us_is_noted_too(shared):
    reader = launched(shared, patient=f"person-{next(NUMBERS)}", scopes="openid patient/*.rs")
    [made] = reader.records.save([Write("create", goal(reader))])
    assert (made.place, made.state, noted(reader)) == ("own", "stored", [("create", (f"{made.reference}/_history/1",))])
    assert reader.records.waiting() == []


# ---- where things live


def test_a_refusal_counts_from_the_very_next_thing_on(someone):
    flaky = someone.make_flaky()
    flaky.error = Forbidden("No goals.")
    records = someone.records
    [record] = records.save([Write("create", goal(someone))])
    flaky.error = None
    assert (record.place, record.state) == ("own", "stored")
    assert records.place_for("Goal") == "own"
    assert someone.records.place_for("Goal") == "own"
    assert someone.records.place_for("Observation") == "ehr"


def test_what_lives_with_us_is_read_without_asking_the_ehr(someone):
    stored = someone.core.own_store(EHR).write(Write("create", goal(someone, "Bij ons")))
    someone.make_flaky().silence = Unreachable("The EHR is away.")
    record = someone.records.read("Goal", stored.resource["id"])
    assert (record.place, record.resource["description"]["text"]) == ("own", "Bij ons")


def test_someone_elses_resource_of_our_own_store_is_as_absent_as_one_that_is_not_there(someone):
    theirs = {**goal(someone), "subject": {"reference": "Patient/another"}}
    stored = someone.core.own_store(EHR).write(Write("create", theirs))
    with pytest.raises(NotFound):
        someone.records.read("Goal", stored.resource["id"])
    with pytest.raises(Forbidden, match="This Goal is about another person than this launch"):
        someone.records.save([Write("create", theirs)])


def test_a_search_with_more_than_the_ehr_knows_chooses_among_all_that_there_is(someone, monkeypatch):
    """The newest two of what comes could be none of those that were asked for."""
    for text, status in (("oud", "completed"), ("nieuw", "active")):
        someone.ehr.write(Write("create", goal(someone, text, lifecycleStatus=status)))
    statement, search, asked = someone.ehr.capabilities(), someone.ehr.search, []
    for row in statement["rest"][0]["resource"]:
        row["searchParam"] = [{"name": "patient", "type": "reference"}, {"name": "start-date", "type": "date"}]
    monkeypatch.setattr(someone.ehr, "capabilities", lambda: statement, raising=False)
    monkeypatch.setattr(someone.ehr, "search", lambda query: asked.append(query) or search(query), raising=False)
    about = {"patient": someone.launch.patient.reference}
    [found] = someone.records.search(Query.newest(2, "Goal", "start-date", **about, **{"lifecycle-status": "active"}))
    assert [one.resource["description"]["text"] for one in found] == ["nieuw"]
    assert [one.most for one in asked if one.type == "Goal"] == [MOST_RESULTS]
    asked.clear()
    someone.records.search(Query.newest(2, "Goal", "start-date", **about))
    assert [one.most for one in asked] == [2]


def test_what_waits_cannot_be_changed_and_says_so(someone):
    [record] = someone.records.save([Write("create", goal(someone))])
    flaky = someone.make_flaky()
    flaky.error = Unreachable("The EHR is away.")
    someone.records.save([changed(record, "Mijn woorden")])
    with pytest.raises(Unreachable, match="has not arrived yet, so it cannot be changed"):
        someone.records.save([changed(record, "Nog anders")])
    read = someone.records.read("Goal", record.resource["id"])
    assert (read.state, read.resource["description"]["text"], read.etag) == ("waiting", "Mijn woorden", None)


@pytest.mark.parametrize(("text", "anew"), [("Zingen", False), ("Dansen", True)])
def test_saving_something_as_it_was_read_is_no_decision_of_its_author(someone, text, anew):
    [record] = someone.records.save([Write("create", goal(someone))])
    someone.make_flaky().error = Unreachable("The EHR is away.")
    records = someone.records
    records.save([changed(records.read("Goal", record.resource["id"]), text)])
    assert [one.anew for one in someone.records.waiting()[0].unit.parcels] == [anew]


def test_what_is_new_is_a_decision_of_its_author(someone):
    someone.records.later([Write("create", goal(someone))], follow_up={"instrument": "hoop", "title": "HOOP"})
    [unsent] = someone.records.waiting()
    assert [one.anew for one in unsent.unit.parcels] == [True]
    assert unsent.unit.follow_up == {"instrument": "hoop", "title": "HOOP"}


# ---- a companion server


@pytest.fixture
def companion(someone, monkeypatch) -> OwnStore:
    """A companion for someone who may only read at the EHR."""
    store = OwnStore(someone.core.engine, EHR, tenant=f"companion-{next(NUMBERS)}")
    monkeypatch.setattr(Services, "companion", lambda _self, issuer: CompanionStore(store, issuer))
    return store


def reader(someone: Visitor) -> Visitor:
    patient = someone.launch.patient_id
    return launched(someone.app, patient=patient, scopes="openid patient/*.rs")


def test_a_companion_gets_what_the_ehr_does_not_take_and_both_are_read(someone, companion):
    someone.ehr.write(Write("create", goal(someone, "In het dossier")))
    visitor = reader(someone)
    [made] = visitor.records.save([Write("create", goal(someone, "Ernaast"))])
    assert (made.place, made.state, visitor.records.place_for("Goal")) == ("companion", "stored", "companion")
    [found] = visitor.records.search(Query.of("Goal", patient=visitor.launch.patient.reference))
    assert [(one.place, one.resource["description"]["text"]) for one in found] == [
        ("ehr", "In het dossier"),
        ("companion", "Ernaast"),
    ]


@pytest.mark.parametrize("says", [True, False])
def test_a_companion_does_what_it_says_and_where_it_says_nothing_all_of_it(someone, companion, monkeypatch, says):
    """Without transactions two goals are two writes, and with them one."""
    statement = companion.capabilities()
    del statement["rest"][0]["interaction"]  # no transactions
    writes, write_all = [], companion.write_all

    def described():
        if says:
            return statement
        raise Unreachable("No statement today.")

    def together(given):
        writes.append(len(given))
        return write_all(given)

    monkeypatch.setattr(companion, "capabilities", described, raising=False)
    monkeypatch.setattr(companion, "write_all", together, raising=False)
    visitor = reader(someone)
    made = visitor.records.save([Write("create", goal(someone, text)) for text in ("Een", "Twee")])
    assert [one.state for one in made] == ["stored", "stored"]
    assert writes == ([] if says else [2])


# ---- what was made before


NAME = Identifier("https://verstel.nl/fhir/identifier/goal", "made-1")


def named(visitor: Visitor, value: str = NAME.value) -> Write:
    return Write("create", goal(visitor, identifier=[{"system": NAME.system, "value": value}]))


def test_what_was_made_here_is_found_wherever_it_is_by_now(someone):
    name = Identifier(NAME.system, f"made-{next(NUMBERS)}")
    assert someone.records.made("Goal", name) is None
    someone.records.later([named(someone, name.value)])
    waiting = someone.records.made("Goal", name)
    assert (waiting.state, waiting.resource["description"]["text"]) == ("waiting", "Zingen")
    assert someone.records.made("Task", name) is None
    someone.courier_comes()
    assert someone.records.made("Goal", name).state == "stored"


def test_what_our_list_knows_is_found_where_no_index_has_it_yet(someone, monkeypatch):
    name = Identifier(NAME.system, f"made-{next(NUMBERS)}")
    [made] = someone.records.save([named(someone, name.value)])
    monkeypatch.setattr(someone.ehr, "search", lambda _query: [], raising=False)
    assert someone.records.made("Goal", name).reference == made.reference


@pytest.mark.parametrize("error", [NotFound("Gone."), Gone("Deleted."), Forbidden("Not for this app.")])
def test_what_our_list_knows_and_cannot_be_read_is_looked_for(someone, monkeypatch, error):
    name = Identifier(NAME.system, f"made-{next(NUMBERS)}")
    someone.records.save([named(someone, name.value)])

    def read(_type: str, _id: str):
        raise error

    monkeypatch.setattr(someone.ehr, "read", read, raising=False)
    assert someone.records.made("Goal", name).state == "stored"
    monkeypatch.setattr(someone.ehr, "search", lambda _query: [], raising=False)
    assert someone.records.made("Goal", name) is None


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
