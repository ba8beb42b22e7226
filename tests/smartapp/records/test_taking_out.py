"""What becomes private is taken out of the record: moved once, with nothing lost, whatever the record answers."""

import contextlib

import pytest

from mappers.plan.moving import is_closed
from mappers.sharing import ME
from questionnaires.canonical import questionnaire_url
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Forbidden, Query, Refused, Unreachable, Write
from smartapp.pages.sign_in.entering import SignedIn, enter
from smartapp.records.outbox import OUTBOX
from smartapp.records.taking_out import takes_out
from smartapp.services import KEY
from smartapp.smart.identity import Identity
from smartapp.smart.tokens import Granted, Tokens
from smartapp.web.typed import digest
from tests.smartapp.helpers import ALL_SCOPES, EHR, launched
from tests.smartapp.records.test_sight import NOTE, at, goal, notes, plan_at, share

STORY = "Toen ik veertien was"
REFUSALS = [Forbidden("no", status=403), Refused("no", status=405), Refused("no", status=422)]


def tell(anna):
    """Let Anna write her story on its page, and in two areas of her plan."""
    anna.post("living/story/story/", {"story-story": STORY, "seen-story-story": digest("")})
    return anna


def forms_at(app, place):
    return [
        one.resource
        for one in at(app, place).search(Query.of("QuestionnaireResponse", patient="anna"))
        if "story" in one.resource["questionnaire"]
    ]


def my_notes(anna):
    return sorted(one.resource["valueString"] for one in notes(anna.records))


def note_left(app):
    return [one.resource for one in at(app, "ehr").search(Query.of("Observation", patient="anna"))]


class TestForm:
    def test_it_goes_on_here_and_the_record_keeps_no_word(self, app):
        anna = tell(launched(app))
        assert STORY in str(forms_at(app, "ehr"))
        share(app, form__story=ME)
        assert not anna.records.take_out()
        [left], [here] = forms_at(app, "ehr"), forms_at(app, "own")
        assert left["status"] == "entered-in-error"
        assert STORY not in str(left)
        assert STORY in str(here)
        assert STORY in anna.get("living/story/").text

    def test_twice_does_nothing_more(self, app):
        anna = tell(launched(app))
        share(app, form__story=ME)
        anna.records.take_out()
        before = forms_at(app, "ehr"), forms_at(app, "own")
        anna.records.take_out()
        assert (forms_at(app, "ehr"), forms_at(app, "own")) == before

    def test_the_part_for_a_crisis_takes_its_form_along(self, app):
        share(app, crisis=ME)
        anna = launched(app)
        assert anna.records.is_private(form_named("staying-well"))
        assert not anna.records.is_private(form_named("story"))


def form_named(id_):
    return {"resourceType": "QuestionnaireResponse", "questionnaire": questionnaire_url(id_)}


