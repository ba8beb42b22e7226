"""The simulator itself: a seed says all, and a judge who can't find a loss proves nothing."""

from __future__ import annotations

import random

import pytest

from smartapp.fhir import http
from smartapp.records.outbox import OUTBOX
from tests.faults import checker, stores
from tests.faults.chance import seeded
from tests.faults.history import History, Options, play
from tests.faults.kinds import kinds
from tests.faults.ledger import Ledger, Word
from tests.faults.model_ehr import Resource
from tests.faults.people import HOOP, TEXT
from tests.faults.stores import waiting
from tests.faults.world import FHIR, Killed, Weather


def lines(seed: int) -> list[tuple[float, str, str]]:
    return [(event.at, event.actor, event.what) for event in play(seed, Options(steps=4)).history]


def test_a_seed_plays_the_same_history_again():
    first = lines(4)
    assert len(first) > 20
    assert lines(4) == first
    assert lines(5) != first


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_without_faults_every_word_is_at_a_store_at_once(kind):
    result = play(7, Options(kind=kind, share=0, kills=0, processes=1, steps=6))
    assert result.findings == []
    assert result.faults == 0
    assert result.words > 3
    assert set(result.claims) <= {"ehr", "companion", "own", "kept", "given back", "draft"}


@pytest.mark.thorough
def test_ten_histories_end_well():
    results = [play(seed, Options(steps=5, goes_on=False)) for seed in range(1, 11)]
    found = {result.seed: [f"{one.kind}: {one.what}" for one in result.findings] for result in results}
    assert {seed: what for seed, what in found.items() if what} == {}
    assert sum(result.faults for result in results) > 20
    assert sum(result.kills for result in results) > 3


# ---- the judge sees what is wrong


def test_a_word_that_vanishes_from_the_record_is_lost(story):
    story.anna.write_story()
    (told,) = [kept for kept in story.world.ehr.current() if kept.resource["resourceType"] == "QuestionnaireResponse"]
    story.world.ehr.put({**told.resource, "item": []})
    assert [one.partition(":")[0] for one in story.found()] == ["lost"]


def test_a_newer_word_that_gives_way_to_an_older_one_is_lost(story):
    story.anna.write_story()
    (first,) = [kept for kept in story.world.ehr.current() if kept.resource["resourceType"] == "QuestionnaireResponse"]
    story.anna.write_story()
    story.world.ehr.put(first.resource)
    assert [one.partition(":")[0] for one in story.found()] == ["lost"]


def test_two_resources_of_one_identifier_are_doubled(story):
    story.anna.write_story()
    (plan,) = [kept for kept in story.world.ehr.current() if kept.resource["resourceType"] == "CarePlan"]
    story.world.ehr.put({**plan.resource, "id": "again"})
    assert [one.partition(":")[0] for one in story.found()] == ["doubled"]


def test_a_claim_of_what_is_not_there_is_false(story):
    word = story.ledger.write(story.world.now, "Patient/anna", ("story", "anna"), "storyw999x")
    word.claim = "ehr"
    story.anna.tells(word)
    assert [one.kind for one in story.ledger.findings] == ["false"]


def test_what_stays_on_its_way_is_left(story, monkeypatch):
    story.fault(r"(POST|PUT) :81/fhir", "drop-before")
    story.anna.write_story()
    monkeypatch.setattr(story.world.processes[0].courier, "round", lambda: 0)
    found = [one.partition(":")[0] for one in story.found()]
    assert found == ["left"]


def kinds_of(found: list[str]) -> list[str]:
    return [one.partition(":")[0] for one in found]


def of_type(story, type_: str) -> list[Resource]:
    return [one.resource for one in story.world.ehr.current() if one.resource["resourceType"] == type_]


def refuse_a_story(story) -> None:
    """Let a change of the story be refused while it waits, for what it says: then it does not go on elsewhere."""
    story.anna.write_story()
    story.fault("(POST|PUT) :81/fhir", "drop-before")
    story.anna.write_story()
    story.fault("(POST|PUT) :81/fhir", "400")
    story.rounds(10)
    assert stores.waiting(story.world) == 1


@pytest.mark.parametrize("story", ["plain"], indirect=True)
@pytest.mark.parametrize(("owner", "found"), [("anna", []), ("somebody else", ["unseen"])])
def test_what_is_kept_where_no_page_of_its_writer_shows_it_is_unseen(story, owner, found):
    story.anna.answer()
    story.anna.submit()
    story.fault("PUT :81/fhir", "drop-before")
    story.anna.amend()
    story.fault("PUT :81/fhir", "412")
    story.rounds(10)
    if owner != "anna":
        with story.world.processes[0].services.engine.begin() as connection:
            connection.execute(OUTBOX.update().values(owner=owner))
    assert kinds_of(story.found()) == found
    assert stores.waiting(story.world) == 1


@pytest.mark.parametrize("story", ["plain"], indirect=True)
@pytest.mark.parametrize(("is_stored", "found"), [(False, []), (True, ["alarmed"])])
def test_who_reads_of_a_refusal_of_what_is_stored_is_alarmed(story, is_stored, found):
    refuse_a_story(story)
    [unit] = stores.units(story.world)
    if is_stored:
        story.world.ehr.put(unit.parcels[0].write.resource)
    assert kinds_of(story.found()) == found


@pytest.mark.parametrize(("refused", "found"), [(set(), ["misplaced"]), ({"QuestionnaireResponse"}, [])])
@pytest.mark.parametrize("story", ["plain"], indirect=True)
def test_what_is_elsewhere_though_the_ehr_takes_it_is_misplaced(story, refused, found):
    story.world.refused = refused
    identifier = {"system": "https://verstel.nl/fhir/identifier/response", "value": "1"}
    story.world.other.put({"resourceType": "QuestionnaireResponse", "id": "1", "identifier": identifier})
    assert kinds_of(story.found()) == found


