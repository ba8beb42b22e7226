"""Two auditors score a team apart: nothing of the first's is anywhere to be read until the second has sent theirs."""

from __future__ import annotations

import datetime as dt
import html
import logging

import pytest

from smartapp.fhir.store import Query
from smartapp.storage.team_audits import TeamAudits
from tests.smartapp.helpers import EHR, Visitor, text_of
from tests.smartapp.pages.team.place import AUTOSAVE, TEAM, Place, all_of, is_kept

ROPI = f"{TEAM}ropi/"
MINE, BACK, AGREED = (f"{ROPI}2026/{name}" for name in ("mine/", "back", "agreed/"))
# The first dimension has items 01 and 02: (4 + 2) / 2 = 3.0 by one, (5 + 3) / 2 = 4.0 by the other.
FIRST = {"ropi-01": "4", "ropi-02": "2", "ropi-01-seen": "De deur stond open."}
SECOND = {"ropi-01": "5", "ropi-02": "3", "ropi-01-seen": "Er lag een rooster."}
DIMENSION = "Tegemoet komen aan basale zorgbehoeftes"
SEND = {"send": "1"}


def send(place: Place, who: str, values: dict[str, str], year: int = 2026):
    return place.staff(who, about_nobody=True).post(f"{ROPI}{year}/mine/", {**values, **SEND})


def both_send(place: Place) -> None:
    assert is_kept(send(place, "joost", FIRST))
    assert is_kept(send(place, "mia", SECOND))


def responses(place: Place) -> list[dict]:
    store = place.core.own_store(EHR)
    return [one.resource for one in store.search(Query.of("QuestionnaireResponse", subject="Organization/fact"))]


def scored(response: dict) -> dict[str, str]:
    """Return the items of a response by linkId, as they are written."""
    found, waiting = {}, list(response["item"])
    while waiting:
        item = waiting.pop()
        waiting += item.get("item", [])
        for answer in item.get("answer", []):
            found[item["linkId"]] = answer.get("valueCoding", {}).get("code") or answer.get("valueString")
    return found


def seen(visitor: Visitor) -> str:
    pages = (TEAM, f"{TEAM}team.json", ROPI, MINE, AGREED)
    return "\n".join(html.unescape(visitor.get(path).text) for path in pages)


# ---- apart


def test_nothing_of_the_first_is_read_by_anybody_until_the_second_sent_theirs(place, caplog):
    caplog.set_level(logging.DEBUG)
    assert is_kept(send(place, "joost", FIRST))
    for visitor in (place.staff("mia", "peer-worker"), place.client(1), place.staff("reinders", "responsible")):
        said = seen(visitor)
        assert "De deur stond open." not in said
        assert f"{DIMENSION} 3,0" not in text_of(visitor.get(TEAM))
    assert "Tot nu toe verstuurd: 1 van 2." in text_of(place.staff("mia").get(ROPI))
    assert responses(place) == []  # nor is it in the store that pages read
    assert place.rows_with("De deur stond open.") == {"team_audits"}
    assert "De deur stond open." not in all_of(caplog.records)
    assert place.staff("mia").get(AGREED).status_code == 404
    shown = place.staff("mia").get(MINE).text
    assert shown.count(" checked") == shown.count('value="" checked') > 0  # no score of anybody is chosen there
    assert is_kept(send(place, "mia", SECOND))
    for visitor in (place.client(1), place.staff("els"), place.staff("reinders", "responsible")):
        assert f"{DIMENSION} 3,0 4,0 –" in text_of(visitor.get(TEAM)).replace("4,0 3,0 –", "3,0 4,0 –")
        assert "Ze hebben nog niets afgesproken" in text_of(visitor.get(TEAM))
    assert "team_audits" not in place.rows_with("De deur stond open.")


def test_what_stands_in_the_store_tells_neither_who_scored_nor_which_was_first(place):
    """The log has who sent theirs, and when: neither the moment nor the order of the two may lead there."""
    assert is_kept(send(place, "joost", FIRST))
    place.move(dt.date(2026, 12, 3), 16, 30)
    assert is_kept(send(place, "mia", SECOND))
    there = responses(place)
    assert [one["authored"] for one in there] == ["2026-12-03"] * 2
    for one in there:
        assert not {"author", "source", "_authored"} & set(one)
        for name in ("joost", "mia", "Practitioner"):
            assert name not in str(one)
    rows = [row for row in place.core.audit.entries() if row.objects == ("ropi.mine",)]
    assert [(row.event, row.user, row.patient) for row in rows] == [
        ("create", "Practitioner/joost", ""),
        ("create", "Practitioner/mia", ""),
    ]


def test_which_of_the_two_is_called_the_first_does_not_follow_from_who_sent_first(place):
    """It is another in each year and database: in a hundred years both orders are there."""
    kept: TeamAudits = place.core.team_audits
    orders = set()
    for year in range(2000, 2100):
        audit = kept.audit(EHR, "fact", year)
        names = [kept.auditor(audit, who) for who in ("joost", "mia")]
        orders.add(names == sorted(names))
    assert orders == {True, False}


