"""A programme applied to a client: its days, what can be decided on the way, and where each moment is on a day."""

from __future__ import annotations

import calendar
import copy
import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.checking import claimed, problems
from mappers import course as courses
from mappers.assignment import assignment_of, is_assignment
from mappers.course import Answered, Course, NotPossible
from questionnaires.catalogue import catalogue
from questionnaires.programmes import PROGRAMMES, after, programmes, read_programmes
from tests.examples import examples

NOOR = {"reference": "Patient/noor", "display": "Noor"}
ELS = {"reference": "Practitioner/els", "display": "Els Visser"}
DAY = dt.date
BEGIN = dt.date(2026, 3, 2)
OURS = read_programmes([PROGRAMMES])
ASKED = ("nel", "hoop", "mhcs", "mansa")


def begun(programme: str = "three-moments", start: DAY = BEGIN, group: str = "") -> Course:
    return courses.applied(
        OURS[programme], start, known=catalogue(), patient="Patient/noor", today=start, by=ELS, group=group
    )


def check(resource: dict) -> list[str]:
    """Return what is wrong with a resource by the profiles that it claims, which are ours."""
    assert claimed(resource)
    return [problem for profile in claimed(resource) for problem in problems(resource, profile)]


def states(course: Course, day: DAY, *answered: Answered, talked: tuple[DAY, ...] = ()) -> dict[str, str]:
    return {one.planned.id: one.state for one in courses.standing(course, answered, day, talked=talked)}


def care_plan(course: Course, today: DAY = BEGIN, existing: dict | None = None) -> dict:
    return courses.care_plan_of(
        course, patient=NOOR, author=ELS, created="2026-03-02T10:20:00+01:00", today=today, existing=existing
    )


def asked(course: Course) -> list[dict]:
    return courses.tasks_of(
        course,
        care_plan={"reference": "urn:uuid:1", "display": "Meten op drie momenten"},
        patient=NOOR,
        requester=ELS,
        asked_on="2026-03-02T10:20:00+01:00",
        known=catalogue(),
    )


class TestThreeMoments:
    def test_the_days_are_within_two_months_and_about_eighteen_and_thirty(self):
        # 2 March 2026 + 2 months; + 18 months is 2 September 2027; + 30 months is 2 September 2028.
        found = [(one.id, one.opens, one.about, one.closes) for one in begun().planned]
        assert found == [
            ("start", DAY(2026, 3, 2), None, DAY(2026, 5, 2)),
            ("follow-up", DAY(2027, 8, 2), DAY(2027, 9, 2), DAY(2027, 11, 2)),
            ("consolidation", DAY(2028, 8, 2), DAY(2028, 9, 2), DAY(2028, 11, 2)),
        ]

    def test_each_names_its_purpose_and_its_outcome_and_is_told_ahead(self):
        for one in begun().planned:
            assert one.purpose.nl
            assert one.outcome is not None
            assert [each.instrument for each in one.questionnaires] == list(ASKED)
        # Four weeks before 2 August 2027; nobody can be told of the first before the start.
        assert [one.tell for one in begun().planned] == [DAY(2026, 3, 2), DAY(2027, 7, 5), DAY(2028, 7, 5)]

    def test_a_moment_is_told_then_open_then_missed_and_answers_of_later_fill_in_nothing(self):
        course = begun()
        assert states(course, DAY(2027, 7, 4))["follow-up"] == "later"
        assert states(course, DAY(2027, 7, 5))["follow-up"] == "announced"
        assert states(course, DAY(2027, 8, 2))["follow-up"] == "open"
        assert states(course, DAY(2027, 11, 2))["follow-up"] == "open"
        assert states(course, DAY(2027, 11, 3))["follow-up"] == "missed"
        too_late = [Answered(one, DAY(2027, 11, 3)) for one in ASKED]
        assert states(course, DAY(2027, 12, 1), *too_late)["follow-up"] == "missed"
        in_time = [Answered(one, DAY(2027, 11, 2)) for one in ASKED]
        assert states(course, DAY(2027, 12, 1), *in_time)["follow-up"] == "answered"

    def test_one_of_four_is_not_all_and_says_which(self):
        [start, *_] = courses.standing(begun(), [Answered("hoop", DAY(2026, 3, 10))], DAY(2026, 3, 11))
        assert (start.state, start.done, start.waiting) == ("open", ("hoop",), ("nel", "mhcs", "mansa"))
        [start, *_] = courses.standing(begun(), [Answered("hoop", DAY(2026, 3, 10))], DAY(2026, 5, 3))
        assert (start.state, start.done, start.waiting) == ("missed", ("hoop",), ())


