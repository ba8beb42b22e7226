"""Who was refused what: one refusal no longer counts for everybody, so those of the last day are forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table in the place of the one that did not say to whom."""
    op.drop_table("demotions")
    op.create_table(
        "refusals",
        sa.Column("issuer", sa.String, primary_key=True),
        sa.Column("type", sa.String(64), primary_key=True),
        sa.Column("interaction", sa.String(16), primary_key=True),
        sa.Column("role", sa.String(16), primary_key=True),
        sa.Column("person", sa.String(64), primary_key=True),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("made", sa.Integer, nullable=False),
    )
