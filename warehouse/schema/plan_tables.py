"""The tables of the plan: every plan that was ever in force, so that an old judgement can be computed again.

A plan is inserted completely under a new `plan_id`, even if it returns to an earlier one: what was in force when
depends only on dates. A plan has some hundreds of rows.
"""

from datetime import date
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

from schemas.plan import ABOUT_COLUMNS
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


def _days() -> tuple[Column[Any], Column[Any]]:
    """The first and the last day on which a row holds; the first and the last of all where it is open."""
    return (
        Column("first_day", Date, nullable=False, server_default=date.min.isoformat()),
        Column("last_day", Date, nullable=False, server_default=date.max.isoformat()),
    )


def _periods() -> tuple[Column[Any], Column[Any]]:
    """The first and the last period in which a row holds, as the plan says; empty where it is open."""
    return word("first_period", server_default=""), word("last_period", server_default="")


def _about() -> tuple[Column[Any], ...]:
    """What the plan says about a row for people to read, which no judgement rests on."""
    return tuple(word(name, server_default="") for name in ABOUT_COLUMNS)


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
plan_body = _plan_table("body", (), word("body"), word("report_title"), word("clinics_from"))
plan_outcome = _plan_table(
    "outcome",
    ("outcome_code",),
    word("outcome_code"),
    word("outcome"),
    word("table_heading", server_default=""),
)
plan_partner = _plan_table(
    "partner",
    ("partner_code",),
    word("partner_code"),
    word("partner"),
    *_days(),
    *_about(),
    # Not a key of the group's table or of another partner: empty where there is none.
    *(word(name, server_default="") for name in ("group_code", "successor")),
    *_periods(),
)
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
    *_about(),
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
    *_days(),
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
    *_about(),
    action_id="action",
)


def _described() -> tuple[Column[Any], ...]:
    """What an edition of an indicator says of it, and when it is asked: see `cypp_etl.plan.rhythm`."""
    return (
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
        word("frequency", server_default="quarterly"),
        word("asked_in", server_default="Q1 Q2 Q3 Q4"),
        word("year_type", server_default="financial"),
        word("reports_on", server_default="this year"),
        word("unit_label", server_default=""),
        word("currency", server_default=""),
        # Whether the figures of bodies of different size compare: yes or no.
        word("compares_bodies", server_default="yes"),
        *_about(),
    )


# The latest edition of each indicator.
plan_indicator = _plan_table(
    "indicator",
    ("indicator",),
    word("indicator"),
    *_described(),
    outcome_code="outcome",
)
# The aspirations that each indicator measures: a clinic's diagnosis rests on their actions.
plan_measured = _plan_table(
    "measured",
    ("indicator", "aspiration"),
    word("indicator"),
    word("aspiration"),
    indicator="indicator",
    aspiration="aspiration",
)
# What describes an indicator in a period: each day of all time is in one edition's, from `described_from` to
# `described_until`, so that a figure of a time that the plan left out is described too.
plan_edition = _plan_table(
    "edition",
    ("indicator", "edition"),
    word("indicator"),
    Column("edition", Integer, nullable=False),
    Column("described_from", Date, nullable=False),
    Column("described_until", Date, nullable=False),
    *_described(),
    # Those of the edition itself, unlike the days above.
    *_periods(),
    indicator="indicator",
    outcome_code="outcome",
)
# On the days on which the partner and the indicator hold too.
plan_owed = _plan_table(
    "owed",
    ("partner_code", "indicator", "first_day"),
    word("partner_code"),
    word("indicator"),
    *_days(),
    partner_code="partner",
    indicator="indicator",
)
# Who owes a return for which period of the calendar.
plan_due = _plan_table(
    "due",
    ("partner_code", "period"),
    word("partner_code"),
    word("period"),
    partner_code="partner",
    period="calendar",
)
# Those that hold for every partner; those of single partners are in the plan's files alone.
plan_figure = _plan_table(
    "figure",
    ("measure", "indicator", "period"),
    word("measure"),
    word("indicator"),
    word("period"),
    number("value"),
    word("marker", nullable=True),
    word("source"),
    indicator="indicator",
)
