"""`verstel bulk fetch`: a bulk export over real HTTP, with a fault at every step; each file once and whole."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click import UsageError
from click.testing import CliRunner, Result
from joserfc.jwk import ECKey, KeySet

from mappers.bulk import BOM, LONGEST_LINE
from smartapp.cli import main
from smartapp.commands.team import sources_of
from smartapp.populations import bulk_export
from smartapp.populations.kept import alone
from tests.mappers.build import all_answered, response
from tests.smartapp.populations.bulk_server import BulkServer, Held
from tests.smartapp.populations.killed import ended


def lines(*resources: dict) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in resources)


def answered(number: int) -> dict:
    return response("hoop", all_answered("hoop"), id=f"r{number}", identifier=None)


FIRST = lines(*(answered(number) for number in range(3)))
SECOND = lines(*(answered(number) for number in range(3, 5)))
SCORES = lines({"resourceType": "Observation", "id": "o1", "status": "final", "code": {"text": "other"}})


def deletions(*references: str) -> bytes:
    entries = [{"request": {"method": "DELETE", "url": one}} for one in references]
    return lines({"resourceType": "Bundle", "type": "transaction", "entry": entries})


@pytest.fixture
def server() -> Iterator[BulkServer]:
    files = [
        Held("output", "QuestionnaireResponse", FIRST, 3),
        Held("output", "QuestionnaireResponse", SECOND, 2),
        Held("output", "Observation", SCORES, 1),
    ]
    one = BulkServer(files).start()
    yield one
    one.stop()


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(KeySet([ECKey.generate_key("P-384", parameters={"kid": "one"})]).as_dict(private=True)))
    return path


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it waited, each time."""
    asked: list[float] = []
    monkeypatch.setattr("smartapp.commands.bulk._wait", asked.append)
    return asked


@pytest.fixture
def fetch(server: BulkServer, keys: Path, waits: list[float], tmp_path: Path):
    def fetched(*options: str, to: str = "export") -> Result:
        signed = ("--client-id", "bulk", "--keys", str(keys))
        return CliRunner().invoke(
            main, ["bulk", "fetch", "--from", server.base, "--to", str(tmp_path / to), *signed, *options]
        )

    return fetched


def held(folder: Path) -> dict[str, bytes]:
    """What `score` would read, and whatever else is in the folder but for its state."""
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.name != bulk_export.STATE}


WHOLE = {
    "QuestionnaireResponse.0001.ndjson": FIRST,
    "QuestionnaireResponse.0002.ndjson": SECOND,
    "Observation.0003.ndjson": SCORES,
    "deleted-responses.txt": b"",
}


def test_an_export_comes_whole_and_is_asked_for_once(fetch, server, tmp_path) -> None:
    done = fetch()
    assert (done.exit_code, done.stderr) == (0, "")
    assert "3 files" in done.stdout
    assert "2026-11-28T10:00:01Z" in done.stdout
    assert held(tmp_path / "export") == WHOLE
    assert server.paths("/fhir/Patient/$export") == ["/fhir/Patient/$export?_type=QuestionnaireResponse%2CObservation"]
    assert server.ended == {1}  # the server may throw its files away
    before = len(server.asked)
    again = fetch()
    assert again.stdout.startswith("Nothing to do")
    assert (again.exit_code, len(server.asked)) == (0, before)


def test_its_folder_is_what_score_reads(fetch, tmp_path) -> None:
    fetch()
    scored = CliRunner().invoke(main, ["score", str(tmp_path / "export")])
    assert scored.exit_code == 0
    assert len(scored.stdout.splitlines()) == 5 * 7  # hoop: a panel and six scores


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        (["--group", "g7"], "/fhir/Group/g7/$export?_type=QuestionnaireResponse%2CObservation"),
        (["--of", "system"], "/fhir/$export?_type=QuestionnaireResponse%2CObservation"),
        (
            ["--since", "2026-11-01T00:00:00Z"],
            "/fhir/Patient/$export?_type=QuestionnaireResponse%2CObservation&_since=2026-11-01T00%3A00%3A00Z",
        ),
    ],
)
def test_a_group_a_whole_server_and_what_was_changed_since(fetch, server, options, asked) -> None:
    assert fetch(*options).exit_code == 0
    assert [path for _method, path, _headers in server.asked if "$export" in path] == [asked]


