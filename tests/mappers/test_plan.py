"""A plan goes into the record and comes back unchanged, and what others wrote there stays."""

from __future__ import annotations

import copy
import json
import xml.etree.ElementTree as ET
from dataclasses import fields, replace

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.compile import PACKAGE
from mappers.errors import EmptyText, NotAPlan, PlanError, RefusedValue, TooManyDomains, UnknownDomain
from mappers.fhir_text import first_words, typed
from mappers.plan import (
    ANSWERS_URL,
    DOMAIN_SYSTEM,
    PROGRESS,
    QUESTIONS,
    STEP_STATUSES,
    DomainAnswers,
    Goal,
    OtherGoal,
    PersonRef,
    Plan,
    Remark,
    Step,
    goal_of,
    other_goal_of,
    parts_of,
    plan_of,
    resources_of,
)
from mappers.said_in import SaidIn
from questionnaires.canonical import structure_url
from questionnaires.catalogue import catalogue
from tests.examples import examples

ANNA = PersonRef("Patient/anna", "Anna de Vries")
KNOWN = catalogue()
DOMAINS = [domain.code for domain in KNOWN.life_domains]

texts = st.text(max_size=40)
dates = st.sampled_from(["", "2026", "2026-05", "2026-05-31"])
moments = st.sampled_from(["", "2026-05", "2026-05-31T10:00:00Z", "2026-05-31T11:00:00+02:00"])
uuids = st.uuids(version=4).map(str)


answers_said = st.one_of(
    st.none(),
    st.builds(SaidIn, st.sampled_from(["hoop-04", "nel-12"]), st.just("QuestionnaireResponse/7"), st.just("")),
    st.builds(SaidIn, st.just("hoop-04"), st.just(""), uuids.map(str)),
)


def steps(index: int):
    return st.builds(
        Step,
        id=st.one_of(uuids.map(lambda u: f"urn:uuid:{u}"), st.just(f"step-{index}")),
        text=texts.filter(typed),
        status=st.sampled_from(STEP_STATUSES),
        who=texts,
        due=dates,
        said_in=answers_said,
    )


def dated(goal: Goal) -> Goal:
    return replace(goal, progress_date=goal.progress_date or "2026") if goal.progress else goal


def goals():
    return st.builds(
        Goal,
        id=uuids.map(lambda u: f"urn:uuid:{u}"),
        text=texts.filter(typed),
        domain=st.sampled_from(DOMAINS),
        start=dates,
        due=st.one_of(st.none(), dates),
        progress=st.sampled_from(PROGRESS),
        progress_date=dates,
        later=st.booleans(),
        remarks=st.lists(st.builds(Remark, text=texts, said=moments), max_size=3, unique=True),
        active=st.booleans(),
        steps=st.lists(steps(0), max_size=3, unique_by=lambda step: step.id),
        said_in=answers_said,
    ).map(dated)


plans = st.builds(
    Plan,
    id=st.one_of(st.just("plan-1"), uuids.map(lambda u: f"urn:uuid:{u}")),
    texts=st.fixed_dictionaries(
        {part.code: st.lists(texts, max_size=3 if part.many else 1) for part in KNOWN.plan_parts}
    ),
    domains=st.lists(
        st.builds(DomainAnswers, domain=st.sampled_from(DOMAINS), now=texts, change=texts, how=texts, support=texts),
        max_size=5,
        unique_by=lambda answers: answers.domain,
    ),
    goals=st.lists(goals(), max_size=3, unique_by=lambda goal: goal.id),
    created=st.sampled_from(["", "2026-05-31", "2026-05-31T10:00:00+02:00"]),
).filter(lambda plan: len(ids_in(plan)) == len(set(ids_in(plan))))


def ids_in(plan: Plan) -> list[str]:
    return [part.id for goal in plan.goals for part in (goal, *goal.steps)]


def written(plan: Plan, **changes):
    return resources_of(plan, **{"patient": ANNA, "author": ANNA, "known": KNOWN, **changes})


def read_back(resources, known=KNOWN) -> Plan:
    return plan_of(*parts_of(resources), known=known)


