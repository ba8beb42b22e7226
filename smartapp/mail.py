"""Mail through the place's own SMTP server. Each failure says whether the mail certainly did not go.

TLS is verified, and every wait is bounded. A demonstration puts its mails into a folder instead.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import smtplib
import ssl
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr
from pathlib import Path
from typing import Final, Protocol

from smartapp.settings import Settings

TIMEOUT_SECONDS: Final = 20
DEMO_FROM: Final = "no-reply@localhost"


class NotSent(Exception):
    """A mail that certainly did not go, and may later. The message is a code for the operator and names nobody."""


class NotTaken(Exception):
    """A mail that certainly did not go, and will not: the server does not take it, or does not know the mailbox."""


class PerhapsSent(Exception):
    """A mail of which nobody knows whether it went: the connection ended before the server said so."""


class Sender(Protocol):
    """Sends a mail to the one mailbox in its `To`. Raises NotSent, NotTaken and PerhapsSent."""

    def send(self, mail: EmailMessage) -> None:
        """Send it."""


def sender_of(settings: Settings) -> Sender | None:
    """Return what sends the mails of an installation; None where it sends none."""
    if settings.mail_folder is not None:
        return Folder(settings.mail_folder)
    return Smtp(settings) if settings.smtp_host is not None else None


def mail_of(settings: Settings, to: str, subject: str, text: str, **headers: str) -> EmailMessage:
    """Return a mail of plain text to one mailbox. A header is named with `_` for `-`."""
    sender = settings.smtp_from or DEMO_FROM
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = formatdate(time.time())
    # Not by the library, whose own tell of the process and of the name of this machine.
    mail["Message-ID"] = f"<{secrets.token_hex(16)}@{_domain(sender)}>"
    mail["Auto-Submitted"] = "auto-generated"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    # As it is where that can be: in a folder an address is copied by hand.
    mail.set_content(text, cte="7bit" if text.isascii() else "quoted-printable")
    return mail


def _written(mail: EmailMessage) -> bytes:
    # A header longer than a line of text would be written in encoded words, and no mail program finds an address of
    # RFC 8058 in those. This is the longest line that SMTP carries.
    return mail.as_bytes(policy=SMTP.clone(max_line_length=998))


def _domain(mailbox: str) -> str:
    return parseaddr(mailbox)[1].rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Smtp:
    """The place's own server, as the settings have it."""

    settings: Settings

    def send(self, mail: EmailMessage) -> None:
        """Send a mail, in a connection of its own."""
        with self._connected() as server:
            try:
                said = server.mail(parseaddr(mail["From"])[1])[0]
            except (smtplib.SMTPException, OSError) as error:
                raise NotSent(type(error).__name__) from error
            if said != 250:  # our own address is the place's to mend, and no fault of who gets the mail
                raise NotSent(f"MAIL {said}")
            try:
                self._judge("RCPT", server.rcpt(mail["To"])[0], (250, 251))
                self._judge("DATA", server.docmd("DATA")[0], (354,))
            except (smtplib.SMTPException, OSError) as error:
                raise NotSent(type(error).__name__) from error
            try:
                server.send(re.sub(rb"(?m)^\.", b"..", _written(mail)) + b".\r\n")
                said = server.getreply()[0]
            except (smtplib.SMTPException, OSError) as error:
                raise PerhapsSent(type(error).__name__) from error
            if said // 100 not in (2, 4, 5):  # neither yes nor no: it may well lie in the mailbox
                raise PerhapsSent(f"the content {said}")
            self._judge("the content", said, range(200, 300))
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()

    @staticmethod
    def _judge(what: str, said: int, good: Container[int]) -> None:
        if said in good:
            return
        raise (NotTaken if 500 <= said < 600 else NotSent)(f"{what} {said}")

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """Open a connection, prove with TLS whose it is, and sign in. Raises NotSent: each failure is the place's."""
        try:
            server = self._greeted()
        except smtplib.SMTPResponseException as error:
            raise NotSent(f"{type(error).__name__} {error.smtp_code}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(type(error).__name__) from error
        try:
            yield server
        finally:
            server.close()

    def _greeted(self) -> smtplib.SMTP:
        known, context = self.settings, ssl.create_default_context()
        host, port, name = known.smtp_host or "", known.smtp_port, _domain(known.smtp_from or DEMO_FROM)
        server: smtplib.SMTP
        if known.smtp_security == "tls":
            server = smtplib.SMTP_SSL(host, port, name, timeout=TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, port, name, timeout=TIMEOUT_SECONDS)
        try:
            if known.smtp_security == "starttls":
                server.starttls(context=context)
            if known.smtp_user is not None and known.smtp_password is not None:
                server.login(known.smtp_user, known.smtp_password)
            server.ehlo_or_helo_if_needed()
        except BaseException:
            server.close()
            raise
        return server


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder in which each mail becomes a file."""

    folder: Path

    def send(self, mail: EmailMessage) -> None:
        """Put a mail there; the newest has the last name."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = time.strftime("%Y-%m-%d-%H%M%S", time.gmtime())
        (self.folder / f"{name}-{secrets.token_hex(4)}.eml").write_bytes(_written(mail))
