"""`verstel koppeltaal`: a domain is checked, what we offer is put there, and what waits is shown."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from mappers.koppeltaal.activities import definition_of, endpoint_at, named_in
from questionnaires.catalogue import catalogue
from smartapp.cli import main
from smartapp.storage.database import open_database
from smartapp.storage.koppeltaal import KoppeltaalWrites, ToTell
from smartapp.storage.vault import Vault, open_vault
from tests.koppeltaal import checking
from tests.koppeltaal.conftest import SIGNING
from tests.koppeltaal.domain import BASE, MODULE, OTHER_MODULE, RIGHTS, Client, Domain
from tests.koppeltaal.portal import APP

ISSUERS = f"""
[[issuer]]
base = "{BASE}"
name = "GGZ Noord"
client_id = "{MODULE}"
auth = "private_key_jwt"
key = "noord"

[issuer.koppeltaal]
publisher_id = "verstel"
activities = ["hoop", "plan"]
clients_start = ["hoop"]

[[issuer]]
base = "https://ehr.example/fhir"
name = "EHR"
client_id = "verstel"
key = "ehr"
"""


@pytest.fixture
def domain(request: pytest.FixtureRequest) -> Domain:
    domain = Domain(time.time)
    domain.clients[MODULE] = Client(MODULE, f"Device/{MODULE}", lambda: {"keys": [SIGNING.as_dict(private=False)]})
    return domain


class Terminal:
    """The command line of an installation."""

    def __init__(self, folder: Path, signing_keys: Path) -> None:
        self.issuers = folder / "issuers.toml"
        self.issuers.write_text(ISSUERS, encoding="utf-8")
        self.environment = {
            "VERSTEL_PUBLIC_URL": APP,
            "VERSTEL_SECRET_KEY": "a secret that only tests know 32 characters",
            "VERSTEL_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "VERSTEL_DATABASE_URL": f"sqlite:///{folder / 'verstel.db'}",
            "VERSTEL_SIGNING_KEYS_FILE": str(signing_keys),
            "VERSTEL_ISSUERS_FILE": str(self.issuers),
        }

    def run(self, *words: str) -> Result:
        return CliRunner(env=self.environment).invoke(main, ["koppeltaal", *words])

    def offer(self, activities: str) -> None:
        text = ISSUERS.replace('activities = ["hoop", "plan"]', f"activities = {activities}")
        self.issuers.write_text(text.replace('clients_start = ["hoop"]\n', ""), encoding="utf-8")


@pytest.fixture
def terminal(tmp_path, signing_keys, mock):
    return Terminal(tmp_path, signing_keys)


def offered(domain: Domain) -> dict[str, dict]:
    return {named_in(one): one for type_ in ("Endpoint", "ActivityDefinition") for one in domain.of_type(type_)}


def test_what_is_offered_is_put_there_and_a_second_run_changes_nothing(terminal, domain):
    first = terminal.run("publish", "noord")
    assert (first.exit_code, first.output.split()) == (
        0,
        ["created", "launch", "created", "plan", "created", "fill-in-hoop"],
    )
    there = offered(domain)
    assert set(there) == {"launch", "plan", "fill-in-hoop"}
    assert all(checking.problems(one) == [] for one in there.values())
    assert there["launch"]["address"] == f"{APP}/launch"
    hoop = there["fill-in-hoop"]
    assert hoop["url"] == "https://verstel.nl/fhir/ActivityDefinition/fill-in-hoop"
    assert hoop["topic"][0]["coding"][0]["code"] == "self-assessment"
    assert "topic" not in there["plan"]
    assert catalogue().asked["hoop"].copyright.nl in hoop["description"]
    order = [one.path.rpartition("/")[2] for one in domain.requests if one.method == "POST" and "/fhir/" in one.path]
    assert order == ["Endpoint", "ActivityDefinition", "ActivityDefinition"]
    before = len(domain.asked("POST", "/fhir/")) + len(domain.asked("PUT", "/fhir/"))
    second = terminal.run("publish", "noord")
    assert second.output.split() == ["unchanged", "launch", "unchanged", "plan", "unchanged", "fill-in-hoop"]
    assert len(domain.asked("POST", "/fhir/")) + len(domain.asked("PUT", "/fhir/")) == before


def test_what_somebody_changed_is_brought_up_to_date_and_where_it_came_from_stays(terminal, domain):
    terminal.run("publish", "noord")
    hoop = offered(domain)["fill-in-hoop"]
    domain.change(f"ActivityDefinition/{hoop['id']}", title="Iets anders")
    assert "updated       fill-in-hoop" in terminal.run("publish", "noord").output
    after = offered(domain)["fill-in-hoop"]
    assert (after["id"], after["title"]) == (hoop["id"], hoop["title"])
    [put] = domain.asked("PUT", "/ActivityDefinition/")
    assert put.headers["If-Match"] == 'W/"2"'


def test_what_is_offered_no_more_is_retired_and_comes_back(terminal, domain):
    terminal.run("publish", "noord")
    terminal.offer('["plan"]')
    assert "retired       fill-in-hoop" in terminal.run("publish", "noord").output
    assert offered(domain)["fill-in-hoop"]["status"] == "retired"
    assert "hoop" not in terminal.run("publish", "noord").output
    terminal.offer('["hoop", "plan"]')
    assert "updated       fill-in-hoop" in terminal.run("publish", "noord").output
    assert offered(domain)["fill-in-hoop"]["status"] == "active"


def test_a_dry_run_writes_nothing(terminal, domain):
    output = terminal.run("publish", "noord", "--dry-run").output
    assert output.split() == [
        *("would", "create", "launch", "would", "create", "plan", "would", "create", "fill-in-hoop"),
    ]
    assert offered(domain) == {}
    terminal.run("publish", "noord")
    terminal.offer('["plan"]')
    assert "would retire  fill-in-hoop" in terminal.run("publish", "noord", "--dry-run").output
    assert offered(domain)["fill-in-hoop"]["status"] == "active"


def test_what_another_application_put_there_under_our_names_stays_theirs(terminal, domain):
    theirs = endpoint_at("https://elsewhere.example/launch")
    domain.put({**theirs, "id": "theirs"}, origin=f"Device/{OTHER_MODULE}")
    terminal.run("publish", "noord")
    assert domain.now("Endpoint/theirs")["address"] == "https://elsewhere.example/launch"
    assert len(domain.of_type("Endpoint")) == 2


def test_a_domain_that_refuses_ends_the_run(terminal, monkeypatch):
    monkeypatch.setitem(RIGHTS, "ActivityDefinition", "r")
    result = terminal.run("publish", "noord")
    assert result.exit_code == 1
    assert "GGZ Noord" in result.output


@pytest.mark.parametrize(("activities", "said"), [('["unknown"]', "unknown"), ('["three-moments"]', "three-moments")])
def test_an_activity_that_we_do_not_have_is_named(terminal, domain, activities, said):
    terminal.offer(activities)
    result = terminal.run("publish", "noord")
    assert result.exit_code == 2
    assert said in result.output
    assert domain.requests == []


@pytest.mark.parametrize("key", ["ehr", "zuid"])
def test_only_a_domain_can_be_named(terminal, key):
    for word in ("check", "publish", "status"):
        result = terminal.run(word, key)
        assert result.exit_code == 2
        assert "noord" in result.output


def test_a_domain_that_can_launch_us(terminal):
    result = terminal.run("check", "noord")
    assert result.exit_code == 0, result.output
    assert "NO" not in result.output.split()


def test_a_domain_that_cannot_says_what_is_missing(terminal, domain):
    domain.change(f"Device/{MODULE}", status="inactive", identifier=[])
    output = terminal.run("check", "noord")
    assert output.exit_code == 1
    assert [line.split("  ")[1] for line in output.output.splitlines() if line.startswith("  NO")] == ["NO", "NO"]
    del domain.clients[MODULE]
    refused = terminal.run("check", "noord")
    assert refused.exit_code == 1
    assert f"Device/{MODULE}, by our key" in refused.output


def test_rows_that_no_key_opens_are_passed_over_however_many_there_are(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'app.db'}")
    lost = KoppeltaalWrites(engine, Vault((Fernet.generate_key().decode(),), b"digest-key"), lambda: 1000)
    lost.put(*(ToTell("noord", "t", task=f"Task/{number}", step="completed") for number in range(1050)))
    kept = KoppeltaalWrites(engine, Vault((Fernet.generate_key().decode(),), b"digest-key"), lambda: 1001)
    kept.put(ToTell("noord", "t", task="Task/ours", step="completed"))
    taken = kept.take()
    assert taken is not None
    assert taken.what.task == "Task/ours"
    engine.dispose()


def test_what_waits_is_shown_and_what_stopped_is_forgotten_when_asked(terminal):
    engine = open_database(terminal.environment["VERSTEL_DATABASE_URL"])
    vault = open_vault(engine, (terminal.environment["VERSTEL_ENCRYPTION_KEYS"],))
    writes = KoppeltaalWrites(engine, vault, time.time)
    writes.put(ToTell("noord", "t", task="Task/1", step="completed"))
    writes.stop(writes.take(), "403")
    writes.put(ToTell("noord", "t", event={"resourceType": "AuditEvent"}), ToTell("zuid", "t", task="Task/9", step="x"))
    engine.dispose()
    shown = terminal.run("status", "noord")
    assert shown.exit_code == 1
    assert [line.split() for line in shown.output.splitlines()] == [
        ["waits", "AuditEvent"],
        ["STOPPED", "Task/1", "completed", "403"],
        ["2", "wait,", "of", "which", "1", "have", "stopped."],
    ]
    after = terminal.run("status", "noord", "--forget")
    assert (after.exit_code, after.output.splitlines()[0]) == (0, "1 forgotten")
    assert terminal.run("status", "noord").output == "  waits    AuditEvent\n1 wait, of which 0 have stopped.\n"


@pytest.mark.parametrize("activity", ["plan", *catalogue().asked])
@pytest.mark.parametrize("clients_start", [True, False])
def test_each_definition_holds_nothing_that_the_profile_does_not_take(activity, clients_start):
    made = definition_of(activity, catalogue(), endpoint="Endpoint/1", publisher="verstel", clients_start=clients_start)
    assert checking.problems(made) == []
    assert checking.problems({**made, "copyright": "x"}) != []
    assert checking.problems({**made, "extension": []}) != []


def test_our_endpoint_is_one_of_the_profile():
    assert checking.problems(endpoint_at("https://app.example/launch")) == []
    assert checking.problems({**endpoint_at("x"), "payloadMimeType": ["x"]}) != []
