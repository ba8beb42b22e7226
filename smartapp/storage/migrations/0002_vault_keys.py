"""A place for the key of digests. `vault.open_vault` makes the key, and keys the digests that stand there by then."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "vault_keys",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
