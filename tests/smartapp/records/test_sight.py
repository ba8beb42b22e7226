"""What somebody else reads and saves of Anna's record, whichever place it lives at; and what never leaves our store."""

import uuid
from dataclasses import replace

import pytest

from mappers.circle import Member
from mappers.plan.shapes import ANSWERS_URL
from mappers.sharing import ME, Choice, Sharing, consent_of, sharing_of
from mappers.sharing.consent import name_of
from questionnaires.canonical import identifier_system
from questionnaires.catalogue import catalogue
from smartapp.access import table
from smartapp.fhir.store import Forbidden, NotFound, Query, Write
from smartapp.services import KEY
from tests.smartapp.helpers import EHR, launched, put_circle

PLAN = "https://verstel.nl/fhir/CodeSystem/plan"
DOMAIN = "https://verstel.nl/fhir/CodeSystem/life-domain"
ANNA = {"reference": "Patient/anna", "display": "Anna"}
NOTE = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": PLAN, "code": "own-note"}]},
    "subject": ANNA,
    "performer": [ANNA],
    "valueString": "Ik durf meer",
}


def share(app, **choices):
    """Let Anna choose: by part, with a dot written as two underscores."""
    services = app.extensions[KEY]
    sharing = Sharing({part.replace("__", "."): one for part, one in choices.items()}, "2026-11-27T10:00:00+01:00")
    consent = consent_of(sharing, name=name_of(EHR, "Patient/anna"), patient=ANNA, titles={}, displays={})
    store = services.own_store(EHR)
    found = services.consent(EHR, EHR, "Patient/anna")
    write = Write("update", {**consent, "id": found.resource["id"]}) if found else Write("create", consent)
    assert sharing_of(store.write(write).resource) == sharing


def records(app, role, reference=None):
    return launched(app, role=role, reference=reference).records


def at(app, place):
    services = app.extensions[KEY]
    return services.local_ehrs[EHR] if place == "ehr" else services.own_store(EHR)


def notes(records_):
    return records_.search(Query.of("Observation", patient="anna"))[0]


def test_what_is_in_the_record_is_read_by_who_the_table_says(app):
    records(app, "client").save([Write("create", NOTE)])
    assert [len(notes(records(app, role))) for role in ("client", "clinician", "responsible")] == [1, 1, 1]
    assert [len(notes(records(app, role))) for role in ("peer-worker", "outside", "loved-one", "guest")] == [0] * 4


def test_only_me_is_read_by_nobody_else_and_never_sent(app):
    share(app, notes=ME)
    [saved] = records(app, "client").save([Write("create", NOTE)])
    assert saved.place == "own"
    assert at(app, "ehr").search(Query.of("Observation", patient="anna")) == []
    assert len(notes(records(app, "client"))) == 1
    other = records(app, "clinician")
    assert notes(other) == []
    type_, id_ = saved.reference.split("/")
    with pytest.raises(NotFound) as hidden:
        other.read(type_, id_)
    with pytest.raises(NotFound) as absent:
        other.read(type_, "0" * 36)
    assert str(hidden.value).replace(id_, "") == str(absent.value).replace("0" * 36, "")


def test_what_becomes_private_while_a_page_is_read_is_kept_here_when_that_saves(app):
    open_ = records(app, "client")
    notes(open_)
    share(app, notes=ME)
    [saved] = open_.save([Write("create", NOTE)])
    assert saved.place == "own"
    assert at(app, "ehr").search(Query.of("Observation", patient="anna")) == []


def test_sharing_that_ends_ends_at_once_also_for_who_has_the_page_open(app):
    share(app, notes=Choice(False, frozenset({"peer-worker"})))
    records(app, "client").save([Write("create", NOTE)])
    open_ = launched(app, role="peer-worker")
    assert len(notes(open_.records)) == 1
    share(app, notes=ME)
    assert notes(open_.records) == []


def test_a_chosen_person_is_not_another_with_the_same_role(app):
    share(app, notes=Choice(False, frozenset({"RelatedPerson/mila"})))
    put_circle(app, Member("1", "Mila", "", "loved-one", "RelatedPerson/mila"))
    records(app, "client").save([Write("create", NOTE)])
    assert len(notes(records(app, "loved-one", "RelatedPerson/mila"))) == 1
    assert notes(records(app, "loved-one", "RelatedPerson/other")) == []


