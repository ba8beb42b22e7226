"""What is said about a team: marks, the ROPI, panels, what was told back, and the scores of its clients."""

from __future__ import annotations

import datetime as dt
import json
from math import sqrt
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.checking import claimed, problems
from mappers.small_cells import FEWEST
from mappers.team import (
    Action,
    Figure,
    Measured,
    Round,
    RoundMarks,
    Team,
    ToldBack,
    about_team,
    action_in,
    audit_report,
    audits_of,
    communication_of,
    group_of,
    marks_of,
    marks_report,
    mirror_of,
    panels_of,
    score_report,
    scores_in,
    task_of,
    team_response,
    told_back_in,
    yearly,
)
from questionnaires.catalogue import Catalogue

KNOWN = Catalogue()
NORTH, SOUTH = Team("Organization/north", "Team Noord"), Team("CareTeam/south", "Team Zuid")
SPRING = Round("voorjaar", dt.date(2026, 3, 1), dt.date(2026, 3, 31))
AUTUMN = Round("najaar", dt.date(2026, 9, 1), dt.date(2026, 9, 30))
AFTER = dt.date(2026, 10, 1)
NEL_HELP = KNOWN.instrument("nel").score("nel-professional-help")
MADE = "2027-01-10T09:00:00+01:00"


def mark(
    person: str, value: int | None, *, why: str = "", more: str = "", day: str = "2026-03-10", team: Team = NORTH
) -> Any:
    given = {"team-marks-atmosphere-mark": str(value) if value else "", "team-marks-atmosphere-why": why}
    given |= {"team-marks-atmosphere-more": more}
    values = {name: words for name, words in given.items() if words}
    return team_response(values, KNOWN.instrument("team-marks"), team, authored=day, identifier=f"digest-{person}")


def atmosphere(responses: list[Any], *, today: dt.date = AFTER) -> list[Any]:
    found = marks_of(responses, NORTH, [SPRING], KNOWN, today=today)
    return [theme for one in found for theme in one.themes if theme.id == "team-marks-atmosphere"]


# ---- responses -------------------------------------------------------------------------------------------------------


def test_a_response_about_a_team_names_nobody():
    response = mark("1", 7, why="Rustig")
    assert response["subject"] == {"reference": "Organization/north", "display": "Team Noord"}
    assert response.keys().isdisjoint({"author", "source", "encounter", "basedOn", "partOf"})
    assert response["meta"]["profile"] == ["https://verstel.nl/fhir/StructureDefinition/team-response"]


def test_answers_to_a_form_about_a_person_are_not_written_about_a_team():
    with pytest.raises(ValueError, match="is about a person"):
        team_response({}, KNOWN.instrument("hoop"), NORTH, authored="2026-03-10", identifier="x")


@pytest.mark.parametrize("reference", ["Patient/1", "Organization/", "north", "Organization/a b", ""])
def test_nobody_and_nothing_else_is_a_team(reference: str):
    with pytest.raises(ValueError, match="a team is Organization"):
        Team(reference, "x")


def test_responses_about_another_team_or_unfinished_or_unreadable_are_left_out():
    good = mark("1", 7)
    others = [
        mark("2", 7, team=SOUTH),
        good | {"status": "in-progress"},
        good | {"item": [{"linkId": "team-marks-x"}]},
        {},
    ]
    found = about_team([*others, good], NORTH, "team-marks", KNOWN)
    assert [one.response.identifier for one in found] == ["digest-1"]


def test_a_team_is_known_by_a_whole_address_too():
    response = mark("1", 7) | {"subject": {"reference": "https://ehr.example/fhir/Organization/north"}}
    assert len(about_team([response], NORTH, "team-marks", KNOWN)) == 1


# ---- marks -----------------------------------------------------------------------------------------------------------


def test_six_people_have_a_mean_and_five_have_none():
    six = [mark(str(number), value) for number, value in enumerate((4, 6, 7, 8, 8, 9))]
    [shown] = atmosphere(six)
    assert (shown.people, shown.mean) == (6, 7.0)  # 4 + 6 + 7 + 8 + 8 + 9 = 42; 42 / 6 = 7
    [hidden] = atmosphere([one | {} for one in six[:5]])
    assert (hidden.people, hidden.mean, hidden.why, hidden.more) == (None, None, (), ())


