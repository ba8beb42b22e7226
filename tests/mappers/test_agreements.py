"""Agreements of a conversation: what is written can be read again, and no remark takes the place of another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_profiles.checking import problems as profile_problems
from mappers.agreements import (
    PROFILE,
    SAID,
    Agreement,
    Progress,
    Remark,
    agreement_of,
    agreements_in,
    is_agreement,
    remark_of,
    task_of_agreement,
    with_progress,
    with_words,
    withdrawn,
    without_progress,
)
from mappers.plan import PersonRef
from smartapp.fhir.checked import problems

NOOR = PersonRef("Patient/noor", "Noor")
JOOST = PersonRef("Practitioner/joost", "Joost")
KEY = "5c7f3f0e-6f0a-4d4b-9f38-8c2d9d1c7a41"
WALK = Agreement(
    KEY,
    "Elke dag  wandelen\nmet Boef",
    who="Noor",
    who_reference="Patient/noor",
    due="2026-12-01",
    made="2026-11-27",
)


def written(agreement: Agreement = WALK) -> dict:
    return task_of_agreement(agreement, patient=NOOR, author=JOOST, topic="Slapen")


def test_an_agreement_comes_back_as_it_was_written():
    assert agreement_of(written()) == WALK


@pytest.mark.parametrize("agreement", [WALK, replace(WALK, who="", who_reference="", due="")])
def test_what_is_written_is_valid_fhir_without_empty_elements(agreement):
    assert problems(written(agreement)) == []


def test_what_is_written_keeps_to_its_profile_also_after_it_was_looked_back_on():
    for agreement in (WALK, replace(WALK, who="", who_reference="", due="")):
        task = with_progress(written(agreement), "doing", "Twee keer.", by=NOOR, now="2026-12-01T10:00:00+01:00")
        assert profile_problems(task, PROFILE) == []
        assert profile_problems({**task, "intent": "order"}, PROFILE) != []


def test_it_needs_no_goal_and_no_life_domain():
    assert {"focus", "category", "basedOn"}.isdisjoint(written())


def test_someone_whom_the_record_does_not_know_is_just_a_name():
    task = written(replace(WALK, who="Mijn zus", who_reference=""))
    assert task["owner"] == {"display": "Mijn zus"}


def test_how_it_went_is_added_to_what_was_said_before():
    once = with_progress(written(), "doing", "Twee keer.", by=NOOR, now="2026-12-01T10:00:00+01:00")
    twice = with_progress(once, "done", "Het lukt.", by=JOOST, now="2026-12-09T10:00:00+01:00")
    read = agreement_of(twice)
    assert read is not None
    assert read.status == "done"
    assert not read.open
    assert read.changed == "2026-12-09T10:00:00+01:00"
    assert read.remarks == (
        Remark("Twee keer.", "2026-12-01T10:00:00+01:00", "Noor", NOOR.reference),
        Remark("Het lukt.", "2026-12-09T10:00:00+01:00", "Joost", JOOST.reference),
    )
    assert problems(twice) == []


def test_what_was_said_by_mistake_is_taken_back_and_what_others_said_stays():
    first, second = "2026-12-01T10:00:00+01:00", "2026-12-09T10:00:00+01:00"
    once = with_progress(written(), "doing", "Twee keer.", by=NOOR, now=first)
    twice = with_progress(once, "done", "Het lukt.", by=NOOR, now=second)
    mistake = Progress(NOOR.reference, second, "doing", "done", first)
    assert remark_of(twice, mistake) == "Het lukt."
    assert without_progress(twice, mistake) == once
    assert without_progress(once, Progress(NOOR.reference, first, "planned", "doing")) == written()
    of_another = replace(mistake, by=JOOST.reference)
    assert without_progress(twice, of_another)["note"] == twice["note"]


def test_a_press_without_words_has_none_to_give_back():
    now = "2026-12-01T10:00:00+01:00"
    pressed = with_progress(written(), "done", SAID["done"].nl, by=NOOR, now=now)
    assert remark_of(pressed, Progress(NOOR.reference, now, "planned", "done")) == ""


@pytest.mark.parametrize(("who", "theirs"), [("Patient/noor", True), ("", True), ("Practitioner/joost", False)])
def test_an_agreement_is_of_who_does_it(who, theirs):
    assert replace(WALK, who_reference=who).is_of("Patient/noor") is theirs


def test_what_the_client_says_alone_is_not_talk():
    alone, together = "2026-12-01T10:00:00+01:00", "2026-12-09T10:00:00+01:00"
    read = agreement_of(with_progress(written(), "done", SAID["done"].nl, by=NOOR, now=alone))
    assert read is not None
    assert read.talked_of == ()
    read = agreement_of(with_progress(written(), "done", "", by=JOOST, now=together))
    assert read is not None
    assert read.talked_of == (together,)


def test_without_words_no_remark_is_made():
    assert "note" not in with_progress(written(), "doing", " \n", by=NOOR, now="2026-12-01T10:00:00+01:00")


def test_a_finer_status_of_the_server_stays():
    accepted = {**written(), "status": "accepted"}
    assert with_progress(accepted, "planned", "", by=NOOR, now="2026-12-01")["status"] == "accepted"
    assert with_progress(accepted, "doing", "", by=NOOR, now="2026-12-01")["status"] == "in-progress"


def test_other_words_leave_the_rest_as_it_is():
    task = {**written(), "restriction": {"repetitions": 3, "period": {"start": "2026-11-27", "end": "2026-12-01"}}}
    changed = with_words(task, replace(WALK, text="Fietsen", due=""))
    assert changed["description"] == "Fietsen"
    assert changed["restriction"] == {"repetitions": 3, "period": {"start": "2026-11-27"}}
    assert changed["identifier"] == task["identifier"]


def test_a_withdrawn_agreement_is_no_longer_open_and_says_why():
    task = withdrawn(written(), "We zien het toch anders.")
    read = agreement_of(task)
    assert read is not None
    assert not read.open
    assert task["statusReason"] == {"text": "We zien het toch anders."}


@pytest.mark.parametrize(
    "change",
    [{"status": "entered-in-error"}, {"description": "  "}, {"code": {"text": "Stap"}}, {"resourceType": "Goal"}],
)
def test_what_is_no_agreement_is_not_read_as_one(change):
    assert agreement_of({**written(), **change}) is None


def test_a_step_of_a_plan_is_no_agreement():
    code = {"coding": [{"system": written()["code"]["coding"][0]["system"], "code": "recovery-step"}]}
    assert is_agreement(written())
    assert not is_agreement({**written(), "code": code})


def test_the_newest_agreement_comes_first():
    tasks = [written(replace(WALK, made=made)) for made in ("2026-01-01", "2026-11-27", "2026-06-01")]
    assert [one.made for one in agreements_in(tasks)] == ["2026-11-27", "2026-06-01", "2026-01-01"]
