"""A table of the submissions of a backfill whose judgements are still to be made."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table: everything recorded so far is judged."""
    id_type = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    submission = sa.ForeignKey("submission.submission_id", name="fk_unjudged_submission_id_submission")
    op.create_table(
        "unjudged",
        sa.Column("submission_id", id_type, submission, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("submission_id", name="pk_unjudged"),
    )


def downgrade() -> None:
    """Refuse: what is to be judged would be forgotten."""
    raise NotImplementedError("This revision cannot be undone: judgements that are still to be made would be missing")