class TestEhr:
    """An EHR that is down, refuses, is overtaken, or answers late."""

    def begun(self, app, *, count=2):
        """Return Anna, whose notes stand in the record and are private by now, and somebody else."""
        anna, joost = launched(app), launched(app, role="clinician")
        anna.records.save([Write("create", {**NOTE, "valueString": f"woorden {n}"}) for n in range(count)])
        assert len(notes(joost.records)) == count
        share(app, notes=ME)
        return anna, joost

    def test_down_it_waits_and_is_done_once(self, app):
        anna, joost = self.begun(app)
        flaky = anna.make_flaky()
        flaky.silence = flaky.error = Unreachable("away")
        with pytest.raises(Unreachable):
            anna.records.take_out()
        anna.records.later([], follow_up=takes_out())
        anna.courier_comes()
        flaky.silence = None
        assert notes(joost.records) == []
        flaky.error = None
        anna.courier_comes()
        anna.courier_comes()
        assert "woorden" not in str(note_left(app))
        assert my_notes(anna) == ["woorden 0", "woorden 1"]
        assert anna.records.waiting() == []

    def test_that_stops_answering_half_way_loses_and_doubles_nothing(self, app):
        anna, joost = self.begun(app)
        flaky = anna.make_flaky()
        flaky.error = Unreachable("away")
        try:
            anna.records.take_out()
        except Unreachable:
            anna.records.later([], follow_up=takes_out())
        assert my_notes(anna) == ["woorden 0", "woorden 1"]
        assert notes(joost.records) == []
        flaky.error = None
        for _ in range(3):
            anna.courier_comes()
        assert "woorden" not in str(note_left(app))
        assert my_notes(anna) == ["woorden 0", "woorden 1"]
        assert len(at(app, "own").search(Query.of("Observation", patient="anna"))) == 2

    @pytest.mark.parametrize("error", REFUSALS)
    def test_that_refuses_keeps_the_words_and_that_is_told(self, app, error):
        anna, joost = self.begun(app)
        flaky = anna.make_flaky()
        flaky.no_updates = error
        left = anna.records.take_out()
        assert {one.there.resource["valueString"] for one in left.left} == {"woorden 0", "woorden 1"}
        assert my_notes(anna) == ["woorden 0", "woorden 1"]
        assert notes(joost.records) == []
        flaky.no_updates = None
        assert not anna.records.take_out()
        assert "woorden" not in str(note_left(app))
        assert len(at(app, "own").search(Query.of("Observation", patient="anna"))) == 2

    def test_in_which_somebody_changed_it_meanwhile_is_read_again(self, app):
        anna, joost = self.begun(app, count=1)
        flaky = anna.make_flaky()
        [there] = note_left(app)
        flaky.first = lambda: flaky.store.write(Write("update", {**there, "valueString": "anders"}))
        assert not anna.records.take_out()
        assert "anders" not in str(note_left(app))
        assert my_notes(anna) == ["anders"]
        assert notes(joost.records) == []

    def test_in_which_somebody_changed_what_was_changed_here_too_keeps_both(self, app):
        anna, _joost = self.begun(app, count=1)
        flaky = anna.make_flaky()
        flaky.no_updates = Refused("no", status=405)
        anna.records.take_out()
        [there], [here] = note_left(app), notes(anna.records)
        flaky.store.write(Write("update", {**there, "valueString": "anders"}))
        changed = {**here.resource, "valueString": "hier anders"}
        anna.records.save([Write("update", changed, if_match=here.etag)])
        flaky.no_updates = None
        [left] = anna.records.take_out().left
        assert left.there.resource["valueString"] == "anders"
        assert my_notes(anna) == ["hier anders"]

    def test_that_answers_late_is_looked_at_again(self, app):
        anna = launched(app)
        flaky = anna.make_flaky()

        def arrives_unheard():
            flaky.store.write(pending[0])
            flaky.error = Unreachable("no answer")

        pending = [Write("create", {**NOTE, "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:1"}]})]
        flaky.first = arrives_unheard
        flaky.silence = Unreachable("no answer")
        [saved] = anna.records.save(pending)
        assert saved.state == "waiting"
        share(app, notes=ME)
        anna.records.later([], follow_up=takes_out())
        flaky.error = flaky.silence = None
        for _ in range(4):
            anna.courier_comes()
        assert "durf" not in str(note_left(app))
        assert my_notes(anna) == ["Ik durf meer"]
        assert anna.records.waiting() == []

    def test_what_waited_for_it_when_it_became_private_never_goes_there(self, app):
        anna = launched(app)
        flaky = anna.make_flaky()
        flaky.error = flaky.silence = Unreachable("away", status=429)
        anna.records.save([Write("create", NOTE)])
        share(app, notes=ME)
        flaky.error = flaky.silence = None
        anna.courier_comes()
        assert note_left(app) == []
        assert my_notes(anna) == ["Ik durf meer"]


