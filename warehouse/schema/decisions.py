"""The table of decisions, which plans, closed periods, waivers and released texts refer to."""

from sqlalchemy import Column, Date, Index, Table

from warehouse.schema.columns import code, metadata, row_id, word
from warehouse.schema.types import Moment

# What the data team decided, of whatever kind: each has its effect in a table of its own, in the same transaction.
decision = Table(
    "decision",
    metadata,
    row_id("decision_id"),
    code("kind"),
    # What was decided on, in words; the partner and the period are NULL where it is about all of them.
    word("about"),
    code("partner_code", nullable=True),
    code("period", nullable=True),
    word("decided_by"),
    Column("decided_at", Moment, nullable=False),
    word("why"),
    Column("until", Date),
    Index(None, "decided_at"),
)
