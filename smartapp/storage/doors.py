"""One-time doors: one questionnaire, opened once on a device where nobody signs in.

Somebody of the care team makes a door and shows it as a QR code, or as an address with a short code to type. Whoever
opens it first gets a session of its own on that device, for that one questionnaire. The states of a door:

    made        it can be opened, for ten minutes, as long as who made it is signed in
    opened      it was opened on one device, where it can be filled in
    sent        the answers were handed in; they are in the outbox or in the record, and the device is wiped
    left        who had the device stopped; what they had answered is kept for the client alone
    refused     who had the device said that it is not meant for them; nothing was answered
    over        its time is over: not opened in time, not finished in time, or not touched for a while
    withdrawn   who made it took it back

Only `made` can be opened, and only `opened` can be filled in; the other five are ends, and nobody gets in by one.
Each step is one transaction: of two devices that open at once one gets in. What ended first is how it ended, except
that what was sent in is sent, also where the door was withdrawn while it was on its way.

The secret of a door is in its link and nowhere here, and so is its short code: we keep their digests. Who made it, for
whom, is sealed. The row stays for a year after its end, so that who tries it still is a row in the log of that person.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from mappers.sharing.parts import answers_part
from smartapp.storage.audit import Audit, person_digest
from smartapp.storage.database import change_any, metadata, reading, writing
from smartapp.storage.launches import Handed, Launch, User
from smartapp.storage.vault import Vault, fresh_secret

End = Literal["sent", "left", "refused", "over", "withdrawn"]
State = Literal["made", "opened", "sent", "left", "refused", "over", "withdrawn"]

OPEN_SECONDS: Final = 10 * 60
"""How long a door can be opened: to fetch a tablet takes minutes, and a photo of a QR code is of no use after that."""
FINISH_SECONDS: Final = 45 * 60
"""How long it can be filled in: three times what the longest questionnaire takes, and shorter than a session."""
UNTOUCHED_SECONDS: Final = 10 * 60
"""How long a device may lie untouched. Some questions take long; a forgotten tablet is soon picked up."""
MOST_DOORS: Final = 5
"""Doors of one person that can be opened or filled in at the same time."""
KEPT_SECONDS: Final = 365 * 86_400
"""How long it is known whose a door was that has ended."""
CODE_LENGTH: Final = 8
SIGNS: Final = "BCDFGHJKMNPQRTVWXZ2346789"
"""What a short code is made of: nothing that looks like another sign, and no vowels, so that it spells no word.

Eight of them are 37 bits: enough for ten minutes in which wrong ones are counted (`pages.door.opening`)."""
CLOSED: Final = "door-closed"
"""Why a page is refused on a device where it is over, as the log has it."""
LOGGED_AS: Final = "door"
"""What a door is called in the log."""
_TOUCH_SECONDS: Final = 30

DOORS = sa.Table(
    "doors",
    metadata,
    # A digest of the secret in the link: the database names no door that can be opened.
    sa.Column("id", sa.String(64), primary_key=True),
    # A digest of the short code; NULL once it can't be opened any more.
    sa.Column("code", sa.String(64), unique=True),
    # As the log of access names them.
    sa.Column("person", sa.String(64), nullable=False, index=True),
    # A digest of the form that asked for it: sent twice, it makes one.
    sa.Column("asked", sa.String(64), nullable=False, unique=True),
    # A digest of the launch that the device got: so an address that is over can say so.
    sa.Column("launch", sa.String(64), index=True),
    sa.Column("made", sa.Integer, nullable=False),
    sa.Column("until", sa.Integer, nullable=False),
    sa.Column("opened", sa.Integer),
    sa.Column("seen", sa.Integer),
    sa.Column("ended", sa.Integer, index=True),
    sa.Column("how", sa.String(16)),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Door:
    """One door, without its secret. Times are seconds since 1970.

    `giver` is the launch in which it was made, `session` that of the device; `response` is our identifier of what was
    sent. Both are "" before that.
    """

    id: str
    made: int
    until: int
    opened: int | None
    seen: int | None
    ended: int | None
    how: End | None
    giver: Launch
    instrument: str
    session: str = ""
    response: str = ""

    def state(self, now: float) -> State:
        """Return the state it is in now; one of which the time is over may not be marked so yet."""
        if self.how is not None:
            return self.how
        if self.opened is None:
            return "made" if now < self.until else "over"
        return "opened" if now < _ends(self.opened, self.seen) else "over"

    @property
    def device(self) -> Launch:
        """Return what the device gets: the person, one questionnaire and nobody's rights; without an id of its own."""
        user = User("", "", "guest", self.giver.user.issuer, f"door|{self.id}")
        return Launch(
            id=self.id,
            session_id="",
            issuer=self.giver.issuer,
            patient_id=self.giver.patient_id,
            patient=self.giver.patient,
            user=user,
            scopes="",
            need_patient_banner=False,
            handed=Handed(self.id, self.instrument, self.giver),
        )