def stored(resources):
    """What a server makes of resources: its own ids, references rewritten, JSON in between."""
    text = json.dumps(resources)
    for number, resource in enumerate(resources):
        if "id" not in resource:
            kind = resource["resourceType"]
            uuid = next(one["value"] for one in resource["identifier"] if one["system"].startswith("https://verstel"))
            text = text.replace(f'"urn:uuid:{uuid}"', f'"{kind}/server-{number}"')
    back = json.loads(text)
    for number, resource in enumerate(back):
        resource.setdefault("id", f"server-{number}")
        resource["meta"] |= {"versionId": "1", "lastUpdated": "2026-06-01T08:00:00Z"}
    return back


@pytest.fixture
def plan() -> Plan:
    """A plan halfway: one domain answered, one goal with two steps, one goal let go."""
    walking = Goal(
        id="urn:uuid:0b9e6f0e-7d0c-4d0a-9d7b-0a6d2b1f1c11",
        text="Elke dag een half uur buiten lopen,\nook als het regent",
        domain=DOMAINS[4],
        start="2026-03-01",
        due="2026-09-01",
        progress="improving",
        progress_date="2026-05-01",
        remarks=(Remark("Met de hond gaat het vanzelf", "2026-05-01T09:30:00+02:00"),),
        steps=(
            Step("urn:uuid:6d3c2a58-41c4-4a94-8ef1-5b7e1f9a2d01", "Schoenen kopen", "done", "ik", "2026-03-10"),
            Step("urn:uuid:6d3c2a58-41c4-4a94-8ef1-5b7e1f9a2d02", "Route vragen aan Karim", "planned", "Karim"),
        ),
    )
    let_go = Goal(
        id="urn:uuid:0b9e6f0e-7d0c-4d0a-9d7b-0a6d2b1f1c12",
        text="Hardlopen",
        domain=DOMAINS[4],
        active=False,
        progress="not-attainable",
        progress_date="2026-04-01",
    )
    return Plan(
        id="urn:uuid:f3a6d6b2-2b51-4f0e-8a0e-2f6b8f0c1a01",
        texts={
            "story": ("Ik ben Anna. <Hier> & daar.",),
            "strengths": ("muziek", "mijn zus"),
            "stressors": ("drukte",),
        },
        domains=(DomainAnswers(DOMAINS[4], now="moe", change="meer lucht", how="lopen", support="mijn zus"),),
        goals=(walking, let_go),
        created="2026-03-01T10:00:00+01:00",
    )


@examples(200, deadline=None)
@given(plans)
def test_every_text_survives_the_round_trip(plan):
    assert read_back(written(plan)) == plan


@examples(100, deadline=None)
@given(plans)
def test_every_text_survives_a_server_that_gives_ids(plan):
    back = read_back(stored(written(plan)))
    nameless = [replace(one, id="", steps=tuple(replace(step, id="") for step in one.steps)) for one in back.goals]
    before = [replace(one, id="", steps=tuple(replace(step, id="") for step in one.steps)) for one in plan.goals]
    assert nameless == before
    assert replace(back, id="", goals=()) == replace(plan, id="", goals=())


@examples(100, deadline=None)
@given(plans)
def test_a_plan_that_did_not_change_gives_the_stored_resources(plan):
    existing = stored(written(plan))
    again = written(read_back(existing), existing=existing)
    assert [one for one in again if one not in existing] == []


@examples(30, deadline=None)
@given(plans)
def test_what_is_written_is_valid_r4(plan):
    for resource in written(plan):
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        ET.fromstring(resource["text"]["div"])


@given(st.text())
def test_making_a_text_fit_twice_changes_nothing(text):
    assert typed(typed(text)) == typed(text)


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u00a0", "\x00", " \x07 "])
def test_a_text_without_a_visible_character_is_no_text(text):
    assert typed(text) == ""


@pytest.mark.parametrize("text", ["  twee spaties  ", "a\r\nb\n", "😀 ζ  ́", "<b>&amp;</b>", "\ttab"])
def test_a_text_stays_as_typed(text):
    assert typed(text) == text


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [("regel\x0bregel", "regel\nregel"), ("bel\x07", "bel"), ("half\ud83d", "half\ufffd"), ("nul\x00!", "nul!")],
)
def test_characters_that_fhir_cannot_hold_are_replaced(pasted, kept):
    assert typed(pasted) == kept