@pytest.mark.parametrize(
    "options", [["--group", "Group/7"], ["--since", "2026-11-01"], ["--token-to", "https://files.example/x"]]
)
def test_what_can_not_be_asked_is_said_before_anything_is(fetch, server, options) -> None:
    done = fetch(*options)
    assert (done.exit_code, server.asked) == (2, [])
    assert options[0] in done.stderr


def test_a_folder_of_another_export_is_left_alone(fetch, tmp_path) -> None:
    fetch()
    done = fetch("--group", "g7")
    assert done.exit_code == 2
    assert "holds another export (Patient/$export of" in done.stderr
    assert held(tmp_path / "export") == WHOLE


# The waits that the server asks for are waited for; each other one is at most twice as long as the one before.
@pytest.mark.parametrize(
    ("step", "faults", "expected"),
    [
        ("kick-off", ["429/7"], [7]),
        ("kick-off", ["503/3", "500"], [3, None]),
        ("poll", ["202/9", "202/11"], [9, 11]),
        ("poll", ["202", "202"], [None, None]),
        ("poll", ["429/5", "202/4"], [5, 4]),
        ("poll", ["500"], [None]),
        ("file", ["429/8"], [8]),
        ("file", ["503", "500"], [None, None]),
        ("poll", ["hang up"], [None]),
        ("kick-off", ["hang up"], [None]),
        ("file", ["hang up"], [None]),
        ("file", ["cut"], [None]),
        ("file", ["cut", "cut", "cut"], [None, None, None]),
        ("file", ["outcome"], [None]),
        ("delete", ["500"] * 6, [None] * 5),
        ("delete", ["404"], []),
    ],
    ids=str,
)
def test_a_server_that_is_busy_or_breaks_off_is_waited_for(  # noqa: PLR0917 - fixtures, by name
    fetch, server, waits, tmp_path, step, faults, expected
) -> None:
    server.faults[step] = faults
    done = fetch()
    assert (done.exit_code, done.stderr) == (0, "")
    assert held(tmp_path / "export") == WHOLE
    assert len(waits) == len(expected)
    for waited, said in zip(waits, expected, strict=True):
        assert 0 < waited <= bulk_export.LONGEST_WAIT_SECONDS if said is None else waited == said


def ranges(server: BulkServer) -> list[str]:
    return [headers["Range"] for _method, path, headers in server.asked if "Range" in headers]


def test_a_file_that_broke_off_is_gone_on_with_where_the_server_can(fetch, server, tmp_path) -> None:
    server.faults["file"] = ["cut"]
    fetch()
    assert ranges(server) == [f"bytes={len(FIRST) // 2}-"]
    assert held(tmp_path / "export") == WHOLE


def test_a_file_that_broke_off_is_begun_anew_where_the_server_names_no_version(fetch, server, tmp_path) -> None:
    server.tags, server.faults["file"] = False, ["cut"]
    fetch()
    assert ranges(server) == []
    assert held(tmp_path / "export") == WHOLE


def test_a_file_that_was_changed_meanwhile_is_begun_anew(fetch, server, tmp_path) -> None:
    server.faults["file"] = ["cut", "changed"]
    fetch()
    assert len(ranges(server)) == 1  # asked for the rest, and got all of what is there now
    assert held(tmp_path / "export") == WHOLE


def test_files_that_are_packed_on_the_way_stay_packed_and_are_gone_on_with(fetch, server, tmp_path) -> None:
    server.packed, server.faults["file"] = True, ["cut"]
    assert fetch().exit_code == 0
    assert len(ranges(server)) == 1
    scored = CliRunner().invoke(main, ["score", str(tmp_path / "export")])
    assert (scored.exit_code, len(scored.stdout.splitlines())) == (0, 35)
    assert (tmp_path / "export" / "QuestionnaireResponse.0002.ndjson.gz").exists()


def test_a_packed_file_that_is_damaged_is_fetched_again(fetch, server, tmp_path) -> None:
    server.packed, server.faults["file"] = True, ["damaged"]
    done = fetch()
    assert (done.exit_code, done.stderr) == (0, "")
    scored = CliRunner().invoke(main, ["score", str(tmp_path / "export")])
    assert (scored.exit_code, len(scored.stdout.splitlines())) == (0, 35)


def test_an_address_that_has_expired_is_asked_for_again_and_whole_files_stay(fetch, server, tmp_path) -> None:
    server.faults["file"] = [None, "renew"]
    assert fetch().exit_code == 0
    assert held(tmp_path / "export") == WHOLE
    assert server.jobs == 1
    assert len(server.paths("/files/1/0")) == 1  # what was whole is not fetched twice


