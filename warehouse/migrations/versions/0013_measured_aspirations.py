"""A table of the aspirations that indicators measure; those of the plans so far measured all of their outcome's."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, and what the diagnoses of clinics rested on before."""
    id_type = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
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
    """Drop the table: the plan's files have what it held."""
    op.drop_table("plan_measured")
