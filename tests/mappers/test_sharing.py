"""What a client shares: choices and the Consent they are kept in, and what a reader sees and saves of Noor's record."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.plan import plan_of
from mappers.plan.moving import withdrawn
from mappers.sharing import (
    ME,
    NOTHING,
    RECORD,
    Apart,
    Choice,
    Hidden,
    Reader,
    Rule,
    Sharing,
    consent_of,
    is_sharing,
    part_of,
    parts_in,
    put_back,
    seen,
    sharing_of,
)
from mappers.sharing.consent import PART_SYSTEM
from questionnaires.catalogue import catalogue
from smartapp.fhir.checked import problems
from smartapp.fhir.own.search import definitions
from smartapp.fhir.store import Query
from smartapp.sandbox import make_sandbox
from smartapp.sandbox.seeding import seed
from smartapp.storage.database import open_database

KNOWN = catalogue()
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
CRISIS = ("crisis", "supporters", "crisis-care", "crisis-home", "crisis-end")
APART = (Apart("crisis", "staying-well", frozenset(f"staying-well-{one}" for one in CRISIS)),)
PARTS = parts_in(KNOWN, APART)
TEAM = Rule(readers=frozenset({"clinician", "peer-worker"}), typists=frozenset({"clinician"}))
JOOST, FATIHA, MILA = (
    Reader("clinician", "Practitioner/joost"),
    Reader("peer-worker", "Practitioner/fatiha"),
    Reader("loved-one", "RelatedPerson/mila"),
)
NOOR = {"reference": "Patient/noor", "display": "Noor Achterberg"}


def _record_of_noor():
    """Return all that the record has about Noor, in the order of the types."""
    engine = open_database("sqlite://")
    sandbox = make_sandbox(engine, "http://127.0.0.1:1", clients=())
    seed(sandbox, NOW, only=["noor"])
    types = [type_ for type_, one in definitions().items() if "patient" in one.params]
    found = [one.resource for type_ in types for one in sandbox.store.search(Query.of(type_, patient="noor"))]
    engine.dispose()
    return found


RECORD_OF_NOOR = _record_of_noor()


@pytest.fixture
def record():
    return RECORD_OF_NOOR


def hiding(record, *parts):
    return Hidden(frozenset(parts), apart=APART).with_goals(record, KNOWN)


def shown(record, *parts):
    hidden = hiding(record, *parts)
    return [one for one in (seen(resource, hidden, KNOWN) for resource in record) if one is not None]


def elements(resource):
    """Return what a resource says: what tells when, and the narrative, are made anew."""
    return {name: value for name, value in resource.items() if name not in ("text", "meta", "authored")}


def of_form(resources, form):
    return [one for one in resources if part_of(one, KNOWN) == f"form.{form}"]


class TestChoices:
    def test_what_nobody_chose_about_is_read_by_who_the_rule_names_and_by_nobody_else(self):
        nothing = Sharing()
        assert [nothing.may_read("form.story", one, TEAM) for one in (JOOST, FATIHA, MILA)] == [True, True, False]
        assert [nothing.may_type("form.story", one, TEAM) for one in (JOOST, FATIHA, MILA)] == [True, False, False]

    def test_only_me_is_nobody_but_the_client(self):
        mine = Sharing({"form.story": ME})
        assert not any(mine.may_read("form.story", one, TEAM) for one in (JOOST, FATIHA, MILA))
        assert mine.may_read("form.story", Reader("client", "Patient/noor"), TEAM)
        assert ME.only_me
        assert not RECORD.only_me

    def test_a_reader_is_chosen_by_role_or_by_who_they_are(self):
        chosen = Sharing({"form.story": Choice(record=False, readers=frozenset({"peer-worker", "RelatedPerson/mila"}))})
        assert [chosen.may_read("form.story", one, TEAM) for one in (JOOST, FATIHA, MILA)] == [False, True, True]
        assert not chosen.may_read("form.story", Reader("loved-one", "RelatedPerson/other"), TEAM)

    def test_somebody_without_a_reference_is_no_reader_that_is_chosen(self):
        assert not Sharing({"notes": Choice(False, frozenset({""}))}).may_read("notes", Reader("guest", ""), Rule())

    def test_who_types_has_to_read_first(self):
        typed = Sharing().with_choice("notes", Choice(False, frozenset({"peer-worker"}), frozenset({"clinician"})), "")
        assert typed.of("notes").typists == frozenset()
        may = Sharing().with_choice("notes", Choice(False, frozenset({"clinician"}), frozenset({"clinician"})), "")
        assert may.may_type("notes", JOOST, Rule())
        assert not may.may_type("notes", FATIHA, Rule())

    def test_who_leaves_is_out_of_every_part_at_once(self):
        both = Choice(True, frozenset({"RelatedPerson/mila"}), frozenset({"RelatedPerson/mila"}))
        before = Sharing({"form.story": both, "crisis": Choice(False, frozenset({"RelatedPerson/mila", "clinician"}))})
        after = before.without("RelatedPerson/mila", "2026-11-27")
        assert not any(after.may_read(part, MILA, TEAM) for part in PARTS)
        assert after.of("crisis").readers == frozenset({"clinician"})
        assert after.without("RelatedPerson/mila", "2026-11-28") is after


class TestConsent:
    names = st.sampled_from(["clinician", "peer-worker", "RelatedPerson/1", "Practitioner/2", "outside"])
    choices = st.builds(
        lambda record, readers, typists: Choice(record, frozenset(readers), frozenset(typists) & frozenset(readers)),
        st.booleans(),
        st.sets(names),
        st.sets(names),
    )

    @given(st.dictionaries(st.sampled_from(PARTS), choices))
    def test_what_is_written_is_what_is_read(self, chosen):
        sharing = Sharing()
        for part, choice in chosen.items():
            sharing = sharing.with_choice(part, choice, "2026-11-27T10:00:00+01:00")
        consent = consent_of(sharing, name="1", patient=NOOR, titles={}, displays={})
        assert sharing_of(json.loads(json.dumps(consent))) == sharing
        assert is_sharing(consent)
        assert problems(consent) == []

    def test_it_permits_to_whom_and_what_and_names_the_part_as_its_data(self):
        choice = Choice(False, frozenset({"RelatedPerson/mila", "peer-worker"}), frozenset({"peer-worker"}))
        consent = consent_of(
            Sharing({"form.story": choice}, "2026-11-27"),
            name="1",
            patient=NOOR,
            titles={"form.story": "Mijn verhaal"},
            displays={"RelatedPerson/mila": "Mila", "peer-worker": "ervaringsdeskundige"},
        )
        read, typed = consent["provision"]["provision"]
        assert consent["provision"]["type"] == "deny"
        assert read["data"][0]["reference"]["display"] == "Mijn verhaal"
        assert {actor["reference"]["display"] for actor in read["actor"]} == {"Mila", "ervaringsdeskundige"}
        assert [one["coding"][0]["code"] for one in (*read["action"], *typed["action"])] == ["access", "correct"]
        assert [actor["reference"]["display"] for actor in typed["actor"]] == ["ervaringsdeskundige"]

    @pytest.mark.parametrize(
        "provision",
        [
            {"type": "permit", "actor": [{"reference": {"reference": "RelatedPerson/1"}}]},  # to do what?
            {"type": "deny", "actor": [{"reference": {"reference": "RelatedPerson/1"}}], "action": ["access"]},
            {"action": [{"coding": [{"code": "access"}]}], "actor": [{"reference": {"reference": "RelatedPerson/1"}}]},
            "deny",
        ],
    )
    def test_what_it_does_not_understand_shares_nothing(self, provision):
        data = [{"reference": {"identifier": {"system": PART_SYSTEM, "value": "notes"}}}]
        made = {**provision, "data": data} if isinstance(provision, dict) else provision
        choice = sharing_of({"provision": {"provision": [made]}}).of("notes")
        assert choice == (ME if isinstance(provision, dict) else RECORD)

    def test_one_that_is_withdrawn_is_none(self):
        assert not is_sharing({"resourceType": "Consent", "status": "inactive", "identifier": [{"system": "x"}]})


class TestParts:
    def test_each_part_is_there_once(self):
        assert len(PARTS) == len(set(PARTS))
        assert {"form.story", "crisis", "domain.housing", "answers.hoop", "scores", "notes", "circle"} <= set(PARTS)

    def test_all_that_noor_wrote_is_of_a_part(self, record):
        """What is of no part is somebody else's, or is a whole with parts in it."""
        of_none = {one["resourceType"] for one in record if not part_of(one, KNOWN)}
        of_parts = {part_of(one, KNOWN) for one in record} - {""}
        assert of_none <= {"Patient", "RelatedPerson", "CareTeam", "CarePlan", "Task", "Appointment", "Encounter"} | {
            "MedicationStatement",
            "MedicationRequest",
            "Provenance",
        }
        assert of_parts <= set(PARTS)
        steps = [one for one in record if one["resourceType"] == "Task" and not part_of(one, KNOWN)]
        assert {one["code"]["coding"][0]["code"] for one in steps} == {"recovery-step"}