def test_an_export_that_has_gone_is_asked_for_anew_by_the_same_command(fetch, server, tmp_path) -> None:
    server.expired_below = 1
    done = fetch()
    assert (done.exit_code, server.jobs) == (0, 2)
    assert held(tmp_path / "export") == WHOLE
    assert "2026-11-28T10:00:02Z" in done.stdout


def test_a_server_whose_exports_are_always_gone_is_not_asked_for_ever(fetch, server) -> None:
    server.expired_below = 99
    done = fetch()
    assert (done.exit_code, server.jobs) == (1, bulk_export.MOST_JOBS)
    assert "made 3 exports of which not all could be fetched" in done.stderr


@pytest.mark.parametrize("uses", [1, 2, 3])
def test_a_token_that_ends_half_way_is_renewed(fetch, server, tmp_path, uses) -> None:
    server.token_uses = uses
    assert fetch().exit_code == 0
    assert held(tmp_path / "export") == WHOLE
    assert len(server.tokens) > 1


def test_a_server_that_takes_no_token_is_told_in_its_words(fetch, server) -> None:
    server.token_uses = 0
    done = fetch()
    assert done.exit_code == 1
    assert "the token is over" in done.stderr
    assert len(server.tokens) == 2  # a third one would not persuade it


def test_the_token_goes_to_the_servers_own_host_alone(fetch, server, tmp_path) -> None:
    files = BulkServer(server.files, requires_token=True).start()
    try:
        server.elsewhere = files.origin
        done = fetch()
        assert done.exit_code == 1
        assert f"--token-to {files.origin}" in done.stderr
        assert files.asked == []
        # The server says that none is needed: then none is shown.
        server.requires_token = files.requires_token = False
        assert fetch(to="open").exit_code == 0
        assert held(tmp_path / "open") == WHOLE
        assert [headers.get("Authorization") for _method, _path, headers in files.asked] == [None] * 3
        # The operator says that it may be shown there.
        server.requires_token = files.requires_token = True
        files.tokens = server.tokens
        assert fetch("--token-to", files.origin).exit_code == 0
        assert held(tmp_path / "export") == WHOLE
    finally:
        files.stop()


def test_responses_that_were_deleted_get_no_scores(fetch, server, tmp_path) -> None:
    server.files.append(
        Held("deleted", "Bundle", deletions("QuestionnaireResponse/r1", "Patient/7", "QuestionnaireResponse/old"))
    )
    done = fetch()
    assert "2 responses were deleted" in done.stdout
    kept = lines(answered(0), answered(2))
    assert held(tmp_path / "export")["QuestionnaireResponse.0001.ndjson"] == kept
    assert held(tmp_path / "export")["QuestionnaireResponse.0002.ndjson"] == SECOND
    assert (tmp_path / "export" / "deleted-responses.txt").read_text() == (
        "QuestionnaireResponse/old\nQuestionnaireResponse/r1\n"
    )
    assert fetch().exit_code == 0
    assert held(tmp_path / "export")["QuestionnaireResponse.0001.ndjson"] == kept


def test_what_the_server_left_out_is_said_in_its_words(fetch, server) -> None:
    outcome = {"severity": "error", "code": "processing", "details": {"text": "Group/9 is not for you"}}
    server.files.append(
        Held("error", "OperationOutcome", lines({"resourceType": "OperationOutcome", "issue": [outcome]}))
    )
    done = fetch()
    assert done.exit_code == 1
    assert done.stderr == "The server says: Group/9 is not for you\n"
    server.files[-1].content = server.files[-1].content.replace(b'"error"', b'"information"')
    assert fetch(to="other").exit_code == 0  # a remark is no failure


def test_an_empty_export_is_an_export(fetch, server, tmp_path) -> None:
    server.files.clear()
    done = fetch()
    assert (done.exit_code, held(tmp_path / "export")) == (0, {"deleted-responses.txt": b""})
    assert "0 files" in done.stdout


def test_types_that_nobody_asked_for_are_left_there(fetch, server, tmp_path) -> None:
    server.files.append(Held("output", "Patient", lines({"resourceType": "Patient", "id": "7"})))
    done = fetch()
    assert "1 files of types that were not asked for were left there." in done.stdout
    assert server.paths("/files/1/3") == []
    assert held(tmp_path / "export") == WHOLE


