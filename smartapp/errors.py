"""What can go wrong, as one tree, and the page that each branch becomes.

AppError                        a page that says what happened and what to do
├── BadRequest          400     the request cannot be right
│   ├── UnknownIssuer   400     launched from an EHR or portal that is not in the settings
│   ├── LaunchRefused   400     the sign-in did not complete
│   └── TooLarge        413     more than a form ever holds
├── TooManyRequests     429     more from one network address than people need
├── NotAllowed          403     this role or this form token may not do this
│   ├── NotTogether     403     a page of the client's, which a professional opens without the client
│   ├── Guest           403     signed in, and nobody who has a page here
│   └── StaleForm       403     the form is from another session
├── DoorClosed          404     the questionnaire on this device is over, or could not be opened
├── LaunchEnded         404     no such launch in this browser, or not any more
├── NotFoundPage        404     no such page or record
├── WrongPerson         409     the form was filled in for someone else
├── ChangedMeanwhile    409     someone else saved first
├── NotTypeset          422     a PDF that the typesetter cannot make
└── EhrTrouble          502     the EHR gave no answer, or one that we cannot use

A page never shows text that arrived in the URL, and a log line never holds more than the class and `code`.
"""

from __future__ import annotations

from typing import ClassVar

from smartapp.i18n import message


class AppError(Exception):
    """The base of them all: `title`, `text` and `advice` are English msgids, shown in the reader's language.

    `code` is a short word for the log that says which check failed; it never holds anything about a person.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = message("Something went wrong here")
    advice: ClassVar[str] = message("Try again in a moment. Everything that was saved is still there.")

    def __init__(self, text: str = "", *, code: str = "") -> None:
        super().__init__(text or self.title)
        self.text = text
        self.code = code or type(self).__name__


class BadRequest(AppError):
    """The request cannot be right."""

    status = 400
    title = message("That did not work")
    advice = message("Go back and try again, or open the app again from your portal or record.")


class UnknownIssuer(BadRequest):
    """The launch names an EHR or portal that is not in the settings."""

    title = message("We do not know this portal or record system")
    advice = message("Open the app from your own portal or record. If you did, tell the people who manage it.")


class LaunchRefused(BadRequest):
    """The sign-in did not complete; nothing was stored."""

    title = message("Signing in did not work")
    advice = message("Open the app again from your portal or record.")


class TooLarge(BadRequest):
    """More was sent than a form ever holds."""

    status = 413
    title = message("This is more text than we can take at once")
    advice = message("Go back and shorten the text, or save it in two parts.")


class TooManyRequests(AppError):
    """More came from one network address than people need; it may ask again after `retry_after` seconds."""

    status = 429
    title = message("Too many requests came from this network")
    advice = message("Wait a minute and try again. Everything that was saved is still there.")

    def __init__(self, retry_after: int) -> None:
        super().__init__(code="too-many-requests")
        self.retry_after = retry_after


class NotAllowed(AppError):
    """This role may not see or do this."""

    status = 403
    title = message("This page is not for you")
    advice = message("Go back to your own start page.")


class NotTogether(NotAllowed):
    """The client's own words, which a professional may type only together with the client."""

    advice = message("You can write here together: begin with the client, under “Look together”.")


class Guest(NotAllowed):
    """Somebody signed in who has no page here; the page tells the code, to pass on to who can do something about it."""

    advice = message("Sign out here, and open the app again from your own portal or record.")


class StaleForm(NotAllowed):
    """The form token is missing or belongs to another session."""

    title = message("This form has expired")
    advice = message("Open the page again and send the form once more. What you typed is shown below.")


class LaunchEnded(AppError):
    """No such launch in this browser, or not any more."""

    status = 404
    title = message("You have been signed out")
    advice = message("Open the app again from your portal or record. Everything that was saved is still there.")


class DoorClosed(AppError):
    """What was opened on this device for one questionnaire is over: it was wiped, and nothing is left to go to."""

    status = 404
    title = message("This is finished on this device")
    advice = message("Nothing of it is left on this device. Give it back to who gave it to you.")


class WrongPerson(AppError):
    """The form was filled in for someone other than the person this launch is about."""

    status = 409
    title = message("This form belongs to someone else")
    advice = message("Nothing was saved. Open the record of the right person and fill in the form there.")


class EhrTrouble(AppError):
    """The EHR gave no answer, or one that we cannot use."""

    status = 502
    title = message("The record system is not responding as it should")
    advice = message("Try again in a moment. Everything that was saved is still there.")


class NotFoundPage(AppError):
    """An address that does not exist."""

    status = 404
    title = message("This page does not exist")
    advice = message("Check the address, or go back to your start page.")


class ChangedMeanwhile(AppError):
    """Someone else saved first, and the page had no better way to show both versions."""

    status = 409
    title = message("Someone else changed this in the meantime")
    advice = message("Their text is still there. Yours is not saved yet. Copy it, open the page again and compare.")


class NotTypeset(AppError):
    """A PDF could not be made; `str()` is what the typesetter said, and may hold what a person wrote."""

    status = 422
    title = message("This cannot be made into a PDF")
    advice = message(
        "Nothing is lost: every word is still on the page. Go back to it and print it with your browser, which can "
        "make a PDF of it too. Choose “print”, and then “save as PDF”."
    )

    def __init__(self, said: str = "") -> None:
        super().__init__(code="not-typeset")
        self.args = (said,)
