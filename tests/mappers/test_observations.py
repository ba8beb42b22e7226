"""Scores become Observations that any EHR can keep, find again and chart."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

import pytest
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.provenance import Provenance
from hypothesis import given

import questionnaires
from mappers.answers import answers_of
from mappers.errors import NotScorable
from mappers.observations import full_url, observations_of, provenance_of, scores_from
from mappers.scoring import score
from tests.examples import examples
from tests.mappers.build import CATALOGUE, OBSERVED, all_answered, response, values_for


def observed(instrument, values, *, reference="QuestionnaireResponse/1", **changes):
    answers = answers_of(response(instrument, values, **changes), CATALOGUE)
    return observations_of(answers, score(answers.instrument, answers.values), response_reference=reference)


def hoop(**changes):
    return observed("hoop", all_answered("hoop"), **changes)


def identifiers(observations):
    return [one["identifier"][0]["value"] for one in observations]


@pytest.mark.parametrize("instrument", OBSERVED, ids=lambda one: one.id)
def test_every_observation_is_valid_r4(instrument):
    @examples(15)
    @given(values_for(instrument))
    def holds(values):
        for one in observed(instrument, values):
            Observation.model_validate(one)

    holds()


def test_the_panel_comes_first_and_holds_every_score():
    panel, *members = hoop()
    assert panel["code"]["coding"][0]["code"] == "hoop-panel"
    assert "valueQuantity" not in panel
    assert [one["reference"] for one in panel["hasMember"]] == [full_url(one) for one in members]
    assert [one["identifier"] for one in panel["hasMember"]] == [one["identifier"][0] for one in members]
    assert next(one["code"]["coding"][0]["code"] for one in members) == "hoop-total"


def test_a_score_says_what_it_is_whose_when_and_how():
    """All answers 2, items 3 and 6 reversed to 3: ten times 2 and twice 3 = 26."""
    total = hoop()[1]
    assert total["valueQuantity"] == {
        "value": 26,
        "unit": "score",
        "system": "http://unitsofmeasure.org",
        "code": "{score}",
    }
    assert total["status"] == "final"
    assert total["category"][0]["coding"][0]["code"] == "survey"
    assert total["subject"] == {"reference": "Patient/anna", "display": "Anna de Vries"}
    assert total["effectiveDateTime"] == "2026-05-01T10:00:00+02:00"
    assert total["method"]["coding"][0]["code"] == "hoop-total@1"
    assert total["method"]["text"] == CATALOGUE.instrument("hoop").score("hoop-total").method.nl
    assert total["derivedFrom"][0]["reference"] == "QuestionnaireResponse/1"
    assert total["derivedFrom"][0]["identifier"]["value"] == "r-1"
    assert not {"performer", "interpretation", "referenceRange"} & set(total)


def test_too_little_answered_is_a_reason_in_words_and_never_a_zero():
    values = all_answered("hoop")
    del values["hoop-01"]
    total = observed("hoop", values)[1]
    assert "valueQuantity" not in total
    assert total["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert total["dataAbsentReason"]["text"] == "11 van 12 vragen beantwoord; alle antwoorden zijn nodig."


def test_not_applicable_is_another_reason_than_missing():
    values = all_answered("nel") | {f"nel-0{number}": "na" for number in range(1, 5)}
    absent = observed("nel", values)[2]["dataAbsentReason"]
    assert (absent["coding"][0]["code"], absent["text"]) == (
        "not-applicable",
        "Op alle vragen is 'niet van toepassing' geantwoord.",
    )


@pytest.mark.parametrize("language", ["en", "en-US", "EN"])
def test_words_come_in_the_language_of_the_response(language):
    total = observed("hoop", {}, language=language)[1]
    assert total["dataAbsentReason"]["text"].startswith("0 of 12 questions answered")
    assert total["code"]["text"] == CATALOGUE.instrument("hoop").score("hoop-total").title.en


@pytest.mark.parametrize(
    ("status", "becomes"), [("completed", "final"), ("amended", "corrected"), ("entered-in-error", "entered-in-error")]
)
def test_the_observations_follow_the_status_of_the_response(status, becomes):
    assert {one["status"] for one in hoop(status=status)} == {becomes}


def test_scoring_twice_gives_the_same_identifiers_and_the_same_bytes():
    assert json.dumps(hoop()) == json.dumps(hoop())


def test_an_amended_response_keeps_its_identifiers():
    assert identifiers(hoop(status="amended")) == identifiers(hoop())


def test_an_identifier_of_our_own_outlives_a_move_to_another_server():
    assert identifiers(hoop(reference="urn:uuid:1")) == identifiers(hoop(reference="QuestionnaireResponse/77"))


def test_without_an_identifier_the_reference_identifies():
    assert identifiers(hoop(identifier=None))[:2] == [
        "QuestionnaireResponse/1/hoop-panel",
        "QuestionnaireResponse/1/hoop-total",
    ]


def test_identifiers_and_urns_are_unique_over_instruments_and_responses():
    everything = [
        one
        for instrument in OBSERVED
        for number in ("r-1", "r-2")
        for one in observed(
            instrument, {}, identifier={"system": "https://verstel.nl/fhir/identifier/response", "value": number}
        )
    ]
    assert len(set(identifiers(everything))) == len(everything)
    assert len({full_url(one) for one in everything}) == len(everything)


def test_a_urn_is_a_well_formed_uuid_of_version_8():
    for one in hoop():
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", full_url(one))
        assert uuid.UUID(full_url(one)).version == 8


def test_an_instrument_without_scores_gives_no_observations():
    assert observed("sdm-visit", {}) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"status": "in-progress"},
            "status: the response is 'in-progress'. Only completed answers are scored: if they were sent in, have the "
            "form program set 'completed'",
        ),
        ({"status": "stopped"}, "status: the response is 'stopped'. Only completed answers are scored"),
        ({"authored": None}, "authored: the response has no date. Add when the answers were given"),
        ({"subject": None}, "subject: the response does not say whose it is. Add a subject reference"),
        ({"subject": {"display": "Anna"}}, "subject: the response does not say whose it is. Add a subject reference"),
        (
            {"identifier": None, "id": None, "reference": ""},
            "id: the response has neither id nor identifier. Give it one, so that scoring it twice writes one set of "
            "scores",
        ),
    ],
)
def test_what_cannot_be_scored_says_why(changes, words):
    with pytest.raises(NotScorable) as refused:
        hoop(**changes)
    assert str(refused.value) == words


@pytest.mark.parametrize("system", ["http://fhir.nl/fhir/NamingSystem/bsn", "urn:oid:2.16.840.1.113883.2.4.6.3"])
def test_a_bsn_is_never_copied(system):
    bsn = {"system": system, "value": "999911120"}
    made = hoop(subject={"reference": "Patient/anna", "identifier": bsn})
    assert "999911120" not in json.dumps(made)
    assert made[0]["subject"] == {"reference": "Patient/anna", "display": "cliënt"}
    with pytest.raises(
        NotScorable, match=r"^subject: only a BSN says whose it is, and a BSN is not copied\. Add a subject reference$"
    ):
        hoop(subject={"identifier": bsn})


def test_a_search_for_a_client_is_no_client():
    with pytest.raises(NotScorable, match="whose it is"):
        hoop(
            subject={"reference": "Patient?identifier=http://fhir.nl/fhir/NamingSystem/bsn|999911120", "display": "A."}
        )


def test_a_client_known_by_another_identifier_can_be_scored():
    known = {"identifier": {"system": "https://example.org/mrn", "value": "7"}, "display": "A."}
    assert hoop(subject=known)[0]["subject"] == known


@pytest.mark.parametrize("instrument", OBSERVED, ids=lambda one: one.id)
def test_scores_can_be_read_back(instrument):
    @examples(20)
    @given(values_for(instrument))
    def holds(values):
        points = {point.code: point for point in scores_from(observed(instrument, values))}
        for one in score(instrument, values):
            point = points[one.rule.code]
            assert (point.value, point.rule_version) == (one.value, one.rule.version)
            assert point.reason == (one.reason.nl if one.reason else "")
            assert point.response_reference == "QuestionnaireResponse/1"

    holds()


def test_points_come_oldest_first_whatever_the_time_zone_and_precision():
    dates = ["2026-05-01T23:30:00-02:00", "2026-05-02T00:30:00+02:00", "2026-05-02", "2026-05", "2026", "soon"]
    observations = [{**hoop()[1], "effectiveDateTime": date} for date in dates]
    assert [point.date for point in scores_from(observations)] == [
        "soon",
        "2026",
        "2026-05",
        "2026-05-02T00:30:00+02:00",  # 1 May, 22:30 UTC
        "2026-05-02",
        "2026-05-01T23:30:00-02:00",
    ]


def test_other_observations_panels_and_errors_are_no_points():
    weight = {"resourceType": "Observation", "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}}
    assert scores_from([weight, {}, hoop()[0], *hoop(status="entered-in-error")]) == []


def test_a_score_rewritten_by_an_ehr_is_still_read():
    rewritten = {**hoop()[1], "id": "9", "valueInteger": 26}
    del rewritten["valueQuantity"]
    (point,) = scores_from([rewritten])
    assert (point.value, point.id) == (26, "9")


def test_a_provenance_names_software_version_scores_and_response():
    observations = hoop()
    made = provenance_of(
        observations,
        response_reference="QuestionnaireResponse/1",
        recorded="2026-05-01T10:00:00Z",
        software="Verstel",
        version="0.1.0",
    )
    Provenance.model_validate(made)
    assert [one["reference"] for one in made["target"]] == [full_url(one) for one in observations]
    assert made["agent"][0]["who"]["display"] == "Verstel 0.1.0"
    assert made["entity"][0]["what"]["reference"] == "QuestionnaireResponse/1"


def test_an_observation_of_somebody_else_has_no_full_url_here():
    with pytest.raises(NotScorable, match=r"^identifier: an Observation without a score identifier$"):
        full_url({"identifier": [{"system": "https://example.org", "value": "1"}]})


def published(name):
    folder = Path(questionnaires.__file__).parent / "published"
    concepts = json.loads((folder / f"CodeSystem-{name}.json").read_text(encoding="utf-8"))["concept"]
    return {concept["code"]: concept["display"] for concept in concepts}


@pytest.mark.parametrize("instrument", OBSERVED, ids=lambda one: one.id)
def test_every_code_of_ours_is_published_with_the_same_display(instrument):
    scores, rules = published("score"), published("score-rule")
    for one in observed(instrument, {}, language="en"):
        (coding,) = one["code"]["coding"]
        assert scores[coding["code"]] == coding["display"]
        for method in one.get("method", {}).get("coding", []):
            assert rules[method["code"]] == method["display"]
