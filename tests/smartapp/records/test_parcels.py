"""A parcel on its way, and the unit as it is kept on disk: also as earlier versions kept it."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from smartapp.fhir.store import Stored, Write
from smartapp.records.parcels import LONGEST_REASON, Parcel, Unit, packed, unpacked, with_identifier

GOAL = {"resourceType": "Goal", "id": "7", "description": {"text": "Zingen"}}
STORED = Stored(GOAL, 'W/"1"')


def parcel(**more) -> Parcel:
    return replace(Parcel(Write("create", GOAL, full_url="urn:uuid:g"), "ehr", ("companion", "own")), **more)


def test_one_rung_down_nothing_of_it_can_be_there_yet():
    down = parcel(state="sent", known=STORED, amends=True, unseen=2, reason="403").lower()
    assert (down.state, down.place, down.ladder) == ("ready", "companion", ("own",))
    assert (down.known, down.amends, down.unseen, down.reason) == (None, False, 0, "")


def test_a_reason_is_kept_as_far_as_its_author_will_read_it():
    stopped = parcel(state="sent").after("not taken", reason="x" * 2 * LONGEST_REASON)
    assert stopped.reason == "x" * LONGEST_REASON


def test_trying_again_changes_only_what_was_stopped():
    unit = Unit("u", tuple(parcel(state=state) for state in ("ready", "sent", "conflict", "refused")))
    assert [one.state for one in unit.again().parcels] == ["ready", "sent", "sent", "sent"]


def test_a_unit_that_was_refused_as_a_whole_keeps_what_arrived():
    unit = Unit("u", (parcel(state="arrived", stored=STORED), parcel(state="sent"), parcel()))
    assert [one.state for one in unit.refused().parcels] == ["arrived", "refused", "refused"]


def test_what_is_kept_comes_back_whole():
    one = parcel(state="sent", known=STORED, amends=True, unseen=2, closing=True, reason="500", anew=False)
    unit = Unit("u", (one, parcel(state="arrived", stored=STORED)), {"instrument": "hoop"})
    assert unpacked("u", packed(unit)) == unit


@pytest.mark.parametrize(
    ("stored", "tried", "state"),
    [(asdict(STORED), True, "arrived"), (None, True, "sent"), (None, False, "ready")],
)
def test_a_unit_of_a_version_that_knew_no_states_is_read(stored, tried, state):
    write = {"method": "create", "resource": GOAL}
    item = {"write": write, "place": "ehr", "ladder": ["own"], "stored": stored, "tried": tried}
    unit = unpacked("u", {"items": [item], "reason": "The EHR is away."})
    [one] = unit.parcels
    assert (one.state, one.reason, one.ladder) == (state, "The EHR is away.", ("own",))
    assert (one.closing, one.amends, one.anew, one.known, one.unseen) == (False, False, True, None, 0)
    assert unit.follow_up is None


def test_a_create_gets_a_name_of_its_own_under_which_it_is_made_once():
    made = with_identifier(Write("create", {"resourceType": "Goal", "identifier": [{"value": "of another"}]}))
    ours = made.resource["identifier"][-1]
    assert made.resource["identifier"][0] == {"value": "of another"}
    assert made.full_url == ours["value"]
    assert made.if_none_exist == f"identifier={ours['system']}|{ours['value']}"
    single = with_identifier(Write("create", {"resourceType": "QuestionnaireResponse"}, full_url="urn:uuid:r"))
    assert single.resource["identifier"]["value"] == "urn:uuid:r"


def test_a_condition_and_a_change_stay_as_they_were_given():
    given = with_identifier(Write("create", GOAL, full_url="urn:uuid:g", if_none_exist="identifier=a|b"))
    assert given.if_none_exist == "identifier=a|b"
    change = Write("update", GOAL, if_match='W/"1"')
    assert with_identifier(change) == change
