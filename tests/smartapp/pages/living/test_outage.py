"""The record does not answer, or refuses later: what was written stays, is shown, and is never called arrived."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from smartapp.fhir.store import Query, Refused, Stored, Unreachable, Write, operation_outcome
from tests.smartapp.helpers import Flaky, launched, make_app, text_of
from tests.smartapp.pages.living.forms import garden_of, response
from tests.smartapp.pages.plan.conftest import put
from tests.smartapp.pages.plan.pages import fields_of, fill

STORY = "living/garden/story/"
FORM = "living/garden/"


@pytest.fixture
def anna(known, clock):
    """Anna, with words in her garden, in an app whose clock stands still."""
    app = make_app(clock=clock)
    visitor = launched(app)
    fill(visitor, STORY, **{"garden-story": "Eerst."})
    yield visitor
    visitor.core.engine.dispose()


@pytest.fixture
def flaky(anna):
    """Her record, which can be made to fail."""
    return anna.make_flaky()


def test_what_was_saved_during_an_outage_is_shown_and_not_called_saved_in_the_record(anna, flaky):
    flaky.error = Unreachable("down")
    form = {**fields_of(anna.get(STORY)), "garden-story": "Tijdens de storing.", "stop": "1"}
    answer = anna.post(STORY, form)
    assert answer.status_code == 303
    page = text_of(anna.get(answer.location))
    assert "Tijdens de storing." in page
    assert "onderweg naar het dossier" in page
    assert "Je tuin is bewaard." not in page
    assert garden_of(anna).of("garden-story") == "Eerst."


def test_a_form_that_was_begun_during_an_outage_is_shown_and_arrives_once(app, known):
    anna = launched(app)
    flaky = anna.make_flaky()
    flaky.error = Unreachable("down")
    fill(anna, STORY, **{"garden-story": "Tijdens de storing."})
    assert "Tijdens de storing." in text_of(anna.get(FORM))
    assert flaky.search(Query.of("QuestionnaireResponse")) == []
    flaky.error = None
    anna.courier_comes()
    page = text_of(anna.get(FORM))
    assert "Tijdens de storing." in page
    assert "onderweg naar het dossier" not in page
    assert garden_of(anna).of("garden-story") == "Tijdens de storing."


def test_what_is_on_its_way_is_read_and_not_changed(anna, flaky):
    """A second change keeps its words with their writer, and says why."""
    flaky.error = Unreachable("down")
    fill(anna, STORY, **{"garden-story": "Eerst dit."})
    answer = fill(anna, "living/garden/tools/", **{"garden-tools": "hark"})
    assert answer.status_code == 409
    assert "nog onderweg naar het dossier" in answer.text
    assert fields_of(answer)["garden-tools"] == "hark"
    assert fields_of(anna.get("living/garden/tools/"))["garden-tools"] == "hark"
    for press in ("living/garden/plants/x/up", "living/garden/plants/x/remove"):
        assert anna.post(press).status_code == 409
    flaky.error = None
    anna.courier_comes()
    assert fill(anna, "living/garden/tools/").status_code == 303
    assert garden_of(anna).answers == {"garden-story": ("Eerst dit.",), "garden-tools": ("hark",)}


def test_another_form_can_be_written_while_one_is_on_its_way(anna, flaky, known):
    flaky.error = Unreachable("down")
    fill(anna, STORY, **{"garden-story": "Eerst dit."})
    answer = fill(anna, "living/own-words/name/", **{"own-words-name": "De ruis"})
    assert answer.status_code == 303
    assert "De ruis" in text_of(anna.get("living/own-words/"))
    flaky.error = None
    anna.courier_comes()
    assert len(flaky.search(Query.of("QuestionnaireResponse"))) == 2


def test_words_that_the_record_refuses_at_once_stay_on_the_page(anna, flaky):
    flaky.error = Refused("no", outcome=operation_outcome("value", "no"))
    answer = fill(anna, STORY, **{"garden-story": "Toch mijn woorden."})
    assert answer.status_code == 422
    assert fields_of(answer)["garden-story"] == "Toch mijn woorden."
    flaky.error = None
    assert fill(anna, STORY).status_code == 303
    assert garden_of(anna).of("garden-story") == "Toch mijn woorden."


def test_a_form_that_the_record_lets_nobody_change_goes_on_in_our_own_store(anna, flaky):
    flaky.no_updates = Refused("no changes here")
    assert fill(anna, STORY, **{"garden-story": "Toch mijn woorden."}).status_code == 303
    assert "Toch mijn woorden." in text_of(anna.get(FORM))
    assert fill(anna, STORY, **{"garden-story": "En nog iets."}).status_code == 303
    assert "En nog iets." in text_of(anna.get(FORM))
    assert garden_of(anna).of("garden-story") == "Eerst."


def test_a_record_that_can_not_be_read_keeps_what_was_typed(anna, flaky):
    form = {**fields_of(anna.get(STORY)), "garden-story": "Bewaar mij."}
    flaky.silence = Unreachable("down")
    answer = anna.post(STORY, form)
    assert answer.status_code >= 500
    assert "Bewaar mij." in answer.text
    flaky.silence = None
    assert fields_of(anna.get(STORY))["garden-story"] == "Bewaar mij."


def test_a_row_that_can_not_be_read_for_a_moment_keeps_what_was_typed(anna, flaky):
    form = {**fields_of(anna.get("living/garden/plants/new")), "garden-plant": "Bewaar mij."}
    flaky.silence = Unreachable("down")
    assert "Bewaar mij." in anna.post("living/garden/plants/new", form).text
    flaky.silence = None
    assert fields_of(anna.get("living/garden/plants/new"))["garden-plant"] == "Bewaar mij."


def test_what_another_screen_wrote_before_it_arrived_is_not_overwritten(anna, flaky):
    """Both are there afterwards: one in the record, the other with its writer, who decides."""
    flaky.error = Unreachable("down")
    fill(anna, STORY, **{"garden-story": "Van mij."})
    flaky.error = None
    [found] = flaky.search(Query.of("QuestionnaireResponse"))
    item = {"linkId": "garden-story", "answer": [{"valueString": "Van een ander scherm."}]}
    flaky.write(Write("update", {**found.resource, "item": [item]}, if_match=found.etag))
    anna.courier_comes()
    assert garden_of(anna).of("garden-story") == "Van een ander scherm."
    assert "Van een ander scherm." in text_of(anna.get(FORM))
    unsent = text_of(anna.get("unsent/"))
    assert "Van mij." in unsent
    assert "Mijn tuin" in unsent


def test_a_form_that_two_screens_began_while_the_record_was_away_loses_neither(app, known):
    """The one that arrives first stays as it is; the other is kept for its writer, and does not take its place."""
    anna = launched(app)
    flaky = anna.make_flaky()
    flaky.error = Unreachable("down")
    fill(anna, STORY, **{"garden-story": "Van mij."})
    flaky.error = None
    other = launched(app, subject="another sign-in")
    fill(other, "living/garden/tools/", **{"garden-tools": "hark"})
    anna.courier_comes()
    assert garden_of(anna).answers == {"garden-tools": ("hark",)}
    assert "Van mij." in text_of(anna.get("unsent/"))


class WithoutPlans(Flaky):
    """A record without transactions that breaks down whenever a plan is written, while `away` is set."""

    away = True

    def write(self, write: Write, /) -> Stored:
        if self.away and write.resource["resourceType"] == "CarePlan":
            raise Unreachable("down")
        return super().write(write)

    def write_all(self, _writes: Sequence[Write], /) -> list[Stored]:
        raise Refused("no transactions here")


@pytest.fixture
def half_away(app, known):
    """Anna, who has a plan, at a record that takes everything but changes of plans."""
    anna = launched(app)
    put(anna.ehr)
    anna.core.local_ehrs[anna.launch.issuer] = WithoutPlans(anna.ehr)
    return anna


def test_words_that_arrived_before_the_plan_that_names_them_are_there_and_are_named_later(half_away):
    fill(half_away, STORY, **{"garden-story": "Aangekomen."})
    assert garden_of(half_away).of("garden-story") == "Aangekomen."
    assert "Aangekomen." in text_of(half_away.get(FORM))
    half_away.ehr.away = False
    half_away.courier_comes()
    [plan] = half_away.ehr.search(Query.of("CarePlan"))
    assert plan.resource["supportingInfo"][0]["identifier"] == response(half_away)["identifier"]


def test_a_plan_that_somebody_else_changed_meanwhile_names_them_all_the_same(half_away):
    fill(half_away, STORY, **{"garden-story": "Aangekomen."})
    half_away.ehr.away = False
    [plan] = half_away.ehr.search(Query.of("CarePlan"))
    half_away.ehr.write(Write("update", {**plan.resource, "description": "Van het dossier."}, if_match=plan.etag))
    half_away.courier_comes()
    [plan] = half_away.ehr.search(Query.of("CarePlan"))
    assert plan.resource["description"] == "Van het dossier."
    assert [one["identifier"] for one in plan.resource["supportingInfo"]] == [response(half_away)["identifier"]]
    assert half_away.records.stopped() == []
