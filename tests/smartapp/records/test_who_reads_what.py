"""The matrix of role, part and sharing: what each reads and saves of Anna's record, through the one way to it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from mappers.circle import IDENTIFIER_SYSTEM as CIRCLE
from mappers.circle import Member
from mappers.roles import ROLES
from mappers.sharing import ME, RECORD, Choice, parts_in
from questionnaires.catalogue import catalogue
from smartapp.access import table
from smartapp.fhir.store import Forbidden, NotFound, Query, Write
from smartapp.services import KEY
from tests.smartapp.helpers import EHR, launched, make_app, put_circle
from tests.smartapp.records.test_sight import ANNA, DOMAIN, PLAN, share

SCORE = "https://verstel.nl/fhir/CodeSystem/score"
MATRIX = Path(__file__).parents[2] / "data/access/parts.txt"
PARTS = parts_in(catalogue(), table().apart)


@cache
def expected():
    """Return by part, or kind of part, what each role may: "rt", "r" or "-"."""
    lines = [line.split() for line in MATRIX.read_text(encoding="utf-8").splitlines()]
    roles = next(line[1:] for line in lines if line[:2] == ["#", "client"])
    assert tuple(roles) == tuple(dict.fromkeys(roles))
    assert set(roles) == set(ROLES)
    return {line[0]: dict(zip(roles, line[1:], strict=True)) for line in lines if line and line[0] != "#"}


def may(role, part):
    rows = expected()
    return rows.get(part, rows.get(f"{part.partition('.')[0]}.*"))[role]


def words_of(part):
    """Return a resource with words of a part and of no other one."""
    kind, _, name = part.partition(".")
    if kind in ("form", "answers", "crisis", "talks"):
        id_ = {"crisis": "staying-well", "talks": "decision"}.get(kind, name)
        form = catalogue().instruments[id_]
        apart = {one for each in table().apart if each.form == id_ for one in each.groups}
        group = next(one for one in form.groups if (one.link_id in apart) == (part == "crisis"))
        return {
            "resourceType": "QuestionnaireResponse",
            "status": "completed",
            "questionnaire": form.canonical,
            "subject": ANNA,
            "author": ANNA,
            "source": ANNA,
            "authored": "2026-11-27T10:00:00+01:00",
            "item": [{"linkId": group.link_id, "item": [{"linkId": "x", "answer": [{"valueString": "woord"}]}]}],
        }
    if kind == "domain":
        return {
            "resourceType": "Goal",
            "lifecycleStatus": "active",
            "category": [{"coding": [{"system": DOMAIN, "code": name}]}],
            "description": {"text": "woord"},
            "subject": ANNA,
        }
    if kind == "circle":
        return {
            "resourceType": "CareTeam",
            "identifier": [{"system": CIRCLE, "value": "1"}],
            "status": "active",
            "subject": ANNA,
        }
    if kind == "course":
        return {
            "resourceType": "CarePlan",
            "status": "active",
            "intent": "plan",
            "category": [{"coding": [{"system": PLAN, "code": "programme"}]}],
            "subject": ANNA,
        }
    if kind == "asked":
        canonical = catalogue().instruments["hoop"].canonical
        return {
            "resourceType": "Task",
            "status": "requested",
            "intent": "proposal",
            "for": ANNA,
            "input": [{"type": {"text": "questionnaire"}, "valueCanonical": canonical}],
        }
    codes = {"scores": (SCORE, "hoop-total"), "notes": (PLAN, "own-note"), "phase": (PLAN, "recovery-phase")}
    system, code = codes[kind]
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": ANNA,
        "valueString": "woord",
    }


@pytest.fixture(scope="module")
def app():
    app = make_app()
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.fixture(scope="module")
def people(app):
    """Return one launch for each role: what they may is asked anew with each request, so it goes by what holds then."""
    return {role: launched(app, role=role) for role in ROLES}


SHARINGS = ("in the record", "only me", "this role", "this person", "another role", "another person")


def choice(sharing, person):
    """Return the choice, and whether it names this person."""
    user = person.launch.user
    other = "peer-worker" if user.role != "peer-worker" else "responsible"
    return {
        "in the record": RECORD,
        "only me": ME,
        "this role": Choice(False, frozenset({user.role})),
        "this person": Choice(False, frozenset({user.reference}), frozenset({user.reference})),
        "another role": Choice(False, frozenset({other}), frozenset({other})),
        "another person": Choice(False, frozenset({"RelatedPerson/else"}), frozenset({"RelatedPerson/else"})),
    }[sharing]


# `make test` plays one part of each kind, and all that differ by the table; `make conformance` plays every one.
FIRST = {one.partition(".")[0]: one for one in reversed(PARTS)}.values()


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(one, marks=() if one in FIRST or one == "form.staying-well" else pytest.mark.thorough)
        for one in PARTS
    ],
)
def test_who_reads_what(app, people, part):
    """Every role, and every way to share a part: what is searched, what is read by its id, and what is saved."""
    in_circle = [role for role in ROLES if role not in ("client", "guest")]
    put_circle(app, *(Member(role, role, "", role, people[role].launch.user.reference) for role in in_circle))
    words = words_of(part)
    store = app.extensions[KEY].own_store(EHR)
    stored = store.write(Write("create", words))
    query = Query.of(words["resourceType"], patient="anna")
    type_, id_ = stored.reference.split("/")
    try:
        for role, person in people.items():
            for sharing in SHARINGS:
                share(app, **{part.replace(".", "__"): choice(sharing, person)})
                by_rule = may(role, part)
                named = sharing == "this person" and role != "guest"  # who is in nobody's circle is chosen for nothing
                chosen = sharing == "this role" or named
                reads = role == "client" or chosen or (sharing == "in the record" and "r" in by_rule)
                found = [one.reference for one in person.records.search(query)[0]]
                assert (stored.reference in found) == reads, (role, sharing)
                assert opens(person, type_, id_) == reads, (role, sharing)
                types = role == "client" or named or (sharing == "in the record" and "t" in by_rule)
                if type_ in ("QuestionnaireResponse", "Goal", "Observation"):
                    assert saves(person, words) == types, (role, sharing)
    finally:
        share(app)
        store.erase("Patient/anna")


def opens(person, type_, id_):
    try:
        person.records.read(type_, id_)
    except NotFound:
        return False
    return True


def saves(person, words):
    try:
        person.records._whole(Write("create", words))
    except Forbidden:
        return False
    return True
