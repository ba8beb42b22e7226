"""The made-up people: five stories at least, a history that is real input, and nothing twice."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from fhir_profiles.checking import problems
from mappers import course as courses
from mappers.answers import answers_of
from mappers.assignment import assignment_of, is_assignment
from mappers.observations import scores_from
from mappers.plan import plan_of
from mappers.reuse import PROFILE, Reuse, is_reuse, patient_of, reuse_of
from mappers.scoring import score
from questionnaires.catalogue import catalogue
from smartapp.fhir.own.search import definitions
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Query
from smartapp.sandbox import checking, make_sandbox, seeding
from smartapp.sandbox.kinds import kinds
from smartapp.sandbox.person_files import our_programmes, read_people
from smartapp.sandbox.seeding import PEOPLE, SeedError, answers, people, practitioners, published, seed
from smartapp.storage.database import open_database

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def seeded():
    engine = open_database("sqlite://")
    sandbox = make_sandbox(engine, "http://127.0.0.1:1", clients=())
    drafts = []
    seed(sandbox, NOW, keep_draft=lambda *draft: drafts.append(draft))
    yield sandbox, drafts
    engine.dispose()


def everything(sandbox):
    return [stored.resource for type_ in definitions() for stored in sandbox.store.search(Query.of(type_))]


def plans(resources):
    """Return the CarePlans that are no course of a programme."""
    return [one for one in resources if not courses.is_course(one)]


def found(sandbox, type_, patient):
    return [stored.resource for stored in sandbox.store.search(Query.of(type_, patient=patient))]


def test_there_are_at_least_five_people(seeded):
    assert len(people()) >= 5
    assert {one["id"] for one in everything(seeded[0]) if one["resourceType"] == "Patient"} == set(people())


def test_everything_is_valid_fhir(seeded):
    for resource in everything(seeded[0]):
        checking.check(resource)


def test_one_person_was_measured_at_three_moments_and_is_halfway_a_plan(seeded):
    sandbox, _ = seeded
    for instrument in ("nel", "hoop", "mhcs", "mansa"):
        canonical = catalogue().instruments[instrument].canonical
        responses = found(sandbox, "QuestionnaireResponse", "noor")
        moments = {one["authored"][:7] for one in responses if one["questionnaire"] == canonical}
        assert len(moments) == 3, instrument
    (plan,) = plans(found(sandbox, "CarePlan", "noor"))
    read = plan_of(plan, found(sandbox, "Goal", "noor"), found(sandbox, "Task", "noor"), known=catalogue())
    assert len(read.domains) <= 5
    assert {goal.active for goal in read.goals} == {True, False}
    assert {step.status for goal in read.goals for step in goal.steps} == {"planned", "doing", "done"}


def test_a_goal_that_was_reached_is_over(seeded):
    """The app ends a goal and calls it reached in one step; a made-up history holds nothing the app can't write."""
    goals = [goal for patient in people() for goal in found(seeded[0], "Goal", patient)]
    reached = [one for one in goals if one["achievementStatus"]["coding"][0]["code"] == "achieved"]
    assert reached
    assert {one["lifecycleStatus"] for one in reached} == {"completed"}


def test_the_three_moments_are_about_one_eighteen_and_thirty_months_on(seeded):
    days = sorted(
        (NOW - datetime.fromisoformat(one["authored"])).days
        for one in found(seeded[0], "QuestionnaireResponse", "noor")
        if "/nel|" in one["questionnaire"]
    )
    # 30 months before the last one lies the start; 17 and 29 months lie between the three moments.
    assert [round((days[2] - each) / 30.4) for each in days] == [29, 17, 0]


def test_one_person_is_in_the_middle_of_a_questionnaire(seeded):
    _, drafts = seeded
    ((patient, questionnaire, draft),) = drafts
    assert (patient, questionnaire, draft["status"]) == ("Patient/sem", "nel", "in-progress")
    assert len(answers_of(draft, catalogue()).values) == 17


def test_one_person_is_brand_new(seeded):
    sandbox, _ = seeded
    assert found(sandbox, "QuestionnaireResponse", "yara") + found(sandbox, "CarePlan", "yara") == []


def test_one_person_has_a_family_team_and_a_loved_one(seeded):
    sandbox, _ = seeded
    (team,) = found(sandbox, "CareTeam", "marlies")
    assert team["category"][0]["coding"][0]["code"] == "family-team"
    members = {member["member"]["reference"] for member in team["participant"]}
    assert {"Patient/marlies", "RelatedPerson/theo"} <= members


