"""The version of the rules by which the judgements in force were made.

The table stays empty here: what was judged so far was judged by the rules of before. The same transaction judges it
again by the plan in force, which a step of this kind cannot do, and stores the version (`judge_by_newer_rules`).
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "rules_version",
        sa.Column("version", sa.Integer(), nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("version", name="pk_rules_version"),
    )


def downgrade() -> None:
    """Drop the table: what was judged by newer rules stays."""
    op.drop_table("rules_version")
