"""What people share by a link: the encrypted document, how often it was opened, and what may still be asked."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "health_links",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("asked", sa.String(64), nullable=False),
        sa.Column("made", sa.Integer, nullable=False),
        sa.Column("until", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("opened", sa.Integer, nullable=False),
        sa.Column("last_opened", sa.Integer),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("ended", sa.Integer),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.UniqueConstraint("asked", name=op.f("uq_health_links_asked")),
    )
    for column in ("person", "until"):
        op.create_index(op.f(f"ix_health_links_{column}"), "health_links", [column])
    op.create_table(
        "health_link_files",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column(
            "link",
            sa.String(64),
            sa.ForeignKey("health_links.id", name=op.f("fk_health_link_files_link"), ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("until", sa.Integer, nullable=False),
        sa.Column("used", sa.Integer, nullable=False),
    )
    for column in ("link", "until"):
        op.create_index(op.f(f"ix_health_link_files_{column}"), "health_link_files", [column])
