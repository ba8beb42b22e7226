"""Every query of a PGO is answered: what is ours in the shape that it reads, and the rest with nothing in it."""

from __future__ import annotations

import base64
import copy
import json
import re
from dataclasses import replace

import pytest
from fhir.resources.R4B import get_fhir_model_class as r4
from fhir.resources.STU3 import get_fhir_model_class as stu3
from hypothesis import given
from hypothesis import strategies as st

from mappers.answers import answers_of
from mappers.circle import ROLES, Circle, Member, circle_identifier, team_of
from mappers.errors import NotAsked
from mappers.medmij import OwnRecord, answer, binary, paper_in, queries
from mappers.medmij.shapes import date_time
from mappers.observations import observations_of
from mappers.plan import DomainAnswers, PersonRef, Plan, plan_of
from mappers.scoring import score
from tests.examples import examples
from tests.mappers.build import bent, response
from tests.mappers.medmij import rules
from tests.mappers.medmij.cases import (
    ANNA,
    BASE,
    CATALOGUE,
    EMPTY,
    HOOP,
    HOOP_SCORES,
    MHCS_SCORES,
    PAPERS,
    PLAN,
    QUERIES,
    RECORD,
    answered,
    entries,
)
from tests.mappers.medmij.reader import shown

OURS = ("patient", "participationInSociety", "helpFromOthers", "generalMeasurement", "careteam", "documentReference")
LEGAL_ID = r"[A-Za-z0-9.-]{1,64}"


def ask(id_: str, record: OwnRecord = RECORD):
    query = QUERIES[id_]
    return answer(query.service, query.asked, query.parameters, record, CATALOGUE, base=BASE, path=query.path)


def resources(id_: str, record: OwnRecord = RECORD):
    return [one["resource"] for one in ask(id_, record).get("entry", [])]


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_there_are_eighteen_queries_of_mental_health_care_and_one_of_documents():
    assert [one.service for one in queries()].count("50") == 18
    assert [one.id for one in queries() if one.service == "51"] == ["documentReference"]
    assert tuple(one.id for one in queries() if one.ours != "no") == OURS


@pytest.mark.parametrize("query", queries(), ids=lambda one: one.id)
def test_an_answer_keeps_to_every_rule_of_the_qualification(query):
    for record in (RECORD, EMPTY):
        assert rules.broken(ask(query.id, record), query.path) == []


@pytest.mark.parametrize("query", [one for one in queries() if one.ours == "no"], ids=lambda one: one.id)
def test_what_is_not_ours_is_answered_with_nothing_in_it_and_says_why(query):
    bundle = ask(query.id)
    assert bundle["total"] == 0
    assert "entry" not in bundle
    assert query.why.nl != query.why.en


@pytest.mark.parametrize("id_", [one for one in OURS if one != "patient"])
def test_a_record_in_which_there_is_nothing_gives_nothing(id_):
    assert ask(id_)["total"] > 0
    assert ask(id_, EMPTY)["total"] == 0


@pytest.mark.parametrize("query", [one for one in queries() if len(one.parameters) > 1], ids=lambda one: one.id)
def test_the_order_of_parameters_does_not_matter(query):
    turned = query.parameters[::-1]
    assert answer(query.service, query.asked, turned, RECORD, CATALOGUE, base=BASE, path=query.path)["total"] == 0


@pytest.mark.parametrize(
    ("service", "asked", "parameters"),
    [
        ("50", "Goal", ()),
        ("50", "CarePlan", ()),
        ("50", "Observation", ()),
        ("50", "DocumentReference", ()),
        ("51", "Patient", ()),
        ("52", "Patient", (("_include", "Patient:general-practitioner"),)),
        ("50", "Observation", (("category", "survey"),)),
        ("50", "Observation", (("category", "http://hl7.org/fhir/observation-category|survey"), ("code", "x"))),
        ("50", "CareTeam", (("_include", "CareTeam:participant"), ("_include", "CareTeam:participant"))),
        ("51", "DocumentReference", (("type", "x"),)),
        ("51", "DocumentReference", (("indexed", "2026-11-28"),)),
        ("51", "DocumentReference", (("indexed", "ge2026-11"),)),
        ("51", "DocumentReference", (("indexed", "ge2026-W48-6"),)),
        ("51", "DocumentReference", (("indexed", "ge2026-11-28T10:00:00"),)),
    ],
)
def test_another_question_is_refused_and_never_answered_in_part(service, asked, parameters):
    with pytest.raises(NotAsked):
        answer(service, asked, parameters, RECORD, CATALOGUE, base=BASE, path="/")


