"""A FHIR server elsewhere: its token stays there, and its answers are judged (attacks 12, 25, 26, 35)."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import zlib

import pytest
import requests
import responses

from smartapp.fhir.remote import FORM, MOST_PAGES, MOST_PAGES_OF_HISTORY, MOST_WAITS, RemoteStore, outcome_text
from smartapp.fhir.store import (
    Conflict,
    Forbidden,
    Gone,
    NotFound,
    Query,
    Refused,
    Unauthorized,
    Unreachable,
    Write,
)

BASE = "https://ehr.example/fhir"
GOAL = {"resourceType": "Goal", "id": "1", "meta": {"versionId": "3"}, "description": {"text": "Zingen"}}
NEW = {"resourceType": "Goal", "description": {"text": "Zingen"}}


@pytest.fixture
def mock():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def store() -> RemoteStore:
    return RemoteStore(BASE, lambda refused: "second" if refused else "first")


def bundle(*resources, following: str | None = None) -> dict:
    links = [{"relation": "next", "url": following}] if following else []
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": [{"resource": r} for r in resources]}


def tokens(mock) -> list[str | None]:
    return [call.request.headers.get("Authorization") for call in mock.calls]


class Numbered:
    """A prover whose proofs are numbers."""

    def __init__(self) -> None:
        self.made = 0

    def headers(self, _method: str, _url: str, token: str, /) -> dict[str, str]:
        self.made += 1
        return {"Authorization": f"DPoP {token}", "DPoP": str(self.made)}

    def asks_again(self, _answer: object, /) -> bool:
        return False


def test_what_is_public_is_asked_for_without_token_and_without_proof(mock):
    mock.add("GET", f"{BASE}/metadata", json={"resourceType": "CapabilityStatement"})
    prover = Numbered()
    RemoteStore(BASE, lambda _refused: "t", prover=prover).capabilities()
    assert (tokens(mock), prover.made) == ([None], 0)


def test_a_resource_comes_with_its_version_tag(mock, store):
    mock.add("GET", f"{BASE}/Goal/1", json=GOAL, headers={"ETag": 'W/"3"'})
    stored = store.read("Goal", "1")
    assert (stored.resource, stored.etag) == (GOAL, 'W/"3"')


def test_a_version_in_the_content_is_a_tag_too(mock, store):
    mock.add("GET", f"{BASE}/Goal/1", json=GOAL)
    assert store.read("Goal", "1").etag == 'W/"3"'


@pytest.mark.parametrize(
    "reference", [("Goal", "../Patient/2"), ("Goal", "1?x"), ("Goal/1", "2"), ("", "1"), ("Goal", "")]
)
def test_what_is_no_reference_is_never_asked_for(mock, store, reference):
    with pytest.raises(NotFound):
        store.read(*reference)
    assert not mock.calls


def test_pages_of_the_same_server_are_followed_with_the_token(mock, store):
    mock.add("GET", f"{BASE}/Goal", json=bundle(GOAL, following=f"{BASE}/page2"))
    mock.add("GET", f"{BASE}/page2", json=bundle({**GOAL, "id": "2"}))
    assert [one.resource["id"] for one in store.search(Query.of("Goal"))] == ["1", "2"]
    assert tokens(mock) == ["Bearer first"] * 2


def versions(*resources, following: str | None = None) -> dict:
    return {**bundle(*resources, following=following), "type": "history"}


def version(number: int) -> dict:
    return {**GOAL, "meta": {"versionId": str(number)}}


def test_the_versions_of_a_resource_come_from_all_pages_and_nothing_else_does(mock, store):
    gone = {"request": {"method": "DELETE", "url": "Goal/1"}}
    first = versions(version(3), {**GOAL, "id": "2"}, following=f"{BASE}/more")
    mock.add("GET", f"{BASE}/Goal/1/_history", json={**first, "entry": [gone, *first["entry"]]})
    mock.add("GET", f"{BASE}/more", json=versions(version(2), version(1)))
    found = store.history("Goal", "1")
    assert [one.versioned for one in found] == [f"Goal/1/_history/{number}" for number in (3, 2, 1)]
    assert found[0].etag == 'W/"3"'
    assert tokens(mock) == ["Bearer first"] * 2


def test_a_history_without_end_is_read_so_far_and_none_is_a_refusal(mock, store):
    mock.add("GET", f"{BASE}/Goal/1/_history", json=versions(version(9), following=f"{BASE}/Goal/1/_history?page=2"))
    assert len(store.history("Goal", "1")) == MOST_PAGES_OF_HISTORY
    mock.add("GET", f"{BASE}/Goal/7/_history", status=405)
    with pytest.raises(Refused):
        store.history("Goal", "7")
    with pytest.raises(NotFound):
        store.history("Goal", "../Patient/2")


def test_attack_25_a_history_on_another_host_is_not_asked_for(mock, store):
    mock.add("GET", f"{BASE}/Goal/1/_history", json=versions(version(2), following="https://evil.example/fhir/x"))
    with pytest.raises(Unreachable, match="another server"):
        store.history("Goal", "1")
    assert len(mock.calls) == 1


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/fhir/Goal?page=2",
        "//evil.example/x",
        "http://ehr.example/fhir/x",
        "https://ehr.example:8443/x",
        "https://ehr.example:99999/x",
        "https://somebody@ehr.example/fhir/Goal?page=2",
        "https://[ehr.example/x",
    ],
)
def test_attack_25_a_next_page_on_another_host_is_not_asked_for(mock, store, elsewhere):
    mock.add("GET", f"{BASE}/Goal", json=bundle(GOAL, following=elsewhere))
    with pytest.raises(Unreachable, match="another server"):
        store.search(Query.of("Goal"))
    assert len(mock.calls) == 1


def test_attack_25_a_location_on_another_host_is_not_asked_for(mock, store):
    mock.add("POST", f"{BASE}/Goal", status=201, headers={"Location": "https://evil.example/fhir/Goal/7/_history/1"})
    assert store.write(Write("create", NEW)).resource["id"] == "7"
    assert len(mock.calls) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_attack_26_a_redirect_is_not_followed(mock, store, status):
    mock.add("GET", f"{BASE}/Goal/1", status=status, headers={"Location": "https://evil.example/"})
    with pytest.raises(Unreachable, match="redirect"):
        store.read("Goal", "1")
    assert len(mock.calls) == 1


def test_a_server_that_pages_for_ever_is_left_after_some(mock, store):
    def next_page(_request):
        return 200, {}, json.dumps(bundle(GOAL, following=f"{BASE}/Goal?page={len(mock.calls)}"))

    mock.add_callback("GET", f"{BASE}/Goal", callback=next_page)
    with pytest.raises(Unreachable, match="Not all could be read"):
        store.search(Query.of("Goal"))
    assert len(mock.calls) == MOST_PAGES + 1


def test_pages_that_go_in_a_circle_are_left_at_once(mock, store):
    mock.add("GET", f"{BASE}/Goal", json=bundle(GOAL, following=f"{BASE}/Goal?page=2"))
    mock.add("GET", f"{BASE}/Goal?page=2", json=bundle(GOAL, following=f"{BASE}/Goal?page=2"))
    with pytest.raises(Unreachable, match="in a circle"):
        store.search(Query.of("Goal"))
    assert len(mock.calls) == 2


@pytest.mark.parametrize("base", [BASE, "https://ehr.example:443/fhir"])
def test_a_next_page_may_name_the_port_that_goes_without_saying(mock, base):
    mock.add("GET", f"{base}/Goal", json=bundle(GOAL, following="https://EHR.example:443/fhir/Goal?page=2"))
    mock.add("GET", "https://EHR.example:443/fhir/Goal?page=2", json=bundle({**GOAL, "id": "2"}))
    assert [one.reference for one in RemoteStore(base).search(Query.of("Goal"))] == ["Goal/1", "Goal/2"]


def test_a_next_page_below_an_alias_is_asked_for_at_the_base(mock):
    """The server writes itself in another way; the token still goes to the address of the settings alone."""
    alias = "https://inside.example:8443/r4"
    mock.add("GET", f"{BASE}/Goal", json=bundle(GOAL, following=f"{alias}/Goal?page=2&x=%2F"))
    mock.add("GET", f"{BASE}/Goal?page=2&x=%2F", json=bundle({**GOAL, "id": "2"}))
    found = RemoteStore(BASE, lambda _refused: "t", aliases=[alias]).search(Query.of("Goal"))
    assert [one.reference for one in found] == ["Goal/1", "Goal/2"]
    assert {call.request.headers["Authorization"] for call in mock.calls} == {"Bearer t"}
    mock.add("GET", f"{BASE}/Task", json=bundle(following="https://inside.example:8443/r4x/Task?page=2"))
    with pytest.raises(Unreachable, match="another server"):
        RemoteStore(BASE, aliases=[alias]).search(Query.of("Task"))


def test_a_byte_order_mark_does_not_hide_an_answer(mock, store):
    mock.add("GET", f"{BASE}/Goal/1", body=b"\xef\xbb\xbf" + json.dumps(GOAL).encode())
    assert store.read("Goal", "1").resource == GOAL


def test_a_representation_without_id_is_named_by_the_location(mock, store):
    mock.add("POST", f"{BASE}/Goal", status=201, json=NEW, headers={"Location": f"{BASE}/Goal/9"})
    assert store.write(Write("create", NEW)).reference == "Goal/9"


def test_what_a_server_gives_ten_at_a_time_is_all_read(mock, store):
    """Eight years of scores at two moments a year: a trend without a warning must not lack some of them."""
    for page in range(1, 41):
        following = f"{BASE}/Observation?page={page + 1}" if page < 40 else None
        scores = [{"resourceType": "Observation", "id": f"{page}-{number}"} for number in range(10)]
        mock.add(
            "GET",
            f"{BASE}/Observation" + (f"?page={page}" if page > 1 else ""),
            json=bundle(*scores, following=following),
        )
    assert len({one.reference for one in store.search(Query.of("Observation"))}) == 400


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "[]",
        "7",
        '{"resourceType": "Patient"}',
        '{"x": NaN}',
        "[" * 10_000 + "]" * 10_000,
        b"\xff\xfe",
        "{",
    ],
    ids=["empty", "html", "list", "number", "other type", "NaN", "depth 10,000", "not UTF-8", "cut off"],
)
def test_attack_35_an_answer_that_is_not_the_resource_is_no_answer(mock, store, body):
    mock.add("GET", f"{BASE}/Goal/1", body=body)
    with pytest.raises(Unreachable):
        store.read("Goal", "1")


def test_attack_35_an_answer_without_end_is_cut_off(mock, store):
    mock.add("GET", f"{BASE}/Goal/1", body=b" " * (9 * 1024 * 1024))
    with pytest.raises(Unreachable, match="too-large"):
        store.read("Goal", "1")


def test_attack_2_an_answer_that_drips_is_left(mock, store, monkeypatch):
    """The whole answer has its time, not only the wait for the next byte."""
    monkeypatch.setattr("smartapp.fhir.http.WHOLE_SECONDS", -1)
    mock.add("GET", f"{BASE}/Goal/1", json=GOAL)
    with pytest.raises(Unreachable, match="timeout"):
        store.read("Goal", "1")


@pytest.mark.parametrize(
    ("encoding", "begin"),
    # The gzip header says that the name of a file follows; it does, for ever, and never becomes any text.
    [("identity", b""), ("gzip", b"\x1f\x8b\x08\x08\0\0\0\0\0\xff")],
)
def test_attack_2_a_body_that_comes_byte_by_byte_is_left_before_a_block_is_full(monkeypatch, encoding, begin):
    """One byte at a time never lets the read time out, and a block of 64 kB would take hours."""
    monkeypatch.setattr("smartapp.fhir.http.WHOLE_SECONDS", 0.2)
    left = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nContent-Encoding: {encoding}\r\n\r\n"
                connection.sendall(head.encode() + begin)
                while not left.wait(0.02):
                    connection.sendall(b"a")

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            with pytest.raises(Unreachable, match="timeout"):
                RemoteStore(f"http://127.0.0.1:{server.getsockname()[1]}").read("Goal", "1")
        finally:
            left.set()
            dripping.join()


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "deflate", "identity", None])
def test_an_answer_is_unpacked(mock, store, encoding):
    body = json.dumps(GOAL).encode()
    packed = {"deflate": zlib.compress, "identity": bytes, None: bytes}.get(encoding, gzip.compress)(body)
    mock.add("GET", f"{BASE}/Goal/1", body=packed, headers={"Content-Encoding": encoding} if encoding else {})
    assert store.read("Goal", "1").resource == GOAL


@pytest.mark.parametrize(
    ("encoding", "body", "code"),
    [
        ("gzip", gzip.compress(b" " * (9 * 1024 * 1024)), "too-large"),
        ("gzip", b"not packed at all", "unreachable"),
        ("br", b"a packing that nobody asked for", "encoding"),
    ],
)
def test_attack_35_what_is_packed_is_bounded_and_sound_or_refused(mock, store, encoding, body, code):
    """Nine megabytes of spaces are nine kilobytes on the line."""
    mock.add("GET", f"{BASE}/Goal/1", body=body, headers={"Content-Encoding": encoding})
    with pytest.raises(Unreachable, match=code):
        store.read("Goal", "1")


@pytest.mark.parametrize("entry", [None, 7, {}, [7, None, {"resource": 7}, {"resource": {}}]])
def test_a_search_answer_with_nonsense_in_it_gives_what_is_sound(mock, store, entry):
    mock.add("GET", f"{BASE}/Goal", json={"resourceType": "Bundle", "entry": entry, "link": entry})
    assert store.search(Query.of("Goal")) == []


def test_a_401_is_tried_once_more_with_a_new_token(mock, store):
    mock.add("GET", f"{BASE}/Goal/1", status=401)
    mock.add("GET", f"{BASE}/Goal/1", json=GOAL)
    store.read("Goal", "1")
    assert tokens(mock) == ["Bearer first", "Bearer second"]


def test_a_401_twice_ends_the_session(mock, store):
    mock.add("GET", f"{BASE}/Goal/1", status=401)
    with pytest.raises(Unauthorized):
        store.read("Goal", "1")
    assert len(mock.calls) == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Refused),
        (403, Forbidden),
        (404, NotFound),
        (405, Refused),
        (409, Conflict),
        (410, Gone),
        (412, Conflict),
        (422, Refused),
        (429, Unreachable),
        (500, Unreachable),
        (503, Unreachable),
    ],
)
def test_every_status_has_its_error_with_the_servers_own_words(mock, store, status, error):
    outcome = {"resourceType": "OperationOutcome", "issue": [{"details": {"text": "Goal.subject is missing"}}]}
    mock.add("POST", f"{BASE}/Goal", status=status, json=outcome)
    with pytest.raises(error, match=r"Goal\.subject is missing") as caught:
        store.write(Write("create", NEW))
    assert caught.value.status == status


@pytest.mark.parametrize(
    "failure", [requests.ConnectionError("x"), requests.ReadTimeout("x"), requests.exceptions.SSLError("x")]
)
def test_no_answer_is_unreachable(mock, store, failure):
    mock.add("GET", f"{BASE}/Goal/1", body=failure)
    with pytest.raises(Unreachable):
        store.read("Goal", "1")


def test_a_guarded_update_and_a_conditional_create_say_so(mock, store):
    mock.add("PUT", f"{BASE}/Goal/1", json=GOAL)
    mock.add("POST", f"{BASE}/Goal", status=201, json=GOAL)
    store.write(Write("update", GOAL, if_match='W/"3"'))
    store.write(Write("create", NEW, if_none_exist="identifier=a|b"))
    update, create = (call.request for call in mock.calls)
    assert update.headers["If-Match"] == 'W/"3"'
    assert create.headers["If-None-Exist"] == "identifier=a|b"
    assert json.loads(create.body) == NEW


def test_attack_38_a_stale_update_brings_what_is_stored_now(mock, store):
    mock.add("PUT", f"{BASE}/Goal/1", status=412)
    mock.add("GET", f"{BASE}/Goal/1", json={**GOAL, "meta": {"versionId": "4"}})
    with pytest.raises(Conflict) as caught:
        store.write(Write("update", GOAL, if_match='W/"3"'))
    assert caught.value.current.etag == 'W/"4"'


def test_a_create_that_does_not_say_where_is_not_called_stored(mock, store):
    mock.add("POST", f"{BASE}/Goal", status=201)
    with pytest.raises(Unreachable, match="says where it is"):
        store.write(Write("create", NEW))


def test_plain_http_is_not_spoken_beyond_this_machine(mock):
    with pytest.raises(Unreachable, match="insecure"):
        RemoteStore("http://ehr.example/fhir").capabilities()
    assert not mock.calls


def test_cookies_of_a_server_are_not_kept_for_the_next_user(mock, store):
    mock.add("GET", f"{BASE}/Goal/1", json=GOAL, headers={"Set-Cookie": "session=of-anna; Path=/"})
    store.read("Goal", "1")
    store.read("Goal", "1")
    assert "Cookie" not in mock.calls[1].request.headers


def test_a_password_file_of_the_machine_does_not_replace_the_token(mock, store, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine ehr.example login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    mock.add("GET", f"{BASE}/Goal/1", json=GOAL)
    store.read("Goal", "1")
    assert tokens(mock) == ["Bearer first"]


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (None, ""),
        ({"issue": "none"}, ""),
        ({"issue": [7, {"code": "invalid"}]}, "invalid"),
        ({"issue": [{"diagnostics": "a\n b"}, {"details": {"text": "c"}}]}, "a b; c"),
        ({"issue": [{"diagnostics": "x" * 400}]}, "x" * 300),
    ],
)
def test_what_a_server_says_is_one_short_line(outcome, text):
    assert outcome_text(outcome) == text


class TestSearchByPost:
    """`search = "post"` in the issuers file: no parameter is in an address, where a log on the way would keep it."""

    @pytest.fixture
    def store(self) -> RemoteStore:
        return RemoteStore(BASE, lambda refused: "second" if refused else "first", search="post")

    def test_the_parameters_go_in_a_form_and_the_pages_after_it_are_what_the_server_says(self, mock, store):
        mock.add("POST", f"{BASE}/Goal/_search", json=bundle(GOAL, following=f"{BASE}/Goal?page=2"))
        mock.add("GET", f"{BASE}/Goal?page=2", json=bundle({**GOAL, "id": "2"}))
        found = store.search(Query("Goal", (("patient", "Patient/1"), ("category", "a|b"), ("category", "c"))))
        asked = mock.calls[0].request
        assert [one.reference for one in found] == ["Goal/1", "Goal/2"]
        assert (asked.url, asked.headers["Content-Type"]) == (f"{BASE}/Goal/_search", FORM)
        assert asked.body == b"patient=Patient%2F1&category=a%7Cb&category=c"

    def test_it_is_asked_again_with_a_new_token_and_without_an_order(self, mock, store):
        mock.add("POST", f"{BASE}/Flag/_search", status=401)
        mock.add("POST", f"{BASE}/Flag/_search", status=400)
        mock.add("POST", f"{BASE}/Flag/_search", json=bundle())
        assert store.search(Query.of("Flag", patient="1", _sort="-date")) == []
        assert [call.request.body for call in mock.calls][1:] == [b"patient=1&_sort=-date", b"patient=1"]
        assert tokens(mock)[:2] == ["Bearer first", "Bearer second"]

    @pytest.mark.parametrize("status", [404, 405, 415, 501])
    def test_a_server_without_it_is_not_taken_for_one_that_found_nothing(self, mock, store, status, caplog):
        mock.add("POST", f"{BASE}/Goal/_search", status=status)
        with pytest.raises(Unreachable):
            store.search(Query.of("Goal", patient="1"))
        said = f"ehr.example has no search by POST ({status}): see search in the issuers file."
        assert [record.getMessage() for record in caplog.records] == [said]

    @pytest.mark.parametrize(
        "query",
        [
            Query.of("Patient", identifier="http://fhir.nl/fhir/NamingSystem/bsn|999911120"),
            Query.of("Patient", family="Voorbeeld", birthdate="1980-01-01"),
            Query.of("Practitioner", name="Visser"),
            Query.of("Goal", {"patient.identifier": "999911120"}),
            Query.of("Goal", {"patient:identifier": "999911120"}),
            Query.of("Patient", {"_has:Observation:patient:value-string": "Zingen"}),
            Query.of("Goal", _content="Voorbeeld"),
        ],
    )
    def test_what_tells_who_somebody_is_goes_by_post_also_where_get_is_the_rule(self, mock, query):
        mock.add("POST", f"{BASE}/{query.type}/_search", json=bundle())
        assert RemoteStore(BASE).search(query) == []
        assert mock.calls[0].request.url == f"{BASE}/{query.type}/_search"

    @pytest.mark.parametrize(
        "query",
        [Query.of("PractitionerRole", practitioner="Practitioner/7"), Query.of("RelatedPerson", patient="Patient/7")],
    )
    def test_the_id_that_a_server_gave_somebody_tells_nobody_who_they_are(self, mock, query):
        mock.add("GET", f"{BASE}/{query.type}", json=bundle())
        assert RemoteStore(BASE).search(query) == []


class TestAServerThatIsBusy:
    """`Retry-After`: a program waits for it, a page does not."""

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_program_waits_as_long_as_it_says(self, mock, status):
        mock.add("GET", f"{BASE}/Goal/1", status=status, headers={"Retry-After": "7"})
        mock.add("GET", f"{BASE}/Goal/1", json=GOAL)
        waited: list[float] = []
        assert RemoteStore(BASE, wait=waited.append).read("Goal", "1").resource == GOAL
        assert waited == [7]

    def test_each_time_a_bound_token_is_proven_anew(self, mock):
        mock.add("GET", f"{BASE}/Goal/1", status=429, headers={"Retry-After": "7"})
        mock.add("GET", f"{BASE}/Goal/1", json=GOAL)
        prover = Numbered()
        RemoteStore(BASE, lambda _refused: "t", wait=lambda _seconds: None, prover=prover).read("Goal", "1")
        assert [call.request.headers["DPoP"] for call in mock.calls] == ["1", "2"]
        assert tokens(mock) == ["DPoP t", "DPoP t"]

    def test_it_gives_up_after_some(self, mock):
        mock.add("GET", f"{BASE}/Goal/1", status=429, headers={"Retry-After": "1"})
        waited: list[float] = []
        with pytest.raises(Unreachable):
            RemoteStore(BASE, wait=waited.append).read("Goal", "1")
        assert waited == [1] * MOST_WAITS

    @pytest.mark.parametrize("said", ["86400", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", ""])
    def test_nobody_waits_for_ever(self, mock, said):
        mock.add("GET", f"{BASE}/Goal/1", status=429, headers={"Retry-After": said})
        with pytest.raises(Unreachable):
            RemoteStore(BASE, wait=pytest.fail).read("Goal", "1")

    def test_a_page_does_not_wait(self, mock, store):
        mock.add("GET", f"{BASE}/Goal/1", status=429, headers={"Retry-After": "7"})
        with pytest.raises(Unreachable):
            store.read("Goal", "1")
        assert len(mock.calls) == 1