def test_a_loved_one_who_left_the_circle_or_was_never_in_it_reads_nothing(app):
    share(app, notes=Choice(False, frozenset({"RelatedPerson/mila", "loved-one"})))
    records(app, "client").save([Write("create", NOTE)])
    open_ = launched(app, role="loved-one")
    assert notes(open_.records) == []
    mila = Member("1", "Mila", "", "loved-one", "RelatedPerson/mila")
    put_circle(app, mila)
    assert len(notes(open_.records)) == 1
    put_circle(app, replace(mila, until="2020-01-01T10:00:00+01:00"))
    assert notes(open_.records) == []
    put_circle(app, replace(mila, reference="https://elsewhere.example/RelatedPerson/mila"))
    assert notes(open_.records) == []


def test_a_professional_who_left_the_circle_reads_on_by_their_role_and_nothing_that_was_chosen_for_them(app):
    """Also with the page open, and while the choice still names them."""
    fatiha = Member("1", "Fatiha", "", "peer-worker", "Practitioner/fatiha")
    put_circle(app, fatiha)
    share(app, notes=Choice(False, frozenset({fatiha.reference})))
    records(app, "client").save([Write("create", NOTE)])
    open_ = launched(app, role="peer-worker", reference=fatiha.reference)
    assert len(notes(open_.records)) == 1
    put_circle(app, replace(fatiha, until="2020-01-01T10:00:00+01:00"))
    assert notes(open_.records) == []
    share(app, notes=Choice(False, frozenset({"peer-worker"})))
    assert len(notes(open_.records)) == 1


def test_what_was_in_the_record_goes_on_here_and_leaves_no_words_there(app):
    [stored] = records(app, "client").save([Write("create", NOTE)])
    assert stored.place == "ehr"
    share(app, notes=ME)
    mine = records(app, "client")
    [found] = notes(mine)
    [saved] = mine.save([Write("update", {**found.resource, "valueString": "Ik durf nog meer"}, if_match=found.etag)])
    assert saved.place == "own"
    mine.send_waiting()
    [left] = at(app, "ehr").search(Query.of("Observation", patient="anna"))
    assert left.resource["status"] == "entered-in-error"
    assert "durf" not in str(left.resource)
    assert [one.resource["valueString"] for one in notes(records(app, "client"))] == ["Ik durf nog meer"]


def test_who_may_not_type_saves_nothing(app):
    with pytest.raises(Forbidden):
        records(app, "clinician").save([Write("create", NOTE)])
    share(app, notes=Choice(False, frozenset({"clinician"}), frozenset({"clinician"})))
    assert len(records(app, "clinician").save([Write("create", NOTE)])) == 1


def test_what_is_not_seen_takes_no_place_of_what_is(app):
    """A page asks for the newest few: of which the reader then sees none, while an older one is theirs."""
    mine = records(app, "client")
    phase = {**NOTE, "code": {"coding": [{"system": PLAN, "code": "recovery-phase"}]}}
    mine.save([Write("create", {**phase, "effectiveDateTime": "2026-01-01"})])
    mine.save([Write("create", {**NOTE, "effectiveDateTime": f"2026-02-0{day}"}) for day in range(1, 6)])
    newest = Query.newest(3, "Observation", "date", patient="anna")
    full, none = records(app, "clinician"), records(app, "loved-one")
    assert len(full.search(newest)[0]) == 3
    assert full.cut == {newest}
    share(app, notes=ME)
    one = records(app, "clinician")
    assert [found.resource["effectiveDateTime"] for found in one.search(newest)[0]] == ["2026-01-01"]
    assert none.search(newest) == [[]]
    assert one.cut == none.cut == set()


def goal(domain):
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "category": [{"coding": [{"system": DOMAIN, "code": domain}]}],
        "description": {"text": f"Mijn {domain}"},
        "subject": ANNA,
    }


