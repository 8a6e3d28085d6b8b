"""Tables of submissions that were withdrawn, and of contents that were erased."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables: nothing was withdrawn or erased before."""
    op.create_table(
        "withdrawal",
        _reference("withdrawal", "submission_id", "submission.submission_id", autoincrement=False),
        _reference("withdrawal", "decision_id", "decision.decision_id"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("partner_code", "period")),
        _reference("withdrawal", "restored_id", "submission.submission_id", nullable=True),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.Column("superseded_at", _MOMENT),
        sa.PrimaryKeyConstraint("submission_id", name="pk_withdrawal"),
        sa.CheckConstraint("superseded_at >= recorded_at", name="life"),
    )
    op.create_index("ix_withdrawal_restored_id", "withdrawal", ["restored_id"])
    op.create_index("ix_withdrawal_recorded_at", "withdrawal", ["recorded_at"])
    where = sa.text("superseded_at IS NULL AND restored_id IS NOT NULL")
    op.create_index(
        "ux_withdrawal_restored",
        "withdrawal",
        ["partner_code", "period"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_table(
        "erasure",
        sa.Column("erasure_id", _ID, nullable=False),
        _reference("erasure", "submission_id", "submission.submission_id"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("sheet", "cell")),
        _reference("erasure", "decision_id", "decision.decision_id"),
        sa.PrimaryKeyConstraint("erasure_id", name="pk_erasure"),
    )
    op.create_index("ix_erasure_submission_id", "erasure", ["submission_id"])


def _reference(
    table: str, name: str, target: str, *, nullable: bool = False, autoincrement: bool = True
) -> "sa.Column[int]":
    key = sa.ForeignKey(target, name=f"fk_{table}_{name}")
    return sa.Column(name, _ID, key, nullable=nullable, autoincrement=autoincrement)


def downgrade() -> None:
    """Refuse: what was withdrawn would be in force again."""
    raise NotImplementedError("This revision cannot be undone: what was withdrawn would be in force again")