def test_the_display_of_a_reference_is_the_first_line_shortened():
    assert first_words("\n  " + "woord " * 40 + "\nmeer") == ("woord " * 40)[:79].rstrip() + "…"


def test_references_point_from_the_plan_down_and_each_has_a_display(plan):
    resources = written(plan)
    care_plan, goals, tasks = parts_of(resources)
    assert [one["resourceType"] for one in resources] == ["Goal", "Goal", "Task", "Task", "CarePlan"]
    assert care_plan["goal"][0] == {"reference": plan.goals[0].id, "display": "Elke dag een half uur buiten lopen,"}
    assert care_plan["activity"][1]["reference"] == {
        "reference": plan.goals[0].steps[1].id,
        "display": "Route vragen aan Karim",
    }
    assert tasks[0]["focus"]["reference"] == plan.goals[0].id
    assert "CarePlan" not in json.dumps([one["focus"] for one in tasks])
    assert goals[0]["expressedBy"] == {"reference": "Patient/anna", "display": "Anna de Vries"}


def test_the_clients_words_are_the_goals_description(plan):
    goal = parts_of(written(plan))[1][0]
    assert goal["description"] == {"text": "Elke dag een half uur buiten lopen,\nook als het regent"}
    assert goal["category"][0]["coding"][0]["system"] == DOMAIN_SYSTEM
    assert goal["target"] == [{"dueDate": "2026-09-01"}]
    assert goal["achievementStatus"]["coding"][0]["code"] == "improving"
    assert (goal["statusDate"], goal["lifecycleStatus"]) == ("2026-05-01", "active")


@pytest.mark.parametrize(
    ("active", "progress", "status"),
    [(True, "", "active"), (True, "achieved", "active"), (False, "achieved", "completed"), (False, "", "cancelled")],
)
def test_a_goal_is_reached_or_let_go_but_never_deleted(plan, active, progress, status):
    goal = replace(plan.goals[0], active=active, progress=progress, progress_date="2026-05-01")
    assert parts_of(written(replace(plan, goals=(goal,))))[1][0]["lifecycleStatus"] == status


@pytest.mark.parametrize("finer", ["rejected", "cancelled"])
def test_a_finer_status_of_a_goal_that_was_let_go_stays(plan, finer):
    """A care team recorded that the goal was rejected; a save about something else does not flatten that."""
    existing = stored(written(plan))
    existing[1]["lifecycleStatus"] = finer
    again = written(read_back(existing).with_texts("story", ("Anders.",)), existing=existing)
    assert again[1]["text"]["div"] == existing[1]["text"]["div"]
    assert again[1]["lifecycleStatus"] == finer


@pytest.mark.parametrize("contradicted", ["active", "completed", "entered-in-error"])
def test_a_status_that_contradicts_a_goal_that_was_let_go_gives_way(plan, contradicted):
    existing = stored(written(plan))
    let_go = read_back(existing)
    existing[1]["lifecycleStatus"] = contradicted
    assert written(let_go, existing=existing)[1]["lifecycleStatus"] == "cancelled"


def test_nothing_is_filled_in_that_was_not_said():
    goal = parts_of(written(Plan(id="p", goals=(Goal(id="g", text="Rust", domain=DOMAINS[0]),))))[1][0]
    assert not {"achievementStatus", "startDate", "statusDate", "target", "note", "addresses"} & set(goal)


def test_the_narrative_holds_every_word(plan):
    div = parts_of(written(plan))[0]["text"]["div"]
    for words in ("Ik ben Anna. &lt;Hier&gt; &amp; daar.", "mijn zus", "drukte", "moe", "lopen,<br/>ook", "Karim"):
        assert words in div


