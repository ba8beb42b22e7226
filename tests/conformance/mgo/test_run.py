"""What the state's parser says of our answers is judged: each way in which it can be wrong is said."""

from __future__ import annotations

import copy
import sys

import pytest

from mappers.medmij import answer, queries
from tests.conformance import strangers
from tests.conformance.mgo import run, stu3
from tests.mappers.medmij.cases import BASE, CATALOGUE, EMPTY, RECORD
from tests.mappers.medmij.reader import shown


def bundles(record=RECORD):
    return {
        one.id: answer(one.service, one.asked, one.parameters, record, CATALOGUE, base=BASE, path=one.path)
        for one in queries()
    }


def reading(resource, **changes):
    """What a parser that shows everything makes of a resource."""
    seen = shown(resource)
    value = seen.get("value")
    details = [seen, f"{value[0]:g} {value[1]}"] if value else [seen]
    return {"known": True, "title": resource["id"], "details": details, "complaints": [], **changes}


def readings(found):
    return {name: [reading(one["resource"]) for one in bundle.get("entry", [])] for name, bundle in found.items()}


def said(found, seen, *, whole=True):
    return list(run.complaints_of(found, seen, whole=whole))


def test_nothing_is_said_of_answers_that_are_shown_whole():
    assert said(bundles(), readings(bundles())) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"known": False}, "it is not shown"),
        ({"complaints": ["No config found"]}, "it says No config found"),
        ({"title": "Meting"}, "its heading is not the id"),
        ({"details": [{"what": ["Niet bekend"]}]}, "something of ours is not shown"),
    ],
)
@pytest.mark.parametrize("query", ["generalMeasurement", "helpFromOthers", "careteam", "documentReference"])
def test_each_fault_of_a_reading_is_said_and_no_word_of_anybody(query, changes, expected):
    found = bundles()
    seen = readings(found)
    seen[query][-1] = reading(found[query]["entry"][-1]["resource"], **changes)
    complaints = said(found, seen)
    assert len(complaints) >= 1
    assert all(one.startswith(f"{query}/") and expected in one for one in complaints)
    assert "Anna" not in "".join(complaints)


def test_a_resource_that_is_lost_is_said():
    found = bundles()
    seen = readings(found)
    seen["generalMeasurement"].pop()
    assert "resources, and it reads" in said(found, seen)[0]


def test_an_answer_with_nothing_in_it_is_a_fault_only_where_there_is_something():
    found = bundles(EMPTY)
    assert said(found, readings(found), whole=False) == []
    assert "helpFromOthers: 0 resources, where ours is whole" in said(found, readings(found))


def test_an_answer_that_breaks_a_rule_is_said():
    found = bundles()
    found["payer"]["total"] = 7
    assert said(found, readings(found)) == ["payer: total is not the number of matches"]


def test_what_must_not_be_shown_and_is_ends_the_trust_in_it():
    spoilt = run.spoilt(bundles())
    assert [one["entry"][0]["resource"]["meta"]["profile"] for one in spoilt] != [
        copy.deepcopy(bundles())["generalMeasurement"]["entry"][0]["resource"]["meta"]["profile"]
    ] * 2
    assert list(run.let_through([[{"known": False}], [{"known": False}]])) == []
    assert len(list(run.let_through([[{"known": True}], []]))) == 2


def test_the_answers_of_the_sandbox_are_those_of_both_people(server):
    run.fill(server)
    whole = run.asked(server, run.WHOLE)
    assert said(whole, readings(whole)) == []
    seeded = run.asked(server, run.SEEDED)
    assert said(seeded, readings(seeded), whole=False) == []
    assert seeded["generalMeasurement"]["total"] > 0


def test_without_a_parser_the_part_did_not_run(monkeypatch, tmp_path):
    told = []
    monkeypatch.setattr(strangers, "missing", lambda system, why: told.append((system, why)))
    for value in ("", str(tmp_path / "nothing.mjs")):
        monkeypatch.setenv(run.VARIABLE, value)
        assert run.main() == run.NOT_RUN
    assert [system for system, _why in told] == [run.SYSTEM, run.SYSTEM]


def test_a_parser_that_breaks_down_is_no_reading():
    with pytest.raises(RuntimeError, match="ended with 3"):
        run.read([sys.executable, "-c", "raise SystemExit(3)"], [])
    echo = "import json, sys; print(json.dumps([[] for _ in json.load(sys.stdin)]))"
    assert run.read([sys.executable, "-c", echo], [{"a": 1}, {}]) == [[], []]


def test_the_validator_s_words_are_judged_both_ways():
    good, bad = {"a": {}, "b": {}}, {"bad-r4": {}}
    assert stu3.complaints_of({"a": [], "b": [], "bad-r4": ["x"]}, good, bad) == []
    assert stu3.complaints_of({"a": ["at: wrong"], "bad-r4": []}, good, bad) == [
        "a: at: wrong",
        "b: it was not judged",
        "bad-r4: no error where one must be",
    ]


def test_what_is_validated_is_every_answer_and_each_resource_in_it():
    made = stu3.answers()
    assert {one.id for one in queries()} <= set(made)
    assert {"Patient", "Observation", "CarePlan", "CareTeam", "DocumentReference", "Binary", "Bundle"} == {
        one["resourceType"] for one in made.values()
    }
    assert set(stu3.spoilt(profiled=False)) < set(stu3.spoilt(profiled=True))
