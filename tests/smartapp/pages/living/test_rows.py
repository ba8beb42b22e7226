"""Rows of a living form on their pages: put in order, gone meanwhile; and lines that are asked for once."""

from __future__ import annotations

import pytest

from mappers.living import Content, Row
from questionnaires.catalogue import catalogue
from smartapp.pages.living.fields import field_of
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.living.forms import garden_of, put_versions, remove_row
from tests.smartapp.pages.plan.test_sketches import sketch

PLANTS = ("roos", "munt", "kool", "wilg")


@pytest.fixture
def planted(anna, known):
    rows = tuple(Row(f"p{number}", {"garden-plant": (name,)}) for number, name in enumerate(PLANTS))
    put_versions(anna, Content(known.living["garden"], {}, {"garden-plants": rows}))
    return anna


def plants(visitor):
    return [row.of("garden-plant") for row in garden_of(visitor).rows_of("garden-plants")]


def test_a_row_goes_to_the_top_in_one_press_where_that_is_more_than_one_place(planted):
    page = planted.get("living/garden/")
    offered = [key for key in ("p0", "p1", "p2", "p3") if f'/plants/{key}/top"' in page.text]
    assert offered == ["p2", "p3"]
    assert planted.post("living/garden/plants/p3/top").location.endswith("/living/garden/#row-p3")
    assert plants(planted) == ["wilg", "roos", "munt", "kool"]


def test_who_writes_about_an_area_again_goes_on_with_what_is_there(anna, known):
    form = known.living["strengths-assessment"]
    row = Row("a", {f"{form.id}-area": ("housing",), f"{form.id}-now": ("Een kamer.",)})
    put_versions(anna, Content(form, {}, {f"{form.id}-areas": (row,)}))
    new = f"living/{form.id}/areas/new"
    assert anna.get(f"{new}?about=housing").location == anna.url(f"living/{form.id}/areas/a/")
    assert {anna.get(f"{new}{about}").status_code for about in ("", "?about=", "?about=finances")} == {200}


def test_what_has_its_day_is_written_anew(anna, known):
    bed = Row("b1", {"garden-bed": ("meaning",), "garden-weeded": ("2020-05-01",)})
    put_versions(anna, Content(known.living["garden"], {}, {"garden-beds": (bed,)}))
    assert anna.get("living/garden/beds/new?about=meaning").status_code == 200


def test_a_row_that_is_gone_is_told_of_with_a_way_on(planted):
    remove_row(planted, "garden", "plants", "p1")
    page = planted.get("living/garden/plants/p1/")
    assert page.status_code == 404
    assert "Dit staat er niet meer" in text_of(page)
    assert f'href="{planted.url("living/garden/")}#plants"' in page.text
    assert f'href="{planted.url("living/garden/earlier")}"' in page.text


def test_what_was_typed_for_a_row_that_is_gone_can_still_be_read(app, planted):
    path = "living/garden/plants/p1/"
    sketch(planted, path, garden_plant="wilde munt")
    remove_row(launched(app), "garden", "plants", "p1")
    assert "wilde munt" in text_of(planted.get(path))
    assert "wilde munt" not in text_of(planted.get("living/garden/plants/p9/"))


@pytest.mark.parametrize("name", sorted(catalogue().living))
def test_that_each_thing_has_its_own_line_is_said_once(name, anna, known):
    form = known.living[name]
    items = [item for item in form.items if item.many and item.kind in ("line", "text") and not item.offer]
    with anna.app.test_request_context():
        helps = [field_of(item, Content(form, {}, {}), known, ()).help for item in items]
    assert [one for one in helps if one.count("regel") != 1] == []