def test_what_others_added_to_the_same_resources_stays(plan):
    """A clinician's target with a measure, a note, a second category and an unknown extension survive a save."""
    existing = stored(written(plan))
    care_plan, goals, tasks = parts_of(existing)
    goals[0]["addresses"] = [{"reference": "Condition/1", "display": "x"}]
    goals[0]["target"].append({"measure": {"text": "stappen"}, "detailInteger": 5000, "dueDate": "2027-01-01"})
    goals[0]["note"].append({"authorReference": {"reference": "Practitioner/2"}, "text": "Besproken"})
    goals[0]["category"].append({"text": "lichaam"})
    goals[0]["lifecycleStatus"] = "accepted"
    tasks[1]["status"] = "accepted"
    care_plan["extension"].append({"url": "https://example.org/x", "valueString": "y"})
    care_plan["goal"].append({"reference": "Goal/elsewhere", "display": "van een ander"})
    care_plan["activity"].append({"detail": {"status": "scheduled", "description": "huisbezoek"}})
    before = copy.deepcopy(existing)
    read = plan_of(care_plan, goals, tasks, known=KNOWN)
    said = replace(read.goals[0], due="2026-10-01").with_remark("Anders", "2026-06-02T09:30:00+02:00")
    changed = replace(read, goals=(said, *read.goals[1:]))
    after_plan, after_goals, after_tasks = parts_of(written(changed, existing=existing))
    assert existing == before
    assert after_goals[0]["addresses"] == goals[0]["addresses"]
    assert after_goals[0]["target"] == [{"dueDate": "2026-10-01"}, goals[0]["target"][1]]
    assert [note["text"] for note in after_goals[0]["note"]] == ["Anders", "Met de hond gaat het vanzelf", "Besproken"]
    assert {"text": "lichaam"} in after_goals[0]["category"]
    assert after_goals[0]["lifecycleStatus"] == "accepted"
    assert after_tasks[1]["status"] == "accepted"
    assert {"url": "https://example.org/x", "valueString": "y"} in after_plan["extension"]
    assert after_plan["goal"][-1]["reference"] == "Goal/elsewhere"
    assert after_plan["activity"][-1] == {"detail": {"status": "scheduled", "description": "huisbezoek"}}


def test_what_others_put_into_our_extensions_stays(plan):
    """What has no words that we read, a second story, what stands beside words, and a part that nobody asked for."""
    existing = stored(written(plan))
    care_plan, goals, tasks = parts_of(existing)
    story, strength = (structure_url(name) for name in ("life-story", "strength"))
    theirs = [
        {"url": strength, "extension": [{"url": "x", "valueString": "theirs"}]},
        {"url": story, "valueString": "Een tweede verhaal"},
    ]
    care_plan["extension"] += theirs
    beside = next(one for one in care_plan["extension"] if one["url"] == strength)
    beside["id"] = "s1"
    answers = next(one for one in care_plan["extension"] if one["url"] == ANSWERS_URL)
    answers["extension"].append({"url": "theirs", "valueString": "theirs"})
    read = plan_of(care_plan, goals, tasks, known=KNOWN)
    changed = replace(read, domains=(replace(read.domains[0], now="Anders"), *read.domains[1:]))
    after = parts_of(written(changed, existing=existing))[0]["extension"]
    assert [one for one in theirs if one not in after] == []
    assert beside in after
    [first, *_] = [one for one in after if one["url"] == ANSWERS_URL]
    assert first["extension"][-1] == {"url": "theirs", "valueString": "theirs"}
    assert {"url": "now", "valueString": "Anders"} in first["extension"]
    assert read_back(stored(written(changed, existing=existing))) == changed
    moved = replace(changed, elsewhere=frozenset({"story", "strengths"}))
    left = parts_of(written(moved, existing=existing))[0]["extension"]
    assert [one for one in left if one["url"] in (story, strength)] == theirs


def test_a_remark_takes_the_place_of_none_and_is_read_newest_first_whatever_the_time_zone(plan):
    existing = stored(written(plan))
    first = read_back(existing)
    said = first.goals[0].with_remark("Vandaag niet", "2026-10-25T02:30:00+02:00")
    said = said.with_remark("Toch nog", "2026-10-25T02:10:00+01:00")
    again = stored(written(replace(first, goals=(said, *first.goals[1:])), existing=existing))
    read = read_back(again).goals[0]
    assert [one.text for one in read.remarks] == ["Toch nog", "Vandaag niet", "Met de hond gaat het vanzelf"]
    assert read.note == "Toch nog"


