"""What is known of a thing before any server is asked: it arrived, it may have, or it stands there in older words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mappers.sameness import fingerprint
from smartapp.fhir.store import Stored, Write
from smartapp.records.arrivals import Arrival
from smartapp.records.known import taken_over, thing_of, with_arrivals
from smartapp.records.parcels import Parcel, Unit
from smartapp.records.succession import may_succeed, succeeded

SYSTEM = "https://verstel.nl/fhir/identifier/response"
LADDER = ("companion", "own")


def answers(name: str = "r-1", words: str = "Beter", type_: str = "QuestionnaireResponse", **more) -> Parcel:
    identifier = {"system": SYSTEM, "value": name}
    resource = {
        "resourceType": type_,
        "identifier": identifier if type_ == "QuestionnaireResponse" else [identifier],
        "status": "completed",
        "item": [{"linkId": "1", "answer": [{"valueString": words}]}],
    }
    return Parcel(Write("create", resource, full_url=f"urn:uuid:{name}"), "ehr", LADDER, **more)


def there(parcel: Parcel, id_: str = "7") -> Stored:
    return Stored({**parcel.write.resource, "id": id_}, 'W/"3"')


def unit(*parcels: Parcel) -> Unit:
    return Unit("u", parcels)


def only(made: Unit | None) -> Parcel:
    assert made is not None
    [parcel] = made.parcels
    return parcel


def informed(parcel: Parcel, place="ehr", before: Parcel | None = None) -> Parcel:
    """Return a parcel with what the list of arrivals says of it: that `before` (itself) arrived at a place."""
    before = before or parcel
    arrival = Arrival(place, there(before), fingerprint(before.write.resource))
    return only(with_arrivals(unit(parcel), {"key": arrival}, lambda _parcel: "key"))


def test_what_arrived_before_in_the_same_words_has_arrived():
    parcel = informed(answers())
    assert (parcel.state, parcel.stored.reference, parcel.stored.etag) == (
        "arrived",
        "QuestionnaireResponse/7",
        'W/"3"',
    )


def test_what_arrived_before_in_other_words_is_amended_where_it_stands():
    parcel = informed(answers(words="Slechter"), before=answers())
    assert (parcel.state, parcel.known.etag, parcel.stored) == ("ready", 'W/"3"', None)


def test_a_part_of_a_plan_that_arrived_in_other_words_is_looked_at_and_not_replaced():
    parcel = informed(answers(words="Slechter", type_="Goal"), before=answers(type_="Goal"))
    assert (parcel.state, parcel.known.reference) == ("sent", "Goal/7")


def test_a_living_form_that_another_tab_made_is_looked_at_though_an_older_save_met_it_first():
    """The older one stopped at what the other tab made; this one would have replaced that without a look."""
    met = there(answers(words="Van het andere tabblad"))
    older, newer = answers(words="Eerst", state="conflict", known=met), answers(words="Daarna")
    as_living = [replace(one, write=replace(one.write, living=True)) for one in (older, newer)]
    parcel = only(taken_over(unit(as_living[1]), unit(as_living[0])))
    assert (parcel.state, parcel.known) == ("sent", met)
    assert only(taken_over(unit(newer), unit(older))).state == "ready"  # answers are stated as a whole: these count


@pytest.mark.parametrize(
    ("place", "below"), [("ehr", ("companion", "own")), ("companion", ("own",)), ("own", ()), ("elsewhere", ())]
)
def test_it_goes_to_where_its_thing_stands_and_may_go_down_from_there_only(place, below):
    parcel = informed(answers(words="Slechter"), place, answers())
    assert (parcel.place, parcel.ladder) == (place, below)


@pytest.mark.parametrize(
    "parcel",
    [
        answers(state="sent"),
        answers(amends=True),
        answers(known=there(answers())),
        replace(answers(), write=Write("update", {"resourceType": "Goal", "id": "7"})),
    ],
    ids=["may have been sent", "amends", "known", "an update"],
)
def test_of_what_is_no_longer_new_the_list_says_nothing(parcel):
    assert informed(parcel) == parcel


@pytest.mark.parametrize(
    ("state", "words", "becomes", "amends"),
    [
        ("ready", "Beter", "ready", False),
        ("ready", "Slechter", "ready", False),
        ("sent", "Beter", "sent", False),
        ("sent", "Slechter", "sent", True),
        ("conflict", "Slechter", "ready", False),
        ("refused", "Beter", "ready", False),
    ],
)
def test_a_newer_unit_goes_on_from_where_the_older_one_came(state, words, becomes, amends):
    """Where the older one may have arrived, the newer one is looked for first, and amends what it finds."""
    older = answers(state=state)
    older = replace(older, place="companion", ladder=("own",))
    parcel = only(taken_over(unit(answers(words=words)), unit(older)))
    assert (parcel.state, parcel.amends) == (becomes, amends)
    assert (parcel.place, parcel.ladder) == ("companion", ("own",))
    assert parcel.write.resource["item"][0]["answer"][0]["valueString"] == words


def test_what_an_older_unit_was_to_amend_a_newer_one_amends():
    found = there(answers(words="Vroeger"))
    parcel = only(taken_over(unit(answers(words="Nu")), unit(answers(known=found, amends=True))))
    assert (parcel.known, parcel.amends) == (found, True)


def test_what_arrived_with_an_older_unit_is_known_to_the_newer_one():
    older = unit(replace(answers("r-1"), state="arrived", stored=there(answers("r-1"))), answers("r-2"))
    first, second = taken_over(unit(answers("r-1"), answers("r-2", "Slechter")), older).parcels
    assert (first.state, first.stored.reference) == ("arrived", "QuestionnaireResponse/7")
    assert (second.state, second.known) == ("ready", None)


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        (unit(answers("r-1")), unit(answers("r-1"), answers("r-2"))),
        (unit(answers("r-1")), unit(replace(answers("r-1"), state="arrived", stored=there(answers("r-1"))))),
        (unit(replace(answers(), write=replace(answers().write, method="update"))), unit(answers())),
    ],
    ids=["it says more", "nothing of it is left", "the newer one changes what is there"],
)
def test_an_older_unit_that_says_something_else_is_not_taken_over(newer, older):
    assert taken_over(newer, older) is None


def test_a_new_part_that_the_older_unit_did_not_have_stays_new():
    first, second = taken_over(unit(answers("r-1"), answers("r-2")), unit(answers("r-1", state="sent"))).parcels
    assert (first.state, second) == ("sent", answers("r-2"))


def test_two_parcels_are_of_one_thing_by_identifier_else_by_the_id_at_their_server():
    assert thing_of(answers("r-1")) == thing_of(answers("r-1", "Slechter")) != thing_of(answers("r-2"))
    bare = [Parcel(Write("update", {"resourceType": "Goal", "id": id_}), "ehr") for id_ in ("1", "1", "2")]
    assert thing_of(bare[0]) == thing_of(bare[1]) != thing_of(bare[2])


# ---- a response that could not be amended, and what succeeds it


def second(words: str = "Beter", **more) -> Parcel:
    """What succeeds the response "r-1"; its name in the unit stays."""
    made = only(succeeded(unit(answers(words=words))))
    return replace(made, **more)


def test_what_succeeds_a_response_is_new_and_nothing_is_known_of_it():
    parcel = only(succeeded(unit(answers(state="sent", known=there(answers()), amends=True, unseen=2))))
    assert parcel == second()
    assert parcel.write.resource["identifier"]["value"] == "r-1.2"
    assert parcel.write.if_none_exist == f"identifier={SYSTEM}|r-1.2"
    assert parcel.write.full_url == "urn:uuid:r-1"


def test_a_response_and_what_succeeds_it_are_one_thing():
    assert thing_of(second()) == thing_of(answers())
    parcel = only(taken_over(unit(answers(words="Slechter")), unit(second(state="sent"))))
    assert parcel == second("Slechter", state="sent", amends=True)


def test_what_succeeded_a_response_is_what_a_newer_one_amends():
    arrival = Arrival("ehr", there(second()), fingerprint(second().write.resource), number=2)
    parcel = only(with_arrivals(unit(answers(words="Slechter")), {"key": arrival}, lambda _parcel: "key"))
    assert parcel == second("Slechter", known=there(second()))
    same = only(with_arrivals(unit(answers()), {"key": arrival}, lambda _parcel: "key"))
    assert (same.state, same.stored.resource["identifier"]["value"]) == ("arrived", "r-1.2")


def test_what_succeeds_a_response_does_not_amend_that_one():
    assert informed(second("Slechter"), before=answers()) == second("Slechter")


def test_answers_that_are_not_named_by_us_have_no_successor():
    foreign = answers()
    foreign.write.resource["identifier"] = {"system": "https://ehr.example", "value": "7"}
    assert not may_succeed(unit(foreign))
    assert may_succeed(unit(answers()))


def document(name: str, **more) -> Parcel:
    identifier = {"system": "https://verstel.nl/fhir/identifier/plan-document", "value": name}
    resource = {"resourceType": "DocumentReference", "identifier": [identifier], "status": "current"}
    return Parcel(Write("create", resource, full_url=f"urn:uuid:{name}"), "ehr", **more)


@pytest.mark.parametrize("state", ["ready", "sent"])
def test_a_newer_document_of_a_plan_takes_the_place_of_one_that_waits(state):
    parcel = only(taken_over(unit(document("plan.2.b")), unit(document("plan.1.a", state=state))))
    assert (parcel.write, parcel.state) == (document("plan.2.b").write, state)
    assert taken_over(unit(document("plan.2.b")), unit(document("another.1.a"))) is None