def test_every_rule_can_be_broken():
    """Each change below breaks one rule of a good answer, so that a rule that sees nothing is noticed."""

    def at(bundle, *path):
        for step in path:
            bundle = bundle[step]
        return bundle

    first = ("entry", 0, "resource")
    changes = [
        (lambda b: b.update(type="collection"), "no searchset"),
        (lambda b: b.update(total=99), "total is not the number of matches"),
        (lambda b: b.pop("link"), "no self link that says what was asked"),
        (lambda b: at(b, "entry", 0)["search"].update(mode="x"), "an entry is neither match nor include"),
        (lambda b: at(b, *first).pop("id"), "Observation: no id"),
        (lambda b: at(b, *first)["meta"].pop("profile"), "Observation: no meta.profile"),
        (lambda b: at(b, "entry", 0).update(fullUrl=f"{BASE}/Observation/other"), "Observation: fullUrl"),
        (lambda b: at(b, *first, "code", "coding", 0).pop("display"), "Observation.code: neither display nor text"),
        (lambda b: at(b, *first, "code", "coding", 0).pop("code"), "Observation.code.coding: system and code"),
        (
            lambda b: at(b, *first, "code", "coding", 0).update(system=f"{rules.VALUE_SETS}.1"),
            "Observation.code.coding: a value set for a system",
        ),
        (lambda b: at(b, *first, "subject").pop("display"), "Observation.subject: no display"),
        (lambda b: at(b, *first, "related", 0, "target").pop("display"), "Observation.related.target: no display"),
        (lambda b: at(b, *first, "identifier", 0).pop("value"), "Observation.identifier: identifier without system"),
        (lambda b: at(b, *first, "identifier", 0).update(system=rules.BSN[0]), "Observation.identifier: a BSN"),
    ]
    path = QUERIES["generalMeasurement"].path
    for change, said in changes:
        bundle = copy.deepcopy(ask("generalMeasurement"))
        change(bundle)
        assert any(one.startswith(said) for one in rules.broken(bundle, path)), said


@pytest.mark.parametrize("id_", OURS)
def test_everything_is_valid_stu3_under_an_id_that_is_legal(id_):
    for one in resources(id_):
        stu3(one["resourceType"])(**one)
        assert re.fullmatch(LEGAL_ID, one["id"])
    stu3("Bundle")(**ask(id_))


@pytest.mark.parametrize("original", [HOOP_SCORES[0], HOOP_SCORES[1]], ids=["panel", "score"])
def test_what_is_stored_is_r4_and_no_stu3(original):
    """So the shape that a PGO gets is another one, and the check above does tell them apart."""
    r4("Observation")(**original)
    with pytest.raises(ValueError, match="derivedFrom"):
        stu3("Observation")(**original)


def test_the_same_record_gives_the_same_bytes():
    again = replace(RECORD, observations=RECORD.observations[::-1])
    for id_ in QUERIES:
        assert json.dumps(ask(id_)) == json.dumps(ask(id_, again))


def test_no_phone_no_id_of_others_and_no_bsn_is_in_any_answer():
    client = PersonRef("Patient/anna", "Anna de Vries")
    numbered = [
        {**one, "identifier": [*one["identifier"], {"system": rules.BSN[0], "value": "999911120"}]}
        for one in RECORD.observations
    ]
    said = "".join(json.dumps(ask(id_, replace(RECORD, client=client, observations=numbered))) for id_ in QUERIES)
    for one in ("12345678", "1234567", "karim-aziz", "RelatedPerson/", "Practitioner/", "999911120"):
        assert one not in said


# --- scores -----------------------------------------------------------------------------------------------------------


def test_scores_are_shown_with_their_numbers_words_and_what_belongs_together():
    panel, *members = [one for one in resources("generalMeasurement") if "hoop" in one["id"]]
    assert panel["id"].startswith("hoop-2026-11-20-")
    assert members[0]["id"].startswith("hoop-total-2026-11-20-")
    stored = {one["code"]["coding"][0]["code"]: one["valueQuantity"]["value"] for one in HOOP_SCORES[1:]}
    for one in members:
        seen = shown(one)
        assert seen["value"] == (stored[one["code"]["coding"][0]["code"]], "punten")
        assert seen["status"] == [["Final"]]
        assert seen["when"] == "2026-11-20T09:00:00+01:00"
        assert seen["whose"] == "Anna de Vries"
        assert seen["how"]
        assert "comment" not in one
    assert shown(panel)["members"] == [shown(one)["what"][0] for one in members]
    assert shown(panel)["value"] is None