def test_the_third_is_refused_and_keeps_what_they_typed(place):
    both_send(place)
    els = place.staff("els")
    for _again in range(2):
        answer = els.post(MINE, {"ropi-01": "1", "ropi-01-seen": "Te laat.", **SEND})
        assert answer.status_code == 409
        assert "Twee auditoren hebben hun scores al verstuurd." in text_of(answer)
        assert "Te laat." in answer.text
    assert "Te laat." in place.staff("els").get(MINE).text
    assert len(responses(place)) == 2
    assert place.rows_with("Te laat.") == {"drafts"}
    assert "Tot nu toe verstuurd" not in text_of(els.get(ROPI))


def test_a_third_who_comes_while_two_are_written_has_no_place_either(place):
    """Their places are free again by then, and the page was opened before."""
    both_send(place)
    kept = place.core.team_audits
    assert kept.sent(kept.audit(EHR, "fact", 2026)) == ()
    assert send(place, "els", {"ropi-01": "1"}).status_code == 409
    assert kept.sent(kept.audit(EHR, "fact", 2026)) == ()
    assert send(place, "piet", {"ropi-01": "2"}).status_code == 409
    assert sorted(scored(one)["ropi-01"] for one in responses(place)) == ["4", "5"]


def test_one_who_sends_twice_is_one_auditor(place):
    assert is_kept(send(place, "joost", FIRST))
    assert is_kept(send(place, "joost", FIRST))  # pressed twice
    assert responses(place) == []
    assert "Tot nu toe verstuurd: 1 van 2." in text_of(place.staff().get(ROPI))


def test_the_second_who_presses_twice_is_not_told_that_it_failed(place):
    both_send(place)
    assert is_kept(send(place, "mia", SECOND))
    assert "Verdergaan met scoren" not in text_of(place.staff("mia").get(ROPI))
    assert len(responses(place)) == 2


def test_what_is_sent_from_another_tab_afterwards_is_kept_and_gone_on_with(place):
    assert is_kept(send(place, "joost", FIRST))
    joost = place.staff()
    answer = joost.post(MINE, {"ropi-01": "1", "ropi-01-seen": "Nog iets.", **SEND})
    assert is_kept(answer)
    assert "Je had je scores al verstuurd." in text_of(joost.client.get(answer.location))
    assert is_kept(joost.post(BACK))
    assert "Nog iets." in joost.get(MINE).text
    assert "De deur stond open." not in joost.get(MINE).text


def test_it_is_taken_back_by_who_sent_it_until_both_are_in(place):
    assert is_kept(send(place, "joost", FIRST))
    mia = place.staff("mia")
    assert is_kept(mia.post(BACK))
    assert "De deur stond open." not in mia.get(MINE).text
    joost = place.staff()
    assert joost.post(BACK).location.endswith("/mine/")
    assert "De deur stond open." in joost.get(MINE).text
    assert "Tot nu toe verstuurd: 0 van 2." in text_of(mia.get(ROPI))
    both_send(place)
    page = joost.client.get(joost.post(BACK).location)
    assert "kun je ze niet meer aanpassen" in text_of(page)
    assert len(responses(place)) == 2


def test_what_is_typed_is_kept_for_its_auditor_alone(place):
    joost = place.staff()
    assert joost.post(MINE, FIRST, headers=AUTOSAVE).get_json() == {"saved": True}
    assert "Verdergaan met scoren" in text_of(joost.get(ROPI))
    assert "De deur stond open." in place.staff(about_nobody=True).get(MINE).text
    mia = place.staff("mia")
    assert "De deur stond open." not in seen(mia)
    assert "Beginnen met scoren" in text_of(mia.get(ROPI))
    assert is_kept(joost.post(MINE, {**FIRST, "keep": "1"}))
    assert "Tot nu toe verstuurd: 0 van 2." in text_of(joost.get(ROPI))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"ropi-01-seen": "Alleen woorden."}, "Kies minstens één score voordat je verstuurt."),
        ({"ropi-01": "9", "ropi-01-seen": "Alleen woorden."}, "Kies een van deze."),
    ],
)
def test_without_a_score_or_with_one_that_is_none_it_comes_back_with_all_words(place, values, why):
    answer = place.staff().post(MINE, {**values, **SEND})
    assert answer.status_code == 422
    assert why in text_of(answer)
    assert "Alleen woorden." in answer.text
    assert "Tot nu toe verstuurd: 0 van 2." in text_of(place.staff().get(ROPI))


# ---- together