def test_a_remark_that_is_sent_twice_is_said_once(plan):
    said = plan.goals[0].with_remark("Vandaag niet", "2026-06-02T09:30:00+02:00")
    assert said.with_remark("Vandaag niet", "2026-06-02T09:30:05+02:00") == said
    assert said.with_remark("", "2026-06-02T09:30:05+02:00") == said


def test_remarks_of_others_are_read_with_their_name_and_never_written_as_the_clients(plan):
    existing = stored(written(plan))
    existing[0]["note"].append({"authorReference": {"reference": "Practitioner/2", "display": "Jaap"}, "text": "Fijn"})
    read = read_back(existing)
    assert [(one.text, one.by) for one in read.goals[0].of_others] == [("Fijn", "Jaap")]
    assert [one.text for one in read.goals[0].remarks] == ["Met de hond gaat het vanzelf"]
    assert written(read, existing=existing)[0]["note"] == existing[0]["note"]


def test_who_types_with_the_client_is_author_of_a_plan_they_begin_and_contributor_of_any_other(plan):
    joost = PersonRef("Practitioner/1", "Joost")
    begun = written(plan, author=joost)[-1]
    assert (begun["author"]["reference"], begun.get("contributor")) == (joost.reference, None)
    own = stored(written(plan))
    assert "contributor" not in own[-1]
    read = read_back(own)
    helped = written(read, author=joost, existing=own)
    assert helped[-1]["author"]["reference"] == ANNA.reference
    assert [one["reference"] for one in helped[-1]["contributor"]] == [joost.reference]
    assert [one for one in helped if one not in own] == [helped[-1]]
    assert written(read, author=joost, existing=helped) == helped
    assert written(read, existing=helped) == helped
    assert read_back(helped) == read


def test_only_what_changed_needs_saving(plan):
    existing = stored(written(plan))
    read = read_back(existing)
    changed = replace(read, goals=(replace(read.goals[0], progress="achieved"), *read.goals[1:]))
    assert [one["id"] for one in written(changed, existing=existing) if one not in existing] == ["server-0"]


def test_the_business_identifier_outlives_the_servers_id(plan):
    existing = stored(written(plan))
    again = written(read_back(existing), existing=existing)
    assert again[0]["identifier"][0]["value"] == "0b9e6f0e-7d0c-4d0a-9d7b-0a6d2b1f1c11"


@pytest.mark.parametrize(
    "reference",
    ["https://ehr.example/fhir/Goal/server-0", "Goal/server-0/_history/3", "Goal/server-0"],
)
def test_a_reference_is_understood_in_every_form(plan, reference):
    care_plan, goals, tasks = parts_of(stored(written(plan)))
    care_plan["goal"][0]["reference"] = reference
    assert plan_of(care_plan, goals, tasks, known=KNOWN).goals[0].text == plan.goals[0].text


def test_a_goal_entered_in_error_is_not_in_the_plan(plan):
    care_plan, goals, tasks = parts_of(stored(written(plan)))
    goals[0]["lifecycleStatus"] = "entered-in-error"
    assert [goal.text for goal in plan_of(care_plan, goals, tasks, known=KNOWN).goals] == ["Hardlopen"]


def test_a_goal_without_a_plan_can_be_read(plan):
    goal = stored(written(plan))[0]
    assert goal_of(goal).text == plan.goals[0].text
    with pytest.raises(NotAPlan):
        goal_of({"resourceType": "Task"})


FOREIGN = {
    "resourceType": "Goal",
    "id": "7",
    "lifecycleStatus": "active",
    "description": {"text": "Cliënt stabiliseert"},
    "subject": {"reference": "https://ehr.example/fhir/Patient/anna"},
}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({}, OtherGoal("Cliënt stabiliseert", own=False, said_by="")),
        ({"expressedBy": {"reference": "Patient/anna", "display": "A."}}, OtherGoal("Cliënt stabiliseert", True, "")),
        ({"expressedBy": {"display": "Els Visser"}}, OtherGoal("Cliënt stabiliseert", own=False, said_by="Els Visser")),
        ({"description": {"coding": [{}, {"display": "Stop roken"}]}}, OtherGoal("Stop roken", own=False, said_by="")),
        (
            {"category": [{"text": "Zorgdoel"}], "lifecycleStatus": "proposed"},
            OtherGoal("Cliënt stabiliseert", False, ""),
        ),
    ],
)
def test_a_goal_of_another_program_is_read_with_whose_words_it_is(written, read):
    assert other_goal_of({**FOREIGN, **written}) == read


