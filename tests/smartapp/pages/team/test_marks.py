"""Clients give a team marks: together they are read, from the day after, and nobody can tell who gave what."""

from __future__ import annotations

import datetime as dt
import html
import logging

import pytest

from smartapp.erasing import erase
from smartapp.storage.drafts import DRAFTS
from tests.smartapp.helpers import EHR, launched, text_of
from tests.smartapp.pages.kept.test_pages import form_on
from tests.smartapp.pages.team.place import (
    AUTOSAVE,
    ELSEWHERE,
    MARK,
    MARKS,
    MONDAY,
    MORE,
    TEAM,
    WHY,
    Place,
    all_of,
    is_kept,
)

SIX = [("7", "Zacht licht."), ("8", "Aardige mensen."), ("6", ""), ("9", "Ik hoor erbij."), ("7", ""), ("5", "Kil.")]
"""The marks of six clients: 7 + 8 + 6 + 9 + 7 + 5 = 42, so 7.0 on average."""
PAGES = (TEAM, f"{TEAM}team.json")


def all_give(place: Place, many: int = 6) -> None:
    for number, (mark, why) in enumerate(SIX[:many]):
        assert is_kept(place.give(number, mark, why, "Meer thee." if number == 0 else ""))


def seen_by_all(place: Place) -> str:
    """Return what clients and staff read of the team, on its page and as FHIR."""
    visitors = (place.client(1), place.staff(), place.staff("reinders", "responsible", about_nobody=True))
    return "\n".join(html.unescape(one.get(path).text) for one in visitors for path in PAGES)


# ---- the whole way


def test_marks_of_six_are_read_by_all_from_the_day_after_the_last_as_a_mean_and_words_in_the_alphabet(place):
    place.plan(0, 2)
    all_give(place)
    place.after(2)
    during = seen_by_all(place)
    assert "Zacht licht." not in during
    assert "7,0" not in during
    assert "Er is nog geen ronde voorbij." in text_of(place.staff().get(TEAM))
    place.after(3)
    for visitor in (place.client(3), place.client("never-gave"), place.staff(), place.staff(about_nobody=True)):
        page = text_of(visitor.get(TEAM))
        assert "Winter (30 november 2026 tot en met 2 december 2026) 7,0 6 mensen" in page
        why = [page.index(words) for words in ("Aardige mensen.", "Ik hoor erbij.", "Kil.", "Zacht licht.")]
        assert why == sorted(why)
        assert page.index("Zacht licht.") < page.index("Meer thee.")


def test_marks_of_five_are_not_read_and_neither_is_what_they_wrote(place):
    place.plan()
    all_give(place, 5)
    place.after(1)
    page = text_of(place.staff().get(TEAM))
    assert "Winter (30 november 2026 tot en met 30 november 2026) – minder dan 6 mensen" in page
    said = seen_by_all(place)
    assert [words for _mark, words in SIX if words and words in said] == []
    assert "7,4" not in said  # (7 + 8 + 6 + 9 + 7) / 5 = 37 / 5
    assert "Meer thee." not in said


def test_nobody_and_too_few_look_the_same_on_the_page_and_as_fhir(place):
    """Who asked one client to give marks could see that they did."""
    said = []
    for many in (0, 1, 5):
        one = Place()
        one.plan()
        all_give(one, many)
        one.after(1)
        bundle = one.staff().get(f"{TEAM}team.json").get_json()
        assert len(bundle["entry"]) == 1  # one report, though the team is two things in the record
        said.append((text_of(one.staff().get(TEAM)), bundle["entry"]))
    assert said[0] == said[1] == said[2]
    assert said[0][0].count("minder dan 6 mensen") == 3


