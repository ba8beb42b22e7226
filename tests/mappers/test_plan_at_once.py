"""At most five life domains carry goals at once (the handbook: "op welke levensgebieden (maximaal vijf)")."""

from __future__ import annotations

from dataclasses import replace

from mappers.plan import Goal, PersonRef, Plan, parts_of, plan_of, resources_of
from mappers.plan.at_once import carrying, has_room, paused, within_five
from questionnaires.catalogue import catalogue

DOMAINS = [domain.code for domain in catalogue().life_domains][:7]
ANNA = PersonRef("Patient/anna", "Anna Voorbeeld")


def in_domains(*domains: str, **more) -> Plan:
    ids = (f"urn:uuid:00000000-0000-4000-8000-00000000000{number}" for number in range(9))
    return Plan("p", goals=tuple(Goal(next(ids), f"Doel in {domain}", domain, **more) for domain in domains))


def with_one_more(plan: Plan, domain: str) -> Plan:
    return replace(plan, goals=(*plan.goals, Goal("urn:uuid:00000000-0000-4000-8000-000000000099", "Nieuw", domain)))


def test_a_goal_in_a_sixth_domain_is_for_later_and_none_is_lost():
    before = in_domains(*DOMAINS[:5])
    after = within_five(before, with_one_more(before, DOMAINS[5]))
    assert [goal.later for goal in after.goals] == [False] * 5 + [True]
    assert carrying(after) == carrying(before)


def test_a_second_goal_in_one_of_the_five_is_worked_on():
    before = in_domains(*DOMAINS[:5])
    assert has_room(before, DOMAINS[0])
    assert not has_room(before, DOMAINS[5])
    assert not any(goal.later for goal in within_five(before, with_one_more(before, DOMAINS[0])).goals)


def test_a_goal_that_ended_or_rests_takes_no_room():
    ended = in_domains(*DOMAINS[:5], active=False)
    assert not within_five(ended, with_one_more(ended, DOMAINS[5])).goals[-1].later
    before = in_domains(*DOMAINS[:5])
    resting = paused(before, DOMAINS[0], "2026-05-01")
    assert (resting.goals[0].later, resting.goals[0].progress_date) == (True, "2026-05-01")
    assert not within_five(resting, with_one_more(resting, DOMAINS[5])).goals[-1].later


def test_a_plan_that_has_six_keeps_them_and_gets_no_seventh():
    before = in_domains(*DOMAINS[:6])
    changed = replace(before, goals=(replace(before.goals[0], text="Anders"), *before.goals[1:]))
    assert within_five(before, changed) == changed
    more = within_five(before, with_one_more(before, DOMAINS[6]))
    assert [goal.later for goal in more.goals] == [False] * 6 + [True]


def lifecycle(plan: Plan, existing=()) -> str:
    made = resources_of(plan, patient=ANNA, author=ANNA, known=catalogue(), existing=existing)
    return parts_of(made)[1][0]["lifecycleStatus"]


def test_a_wish_is_proposed_and_a_goal_that_rests_is_on_hold():
    assert lifecycle(in_domains(DOMAINS[0], later=True)) == "proposed"
    made = resources_of(in_domains(DOMAINS[0]), patient=ANNA, author=ANNA, known=catalogue())
    assert made[0]["lifecycleStatus"] == "active"
    read = plan_of(*parts_of(made), known=catalogue())
    rests = paused(read, DOMAINS[0], "2026-05-01")
    on_hold = resources_of(rests, patient=ANNA, author=ANNA, known=catalogue(), existing=made)
    assert on_hold[0]["lifecycleStatus"] == "on-hold"
    back = plan_of(*parts_of(on_hold), known=catalogue())
    assert back.goals[0].later
    begun = replace(back, goals=(replace(back.goals[0], later=False),))
    assert lifecycle(begun, on_hold) == "active"


def test_what_a_professional_said_more_precisely_stays():
    made = resources_of(in_domains(DOMAINS[0]), patient=ANNA, author=ANNA, known=catalogue())
    made[0]["lifecycleStatus"] = "accepted"
    read = plan_of(*parts_of(made), known=catalogue())
    assert not read.goals[0].later
    assert lifecycle(read, made) == "accepted"
