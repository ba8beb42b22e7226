"""What a page sees of several places, and where a new resource goes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from mappers.identity import with_former
from smartapp.courier import Courier
from smartapp.fhir.capabilities import Capability, Offered, read_offered
from smartapp.fhir.companion import CompanionStore
from smartapp.fhir.own.matching import matches
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.scopes import Scopes, asked
from smartapp.fhir.store import Conflict, NotFound, Query, Refused, Unreachable, Write
from smartapp.records.outbox import OUTBOX
from smartapp.records.parcels import placed
from smartapp.records.placement import ladder
from smartapp.services import KEY
from tests.smartapp.helpers import EHR, PATIENCE, launched, until

SYSTEM = "https://example.org/ids"
SUBJECT = {"reference": "Patient/anna", "display": "Anna"}


def goal(text: str = "Zingen", number: int | None = None, **more) -> dict:
    identifier = {"identifier": [{"system": SYSTEM, "value": str(number)}]} if number is not None else {}
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": text},
        "subject": SUBJECT,
        **identifier,
        **more,
    }


# ---- scopes


@pytest.mark.parametrize(
    ("scope", "letters"),
    [
        ("patient/Goal.read", "rs"),
        ("patient/Goal.write", "cud"),
        ("patient/Goal.*", "cruds"),
        ("patient/*.read", "rs"),
        ("user/Goal.cruds", "cruds"),
        ("patient/Goal.cu", "cu"),
        ("patient/Goal.rs?category=survey", "rs"),
        ("system/*.rs", "rs"),
        ("patient/Goal.sr", ""),  # v2 letters come in order
        ("patient/Goals.rs", ""),
        ("Goal.read", ""),
        ("patient/Goal.", ""),
        ("launch/patient openid fhirUser offline_access", ""),
        ("", ""),
    ],
)
def test_a_scope_of_either_version_allows_exactly_its_letters(scope, letters):
    scopes = Scopes.parse(scope)
    assert "".join(letter for letter in "cruds" if scopes.allows("Goal", letter)) == letters


def test_a_standalone_launch_asks_for_a_patient_and_an_ehr_launch_for_its_context():
    assert asked("openid launch launch/patient", standalone=True) == "openid launch/patient"
    assert asked("openid launch launch/patient", standalone=False) == "openid launch"


# ---- capabilities and placement


def offering(**types: str) -> Offered:
    """Return a statement that offers letters per type."""
    names = {"c": "create", "r": "read", "u": "update", "s": "search-type"}
    return Offered(
        known=True, interactions={t: frozenset(names[one] for one in letters) for t, letters in types.items()}
    )


EVERYTHING = Scopes.parse("patient/*.cruds")


@pytest.mark.parametrize(
    ("offered", "scope", "demoted", "place"),
    [
        (offering(Observation="crs"), "patient/*.cruds", (), "ehr"),
        (offering(Observation="rs"), "patient/*.cruds", (), "own"),  # not offered
        (offering(Observation="crs"), "patient/*.rs", (), "own"),  # not granted
        (offering(Observation="crs"), "patient/*.cruds", {("Observation", "create")}, "own"),  # refused lately
        (offering(Observation="c"), "patient/*.cruds", (), "own"),  # could never be found again
        (Offered(), "patient/*.cruds", (), "ehr"),  # the server does not say: it may be tried
    ],
)
def test_a_place_in_the_ehr_needs_metadata_scope_and_the_last_outcome(offered, scope, demoted, place):
    capability = Capability(offered, Scopes.parse(scope), frozenset(demoted))
    assert ladder("Observation", capability, companion=False)[0] == place


def test_a_goal_that_could_not_be_changed_is_not_put_there():
    assert ladder("Goal", Capability(offering(Goal="crs"), EVERYTHING), companion=False) == ("own",)
    assert ladder("Goal", Capability(offering(Goal="crus"), EVERYTHING), companion=False) == ("ehr", "own")


def test_a_plan_lives_whole_at_the_first_place_that_takes_all_of_it():
    capability = Capability(offering(Goal="crus", Task="crus"), EVERYTHING)
    assert ladder("CarePlan", capability, companion=False) == ("own",)
    assert ladder("Goal", capability, companion=False, with_plan=True) == ("own",)
    assert ladder("Goal", capability, companion=True, with_plan=True) == ("companion", "own")
    assert ladder("Task", capability, companion=False) == ("ehr", "own")  # an assignment is not part of a plan


def test_what_is_only_for_here_goes_nowhere_else_whatever_the_ehr_takes():
    team = Write("create", {"resourceType": "CareTeam"}, only_here=True)
    for companion in (False, True):
        [parcel] = placed([team], {}, Capability(Offered(), EVERYTHING), companion=companion)
        assert (parcel.place, parcel.ladder) == ("own", ())
    [other] = placed([replace(team, only_here=False)], {}, Capability(Offered(), EVERYTHING), companion=False)
    assert (other.place, other.ladder) == ("ehr", ("own",))


@pytest.mark.parametrize(
    "statement",
    [None, [], {}, {"rest": 7}, {"rest": [7]}, {"rest": [{"resource": [{"type": 7}], "interaction": "x"}]}],
)
def test_a_statement_that_is_none_offers_nothing(statement):
    assert read_offered(statement).offers("Goal", "create") is False


def test_a_client_part_of_a_statement_does_not_count():
    rest = {"mode": "client", "resource": [{"type": "Goal", "interaction": [{"code": "create"}]}]}
    assert read_offered({"rest": [rest]}).offers("Goal", "create") is False


# ---- reading from several places


def test_what_lives_in_the_ehr_and_with_us_comes_together_and_says_where(anna):
    anna.ehr.write(Write("create", goal("in the EHR")))
    anna.core.own_store(EHR).write(Write("create", goal("with us")))
    [goals] = anna.records.search(Query.of("Goal", patient="Patient/anna"))
    assert [(one.resource["description"]["text"], one.place) for one in goals] == [
        ("in the EHR", "ehr"),
        ("with us", "own"),
    ]


def test_one_that_stands_at_two_places_is_there_once(anna):
    for store in (anna.ehr, anna.core.own_store(EHR)):
        store.write(Write("create", goal(number=1)))
    [goals] = anna.records.search(Query.of("Goal", patient="Patient/anna"))
    assert [one.place for one in goals] == ["ehr"]


def test_what_moved_under_its_id_is_changed_where_it_is_now_whichever_place_answered_last(anna):
    own, there = anna.core.own_store(EHR), {**goal(number=1), "id": "one"}
    anna.ehr.write(Write("update", there))
    own.write(Write("update", with_former(there, "ehr", "Goal/one")))
    records = anna.records
    [[moved]] = records.search(Query.of("Goal", patient="Patient/anna"))
    danced = {**moved.resource, "description": {"text": "Dansen"}}
    [changed] = records.save([Write("update", danced, if_match=moved.etag)])
    assert (moved.place, changed.place) == ("own", "own")
    assert own.read("Goal", "one").resource["description"]["text"] == "Dansen"
    assert anna.ehr.read("Goal", "one").resource["description"]["text"] == "Zingen"


def test_two_that_share_an_identifier_at_one_place_are_both_there(anna):
    for _ in range(2):
        anna.ehr.write(Write("create", goal(number=1)))
    [goals] = anna.records.search(Query.of("Goal", patient="Patient/anna"))
    assert len(goals) == 2


def test_another_persons_resource_is_not_there_even_when_the_server_gives_it(anna):
    other = anna.ehr.write(Write("create", goal("van Bram", subject={"reference": "Patient/bram"}))).resource
    assert anna.records.search(Query.of("Goal")) == [[]]
    with pytest.raises(NotFound):
        anna.records.read("Goal", other["id"])


def test_two_issuers_have_two_records_with_us(app):
    core = app.extensions[KEY]
    core.own_store("https://one.example").write(Write("create", goal()))
    assert core.own_store("https://two.example").search(Query.of("Goal")) == []


def test_a_type_we_do_not_know_is_refused(anna):
    with pytest.raises(Refused):
        anna.records.search(Query.of("Medication"))


def test_what_lives_with_us_is_changed_with_us(app):
    anna = launched(app, scopes="openid patient/*.rs")
    [made] = anna.records.save([Write("create", goal())])
    assert made.place == "own"
    records = anna.records
    [changed] = records.save(
        [Write("update", {**made.resource, "description": {"text": "Dansen"}}, if_match=made.etag)]
    )
    assert (changed.place, changed.resource["description"]["text"]) == ("own", "Dansen")
    with pytest.raises(Conflict):
        anna.records.save([Write("update", made.resource, if_match=made.etag)])


def test_a_new_part_of_a_plan_goes_where_the_plan_lives(app):
    reader = launched(app, scopes="openid patient/*.rs")
    plan = {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": SUBJECT}
    [made] = reader.records.save([Write("create", plan)])
    assert made.place == "own"
    writer = launched(app)  # may write in the EHR now
    saved = writer.records.save([Write("create", goal()), Write("update", made.resource, if_match=made.etag)])
    assert [one.place for one in saved] == ["own", "own"]


def test_every_new_resource_gets_a_name_by_which_it_can_be_found_again(anna):
    [made] = anna.records.save([Write("create", goal())])
    [identifier] = made.resource["identifier"]
    assert identifier["system"] == "urn:ietf:rfc:3986"
    assert identifier["value"].startswith("urn:uuid:")


def test_a_parameter_the_ehr_does_not_know_is_judged_here(anna, monkeypatch):
    for text, status in (("oud", "completed"), ("nieuw", "active")):
        anna.ehr.write(Write("create", goal(text, lifecycleStatus=status)))
    asked_for = []
    statement = anna.ehr.capabilities()
    for row in statement["rest"][0]["resource"]:
        row["searchParam"] = [{"name": "patient", "type": "reference"}]
    search = anna.ehr.search
    monkeypatch.setattr(anna.ehr, "capabilities", lambda: statement, raising=False)
    monkeypatch.setattr(anna.ehr, "search", lambda query: asked_for.append(query) or search(query), raising=False)
    [goals] = anna.records.search(Query.of("Goal", {"patient": "Patient/anna", "lifecycle-status": "active"}))
    assert [one.resource["description"]["text"] for one in goals] == ["nieuw"]
    assert [query.params for query in asked_for] == [(("patient", "Patient/anna"),)]


# ---- matching without a server


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, True),
        ({"patient": "Patient/anna"}, True),
        ({"patient": "anna"}, True),
        ({"patient": f"{EHR}/Patient/anna"}, True),
        ({"patient": "Patient/ann"}, False),
        ({"identifier": f"{SYSTEM}|1"}, True),
        ({"identifier": "1"}, True),
        ({"identifier": f"{SYSTEM}|"}, True),
        ({"identifier": "other|1"}, False),
        ({"lifecycle-status": "active,completed"}, True),
        ({"lifecycle-status": "completed"}, False),
        ({"lifecycle-status:not": "completed"}, True),
        ({"lifecycle-status:missing": "true"}, False),
        ({"_id": "7"}, False),
        ({"_sort": "-start-date", "_count": "5"}, True),
    ],
)
def test_a_resource_in_hand_is_judged_as_a_server_would(params, found):
    assert matches(goal(number=1), Query.of("Goal", params), EHR) is found


# ---- the companion server


def test_a_companion_knows_the_people_by_their_address_at_the_ehr(app):
    inner = OwnStore(app.extensions[KEY].engine, "https://companion.example/fhir")
    companion = CompanionStore(inner, EHR)
    made = companion.write(Write("create", goal()))
    assert made.resource["subject"]["reference"] == "Patient/anna"
    assert inner.read("Goal", made.resource["id"]).resource["subject"]["reference"] == f"{EHR}/Patient/anna"
    assert [one.reference for one in companion.search(Query.of("Goal", subject="Patient/anna"))] == [made.reference]
    with pytest.raises(Conflict) as caught:
        companion.write(Write("update", made.resource, if_match='W/"9"'))
    assert caught.value.current.resource["subject"]["reference"] == "Patient/anna"


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("patient", "anna", f"{EHR}/Patient/anna"),
        ("patient", "Patient/anna", f"{EHR}/Patient/anna"),
        ("subject", "Patient/anna", f"{EHR}/Patient/anna"),
        ("identifier", "a|b/c", "a|b/c"),
        ("focus", "CarePlan/1", "CarePlan/1"),
    ],
)
def test_a_companion_is_asked_for_people_by_that_address_and_for_the_rest_as_it_is(name, value, sent):
    class Asked:
        def search(self, query: Query) -> list:
            self.params = query.params
            return []

    inner = Asked()
    CompanionStore(inner, EHR).search(Query(type="Goal", params=((name, value),)))
    assert inner.params == ((name, sent),)


# ---- the courier


def test_the_courier_sends_what_waits_when_its_time_has_come(anna, clock, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(anna.ehr, "write", _away, raising=False)
        [record] = anna.records.save([Write("create", goal())])
    assert record.state == "waiting"
    courier = Courier(anna.core)
    assert courier.round() == 0  # too early
    clock.now += 60
    assert courier.round() == 1
    assert len(anna.ehr.search(Query.of("Goal"))) == 1
    assert anna.records.waiting() == []


def test_the_courier_leaves_what_waits_when_its_launch_has_ended_and_the_next_one_sends_it(
    app, anna, clock, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(anna.ehr, "write", _away, raising=False)
        anna.records.save([Write("create", goal())])
    anna.core.launches.end(anna.launch.id)
    clock.now += 60
    Courier(anna.core).round()
    assert anna.ehr.search(Query.of("Goal")) == []
    clock.now += 3600
    launched(app)
    Courier(anna.core).round()
    assert len(anna.ehr.search(Query.of("Goal"))) == 1


def test_nobody_else_sends_what_waits(app, anna, clock, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(anna.ehr, "write", _away, raising=False)
        anna.records.save([Write("create", goal())])
    clock.now += 60
    nurse = launched(app, role="clinician")
    nurse.records.send_waiting()
    assert anna.ehr.search(Query.of("Goal")) == []
    assert nurse.records.search(Query.of("Goal", patient="Patient/anna")) == [[]]
    assert len(anna.records.waiting()) == 1


def failures(visitor) -> int:
    with visitor.core.engine.connect() as connection:
        return connection.execute(sa.select(sa.func.max(OUTBOX.c.failures))).scalar_one()


def test_a_round_that_goes_wrong_is_not_the_couriers_last(anna, clock, caplog):
    """A record that breaks in a way that no store should: the courier says so, and sends when it can."""
    flaky = anna.make_flaky()
    flaky.error = Unreachable("away")
    anna.records.save([Write("create", goal())])
    flaky.error = RuntimeError("words of Anna")
    clock.now += 60
    courier = Courier(anna.core, pause=0.01)
    courier.start()
    until(lambda: failures(anna))  # noted after it was said: a clock that is ahead would make it due much later
    flaky.error = None
    clock.now += 600  # past the pause, and well within the session
    until(lambda: not anna.records.waiting())
    courier.stop()
    courier.join(PATIENCE)
    assert "RuntimeError" in caplog.text
    assert [one.resource["description"] for one in anna.ehr.search(Query.of("Goal"))] == [goal()["description"]]
    assert "Anna" not in caplog.text


def _away(_write: Write):
    raise Unreachable("The EHR is away.")
