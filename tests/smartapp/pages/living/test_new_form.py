"""One more file among the definitions, and the whole app has the form: no code knows a living form by name."""

from __future__ import annotations

import re

from mappers.living import content_of
from questionnaires.living import KEPT_FOR_ADDRESSES, KEPT_FOR_THE_PLAN
from smartapp.fhir.store import Query
from tests.smartapp.helpers import launched
from tests.smartapp.pages.plan.pages import fields_of, fill

WORDS = "Onkruid.\n\nEn één roos."


def response(visitor):
    [found] = [one.resource for one in visitor.ehr.search(Query.of("QuestionnaireResponse", patient="Patient/anna"))]
    return found


def care_plan(visitor):
    [found] = [one.resource for one in visitor.ehr.search(Query.of("CarePlan", patient="Patient/anna"))]
    return found


def test_it_is_among_the_forms_and_invites(anna):
    assert "Mijn tuin" in anna.get("living/").text
    page = anna.get("living/garden/").text
    assert "Hoe staat je tuin erbij?" in page
    assert "Mijn tuin beschrijven" in page
    assert "Wat zie je?" in page


def test_one_question_is_asked_kept_and_read_back(anna, known):
    page = anna.get("living/garden/story/")
    assert 'rows="8"' in page.text
    assert "Wat bloeit er?" in page.text  # an idea beside the field
    answer = fill(anna, "living/garden/story/", **{"garden-story": WORDS.replace("\n", "\r\n")})
    assert answer.location.endswith("/living/garden/tools/?saved=1")
    form = known.living["garden"]
    assert content_of(response(anna), form).answers == {"garden-story": (WORDS,)}
    [link] = care_plan(anna)["supportingInfo"]
    assert link["identifier"] == response(anna)["identifier"]
    assert "En één roos." in anna.get("living/garden/").text


def test_what_is_typed_is_kept_before_it_is_saved(anna):
    typed = {**fields_of(anna.get("living/garden/story/")), "garden-story": "Onk"}
    assert anna.post("living/garden/story/", typed, headers={"Accept": "application/json"}).json == {"saved": True}
    assert "Onk" in anna.get("living/garden/story/").text


def test_all_questions_stand_on_one_page(anna, known):
    fill(
        anna,
        "living/garden/all/",
        **{"garden-story": "Groen", "garden-tools": "hark\r\nschep", "garden-shared": "true"},
    )
    found = content_of(response(anna), known.living["garden"])
    assert found.answers == {"garden-story": ("Groen",), "garden-tools": ("hark", "schep"), "garden-shared": ("true",)}


def test_rows_are_made_changed_ordered_and_taken_out(halfway, known):
    form = known.living["garden"]
    for plant in ("roos", "munt", "kool"):
        fill(halfway, "living/garden/plants/new", **{"garden-plant": plant, "garden-care": f"water voor {plant}"})
    rows = content_of(response(halfway), form).rows_of("garden-plants")
    assert [row.of("garden-plant") for row in rows] == ["roos", "munt", "kool"]
    token = fields_of(halfway.get("living/garden/"))
    halfway.post(f"living/garden/plants/{rows[2].key}/up", token)
    rows = content_of(response(halfway), form).rows_of("garden-plants")
    assert [row.of("garden-plant") for row in rows] == ["roos", "kool", "munt"]
    fill(halfway, f"living/garden/plants/{rows[0].key}/", **{"garden-plant": "wilde roos"})
    answer = halfway.post(f"living/garden/plants/{rows[1].key}/remove", token)
    after = halfway.get(answer.location)
    rows = content_of(response(halfway), form).rows_of("garden-plants")
    assert [row.of("garden-plant") for row in rows] == ["wilde roos", "munt"]
    assert "Ongedaan maken" in after.text


def test_no_group_has_the_address_of_another_page(app):
    """Of a group that is called like a page below a form, `<form>/<group>/new` would be that page."""
    below = [rule.rule.partition("/living/<form_id>/")[2].split("/") for rule in app.url_map.iter_rules()]
    words = {first for first, *rest in below if rest and rest[0].startswith("<") and not first.startswith("<")}
    assert words == KEPT_FOR_ADDRESSES


def test_no_form_is_called_like_what_is_offered_beside_it(halfway, known):
    page = launched(halfway.app, role="clinician").get("overview/together/write").text
    offered = set(re.findall(r'name="what" value="([^"]+)"', page))
    assert "garden" in offered
    assert offered - known.living.keys() == KEPT_FOR_THE_PLAN
