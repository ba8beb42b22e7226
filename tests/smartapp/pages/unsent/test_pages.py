"""What did not get through: its author is told on every page, reads why, and decides; nobody else sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from mappers.sharing import Choice
from questionnaires.catalogue import catalogue
from smartapp.access import table
from smartapp.fhir.store import Forbidden, Query, Unreachable, Write
from smartapp.pages.unsent.views import stopped_unit
from smartapp.records.outbox import OUTBOX, Unsent
from smartapp.records.parcels import Parcel, Unit
from smartapp.services import KEY
from tests.smartapp.helpers import Visitor, launched, make_app, text_of
from tests.smartapp.records.test_sight import share

MINE, THEIRS = "Elke week zingen", "Van een ander"
BANNER = "Iets wat je bewaarde is niet aangekomen"


@pytest.fixture
def anna():
    app = make_app()
    yield launched(app)
    app.extensions[KEY].engine.dispose()


def goal(text: str) -> dict:
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": text},
        "subject": {"reference": "Patient/anna", "display": "Anna Voorbeeld"},
    }


def away(*_args: object) -> None:
    raise Unreachable("away")


def refused(*_args: object) -> None:
    raise Forbidden("No goals are changed here.")


@pytest.fixture
def goal_id(anna, monkeypatch):
    """The id of a goal that Anna changed while the record was away, and somebody else before it was back."""
    [stored] = anna.records.save([Write("create", goal("Zingen"))])
    id_ = stored.resource["id"]
    record = anna.records.read("Goal", id_)
    with monkeypatch.context() as patch:
        patch.setattr(anna.ehr, "write", away, raising=False)
        patch.setattr(anna.ehr, "write_all", away, raising=False)
        anna.records.save([Write("update", {**goal(MINE), "id": id_}, if_match=record.etag)])
    anna.ehr.write(Write("update", {**goal(THEIRS), "id": id_}, if_match=record.etag))
    anna.courier_comes()
    return id_


def unit_of(visitor: Visitor) -> str:
    [unsent] = visitor.records.stopped()
    return unsent.id


@pytest.mark.usefixtures("goal_id")
def test_every_page_says_so_until_it_is_decided(anna):
    for path in ("", "plan/", "scores/", "questionnaires/"):
        assert BANNER in text_of(anna.get(path))
    assert anna.post(f"unsent/{unit_of(anna)}/discard").status_code == 303
    landed = text_of(anna.get())
    assert BANNER not in landed
    assert "Weggegooid: een doel, bewaard op" in landed
    assert MINE not in landed
    assert anna.records.waiting() == []
    assert anna.get("unsent/").location == f"/l/{anna.launch.id}/"


@pytest.mark.usefixtures("goal_id")
def test_what_waited_is_not_called_saved_where_something_was_stopped_since(anna):
    page = text_of(anna.get("plan/?saved=step&waits=1"))
    assert BANNER in page
    assert "is bewaard." not in page
    page = text_of(anna.get("plan/?saved=step"))  # that arrived at once; what was stopped is older
    assert BANNER in page
    assert "Je stap is bewaard." in page


def test_what_waited_and_arrived_is_called_saved(anna):
    assert "Je stap is bewaard." in text_of(anna.get("plan/?saved=step&waits=1"))


def test_of_a_conflict_it_shows_my_words_and_the_way_to_the_page_with_those_of_the_other(anna, goal_id):
    """Attack 38."""
    page = anna.get("unsent/")
    assert "Iemand anders heeft dit intussen veranderd" in text_of(page)
    assert MINE in text_of(page)
    address = f"/l/{anna.launch.id}/plan/goals/{goal_id}/"
    assert f'<a class="button" href="{address}">Open de pagina</a>' in page.text
    assert "Probeer het opnieuw" not in text_of(page)  # it can't help: their words would stay


def test_what_the_record_refuses_says_whom_to_tell_and_can_be_tried_again(anna, monkeypatch):
    [stored] = anna.records.save([Write("create", goal("Zingen"))])
    record = anna.records.read("Goal", stored.resource["id"])
    with monkeypatch.context() as patch:
        patch.setattr(anna.ehr, "write", away, raising=False)
        patch.setattr(anna.ehr, "write_all", away, raising=False)
        anna.records.save([Write("update", {**record.resource, **goal(MINE)}, if_match=record.etag)])
        patch.setattr(anna.ehr, "write", refused, raising=False)
        patch.setattr(anna.ehr, "write_all", refused, raising=False)
        anna.courier_comes()
    page = anna.get("unsent/")
    for said in ("Het dossier neemt dit niet aan", "Vertel het je behandelteam", MINE, "No goals are changed here."):
        assert said in text_of(page)
    assert '<button class="button">Probeer het opnieuw</button>' in page.text
    anna.post(f"unsent/{unit_of(anna)}/again")
    anna.courier_comes()
    assert anna.ehr.read("Goal", record.resource["id"]).resource["description"]["text"] == MINE


@pytest.mark.usefixtures("goal_id")
def test_throwing_away_is_asked_first_with_the_words_and_changes_nothing_by_itself(anna):
    asked = text_of(anna.get(f"unsent/{unit_of(anna)}/discard"))
    assert MINE in asked
    assert "Je kunt ze niet terughalen" in asked
    assert len(anna.records.stopped()) == 1


def test_trying_a_conflict_again_replaces_nobodys_words(anna, goal_id):
    """Attack 38."""
    assert anna.post(f"unsent/{unit_of(anna)}/again").status_code == 303
    anna.courier_comes()
    assert anna.ehr.read("Goal", goal_id).resource["description"]["text"] == THEIRS
    assert MINE in text_of(anna.get("unsent/"))


def test_what_was_set_aside_arrives_when_its_author_tries_again(anna, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(anna.ehr, "write", away, raising=False)
        patch.setattr(anna.ehr, "write_all", away, raising=False)
        anna.records.save([Write("create", goal(MINE))])
    with anna.core.engine.begin() as connection:
        connection.execute(sa.update(OUTBOX).values(state="aside"))
    assert "Er ging bij ons iets mis" in text_of(anna.get("unsent/"))
    anna.post(f"unsent/{unit_of(anna)}/again")
    assert "We proberen het nu opnieuw." in text_of(anna.get())
    anna.courier_comes()
    assert [one.resource["description"]["text"] for one in anna.ehr.search(Query.of("Goal"))] == [MINE]
    assert anna.records.waiting() == []


WISHES = catalogue().living["wishes"]


def test_a_task_is_a_step_to_its_client_and_a_request_to_a_clinician():
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "for": {"reference": "Patient/anna", "display": "Anna Voorbeeld"},
        "description": "Vul de HOOP in",
    }
    unit = Unit("u", (replace(Parcel(Write("create", task), "ehr"), state="refused"),))
    [thing] = stopped_unit(Unsent("u", unit, "stopped", 0), own=False, assigns=True).things
    assert (thing.name, thing.why, thing.page) == ("Wat je vroeg", "refused", "assignments/")
    [thing] = stopped_unit(Unsent("u", unit, "stopped", 0), own=True).things
    assert (thing.name, thing.page) == ("Een stap", "plan/")


def test_a_living_form_has_its_own_title_and_page(anna):
    written = {"resourceType": "QuestionnaireResponse", "questionnaire": f"{WISHES.url}|0.9.9", "item": []}
    unit = Unit("u", (replace(Parcel(Write("create", written), "ehr"), state="conflict"),))
    [thing] = stopped_unit(Unsent("u", unit, "stopped", 0), own=True).things
    assert (thing.name, thing.page) == (WISHES.title.nl, "living/wishes/")


def test_trying_again_is_offered_where_it_may_help_a_part_of_it():
    parts = [
        replace(Parcel(Write("create", goal(MINE)), "ehr", anew=True), state=state) for state in ("conflict", "refused")
    ]
    for unit, again in ((parts, True), (parts[:1], False), (parts[1:], True)):
        assert stopped_unit(Unsent("u", Unit("u", tuple(unit)), "stopped", 0), own=True).again is again


@pytest.mark.usefixtures("goal_id")
def test_nobody_else_sees_it_or_decides_about_it(anna):
    unit = unit_of(anna)
    nurse = launched(anna.app, role="clinician")
    assert BANNER not in text_of(nurse.get("overview/"))
    for way in ("again", "discard"):
        assert nurse.post(f"unsent/{unit}/{way}").status_code == 303
        assert "Weggegooid" not in text_of(nurse.get("overview/"))
    assert nurse.get(f"unsent/{unit}/discard").status_code == 303
    assert [one.state for one in anna.records.stopped()] == ["stopped"]


def test_who_types_in_a_part_of_a_form_reads_of_it_no_more_when_it_does_not_get_through(anna, monkeypatch):
    """A form is sent whole, with the groups that its author does not read."""
    form = catalogue().living["staying-well"]
    apart = next(one.groups for one in table().apart if one.part == "crisis")
    groups = [next(one for one in form.groups if (one.link_id in apart) == named) for named in (True, False)]
    words = ("Bel mijn zus", "Dit is van mij")

    def items(*said: str) -> list[dict]:
        return [
            {"linkId": group.link_id, "item": [{"linkId": "x", "answer": [{"valueString": one}]}]}
            for group, one in zip(groups, said, strict=False)
        ]

    person = {"reference": "Patient/anna", "display": "Anna Voorbeeld"}
    response = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": form.canonical,
        "subject": person,
        "source": person,
        "author": person,
        "item": items(*words),
    }
    anna.records.save([Write("create", response)])
    share(anna.app, crisis=Choice(True, frozenset({"peer-worker"}), frozenset({"peer-worker"})))
    other = launched(anna.app, role="peer-worker")
    [found] = other.records.search(Query.of("QuestionnaireResponse", patient="anna"))[0]
    assert found.resource["item"] == items(words[0])
    with monkeypatch.context() as patch:
        patch.setattr(anna.ehr, "write", away, raising=False)
        other.records.save(
            [Write("update", {**found.resource, "item": items("Bel mijn broer")}, if_match=found.etag, living=True)]
        )
    anna.ehr.write(Write("update", {**response, "id": found.resource["id"], "item": items("Bel Mila", words[1])}))
    other.courier_comes()
    page = text_of(other.get("unsent/"))
    assert "Bel mijn broer" in page
    assert words[1] not in page