class TestRecoveryProgramme:
    def test_first_the_plan_then_a_talk_every_six_weeks_looking_back_at_half_a_year_and_a_year_at_most(self):
        course = begun("npi-recovery", DAY(2026, 1, 5))
        assert course.end == DAY(2027, 1, 5)
        talks = [one.about for one in course.planned if one.kind == "talk"]
        # Monday 5 January 2026 + 6, 12, … weeks; the ninth, 54 weeks, would come after 5 January 2027.
        assert talks == [DAY(2026, 1, 5) + dt.timedelta(weeks=6 * number) for number in range(1, 9)]
        assert {one.minutes for one in course.planned if one.kind == "talk"} == {45}
        assert course.planned[0].kind == "plan"
        [evaluation] = [one for one in course.planned if one.kind == "evaluation"]
        assert evaluation.about == DAY(2026, 7, 5)
        assert [one.instrument for one in evaluation.questionnaires] == ["half-way"]

    def test_a_talk_that_was_is_answered_and_one_of_which_nothing_is_known_is_past(self):
        course = begun("npi-recovery", DAY(2026, 1, 5))
        found = states(course, DAY(2026, 6, 1), talked=(DAY(2026, 2, 18),))
        assert (found["talk-1"], found["talk-2"]) == ("answered", "past")