def test_a_theme_that_five_gave_a_mark_is_not_shown_and_words_without_a_mark_neither(place):
    place.plan()
    all_give(place)
    for number in range(5):  # the same people once more, with a second theme
        mark, why = SIX[number]
        more = {"team-marks-peer-led-mark": "9", "team-marks-peer-led-why": f"Samen{number}."}
        assert is_kept(place.give(number, mark, why, **more))
    assert is_kept(place.give(6, "", "Geen cijfer, wel woorden.", **{"team-marks-peer-led-why": "Ook niet."}))
    place.after(1)
    page = text_of(place.staff().get(TEAM))
    assert page.count("minder dan 6 mensen") == 2  # daytime, of which nobody said anything, is one of them
    assert "Samen" not in page
    assert "wel woorden" not in page
    assert "7,0 6 mensen" in page


def test_two_rounds_share_nobody_s_answer_so_nothing_follows_by_subtraction(place):
    """Six in the first; the same six and one more in the second, who stays out of the first."""
    first = place.plan(0, 0, name="Een")
    all_give(place)
    place.after(1)
    second = place.plan(1, 1, name="Twee")
    place.give(7, "1", "Slecht.")
    place.after(2)
    page = text_of(place.staff().get(TEAM))
    assert "7,0 6 mensen" in page
    assert "Slecht." not in page  # of the second round there is one, however many were there before
    assert (len(place.given(first)), len(place.given(second))) == (6, 1)


# ---- changing, taking back, pressing twice


def test_pressing_twice_two_tabs_and_changing_is_one_answer_the_last(place):
    id_ = place.plan()
    anna = place.client(1)
    for mark in ("4", "4", "9"):
        assert is_kept(anna.post(MARKS, {MARK: mark, WHY: "Goed."}))
    assert place.given(id_) == [{MARK: "9", WHY: "Goed."}]
    there = anna.get(MARKS).text
    assert f'name="{MARK}" value="9" checked' in there
    assert "Terugnemen wat ik gaf" in there


@pytest.mark.parametrize("way", ["back", "emptied"])
def test_what_was_given_is_taken_back_by_the_button_or_by_emptying_it_all(place, way):
    id_ = place.plan()
    all_give(place, 2)
    anna = place.client(1)
    done = anna.post(f"{MARKS}back") if way == "back" else anna.post(MARKS, {MARK: "", WHY: "  "})
    assert is_kept(done)
    assert "Wat je gaf, is gewist." in text_of(anna.client.get(done.location))
    assert place.given(id_) == [{MARK: "7", WHY: "Zacht licht.", MORE: "Meer thee."}]
    assert "Aardige mensen." not in place.whole_database()
    assert is_kept(anna.post(f"{MARKS}back"))  # twice is once
    assert len(place.given(id_)) == 1


def test_a_mark_that_is_none_and_words_that_are_too_many_come_back_with_the_reason_and_count_not(place):
    id_ = place.plan()
    for wrong in ({MARK: "11"}, {MARK: "7", WHY: "a" * 100_001}):
        answer = place.client(1).post(MARKS, {MORE: "Rust.", **wrong})
        assert answer.status_code == 422
        assert "Nog niet gegeven" in text_of(answer)
        assert "Rust." in answer.text
    assert place.given(id_) == []


def test_giving_nothing_says_so_and_one_choice_is_left_open_again(place):
    id_ = place.plan()
    anna = place.client(1)
    nothing = anna.post(MARKS, {MARK: "", WHY: " "})
    assert (nothing.status_code, "Er is nog niets ingevuld." in text_of(nothing)) == (422, True)
    assert is_kept(anna.post(MARKS, {MARK: "7", "team-marks-peer-led-mark": "8"}))
    assert f'name="{MARK}" value="" ' in anna.get(MARKS).text.replace('value="">', 'value="" >')
    assert is_kept(anna.post(MARKS, {MARK: "", "team-marks-peer-led-mark": "8"}))
    assert place.given(id_) == [{"team-marks-peer-led-mark": "8"}]


def test_the_start_page_and_that_of_the_team_say_how_far_the_client_is_and_to_nobody_else(place):
    place.plan(0, 2)
    anna, bea = place.client(1), place.client(2)
    first = text_of(anna.get(TEAM))
    anna.post(MARKS, {MARK: "7"}, headers=AUTOSAVE)
    typed = text_of(anna.get(TEAM))
    assert "nog niet gegeven" in text_of(anna.get(""))
    assert "nog niet gegeven" not in text_of(bea.get(""))
    anna.post(MARKS, {MARK: "7"})
    given = text_of(anna.get(TEAM))
    assert "je kunt tot en met 2 december 2026 cijfers geven" in first.casefold()
    assert "nog niet gegeven" in typed
    assert "nog niet gegeven" not in first + given
    assert "Je gaf cijfers." in given
    assert text_of(bea.get(TEAM)) == first


