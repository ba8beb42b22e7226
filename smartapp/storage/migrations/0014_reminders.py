"""Messages that something is ready: what a client chose, and what is ready for them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "reminders",
        sa.Column("person", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("stop", sa.String(64)),
        sa.Column("confirm", sa.String(64)),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.Column("opened", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer),
        sa.Column("due", sa.Integer, nullable=False),
        sa.Column("taken", sa.Integer),
        sa.Column("tried", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("stop", name=op.f("uq_reminders_stop")),
        sa.UniqueConstraint("confirm", name=op.f("uq_reminders_confirm")),
    )
    op.create_index(op.f("ix_reminders_due"), "reminders", ["due"])
    op.create_table(
        "ready_things",
        sa.Column("person", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("said", sa.Integer, nullable=False),
        sa.Column("ready", sa.Integer, nullable=False),
        sa.Column("until", sa.Integer),
        sa.Column("told", sa.Integer, nullable=False),
    )
    op.create_index(op.f("ix_ready_things_said"), "ready_things", ["said"])
