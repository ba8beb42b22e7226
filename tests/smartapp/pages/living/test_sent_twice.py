"""A row that is sent twice is one row: at a double press, at a retry, and at a record that keeps no ids of items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from smartapp.fhir.store import Query, Stored, Unreachable, Write
from tests.smartapp.helpers import Flaky, launched
from tests.smartapp.pages.living.forms import garden_of, remove_row
from tests.smartapp.pages.plan.pages import fields_of, fill

NEW = "living/garden/plants/new"
BED = "living/garden/beds/new"
ROWS = "living/garden/plants/"


def without(node: Any, names: frozenset[str]) -> Any:
    """Return a resource without these elements of its items."""
    if isinstance(node, list):
        return [without(one, names) for one in node]
    if not isinstance(node, dict):
        return node
    return {name: without(value, names) for name, value in node.items() if not ("linkId" in node and name in names)}


class Forgetful(Flaky):
    """A record that may drop the ids of items, and may do what it is asked and break off before it answers."""

    drops: frozenset[str] = frozenset()
    breaks_off = False

    def write(self, write: Write, /) -> Stored:
        stored = super().write(replace(write, resource=without(write.resource, self.drops)))
        self._break_off()
        return stored

    def write_all(self, writes: Sequence[Write], /) -> list[Stored]:
        kept = [replace(one, resource=without(one.resource, self.drops)) for one in writes]
        stored = super().write_all(kept)
        self._break_off()
        return stored

    def _break_off(self) -> None:
        if self.breaks_off:
            self.breaks_off = False
            raise Unreachable("The connection broke off.")


@pytest.fixture(params=[(), ("id",)], ids=["keeps ids", "drops ids"])
def anna(request, known, app):
    """Anna, with one plant in her garden, at a record that may drop what rows are called by."""
    visitor = launched(app)
    record = Forgetful(visitor.ehr)
    record.drops = frozenset(request.param)
    visitor.core.local_ehrs[visitor.launch.issuer] = record
    fill(visitor, NEW, **{"garden-plant": "munt"})
    return visitor


def plants(visitor) -> list[str]:
    return [row.of("garden-plant") for row in garden_of(visitor).rows_of("garden-plants")]


@pytest.mark.parametrize("again", [1, 2])
def test_a_row_of_which_the_button_is_pressed_again_is_one_row(anna, again):
    form = {**fields_of(anna.get(NEW)), "garden-plant": "roos", "garden-care": "Water.\r\nEn zon."}
    for _press in range(again + 1):
        assert anna.post(NEW, form).status_code == 303
    assert plants(anna) == ["munt", "roos"]


def test_the_first_row_of_which_the_button_is_pressed_again_is_one_row(anna):
    key = garden_of(anna).rows_of("garden-plants")[0].key
    remove_row(anna, "garden", "plants", key)
    form = {**fields_of(anna.get(NEW)), "garden-plant": "roos"}
    for _press in range(2):
        assert anna.post(NEW, form).status_code == 303
    assert plants(anna) == ["roos"]


def test_a_row_that_has_its_day_and_is_sent_again_is_one_row(anna):
    form = {**fields_of(anna.get(BED)), "garden-bed": "meaning", "garden-grows": "Klaver"}
    for _press in range(2):
        assert anna.post(BED, form).status_code == 303
    assert len(garden_of(anna).rows_of("garden-beds")) == 1


def test_lines_that_are_sent_again_are_those_rows(anna):
    form = {**fields_of(anna.get(ROWS)), "garden-plant": "roos\r\nklaver"}
    for _press in range(2):
        assert anna.post(ROWS, form).status_code == 303
    assert plants(anna) == ["munt", "roos", "klaver"]


def test_a_row_that_arrived_though_nobody_heard_of_it_is_one_row(anna):
    anna.ehr.breaks_off = True
    fill(anna, NEW, **{"garden-plant": "roos"})
    anna.courier_comes()
    anna.courier_comes()
    assert plants(anna) == ["munt", "roos"]
    assert anna.records.stopped() == []
    assert fill(anna, NEW, **{"garden-plant": "klaver"}).status_code == 303
    assert plants(anna) == ["munt", "roos", "klaver"]


def test_a_row_that_arrived_unheard_and_is_sent_again_is_one_row(anna):
    anna.ehr.breaks_off = True
    form = {**fields_of(anna.get(NEW)), "garden-plant": "roos"}
    anna.post(NEW, form)
    anna.courier_comes()
    assert anna.post(NEW, form).status_code == 303
    assert plants(anna) == ["munt", "roos"]


def test_two_rows_that_say_something_else_are_two(anna):
    fill(anna, NEW, **{"garden-plant": "munt", "garden-care": "Water."})
    found = garden_of(anna).rows_of("garden-plants")
    assert [row.of("garden-care") for row in found] == ["", "Water."]


def test_one_response_has_all_of_it(anna):
    assert len(anna.ehr.search(Query.of("QuestionnaireResponse"))) == 1
