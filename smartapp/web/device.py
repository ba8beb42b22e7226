"""A device that was handed to somebody for one questionnaire: how it is left, so that nothing of it stays there."""

from __future__ import annotations

from typing import Literal

from flask import make_response, redirect, url_for
from werkzeug.wrappers import Response

from smartapp.i18n import DEFAULT
from smartapp.storage.doors import UNTOUCHED_SECONDS, Door, End
from smartapp.web import current
from smartapp.web.language import language
from smartapp.web.leaving import wiped

Said = Literal["sent", "on-its-way", "left", "thrown-away", "refused", "over"]
"""What the last page says on the device; it knows nothing else."""


def door_here() -> Door | None:
    """Return the door through which this device got its launch; None for a launch of who signed in."""
    here = current.launch_or_none()
    return current.services().doors.get(here.handed.door) if here and here.handed else None


def untouched_seconds() -> int:
    """Return how long a device may lie untouched, for the script that ends it on the page as well."""
    return UNTOUCHED_SECONDS


def left(door: Door, how: End, said: Said, *, response: str = "") -> Response:
    """End a door, wipe its session and this browser, and lead to the page that says so."""
    current.services().end_door(door, how, response=response)
    # The cookie that remembers a language goes with the others.
    chosen = None if language() == DEFAULT else language()
    return wiped(make_response(redirect(url_for("doors.over", said=said, lang=chosen), 303)))
