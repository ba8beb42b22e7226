"""The simulator itself: a seed says all, and a judge who can't find a loss proves nothing."""

from __future__ import annotations

import random

import pytest

from smartapp.fhir import http
from tests.faults import checker
from tests.faults.history import Options, play
from tests.faults.kinds import kinds
from tests.faults.ledger import Ledger, Word
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


def test_thirty_histories_end_well():
    results = [play(seed, Options(steps=5, goes_on=False)) for seed in range(1, 31)]
    found = {result.seed: [f"{one.kind}: {one.what}" for one in result.findings] for result in results}
    assert {seed: what for seed, what in found.items() if what} == {}
    assert sum(result.faults for result in results) > 60
    assert sum(result.kills for result in results) > 10


# ---- the judge sees what is wrong


def test_a_word_that_vanishes_from_the_record_is_lost(story):
    story.anna.write_story()
    (plan,) = [kept for kept in story.world.ehr.current() if kept.resource["resourceType"] == "CarePlan"]
    story.world.ehr.put({**plan.resource, "extension": []})
    assert [one.partition(":")[0] for one in story.found()] == ["lost"]


def test_a_newer_word_that_gives_way_to_an_older_one_is_lost(story):
    story.anna.write_story()
    (first,) = [kept for kept in story.world.ehr.current() if kept.resource["resourceType"] == "CarePlan"]
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
