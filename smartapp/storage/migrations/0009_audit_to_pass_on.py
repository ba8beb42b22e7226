"""Which rows of the log an EHR gets too, and has not got yet: those written from now on."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the list beside the log."""
    op.create_table(
        "audit_to_pass_on",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("launch_id", sa.String(64), nullable=False),
        sa.Column("due", sa.Integer, nullable=False),
        sa.Column("tried", sa.Integer, nullable=False),
    )
    op.create_index("ix_audit_to_pass_on_person", "audit_to_pass_on", ["person"])
    op.create_index("ix_audit_to_pass_on_due", "audit_to_pass_on", ["due"])
