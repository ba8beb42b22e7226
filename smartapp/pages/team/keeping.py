"""What is written about a team, in our own store: made once, and changed only on the version that was looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import abort

from mappers.audit import Event
from mappers.team.told import IDENTIFIER_SYSTEM
from questionnaires.fhir import Resource
from smartapp.fhir.store import Conflict, NotFound, Stored, Write
from smartapp.pages.team.found import own
from smartapp.storage.launches import NOBODY
from smartapp.web import current

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """How something about a team is written and read: `values_in` gives what a form shows, None for what is no such."""

    type: str
    values_in: Callable[[Resource], Values | None]
    make: Callable[[Values, str, Resource | None], Resource]
    """From values, an identifier, and what is there now."""
    system: str = IDENTIFIER_SYSTEM


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept: its id, what a form shows of it, and its version."""

    id: str
    values: Values
    version: str


class Clash(Exception):
    """Somebody else was quicker; `kept` is what stands there now."""

    def __init__(self, kept: Kept) -> None:
        super().__init__("changed meanwhile")
        self.kept = kept


class TakenAway(Exception):
    """It was there, and somebody took it away."""


def find(kind: Kind, id_: str) -> Kept | None:
    """Return what is kept under an id; None where it was taken away, is no such thing, or of another team."""
    try:
        return _kept(kind, own().read(kind.type, id_))
    except NotFound:
        return None


def was_there(kind: Kind, id_: str) -> bool:
    """Tell whether something of this kind was kept under an id, whatever became of it."""
    try:
        return any(kind.values_in(one) is not None for one in history(kind, id_))
    except NotFound:
        return False


def make(kind: Kind, values: Values, identifier: str) -> Kept:
    """Keep something new once, however often it is sent.

    Raises Clash where it stands there with other words, and TakenAway.
    """
    made = own().write(Write.once(kind.make(values, identifier, None), identifier=f"{kind.system}|{identifier}"))
    kept = _kept(kind, made)
    if kept is None:
        raise TakenAway
    if made.created is False and kept.values != values:
        raise Clash(kept)
    if made.created is not False:
        note("create", made.versioned)
    return kept


def change(kind: Kind, id_: str, values: Values, version: str) -> Kept:
    """Change what was looked at in this version.

    Raises Clash where it is another one by now, with other words, and TakenAway.
    """
    there = own().read(kind.type, id_)
    kept = _kept(kind, there)
    if kept is None:
        raise TakenAway
    if kept.values == values:  # pressed twice, or somebody wrote the same
        return kept
    if version != kept.version:
        raise Clash(kept)
    try:
        changed = own().write(Write("update", kind.make(values, "", there.resource), if_match=version))
    except Conflict:
        raise _otherwise(kind, id_) from None
    note("update", changed.versioned)
    return _kept(kind, changed) or abort(404)


def remove(kind: Kind, id_: str, version: str) -> None:
    """Let something that was looked at in this version be read no more; its versions stay in our own store.

    Raises Clash where it is another one by now, and TakenAway.
    """
    there = own().read(kind.type, id_)
    kept = _kept(kind, there)
    if kept is None:
        raise TakenAway
    if version != kept.version:
        raise Clash(kept)
    try:
        removed = own().write(Write("update", {**there.resource, "status": "entered-in-error"}, if_match=version))
    except Conflict:
        raise _otherwise(kind, id_) from None
    note("update", removed.versioned)


def _otherwise(kind: Kind, id_: str) -> Clash | TakenAway:
    """Return what somebody who was quicker did to it."""
    kept = find(kind, id_)
    return TakenAway() if kept is None else Clash(kept)


def history(kind: Kind, id_: str) -> list[Resource]:
    """Return all versions of something, the newest first."""
    return [one.resource for one in own().history(kind.type, id_)]


def note(event: Event, what: str) -> None:
    """Write into the log who wrote about a team: in no client's rows, for it is about none of them."""
    current.services().audit.record(current.launch().about(NOBODY), event, [what])


def _kept(kind: Kind, stored: Stored) -> Kept | None:
    values = kind.values_in(stored.resource)
    return None if values is None else Kept(stored.resource["id"], values, stored.etag or "")
