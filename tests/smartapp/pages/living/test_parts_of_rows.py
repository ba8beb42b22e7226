"""A row in which two parties have a part: each fills in its own, reads the other's, and changes nothing of it.

No form that we have asks this, and a definition may: so the made-up garden does.
"""

from __future__ import annotations

import pytest

from mappers.living import content_of
from questionnaires.catalogue import DefinitionError, catalogue, instrument_from
from smartapp.fhir.store import Query
from tests.new_form import GARDEN, ask_also, garden_data
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.living.forms import remove_row
from tests.smartapp.pages.plan.pages import fields_of, fill

PRUNED = """
[[groups.items]]
id = "pruned"
kind = "text"
subject = "how it is pruned"
text = { nl = "Hoe snoeien we?", en = "How do we prune?" }
who = "professional"
"""
NEW = "living/garden/plants/new"
PART = "Het deel van de hulpverlener"
THEIRS = "Wat hier nog meer staat"


@pytest.fixture
def known(tmp_path, monkeypatch):
    """The catalogue with a garden in which a professional says how each plant is pruned."""
    file = tmp_path / GARDEN.name
    file.write_text(GARDEN.read_text() + PRUNED)
    return ask_also(monkeypatch, tmp_path, file)


@pytest.fixture
def anna(known, app):
    visitor = launched(app)
    fill(visitor, NEW, **{"garden-plant": "roos", "garden-care": "Water."})
    return visitor


@pytest.fixture
def joost(anna):
    """A professional who writes with Anna, in the garden."""
    visitor = launched(anna.app, role="clinician")
    visitor.post("overview/together/write", {"what": "garden"})
    return visitor


def rows(visitor):
    [found] = visitor.ehr.search(Query.of("QuestionnaireResponse", patient="Patient/anna"))
    return content_of(found.resource, catalogue().living["garden"]).rows_of("garden-plants")


def row_at(visitor):
    [row] = rows(visitor)
    return f"living/garden/plants/{row.key}/"


def pruned(joost, words="In maart."):
    return fill(joost, f"{row_at(joost)}professional/", **{"garden-pruned": words})


def test_a_professional_fills_in_their_own_part_of_a_row_and_reads_the_clients(joost):
    here = row_at(joost)
    assert f'href="{joost.url(here)}professional/"' in joost.get("living/garden/").text
    page = joost.get(f"{here}professional/")
    assert set(fields_of(page)) & {"garden-plant", "garden-care", "garden-pruned"} == {"garden-pruned"}
    shown = text_of(page).partition(THEIRS)[2]
    assert "roos" in shown
    assert "Water." in shown
    answer = pruned(joost)
    assert answer.location.endswith("/living/garden/?saved=1#plants")  # nobody says yes to what is not theirs
    [row] = rows(joost)
    assert dict(row.answers) == {"garden-plant": ("roos",), "garden-care": ("Water.",), "garden-pruned": ("In maart.",)}


def test_the_client_reads_the_part_of_a_professional_and_has_no_field_for_it(joost, anna):
    pruned(joost)
    here = row_at(anna)
    page = anna.get(here)
    assert "garden-pruned" not in fields_of(page)
    shown = text_of(page).partition(THEIRS)[2]
    assert "Hoe snoeien we?" in shown
    assert "In maart." in shown
    assert "professional/" not in anna.get("living/garden/").text
    assert anna.get(f"{here}professional/").status_code == 404
    assert anna.post(f"{here}professional/", {"garden-pruned": "Nooit."}).status_code == 404


def test_neither_changes_what_is_the_others(joost, anna):
    pruned(joost)
    here = row_at(anna)
    form = {
        **fields_of(anna.get(here)),
        "garden-care": "Veel water.",
        "garden-pruned": "Nooit.",
        "seen-garden-pruned": "",
    }
    assert anna.post(here, form).status_code == 303
    form = {**fields_of(joost.get(f"{here}professional/")), "garden-pruned": "In april.", "garden-plant": "munt"}
    assert joost.post(f"{here}professional/", form).status_code == 303
    [row] = rows(anna)
    assert dict(row.answers) == {
        "garden-plant": ("roos",),
        "garden-care": ("Veel water.",),
        "garden-pruned": ("In april.",),
    }


def test_where_nobody_else_wrote_nothing_else_stands_on_the_page(anna):
    assert THEIRS not in text_of(anna.get(row_at(anna)))
    assert THEIRS not in text_of(anna.get(NEW))


def test_a_row_that_is_taken_out_meanwhile_is_not_made_again_by_a_part_of_it(joost, anna):
    here = f"{row_at(joost)}professional/"
    form = {**fields_of(joost.get(here)), "garden-pruned": "In maart."}
    remove_row(anna, "garden", "plants", rows(anna)[0].key)
    answer = joost.post(here, form)
    assert answer.status_code == 422
    assert "Dit is er intussen uit gehaald." in text_of(answer)
    assert fields_of(answer)["garden-pruned"] == "In maart."
    assert rows(anna) == ()
    assert joost.get(here).status_code == 404


def test_what_a_professional_wrote_comes_back_with_the_row(joost, anna):
    pruned(joost)
    [row] = rows(anna)
    after = anna.get(remove_row(anna, "garden", "plants", row.key).location)
    anna.post(f"living/garden/plants/{row.key}/", {"undo": fields_of(after)["undo"]})
    assert rows(anna) == (row,)


def test_a_part_that_nobody_has_is_not_found(joost):
    here = row_at(joost)
    assert joost.get(f"{here}peer-worker/").status_code == 404
    assert joost.get(f"{here}client/").status_code == 404
    assert joost.get("living/garden/plants/nothing/professional/").status_code == 404


def test_the_first_item_of_a_row_names_it_and_is_the_clients():
    data = garden_data()
    data["groups"][2]["items"][0]["who"] = "professional"
    with pytest.raises(DefinitionError, match="the first item names the row, and is the client's"):
        instrument_from(data, "garden.toml")


def test_none_of_our_own_forms_has_such_a_row_yet():
    """Who adds one looks at its pages: that no field of it is lost is tested on the made-up form alone."""
    theirs = [
        item.link_id
        for form in catalogue().living.values()
        for group in form.groups
        for item in group.items
        if group.many and item.who != "client"
    ]
    assert theirs == []
