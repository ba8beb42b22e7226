"""`verstel reminders` counts without showing whom, and a test mail says what the mail server answered."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet

from smartapp.cli import main
from smartapp.services import KEY
from smartapp.storage.reminders import Choice
from tests.smartapp.helpers import make_app
from tests.smartapp.mail_server import Mailbox, running


@pytest.fixture
def environment(tmp_path):
    return {
        "VERSTEL_PUBLIC_URL": "http://localhost",
        "VERSTEL_SECRET_KEY": "a secret that only tests know 32 characters",
        "VERSTEL_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "VERSTEL_DATABASE_URL": f"sqlite:///{tmp_path / 'verstel.db'}",
    }


def with_server(environment: dict[str, str], port: int) -> dict[str, str]:
    more = {"HOST": "localhost", "PORT": str(port), "SECURITY": "none", "FROM": "Ergens <no-reply@place.example>"}
    return {**environment, **{f"VERSTEL_SMTP_{name}": value for name, value in more.items()}}


def test_it_counts_and_names_nobody(environment):
    app = make_app(
        database_url=environment["VERSTEL_DATABASE_URL"], encryption_keys=(environment["VERSTEL_ENCRYPTION_KEYS"],)
    )
    app.extensions[KEY].reminders.choose("north", Choice(address="anna@example.org", patient="Patient/anna"))
    app.extensions[KEY].engine.dispose()
    result = CliRunner(env=environment).invoke(main, ["reminders"])
    assert result.exit_code == 0, result.output
    assert result.output == "0 get messages, 1 have not confirmed their address, 1 are due now.\n"


def test_a_test_mail(environment):
    mailbox = Mailbox(to_rcpt=["550 no such mailbox"])
    with running(mailbox) as port:
        runner = CliRunner(env=with_server(environment, port))
        refused = runner.invoke(main, ["reminders", "test", "me@example.org"])
        taken = runner.invoke(main, ["reminders", "test", "me@example.org"])
    assert (refused.exit_code, taken.exit_code) == (1, 0)
    assert "refused for good (RCPT 550)" in refused.output
    [mail] = mailbox.mails
    assert (mail["To"], mail["From"]) == ("me@example.org", "Ergens <no-reply@place.example>")


@pytest.mark.parametrize(("server", "address"), [(False, "me@example.org"), (True, "me"), (True, "a@b.c, d@e.f")])
def test_what_cannot_be_sent_is_wrong_usage(environment, server, address):
    known = with_server(environment, 1) if server else environment
    assert CliRunner(env=known).invoke(main, ["reminders", "test", address]).exit_code == 2
