"""Launches: one sign-in about one person. Its id is in the address of every page.

The person comes from the token response of this launch and from nothing else: not from the address, not from a form,
not from the cookie. Two charts open side by side are two launches and never mix. A launch of a professional who opens
the list of their own clients is about nobody; what is read or written there of one client is so in `about` them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from mappers.human_name import PersonName
from mappers.roles import Role
from smartapp.access import table
from smartapp.storage.database import metadata, reading, writing
from smartapp.storage.marks import Marks
from smartapp.storage.vault import Vault

LAUNCHES = sa.Table(
    "launches",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("session_id", sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("made", sa.Integer, nullable=False),
    # Everything about people is sealed: a stolen database names nobody.
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

_BY_ID = sa.select(LAUNCHES).where(LAUNCHES.c.id == sa.bindparam("id"))


@dataclass(frozen=True, slots=True)
class Person:
    """A person as FHIR refers to them: `reference` is `Type/id`, relative to the issuer's base.

    `birth_date` is a FHIR date (`1992`, `1992-03`, `1992-03-14`), "" where it is not known. `called` is what they are
    called in daily life, "" where the record says nothing of it beside the name.
    """

    reference: str
    display: str
    birth_date: str = ""
    called: str = ""

    @property
    def address(self) -> str:
        """Return how to speak to them: what they are called, else their first name; "" where no name is known."""
        return PersonName(self.display, self.called).address


@dataclass(frozen=True, slots=True)
class User:
    """Who signed in. Two issuers may use one `subject` for two people, so only `key` says who it is.

    `issuer` is the issuer's key and not its address, which may change. `called` is as of a `Person`.
    """

    reference: str
    display: str
    role: Role
    issuer: str
    subject: str
    called: str = ""

    @property
    def address(self) -> str:
        """Return how to speak to them: what they are called, else their first name; "" where no name is known."""
        return PersonName(self.display, self.called).address

    @property
    def key(self) -> str:
        """Return what makes this user one and the same: issuer and subject."""
        return f"{self.issuer}|{self.subject}"

    @property
    def professional(self) -> bool:
        """Tell whether this is somebody of the care team, or who stands in for it."""
        return table().roles[self.role].professional


NOBODY: Final = Person("", "")
"""Whom a launch is about that is about nobody."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What a device was handed by a door (`doors`), which this names: one questionnaire, by somebody who signed in.

    `giver` is their launch, of which the token sends the answers; it may be over by then.
    """

    door: str
    instrument: str
    giver: Launch


@dataclass(frozen=True, slots=True)
class Launch:
    """One sign-in about one person, as the token response of the EHR gave it. `issuer` is the address of the EHR.

    About nobody, it has no `patient_id`, and keeps in `reader` what the EHR said of its user when they signed in: their
    own resource (`user`) and their PractitionerRoles (`roles`), each None where it was not told.

    `handed`: nobody signed in here. It is a device on which one questionnaire was opened, and no role's page is for it.
    """

    id: str
    session_id: str
    issuer: str
    patient_id: str
    patient: Person
    user: User
    scopes: str
    language: str | None = None
    encounter: str | None = None
    need_patient_banner: bool = True
    made: int = 0
    chart_origin: str = ""
    """Where the EHR takes messages of ours in the browser (SMART Web Messaging); "" where it does not."""
    chart_handle: str = field(default="", repr=False)
    """What such a message has to show."""
    reader: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    """Why its user has no greater role, as a code (`relation`); "" where there is nothing to say."""
    handed: Handed | None = None
    trace: str = ""
    """What a Koppeltaal domain calls the chain that this launch began; "" elsewhere."""

    @property
    def about_nobody(self) -> bool:
        """Tell whether this is a launch without a patient: of a professional, for the list of their own clients."""
        return not self.patient_id

    def about(self, person: Person) -> Launch:
        """Return the same launch, with its token and its id, as one about a client (`Patient/<id>`)."""
        return replace(self, patient_id=person.reference.removeprefix("Patient/"), patient=person)

    @property
    def issuer_key(self) -> str:
        """Return what names the issuer in our database, whatever its address is."""
        return self.user.issuer

    @property
    def by_address(self) -> Launch:
        """Return this launch as it was named before issuers had a key: by the address."""
        return replace(self, user=replace(self.user, issuer=self.issuer))


class Launches:
    """The launches in the database.

    `clock` returns seconds since 1970, `absolute` is their lifetime in seconds, `issuer_key` gives an issuer's key by
    its address.
    """

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        marks: Marks,
        clock: Callable[[], float],
        *,
        absolute: int,
        issuer_key: Callable[[str], str],
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._marks = marks
        self._clock = clock
        self._absolute = absolute
        self._issuer_key = issuer_key

    def add(self, launch: Launch) -> Launch:
        """Keep a launch under a fresh id and return it with that id.

        It alone opens nothing, but it ends up in browser histories: it must not tell whose record it was. To us it
        tells the issuer, also when the launch is long over.
        """
        values = asdict(launch) | {"id": self._marks.fresh(launch.issuer), "made": int(self._clock())}
        with writing(self._engine, on=launch.session_id) as connection:
            connection.execute(
                LAUNCHES.insert().values(
                    id=values["id"],
                    session_id=values["session_id"],
                    made=values["made"],
                    sealed=self._vault.seal(values),
                )
            )
        return self._launch(values)

    def find(self, launch_id: str, session_id: str) -> Launch | None:
        """Return the launch if it is alive and belongs to this session, else None."""
        launch = self.get(launch_id)
        return launch if launch is not None and launch.session_id == session_id else None

    def get(self, launch_id: str) -> Launch | None:
        """Return a launch that is alive, without asking whose: for work that no request of its session does."""
        with reading(self._engine) as connection:
            row = connection.execute(_BY_ID, {"id": launch_id}).one_or_none()
        # Counted from its own sign-in: a session that other launches keep alive does not keep this one.
        if row is None or int(self._clock()) >= row.made + self._absolute:
            return None
        return next(self._opened([row.sealed]), None)

    def of_session(self, session_id: str) -> list[Launch]:
        """Return the launches of a session; not those that none of our keys opens, which are of no use to anyone."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(LAUNCHES).where(LAUNCHES.c.session_id == session_id)).all()
        return list(self._opened([row.sealed for row in rows]))

    def name(self, launch_id: str, people: Mapping[str, Person]) -> None:
        """Put what is known of people (by reference) into a launch that was made without it."""
        with writing(self._engine, on=launch_id) as connection:
            row = connection.execute(_BY_ID, {"id": launch_id}).one_or_none()
            if row is None:
                return
            values = self._vault.open(row.sealed)
            for who in (values["patient"], values["user"]):
                if (found := people.get(who["reference"])) and not who["display"]:
                    who.update(display=found.display, called=found.called)
            if found := people.get(values["patient"]["reference"]):
                values["patient"]["birth_date"] = values["patient"].get("birth_date") or found.birth_date
            connection.execute(
                LAUNCHES.update().where(LAUNCHES.c.id == launch_id).values(sealed=self._vault.seal(values))
            )

    def about(self, issuer_key: str, patient: str) -> list[Launch]:
        """Return every launch about a person (`Patient/<id>`) that is not wiped yet."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(LAUNCHES.c.sealed)).scalars().all()
        return [
            each for each in self._opened(rows) if (each.issuer_key, each.patient.reference) == (issuer_key, patient)
        ]

    def end(self, launch_id: str) -> None:
        """Wipe one launch with its token."""
        with writing(self._engine, on=launch_id) as connection:
            connection.execute(LAUNCHES.delete().where(LAUNCHES.c.id == launch_id))

    def _opened(self, sealed: Sequence[bytes]) -> Iterator[Launch]:
        return (self._launch(values) for values in self._vault.open_any(sealed) if values is not None)

    def _launch(self, values: dict[str, Any]) -> Launch:
        # The key of today: a launch of an older version was kept with the address.
        user = User(**values["user"] | {"issuer": self._issuer_key(values["issuer"])})
        handed = values.get("handed")
        if handed is not None:
            handed = Handed(**handed | {"giver": self._launch(handed["giver"])})
        return Launch(**values | {"patient": Person(**values["patient"]), "user": user, "handed": handed})

    def read(self, values: dict[str, Any]) -> Launch:
        """Return a launch from what `asdict` made of one, such as that of who made a door."""
        return self._launch(values)
