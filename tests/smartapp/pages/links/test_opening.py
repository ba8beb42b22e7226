"""Whoever has a link opens what was shared, as HL7's specification says, and nobody else does."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag

from smartapp.courier import Courier
from smartapp.storage.health_links import HEALTH_LINKS, TRIES
from smartapp.web.limits import Buckets
from tests import shlink_client
from tests.smartapp.helpers import launched
from tests.smartapp.pages.links.conftest import FORM, PASSCODE, asked, end_all, write_anew
from tests.smartapp.pages.living.writing import FULL, of_noor

UNKNOWN = "http://localhost/shl/" + "A" * 43


def rows(visitor):
    """Return what the log says of links of this person, the oldest first: event, reason, and who it was."""
    core = visitor.core
    found = core.audit.of_person(visitor.launch.issuer_key, visitor.launch.patient.reference)[::-1]
    return [(one.event, one.reason, one.user_name) for one in found if one.role == "link"]


def manifest_answer(stranger, url, **body):
    return stranger.ask(
        "POST", url, {"content-type": "application/json"}, json.dumps({"recipient": "R", **body}).encode()
    )


# --- as the specification says ----------------------------------------------------------------------------------


def test_a_client_of_the_specification_opens_it_with_the_passcode(noor, shared, stranger):
    link = shared()
    said = shlink_client.decoded(link)
    assert link.startswith("http://localhost/view#shlink:/")
    assert (said.flag, said.v, said.exp) == ("P", 1, int(noor.core.clock()) + 7 * 86_400)
    bundle = stranger.opens(link)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "document")
    assert "Praat zacht en zeg wie je bent." in bundle["entry"][0]["resource"]["section"][0]["text"]["div"]
    assert rows(noor) == [("read", "", "Ambulance 12")]


@pytest.mark.parametrize("body", [b"[" * 8000, b'{"a":' * 1600, b"\xff\xfe", b"", b"null", b'{"recipient": "\\u202e"}'])
def test_what_is_no_request_of_the_specification_is_refused_and_nothing_breaks(shared, stranger, body):
    url = shlink_client.decoded(shared()).url
    assert stranger.ask("POST", url, {"content-type": "application/json"}, body).status_code == 400


def test_a_passcode_with_half_a_sign_is_wrong_as_another_one(shared, stranger):
    url = shlink_client.decoded(shared()).url
    answer = manifest_answer(stranger, url, passcode="\ud800aaaaa")
    assert (answer.status_code, answer.json) == (401, {"remainingAttempts": TRIES - 1})


def test_a_name_turns_round_nothing_that_stands_beside_it(noor, shared, stranger):
    link = shlink_client.decoded(shared())
    manifest_answer(stranger, link.url, passcode=PASSCODE, recipient="\u202eDr. A\u200b\u2066")
    assert rows(noor) == [("read", "", "Dr. A")]


def test_a_passcode_is_the_same_in_capitals_and_with_spaces(shared, stranger):
    link = shared(passcode="Blauwe Fiets")
    assert stranger.opens(link, " BLAUWEfiets ")


def test_a_card_may_open_without_a_passcode_and_nothing_else_may(noor, shared, stranger):
    link = shared(**{"choice-without": "1"})
    assert shlink_client.decoded(link).flag == ""
    assert stranger.opens(link, None)
    assert asked(noor, FORM, **{"choice-without": "1"}).status_code == 422


def test_attack_41_what_is_too_long_for_the_client_is_at_an_address_that_works_once_and_for_ten_minutes(
    noor, shared, stranger, clock
):
    link = shlink_client.decoded(shared())
    found = [shlink_client.manifest(stranger.ask, link, "R", PASSCODE, 100) for _ in range(2)]
    addresses = [one["files"][0]["location"] for one in found]
    assert len(set(addresses)) == 2
    assert shlink_client.files(stranger.ask, link, found[0])
    assert stranger.ask("GET", addresses[0], {}, None).status_code == 404
    clock.now += 601
    assert stranger.ask("GET", addresses[1], {}, None).status_code == 404
    assert [row[:2] for row in rows(noor)] == [
        ("read", ""),
        ("read", ""),
        ("denied", "file-over"),
        ("denied", "file-over"),
    ]


def test_what_fits_stands_in_the_answer(shared, stranger):
    link = shlink_client.decoded(shared())
    file = shlink_client.manifest(stranger.ask, link, "R", PASSCODE)["files"][0]
    assert shlink_client.manifest(stranger.ask, link, "R", PASSCODE, len(file["embedded"]))["files"][0]["embedded"]


def test_viewers_on_other_sites_may_ask_and_read_the_answer_and_no_cookie_goes_along(shared, stranger):
    url = shlink_client.decoded(shared()).url
    origin = {"Origin": "https://viewer.example", "Access-Control-Request-Method": "POST"}
    before = stranger.ask("OPTIONS", url, {**origin, "Access-Control-Request-Headers": "content-type"}, None)
    answers = [
        before,
        *(
            manifest_answer(
                replace(stranger, headers=(("Sec-Fetch-Site", "cross-site"), ("Origin", "https://viewer.example"))), one
            )
            for one in (url, UNKNOWN)
        ),
    ]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["Cache-Control"] == "no-store"
    assert "content-type" in before.headers["Access-Control-Allow-Headers"].lower()
    assert [one.status_code for one in answers] == [200, 401, 404]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"{}",
        b'{"recipient": ""}',
        b'{"recipient": 1}',
        b'{"recipient": "R", "embeddedLengthMax": -1}',
    ],
)
def test_what_is_no_manifest_request_is_refused_before_anything_is_looked_up(noor, shared, stranger, body):
    for url in (shlink_client.decoded(shared()).url, UNKNOWN):
        assert stranger.ask("POST", url, {"content-type": "application/json"}, body).status_code == 400
    assert rows(noor) == []


def test_a_body_that_is_too_large_is_not_read(shared, stranger):
    url = shlink_client.decoded(shared()).url
    assert manifest_answer(stranger, url, passcode="1" * 10_000).status_code == 413


# --- who must not open it ---------------------------------------------------------------------------------------


def test_attack_41_a_wrong_passcode_costs_a_try_and_after_the_last_one_the_link_has_ended(noor, shared, stranger):
    link = shared()
    assert [stranger.refused(link, f"00000{n}").remaining for n in range(TRIES)] == [4, 3, 2, 1, 0]
    assert stranger.refused(link).status == 404
    assert [row[:2] for row in rows(noor)] == [("denied", "wrong-passcode")] * TRIES + [("denied", "no-tries-left")]
    assert contents(noor) == [None]


def test_no_passcode_is_refused_and_costs_no_try(noor, shared, stranger):
    link = shared()
    assert [stranger.refused(link, None).remaining for _ in range(7)] == [TRIES] * 7
    assert stranger.opens(link)
    assert rows(noor)[0][:2] == ("denied", "no-passcode")


def test_attack_41_a_link_does_not_open_after_its_person_ended_it(noor, shared, stranger):
    link = shared()
    stranger.opens(link)
    end_all(noor)
    assert stranger.refused(link).status == 404
    assert [row[:2] for row in rows(noor)] == [("read", ""), ("denied", "ended")]


def test_attack_41_nor_after_its_time(noor, shared, stranger, clock):
    link = shared(days="1")
    clock.now += 86_399
    stranger.opens(link)
    clock.now += 1
    assert stranger.refused(link).status == 404
    assert rows(noor)[-1][:2] == ("denied", "time-over")
    assert contents(noor) == [None]


def test_attack_41_an_address_of_a_document_does_not_outlive_its_link(noor, shared, stranger):
    link = shlink_client.decoded(shared())
    found = shlink_client.manifest(stranger.ask, link, "R", PASSCODE, 0)
    end_all(noor)
    assert stranger.ask("GET", found["files"][0]["location"], {}, None).status_code == 404


def test_attack_41_unknown_ended_and_over_are_one_answer(noor, shared, stranger, clock):
    ended = shared()
    end_all(noor)
    over = shared(days="1")
    tried = shared()
    for n in range(TRIES):
        stranger.refused(tried, f"00000{n}")
    clock.now += 86_400
    urls = [UNKNOWN, *(shlink_client.decoded(one).url for one in (ended, over, tried))]
    answers = [manifest_answer(stranger, url, passcode=PASSCODE) for url in urls]
    alike = {(one.status_code, one.data, tuple(sorted(one.headers.items()))) for one in answers}
    assert len(alike) == 1


def test_each_of_them_costs_as_many_transactions_and_no_hash(noor, shared, stranger, clock, monkeypatch):
    ended = shared()
    end_all(noor)
    monkeypatch.setattr("smartapp.storage.health_links._hash", lambda *_: pytest.fail("a hash takes time"))
    counted = []
    sa.event.listen(noor.core.engine, "commit", lambda _connection: counted.append(1))
    taken = []
    for url in (UNKNOWN, shlink_client.decoded(ended).url):
        counted.clear()
        assert manifest_answer(stranger, url, passcode=PASSCODE).status_code == 404
        taken.append(len(counted))
    assert taken[0] == taken[1]


def test_attack_41_a_guessed_address_opens_nothing_and_is_a_row_of_nobody(noor, shared, stranger):
    shared()
    assert manifest_answer(stranger, UNKNOWN, passcode=PASSCODE).status_code == 404
    last = noor.logged()
    assert (last.event, last.patient, last.objects, last.reason) == ("refused", "", ("health-link",), "unknown")
    assert rows(noor) == []


def test_attack_41_tries_all_at_once_are_no_more_tries(noor, shared, stranger, app):
    app.extensions["verstel-health-links"] = Buckets(0)
    url = shlink_client.decoded(shared()).url
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda n: manifest_answer(stranger, url, passcode=f"{n:06}").status_code, range(40)))
    assert sorted(found) == [401] * TRIES + [404] * (40 - TRIES)
    assert manifest_answer(stranger, url, passcode=PASSCODE).status_code == 404
    assert sum(row[1] == "wrong-passcode" for row in rows(noor)) == TRIES


def test_a_link_that_is_asked_for_all_the_time_has_to_wait(shared, stranger):
    url = shlink_client.decoded(shared()).url
    found = [manifest_answer(stranger, url) for _ in range(70)]
    late = [one for one in found if one.status_code == 429]
    assert late
    assert late[0].headers["Retry-After"].isdigit()
    assert late[0].headers["Access-Control-Allow-Origin"] == "*"


def test_another_key_does_not_open_it(shared, stranger):
    link = shlink_client.decoded(shared())
    found = shlink_client.manifest(stranger.ask, link, "R", PASSCODE)
    with pytest.raises(InvalidTag):
        shlink_client.files(stranger.ask, replace(link, key="A" * 43), found)


def test_attack_41_nobody_ends_the_link_of_another_person(app, noor, shared, stranger):
    link = shared()
    (id_,) = [one.id for one in noor.core.health_links.of(person_of(noor))]
    bo = launched(app, "bo")
    assert bo.post(f"links/{id_}/end").status_code == 303
    assert bo.post("links/paper.pdf", {"link": link}).status_code == 404
    assert stranger.opens(link)


def test_the_database_has_neither_the_key_nor_the_address_nor_a_word(noor, shared, stranger):
    link = shlink_client.decoded(shared(FORM))
    stranger.opens(shared())
    with noor.core.engine.connect() as connection:
        everything = "\n".join(
            repr(tuple(row))
            for table in sa.inspect(noor.core.engine).get_table_names()
            if table.startswith(("health_link", "audit", "sessions"))
            for row in connection.execute(sa.text(f"SELECT * FROM {table}"))
        )
    for secret in (link.key, link.url.rpartition("/")[2], PASSCODE, "Praat zacht", "Ambulance", "Noor"):
        assert secret not in everything
    # Nor what is sealed, for who has our keys: the document opens with the key of its link alone.
    (sealed, *_) = [one for one in contents(noor) if one]
    jwe = noor.core.vault.open_bytes(sealed).decode()
    assert jwe.startswith("eyJ")
    assert "Praat zacht" not in jwe


# --- wiping -----------------------------------------------------------------------------------------------------


def contents(visitor):
    with visitor.core.engine.connect() as connection:
        return list(connection.execute(sa.select(HEALTH_LINKS.c.content)).scalars())


def person_of(visitor):
    return visitor.core.health_links.person(visitor.launch.issuer_key, visitor.launch.patient.reference)


def test_the_document_is_wiped_when_a_link_ends_and_the_courier_wipes_those_of_which_the_time_is_over(
    noor, shared, clock
):
    shared()
    end_all(noor)
    assert contents(noor) == [None]
    shared(days="1")
    clock.now += 2 * 86_400
    Courier(noor.core).round()
    assert contents(noor) == [None, None]
    clock.now += 366 * 86_400
    Courier(noor.core).round()
    assert contents(noor) == []


def test_a_link_can_be_ended_while_the_record_is_away(noor, shared, stranger):
    link = shared()
    noor.make_flaky().silence = ConnectionError("away")
    end_all(noor)
    assert stranger.refused(link).status == 404


def test_what_was_shared_stays_as_it_was(noor, shared, stranger):
    link = shared()
    before = stranger.opens(link)
    content = of_noor(FULL)
    write_anew(noor, replace(content, answers={**content.answers, f"{FULL}-crisis-want": ("Iets anders",)}))
    assert "Iets anders" in str(stranger.opens(shared()))
    assert stranger.opens(link) == before