def test_words_of_five_people_are_not_shown_and_those_of_six_stand_in_the_order_of_the_alphabet():
    words = ("Zo rustig", "aardige mensen", "Koffie", "", "lawaai", "Eten")
    six = [mark(str(number), 7, why=word, more=word) for number, word in enumerate(words)]
    [shown] = atmosphere(six)
    assert shown.why == ("aardige mensen", "Eten", "Koffie", "lawaai", "Zo rustig") == shown.more
    [turned] = atmosphere(six[::-1])
    assert turned == shown  # who came first says nothing
    assert atmosphere(six[:5])[0].why == ()


def test_one_person_who_answers_again_counts_once_with_the_newest_mark():
    again = [mark(str(number), 6) for number in range(6)] + [mark("0", 9, day="2026-03-20")]
    [shown] = atmosphere(again)
    assert (shown.people, shown.mean) == (6, 6.5)  # (5 × 6 + 9) / 6 = 39 / 6
    five_people = [mark(str(number % 5), 6, day=f"2026-03-{10 + number}") for number in range(10)]
    assert atmosphere(five_people)[0].people is None


def test_a_theme_that_was_left_open_counts_nobody():
    six = [mark(str(number), 7) for number in range(5)] + [mark("5", None, why="Geen cijfer, wel woorden")]
    [theme] = atmosphere(six)
    assert (theme.people, theme.why) == (None, ())


def test_a_round_that_is_not_over_shows_nothing_and_the_day_after_it_does():
    six = [mark(str(number), 7) for number in range(6)]
    assert atmosphere(six, today=SPRING.end) == []
    assert atmosphere(six, today=SPRING.end + dt.timedelta(days=1))[0].people == 6


def test_rounds_stand_side_by_side_the_oldest_first():
    responses = [mark(f"s{n}", 6) for n in range(6)] + [
        mark(f"a{n}", 8, day="2026-09-02T10:00:00+02:00") for n in range(7)
    ]
    found = marks_of(responses, NORTH, [AUTUMN, SPRING], KNOWN, today=AFTER)
    assert [(one.round.name, one.themes[0].people, one.themes[0].mean) for one in found] == [
        ("voorjaar", 6, 6.0),
        ("najaar", 7, 8.0),
    ]


def test_rounds_that_overlap_do_not_tell_by_subtraction_what_one_person_said():
    longer = Round("lang voorjaar", SPRING.start, AUTUMN.start)
    responses = [*(mark(f"s{n}", 6) for n in range(6)), mark("one", 9, day="2026-05-02T10:00:00+02:00")]
    # Six times a 6, and a 9 in the longer round: 7 people × 6.43 - 6 people × 6.0 would be that 9.
    found = marks_of(responses, NORTH, [longer, SPRING], KNOWN, today=AFTER)
    assert [(one.round.name, one.themes[0].people) for one in found] == [("voorjaar", 6), ("lang voorjaar", None)]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 10)), max_size=30))
def test_no_mark_of_fewer_than_six_people_is_ever_shown(answers):
    responses = [mark(str(person), value) for person, value in answers]
    people = {person for person, _ in answers}
    for theme in atmosphere(responses):
        assert (theme.people is None) == (len(people) < FEWEST)
        assert theme.people in (None, len(people))
    report = marks_report(RoundMarks(SPRING, tuple(atmosphere(responses))), NORTH, made=MADE)
    assert report is None or all(one.get("count", FEWEST) >= FEWEST for one in _populations(report))


# ---- the ROPI --------------------------------------------------------------------------------------------------------


def audit(scorer: str, points: int | dict[int, int], *, year: int = 2026, **words: str) -> Any:
    numbers = points if isinstance(points, dict) else dict.fromkeys(range(1, 17), points)
    values: dict[str, str | bool] = {f"ropi-{number:02}": str(point) for number, point in numbers.items()}
    values |= {"ropi-scorer": scorer, "ropi-setting": "3"} | {f"ropi-{name}": text for name, text in words.items()}
    form = KNOWN.instrument("ropi")
    return team_response(values, form, NORTH, authored=f"{year}-05-01", identifier=f"{year}-{scorer}")


