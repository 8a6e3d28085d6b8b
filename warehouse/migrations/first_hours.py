"""Mends a warehouse of the first hours, when revision 0001 was still being written and lacked what later ones build on.

For two hours of its first day 0001 had no waivers, did not say what was in force by its content, and had no deliveries.
"""

import sqlalchemy as sa

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


# Of what was missing, deliveries came last. It is looked for at every start, and so by one quick question.
_HAS_DELIVERY = {
    "sqlite": "SELECT 1 FROM pragma_table_info('submission') WHERE name = 'delivery'",
    "postgresql": "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('submission') AND attname = 'delivery'",
}


def is_whole(connection: sa.Connection) -> bool:
    """Whether a warehouse that has tables has what 0001 lacked in its first hours; later revisions did not miss it."""
    return connection.scalar(sa.text(_HAS_DELIVERY[connection.dialect.name])) is not None


def mend(connection: sa.Connection) -> None:
    """Add what 0001 lacked then, where it is missing; what was recorded by that time has no content and no delivery."""
    found = sa.inspect(connection)
    if not found.has_table("submission"):
        return
    columns = {column["name"] for column in found.get_columns("submission")}
    if "content_sha256" not in columns:
        connection.exec_driver_sql("ALTER TABLE submission ADD COLUMN content_sha256 TEXT NOT NULL DEFAULT ''")
        if connection.dialect.name == "postgresql":
            # SQLite cannot take it away, and does no harm by it.
            connection.exec_driver_sql("ALTER TABLE submission ALTER COLUMN content_sha256 DROP DEFAULT")
    if "delivery" not in columns:
        connection.exec_driver_sql("ALTER TABLE submission ADD COLUMN delivery TEXT")
        connection.exec_driver_sql("CREATE UNIQUE INDEX ux_submission_delivery ON submission (delivery)")
    if not found.has_table("waiver"):
        _create_waivers(connection)


def _create_waivers(connection: sa.Connection) -> None:
    texts = ("code", "partner_code", "subject", "period", "reason", "waived_by")
    waiver = sa.Table(
        "waiver",
        sa.MetaData(),
        sa.Column("waiver_id", _ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("waived_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("waiver_id", name="pk_waiver"),
    )
    sa.Index("ix_waiver_partner_code", waiver.c.partner_code)
    waiver.create(connection)
