"""The revisions of our database, one file each, and how a database is brought to the newest (alembic).

`database.open_database` does that by itself; there is nothing to run and no file to configure.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

FOLDER = Path(__file__).parent


class NewerDatabase(ValueError):
    """The database was written by a newer version of Verstel than this one."""


@cache
def revisions() -> ScriptDirectory:
    """Return all revisions that this version knows."""
    return ScriptDirectory(str(FOLDER), version_locations=[str(FOLDER)])


def newest() -> str:
    """Return the revision that the code of this version is written for."""
    head = revisions().get_current_head()
    if head is None:
        raise RuntimeError(f"There is no revision in {FOLDER}.")
    return head


def revision_of(connection: Connection) -> str | None:
    """Return the revision of a database; None for an empty one, and for one from before there were revisions."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection, metadata: sa.MetaData, to: str = "head") -> None:
    """Bring a database to a revision, the newest by default, inside the transaction that has begun on `connection`.

    The first revision makes only what is missing, so a database from before there were revisions needs no other care.
    `metadata` says how indexes and constraints are named. Raises NewerDatabase.
    """
    present = revision_of(connection)
    if present is not None and present not in {script.revision for script in revisions().walk_revisions()}:
        raise NewerDatabase(present)
    with EnvironmentContext(
        Config(),
        revisions(),
        fn=lambda revision, _context: revisions()._upgrade_revs(to, revision),  # as alembic documents it
    ) as environment:
        # The transaction is ours, also on SQLite: a revision that fails leaves the database as it was.
        environment.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
        environment.run_migrations()