def test_a_list_of_files_on_two_pages_is_read_whole(fetch, server, tmp_path) -> None:
    server.pages = True
    assert fetch().exit_code == 0
    assert held(tmp_path / "export") == WHOLE


def test_a_last_line_that_is_broken_costs_that_line_only(fetch, server, tmp_path) -> None:
    server.files[1] = Held("output", "QuestionnaireResponse", SECOND[:-200])
    assert fetch().exit_code == 0
    scored = CliRunner().invoke(main, ["score", str(tmp_path / "export")])
    assert (scored.exit_code, len(scored.stdout.splitlines())) == (1, 4 * 7)
    assert "QuestionnaireResponse.0002.ndjson:2: not readable as JSON" in scored.stderr


def test_a_file_with_fewer_lines_than_the_server_said_is_told(fetch, server) -> None:
    server.files[1].count = 3
    done = fetch()
    assert (done.exit_code, done.stderr) == (
        1,
        "QuestionnaireResponse.0002.ndjson has 2 lines, and the server said 3\n",
    )


def test_an_answer_that_is_no_list_of_files_ends_the_job_and_the_next_run_asks_anew(fetch, server, tmp_path) -> None:
    server.faults["poll"] = ["outcome"]
    done = fetch()
    assert (done.exit_code, held(tmp_path / "export")) == (1, {})
    assert "the export failed (200: out of order)" in done.stderr
    assert fetch().exit_code == 0
    assert (server.jobs, held(tmp_path / "export")) == (2, WHOLE)


@pytest.mark.parametrize("status", ["400", "403"])
def test_an_export_that_is_refused_is_told_in_the_servers_words(fetch, server, waits, status) -> None:
    server.faults["kick-off"] = [status]
    done = fetch()
    assert (done.exit_code, waits) == (1, [])
    assert f"({status}: not now)" in done.stderr


def test_a_file_that_never_comes_whole_ends_the_run_and_what_came_stays(fetch, server, tmp_path) -> None:
    server.faults["file"] = [None, *["500"] * bulk_export.MOST_TRIES]
    assert fetch().exit_code == 1
    assert held(tmp_path / "export") == {"QuestionnaireResponse.0001.ndjson": FIRST}
    scored = CliRunner().invoke(main, ["score", str(tmp_path / "export")])
    assert (scored.exit_code, scored.stdout) == (2, "")
    assert "bulk fetch is not done with this folder" in scored.stderr
    with pytest.raises(UsageError, match="is not done with this folder"):
        sources_of([str(tmp_path / "export")])  # of a team report
    assert fetch().exit_code == 0
    assert CliRunner().invoke(main, ["score", str(tmp_path / "export")]).exit_code == 0
    assert held(tmp_path / "export") == WHOLE
    assert (server.jobs, len(server.paths("/files/1/0"))) == (1, 1)


def stopped_half_way(fetch, server) -> None:
    """Let a run end after the first file."""
    server.faults["file"] = [None, *["500"] * bulk_export.MOST_TRIES]
    assert fetch().exit_code == 1
    server.asked.clear()


def ahead(path: Path, seconds: float) -> None:
    """Let it be so much later for what an export keeps."""
    state = json.loads(path.read_text())
    path.write_text(json.dumps({**state, "expires": state["expires"] - seconds}))


def test_files_whose_time_is_over_are_asked_for_again_before_they_are_refused(fetch, server, tmp_path) -> None:
    server.expires, server.renews = 600, True
    stopped_half_way(fetch, server)
    ahead(tmp_path / "export" / bulk_export.STATE, 601)
    assert fetch().exit_code == 0
    asked = [urlsplit(path) for _method, path, _headers in server.asked]
    assert asked[0].path == "/fhir/poll/1"
    assert [one.query for one in asked if one.path.startswith("/files/")] == ["signed=2"] * 2  # the old one is refused
    assert (server.jobs, held(tmp_path / "export")) == (1, WHOLE)


@pytest.mark.parametrize("expires", [600, "0", "-1", "Thu, 01 Jan 1970 00:00:00 GMT", ""])
def test_files_whose_time_is_not_over_are_just_asked_for(fetch, server, tmp_path, expires) -> None:
    server.expires = expires
    stopped_half_way(fetch, server)
    assert fetch().exit_code == 0
    assert server.paths("/fhir/poll/1") == ["/fhir/poll/1"]  # that is the DELETE at the end
    assert held(tmp_path / "export") == WHOLE


