"""A link on paper: its QR code, what it is of, until when it works, and how it is opened; not the code to type."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Final

from smartapp.pages.links.qr import dark_runs
from smartapp.pages.links.service import NewLink
from smartapp.storage.launches import Person
from smartapp.web.language import format_date
from smartapp.web.language import gettext as _
from smartapp.web.pdf import pdf

TEMPLATE: Final = Path(__file__).with_name("templates") / "links" / "paper.typ"


def paper(link: NewLink, *, client: Person, made: dt.datetime) -> bytes:
    """Return a link as a PDF, in the language of the reader. Raises NotTypeset."""
    return pdf(link.title, TEMPLATE, contents(link, client.display), person=client, made=made)


def contents(link: NewLink, client: str) -> dict[str, Any]:
    """Return what the template puts on paper."""
    code = _("You need the code, too. Ask %(name)s for it.", name=client)
    return {
        "how": _("Scan this with the camera of a phone. You do not need an account."),
        "facts": [
            *([code] if link.asks_passcode else []),
            _("It can be opened until %(day)s, or until its owner stops it.", day=format_date(link.until)),
        ],
        "alt": _("QR code: %(title)s", title=link.title),
        "rows": dark_runs(link.address),
    }
