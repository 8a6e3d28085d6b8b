"""A table of what was decided on submissions that were held."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, and allow one held submission of each return: none was held before."""
    id_type = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

    def refers(name: str, target: str, *, nullable: bool = False) -> "sa.Column[int]":
        key = sa.ForeignKey(target, name=f"fk_held_decision_{name}")
        return sa.Column(name, id_type, key, nullable=nullable, autoincrement=False)

    op.create_table(
        "held_decision",
        refers("submission_id", "submission.submission_id"),
        refers("decision_id", "decision.decision_id"),
        refers("accepted_id", "submission.submission_id", nullable=True),
        sa.Column("word", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("submission_id", name="pk_held_decision"),
    )
    where = sa.text("status = 'held' AND superseded_at IS NULL")
    op.create_index(
        "ux_submission_held",
        "submission",
        ["partner_code", "period"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )


def downgrade() -> None:
    """Refuse: what was refused would be held again."""
    raise NotImplementedError("This revision cannot be undone: what was decided on record would be lost")
