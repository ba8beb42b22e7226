"""Messages that something is ready: whether they can be sent here. Pages that lead to that choice ask it."""

from __future__ import annotations

from smartapp.reminding import ways
from smartapp.storage.reminders import How
from smartapp.web import current


def ways_here() -> tuple[How, ...]:
    """Return how the person of this launch can get messages; none where the place set up no way."""
    settings = current.services().settings
    return ways(settings, settings.issuer(current.launch().issuer))


def may_send() -> bool:
    """Tell whether there is such a way."""
    return bool(ways_here())
