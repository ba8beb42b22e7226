"""Forms about a team: whom they are published for, what they may not have, and that no client is asked for one."""

from __future__ import annotations

import tomllib
from typing import Any

import orjson
import pytest

from mappers.answers import answers_of
from mappers.bulk import BulkScorer
from mappers.observations import observations_of
from mappers.scoring import score
from questionnaires.catalogue import DEFINITIONS, Catalogue, DefinitionError, instrument_from
from questionnaires.programmes import read_programmes
from questionnaires.publish import questionnaire

KNOWN = Catalogue()
OF_TEAMS = ("client-panel", "ropi", "team-marks")
DIMENSIONS = (
    "tegemoet komen aan basale zorgbehoeftes",
    "breed aanbod van diensten",
    "sociale contacten en participatie",
    "medezeggenschap en participatiemogelijkheden",
    "zorg gebaseerd op de mogelijkheden van de cliënt",
    "cliëntgerichtheid en keuzemogelijkheden",
    "zelfbepaling van de cliënt",
    "focus op herstel en ervaringsdeskundigheid",
)


def _data(identifier: str, **changes: Any) -> dict[str, Any]:
    return tomllib.loads((DEFINITIONS / f"{identifier}.toml").read_text(encoding="utf-8")) | changes


def test_forms_about_a_team_are_known_as_such_and_all_others_are_about_a_person():
    assert tuple(sorted(KNOWN.of_teams)) == OF_TEAMS
    assert {one.subject for name, one in KNOWN.instruments.items() if name not in OF_TEAMS} == {"person"}


@pytest.mark.parametrize("identifier", OF_TEAMS)
def test_a_form_about_a_team_is_published_for_organisations_and_care_teams(identifier: str):
    assert questionnaire(KNOWN.instrument(identifier))["subjectType"] == ["Organization", "CareTeam"]


def test_a_form_about_a_person_is_published_for_patients_as_before():
    assert questionnaire(KNOWN.instrument("hoop"))["subjectType"] == ["Patient"]


def test_no_client_is_asked_for_a_form_about_a_team_nor_shown_its_scores():
    assert KNOWN.asked.keys().isdisjoint(OF_TEAMS)
    assert KNOWN.scored.keys() == {"hoop", "mansa", "mhcs", "nel"}
    assert KNOWN.instrument("ropi").scores  # so it is left out for being about a team, not for having none


def test_no_programme_can_ask_for_a_form_about_a_team(tmp_path):
    text = (DEFINITIONS.parent / "programmes" / "three-moments.toml").read_text(encoding="utf-8")
    (tmp_path / "three-moments.toml").write_text(text.replace('"hoop"', '"team-marks"'), encoding="utf-8")
    with pytest.raises(DefinitionError, match="team-marks"):
        read_programmes([tmp_path])


def test_a_form_about_a_team_with_published_scores_is_refused():
    data = _data("ropi")
    data["scores"][2]["published"] = True
    with pytest.raises(
        DefinitionError, match=r"scores\[3\].published: is true, but no Observation can be about a team"
    ):
        instrument_from(data, "ropi.toml")


def test_a_living_form_about_a_team_is_refused():
    with pytest.raises(DefinitionError, match='subject: is "team", but a living form is of one person'):
        instrument_from(_data("story", subject="team"), "story.toml")


def test_a_subject_that_is_neither_is_refused():
    with pytest.raises(DefinitionError, match="subject"):
        instrument_from(_data("ropi", subject="organisation"), "ropi.toml")


def test_the_ropi_has_the_eight_dimensions_of_the_source_with_two_placeholders_each_and_no_total():
    ropi = KNOWN.instrument("ropi")
    assert tuple(rule.title.nl.casefold() for rule in ropi.scores) == DIMENSIONS
    assert [len(rule.items) for rule in ropi.scores] == [2] * 8
    assert len({link_id for rule in ropi.scores for link_id in rule.items}) == 16


def test_every_item_of_the_ropi_says_that_it_is_a_placeholder_of_ours():
    ropi = KNOWN.instrument("ropi")
    asked = [ropi.item(link_id).text for rule in ropi.scores for link_id in rule.items]
    assert all(one.nl.startswith("Tijdelijke plaats") and one.en.startswith("Temporary place") for one in asked)


def test_the_mean_per_dimension_is_said_to_be_our_own_choice():
    facts = {
        fact.certainty for rule in KNOWN.instrument("ropi").scores for fact in rule.facts if fact.about == "aggregate"
    }
    assert facts == {"own"}


def test_a_place_with_the_licence_can_bring_more_items_per_dimension(tmp_path):
    """`wording apply` replaces texts only; a whole definition of its own can have up to five items."""
    text = (DEFINITIONS / "ropi.toml").read_text(encoding="utf-8").replace('version = "1.0.0"', 'version = "2.0.0"')
    third = (
        '[[groups.items]]\nid = "17"\nscale = "point"\nsubject = "a third"\n'
        'text = { nl = "Een derde vraag.", en = "A third question." }\n\n[[groups]]\nid = "services"'
    )
    text = text.replace('[[groups]]\nid = "services"', third, 1)
    text = text.replace('items = ["01", "02"]', 'items = ["01", "02", "17"]').replace(
        "minimum_answered = 2", "minimum_answered = 3", 1
    )
    (tmp_path / "ropi@2.0.0.toml").write_text(text[: text.index("[[examples]]")], encoding="utf-8")
    assert len(Catalogue(tmp_path).instrument("ropi").scores[0].items) == 3


def _ropi(**changes: Any) -> dict[str, Any]:
    point = {"system": "https://verstel.nl/fhir/CodeSystem/answer-ropi-point", "code": "4"}
    items = [{"linkId": f"ropi-{n:02}", "answer": [{"valueCoding": point}]} for n in range(1, 17)]
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "r1",
        "questionnaire": KNOWN.instrument("ropi").canonical,
        "status": "completed",
        "authored": "2026-05-01T10:00:00+02:00",
        "subject": {"reference": "Organization/t", "display": "Team Noord"},
        "item": items,
    } | changes


def test_answers_about_a_team_give_no_observations_and_are_no_error():
    answers = answers_of(_ropi(), KNOWN)
    assert [one.value for one in score(answers.instrument, answers.values)] == [4] * 8
    assert observations_of(answers, score(answers.instrument, answers.values)) == []
    made = BulkScorer(KNOWN).score([orjson.dumps(_ropi())])
    assert (made.observations, made.refusals) == (b"", ())
