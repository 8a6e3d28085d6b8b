"""The files of each plan, so that the plan in force can be read from the warehouse."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table of the plans' files."""
    op.create_table(
        "plan_file",
        sa.Column("plan_id", _ID, nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.plan_id"], name="fk_plan_file_plan_id"),
        sa.PrimaryKeyConstraint("plan_id", "file", name="pk_plan_file"),
    )


def downgrade() -> None:
    """Drop it: an older program reads the plan from the folder that it is given."""
    op.drop_table("plan_file")
