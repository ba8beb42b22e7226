"""The log as a chain: each row holds a link to the one before it, and says whether the client did it themselves.

Rows that are there have no link: their content is sealed, and there is no key here. The chain begins after them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add what links the rows, and find one person's rows by their number."""
    op.add_column("audit", sa.Column("own", sa.SmallInteger, nullable=False, server_default="0"))
    op.add_column("audit", sa.Column("link", sa.String(64)))
    op.drop_index("ix_audit_person", "audit")
    op.create_index("ix_audit_person_number", "audit", ["person", "number"])
    others = sa.text("own = 0")
    op.create_index("ix_audit_others", "audit", ["person", "number"], sqlite_where=others, postgresql_where=others)
    op.create_table(
        "audit_marks",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
