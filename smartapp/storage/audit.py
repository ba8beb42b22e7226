"""The log of who did what with whose record, in rows that can be read back as AuditEvents.

What a row holds follows what secondary texts say NEN 7513 asks: event, action, time, outcome, who with role and
network address, whose record, which objects and parts of it, what for, and which system wrote it. Names are sealed;
nothing of this goes into the text log. Rows are links of a chain: see `chain.py`, and `examining.py` for who checks it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from mappers.audit import BY_DOOR, BY_ITSELF, BY_LINK, OPERATOR, REUSED, AuditEntry, Event, purpose_of
from smartapp.storage.chain import AUDIT, append
from smartapp.storage.database import change_any, reading, writing
from smartapp.storage.passing_on import TO_PASS_ON, PassingOn, put
from smartapp.storage.strangers import SEVERAL, Attempts, Strangers
from smartapp.storage.vault import SealBroken, Vault

if TYPE_CHECKING:
    from smartapp.storage.launches import Launch, User

MOST_OBJECTS = 50
ROWS_AT_ONCE = 500
LOOKS_AT_ONCE = 250
MOST_WRITES = 2000
NO_LOOKS = ("denied", "refused", "logout", "asked")
LONGEST_VISIT = 32
TURN = "audit"
"""What the writers of the log wait in line for."""


class Audit:
    """Writes and reads the log. `clock` returns seconds since 1970, `address` the network address that asks, or "".

    `system` is the address of this installation, `organisation` gives the name of an issuer by its address, `passed_on`
    tells by its address whether it gets the rows about its people too; see `passing_on.py`.
    """

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        clock: Callable[[], float],
        address: Callable[[], str] = lambda: "",
        *,
        system: str = "",
        organisation: Callable[[str], str] = lambda _issuer: "",
        passed_on: Callable[[str], bool] = lambda _issuer: False,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._address = address
        self._system = system
        self._organisation = organisation
        self._passed_on = passed_on
        self.to_pass_on = PassingOn(engine, vault, clock, _entry)
        self._strangers = Strangers()
        self._attempts = Attempts()

    def record(
        self,
        launch: Launch,
        event: Event,
        objects: Sequence[str] = (),
        *,
        parts: Sequence[str] = (),
        outcome: str = "0",
        reason: str = "",
        address: str | None = None,
    ) -> None:
        """Write what someone did in a launch. `outcome` is FHIR's: 0 success, 4 refused, 8 serious failure.

        `address` is from where; by default, from where it is asked now. Of who was handed a device nothing is known but
        who gave it.
        """
        handed = launch.handed
        self._write(
            AuditEntry(
                recorded=int(self._clock()),
                event=event,
                outcome=outcome,
                reason=reason,
                issuer=launch.issuer,
                user=launch.user.reference,
                user_name=launch.user.display,
                role=BY_DOOR if handed else launch.user.role,
                subject=launch.user.subject,
                patient=launch.patient.reference,
                address=self._address() if address is None else address,
                objects=tuple(dict.fromkeys(objects))[:MOST_OBJECTS],
                parts=tuple(dict.fromkeys(parts)),
                purpose=purpose_of(launch.user.role),
                system=self._system,
                organisation=self._organisation(launch.issuer),
                visit=self._vault.digest(f"visit|{launch.id}")[:LONGEST_VISIT],
                through=handed.giver.user.display if handed else "",
            ),
            person="" if launch.about_nobody else self._person(launch.issuer_key, launch.patient.reference),
            launch_id=launch.id,
        )

    def shown(self, launches: Mapping[str, tuple[Launch, Sequence[str]]], what: str) -> None:
        """Write that a page (`what`) showed a line of each of several clients, in one transaction: all of it or none.

        `launches` has for each client the launch as one about them, and the parts that the line is of.
        """
        with writing(self._engine, on=TURN):
            for launch, parts in launches.values():
                self.record(launch, "read", [what], parts=parts)

    def pass_on_with(self, launch: Launch) -> None:
        """Let a new launch send the rows about its person that an EHR has not got, and whose own launch is over."""
        self.to_pass_on.bind(self._person(launch.issuer_key, launch.patient.reference), launch.id)

    def denied(self, launch: Launch, what: str, reason: str, parts: Sequence[str] = ()) -> None:
        """Write that someone in a launch was turned away; of many in a minute, some and then their number."""
        for whose, refused, why in self._attempts.rows(launch, what, reason, self._clock()):
            # What several were is counted: they may have come from anywhere, and have asked for anything.
            told: dict[str, Any] = {"address": ""} if refused == SEVERAL else {"parts": parts}
            self.record(whose, "denied", [refused], outcome="4", reason=why, **told)

    def taken_out(self, issuer_key: str, issuer: str, patient: str, what: str) -> None:
        """Write that who operates this installation took something out of it, about a person or ("") about all."""
        self._write(
            _of_nobody(
                int(self._clock()),
                "export",
                issuer=issuer,
                patient=patient,
                role=OPERATOR,
                objects=(what,),
                purpose=purpose_of(OPERATOR),
                system=self._system,
                organisation=self._organisation(issuer),
            ),
            person=self._person(issuer_key, patient) if patient else "",
        )

    def handed_out(self, issuer_key: str, issuer: str, patients: Sequence[str], *, by: str, what: str) -> None:
        """Write that answers of people (`Patient/<id>`; "" for a row about all) went out for reuse: all rows or none.

        `by` is who did it, by name, and `what` for what. No EHR gets these rows: they tell what somebody chose.
        """
        with writing(self._engine, on=TURN):
            for patient in patients:
                entry = _of_nobody(
                    int(self._clock()),
                    "export",
                    issuer=issuer,
                    user_name=by,
                    patient=patient,
                    role=OPERATOR,
                    objects=(REUSED, what),
                    purpose=purpose_of(OPERATOR),
                    system=self._system,
                    organisation=self._organisation(issuer),
                )
                self._write(entry, person=self._person(issuer_key, patient) if patient else "", here_alone=True)

    def pruned(self, removed: str, rule: str) -> None:
        """Write that old rows were removed, and by which rule."""
        self._write(_of_nobody(int(self._clock()), "pruned", objects=(removed,), reason=rule, system=self._system))

    def refused(self, what: str, reason: str) -> None:
        """Write that someone we do not know was turned away; of many in a minute, some and then their number."""
        now = self._clock()
        for address, refused, why in self._strangers.rows(self._address(), what, reason, now):
            asked = {"reason": why, "address": address, "objects": (refused,), "system": self._system}
            self._write(_of_nobody(int(now), "refused", outcome="4", **asked))

    def by_link(
        self,
        person: str,
        issuer: str,
        patient: str,
        *,
        objects: Sequence[str],
        parts: Sequence[str],
        recipient: str,
        reason: str = "",
    ) -> None:
        """Write that somebody opened what a person shared by a link, or was refused it, for a `reason`.

        There is no user: `recipient` is what they call themselves. `person` is as `person_digest` returns it.
        """
        entry = _of_nobody(
            int(self._clock()),
            "denied" if reason else "read",
            outcome="4" if reason else "0",
            reason=reason,
            issuer=issuer,
            user_name=recipient,
            role=BY_LINK,
            patient=patient,
            address=self._address(),
            objects=tuple(objects),
            parts=tuple(parts),
            system=self._system,
            organisation=self._organisation(issuer),
        )
        self._write(entry, person=person)

    def by_hook(
        self,
        user: User,
        issuer: str,
        patient: str,
        *,
        objects: Sequence[str],
        parts: Sequence[str] = (),
        reason: str = "",
    ) -> None:
        """Write what an EHR asked on behalf of a user about a person (`Patient/<id>`), and was told of it.

        With `parts` they were told of those; with a `reason` the EHR got no answer. `issuer` is the address of the EHR.
        That it got none is no attempt of a person's, and so nothing for the client's list of who wanted to look.
        """
        self._write(
            AuditEntry(
                recorded=int(self._clock()),
                event="read" if parts else "asked",
                outcome="4" if reason else "0",
                reason=reason,
                issuer=issuer,
                user=user.reference,
                user_name=user.display,
                role=user.role,
                subject=user.subject,
                patient=patient,
                address=self._address(),
                objects=tuple(objects)[:MOST_OBJECTS],
                parts=tuple(dict.fromkeys(parts)),
                purpose=purpose_of(user.role),
                system=self._system,
                organisation=self._organisation(issuer),
            ),
            person=self._person(user.issuer, patient),
        )

    def reminder(self, person: str, issuer: str, patient: str, what: Literal["sent", "stopped"]) -> None:
        """Write that a reminder was sent to a person, or that reminders were stopped by a button in one.

        `person` is as `person_digest` returns it. Where it was sent to stands nowhere.
        """
        entry = _of_nobody(
            int(self._clock()),
            "reminder",
            issuer=issuer,
            role=BY_ITSELF,
            patient=patient,
            objects=(f"reminders.{what}",),
            purpose=purpose_of(BY_ITSELF),
            system=self._system,
            organisation=self._organisation(issuer),
        )
        self._write(entry, person=person)

    def adopt(self, former: str, issuer: str, patient: str) -> None:
        """Bring the rows about a person that stand under a former key of the issuer under the one of today."""
        theirs = AUDIT.c.person == self._person(former, patient)
        change_any(self._engine, AUDIT, theirs, person=self._person(issuer, patient))
        waiting = TO_PASS_ON.c.person == self._person(former, patient)
        change_any(self._engine, TO_PASS_ON, waiting, person=self._person(issuer, patient))

    def of_person(self, issuer: str, patient: str) -> list[AuditEntry]:
        """Return every row about a person (`Patient/<id>`) that our keys open, newest first. `issuer` is its key."""
        about = AUDIT.c.person == self._person(issuer, patient)
        chosen = sa.select(AUDIT.c.sealed).where(about).order_by(AUDIT.c.number.desc())
        with reading(self._engine) as connection:
            rows = connection.execute(chosen).scalars().all()
        return [_entry(values) for values in self._vault.open_any(rows) if values is not None]

    def writers(self, issuer: str, patient: str) -> dict[str, AuditEntry]:
        """Return who made each version of a person's resources with this app, by reference (`Goal/1/_history/3`).

        `issuer` is its key. Of rows from before versions were noted nothing is known; nor of what others wrote.
        """
        theirs = (AUDIT.c.person == self._person(issuer, patient), AUDIT.c.event.in_(("create", "update")))
        chosen = sa.select(AUDIT.c.sealed).where(*theirs).order_by(AUDIT.c.number.desc()).limit(MOST_WRITES)
        with reading(self._engine) as connection:
            rows = connection.execute(chosen).scalars().all()
        entries = [_entry(values) for values in self._vault.open_any(rows) if values is not None]
        return {name: entry for entry in entries for name in entry.objects if "/_history/" in name}

    def looks(
        self, issuer: str, patient: str, *, before: int | None = None, denied: bool = False
    ) -> Iterator[tuple[int, AuditEntry]]:
        """Yield what others than the client did with a record, newest first, each with its number.

        Who was turned away, or left, saw nothing by that; with `denied` who was turned away is there too. `before` goes
        on after a number, `issuer` is its key.
        """
        without = tuple(event for event in NO_LOOKS if not denied or event != "denied")
        theirs = (AUDIT.c.person == self._person(issuer, patient), AUDIT.c.own == 0, AUDIT.c.event.not_in(without))
        chosen = sa.select(AUDIT.c.number, AUDIT.c.sealed).where(*theirs).order_by(AUDIT.c.number.desc())
        while True:
            older = chosen if before is None else chosen.where(AUDIT.c.number < before)
            with reading(self._engine) as connection:
                rows = connection.execute(older.limit(LOOKS_AT_ONCE)).all()
            for row, values in zip(rows, self._vault.open_any([row.sealed for row in rows]), strict=True):
                # Rows of before there was the column `own` say only inside who it was.
                if values is not None and values["role"] not in {"client", ""}:
                    yield row.number, _entry(values)
            if len(rows) < LOOKS_AT_ONCE:
                return
            before = rows[-1].number

    def entries(self) -> Iterator[AuditEntry]:
        """Yield every row, in the order written. Raises SealBroken as `numbered` does."""
        return (entry for _number, entry in self.numbered())

    def numbered(
        self, *, since: int = 0, about: Collection[tuple[str, str]] | None = None
    ) -> Iterator[tuple[int, AuditEntry]]:
        """Yield every row from `since` (seconds since 1970) on with its number, in the order written: for an auditor.

        `about` chooses people: the issuer's key, or its address, and `Patient/<id>`. Rows are read in blocks by number,
        so that memory stays constant and a long export holds up no writer. Raises SealBroken with the number of a row
        that does not open.
        """
        chosen = sa.select(AUDIT.c.number, AUDIT.c.recorded, AUDIT.c.sealed).order_by(AUDIT.c.number)
        if about is not None:
            chosen = chosen.where(AUDIT.c.person.in_([self._person(*each) for each in about]))
        last = self._before(since)
        while last is not None:
            with reading(self._engine) as connection:
                rows = connection.execute(chosen.where(AUDIT.c.number > last).limit(ROWS_AT_ONCE)).all()
            if not rows:
                return
            # Judged here: asked in SQL too, a database may take it for the way to the rows, and sort them per block.
            for row in (row for row in rows if row.recorded >= since):
                try:
                    entry = self._entry(row.sealed)
                except SealBroken as error:
                    raise SealBroken(f"Row {row.number} of the log: {error}") from error
                yield row.number, entry
            last = rows[-1].number

    def _before(self, since: int) -> int | None:
        """Return a number after which all rows of `since` and later are, and few others; None where there are none."""
        if not since:
            return 0
        # `+ 0`: else a database looks for the least number from the first row on, and not among the rows of that time.
        first = sa.select(sa.func.min(AUDIT.c.number + 0)).where(AUDIT.c.recorded >= since)
        with reading(self._engine) as connection:
            found = connection.execute(first).scalar()
        return None if found is None else int(found) - 1

    def _entry(self, sealed: bytes) -> AuditEntry:
        return _entry(self._vault.open(sealed))

    def _write(self, entry: AuditEntry, person: str = "", launch_id: str = "", *, here_alone: bool = False) -> None:
        # Whoever writes to the log waits here for the one before. Nothing else is locked after it but the unit of the
        # outbox that the same transaction is about: so no two can wait for each other.
        with writing(self._engine, on=TURN) as connection:
            values = {
                "recorded": entry.recorded,
                "event": entry.event,
                "outcome": entry.outcome,
                "own": int(entry.role == "client"),
                "person": person,
            }
            number = append(connection, self._vault, values, asdict(entry))
            if person and not here_alone and self._passed_on(entry.issuer):
                put(connection, number, person, launch_id, entry.recorded)

    def _person(self, issuer: str, patient: str) -> str:
        return person_digest(self._vault, issuer, patient)


def person_digest(vault: Vault, issuer: str, patient: str) -> str:
    """Return what finds the rows about a person; `issuer` is the issuer's key."""
    return vault.digest(f"person|{issuer}|{patient}")


def _entry(values: Mapping[str, Any]) -> AuditEntry:
    # A row of an older version does not have every field: what it did not know is empty.
    return AuditEntry(**{**values, **{name: tuple(values.get(name, ())) for name in ("objects", "parts")}})


def _of_nobody(recorded: int, event: Event, **more: Any) -> AuditEntry:
    """Return a row about no person, by no person that we know."""
    texts = ("reason", "issuer", "user", "user_name", "role", "subject", "patient", "address")
    return AuditEntry(**{"recorded": recorded, "event": event, "outcome": "0", **dict.fromkeys(texts, ""), **more})