class TestPlan:
    def begun(self, app):
        """Let Anna have goals in two areas, and a step of each; return the goals."""
        mine = records(app, "client")
        goals = mine.save([Write("create", goal(one)) for one in ("housing", "finances")])
        steps = [
            {
                "resourceType": "Task",
                "status": "ready",
                "intent": "plan",
                "code": {"coding": [{"system": PLAN, "code": "recovery-step"}]},
                "for": ANNA,
                "focus": {"reference": one.reference},
                "description": "een stap",
            }
            for one in goals
        ]
        mine.save([Write("create", one) for one in steps])
        return goals

    def test_a_hidden_area_takes_its_goals_and_steps_along(self, app):
        _housing, finances = self.begun(app)
        share(app, domain__finances=Choice(True, frozenset()), domain__housing=ME)
        other = records(app, "clinician")
        goals, steps = other.search(Query.of("Goal", patient="anna"), Query.of("Task", patient="anna"))
        assert [one.reference for one in goals] == [finances.reference]
        assert [one.resource["focus"]["reference"] for one in steps] == [finances.reference]

    def test_also_where_a_page_asks_for_the_steps_alone(self, app):
        housing, finances = self.begun(app)
        share(app, domain__housing=ME)
        [steps] = records(app, "clinician").search(Query.of("Task", patient="anna"))
        assert [one.resource["focus"]["reference"] for one in steps] == [finances.reference]
        [mine] = records(app, "client").search(Query.of("Task", patient="anna"))
        assert {one.resource["focus"]["reference"] for one in mine} == {housing.reference, finances.reference}


GOAL = {
    "resourceType": "Goal",
    "identifier": [{"system": identifier_system("goal"), "value": "g1"}],
    "lifecycleStatus": "active",
    "category": [{"coding": [{"system": DOMAIN, "code": "housing"}]}],
    "description": {"text": "Een eigen sleutel"},
    "subject": ANNA,
}
STEP = {
    "resourceType": "Task",
    "identifier": [{"system": identifier_system("step"), "value": "s1"}],
    "status": "requested",
    "intent": "plan",
    "code": {"coding": [{"system": PLAN, "code": "recovery-step"}]},
    "description": "Bellen over die sleutel",
    "for": ANNA,
}
PLAN_OF_ANNA = {
    "resourceType": "CarePlan",
    "identifier": [{"system": identifier_system("plan"), "value": "p1"}],
    "status": "active",
    "intent": "plan",
    "category": [{"coding": [{"system": PLAN, "code": "recovery-plan"}]}],
    "subject": ANNA,
}


def plan_at(app, place="ehr"):
    """Put a plan of one goal with one step somewhere, as a server keeps it: displays have their words."""
    store = at(app, place)
    goal = store.write(Write("create", GOAL))
    focus = {"reference": goal.reference, "display": "Een eigen sleutel"}
    step = store.write(Write("create", {**STEP, "focus": focus}))
    activity = {"reference": {"reference": step.reference, "display": "Bellen over die sleutel"}}
    return store.write(Write("create", {**PLAN_OF_ANNA, "goal": [focus], "activity": [activity]}))


def read_alone(app, type_, role="clinician"):
    return [one.resource for one in records(app, role).search(Query.of(type_, patient="anna"))[0]]


@pytest.mark.parametrize("type_", ["CarePlan", "Task", "Goal"])
def test_the_words_of_a_hidden_goal_are_in_no_display_whatever_is_read_alone(app, type_):
    plan_at(app)
    assert "sleutel" in str(read_alone(app, type_))
    share(app, domain__housing=ME)
    assert "sleutel" not in str(read_alone(app, type_))


@pytest.mark.parametrize("type_", ["CarePlan", "Task"])
def test_what_names_a_goal_that_can_not_be_read_may_be_hidden_and_so_it_is(app, type_):
    plan_at(app)
    share(app, domain__housing=ME)
    ehr = at(app, "ehr")
    search = ehr.search

    def without_goals(query):
        if query.type == "Goal":
            raise Forbidden("This token may read no goals.")
        return search(query)

    ehr.search = without_goals
    assert "sleutel" not in str(read_alone(app, type_))


