"""A table of the submissions of a backfill whose judgements are still to be made."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
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
    """Drop the table, unless something is still to be judged, which would be forgotten."""
    if op.get_bind().execute(sa.text("SELECT count(*) FROM unjudged")).scalar():
        raise NotImplementedError("This revision cannot be undone while returns of a backfill are still to be judged")
    op.drop_table("unjudged")
