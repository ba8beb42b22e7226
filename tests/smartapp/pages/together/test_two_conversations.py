"""Two conversations on one day are two, each with a sheet of its own; and who opens one beside another's is told so."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from flask import Flask

from mappers.conversation import Conversation, as_encounter, conversation_of
from smartapp.fhir.store import Query, Write
from tests.smartapp.helpers import Visitor, launched, make_app, text_of
from tests.smartapp.pages.together.test_walk import WORDS, agreements, decide, field

MORNING = 1_780_308_000.0  # 1 June 2026, 12:00 in the Dutch summer
DAY = 86_400


@dataclass
class Place:
    """An app of which the test moves the clock."""

    app: Flask
    clock: list[float]

    def joost(self) -> Visitor:
        return launched(self.app, role="clinician")

    def other(self) -> Visitor:
        return launched(self.app, role="clinician", subject="de-wit")

    def anna(self) -> Visitor:
        return launched(self.app)

    def later(self, seconds: float) -> None:
        self.clock[0] += seconds


@pytest.fixture
def place() -> Place:
    clock = [MORNING]
    return Place(make_app(lambda: clock[0]), clock)


def close(visitor: Visitor):
    return visitor.get(visitor.post("overview/together/finish").location)


def sheets(page) -> list[str]:
    """Return the addresses of the sheets that a page leads to, the newest first, for whoever opens them."""
    return re.findall(r'href="/l/[^/]+/((?:visits|overview/together/report)/\d[^"/]*)"', page.text)


# --- two on one day -------------------------------------------------------------------------------------------------


def test_a_conversation_that_is_begun_after_one_was_closed_has_a_sheet_of_its_own_with_its_time(place):
    joost = place.joost()
    decide(joost, topic="Slapen", outcome="later")
    closed = close(joost)
    assert "Het gesprek is afgesloten." in text_of(closed)
    assert "Slapen" in text_of(closed)
    place.later(3 * 3600)
    joost = place.joost()
    decide(joost, topic="Werk", outcome="later")
    sheet = text_of(joost.get("overview/together/report"))
    assert "Werk" in sheet.partition("Eerdere gesprekken")[0]
    assert "Slapen" not in sheet
    page = place.anna().get("visits/")
    second, first = sheets(page)
    assert "1 juni 2026, 15:00" in text_of(page)
    assert "1 juni 2026, 12:00" in text_of(page)
    for address, mine, others in ((first, "Slapen", "Werk"), (second, "Werk", "Slapen")):
        said = text_of(place.anna().get(address))
        assert mine in said
        assert others not in said
        assert place.anna().get(f"{address}/conversation.pdf").status_code == 200


def test_one_conversation_a_day_has_only_its_day(place):
    decide(place.joost(), outcome="later")
    page = place.anna().get("visits/")
    assert [address.rpartition("/")[2] for address in sheets(page)] == ["2026-06-01"]
    assert "1 juni 2026, 12:00" not in text_of(page)


def test_the_address_of_a_day_stays_that_of_its_first_conversation(place):
    joost = place.joost()
    decide(joost, topic="Slapen", outcome="later")
    close(joost)
    place.later(3600)
    joost = place.joost()
    decide(joost, topic="Werk", outcome="later")
    assert "Slapen" in text_of(place.anna().get("visits/2026-06-01"))
    for name in ("2026-06-02", "2026-06-01-00000000", "2026-06-01-", "x"):
        assert place.anna().get(f"visits/{name}").status_code == 404


def test_what_was_not_closed_goes_on_the_same_sheet_the_same_day(place):
    joost = place.joost()
    decide(joost, topic="Slapen", outcome="later")
    place.later(3 * 3600)
    decide(place.joost(), topic="Werk", number=2, outcome="later")
    [sheet] = sheets(place.anna().get("visits/"))
    said = text_of(place.anna().get(sheet))
    assert "Slapen" in said
    assert "Werk" in said


def test_what_was_not_closed_has_another_sheet_on_another_day(place):
    decide(place.joost(), topic="Slapen", outcome="later")
    place.later(DAY)
    decide(place.joost(), topic="Werk", number=2, outcome="later")
    assert len(sheets(place.anna().get("visits/"))) == 2


def test_what_is_said_of_a_medicine_stands_on_the_sheet_of_its_conversation(place):
    joost = place.joost()
    decide(joost, outcome="later")
    close(joost)
    place.later(3600)
    joost = place.joost()
    joost.post("overview/together/medicines/new", {"medicine-new-name": "Rustpil", "medicine-new-use": "Elke avond."})
    second, first = sheets(place.anna().get("visits/"))
    assert "Rustpil" in text_of(place.anna().get(second))
    assert "Rustpil" not in text_of(place.anna().get(first))


def test_how_an_agreement_went_stands_on_the_sheet_of_the_conversation_that_had_begun_by_then(place):
    joost = place.joost()
    decide(joost, outcome="agreed", words=WORDS)
    id_ = agreements(joost)[0].id
    close(joost)
    place.later(3600)
    joost = place.joost()
    form = {f"went-{id_}": "doing", f"note-{id_}": "Al gelukt.", "was": "planned"}
    joost.post(f"overview/together/agreements/{id_}", form)
    assert "Al gelukt." in text_of(joost.get("overview/together/report"))
    decide(joost, topic="Werk", outcome="later")
    second, first = sheets(place.anna().get("visits/"))
    assert "Al gelukt." in text_of(place.anna().get(second))
    assert "Al gelukt." not in text_of(place.anna().get(first))


def test_what_was_written_before_conversations_had_a_name_is_one_sheet_a_day(place):
    for topic in ("Slapen", "Werk"):
        joost = place.joost()
        decide(joost, topic=topic, outcome="later")
        close(joost)
        place.later(3600)
    for one in joost.ehr.search(Query.of("QuestionnaireResponse")):
        without = {name: value for name, value in one.resource.items() if name != "encounter"}
        joost.ehr.write(Write("update", without, if_match=one.etag))
    [sheet] = sheets(place.anna().get("visits/"))
    assert sheet.endswith("/2026-06-01")
    said = text_of(place.anna().get(sheet))
    assert "Slapen" in said
    assert "Werk" in said


def test_what_is_changed_afterwards_stays_in_its_conversation(place):
    joost = place.joost()
    decide(joost, topic="Slapen", outcome="later")
    page = joost.get("overview/together/agree/1?change=1").text
    changed = {"outcome-1": "differ", "client-view-1": "Nee.", "version": field(page, "version")}
    assert joost.post("overview/together/agree/1", changed).status_code == 303
    [response] = joost.ehr.search(Query.of("QuestionnaireResponse"))
    named = conversation_of(response.resource)
    assert named is not None
    assert named.begun.startswith("2026-06-01T12:00:00")
    assert len(sheets(place.anna().get("visits/"))) == 1


def test_a_conversation_is_named_in_the_record_by_identifier_and_read_back():
    named = Conversation("k", "2026-06-01T12:00:00+02:00")
    encounter = as_encounter(named, "en")
    assert encounter["display"] == "Conversation"
    assert "reference" not in encounter
    assert conversation_of({"encounter": encounter}) == named
    assert conversation_of({"encounter": as_encounter(Conversation("k"))}) == Conversation("k")


@pytest.mark.parametrize(
    "encounter",
    [None, {}, "x", {"reference": "Encounter/1"}, {"identifier": {"system": "http://else", "value": "1"}}],
)
def test_a_visit_of_the_record_s_own_is_none_of_ours(encounter):
    assert conversation_of({"encounter": encounter}) is None


# --- two people -----------------------------------------------------------------------------------------------------


def test_another_professional_is_told_who_has_begun_and_both_keep_their_words(place):
    joost, other = place.joost(), place.other()
    joost.post("overview/together/discuss", {"topic-1": "Slapen"})
    place.later(600)
    for path in ("", "now", "medicines", "discuss", "report"):
        page = text_of(other.get(f"overview/together/{path}"))
        assert "SPV J. Jansen is vandaag om 12:00 met een gesprek begonnen." in page, path
    assert "met een gesprek begonnen" not in text_of(joost.get("overview/together/"))
    decide(other, topic="Werk", outcome="later")
    assert "met een gesprek begonnen" in text_of(joost.get("overview/together/"))
    decide(joost, topic="Slapen", outcome="later")
    texts = [text_of(one.get("overview/together/report")) for one in (joost, other)]
    assert ["Slapen" in texts[0], "Werk" in texts[0]] == [True, False]
    assert ["Slapen" in texts[1], "Werk" in texts[1]] == [False, True]
    assert len(sheets(place.anna().get("visits/"))) == 2


def test_nobody_is_told_of_a_conversation_that_was_closed_or_is_of_another_day(place):
    joost, other = place.joost(), place.other()
    joost.post("overview/together/discuss", {"topic-1": "Slapen"})
    joost.post("overview/together/finish", {"let-go": "1"})
    assert "met een gesprek begonnen" not in text_of(other.get("overview/together/"))
    joost.post("overview/together/discuss", {"topic-1": "Slapen"})
    assert "met een gesprek begonnen" in text_of(other.get("overview/together/"))
    place.later(DAY)
    assert "met een gesprek begonnen" not in text_of(place.other().get("overview/together/"))
    place.joost().post("overview/together/discuss", {"topic-2": "Werk"})
    assert "met een gesprek begonnen" in text_of(place.other().get("overview/together/"))


def test_the_client_is_told_too_and_nothing_of_what_is_typed(place):
    place.joost().post("overview/together/discuss", {"topic-1": "Slapen"})
    page = text_of(place.anna().get("visits/"))
    assert "SPV J. Jansen is vandaag om 12:00 met een gesprek begonnen." in page
    assert "Slapen" not in page


def test_of_somebody_else_s_record_nobody_is_told(place):
    place.joost().post("overview/together/discuss", {"topic-1": "Slapen"})
    bram = launched(place.app, "bram", role="clinician", subject="de-wit", name="Bram")
    assert "met een gesprek begonnen" not in text_of(bram.get("overview/together/"))


def test_how_an_agreement_went_is_not_overwritten_by_the_other_conversation(place):
    joost, other = place.joost(), place.other()
    decide(joost, outcome="agreed", words=WORDS)
    id_ = agreements(joost)[0].id
    joost.post(f"overview/together/agreements/{id_}", {f"went-{id_}": "doing", "was": "planned"})
    answer = other.post(
        f"overview/together/agreements/{id_}", {f"went-{id_}": "stopped", f"note-{id_}": "Klaar.", "was": "planned"}
    )
    assert answer.status_code == 409
    assert field(answer.text, f"note-{id_}") == "Klaar."
    assert agreements(joost)[0].status == "doing"
