"""Our own store: content kept once, terms and moments instead of values to search by.

The content itself is not touched here, where there is no key: `smartapp.fhir.own.renewing` seals and indexes what it
finds of each tenant (`indexed` = 0) before that tenant is read.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the new tables, and leave out of the old ones what is kept twice."""
    _tenants()
    _versions()
    op.drop_table("resource_index")
    _index()


def _tenants() -> None:
    op.create_table(
        "resource_tenants",
        sa.Column("key", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("indexed", sa.BigInteger, nullable=False),
        sa.Column("renewing", sa.BigInteger, nullable=False),
        sa.Column("renewed", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("name"),
    )
    op.execute(
        "INSERT INTO resource_tenants (name, indexed, renewing, renewed) SELECT DISTINCT tenant, 0, 0, 0 FROM resources"
    )
    op.add_column("resources", sa.Column("tenant_key", _NUMBER))
    op.execute(
        "UPDATE resources SET tenant_key = (SELECT t.key FROM resource_tenants t WHERE t.name = resources.tenant)"
    )
    with op.batch_alter_table("resources") as table:
        table.drop_constraint("uq_resources_tenant_type_id", type_="unique")
        for column in ("tenant", "updated", "content"):
            table.drop_column(column)
    with op.batch_alter_table("resources") as table:
        table.alter_column("tenant_key", new_column_name="tenant", existing_type=_NUMBER, nullable=False)
    with op.batch_alter_table("resources") as table:
        table.create_foreign_key("fk_resources_tenant", "resource_tenants", ["tenant"], ["key"])
        table.create_unique_constraint("uq_resources_tenant_type_id", ["tenant", "type", "id"])


def _versions() -> None:
    with op.batch_alter_table("resource_versions") as table:
        table.drop_column("updated")
        table.drop_constraint("fk_resource_versions_resource", type_="foreignkey")
        table.create_foreign_key(
            "fk_resource_versions_resource", "resources", ["resource"], ["key"], ondelete="CASCADE"
        )


def _index() -> None:
    op.create_table(
        "resource_terms",
        sa.Column("term", sa.BigInteger, primary_key=True, autoincrement=False),
        _resource(),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_resource_terms_resource", "resource_terms", ["resource"])
    op.create_table(
        "resource_dates",
        _resource(),
        sa.Column("param", sa.String(32), primary_key=True),
        sa.Column("low", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("high", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )


def _resource() -> sa.Column[int]:
    return sa.Column("resource", _NUMBER, sa.ForeignKey("resources.key", ondelete="CASCADE"), primary_key=True)
