"""A stranger fills the log with a few rows a minute, and what more they try is counted."""

from __future__ import annotations

import pytest

from smartapp.storage.strangers import MOST_OF_ALL, MOST_OF_ONE, Strangers

NOW = 1_770_000_000  # the first second of a minute is 1_770_000_000 - 1_770_000_000 % 60


def tried(strangers: Strangers, times: int, address: str = "192.0.2.7", *, reason: str = "state-unknown", now=NOW):
    return [row for _ in range(times) for row in strangers.rows(address, "callback", reason, now)]


def test_the_first_ones_are_rows_and_the_rest_one_row_with_counts_by_reason():
    strangers = Strangers()
    assert tried(strangers, 600) == [("192.0.2.7", "callback", "state-unknown")] * MOST_OF_ONE
    assert tried(strangers, 2, reason="state-old") == []
    owed, own = tried(strangers, 1, now=NOW + 60)
    assert owed == ("192.0.2.7", "several", "592 more in a minute: state-unknown 590, state-old 2")
    assert own == ("192.0.2.7", "callback", "state-unknown")


def test_who_stays_below_has_every_row_and_owes_none():
    strangers = Strangers()
    for minute in range(3):
        assert len(tried(strangers, MOST_OF_ONE, now=NOW + 60 * minute)) == MOST_OF_ONE


def test_one_address_takes_no_rows_from_another():
    strangers = Strangers()
    tried(strangers, 600)
    assert tried(strangers, 1, "192.0.2.8") == [("192.0.2.8", "callback", "state-unknown")]


@pytest.mark.parametrize("address", ["192.0.2.{}", "2001:db8:{}::1"])
def test_many_addresses_together_are_bounded_too(address):
    strangers = Strangers()
    rows = [row for number in range(250) for row in tried(strangers, 1, address.format(number))]
    assert len(rows) == MOST_OF_ALL
    [owed, _own] = tried(strangers, 1, now=NOW + 60)
    assert owed == ("", "several", "150 more in a minute: state-unknown 150")


def test_the_addresses_of_one_ipv6_subscriber_are_one():
    strangers = Strangers()
    rows = [row for number in range(250) for row in tried(strangers, 1, f"2001:db8::{number:x}")]
    assert [address for address, _what, _why in rows] == [f"2001:db8::{number:x}" for number in range(MOST_OF_ONE)]
    [owed, _own] = tried(strangers, 1, "2001:db8::1", now=NOW + 60)
    assert owed[0] == "2001:db8::/64"
