"""Earlier versions of a living form: of each answer and each row, put back in one press, also what was taken out."""

from __future__ import annotations

import pytest

from mappers.living import content_of
from smartapp.fhir.capabilities import Capability
from smartapp.fhir.store import NotFound, Query, Unreachable, Write
from smartapp.services import KEY
from smartapp.web import versions
from smartapp.web.typed import digest
from tests.smartapp.helpers import launched, make_app, text_of
from tests.smartapp.pages.living.forms import garden_of, remove_row, response
from tests.smartapp.pages.plan.pages import fields_of, fill, put_back

EARLIER = "living/garden/earlier"


@pytest.fixture
def app(clock):
    """An app whose clock stands still."""
    made = make_app(clock=clock)
    yield made
    made.extensions[KEY].engine.dispose()


def test_an_answer_of_before_is_put_back_and_the_one_of_now_becomes_an_earlier_one(anna):
    fill(anna, "living/garden/story/", **{"garden-story": "Onkruid.\n\nEn een roos."})
    fill(anna, "living/garden/story/", **{"garden-story": "Onkruid."})
    assert put_back(anna, "En een roos.", EARLIER).status_code == 303
    assert garden_of(anna).of("garden-story") == "Onkruid.\n\nEn een roos."
    assert "Wat zie je?" in text_of(anna.get(EARLIER))
    assert "Tot" in text_of(anna.get(EARLIER))


def test_the_form_leads_to_them_once_there_is_something(anna):
    assert "Eerdere versies" not in text_of(anna.get("living/garden/"))
    fill(anna, "living/garden/story/", **{"garden-story": "Onkruid."})
    assert "Eerdere versies" in text_of(anna.get("living/garden/"))
    assert "nog geen andere woorden" in text_of(anna.get(EARLIER))


def test_it_says_who_and_when_and_marks_what_is_gone(anna):
    for text in ("Een roos.", "Een tulp.", "Een kip."):
        fill(anna, "living/garden/story/", **{"garden-story": text})
    page = anna.get(EARLIER)
    assert "<mark> tulp.</mark>" in page.text
    assert text_of(page).count("door jou") == 4  # each of the two: written, and changed


def test_choices_and_dates_are_told_in_words(anna):
    fill(anna, "living/garden/all/", **{"garden-shared": "true", "garden-look-again": "2027-03-01"})
    fill(anna, "living/garden/all/", **{"garden-shared": "", "garden-look-again": ""})
    page = text_of(anna.get(EARLIER))
    assert "Ja" in page
    assert "1 maart 2027" in page
    put_back(anna, "1 maart 2027", EARLIER)
    assert garden_of(anna).of("garden-look-again") == "2027-03-01"


def test_a_row_has_its_own_versions_with_all_that_its_form_has(anna):
    fill(anna, "living/garden/plants/new", **{"garden-plant": "roos", "garden-place": "1,2", "garden-care": "Water."})
    [row] = garden_of(anna).rows_of("garden-plants")
    fill(anna, f"living/garden/plants/{row.key}/", **{"garden-plant": "wilde roos", "garden-place": "2"})
    page = text_of(anna.get(EARLIER))
    assert "wilde roos" in page  # as it is called now
    assert "schaduw, zon" in page
    put_back(anna, "schaduw", EARLIER)
    [row] = garden_of(anna).rows_of("garden-plants")
    assert row.answers == {"garden-plant": ("roos",), "garden-place": ("1", "2"), "garden-care": ("Water.",)}


def test_a_row_that_was_taken_out_is_put_back_with_the_day_on_which_it_was_written(app, anna, clock):
    fill(anna, "living/garden/beds/new", **{"garden-bed": "meaning", "garden-grows": "Rust."})
    [row] = garden_of(anna).rows_of("garden-beds")
    clock.now += 9 * 24 * 60 * 60
    anna = launched(app)
    remove_row(anna, "garden", "beds", row.key)
    assert not garden_of(anna)
    page = text_of(anna.get(EARLIER))
    assert "Weggehaald: Wat mijn leven zin geeft" in page
    assert put_back(anna, "Rust.", EARLIER).status_code == 303
    assert garden_of(anna).rows_of("garden-beds") == (row,)
    assert "Weggehaald" not in text_of(anna.get(EARLIER))


def test_putting_back_a_row_twice_makes_one(anna):
    fill(anna, "living/garden/plants/new", **{"garden-plant": "roos"})
    [row] = garden_of(anna).rows_of("garden-plants")
    remove_row(anna, "garden", "plants", row.key)
    page = anna.get(EARLIER)
    put_back(anna, "roos", EARLIER)
    form = {name: text for name, text in fields_of(page).items() if not name.startswith("_")}
    anna.post(f"living/garden/plants/{row.key}/", form)
    assert garden_of(anna).rows_of("garden-plants") == (row,)


def test_what_a_form_does_not_send_is_no_earlier_version(anna):
    """A row can't be made of words that were never there, with somebody else's words beside them."""
    fill(anna, "living/garden/beds/new", **{"garden-bed": "meaning", "garden-grows": "Rust."})
    [row] = garden_of(anna).rows_of("garden-beds")
    remove_row(anna, "garden", "beds", row.key)
    told = {"garden-bed": "housing", "garden-grows": "Ruis.", "garden-weeded": "1999-01-01"}
    seen = {f"seen-{name}": digest("") for name in told}
    assert anna.post(f"living/garden/beds/{row.key}/", {**told, **seen, "put-back": "1"}).status_code == 303
    [made] = garden_of(anna).rows_of("garden-beds")
    assert made.of("garden-weeded") == row.of("garden-weeded")  # today, and not what was sent


