"""What each finding is about, which the view of queries looked up in the figures and milestones every time."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_LETTERS = "$ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def upgrade() -> None:
    """Add the column, and fill it as the view did: by the indicator, or else the milestone, of the finding's row."""
    op.add_column("finding", sa.Column("subject", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    is_postgresql = connection.dialect.name == "postgresql"
    if is_postgresql:
        # SQLite cannot take it away, and does no harm by it.
        op.alter_column("finding", "subject", server_default=None)
    # By bytes, as SQLite compares.
    collation = ' COLLATE "C"' if is_postgresql else ""
    indicator, milestone = (
        f"""(SELECT min(r.{name}{collation}) FROM {table} r
            WHERE r.submission_id = finding.submission_id AND r.sheet = finding.sheet
                AND ltrim(r.cell, '{_LETTERS}') = ltrim(finding.cell, '{_LETTERS}'))"""  # noqa: S608 - our own names
        for name, table in (("indicator", "observation"), ("milestone", "milestone_report"))
    )
    fill = f"UPDATE finding SET subject = coalesce({indicator}, {milestone}, '') WHERE cell <> ''"  # noqa: S608
    connection.execute(sa.text(fill))


def downgrade() -> None:
    """Drop it: figures and milestones have what it held."""
    op.drop_column("finding", "subject")
