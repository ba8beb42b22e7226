"""Responses to test with: whole ones from answers, and strategies that draw answers."""

from __future__ import annotations

import copy

from hypothesis import strategies as st

from mappers.answers import response_of
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument

ANNA = {"reference": "Patient/anna", "display": "Anna de Vries"}
CATALOGUE = catalogue()
FLAT = [one for one in CATALOGUE.instruments.values() if one.kind != "living"]
"""What is answered once per question; living forms have rows, and mappers of their own."""
SCORED = [one for one in CATALOGUE.instruments.values() if one.scores]
OBSERVED = [one for one in SCORED if one.subject == "person"]  # of a team nobody's record has scores


def response(instrument: Instrument | str, values, **changes):
    """A completed response with an id; `changes` replace top-level elements, None takes one away."""
    instrument = CATALOGUE.instrument(instrument) if isinstance(instrument, str) else instrument
    made = response_of(
        values,
        instrument,
        status="completed",
        authored="2026-05-01T10:00:00+02:00",
        subject=ANNA,
        author=ANNA,
        source=ANNA,
        identifier="r-1",
        language="nl",
    )
    made = {"id": "1", **made, **changes}
    return {name: copy.deepcopy(value) for name, value in made.items() if value is not None}


def all_answered(instrument: Instrument | str, code: str = "2"):
    """The same code for every choice, yes for every yes/no, some words for every text."""
    instrument = CATALOGUE.instrument(instrument) if isinstance(instrument, str) else instrument
    by_kind = {"choice": code, "boolean": True, "text": "Zo gaat het"}
    return {item.link_id: by_kind[item.kind] for item in instrument.items}


def answer_to(item):
    """Draw an answer to one item."""
    if item.scale is not None:
        return st.sampled_from([option.code for option in item.scale.options])
    return st.booleans() if item.kind == "boolean" else st.text(min_size=1, max_size=20).filter(str.strip)


def values_for(instrument: Instrument):
    """Draw answers: to none, some or all items."""
    some = st.fixed_dictionaries({}, optional={item.link_id: answer_to(item) for item in instrument.items})
    every = st.fixed_dictionaries({item.link_id: answer_to(item) for item in instrument.items})
    nearly = st.tuples(every, st.sets(st.sampled_from([item.link_id for item in instrument.items]), max_size=4)).map(
        lambda both: {name: value for name, value in both[0].items() if name not in both[1]}
    )
    return st.one_of(some, every, nearly)


def places(value, path=()):
    """Yield the path to every place in a JSON value."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


ODD = [None, True, 0, 1, 3, -1, 2.0, 2.5, 1e300, "", "3", "na", "completed", "hoop-01", [], {}, [1], {"code": "3"}]
NAMES = ["valueInteger", "valueCoding", "item", "answer", "system", "code", "extension", "id", "reference"]


@st.composite
def bent(draw, whole):
    """Draw a JSON value in which something was replaced, taken away, doubled or added."""
    made = copy.deepcopy(draw(whole))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(made))))
        if not path:
            continue
        *before, key = path
        at = made
        for step in before:
            at = at[step]
        match draw(st.sampled_from(["replace", "remove", "double", "add"])):
            case "replace":
                at[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case "remove":
                del at[key]
            case "double" if isinstance(at, list):
                at.append(copy.deepcopy(at[key]))
            case _ if isinstance(at[key], dict):
                at[key][draw(st.sampled_from(NAMES))] = copy.deepcopy(draw(st.sampled_from(ODD)))
    return made
