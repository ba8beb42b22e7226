"""What a form asks, by its definition: what depends on an answer, what is not offered, and whose part it is."""

from __future__ import annotations

import pytest

from smartapp.fhir.store import Query, Unreachable
from smartapp.pages.living import words
from smartapp.pages.living.words import Words
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.living.forms import garden_of, response
from tests.smartapp.pages.plan.pages import fields_of, fill


def test_what_depends_on_an_answer_is_asked_once_that_is_given(anna):
    assert "Met wie?" not in text_of(anna.get("living/garden/"))
    answer = fill(anna, "living/garden/shared/", **{"garden-shared": "false"})
    assert "/look-again/" in answer.location
    answer = fill(anna, "living/garden/shared/", **{"garden-shared": "true"})
    assert "/with-whom/" in answer.location
    fill(anna, "living/garden/with-whom/", **{"garden-with-whom": "Met Ans."})
    assert "Met Ans." in text_of(anna.get("living/garden/"))


def test_what_was_written_stays_when_the_answer_it_depends_on_changes_and_comes_back_with_it(anna):
    fill(anna, "living/garden/shared/", **{"garden-shared": "true"})
    fill(anna, "living/garden/with-whom/", **{"garden-with-whom": "Met Ans."})
    fill(anna, "living/garden/shared/", **{"garden-shared": "false"})
    assert "Met Ans." not in text_of(anna.get("living/garden/"))
    assert garden_of(anna).of("garden-with-whom") == "Met Ans."
    fill(anna, "living/garden/shared/", **{"garden-shared": "true"})
    assert "Met Ans." in text_of(anna.get("living/garden/"))


@pytest.mark.parametrize(
    ("path", "typed", "says"),
    [
        ("living/garden/shared/", {"garden-shared": "perhaps"}, "Kies een van de antwoorden die hier staan."),
        ("living/garden/look-again/", {"garden-look-again": "morgen"}, "morgen"),
        ("living/garden/plants/new", {"garden-plant": "roos", "garden-place": "7"}, "Kies een van de antwoorden"),
        ("living/garden/plants/new", {"garden-plant": " ", "garden-care": "Water."}, "Schrijf hier iets op"),
        ("living/garden/beds/new", {"garden-bed": "", "garden-grows": "Klaver"}, "Kies waar dit over gaat"),
        ("living/garden/beds/new", {"garden-bed": "nowhere", "garden-grows": "Klaver"}, "Kies een van de antwoorden"),
    ],
)
def test_what_is_not_offered_is_not_saved_and_stays_on_the_page(anna, path, typed, says):
    answer = fill(anna, path, **typed)
    assert answer.status_code == 422
    assert says in text_of(answer) or says in answer.text
    assert anna.ehr.search(Query.of("QuestionnaireResponse")) == []
    kept, words = fields_of(answer), {"garden-look-again", "garden-care", "garden-grows"}
    assert {name: kept[name] for name in typed.keys() & words} == {name: typed[name] for name in typed.keys() & words}


def test_a_text_that_is_too_long_is_not_saved(anna):
    answer = fill(anna, "living/garden/story/", **{"garden-story": "x" * 20_001})
    assert answer.status_code == 422


def test_lines_become_at_most_a_hundred_rows_at_a_time_and_a_group_has_an_end(anna):
    def add(first, many):
        lines = "\n".join(f"plant {number}" for number in range(first, first + many))
        return fill(anna, "living/garden/plants/", **{"garden-plant": lines})

    answer = add(0, 101)
    assert answer.status_code == 422
    assert "Bewaar er hoogstens 100 tegelijk." in text_of(answer)
    assert "plant 100" in answer.text
    for first in range(0, 500, 100):
        assert add(first, 100).status_code == 303
    assert add(499, 1).status_code == 303  # it is a row already, so it makes none
    assert "Hier staan al 500 dingen." in text_of(add(500, 1))
    one_more = fill(anna, "living/garden/plants/new", **{"garden-plant": "nog een"})
    assert one_more.status_code == 422
    rows = garden_of(anna).rows_of("garden-plants")
    assert [row.of("garden-plant") for row in rows] == [f"plant {number}" for number in range(500)]
    changed = fill(anna, f"living/garden/plants/{rows[0].key}/", **{"garden-plant": "roos"})
    assert changed.status_code == 303


def test_each_row_of_a_page_is_looked_at_a_few_times_however_many_there_are(anna, monkeypatch):
    fill(anna, "living/garden/plants/", **{"garden-plant": "\n".join(f"plant {number}" for number in range(100))})
    made = []

    def counted(*given):
        made.append(given)
        return Words(*given)

    monkeypatch.setattr(words, "Words", counted)
    page = anna.get("living/garden/").text
    assert page.count("plant 99") > 0
    assert len(made) <= 4 * 100


@pytest.mark.parametrize(
    "path",
    [
        "living/nothing/",
        "living/nothing/earlier",
        "living/garden/nothing/",
        "living/garden/neighbour/",  # the peer worker's part
        "living/garden/plants/nothing/",
        "living/garden/story/new",
        "living/garden/now/new",
        "living/garden/goal/garden-story",  # becomes no goal, and nothing is written there
        "living/garden/goal/garden-plant.nothing",
        "living/garden/take/garden-nothing",
    ],
)
def test_what_is_not_there_is_not_found(anna, path):
    fill(anna, "living/garden/tools/", **{"garden-tools": "hark"})
    assert anna.get(path).status_code == 404


