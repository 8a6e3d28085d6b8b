"""Figures of the plan for one partner alone."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Let a plan have a figure of one partner beside that for every partner: the key has one column more."""
    _add_partner_of_figures()


def _add_partner_of_figures() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.add_column("plan_figure", sa.Column("partner_code", sa.Text(), nullable=False, server_default=""))
        op.drop_constraint("pk_plan_figure", "plan_figure")
        op.create_primary_key("pk_plan_figure", "plan_figure", _FIGURE_KEY)
        return
    # SQLite cannot change the key of a table: its rows are copied to a new one.
    op.rename_table("plan_figure", "plan_figure_before")
    op.create_table(
        "plan_figure",
        sa.Column("plan_id", _ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("measure", "indicator", "period")),
        sa.Column("partner_code", sa.Text(), nullable=False, server_default=""),
        sa.Column("value", sa.Float(53)),
        sa.Column("marker", sa.Text()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.plan_id"], name="fk_plan_figure_plan_id"),
        sa.ForeignKeyConstraint(
            ["plan_id", "indicator"],
            ["plan_indicator.plan_id", "plan_indicator.indicator"],
            name="fk_plan_figure_plan_id",
        ),
        sa.PrimaryKeyConstraint(*_FIGURE_KEY, name="pk_plan_figure"),
    )
    names = "plan_id, measure, indicator, period, value, marker, source"
    op.execute(f"INSERT INTO plan_figure ({names}) SELECT {names} FROM plan_figure_before")  # noqa: S608 - our own names
    op.drop_table("plan_figure_before")


_FIGURE_KEY = ["plan_id", "measure", "indicator", "period", "partner_code"]


def downgrade() -> None:
    """Refuse: figures of one partner would be taken for those of every partner."""
    raise NotImplementedError("The eleventh revision cannot be undone: figures of single partners would be lost")
