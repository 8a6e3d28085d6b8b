"""A table of the data team's answers to queries."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    id_type = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "query_answer",
        sa.Column(
            "decision_id",
            id_type,
            sa.ForeignKey("decision.decision_id", name="fk_query_answer_decision_id"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column(
            "submission_id",
            id_type,
            sa.ForeignKey("submission.submission_id", name="fk_query_answer_submission_id"),
            nullable=False,
        ),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("code", "sheet", "cell")),
        sa.PrimaryKeyConstraint("decision_id", name="pk_query_answer"),
    )
    op.create_index("ix_query_answer_submission_id", "query_answer", ["submission_id"])


def downgrade() -> None:
    """Refuse: what was answered would be lost."""
    raise NotImplementedError("The fifteenth revision cannot be undone: answers on record would be lost")
