"""What a Koppeltaal domain still has to get: steps of its Tasks, and events for its log."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "koppeltaal_writes",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("due", sa.Integer, nullable=False),
        sa.Column("tried", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index(op.f("ix_koppeltaal_writes_due"), "koppeltaal_writes", ["due"])