# ---- when it is no time


def test_after_the_last_minute_what_was_typed_stands_there_for_its_writer_and_counts_not(place):
    id_ = place.plan()
    all_give(place)
    place.move(MONDAY, 23, 55)
    late, other = place.client("late"), place.client("other")
    assert "Deze cijfers geven" in late.get(MARKS).text
    place.move(MONDAY + dt.timedelta(days=1), 0, 5)
    answer = late.post(MARKS, {MARK: "1", WHY: "Te laat getypt."})
    assert answer.status_code == 409
    assert "telt niet mee" in text_of(answer)
    assert "Te laat getypt." in answer.text
    assert len(place.given(id_)) == 6
    again = late.get(MARKS)
    assert "Te laat getypt." in again.text
    assert "Deze cijfers geven" not in again.text
    for visitor in (other, place.staff()):
        assert "Te laat getypt." not in visitor.get(TEAM).text
    assert "Te laat getypt." not in other.get(MARKS).text
    assert "7,0 6 mensen" in text_of(late.get(TEAM))


def test_after_the_last_minute_nothing_is_taken_back_and_the_page_says_why(place):
    id_ = place.plan()
    all_give(place)
    place.move(MONDAY, 23, 55)
    anna = place.client(1)
    place.move(MONDAY + dt.timedelta(days=1), 0, 5)
    answer = anna.post(f"{MARKS}back")
    page = text_of(anna.client.get(answer.location))
    assert "kun je niet meer terugnemen" in page
    assert "is gewist" not in page
    assert len(place.given(id_)) == 6


def test_before_the_first_day_and_without_a_round_there_is_nothing_to_fill_in(place):
    anna = place.client(1)
    assert "Cijfers geven kan nu niet." in text_of(anna.get(MARKS))
    id_ = place.plan(1, 2)
    assert "Cijfers geven kan nu niet." in text_of(anna.get(MARKS))
    assert "Cijfers geven" not in text_of(anna.get(TEAM))
    assert anna.post(MARKS, {MARK: "7"}).status_code == 409
    assert place.given(id_) == []
    place.after(1)
    assert "Deze cijfers geven" in place.client(1).get(MARKS).text


# ---- typed, and not given yet


def test_what_is_typed_is_kept_for_its_writer_alone_and_counts_only_once_it_is_given(place):
    id_ = place.plan()
    anna, bea = place.client(1), place.client(2)
    kept = anna.post(MARKS, {MARK: "3", WHY: "Half getypt."}, headers=AUTOSAVE)
    assert kept.get_json() == {"saved": True}
    assert place.given(id_) == []
    again = place.client(1).get(MARKS)  # on another device
    assert "Half getypt." in again.text
    assert "Dit typte je eerder" in text_of(again)
    for visitor in (bea, place.staff(), place.staff(about_nobody=True)):
        assert "Half getypt." not in visitor.get(TEAM).text
    assert "Half getypt." not in bea.get(MARKS).text
    assert is_kept(anna.post(MARKS, {MARK: "3", WHY: "Half getypt."}))
    assert place.given(id_) == [{MARK: "3", WHY: "Half getypt."}]
    assert place.rows_with("Half getypt.") == {"team_marks"}  # the draft, which has a time, is gone


def test_what_was_given_is_not_kept_once_more_by_a_script_that_comes_late(place):
    """On a bad network it comes after the press: a copy with a time and a name would outlive the round."""
    place.plan()
    anna = place.client(1)
    given = {MARK: "3", WHY: "Traag net."}
    anna.post(MARKS, given)
    assert anna.post(MARKS, given, headers=AUTOSAVE).get_json() == {"saved": True}
    assert place.rows_with("Traag net.") == {"team_marks"}
    anna.post(MARKS, {**given, MARK: "4"}, headers=AUTOSAVE)
    assert place.rows_with("Traag net.") == {"team_marks", DRAFTS.name}