@pytest.mark.parametrize(("fault", "found"), [("delay", set()), ("drop-before", {"stuck"})])
def test_what_is_new_and_does_not_get_through_without_faults_is_stuck(tmp_path, fault, found):
    with seeded("stuck"):
        told = History(3, Options(kind="plain", share=0, kills=0, companion=False, processes=1), tmp_path)
        with told.world.connected():
            told.world.begin(1)
            told.world.weather = Weather(planned=[("(POST|PUT) :81/fhir", fault)] * 9)
            told._go_on()
        told.world.dispose()
    assert {one.kind for one in told.ledger.findings} == found


@pytest.mark.parametrize("breaks", [False, True])
def test_a_page_that_breaks_and_a_courier_that_breaks_crashed(story, monkeypatch, breaks):
    def broken(*_args: object) -> None:
        raise RuntimeError("nobody foresaw this")

    story.anna.there()
    if breaks:
        monkeypatch.setattr("smartapp.pages.plan.service.plan_in", broken)
        monkeypatch.setattr(story.world.processes[0].courier, "round", broken)
    story.anna.get("plan/")
    story.rounds(1)
    assert [one.kind for one in story.ledger.findings] == (["crashed", "crashed"] if breaks else [])


@pytest.mark.parametrize(
    ("planted", "found"),
    [({}, []), ({"status": "superseded"}, ["left"]), ({"id": "n99", "identifier": []}, ["doubled"])],
)
@pytest.mark.parametrize("story", ["epic-like"], indirect=True)
def test_a_plan_that_the_ehr_does_not_keep_has_one_document_there_that_holds(story, planted, found):
    story.anna.write_story()
    story.settle()
    story.anna.write_story()
    story.rounds(10)
    [former, document] = of_type(story, "DocumentReference")
    assert (former["status"], document["status"]) == ("superseded", "current")
    story.world.ehr.put({**document, **planted})
    assert kinds_of(story.found()) == found


@pytest.mark.parametrize(("status", "found"), [("completed", []), ("requested", ["left"])])
def test_an_assignment_that_was_answered_does_not_wait(story, status, found):
    story.jansen.ask_for("hoop")
    story.anna.answer()
    story.anna.submit()
    story.rounds(10)
    [task] = of_type(story, "Task")
    assert task["status"] == "completed"
    story.world.ehr.put({**task, "status": status})
    assert kinds_of(story.found()) == found


def test_a_word_gives_way_rightly_to_its_writers_next_one_and_to_who_saw_it():
    ledger = Ledger()
    mine = ledger.write(0, "anna", ("goal", "1"), "goalw001x")
    theirs = ledger.write(1, "the EHR", ("goal", "1"), "editedw002x", frozenset({"goalw001x"}))
    unaware = ledger.write(2, "bram", ("goal", "1"), "goalw003x")
    later = ledger.write(3, "anna", ("goal", "1"), "goalw004x")
    words: list[Word] = ledger.words
    assert checker.covers(theirs, mine, words)
    assert checker.covers(later, mine, words)
    assert not checker.covers(unaware, mine, words)
    assert not checker.covers(mine, later, words)


def test_a_host_that_failed_is_left_alone_by_one_process_and_by_the_clock_of_the_world(story):
    story.world.begin(2)
    failing, other = story.world.processes

    def asked(process) -> str:
        try:
            return str(story.world.run(process, lambda: http.ask("GET", f"{FHIR}/metadata")).status)
        except http.OutboundError as error:
            return error.code

    for _ in range(5):
        story.fault(".* :81/fhir/metadata", "drop-before")
    assert [asked(failing) for _ in range(6)] == ["unreachable"] * 5 + ["paused"]
    assert asked(other) == "200"
    story.world.wait(6)
    assert asked(failing) == "200"


def test_weather_that_is_planned_happens_once_at_its_request():
    weather = Weather(planned=[("PUT .*/Goal/", "412")])
    chance = random.Random(1)
    asked = ["GET /fhir/Goal/1", "PUT /fhir/Goal/1", "PUT /fhir/Goal/1"]
    assert [weather.fault(one, chance) for one in asked] == ["", "412", ""]


def test_a_process_that_died_does_nothing_any_more(story):
    (process,) = story.world.processes
    process.kill_in = 3
    assert story.anna.sign_in() is False
    assert (process.alive, story.world.kills) == (False, 1)
    with pytest.raises(Killed):
        process.services.sessions.start()


# ---- the judge does not see what is not there


def test_who_heard_nothing_of_two_presses_of_send_in_finds_out_about_both(story, monkeypatch):
    ask = story.anna.browser.ask

    def without_the_answer(process, method, path, data=None):
        page = ask(process, method, path, data)
        return None if path.endswith("/submit") else page

    monkeypatch.setattr(story.anna.browser, "ask", without_the_answer)
    for instrument in (TEXT[0], HOOP):
        story.anna.answer(instrument)
        story.anna.submit(instrument)
    assert story.found() == []
    assert [word.claim for word in story.ledger.words if word.slot[0] == "response"] == ["kept", "kept"]


def test_taking_back_what_changed_meanwhile_is_seen_where_it_did_not_get_through(story):
    story.jansen.ask_for(HOOP)
    story.fault("(POST|PUT) :81/fhir", "drop-before")
    story.jansen.take_back()
    (task,) = [kept for kept in story.world.ehr.current() if kept.resource["resourceType"] == "Task"]
    story.world.ehr.put({**task.resource, "status": "in-progress"}, "another program")
    assert story.found() == []
    assert waiting(story.world) == 1
