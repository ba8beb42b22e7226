"""Which tokens our CDS Hooks services were asked with, so that each works once."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0010"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "hook_calls",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("until", sa.Integer, nullable=False),
    )
    op.create_index(op.f("ix_hook_calls_until"), "hook_calls", ["until"])
