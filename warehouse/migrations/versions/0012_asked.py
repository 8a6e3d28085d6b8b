"""When each indicator is asked, and who owes which return: a plan no longer asks for everything in every quarter."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Plans of before asked for everything in every quarter.
_ASKED = {
    "frequency": "quarterly",
    "asked_in": "Q1 Q2 Q3 Q4",
    "year_type": "financial",
    "reports_on": "this year",
}
_TABLES = ("plan_indicator", "plan_edition")


def upgrade() -> None:
    """Add the columns and the table, and who owed what by each plan: every quarter, by whoever owed anything."""
    for table in _TABLES:
        for name, default in _ASKED.items():
            op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=default))
    op.create_table(
        "plan_due",
        sa.Column("plan_id", _ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("partner_code", "period")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.plan_id"], name="fk_plan_due_plan_id"),
        sa.ForeignKeyConstraint(
            ["plan_id", "partner_code"],
            ["plan_partner.plan_id", "plan_partner.partner_code"],
            name="fk_plan_due_plan_id_partner_code",
        ),
        sa.ForeignKeyConstraint(
            ["plan_id", "period"],
            ["plan_calendar.plan_id", "plan_calendar.period"],
            name="fk_plan_due_plan_id_period",
        ),
        sa.PrimaryKeyConstraint("plan_id", "partner_code", "period", name="pk_plan_due"),
    )
    op.execute(
        """
        INSERT INTO plan_due (plan_id, partner_code, period)
        SELECT w.plan_id, w.partner_code, c.period
        FROM (
            SELECT plan_id, partner_code FROM plan_owed
            UNION
            SELECT a.plan_id, a.partner_code FROM plan_action a
            JOIN plan_milestone m ON m.plan_id = a.plan_id AND m.action_id = a.action_id
        ) w
        JOIN plan_calendar c ON c.plan_id = w.plan_id
        JOIN period e ON e.period = c.period
        WHERE e.quarter IS NOT NULL
        """
    )


def downgrade() -> None:
    """Drop them: an older program asks for everything in every quarter."""
    op.drop_table("plan_due")
    for table in _TABLES:
        for name in _ASKED:
            op.drop_column(table, name)
