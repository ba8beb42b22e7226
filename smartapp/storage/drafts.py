"""Drafts: questionnaires that someone is still filling in.

They stay in our own database until they are sent in, sealed, one per issuer, person, author and questionnaire. Every
change is one transaction that is on the disk before the page says "saved".

A draft is only ever changed by a function of what is stored (`Drafts.change`), never replaced by what a page remembers:
so no caller can overwrite an answer from another tab by forgetting to look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from questionnaires.fhir import Resource
from smartapp.storage.database import change_any, metadata, reading, writing
from smartapp.storage.vault import Vault

DRAFTS = sa.Table(
    "drafts",
    metadata,
    # One keyed digest of issuer, person, author and questionnaire: the table itself says nothing about anyone.
    sa.Column("owner", sa.String(64), primary_key=True),
    sa.Column("questionnaire", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

_THIS = (DRAFTS.c.owner == sa.bindparam("of"), DRAFTS.c.questionnaire == sa.bindparam("about"))
_FIND = sa.select(DRAFTS).where(*_THIS)
_BEGIN = DRAFTS.insert()
_GO_ON = DRAFTS.update().where(*_THIS).values({each: sa.bindparam(each) for each in ("version", "changed", "sealed")})
_DELETE = DRAFTS.delete().where(*_THIS)


HANDED_OVER = "handed-"
"""So the names of what waits for a person's yes begin: it has an end of its own (`handed_over`)."""
NOT_NOW = "not-now-"
"""So the names of what a person does not want to be asked begin: that too has an end of its own (`not_now`)."""


def forget_untouched(engine: Engine, since: int) -> int:
    """Delete the drafts of everybody that nobody changed after `since` (seconds since 1970); return how many."""
    others = [~DRAFTS.c.questionnaire.startswith(name, autoescape=True) for name in (HANDED_OVER, NOT_NOW)]
    with writing(engine, on="old drafts") as connection:
        return connection.execute(DRAFTS.delete().where(DRAFTS.c.changed <= since, *others)).rowcount


@dataclass(frozen=True, slots=True)
class Draft:
    """An in-progress QuestionnaireResponse. `version` counts changes, `changed` is in seconds since 1970."""

    questionnaire: str
    resource: Resource
    version: int
    changed: int


class Drafts:
    """The drafts of one author about one person at one issuer. `questionnaire` is an instrument's id (`nel`)."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        clock: Callable[[], float],
        *,
        issuer: str,
        patient: str,
        author: str,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._owner = vault.digest(f"draft|{issuer}|{patient}|{author}")

    def all(self) -> list[Draft]:
        """Return every draft that our keys open, the last changed first."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(DRAFTS).where(DRAFTS.c.owner == self._owner).order_by(DRAFTS.c.changed.desc())
            ).all()
        opened = self._vault.open_any([row.sealed for row in rows])
        return [_draft(row, values) for row, values in zip(rows, opened, strict=True) if values is not None]

    def get(self, questionnaire: str) -> Draft | None:
        """Return the draft of a questionnaire, or None."""
        with reading(self._engine) as connection:
            return self._find(connection, questionnaire)

    def change(self, questionnaire: str, update: Callable[[Resource | None], Resource]) -> Draft:
        """Replace a draft by `update(what is stored now)`, with no other change in between.

        So two tabs that each answer one question both keep their answer. `update` gets None where there is no draft,
        must not touch the database, and may raise: then nothing changes.
        """
        with writing(self._engine, on=self._owner) as connection:
            present = self._find(connection, questionnaire)
            resource = update(present.resource if present else None)
            return self._put(connection, questionnaire, resource, present)

    def delete(self, questionnaire: str, when: Callable[[Resource], bool] | None = None) -> bool:
        """Delete a draft; with `when`, only if it is true of what is stored now, such as that this is what was sent in.

        Returns whether the draft is gone.
        """
        with writing(self._engine, on=self._owner) as connection:
            present = self._find(connection, questionnaire)
            if present and when is not None and not when(present.resource):
                return False
            connection.execute(_DELETE, self._key(questionnaire))
        return True

    def erase(self) -> int:
        """Delete every draft of this author, also those that our keys do not open; return how many there were."""
        with writing(self._engine, on=self._owner) as connection:
            return connection.execute(DRAFTS.delete().where(DRAFTS.c.owner == self._owner)).rowcount

    def adopt(self, former: Drafts) -> None:
        """Take over the drafts that stand under a former name of the same author; those that are here stay."""
        here = DRAFTS.alias()
        there_too = sa.exists().where(here.c.owner == self._owner, here.c.questionnaire == DRAFTS.c.questionnaire)
        theirs = (DRAFTS.c.owner == former._owner) & ~there_too
        change_any(self._engine, DRAFTS, theirs, owner=self._owner)

    def _key(self, questionnaire: str) -> dict[str, str]:
        return {"of": self._owner, "about": questionnaire}

    def _find(self, connection: Connection, questionnaire: str) -> Draft | None:
        row = connection.execute(_FIND, self._key(questionnaire)).one_or_none()
        # Not skipped: whoever changes it would write over what the right key still opens.
        return _draft(row, self._vault.open(row.sealed)) if row else None

    def _put(self, connection: Connection, questionnaire: str, resource: Resource, present: Draft | None) -> Draft:
        draft = Draft(questionnaire, resource, (present.version if present else 0) + 1, int(self._clock()))
        values = {"version": draft.version, "changed": draft.changed, "sealed": self._vault.seal(resource)}
        if present:
            connection.execute(_GO_ON, values | self._key(questionnaire))
        else:
            connection.execute(_BEGIN, values | {"owner": self._owner, "questionnaire": questionnaire})
        return draft


def _draft(row: sa.Row[tuple[str, str, int, int, bytes]], resource: Resource) -> Draft:
    return Draft(row.questionnaire, resource, row.version, row.changed)