class TestDeciding:
    def test_a_pause_asks_nothing_and_moves_what_comes_by_as_many_days(self):
        course = courses.paused(begun(), DAY(2026, 6, 1), NOOR)
        assert states(course, DAY(2028, 1, 1)) == {
            "start": "missed",  # its days were over before the pause
            "follow-up": "paused",
            "consolidation": "paused",
        }
        going_on = courses.resumed(course, DAY(2026, 12, 1), NOOR)
        pause = DAY(2026, 12, 1) - DAY(2026, 6, 1)
        moved = {one.id: one.opens for one in going_on.planned}
        assert moved == {
            "start": DAY(2026, 3, 2),
            "follow-up": DAY(2027, 8, 2) + pause,
            "consolidation": DAY(2028, 8, 2) + pause,
        }
        assert [one.kind for one in going_on.events] == ["started", "paused", "resumed"]

    def test_what_was_answered_before_a_pause_stays_answered(self):
        course = courses.resumed(courses.paused(begun(), DAY(2026, 4, 1), NOOR), DAY(2026, 10, 1), NOOR)
        sent = [Answered(one, DAY(2026, 3, 20)) for one in ASKED]
        assert states(course, DAY(2026, 10, 2), *sent)["start"] == "answered"
        assert states(course, DAY(2026, 10, 2))["start"] == "open"

    def test_a_day_that_was_chosen_in_a_pause_holds_unless_it_went_by(self):
        course = courses.paused(begun(), DAY(2027, 6, 1), NOOR)
        course = courses.moved(course, "follow-up", DAY(2027, 10, 1), DAY(2027, 6, 20), NOOR)
        soon = courses.resumed(course, DAY(2027, 7, 1), NOOR)
        assert [one.opens for one in soon.planned[1:]] == [DAY(2027, 10, 1), DAY(2028, 9, 1)]
        late = courses.resumed(course, DAY(2027, 11, 1), NOOR).moment("follow-up")
        assert (late.opens, late.closes - late.opens) == (DAY(2027, 11, 1), DAY(2027, 11, 2) - DAY(2027, 8, 2))
        # What was moved before the pause comes later by it, as all the rest.
        before = courses.moved(begun(), "follow-up", DAY(2027, 10, 1), DAY(2026, 3, 3), NOOR)
        again = courses.resumed(courses.paused(before, DAY(2027, 6, 1), NOOR), DAY(2027, 7, 1), NOOR)
        assert again.moment("follow-up").opens == DAY(2027, 10, 31)

    def test_in_a_pause_no_day_goes_by_so_what_waits_can_be_declined_and_moved(self):
        course = courses.paused(begun(), DAY(2026, 4, 1), NOOR)
        later = DAY(2027, 1, 1)  # the first moment was until 2 May 2026
        no = courses.declined(course, "start", later, NOOR)
        assert no.moment("start").declined
        assert not courses.taken_back(no, "start", later, NOOR).moment("start").declined
        assert courses.moved(course, "start", DAY(2027, 2, 1), later, NOOR).moment("start").opens == DAY(2027, 2, 1)

    def test_no_to_one_measurement_is_a_no_to_that_one_and_can_be_taken_back(self):
        course = courses.declined(begun(), "follow-up", DAY(2026, 3, 3), NOOR)
        assert states(course, DAY(2027, 9, 1)) == {"start": "missed", "follow-up": "declined", "consolidation": "later"}
        back = courses.taken_back(course, "follow-up", DAY(2027, 9, 1), NOOR)
        assert states(back, DAY(2027, 9, 1))["follow-up"] == "open"
        assert [one.kind for one in back.events] == ["started", "declined", "taken-back"]

    def test_a_moment_is_moved_alone_or_with_all_that_come_after_it(self):
        alone = courses.moved(begun(), "follow-up", DAY(2027, 10, 1), DAY(2026, 3, 3), ELS)
        assert [one.opens for one in alone.planned] == [DAY(2026, 3, 2), DAY(2027, 10, 1), DAY(2028, 8, 2)]
        together = courses.moved(begun(), "follow-up", DAY(2027, 10, 1), DAY(2026, 3, 3), ELS, with_later=True)
        # 60 days later: 2 August 2028 + 60 days is 1 October 2028.
        assert [one.opens for one in together.planned] == [DAY(2026, 3, 2), DAY(2027, 10, 1), DAY(2028, 10, 1)]
        assert [(one.moment, one.opens) for one in together.events if one.kind == "moved"] == [
            ("follow-up", DAY(2027, 8, 2)),
            ("consolidation", DAY(2028, 8, 2)),
        ]

    def test_what_is_moved_with_all_after_it_stays_within_the_longest(self):
        course = begun("npi-recovery")  # until 2 March 2027; the last talk is about 1 February 2027
        later = courses.moved(course, "talk-7", DAY(2027, 1, 4), DAY(2026, 4, 1), NOOR, with_later=True)
        assert later.moment("talk-8").about == DAY(2027, 2, 22)
        with pytest.raises(NotPossible) as refused:
            courses.moved(course, "talk-7", DAY(2027, 1, 14), DAY(2026, 4, 1), NOOR, with_later=True)
        assert refused.value.code == "after-end"
        waits = courses.paused(course, DAY(2026, 4, 1), NOOR)  # a pause adds to the longest
        assert courses.moved(waits, "talk-8", DAY(2027, 3, 1), DAY(2026, 6, 1), NOOR).moment("talk-8")

    def test_stopped_early_nothing_more_comes_and_what_was_stays(self):
        sent = [Answered(one, DAY(2026, 3, 20)) for one in ASKED]
        course = courses.stopped(begun(), DAY(2026, 9, 1), NOOR)
        assert states(course, DAY(2029, 1, 1), *sent) == {
            "start": "answered",
            "follow-up": "stopped",
            "consolidation": "stopped",
        }
        assert courses.is_over(course, courses.standing(course, sent, DAY(2026, 9, 1)), DAY(2026, 9, 1))

    @pytest.mark.parametrize(
        ("code", "attempt"),
        [
            (
                "not-going-on",
                lambda c: courses.paused(courses.stopped(c, DAY(2026, 4, 1), NOOR), DAY(2026, 4, 2), NOOR),
            ),
            ("not-going-on", lambda c: courses.paused(courses.paused(c, DAY(2026, 4, 1), NOOR), DAY(2026, 4, 2), NOOR)),
            ("not-paused", lambda c: courses.resumed(c, DAY(2026, 4, 1), NOOR)),
            ("no-such-moment", lambda c: courses.declined(c, "other", DAY(2026, 4, 1), NOOR)),
            ("moment-over", lambda c: courses.declined(c, "start", DAY(2026, 5, 3), NOOR)),
            ("moment-over", lambda c: courses.moved(c, "start", DAY(2026, 7, 1), DAY(2026, 5, 3), NOOR)),
            ("before-start", lambda c: courses.moved(c, "follow-up", DAY(2026, 3, 31), DAY(2026, 4, 1), NOOR)),
            (
                "after-end",
                lambda _c: courses.moved(begun("npi-recovery"), "talk-8", DAY(2027, 3, 1), DAY(2026, 4, 1), NOOR),
            ),
            ("not-declined", lambda c: courses.taken_back(c, "follow-up", DAY(2026, 4, 1), NOOR)),
            (
                "already-declined",
                lambda c: courses.declined(
                    courses.declined(c, "follow-up", DAY(2026, 4, 1), NOOR), "follow-up", DAY(2026, 4, 1), NOOR
                ),
            ),
        ],
    )
    def test_what_does_not_fit_is_refused_with_the_reason(self, code, attempt):
        with pytest.raises(NotPossible) as refused:
            attempt(begun())
        assert refused.value.code == code


