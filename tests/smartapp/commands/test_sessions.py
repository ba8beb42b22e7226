"""`verstel sessions end` ends what it was asked to end, in the database and at the EHR, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import responses
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet
from flask import Flask

from smartapp import create_app
from smartapp.commands.sessions import command
from smartapp.services import KEY, Services
from smartapp.settings import Settings
from smartapp.smart.tokens import Tokens
from smartapp.storage.launches import Launch, Person, User

EHR, OTHER = "https://ehr.example/fhir", "https://other.example/fhir"
ISSUERS = "".join(f'[[issuer]]\nbase = "{base}"\nname = "E"\nclient_id = "v"\n' for base in (EHR, OTHER))


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    (tmp_path / "issuers.toml").write_text(ISSUERS)
    return {
        "VERSTEL_PUBLIC_URL": "https://verstel.example.org",
        "VERSTEL_SECRET_KEY": "a secret that only tests know: 32 characters",
        "VERSTEL_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "VERSTEL_ISSUERS_FILE": str(tmp_path / "issuers.toml"),
        "VERSTEL_DATABASE_URL": f"sqlite:///{tmp_path / 'verstel.db'}",
    }


@pytest.fixture
def services(environment: Mapping[str, str]) -> Iterator[Services]:
    app: Flask = create_app(Settings.from_env(environment))
    yield app.extensions[KEY]
    app.extensions[KEY].engine.dispose()


def sign_in(services: Services, user: str, issuer: str = EHR) -> Launch:
    made = Launch(
        id="",
        session_id=services.sessions.start().id,
        issuer=issuer,
        patient_id="anna",
        patient=Person("Patient/anna", "Anna Voorbeeld"),
        user=User(user, "Els Visser", "clinician", issuer, user),
        scopes="",
    )
    launch = services.launches.add(made)
    services.tokens.keep(launch.id, Tokens(f"access-{user}", None, None, "", "anna"))
    return launch


def end(environment: Mapping[str, str], *options: str) -> Result:
    return CliRunner(env=dict(environment)).invoke(command, ["end", *options])


@pytest.fixture
def ehr() -> Iterator[responses.RequestsMock]:
    """EHRs that take tokens back."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for base in (EHR, OTHER):
            host = base.removesuffix("/fhir")
            endpoints = {f"{name}_endpoint": f"{host}/{name}" for name in ("authorization", "token", "revocation")}
            known = {"issuer": base, "jwks_uri": f"{host}/jwks", **endpoints}
            mock.add("GET", f"{base}/.well-known/smart-configuration", json=known)
            mock.add("POST", endpoints["revocation_endpoint"])
        yield mock


def test_all_ends_every_session_and_gives_the_tokens_back(environment, services, ehr):
    launches = [sign_in(services, "Practitioner/7"), sign_in(services, "Patient/anna", OTHER)]
    result = end(environment, "--all")
    assert (result.exit_code, result.stdout) == (0, "2 sessions ended.\n")
    assert [services.launches.get(launch.id) for launch in launches] == [None, None]
    assert services.sessions.all() == []
    given_back = {call.request.body.split("&")[0] for call in ehr.calls if call.request.method == "POST"}
    assert given_back == {"token=access-Practitioner%2F7", "token=access-Patient%2Fanna"}
    assert [(one.event, one.reason) for one in services.audit.entries()] == [("logout", "ended-by-operator")] * 2


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--person", "Practitioner/7"], [("Practitioner/8", EHR)]),
        (["--person", "Practitioner/7", "--issuer", EHR], [("Practitioner/7", OTHER), ("Practitioner/8", EHR)]),
        (["--issuer", EHR], [("Practitioner/7", OTHER)]),
        (
            ["--person", "Practitioner/9"],
            [("Practitioner/7", EHR), ("Practitioner/7", OTHER), ("Practitioner/8", EHR)],
        ),
    ],
)
@pytest.mark.usefixtures("ehr")
def test_the_sessions_of_others_stay(environment, services, options, left):
    launches = [
        sign_in(services, user, issuer)
        for user, issuer in (("Practitioner/7", EHR), ("Practitioner/7", OTHER), ("Practitioner/8", EHR))
    ]
    assert end(environment, *options).stdout.startswith(str(3 - len(left)))
    there = [launch for launch in launches if services.launches.get(launch.id)]
    assert [(launch.user.reference, launch.issuer) for launch in there] == left


@pytest.mark.usefixtures("ehr")
def test_a_session_that_no_key_opens_ends_with_all_and_is_nobodys(environment, services):
    sign_in(services, "Practitioner/7")
    with services.engine.begin() as connection:
        connection.exec_driver_sql("update launches set sealed = x'00'")
    assert end(environment, "--person", "Practitioner/7").stdout == "0 sessions ended.\n"
    assert end(environment, "--all").stdout == "1 session ended.\n"
    assert services.sessions.all() == []


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "Say whose"),
        (["--all", "--person", "Practitioner/7"], "Say whose"),
        (["--person", "7"], "write the person as Practitioner/7"),
        (["--issuer", f"{EHR}/"], "write it letter for letter"),
    ],
)
@pytest.mark.usefixtures("services")
def test_who_is_meant_must_be_said_and_known(environment, options, complaint):
    result = end(environment, *options)
    assert result.exit_code == 2
    assert complaint in result.output


def test_a_database_that_is_not_there_is_refused_and_not_made(environment, tmp_path):
    result = end(environment, "--all")
    assert result.exit_code == 2
    assert "VERSTEL_DATABASE_URL" in result.output
    assert not (tmp_path / "verstel.db").exists()
