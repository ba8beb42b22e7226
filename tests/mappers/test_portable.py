"""A file of one person: what goes out comes in, is the same when it goes out again, and is nobody else's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mappers.answers import answers_of
from mappers.identity import own_identifier
from mappers.living import response_of
from mappers.observations import full_url, observations_of
from mappers.phase import Marking
from mappers.phase import observation_of as marking
from mappers.plan import PersonRef, resources_of
from mappers.portable import Here, Kept, Made, Owner, bundle_of, names_of, read, taken
from mappers.portable.taking import url_here
from mappers.scoring import score
from questionnaires.phases import phases
from tests.examples import examples
from tests.mappers.build import CATALOGUE, SCORED, response, values_for
from tests.mappers.living import ON_FRIDAY, content_for
from tests.mappers.test_plan import plans

ANNA = PersonRef("Patient/anna", "Anna de Vries")
OWNER = Owner("https://ehr.example/fhir", "anna", "Anna de Vries", "1992-03-14")
MADE = Made("1.0.0", "https://verstel.example", "2026-11-27T16:00:00+01:00")
ELSEWHERE = Owner("https://other.example/r4", "p-7", "Anna de Vries", "1992-03-14")
LATER = Made("2.0.0", "https://elsewhere.example", "2027-01-05T09:00:00+01:00")
THERE = Here(PersonRef("Patient/p-7", "Anna de Vries"), "other|Patient/p-7")
FORMS = list(CATALOGUE.living.values())
PHASE = next(iter(phases().phases)).code
uuids = st.uuids(version=4).map(str)


def scored(instrument, values, name):
    """A response with its scores, as they are sent in."""
    answers = answers_of(response(instrument, values, identifier={"system": RESPONSE, "value": name}), CATALOGUE)
    made = observations_of(answers, score(instrument, answers.values), response_reference=f"urn:uuid:{name}")
    whole = response(instrument, values, identifier={"system": RESPONSE, "value": name})
    return [{key: value for key, value in whole.items() if key != "id"}, *made]


RESPONSE = "https://verstel.nl/fhir/identifier/response"


def form(content, name):
    return response_of(content, ON_FRIDAY, identifier=name)


@st.composite
def everything(draw):
    """A plan, a form, scored answers and markings of one person."""
    found = resources_of(draw(plans), patient=ANNA, author=ANNA, known=CATALOGUE)
    written = FORMS[draw(st.integers(0, len(FORMS) - 1))]
    found.append(form(draw(content_for(written)), draw(uuids)))
    instrument = SCORED[draw(st.integers(0, len(SCORED) - 1))]
    found += scored(instrument, draw(values_for(instrument)), draw(uuids))
    for words in draw(st.lists(st.text(max_size=20), max_size=2)):
        said = Marking(PHASE, words, "2026-05-04T10:00:00+02:00", draw(uuids))
        found.append(marking(said, patient=vars_of(ANNA), language="nl"))
    return found


def vars_of(person):
    return {"reference": person.reference, "display": person.display}


def at_a_server(resources: Sequence[dict], place: str = "ehr"):
    return [Kept(one, place) for one in stored_by_identifier(resources)]


def stored_by_identifier(resources):
    """What a server makes of the resources of one unit: ids of its own, and references to those."""
    text = json.dumps(resources)
    ids = {}
    for number, one in enumerate(resources):
        known = own_identifier(one)
        is_score = known.system.endswith("/score")
        ids[full_url(one) if is_score else f"urn:uuid:{known.value}"] = f"{one['resourceType']}/s-{number}"
    for name, reference in ids.items():
        text = text.replace(f'"{name}"', f'"{reference}"')
    back = json.loads(text)
    for number, one in enumerate(back):
        one["id"] = f"s-{number}"
        one["meta"] = {**one.get("meta", {}), "versionId": "3", "lastUpdated": "2026-06-01T08:00:00Z"}
    return back


def as_taken(made):
    """What the server of the other place keeps of what is taken over."""
    text = json.dumps(list(made.values()))
    for number, one in enumerate(made.values()):
        url = url_here(one["resourceType"], own_identifier(one))
        text = text.replace(f'"{url}"', f'"{one["resourceType"]}/t-{number}"')
    back = json.loads(text)
    for number, one in enumerate(back):
        one["id"] = f"t-{number}"
        one["meta"] = {**one.get("meta", {}), "versionId": "1", "lastUpdated": "2027-01-05T08:00:00Z"}
    return [Kept(one, "own") for one in back]


def contents(bundle, owner):
    """What a file holds, without what differs: who the person is to that EHR, and who made the file, where and when."""
    text = json.dumps(bundle["entry"]).replace(owner.url, "urn:the-person")
    return [one for one in json.loads(text) if one["resource"]["resourceType"] not in ("Patient", "Provenance")]


def test_who_is_named_by_an_alias_of_the_ehr_is_named_as_in_the_file():
    alias = "https://inside.example/r4"
    goal = {"resourceType": "Goal", "id": "g1", "subject": {"reference": f"{alias}/Patient/anna"}}
    known, unknown = (replace(OWNER, aliases=aliases) for aliases in ((alias,), ()))
    subjects = [
        next(one["resource"] for one in out([Kept(goal, "ehr")], owner)["entry"] if "subject" in one["resource"])
        for owner in (known, unknown)
    ]
    assert [one["subject"].get("reference") for one in subjects] == [OWNER.url, None]


def out(resources, owner=OWNER, made=MADE):
    return bundle_of(owner, resources, made)


def as_bytes(bundle) -> bytes:
    return json.dumps(bundle, ensure_ascii=False).encode()


# --- the law -------------------------------------------------------------------------------------------------------


@given(everything())
@examples(100)
def test_what_goes_out_and_is_taken_over_is_the_same_when_it_goes_out_again(resources):
    first = out(at_a_server(resources))
    file = read(as_bytes(first))
    assert not file.left_out
    second = out(as_taken(taken(file, THERE, {})), ELSEWHERE, LATER)
    assert contents(second, ELSEWHERE) == contents(first, OWNER)


@given(everything())
@examples(40)
def test_taken_over_twice_it_is_there_once(resources):
    file = read(as_bytes(out(at_a_server(resources))))
    here = [one.resource for one in as_taken(taken(file, THERE, {}))]
    known = {url: f"{one['resourceType']}/{one['id']}" for url, one in names_of(here).items()}
    assert taken(file, THERE, known) == {}


@given(everything())
@examples(40)
def test_a_file_that_comes_home_finds_all_of_it_there(resources):
    kept = at_a_server(resources)
    first = out(kept)
    away = out(as_taken(taken(read(as_bytes(first)), THERE, {})), ELSEWHERE, LATER)
    known = dict.fromkeys(names_of(one.resource for one in kept), "x")
    assert taken(read(as_bytes(away)), Here(ANNA, "ehr|Patient/anna"), known) == {}
