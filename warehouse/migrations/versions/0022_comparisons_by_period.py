"""An index of the comparisons in force by their period and partner."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_IN_FORCE = sa.text("superseded_at IS NULL")


def upgrade() -> None:
    """Add the index: without it, a period's comparisons are found among those of all periods."""
    columns = ["period", "partner_code"]
    op.create_index("ix_comparison_period", "comparison", columns, sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE)


def downgrade() -> None:
    """Remove the index."""
    op.drop_index("ix_comparison_period", "comparison")
