"""The editions of each indicator, and the days on which partners, actions and obligations hold."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# A plan of before holds for ever.
_FIRST, _LAST = "0001-01-01", "9999-12-31"
_TEXTS = ("indicator_no", "indicator_ref", "sub", "outcome_code", "definition", "parent_definition", "polarity", "unit")


def upgrade() -> None:
    """Add the table and the columns; every indicator of before has one edition."""
    for table in ("plan_partner", "plan_action"):
        for column in _days():
            op.add_column(table, column)
    _create_editions()
    _renew_owed()


def _days() -> tuple[sa.Column[Any], sa.Column[Any]]:
    return (
        sa.Column("first_day", sa.Date(), nullable=False, server_default=_FIRST),
        sa.Column("last_day", sa.Date(), nullable=False, server_default=_LAST),
    )


def _of_a_plan(table: str, **parents: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(["plan_id"], ["plan.plan_id"], name=f"fk_plan_{table}_plan_id"),
        *(
            sa.ForeignKeyConstraint(
                ["plan_id", column],
                [f"plan_{parent}.plan_id", f"plan_{parent}.{column}"],
                name=f"fk_plan_{table}_plan_id_{column}",
            )
            for column, parent in parents.items()
        ),
    ]


def _create_editions() -> None:
    op.create_table(
        "plan_edition",
        sa.Column("plan_id", _ID, nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("described_from", sa.Date(), nullable=False),
        sa.Column("described_until", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        sa.Column("decimals", sa.Integer(), nullable=False),
        sa.Column("accumulation", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "indicator", "edition", name="pk_plan_edition"),
        *_of_a_plan("edition", indicator="indicator", outcome_code="outcome"),
    )
    same = ", ".join((*_TEXTS, "decimals", "accumulation"))
    op.execute(
        f"INSERT INTO plan_edition (plan_id, indicator, edition, described_from, described_until, {same}) "  # noqa: S608
        f"SELECT plan_id, indicator, 1, '{_FIRST}', '{_LAST}', {same} FROM plan_indicator"
    )


def _renew_owed() -> None:
    """The key has a day more: an obligation may end and begin again."""
    names = ("plan_id", "partner_code", "indicator")
    query = sa.select(sa.table("plan_owed", *(sa.column(name) for name in names)))
    owed = [dict(row) for row in op.get_bind().execute(query).mappings()]
    op.drop_table("plan_owed")
    table = op.create_table(
        "plan_owed",
        sa.Column("plan_id", _ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in names[1:]),
        *_days(),
        sa.PrimaryKeyConstraint(*names, "first_day", name="pk_plan_owed"),
        *_of_a_plan("owed", partner_code="partner", indicator="indicator"),
    )
    op.bulk_insert(table, owed)


def downgrade() -> None:
    """Refuse: an older program would describe every period by the latest edition."""
    raise NotImplementedError("The tenth revision cannot be undone: the editions would be lost")
