"""The tables. Rows are never changed: `superseded_at` ends a row, and `recorded_at` starts another.

A row is in force while `superseded_at` is NULL. What was in force at a moment had started and not yet ended.
The tables can be changed by a migration; only the views in `warehouse/views/` are a promise to others.
"""

from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Date, ForeignKey, ForeignKeyConstraint, Index, Integer, Table

from schemas.codes import SubmissionStatus
from warehouse.schema.columns import code, ended, in_force, life, metadata, number, one_in_force, refers, row_id, word
from warehouse.schema.decisions import decision
from warehouse.schema.plan_tables import plan
from warehouse.schema.types import ROW_ID, Moment

__all__ = [
    "ACCEPTED",
    "IS_ACCEPTED",
    "IS_HELD",
    "JUDGED",
    "OUTLOOK",
    "clinic",
    "clinic_note",
    "comparison",
    "decision",
    "erasure",
    "finding",
    "group_judgement",
    "held_decision",
    "judgement",
    "metadata",
    "milestone_report",
    "observation",
    "period",
    "period_closing",
    "publication",
    "query_answer",
    "rules_version",
    "submission",
    "text_release",
    "unjudged",
    "view_version",
    "waiver",
    "withdrawal",
    "withheld_text",
]

ACCEPTED = (SubmissionStatus.ACCEPTED, SubmissionStatus.ACCEPTED_WITH_QUERIES)
IS_ACCEPTED = f"status IN ('{ACCEPTED[0]}', '{ACCEPTED[1]}')"
IS_HELD = f"status = '{SubmissionStatus.HELD}'"

JUDGED = (
    "actual",
    "previous_period",
    "previous_actual",
    "change",
    "direction",
    "direction_basis",
    "quarter_direction",
    "target",
    "on_target",
    "year_to_date",
    "target_band",
    "statistical_neighbours",
    "statistical_neighbours_band",
    "national",
    "national_band",
    "next_target",
    "next_target_2",
    "target_gap",
)
"""The columns of a judgement, named as `cypp_etl.judgement.judge` names them."""

OUTLOOK = ("variation", "on_course")
"""What is told beside a judgement, from all periods of its series; NULL in rows from before it was told."""
_JUDGED_WORDS = ("previous_period", "direction", "direction_basis", "on_target")


def _judged_columns() -> list[Column[Any]]:
    return [
        code(name, nullable=True) if name in _JUDGED_WORDS or name.endswith(("band", "direction")) else number(name)
        for name in JUDGED
    ]


submission = Table(
    "submission",
    metadata,
    row_id("submission_id"),
    word("partner_code", nullable=True),
    word("period", nullable=True),
    Column("version", Integer),
    word("file"),
    word("file_name"),
    word("sha256"),
    code("content_sha256"),
    word("layout"),
    word("prepared_by"),
    word("email"),
    word("status"),
    refers("duplicate_of", "submission.submission_id"),
    refers("supersedes", "submission.submission_id"),
    # Identifies the drop in the inbox: if a sweep is killed before it removes the file, the next one finds it again.
    code("delivery", nullable=True),
    Column("received_at", Moment, nullable=False),
    *life(),
    # A submission in force must name its partner and period: NULLs would bypass the unique index.
    CheckConstraint(f"NOT {IS_ACCEPTED} OR (partner_code IS NOT NULL AND period IS NOT NULL)", name="whose"),
    Index("ux_submission_version", "partner_code", "period", "version", unique=True),
    one_in_force(
        "ux_submission_in_force", "partner_code", "period", condition=f"{IS_ACCEPTED} AND superseded_at IS NULL"
    ),
    # At most one is held: what a partner sends next takes its place.
    one_in_force("ux_submission_held", "partner_code", "period", condition=f"{IS_HELD} AND superseded_at IS NULL"),
    Index(None, "sha256"),
    Index("ux_submission_delivery", "delivery", unique=True),
    Index(None, "recorded_at"),
)

# A submission that was taken out of force, and the earlier one that is in force instead of it.
withdrawal = Table(
    "withdrawal",
    metadata,
    refers("submission_id", "submission.submission_id", primary_key=True, nullable=False, autoincrement=False),
    refers("decision_id", decision.c.decision_id, nullable=False),
    *(code(name) for name in ("partner_code", "period")),
    # NULL where there was no earlier one. Its row in `submission` says when it was in force at first; `life` says when
    # it is again, since no row has two lives.
    refers("restored_id", "submission.submission_id", index=True),
    *life(),
    Index(None, "recorded_at"),
    one_in_force(
        "ux_withdrawal_restored",
        "partner_code",
        "period",
        condition="superseded_at IS NULL AND restored_id IS NOT NULL",
    ),
)

