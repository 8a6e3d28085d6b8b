"""The first warehouse: the plan, submissions and what they hold, judgements, closed periods."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Written out here, and not taken from `warehouse.schema.tables`, which goes on changing while a revision must not.
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_ACCEPTED = "status IN ('accepted', 'accepted with queries')"


def _id(table: str) -> list[Any]:
    key = f"{table}_id"
    return [sa.Column(key, _ID, nullable=False), sa.PrimaryKeyConstraint(key, name=f"pk_{table}")]


def _refers(table: str, name: str, target: str, nullable: bool = False) -> list[Any]:
    foreign_key = sa.ForeignKeyConstraint([name], [f"{target}.{target}_id"], name=f"fk_{table}_{name}")
    return [sa.Column(name, _ID, nullable=nullable), foreign_key]


def _text(*names: str, nullable: bool = False) -> list[Any]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _numbers(*names: str) -> list[Any]:
    return [sa.Column(name, sa.Float(53)) for name in names]


def _life(table: str) -> list[Any]:
    return [
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.Column("superseded_at", _MOMENT),
        sa.CheckConstraint("superseded_at >= recorded_at", name=op.f(f"ck_{table}_life")),
    ]


def _one_in_force(table: str, *columns: str, condition: str = "superseded_at IS NULL") -> None:
    where = sa.text(condition)
    name = f"ux_{table}_in_force"
    op.create_index(name, table, list(columns), unique=True, sqlite_where=where, postgresql_where=where)


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _plan_table(name: str, key: list[str], *columns: list[Any], **parents: str) -> None:
    table = f"plan_{name}"
    op.create_table(
        table,
        *_refers(table, "plan_id", "plan"),
        *(column for group in columns for column in group),
        sa.PrimaryKeyConstraint("plan_id", *key, name=f"pk_{table}"),
        *(
            sa.ForeignKeyConstraint(
                ["plan_id", column],
                [f"plan_{parent}.plan_id", f"plan_{parent}.{column}"],
                name=f"fk_{table}_plan_id_{column}",
            )
            for column, parent in parents.items()
        ),
    )


def upgrade() -> None:
    """Create every table."""
    op.create_table("plan", *_id("plan"), *_text("fingerprint"), *_life("plan"))
    _index("plan", "fingerprint")
    _create_plan_tables()
    _create_submissions()
    _create_figures()
    _create_judgements()
    closed_at = sa.Column("closed_at", _MOMENT, nullable=False)
    primary_key = sa.PrimaryKeyConstraint("period", name="pk_period_closing")
    op.create_table("period_closing", *_text("period", "closed_by"), closed_at, primary_key)
    op.create_table(
        "waiver",
        *_id("waiver"),
        *_text("code", "partner_code", "subject", "period", "reason", "waived_by"),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("waived_at", _MOMENT, nullable=False),
    )
    _index("waiver", "partner_code")
    op.create_table("view_version", *_text("sha256"), sa.PrimaryKeyConstraint("sha256", name="pk_view_version"))


def _create_plan_tables() -> None:
    _plan_table("outcome", ["outcome_code"], _text("outcome_code", "outcome"))
    _plan_table("partner", ["partner_code"], _text("partner_code", "partner"))
    dates: list[Any] = [sa.Column(name, sa.Date(), nullable=False) for name in ("opens_on", "due_on")]
    _plan_table("calendar", ["period"], _text("period"), dates)
    is_focus: list[Any] = [sa.Column("is_area_of_focus", sa.Boolean(), nullable=False)]
    aspiration = _text("aspiration", "outcome_code", "text")
    _plan_table("aspiration", ["aspiration"], aspiration, is_focus, _text("focus_on"), outcome_code="outcome")
    action = _text(
        "action_id", "aspiration", "kind", "action", "detail", "strategic_lead", "lead_officer", "partner_code"
    )
    _plan_table("action", ["action_id"], action, aspiration="aspiration")
    due: list[Any] = [
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("is_due_stated", sa.Boolean(), nullable=False),
    ]
    milestone = _text("milestone", "action_id", "financial_year", "description")
    _plan_table("milestone", ["milestone"], milestone, due, action_id="action")
    indicator = _text("indicator", "indicator_no", "indicator_ref", "sub", "outcome_code", "definition")
    indicator += _text("parent_definition", "polarity", "unit")
    indicator += [sa.Column("decimals", sa.Integer(), nullable=False), *_text("accumulation")]
    _plan_table("indicator", ["indicator"], indicator, outcome_code="outcome")
    owed = ["partner_code", "indicator"]
    _plan_table("owed", owed, _text(*owed), partner_code="partner", indicator="indicator")
    key = ["measure", "indicator", "period"]
    figure = [*_text(*key), *_numbers("value"), *_text("marker", nullable=True), *_text("source")]
    _plan_table("figure", key, figure, indicator="indicator")


def _create_submissions() -> None:
    op.create_table(
        "submission",
        *_id("submission"),
        *_text("partner_code", "period", nullable=True),
        sa.Column("version", sa.Integer()),
        *_text("file", "file_name", "sha256", "content_sha256", "layout", "prepared_by", "email", "status"),
        *_refers("submission", "duplicate_of", "submission", nullable=True),
        *_refers("submission", "supersedes", "submission", nullable=True),
        *_text("delivery", nullable=True),
        sa.Column("received_at", _MOMENT, nullable=False),
        *_life("submission"),
        sa.CheckConstraint(
            f"NOT {_ACCEPTED} OR (partner_code IS NOT NULL AND period IS NOT NULL)",
            name=op.f("ck_submission_whose"),
        ),
    )
    op.create_index("ux_submission_version", "submission", ["partner_code", "period", "version"], unique=True)
    op.create_index("ux_submission_delivery", "submission", ["delivery"], unique=True)
    in_force = f"{_ACCEPTED} AND superseded_at IS NULL"
    _one_in_force("submission", "partner_code", "period", condition=in_force)
    _index("submission", "sha256")
    _index("submission", "recorded_at")
    op.create_table(
        "finding",
        *_id("finding"),
        *_refers("finding", "submission_id", "submission"),
        *_text("code", "severity", "sheet", "cell", "value", "message", "fix"),
    )
    _index("finding", "submission_id")


def _create_figures() -> None:
    op.create_table(
        "observation",
        *_id("observation"),
        *_refers("observation", "submission_id", "submission"),
        *_text("partner_code", "indicator", "measure", "period"),
        *_numbers("value"),
        *_text("marker", nullable=True),
        *_text("qualifiers"),
        *_numbers("numerator", "denominator"),
        *_text("comment", "typed", "sheet", "cell"),
        *_life("observation"),
    )
    _index("observation", "submission_id")
    _one_in_force("observation", "partner_code", "indicator", "measure", "period")
    op.create_table(
        "milestone_report",
        *_id("milestone_report"),
        *_refers("milestone_report", "submission_id", "submission"),
        *_text("partner_code", "milestone", "period"),
        *_text("status", nullable=True),
        *_text("evidence"),
        *_text("review", nullable=True),
        *_text("reason", "sheet", "cell"),
        *_life("milestone_report"),
    )
    _index("milestone_report", "submission_id")
    _one_in_force("milestone_report", "partner_code", "milestone", "period")


def _create_judgements() -> None:
    op.create_table(
        "judgement",
        *_id("judgement"),
        *_refers("judgement", "observation_id", "observation"),
        *_refers("judgement", "plan_id", "plan"),
        *_text("partner_code", "indicator", "period"),
        *_numbers("actual"),
        *_text("previous_period", nullable=True),
        *_numbers("previous_actual", "change"),
        *_text("direction", "direction_basis", "quarter_direction", nullable=True),
        *_numbers("target"),
        *_text("on_target", nullable=True),
        *_numbers("year_to_date"),
        *_text("target_band", nullable=True),
        *_numbers("statistical_neighbours"),
        *_text("statistical_neighbours_band", nullable=True),
        *_numbers("national"),
        *_text("national_band", nullable=True),
        *_numbers("next_target", "next_target_2"),
        *_life("judgement"),
    )
    _index("judgement", "observation_id")
    _index("judgement", "indicator", "period")
    _one_in_force("judgement", "partner_code", "indicator", "period")


def downgrade() -> None:
    """Refuse: before the first revision there is nothing to go back to."""
    raise NotImplementedError("The first revision cannot be undone: remove the warehouse instead")