def test_order_is_not_told(anna):
    for plant in ("roos", "munt"):
        fill(anna, "living/garden/plants/new", **{"garden-plant": plant})
    rows = garden_of(anna).rows_of("garden-plants")
    anna.post(f"living/garden/plants/{rows[1].key}/up")
    assert "nog geen andere woorden" in text_of(anna.get(EARLIER))


def test_putting_back_does_not_overwrite_what_another_screen_wrote_meanwhile(app, anna):
    fill(anna, "living/garden/story/", **{"garden-story": "Eerst."})
    fill(anna, "living/garden/story/", **{"garden-story": "Nu."})
    page = fields_of(anna.get(EARLIER))
    fill(launched(app), "living/garden/story/", **{"garden-story": "Van een ander scherm."})
    answer = anna.post("living/garden/story/", page)
    assert answer.status_code == 409
    assert "Van een ander scherm." in answer.text
    assert garden_of(anna).of("garden-story") == "Van een ander scherm."


def test_words_typed_and_not_saved_stay_when_something_is_put_back(anna):
    fill(anna, "living/garden/story/", **{"garden-story": "Eerst."})
    fill(anna, "living/garden/story/", **{"garden-story": "Nu."})
    typed = {**fields_of(anna.get("living/garden/story/")), "garden-story": "Nog niet af"}
    anna.post("living/garden/story/", typed, headers={"Accept": "application/json"})
    put_back(anna, "Eerst.", EARLIER)
    assert "Nog niet af" in anna.get("living/garden/story/").text


def test_what_the_peer_worker_wrote_is_read_and_not_put_back(anna, known):
    fill(anna, "living/garden/story/", **{"garden-story": "Onkruid."})
    told = {"linkId": "garden-neighbour", "answer": [{"valueString": "Een egel."}]}
    [found] = anna.ehr.search(Query.of("QuestionnaireResponse"))
    anna.ehr.write(Write("update", {**found.resource, "item": [*found.resource["item"], told]}))
    anna.ehr.write(Write("update", found.resource))
    page = anna.get(EARLIER).text
    assert "Een egel." in page
    assert "Zet dit terug" not in page.partition("Een egel.")[2].partition("</details>")[0]


def test_more_versions_than_a_page_has_are_on_the_next(anna, monkeypatch):
    monkeypatch.setattr(versions, "MOST_VERSIONS", 2)
    for text in ("Een.", "Twee.", "Drie.", "Vier."):
        fill(anna, "living/garden/story/", **{"garden-story": text})
    first, second = text_of(anna.get(EARLIER)), text_of(anna.get(f"{EARLIER}?older=1"))
    assert "Drie." in first
    assert "Een." not in first
    assert "Oudere versies" in first
    assert "Twee." in second


@pytest.mark.parametrize("how", ["not offered", "refused"])
def test_where_the_record_gives_no_versions_the_page_says_so(anna, monkeypatch, how):
    fill(anna, "living/garden/story/", **{"garden-story": "Een."})
    fill(anna, "living/garden/story/", **{"garden-story": "Twee."})
    if how == "not offered":
        can = Capability.can
        monkeypatch.setattr(Capability, "can", lambda self, *what: what[1] != "history-instance" and can(self, *what))
    else:

        def refuse(*_what):
            raise NotFound("No history here.")

        monkeypatch.setattr(type(anna.ehr), "history", refuse)
    page = anna.get(EARLIER)
    assert page.status_code == 200
    assert "geen eerdere versies lezen" in text_of(page)


def test_what_is_on_its_way_is_said_and_breaks_nothing(anna):
    fill(anna, "living/garden/story/", **{"garden-story": "Een."})
    flaky = anna.make_flaky()
    flaky.error = Unreachable("down")
    fill(anna, "living/garden/story/", **{"garden-story": "Twee."})
    page = text_of(anna.get(EARLIER))
    assert "onderweg naar het dossier" in page
    assert "geen eerdere versies lezen" not in page


def test_a_clinician_has_no_such_page(app, anna):
    fill(anna, "living/garden/story/", **{"garden-story": "Een."})
    fill(anna, "living/garden/story/", **{"garden-story": "Twee."})
    joost = launched(app, role="clinician")
    assert joost.get(EARLIER).status_code == 403
    assert "Eerdere versies" not in joost.get("living/garden/").text


def test_a_version_of_another_program_without_rows_or_with_none_of_our_ids_breaks_nothing(anna, known):
    fill(anna, "living/garden/plants/new", **{"garden-plant": "roos"})
    found = response(anna)
    anna.ehr.write(Write("update", {**found, "item": [{"linkId": "garden-plants"}, "no item", {"linkId": 7}]}))
    anna.ehr.write(Write("update", {**found, "item": None}))
    assert content_of(response(anna), known.living["garden"]).rows == {}
    assert "Weggehaald: roos" in text_of(anna.get(EARLIER))