def test_a_panel_has_all_of_its_members_in_the_same_answer_and_no_others():
    found = {f"Observation/{one['id']}": one for one in resources("generalMeasurement")}
    assert len(found) == len(HOOP_SCORES) + len(MHCS_SCORES)
    pointed = [each["target"]["reference"] for one in found.values() for each in one.get("related", [])]
    assert sorted(pointed) == sorted(name for name, one in found.items() if "related" not in one)


def test_the_identifiers_are_those_of_what_is_stored():
    def names(found):
        return {one["identifier"][0]["value"] for one in found}

    assert names(resources("generalMeasurement")) == names([*HOOP_SCORES, *MHCS_SCORES])


def test_a_score_that_there_is_not_says_why_in_words_and_has_no_number():
    record = replace(RECORD, responses=(response("hoop", {"hoop-01": "2"}),), observations=())
    _panel, *scores = resources("generalMeasurement", record)
    assert scores
    for one in scores:
        assert "valueQuantity" not in one
        assert one["comment"] == one["dataAbsentReason"]["text"] != ""
        assert shown(one)["comment"] == one["comment"]


def test_scores_that_only_answers_give_are_among_them_with_the_identifier_they_would_get():
    record = replace(RECORD, responses=(HOOP,), observations=())
    stored = resources("generalMeasurement", replace(RECORD, responses=(), observations=HOOP_SCORES))
    assert resources("generalMeasurement", record) == stored


def test_a_mean_is_given_in_two_decimals_and_a_sum_as_it_is():
    """The state's PGO shows every digit that it gets: 32.666666666666664 is no number for people."""
    observations = [
        {**one, "valueQuantity": {**one["valueQuantity"], "value": value}}
        for one, value in zip(HOOP_SCORES[1:4], (32.666666666666664, 13.5, 24), strict=True)
    ]
    found = resources("generalMeasurement", replace(RECORD, observations=observations, responses=()))
    assert [one["valueQuantity"]["value"] for one in found[1:]] == [32.67, 13.5, 24]


def test_a_corrected_score_says_so_and_one_that_was_taken_back_is_gone():
    corrected = [one for one in resources("generalMeasurement") if "mhcs" in one["id"]]
    assert {one["status"] for one in corrected} == {"corrected"}
    assert all(shown(one)["status"] == [["Corrected"]] for one in corrected)
    gone = [{**one, "status": "entered-in-error"} for one in HOOP_SCORES]
    assert resources("generalMeasurement", replace(RECORD, observations=gone, responses=())) == []


def test_two_times_on_one_day_are_two_measurements():
    _, again = answered("hoop", id_="9", authored="2026-11-20T15:00:00+01:00", code="3")
    found = resources("generalMeasurement", replace(RECORD, observations=(*HOOP_SCORES, *again), responses=()))
    assert len({one["id"] for one in found}) == len(found) == 2 * len(HOOP_SCORES)


def test_a_number_that_another_program_made_by_a_rule_we_do_not_know_is_left_out():
    other = {**HOOP_SCORES[1], "identifier": [{"system": "urn:x", "value": "1"}]}
    del other["method"]
    record = replace(RECORD, responses=(), observations=(other,))
    assert resources("generalMeasurement", record) == []
    known = {**HOOP_SCORES[1], "identifier": other["identifier"]}
    assert len(resources("generalMeasurement", replace(record, observations=(known,)))) == 2


@pytest.mark.parametrize("more", [{}, {"identifier": [{"system": "urn:x", "value": "1"}]}], ids=["ours", "another"])
def test_a_number_by_a_version_of_a_rule_that_we_do_not_know_is_left_out(more):
    later = copy.deepcopy({**HOOP_SCORES[1], **more})
    later["method"]["coding"][0]["code"] = "hoop-total@99"
    found = resources("generalMeasurement", replace(RECORD, responses=(HOOP,), observations=(later,)))
    assert "hoop-total" not in [one["code"]["coding"][0]["code"] for one in found]
    assert len(found) == len(HOOP_SCORES) - 1


