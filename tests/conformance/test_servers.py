"""What a server cannot do is named, and nothing hides behind it."""

from tests.conformance.servers import CHECKS, LIMITS, SERVERS, Judged, Limit, judged

LIMIT = {"check_paging": Limit("10 of 24", "it names no next page")}


def test_a_limit_is_named_with_its_reason_and_fails_nothing():
    said = {"check_paging": "10 of 24", "check_words": None}
    assert judged("one", said, LIMIT) == Judged(("one: check_paging: it names no next page",), ())


def test_a_check_that_fails_in_another_way_than_its_limit_says_has_failed():
    assert judged("one", {"check_paging": "9 of 24"}, LIMIT) == Judged((), ("one: check_paging: 9 of 24",))


def test_a_limit_that_is_none_any_more_has_failed():
    assert judged("one", {"check_paging": None}, LIMIT).failed == (
        "one: check_paging: holds now: take it out of LIMITS",
    )


def test_what_fails_without_a_limit_has_failed_also_without_words():
    assert judged("one", {"check_words": ""}, {}) == Judged((), ("one: check_words: ",))


def test_every_limit_is_one_of_a_check_on_a_server():
    names = {check.__name__ for check in CHECKS}
    assert LIMITS.keys() <= SERVERS.keys()
    assert {check for limits in LIMITS.values() for check in limits} <= names
