"""Mail by a real SMTP server: TLS is proven, and each failure says whether the mail certainly did not go."""

from __future__ import annotations

import socket

import pytest

from smartapp.mail import Folder, NotSent, NotTaken, PerhapsSent, Smtp, mail_of, sender_of
from smartapp.settings import ConfigError, Settings
from tests.smartapp.helpers import settings
from tests.smartapp.mail_server import PASSWORD, USER, Mailbox, certificate, running

FROM = "no-reply@place.example"
TO = "noor@example.org"
DOTS = ".begins with a dot\n..two\nend\n.\n"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture(scope="module")
def trusted(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("trusted"))


def to(port: int, **changes) -> Settings:
    values = {
        "smtp_host": "localhost",
        "smtp_port": port,
        "smtp_security": "none",
        "smtp_from": "no-reply@place.example",
    }
    return settings(**values | changes)


def sent(known: Settings) -> None:
    Smtp(known).send(mail_of(known, TO, "Er staat iets klaar", DOTS))


@pytest.mark.parametrize("security", ["starttls", "tls"])
class TestWithTls:
    def test_it_signs_in_and_sends(self, mailbox, trusted, security, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        with running(mailbox, security=security, file=trusted) as port:
            sent(to(port, smtp_security=security, smtp_user=USER, smtp_password=PASSWORD))
        [mail] = mailbox.mails
        assert (mail["To"], mail["From"], mail["Subject"]) == (TO, FROM, "Er staat iets klaar")
        assert mail.get_content().replace("\r\n", "\n") == DOTS
        assert (mailbox.recipients, mailbox.signed_in) == ([TO], [True])

    def test_a_server_that_does_not_prove_who_it_is_gets_nothing(self, mailbox, trusted, security):
        with (
            running(mailbox, security=security, file=trusted) as port,
            pytest.raises(NotSent, match="CertVerification"),
        ):
            sent(to(port, smtp_security=security, smtp_user=USER, smtp_password=PASSWORD))
        assert mailbox.mails == []

    def test_nor_does_one_with_the_certificate_of_another(self, mailbox, security, tmp_path, monkeypatch):
        other = certificate(tmp_path, "smtp.other.example")
        monkeypatch.setenv("SSL_CERT_FILE", str(other))
        with (
            running(mailbox, security=security, file=other) as port,
            pytest.raises(NotSent, match="CertVerification"),
        ):
            sent(to(port, smtp_security=security, smtp_user=USER, smtp_password=PASSWORD))
        assert mailbox.mails == []

    def test_a_wrong_password_is_for_the_place_to_mend(self, mailbox, trusted, security, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        with running(mailbox, security=security, file=trusted) as port, pytest.raises(NotSent, match="535"):
            sent(to(port, smtp_security=security, smtp_user=USER, smtp_password="wrong"))


def test_a_server_without_starttls_gets_nothing(mailbox):
    with running(mailbox) as port, pytest.raises(NotSent, match="SMTPNotSupported"):
        sent(to(port, smtp_security="starttls"))
    assert mailbox.mails == []


@pytest.mark.parametrize(
    ("answers", "ends"),
    [
        ({"to_rcpt": ["451 later"]}, NotSent),
        ({"to_rcpt": ["550 no such mailbox"]}, NotTaken),
        ({"to_rcpt": ["drop"]}, NotSent),
        ({"to_mail": ["550 not you"]}, NotSent),
        ({"to_data": ["451 later"]}, NotSent),
        ({"to_data": ["554 no"]}, NotTaken),
        ({"to_data": ["drop"]}, PerhapsSent),
    ],
)
def test_a_failure_says_whether_it_went(mailbox, answers, ends):
    for name, said in answers.items():
        setattr(mailbox, name, list(said))
    with running(mailbox) as port:
        with pytest.raises(ends) as found:
            sent(to(port))
        assert "noor" not in str(found.value)
        sent(to(port))
    assert len(mailbox.mails) == (2 if ends is PerhapsSent else 1)


@pytest.mark.parametrize("said", ["?? garbled", "354 go on", "999 done"])
def test_an_answer_after_the_content_that_says_neither_yes_nor_no_is_no_reason_to_send_it_again(mailbox, said):
    mailbox.to_data = [said]
    with running(mailbox) as port, pytest.raises(PerhapsSent):
        sent(to(port))


def test_any_yes_after_the_content_is_one(mailbox):
    mailbox.to_data = ["251 passed on"]
    with running(mailbox) as port:
        sent(to(port))
    assert mailbox.to_data == []


def test_nobody_at_the_port():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(NotSent):
            sent(to(closed.getsockname()[1]))


def test_a_server_that_says_nothing_is_not_waited_for_long(monkeypatch):
    monkeypatch.setattr("smartapp.mail.TIMEOUT_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(NotSent):
            sent(to(silent.getsockname()[1]))


def test_a_mail_says_nothing_of_this_machine(mailbox):
    with running(mailbox) as port:
        sent(to(port))
    [mail] = mailbox.mails
    assert socket.gethostname() not in mail.as_string()
    assert mail["Message-ID"].endswith("@place.example>")
    assert sorted(set(mail.keys()) - {"X-Peer", "X-MailFrom", "X-RcptTo"}) == [
        *("Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From"),
        *("MIME-Version", "Message-ID", "Subject", "To"),
    ]


def test_a_demonstration_puts_its_mails_into_a_folder(tmp_path):
    known = settings(mail_folder=tmp_path / "mail")
    sender = sender_of(known)
    assert isinstance(sender, Folder)
    sender.send(mail_of(known, TO, "Er staat iets klaar", DOTS))
    [file] = (tmp_path / "mail").iterdir()
    assert f"To: {TO}" in file.read_text()


def test_a_long_address_in_a_header_travels_as_it_is(tmp_path):
    known, address = settings(mail_folder=tmp_path), f"<https://verstel.example.org/reminders/stop/{'0' * 64}>"
    Folder(tmp_path).send(mail_of(known, TO, "Er staat iets klaar", "één\n" + "x" * 300, List_Unsubscribe=address))
    [file] = tmp_path.iterdir()
    lines = file.read_bytes().split(b"\r\n")
    assert f"List-Unsubscribe: {address}".encode() in lines
    assert max(map(len, lines)) == len(f"List-Unsubscribe: {address}")


def test_without_a_server_there_is_no_mail():
    assert sender_of(settings()) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"smtp_host": "smtp.example.org"},
        {"smtp_from": "a@example.org"},
        {"smtp_host": "smtp.example.org", "smtp_from": "a@example.org", "smtp_security": "none"},
        {"smtp_host": "smtp.example.org", "smtp_from": "a@example.org", "smtp_user": "a"},
    ],
)
def test_settings_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ConfigError):
        settings(**wrong)