def test_two_auditors_stand_side_by_side_with_their_difference_and_no_outcome_before_they_agree():
    second = dict.fromkeys(range(1, 17), 3) | {1: 5}
    [found] = audits_of([audit("1", 3), audit("2", second)], NORTH, KNOWN)
    basic = found.dimensions[0]
    assert (basic.first, basic.second, basic.agreed) == (3, 4, None)  # (3 + 3) / 2; (5 + 3) / 2
    assert [(one.first, one.second, one.difference) for one in basic.items] == [(3, 5, 2), (3, 3, 0)]
    assert [one.item.link_id for one in found.differ] == ["ropi-01"]
    assert found.there == {"first", "second"}


def test_what_they_agree_on_is_the_outcome():
    agreed = dict.fromkeys(range(1, 17), 3) | {1: 4}
    [found] = audits_of([audit("1", 3), audit("2", 5), audit("3", agreed)], NORTH, KNOWN)
    assert [one.agreed for one in found.dimensions] == [3.5, *[3] * 7]  # (4 + 3) / 2 = 3.5
    assert found.setting is not None
    assert found.setting.nl == "ambulant team"


def test_one_auditor_alone_has_no_differences():
    [found] = audits_of([audit("1", 2)], NORTH, KNOWN)
    assert found.differ == ()
    assert found.dimensions[0].items[0].difference is None


def test_an_item_that_was_left_open_gives_its_dimension_no_mean():
    [found] = audits_of([audit("3", dict.fromkeys(range(2, 17), 4))], NORTH, KNOWN)
    assert [one.agreed for one in found.dimensions] == [None, *[4] * 7]


def test_years_stand_side_by_side_the_oldest_first_and_the_newest_response_of_a_year_counts():
    newer = audit("3", 5) | {"authored": "2026-06-01", "identifier": audit("3", 5)["identifier"] | {"value": "other"}}
    found = audits_of([newer, audit("3", 4), audit("3", 2, year=2025)], NORTH, KNOWN)
    assert [(one.year, one.dimensions[0].agreed) for one in found] == [(2025, 2), (2026, 5)]


def test_what_was_seen_stands_with_the_item_and_by_whom():
    [found] = audits_of([audit("1", 3, **{"01-seen": " Het visiedocument "})], NORTH, KNOWN)
    assert found.dimensions[0].items[0].seen == {"first": "Het visiedocument"}


def test_a_response_that_does_not_say_whose_scores_it_has_is_left_out():
    response = team_response({"ropi-01": "3"}, KNOWN.instrument("ropi"), NORTH, authored="2026-05-01", identifier="x")
    assert audits_of([response], NORTH, KNOWN) == ()


# ---- panels ----------------------------------------------------------------------------------------------------------


def test_the_report_of_a_panel_is_read_topic_by_topic_and_in_the_order_of_its_days():
    form = KNOWN.instrument("client-panel")
    values = {
        "client-panel-clients": "5",
        "client-panel-peer-workers": "2",
        "client-panel-recruited": "2",
        "client-panel-representative": "2",
        "client-panel-absent": "Jongeren",
        "client-panel-activities-said": "Meer wandelen",
        "client-panel-done-with-it": "Naar het team",
    }
    later = team_response(values, form, NORTH, authored="2026-06-01", identifier="b")
    first = team_response({"client-panel-clients": "6"}, form, NORTH, authored="2026-03-01", identifier="a")
    one, two = panels_of([later, first], NORTH, KNOWN)
    assert (one.day, one.clients, one.said) == (dt.date(2026, 3, 1), 6, ())
    assert (two.clients, two.peer_workers, two.absent, two.done_with_it) == (5, 2, "Jongeren", "Naar het team")
    assert [(said.topic.nl, said.words) for said in two.said] == [("Herstelactiviteiten", "Meer wandelen")]
    assert two.recruited is not None
    assert two.recruited.en == "all clients were invited"


def test_a_panel_of_seven_clients_is_refused():
    with pytest.raises(Exception, match="not one of the options"):
        team_response(
            {"client-panel-clients": "7"}, KNOWN.instrument("client-panel"), NORTH, authored="2026", identifier="a"
        )


# ---- told back, and actions ------------------------------------------------------------------------------------------

_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1).filter(
    lambda text: bool(text.strip())
)


