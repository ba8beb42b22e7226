"""Sending the messages that something is ready, by mail or into the portal: what they say, and what becomes of each.

The courier calls this.

A message has no name, no questionnaire and no words of anybody in it: that something is ready, where to sign in by
oneself, and how to stop. So a mail that somebody else sees tells them nothing of what it is about.
"""

from __future__ import annotations

import logging
import uuid
from email.message import EmailMessage
from typing import Final

from mappers.ready_message import ready_message
from smartapp.fhir.store import RecordError, Refused, Unreachable, Write
from smartapp.mail import NotSent, NotTaken, PerhapsSent, mail_of, sender_of
from smartapp.services import Services
from smartapp.settings import Issuer, Settings
from smartapp.smart.backend import BackendToken
from smartapp.storage.reminders import How, Message

log = logging.getLogger(__name__)

# Without je and u: so they are the same for every place.
_READY: Final = {
    "nl": (
        "Er staat iets klaar",
        "Er staat iets klaar.\n\n"
        "Wat het is, staat niet in deze mail. Log zelf in om het te zien:\n{sign_in}\n\n"
        "Geen berichten meer? Open dit adres en druk op de knop:\n{stop}\n\n"
        "Antwoorden op deze mail kan niet.\n",
    ),
    "en": (
        "Something is ready",
        "Something is ready.\n\n"
        "What it is does not stand in this mail. Sign in by yourself to see it:\n{sign_in}\n\n"
        "No more messages? Open this address and press the button:\n{stop}\n\n"
        "Nobody reads replies to this mail.\n",
    ),
}
_CONFIRM: Final = {
    "nl": (
        "Klopt dit e-mailadres?",
        "Iemand koos dit e-mailadres voor berichten. Klopt dat?\n"
        "Open dan dit adres en druk op de knop:\n{confirm}\n\n"
        "Klopt het niet? Dan hoeft er niets te gebeuren. Zonder de knop komen er geen berichten.\n\n"
        "Antwoorden op deze mail kan niet.\n",
    ),
    "en": (
        "Is this e-mail address right?",
        "Somebody chose this e-mail address for messages. Is that right?\n"
        "Then open this address and press the button:\n{confirm}\n\n"
        "Is it not? Then nothing needs to be done. Without the button no messages come.\n\n"
        "Nobody reads replies to this mail.\n",
    ),
}


def stop_address(settings: Settings, message: Message) -> str:
    """Return the address that stops messages: a page with one button, and what a mail program posts to."""
    return f"{settings.public_url}/reminders/stop/{message.stop}{_in_language(message)}"


def confirm_address(settings: Settings, message: Message) -> str:
    """Return the address of the page on which somebody says that a mailbox is theirs."""
    return f"{settings.public_url}/reminders/confirm/{message.confirm}{_in_language(message)}"


def _in_language(message: Message) -> str:
    # Dutch is what a page is in anyway, and a short address breaks less often.
    return "?lang=en" if message.choice.language == "en" else ""


def ways(settings: Settings, issuer: Issuer | None) -> tuple[How, ...]:
    """Return how people of an issuer can get messages here; none where the place set up no way."""
    if issuer is None:
        return ()
    found: dict[How, bool] = {"mail": settings.mails, "portal": bool(issuer.messages_client_id)}
    return tuple(how for how, there in found.items() if there)


def remind(services: Services) -> bool:
    """Send one message that is due, and note what became of it; tell whether there was one."""
    message = services.reminders.claim()
    if message is None:
        return False
    try:
        _send(services, message)
    except NotSent as error:
        log.warning("a message could not be sent, and is tried again: %s", error)
        services.reminders.later(message)
    except NotTaken as error:
        log.info("a message was refused: %s", error)
        services.reminders.refused(message)
    except PerhapsSent as error:
        log.warning("nobody knows whether a message was sent: %s", error)
        services.reminders.unsure(message)
    else:
        services.reminders.sent(message)
    return True


def _send(services: Services, message: Message) -> None:
    if message.choice.how == "portal":
        _to_portal(services, message)
        return
    sender = sender_of(services.settings)
    if sender is None:
        raise NotSent("there is no mail server in the settings")
    sender.send(mail_about(services.settings, message))


def _to_portal(services: Services, message: Message) -> None:
    """Write a message into the EHR of a person, whose portal shows it."""
    issuer = services.settings.issuer(message.choice.issuer)
    if issuer is None or not issuer.messages_client_id:
        raise NotSent("its issuer takes no messages any more")
    token = BackendToken(
        issuer.base, issuer.messages_client_id, services.keys, issuer.messages_scope, clock=services.clock
    )
    resource = ready_message(
        patient=message.choice.patient,
        identifier=str(uuid.uuid4()),
        sent=services.now(),
        language="en" if message.choice.language == "en" else "nl",
    )
    try:
        token(None)  # asked for first: while the EHR is away, that shows before anything is written
    except RecordError as error:
        raise NotSent(f"no token: {type(error).__name__}") from error
    try:
        services.ehr_with(issuer, token).write(Write("create", resource))
    except Unreachable as error:
        raise PerhapsSent(type(error).__name__) from error
    except Refused as error:
        raise NotTaken(type(error).__name__) from error
    except RecordError as error:  # what we may there is for the place to mend
        raise NotSent(type(error).__name__) from error


def mail_about(settings: Settings, message: Message) -> EmailMessage:
    """Return a message as a mail."""
    choice, stop = message.choice, stop_address(settings, message)
    if message.kind == "confirm":
        subject, text = _CONFIRM["en" if choice.language == "en" else "nl"]
        said = text.format(confirm=confirm_address(settings, message))
        return mail_of(settings, choice.address, subject, said)
    subject, text = _READY["en" if choice.language == "en" else "nl"]
    said = text.format(sign_in=settings.sign_in_url or settings.public_url, stop=stop)
    # RFC 8058: a mail program stops them with one press, by a POST to this address.
    one_press = {"List_Unsubscribe": f"<{stop}>", "List_Unsubscribe_Post": "List-Unsubscribe=One-Click"}
    return mail_of(settings, choice.address, subject, said, **one_press)
