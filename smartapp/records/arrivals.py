"""What arrived: for each thing that we made, where it stands and a fingerprint of what it said when it arrived.

With it, a second press of a button is known for one without asking any server: a server that neither creates
conditionally nor lets a client choose ids could not tell, and would make a second one. The list names no one: its keys
are keyed digests, and its content is sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mappers.identity import Identifier, own_identifier
from mappers.sameness import fingerprint, moments_of
from mappers.successors import first_of, number_of
from smartapp.fhir.store import Stored
from smartapp.records.parcels import Parcel
from smartapp.records.placement import Place
from smartapp.storage.database import metadata
from smartapp.storage.vault import SealBroken, Vault

ARRIVALS = sa.Table(
    "arrivals",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("made", sa.Integer, nullable=False, index=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

REMEMBERED_SECONDS: Final = 90 * 24 * 3600
"""Far longer than a page stays open with a button that was pressed before."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where something of ours stands, and the fingerprint of what it said; of itself only type, id and moment.

    `number` says which of a response's successors it is (`mappers.successors`), 1 for the first response.
    """

    place: Place
    stored: Stored
    fingerprint: str
    number: int = 1


class Arrivals:
    """The list, within transactions of the outbox."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def key(self, issuer: str, parcel: Parcel) -> str | None:
        """Return what names a parcel's thing in the list, None where only the id that a server gave names it."""
        ours = own_identifier(parcel.write.resource)
        return self.key_of(issuer, parcel.type, ours) if ours else None

    def key_of(self, issuer: str, type_: str, identifier: Identifier) -> str:
        """Return what names something of ours in the list: a response and its successors are one thing."""
        return self._vault.digest(f"arrival|{issuer}|{type_}|{first_of(identifier).token}")

    def known(self, connection: Connection, issuer: str, parcels: Sequence[Parcel]) -> dict[str, Arrival]:
        """Return what is known of these parcels, by their key; a row that no key opens counts as unknown."""
        return self.at(connection, [key for parcel in parcels if (key := self.key(issuer, parcel))])

    def at(self, connection: Connection, keys: Sequence[str]) -> dict[str, Arrival]:
        """Return what is known under these keys."""
        rows = connection.execute(sa.select(ARRIVALS).where(ARRIVALS.c.key.in_(keys))).all()
        return {row.key: found for row in rows if (found := self._opened(row.sealed)) is not None}

    def note(self, connection: Connection, issuer: str, parcels: Sequence[Parcel], now: int) -> None:
        """Note what arrived of these parcels, in place of what was known of it before."""
        there = [parcel for parcel in parcels if parcel.stored is not None and not parcel.closing]
        rows = {key: self._row(parcel) for parcel in there if (key := self.key(issuer, parcel))}
        if rows:
            connection.execute(ARRIVALS.delete().where(ARRIVALS.c.key.in_(list(rows))))
            connection.execute(
                ARRIVALS.insert(), [{"key": key, "made": now, "sealed": sealed} for key, sealed in rows.items()]
            )

    def forget_old(self, connection: Connection, now: int) -> None:
        """Forget what nobody will send again."""
        connection.execute(ARRIVALS.delete().where(ARRIVALS.c.made < now - REMEMBERED_SECONDS))

    def _opened(self, sealed: bytes) -> Arrival | None:
        try:
            content = self._vault.open(sealed)
        except SealBroken:
            return None
        stored = Stored({"resourceType": content["type"], "id": content["id"], **content["moments"]}, content["etag"])
        return Arrival(content["place"], stored, content["fingerprint"], content.get("number", 1))

    def _row(self, parcel: Parcel) -> bytes:
        there = parcel.stored or Stored({"id": ""})
        return self._vault.seal(
            {
                "place": parcel.place,
                "type": parcel.type,
                "id": there.resource["id"],
                "etag": there.etag,
                "moments": moments_of(there.resource),
                "fingerprint": fingerprint(parcel.write.resource),
                "number": number_of(parcel.write.resource) or 1,
            }
        )
