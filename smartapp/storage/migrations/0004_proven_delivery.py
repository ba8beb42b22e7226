"""The outbox as a state machine: whose unit, under which lease, how often it failed, and what arrived."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; what was refused is now stopped, until its author decides."""
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("issuer", sa.String, nullable=False, server_default=""))
        outbox.add_column(sa.Column("failures", sa.Integer, nullable=False, server_default="0"))
        outbox.add_column(sa.Column("lease", sa.Integer, nullable=False, server_default="0"))
    op.create_index("ix_outbox_state_due", "outbox", ["state", "due"])
    op.execute("UPDATE outbox SET state = 'stopped' WHERE state = 'refused'")
    op.create_table(
        "arrivals",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("made", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_arrivals_made", "arrivals", ["made"])