def test_marks_sent_after_the_session_ended_are_kept_for_their_writer_and_gone_once_they_are_given(place):
    id_ = place.plan(0, 3)
    anna = place.client(1)
    place.after(1)
    assert "Je bent uitgelogd" in text_of(anna.post(MARKS, {MARK: "3", WHY: "Van gisteren."}))
    assert place.given(id_) == []
    again = place.client(1)
    page = again.get("kept/").text
    assert "Van gisteren." in page
    assert "Van gisteren." not in place.client(2).get("kept/", follow_redirects=True).text
    assert is_kept(again.client.post(again.url(MARKS), data=form_on(page, again.url(MARKS))))
    assert place.given(id_) == [{MARK: "3", WHY: "Van gisteren."}]
    assert place.rows_with("Van gisteren.") == {"team_marks"}


def test_what_is_typed_is_thrown_away_at_a_press_and_what_was_given_stays(place):
    id_ = place.plan()
    anna = place.client(1)
    anna.post(MARKS, {MARK: "8", WHY: "Gegeven."})
    anna.post(MARKS, {MARK: "2", WHY: "Toch niet."}, headers=AUTOSAVE)
    assert "Toch niet." in anna.get(MARKS).text
    assert is_kept(anna.post(MARKS, {"sketch": "discard"}))
    page = anna.get(MARKS).text
    assert "Toch niet." not in page
    assert "Gegeven." in page
    assert place.given(id_) == [{MARK: "8", WHY: "Gegeven."}]
    assert place.rows_with("Toch niet.") == set()


# ---- nobody


def test_no_page_row_or_line_of_a_log_tells_who_gave_or_when(place, caplog):
    caplog.set_level(logging.DEBUG)
    place.plan(0, 1)
    anna = place.client(1)
    anna.get("")  # whatever is made at a first visit is there
    rows = len(list(place.core.audit.entries()))
    caplog.clear()
    moment = int(place.clock.now)
    anna.get(TEAM)
    anna.get(MARKS)
    anna.post(MARKS, {MARK: "3", WHY: "Rozengeur."}, headers=AUTOSAVE)
    anna.post(MARKS, {MARK: "2", WHY: "Rozengeur."})
    anna.post(f"{MARKS}back")
    anna.post(MARKS, {MARK: "2", WHY: "Rozengeur."})
    anna.get(f"{TEAM}team.json")
    assert len(list(place.core.audit.entries())) == rows  # her own log has no row of it, and neither has any other
    for secret in ("zonnebloem", "Wilgenblad", "Rozengeur", "team-marks-atmosphere"):
        assert secret not in all_of(caplog.records)
    assert "/l/<launch_id>/team/<team_id>/marks/" in all_of(caplog.records)  # the log was there
    [row] = [row for row in place.whole_database().splitlines() if "Rozengeur." in row]
    assert row.startswith("team_marks ")
    for secret in ("zonnebloem", "Wilgenblad", str(moment)):
        assert secret not in row
    assert "2026" not in row.partition("{")[2]  # before it stand random names
    for number in range(2, 8):
        place.give(number, "8", f"Woord {number}.")
    place.after(2)
    said = seen_by_all(place)
    assert "Rozengeur." in said  # the words are read, and nothing that stands beside them
    bundle = place.staff().get(f"{TEAM}team.json").text
    assert "Rozengeur." not in bundle
    assert "zonnebloem" not in bundle
    assert "Wilgenblad" not in bundle
    names = place.core.team_marks
    for number in range(1, 8):
        for id_ in [one.id for one in names.rounds([names.team(EHR, "fact")])]:
            digest = names._name(id_, (EHR, f"Patient/zonnebloem-{number}"))
            assert digest not in place.whole_database()
            assert digest not in said