def test_a_goal_that_says_neither_whose_words_nor_about_whom_is_not_the_clients_own():
    """Two references that are both missing are equal, and still name nobody."""
    nobodys = {name: value for name, value in FOREIGN.items() if name != "subject"}
    assert other_goal_of(nobodys) == OtherGoal("Cliënt stabiliseert", own=False, said_by="")
    assert other_goal_of({**nobodys, "expressedBy": {"display": "Els"}}) == OtherGoal(
        "Cliënt stabiliseert", False, "Els"
    )


@pytest.mark.parametrize(
    "written",
    [
        {"lifecycleStatus": "entered-in-error"},
        {"lifecycleStatus": "completed"},
        {"lifecycleStatus": "rejected"},
        {"description": {}},
        {"description": {"text": " "}},
        {"description": 7},
        {"category": [{"coding": [{"system": DOMAIN_SYSTEM, "code": "housing"}]}]},
    ],
)
def test_a_goal_of_ours_or_without_words_or_that_has_ended_is_no_other_goal(written):
    assert other_goal_of({**FOREIGN, **written}) is None


def test_six_life_domains_are_refused_and_five_are_not(plan):
    answers = tuple(DomainAnswers(code) for code in DOMAINS[:6])
    with pytest.raises(TooManyDomains, match=r"6 life domains are chosen.*at most 5"):
        written(replace(plan, domains=answers))
    assert len(read_back(written(replace(plan, domains=answers[:5]))).domains) == 5


def test_six_life_domains_in_the_record_can_still_be_read(plan):
    care_plan, goals, tasks = parts_of(written(replace(plan, domains=[DomainAnswers(code) for code in DOMAINS[:5]])))
    extra = copy.deepcopy(next(one for one in care_plan["extension"] if one["url"] == ANSWERS_URL))
    extra["extension"][0]["valueCoding"]["code"] = DOMAINS[5]
    care_plan["extension"].append(extra)
    assert len(plan_of(care_plan, goals, tasks, known=KNOWN).domains) == 6


def test_a_domain_that_left_the_catalogue_stays_usable_in_a_plan_that_has_it(plan):
    existing = json.loads(json.dumps(stored(written(plan))).replace(f'"{DOMAINS[4]}"', '"old-domain"'))
    read = read_back(existing)
    assert read.goals[0].domain == "old-domain"
    assert [one for one in written(read, existing=existing) if one not in existing] == []


