"""What a form asks, by its definition: what depends on an answer, what is not offered, and whose part it is."""

from __future__ import annotations

import pytest

from smartapp.fhir.store import Query
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
