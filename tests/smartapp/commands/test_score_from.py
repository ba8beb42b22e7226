"""`verstel score --from`: what a whole server misses, over real HTTP, signed in as a backend service; each once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import responses
from click.testing import CliRunner, Result

from fhir_profiles.checking import claimed, problems
from mappers.answers import answers_of
from mappers.observations import observations_of
from mappers.scoring import score
from mappers.verify import differences
from smartapp.cli import main
from smartapp.deploy import backfill
from smartapp.fhir import remote
from smartapp.fhir.store import Query, Write
from tests.mappers.build import CATALOGUE, OBSERVED, all_answered, response
from tests.mappers.test_mapping import theirs
from tests.questionnaires.test_maps import written
from tests.smartapp.hospital import Hospital, running_hospital

HOOP, MANSA = CATALOGUE.instrument("hoop"), CATALOGUE.instrument("mansa")


ALONE = {"transaction": False, "conditional_create": False, "update_create": False}


@pytest.fixture(params=[{}, ALONE], ids=["transactions", "one by one"])
def hospital(request, tmp_path: Path) -> Iterator[Hospital]:
    """A server with transactions, and one with nothing of the sort, where each Observation is written by itself."""
    with running_hospital(tmp_path, "scorer", **request.param) as one:
        yield one


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Hospital]:
    with running_hospital(tmp_path, "scorer") as one:
        yield one


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch):
    monkeypatch.delenv("VERSTEL_MAPS", raising=False)
    monkeypatch.setattr("smartapp.commands.score.time.sleep", lambda _seconds: None)


def fill(hospital: Hospital, *options: str) -> Result:
    return CliRunner().invoke(main, ["score", "--from", hospital.sandbox.base, *hospital.signed, *options])


def put(hospital: Hospital, *resources: dict) -> None:
    """Keep resources under their own ids, as any program may have left them there."""
    for one in resources:
        hospital.sandbox.store.write(Write("create", one, new_id=one["id"]))


def answered(number: int, name: str = "hoop", **changes) -> dict:
    """A response of another form program: without an identifier of ours."""
    return response(name, all_answered(name), id=f"r{number}", identifier=None, **changes)


def stored(hospital: Hospital) -> list[dict]:
    return [one.resource for one in hospital.sandbox.store.search(Query("Observation"))]


def identifiers(hospital: Hospital) -> list[str]:
    return sorted(one["identifier"][0]["value"] for one in stored(hospital) if "identifier" in one)


def expected(*given: dict) -> list[str]:
    """What `verstel score` makes of these."""
    answers = [answers_of(one, CATALOGUE) for one in given]
    made = [one for each in answers for one in observations_of(each, score(each.instrument, each.values))]
    return sorted(one["identifier"][0]["value"] for one in made)


def test_what_is_missing_is_stored_once_and_is_what_score_makes(hospital: Hospital) -> None:
    given = [answered(number, one.id) for number, one in enumerate(OBSERVED)]
    put(hospital, *given)
    first = fill(hospital)
    assert first.exit_code == 0, first.stderr
    assert first.stdout.splitlines()[0] == (
        f"{len(given)} responses read: {len(given)} scored, 0 had their scores, 0 of other forms, "
        "0 of forms without scores, 0 refused."
    )
    assert identifiers(hospital) == expected(*given)
    # The numbers are those of the answers, each panel names its members where they are, and all fits our profiles.
    made = stored(hospital)
    found, looked_at = differences([*given, *made], CATALOGUE)
    assert (found, looked_at) == ([], sum(len(one.scores) for one in OBSERVED))
    there = {f"Observation/{one['id']}" for one in made}
    named = [member["reference"] for one in made for member in one.get("hasMember", [])]
    assert sorted(named) == sorted(there - {f"Observation/{one['id']}" for one in made if "hasMember" in one})
    assert [problem for one in made for profile in claimed(one) for problem in problems(one, profile)] == []
    second = fill(hospital)
    assert f"0 scored, {len(given)} had their scores" in second.stdout
    assert stored(hospital) == made


def test_a_response_of_nobody_stops_no_run_where_scores_are_found_by_their_client(
    full: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smartapp.fhir.capabilities.Offered.searches_by", lambda *_asked: False)
    by_identifier = {"identifier": {"system": "https://example.org/people", "value": "7"}}
    put(full, answered(1, subject=None), answered(2, subject=by_identifier))
    done = fill(full)
    assert done.exit_code == 1
    assert "2 responses read: 0 scored" in done.stdout
    assert [line.partition(": names")[0] for line in done.stderr.splitlines()] == [
        "QuestionnaireResponse/r1: subject",
        "QuestionnaireResponse/r2: subject",
    ]
    put(full, answered(3))
    assert "3 responses read: 1 scored" in fill(full).stdout


def test_dry_run_says_how_much_and_writes_nothing(hospital: Hospital) -> None:
    put(hospital, answered(1), answered(2), answered(3, "mansa"))
    done = fill(hospital, "--dry-run")
    assert done.exit_code == 0
    assert "3 responses read: 3 would be scored, " in done.stdout
    assert [line.split() for line in done.stdout.splitlines()[1:]] == [["hoop", "2"], ["mansa", "1"]]
    assert stored(hospital) == []


def test_what_is_not_for_scoring_is_counted_and_what_cannot_be_is_listed_with_its_reason(full: Hospital) -> None:
    outside = answered(3)
    outside["item"][0]["item"][0]["answer"] = [{"valueInteger": 9}]
    put(
        full,
        answered(1, status="in-progress"),
        answered(2, questionnaire="https://ehr.example.org/Questionnaire/phq"),
        outside,
        response("sdm-visit", all_answered("sdm-visit"), id="r4"),
        response("ropi", all_answered("ropi"), id="r6"),
        answered(5, authored=None),
    )
    done = fill(full)
    assert done.exit_code == 1
    assert done.stdout == (
        "5 responses read: 0 scored, 0 had their scores, 1 of other forms, 2 of forms without scores, 2 refused.\n"
    )
    assert sorted(done.stderr.splitlines()) == [
        "QuestionnaireResponse/r3: hoop-01: the answer is not one of the options. The options are 1, 2, 3, 4",
        "QuestionnaireResponse/r5: authored: the response has no date. Add when the answers were given",
    ]
    assert stored(full) == []


def test_rejects_go_to_a_file(full: Hospital, tmp_path: Path) -> None:
    put(full, answered(5, authored=None))
    done = fill(full, "--rejects", str(tmp_path / "refused.ndjson"))
    assert (done.exit_code, done.stderr) == (1, "")
    told = json.loads((tmp_path / "refused.ndjson").read_text(encoding="utf-8"))
    assert told == {
        "response": "QuestionnaireResponse/r5",
        "reason": "authored: the response has no date. Add when the answers were given",
    }


def elsewhere(given: dict, *, wrong: bool = False, codes: int = 99) -> list[dict]:
    """The scores that another program extracted: no identifier, no method, no panel."""
    answers = answers_of(given, CATALOGUE)
    made = observations_of(answers, score(answers.instrument, answers.values))[1:]
    kept = ("resourceType", "status", "code", "subject", "effectiveDateTime", "valueQuantity", "derivedFrom")
    found = []
    for number, one in enumerate(made[:codes]):
        copy = {name: one[name] for name in kept} | {"id": f"other-{number}"}
        if wrong:
            copy["valueQuantity"] = {**copy["valueQuantity"], "value": copy["valueQuantity"]["value"] + 1}
        found.append(copy)
    return found


def test_equal_scores_of_another_program_are_not_written_again(full: Hospital) -> None:
    given = answered(1)
    put(full, given, *elsewhere(given))
    before = stored(full)
    done = fill(full)
    assert "0 scored, 1 had their scores" in done.stdout
    assert stored(full) == before


def test_of_another_program_that_has_some_the_rest_is_written(full: Hospital) -> None:
    given = answered(1)
    put(full, given, *elsewhere(given, codes=2))
    assert fill(full).exit_code == 0
    theirs_ = {one["code"]["coding"][0]["code"] for one in elsewhere(given, codes=2)}
    assert identifiers(full) == [one for one in expected(given) if one.rpartition("/")[2] not in theirs_]
    [panel] = [one for one in stored(full) if "hasMember" in one]
    assert len(panel["hasMember"]) == len(HOOP.scores) - 2
    assert "1 had their scores" in fill(full).stdout


def test_numbers_of_another_program_that_the_answers_do_not_give_are_left_and_ours_stand_beside_them(full) -> None:
    given = answered(1)
    wrong = elsewhere(given, wrong=True)
    put(full, given, *wrong)
    assert "1 scored" in fill(full).stdout
    assert identifiers(full) == expected(given)
    assert {one["id"]: one["valueQuantity"] for one in stored(full) if one["id"].startswith("other-")} == {
        one["id"]: one["valueQuantity"] for one in wrong
    }


def test_what_somebody_took_back_does_not_come_back(full: Hospital) -> None:
    put(full, answered(1))
    fill(full)
    for one in full.sandbox.store.search(Query("Observation")):
        full.sandbox.store.write(Write("update", {**one.resource, "status": "entered-in-error"}, if_match=one.etag))
    before = stored(full)
    assert "0 scored, 1 had their scores" in fill(full).stdout
    assert stored(full) == before


def test_scores_whose_answers_were_changed_since_are_told_and_left(full: Hospital) -> None:
    put(full, answered(1))
    fill(full)
    before = stored(full)
    [one] = full.sandbox.store.search(Query("QuestionnaireResponse"))
    changed = {**answered(1, status="amended"), "item": response("hoop", all_answered("hoop", "3"))["item"]}
    full.sandbox.store.write(Write("update", changed, if_match=one.etag))
    done = fill(full)
    assert done.exit_code == 1
    assert (
        "QuestionnaireResponse/r1: the stored hoop-interconnectedness is not what the answers give. Look with"
        in done.stderr
    )
    assert stored(full) == before


# ---- cut short, busy, broken


@pytest.mark.parametrize("cut", range(1, 7))
def test_a_run_that_was_cut_short_between_two_writes_is_finished_by_the_next(tmp_path, monkeypatch, cut) -> None:
    """Without transactions some members are there, and the panel that names them is not."""
    with running_hospital(tmp_path, "scorer", **ALONE) as hospital:
        put(hospital, answered(1))
        writes = Counter()

        def dies(self, write, *, real=remote.RemoteStore.write):
            writes["all"] += 1
            if writes["all"] > cut:
                raise KeyboardInterrupt
            return real(self, write)

        with monkeypatch.context() as patched:
            patched.setattr(remote.RemoteStore, "write", dies)
            assert fill(hospital).exit_code != 0
        assert len(stored(hospital)) == cut
        assert fill(hospital).exit_code == 0
        assert identifiers(hospital) == expected(answered(1))
        [panel] = [one for one in stored(hospital) if "hasMember" in one]
        there = {f"Observation/{one['id']}" for one in stored(hospital)}
        assert {member["reference"] for member in panel["hasMember"]} <= there


@pytest.mark.parametrize("fault", [503, "drop", "drop-before"])
def test_a_write_without_an_answer_is_looked_for_and_tried_again(hospital: Hospital, fault) -> None:
    put(hospital, answered(1), answered(2, "mansa"))
    for type_ in ("Bundle", "Observation"):
        hospital.sandbox.faults.add("POST", type_, fault)
    done = fill(hospital)
    assert done.exit_code == 0, done.stderr
    assert identifiers(hospital) == expected(answered(1), answered(2, "mansa"))
    assert "2 scored" in done.stdout


def test_a_server_that_stays_away_ends_the_run_with_what_to_do(full: Hospital) -> None:
    put(full, answered(1))
    full.sandbox.faults.add("POST", "Bundle", 502, times=1000)
    done = fill(full)
    assert done.exit_code == 1
    assert "Stopped before the end: " in done.stderr
    assert done.stderr.rstrip().endswith("Run again to continue.")
    assert full.sandbox.faults.happened == backfill.MOST_TRIES
    full.sandbox.faults.clear()
    assert "1 scored" in fill(full).stdout


def test_whole_server_page_by_page_and_no_more_at_once(full: Hospital, monkeypatch) -> None:
    monkeypatch.setattr(backfill, "LOOKED_UP", 3)
    given = [answered(number, "hoop" if number % 2 else "mansa") for number in range(11)]
    put(full, *given)
    sizes, real = [], backfill.Backfill._done
    monkeypatch.setattr(backfill.Backfill, "_done", lambda self, page: sizes.append(len(page)) or real(self, page))
    assert "11 responses read: 11 scored" in fill(full, "--page", "4").stdout
    assert sizes == [4, 4, 3]
    assert identifiers(full) == expected(*given)


def test_state_goes_on_with_what_was_changed_since(full: Hospital, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    put(full, answered(1), answered(2))
    assert fill(full, "--state", str(state), "--dry-run").exit_code == 0
    assert not state.exists()
    assert "2 responses read: 2 scored" in fill(full, "--state", str(state)).stdout
    kept = orjson.loads(state.read_bytes())
    last = max(one.resource["meta"]["lastUpdated"] for one in full.sandbox.store.search(Query("QuestionnaireResponse")))
    assert kept == {"server": full.sandbox.base, "read_until": last}
    put(full, answered(3))
    # What was changed at that very moment is read once more.
    assert "1 scored" in (done := fill(full, "--state", str(state))).stdout
    assert int(done.stdout.split()[0]) <= 3
    assert identifiers(full) == expected(answered(1), answered(2), answered(3))


def test_state_stays_where_it_was_when_a_page_was_not_finished(full: Hospital, tmp_path: Path, monkeypatch) -> None:
    state = tmp_path / "state.json"
    put(full, answered(1), answered(2))
    real = remote.RemoteStore.write_all
    calls = []

    def second_breaks(self, writes):
        calls.append(1)
        if len(calls) > 1:
            raise remote.Unreachable("away.")
        return real(self, writes)

    with monkeypatch.context() as patched:
        patched.setattr(remote.RemoteStore, "write_all", second_breaks)
        assert fill(full, "--state", str(state), "--page", "1").exit_code == 1
    until = orjson.loads(state.read_bytes())["read_until"]
    first, second = (full.sandbox.store.read("QuestionnaireResponse", id_) for id_ in ("r1", "r2"))
    assert until == first.resource["meta"]["lastUpdated"] <= second.resource["meta"]["lastUpdated"]
    assert "1 scored" in fill(full, "--state", str(state)).stdout


def test_a_state_of_another_server_or_another_file_is_refused(full: Hospital, tmp_path: Path) -> None:
    for text, said in (('{"server": "https://else", "read_until": "2026"}', "is of https://else"), ("[]", "is not su")):
        (tmp_path / "state.json").write_text(text, encoding="utf-8")
        done = fill(full, "--state", str(tmp_path / "state.json"))
        assert done.exit_code == 2
        assert said in done.stderr


def test_without_a_search_by_derived_from_the_scores_are_found_by_client_and_code(full: Hospital, monkeypatch) -> None:
    put(full, answered(1), answered(2))
    assert "1 of" not in fill(full).stdout
    before, real = stored(full), remote.RemoteStore.capabilities

    def without(self):
        statement = real(self)
        for one in statement["rest"][0]["resource"]:
            one["searchParam"] = [each for each in one.get("searchParam", []) if each["name"] != "derived-from"]
        return statement

    monkeypatch.setattr(remote.RemoteStore, "capabilities", without)
    asked, search = [], remote.RemoteStore.search
    monkeypatch.setattr(
        remote.RemoteStore, "search", lambda self, query: asked.append(dict(query.params)) or search(self, query)
    )
    assert "0 scored, 2 had their scores" in fill(full).stdout
    assert asked[0]["patient"] == "Patient/anna"
    assert stored(full) == before


def test_more_scores_than_one_answer_holds_are_asked_for_in_parts(full: Hospital, monkeypatch) -> None:
    given = [answered(number) for number in range(6)]
    put(full, *given)
    fill(full)
    before = stored(full)
    monkeypatch.setattr(remote, "MOST_RESULTS", 15)
    assert "0 scored, 6 had their scores" in fill(full).stdout
    assert stored(full) == before


def test_maps_of_the_place_count(full: Hospital, tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "maps"
    folder.mkdir()
    written(folder)
    put(full, theirs())
    assert "1 of other forms" in fill(full).stdout
    monkeypatch.setenv("VERSTEL_MAPS", str(folder))
    assert "1 scored" in fill(full).stdout
    assert {one["derivedFrom"][0]["reference"] for one in stored(full)} == {"QuestionnaireResponse/e1"}


# ---- signing in, and wrong usage


def test_a_server_that_refuses_us_is_told_in_words(full: Hospital) -> None:
    put(full, answered(1))
    done = fill(full, "--scope", "system/QuestionnaireResponse.rs system/Observation.rs")
    assert done.exit_code == 1
    assert "Stopped before the end: " in done.stderr
    assert " answered 403" in done.stderr
    done = CliRunner().invoke(main, ["score", "--from", full.sandbox.base, "--token", "not-a-token"])
    assert "the server does not accept how we sign in (401" in done.stderr
    assert stored(full) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "https://a.example", "-"), "--from reads a server"),
        (("--from", "https://a.example", "--format", "table"), "--from reads a server"),
        (("--from", "http://a.example"), "--from"),
        (("--from", "https://a.example", "--client-id", "x"), "go together"),
        (("--dry-run", "-"), "go with --from"),
        (("--state", "x", "-"), "go with --from"),
    ],
)
def test_wrong_usage_says_what_is_wrong(options, said) -> None:
    done = CliRunner().invoke(main, ["score", *options])
    assert done.exit_code == 2
    assert said in done.stderr


# ---- what only a broken server says

BASE = "https://broken.example.org/fhir"
STATEMENT = {
    "resourceType": "CapabilityStatement",
    "rest": [{"mode": "server", "resource": [{"type": "Observation", "searchParam": [{"name": "derived-from"}]}]}],
}


def from_broken() -> Result:
    return CliRunner().invoke(main, ["score", "--from", BASE, "--token", "t"])


def page_of(*found: dict, following: str = "", **more) -> dict:
    links = [{"relation": "next", "url": following}] if following else []
    return {"resourceType": "Bundle", "link": links, "entry": [{"resource": one} for one in found], **more}


@responses.activate
def test_a_busy_server_is_waited_for_as_long_as_it_says(monkeypatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("smartapp.commands.score.time.sleep", waited.append)
    responses.get(f"{BASE}/metadata", json=STATEMENT)
    responses.get(f"{BASE}/QuestionnaireResponse", status=429, headers={"Retry-After": "7"})
    responses.get(f"{BASE}/QuestionnaireResponse", json=page_of())
    done = from_broken()
    assert done.exit_code == 0, done.stderr
    assert waited == [7]


@responses.activate
def test_pages_in_a_circle_and_on_another_host_end_the_run() -> None:
    responses.get(f"{BASE}/metadata", json=STATEMENT)
    responses.get(f"{BASE}/QuestionnaireResponse", json=page_of(following=f"{BASE}?page=2"))
    responses.get(f"{BASE}?page=2", json=page_of(following=f"{BASE}?page=2"))
    assert "in a circle" in from_broken().stderr
    responses.replace("GET", f"{BASE}/QuestionnaireResponse", json=page_of(following="https://else.example.org/2"))
    done = from_broken()
    assert done.exit_code == 1
    assert "another server" in done.stderr


@responses.activate
def test_a_server_that_does_not_sort_keeps_no_place_to_go_on_from(tmp_path: Path) -> None:
    def changed(number: int, day: int) -> dict:
        return {**answered(number, questionnaire="https://else"), "meta": {"lastUpdated": f"2026-05-0{day}T10:00:00Z"}}

    responses.get(f"{BASE}/metadata", json=STATEMENT)
    responses.get(f"{BASE}/QuestionnaireResponse", json=page_of(changed(1, 2), following=f"{BASE}?page=2"))
    responses.get(f"{BASE}?page=2", json=page_of(changed(2, 1), changed(3, 3)))
    state = tmp_path / "state.json"
    done = CliRunner().invoke(main, ["score", "--from", BASE, "--token", "t", "--state", str(state)])
    assert "3 of other forms" in done.stdout
    assert "in no order of change: the next run reads all of them" in done.stderr
    assert orjson.loads(state.read_bytes()) == {"server": BASE, "read_until": ""}


@responses.activate
@pytest.mark.parametrize("how", ["refuses", "says so"])
def test_a_run_that_stops_after_a_page_without_order_leaves_nothing_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("smartapp.fhir.remote._PLAIN", set())
    one = {**answered(1, questionnaire="https://else"), "meta": {"lastUpdated": "2026-05-02T10:00:00Z"}}
    page = page_of(one, following=f"{BASE}?page=2")
    responses.get(f"{BASE}/metadata", json=STATEMENT)
    if how == "refuses":
        responses.get(f"{BASE}/QuestionnaireResponse", status=400)
    else:
        page["link"].append({"relation": "self", "url": f"{BASE}/QuestionnaireResponse?status=completed,amended"})
    responses.get(f"{BASE}/QuestionnaireResponse", json=page)
    responses.get(f"{BASE}?page=2", status=500)
    state = tmp_path / "state.json"
    done = CliRunner().invoke(main, ["score", "--from", BASE, "--token", "t", "--state", str(state)])
    assert "Run again to continue." in done.stderr
    assert orjson.loads(state.read_bytes()) == {"server": BASE, "read_until": ""}


@responses.activate
def test_a_server_that_takes_no_notice_of_derived_from_gives_others_scores_which_count_for_nobody() -> None:
    given = answered(1)
    other = elsewhere(answered(2))
    responses.get(f"{BASE}/metadata", json=STATEMENT)
    responses.get(f"{BASE}/QuestionnaireResponse", json=page_of(given))
    responses.get(f"{BASE}/Observation", json=page_of(*other))
    done = CliRunner().invoke(main, ["score", "--from", BASE, "--token", "t", "--dry-run"])
    assert "1 would be scored" in done.stdout
