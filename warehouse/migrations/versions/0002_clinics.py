"""Notes at performance clinics; the plan's own spelling of a band's heading; a way to what was said before."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ENDED = sa.text("superseded_at IS NOT NULL")


def upgrade() -> None:
    """Add what clinics and the board report need."""
    op.create_table(
        "clinic_note",
        sa.Column("clinic_note_id", _ID, nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("partner_code", "indicator", "period", "kind", "text", "noted_by")
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("clinic_note_id", name="pk_clinic_note"),
    )
    op.create_index("ix_clinic_note_partner_code_indicator", "clinic_note", ["partner_code", "indicator"])
    op.add_column("plan_outcome", sa.Column("table_heading", sa.Text(), nullable=False, server_default=""))
    for name, table, columns in (
        ("ix_observation_ended", "observation", ["partner_code", "indicator", "measure", "period"]),
        ("ix_judgement_ended", "judgement", ["superseded_at"]),
    ):
        op.create_index(name, table, columns, sqlite_where=_ENDED, postgresql_where=_ENDED)


def downgrade() -> None:
    """Refuse: notes would be lost."""
    raise NotImplementedError("The second revision cannot be undone: notes at clinics would be lost")
