"""What arrived: for each thing that we made, where it stands and a fingerprint of what it said when it arrived.

With it, a second press of a button is known for one without asking any server: a server that neither creates
conditionally nor lets a client choose ids could not tell, and would make a second one. The list names no one: its keys
are keyed digests, and its content is sealed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mappers.identity import own_identifier
from mappers.sameness import fingerprint, moments_of
from smartapp.fhir.store import Stored
from smartapp.records.parcels import Parcel
from smartapp.records.placement import Place
from smartapp.storage.database import metadata
from smartapp.storage.vault import SealBroken, Vault, digest

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
    """Where something of ours stands, and the fingerprint of what it said; of itself only type, id and moment."""

    place: Place
    stored: Stored
    fingerprint: str


def key_of(issuer: str, parcel: Parcel) -> str | None:
    """Return what names a parcel's thing in the list, None where only the id that a server gave names it."""
    ours = own_identifier(parcel.write.resource)
    return digest(f"arrival|{issuer}|{parcel.type}|{ours.token}") if ours else None


class Arrivals:
    """The list, within transactions of the outbox."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def known(self, connection: Connection, keys: Iterable[str]) -> dict[str, Arrival]:
        """Return what is known of these keys; a row that no key opens counts as unknown."""
        rows = connection.execute(sa.select(ARRIVALS).where(ARRIVALS.c.key.in_(list(keys)))).all()
        found: dict[str, Arrival] = {}
        for row in rows:
            try:
                content = self._vault.open(row.sealed)
            except SealBroken:
                continue
            stored = Stored(
                {"resourceType": content["type"], "id": content["id"], **content["moments"]}, content["etag"]
            )
            found[row.key] = Arrival(content["place"], stored, content["fingerprint"])
        return found

    def note(self, connection: Connection, arrived: Mapping[str, Parcel], now: int) -> None:
        """Note what arrived, by its key, in place of what was known of it before."""
        if not arrived:
            return
        connection.execute(ARRIVALS.delete().where(ARRIVALS.c.key.in_(list(arrived))))
        connection.execute(ARRIVALS.insert(), [self._row(key, parcel, now) for key, parcel in arrived.items()])

    def forget_old(self, connection: Connection, now: int) -> None:
        """Forget what nobody will send again."""
        connection.execute(ARRIVALS.delete().where(ARRIVALS.c.made < now - REMEMBERED_SECONDS))

    def _row(self, key: str, parcel: Parcel, now: int) -> dict[str, object]:
        assert parcel.stored is not None  # noqa: S101  (the caller chose those that arrived)
        content = {
            "place": parcel.place,
            "type": parcel.type,
            "id": parcel.stored.resource["id"],
            "etag": parcel.stored.etag,
            "moments": moments_of(parcel.stored.resource),
            "fingerprint": fingerprint(parcel.write.resource),
        }
        return {"key": key, "made": now, "sealed": self._vault.seal(content)}


def arrived_by_key(issuer: str, parcels: Sequence[Parcel]) -> dict[str, Parcel]:
    """Return the parcels that arrived and have a name of ours, by their key."""
    keyed = ((key_of(issuer, parcel), parcel) for parcel in parcels if parcel.stored is not None and not parcel.closing)
    return {key: parcel for key, parcel in keyed if key is not None}
