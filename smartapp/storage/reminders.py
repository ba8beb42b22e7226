"""Messages that something is ready, for clients who chose to get them: what each chose, and what is ready for whom.

What is ready is kept for everybody, as keyed digests of the person and of its name with a moment beside them: nobody
can read from it what it is or for whom, and whoever chooses messages later is told of what waits for them still. About
that they are told a day after they chose, since at that moment they are here.

Nothing is sent twice. What is sent is noted before it is sent, and is undone only by who knows that it did not go. So a
crash in between costs a message and never makes a second: at most once. `rhythm.py` says when one may be sent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from smartapp.storage.audit import Audit, person_digest
from smartapp.storage.database import metadata, reading, writing
from smartapp.storage.rhythm import Often, Rhythm, Thing, by_day
from smartapp.storage.vault import Vault, digest, fresh_secret

if TYPE_CHECKING:
    from smartapp.storage.launches import Launch

How = Literal["mail", "portal"]
State = Literal["asked", "on", "off"]
"""`asked`: a first mail asks whether the address is theirs, and nothing else is sent to it before they say so."""
Problem = Literal["", "refused", "unsure"]
"""`refused`: the last message did not arrive, and no other is tried; `unsure`: nobody knows whether it did."""

LEASE_SECONDS: Final = 600
DAY: Final = 86_400
NEVER: Final = 2**31 - 1
FIRST_PAUSE_SECONDS: Final = 300
LONGEST_PAUSE_SECONDS: Final = 6 * 3600
MOST_TRIES: Final = 12
"""With their pauses they take two days."""
MOST_ASKED: Final = 3
"""First mails in a day, to whatever addresses somebody types."""
MOST_ASKED_A_MONTH: Final = 6
"""And in thirty days: who types the address of a stranger day after day sends them no more than these."""
MONTH: Final = 30 * DAY
ASKED_SECONDS: Final = 7 * DAY
"""How long an address waits for its owner's yes before it is forgotten."""
KEPT_SECONDS: Final = 400 * DAY
"""How long something that nobody took back counts as ready."""
_AT_ONCE: Final = 20
_HALF: Final = 32
"""Of a digest, which has 64 signs."""

