"""Whatever a domain answers, a launch opens or is refused: never a page of an unforeseen error."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.koppeltaal.test_launch import codes

ODD: tuple[Any, ...] = (None, True, 0, "", "x", "Task/", "/", "a" * 300, [], {}, [None], [[]], {"reference": 7}, ["x"])
SEED = 13


def bent(node: Any, chance: random.Random) -> Any:
    """Return JSON with one node somewhere in it replaced by something odd."""
    if isinstance(node, dict) and node and chance.random() < 0.8:
        name = chance.choice(sorted(node))
        return {**node, name: bent(node[name], chance)}
    if isinstance(node, list) and node and chance.random() < 0.8:
        number = chance.randrange(len(node))
        return [*node[:number], bent(node[number], chance), *node[number + 1 :]]
    return chance.choice(ODD)


@pytest.mark.parametrize("seed", range(SEED, SEED + 12))
@pytest.mark.parametrize(
    "read",
    [
        ("Task/t1", "Patient/anna"),
        ("ActivityDefinition/hoop", "Patient/anna"),
        ("Patient/anna", "Practitioner/els"),
        ("Practitioner/els", "Practitioner/els"),
        ("CareTeam/team", "RelatedPerson/mila"),
    ],
)
@pytest.mark.parametrize("domain", ["spec"], indirect=True)  # what the store says is the same in both
def test_what_is_read_may_have_any_shape(portal, domain, courier, read, seed):
    reference, user = read
    chance = random.Random(f"{seed} {reference}")
    kept = {"resourceType", "id", "meta", "subject", "extension" if reference == "Task/t1" else "url"}
    odd = {name: bent(value, chance) for name, value in domain.now(reference).items() if name not in kept}
    domain.versions[reference][-1] = {**domain.now(reference), **odd}
    assert portal.launch(user).status_code in (303, 400, 502)
    courier.round()


@pytest.mark.parametrize("name", ["sub", "patient", "resource", "definition", "intent", "scope", "token_type"])
@pytest.mark.parametrize("value", ODD[1:], ids=repr)
def test_an_answer_to_a_code_may_have_any_shape(portal, domain, core, name, value):
    domain.answer_more = {name: value}
    response = portal.launch()
    assert response.status_code in (303, 400, 502)
    if response.status_code != 303:
        assert codes(core)[-1]
