"""What of a record is shown once, though it is there more than once."""

from __future__ import annotations

from mappers.answers import IDENTIFIER_SYSTEM as RESPONSE_SYSTEM
from mappers.observations import IDENTIFIER_SYSTEM as SCORE_SYSTEM
from smartapp.records.overlay import Record, each_once


def response(name: str, place: str = "ehr", state: str = "stored") -> Record:
    identifier = {"system": RESPONSE_SYSTEM, "value": name}
    return Record({"resourceType": "QuestionnaireResponse", "id": name, "identifier": identifier}, None, place, state)


def score(of: str, code: str = "total") -> Record:
    identifier = [{"system": SCORE_SYSTEM, "value": f"{of}/{code}"}]
    return Record({"resourceType": "Observation", "id": f"{of}-{code}", "identifier": identifier}, None, "ehr")


def test_of_answers_that_were_succeeded_the_newest_are_shown_and_their_scores():
    newest, other = response("a.3"), response("b")
    assert each_once([response("a"), newest, response("a.2"), other]) == [newest, other]
    assert each_once([score("a"), score("a", "part"), score("a.2")]) == [score("a", "part"), score("a.2")]


def test_from_the_moment_that_they_are_on_their_way_and_not_when_they_were_refused():
    first = response("a")
    waiting, refused = response("a.2", state="waiting"), response("a.2", state="refused")
    assert each_once([first, waiting]) == [waiting]
    assert each_once([first, refused]) == [first, refused]


def test_a_number_in_the_identifier_of_somebody_else_means_nothing():
    def foreign(value: str) -> Record:
        identifier = [{"system": "https://other.example", "value": value}]
        return Record({"resourceType": "Observation", "id": value, "identifier": identifier}, None, "ehr")

    assert each_once([foreign("a"), foreign("a.2")]) == [foreign("a"), foreign("a.2")]
