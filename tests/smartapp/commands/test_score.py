"""`verstel score`: files in, Observations out, reasons for what is refused, and the right exit code."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from fhir.resources.R4B.provenance import Provenance

from mappers.observations import full_url
from questionnaires import __version__
from smartapp.cli import main
from smartapp.commands.score import command
from smartapp.populations.ranges import SIZE
from tests.mappers.build import CATALOGUE, all_answered, response
from tests.mappers.test_bulk import HOSTILE

DATA = Path(__file__).parents[2] / "data"
GOOD = json.dumps(response("hoop", all_answered("hoop")))
BAD = '{"resourceType":"Patient"}'
COMMAND = "from smartapp.commands.score import command; command()"


def run(*arguments, stdin=None):
    return CliRunner().invoke(command, [str(one) for one in arguments], input=stdin)


def codes(output):
    return [json.loads(line)["code"]["coding"][0]["code"] for line in output.splitlines()]


@pytest.fixture
def ndjson(tmp_path):
    def write(*lines, name="responses.ndjson"):
        path = tmp_path / name
        text = "".join(f"{line}\n" for line in lines).encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        return path

    return write


@pytest.mark.parametrize("name", ["responses.ndjson", "responses.ndjson.gz", "without-an-ending"])
def test_ndjson_plain_or_packed_becomes_observations(ndjson, name):
    result = run(ndjson(GOOD, GOOD, name=name))
    assert result.exit_code == 0
    assert codes(result.stdout)[:2] == ["hoop-panel", "hoop-total"]
    assert len(codes(result.stdout)) == 14
    assert result.stderr == ""


def test_a_provenance_follows_the_scores_of_each_response(ndjson):
    one, other = response("hoop", all_answered("hoop")), response("mhcs", all_answered("mhcs"))
    result = run("--provenance", ndjson(json.dumps(one), json.dumps(other)))
    made = [json.loads(line) for line in result.stdout.splitlines()]
    ends = [number for number, resource in enumerate(made) if resource["resourceType"] == "Provenance"]
    assert ends == [7, 13]  # hoop: a panel and six scores; mhcs: a panel and four
    for start, end in zip((0, 8), ends, strict=True):
        provenance = Provenance.model_validate(made[end])
        assert [target.reference for target in provenance.target] == [full_url(each) for each in made[start:end]]
        assert made[end]["entity"][0]["what"] == made[start]["derivedFrom"][0]
        assert made[end]["agent"][0]["who"]["display"] == f"Verstel {__version__}"


def test_without_the_option_there_is_no_provenance(ndjson):
    assert "Provenance" not in run(ndjson(GOOD)).stdout


def test_verifying_takes_no_provenance(ndjson):
    result = run("--provenance", "--verify", ndjson(GOOD))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--provenance goes with new scores" in result.stderr


def test_a_table_takes_no_provenance(ndjson):
    result = run("--provenance", "--format", "table", ndjson(GOOD))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "a table has no room" in " ".join(result.stderr.split())


@pytest.mark.parametrize("case", sorted(path.parent for path in DATA.glob("*/observations.json")), ids=lambda p: p.name)
def test_a_file_written_over_several_lines_is_one_resource(case):
    result = run(case / "response.json")
    expected = json.loads((case / "observations.json").read_text(encoding="utf-8"))
    assert [json.loads(line) for line in result.stdout.splitlines()] == expected
    assert result.exit_code == 0


@pytest.mark.parametrize("before", ["\n", "\ufeff\r\n", "  \n\n"])
def test_blank_lines_before_a_resource_over_several_lines_do_not_matter(tmp_path, before):
    path = tmp_path / "response.json"
    path.write_bytes((before + json.dumps(json.loads(GOOD), indent=2)).encode())
    result = run(path)
    assert (result.exit_code, len(codes(result.stdout))) == (0, 7)


def test_files_put_together_that_each_begin_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "responses.ndjson"
    path.write_bytes(f"\ufeff{GOOD}\n\ufeff{GOOD}\n".encode())
    result = run(path)
    assert (result.exit_code, len(codes(result.stdout))) == (0, 14)


def test_more_files_than_a_process_may_have_open(ndjson):
    """A folder of an export may have thousands; the usual limit is 1024 open files."""
    files = [ndjson(GOOD, name=f"{number}.ndjson") for number in range(40)]
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30)); {COMMAND}"
    done = subprocess.run(
        [sys.executable, "-c", limited, *map(str, files)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(codes(done.stdout)) == 40 * 7


def test_a_bundle_written_over_several_lines(tmp_path):
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": json.loads(GOOD)}]}, indent=2))
    assert codes(run(path).stdout)[0] == "hoop-panel"


def test_standard_input():
    result = run("-", stdin=GOOD + "\n" + GOOD)
    assert len(codes(result.stdout)) == 14


def test_refused_lines_go_to_standard_error_with_file_line_and_reason(ndjson):
    path = ndjson(GOOD, BAD, GOOD)
    result = run(path)
    assert result.exit_code == 1
    assert len(codes(result.stdout)) == 14
    assert result.stderr.startswith(f"{path}:2: this is a resource of type 'Patient'")


def test_refused_lines_can_go_to_a_file(ndjson, tmp_path):
    result = run("--rejects", tmp_path / "refused.ndjson", ndjson(BAD, "{", GOOD))
    refused = [json.loads(line) for line in (tmp_path / "refused.ndjson").read_text().splitlines()]
    assert [one["line"] for one in refused] == [1, 2]
    assert all(one["reason"] and one["file"].endswith("responses.ndjson") for one in refused)
    assert (result.exit_code, result.stderr) == (1, "")


def test_a_folder_of_a_bulk_export(ndjson, tmp_path):
    ndjson(GOOD, name="QuestionnaireResponse.000.ndjson")
    ndjson(GOOD, name="QuestionnaireResponse.001.ndjson.gz")
    ndjson(BAD, name="Patient.000.ndjson")
    result = run(tmp_path)
    assert (result.exit_code, len(codes(result.stdout))) == (0, 14)


def test_several_processes_give_the_same_output_in_the_same_order(ndjson):
    nel = json.dumps(response("nel", all_answered("nel", "3")))
    path = ndjson(*[GOOD, nel, BAD] * 300)
    one, three = run(path), run("--jobs", 3, path)
    assert one.stdout == three.stdout
    assert one.stderr == three.stderr
    assert one.stdout


def writes(running):
    """Wait until scores come out. Nobody reads the rest, so the command cannot end before it is interrupted."""
    assert running.stdout.read(1) == b"{"


def has_started_its_processes(running):
    """Wait until the last of the eight is there: it has not had the time yet to learn that Ctrl-C is not for it."""
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    while len(children.read_text().split()) < 8:
        assert running.poll() is None


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's list of processes")
@pytest.mark.parametrize("moment", [writes, has_started_its_processes])
def test_ctrl_c_stops_all_processes_without_a_stack_trace(ndjson, moment):
    """Ctrl-C on a terminal reaches the whole group, whatever each process is doing."""
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, "--jobs", "8", ndjson(*[GOOD] * (9 * SIZE // len(GOOD)))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as running:
        moment(running)
        os.killpg(running.pid, signal.SIGINT)
        _, error = running.communicate()
    assert (running.returncode, error.decode().strip()) == (1, "Aborted!")
    with pytest.raises(ProcessLookupError):  # no process of the group is left
        os.killpg(running.pid, 0)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's count of memory")
def test_a_hostile_file_is_refused_line_by_line_in_bounded_memory(tmp_path):
    """Every hostile line, and one of 50 MB, between good ones: all good ones are scored, no bad one is."""
    path = tmp_path / "hostile.ndjson"
    with path.open("wb") as file:
        for line in HOSTILE.values():
            file.write(line.replace(b"\n", b" ") + b"\n" + GOOD.encode() + b"\n")
        file.write(b'{"x":"' + b"x" * (50 << 20) + b'"}\n' + GOOD.encode() + b"\n")
        file.write(GOOD[:-30].encode())  # cut off, without an end of line
    # VmHWM, not ru_maxrss: that one counts the process that started it too.
    code = (
        "import sys\nfrom smartapp.cli import main\n"
        "try: main()\n"
        "finally: print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0], file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "score", str(path)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    *refused, kilobytes = result.stderr.splitlines()
    bad = [*range(1, 2 * len(HOSTILE) + 2, 2), 2 * len(HOSTILE) + 3]
    assert [int(line.removeprefix(f"{path}:").split(":")[0]) for line in refused] == bad
    assert codes(result.stdout).count("hoop-panel") == len(HOSTILE) + 1
    assert result.returncode == 1
    assert int(kilobytes) < 100_000


def test_a_damaged_gzip_file_says_so_and_the_next_file_is_scored(ndjson, tmp_path):
    whole = gzip.compress((GOOD + "\n").encode() * 50)
    damaged = tmp_path / "damaged.ndjson.gz"
    damaged.write_bytes(whole[:-200])
    result = run(damaged, ndjson(GOOD))
    assert result.exit_code == 1
    assert "the gzip file is damaged" in result.stderr
    assert codes(result.stdout)[-7] == "hoop-panel"


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_damaged_gzip_file_held_before_the_damage_is_scored(tmp_path, jobs):
    """A block is filled from many pieces; what was unpacked before the damage must not go down with it."""
    damaged = tmp_path / "damaged.ndjson.gz"
    damaged.write_bytes(gzip.compress(f"{GOOD}\n{GOOD}\n".encode()) + b"not gzip")
    result = run("--jobs", jobs, damaged)
    assert (result.exit_code, len(codes(result.stdout))) == (1, 14)
    assert f"{damaged}:3: the gzip file is damaged" in result.stderr


def test_a_damaged_gzip_file_can_be_verified_up_to_there(tmp_path):
    damaged = tmp_path / "damaged.ndjson.gz"
    damaged.write_bytes(gzip.compress((GOOD + "\n").encode() * 50)[:-200])
    result = run("--verify", damaged)
    assert result.exit_code == 1
    assert "the gzip file is damaged" in result.stderr
    assert "0 stored scores looked at, 0 differ." in result.stdout


def test_the_file_that_is_scored_is_never_overwritten_by_what_is_refused(ndjson, tmp_path):
    path = ndjson(GOOD, BAD)
    before = path.read_bytes()
    (tmp_path / "link").symlink_to(path)
    for same in (path, tmp_path / "link"):
        result = run("--rejects", same, path)
        assert result.exit_code == 2
        assert "name another file for --rejects" in result.stderr
    assert path.read_bytes() == before


def test_a_place_for_refusals_that_cannot_be_written_is_wrong_usage(ndjson, tmp_path):
    result = run("--rejects", tmp_path / "no-such-folder" / "refused.ndjson", ndjson(GOOD))
    assert result.exit_code == 2
    assert "refused.ndjson cannot be written: No such file or directory" in result.stderr


needs_a_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here plays a full disk")


@needs_a_full_disk
def test_a_full_disk_is_said_in_words(ndjson):
    code = "from smartapp.cli import main; main()"
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [sys.executable, "-c", code, "score", str(ndjson(GOOD))],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert result.returncode == 1
    assert result.stderr == "Error: stopped before the end: No space left on device\n"


@needs_a_full_disk
def test_a_full_disk_under_the_refusals_is_said_in_words(ndjson):
    result = run("--rejects", "/dev/full", ndjson(GOOD, BAD))
    assert result.exit_code == 1
    assert result.stderr == "Error: stopped before the end: No space left on device\n"


def test_the_table_is_for_people(ndjson):
    gaps = all_answered("hoop")
    del gaps["hoop-01"]
    result = run("--format", "table", ndjson(GOOD, json.dumps(response("hoop", gaps))))
    title = CATALOGUE.instrument("hoop").score("hoop-total").title.nl
    assert "2026-05-01" in result.stdout
    assert "Patient/anna" in result.stdout
    assert next(line.split()[-1] for line in result.stdout.splitlines() if title in line) == "26"
    assert "11 van 12 vragen beantwoord" in result.stdout


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_table_needs_no_name_of_a_response_and_what_is_stored_does(ndjson, jobs):
    """LHC-Forms exports a response without id: nobody stores a table."""
    nameless = json.dumps(response("hoop", all_answered("hoop"), id=None, identifier=None))
    table = run("--format", "table", "--jobs", jobs, ndjson(GOOD, nameless))
    assert (table.exit_code, table.stderr) == (0, "")
    first, second = table.stdout.strip().split("\n\n")
    assert first == second
    stored = run("--jobs", jobs, ndjson(nameless))
    assert (stored.exit_code, stored.stdout) == (1, "")
    assert "id: the response has neither id nor identifier" in stored.stderr


@pytest.mark.parametrize(
    ("status", "mark"), [("completed", ""), ("amended", "  [corrected]"), ("entered-in-error", "  [entered-in-error]")]
)
def test_the_table_says_which_scores_were_corrected_or_taken_back(ndjson, status, mark):
    result = run("--format", "table", ndjson(json.dumps(response("hoop", all_answered("hoop"), status=status))))
    assert result.stdout.splitlines()[1].endswith(f"(Patient/anna){mark}")


@pytest.mark.parametrize("more", [[], ["--jobs", "2"], ["--verify"]])
def test_an_applied_definition_that_cannot_be_read_is_named(ndjson, tmp_path, monkeypatch, more):
    file = ndjson(GOOD, *run(ndjson(GOOD)).stdout.splitlines())
    (tmp_path / "hoop@3.toml").write_text("not TOML", encoding="utf-8")
    monkeypatch.setenv("VERSTEL_DEFINITIONS", str(tmp_path))
    result = CliRunner().invoke(main, ["score", *more, str(file)])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: hoop@3.toml: is not TOML")


@pytest.mark.parametrize(
    "arguments",
    [[], ["no-such-file"], ["--jobs", "0", "-"], ["--format", "xml", "-"], ["--verify", str(DATA), "-"]],
)
def test_wrong_usage_is_2(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Error" in result.stderr


def test_a_folder_without_responses_is_wrong_usage(tmp_path):
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "no file called *QuestionnaireResponse*.ndjson" in result.stderr


def test_verify_agrees_or_lists_what_differs(tmp_path):
    case = DATA / "hoop-complete"
    observations = json.loads((case / "observations.json").read_text(encoding="utf-8"))
    resources = [json.loads((case / "response.json").read_text(encoding="utf-8")), *observations]
    path = tmp_path / "bundle.json"

    def verify():
        entries = [{"resource": one} for one in resources]
        path.write_text(json.dumps({"resourceType": "Bundle", "entry": entries}, indent=2))
        return run("--verify", path)

    good = verify()
    assert (good.exit_code, good.stdout) == (0, "6 stored scores looked at, 0 differ.\n")
    observations[1]["valueQuantity"]["value"] = 33
    bad = verify()
    assert bad.exit_code == 1
    assert "hoop-total  stored: 33.0  from the answers: 32.0" in bad.stdout


def test_the_command_imports_neither_the_app_nor_the_models():
    """A pipeline should not pay for Flask, SQLAlchemy or fhir.resources."""
    code = (
        "import sys, smartapp.commands.score\n"
        "heavy = {'flask', 'sqlalchemy', 'fhir', 'pydantic', 'requests', 'jinja2', 'cryptography'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_progress_bar_never_stands_between_the_scores_or_on_the_line_of_a_refusal(ndjson):
    """A bar belongs on a terminal that does not show the scores; a refusal there begins on a line of its own."""
    file = ndjson(GOOD, BAD)
    for scores_on_terminal, bar in ((False, True), (True, False)):
        terminal, its_end = os.openpty()
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, str(file)],
            stdin=subprocess.DEVNULL,
            stdout=its_end if scores_on_terminal else subprocess.DEVNULL,
            stderr=its_end,
            check=False,
        )
        os.close(its_end)
        shown = b""
        with contextlib.suppress(OSError):  # Linux says so at the end of a terminal
            while more := os.read(terminal, 65536):
                shown += more
        os.close(terminal)
        assert done.returncode == 1
        assert (b"[###" in shown) == bar
        assert f"\r\x1b[K{file}:2: ".encode() in shown


def test_help_has_an_example():
    assert "verstel score responses.ndjson > observations.ndjson" in run("--help").stdout
