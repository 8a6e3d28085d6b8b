"""Whether an indicator's figures compare between bodies."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0017"
branch_labels = None
depends_on = None

_ADDS_UP = "unit = 'number' OR (unit IN ('money', 'days') AND accumulation IN ('sum', 'cumulative'))"


def upgrade() -> None:
    """Add the columns; whether figures compare follows from the unit, as it does where a plan does not say."""
    for table in ("plan_indicator", "plan_edition"):
        op.add_column(table, sa.Column("compares_bodies", sa.Text(), nullable=False, server_default="yes"))
        op.execute(f"UPDATE {table} SET compares_bodies = 'no' WHERE {_ADDS_UP}")  # noqa: S608 - our own names


def downgrade() -> None:
    """Drop them: they are computed."""
    for table in ("plan_indicator", "plan_edition"):
        op.drop_column(table, "compares_bodies")
