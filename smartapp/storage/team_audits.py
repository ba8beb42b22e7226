"""What the two auditors of a team sent in, apart from each other, until both have.

Each place of an audit can be taken once. Nobody reads what stands in it but who sent it, and they can take it back,
until the other has sent theirs too. Then both go into our own store, where nobody's name is, and from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from smartapp.storage.database import metadata, reading, writing
from smartapp.storage.vault import Vault

TEAM_AUDITS: Final = sa.Table(
    "team_audits",
    metadata,
    # A keyed digest of issuer, team and year.
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

Place = Literal[1, 2]
PLACES: Final[tuple[Place, ...]] = (1, 2)


class NoPlace(ValueError):
    """Two others have sent theirs already."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What one auditor sent: their place, who they are by a keyed digest, and their scores and words by linkId."""

    place: Place
    auditor: str
    form: str
    answers: Mapping[str, str]
    moment: str
    """When it was sent, a FHIR dateTime."""
    language: str = "nl"


class TeamAudits:
    """What waits for the other auditor, in the database."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault

    def audit(self, issuer: str, team: str, year: int) -> str:
        """Return what names an audit: of a team (by its id in the settings) of an issuer (by its key), in a year."""
        return self._vault.digest(f"team-audit|{issuer}|{team}|{year}")

    def auditor(self, audit: str, user: str) -> str:
        """Return what names an auditor within one audit, and nowhere else."""
        return self._vault.digest(f"team-auditor|{audit}|{user}")

    def sent(self, audit: str) -> tuple[Sent, ...]:
        """Return what was sent, in the order of the places."""
        chosen = sa.select(TEAM_AUDITS).where(TEAM_AUDITS.c.id == audit).order_by(TEAM_AUDITS.c.place)
        with reading(self._engine) as connection:
            rows = connection.execute(chosen).all()
        return tuple(Sent(row.place, **self._vault.open(row.sealed)) for row in rows)

    def send(
        self, audit: str, auditor: str, *, form: str, answers: Mapping[str, str], moment: str, language: str
    ) -> tuple[Sent, ...]:
        """Take the first free place, or the auditor's own once more; return all that is sent now. Raises NoPlace."""
        with writing(self._engine, on=audit) as connection:
            there = self.sent(audit)
            if len(there) == len(PLACES):  # both are in: what they were asked apart is done
                raise NoPlace
            mine = next((one.place for one in there if one.auditor == auditor), None)
            taken = {one.place for one in there}
            place = mine or next(one for one in PLACES if one not in taken)
            values = {"auditor": auditor, "form": form, "answers": dict(answers), "moment": moment}
            values["language"] = language
            connection.execute(TEAM_AUDITS.delete().where(TEAM_AUDITS.c.id == audit, TEAM_AUDITS.c.place == place))
            connection.execute(
                TEAM_AUDITS.insert().values(id=audit, place=place, sealed=self._vault.seal(values)),
            )
            return self.sent(audit)

    def take_back(self, audit: str, auditor: str) -> Sent | None:
        """Give an auditor their own back, as long as the other has not sent theirs; None where that can't be."""
        with writing(self._engine, on=audit) as connection:
            there = self.sent(audit)
            mine = next((one for one in there if one.auditor == auditor), None)
            if mine is None or len(there) == len(PLACES):
                return None
            connection.execute(TEAM_AUDITS.delete().where(TEAM_AUDITS.c.id == audit, TEAM_AUDITS.c.place == mine.place))
            return mine

    def done(self, audit: str) -> None:
        """Forget what was sent: it stands in our own store now."""
        with writing(self._engine, on=audit) as connection:
            connection.execute(TEAM_AUDITS.delete().where(TEAM_AUDITS.c.id == audit))
