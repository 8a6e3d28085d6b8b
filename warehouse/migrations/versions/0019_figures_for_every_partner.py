"""The table of the plan's figures has those that hold for every partner, and no column that says so."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = ["plan_id", "measure", "indicator", "period"]


def upgrade() -> None:
    """Drop the column, and the figures of single partners that older programs wrote: the plan's files have them."""
    op.execute("DELETE FROM plan_figure WHERE partner_code <> ''")
    if op.get_bind().dialect.name == "postgresql":
        # The key goes with the column.
        op.drop_column("plan_figure", "partner_code")
        op.create_primary_key("pk_plan_figure", "plan_figure", _KEY)
        return
    # SQLite cannot change the key of a table: its rows are copied to a new one.
    op.rename_table("plan_figure", "plan_figure_before")
    op.create_table(
        "plan_figure",
        sa.Column("plan_id", _ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("measure", "indicator", "period")),
        sa.Column("value", sa.Float(53)),
        sa.Column("marker", sa.Text()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.plan_id"], name="fk_plan_figure_plan_id"),
        sa.ForeignKeyConstraint(
            ["plan_id", "indicator"],
            ["plan_indicator.plan_id", "plan_indicator.indicator"],
            name="fk_plan_figure_plan_id",
        ),
        sa.PrimaryKeyConstraint(*_KEY, name="pk_plan_figure"),
    )
    names = "plan_id, measure, indicator, period, value, marker, source"
    op.execute(f"INSERT INTO plan_figure ({names}) SELECT {names} FROM plan_figure_before")  # noqa: S608 - our own names
    op.drop_table("plan_figure_before")


def downgrade() -> None:
    """Refuse: an older program would look here for the figures of single partners."""
    raise NotImplementedError("This revision cannot be undone: the figures of single partners are in the plan's files")