class TestInFhir:
    def test_a_course_reads_back_as_it_was_with_all_that_was_decided(self):
        course = courses.declined(begun(group="Voorjaar 2026"), "follow-up", DAY(2026, 3, 3), NOOR)
        course = courses.moved(course, "consolidation", DAY(2028, 9, 1), DAY(2026, 3, 4), ELS)
        course = courses.paused(course, DAY(2026, 5, 1), NOOR)
        assert courses.course_of(care_plan(course), OURS) == course

    @pytest.mark.parametrize("programme", ["three-moments", "npi-recovery"])
    def test_what_is_written_keeps_to_our_profiles(self, programme):
        course = courses.paused(begun(programme), DAY(2026, 4, 1), NOOR)
        assert check(care_plan(course, DAY(2026, 4, 1))) == []
        assert [problem for task in asked(course) for problem in check(task)] == []

    def test_what_others_put_into_it_stays(self):
        theirs = {"url": "https://example.org/theirs", "valueString": "x"}
        before = care_plan(begun()) | {"id": "7", "note": [{"text": "van hen"}]}
        before["extension"].append(theirs)
        before["activity"].append({"detail": {"status": "unknown", "description": "van hen"}})
        after_ = care_plan(courses.paused(begun(), DAY(2026, 4, 1), NOOR), existing=copy.deepcopy(before))
        assert theirs in after_["extension"]
        assert after_["activity"][-1] == before["activity"][-1]
        assert (after_["id"], after_["note"], after_["created"]) == ("7", before["note"], before["created"])
        assert len(courses.course_of(after_).planned) == 3

    def test_a_programme_that_changes_changes_no_course_that_goes_on(self):
        stored = care_plan(begun())
        changed = replace_programme("three-moments", closes="3 months")
        read = courses.course_of(stored, {"three-moments": changed})
        assert [(one.opens, one.closes) for one in read.planned] == [(o.opens, o.closes) for o in begun().planned]
        without = courses.course_of(stored, {})
        assert without.planned[0].purpose.nl == begun().planned[0].purpose.nl
        assert without.planned[0].purpose.en == begun().planned[0].purpose.en

    @pytest.mark.parametrize(
        "spoilt",
        [
            {"resourceType": "CarePlan"},
            {"resourceType": "CarePlan", "category": [{"coding": [{"system": "x", "code": "programme"}]}]},
            {"resourceType": "Goal"},
            None,
            [],
        ],
    )
    def test_what_is_no_course_is_none(self, spoilt):
        assert not courses.is_course(spoilt)

    def test_a_course_without_a_day_is_none_and_a_moment_without_days_is_left_out(self):
        stored = care_plan(begun())
        assert courses.course_of({**stored, "period": {}}) is None
        assert courses.course_of({**stored, "period": {"start": "2026"}}) is None
        spoilt = copy.deepcopy(stored)
        spoilt["activity"][1]["detail"]["scheduledPeriod"]["end"] = "ooit"
        assert [one.id for one in courses.course_of(spoilt).planned] == ["start", "consolidation"]


