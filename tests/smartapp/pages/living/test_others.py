"""What another program wrote in a form, or did to it, stays as it is and stands in nobody's way."""

from __future__ import annotations

import re

from mappers.living import content_of
from smartapp.fhir.store import Query, Write
from tests.smartapp.pages.plan.pages import fields_of, fill

ALL = "living/garden/all/"
NEW = "living/garden/plants/new"


def responses(visitor):
    return [one.resource for one in visitor.ehr.search(Query.of("QuestionnaireResponse", patient="Patient/anna"))]


def written(visitor, known):
    [found] = responses(visitor)
    return content_of(found, known.living["garden"])


def changed_elsewhere(visitor, resource, **more):
    """Write the response as another program does."""
    etag = visitor.ehr.read("QuestionnaireResponse", resource["id"]).etag
    visitor.ehr.write(Write("update", {**resource, **more}, if_match=etag))


# --- a month, where we ask for a day -------------------------------------------------------------------------------


def with_a_month(visitor):
    fill(visitor, ALL, **{"garden-story": "Onkruid."})
    [response] = responses(visitor)
    response["item"][0]["item"].append({"linkId": "garden-look-again", "answer": [{"valueDate": "2027-05"}]})
    changed_elsewhere(visitor, response)


def test_a_month_is_in_a_field_that_can_hold_it(anna):
    with_a_month(anna)
    [field] = re.findall(r'<input[^>]*id="garden-look-again"[^>]*>', anna.get(ALL).text)
    assert 'type="text"' in field  # a calendar would show nothing, and send nothing
    assert 'value="2027-05"' in field


def test_a_month_stays_when_other_answers_are_saved(anna, known):
    with_a_month(anna)
    assert fill(anna, ALL, **{"garden-story": "Een roos."}).status_code == 303
    assert written(anna, known).of("garden-look-again") == "2027-05"
    assert written(anna, known).of("garden-story") == "Een roos."


def test_another_month_is_no_date(anna):
    with_a_month(anna)
    assert fill(anna, ALL, **{"garden-look-again": "2027-06"}).status_code == 422


# --- what is not FHIR ----------------------------------------------------------------------------------------------


def test_an_item_without_linkid_keeps_no_row_from_being_added_and_taken_out(anna, known):
    fill(anna, NEW, **{"garden-plant": "roos"})
    [response] = responses(anna)
    response["item"].append({"answer": [{"valueString": "zonder naam"}]})
    changed_elsewhere(anna, response)
    assert fill(anna, NEW, **{"garden-plant": "munt"}).status_code == 303
    rows = written(anna, known).rows_of("garden-plants")
    assert [row.of("garden-plant") for row in rows] == ["roos", "munt"]
    for row in rows:
        assert anna.post(f"living/garden/plants/{row.key}/remove").status_code == 303
    [response] = responses(anna)
    assert response["item"] == [{"answer": [{"valueString": "zonder naam"}]}]


# --- taken out of the record as a mistake --------------------------------------------------------------------------

STORY = "living/garden/story/"


def test_what_was_a_mistake_is_not_read_and_a_new_one_can_be_written(anna, known):
    for number, words in enumerate(("Onkruid.", "Een roos.", "Een tweede roos.")):
        assert fill(anna, STORY, **{"garden-story": words}).status_code == 303
        there = [one for one in responses(anna) if one["status"] != "entered-in-error"]
        assert [content_of(one, known.living["garden"]).of("garden-story") for one in there] == [words]
        assert len(responses(anna)) == number + 1
        assert fields_of(anna.get(STORY))["garden-story"] == words
        changed_elsewhere(anna, there[0], status="entered-in-error")
        assert fields_of(anna.get(STORY))["garden-story"] == ""


def test_what_comes_in_the_place_of_a_mistake_is_one_in_two_tabs_and_can_be_changed(anna, known):
    fill(anna, STORY, **{"garden-story": "Onkruid."})
    changed_elsewhere(anna, responses(anna)[0], status="entered-in-error")
    first, other = fields_of(anna.get(STORY)), fields_of(anna.get("living/garden/tools/"))
    anna.post(STORY, {**first, "garden-story": "Een roos."})
    anna.post("living/garden/tools/", {**other, "garden-tools": "hark"})
    mistake, new = sorted(responses(anna), key=lambda one: one["status"] != "entered-in-error")
    assert (mistake["status"], new["status"]) == ("entered-in-error", "amended")
    assert content_of(new, known.living["garden"]).answers == {
        "garden-story": ("Een roos.",),
        "garden-tools": ("hark",),
    }
    [plan] = anna.ehr.search(Query.of("CarePlan", patient="Patient/anna"))
    assert new["identifier"] in [one["identifier"] for one in plan.resource["supportingInfo"]]