@given(_WORDS, _WORDS, st.dates())
def test_what_was_told_back_is_read_as_it_was_written(words, by, day):
    told = ToldBack(day, words, by)
    assert told_back_in(communication_of(told, NORTH, identifier="m1"), NORTH) == told
    assert told_back_in(communication_of(told, NORTH, identifier="m1"), SOUTH) is None


@given(
    _WORDS,
    _WORDS,
    st.none() | st.dates(),
    st.sampled_from(["planned", "doing", "done", "dropped"]),
    _WORDS | st.just(""),
)
def test_an_action_is_read_as_it_was_written(what, who, by_when, state, outcome):
    action = Action(what, who, by_when, state, outcome, since=MADE)
    assert action_in(task_of(action, SOUTH, identifier="a1", written=MADE), SOUTH) == action
    assert action_in(task_of(action, SOUTH, identifier="a1", written=MADE), NORTH) is None


def test_an_action_that_changes_keeps_what_others_added_its_name_and_its_first_day():
    first = task_of(Action("Vaker wandelen", "Team", dt.date(2026, 5, 1)), NORTH, identifier="a1", written=MADE)
    stored = first | {"id": "7", "note": [{"text": "van een ander"}]}
    later = "2027-02-01T09:00:00+01:00"
    changed = task_of(
        Action("Vaker wandelen", "", state="done", outcome="Elke week"),
        NORTH,
        identifier="b2",
        written=later,
        existing=stored,
    )
    assert (changed["id"], changed["note"], changed["identifier"]) == ("7", stored["note"], first["identifier"])
    assert (changed["authoredOn"], changed["lastModified"], changed["status"]) == (MADE, later, "completed")
    assert changed.keys().isdisjoint({"owner", "restriction"})


def test_empty_words_are_no_message_and_no_action():
    with pytest.raises(ValueError, match="without words"):
        communication_of(ToldBack(AFTER, " \n", "team"), NORTH, identifier="x")
    with pytest.raises(ValueError, match="what is done"):
        task_of(Action("", "team"), NORTH, identifier="x", written=MADE)


def test_what_was_entered_in_error_is_not_read():
    message = communication_of(ToldBack(AFTER, "Dank", "team"), NORTH, identifier="x") | {"status": "entered-in-error"}
    action = task_of(Action("x", ""), NORTH, identifier="x", written=MADE) | {"status": "entered-in-error"}
    assert told_back_in(message, NORTH) is None
    assert action_in(action, NORTH) is None


# ---- scores of a team's clients --------------------------------------------------------------------------------------


def people(team: str, values: list[float], *, year: int = 2025) -> list[Measured]:
    return [Measured(f"{team}-{number}", team, dt.date(year, 6, 1), value) for number, value in enumerate(values)]


def test_six_people_have_a_mean_and_a_standard_deviation():
    [year] = yearly(people("a", [1, 2, 3, 3, 4, 5]))
    figure = year.teams["a"]
    # 18 / 6 = 3; squares of the differences 4 + 1 + 0 + 0 + 1 + 4 = 10; 10 / 5 = 2
    assert (figure.people, figure.mean) == (6, 3.0)
    assert figure.spread == pytest.approx(sqrt(2))


def test_five_people_have_nothing():
    [year] = yearly(people("a", [1, 2, 3, 4, 5]))
    assert year.teams["a"] == Figure() == year.together


def test_the_newest_score_of_a_person_in_a_year_counts_and_another_year_is_another_figure():
    twice = [
        *people("a", [1] * 6),
        Measured("a-0", "a", dt.date(2025, 9, 1), 4),
        Measured("a-0", "a", dt.date(2025, 1, 1), 5),
    ]
    first, second = yearly([*twice, *people("a", [2] * 7, year=2026)])
    assert (first.teams["a"].people, first.teams["a"].mean) == (6, 1.5)  # (5 × 1 + 4) / 6
    assert (second.year, second.teams["a"].people, second.teams["a"].mean) == (2026, 7, 2.0)


def test_one_team_that_is_too_small_takes_the_smallest_other_with_it():
    """All together is 5 + 7 + 20 = 32: with only the team of 5 left out, it would be what is left."""
    [year] = yearly([*people("a", [3] * 5), *people("b", [3] * 7), *people("c", [3] * 20)])
    assert {team: one.people for team, one in year.teams.items()} == {"a": None, "b": None, "c": 20}
    assert year.together.people == 32