def test_where_too_little_was_answered_there_is_no_score_but_a_reason(seeded):
    points = scores_from(found(seeded[0], "Observation", "iwan"))
    without = [point for point in points if point.value is None]
    assert without
    assert all(point.reason for point in without)
    assert [point for point in points if point.value is not None]


def test_every_stored_score_is_what_the_mappers_make_of_the_answers(seeded):
    sandbox, _ = seeded
    for patient in people():
        stored = {(p.code, p.response_reference): p.value for p in scores_from(found(sandbox, "Observation", patient))}
        living = {form.canonical for form in catalogue().living.values()}  # these measure nothing
        for response in found(sandbox, "QuestionnaireResponse", patient):
            if response["questionnaire"] in living:
                continue
            read = answers_of(response, catalogue())
            for one in score(read.instrument, read.values):
                assert stored[one.rule.code, f"QuestionnaireResponse/{response['id']}"] == one.value


def test_assignments_can_be_read_as_the_app_reads_them(seeded):
    tasks = [assignment_of(task) for task in found(seeded[0], "Task", "kees") if is_assignment(task)]
    by_hand = [one for one in tasks if not one.of_course]
    assert [(one.instrument, one.asked_by) for one in by_hand] == [("mansa-short", "Joost Terpstra")]


def test_every_reference_has_a_display(seeded):
    def bare(node):
        if isinstance(node, dict):
            if "reference" in node and isinstance(node["reference"], str) and not node.get("display"):
                yield node
            for inner in node.values():
                yield from bare(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from bare(inner)

    assert list(bare(everything(seeded[0]))) == []


def test_every_relative_reference_points_to_something(seeded):
    sandbox, _ = seeded
    all_of_it = everything(sandbox)
    known = {f"{one['resourceType']}/{one['id']}" for one in all_of_it}
    named = set(re.findall(r'"reference": "([A-Z][A-Za-z]+/[^"]+)"', json.dumps(all_of_it)))
    assert named <= known


def test_no_citizen_service_number_stands_anywhere(seeded):
    text = json.dumps(everything(seeded[0]))
    assert "NamingSystem/bsn" not in text
    assert not re.search(r'"value": "\d{9}"', text)


def test_seeding_again_changes_nothing(seeded):
    sandbox, _ = seeded
    before = [
        one for one in everything(sandbox) if one["resourceType"] in ("Patient", "Observation", "CarePlan", "Task")
    ]
    assert seed(sandbox, NOW).added == ()
    after = [
        one for one in everything(sandbox) if one["resourceType"] in ("Patient", "Observation", "CarePlan", "Task")
    ]
    assert after == before


def test_seeding_that_stopped_half_way_goes_on_and_writes_nothing_twice(tmp_path):
    engine = open_database("sqlite://")
    sandbox = make_sandbox(engine, "http://127.0.0.1:1", clients=())

    def stop(*_draft):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed(sandbox, NOW, keep_draft=stop)  # in the middle of Sem
    assert seed(sandbox, NOW).added[0] == "sem"
    assert len(plans(found(sandbox, "CarePlan", "sem"))) == 1
    assert len(found(sandbox, "QuestionnaireResponse", "sem")) == 3
    engine.dispose()


def test_what_another_kind_of_ehr_would_not_take_is_kept_by_the_app():
    engine = open_database("sqlite://")
    sandbox = make_sandbox(engine, "http://127.0.0.1:1", clients=(), ehr="meditech-like")
    own = OwnStore(engine, "http://127.0.0.1:1/own", tenant="own")
    seed(sandbox, NOW, own=own)
    assert sandbox.store.search(Query.of("CarePlan")) == []
    of_noor = [stored.resource for stored in own.search(Query.of("CarePlan", patient="noor"))]
    assert (len(of_noor), len(plans(of_noor))) == (3, 1)
    assert sandbox.store.search(Query.of("Patient", _id="noor"))
    engine.dispose()


def test_one_person_said_that_their_answers_may_help_with_research_and_no_ehr_knows():
    engine = open_database("sqlite://")
    sandbox = make_sandbox(engine, "http://127.0.0.1:1", clients=())
    own = OwnStore(engine, "http://127.0.0.1:1/own", tenant="own")

    def said():
        found = [one.resource for one in own.search(Query.of("Consent"))]
        return [one for one in found if is_reuse(one)]

    seed(sandbox, NOW, own=own)
    [consent] = first = said()
    assert patient_of(consent) == "Patient/iwan"
    assert reuse_of(consent) == Reuse(frozenset({"HRESCH"}), "2026-11-22T15:00:00Z")
    assert problems(consent, PROFILE) == []
    assert not sandbox.store.search(Query.of("Consent"))
    seed(sandbox, NOW + timedelta(days=1), own=own)
    assert said() == first
    engine.dispose()


def test_published_questionnaires_are_what_the_sandbox_holds(seeded):
    held = {one["url"] for one in everything(seeded[0]) if one["resourceType"] == "Questionnaire"}
    assert held == {one["url"] for one in published() if one["resourceType"] == "Questionnaire"}
    assert held


def test_the_professionals_have_a_regiebehandelaar_a_nurse_and_a_peer_worker():
    text = " ".join(one.occupation for one in practitioners().values())
    assert all(word in text for word in ("regiebehandelaar", "SPV", "Ervaringsdeskundige"))


@pytest.mark.parametrize(
    ("signs", "message"),
    [("1234 1234 1234 1", "13 answers for the 12 items"), ("9", "no option '9'"), ("x", "no option 'na'")],
)
def test_a_wrong_line_of_answers_is_refused(signs, message):
    with pytest.raises(SeedError, match=message):
        answers(catalogue().instruments["hoop"], signs, "people/x.toml")


def test_a_yes_or_no_that_is_neither_is_refused():
    with pytest.raises(SeedError, match="neither y nor n"):
        answers(catalogue().instruments["mansa"], "111111 1", "people/x.toml")


# ---- the programmes that they follow


def where_they_are(sandbox, patient, now):
    """Return the courses of a person by programme, with where each moment is."""
    sent = [
        courses.Answered(courses.Asked(one["questionnaire"]).instrument, datetime.fromisoformat(one["authored"]).date())
        for one in found(sandbox, "QuestionnaireResponse", patient)
    ]
    read = [courses.course_of(one) for one in found(sandbox, "CarePlan", patient) if courses.is_course(one)]
    return {one.programme: {each.planned.id: each for each in courses.standing(one, sent, now.date())} for one in read}


@pytest.fixture(scope="module", params=[NOW, datetime(2027, 3, 1, 8, 0, tzinfo=UTC), datetime(2028, 8, 31, tzinfo=UTC)])
def another_day(request):
    """People who were made on another day: months have different lengths, and where somebody is hangs on none."""
    engine = open_database("sqlite://")
    sandbox = make_sandbox(engine, "http://127.0.0.1:1", clients=())
    seed(sandbox, request.param)
    yield sandbox, request.param
    engine.dispose()


def test_everybody_is_where_their_story_says_whatever_the_day(another_day):
    sandbox, now = another_day

    def of(patient):
        states = where_they_are(sandbox, patient, now)
        return {name: {each: one.state for each, one in moments.items()} for name, moments in states.items()}

    noor, kees, sem, iwan = of("noor"), of("kees"), of("sem"), of("iwan")
    assert set(noor["three-moments"].values()) == {"answered"}
    assert noor["npi-recovery"]["plan"] == "past"
    assert noor["npi-recovery"]["evaluation"] == "open"
    assert list(kees["three-moments"].values()) == ["missed", "announced", "later"]
    assert list(sem["three-moments"].values()) == ["declined", "later", "later"]
    assert of("marlies")["npi-recovery"]["evaluation"] == "paused"
    assert list(iwan["three-moments"].values()) == ["missed", "stopped", "stopped"]
    assert of("yara") == {}


def test_somebody_shows_each_state_that_a_moment_can_have(another_day):
    sandbox, now = another_day
    states = {
        each.state
        for one in people()
        for moments in where_they_are(sandbox, one, now).values()
        for each in moments.values()
    }
    assert states == set(get_args(courses.model.State))


def test_each_asks_nothing_twice(another_day):
    """What a programme asks today is not what somebody asked by hand besides."""
    sandbox, now = another_day
    for patient in people():
        tasks = [assignment_of(task) for task in found(sandbox, "Task", patient) if is_assignment(task)]
        asked = [one.instrument for one in tasks if one.is_open(now.date().isoformat())]
        assert len(asked) == len(set(asked)), patient
    assert "half-way" in [
        one.instrument
        for task in found(sandbox, "Task", "noor")
        if is_assignment(task)
        for one in [assignment_of(task)]
        if one.is_open(now.date().isoformat())
    ]


def test_answers_close_what_the_programme_asked_as_they_do_in_the_app(seeded):
    sandbox, _ = seeded
    done = [task for task in found(sandbox, "Task", "noor") if task["status"] == "completed" and "basedOn" in task]
    assert len(done) == 12
    for task in done:
        assignment = assignment_of(task)
        response = sandbox.store.read(*assignment.response.split("/")).resource
        assert answers_of(response, catalogue()).instrument.id == assignment.instrument
        # The version of that day, and not one of when the programme began.
        assert task["meta"]["lastUpdated"][:10] == response["authored"][:10] >= assignment.opens


def test_what_was_decided_stands_in_the_course_with_who_and_when(seeded):
    sandbox, _ = seeded
    (plan,) = [one for one in found(sandbox, "CarePlan", "sem") if courses.is_course(one)]
    begun, no = courses.course_of(plan).events
    assert (begun.kind, begun.by["reference"]) == ("started", "Practitioner/joost-terpstra")
    assert (no.kind, no.moment, no.by["reference"]) == ("declined", "start", "Patient/sem")
    assert plan["meta"]["lastUpdated"][:10] == no.day.isoformat() == (NOW - timedelta(days=41)).date().isoformat()
    versions = [one.resource for one in sandbox.store.history("CarePlan", plan["id"])]
    assert [len(courses.course_of(one).events) for one in versions] == [2, 1]


def test_who_begins_a_programme_may_begin_it():
    for person in people().values():
        for course in person.course:
            role = person.roles.get(course.by, practitioners()[course.by].role)
            assert role in our_programmes()[course.programme].started_by, (person.id, course.programme)


def test_a_programme_that_was_half_written_is_written_on(seeded):
    """The same again, over what is there: no second CarePlan, no second Task, and nothing goes back."""
    sandbox, _ = seeded
    engine = open_database("sqlite://")
    again = make_sandbox(engine, "http://127.0.0.1:1", clients=())

    def stop(*_draft):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed(again, NOW, only=["sem"], keep_draft=stop)
    assert [one for one in found(again, "CarePlan", "sem") if courses.is_course(one)]
    seed(again, NOW, only=["sem"])
    for type_ in ("CarePlan", "Task"):
        here = sorted((one["identifier"][0]["value"], one["meta"]["versionId"]) for one in found(again, type_, "sem"))
        there = sorted(
            (one["identifier"][0]["value"], one["meta"]["versionId"]) for one in found(sandbox, type_, "sem")
        )
        assert here == there
    engine.dispose()


@pytest.mark.parametrize("kind", kinds())
def test_answers_are_kept_where_the_assignment_is_that_names_them(kind):
    engine = open_database("sqlite://")
    sandbox = make_sandbox(engine, "http://127.0.0.1:1", clients=(), ehr=kind)
    own = OwnStore(engine, "http://127.0.0.1:1/own", tenant="own")
    seed(sandbox, NOW, own=own, only=["noor"])
    named = [
        (store, assignment_of(one.resource).response)
        for store in (own, sandbox.store)
        for one in store.search(Query.of("Task", patient="noor"))
        if is_assignment(one.resource) and one.resource["status"] == "completed"
    ]
    assert len(named) == 12
    for store, reference in named:
        assert store.read(*reference.split("/"))
    engine.dispose()


def test_a_decision_that_does_not_fit_is_refused_with_file_and_reason(tmp_path, monkeypatch):
    """What only the course itself can know: that there is no such moment."""
    text = (PEOPLE / "sem.toml").read_text(encoding="utf-8").replace('moment = "start"', 'moment = "strat"')
    (tmp_path / "sem.toml").write_text(text, encoding="utf-8")
    engine = open_database("sqlite://")
    sandbox = make_sandbox(engine, "http://127.0.0.1:1", clients=())
    monkeypatch.setattr(seeding, "people", lambda: read_people(tmp_path))
    with pytest.raises(SeedError, match=r"sem\.toml: three-moments, declined 41"):
        seed(sandbox, NOW)
    engine.dispose()


def test_whose_ehr_shows_appointments_has_one_for_everybody(seeded):
    for patient in people():
        (appointment,) = found(seeded[0], "Appointment", patient)
        assert datetime.fromisoformat(appointment["start"]) > NOW