def test_what_names_a_goal_that_is_not_hidden_is_read_beside_one_that_is(app):
    plan_at(app)
    share(app, domain__meaning=ME)
    [plan] = read_alone(app, "CarePlan")
    assert (len(plan["goal"]), len(plan["activity"]), len(read_alone(app, "Task"))) == (1, 1, 1)


def test_what_lost_what_it_was_at_its_server_is_not_shown_to_who_may_not_read_it(app):
    """Of what carries our identifier it is certain that it is ours, and so that a part of ours is its own."""
    response = {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": ANNA}
    named = {"system": identifier_system("response"), "value": "r1"}
    lost = [
        {name: value for name, value in GOAL.items() if name != "category"},
        {name: value for name, value in STEP.items() if name != "code"},
        {**NOTE, "code": {"text": "?"}, "identifier": [{"system": identifier_system("own-note"), "value": "n1"}]},
        {**response, "identifier": named},
        {**response, "identifier": named, "questionnaire": "Questionnaire/17"},
        {**GOAL, "category": [{"coding": [{"system": DOMAIN, "code": "left-the-catalogue"}]}]},
    ]
    for one in lost:
        at(app, "ehr").write(Write("create", one))
    types = ("Goal", "Task", "Observation", "QuestionnaireResponse")
    assert [len(read_alone(app, type_)) for type_ in types] == [2, 1, 1, 2]
    assert [read_alone(app, type_, "loved-one") for type_ in types] == [[], [], [], []]
    share(app, domain__housing=ME, notes=ME, form__story=ME)
    assert [read_alone(app, type_) for type_ in types] == [[], [], [], []]
    assert [len(read_alone(app, type_, "client")) for type_ in types] == [2, 1, 1, 2]


def test_what_is_of_another_program_stays_where_it_can_be_read(app):
    goal = {name: value for name, value in GOAL.items() if name not in ("identifier", "category")}
    at(app, "ehr").write(Write("create", goal))
    share(app, domain__housing=ME)
    assert len(read_alone(app, "Goal")) == 1


def test_the_choices_themselves_are_read_by_nobody_from_whom_they_hide_something(app):
    share(app, notes=ME)
    assert read_alone(app, "Consent") == []
    assert len(read_alone(app, "Consent", "client")) == 1


def test_a_goal_that_was_just_made_is_in_what_comes_back_of_saving(app):
    share(app, domain__meaning=ME, domain__housing=Choice(True, frozenset({"clinician"}), frozenset({"clinician"})))
    name = f"urn:uuid:{uuid.uuid4()}"
    goal = {**GOAL, "identifier": [{"system": identifier_system("goal"), "value": name.removeprefix("urn:uuid:")}]}
    plan = {**PLAN_OF_ANNA, "goal": [{"reference": name, "display": "Een eigen sleutel"}]}
    writes = [Write("create", goal, full_url=name), Write("create", plan)]
    assert len(records(app, "clinician").save(writes)[1].resource["goal"]) == 1


# ---- what somebody reads and may not type in ------------------------------------------------------------------------


@pytest.fixture
def locked(app):
    """Let the clinician read one area of life, the story and the crisis part, and type in none of them."""
    reads = Choice(False, frozenset({"clinician"}))
    share(app, domain__housing=reads, form__story=reads, crisis=reads, talks=reads, circle=reads)
    return app


def changed(app, role, type_, change):
    """Save what one resource of a type becomes, as somebody of this role."""
    mine = records(app, role)
    [found] = mine.search(Query.of(type_, patient="anna"))[0]
    return mine.save([Write("update", change(found.resource), if_match=found.etag)])


@pytest.mark.parametrize(
    ("type_", "change"),
    [
        ("Task", lambda one: {**one, "description": "Iets anders"}),
        ("Goal", lambda one: {**one, "description": {"text": "Iets anders"}}),
        ("Goal", lambda one: {**one, "category": [{"coding": [{"system": DOMAIN, "code": "meaning"}]}]}),
        ("CarePlan", lambda one: {name: value for name, value in one.items() if name != "extension"}),
    ],
)
def test_what_is_read_and_locked_is_not_changed_moved_or_taken_away(locked, type_, change):
    plan_at(locked, "own")
    answers = {
        "url": ANSWERS_URL,
        "extension": [{"url": "domain", "valueCoding": {"system": DOMAIN, "code": "housing"}}],
    }
    changed(locked, "client", "CarePlan", lambda plan: {**plan, "extension": [answers]})
    with pytest.raises(Forbidden):
        changed(locked, "clinician", type_, change)
    changed(locked, "client", type_, change)


def test_a_plan_that_is_saved_with_what_is_locked_as_it_was_is_saved(locked):
    plan_at(locked, "own")
    mine = records(locked, "clinician")
    found = [one for some in mine.search(*(Query.of(one, patient="anna") for one in ("Goal", "Task"))) for one in some]
    assert len(mine.save([Write("update", one.resource, if_match=one.etag) for one in found])) == 2


def test_a_step_of_a_goal_that_is_new_beside_it_is_saved_where_the_area_is_not_locked(locked):
    name = f"urn:uuid:{uuid.uuid4()}"
    goal = {name: value for name, value in GOAL.items() if name != "identifier"}
    for area, may in (("meaning", True), ("housing", False)):
        of_area = {**goal, "category": [{"coding": [{"system": DOMAIN, "code": area}]}]}
        step = {
            **STEP,
            "identifier": [{"system": identifier_system("step"), "value": area}],
            "focus": {"reference": name},
        }
        writes = [Write("create", of_area, full_url=name), Write("create", step)]
        if may:
            assert len(records(locked, "clinician").save(writes)) == 2
        else:
            with pytest.raises(Forbidden):
                records(locked, "clinician").save(writes)


def test_a_group_that_is_locked_is_not_taken_out_of_a_form_that_is_not(locked):
    form = catalogue().living["staying-well"]
    apart = next(iter(table().apart)).groups
    groups = [next(one for one in form.groups if (one.link_id in apart) == locked_) for locked_ in (True, False)]
    items = [{"linkId": one.link_id, "item": [{"linkId": "x", "answer": [{"valueString": "w"}]}]} for one in groups]
    response = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": form.canonical,
        "subject": ANNA,
        "item": items,
    }
    records(locked, "client").save([Write("create", response)])
    with pytest.raises(Forbidden):
        changed(locked, "clinician", "QuestionnaireResponse", lambda one: {**one, "item": items[1:]})
    changed(locked, "clinician", "QuestionnaireResponse", lambda one: {**one, "item": items[:1]})