def test_of_a_list_on_two_pages_the_time_that_is_over_first_counts(fetch, server, tmp_path) -> None:
    server.expires, server.pages = 600, True
    stopped_half_way(fetch, server)
    state = json.loads((tmp_path / "export" / bulk_export.STATE).read_text())
    assert 500 < state["expires"] - time.time() <= 600


def test_a_line_that_is_too_long_is_kept_and_refused_by_its_number_and_the_others_count(
    fetch, server, tmp_path
) -> None:
    server.packed = True
    server.files[0].content = lines(answered(0)) + b" " * (LONGEST_LINE + 2) + lines(answered(1), answered(2))
    server.files.append(Held("deleted", "Bundle", deletions("QuestionnaireResponse/r2")))
    assert fetch().exit_code == 0
    scored = CliRunner().invoke(main, ["score", str(tmp_path / "export")])
    assert (scored.exit_code, len(scored.stdout.splitlines())) == (1, 3 * 7)  # without r1, and r2 that was deleted
    assert "QuestionnaireResponse.0001.ndjson.gz:2: longer than 32 MB" in scored.stderr


@pytest.mark.parametrize("broken", [b'{"resourceType":"Bundle","entry":[', b" " * (LONGEST_LINE + 2) + b"{}"])
def test_deletions_that_cant_be_read_end_the_run_and_nothing_is_scored(fetch, server, tmp_path, broken) -> None:
    server.files.append(Held("deleted", "Bundle", deletions("QuestionnaireResponse/r1") + broken))
    done = fetch()
    assert done.exit_code == 1
    assert (
        "deleted.0004.ndjson:2 can't be read, or is longer than 32 MB, so which responses were deleted" in done.stderr
    )
    assert CliRunner().invoke(main, ["score", str(tmp_path / "export")]).exit_code == 2


def test_what_the_server_says_that_cant_be_read_is_no_success(fetch, server) -> None:
    server.files.append(Held("error", "OperationOutcome", b'\n{"resourceType":"OperationOutcome"}\n{"issue":['))
    done = fetch()
    assert done.exit_code == 1
    assert done.stderr == (
        "The server says: no reason given\nThe server says: what can't be read, in outcome.0004.ndjson:3\n"
    )


def test_a_byte_order_mark_is_no_other_file(fetch, server, tmp_path) -> None:
    server.files[0].content = BOM + server.files[0].content
    server.files.append(Held("deleted", "Bundle", BOM + deletions("QuestionnaireResponse/r0")))
    assert fetch().exit_code == 0
    assert held(tmp_path / "export")["QuestionnaireResponse.0001.ndjson"] == lines(answered(1), answered(2))


def test_two_runs_are_not_at_work_in_one_folder(fetch, server, tmp_path) -> None:
    (tmp_path / "export").mkdir()
    with alone(tmp_path / "export"):
        second = fetch()
        assert (second.exit_code, server.jobs) == (1, 0)
        assert "another bulk fetch is at work in this folder" in second.stderr
    assert fetch().exit_code == 0


def test_only_who_runs_it_can_read_where_the_files_are(fetch, tmp_path) -> None:
    (tmp_path / "export").mkdir(mode=0o755)
    assert fetch().exit_code == 0
    assert (tmp_path / "export" / "bulk-export.json").stat().st_mode & 0o777 == 0o600


def test_a_command_that_is_killed_again_and_again_ends_with_the_same_files(server, keys, tmp_path) -> None:
    """It is killed with -9 at a request that chance picks, half of the answer sent, and run again until it is done."""
    chance = random.Random(2)
    server.files.append(Held("deleted", "Bundle", deletions("QuestionnaireResponse/r1")))
    folder = tmp_path / "export"
    command = ["bulk", "fetch", "--from", server.base, "--to", str(folder), "--client-id", "bulk", "--keys", str(keys)]
    killed = 0
    for _ in range(20):
        server.kill_in = chance.randrange(1, 7) if killed < 4 else 0
        code = ended(command, tmp_path / "said", server.kill)
        if code != -signal.SIGKILL:
            assert code == 0, (tmp_path / "said").read_text()
            break
        killed += 1
    assert killed >= 2
    expected = {**WHOLE, "QuestionnaireResponse.0001.ndjson": lines(answered(0), answered(2))}
    expected |= {"deleted-responses.txt": b"QuestionnaireResponse/r1\n", "deleted.0004.ndjson": server.files[3].content}
    assert held(folder) == expected