class TestAnswers:
    def test_its_own_task_says_that_answers_came_to_who_does_not_read_them(self):
        task = asked(begun())[0] | {"status": "completed", "output": [output("QuestionnaireResponse/9")]}
        assert courses.answered_in(begun(), [task], [], day_of, catalogue()) == (Answered("nel", BEGIN),)

    def test_a_task_that_was_closed_by_answers_that_came_too_late_says_nothing(self):
        task = asked(begun())[0] | {"status": "completed", "output": [output("QuestionnaireResponse/9")]}
        late = response("nel", "2026-05-03")  # the last day is 2 May
        assert courses.answered_in(begun(), [task], [late], day_of, catalogue()) == (Answered("nel", DAY(2026, 5, 3)),)
        in_time = response("nel", "2026-05-02")
        assert set(courses.answered_in(begun(), [task], [in_time], day_of, catalogue())) == {
            Answered("nel", BEGIN),
            Answered("nel", DAY(2026, 5, 2)),
        }

    def test_what_is_not_finished_or_has_no_day_was_not_sent_in(self):
        begun_with = response("nel", "2026-03-10") | {"status": "in-progress"}
        assert courses.sent_in(
            [begun_with, response("hoop", ""), response("mhcs", "2026-03-11")], day_of, catalogue()
        ) == (Answered("mhcs", DAY(2026, 3, 11)),)

    @pytest.mark.parametrize(
        ("questionnaire", "counts"),
        [
            ("https://verstel.nl/fhir/Questionnaire/nel-plain|1.0.0", True),
            ("https://verstel.nl/fhir/Questionnaire/nel-structure", True),
            ("https://ehr.example/fhir/Questionnaire/nel", False),
        ],
    )
    def test_answers_to_a_variant_count_and_those_to_a_form_of_others_with_its_name_do_not(self, questionnaire, counts):
        sent = response("nel", "2026-03-11") | {"questionnaire": questionnaire}
        there = courses.sent_in([sent], day_of, catalogue())
        assert there == ((Answered("nel", DAY(2026, 3, 11)),) if counts else ())
        [first, *_rest] = courses.standing(begun(), there, DAY(2026, 3, 12))
        assert first.done == (("nel",) if counts else ())


def output(reference: str) -> dict:
    return {"type": {"text": "response"}, "valueReference": {"reference": reference}}


def response(instrument: str, authored: str) -> dict:
    form = catalogue().instruments[instrument]
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "9",
        "status": "completed",
        "questionnaire": form.canonical,
        "authored": authored,
    }


def day_of(text: str) -> DAY | None:
    return DAY.fromisoformat(text[:10]) if text else None


