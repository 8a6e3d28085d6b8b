"""Tables of the aspirations that indicators measure, and of the plan's body.

The indicators of the plans so far measured all aspirations of their outcome, and the reports named the body below.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# What every report said, whatever its plan.
_BODY, _REPORT_TITLE = "Children and Young People's Trust Board", "Performance report"


def upgrade() -> None:
    """Add the tables, with what the reports said and the diagnoses of clinics rested on before."""
    id_type = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    body = op.create_table(
        "plan_body",
        sa.Column("plan_id", id_type, sa.ForeignKey("plan.plan_id", name="fk_plan_body_plan_id"), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("body", "report_title", "clinics_from")),
        sa.PrimaryKeyConstraint("plan_id", name="pk_plan_body"),
    )
    said = {"body": _BODY, "report_title": _REPORT_TITLE, "clinics_from": "better"}
    plans: Iterable[int] = (
        op.get_bind().execute(sa.select(sa.column("plan_id")).select_from(sa.table("plan"))).scalars()
    )
    op.bulk_insert(body, [{"plan_id": plan_id, **said} for plan_id in plans])
    op.create_table(
        "plan_measured",
        sa.Column("plan_id", id_type, sa.ForeignKey("plan.plan_id", name="fk_plan_measured_plan_id"), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("aspiration", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "indicator", "aspiration", name="pk_plan_measured"),
        *(
            sa.ForeignKeyConstraint(
                ["plan_id", name],
                [f"plan_{name}.plan_id", f"plan_{name}.{name}"],
                name=f"fk_plan_measured_plan_id_{name}",
            )
            for name in ("indicator", "aspiration")
        ),
    )
    op.execute(
        "INSERT INTO plan_measured (plan_id, indicator, aspiration) SELECT i.plan_id, i.indicator, a.aspiration "
        "FROM plan_indicator i JOIN plan_aspiration a ON a.plan_id = i.plan_id AND a.outcome_code = i.outcome_code"
    )


def downgrade() -> None:
    """Drop the tables: the plan's files have what they held."""
    op.drop_table("plan_measured")
    op.drop_table("plan_body")