@pytest.mark.parametrize("press", ["up", "down", "remove"])
def test_a_press_on_a_group_that_is_not_there_is_not_found(anna, press):
    assert anna.post(f"living/garden/nothing/x/{press}").status_code == 404
    assert anna.post(f"living/nothing/plants/x/{press}").status_code == 404


def test_the_part_of_another_is_read_and_never_written_by_a_page_of_the_client(anna, known):
    fill(anna, "living/garden/all/", **{"garden-story": "Groen.", "garden-neighbour": "Ik zie een egel."})
    assert garden_of(anna).answers == {"garden-story": ("Groen.",)}
    assert "garden-neighbour" not in fields_of(anna.get("living/garden/all/"))


def test_a_clinician_reads_and_writes_nothing_alone(app, anna):
    fill(anna, "living/garden/story/", **{"garden-story": "Groen."})
    before = response(anna)
    joost = launched(app, role="clinician")
    assert "Groen." in text_of(joost.get("living/garden/"))
    for path in ("living/garden/story/", "living/garden/plants/new", "living/garden/all/"):
        assert joost.get(path).status_code == 403
        assert joost.post(path, {"garden-story": "Anders."}).status_code == 403
    assert joost.post("living/garden/plants/x/remove").status_code == 403
    assert response(anna) == before


# --- from one question to the next

SAVED = "Je antwoord is bewaard."
SAID = f'<p class="saved" role="status">{SAVED}</p>'


def test_the_question_after_a_saved_answer_says_that_it_is_saved(anna):
    assert SAID not in anna.get("living/garden/story/").text
    answer = fill(anna, "living/garden/story/", **{"garden-story": "Onkruid."})
    assert answer.location == anna.url("living/garden/tools/?saved=1")
    assert SAID in anna.get(answer.location).text


def test_who_goes_on_with_nothing_said_reads_nothing_of_a_save(anna):
    fill(anna, "living/garden/story/", **{"garden-story": "Onkruid."})
    answer = fill(anna, "living/garden/tools/")
    assert answer.location == anna.url("living/garden/shared/")
    assert SAVED not in anna.get(answer.location).text


def test_the_things_asked_after_an_answer_say_that_the_form_is_saved(anna):
    answer = fill(anna, "living/garden/look-again/", **{"garden-look-again": "2027-05-01"})
    assert answer.location == anna.url("living/garden/beds/?saved=1")
    assert "Je tuin is bewaard." in text_of(anna.get(answer.location))


def test_of_words_taken_away_it_is_said_once_that_it_is_saved_where_they_come_back(anna):
    fill(anna, "living/garden/story/", **{"garden-story": "Onkruid."})
    page = anna.get(fill(anna, "living/garden/story/", **{"garden-story": "Klaver."}).location)
    assert "Wat je schreef, is bewaard." in text_of(page)
    assert SAVED not in text_of(page)


def test_what_is_wrong_with_the_next_answer_does_not_stand_beside_that_the_one_before_is_saved(anna):
    fill(anna, "living/garden/shared/", **{"garden-shared": "true"})
    answer = fill(anna, "living/garden/with-whom/", **{"garden-with-whom": "Met Ans."})
    assert answer.location == anna.url("living/garden/look-again/?saved=1")
    wrong = fill(anna, answer.location, **{"garden-look-again": "morgen"})
    assert wrong.status_code == 422
    assert SAVED not in text_of(wrong)


def test_an_answer_that_waits_is_not_called_saved(anna):
    anna.make_flaky().error = Unreachable("down")
    answer = fill(anna, "living/garden/story/", **{"garden-story": "Onkruid."})
    assert answer.location == anna.url("living/garden/tools/?waits=1")
    page = text_of(anna.get(answer.location))
    assert "onderweg naar het dossier" in page
    assert SAVED not in page


def test_taking_back_leads_to_where_that_was_pressed(anna):
    for stop, there in (({"stop": "1"}, "living/garden/?saved=1"), ({}, "living/garden/tools/?")):
        fill(anna, "living/garden/story/", **{"garden-story": "Onkruid."})
        after = fill(anna, "living/garden/story/", **{"garden-story": "Rozen.", **stop})
        assert after.location.startswith(anna.url(there))
        pressed = {name: text for name, text in fields_of(anna.get(after.location)).items() if name in ("undo", "stop")}
        back = anna.post("living/garden/story/", pressed)
        assert back.location == anna.url(f"{there}{'&' if stop else ''}undone=1")
        assert "Het is weer zoals het was." in text_of(anna.get(back.location))
        assert garden_of(anna).of("garden-story") == "Onkruid."


def test_who_stops_reads_on_the_page_of_the_form_that_it_is_saved(anna):
    answer = fill(anna, "living/garden/story/", **{"garden-story": "Onkruid.", "stop": "1"})
    assert answer.location == anna.url("living/garden/?saved=1")
    page = text_of(anna.get(answer.location))
    assert "Je tuin is bewaard." in page
    assert SAVED not in page