class TestTasks:
    def test_where_they_could_not_follow_what_was_decided_counts(self):
        task = asked(begun())[0]
        waits = courses.paused(begun(), BEGIN, NOOR)
        assert courses.as_decided(task, [waits])["status"] == "on-hold"
        assert courses.as_decided(task, [begun(), begun("npi-recovery")]) is task
        assert courses.as_decided({"resourceType": "Task", "status": "requested"}, [waits])["status"] == "requested"

    def test_each_questionnaire_of_each_moment_is_an_assignment_in_its_days(self):
        found = [assignment_of(one) for one in asked(begun()) if is_assignment(one)]
        assert [(one.instrument, one.opens, one.due) for one in found[:4]] == [
            (name, "2026-03-02", "2026-05-02") for name in ASKED
        ]
        assert len(found) == 12
        assert [one.is_open("2026-03-02") for one in found] == [True] * 4 + [False] * 8
        assert [one.is_open("2026-05-03") for one in found] == [False] * 12
        assert len({one["identifier"][0]["value"] for one in asked(begun())}) == 12

    def test_they_follow_the_course(self):
        there = [{**one, "id": str(number)} for number, one in enumerate(asked(begun()))]
        there[0] |= {"status": "completed", "output": [{}]}
        there[1] |= {"status": "cancelled", "statusReason": {"text": "Ingetrokken door het behandelteam"}}
        paused = courses.paused(begun(), DAY(2026, 4, 1), NOOR)
        held = courses.task_changes(paused, there)
        assert [one["id"] for one in held] == [str(number) for number in range(2, 12)]
        assert {one["status"] for one in held} == {"on-hold"}
        there = [next((new for new in held if new["id"] == one["id"]), one) for one in there]
        again = courses.task_changes(courses.resumed(paused, DAY(2026, 4, 11), NOOR), there)
        assert {one["status"] for one in again} == {"requested"}
        assert again[-1]["restriction"]["period"] == {"start": "2028-08-12", "end": "2028-11-12"}
        assert not any("statusReason" in one for one in again)
        no = courses.declined(begun(), "follow-up", DAY(2026, 4, 1), NOOR)
        assert {courses.moment_of(one)[1] for one in courses.task_changes(no, there)} >= {"follow-up"}

    def test_nothing_changes_where_nothing_was_decided(self):
        assert courses.task_changes(begun(), asked(begun())) == []

    def test_a_task_of_another_course_is_left_alone(self):
        other = begun(start=DAY(2026, 3, 3))
        assert courses.task_changes(courses.paused(begun(), DAY(2026, 4, 1), NOOR), asked(other)) == []


# ---- laws ------------------------------------------------------------------------------------------------------------

DAYS = st.dates(DAY(2019, 1, 1), DAY(2045, 12, 31))
LONG = st.integers(0, 4000)


@examples(200)
@given(DAYS, st.integers(0, 400))
def test_so_many_months_later_is_that_day_or_the_last_of_its_month(day, months):
    found = after(day, f"{months} months")
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    assert found.day == min(day.day, calendar.monthrange(found.year, found.month)[1])


def test_leap_days():
    assert after(DAY(2024, 2, 29), "12 months") == DAY(2025, 2, 28)
    assert after(DAY(2024, 2, 29), "48 months") == DAY(2028, 2, 29)
    assert after(DAY(2026, 12, 31), "2 months") == DAY(2027, 2, 28)
    assert after(DAY(2026, 12, 31), "14 months") == DAY(2028, 2, 29)


@examples(200)
@given(DAYS, st.sampled_from(sorted(OURS)))
def test_moments_are_in_order_and_told_before_they_begin_and_never_before_the_start(start, programme):
    course = begun(programme, start)
    assert [one.opens for one in course.planned] == sorted(one.opens for one in course.planned)
    for one in course.planned:
        assert start <= one.tell <= one.opens <= (one.about or one.opens) <= one.closes
        assert course.end is None or (one.about or one.opens) <= course.end


