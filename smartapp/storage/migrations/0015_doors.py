"""One-time doors: one questionnaire, opened once on a device where nobody signs in."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "doors",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("code", sa.String(64)),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("asked", sa.String(64), nullable=False),
        sa.Column("launch", sa.String(64)),
        sa.Column("made", sa.Integer, nullable=False),
        sa.Column("until", sa.Integer, nullable=False),
        sa.Column("opened", sa.Integer),
        sa.Column("seen", sa.Integer),
        sa.Column("ended", sa.Integer),
        sa.Column("how", sa.String(16)),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("code", name=op.f("uq_doors_code")),
        sa.UniqueConstraint("asked", name=op.f("uq_doors_asked")),
    )
    for column in ("person", "launch", "ended"):
        op.create_index(op.f(f"ix_doors_{column}"), "doors", [column])
