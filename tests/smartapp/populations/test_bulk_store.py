"""`verstel bulk store`: Observations over real HTTP, with a fault at every step; each is stored once."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mappers.answers import answers_of
from mappers.bulk import LONGEST_LINE
from mappers.observations import observations_of
from mappers.scoring import score
from smartapp.cli import main
from smartapp.populations import write_back
from smartapp.populations.kept import alone
from tests.mappers.build import CATALOGUE, all_answered, response
from tests.smartapp.hospital import running_hospital
from tests.smartapp.populations.killed import ended
from tests.smartapp.populations.scores_server import ScoresServer


def scores(number: int, name: str = "hoop") -> list[dict]:
    """What `verstel score` makes of one response; for hoop a panel and six scores."""
    answers = answers_of(response(name, all_answered(name), id=f"r{number}", identifier=None), CATALOGUE)
    return observations_of(answers, score(answers.instrument, answers.values))


def lines(*resources: dict) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in resources)


FOUR = [one for number in range(4) for one in scores(number)]  # 28 Observations


@pytest.fixture(params=["transactions", "one by one", "nothing conditional", "neither"])
def server(request) -> Iterator[ScoresServer]:
    """Servers that take Observations in four ways."""
    one = ScoresServer(
        transaction=request.param in ("transactions", "nothing conditional"),
        conditional=request.param in ("transactions", "one by one"),
    ).start()
    yield one
    one.stop()


@pytest.fixture
def units() -> Iterator[ScoresServer]:
    one = ScoresServer().start()
    yield one
    one.stop()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    asked: list[float] = []
    monkeypatch.setattr("smartapp.commands.bulk._wait", asked.append)
    return asked


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "observations.ndjson"
    path.write_bytes(lines(*FOUR))
    return path


def store(server: ScoresServer, source: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["bulk", "store", str(source), "--to", server.base, *options])


def each_once(server: ScoresServer, *resources: dict) -> bool:
    """Tell whether these are stored, each once, and every panel names its members where they are."""
    there = {f"Observation/{one['id']}" for one in server.stored if "hasMember" not in one}
    named = {member["reference"] for one in server.stored for member in one.get("hasMember", [])}
    expected = {one["identifier"][0]["value"] for one in resources}
    return server.counts() == dict.fromkeys(expected, 1) and named == there


@pytest.mark.parametrize("batch", ["1", "10", "100"])
def test_every_score_is_written_once_and_a_second_run_has_nothing_to_do(server, file, batch) -> None:
    done = store(server, file, "--batch", batch)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "28 lines read: 28 Observations written, 0 were there, 0 refused." in done.stdout
    assert each_once(server, *FOUR)
    writes = server.writes
    again = store(server, file)
    assert again.stdout.startswith("Nothing to do: observations.ndjson: 28 lines read: 28 Observations written")
    assert (again.exit_code, server.writes) == (0, writes)


def test_what_is_sent_again_is_found_there(server, file) -> None:
    store(server, file)
    done = store(server, file, "--again")
    assert "0 Observations written, 28 were there, 0 refused." in done.stdout
    assert each_once(server, *FOUR)


def test_batches_do_not_cut_the_scores_of_one_response(units, file) -> None:
    store(units, file, "--batch", "3")
    assert units.writes == 4  # a response each: seven at once, and never three


@pytest.mark.parametrize(
    ("fault", "waited"),
    [("429/7", 7), ("503/3", 3), ("503", 2), ("stored, then nothing", 2), ("stored, then half", 2)],
    ids=str,
)
def test_nothing_is_lost_or_doubled_when_a_write_goes_wrong(server, file, waits, fault, waited) -> None:
    server.faults = [None, fault]
    done = store(server, file, "--batch", "7")
    assert (done.exit_code, done.stderr) == (0, "")
    assert each_once(server, *FOUR)
    assert waits == [waited]


def test_a_server_that_stays_silent_ends_the_run_and_the_next_goes_on(units, file) -> None:
    units.faults = [None, *["503"] * write_back.MOST_TRIES]
    stopped = store(units, file, "--batch", "7")
    assert stopped.exit_code == 1
    assert "Run again to go on" in stopped.stderr
    assert len(units.stored) == 7
    units.writes = 0
    assert store(units, file, "--batch", "7").exit_code == 0
    assert (units.writes, each_once(units, *FOUR)) == (3, True)


def test_a_server_that_is_too_slow_for_many_at_once_gets_fewer(units, file, waits) -> None:
    units.faults = ["stored, then nothing", "503"]
    assert store(units, file).exit_code == 0
    assert each_once(units, *FOUR)
    assert (waits, units.writes) == ([2, 2], 5)  # four responses, then two, of them one and one, and the other two


def test_a_server_that_is_still_starting_is_waited_for(units, file, waits) -> None:
    units.silent = 2
    assert store(units, file).exit_code == 0
    assert (waits, each_once(units, *FOUR)) == ([2, 4], True)


def test_one_response_that_is_refused_is_told_and_the_others_are_written(server, tmp_path) -> None:
    good, bad = [*scores(0), *scores(2)], scores(1, "mhcs")
    path = tmp_path / "observations.ndjson"
    path.write_bytes(lines(*good[:7], *bad, *good[7:]))
    server.bad = {"mhcs-total"}
    done = store(server, path)
    assert done.exit_code == 1
    (told,) = [json.loads(line) for line in (tmp_path / "observations.ndjson.rejects.ndjson").read_text().splitlines()]
    assert (told["file"], told["line"]) == ("observations.ndjson", 8)
    assert "mhcs-total is not taken here" in told["reason"]
    counts = server.counts()
    assert {value: counts[value] for value in (one["identifier"][0]["value"] for one in good)} == dict.fromkeys(
        (one["identifier"][0]["value"] for one in good), 1
    )
    server.bad = set()
    assert store(server, path, "--again").exit_code == 0
    assert each_once(server, *good, *bad)


def test_lines_that_are_no_scores_are_told_with_their_number(units, tmp_path) -> None:
    path = tmp_path / "observations.ndjson"
    other = {"resourceType": "Observation", "code": {"text": "weight"}}
    path.write_bytes(b'{"resourceType":"Prove\n\n' + lines(other) + lines(*scores(0)))
    assert store(units, path).exit_code == 1
    told = [json.loads(line) for line in Path(f"{path}.rejects.ndjson").read_text().splitlines()]
    assert [one["line"] for one in told] == [1, 3]
    assert each_once(units, *scores(0))


def test_a_file_that_was_made_anew_is_begun_anew(units, file) -> None:
    store(units, file)
    file.write_bytes(lines(*scores(9), *FOUR))
    done = store(units, file)
    assert "is not what it was when observations.ndjson.stored.json was kept: begun anew" in done.stderr
    assert "35 lines read: 7 Observations written, 28 were there" in done.stdout


def test_a_file_that_has_grown_is_gone_on_with(units, file) -> None:
    store(units, file)
    with file.open("ab") as more:
        more.write(lines(*scores(9)))
    assert "35 lines read: 35 Observations written, 0 were there" in store(units, file).stdout
    assert each_once(units, *FOUR, *scores(9))


def test_a_journal_of_another_server_does_not_count(units, file) -> None:
    store(units, file)
    other = ScoresServer().start()
    try:
        assert store(other, file).exit_code == 0
        assert each_once(other, *FOUR)
    finally:
        other.stop()


def test_a_packed_file_is_written_too(units, tmp_path) -> None:
    path = tmp_path / "observations.ndjson.gz"
    path.write_bytes(gzip.compress(lines(*FOUR)))
    assert store(units, path).exit_code == 0
    assert each_once(units, *FOUR)


def test_a_score_that_somebody_changed_on_the_server_is_left_and_told(server, file) -> None:
    store(server, file)
    changed = next(one for one in server.stored if "valueQuantity" in one)
    changed["valueQuantity"]["value"] += 1
    done = store(server, file, "--again")
    assert done.exit_code == 1
    assert "21 were there, 1 refused" in done.stdout  # three responses of seven, and the changed one
    told = json.loads(Path(f"{file}.rejects.ndjson").read_text())
    assert told["reason"].startswith("another number is stored for it")


def an_export(folder: Path, *observations: dict, deleted: str = "") -> Path:
    """A folder as `bulk fetch` leaves it."""
    folder.mkdir()
    (folder / "Observation.0001.ndjson").write_bytes(lines(*observations))
    (folder / "deleted-responses.txt").write_text(deleted)
    told = {"kind": "output", "type": "Observation", "url": "", "name": "Observation.0001.ndjson"}
    state = {"server": "s", "path": "p", "time": "t", "files": [told], "done": True}
    (folder / "bulk-export.json").write_text(json.dumps(state))
    return folder


def test_what_an_export_holds_is_not_sent(units, tmp_path) -> None:
    folder = an_export(tmp_path / "export", *scores(0))
    (folder / "observations.ndjson").write_bytes(lines(*FOUR))
    done = store(units, folder)
    assert "21 Observations written, 7 were there" in done.stdout
    assert each_once(units, *[one for number in (1, 2, 3) for one in scores(number)])


def test_a_score_of_another_program_with_the_same_number_is_not_doubled(units, tmp_path) -> None:
    panel, total, *_others = scores(0)
    theirs = {name: value for name, value in total.items() if name != "identifier"}
    folder = an_export(tmp_path / "export", theirs)
    (folder / "observations.ndjson").write_bytes(lines(*scores(0)))
    assert "6 Observations written, 1 were there" in store(units, folder).stdout
    assert each_once(units, panel, *_others)
    # With another number it is not ours, and what the answers give is stored beside it.
    theirs["valueQuantity"] = {**theirs["valueQuantity"], "value": 0}
    other = an_export(tmp_path / "other", theirs)
    (other / "observations.ndjson").write_bytes(lines(*scores(0)))
    units.stored.clear()
    store(units, other)
    assert each_once(units, *scores(0))


def test_scores_of_a_response_that_was_deleted_are_not_written(units, file, tmp_path) -> None:
    folder = an_export(tmp_path / "export", deleted="QuestionnaireResponse/r1\n")
    done = store(units, file, "--export", str(folder))
    assert done.exit_code == 1
    assert json.loads(Path(f"{file}.rejects.ndjson").read_text())["reason"] == "its response was deleted on the server"
    assert each_once(units, *[one for number in (0, 2, 3) for one in scores(number)])


@pytest.mark.parametrize("status", ["405", "501"])
@pytest.mark.parametrize("conditional", [True, False])
def test_a_server_that_only_says_that_it_takes_transactions_gets_scores_one_by_one(
    file, waits, status, conditional
) -> None:
    server = ScoresServer(conditional=conditional, faults=[status]).start()
    try:
        done = store(server, file, "--batch", "7")
    finally:
        server.stop()
    assert (done.exit_code, waits, server.writes) == (0, [], 1 + 28)
    said = (
        f"says in its metadata that it takes transactions, and answered {status} to one. So scores are written one by"
    )
    assert said in done.stderr
    assert each_once(server, *FOUR)


def test_a_client_that_may_not_write_is_told_what_it_needs(units, file) -> None:
    units.faults = ["403"]
    done = store(units, file)
    assert done.exit_code == 1
    assert "403: not now. Its manager has to give this client system/Observation.crs. Run again" in done.stderr


def test_a_line_that_is_too_long_is_refused_by_its_number_and_the_others_are_written(units, tmp_path) -> None:
    path = tmp_path / "observations.ndjson.gz"
    long = b'{"resourceType":"Observation","x":"' + b"x" * LONGEST_LINE + b'"}\n'
    path.write_bytes(gzip.compress(lines(*scores(0)) + long + lines(*scores(1))))
    done = store(units, path, "--batch", "7")
    assert "15 lines read: 14 Observations written, 0 were there, 1 refused." in done.stdout
    told = json.loads(Path(f"{path}.rejects.ndjson").read_text())
    assert (told["line"], told["reason"]) == (8, "longer than 32 MB: no Observation of ours is")
    assert each_once(units, *scores(0), *scores(1))
    served = tmp_path / "served"
    done = CliRunner().invoke(
        main, ["bulk", "import-files", str(path), "--into", str(served), "--served-at", "https://files.example/v"]
    )
    assert (done.exit_code, done.stderr) == (1, f"{path}:8: longer than 32 MB: no Observation of ours is\n")
    assert len((served / "Observation.ndjson").read_bytes().splitlines()) == 14


def test_what_is_refused_is_not_held_until_the_end_of_a_file(units, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(write_back, "_MOST_REFUSALS", 3)
    path = tmp_path / "observations.ndjson"
    path.write_bytes(b"{}\n" * 7 + lines(*scores(0)) + b"{}\n" * 4)
    parts = list(write_back.parts_of(path, write_back.Journal(""), 100))
    assert [[one.line for one in part.refusals] for part in parts] == [[1, 2, 3], [4, 5, 6], [7, 15, 16], [17, 18]]
    assert [len(part.groups) for part in parts] == [0, 0, 1, 0]


def test_a_line_that_is_no_score_does_not_part_the_scores_of_one_response(units, tmp_path) -> None:
    path = tmp_path / "observations.ndjson"
    path.write_bytes(lines(*scores(0)[:3]) + b"{}\n" + lines(*scores(0)[3:], *scores(1)))
    assert store(units, path, "--batch", "3").exit_code == 1
    assert (units.writes, each_once(units, *scores(0), *scores(1))) == (2, True)


def test_a_file_whose_name_is_no_text_is_named_in_its_refusals(units, tmp_path) -> None:
    path = tmp_path / os.fsdecode(b"odd-\xff.ndjson")
    path.write_bytes(b"{}\n" + lines(*scores(0)))
    done = store(units, path, "--rejects", str(tmp_path / "refused"))
    assert done.exit_code == 1, done.exception
    assert json.loads((tmp_path / "refused").read_text())["file"] == "odd-\\xff.ndjson"


def test_a_packed_file_that_is_damaged_is_said(units, tmp_path) -> None:
    path = tmp_path / "observations.ndjson.gz"
    path.write_bytes(gzip.compress(lines(*FOUR))[:-100])
    for command in (
        ["store", str(path), "--to", units.base],
        ["import-files", str(path), "--into", str(tmp_path / "served"), "--served-at", "https://files.example/v"],
    ):
        done = CliRunner().invoke(main, ["bulk", *command])
        assert (done.exit_code, isinstance(done.exception, SystemExit)) == (1, True)
        assert "the gzip file is damaged" in done.stderr


def test_two_runs_do_not_write_one_file(units, file) -> None:
    with alone(file):
        second = store(units, file)
        assert second.exit_code == 1
        assert "another bulk store is at work on this file" in second.stderr
    assert not each_once(units, *FOUR)
    assert store(units, file).exit_code == 0
    assert each_once(units, *FOUR)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.thorough)])
def test_a_command_that_is_killed_again_and_again_has_written_each_score_once(file, seed) -> None:
    """It is killed with -9 at a write that chance picks, before or after it was done, and run again until it ends."""
    chance = random.Random(seed)
    refused = scores(7, "mhcs")
    file.write_bytes(lines(*FOUR[:14], *refused, *FOUR[14:]))
    server = ScoresServer(conditional=seed == 1, bad={"mhcs-total"}).start()
    command = ["bulk", "store", str(file), "--to", server.base, "--batch", "7"]
    killed, output = 0, file.with_name("said")
    try:
        for _ in range(20):
            server.faults = [None] * chance.randrange(3) + [chance.choice(["kill", "kill before"])] * (killed < 2)
            code = ended(command, output, server.kill)
            if code != -signal.SIGKILL:
                break
            killed += 1
        assert (code, killed >= 2) == (1, True)
        assert "33 lines read" in output.read_text()
        assert "1 refused" in output.read_text()
        assert each_once(server, *FOUR)
        assert len(Path(f"{file}.rejects.ndjson").read_text().splitlines()) == 1
    finally:
        server.stop()


@pytest.mark.parametrize(
    "kind", [{}, {"transaction": False, "conditional_create": False, "update_create": False}], ids=["units", "alone"]
)
def test_a_server_that_knows_us_by_a_key_takes_them(tmp_path, file, kind) -> None:
    with running_hospital(tmp_path, "scorer", **kind) as hospital:
        command = ["bulk", "store", str(file), "--to", hospital.sandbox.base, *hospital.signed]
        done = CliRunner().invoke(main, command)
        assert (done.exit_code, done.stderr) == (0, "")
        assert "28 Observations written" in done.stdout
        again = CliRunner().invoke(main, [*command, "--again"])
        assert "0 Observations written, 28 were there" in again.stdout


def test_a_folder_without_scores_says_what_it_looked_for(units, tmp_path) -> None:
    done = store(units, tmp_path)
    assert done.exit_code == 2
    assert "no file called observations*.ndjson" in done.stderr


def test_files_for_an_import_name_each_other_by_ids_that_stay_the_same(file, tmp_path) -> None:
    folder = tmp_path / "served"
    command = [
        "bulk",
        "import-files",
        str(file),
        "--into",
        str(folder),
        "--served-at",
        "https://files.example/verstel/",
    ]
    done = CliRunner().invoke(main, command)
    assert (done.exit_code, done.stderr) == (0, "")
    first = (folder / "Observation.ndjson").read_bytes()
    made = [json.loads(line) for line in first.splitlines()]
    assert len({one["id"] for one in made}) == len(made) == 28
    seen: set[str] = set()
    for one in made:  # whoever checks references at once finds each member before its panel
        assert {member["reference"] for member in one.get("hasMember", [])} <= seen
        seen.add(f"Observation/{one['id']}")
    request = json.loads((folder / "import.json").read_text())["parameter"]
    assert request[-1]["part"][1]["valueUri"] == "https://files.example/verstel/Observation.ndjson"
    CliRunner().invoke(main, command)
    assert (folder / "Observation.ndjson").read_bytes() == first


def test_files_for_an_import_leave_out_what_is_no_score_and_say_so(tmp_path) -> None:
    path = tmp_path / "observations.ndjson"
    path.write_bytes(b"{}\n" + lines(*scores(0)))
    command = ["bulk", "import-files", str(path), "--into", str(tmp_path / "served"), "--served-at"]
    done = CliRunner().invoke(main, [*command, "https://files.example/verstel"])
    assert done.exit_code == 1
    assert f"{path}:1: not an Observation" in done.stderr
    assert CliRunner().invoke(main, [*command, "http://files.example/verstel"]).exit_code == 2  # not without https
