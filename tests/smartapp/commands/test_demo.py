"""`verstel demo` as people run it: it starts, says where to click, and loses nothing when it is killed."""

import base64
import hashlib
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
import requests
from babel.dates import format_date
from click.testing import CliRunner
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRServer

from questionnaires.catalogue import catalogue
from smartapp.cli import main
from smartapp.commands.demo import seconds_ahead
from smartapp.sandbox.kinds import kinds
from tests.conftest import port_of_ours


class Demo:
    """A demo in a process of its own."""

    def __init__(self, data: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from smartapp.cli import main; main()", "demo", "--data", str(data), *options],
            cwd=Path(__file__).parents[3],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if "Ctrl-C" in line:
                break
        found = re.search(r"http://127\.0\.0\.1:(\d+)/sandbox/", self.said)
        assert found, self.said
        self.url = f"http://127.0.0.1:{found[1]}"

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(20)
        self.process.stdout.close()


@pytest.fixture
def demos(tmp_path):
    started = []

    def start(*options):
        demo = Demo(tmp_path / "demo", *options)
        started.append(demo)
        return demo

    yield start
    for demo in started:
        if demo.process.poll() is None:
            demo.end()


@dataclass(frozen=True)
class Ended:
    """What a demo left: its folder and port, and somebody who was there."""

    folder: Path
    port: str
    browser: requests.Session
    launch: str


BACK = "http://127.0.0.1:1/callback"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A demo that another SMART app knows, and its folder: for tests that only ask."""
    folder = tmp_path_factory.mktemp("running")
    demo = Demo(
        folder, "--port", "0", "--client", f"id=my-app,redirect_uri={BACK},launch_uri=http://127.0.0.1:1/launch"
    )
    yield demo, folder
    demo.end()


@pytest.fixture(scope="module")
def ahead(tmp_path_factory):
    """A demo that is new and 45 days ahead of today, for tests that only look."""
    demo = Demo(tmp_path_factory.mktemp("ahead") / "demo", "--port", "0", "--day", "45", "--fresh")
    yield demo
    demo.end()


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """A demo that Ctrl-C ended, with the browser of a client who was there and the address of their launch."""
    folder = tmp_path_factory.mktemp("ended") / "demo"
    with port_of_ours() as port, requests.Session() as browser:
        demo = Demo(folder, "--port", str(port))
        home = browser.get(f"{demo.url}/sandbox/launch?role=client&patient=sem", timeout=20)
        assert "17 van 40" in home.text
        demo.end(signal.SIGINT)
        yield Ended(folder, str(port), browser, home.url)


@pytest.fixture
def after(ended, demos, tmp_path):
    """Start a demo on a copy of what another one left."""
    shutil.copytree(ended.folder, tmp_path / "demo")
    return demos


@pytest.fixture
def port():
    with port_of_ours() as port:
        yield str(port)


@pytest.fixture
def browser():
    with requests.Session() as session:
        yield session


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))


def test_an_answer_typed_before_a_kill_is_there_after_it(demos, browser, port):
    first = demos("--port", port)
    home = browser.get(f"{first.url}/sandbox/launch?role=client&patient=sem", timeout=20)
    assert "17 van 40" in home.text
    question = f"{home.url}questionnaires/nel/questions/nel-18"
    page = browser.get(question, timeout=20)
    saved = browser.post(f"{question}/autosave", {**hidden(page.text), "answer": "4"}, timeout=20)
    assert saved.ok, saved.text
    first.end(signal.SIGKILL)

    again = demos("--port", port)
    assert "the same made-up people" in again.said
    assert "18 van 40" in browser.get(home.url, timeout=20).text


def test_an_unfinished_questionnaire_is_found_again_on_another_port(after, browser):
    again = after("--port", "0")
    assert "the same made-up people" in again.said
    assert "17 van 40" in browser.get(f"{again.url}/sandbox/launch?role=client&patient=sem", timeout=20).text


def test_fresh_forgets_what_was_kept(after, ended):
    again = after("--port", ended.port, "--fresh")
    assert "new made-up people" in again.said
    assert "17 van 40" not in ended.browser.get(ended.launch, timeout=20).text


def test_a_port_that_is_taken_is_said_with_what_to_do(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(main, ["demo", "--port", str(port), "--data", str(tmp_path / "d")])
    assert result.exit_code == 1
    assert f"Port {port} is taken" in result.output
    assert "choose another port" in result.output


def test_a_folder_that_another_demo_uses_is_refused(running):
    _demo, folder = running
    result = CliRunner().invoke(main, ["demo", "--port", "0", "--data", str(folder)])
    assert result.exit_code == 1
    assert "Another demo is using" in result.output


def test_an_unknown_kind_of_ehr_is_wrong_usage_and_lists_the_kinds(tmp_path):
    result = CliRunner().invoke(main, ["demo", "--ehr", "paper", "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "athena-like" in result.output


def test_the_kinds_in_the_help_are_the_kinds_there_are():
    text = CliRunner().invoke(main, ["demo", "--help"]).output
    assert [name for name in kinds() if not re.search(rf"^ +{name}  ", text, re.MULTILINE)] == []


def test_the_secrets_of_a_demo_are_for_its_owner_only(running):
    _demo, folder = running
    assert (folder / "keys.json").stat().st_mode & 0o077 == 0


def test_one_made_up_person_has_said_yes_to_research_and_finds_it_and_the_others_have_not(running, browser):
    demo, _folder = running
    pages = {}
    for patient in ("iwan", "noor"):
        home = browser.get(f"{demo.url}/sandbox/launch?role=client&patient={patient}", timeout=20)
        page = browser.get(f"{home.url}sharing/reuse/", timeout=20).text
        pages[patient] = ("Mijn ja terugnemen" in page, "Nu staat het uit" in page, page.count(" checked"))
    assert pages == {"iwan": (True, False, 1), "noor": (False, True, 0)}


def test_another_smart_app_signs_in_to_the_demo_and_reads_with_a_client_that_is_not_ours(running, browser):
    demo, _folder = running
    chart = re.search(r"from a chart: (\S+)", demo.said)[1]
    given = dict(parse_qsl(urlsplit(browser.get(chart, allow_redirects=False, timeout=20).headers["Location"]).query))
    endpoints = browser.get(f"{given['iss']}/.well-known/smart-configuration", timeout=20).json()
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": "my-app",
        "redirect_uri": BACK,
        "scope": "launch patient/*.rs",
        "state": "s",
        "aud": given["iss"],
        "launch": given["launch"],
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    answer = browser.get(endpoints["authorization_endpoint"], params=asked, allow_redirects=False, timeout=20)
    came_back = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    form = {
        "grant_type": "authorization_code",
        "client_id": "my-app",
        "redirect_uri": BACK,
        "code": came_back["code"],
        "code_verifier": verifier,
    }
    token = browser.post(endpoints["token_endpoint"], form, timeout=20).json()
    server = FHIRServer(None, given["iss"])
    server.session.headers["Authorization"] = f"Bearer {token['access_token']}"
    assert server.request_json(f"Patient/{token['patient']}")["id"] == "noor"
    assert {one.id for one in Patient.where({}).perform_resources_iter(server)} == {"noor"}
    server.session.close()


def test_an_app_that_cannot_be_registered_is_wrong_usage(tmp_path):
    result = CliRunner().invoke(main, ["demo", "--client", "id=my-app", "--data", str(tmp_path / "demo")])
    assert result.exit_code == 2
    assert "my-app has no redirect_uri" in result.output


# ---- travelling in time


def in_database(folder: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(folder / "full.db")) as database:
        return database.execute(query).fetchall()


@pytest.mark.parametrize(
    ("days", "there", "hours"),
    [
        (0, "2026-11-27T23:45:00+01:00", 0),
        (45, "2027-01-11T23:45:00+01:00", 45 * 24),
        (500, "2028-04-10T23:45:00+02:00", 500 * 24 - 1),  # the night of 26 March 2028 has an hour less
    ],
)
def test_days_ahead_is_the_same_time_of_day_in_summer_too(days, there, hours):
    now = datetime(2026, 11, 27, 23, 45, tzinfo=ZoneInfo("Europe/Amsterdam"))
    assert seconds_ahead(now, days) == hours * 3600
    assert datetime.fromtimestamp(now.timestamp() + hours * 3600, now.tzinfo).isoformat() == there


def test_whoever_goes_500_days_ahead_is_asked_what_is_open_then(after, ended, browser, tmp_path):
    """Sem's second moment opens 17 months after its start: the same folder, 500 days later, over real HTTP."""
    titles = [catalogue().instrument(name).title.nl for name in ("nel", "hoop", "mhcs", "mansa")]
    now = after("--port", "0")
    page = browser.get(f"{now.url}/sandbox/launch?role=client&patient=sem", timeout=20).text
    assert [title for title in titles if title in page] == titles[:1]  # what Joost asked
    now.end()

    then = after("--port", ended.port, "--day", "500")
    day = datetime.now(ZoneInfo("Europe/Amsterdam")).date() + timedelta(days=500)
    assert f"It is {day:%d %B %Y} here, 500 days ahead of today." in then.said
    assert "the same made-up people" in then.said
    page = browser.get(f"{then.url}/sandbox/launch?role=client&patient=sem", timeout=20).text
    assert [title for title in titles if title in page] == titles
    # Whoever was signed in before has to come in again: that launch is long over.
    assert not ended.browser.get(ended.launch, timeout=20).ok

    # What is written then is of then, in our own store as in the sandbox, and after all that was there.
    rows = [one for (one,) in in_database(tmp_path / "demo", "SELECT recorded FROM audit ORDER BY number")]
    assert rows == sorted(rows)
    assert rows[-1] - rows[0] > 499 * 86_400


def test_the_page_of_people_says_which_day_it_is_and_how_to_go_on(ahead, browser):
    day = datetime.now(ZoneInfo("Europe/Amsterdam")).date() + timedelta(days=45)
    dutch, english = (
        " ".join(browser.get(f"{ahead.url}/sandbox/?lang={one}", timeout=20).text.split()) for one in ("nl", "en")
    )
    assert f"<strong>Het is hier {format_date(day, 'long', 'nl')}.</strong> Dat is 45 dagen na vandaag." in dutch
    assert f"<strong>It is {format_date(day, 'long', 'en')} here.</strong> That is 45 days after today." in english
    assert "<code>--day 75</code>" in dutch


def test_people_who_are_new_are_made_today_and_then_travel(ahead, browser):
    """Somebody who goes 45 days ahead at once finds what they would have found by waiting: Kees is asked by then."""
    page = browser.get(f"{ahead.url}/sandbox/launch?role=client&patient=kees", timeout=20).text
    assert catalogue().instrument("nel").title.nl in page


def test_time_only_goes_on_in_a_folder_until_it_begins_anew(after, tmp_path):
    def refused(*options: str) -> str:
        done = CliRunner().invoke(main, ["demo", "--port", "0", "--data", str(tmp_path / "demo"), *options])
        assert done.exit_code == 2
        return done.output

    after("--port", "0", "--day", "30").end()
    assert "This demo was 30 days ahead of today already, and time only goes on." in refused("--day", "29")
    assert "--day 30 or more, or begin again with --fresh" in refused("--day", "0")
    stays = after("--port", "0")
    assert "30 days ahead of today." in stays.said
    stays.end()
    assert "ahead of today" not in after("--port", "0", "--fresh").said


@pytest.mark.parametrize("day", ["-1", "3651", "tomorrow"])
def test_a_day_that_is_none_is_wrong_usage(day, tmp_path):
    done = CliRunner().invoke(main, ["demo", "--port", "0", "--data", str(tmp_path / "d"), "--day", day])
    assert done.exit_code == 2


def test_a_file_of_the_day_that_was_changed_by_hand_is_named(tmp_path):
    (tmp_path / "full.day").write_text("soon", encoding="ascii")
    done = CliRunner().invoke(main, ["demo", "--port", "0", "--data", str(tmp_path)])
    assert done.exit_code == 1
    assert "full.day holds no number of days. Begin again with --fresh." in done.output
