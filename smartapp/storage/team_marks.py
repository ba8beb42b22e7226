"""Marks that clients give a team: rounds, and in each the answers of a person, of whom nothing is kept.

As long as a round is open, a keyed digest of round and person keeps one person's answers apart, so that they can be
changed and taken back. Once it is over that name is replaced by a random one: from then on nobody can tell whose
answers they are, we ourselves included. Nothing here has a time: not a column, not a row number in SQLite, and not the
seal. What is taken back is deleted, and no older version of it stays.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from mappers.team import Round
from smartapp.storage.database import metadata, reading, writing
from smartapp.storage.vault import Vault

TEAM_ROUNDS: Final = sa.Table(
    "team_rounds",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    # A keyed digest of the issuer's key and the team's id.
    sa.Column("team", sa.String(64), nullable=False, index=True),
    # Whether its answers have lost what told whose they were.
    sa.Column("loosened", sa.Integer, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)
TEAM_MARKS: Final = sa.Table(
    "team_marks",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("round", sa.String(64), nullable=False, index=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    # By their name alone: a row number would tell in which order people came.
    sqlite_with_rowid=False,
)

Answers = Mapping[str, str]
"""Of one person in one round: linkId to the code of a choice, or to words."""

Giver = tuple[str, str]
"""Who gives them: the key of the issuer, and `Patient/<id>` there."""


class RoundTaken(ValueError):
    """Another round has days of this one."""


class RoundOver(ValueError):
    """A round that is over, or has not begun, takes no answers and gives none back."""


@dataclass(frozen=True, slots=True)
class KeptRound:
    """A round with its id in our database."""

    id: str
    round: Round


@dataclass(frozen=True, slots=True)
class Given:
    """The answers of somebody: the form they were given on (`team-marks|1.0.0` as a canonical), and what they were."""

    form: str
    answers: Answers
    language: str = "nl"


class TeamMarks:
    """Rounds and marks in the database. A team is named by `team`, which makes a keyed digest."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault

    def team(self, issuer: str, team: str) -> str:
        """Return what names a team (by its id in the settings) of an issuer (by its key)."""
        return self._vault.digest(f"team|{issuer}|{team}")

    # ---- rounds

    def rounds(self, teams: Collection[str]) -> list[KeptRound]:
        """Return the rounds of a team, the oldest first; `teams` are its digests, under each name of its issuer."""
        chosen = sa.select(TEAM_ROUNDS).where(TEAM_ROUNDS.c.team.in_(teams))
        with reading(self._engine) as connection:
            rows = connection.execute(chosen).all()
        opened = self._vault.open_any([row.sealed for row in rows])
        found = [_round(row.id, values) for row, values in zip(rows, opened, strict=True) if values is not None]
        return sorted(found, key=lambda one: (one.round.start, one.id))

    def plan(self, teams: Collection[str], round_: Round) -> KeptRound:
        """Keep a new round, under the first of `teams`. Raises RoundTaken where another one has days of it."""
        first = next(iter(teams))
        with writing(self._engine, on=first):
            for one in self.rounds(teams):
                if one.round.start <= round_.end and round_.start <= one.round.end:
                    raise RoundTaken(one.round.name)
            return self._put(first, secrets.token_hex(32), round_)

    def stop(self, id_: str, today: dt.date) -> bool:
        """Let an open round end today, or take one away that has not begun; tell whether there was such a one.

        A round is never made longer, and none that was over is opened: who looks before and after one more answer
        could tell what that answer was.
        """
        with writing(self._engine, on=id_) as connection:
            found = self._find(connection, id_)
            if found is None or found[1].round.is_over(today):
                return False
            team, kept = found
            if kept.round.start > today:
                connection.execute(TEAM_MARKS.delete().where(TEAM_MARKS.c.round == id_))
                connection.execute(TEAM_ROUNDS.delete().where(TEAM_ROUNDS.c.id == id_))
            else:
                connection.execute(TEAM_ROUNDS.delete().where(TEAM_ROUNDS.c.id == id_))
                self._put(team, id_, Round(kept.round.name, kept.round.start, today))
        return True

    def _put(self, team: str, id_: str, round_: Round) -> KeptRound:
        values = {"name": round_.name, "start": round_.start.isoformat(), "end": round_.end.isoformat()}
        row = {"id": id_, "team": team, "loosened": 0, "sealed": self._vault.seal(values)}
        with writing(self._engine) as connection:
            connection.execute(TEAM_ROUNDS.insert().values(row))
        return KeptRound(id_, round_)

    def _find(self, connection: Connection, id_: str) -> tuple[str, KeptRound] | None:
        # Not one whose names are gone: a process whose clock is slow would let somebody answer twice.
        chosen = sa.select(TEAM_ROUNDS).where(TEAM_ROUNDS.c.id == id_, TEAM_ROUNDS.c.loosened == 0)
        row = connection.execute(chosen).one_or_none()
        return (row.team, _round(row.id, self._vault.open(row.sealed))) if row else None

    # ---- marks

    def of_person(self, round_: str, person: Giver) -> Given | None:
        """Return what somebody gave in an open round, None where they gave nothing."""
        chosen = sa.select(TEAM_MARKS.c.sealed).where(TEAM_MARKS.c.id == self._name(round_, person))
        with reading(self._engine) as connection:
            sealed = connection.execute(chosen).scalar_one_or_none()
        return _given(self._vault.open(sealed)) if sealed is not None else None

    def give(self, round_: str, person: Giver, given: Given, today: dt.date) -> None:
        """Keep what somebody gives, in the place of what they gave in this round before. Raises RoundOver."""
        values = {"form": given.form, "answers": dict(given.answers), "language": given.language}
        row = {"id": self._name(round_, person), "round": round_, "sealed": self._vault.seal_without_time(values)}
        with writing(self._engine, on=round_) as connection:
            self._demand_open(connection, round_, today)
            connection.execute(TEAM_MARKS.delete().where(TEAM_MARKS.c.id == row["id"]))
            connection.execute(TEAM_MARKS.insert().values(row))

    def take_back(self, round_: str, person: Giver, today: dt.date) -> None:
        """Delete what somebody gave in an open round. Raises RoundOver."""
        with writing(self._engine, on=round_) as connection:
            self._demand_open(connection, round_, today)
            connection.execute(TEAM_MARKS.delete().where(TEAM_MARKS.c.id == self._name(round_, person)))

    def erase(self, person: Giver, today: dt.date) -> int:
        """Delete what somebody gave in rounds that are not over; return in how many that was."""
        self.loosen(today)  # of those that are over it can't be told whose it is, whether anybody looked since or not
        with writing(self._engine) as connection:
            open_rounds = connection.execute(sa.select(TEAM_ROUNDS.c.id).where(TEAM_ROUNDS.c.loosened == 0)).scalars()
            names = [self._name(one, person) for one in open_rounds]
            return connection.execute(TEAM_MARKS.delete().where(TEAM_MARKS.c.id.in_(names))).rowcount

    def adopt(self, former: Giver, person: Giver) -> None:
        """Bring what somebody gave in open rounds under a former name of theirs to this one, unless they gave again."""
        with reading(self._engine) as connection:
            open_rounds = connection.execute(sa.select(TEAM_ROUNDS.c.id).where(TEAM_ROUNDS.c.loosened == 0)).scalars()
            names = {self._name(one, former): (one, self._name(one, person)) for one in open_rounds}
            found = connection.execute(sa.select(TEAM_MARKS.c.id).where(TEAM_MARKS.c.id.in_(names))).scalars().all()
        for old in found:
            round_, new = names[old]
            with writing(self._engine, on=round_) as connection:
                again = connection.execute(sa.select(TEAM_MARKS.c.id).where(TEAM_MARKS.c.id == new)).first()
                change = TEAM_MARKS.delete() if again else TEAM_MARKS.update().values(id=new)
                connection.execute(change.where(TEAM_MARKS.c.id == old))

    def given_in(self, round_: str) -> list[Given]:
        """Return all that was given in a round, in no order that says anything."""
        chosen = sa.select(TEAM_MARKS.c.sealed).where(TEAM_MARKS.c.round == round_)
        with reading(self._engine) as connection:
            rows = connection.execute(chosen).scalars().all()
        return [_given(values) for values in self._vault.open_any(rows) if values is not None]

    def loosen(self, today: dt.date) -> int:
        """Give the answers of each round that is over a random name; return of how many rounds."""
        chosen = sa.select(TEAM_ROUNDS).where(TEAM_ROUNDS.c.loosened == 0)
        with reading(self._engine) as connection:
            rows = connection.execute(chosen).all()
        opened = self._vault.open_any([row.sealed for row in rows])
        over = [
            row.id
            for row, values in zip(rows, opened, strict=True)
            if values is not None and _round(row.id, values).round.is_over(today)
        ]
        for id_ in over:
            self._loosen(id_)
        return len(over)

    def _loosen(self, round_: str) -> None:
        with writing(self._engine, on=round_) as connection:
            done = TEAM_ROUNDS.update().where(TEAM_ROUNDS.c.id == round_, TEAM_ROUNDS.c.loosened == 0)
            if not connection.execute(done.values(loosened=1)).rowcount:  # another process was quicker
                return
            rows = connection.execute(sa.select(TEAM_MARKS).where(TEAM_MARKS.c.round == round_)).all()
            connection.execute(TEAM_MARKS.delete().where(TEAM_MARKS.c.round == round_))
            # Sealed anew: by an equal seal, a copy of the database from before would tell whose they were.
            opened = self._vault.open_any([row.sealed for row in rows])
            seals = [
                row.sealed if values is None else self._vault.seal_without_time(values)
                for row, values in zip(rows, opened, strict=True)
            ]
            fresh = [{"id": secrets.token_hex(32), "round": round_, "sealed": sealed} for sealed in seals]
            if fresh:
                connection.execute(TEAM_MARKS.insert(), sorted(fresh, key=lambda row: row["id"]))

    def _demand_open(self, connection: Connection, round_: str, today: dt.date) -> None:
        found = self._find(connection, round_)
        if found is None or not found[1].round.has(today):
            raise RoundOver(round_)

    def _name(self, round_: str, person: Giver) -> str:
        return self._vault.digest(f"team-marks|{round_}|{person[0]}|{person[1]}")


def _round(id_: str, values: Mapping[str, Any]) -> KeptRound:
    start, end = (dt.date.fromisoformat(values[name]) for name in ("start", "end"))
    return KeptRound(id_, Round(values["name"], start, end))


def _given(values: Mapping[str, Any]) -> Given:
    return Given(values["form"], values["answers"], values["language"])