def test_both_agree_with_each_other_s_scores_beside_them_and_clients_read_it(place):
    # Another dimension, of items 03 and 04, is scored the same by both.
    assert is_kept(send(place, "joost", {**FIRST, "ropi-03": "2"}))
    assert is_kept(send(place, "mia", {**SECOND, "ropi-03": "2"}))
    joost = place.staff()
    page = joost.get(AGREED)
    assert "Er lag een rooster." in text_of(page)
    assert "De deur stond open." in text_of(page)
    assert 'name="ropi-03" value="2" checked' in page.text  # both said so
    assert 'name="ropi-01" value="4" checked' not in page.text
    assert is_kept(joost.post(AGREED, {"ropi-01": "4", "ropi-02": "3", "ropi-03": "2"}))  # (4 + 3) / 2 = 3.5
    said = text_of(place.client(1).get(TEAM))
    assert f"{DIMENSION} 3,0 4,0 3,5" in said.replace("4,0 3,0 3,5", "3,0 4,0 3,5")
    assert "nog niets afgesproken" not in said
    assert len(responses(place)) == 3


def test_of_two_who_write_the_agreement_at_once_the_second_sees_both(place):
    both_send(place)
    joost, mia = place.staff(), place.staff("mia")
    assert is_kept(joost.post(AGREED, {"ropi-01": "4", "ropi-01-seen": "Van Joost."}))
    assert is_kept(joost.post(AGREED, {"ropi-01": "4", "ropi-01-seen": "Van Joost."}))  # pressed twice
    clash = mia.post(AGREED, {"ropi-01": "5", "ropi-01-seen": "Van Mia."})
    assert clash.status_code == 409
    assert "Van Joost." in text_of(clash)
    assert "Van Mia." in clash.text
    version = html.unescape(clash.text.partition('name="version" value="')[2].partition('"')[0])
    assert is_kept(mia.post(AGREED, {"ropi-01": "5", "ropi-01-seen": "Van beiden.", "version": version}))
    assert [scored(one)["ropi-01-seen"] for one in responses(place)][-1:] == ["Van beiden."]


# ---- years, places and roles


def test_an_audit_of_december_is_finished_in_january_and_stays_of_its_year(place):
    place.move(dt.date(2026, 12, 30))
    assert is_kept(send(place, "joost", FIRST))
    place.move(dt.date(2027, 1, 4))
    page = text_of(place.staff("mia").get(ROPI))
    assert page.index("2027") < page.index("2026")
    assert "Tot nu toe verstuurd: 1 van 2." in page
    assert is_kept(place.staff().post(BACK))
    assert "De deur stond open." in place.staff().get(MINE).text
    both_send(place)
    said = text_of(place.client(1).get(TEAM))
    assert f"{DIMENSION} 3,0 4,0 –" in said.replace("4,0 3,0 –", "3,0 4,0 –")
    assert {one["authored"] for one in responses(place)} == {"2026-12-31"}
    page = text_of(place.staff("mia").get(ROPI))
    assert "Tot nu toe verstuurd: 0 van 2." in page  # of the new year
    assert "Wat beide auditoren afspreken, 2026" in page
    assert is_kept(send(place, "joost", FIRST, 2027))


@pytest.mark.parametrize("year", [2024, 2025, 2027, 9999])
def test_other_years_than_this_and_the_last_are_not_scored(place, year):
    expected = 200 if year == 2025 else 404
    assert place.staff().get(f"{ROPI}{year}/mine/").status_code == expected
    assert place.staff().get(f"{ROPI}{year}/agreed/").status_code == 404


def test_teams_and_places_have_nothing_to_do_with_each_other(place):
    assert is_kept(send(place, "joost", FIRST))
    assert is_kept(place.staff("mia").post("team/ward/ropi/2026/mine/", {**SECOND, **SEND}))
    assert responses(place) == []
    assert "Tot nu toe verstuurd: 1 van 2." in text_of(place.staff("mia").get("team/ward/ropi/"))
    assert place.staff().get("team/there/ropi/").status_code == 404


def test_a_client_and_who_only_reads_score_nothing(place):
    for visitor in (place.client(1), place.staff("reinders", "responsible")):
        for path in (ROPI, MINE, AGREED):
            assert visitor.get(path).status_code == 403
        assert visitor.post(MINE, {**FIRST, **SEND}).status_code == 403
        assert visitor.post(AGREED, FIRST).status_code == 403
        assert visitor.post(BACK).status_code == 403
        assert "/ropi/" not in visitor.get(TEAM).text
    both_send(place)
    assert place.client(1).post(AGREED, FIRST).status_code == 403
    assert len(responses(place)) == 2


def test_two_who_sent_while_a_process_was_ended_are_written_at_the_next_visit(place):
    kept = place.core.team_audits
    audit = kept.audit(EHR, "fact", 2026)
    form = "https://example.org/none|1"  # a form that is gone: it is read with the one that there is
    for who, values in (("joost", FIRST), ("mia", SECOND)):
        name = kept.auditor(audit, who)
        kept.send(audit, name, form=form, answers=values, moment="2026-11-30T12:00:00+01:00", language="nl")
    assert responses(place) == []
    assert "Beide auditoren hebben hun scores verstuurd." in text_of(place.staff("els").get(ROPI))
    assert sorted(scored(one)["ropi-01"] for one in responses(place)) == ["4", "5"]
    assert kept.sent(audit) == ()
