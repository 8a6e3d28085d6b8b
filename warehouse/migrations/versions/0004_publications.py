"""Which reports were published, and when: the next one says what changed since."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the register of publications."""
    op.create_table(
        "publication",
        sa.Column("publication_id", _ID, nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("publication_id", name="pk_publication"),
    )


def downgrade() -> None:
    """Refuse: what the Board was given would be forgotten."""
    raise NotImplementedError("The fourth revision cannot be undone: which reports were published would be lost")
