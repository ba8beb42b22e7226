"""One network address cannot keep the app busy: what is too much is answered 429, before anything is done for it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from smartapp.web.limits import MOST_ADDRESSES, Buckets, network
from tests.smartapp.helpers import EHR, launched, make_app, settings


def rows(app) -> int:
    engine = app.extensions["verstel"].engine
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("select count(*) from audit").scalar() or 0)


def from_(client: FlaskClient, address: str, path: str):
    return client.get(path, environ_base={"REMOTE_ADDR": address})


class TestNetwork:
    @pytest.mark.parametrize(
        ("address", "counted"),
        [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),  # a household or a whole provider's customer has a /64
            ("2001:db8:1:2::9%eth0", "2001:db8:1:2::/64"),
            ("127.0.0.1", None),
            ("::1", None),
            ("", None),
            ("unix", None),
        ],
    )
    def test_an_address_is_counted_as_its_network(self, address, counted):
        assert network(address) == counted


class TestBuckets:
    def test_a_burst_is_let_through_and_then_the_steady_rate(self):
        now = [0.0]
        bucket = Buckets(60, lambda: now[0])
        assert [bucket.take("a") for _ in range(121)] == [0] * 120 + [1]
        assert bucket.take("b") == 0  # another address has its own
        now[0] += 2
        assert [bucket.take("a") for _ in range(3)] == [0, 0, 1]

    def test_looking_takes_nothing(self):
        bucket = Buckets(1, lambda: 0.0)
        assert [bucket.take("a", 0) for _ in range(9)] == [0] * 9
        assert [bucket.take("a"), bucket.take("a"), bucket.take("a")] == [0, 0, 60]
        assert bucket.take("a", 0) == 60

    def test_nought_is_no_limit(self):
        assert not any(Buckets(0, lambda: 0.0).take("a") for _ in range(1000))

    def test_two_hundred_people_behind_one_address_stay_within_the_defaults(self):
        now, defaults = [0.0], settings()
        sign_ins = Buckets(defaults.sign_ins_per_minute, lambda: now[0])
        for request in range(400):  # two each, within half a minute
            now[0] = request * 30 / 400
            assert sign_ins.take("hospital") == 0
        pages = Buckets(defaults.pages_per_minute, lambda: now[0])
        for request in range(200 * 3 * 150):  # page, autosave and next every four seconds, for ten minutes
            now[0] = request * 4 / (200 * 3)
            assert pages.take("hospital") == 0

    def test_what_it_remembers_is_bounded(self):
        now = [0.0]
        bucket = Buckets(1, lambda: now[0])
        for number in range(MOST_ADDRESSES + 10):
            now[0] += 0.001
            bucket.take(str(number))
        assert len(bucket._levels) <= MOST_ADDRESSES
        # Who came last is still known.
        bucket.take(str(MOST_ADDRESSES + 9))
        assert bucket.take(str(MOST_ADDRESSES + 9)) > 0


class TestSignIns:
    def test_a_flood_of_sign_ins_is_told_when_to_come_back(self):
        app = make_app(sign_ins_per_minute=2)
        client = app.test_client()
        answers = [from_(client, "203.0.113.7", f"/launch?iss=https://elsewhere.example&launch={n}") for n in range(6)]
        assert [answer.status_code for answer in answers] == [400] * 4 + [429] * 2
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 30
        assert "Wacht een minuut" in answers[-1].text
        # What was not heard left no row either (defect 19: 600 rows in 1.2 s).
        assert rows(app) == 4
        assert from_(client, "203.0.113.8", f"/start?iss={EHR}x").status_code == 400

    def test_a_health_check_is_never_counted(self):
        client = make_app(pages_per_minute=1).test_client()
        assert [from_(client, "203.0.113.7", "/healthz").status_code for _ in range(9)] == [200] * 9
        assert [from_(client, "203.0.113.7", "/accessibility").status_code for _ in range(3)] == [200, 200, 429]


class TestRefusals:
    def test_who_guesses_launches_is_soon_not_heard_and_leaves_no_more_rows(self):
        app = make_app(refusals_per_minute=2)
        client = app.test_client()
        answers = [from_(client, "203.0.113.7", f"/l/guess-{number}/").status_code for number in range(8)]
        assert answers == [404] * 4 + [429] * 4
        assert rows(app) == 4

    def test_people_who_are_signed_in_go_on_beside_a_guesser_in_the_same_network(self):
        app = make_app(refusals_per_minute=2)
        anna = launched(app)
        for number in range(8):
            from_(app.test_client(), "203.0.113.7", f"/l/guess-{number}/")
        address = {"environ_base": {"REMOTE_ADDR": "203.0.113.7"}}
        assert anna.client.get(anna.url(""), **address).status_code == 200


def test_what_was_typed_comes_back_with_a_429():
    app = make_app(pages_per_minute=1)
    anna = launched(app)
    address = {"REMOTE_ADDR": "203.0.113.7"}
    form = {**anna.hidden(), "story-story": "mijn lange verhaal"}
    answers = [anna.client.post(anna.url("living/story/story/"), data=form, environ_base=address) for _ in range(3)]
    assert answers[-1].status_code == 429
    assert "mijn lange verhaal" in answers[-1].text


def test_behind_a_proxy_of_ours_the_address_that_it_saw_counts():
    client = make_app(sign_ins_per_minute=1, trusted_proxies=1).test_client()

    def launch(seen: str) -> int:
        # What came before is the caller's own word; only the last address is the proxy's.
        headers = {"X-Forwarded-For": f"198.51.100.1, {seen}"}
        return client.get("/launch?iss=x&launch=y", headers=headers).status_code

    assert [launch("203.0.113.7") for _ in range(3)] == [400, 400, 429]
    assert launch("203.0.113.8") == 400