class TestLate:
    """Words that come to the record after their owner chose: another's unit was on its way then."""

    def signs_in(self, app, reference="Patient/anna"):
        services = app.extensions[KEY]
        tokens = Tokens("token", None, None, ALL_SCOPES, "anna")
        identity = Identity(EHR, reference.rpartition("/")[2], reference, "", None)
        launch, _session = enter(
            services, SignedIn(services.settings.issuer(EHR), Granted(tokens, None, {}), "anna", identity), None
        )
        return services.records(launch)

    def test_are_taken_out_when_the_owner_signs_in(self, app):
        anna = launched(app)
        share(app, notes=ME)
        assert not anna.records.take_out()
        at(app, "ehr").write(Write("create", NOTE))
        again = self.signs_in(app)
        anna.courier_comes()
        anna.courier_comes()
        assert "durf" not in str(note_left(app))
        assert my_notes(anna) == ["Ik durf meer"]
        assert again.waiting() == []

    def test_are_looked_for_once_however_often_they_sign_in(self, app):
        share(app, notes=ME)
        launched(app)
        for _ in range(3):
            records = self.signs_in(app)
        assert [one.unit.follow_up for one in records.waiting()] == [takes_out()]

    def test_are_not_looked_for_where_nothing_is_private_or_another_signs_in(self, app):
        launched(app)
        assert self.signs_in(app).waiting() == []
        share(app, notes=ME)
        launched(app, role="clinician")
        assert self.signs_in(app, "Practitioner/jansen").waiting() == []


class TestPlan:
    def begun(self, app):
        anna = launched(app)
        for domain in ("housing", "finances"):
            anna.post(f"plan/domains/{domain}/change", {"change": f"Mijn {domain}", "seen-change": digest("")})
            anna.post(f"plan/goals/new?domain={domain}", {"words": f"Doel {domain}"})
        return anna

    def at_ehr(self, app):
        store = at(app, "ehr")
        return [
            one.resource
            for type_ in ("CarePlan", "Goal", "Task")
            for one in store.search(Query.of(type_, patient="anna"))
        ]

    def test_one_private_area_takes_the_whole_plan_along(self, app):
        anna = self.begun(app)
        assert "Mijn finances" in str(self.at_ehr(app))
        share(app, domain__finances=ME)
        assert not anna.records.take_out()
        assert "Mijn" not in str(self.at_ehr(app))
        assert "Mijn finances" in anna.get("plan/domains/finances/").text
        joost = launched(app, role="clinician")
        assert "Mijn housing" in joost.get("overview/plan").text
        assert "Mijn finances" not in joost.get("overview/plan").text

    def test_a_goal_alone_does_so_too(self, app):
        anna = launched(app)
        anna.post("plan/domains/housing/change", {"change": "Mijn huis", "seen-change": digest("")})
        [plan] = at(app, "ehr").search(Query.of("CarePlan", patient="anna"))
        made = at(app, "ehr").write(Write("create", goal("finances")))
        at(app, "ehr").write(Write("update", {**plan.resource, "goal": [{"reference": made.reference}]}))
        share(app, domain__finances=ME)
        anna.records.take_out()
        assert "Mijn" not in str(self.at_ehr(app))


class Died(BaseException):
    """The process is gone: nothing after this was done."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("writes", range(4))
def test_whenever_the_process_dies_the_plan_is_there_once_and_its_words_leave_the_record(
    app, writes, after, monkeypatch
):
    anna, made, put_all = launched(app), [], OwnStore.put_all
    plan_at(app)
    share(app, domain__housing=ME)

    def dies(store, units):
        made.append(units)
        if len(made) == writes + 1 and not after:
            raise Died
        stored = put_all(store, units)
        if len(made) == writes + 1:
            raise Died
        return stored

    with monkeypatch.context() as patch, contextlib.suppress(Died):
        patch.setattr(OwnStore, "put_all", dies)
        anna.records.take_out()
    assert len(made) > writes
    again = launched(app)
    assert "Een eigen sleutel" in again.get("plan/").text
    with anna.core.engine.begin() as connection:
        connection.execute(OUTBOX.update().values(leased_until=0))
    for _ in range(2):
        again.courier_comes()
    assert not again.records.take_out()
    there = [at(app, "ehr").search(Query.of(type_, patient="anna")) for type_ in ("CarePlan", "Goal", "Task")]
    assert "sleutel" not in str(there)
    queries = [Query.of(type_, patient="anna") for type_ in ("CarePlan", "Goal", "Task")]
    found = again.records.search(*queries)
    going_on = [[one for one in some if not is_closed(one.resource)] for some in found]
    assert [len(one) for one in going_on] == [1, 1, 1]
    assert "Een eigen sleutel" in again.get("plan/").text