@examples(200)
@given(DAYS, st.sampled_from(sorted(OURS)), st.lists(st.tuples(LONG, LONG), max_size=4), LONG)
def test_pauses_add_up_and_never_change_what_was_over_or_how_far_apart_the_rest_is(start, programme, pauses, look):
    course, today, waited = begun(programme, start), start, dt.timedelta()
    for until, length in pauses:
        today += dt.timedelta(days=until)
        before = course
        course = courses.paused(course, today, NOOR)
        assert set(states(course, today + dt.timedelta(days=look)).values()) <= {"missed", "past", "paused"}
        since, today = today, today + dt.timedelta(days=length)
        course = courses.resumed(course, today, NOOR)
        waited += today - since
        for one in before.planned:
            now = course.moment(one.id)
            assert now is not None
            if one.closes < since:
                assert now == one
            elif one.opens >= since:
                assert (now.opens - one.opens, now.closes - one.closes) == (today - since, today - since)
            else:
                assert (now.opens, now.closes - one.closes) == (one.opens, today - since)
    assert len(course.events) == 1 + 2 * len(pauses)
    whole = {one.id: one.opens for one in begun(programme, start).planned}
    assert all(one.opens - whole[one.id] <= waited for one in course.planned)
    assert courses.course_of(care_plan(course, today), OURS) == course


@examples(200)
@given(DAYS, st.sampled_from(sorted(OURS)), LONG, st.lists(st.tuples(st.sampled_from(ASKED), LONG), max_size=12))
def test_every_moment_is_somewhere_and_answers_of_a_later_day_change_nothing_of_before(start, programme, look, sent):
    course, today = begun(programme, start), start + dt.timedelta(days=look)
    answered = [Answered(name, start + dt.timedelta(days=day)) for name, day in sent]
    found = courses.standing(course, answered, today)
    assert [one.planned.id for one in found] == [one.id for one in course.planned]
    for one in found:
        if one.state == "missed":
            later = [*answered, *(Answered(name, one.planned.closes + dt.timedelta(days=1)) for name in ASKED)]
            assert next(s.state for s in courses.standing(course, later, today) if s.planned == one.planned) == "missed"


@examples(200)
@given(DAYS, st.sampled_from(sorted(OURS)), st.lists(st.tuples(st.integers(0, 6), LONG, st.integers(0, 9)), max_size=6))
def test_whatever_is_decided_nothing_is_lost_and_the_record_says_all_of_it(start, programme, decisions):
    course, today = begun(programme, start), start
    tasks = asked(course)
    for what, days, number in decisions:
        today += dt.timedelta(days=days % 200)
        moment = course.planned[number % len(course.planned)].id
        before = course.events
        try:
            course = decided(course, what, moment, dt.timedelta(days=number), today)
        except NotPossible:
            continue
        assert course.events[: len(before)] == before
        changed = {json.dumps(one["identifier"]): one for one in courses.task_changes(course, tasks)}
        tasks = [changed.get(json.dumps(one["identifier"]), one) for one in tasks]
        assert courses.task_changes(course, tasks) == []
    stored = care_plan(course, today)
    assert check(stored) == []
    assert courses.course_of(stored, OURS) == course
    assert len(tasks) == len(asked(begun(programme, start)))
    for one, task in courses.asked_for(course, tasks):
        assert task["restriction"]["period"] == {"start": one.opens.isoformat(), "end": one.closes.isoformat()}


def decided(course: Course, what: int, moment: str, later: dt.timedelta, today: DAY) -> Course:
    """Return a course after one of the seven things that can be decided about it."""
    return (
        lambda: courses.paused(course, today, NOOR),
        lambda: courses.resumed(course, today, NOOR),
        lambda: courses.declined(course, moment, today, NOOR),
        lambda: courses.taken_back(course, moment, today, NOOR),
        lambda: courses.moved(course, moment, today + later, today, NOOR),
        lambda: courses.moved(course, moment, today + later, today, NOOR, with_later=True),
        lambda: courses.stopped(course, today, NOOR),
    )[what]()


def replace_programme(name: str, **first: str):
    programme = programmes()[name]
    moment = programme.moments[0]
    fields = {each: getattr(moment, each) for each in moment.__struct_fields__} | first
    return type(programme)(
        **{each: getattr(programme, each) for each in programme.__struct_fields__}
        | {"moments": (type(moment)(**fields), *programme.moments[1:]), "version": "2.0.0"}
    )