@dataclass(frozen=True, slots=True)
class NewDoor:
    """A door that was made just now: what opens it, kept by nobody but who shows it."""

    secret: str
    code: str
    until: int


class TooManyDoors(ValueError):
    """A person has as many doors as there may be at once."""


def normal(code: str) -> str:
    """Return a short code as it counts: in capitals, without what people put between its signs."""
    return "".join(sign for sign in code.upper() if sign.isalnum())


class Doors:
    """The doors in the database. `clock` returns seconds since 1970, `read` makes a launch of what `asdict` made."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        audit: Audit,
        clock: Callable[[], float],
        read: Callable[[dict[str, Any]], Launch],
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._audit = audit
        self._clock = clock
        self._read = read

    # --- of who makes one

    def make(self, giver: Launch, instrument: str, *, asked: str) -> NewDoor | None:
        """Make a door; None where the same form made one before. Raises TooManyDoors."""
        now, person = self._now(), self._person(giver.issuer_key, giver.patient.reference)
        # Without what opens their chart in the browser, and what the EHR said of them: no device needs that.
        kept = replace(giver, chart_handle="", reader={})
        new = NewDoor(fresh_secret(), _new_code(), now + OPEN_SECONDS)
        row = {
            "id": self._id(new.secret),
            "code": self._code(new.code),
            "person": person,
            "asked": self._vault.digest(f"door|asked|{giver.id}|{asked}"),
            "made": now,
            "until": new.until,
            "sealed": self._sealed(kept, instrument),
        }
        with writing(self._engine, on=person) as connection:
            before = sa.select(DOORS.c.id).where(DOORS.c.asked == row["asked"])
            if connection.execute(before).first() is not None:
                return None
            theirs = self._found(sa.select(DOORS).where(DOORS.c.person == person, DOORS.c.ended.is_(None)))
            if sum(one.state(now) in ("made", "opened") for one in theirs) >= MOST_DOORS:
                raise TooManyDoors(f"There are {MOST_DOORS} doors; withdraw one of them first.")
            connection.execute(DOORS.insert().values(row))
        return new

    def made_by(self, giver: Launch) -> list[Door]:
        """Return the doors that this user made for this person, the newest first; also those that have ended."""
        return [
            one for one in self.of(giver.issuer_key, giver.patient.reference) if one.giver.user.key == giver.user.key
        ]

    def of(self, issuer: str, patient: str) -> list[Door]:
        """Return the doors of a person (`Patient/<id>`) at an issuer (its key), the newest first."""
        chosen = sa.select(DOORS).where(DOORS.c.person == self._person(issuer, patient))
        return self._found(chosen.order_by(DOORS.c.made.desc(), DOORS.c.id))

    # --- of whoever opens it

    def find(self, given: str) -> Door | None:
        """Return the door that a secret or a short code names, also one that has ended; None where there is none."""
        named = (DOORS.c.id == self._id(given)) | (DOORS.c.code == self._code(normal(given)))
        return next(iter(self._found(sa.select(DOORS).where(named))), None)

    def open(self, door: Door) -> bool:
        """Open a door for the caller, who is the only one that it is true for."""
        now = self._now()
        closed = (DOORS.c.id == door.id, DOORS.c.opened.is_(None), DOORS.c.ended.is_(None), DOORS.c.until > now)
        return self._change(*closed, on=door.id, opened=now, seen=now, code=None)

    def entered(self, door: Door, launch: Launch) -> None:
        """Note which launch and session the device got that opened a door."""
        sealed = self._sealed(door.giver, door.instrument, session=launch.session_id)
        named = {"launch": self._launch(launch.id), "sealed": sealed}
        self._change(DOORS.c.id == door.id, on=door.id, **named)

    def knocked(self, door: Door, reason: str) -> None:
        """Write that somebody wanted to open a door that can't be opened (any more)."""
        self._audit.denied(door.device, LOGGED_AS, reason, [answers_part(door.instrument)])

    def of_launch(self, launch_id: str) -> Door | None:
        """Return the door through which a device got this launch, also when both are over."""
        return next(iter(self._found(sa.select(DOORS).where(DOORS.c.launch == self._launch(launch_id)))), None)

    def is_filled_in(self, door_id: str) -> bool:
        """Tell whether a door is still open to the device that has it; being asked counts as being touched."""
        door = self.get(door_id)
        now = self._now()
        if door is None or door.state(now) != "opened":
            return False
        if now >= (door.seen or 0) + _TOUCH_SECONDS:  # not at every request: a write costs a disk flush
            self._change(DOORS.c.id == door_id, DOORS.c.ended.is_(None), on=door_id, seen=now)
        return True

    def get(self, door_id: str) -> Door | None:
        """Return a door by its id."""
        return next(iter(self._found(sa.select(DOORS).where(DOORS.c.id == door_id))), None)

    def end(self, door: Door, how: End, *, response: str = "") -> bool:
        """End a door; False where it had ended before. `response` is our identifier of what was sent, and only then."""
        values: dict[str, Any] = {"ended": self._now(), "how": how, "code": None}
        if response:
            values["sealed"] = self._sealed(door.giver, door.instrument, session=door.session, response=response)
        goes_on = DOORS.c.ended.is_(None)
        can_end = sa.or_(goes_on, DOORS.c.how != "sent") if how == "sent" else goes_on
        return self._change(DOORS.c.id == door.id, can_end, on=door.id, **values)

    # --- of the clock, and of who leaves

    def over(self) -> list[Door]:
        """Return the doors of which the time is over, and that are not marked so yet."""
        now = self._now()
        return [one for one in self._found(sa.select(DOORS).where(DOORS.c.ended.is_(None))) if one.state(now) == "over"]

    def forget_old(self) -> None:
        """Delete the doors that ended a year ago."""
        with writing(self._engine) as connection:
            connection.execute(DOORS.delete().where(DOORS.c.ended <= self._now() - KEPT_SECONDS))

    def erase(self, issuer: str, patient: str) -> int:
        """Throw away all doors of a person, also those that have ended; return how many there were."""
        person = self._person(issuer, patient)
        with writing(self._engine, on=person) as connection:
            return connection.execute(DOORS.delete().where(DOORS.c.person == person)).rowcount

    def adopt(self, former: str, issuer: str, patient: str) -> None:
        """Bring the doors of a person that stand under a former key of the issuer under the one of today."""
        theirs = DOORS.c.person == self._person(former, patient)
        change_any(self._engine, DOORS, theirs, person=self._person(issuer, patient))

    # --- inside

    def _now(self) -> int:
        return int(self._clock())

    def _person(self, issuer: str, patient: str) -> str:
        return person_digest(self._vault, issuer, patient)

    def _id(self, secret: str) -> str:
        return self._vault.digest(f"door|{secret}")

    def _code(self, code: str) -> str:
        return self._vault.digest(f"door|code|{code}")

    def _launch(self, launch_id: str) -> str:
        return self._vault.digest(f"door|launch|{launch_id}")

    def _sealed(self, giver: Launch, instrument: str, **more: str) -> bytes:
        return self._vault.seal({"giver": asdict(giver), "instrument": instrument, **more})

    def _change(self, *which: sa.ColumnElement[bool], on: str, **values: Any) -> bool:
        with writing(self._engine, on=on) as connection:
            return connection.execute(DOORS.update().where(*which).values(**values)).rowcount > 0

    def _found(self, chosen: sa.Select[Any]) -> list[Door]:
        with reading(self._engine) as connection:
            rows: Sequence[sa.Row[Any]] = connection.execute(chosen).all()
        opened = self._vault.open_any([row.sealed for row in rows])
        return [self._door(row, values) for row, values in zip(rows, opened, strict=True) if values is not None]

    def _door(self, row: sa.Row[Any], values: dict[str, Any]) -> Door:
        times = {name: getattr(row, name) for name in ("id", "made", "until", "opened", "seen", "ended", "how")}
        return Door(**times, **values | {"giver": self._read(values["giver"])})


def _ends(opened: int, seen: int | None) -> int:
    return min(opened + FINISH_SECONDS, (seen or opened) + UNTOUCHED_SECONDS)


def _new_code() -> str:
    return "".join(secrets.choice(SIGNS) for _ in range(CODE_LENGTH))
