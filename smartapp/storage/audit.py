"""The log of who did what with whose record, in rows that can be read back as AuditEvents.

What a row holds follows what secondary texts say NEN 7513 asks: event, action, time, outcome, who with role and
network address, whose record, which objects, on what basis. Names are sealed; nothing of this goes into the text log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from mappers.audit import AuditEntry, Event
from smartapp.storage.database import change_any, metadata, reading, writing
from smartapp.storage.strangers import Strangers
from smartapp.storage.vault import SealBroken, Vault

if TYPE_CHECKING:
    from smartapp.storage.launches import Launch

AUDIT = sa.Table(
    "audit",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("recorded", sa.Integer, nullable=False, index=True),
    sa.Column("event", sa.String(16), nullable=False),
    sa.Column("outcome", sa.String(2), nullable=False),
    # Keyed digest of issuer and patient: finds one person's rows without saying who it is. Empty: about no person.
    sa.Column("person", sa.String(64), nullable=False, index=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

MOST_OBJECTS = 50
ROWS_AT_ONCE = 500


class Audit:
    """Writes and reads the log. `clock` returns seconds since 1970, `address` the network address that asks, or ""."""

    def __init__(
        self, engine: Engine, vault: Vault, clock: Callable[[], float], address: Callable[[], str] = lambda: ""
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._address = address
        self._strangers = Strangers()

    def record(
        self, launch: Launch, event: Event, objects: Sequence[str] = (), *, outcome: str = "0", reason: str = ""
    ) -> None:
        """Write what someone did in a launch. `outcome` is FHIR's: 0 success, 4 refused, 8 serious failure."""
        self._write(
            AuditEntry(
                recorded=int(self._clock()),
                event=event,
                outcome=outcome,
                reason=reason,
                issuer=launch.issuer,
                user=launch.user.reference,
                user_name=launch.user.display,
                role=launch.user.role,
                subject=launch.user.subject,
                patient=launch.patient.reference,
                address=self._address(),
                objects=tuple(dict.fromkeys(objects))[:MOST_OBJECTS],
            ),
            person=self._person(launch.issuer_key, launch.patient.reference),
        )

    def refused(self, what: str, reason: str) -> None:
        """Write that someone we do not know was turned away; of many in a minute, some and then their number."""
        now = self._clock()
        for address, refused, why in self._strangers.rows(self._address(), what, reason, now):
            self._write(
                AuditEntry(
                    recorded=int(now),
                    event="refused",
                    outcome="4",
                    reason=why,
                    issuer="",
                    user="",
                    user_name="",
                    role="",
                    subject="",
                    patient="",
                    address=address,
                    objects=(refused,),
                )
            )

    def adopt(self, former: str, issuer: str, patient: str) -> None:
        """Bring the rows about a person that stand under a former key of the issuer under the one of today."""
        theirs = AUDIT.c.person == self._person(former, patient)
        change_any(self._engine, AUDIT, theirs, person=self._person(issuer, patient))

    def of_person(self, issuer: str, patient: str, *, most: int = 200) -> list[AuditEntry]:
        """Return the last rows about a person (`Patient/<id>`), newest first: what the client may read.

        `issuer` is the issuer's key.
        """
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(AUDIT.c.sealed)
                .where(AUDIT.c.person == self._person(issuer, patient))
                .order_by(AUDIT.c.number.desc())
                .limit(most)
            ).all()
        return [self._entry(row.sealed) for row in rows]

    def all_of(self, issuer: str, patient: str) -> list[AuditEntry]:
        """Return every row about a person that our keys open."""
        about = AUDIT.c.person == self._person(issuer, patient)
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(AUDIT.c.sealed).where(about)).scalars().all()
        opened = self._vault.open_any(rows)
        return [_entry(values) for values in opened if values is not None]

    def entries(self, *, since: int = 0) -> Iterator[AuditEntry]:
        """Yield every row from `since` (seconds since 1970) on, in the order written: what an auditor may read.

        Rows are read in blocks by number, so that memory stays constant and a long export holds up no writer.
        Raises SealBroken with the number of a row that does not open.
        """
        last = 0
        while True:
            chosen = sa.select(AUDIT.c.number, AUDIT.c.sealed).where(AUDIT.c.number > last, AUDIT.c.recorded >= since)
            with reading(self._engine) as connection:
                rows = connection.execute(chosen.order_by(AUDIT.c.number).limit(ROWS_AT_ONCE)).all()
            if not rows:
                return
            for row in rows:
                try:
                    entry = self._entry(row.sealed)
                except SealBroken as error:
                    raise SealBroken(f"Row {row.number} of the log: {error}") from error
                yield entry
            last = rows[-1].number

    def _entry(self, sealed: bytes) -> AuditEntry:
        return _entry(self._vault.open(sealed))

    def _write(self, entry: AuditEntry, person: str = "") -> None:
        with writing(self._engine, on="audit") as connection:
            connection.execute(
                AUDIT.insert().values(
                    recorded=entry.recorded,
                    event=entry.event,
                    outcome=entry.outcome,
                    person=person,
                    sealed=self._vault.seal(asdict(entry)),
                )
            )

    def _person(self, issuer: str, patient: str) -> str:
        return self._vault.digest(f"person|{issuer}|{patient}")


def _entry(values: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(**{**values, "objects": tuple(values["objects"])})