# What was decided on a submission that was held. One that was accepted is recorded again, as a submission of its own.
held_decision = Table(
    "held_decision",
    metadata,
    refers("submission_id", "submission.submission_id", primary_key=True, nullable=False, autoincrement=False),
    refers("decision_id", decision.c.decision_id, nullable=False),
    # NULL where it was refused.
    refers("accepted_id", "submission.submission_id"),
    # What its partner is told in the receipt, besides the decision.
    word("word"),
)

# What was erased of a submission. Its texts are overwritten in their own rows: the only change of a row that is made.
erasure = Table(
    "erasure",
    metadata,
    row_id("erasure_id"),
    refers("submission_id", "submission.submission_id", nullable=False, index=True),
    # Empty for all that was typed as free text.
    *(code(name) for name in ("sheet", "cell")),
    refers("decision_id", decision.c.decision_id, nullable=False),
)

finding = Table(
    "finding",
    metadata,
    row_id("finding_id"),
    refers("submission_id", "submission.submission_id", nullable=False, index=True),
    *(word(name) for name in ("code", "severity", "sheet", "cell", "value", "message", "fix")),
    # The indicator or milestone of its row; empty where it is about none, and where the return was rejected. To look it
    # up in figures and milestones takes `bi_queries` seconds.
    code("subject"),
)

observation = Table(
    "observation",
    metadata,
    row_id("observation_id"),
    refers("submission_id", "submission.submission_id", nullable=False),
    *(code(name) for name in ("partner_code", "indicator", "measure", "period")),
    number("value"),
    code("marker", nullable=True),
    code("qualifiers"),
    number("numerator"),
    number("denominator"),
    *(word(name) for name in ("comment", "typed", "sheet", "cell")),
    *life(),
    # A submission's figures of a series: `bi_symbol_changes` looks them up for every symbol.
    Index(None, "submission_id", "partner_code", "indicator"),
    one_in_force("ux_observation_in_force", "partner_code", "indicator", "measure", "period"),
    # Finds superseded rows, of which there are few: rows in force are not in it, and cost nothing.
    ended("ix_observation_ended", "partner_code", "indicator", "measure", "period"),
)

milestone_report = Table(
    "milestone_report",
    metadata,
    row_id("milestone_report_id"),
    refers("submission_id", "submission.submission_id", nullable=False, index=True),
    *(code(name) for name in ("partner_code", "milestone", "period")),
    code("status", nullable=True),
    word("evidence"),
    code("review", nullable=True),
    *(word(name) for name in ("reason", "sheet", "cell")),
    *life(),
    one_in_force("ux_milestone_report_in_force", "partner_code", "milestone", "period"),
    # Everything needed for a milestone's last status up to a period, as of any moment.
    Index("ix_milestone_report_state", "milestone", "period", "status", "recorded_at", "superseded_at"),
)

judgement = Table(
    "judgement",
    metadata,
    row_id("judgement_id"),
    # The figure that was judged, and the plan it was judged by: a judgement can always be computed again.
    refers("observation_id", "observation.observation_id", nullable=False),
    refers("plan_id", plan.c.plan_id, nullable=False),
    *(code(name) for name in ("partner_code", "indicator", "period")),
    *_judged_columns(),
    *(code(name, nullable=True) for name in OUTLOOK),
    *life(),
    one_in_force("ux_judgement_in_force", "partner_code", "indicator", "period"),
    Index(None, "indicator", "period"),
    Index(None, "period", "partner_code"),
    ended("ix_judgement_ended", "superseded_at"),
    # Finds superseded judgements, and those that followed them.
    ended("ix_judgement_ended_key", "partner_code", "indicator", "period"),
    ended("ix_judgement_ended_indicator", "indicator"),
    ended("ix_judgement_ended_period", "period"),
)

# The figures of groups of partners, which are added up, and the judgements on them.
group_judgement = Table(
    "group_judgement",
    metadata,
    row_id("group_judgement_id"),
    refers("plan_id", plan.c.plan_id, nullable=False),
    *(code(name) for name in ("group_code", "indicator", "period")),
    Column("partners_owing", Integer, nullable=False),
    Column("partners_returned", Integer, nullable=False),
    # Why there is no figure, or why it is not judged.
    word("note"),
    Column("is_break", Boolean, nullable=False),
    *_judged_columns(),
    *life(),
    one_in_force("ux_group_judgement_in_force", "group_code", "indicator", "period"),
    in_force("ix_group_judgement_indicator", "indicator", "period"),
)

