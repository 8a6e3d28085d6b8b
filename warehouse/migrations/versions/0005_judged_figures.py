"""Drops the index from figures to their judgements: no query used it, and each judgement paid for it."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_judgement_observation_id", "judgement")


def downgrade() -> None:
    """Build it again."""
    op.create_index("ix_judgement_observation_id", "judgement", ["observation_id"])