def test_agreements_and_people_that_are_locked_are_not_written(locked):
    coded = {"coding": [{"system": PLAN, "code": "agreed-step"}]}
    agreed = {**STEP, "code": coded, "identifier": [{"system": identifier_system("agreement"), "value": "a1"}]}
    team = {"resourceType": "CareTeam", "identifier": [{"system": identifier_system("circle"), "value": "1"}]}
    for one in (agreed, {**team, "status": "active", "subject": ANNA}):
        with pytest.raises(Forbidden):
            records(locked, "clinician").save([Write("create", one, only_here=True)])
        assert len(records(locked, "client").save([Write("create", one, only_here=True)])) == 1


def test_what_is_changed_without_reading_it_first_keeps_what_its_writer_does_not_see(app):
    form = catalogue().living["staying-well"]
    apart = next(iter(table().apart)).groups
    groups = [next(one for one in form.groups if (one.link_id in apart) == named) for named in (True, False)]
    items = [{"linkId": one.link_id, "item": [{"linkId": "x", "answer": [{"valueString": "w"}]}]} for one in groups]
    response = {"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": form.canonical}
    [saved] = records(app, "client").save([Write("create", {**response, "subject": ANNA, "item": items})])
    share(app, crisis=Choice(True, frozenset({"peer-worker"}), frozenset({"peer-worker"})))
    [seen] = read_alone(app, "QuestionnaireResponse", "peer-worker")
    assert seen["item"] == items[:1]
    said = [{"linkId": "x", "answer": [{"valueString": "iets anders"}]}]
    changed_ = {**seen, "item": [{**items[0], "item": said}]}
    records(app, "peer-worker").save([Write("update", changed_, if_match=saved.etag)])
    [whole] = read_alone(app, "QuestionnaireResponse", "client")
    assert whole["item"] == [{**items[0], "item": said}, items[1]]