@pytest.mark.parametrize("value", [9999, -1, 48.01, float("nan"), float("inf")])
def test_a_number_outside_the_scale_is_no_score_and_says_so(value):
    odd = {**HOOP_SCORES[1], "valueQuantity": {**HOOP_SCORES[1]["valueQuantity"], "value": value}}
    _panel, one = resources("generalMeasurement", replace(RECORD, responses=(), observations=(odd,)))
    assert "valueQuantity" not in one
    assert one["comment"] == one["dataAbsentReason"]["text"] == "Het bewaarde getal valt buiten de schaal."


def test_why_there_is_no_score_is_said_in_dutch_whatever_language_was_used():
    spoken = {language: response("hoop", {"hoop-01": "2"}, language=language) for language in ("nl", "en")}
    comments = []
    for made in spoken.values():
        answers = answers_of(made, CATALOGUE)
        stored = observations_of(answers, score(answers.instrument, answers.values))
        found = resources("generalMeasurement", replace(RECORD, responses=(), observations=stored))
        comments.append([one.get("comment") for one in found])
    assert comments[0] == comments[1]
    assert any(comments[0])


# --- the plan ---------------------------------------------------------------------------------------------------------


def test_help_is_what_the_plan_says_of_it_per_life_domain():
    [one] = resources("helpFromOthers")
    assert shown(one) == {
        "help": [
            ("Wonen", "Twee keer per week iemand van het team"),
            ("Financiën en administratie", "Mijn bewindvoerder"),
        ],
        "from": "2026-05-01",
        "whose": "Anna de Vries",
    }
    assert one["id"].startswith("hulp-van-anderen-")


def test_of_the_network_the_words_are_given_and_nothing_else_is_made_of_the_plan():
    [one] = resources("participationInSociety")
    assert shown(one) == {
        "network": "Ik zie mijn zus\nelke week.",
        "hobby": None,
        "work": None,
        "comment": "In eigen woorden, uit het herstelplan.",
        "by": ["Anna de Vries"],
    }


texts = st.text(max_size=30) | st.sampled_from(["🚲 <b>", "\u202eab", "a\x00b", "  x ", "\n", "שלום"])


@examples(60)
@given(st.lists(st.tuples(st.sampled_from(["housing", "social-contacts", "finances"]), texts, texts), max_size=3))
def test_words_come_out_letter_for_letter_and_only_where_there_are_some(rows):
    domains = tuple({domain: DomainAnswers(domain, now=now, support=support) for domain, now, support in rows}.values())
    record = replace(RECORD, plan=Plan("7", domains=domains))
    said = [one.support for one in domains if one.support]
    found = resources("helpFromOthers", record)
    assert [words for one in found for _title, words in shown(one)["help"]] == said
    assert len(found) == bool(said)
    now = [one.now for one in domains if one.domain == "social-contacts" and one.now]
    assert [shown(one)["network"] for one in resources("participationInSociety", record)] == now
    for one in found:
        stu3("CarePlan")(**one)


def test_a_plan_without_these_answers_gives_neither():
    record = replace(RECORD, plan=replace(PLAN, domains=(DomainAnswers("housing", now="Klein"),)))
    assert resources("helpFromOthers", record) == resources("participationInSociety", record) == []


# --- people -----------------------------------------------------------------------------------------------------------


def test_who_is_in_the_circle_now_is_told_by_name_and_role():
    [one] = resources("careteam")
    assert shown(one) == {
        "people": [
            ("Mila Bakker", ["Naaste"]),
            ("Karim Aziz", ["Regiebehandelaar"]),
            ("Dokter Jansen", ["Hulpverlener buiten het team"]),
        ]
    }
    assert one["participant"][0]["role"]["text"] == "mijn zus"
    later = resources("careteam", replace(RECORD, now="2026-05-01T12:00:00+02:00"))
    assert "Joost Terpstra" in json.dumps(later)
    assert "Mila Bakker" not in json.dumps(later)


def test_a_team_of_others_is_not_ours_to_give():
    team = {**RECORD.teams[0], "identifier": [{"system": "https://ehr.example", "value": "1"}]}
    assert resources("careteam", replace(RECORD, teams=(team,))) == []


def test_every_role_has_a_dutch_word():
    people = Circle(tuple(Member(f"m{number}", "Iemand", role=role) for number, role in enumerate(ROLES)))
    team = team_of(people, patient=ANNA.as_reference(), identifier=circle_identifier("x", "y"), language="nl")
    [one] = resources("careteam", replace(RECORD, teams=(team,)))
    assert all(role for _name, role in shown(one)["people"])


