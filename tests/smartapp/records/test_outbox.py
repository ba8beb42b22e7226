"""What waits: when it is sent again and by whom, and when it may be forgotten."""

from __future__ import annotations

from smartapp.fhir.capabilities import KEEP_SECONDS, RETRY_SECONDS
from smartapp.fhir.store import Query, Unreachable, Write
from smartapp.records.outbox import FIRST_WAIT_SECONDS, LEASE_SECONDS, LONGEST_WAIT_SECONDS, Outbox
from smartapp.records.parcels import Parcel, with_identifier

SUBJECT = {"reference": "Patient/anna", "display": "Anna"}


def goal(text: str = "Zingen") -> Write:
    described = {"lifecycleStatus": "active", "description": {"text": text}, "subject": SUBJECT}
    return with_identifier(Write("create", {"resourceType": "Goal", **described}))


def away(*_given):
    raise Unreachable("The EHR is away.")


def another_process(anna) -> Outbox:
    """Return the outbox as another process over the same database has it."""
    return Outbox(anna.core.engine, anna.core.vault, anna.core.clock)


def test_the_pause_doubles_with_every_try_up_to_half_an_hour(anna, clock):
    outbox = anna.core.outbox
    unit = outbox.put("anna", anna.launch.id, [Parcel(goal(), "ehr")])
    pauses = []
    for _ in range(12):
        outbox.keep(unit, "waiting")
        pause = 0
        while not (claimed := outbox.claim("anna")):
            pause += 1
            clock.now += 1
        [(unit, _launch)] = claimed
        pauses.append(pause)
    doubled = [min(FIRST_WAIT_SECONDS * 2**tries, LONGEST_WAIT_SECONDS) for tries in range(12)]
    assert pauses == doubled
    assert (pauses[:3], pauses[-1]) == ([5, 10, 20], 1800)


def test_what_one_process_sends_another_leaves_alone(anna):
    [unsent] = [anna.core.outbox.put("anna", anna.launch.id, [Parcel(goal(), "ehr")])]
    assert another_process(anna).claim() == []
    anna.core.outbox.drop(unsent)


def test_what_one_process_has_claimed_another_gets_only_when_the_lease_is_over(anna, clock):
    outbox = anna.core.outbox
    outbox.keep(outbox.put("anna", anna.launch.id, [Parcel(goal(), "ehr")]), "waiting")
    clock.now += FIRST_WAIT_SECONDS
    assert len(outbox.claim()) == 1
    assert another_process(anna).claim() == []
    clock.now += LEASE_SECONDS - 1
    assert another_process(anna).claim() == []
    clock.now += 1
    assert len(another_process(anna).claim()) == 1


def test_another_process_that_comes_by_while_a_page_waits_for_the_ehr_finds_nothing_to_send(anna, monkeypatch):
    write, found = anna.ehr.write, []

    def slow(given: Write):
        found.append(another_process(anna).claim())
        return write(given)

    monkeypatch.setattr(anna.ehr, "write", slow, raising=False)
    anna.records.save([goal()])
    assert found == [[]]
    assert len(anna.ehr.search(Query.of("Goal"))) == 1


def test_a_refused_unit_is_forgotten_only_when_all_of_it_has_been_saved_again(anna, clock, monkeypatch):
    first, second = anna.records.save([goal("Zingen"), goal("Fietsen")])
    with monkeypatch.context() as patch:
        patch.setattr(anna.ehr, "write_all", away, raising=False)
        anna.records.save([_changed(first, "Mijn zang"), _changed(second, "Mijn fiets")])
    for one in (first, second):
        anna.ehr.write(_changed(one, "Van een ander"))
    clock.now += FIRST_WAIT_SECONDS
    anna.records.send_waiting()
    assert [unsent.state for unsent in anna.records.waiting()] == ["refused"]

    anna.records.save([_changed(anna.records.read("Goal", first.resource["id"]), "Toch mijn zang")])
    [kept] = anna.records.waiting()
    assert "Mijn fiets" in [one.write.resource["description"]["text"] for one in kept.unit.parcels]
    both = [anna.records.read("Goal", one.resource["id"]) for one in (first, second)]
    anna.records.save([_changed(one, "Toch van mij") for one in both])
    assert anna.records.waiting() == []


def test_a_refused_change_of_one_without_identifier_is_not_forgotten_for_another_one(anna, clock, monkeypatch):
    bare = {name: value for name, value in goal().resource.items() if name != "identifier"}
    for id_ in ("one", "two"):
        anna.ehr.write(Write("update", {**bare, "id": id_}))
    one, two = (anna.records.read("Goal", id_) for id_ in ("one", "two"))
    with monkeypatch.context() as patch:
        patch.setattr(anna.ehr, "write", away, raising=False)
        anna.records.save([_changed(one, "Mijn woorden")])
    anna.ehr.write(_changed(one, "Van een ander"))
    clock.now += FIRST_WAIT_SECONDS
    anna.records.send_waiting()
    anna.records.save([_changed(two, "Iets anders")])
    assert [unsent.state for unsent in anna.records.waiting()] == ["refused"]


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
