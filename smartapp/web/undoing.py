"""Take back: what took words out of the plan is taken back with one press, on the page that says that it was saved.

What is needed for it stays in the session, for the last thing that was done in each launch. Taking back is a save like
any other: it is based on what was just saved, so it meets what someone else changed since, and overwrites nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from flask import current_app, request, session

from smartapp.web import current

FIELD: Final = "undo"
"""The field of the form that takes something back, and the mark of the page that offers it: the id of what was done."""
PUT_BACK: Final = "put-back"
"""The field of a form that puts back an earlier version."""
STOP: Final = "stop"
"""The field of a form that saves and goes no further; what takes that back sends it too, and stays where it is."""
DONE: Final = "undone"
"""The mark of a page that says that something was taken back."""


@dataclass(frozen=True, slots=True)
class Undo:
    """What can be taken back: the address that does so, and what it needs to know for that."""

    id: str
    action: str
    needs: Mapping[str, Any]

    @property
    def stops(self) -> bool:
        """Tell whether what was done went no further: then taking it back does not either."""
        return STOP in self.needs


def offer(action: str, needs: Mapping[str, Any], after: str) -> str:
    """Keep how something is taken back, and return the address of the page `after` it, which offers that."""
    undo = Undo(secrets.token_hex(8), action, needs)
    session[_key()] = asdict(undo)
    return _marked(after, f"{FIELD}={undo.id}")


def offer_again(action: str, after: str) -> str:
    """Return the address of the page `after`, which offers what can be taken back already by posting to `action`."""
    kept = session.get(_key())
    return _marked(after, f"{FIELD}={kept['id']}") if kept and kept["action"] == action else after


def offered() -> Undo | None:
    """Return what this page can offer to take back; None once that is done, or something else was done since."""
    kept = session.get(_key()) if request.args.get(FIELD) else None
    return Undo(**kept) if kept and kept["id"] == request.args[FIELD] else None


def said() -> dict[str, Any]:
    """Return what every page of the plan knows: what it offers to take back (`undo`), and whether that was `undone`."""
    return {"undo": offered(), "undone": DONE in request.args}


def taken(id_: str) -> Mapping[str, Any] | None:
    """Return what is needed to take this back, None where that is no longer known, or is taken back elsewhere."""
    kept = session.get(_key())
    return kept["needs"] if kept and kept["id"] == id_ and _is_taken_here(kept["action"]) else None


def forget() -> None:
    """Forget what was taken back."""
    session.pop(_key(), None)


def undone(after: str) -> str:
    """Return the address of a page that says that something was taken back."""
    return _marked(after, f"{DONE}=1")


def _is_taken_here(action: str) -> bool:
    """Tell whether this request came to the page that an action is of; each page needs to know something else."""
    path = urlsplit(action).path.removeprefix(request.script_root)
    endpoint, _args = current_app.create_url_adapter(request).match(path, method="POST")  # type: ignore[union-attr]
    return bool(endpoint == request.endpoint)


def _key() -> str:
    return f"undo-{current.launch().id}"


def _marked(address: str, mark: str) -> str:
    parts = urlsplit(address)
    return parts._replace(query="&".join(filter(None, (parts.query, mark)))).geturl()
