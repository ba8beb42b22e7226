"""`verstel publish` against a FHIR server over real HTTP, signed in as a backend service with a real key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from joserfc.jwk import ECKey, KeySet

from smartapp.commands.publish import command
from smartapp.deploy.artefacts import artefacts
from smartapp.fhir.store import Query, Write
from tests.smartapp.hospital import Hospital, running_hospital


@dataclass(frozen=True)
class Published(Hospital):
    """A hospital to publish to."""

    def publish(self, *options: str) -> Result:
        return CliRunner().invoke(command, ["--to", self.sandbox.base, *options])

    def publish_signed(self, *options: str) -> Result:
        return self.publish(*self.signed, *options)

    def titles(self, kind: str) -> set[str]:
        return {stored.resource.get("title", "") for stored in self.sandbox.store.search(Query(kind))}


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Published]:
    with running_hospital(tmp_path, "publisher") as one:
        yield Published(one.sandbox, one.keys, one.client_id)


def test_publishes_everything_and_a_second_run_changes_nothing(hospital: Published) -> None:
    first = hospital.publish_signed()
    assert first.exit_code == 0, first.output
    assert first.output.splitlines()[-1] == f"{len(artefacts())} artefacts: {len(artefacts())} created."
    second = hospital.publish_signed()
    assert second.output == f"{len(artefacts())} artefacts: {len(artefacts())} unchanged.\n"
    assert second.exit_code == 0


def test_dry_run_says_what_it_would_do_and_writes_nothing(hospital: Published) -> None:
    result = hospital.publish_signed("--dry-run")
    assert result.exit_code == 0
    assert "would create: CodeSystem/score\n" in result.output
    assert hospital.titles("CodeSystem") == set()


def test_interrupted_run_goes_on_where_it_stopped(hospital: Published) -> None:
    for resource in artefacts()[:5]:
        hospital.sandbox.store.write(Write("create", resource))
    result = hospital.publish_signed()
    assert f"{len(artefacts()) - 5} created, 5 unchanged." in result.output


def test_a_server_that_is_away_is_not_asked_for_all_the_rest(hospital: Published) -> None:
    """Each write that nobody answers may take half a minute."""
    hospital.sandbox.faults.add("POST", "StructureDefinition", 502, times=1000)
    result = hospital.publish_signed()
    assert result.exit_code == 1
    assert result.output.count("REFUSED: StructureDefinition/") == 3
    assert "Stopped: 3 writes in a row without an answer. Run again to continue." in result.output
    hospital.sandbox.faults.clear()
    assert hospital.publish_signed().exit_code == 0


def test_what_the_hospital_changed_is_left_alone_and_shown(hospital: Published) -> None:
    hospital.publish_signed()
    (nel,) = [
        one for one in hospital.sandbox.store.search(Query("Questionnaire")) if one.resource["url"].endswith("/nel")
    ]
    hospital.sandbox.store.write(Write("update", {**nel.resource, "title": "Our own"}, if_match=nel.etag))
    result = hospital.publish_signed()
    assert result.exit_code == 1
    assert "LEFT ALONE: Questionnaire/nel: someone else changed it there" in result.output
    assert 'title: "Our own" -> ' in result.output
    assert "Our own" in hospital.titles("Questionnaire")
    assert hospital.publish_signed("--force").exit_code == 0
    assert "Our own" not in hospital.titles("Questionnaire")


def test_server_that_does_not_know_our_key_gets_nothing(hospital: Published) -> None:
    other = ECKey.generate_key("P-384", parameters={"kid": "two"})
    hospital.keys.write_text(json.dumps(KeySet([other]).as_dict(private=True)))
    result = hospital.publish_signed()
    assert result.exit_code == 1
    assert "refused our key" in result.output
    assert hospital.titles("CodeSystem") == set()


def test_token_that_is_not_known_is_told_to_who_typed_the_command(hospital: Published) -> None:
    result = hospital.publish("--token", "not-a-token")
    assert result.exit_code == 1
    assert "Nothing was published: the server does not accept how we sign in (401" in result.output
    assert "Open the app" not in result.output


def test_refusal_is_told_in_the_servers_own_words(hospital: Published) -> None:
    result = hospital.publish_signed("--scope", "system/*.rs")
    assert result.exit_code == 1
    refused = [line for line in result.output.splitlines() if line.startswith("REFUSED: ")]
    assert len(refused) == len(artefacts())
    # 403 is the status; what follows is the diagnostics of the server's OperationOutcome.
    assert re.search(r" answered 403: \w+", refused[0]), refused[0]
    assert hospital.titles("CodeSystem") == set()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--client-id", "publisher"), "go together"),
        (("--client-id", "publisher", "--keys", "KEYS", "--token", "t"), "not both"),
    ],
)
def test_half_a_sign_in_is_wrong_usage(hospital: Published, options: tuple[str, ...], message: str) -> None:
    result = hospital.publish(*(str(hospital.keys) if option == "KEYS" else option for option in options))
    assert result.exit_code == 2
    assert message in result.output