class TestSeen:
    def test_who_reads_all_sees_the_very_same(self, record):
        assert all(seen(one, NOTHING, KNOWN) is one for one in record)
        assert all(seen(one, hiding(record, "answers.mansa-short"), KNOWN) is one for one in of_form(record, "story"))

    def test_a_hidden_domain_is_nowhere(self, record):
        words = ("meaning", "Zingeving", "Ik wil dit voorjaar meezingen", "concert van het koor, op mijn eigen plek")
        everything = json.dumps(record, ensure_ascii=False)
        assert all(word in everything for word in words[:3])
        left = [one for one in shown(record, "domain.meaning") if part_of(one, KNOWN) != "form.wishes"]
        text = json.dumps([one for one in left if one["resourceType"] != "Observation"], ensure_ascii=False)
        assert "Ik wil dit voorjaar meezingen" not in text
        plan = next(one for one in left if one["resourceType"] == "CarePlan")
        read = plan_of(plan, [one for one in left if one["resourceType"] == "Goal"], known=KNOWN)
        assert "meaning" not in {one.domain for one in (*read.domains, *read.goals)}
        assert {one.domain for one in read.goals} == {"daytime-activity", "mental-health"}
        assert "text" not in plan
        assert "lastUpdated" not in plan.get("meta", {})

    def test_its_steps_go_with_its_goals(self, record):
        steps = {one["id"] for one in record if one["resourceType"] == "Task" and not part_of(one, KNOWN)}
        left = {one["id"] for one in shown(record, "domain.meaning") if one["resourceType"] == "Task"} & steps
        goals = {f"Goal/{one['id']}" for one in shown(record, "domain.meaning") if one["resourceType"] == "Goal"}
        theirs = {
            one["id"]
            for one in record
            if one["resourceType"] == "Task" and one.get("focus", {}).get("reference") in goals
        }
        assert left == theirs & steps
        assert left < steps

    def test_a_step_of_an_unknown_goal_is_not_seen_where_a_domain_is_hidden(self):
        step = {
            "resourceType": "Task",
            "id": "1",
            "code": {"coding": [{"system": "https://verstel.nl/fhir/CodeSystem/plan", "code": "recovery-step"}]},
        }
        assert seen(step, Hidden(frozenset({"domain.housing"})), KNOWN) is None
        assert seen(step, Hidden(frozenset({"scores"})), KNOWN) is step

    def test_the_crisis_part_is_seen_without_the_rest_and_the_rest_without_it(self, record):
        (whole,) = of_form(record, "staying-well")
        groups = {one["linkId"] for one in whole["item"]}
        apart = groups & APART[0].groups
        assert apart
        assert groups - apart
        (crisis,) = of_form(shown(record, "form.staying-well"), "staying-well")
        (rest,) = of_form(shown(record, "crisis"), "staying-well")
        assert {one["linkId"] for one in crisis["item"]} == apart
        assert {one["linkId"] for one in rest["item"]} == groups - apart
        assert of_form(shown(record, "crisis", "form.staying-well"), "staying-well") == []

    @pytest.mark.parametrize("part", ["form.story", "answers.hoop", "scores", "notes", "phase", "talks", "asked"])
    def test_a_hidden_part_is_gone_and_all_else_is_there(self, record, part):
        there = [one for one in record if part_of(one, KNOWN) == part]
        assert there
        assert shown(record, part) == [one for one in record if part_of(one, KNOWN) != part]

    def test_an_answer_to_talk_about_goes_with_the_answers(self, record):
        points = [one for one in record if one["resourceType"] == "Task" and "nel-28" in json.dumps(one)]
        assert points
        assert not any(one in shown(record, "answers.nel") for one in points)

    def test_a_row_about_a_hidden_domain_or_goal_is_gone(self, record):
        (whole,) = of_form(record, "goal-support")
        found = of_form(shown(record, "domain.meaning"), "goal-support")
        assert len(found[0]["item"]) < len(whole["item"])
        assert "meezingen" not in json.dumps(found[0])
        assert "boeken" in json.dumps(found[0])


