"""What makes two resources the same, and what a plan's parts become when they go on at another place."""

from __future__ import annotations

import pytest
from fhir.resources.R4B import get_fhir_model_class

from mappers.identity import Identifier, carries, former, identity, own_identifier, values_in, with_former
from mappers.plan import DomainAnswers, Goal, PersonRef, Plan, Remark, Step, plan_of, resources_of
from mappers.plan.moving import closed, continued, is_closed, reopened, was_left
from questionnaires.canonical import identifier_system
from questionnaires.catalogue import catalogue

OURS = Identifier(identifier_system("goal"), "1")
THEIRS = Identifier("https://ehr.example/ids", "A7")


def goal(*identifiers: Identifier) -> dict:
    return {"resourceType": "Goal", "identifier": [one.as_fhir() for one in identifiers]}


@pytest.mark.parametrize(
    ("resource", "found"),
    [
        (goal(OURS), OURS),
        (goal(THEIRS, OURS), OURS),  # a server may put its own first
        (goal(THEIRS), THEIRS),
        ({"identifier": OURS.as_fhir()}, OURS),  # a QuestionnaireResponse has one, not a list
        (goal(), None),
        ({}, None),
        ({"identifier": [7, {"system": "a"}, {"value": "b"}, {"system": "", "value": "b"}]}, None),
        ({"identifier": [{"use": "old", **OURS.as_fhir()}]}, None),
    ],
)
def test_the_identifier_to_find_a_resource_by_is_ours_else_the_first_complete_one(resource, found):
    assert own_identifier(resource) == found


def test_two_copies_are_the_same_thing_under_any_id_and_two_types_are_not():
    assert identity({**goal(THEIRS, OURS), "id": "1"}) == identity({**goal(OURS), "id": "2"})
    assert identity(goal(OURS)) != identity({**goal(OURS), "resourceType": "Task"})
    assert identity(goal()) is None
    assert carries(goal(THEIRS, OURS), OURS)
    assert not carries(goal(THEIRS), OURS)
    assert (values_in(goal(THEIRS, OURS), OURS.system), OURS.token) == (["1"], f"{OURS.system}|1")


def test_where_something_was_before_does_not_change_what_it_is():
    moved = with_former(with_former(goal(OURS), "ehr", "Goal/7"), "companion", "Goal/8")
    assert list(former(moved)) == [("ehr", "Goal/7"), ("companion", "Goal/8")]
    assert identity(moved) == identity(goal(OURS))
    assert list(former(goal(OURS, THEIRS))) == []


def test_a_response_says_where_it_was_in_a_tag_as_it_has_one_identifier():
    tag = {"system": "https://example.org/tags", "code": "QuestionnaireResponse/1"}
    response = {"resourceType": "QuestionnaireResponse", "meta": {"tag": [tag]}, "identifier": {"value": "x"}}
    moved = with_former(with_former(response, "ehr", "QuestionnaireResponse/7"), "companion", "QuestionnaireResponse/8")
    assert list(former(moved)) == [("ehr", "QuestionnaireResponse/7"), ("companion", "QuestionnaireResponse/8")]
    assert (moved["identifier"], moved["meta"]["tag"][0]) == ({"value": "x"}, tag)
    assert list(former(response)) == []


ANNA = PersonRef("Patient/anna", "Anna Voorbeeld")
URN = "urn:uuid:00000000-0000-4000-8000-00000000000"
PLAN = Plan(
    id=f"{URN}1",
    domains=(DomainAnswers("meaning"),),
    goals=(
        Goal(f"{URN}2", "Zwemmen", "meaning", remarks=(Remark("Liefst buiten"),), steps=(Step(f"{URN}3", "Bellen"),)),
    ),
    created="2026-01-10T10:00:00+01:00",
)


def parts(language: str = "nl") -> list[dict]:
    """Return a plan as a server would have stored it."""
    made = resources_of(PLAN, patient=ANNA, author=ANNA, language=language, known=catalogue())
    meta = {"versionId": "3", "lastUpdated": "2026-01-10T10:00:00Z", "source": "#x", "tag": [{"code": "kept"}]}
    return [{**one, "id": str(at), "meta": {**one["meta"], **meta}} for at, one in enumerate(made)]


def test_what_goes_on_elsewhere_keeps_all_but_what_one_server_gave_it():
    for part in parts():
        copy = continued(part, place="ehr", reference=f"{part['resourceType']}/{part['id']}")
        assert "id" not in copy
        assert set(copy["meta"]) == {"profile", "tag"}
        assert list(former(copy)) == [("ehr", f"{part['resourceType']}/{part['id']}")]
        same = {name: value for name, value in copy.items() if name not in ("meta", "identifier")}
        assert same == {name: value for name, value in part.items() if name not in ("id", "meta", "identifier")}


@pytest.mark.parametrize(("language", "word"), [("nl", "gaat verder in Verstel"), ("en", "goes on in Verstel")])
def test_what_stays_behind_is_closed_with_its_words_and_the_reason_in_its_own_language(language, word):
    for part in parts(language):
        left = closed(part)
        get_fhir_model_class(part["resourceType"])(**left)
        assert word in str(left)
        assert (is_closed(part), is_closed(left)) == (False, True)
        assert left["id"] == part["id"]
        # The narrative begins with the reason, since many viewers show nothing else, and goes on as it was.
        first, _, rest = left["text"]["div"].partition("</p>")
        assert word in first
        assert part["text"]["div"].endswith(rest)
    # Our profile has room for one note on a Goal, and that is the client's.
    assert [note["text"] for note in closed(parts()[0])["note"]] == ["Liefst buiten"]


def test_a_plan_that_was_closed_has_no_goals_or_steps_to_read():
    *others, care_plan = (closed(part) for part in parts())
    goals, tasks = ([one for one in others if one["resourceType"] == kind] for kind in ("Goal", "Task"))
    assert plan_of(care_plan, goals, tasks, known=catalogue()).goals == ()


@pytest.mark.parametrize("language", ["nl", "en"])
def test_a_plan_closed_by_a_move_can_be_read_as_it_was(language):
    care_plan = parts(language)[-1]
    noted = {**care_plan, "note": [{"text": "Van de buurvrouw"}]}
    for one in (care_plan, noted):
        assert was_left(closed(one))
        assert reopened(closed(one)) == one


def test_a_plan_that_a_person_entered_in_error_was_not_left_by_a_move():
    care_plan = parts()[-1]
    assert not was_left(care_plan)
    assert not was_left({**care_plan, "status": "entered-in-error", "note": [{"text": "Verkeerde cliënt"}]})


def test_a_plan_without_narrative_that_was_closed_by_a_move_can_be_read_as_it_was():
    care_plan = {name: value for name, value in parts()[-1].items() if name != "text"}
    assert reopened({**closed(care_plan), "text": {}}) == {**care_plan, "text": {}}