REMINDERS = sa.Table(
    "reminders",
    metadata,
    # As the log of access names them.
    sa.Column("person", sa.String(64), primary_key=True),
    sa.Column("state", sa.String(8), nullable=False),
    # Digests of what is in the addresses of a mail; NULL where there is no mail.
    sa.Column("stop", sa.String(64), unique=True),
    sa.Column("confirm", sa.String(64), unique=True),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("opened", sa.Integer, nullable=False),
    sa.Column("last", sa.Integer),
    sa.Column("due", sa.Integer, nullable=False, index=True),
    # Until when somebody is sending; it names that one try as well.
    sa.Column("taken", sa.Integer),
    sa.Column("tried", sa.Integer, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)
READY_THINGS = sa.Table(
    "ready_things",
    metadata,
    sa.Column("person", sa.String(64), primary_key=True),
    sa.Column("id", sa.String(64), primary_key=True),
    # When it is ready, as it was said; and when it counts as ready, which is not before we heard of it.
    sa.Column("said", sa.Integer, nullable=False, index=True),
    sa.Column("ready", sa.Integer, nullable=False),
    # When it is ready no more by itself, such as after the last day of it; NULL where there is no such moment.
    sa.Column("until", sa.Integer),
    sa.Column("told", sa.Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a client chose. `issuer` is the address of the EHR, `patient` is `Patient/<id>`; `address` is a mailbox.

    `asked` are the moments of first mails. Of who wants nothing these are all that is kept, for a month.
    """

    often: Often = "once"
    how: How = "mail"
    address: str = ""
    language: str = ""
    issuer: str = ""
    patient: str = ""
    confirm: str = ""
    problem: Problem = ""
    asked: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A choice, and how far it is; `last` is when the last message was sent (seconds since 1970)."""

    choice: Choice
    state: State
    last: int | None


@dataclass(frozen=True, slots=True)
class Message:
    """One message that is to be sent now: the first mail to an address, or that something is ready.

    `stop` and `confirm` are the secrets in the addresses that it names. `about` are the things that it tells of.
    """

    person: str
    choice: Choice
    kind: Literal["confirm", "ready"]
    stop: str
    taken: int
    tried: int
    about: tuple[str, ...] = ()
    last: int | None = None

    @property
    def confirm(self) -> str:
        """Return the secret with which an address is confirmed."""
        return self.choice.confirm


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many people get messages, were asked whether an address is theirs, and have a message due now."""

    on: int
    asked: int
    due: int


class TooManyAsked(ValueError):
    """Somebody had as many first mails sent as they may, today or (`a_month`) in thirty days."""

    def __init__(self, *, a_month: bool) -> None:
        super().__init__(f"{MOST_ASKED_A_MONTH if a_month else MOST_ASKED} first mails were sent.")
        self.a_month = a_month


class Reminders:
    """The choices and what is ready, in the database. `clock` returns seconds since 1970, `zone` is the place's."""

    def __init__(self, engine: Engine, vault: Vault, audit: Audit, clock: Callable[[], float], zone: dt.tzinfo) -> None:
        self._engine = engine
        self._vault = vault
        self._audit = audit
        self._clock = clock
        self._zone = zone

    def person(self, issuer_key: str, patient: str) -> str:
        """Return what names a person (`Patient/<id>`) at an issuer (its key): the same as in the log of access."""
        return person_digest(self._vault, issuer_key, patient)

    # --- of whoever makes something ready

    def ready(
        self, issuer_key: str, patient: str, key: str, on: float, *, until: float | None = None, instrument: str = ""
    ) -> None:
        """Note that something will be ready for a person from `on` `until` a moment (seconds since 1970), if any.

        `key` names what. Said again with another `on` it is moved; to a day that is still to come, it is told anew.
        With an `instrument` it is to fill in that questionnaire, and `answered` ends it.
        """
        person, id_ = self.person(issuer_key, patient), self._id(key, instrument)
        said, now = int(on), int(self._clock())
        days = (said, None if until is None else int(until))
        if self._said(person, id_) == days:
            return
        with writing(self._engine, on=person) as connection:
            before = connection.execute(sa.select(READY_THINGS).where(*_thing(person, id_))).one_or_none()
            if before is None:
                row = {"person": person, "id": id_, "ready": max(said, now), "told": 0}
                row |= {"said": said, "until": days[1]}
                connection.execute(READY_THINGS.insert().values(row))
            else:
                told = 0 if said > now else before.told
                moved = READY_THINGS.update().where(*_thing(person, id_))
                counts = before.ready if said == before.said else max(said, now)
                connection.execute(moved.values(said=said, until=days[1], ready=counts, told=told))
            self._settle(connection, person)

    def no_longer(self, issuer_key: str, patient: str, key: str, *, instrument: str = "") -> None:
        """Note that something waits no more: it was taken back or put off."""
        person, id_ = self.person(issuer_key, patient), self._id(key, instrument)
        if self._said(person, id_) is None:
            return
        with writing(self._engine, on=person) as connection:
            connection.execute(READY_THINGS.delete().where(*_thing(person, id_)))
            self._settle(connection, person)

    def assigned(self, launch: Launch, instrument_id: str) -> None:
        """Note that the person of a launch is asked to fill in a questionnaire, from now on."""
        key, now = f"assignment|{instrument_id}", self._clock()
        self.ready(launch.issuer_key, launch.patient.reference, key, now, instrument=instrument_id)

    def assigned_no_longer(self, launch: Launch, instrument_id: str) -> None:
        """Note that the person of a launch is asked for a questionnaire no more: that was taken back."""
        key = f"assignment|{instrument_id}"
        self.no_longer(launch.issuer_key, launch.patient.reference, key, instrument=instrument_id)

    def answered(self, launch: Launch, instrument_id: str) -> None:
        """Note that the person of a launch filled in a questionnaire, whoever asked it until now, and on any device."""
        person = self.person(launch.issuer_key, launch.patient.reference)
        of_it = (READY_THINGS.c.person == person, READY_THINGS.c.id.startswith(self._of_instrument(instrument_id)))
        until_now = (*of_it, READY_THINGS.c.said <= int(self._clock()))
        with reading(self._engine) as connection:
            if connection.execute(sa.select(READY_THINGS.c.id).where(*until_now)).first() is None:
                return
        with writing(self._engine, on=person) as connection:
            connection.execute(READY_THINGS.delete().where(*until_now))
            self._settle(connection, person)

    # --- of the client

    def opened(self, issuer_key: str, patient: str) -> None:
        """Note that the client is here: of what is ready now they know."""
        person, now = self.person(issuer_key, patient), int(self._clock())
        on = (REMINDERS.c.person == person, REMINDERS.c.state == "on", REMINDERS.c.opened < now)
        with reading(self._engine) as connection:
            # Each page that they begin at asks; only where a message is to come is there something to note.
            if connection.execute(sa.select(REMINDERS.c.person).where(*on, REMINDERS.c.due < NEVER)).first() is None:
                return
        with writing(self._engine, on=person) as connection:
            connection.execute(REMINDERS.update().where(*on).values(opened=now))
            self._settle(connection, person)

    def chosen(self, issuer_key: str, patient: str) -> Chosen | None:
        """Return what a client chose; None for nothing."""
        with reading(self._engine) as connection:
            row, choice = self._of(connection, self.person(issuer_key, patient))
        return None if row is None or choice is None or row.state == "off" else Chosen(choice, row.state, row.last)

    def choose(self, issuer_key: str, wanted: Choice) -> State:
        """Keep what a client chose, and return how far it is: a mailbox is asked first. Raises TooManyAsked.

        `issuer`, `patient`, `often`, `how`, `address` and `language` of `wanted` count, and nothing else of it.
        """
        person, now = self.person(issuer_key, wanted.patient), int(self._clock())
        with writing(self._engine, on=person) as connection:
            row, before = self._of(connection, person)
            before = before or Choice()
            same = (
                row is not None and row.state == "on" and (before.how, before.address) == (wanted.how, wanted.address)
            )
            kept = replace(wanted, problem="", asked=before.asked, confirm=before.confirm if same else "")
            if same:
                self._keep(connection, person, kept, state="on")
                return "on"
            if wanted.how == "portal":
                self._begin(connection, person, kept, now)
                return "on"
            recent = tuple(one for one in before.asked if one > now - MONTH)
            if len(recent) >= MOST_ASKED_A_MONTH:
                raise TooManyAsked(a_month=True)
            if sum(one > now - DAY for one in recent) >= MOST_ASKED:
                raise TooManyAsked(a_month=False)
            kept = replace(kept, asked=(*recent, now), confirm=fresh_secret())
            self._keep(connection, person, kept, state="asked", opened=now, last=None, due=now)
        return "asked"

    def confirm(self, secret: str) -> bool:
        """Note that an address is of who chose it; False where no address waits or waited for this."""
        with reading(self._engine) as connection:
            chosen = sa.select(REMINDERS.c.person).where(REMINDERS.c.confirm == digest(secret))
            person = connection.execute(chosen).scalar()
        if person is None:
            return False
        with writing(self._engine, on=person) as connection:
            row, choice = self._of(connection, person)
            if row is None or choice is None or row.confirm != digest(secret):
                return False
            if row.state == "asked":
                self._begin(connection, person, choice, int(self._clock()))
        return True

    def is_asked(self, secret: str) -> bool:
        """Tell whether an address waits, or waited, for this secret."""
        with reading(self._engine) as connection:
            chosen = sa.select(REMINDERS.c.person).where(REMINDERS.c.confirm == digest(secret))
            return connection.execute(chosen).first() is not None

    def off(self, issuer_key: str, patient: str) -> bool:
        """Let a client get no messages any more, and forget their address; False where they got none."""
        return self._off(self.person(issuer_key, patient))

    def stop(self, secret: str) -> None:
        """Let whoever's mail this is from get no messages any more. Nothing tells whether it was anybody's."""
        with reading(self._engine) as connection:
            chosen = sa.select(REMINDERS.c.person).where(REMINDERS.c.stop == digest(secret))
            person = connection.execute(chosen).scalar()
        if person is not None:
            self._off(person, secret)

    def erase(self, person: str) -> int:
        """Throw away all of a person; return how many things there were."""
        with writing(self._engine, on=person) as connection:
            things = connection.execute(READY_THINGS.delete().where(READY_THINGS.c.person == person)).rowcount
            return things + connection.execute(REMINDERS.delete().where(REMINDERS.c.person == person)).rowcount

    def adopt(self, former: str, person: str) -> None:
        """Bring what stands under a former key of the issuer under the one of today."""
        if former == person:
            return
        with reading(self._engine) as connection:
            theirs = (sa.select(each.c.person).where(each.c.person == former) for each in (REMINDERS, READY_THINGS))
            if all(connection.execute(each.limit(1)).first() is None for each in theirs):
                return
        with writing(self._engine, on=person) as connection:
            here = sa.select(READY_THINGS.c.id).where(READY_THINGS.c.person == person)
            ids = connection.execute(here).scalars().all()
            twice = (READY_THINGS.c.person == former, READY_THINGS.c.id.in_(ids))
            connection.execute(READY_THINGS.delete().where(*twice))
            if self._of(connection, person)[0] is not None:
                connection.execute(REMINDERS.delete().where(REMINDERS.c.person == former))
            for table in (READY_THINGS, REMINDERS):
                connection.execute(table.update().where(table.c.person == former).values(person=person))
            self._settle(connection, person)

    # --- of the courier

    def claim(self) -> Message | None:
        """Return a message that is to be sent now, noted as sent; None where none is.

        Whoever gets it says how it ended: `sent`, `later`, `refused` or `unsure`.
        """
        now = int(self._clock())
        due = sa.select(REMINDERS.c.person).where(REMINDERS.c.due <= now).order_by(REMINDERS.c.due).limit(_AT_ONCE)
        with reading(self._engine) as connection:
            people = connection.execute(due).scalars().all()
        return next((message for person in people if (message := self._take(person, now))), None)

    def sent(self, message: Message) -> None:
        """Note that a message went, in the log of access too."""
        with writing(self._engine, on=message.person) as connection:
            if self._ended(connection, message, problem="") and message.kind == "ready":
                self._log(message.person, message.choice, "sent")

    def unsure(self, message: Message) -> None:
        """Note that nobody knows whether a message went: it is not sent again."""
        with writing(self._engine, on=message.person) as connection:
            self._ended(connection, message, problem="unsure")

    def refused(self, message: Message) -> None:
        """Note that a message did not arrive, and that no other should be tried until its person chooses anew."""
        with writing(self._engine, on=message.person) as connection:
            if self._is_under_way(connection, message):
                self._tell(connection, message.person, message.about, -1)
                self._ended(connection, message, problem="refused", last=message.last)

    def later(self, message: Message) -> None:
        """Let a message that did not go be tried again after a pause, longer each time; at last it is refused."""
        if message.tried >= MOST_TRIES:
            self.refused(message)
            return
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (message.tried - 1), LONGEST_PAUSE_SECONDS)
        with writing(self._engine, on=message.person) as connection:
            if self._is_under_way(connection, message):
                self._tell(connection, message.person, message.about, -1)
                again = {"taken": None, "last": message.last, "due": int(self._clock()) + pause}
                self._change(connection, message.person, **again)

    def tidy(self) -> None:
        """Forget addresses that nobody confirmed, who chose nothing any more, and what was ready a year ago."""
        now, columns = int(self._clock()), REMINDERS.c
        unconfirmed = (columns.state == "asked", columns.changed <= now - ASKED_SECONDS)
        with reading(self._engine) as connection:
            people = connection.execute(sa.select(columns.person).where(*unconfirmed)).scalars().all()
        for person in people:
            with writing(self._engine, on=person) as connection:
                this = sa.select(columns.person).where(columns.person == person, *unconfirmed)
                if connection.execute(this).first() is not None:
                    self._forget(connection, person, self._of(connection, person)[1])
        with writing(self._engine) as connection:
            old = (columns.state == "off", columns.changed <= now - MONTH)
            connection.execute(REMINDERS.delete().where(*old))
            over = (READY_THINGS.c.said <= now - KEPT_SECONDS) | (READY_THINGS.c.until <= now)
            connection.execute(READY_THINGS.delete().where(over))

    def waiting(self) -> Waiting:
        """Return how many people have which state, for who operates this."""
        columns, count = REMINDERS.c, sa.select(sa.func.count()).select_from(REMINDERS)
        wanted = (columns.state == "on", columns.state == "asked", columns.due <= int(self._clock()))
        with reading(self._engine) as connection:
            return Waiting(*(connection.execute(count.where(each)).scalar_one() for each in wanted))

    # --- inside

    def _take(self, person: str, now: int) -> Message | None:
        with writing(self._engine, on=person) as connection:
            row, choice = self._of(connection, person)
            if row is None or row.due > now:
                return None
            if choice is None:  # another key may come back
                self._change(connection, person, due=now + DAY)
                return None
            if row.taken is not None:  # whoever took it never said how it ended
                self._keep(connection, person, replace(choice, problem="unsure"), taken=None, tried=0, due=NEVER)
                self._settle(connection, person)
                return None
            things = self._things(connection, person)
            rhythm = Rhythm(choice.often, row.opened, row.last)
            if row.state == "asked":
                about = []
            elif (allowed := rhythm.next(things, self._zone)) is None or allowed > now:
                self._settle(connection, person)
                return None
            elif (day := by_day(now, self._zone)) > now:
                self._change(connection, person, due=day)
                return None
            else:
                about = rhythm.now_about(things, now)
            ids = tuple(one.id for one in about)
            self._tell(connection, person, ids, +1)
            noted = {"taken": now + LEASE_SECONDS, "due": now + LEASE_SECONDS, "tried": row.tried + 1}
            self._change(connection, person, **noted, **({"last": now} if row.state == "on" else {}))
            kind: Literal["confirm", "ready"] = "confirm" if row.state == "asked" else "ready"
            stop = self._stop_of(choice)
            return Message(person, choice, kind, stop, noted["taken"], noted["tried"], ids, row.last)

    def _begin(self, connection: Connection, person: str, choice: Choice, now: int) -> None:
        """Let messages come from now on: what is ready already counts as ready tomorrow."""
        waits = READY_THINGS.update().where(READY_THINGS.c.person == person, READY_THINGS.c.ready <= now)
        connection.execute(waits.values(ready=now + DAY))
        self._keep(connection, person, choice, state="on", opened=now, last=None)

    def _keep(self, connection: Connection, person: str, choice: Choice, **values: Any) -> None:
        """Write a choice, with these columns changed; when it is due is settled anew where they do not say it."""
        secrets = {
            "stop": digest(self._stop_of(choice)) if choice.address else None,
            "confirm": digest(choice.confirm) if choice.confirm else None,
        }
        now = int(self._clock())
        row = {**secrets, "sealed": self._vault.seal(asdict(choice)), **values}
        if "state" in values:
            row = {"changed": now, "taken": None, "tried": 0, **row}
        if connection.execute(REMINDERS.update().where(REMINDERS.c.person == person).values(row)).rowcount == 0:
            first = {"person": person, "opened": now, "due": NEVER, **row}
            connection.execute(REMINDERS.insert().values(first))
        if "due" not in values:
            self._settle(connection, person)

    def _off(self, person: str, secret: str | None = None) -> bool:
        with writing(self._engine, on=person) as connection:
            row, choice = self._of(connection, person)
            if row is None or row.state == "off" or (secret is not None and row.stop != digest(secret)):
                return False
            self._forget(connection, person, choice)
            if secret is not None and choice is not None:
                self._log(person, choice, "stopped")
        return True

    def _forget(self, connection: Connection, person: str, choice: Choice | None) -> None:
        """Keep of a choice no more than when first mails were sent."""
        kept = Choice(asked=choice.asked if choice else ())
        self._keep(connection, person, kept, state="off", last=None, due=NEVER)

    def _settle(self, connection: Connection, person: str) -> None:
        """Say anew when a person's next message is due, where nobody is sending one to them."""
        row, choice = self._of(connection, person)
        if row is None or row.taken is not None or row.state == "asked":
            # The first mail is due already, or was sent; `_ended` says which.
            return
        due = None
        if choice is not None and row.state == "on" and choice.problem != "refused":
            rhythm = Rhythm(choice.often, row.opened, row.last)
            due = rhythm.next(self._things(connection, person), self._zone)
        self._change(connection, person, due=NEVER if due is None else due)

    def _ended(self, connection: Connection, message: Message, *, problem: Problem, **values: Any) -> bool:
        """Note how a message ended; False where it was not this one that was under way, as after a new choice."""
        if not self._is_under_way(connection, message):
            return False
        ended = {"taken": None, "tried": 0, "due": NEVER, **values}
        sealed = self._vault.seal(asdict(replace(message.choice, problem=problem)))
        self._change(connection, message.person, sealed=sealed, **ended)
        self._settle(connection, message.person)
        return True

    def _is_under_way(self, connection: Connection, message: Message) -> bool:
        """Tell whether a message is the one that is being sent; not after a new choice, however quickly that came."""
        row, choice = self._of(connection, message.person)
        return row is not None and row.taken == message.taken and choice == message.choice

    def _tell(self, connection: Connection, person: str, ids: Iterable[str], by: int) -> None:
        which = (READY_THINGS.c.person == person, READY_THINGS.c.id.in_(list(ids)))
        connection.execute(READY_THINGS.update().where(*which).values(told=READY_THINGS.c.told + by))

    def _things(self, connection: Connection, person: str) -> list[Thing]:
        lasting = READY_THINGS.c.until.is_(None) | (READY_THINGS.c.until > int(self._clock()))
        rows = connection.execute(sa.select(READY_THINGS).where(READY_THINGS.c.person == person, lasting)).all()
        return [Thing(row.id, row.ready, row.told) for row in rows]

    def _of(self, connection: Connection, person: str) -> tuple[sa.Row[Any] | None, Choice | None]:
        row = connection.execute(sa.select(REMINDERS).where(REMINDERS.c.person == person)).one_or_none()
        [values] = self._vault.open_any([row.sealed if row else None])
        return row, Choice(**{**values, "asked": tuple(values["asked"])}) if values is not None else None

    def _change(self, connection: Connection, person: str, **values: Any) -> None:
        connection.execute(REMINDERS.update().where(REMINDERS.c.person == person).values(**values))

    def _said(self, person: str, id_: str) -> tuple[int, int | None] | None:
        """Return from when until when something is ready, as it was said; None for what was not said."""
        days = sa.select(READY_THINGS.c.said, READY_THINGS.c.until).where(*_thing(person, id_))
        with reading(self._engine) as connection:
            row = connection.execute(days).one_or_none()
        return None if row is None else (row.said, row.until)

    def _id(self, key: str, instrument: str) -> str:
        """Return the name of a thing: first of its questionnaire, where it is one, and then its own."""
        own = self._vault.digest(f"ready|{key}")
        return self._of_instrument(instrument) + own[_HALF:] if instrument else own

    def _of_instrument(self, instrument: str) -> str:
        return self._vault.digest(f"instrument|{instrument}")[:_HALF]

    def _stop_of(self, choice: Choice) -> str:
        """Return the secret that stops the mails to an address: the same in each, also after a new choice."""
        return self._vault.digest(f"reminders|stop|{choice.issuer}|{choice.patient}|{choice.address}")

    def _log(self, person: str, choice: Choice, what: Literal["sent", "stopped"]) -> None:
        self._audit.reminder(person, choice.issuer, choice.patient, what)


def _thing(person: str, id_: str) -> tuple[sa.ColumnElement[bool], ...]:
    return READY_THINGS.c.person == person, READY_THINGS.c.id == id_
