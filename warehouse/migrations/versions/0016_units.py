"""The labels of units, the currency of money, and what a plan says about its rows for people to read."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ABOUT = ("note", "source", "url", "owner")
_INDICATORS = ("unit_label", "currency", *_ABOUT)
_COLUMNS = {
    "plan_partner": _ABOUT,
    "plan_aspiration": _ABOUT,
    "plan_milestone": _ABOUT,
    "plan_indicator": _INDICATORS,
    "plan_edition": _INDICATORS,
}


def upgrade() -> None:
    """Add the columns, blank: they are filled in when the next plan is adopted."""
    for table, names in _COLUMNS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop them: the plan's files have what they held."""
    for table, names in _COLUMNS.items():
        for name in names:
            op.drop_column(table, name)