def test_two_teams_that_are_too_small_but_not_together_take_none_with_them():
    [year] = yearly([*people("a", [3] * 2), *people("b", [3] * 4), *people("c", [3] * 20)])
    assert {team: one.people for team, one in year.teams.items()} == {"a": None, "b": None, "c": 20}


def test_two_teams_that_are_too_small_together_take_another_with_them():
    [year] = yearly([*people("a", [3] * 2), *people("b", [3] * 3), *people("c", [3] * 20)])
    assert {one.people for one in year.teams.values()} == {None}


_MEASURED = st.builds(
    Measured,
    person=st.integers(0, 40).map(str),
    team=st.just(""),
    day=st.dates(dt.date(2024, 1, 1), dt.date(2025, 12, 31)),
    value=st.integers(1, 5),
).map(lambda one: Measured(one.person, f"t{int(one.person) % 4 if int(one.person) < 20 else 0}", one.day, one.value))


@given(st.lists(_MEASURED, max_size=120))
def test_nothing_under_six_is_shown_and_none_follows_from_what_is(measured):
    for year in yearly(measured):
        there = {one.person: one for one in measured if one.day.year == year.year}
        counts = {team: sum(one.team == team for one in there.values()) for team in year.teams}
        shown = {team for team, one in year.teams.items() if one.is_shown}
        hidden = counts.keys() - shown
        assert all(counts[team] >= FEWEST and year.teams[team].people == counts[team] for team in shown)
        assert year.together.people in (None, len(there))
        assert (year.together.people is None) == (len(there) < FEWEST)
        # What is left of all together when each team that is shown is taken away.
        if year.together.is_shown and hidden:
            left = len(there) - sum(counts[team] for team in shown)
            assert left >= FEWEST
            assert len(hidden) >= 2 or not shown


@given(st.lists(st.integers(6, 30), min_size=1, max_size=5), st.data())
def test_where_all_teams_are_shown_their_people_and_means_add_up_to_all_together(sizes, data):
    measured = [
        one
        for number, size in enumerate(sizes)
        for one in people(f"t{number}", data.draw(st.lists(st.integers(1, 5), min_size=size, max_size=size)))
    ]
    [year] = yearly(measured)
    assert sum(one.people or 0 for one in year.teams.values()) == year.together.people == sum(sizes)
    weighted = sum((one.people or 0) * (one.mean or 0) for one in year.teams.values())
    assert weighted == pytest.approx(sum(sizes) * (year.together.mean or 0))


# ---- as FHIR ---------------------------------------------------------------------------------------------------------


def _populations(report: Any) -> list[Any]:
    return [one for group in report["group"] for one in group.get("population", [])]


@pytest.mark.parametrize("team", [NORTH, SOUTH], ids=["organisation", "care team"])
@pytest.mark.parametrize("figure", [Figure(6, 3.5, 0.5), Figure()], ids=["shown", "left out"])
def test_a_figure_is_read_from_its_report_as_it_was_written(team: Team, figure: Figure):
    report = score_report(NEL_HELP, team, 2025, figure, made=MADE)
    [found] = scores_in([report, {"resourceType": "MeasureReport"}, None], team)
    assert (found.year, found.code, found.rule_version, found.figure) == (2025, "nel-professional-help", "1", figure)
    assert scores_in([report], SOUTH if team is NORTH else NORTH) == ()


def test_a_figure_that_is_left_out_has_no_number_anywhere_and_says_masked():
    report = score_report(NEL_HELP, NORTH, 2025, Figure(), made=MADE)
    text = json.dumps(report["group"])
    assert '"value":' not in text
    assert '"count"' not in text
    assert text.count('"masked"') == 4  # people and number, of mean and of spread


def test_of_two_reports_of_the_same_year_the_newest_counts():
    older = score_report(NEL_HELP, NORTH, 2025, Figure(6, 1, 1), made="2026-01-01T00:00:00Z")
    newer = score_report(NEL_HELP, NORTH, 2025, Figure(7, 2, 1), made="2026-02-01T00:00:00Z")
    assert [one.figure.people for one in scores_in([newer, older], NORTH)] == [7]
    assert newer["identifier"] == older["identifier"]


