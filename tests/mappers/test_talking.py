"""A mark on an answer: made once, found again, talked about, taken back; and the way back to the answer."""

from __future__ import annotations

import pytest

from fhir_profiles.checking import problems
from mappers.said_in import SaidIn, answer_in, said_in
from mappers.talking import (
    PROFILE,
    discussed,
    marked,
    points_about,
    still_to_discuss,
    taken_back,
    talking_point_of,
    task_of,
)
from tests.mappers.build import ANNA, response

RESPONSE = {**response("hoop", {"hoop-04": "3"}), "id": "7"}
MARKED_ON = "2026-11-20T10:00:00+01:00"


def mark(link_id: str = "hoop-04", **changes) -> dict:
    made = task_of(
        answer_in(RESPONSE, link_id, same_place=True),
        words="Ik heb mensen om op terug te vallen: mee eens",
        patient=ANNA,
        requester=ANNA,
        marked_on=MARKED_ON,
        language="nl",
    )
    return {**made, "id": "t", **changes}


def test_a_mark_is_found_under_its_question():
    [(link_id, point)] = points_about([mark()], RESPONSE).items()
    assert (link_id, point.waiting, point.discussed, point.marked_on) == ("hoop-04", True, False, MARKED_ON)


def test_a_mark_is_valid_by_our_profile():
    assert problems(mark(), PROFILE) == []


def marked_again(task: dict) -> dict:
    return marked(taken_back(task), MARKED_ON)


@pytest.mark.parametrize(
    ("change", "waiting", "talked_about"),
    [
        (discussed, False, True),
        (taken_back, False, False),
        (lambda task: marked(taken_back(task), MARKED_ON), True, False),
    ],
)
def test_what_became_of_a_mark_is_its_status(change, waiting, talked_about):
    point = talking_point_of(change(mark()))
    assert (point.waiting, point.discussed) == (waiting, talked_about)


@pytest.mark.parametrize(
    "other",
    [
        mark(code={"coding": [{"system": "https://verstel.nl/fhir/CodeSystem/plan", "code": "recovery-step"}]}),
        mark(extension=[]),
        mark(status="entered-in-error"),
        {"resourceType": "Task"},
        "no resource",
    ],
)
def test_anything_else_is_no_point(other):
    assert talking_point_of(other) is None


def test_of_another_response_it_is_not():
    assert points_about([mark()], {**RESPONSE, "identifier": None, "id": "8"}) == {}
    assert points_about([mark()], {**RESPONSE, "id": "8"}).keys() == {"hoop-04"}  # ours, at another server


def test_what_still_waits_comes_in_the_order_of_marking():
    first, second = mark("hoop-01", authoredOn="2026-11-01"), mark("hoop-02")
    points = still_to_discuss([second, discussed(mark("hoop-03")), first])
    assert [point.answer.link_id for point in points] == ["hoop-01", "hoop-02"]


def test_a_reference_to_another_place_is_by_our_identifier_alone():
    assert answer_in(RESPONSE, "hoop-04", same_place=False) == SaidIn("hoop-04", "", "r-1")
    strangers = {**RESPONSE, "identifier": {"system": "urn:x", "value": "1"}}
    assert answer_in(strangers, "hoop-04", same_place=False) == SaidIn("hoop-04", "QuestionnaireResponse/7", "")


@pytest.mark.parametrize(
    "answer", [SaidIn("hoop-04", "QuestionnaireResponse/7", "r-1"), SaidIn("nel-01", "QuestionnaireResponse/7")]
)
def test_the_way_back_can_be_read_again(answer):
    assert said_in({"extension": [answer.as_extension()]}) == answer
    absolute = answer.as_extension()
    absolute["extension"][0]["valueReference"]["reference"] = "https://ehr.example.org/fhir/QuestionnaireResponse/7"
    assert said_in({"extension": [absolute]}) == answer
