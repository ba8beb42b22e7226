"""What a FHIR server will take from us: what it says, what was granted, and what it did the last time.

Metadata and scopes contradict each other at real EHRs, and both contradict what happens. So a thing can be done only
when all three say so; a refusal (403, 405, 422) counts for a day: for the person who met it at once, and for the others
of the same role when several people met it. One slip, or one chart that is locked, moves nobody else's things.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from mappers.tolerant import objects_in, text_in
from smartapp.fhir.scopes import Letter, Scopes
from smartapp.fhir.store import RecordError, RecordStore
from smartapp.storage.database import metadata, reading, writing

Interaction = Literal["create", "read", "update", "search-type", "history-instance"]

KEEP_SECONDS = 3600
RETRY_SECONDS = 60
# Long enough not to meet the same refusal on every page, short enough to notice by ourselves that an EHR was put right.
DEMOTED_SECONDS = 24 * 3600
# 403 and 405 say "not you" or "not this"; 422 is about a content too, so more people have to have met it.
_OUTRIGHT = frozenset({403, 405})
ENOUGH_OUTRIGHT = 2
ENOUGH_IN_ALL = 3
# Answers about what may be done at all. 400 and 412 are about one content, 5xx about one moment: those demote nothing.
DEMOTING_STATUSES = _OUTRIGHT | {422}

_LETTERS: Mapping[Interaction, Letter] = {
    "create": "c",
    "read": "r",
    "update": "u",
    "search-type": "s",
    "history-instance": "r",
}
_ALWAYS_SEARCHABLE = frozenset({"patient", "subject"})

REFUSALS = sa.Table(
    "refusals",
    metadata,
    sa.Column("issuer", sa.String, primary_key=True),
    sa.Column("type", sa.String(64), primary_key=True),
    sa.Column("interaction", sa.String(16), primary_key=True),
    sa.Column("role", sa.String(16), primary_key=True),
    sa.Column("person", sa.String(64), primary_key=True),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("made", sa.Integer, nullable=False),
)

_BY_ROLE = (
    sa.select(REFUSALS.c.type, REFUSALS.c.interaction)
    .where(
        REFUSALS.c.issuer == sa.bindparam("issuer"),
        REFUSALS.c.role == sa.bindparam("role"),
        REFUSALS.c.made > sa.bindparam("since"),
    )
    .group_by(REFUSALS.c.type, REFUSALS.c.interaction)
)
# One row per person: so many rows are so many people.
_DEMOTED = _BY_ROLE.having(
    sa.or_(
        sa.func.sum(sa.case((REFUSALS.c.status.in_(_OUTRIGHT), 1), else_=0)) >= ENOUGH_OUTRIGHT,
        sa.func.count() >= ENOUGH_IN_ALL,
        sa.func.sum(sa.case((REFUSALS.c.person == sa.bindparam("person"), 1), else_=0)) > 0,
    )
)


@dataclass(frozen=True, slots=True)
class Offered:
    """What a CapabilityStatement offers. `known` is False without one: then everything may be tried."""

    known: bool = False
    interactions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    search_params: Mapping[str, frozenset[str]] = field(default_factory=dict)
    conditional_create: frozenset[str] = frozenset()
    update_create: frozenset[str] = frozenset()
    transaction: bool = False

    def offers(self, type: str, interaction: Interaction) -> bool:
        """Tell whether the server says it does this."""
        return not self.known or interaction in self.interactions.get(type, ())

    def searches_by(self, type: str, param: str) -> bool:
        """Tell whether a search parameter can be sent; a statement that lists none says nothing about them."""
        name = param.partition(":")[0]
        listed = self.search_params.get(type, frozenset())
        return not listed or name.startswith("_") or name in listed or name in _ALWAYS_SEARCHABLE


def read_offered(statement: Any) -> Offered:
    """Read a CapabilityStatement as tolerantly as real ones need: what cannot be understood is not offered."""
    servers = [rest for rest in objects_in(statement, "rest") if rest.get("mode", "server") == "server"]
    resources = [row for rest in servers for row in objects_in(rest, "resource") if text_in(row, "type")]
    return Offered(
        known=True,
        interactions={row["type"]: _codes(row, "interaction", "code") for row in resources},
        search_params={row["type"]: _codes(row, "searchParam", "name") for row in resources},
        conditional_create=frozenset(row["type"] for row in resources if row.get("conditionalCreate") is True),
        update_create=frozenset(row["type"] for row in resources if row.get("updateCreate") is True),
        transaction=any("transaction" in _codes(rest, "interaction", "code") for rest in servers),
    )


def _codes(node: Mapping[str, Any], name: str, member: str) -> frozenset[str]:
    return frozenset(text_in(row, member) for row in objects_in(node, name)) - {""}


@dataclass(frozen=True, slots=True)
class Capability:
    """What one launch can do at its EHR."""

    offered: Offered
    scopes: Scopes
    demoted: frozenset[tuple[str, str]] = frozenset()

    def can(self, type: str, interaction: Interaction) -> bool:
        """Tell whether metadata, granted scope and the last real outcome all allow this."""
        return (
            self.offered.offers(type, interaction)
            and self.scopes.allows(type, _LETTERS[interaction])
            and (type, interaction) not in self.demoted
        )


class Capabilities:
    """Keeps what EHRs offer for an hour, and what they refused for a day. `clock`: seconds since 1970."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock
        self._kept: dict[str, tuple[float, Offered]] = {}
        self._lock = threading.Lock()

    def of(self, issuer: str, store: RecordStore, scopes: str, *, role: str = "", person: str = "") -> Capability:
        """Return what someone can do at an issuer with these scopes; `person` is whoever `refused` was told about."""
        return Capability(self._offered(issuer, store), Scopes.parse(scopes), self.demoted(issuer, role, person=person))

    def look(self, issuer: str, store: RecordStore) -> Offered:
        """Return what an issuer, or another server by that name, offers: asked of it now where that is not known."""
        return self._offered(issuer, store)

    def refused(self, issuer: str, type: str, interaction: Interaction, *, role: str, person: str, status: int) -> None:
        """Remember for a day that the EHR refused this to someone; `person` is a digest that names nobody."""
        key = {"issuer": issuer, "type": type, "interaction": interaction, "role": role, "person": person}
        now = int(self._clock())
        with writing(self._engine, on=issuer) as connection:
            connection.execute(REFUSALS.delete().where(REFUSALS.c.made <= now - DEMOTED_SECONDS))
            connection.execute(_upsert(connection, {**key, "status": status, "made": now}))

    def demoted(self, issuer: str, role: str, *, person: str = "") -> frozenset[tuple[str, str]]:
        """Return what an issuer refused within the last day, as (type, interaction).

        It counts when it was refused to this very person, or to several people of this role.
        """
        since = int(self._clock()) - DEMOTED_SECONDS
        asked = {"issuer": issuer, "role": role, "person": person, "since": since}
        with reading(self._engine) as connection:
            rows = connection.execute(_DEMOTED, asked).all()
        return frozenset((row.type, row.interaction) for row in rows)

    def _offered(self, issuer: str, store: RecordStore) -> Offered:
        with self._lock:
            kept = self._kept.get(issuer)
        if kept and kept[0] - KEEP_SECONDS <= self._clock() < kept[0]:  # not what a clock that was ahead asked
            return kept[1]
        try:
            offered, seconds = read_offered(store.capabilities()), KEEP_SECONDS
        except RecordError:
            # Without an answer: what we knew before, else everything may be tried. Asked again in a minute.
            offered, seconds = kept[1] if kept else Offered(), RETRY_SECONDS
        with self._lock:
            self._kept[issuer] = (self._clock() + seconds, offered)
        return offered


def _upsert(connection: Connection, row: Mapping[str, Any]) -> sa.Executable:
    """Return the statement that keeps the newest of one person's refusals, whoever else does so at the same time."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(REFUSALS).values(row)
    key = [column.name for column in REFUSALS.primary_key]
    newest = {name: statement.excluded[name] for name in row if name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=newest)
