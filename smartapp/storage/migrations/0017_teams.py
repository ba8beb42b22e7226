"""What clients say of a team: rounds and marks, without any time; and what auditors sent in one by one."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "team_rounds",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("team", sa.String(64), nullable=False),
        sa.Column("loosened", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index(op.f("ix_team_rounds_team"), "team_rounds", ["team"])
    # In SQLite by their name alone: a row number would tell in which order people came.
    op.create_table(
        "team_marks",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("round", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_team_marks_round"), "team_marks", ["round"])
    op.create_table(
        "team_audits",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
