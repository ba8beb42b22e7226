"""The tables as they were before there were revisions; makes those that a database does not have yet."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make what is missing."""
    _sessions()
    _own_work()
    _own_store()


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("started", sa.Integer, nullable=False),
        sa.Column("seen", sa.Integer, nullable=False),
        sa.Column("carried", sa.LargeBinary),
        if_not_exists=True,
    )
    op.create_table(
        "session_cookies",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("session_id", sa.String(64), sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        if_not_exists=True,
    )
    _index("session_cookies", "session_id")
    op.create_table(
        "handoffs",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("session_id", sa.String(64), sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("path", sa.String(2000), nullable=False),
        sa.Column("made", sa.Integer, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "launches",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("session_id", sa.String(64), sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("made", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        if_not_exists=True,
    )
    _index("launches", "session_id")
    op.create_table(
        "tokens",
        sa.Column("launch_id", sa.String(64), sa.ForeignKey("launches.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("leased_until", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "authorizations",
        sa.Column("state", sa.String(64), primary_key=True),
        sa.Column("browser", sa.String(64), nullable=False),
        sa.Column("made", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        if_not_exists=True,
    )


def _own_work() -> None:
    op.create_table(
        "drafts",
        sa.Column("owner", sa.String(64), primary_key=True),
        sa.Column("questionnaire", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("launch_id", sa.String(64), nullable=False),
        sa.Column("made", sa.Integer, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", sa.Integer, nullable=False),
        sa.Column("leased_until", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        if_not_exists=True,
    )
    _index("outbox", "owner")
    op.create_table(
        "audit",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("recorded", sa.Integer, nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(2), nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        if_not_exists=True,
    )
    _index("audit", "recorded")
    _index("audit", "person")


def _own_store() -> None:
    op.create_table(
        "demotions",
        sa.Column("issuer", sa.String, primary_key=True),
        sa.Column("type", sa.String(64), primary_key=True),
        sa.Column("interaction", sa.String(16), primary_key=True),
        sa.Column("until", sa.Integer, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "resources",
        sa.Column("key", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("updated", sa.String(40), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("tenant", "type", "id"),
        if_not_exists=True,
    )
    op.create_table(
        "resource_versions",
        sa.Column("resource", _NUMBER, sa.ForeignKey("resources.key"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("updated", sa.String(40), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "resource_index",
        sa.Column("resource", _NUMBER, sa.ForeignKey("resources.key"), nullable=False),
        sa.Column("param", sa.String(80), nullable=False),
        sa.Column("value", sa.String, nullable=False),
        sa.Column("system", sa.String, nullable=False),
        sa.Column("low", sa.String(27)),
        sa.Column("high", sa.String(27)),
        if_not_exists=True,
    )
    _index("resource_index", "resource")
    op.create_index("ix_resource_index_value", "resource_index", ["param", "value", "resource"], if_not_exists=True)


def _index(table: str, column: str) -> None:
    op.create_index(f"ix_{table}_{column}", table, [column], if_not_exists=True)