def test_of_the_person_name_and_birth_date_are_told():
    [one] = resources("patient")
    assert one["id"] == "anna"
    assert shown(one) == {"name": ["Anna de Vries"], "born": "1992-03-14"}
    [unknown] = resources("patient", replace(EMPTY, client=PersonRef("Patient/anna", "")))
    assert set(unknown) == {"resourceType", "id", "meta"}


# --- papers -----------------------------------------------------------------------------------------------------------


def test_a_document_leads_to_its_bytes():
    found = resources("documentReference")
    assert [one["id"].rpartition("-")[0] for one in found] == ["herstelplan-2026-11-28", "gesprek-2026-11-20"]
    for one, paper in zip(found, PAPERS, strict=True):
        seen = shown(one)
        assert seen["title"] == [paper.title]
        assert seen["kind"] == ["application/pdf"]
        assert len(seen["type"]) >= 1
        [name] = seen["binary"]
        content = binary(name, RECORD)
        stu3("Binary")(**content)
        assert base64.b64decode(content["content"]) == paper.content
        assert one["content"][0]["attachment"]["size"] == len(paper.content)
    assert binary("herstelplan", RECORD) is None


def test_a_document_has_nothing_that_the_profile_forbids():
    for one in resources("documentReference"):
        assert not {"docStatus", "created", "custodian", "author"} & set(one)
        assert not {"data", "creation"} & set(one["content"][0]["attachment"])
        assert one["masterIdentifier"]["value"].startswith("urn:uuid:")
        assert len(one["content"]) == 1


@pytest.mark.parametrize(
    ("parameters", "there"),
    [
        ([("status", "current")], 2),
        ([("status", "superseded,current")], 2),
        ([("status", "superseded")], 0),
        ([("indexed", "ge2026-11-28")], 1),
        ([("indexed", "le2026-11-27")], 1),
        ([("indexed", "ge2026-11-27"), ("indexed", "le2026-11-28"), ("status", "current")], 2),
        ([("indexed", "ge2026-11-27T22:30:00Z")], 2),
        ([("indexed", "ge2026-11-27T22:30:01Z")], 1),
        ([("indexed", "le2026-11-27T22:30:00+00:00")], 1),
    ],
)
def test_documents_are_found_by_status_and_moment(parameters, there):
    bundle = answer("51", "DocumentReference", parameters, RECORD, CATALOGUE, base=BASE, path="/DocumentReference")
    assert bundle["total"] == there


@pytest.mark.parametrize(
    "text", ["2026", "2026-11", "2026-11-28", "2026-11-28T12:00:00Z", "2026-11-28T12:00:00.123456+01:00"]
)
def test_a_date_of_fhir_stays_as_it_is(text):
    assert date_time(text) == text


@pytest.mark.parametrize(
    "text", ["", "gisteren", "2026-13", "2026-02-30", "2026-11-28T12:00", "2026-11-28T12:00:00", "2026-11-28T25:00:00Z"]
)
def test_what_is_no_date_of_fhir_is_left_out(text):
    assert date_time(text) == ""


def test_help_with_what_no_area_is_named_for_is_called_help():
    record = replace(RECORD, plan=Plan("7", domains=(DomainAnswers("", support="Mijn buurman"),)))
    [one] = resources("helpFromOthers", record)
    assert shown(one)["help"] == [("Hulp", "Mijn buurman")]


# --- whatever a record holds ------------------------------------------------------------------------------------------

_WHOLE = [*HOOP_SCORES[:3], HOOP, RECORD.teams[0], *(one["resource"] for one in entries()[:2])]


@examples(150, deadline=None)
@given(st.lists(bent(st.sampled_from(_WHOLE)), min_size=1, max_size=4))
def test_whatever_shape_a_record_is_in_every_answer_keeps_to_the_rules_and_is_stu3(found):
    of = {type_: [one for one in found if one.get("resourceType") == type_] for type_ in ("Observation", "CareTeam")}
    plans = [one for one in found if one.get("resourceType") == "CarePlan" and one.get("id", "7")]
    record = replace(
        RECORD,
        observations=of["Observation"],
        responses=[one for one in found if one.get("resourceType") == "QuestionnaireResponse"],
        teams=of["CareTeam"],
        plan=plan_of({**plans[0], "id": "7"}, known=CATALOGUE) if plans else None,
        papers=[paper for one in found if (paper := paper_in(one))],
    )
    for id_ in OURS:
        bundle = ask(id_, record)
        assert rules.broken(bundle, QUERIES[id_].path) == []
        stu3("Bundle")(**bundle)