def test_the_group_of_a_team_lists_nobody():
    assert group_of(NORTH)["managingEntity"]["reference"] == "Organization/north"
    assert group_of(SOUTH)["characteristic"][0]["valueReference"]["reference"] == "CareTeam/south"
    assert all("member" not in group_of(one) and "quantity" not in group_of(one) for one in (NORTH, SOUTH))


def test_all_teams_together_are_about_no_team():
    report = score_report(NEL_HELP, None, 2025, Figure(40, 3, 1), made=MADE)
    assert report.keys().isdisjoint({"subject", "contained"})


def test_the_report_of_the_ropi_has_what_was_agreed_and_no_number_where_nothing_was():
    [first] = audits_of([audit("1", 3)], NORTH, KNOWN)
    assert {"value" in one["measureScore"] for one in audit_report(first, NORTH, made=MADE)["group"]} == {False}
    [agreed] = audits_of([audit("3", 4)], NORTH, KNOWN)
    assert [one["measureScore"]["value"] for one in audit_report(agreed, NORTH, made=MADE)["group"]] == [4] * 8


AUDITED = audits_of([audit("1", 3), audit("2", 4), audit("3", 4)], NORTH, KNOWN)[0]
WRITTEN = {
    "marks of a client": mark("1", 7, why="Rustig"),
    "scores of an auditor": audit("1", 3, **{"01-seen": "Het visiedocument"}),
    "figure": score_report(NEL_HELP, NORTH, 2025, Figure(6, 3.5, 0.5), made=MADE),
    "figure of a care team": score_report(NEL_HELP, SOUTH, 2025, Figure(6, 3.5, 0.5), made=MADE),
    "figure that is left out": score_report(NEL_HELP, NORTH, 2025, Figure(), made=MADE),
    "all teams together": score_report(NEL_HELP, None, 2025, Figure(40, 3.5, 0.5), made=MADE),
    "marks of a round": marks_report(
        marks_of([mark(str(n), 7) for n in range(6)], NORTH, [SPRING], KNOWN, today=AFTER)[0], NORTH, made=MADE
    ),
    "ROPI": audit_report(AUDITED, NORTH, made=MADE),
    "clients of an organisation": group_of(NORTH),
    "clients of a care team": group_of(SOUTH),
    "told back": communication_of(ToldBack(AFTER, "Dank", "ervaringsdeskundige"), NORTH, identifier="m"),
    "action": task_of(Action("Wandelen", "Team", AFTER, "done", "Elke week"), SOUTH, identifier="a", written=MADE),
}


@pytest.mark.parametrize("one", WRITTEN.values(), ids=WRITTEN)
def test_what_is_written_keeps_to_its_profile_and_to_fhir(one: Any):
    assert one is not None
    [profile] = claimed(one)
    assert problems(one, profile) == []
    get_fhir_model_class(one["resourceType"]).model_validate(one)


# ---- all together ----------------------------------------------------------------------------------------------------


def test_the_mirror_of_a_team_has_all_of_it_and_nothing_of_another():
    of_north = [
        *(mark(str(number), 7) for number in range(6)),
        audit("3", 4),
        score_report(NEL_HELP, NORTH, 2025, Figure(6, 3.5, 0.5), made=MADE),
        communication_of(ToldBack(AFTER, "Dank", "team"), NORTH, identifier="m"),
        task_of(Action("Later", "", dt.date(2027, 1, 1)), NORTH, identifier="a", written=MADE),
        task_of(Action("Eerst", "", dt.date(2026, 1, 1)), NORTH, identifier="b", written=MADE),
        task_of(Action("Ooit", ""), NORTH, identifier="c", written=MADE),
    ]
    found = mirror_of(NORTH, of_north, [SPRING], KNOWN, today=AFTER)
    assert found.marks[0].themes[0].mean == 7
    assert found.audits[0].year == 2026
    assert found.scores[0].figure.people == 6
    assert [one.words for one in found.told] == ["Dank"]
    assert [one.what for one in found.actions] == ["Eerst", "Later", "Ooit"]
    other = mirror_of(SOUTH, of_north, [SPRING], KNOWN, today=AFTER)
    assert (other.audits, other.panels, other.scores, other.told, other.actions) == ((),) * 5
    assert {(theme.people, theme.mean, theme.why, theme.more) for theme in other.marks[0].themes} == {
        (None, None, (), ())
    }
