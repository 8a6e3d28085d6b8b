"""A table of periods, so that no query takes a code apart, and BI tools have a calendar to relate to."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Where periods are named.
_NAMED = (
    ("submission", "period"),
    ("observation", "period"),
    ("milestone_report", "period"),
    ("judgement", "period"),
    ("plan_calendar", "period"),
)
# The last month and day of each quarter; the fourth ends in the year after, as the whole year does.
_ENDS = {1: (6, 30), 2: (9, 30), 3: (12, 31), 4: (3, 31)}


def upgrade() -> None:
    """Add the table, with every period that is named anywhere."""
    period = op.create_table(
        "period",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("period", "period_label", "financial_year")),
        sa.Column("quarter", sa.Integer()),
        sa.Column("year_type", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Date(), nullable=False) for name in ("starts_on", "ends_on")),
        sa.Column("period_order", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("period", name="pk_period"),
    )
    codes: set[str] = set()
    for table, column in _NAMED:
        named: sa.ColumnClause[str] = sa.column(column)
        query = sa.select(named).select_from(sa.table(table, named)).where(named.is_not(None)).distinct()
        codes |= set(op.get_bind().scalars(query))
    if codes:
        op.bulk_insert(period, [_row(code) for code in sorted(codes)])


def _row(code: str) -> dict[str, Any]:
    year, _, quarter = code.partition("Q")
    start, number = int(year[:4]), int(quarter or 0)
    month, day = _ENDS[number or 4]
    return {
        "period": code,
        "period_label": year.replace("-", "/") + (f" Q{quarter}" if quarter else ""),
        "financial_year": year,
        "quarter": number or None,
        "year_type": "financial",
        "starts_on": date(start + (number == 4), {1: 4, 2: 7, 3: 10, 4: 1}[number or 1], 1),
        "ends_on": date(start + (month == 3), month, day),
        "period_order": 5 * start + (number or 5),
    }


def downgrade() -> None:
    """Drop the table: nothing in it was not there before."""
    op.drop_table("period")
