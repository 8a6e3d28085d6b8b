"""Figures of the plan for one partner alone, comparators, what figures are compared with, and the figures of groups."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_COMPARISON_KEY = ["partner_code", "indicator", "period", "comparator"]
_GROUP_KEY = ["group_code", "indicator", "period"]
_NUMBERS = (
    *("actual", "previous_actual", "change", "target", "year_to_date", "statistical_neighbours", "national"),
    *("next_target", "next_target_2"),
)
_WORDS = (
    *("previous_period", "direction", "direction_basis", "quarter_direction", "on_target", "target_band"),
    *("statistical_neighbours_band", "national_band"),
)
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Let a plan have a figure of one partner beside that for every partner: the key has one column more."""
    _add_partner_of_figures()
    _create_comparators()
    _create_comparison()
    _create_groups()


def _create_groups() -> None:
    op.create_table(
        "plan_group",
        sa.Column("plan_id", _ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("group_code", "group_name", "parent_group")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.plan_id"], name="fk_plan_group_plan_id"),
        sa.PrimaryKeyConstraint("plan_id", "group_code", name="pk_plan_group"),
    )
    op.create_table(
        "group_judgement",
        sa.Column("group_judgement_id", _ID, nullable=False),
        sa.Column("plan_id", _ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _GROUP_KEY),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("partners_owing", "partners_returned")),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("is_break", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Float(53)) for name in _NUMBERS),
        *(sa.Column(name, sa.Text()) for name in _WORDS),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.Column("superseded_at", _MOMENT),
        sa.CheckConstraint("superseded_at >= recorded_at", name=op.f("ck_group_judgement_life")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.plan_id"], name="fk_group_judgement_plan_id"),
        sa.PrimaryKeyConstraint("group_judgement_id", name="pk_group_judgement"),
    )
    _index_in_force("ux_group_judgement_in_force", "group_judgement", _GROUP_KEY, unique=True)
    _index_in_force("ix_group_judgement_indicator", "group_judgement", ["indicator", "period"])


def _create_comparators() -> None:
    comparator = op.create_table(
        "plan_comparator",
        sa.Column("plan_id", _ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("comparator", "heading", "method", "bodies")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.plan_id"], name="fk_plan_comparator_plan_id"),
        sa.PrimaryKeyConstraint("plan_id", "comparator", name="pk_plan_comparator"),
    )
    plan_ids = op.get_bind().execute(sa.text("SELECT plan_id FROM plan")).scalars().all()
    headings = {"statistical_neighbours": "Statistical neighbours", "national": "National"}
    given = [
        {"plan_id": plan_id, "comparator": code, "heading": heading, "method": "given", "bodies": ""}
        for plan_id in plan_ids
        for code, heading in headings.items()
    ]
    op.bulk_insert(comparator, given)


def _create_comparison() -> None:
    op.create_table(
        "comparison",
        sa.Column("comparison_id", _ID, nullable=False),
        sa.Column("plan_id", _ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _COMPARISON_KEY),
        sa.Column("value", sa.Float(53)),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("bodies", sa.Integer(), nullable=False),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.Column("superseded_at", _MOMENT),
        sa.CheckConstraint("superseded_at >= recorded_at", name=op.f("ck_comparison_life")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.plan_id"], name="fk_comparison_plan_id"),
        sa.PrimaryKeyConstraint("comparison_id", name="pk_comparison"),
    )
    _index_in_force("ux_comparison_in_force", "comparison", _COMPARISON_KEY, unique=True)
    _index_in_force("ix_comparison_indicator", "comparison", ["indicator", "period"])


def _index_in_force(name: str, table: str, columns: list[str], *, unique: bool = False) -> None:
    where = sa.text("superseded_at IS NULL")
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


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