comparison = Table(
    "comparison",
    metadata,
    row_id("comparison_id"),
    refers("plan_id", plan.c.plan_id, nullable=False),
    *(code(name) for name in ("partner_code", "indicator", "period", "comparator")),
    number("value"),
    code("band"),
    # How many figures it was computed from; 0 if it is given.
    Column("bodies", Integer, nullable=False),
    *life(),
    one_in_force("ux_comparison_in_force", "partner_code", "indicator", "period", "comparator"),
    in_force("ix_comparison_indicator", "indicator", "period"),
    in_force("ix_comparison_period", "period", "partner_code"),
)

clinic = Table(
    "clinic",
    metadata,
    # Not `clinic_id`, which in the views is a clinic's readable name.
    row_id("clinic_number"),
    *(code(name) for name in ("partner_code", "indicator", "opened_period", "reason")),
    code("closed_period", nullable=True),
    code("measured_period"),
    *life(),
    one_in_force("ux_clinic_in_force", "partner_code", "indicator", "opened_period"),
    in_force("ix_clinic_indicator", "indicator"),
    in_force("ix_clinic_opened_period", "opened_period"),
    # Finds every period for which milestones are counted.
    in_force("ix_clinic_measured_period", "measured_period"),
)

clinic_note = Table(
    "clinic_note",
    metadata,
    row_id("clinic_note_id"),
    # A clinic is computed, and a correction may move its opening: a note belongs to the series, as of a period.
    *(code(name) for name in ("partner_code", "indicator", "period", "kind")),
    *(word(name) for name in ("text", "noted_by")),
    Column("recorded_at", Moment, nullable=False),
    Index(None, "partner_code", "indicator"),
)

publication = Table(
    "publication",
    metadata,
    row_id("publication_id"),
    word("period"),
    # Anything received later was not in the report.
    Column("known_at", Moment, nullable=False),
    word("sha256"),
    Column("published_at", Moment, nullable=False),
)

# Every period that anything in the warehouse is about, so that no query takes a code apart.
period = Table(
    "period",
    metadata,
    code("period", primary_key=True),
    *(code(name) for name in ("period_label", "financial_year")),
    # NULL for a whole year.
    Column("quarter", Integer),
    code("year_type"),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    # By the last day, a whole year after its quarters.
    Column("period_order", Integer, nullable=False),
)

period_closing = Table(
    "period_closing",
    metadata,
    word("period", primary_key=True),
    refers("decision_id", decision.c.decision_id, nullable=False),
)

waiver = Table(
    "waiver",
    metadata,
    row_id("waiver_id"),
    # Who waived it, when and why.
    refers("decision_id", decision.c.decision_id, nullable=False),
    code("code"),
    code("partner_code"),
    # Its scope; empty for every indicator or milestone, and for every period.
    code("subject"),
    code("period"),
    Column("until", Date, nullable=False),
    Index(None, "partner_code"),
)
WAIVER_SCOPE = ("code", "partner_code", "subject", "period")
"""The columns of what a waiver is about: of several about the same, the last counts."""

query_answer = Table(
    "query_answer",
    metadata,
    # Who answered, when, and as `why` what.
    Column("decision_id", ROW_ID, ForeignKey(decision.c.decision_id), primary_key=True, autoincrement=False),
    # The finding by its place: its number is another where a warehouse was made again from the archive.
    refers("submission_id", "submission.submission_id", nullable=False, index=True),
    code("code"),
    *(word(name) for name in ("sheet", "cell")),
)

withheld_text = Table(
    "withheld_text",
    metadata,
    refers("submission_id", "submission.submission_id", primary_key=True, nullable=False, autoincrement=False),
    word("sheet", primary_key=True),
    word("cell", primary_key=True),
    # The mark that replaces it in the tables that views show.
    *(word(name) for name in ("mark", "text")),
    Column("recorded_at", Moment, nullable=False),
)

text_release = Table(
    "text_release",
    metadata,
    Column("submission_id", ROW_ID, primary_key=True, nullable=False, autoincrement=False),
    word("sheet", primary_key=True),
    word("cell", primary_key=True),
    refers("decision_id", decision.c.decision_id, nullable=False),
    ForeignKeyConstraint(
        ["submission_id", "sheet", "cell"],
        ["withheld_text.submission_id", "withheld_text.sheet", "withheld_text.cell"],
        name="fk_text_release_text",
    ),
)

# Submissions of a backfill whose figures are recorded, and whose judgements are still to be made.
unjudged = Table(
    "unjudged",
    metadata,
    refers("submission_id", "submission.submission_id", primary_key=True, nullable=False, autoincrement=False),
)

view_version = Table("view_version", metadata, word("sha256", primary_key=True))

# By which version of the rules the judgements in force were made, in one row; in none where they are older than that.
rules_version = Table(
    "rules_version", metadata, Column("version", Integer, primary_key=True, nullable=False, autoincrement=False)
)