def test_staff_s_page_is_the_same_before_and_after_one_more_gives(place):
    """Else who reloads it while somebody is in the room could tell that they gave, and what."""
    place.plan(0, 3)
    all_give(place)
    joost = place.staff()
    paths = [*PAGES, f"{TEAM}rounds/"]
    before = [text_of(joost.get(path)) for path in paths]
    all_rows = len(list(place.core.audit.entries()))
    assert is_kept(place.give("one-more", "1", "Nog een."))
    assert [text_of(joost.get(path)) for path in paths] == before
    assert len(list(place.core.audit.entries())) == all_rows


def test_leaving_deletes_what_was_typed_and_given_while_the_round_is_open_and_of_nobody_else(place):
    id_ = place.plan()
    all_give(place, 3)
    place.client(1).post(MARKS, {MARK: "1", WHY: "Nog niet gegeven."}, headers=AUTOSAVE)
    place.client(2).post(MARKS, {MARK: "1", WHY: "Van een ander."}, headers=AUTOSAVE)
    issuer = place.core.settings.issuers[0]
    erased, _rows = erase(place.core, issuer, "zonnebloem-1")
    assert erased["marks for a team, of rounds that are open"] == 1
    assert sorted(one[MARK] for one in place.given(id_)) == ["6", "7"]
    assert place.rows_with("Nog niet gegeven.") == set()
    assert place.rows_with("Van een ander.") == {DRAFTS.name}


def test_leaving_once_the_round_is_over_leaves_all_marks_for_they_are_nobody_s(place):
    id_ = place.plan()
    all_give(place)
    place.after(1)  # and nobody has looked since
    erased, _rows = erase(place.core, place.core.settings.issuers[0], "zonnebloem-1")
    assert erased["marks for a team, of rounds that are open"] == 0
    assert len(place.given(id_)) == 6
    assert "7,0 6 mensen" in text_of(place.staff().get(TEAM))


# ---- who may not


def test_staff_give_no_marks_and_others_get_nothing(place):
    id_ = place.plan()
    for role in ("clinician", "case-manager", "peer-worker", "responsible", "outside", "loved-one", "representative"):
        visitor = launched(place.app, patient="zonnebloem-1", role=role)
        assert visitor.get(MARKS).status_code == 403
        assert visitor.post(MARKS, {MARK: "10"}).status_code == 403
        assert visitor.post(f"{MARKS}back").status_code == 403
    for role in ("outside", "loved-one", "representative", "guest"):
        visitor = launched(place.app, patient="zonnebloem-1", role=role)
        for path in ("team/", *PAGES, f"{TEAM}rounds/"):
            assert visitor.get(path).status_code == 403, (role, path)
    assert place.given(id_) == []


def test_a_team_of_another_place_is_not_found_and_takes_nothing(place):
    id_ = place.plan()
    there = place.client(1, issuer=ELSEWHERE)
    for path in (*PAGES, MARKS):
        assert there.get(path).status_code == 404
    assert there.post(MARKS, {MARK: "1"}).status_code == 404
    assert place.client(1).get("team/there/").status_code == 404
    assert place.client(1).get("team/nobody/").status_code == 404
    assert there.get("team/there/").status_code == 200
    assert place.given(id_) == []
    assert "FACT Noord" not in text_of(there.get("team/there/"))
    assert is_kept(place.give(1, "7"))
    assert is_kept(there.get("team/"))  # of one team, its page
    assert "Team Daar" in text_of(there.get("team/", follow_redirects=True))


def test_with_no_teams_no_page_leads_there_and_the_address_says_so():
    place = Place(teams=())
    anna, joost = place.client(1), place.staff()
    for visitor in (anna, joost, place.staff(about_nobody=True)):
        page = visitor.get("team/")
        assert (page.status_code, "Geen enkel team heeft hier een pagina." in text_of(page)) == (200, True)
    assert "/team/" not in anna.get("").text
    assert anna.get(TEAM).status_code == 404
    with_teams = Place().client(1)
    assert "/team/" in with_teams.get("").text
    listed = text_of(with_teams.get("team/"))
    assert listed.index("Afdeling Zuid") < listed.index("FACT Noord")
