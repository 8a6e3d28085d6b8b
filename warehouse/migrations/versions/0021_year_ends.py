"""Whether figures compare between bodies; beside judgements the gap to the target, the noise word and the course.

What is told of judgements in force is filled in by the plan in force, in the same transaction (`tell_what_was_untold`):
a step of this kind cannot judge. Rows that had been replaced by then stay as they were: nobody was told it at the time.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_ADDS_UP = "unit = 'number' OR (unit IN ('money', 'days') AND accumulation IN ('sum', 'cumulative'))"


def upgrade() -> None:
    """Add the columns; whether figures compare follows from the unit, as it does where a plan does not say."""
    for table in ("plan_indicator", "plan_edition"):
        op.add_column(table, sa.Column("compares_bodies", sa.Text(), nullable=False, server_default="yes"))
        op.execute(f"UPDATE {table} SET compares_bodies = 'no' WHERE {_ADDS_UP}")  # noqa: S608 - our own names
    for table in ("judgement", "group_judgement"):
        op.add_column(table, sa.Column("target_gap", sa.Float(53)))
    for name in ("variation", "on_course"):
        op.add_column("judgement", sa.Column(name, sa.Text()))


def downgrade() -> None:
    """Drop them: they are computed."""
    for name in ("variation", "on_course"):
        op.drop_column("judgement", name)
    for table in ("judgement", "group_judgement"):
        op.drop_column(table, "target_gap")
    for table in ("plan_indicator", "plan_edition"):
        op.drop_column(table, "compares_bodies")
