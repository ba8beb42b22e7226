"""Writing together: a professional types in the client's presence, and the client says of each save if it is right.

It is begun by a press under *Look together* and is kept in the session of its launch. It is over when the two press
*done*, and when the professional opens a page that is no part of it. Whose the words are never changes by it: they are
the client's, and who typed them is their author.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import g, request, session

from mappers.plan import PersonRef
from questionnaires.model import Who
from smartapp.web import current
from smartapp.web.language import gettext as _

if TYPE_CHECKING:
    from flask import Flask

BEGIN: Final = "overview/together/write"
"""Where it is begun, below the address of the record."""
DONE: Final = f"{BEGIN}/done"

_PAGES: Final = frozenset({"together", "living", "plan", "phase", "answers", "help", "kept", "people"})
"""The pages that are a part of it: who opens another one has left."""


def begin() -> None:
    """Let the professional of this launch write with the client from now on."""
    session[_key()] = True


def end() -> None:
    """Let it be over."""
    session.pop(_key(), None)


def goes_on() -> bool:
    """Tell whether this is a page of a professional who writes with the client."""
    here = current.launch_or_none()
    return here is not None and here.user.professional and bool(session.get(_key()))


def may_write() -> bool:
    """Tell whether the reader may change the client's words: it is the client, or they write together."""
    return current.launch().user.role == "client" or goes_on()


def own_parts() -> tuple[Who, ...]:
    """Return the parts of a form that are the reader's own while they write with the client; none otherwise.

    A peer worker has their own. Of a clinician the record says no more, so they may be either.
    """
    if not goes_on():
        return ()
    role = current.launch().user.role
    parts: dict[str, tuple[Who, ...]] = {"peer-worker": ("peer-worker",), "case-manager": ("professional",)}
    return parts.get(role, ("peer-worker", "professional"))


def typed_by(person: PersonRef) -> None:
    """Say who typed what this request saves: somebody else than who sends it, the client, who said yes to it."""
    g.typist = person


def author() -> PersonRef:
    """Return who typed what this request saves."""
    if "typist" in g:
        typist: PersonRef = g.typist
        return typist
    here = current.launch()
    who = here.patient if here.user.role == "client" else here.user
    return PersonRef(who.reference, who.display)


def client_name() -> str:
    """Return what the client is called beside a professional."""
    return current.launch().patient.display or _("The client")


def client_called() -> str:
    """Return how to speak to the client, who reads along."""
    return current.launch().patient.address or _("The client")


def typist_name() -> str:
    """Return what the professional of this launch is called."""
    return current.launch().user.display or _("The professional")


# --- what every page of it says -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Band:
    """What stands on top of each page while two people write: whose words it are, and who types.

    `own` says that what this page asks is the typist's own part.
    """

    client: str
    typist: str
    own: bool


def is_own_part() -> None:
    """Say that this page asks for the professional's own words."""
    g.own_part = True


def band() -> Band | None:
    """Return what stands on top of this page, None where nobody writes together."""
    if not goes_on():
        return None
    return Band(client_name(), typist_name(), own="own_part" in g)


def init_writing_together(app: Flask) -> None:
    """Let writing together be over as soon as the professional opens a page that is no part of it."""

    @app.before_request
    def leave() -> None:
        if request.blueprint not in _PAGES and goes_on():
            end()


def _key() -> str:
    return f"with-client-{current.launch().id}"
