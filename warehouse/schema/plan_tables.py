"""The tables of the plan: every plan that was ever in force, so that an old judgement can be computed again.

A plan is inserted completely under a new `plan_id`, even if it returns to an earlier one: what was in force when
depends only on dates. A plan has some hundreds of rows.
"""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
)

from warehouse.schema.columns import code, life, metadata, number, refers, row_id, word
from warehouse.schema.decisions import decision


def _plan_table(name: str, key: tuple[str, ...], *columns: Column[Any], **parents: str) -> Table:
    """A table of the plan, keyed by plan; `parents` maps a column to the plan table whose key it names."""
    return Table(
        f"plan_{name}",
        metadata,
        refers("plan_id", "plan.plan_id", nullable=False),
        *columns,
        PrimaryKeyConstraint("plan_id", *key),
        *(
            ForeignKeyConstraint(["plan_id", column], [f"plan_{parent}.plan_id", f"plan_{parent}.{column}"])
            for column, parent in parents.items()
        ),
    )


plan = Table(
    "plan",
    metadata,
    row_id("plan_id"),
    word("fingerprint"),
    # The decision to adopt it; NULL for what was put in force before decisions were on record.
    refers("decision_id", decision.c.decision_id),
    *life(),
    Index(None, "fingerprint"),
)

# The plan's source files: the other tables hold what views show of it, which is less than judging needs.
plan_file = _plan_table("file", ("file",), code("file"), Column("content", LargeBinary, nullable=False))
plan_outcome = _plan_table(
    "outcome",
    ("outcome_code",),
    word("outcome_code"),
    word("outcome"),
    word("table_heading", server_default=""),
)
plan_partner = _plan_table("partner", ("partner_code",), word("partner_code"), word("partner"))
plan_group = _plan_table("group", ("group_code",), word("group_code"), word("group_name"), word("parent_group"))
plan_comparator = _plan_table(
    "comparator", ("comparator",), word("comparator"), word("heading"), word("method"), word("bodies")
)
plan_calendar = _plan_table(
    "calendar",
    ("period",),
    word("period"),
    Column("opens_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
)
plan_aspiration = _plan_table(
    "aspiration",
    ("aspiration",),
    word("aspiration"),
    word("outcome_code"),
    word("text"),
    Column("is_area_of_focus", Boolean, nullable=False),
    word("focus_on"),
    outcome_code="outcome",
)
plan_action = _plan_table(
    "action",
    ("action_id",),
    word("action_id"),
    word("aspiration"),
    word("kind"),
    word("action"),
    word("detail"),
    word("strategic_lead"),
    word("lead_officer"),
    word("partner_code"),
    aspiration="aspiration",
)
plan_milestone = _plan_table(
    "milestone",
    ("milestone",),
    word("milestone"),
    word("action_id"),
    word("financial_year"),
    word("description"),
    Column("due", Date, nullable=False),
    Column("is_due_stated", Boolean, nullable=False),
    action_id="action",
)
plan_indicator = _plan_table(
    "indicator",
    ("indicator",),
    word("indicator"),
    word("indicator_no"),
    word("indicator_ref"),
    word("sub"),
    word("outcome_code"),
    word("definition"),
    word("parent_definition"),
    word("polarity"),
    word("unit"),
    Column("decimals", Integer, nullable=False),
    word("accumulation"),
    outcome_code="outcome",
)
plan_owed = _plan_table(
    "owed",
    ("partner_code", "indicator"),
    word("partner_code"),
    word("indicator"),
    partner_code="partner",
    indicator="indicator",
)
plan_figure = _plan_table(
    "figure",
    ("measure", "indicator", "period", "partner_code"),
    word("measure"),
    word("indicator"),
    word("period"),
    # Empty for a figure that holds for every partner.
    code("partner_code", server_default=""),
    number("value"),
    word("marker", nullable=True),
    word("source"),
    indicator="indicator",
)
