"""What waits for a person's yes: once per form and typist, answered once, and wiped in time."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from smartapp.storage.database import open_database
from smartapp.storage.drafts import Drafts, forget_untouched
from smartapp.storage.handed_over import DAYS, HandedOver, Waiting, forget_old
from smartapp.storage.vault import open_vault
from tests.smartapp.helpers import Clock

KEY = Fernet.generate_key().decode()
DAY = 86_400


@pytest.fixture
def engine(url):
    engine = open_database(url)
    yield engine
    engine.dispose()


@pytest.fixture
def clock():
    return Clock(1_800_000_000.0)


def waiting(engine, clock, patient="Patient/anna") -> Waiting:
    drafts = Drafts(engine, open_vault(engine, [KEY]), clock, issuer="ehr", patient=patient, author="handed over")
    return Waiting(drafts, clock)


def words(text="Onkruid.", form="f" * 64, writer="w" * 64) -> HandedOver:
    return HandedOver("", form, "living/garden/story/", "Mijn tuin", "Practitioner/1", "J.", writer, 0, {"story": text})


def test_the_same_form_of_the_same_typist_waits_once_and_as_it_was_last(engine, clock):
    there = waiting(engine, clock)
    there.hand_over(words())
    kept = there.hand_over(words("Een roos."))
    there.hand_over(words("Van een ander.", writer="v" * 64))
    assert sorted(one.fields["story"] for one in there.all()) == ["Een roos.", "Van een ander."]
    assert there.waiting(kept.id).fields == {"story": "Een roos."}
    assert waiting(engine, clock, "Patient/bea").all() == []


def test_it_is_answered_once_and_the_words_go(engine, clock):
    there = waiting(engine, clock)
    kept = there.hand_over(words())
    there.answer(kept.id, "confirmed", kept.mark)
    there.answer(kept.id, "refused", kept.mark)
    [one] = there.all()
    assert (one.state, one.fields) == ("confirmed", {})
    assert there.waiting(kept.id) is None
    there.answer("handed-nobody", "confirmed", kept.mark)
    assert len(there.all()) == 1


def test_an_answer_is_to_the_words_that_were_read_and_not_to_those_that_came_in_their_place(engine, clock):
    there = waiting(engine, clock)
    read = there.hand_over(words())
    there.hand_over(words("Een roos."))
    there.answer(read.id, "refused", read.mark)
    assert there.waiting(read.id).fields == {"story": "Een roos."}


def test_what_is_no_id_of_ours_finds_no_other_draft(engine, clock):
    there = waiting(engine, clock)
    there._drafts.change("nel", lambda _before: {"nel-01": "1"})
    assert there.waiting("nel") is None
    assert there.all() == []


def test_it_waits_for_so_many_days_and_is_wiped_and_later_forgotten(engine, clock):
    there, vault = waiting(engine, clock), open_vault(engine, [KEY])
    kept = there.hand_over(words())
    clock.now += DAYS * DAY - 1
    forget_old(engine, vault, clock.now)
    assert there.waiting(kept.id) is not None
    clock.now += 1
    assert there.waiting(kept.id) is None
    [over] = there.all()
    assert (over.state, over.fields) == ("over", {})
    forget_old(engine, vault, clock.now)
    assert there._drafts.get(kept.id).resource["fields"] == {}
    clock.now += DAYS * DAY
    forget_old(engine, vault, clock.now)
    assert there.all() == []


def test_it_has_an_end_of_its_own_and_not_that_of_drafts(engine, clock):
    there = waiting(engine, clock)
    there.hand_over(words())
    there._drafts.change("nel", lambda _before: {"nel-01": "1"})
    assert forget_untouched(engine, int(clock.now)) == 1
    assert len(there.all()) == 1