class TestSaving:
    @given(st.sets(st.sampled_from(PARTS), max_size=6))
    def test_who_saves_what_they_saw_changes_nothing(self, parts):
        hidden = hiding(RECORD_OF_NOOR, *parts)
        for whole in RECORD_OF_NOOR:
            there = seen(whole, hidden, KNOWN)
            if there is not None and whole["resourceType"] in ("CarePlan", "QuestionnaireResponse"):
                put = put_back(there, whole, hidden, KNOWN)
                assert elements(put) == elements(whole)

    def test_what_is_written_stays_with_what_was_not_seen(self):
        hidden = hiding(RECORD_OF_NOOR, "domain.meaning")
        whole = next(one for one in RECORD_OF_NOOR if one["resourceType"] == "CarePlan")
        there = seen(whole, hidden, KNOWN)
        more = {"url": "https://example.org/more", "valueString": "nieuw"}
        put = put_back({**there, "extension": [*there["extension"], more]}, whole, hidden, KNOWN)
        assert more in put["extension"]
        assert all(one in put["extension"] for one in whole["extension"])
        assert put["goal"] == whole["goal"]

    def test_a_row_that_its_writer_took_away_stays_away(self):
        (whole,) = of_form(RECORD_OF_NOOR, "strengths")
        hidden = hiding(RECORD_OF_NOOR, "domain.social-contacts", "domain.meaning")
        there = seen(whole, hidden, KNOWN)
        assert there != whole
        less = {**there, "item": there["item"][1:]}
        assert len(put_back(less, whole, hidden, KNOWN)["item"]) == len(whole["item"]) - 1


@pytest.mark.parametrize("kind", ["CarePlan", "Goal", "Task", "QuestionnaireResponse", "Observation"])
def test_what_stays_behind_has_no_words(kind):
    for whole in (one for one in RECORD_OF_NOOR if one["resourceType"] == kind):
        bare = withdrawn(whole)
        assert problems(bare) == []
        assert bare["id"] == whole["id"]
        text = json.dumps(bare, ensure_ascii=False)
        assert "entered-in-error" in text
        for name in ("description", "note", "item", "valueString", "valueQuantity", "extension", "text", "activity"):
            assert whole.get(name) is None or json.dumps(whole[name], ensure_ascii=False) not in text
