"""Staff plan rounds: they share no day, are never made longer, and stopping one shows nothing sooner than tomorrow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.smartapp.helpers import EHR, Visitor, settings, text_of
from tests.smartapp.pages.team.place import FACT, MARK, TEAM, Place, is_kept

ROUNDS = f"{TEAM}rounds/"


def rounds(place: Place, team: str = "fact") -> list[tuple[str, str, str]]:
    kept = place.core.team_marks
    found = (one.round for one in kept.rounds([kept.team(EHR, team)]))
    return [(one.name, one.start.isoformat(), one.end.isoformat()) for one in found]


def said_by(visitor: Visitor) -> tuple[str, str, str, tuple[str, ...]]:
    """Return what the log says last: what was done, by whom, in whose rows, and what it was."""
    row = visitor.logged()
    return row.event, row.user, row.patient, row.objects


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        ("2026-12-02", "2026-12-02", "Een andere ronde heeft dagen van deze."),
        ("2026-11-30", "2026-12-01", "Een andere ronde heeft dagen van deze."),
        ("2026-11-29", "2026-11-30", "Een ronde begint vandaag of later."),
        ("2026-12-10", "2026-12-09", "De laatste dag komt voor de eerste."),
        ("2026-12-10", "2027-12-12", "Een ronde duurt hoogstens een jaar."),
        ("", "2026-12-09", "Kies de eerste dag."),
        ("2026-12-09", "", "Kies de laatste dag."),
        ("straks", "2026-12-09", "We herkennen deze datum niet."),
    ],
)
def test_a_round_that_can_t_be_comes_back_with_the_reason_and_all_that_was_typed(place, start, end, why):
    place.plan(1, 3)
    answer = place.staff().post(ROUNDS, {"name": "Nog een ronde", "start": start, "end": end})
    assert answer.status_code == 422
    assert why in text_of(answer)
    for typed in ("Nog een ronde", start, end):
        assert f'value="{typed}"' in answer.text
    assert rounds(place) == [("Winter", "2026-12-01", "2026-12-03")]


def test_a_round_of_a_year_and_one_sent_twice_are_planned_once(place):
    joost = place.staff(about_nobody=True)
    rows = len(list(place.core.audit.entries()))
    for _twice in range(2):
        assert is_kept(joost.post(ROUNDS, {"name": "Jaar", "start": "2026-12-10", "end": "2027-12-11"}))
    assert len(list(place.core.audit.entries())) == rows + 1
    assert said_by(joost) == ("create", "Practitioner/joost", "", ("team.rounds",))
    assert rounds(place) == [("Jaar", "2026-12-10", "2027-12-11")]
    assert rounds(place, "ward") == []


def test_a_round_is_stopped_today_and_read_from_tomorrow_and_never_opened_again(place):
    id_ = place.plan(0, 5)
    for number in range(6):
        place.give(number, "7")
    joost = place.staff()
    assert "Vandaag laten stoppen" in text_of(joost.get(ROUNDS))
    for _twice in range(2):
        assert is_kept(joost.post(f"{ROUNDS}stop", {"round": id_}))
    assert rounds(place) == [("Winter", "2026-11-30", "2026-11-30")]
    assert said_by(joost) == ("update", "Practitioner/joost", "", ("team.stop_round",))
    assert "7,0" not in text_of(joost.get(TEAM))  # not today: one more can come
    assert "Vandaag laten stoppen" not in text_of(joost.get(ROUNDS))
    assert joost.post(ROUNDS, {"name": "Weer", "start": "2026-11-30", "end": "2026-12-04"}).status_code == 422
    place.after(1)
    joost = place.staff()
    assert "7,0 6 mensen" in text_of(joost.get(TEAM))
    joost.post(f"{ROUNDS}stop", {"round": id_})
    assert rounds(place) == [("Winter", "2026-11-30", "2026-11-30")]
    assert len(place.given(id_)) == 6  # a round with bad marks can't be taken away


def test_a_round_that_has_not_begun_is_taken_away_and_its_days_are_free(place):
    id_ = place.plan(1, 2)
    joost = place.staff()
    assert "Deze ronde weghalen" in text_of(joost.get(ROUNDS))
    assert is_kept(joost.post(f"{ROUNDS}stop", {"round": id_}))
    assert rounds(place) == []
    place.plan(1, 1)


def test_a_round_is_stopped_on_the_page_of_its_own_team_alone_and_by_staff(place):
    id_ = place.plan(0, 5)
    place.staff().post("team/ward/rounds/stop", {"round": id_})
    place.staff().post(f"{ROUNDS}stop", {"round": "f" * 64})
    place.staff().post(f"{ROUNDS}stop")
    for visitor in (place.client(1), place.staff("reinders", "responsible")):
        assert visitor.post(f"{ROUNDS}stop", {"round": id_}).status_code == 403
        assert visitor.post(ROUNDS, {"name": "", "start": "2026-12-10", "end": "2026-12-10"}).status_code == 403
        assert visitor.get(ROUNDS).status_code == 403
    assert rounds(place) == [("Winter", "2026-11-30", "2026-12-05")]


def test_marks_stay_with_the_team_when_what_it_is_in_the_record_changes(tmp_path):
    """The operator gives the team another Organization: no round comes twice, and none is lost."""
    same = {"database_url": f"sqlite:///{tmp_path / 'verstel.db'}", "encryption_keys": settings().encryption_keys}
    place = Place(settings=same)
    place.plan()
    for number in range(6):
        place.give(number, "7")
    place.core.engine.dispose()
    for references in (("CareTeam/new", "Organization/fact"), ("Organization/other",)):
        moved = Place(teams=(replace(FACT, references=references),), settings=same)
        moved.after(1)
        assert text_of(moved.staff().get(TEAM)).count("7,0 6 mensen") == 1
        moved.core.engine.dispose()


def test_one_mark_can_t_be_given_to_a_team_twice_by_its_two_references(place):
    place.plan()
    for number in range(5):
        place.give(number, "7")
    for _twice in range(2):
        place.give(4, "7")
    place.after(1)
    page = text_of(place.staff().get(TEAM))
    assert "7,0" not in page
    assert page.count("minder dan 6 mensen") == 3  # once for each theme
    assert MARK not in place.staff().get(f"{TEAM}team.json").text