LIST = f"Known: {', '.join(DOMAINS)}"
PARTS = [part.code for part in KNOWN.plan_parts]
TWICE = "plan.goals: a goal or step has no id, or one id is used twice"


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"domains": (DomainAnswers("nowhere"),)}, UnknownDomain, f"plan.domains[0]: no life domain 'nowhere'. {LIST}"),
        (
            {"domains": (DomainAnswers(DOMAINS[0]),) * 2},
            TooManyDomains,
            "plan.domains: a life domain is chosen twice. Keep one of the two",
        ),
        (
            {"goals": (Goal("g", " ", DOMAINS[0]),)},
            EmptyText,
            "plan.goals[0]: this goal has no words. Write the goal, or leave it out",
        ),
        (
            {"goals": (Goal("g", "x", "geheim verhaal"),)},
            UnknownDomain,
            f"plan.goals[0].domain: no life domain (not shown: it is not a plain identifier). {LIST}",
        ),
        *(
            (
                {"goals": (Goal("g", "x", DOMAINS[0], **{name: "31-05-2026"}),)},
                RefusedValue,
                f"plan.goals[0].{name}: not a date. Write it as 2026-05-31, 2026-05 or 2026",
            )
            for name in ("start", "due", "progress_date")
        ),
        (
            {"goals": (Goal("g", "x", DOMAINS[0], progress="great"),)},
            RefusedValue,
            f"plan.goals[0]: no progress 'great'. Use one of {PROGRESS[1:]}",
        ),
        (
            {"goals": (Goal("g", "x", DOMAINS[0], progress="improving"),)},
            RefusedValue,
            "plan.goals[0].progress_date: progress without a date. Say since when",
        ),
        (
            {"goals": (Goal("g", "x", DOMAINS[0], steps=(Step("s", ""),)),)},
            EmptyText,
            "plan.goals[0].steps[0]: this step has no words. Write the step, or leave it out",
        ),
        (
            {"goals": (Goal("g", "x", DOMAINS[0], steps=(Step("s", "y", "later"),)),)},
            RefusedValue,
            f"plan.goals[0].steps[0]: no status 'later'. Use one of {STEP_STATUSES}",
        ),
        ({"goals": (Goal("g", "x", DOMAINS[0]),) * 2}, RefusedValue, TWICE),
        ({"goals": (Goal("", "x", DOMAINS[0]),)}, RefusedValue, TWICE),
        ({"goals": (Goal("g", "x", DOMAINS[0], steps=(Step("g", "y"),)),)}, RefusedValue, TWICE),
        ({"texts": {"diary": ("x",)}}, RefusedValue, f"plan.texts: no part 'diary'. Known: {', '.join(PARTS)}"),
        (
            {"texts": {"story": ("x", "y")}},
            RefusedValue,
            "plan.texts['story']: 2 texts where one is expected. Join them into one",
        ),
        (
            {"domains": tuple(DomainAnswers(code) for code in DOMAINS[:6])},
            TooManyDomains,
            "plan.domains: 6 life domains are chosen. Choose at most 5; the answers to the others can wait",
        ),
    ],
)
def test_a_plan_that_cannot_be_written_says_where_and_what_to_do(plan, change, error, words):
    with pytest.raises(error) as caught:
        written(replace(plan, **change))
    assert isinstance(caught.value, PlanError)
    assert str(caught.value) == words


def test_the_four_questions_are_the_same_everywhere():
    """Fixed in the model; worded in `life_domains.toml`, a field and a slice each."""
    assert tuple(question.code for question in KNOWN.plan_questions) == QUESTIONS
    assert tuple(field.name for field in fields(DomainAnswers) if field.name != "domain") == QUESTIONS
    profile = json.loads((PACKAGE / "StructureDefinition-life-domain-answers.json").read_bytes())
    slices = [one["sliceName"] for one in profile["differential"]["element"] if "sliceName" in one]
    assert tuple(name for name in slices if name != "domain") == QUESTIONS


def test_resources_that_are_no_plan_are_refused():
    for read, said in (
        (lambda: plan_of({"resourceType": "Goal"}, known=KNOWN), "this is a 'Goal'. Give the CarePlan first"),
        (lambda: goal_of({"resourceType": "Task"}), "this is a 'Task'. Give a Goal"),
        (lambda: parts_of([{"resourceType": "Goal", "id": "1"}]), "0 CarePlans where one is expected"),
        (lambda: plan_of({"resourceType": "CarePlan"}, known=KNOWN), "a 'CarePlan' has neither id nor identifier"),
    ):
        with pytest.raises(NotAPlan) as refused:
            read()
        assert str(refused.value) == said


def test_a_progress_that_the_client_did_not_say_goes_and_one_that_we_do_not_know_stays(plan):
    existing = stored(written(plan))
    before = read_back(existing)
    silent = replace(before, goals=tuple(replace(goal, progress="") for goal in before.goals))
    goals = parts_of(written(silent, existing=existing))[1]
    assert not any("achievementStatus" in goal for goal in goals)
    of_another = {"coding": [{"system": "https://ehr.example", "code": "stuck"}]}
    parts_of(existing)[1][0]["achievementStatus"] = of_another
    assert parts_of(written(silent, existing=existing))[1][0]["achievementStatus"] == of_another


def test_the_parts_that_every_plan_has_can_be_read_by_name(plan):
    assert plan.with_texts("story", ("Ik ben Anna.",)).story == "Ik ben Anna."
    assert Plan(id="p").story == ""
    changed = plan.with_texts("strengths", ("Zingen", "Lopen")).with_texts("stressors", ("Drukte",))
    assert (changed.strengths, changed.stressors) == (("Zingen", "Lopen"), ("Drukte",))
