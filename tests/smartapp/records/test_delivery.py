"""What each answer of a server means for each parcel of a unit: answers that no server gives for the asking."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from mappers.answers import IDENTIFIER_SYSTEM as RESPONSE_SYSTEM
from mappers.identity import former
from mappers.observations import IDENTIFIER_SYSTEM as SCORE_SYSTEM
from smartapp.fhir.capabilities import Interaction, Offered
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import (
    Conflict,
    Forbidden,
    Gone,
    NotFound,
    Query,
    RecordError,
    Refused,
    Stored,
    Unauthorized,
    Unreachable,
    Write,
)
from smartapp.records.delivery import Delivery
from smartapp.records.parcels import Parcel, Unit, with_identifier
from smartapp.records.states import State
from smartapp.storage.database import open_database

EHR = "https://ehr.example/fhir"
OURS = "https://verstel.nl/fhir/identifier"
SUBJECT = {"reference": "Patient/anna", "display": "Anna"}
TYPES = frozenset({"QuestionnaireResponse", "Observation", "Goal", "CarePlan", "Task"})
EVERYTHING = dict.fromkeys(TYPES, frozenset[Interaction]({"create", "read", "update", "search-type"}))
ALL_BUT_TRANSACTIONS = Offered(known=True, interactions=EVERYTHING, conditional_create=TYPES)
AWAY = Unreachable("The EHR is away.")
THEIRS = {"description": {"text": "Van een ander"}}


def goal(name: str = "goal", text: str = "Zingen", *, addresses: Sequence[dict] = (), **more) -> Parcel:
    resource = {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": text}}
    return new({**resource, **({"addresses": list(addresses)} if addresses else {})}, name, **more)


def answers(words: str = "Beter", **more) -> Parcel:
    item = [{"linkId": "1", "answer": [{"valueString": words}]}]
    return new({"resourceType": "QuestionnaireResponse", "status": "completed", "item": item}, "response", **more)


def score(of: str = "urn:uuid:response", name: str = "score", **more) -> Parcel:
    resource = {"resourceType": "Observation", "status": "final", "code": {"text": "Hoop"}}
    return new({**resource, "derivedFrom": [{"reference": of, "display": "HOOP"}]}, name, **more)


def plan(goals: Sequence[str] = (), **more) -> Parcel:
    resource = {"resourceType": "CarePlan", "status": "active", "intent": "plan"}
    return new({**resource, "goal": [{"reference": each} for each in goals]}, "plan", **more)


def new(resource: dict, name: str, **more) -> Parcel:
    identifier = {"system": f"{OURS}/{resource['resourceType'].lower()}", "value": name}
    single = resource["resourceType"] == "QuestionnaireResponse"
    resource = {**resource, "subject": SUBJECT, "identifier": identifier if single else [identifier]}
    write = with_identifier(Write("create", resource, full_url=f"urn:uuid:{name}"))
    return Parcel(write, **{"place": "ehr", "ladder": ("own",), **more})


def change(of: Stored, text: str = "Mijn woorden", **more) -> Parcel:
    """What its author makes of a goal that is stored."""
    return Parcel(Write("update", {**of.resource, "description": {"text": text}}, if_match=of.etag), "ehr", **more)


@dataclass
class Lost:
    """What is written is there, and the answer is this."""

    error: RecordError


@dataclass
class Server:
    """A place that does what it is asked, but for the answers that a test gives it."""

    store: OwnStore
    says: dict[str, list[RecordError | Lost | Callable[[], object]]] = field(default_factory=dict)
    """What it says to the next writes of a type ("Bundle" for a transaction), or what happens just before one."""
    blind: dict[str, RecordError] = field(default_factory=dict)
    """What it says to whoever looks for a type."""
    sent: list[Write] = field(default_factory=list)
    asked: list[tuple[tuple[str, str], ...]] = field(default_factory=list)

    def read(self, type_: str, id_: str, /) -> Stored:
        if error := self.blind.get(type_):
            raise error
        return self.store.read(type_, id_)

    def search(self, query: Query, /) -> list[Stored]:
        if error := self.blind.get(query.type):
            raise error
        self.asked.append(query.params)
        return self.store.search(query)

    def write(self, write: Write, /) -> Stored:
        return self._after(write.resource["resourceType"], [write])[0]

    def write_all(self, writes: Sequence[Write], /) -> list[Stored]:
        return self._after("Bundle", writes)

    def _after(self, type_: str, writes: Sequence[Write]) -> list[Stored]:
        says = self.says.get(type_, []).pop(0) if self.says.get(type_) else None
        if isinstance(says, RecordError):
            raise says
        if callable(says):
            says()
        self.sent += writes
        stored = self.store.write_all(writes)
        if isinstance(says, Lost):
            raise says.error
        return stored

    def texts(self) -> list[str]:
        """Return the goals that it has, as their authors described them."""
        return sorted(one.resource["description"]["text"] for one in self.store.search(Query.of("Goal")))


@dataclass
class Way:
    """From a unit to an EHR and our own store."""

    ehr: Server
    own: Server
    offered: Offered = field(default_factory=lambda: ALL_BUT_TRANSACTIONS)
    kept: list[Unit] = field(default_factory=list)
    demoted: list[tuple[str, str, int]] = field(default_factory=list)
    errors: dict[int, RecordError] = field(default_factory=dict)
    known: Stored | None = None

    def offers(self, **what) -> None:
        self.offered = replace(self.offered, **what)

    def send(self, *parcels: Parcel, author_waits: bool = False) -> list[Parcel]:
        delivery = Delivery(
            {"ehr": self.ehr, "own": self.own},
            {"ehr": self.offered, "own": replace(ALL_BUT_TRANSACTIONS, transaction=True)},
            EHR,
            self.kept.append,
            lambda *refused: self.demoted.append(refused),
            whole=author_waits,
        )
        unit = Unit("u", parcels)
        unit = delivery.send(delivery.begin(unit) if author_waits else unit)
        self.errors = delivery.errors
        return list(unit.parcels)


@pytest.fixture(scope="module")
def engine():
    engine = open_database("sqlite://")
    yield engine
    engine.dispose()


@pytest.fixture
def way(engine) -> Way:
    return Way(*(Server(OwnStore(engine, EHR, tenant=str(uuid.uuid4()))) for _ in range(2)))


def states(parcels: Sequence[Parcel]) -> list[State]:
    return [one.state for one in parcels]


def sent(parcel: Parcel, **more) -> Parcel:
    """A parcel that was sent, and got no answer."""
    return replace(parcel, state="sent", **more)


# ---- in what order, and what is noted before it leaves


def test_what_others_refer_to_goes_first_and_all_that_can_go_at_once_does(way):
    parcels = way.send(score(), goal("loose"), answers())
    assert states(parcels) == ["arrived"] * 3
    assert [states(unit.parcels) for unit in way.kept] == [["ready", "sent", "sent"], ["sent", "arrived", "arrived"]]
    [stored] = way.ehr.store.search(Query.of("Observation"))
    assert stored.resource["derivedFrom"] == [{"reference": parcels[2].stored.reference, "display": "HOOP"}]


def test_two_that_refer_to_each_other_go_one_after_the_other(way):
    first = plan(["urn:uuid:goal"])
    second = goal(addresses=[{"reference": "urn:uuid:plan"}])
    assert states(way.send(first, second)) == ["arrived", "arrived"]
    assert [states(unit.parcels) for unit in way.kept] == [["sent", "ready"], ["arrived", "sent"]]


def test_one_that_refers_to_itself_is_not_held_up_by_itself(way):
    assert states(way.send(goal(addresses=[{"reference": "urn:uuid:goal"}]))) == ["arrived"]
    assert len(way.kept) == 1


def test_the_first_wave_is_noted_before_the_unit_is_kept_for_the_first_time(way):
    """One write to our database less: the unit is kept as it is sent."""
    parcels = way.send(answers(), score(), author_waits=True)
    assert states(parcels) == ["arrived", "arrived"]
    assert [states(unit.parcels) for unit in way.kept] == [["arrived", "sent"]]


def test_what_was_sent_before_is_looked_for_before_anything_leaves_also_for_an_author_who_waits(way):
    there = way.ehr.store.write(answers().write)
    parcels = way.send(sent(answers()), score(), author_waits=True)
    assert parcels[0].stored.reference == there.reference
    assert [write.resource["resourceType"] for write in way.ehr.sent] == ["Observation"]


def test_what_refers_to_something_that_did_not_arrive_waits_with_it(way):
    way.ehr.says["QuestionnaireResponse"] = [Conflict("Busy.", None, status=409)]
    parcels = way.send(answers(), score(), score("urn:uuid:score", "second"), goal())
    assert states(parcels) == ["ready", "ready", "ready", "arrived"]
    assert list(way.errors) == [0]


def test_one_place_that_is_away_holds_up_no_other(way):
    way.ehr.says["Goal"] = [AWAY]
    parcels = way.send(goal("one"), goal("two", place="own", ladder=()), score("Observation/7", place="own", ladder=()))
    assert states(parcels) == ["sent", "arrived", "arrived"]
    assert way.errors == {0: AWAY}


def test_what_cannot_be_sent_now_has_the_reason_of_its_place(way):
    """So that a server that says when it wants to be asked again is obeyed for all of the unit."""
    busy = Unreachable("Too many.", status=429, retry_after=120)
    way.ehr.says["QuestionnaireResponse"] = [busy]
    parcels = way.send(answers(), score())
    assert states(parcels) == ["ready", "ready"]
    assert way.errors == {0: busy, 1: busy}


def test_what_stopped_stays_stopped_while_the_rest_goes_on(way):
    parcels = way.send(goal("one", state="refused", reason="422"), goal("two"))
    assert [(one.state, one.reason) for one in parcels] == [("refused", "422"), ("arrived", "")]
    assert way.errors == {}


# ---- transactions


def test_where_there_are_transactions_a_unit_is_one(way):
    way.offers(transaction=True)
    parcels = way.send(score(), answers(), goal())
    assert states(parcels) == ["arrived"] * 3
    assert len(way.kept) == 1
    [stored] = way.ehr.store.search(Query.of("Observation"))
    assert stored.resource["derivedFrom"][0]["reference"] == parcels[1].stored.reference
    assert [write.resource["resourceType"] for write in way.ehr.sent] == [
        "Observation",
        "QuestionnaireResponse",
        "Goal",
    ]


def test_each_place_has_its_own_transaction(way):
    way.offers(transaction=True)
    way.ehr.says["Goal"] = way.own.says["Goal"] = [AWAY]  # to one that is sent alone
    here, there = [goal("a"), goal("b")], [goal("c", place="own"), goal("d", place="own")]
    assert states(way.send(here[0], there[0], here[1], there[1])) == ["arrived"] * 4
    assert (len(way.ehr.texts()), len(way.own.texts()), len(way.kept)) == (2, 2, 2)


def test_one_alone_needs_no_transaction(way):
    way.offers(transaction=True)
    way.ehr.says["Bundle"] = [AWAY]
    assert states(way.send(goal())) == ["arrived"]


@pytest.mark.parametrize("error", [Forbidden("No."), Refused("No."), NotFound("No."), Gone("No.")])
def test_a_transaction_that_is_refused_is_tried_one_by_one(way, error):
    way.offers(transaction=True)
    way.ehr.says = {"Bundle": [error, AWAY], "Observation": [Refused("No scores.")]}
    parcels = way.send(answers(), score(), goal())
    assert [(one.state, one.place) for one in parcels] == [("arrived", "ehr"), ("arrived", "own"), ("arrived", "ehr")]
    assert way.errors == {}
    assert parcels[1].stored.resource["derivedFrom"][0]["reference"] == parcels[0].stored.reference


def test_a_transaction_without_an_answer_is_looked_for_part_by_part(way):
    way.offers(transaction=True)
    way.ehr.says["Bundle"] = [Lost(AWAY)]
    parcels = way.send(answers(), score())
    assert [(one.state, one.reason) for one in parcels] == [("sent", AWAY.message)] * 2
    assert way.errors == {0: AWAY, 1: AWAY}
    assert states(way.send(*parcels)) == ["arrived"] * 2
    assert len(way.ehr.sent) == 2


# ---- refusals, and the ladder


@pytest.mark.parametrize(("status", "counts"), [(400, False), (403, True), (405, True), (409, False), (422, True)])
def test_a_refused_create_goes_down_and_counts_against_its_type_only_where_that_may_be_meant(way, status, counts):
    way.ehr.says["Goal"] = [Refused("No.", status=status)]
    [parcel] = way.send(goal())
    assert (parcel.state, parcel.place, parcel.ladder) == ("arrived", "own", ())
    assert way.demoted == ([("Goal", "create", status)] if counts else [])
    assert way.errors == {}


@pytest.mark.parametrize("code", ["structure", "required", "value", "invariant", "code-invalid"])
def test_a_refusal_of_this_content_by_the_servers_own_word_decides_nothing_for_others(way, code):
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}, {"code": code}]}
    way.ehr.says["Goal"] = [Refused("Wrong.", outcome=outcome)]
    [parcel] = way.send(goal())
    assert (parcel.place, way.demoted) == ("own", [])


def test_a_refusal_for_another_reason_counts_whatever_else_the_server_says(way):
    outcome = {"resourceType": "OperationOutcome", "issue": [{"code": "forbidden"}]}
    way.ehr.says["Goal"] = [Forbidden("No.", outcome=outcome)]
    way.send(goal())
    assert way.demoted == [("Goal", "create", 403)]


def test_a_refusal_elsewhere_says_nothing_of_the_ehr(way):
    way.own.says["Goal"] = [Forbidden("No.")]
    [parcel] = way.send(goal(place="own", ladder=()))
    assert (parcel.state, parcel.reason) == ("refused", "No.")
    assert (way.demoted, way.errors[0].message) == ([], "No.")


def test_a_change_that_is_refused_is_its_authors_to_decide_and_says_nothing_of_its_type(way):
    before = way.ehr.store.write(goal().write)
    way.ehr.says["Goal"] = [Forbidden("Not this one.")]
    [parcel] = way.send(change(before, ladder=("own",)))
    assert (parcel.state, parcel.place, parcel.reason) == ("refused", "ehr", "Not this one.")
    assert (way.demoted, way.errors[0].message) == ([], "Not this one.")


def living(of: Stored, text: str = "Mijn woorden", **more) -> Parcel:
    """What its author makes of a living form that is stored; it may go on in our own store."""
    resource = {**answers(text).write.resource, "id": of.resource["id"], "status": "amended"}
    return Parcel(Write("update", resource, if_match=of.etag, living=True), "ehr", **{"ladder": ("own",), **more})


@pytest.mark.parametrize("status", [403, 405, 422])
def test_a_living_form_goes_on_lower_where_it_may_not_be_changed(way, status):
    """Seed 1737: an EHR took one while it was not known what it does, and its author could never change it."""
    before = way.ehr.store.write(answers("Eerst").write)
    way.ehr.says["QuestionnaireResponse"] = [Refused("No changes.", status=status)]
    [parcel] = way.send(living(before, "Toch anders"))
    assert (parcel.state, parcel.place, parcel.ladder, way.errors) == ("arrived", "own", (), {})
    assert way.demoted == [("QuestionnaireResponse", "update", status)]
    made, sent_to_ehr = parcel.stored.resource, living(before, "Toch anders").write.resource
    assert (made["item"], made["identifier"]) == (sent_to_ehr["item"], sent_to_ehr["identifier"])
    assert list(former(made)) == [("ehr", before.reference)]
    assert way.ehr.store.read("QuestionnaireResponse", before.resource["id"]).etag == before.etag
    # Another tab that does not know of it yet is not taken for the same words, and its author sees both.
    way.ehr.says["QuestionnaireResponse"] = [Refused("No changes.", status=status)]
    [parcel] = way.send(living(before, "In een ander venster"))
    assert (parcel.state, parcel.place) == ("conflict", "own")


@pytest.mark.parametrize(
    ("error", "ladder"),
    [
        (Refused("Wrong.", status=422, outcome={"issue": [{"code": "value"}]}), ("own",)),
        (Refused("Not like this.", status=400), ("own",)),
        (Forbidden("No."), ()),
    ],
)
def test_a_living_form_stays_where_what_was_refused_is_these_words_or_there_is_nothing_lower(way, error, ladder):
    before = way.ehr.store.write(answers("Eerst").write)
    way.ehr.says["QuestionnaireResponse"] = [error]
    [parcel] = way.send(living(before, "Toch anders", ladder=ladder))
    assert (parcel.state, parcel.place, way.demoted) == ("refused", "ehr", [])


# ---- ids that we choose


def our_id(parcel: Parcel) -> str:
    identifier = parcel.write.resource["identifier"][0]
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{identifier['system']}|{identifier['value']}"))


@pytest.fixture
def choosing(way) -> Way:
    """An EHR that lets a client choose the ids of goals."""
    way.offers(update_create=frozenset({"Goal"}))
    return way


def test_the_same_thing_gets_the_same_id_where_we_may_choose_it(choosing):
    parcels = choosing.send(goal(), score("QuestionnaireResponse/7"))
    assert states(parcels) == ["arrived"] * 2
    assert parcels[0].stored.resource["id"] == our_id(goal())
    writes = {write.resource["resourceType"]: write for write in choosing.ehr.sent}
    assert (writes["Goal"].new_id, writes["Goal"].resource["id"]) == (our_id(goal()), our_id(goal()))
    assert writes["Goal"].if_none_exist is None
    assert (writes["Observation"].new_id, writes["Observation"].if_none_exist) == (None, score().write.if_none_exist)


def test_a_change_keeps_the_id_of_what_it_changes(choosing):
    before = choosing.ehr.store.write(replace(goal().write, new_id="theirs"))
    [parcel] = choosing.send(change(before))
    assert parcel.stored.reference == "Goal/theirs"
    assert choosing.ehr.sent[0] == change(before).write


def test_a_server_that_neither_lets_us_choose_nor_creates_on_condition_is_sent_no_condition(way):
    way.offers(conditional_create=frozenset())
    way.send(goal())
    [write] = way.ehr.sent
    assert (write.new_id, write.if_none_exist, "id" in write.resource) == (None, None, False)


@pytest.mark.parametrize("status", [400, 404, 405])
def test_a_server_that_does_not_know_our_ids_after_all_gets_it_without(choosing, status):
    choosing.ehr.says["Goal"] = [Refused("No such request.", status=status)]
    [parcel] = choosing.send(goal())
    assert (parcel.state, parcel.place) == ("arrived", "ehr")
    assert choosing.ehr.sent[0].new_id is None
    assert (choosing.demoted, choosing.errors) == ([], {})


def test_a_server_that_refuses_it_under_our_id_for_another_reason_is_not_asked_again(choosing):
    choosing.ehr.says["Goal"] = [Forbidden("No goals.")]
    [parcel] = choosing.send(goal())
    assert (parcel.place, choosing.ehr.sent, choosing.demoted) == ("own", [], [("Goal", "create", 403)])


def test_what_was_sent_under_our_id_is_looked_for_under_it_and_then_by_its_identifier(choosing):
    there = choosing.ehr.store.write(replace(goal().write, new_id=our_id(goal())))
    assert choosing.send(sent(goal()))[0].stored.reference == there.reference
    assert choosing.ehr.asked == []
    other = choosing.ehr.store.write(replace(goal("other").write, new_id=None))  # under an id of the server
    assert choosing.send(sent(goal("other")))[0].stored.reference == other.reference
    assert choosing.ehr.asked == [(("identifier", f"{OURS}/goal|other"),)]


# ---- answers that may not be amended


def response(words: str = "Eerst", number: str = "r1", **more) -> Parcel:
    """A response as the app names it."""
    parcel = answers(words, **more)
    identifier = {"system": RESPONSE_SYSTEM, "value": number}
    write = Write("create", {**parcel.write.resource, "identifier": identifier}, full_url="urn:uuid:response")
    return replace(parcel, write=with_identifier(write))


def hope(number: str = "r1/hope", **more) -> Parcel:
    """A score of it."""
    parcel = score(**more)
    identifier = [{"system": SCORE_SYSTEM, "value": number}]
    write = Write("create", {**parcel.write.resource, "identifier": identifier}, full_url="urn:uuid:score")
    return replace(parcel, write=with_identifier(write))


def words_of(way: Way) -> dict[str, str]:
    """Return what each response at the EHR says, by the value of its identifier."""
    found = [one.resource for one in way.ehr.store.search(Query.of("QuestionnaireResponse"))]
    return {one["identifier"]["value"]: one["item"][0]["answer"][0]["valueString"] for one in found}


@pytest.fixture
def unchanging(way) -> Way:
    """An EHR that offers to create, and to change nothing, and has a response."""
    for type_ in ("QuestionnaireResponse", "Observation"):
        way.offers(interactions={**way.offered.interactions, type_: frozenset({"create", "read", "search-type"})})
    way.known = way.ehr.store.write(response().write)
    return way


@pytest.mark.parametrize("author_waits", [True, False])
def test_answers_that_may_not_be_amended_go_on_as_a_response_of_their_own_with_its_scores(unchanging, author_waits):
    parcels = unchanging.send(response("Toch anders", known=unchanging.known), hope(), author_waits=author_waits)
    assert states(parcels) == ["arrived", "arrived"]
    assert words_of(unchanging) == {"r1": "Eerst", "r1.2": "Toch anders"}
    assert [one.write.resource["identifier"][0]["value"] for one in parcels[1:]] == ["r1.2/hope"]
    assert {one.stored.resource["status"] for one in parcels} == {"completed", "final"}


def test_what_is_no_part_of_the_answers_stays_as_it_is_beside_a_successor(unchanging):
    parcels = unchanging.send(response("Toch anders", known=unchanging.known), goal())
    assert states(parcels) == ["arrived", "arrived"]
    assert parcels[1].write == goal().write
    assert words_of(unchanging) == {"r1": "Eerst", "r1.2": "Toch anders"}


def test_a_score_that_may_not_be_amended_takes_its_answers_along(way):
    way.offers(interactions={**EVERYTHING, "Observation": frozenset({"create", "read", "search-type"})})
    known = way.ehr.store.write(response().write)
    way.send(response("Toch anders", known=known), hope())
    assert words_of(way) == {"r1": "Eerst", "r1.2": "Toch anders"}


def test_an_amendment_that_is_refused_though_it_was_offered_goes_on_as_a_response_of_its_own(way):
    known = way.ehr.store.write(response().write)
    way.ehr.says["QuestionnaireResponse"] = [Refused("Nobody changes these.", status=405)]
    [parcel, _score] = way.send(response("Toch anders", known=known), hope())
    assert (parcel.state, parcel.place) == ("arrived", "ehr")
    assert words_of(way) == {"r1": "Eerst", "r1.2": "Toch anders"}
    assert (way.errors, way.demoted) == ({}, [])


def test_an_amendment_whose_content_is_refused_is_shown_to_its_author(way):
    known = way.ehr.store.write(response().write)
    outcome = {"resourceType": "OperationOutcome", "issue": [{"code": "invariant"}]}
    way.ehr.says["QuestionnaireResponse"] = [Refused("Wrong.", outcome=outcome)]
    [parcel] = way.send(response("Toch anders", known=known))
    assert (parcel.state, parcel.reason) == ("refused", "Wrong.")
    assert words_of(way) == {"r1": "Eerst"}


def test_a_first_response_is_no_successor_wherever_nothing_may_be_changed(unchanging):
    parcels = unchanging.send(response("Nieuw", "r2"), hope("r2/hope"))
    assert states(parcels) == ["arrived", "arrived"]
    assert words_of(unchanging) == {"r1": "Eerst", "r2": "Nieuw"}


def test_an_amendment_that_may_have_arrived_is_looked_for_before_it_goes_on_elsewhere(unchanging):
    amended = {**unchanging.known.resource, "status": "amended", "item": answers("Toch anders").write.resource["item"]}
    unchanging.ehr.store.write(Write("update", amended))
    [parcel] = unchanging.send(sent(response("Toch anders", known=unchanging.known)))
    assert parcel.state == "arrived"
    assert words_of(unchanging) == {"r1": "Toch anders"}


# ---- living forms, which another tab may have begun under the same name


def form(words: str = "Van mij", **more) -> Parcel:
    """A response that is made to be changed later."""
    parcel = response(words, **more)
    return replace(parcel, write=replace(parcel.write, living=True))


@pytest.mark.parametrize("transaction", [True, False])
def test_a_living_form_that_another_tab_began_first_is_not_replaced(way, transaction):
    way.offers(transaction=transaction)
    way.ehr.store.write(response("Van een ander").write)
    [parcel, other] = way.send(form(), goal())
    assert (parcel.state, other.state) == ("conflict", "arrived")
    assert isinstance(way.errors[0], Conflict)
    assert words_of(way) == {"r1": "Van een ander"}


def test_a_living_form_that_may_have_arrived_is_compared_with_what_is_found(way):
    """Its name is not its own: what is found under it may be of another tab."""
    way.ehr.store.write(response("Van een ander").write)
    [parcel] = way.send(sent(form()))
    assert parcel.state == "conflict"
    assert words_of(way) == {"r1": "Van een ander"}


@pytest.mark.parametrize("around", [{}, {"id": "row"}, {"text": "Wat zie je?"}])
def test_a_living_form_that_arrived_is_found_however_the_server_keeps_it(way, around):
    item = {"linkId": "1", "answer": [{"valueString": "Van mij"}]}
    kept = [{"linkId": "2", "answer": [{"valueString": "Meer"}]}, {**item, **around}]
    way.ehr.store.write(Write("create", {**form().write.resource, "item": kept}))
    [parcel] = way.send(sent(form()))
    assert parcel.state == "arrived"
    assert way.ehr.sent == []


def test_a_living_form_that_is_known_to_be_there_with_other_words_is_not_amended(way):
    """As our own list of arrivals tells it, where the index of a server is behind."""
    known = way.ehr.store.write(response("Van een ander").write)
    [parcel] = way.send(sent(form(), known=known))
    assert parcel.state == "conflict"
    assert words_of(way) == {"r1": "Van een ander"}


def test_a_change_of_a_living_form_never_goes_on_under_another_name(unchanging):
    update = Write("update", {**unchanging.known.resource, "status": "amended"}, if_match="1", living=True)
    unchanging.ehr.says["QuestionnaireResponse"] = [Refused("Nobody changes these.", status=405)]
    [parcel] = unchanging.send(Parcel(update, "ehr"))
    assert parcel.state == "refused"
    assert words_of(unchanging) == {"r1": "Eerst"}


# ---- copies for the chart


def document() -> Parcel:
    content = [{"attachment": {"contentType": "application/pdf", "title": "Plan"}}]
    return new({"resourceType": "DocumentReference", "status": "current", "content": content}, "document", ladder=())


def test_a_copy_for_the_chart_that_is_refused_is_given_up_with_a_line_for_the_operator(way, caplog):
    way.ehr.says["DocumentReference"] = [Refused("No documents.")]
    assert way.send(document()) == []
    assert way.errors == {}
    assert "A copy for the chart was refused with 422, and is given up." in caplog.text


def test_a_copy_that_is_found_is_the_one_that_was_sent_whatever_the_server_made_of_it(way):
    there = {**document().write.resource, "content": [{"attachment": {"url": "Binary/7"}}]}
    there = way.ehr.store.write(Write("create", there))
    [parcel] = way.send(sent(document(), amends=True))
    assert (parcel.state, parcel.stored.reference) == ("arrived", there.reference)


# ---- one transaction that someone else overtook


@pytest.fixture
def overtaken(way) -> list[Parcel]:
    """A new goal, and a change of one that someone else changed meanwhile."""
    way.offers(transaction=True)
    before = way.ehr.store.write(goal("theirs").write)
    way.ehr.store.write(Write("update", {**before.resource, **THEIRS}))
    return [goal("mine", "Fietsen"), change(before)]


def test_an_author_who_is_there_decides_about_all_of_an_overtaken_transaction(way, overtaken):
    parcels = way.send(*overtaken, author_waits=True)
    assert states(parcels) == ["conflict", "conflict"]
    assert [type(error) for error in way.errors.values()] == [Conflict, Conflict]
    assert [one.reason for one in parcels] == [error.message for error in way.errors.values()] != ["", ""]
    assert way.ehr.texts() == ["Van een ander"]


def test_where_nobody_waits_only_what_was_overtaken_stops_and_the_rest_arrives(way, overtaken):
    parcels = way.send(*overtaken)
    assert states(parcels) == ["arrived", "conflict"]
    assert list(way.errors) == [1]
    assert way.ehr.texts() == ["Fietsen", "Van een ander"]


@pytest.mark.parametrize("author_waits", [True, False])
def test_a_server_that_is_busy_with_the_same_new_things_gets_them_later(way, author_waits):
    """409 to a transaction of creates: nobody can have overtaken what is new."""
    way.offers(transaction=True)
    way.ehr.says["Bundle"] = [Conflict("Busy.", None, status=409, retry_after=60)]
    parcels = way.send(answers(), score(), author_waits=author_waits)
    assert states(parcels) == ["ready", "ready"]
    assert [(type(one), one.status, one.retry_after) for one in way.errors.values()] == [(Unreachable, 409, 60)] * 2
    assert way.ehr.sent == []


def test_a_transaction_with_a_change_can_be_overtaken_by_409_too(way):
    way.offers(transaction=True)
    before = way.ehr.store.write(goal().write)
    way.ehr.says["Bundle"] = [Conflict("Changed.", None, status=409)]
    parcels = way.send(goal("mine"), change(before), author_waits=True)
    assert states(parcels) == ["conflict", "conflict"]


def test_a_precondition_that_failed_without_a_change_is_no_server_that_is_busy(way):
    way.offers(transaction=True)
    way.ehr.says["Bundle"] = [Conflict("More than one.", None)]
    assert states(way.send(answers(), score(), author_waits=True)) == ["conflict", "conflict"]


# ---- a create that finds something there


def test_what_the_same_author_said_before_is_amended_under_the_version_that_was_found(way):
    before = way.ehr.store.write(answers("Eerst").write)
    [parcel] = way.send(answers("Toch anders"))
    assert parcel.state == "arrived"
    assert (way.ehr.sent[-1].method, way.ehr.sent[-1].if_match) == ("update", before.etag)
    [stored] = way.ehr.store.search(Query.of("QuestionnaireResponse"))
    assert (stored.resource["status"], stored.resource["item"]) == (
        "amended",
        answers("Toch anders").write.resource["item"],
    )


def test_of_a_plan_what_is_found_is_another_tabs_and_its_author_sees_both(way):
    way.ehr.store.write(goal(text="In een ander tabblad").write)
    [parcel] = way.send(goal(text="Hier"))
    assert (parcel.state, parcel.reason) == ("conflict", "Someone else made this in the meantime.")
    assert way.errors[0].current.resource["description"]["text"] == "In een ander tabblad"
    assert way.ehr.texts() == ["In een ander tabblad"]


def test_what_is_found_in_the_same_words_has_arrived(way):
    before = way.ehr.store.write(goal().write)
    [parcel] = way.send(goal())
    assert (parcel.state, parcel.stored.reference) == ("arrived", before.reference)
    assert way.errors == {}


# ---- looking back


def test_a_place_that_does_not_let_us_look_is_tried_three_times_and_then_left(way):
    """It let us write, and refuses every look: it counts as one that does not keep this."""
    way.ehr.blind["Goal"] = Forbidden("No looking.")
    [first] = way.send(sent(goal()))
    assert (first.state, first.unseen, first.place, first.reason) == ("sent", 1, "ehr", "No looking.")
    assert way.errors[0].message == "No looking."
    [second] = way.send(first)
    assert (second.state, second.unseen, second.place) == ("sent", 2, "ehr")
    [third] = way.send(second)
    assert (third.state, third.unseen, third.place) == ("arrived", 0, "own")
    assert (way.ehr.texts(), way.own.texts()) == ([], ["Zingen"])
    assert way.errors == {}


def test_what_can_go_nowhere_else_is_shown_to_its_author_after_the_third_look(way):
    way.ehr.blind["Goal"] = Refused("No looking.")
    [parcel] = way.send(sent(goal(), ladder=(), unseen=2))
    assert (parcel.state, parcel.unseen, parcel.reason) == ("refused", 3, "No looking.")
    assert list(way.errors) == [0]


def test_a_change_that_cannot_be_looked_for_does_not_go_elsewhere(way):
    before = way.ehr.store.write(goal().write)
    way.ehr.blind["Goal"] = Forbidden("No looking.")
    [parcel] = way.send(sent(change(before), ladder=("own",), unseen=2))
    assert (parcel.state, parcel.place, parcel.reason) == ("refused", "ehr", "No looking.")


@pytest.mark.parametrize("error", [NotFound("Not there."), Gone("Deleted.")])
def test_a_change_of_what_is_not_there_any_more_is_shown_to_its_author(way, error):
    before = way.ehr.store.write(goal().write)
    way.ehr.blind["Goal"] = error
    [parcel] = way.send(sent(change(before)))
    assert (parcel.state, parcel.reason) == ("refused", error.message)
    assert way.errors == {0: error}


@pytest.mark.parametrize("error", [NotFound("Not there."), Gone("Deleted.")])
def test_a_create_that_is_not_there_is_sent_again(way, error):
    way.ehr.blind["Goal"] = error
    assert states(way.send(sent(goal()))) == ["arrived"]
    assert way.ehr.texts() == ["Zingen"]


def test_a_place_that_is_away_is_sent_nothing_more_and_another_goes_on(way):
    way.ehr.blind["Goal"] = AWAY
    parcels = way.send(sent(goal("one")), goal("two"), goal("three", place="own", ladder=()))
    assert [(one.state, one.unseen) for one in parcels] == [("sent", 0), ("ready", 0), ("arrived", 0)]
    assert way.errors == {0: AWAY, 1: AWAY}
    assert way.ehr.sent == []


def test_what_is_found_as_it_was_before_the_change_is_sent_again(way):
    before = way.ehr.store.write(goal().write)
    assert states(way.send(sent(change(before)))) == ["arrived"]
    assert way.ehr.texts() == ["Mijn woorden"]


def test_what_someone_else_changed_meanwhile_is_not_overwritten(way):
    before = way.ehr.store.write(goal().write)
    way.ehr.store.write(Write("update", {**before.resource, **THEIRS}))
    [parcel] = way.send(sent(change(before)))
    assert (parcel.state, parcel.reason) == ("conflict", "Someone else changed this in the meantime.")
    assert way.errors[0].current.resource["description"] == THEIRS["description"]
    assert way.ehr.texts() == ["Van een ander"]


def test_an_amendment_is_looked_for_where_the_earlier_answers_stand(way):
    """By its id: the server may have several responses, and one that it does not know by our identifier."""
    before = way.ehr.store.write(replace(answers("Eerst").write, resource={**answers("Eerst").write.resource}))
    [parcel] = way.send(sent(answers("Toch anders"), known=before))
    assert parcel.state == "arrived"
    assert way.ehr.asked == []
    assert way.ehr.store.read("QuestionnaireResponse", before.resource["id"]).etag == 'W/"2"'


def test_earlier_answers_that_were_deleted_are_not_amended_but_made_anew(way):
    gone = Stored({**answers().write.resource, "id": "gone"}, 'W/"1"')
    [parcel] = way.send(sent(answers("Toch anders"), known=gone))
    assert (parcel.state, parcel.known) == ("arrived", None)
    [stored] = way.ehr.store.search(Query.of("QuestionnaireResponse"))
    assert stored.resource["status"] == "completed"


def test_what_has_no_identifier_cannot_be_looked_for_and_counts_as_not_there(way):
    bare = {name: value for name, value in goal().write.resource.items() if name != "identifier"}
    [parcel] = way.send(Parcel(Write("create", bare), "ehr", state="sent"))
    assert parcel.state == "arrived"
    assert (way.ehr.asked, way.ehr.texts()) == ([], ["Zingen"])


def test_what_is_found_in_older_words_of_the_same_author_is_amended(way):
    """A unit before this one got no answer: what stands there may be what that one said."""
    way.ehr.store.write(answers("Eerst").write)
    [parcel] = way.send(sent(answers("Toch anders"), amends=True))
    assert (parcel.state, parcel.stored.resource["status"]) == ("arrived", "amended")


def test_what_was_to_be_amended_may_have_become_later_words_of_the_same_author(way):
    """Seed 70: an amendment that arrived had no answer, and its author changed the answers once more."""
    first = way.ehr.store.write(answers("Eerst").write)
    resource = {**answers("Anders").write.resource, "id": first.resource["id"], "status": "amended"}
    way.ehr.store.write(Write("update", resource))
    [parcel] = way.send(sent(answers("Toch anders"), known=first, amends=True))
    assert (parcel.state, parcel.stored.etag) == ("arrived", 'W/"3"')
    assert parcel.stored.resource["item"] == answers("Toch anders").write.resource["item"]


def test_what_is_about_somebody_else_is_no_answer_to_whether_it_arrived(way, monkeypatch):
    """Seed 779: a server gave the answers of another person, and an amendment that had arrived counted as overtaken."""
    first = way.ehr.store.write(answers("Eerst").write)
    others = Stored({**first.resource, "subject": {"reference": "Patient/bram"}}, 'W/"2"')
    monkeypatch.setattr(way.ehr, "read", lambda _type, _id: others)
    [parcel] = way.send(sent(answers("Toch anders"), known=first))
    assert (parcel.state, way.ehr.sent) == ("sent", [])
    assert [error.message for error in way.errors.values()] == [
        "The server answered with something about somebody else."
    ]


def test_whom_a_response_is_about_is_told_by_its_subject_whoever_its_source_is(way, monkeypatch):
    """Seed 1214: the source was still its author, and a page told of a refusal while the story was stored."""
    source = {"source": SUBJECT}
    first = way.ehr.store.write(replace(answers("Eerst").write, resource={**answers().write.resource, **source}))
    others = Stored({**first.resource, "subject": {"reference": "Patient/bram"}}, 'W/"2"')
    monkeypatch.setattr(way.ehr, "read", lambda _type, _id: others)
    [parcel] = way.send(replace(living(first), state="sent"))
    assert (parcel.state, way.ehr.sent) == ("sent", [])


def test_what_was_to_be_amended_and_was_changed_by_another_is_left_to_them(way):
    first = way.ehr.store.write(answers("Eerst").write)
    resource = {**answers("Van een ander").write.resource, "id": first.resource["id"], "status": "amended"}
    way.ehr.store.write(Write("update", resource))
    [parcel] = way.send(sent(answers("Toch anders"), known=first))
    assert (parcel.state, way.ehr.store.read("QuestionnaireResponse", first.resource["id"]).etag) == (
        "conflict",
        'W/"2"',
    )


def test_where_the_ehr_does_not_search_by_identifier_we_choose_among_the_persons_own(way):
    way.offers(search_params={"Goal": frozenset({"patient", "lifecycle-status"})})
    way.ehr.store.write(goal("other", "Iets anders").write)
    there = way.ehr.store.write(goal().write)
    [parcel] = way.send(sent(goal()))
    assert (parcel.state, parcel.stored.reference) == ("arrived", there.reference)
    assert way.ehr.asked == [(("patient", "Patient/anna"),)]


def test_where_only_one_content_was_ever_sent_it_is_ours_whatever_the_server_made_of_it(way):
    way.ehr.store.write(goal(text="ZINGEN").write)  # a server that writes everything in capitals
    [parcel] = way.send(sent(goal()))
    assert (parcel.state, parcel.stored.resource["description"]["text"]) == ("arrived", "ZINGEN")


def test_what_others_refer_to_is_looked_for_first_so_that_they_can_be_told_from_others(way):
    """A plan that names its new goal: both were sent, and no answer came."""
    before = way.ehr.store.write(plan().write)
    aim = way.ehr.store.write(goal().write)
    named = {**before.resource, "goal": [{"reference": aim.reference}]}
    way.ehr.store.write(Write("update", named))
    written = {**before.resource, "goal": [{"reference": "urn:uuid:goal"}]}
    care_plan = Parcel(Write("update", written, if_match=before.etag), "ehr", ("own",))
    assert states(way.send(sent(care_plan), sent(goal()))) == ["arrived", "arrived"]
    assert way.ehr.sent == []


# ---- conflicts, one by one


def test_what_the_server_says_is_there_now_needs_no_second_look(way):
    before = way.ehr.store.write(goal().write)
    way.ehr.blind["Goal"] = AWAY
    theirs = Stored({**before.resource, **THEIRS}, 'W/"2"')
    way.ehr.says["Goal"] = [Conflict("Not this version.", theirs)]
    [parcel] = way.send(change(before))
    assert (parcel.state, way.errors[0].current) == ("conflict", theirs)


def test_a_change_that_arrived_and_met_itself_has_arrived(way):
    """The first try was cut off, and the server knows it by now."""
    before = way.ehr.store.write(goal().write)
    after = Stored({**before.resource, "description": {"text": "Mijn woorden"}}, 'W/"2"')
    way.ehr.says["Goal"] = [Conflict("Not this version.", after)]
    [parcel] = way.send(change(before))
    assert (parcel.state, parcel.stored) == ("arrived", after)


def test_a_change_that_meets_409_while_nothing_changed_is_tried_later(way):
    before = way.ehr.store.write(goal().write)
    way.ehr.says["Goal"] = [Conflict("Locked.", None, status=409)]
    [parcel] = way.send(change(before))
    assert parcel.state == "ready"
    assert (type(way.errors[0]), way.errors[0].status) == (Unreachable, 409)


def test_a_change_that_meets_412_is_a_conflict_even_where_the_server_gives_no_version_to_compare(way):
    before = way.ehr.store.write(goal().write)
    way.ehr.says["Goal"] = [Conflict("Not this version.", replace(before, etag=None))]
    [parcel] = way.send(change(before))
    assert (parcel.state, parcel.reason) == ("conflict", "Not this version.")


def test_a_create_that_meets_a_conflict_and_is_not_there_is_tried_later(way):
    way.ehr.says["Goal"] = [Conflict("Busy.", None, status=409)]
    [parcel] = way.send(goal())
    assert parcel.state == "ready"
    assert (type(way.errors[0]), way.errors[0].message) == (Unreachable, "Busy.")


def test_what_a_busy_server_said_in_its_own_words_is_kept_for_who_looks_for_the_cause(way):
    outcome = {"resourceType": "OperationOutcome", "issue": [{"code": "lock-error"}]}
    way.ehr.says["Goal"] = [Conflict("Busy.", None, status=409, outcome=outcome)]
    way.send(goal())
    assert way.errors[0].outcome == outcome


# ---- a plan that moves


def test_a_plan_whose_parts_cannot_be_looked_at_waits_until_they_can(way):
    way.ehr.says["CarePlan"] = [Forbidden("No plans.")]
    way.ehr.blind["Goal"] = AWAY
    [parcel] = way.send(plan())
    assert (parcel.state, parcel.place, parcel.reason) == ("ready", "ehr", AWAY.message)
    assert way.errors == {0: AWAY}
    assert way.own.sent == []


def test_a_plan_moves_without_the_parts_that_no_page_may_see(way):
    way.ehr.says["CarePlan"] = [Forbidden("No plans.")]
    way.ehr.blind["Task"] = Forbidden("No tasks.")
    [parcel] = way.send(plan())
    assert (parcel.state, parcel.place) == ("arrived", "own")


@pytest.fixture
def moving(way) -> list[Parcel]:
    """A plan at the EHR that gets a goal, which the EHR refuses."""
    before = way.ehr.store.write(plan().write)
    way.ehr.says["Goal"] = [Forbidden("No goals.")]
    changed = {**before.resource, "goal": [{"reference": "urn:uuid:goal"}]}
    return [goal(), Parcel(Write("update", changed, if_match=before.etag), "ehr", ("own",))]


def test_someone_who_changes_the_plan_while_it_moves_stops_all_of_it(way, moving):
    """The CarePlan is closed first; its version is the lock of the move."""
    [care_plan] = way.ehr.store.search(Query.of("CarePlan"))
    theirs = {**care_plan.resource, "title": "Van een ander"}
    way.ehr.says["CarePlan"] = [lambda: way.ehr.store.write(Write("update", theirs))]
    parcels = way.send(*moving)
    assert set(states(parcels)) == {"conflict"}
    assert {one.reason for one in parcels} == {way.errors[0].message}
    assert {type(way.errors[number]) for number in range(len(parcels))} == {Conflict}
    assert way.own.sent == []
    [stays] = way.ehr.store.search(Query.of("CarePlan"))
    assert (stays.resource["title"], stays.resource["status"]) == ("Van een ander", "active")


def test_a_plan_that_someone_changed_before_it_moves_is_not_moved(way, moving):
    [care_plan] = way.ehr.store.search(Query.of("CarePlan"))
    theirs = way.ehr.store.write(Write("update", {**care_plan.resource, "title": "Van een ander"}))
    parcels = way.send(*moving)
    assert [(one.state, one.place) for one in parcels] == [("conflict", "ehr")] * 2
    assert parcels[0].reason == "Someone else changed this plan in the meantime."
    assert way.errors[0].current == theirs
    assert way.own.sent == []


def test_a_plan_that_another_tab_began_meanwhile_stays_where_that_one_is(way):
    theirs = way.ehr.store.write(plan().write)
    way.ehr.says["Goal"] = [Forbidden("No goals.")]
    parcels = way.send(goal(), plan(["urn:uuid:goal"]))
    assert (parcels[0].state, parcels[0].reason) == ("conflict", "Someone else began this plan in the meantime.")
    assert way.errors[0].current == theirs


def test_all_of_what_a_move_leaves_behind_is_given_up_where_nothing_can_be_closed(way, moving):
    way.ehr.store.write(goal("other", "Ook van dit plan").write)
    [other] = way.ehr.store.search(Query.of("Goal"))
    changed = {**moving[1].write.resource, "goal": [{"reference": "urn:uuid:goal"}, {"reference": other.reference}]}
    way.ehr.says["Goal"] = [Forbidden("No."), Forbidden("Not closed.")]
    way.ehr.says["CarePlan"] = [Forbidden("Not closed.")]
    parcels = way.send(moving[0], replace(moving[1], write=replace(moving[1].write, resource=changed)))
    assert [(one.state, one.place) for one in parcels] == [("arrived", "own")] * 3
    assert way.errors == {}
    assert way.own.texts() == ["Ook van dit plan", "Zingen"]


def test_goals_are_closed_last_so_that_no_word_is_out_of_sight_meanwhile(way, moving):
    """The CarePlan is closed first, as the lock; until the copies are there, its goals stay as they were."""
    aim = way.ehr.store.write(goal("kept", "Blijft").write)
    named = {**moving[1].write.resource, "goal": [{"reference": "urn:uuid:goal"}, {"reference": aim.reference}]}
    way.own.says["Bundle"] = [AWAY]
    way.send(moving[0], replace(moving[1], write=replace(moving[1].write, resource=named)))
    statuses = [(one.resource["status"]) for one in way.ehr.store.search(Query.of("CarePlan"))]
    assert statuses == ["entered-in-error"]
    assert way.ehr.store.read("Goal", aim.resource["id"]).resource["lifecycleStatus"] == "active"


def test_what_moves_names_in_full_what_stays_and_people_as_every_place_knows_them(way):
    stays = [{"reference": "Condition/7"}, {"reference": "https://other.example/Condition/8"}]
    way.ehr.says["Goal"] = [Forbidden("No goals.")]
    aim, _plan = way.send(goal(addresses=stays), plan(["urn:uuid:goal"]))
    moved_to = aim.stored.resource
    assert [one["reference"] for one in moved_to["addresses"]] == [
        f"{EHR}/Condition/7",
        "https://other.example/Condition/8",
    ]
    assert moved_to["subject"]["reference"] == "Patient/anna"


def test_two_that_are_given_up_at_once_leave_what_comes_after_them_alone(way):
    closings = [change(way.ehr.store.write(goal(name).write), closing=True) for name in ("one", "two")]
    way.ehr.says["Goal"] = [Forbidden("Not closed."), Forbidden("Not closed.")]
    arrived = goal("three", state="arrived", stored=Stored({"resourceType": "Goal", "id": "7"}))
    assert way.send(*closings, arrived) == [arrived]


def test_what_the_move_left_behind_gives_way_to_who_changed_it_once_every_word_is_safe(way, moving):
    """Nothing of its author depends on it any more."""
    [care_plan] = way.ehr.store.search(Query.of("CarePlan"))
    closing = Parcel(Write("update", care_plan.resource, if_match='W/"0"'), "ehr", closing=True)
    arrived = replace(goal(), state="arrived", stored=Stored({"resourceType": "Goal", "id": "7"}))
    parcels = way.send(arrived, closing)
    assert parcels == [arrived]
    assert way.errors == {}


def test_what_is_left_behind_where_we_may_not_look_is_given_up(way):
    before = way.ehr.store.write(goal().write)
    way.ehr.blind["Goal"] = Forbidden("No looking.")
    parcels = way.send(sent(change(before), closing=True))
    assert parcels == []
    assert way.errors == {}


def test_giving_up_what_was_left_behind_keeps_what_stopped_the_others_with_them(way):
    """Errors are known by position, and positions after the one that is given up move."""
    before, other = way.ehr.store.write(goal().write), way.ehr.store.write(answers().write)
    way.ehr.blind = {"Goal": Forbidden("No looking."), "QuestionnaireResponse": AWAY}
    late = Parcel(Write("update", other.resource), "ehr", state="sent")
    parcels = way.send(goal("arrived", state="arrived", stored=before), sent(change(before), closing=True), late)
    assert states(parcels) == ["arrived", "sent"]
    assert way.errors == {1: AWAY}


def test_a_plan_that_moves_takes_along_what_was_looked_for_beside_it(way):
    """The third look for the CarePlan is refused, and its goal is found: it is closed there, and made anew."""
    way.ehr.store.write(goal().write)
    way.ehr.blind["CarePlan"] = Forbidden("No looking.")
    care_plan, aim, *_others = way.send(sent(plan(["urn:uuid:goal"]), unseen=2), sent(goal()))
    assert [(one.state, one.place) for one in (care_plan, aim)] == [("arrived", "own")] * 2
    assert care_plan.stored.resource["goal"] == [{"reference": aim.stored.reference}]
    [left] = way.ehr.store.search(Query.of("Goal"))
    assert left.resource["lifecycleStatus"] == "entered-in-error"


def test_a_plan_that_may_be_there_and_cannot_move_yet_is_looked_for_again(way):
    """Sent again without a look, it could be made twice."""
    way.ehr.blind["CarePlan"] = Refused("No looking.")
    [parcel] = way.send(sent(plan(), unseen=2))
    assert (parcel.state, parcel.place, parcel.unseen) == ("sent", "ehr", 3)
    assert way.send(parcel)[0].state == "sent"
    assert way.ehr.sent == way.own.sent == []


# ---- without an answer


def test_what_the_server_surely_did_not_do_is_not_looked_for(way):
    way.ehr.says["Goal"] = [Unauthorized("Sign in again.")]
    [parcel] = way.send(goal())
    assert (parcel.state, parcel.reason) == ("ready", "Sign in again.")


def test_what_may_have_arrived_is_looked_for(way):
    way.ehr.says["Goal"] = [Lost(AWAY)]
    [parcel] = way.send(goal())
    assert (parcel.state, parcel.reason) == ("sent", AWAY.message)
    way.offers(conditional_create=frozenset())
    assert states(way.send(parcel)) == ["arrived"]
    assert way.ehr.texts() == ["Zingen"]
