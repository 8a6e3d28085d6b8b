"""A table of decisions, to which plans, closed periods, waivers and released texts refer."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)

_DECISION = sa.table(
    "decision",
    *(sa.column(name) for name in ("decision_id", "kind", "about", "partner_code", "period", "decided_by", "why")),
    sa.column("decided_at", _MOMENT),
    sa.column("until", sa.Date()),
)
_CLOSING = sa.table("period_closing", sa.column("period"), sa.column("closed_by"), sa.column("closed_at", _MOMENT))
_WAIVER = sa.table(
    "waiver",
    *(sa.column(name) for name in ("waiver_id", "code", "partner_code", "subject", "period", "reason", "waived_by")),
    sa.column("until", sa.Date()),
    sa.column("waived_at", _MOMENT),
)
_RELEASE = sa.table(
    "text_release",
    *(sa.column(name) for name in ("submission_id", "sheet", "cell", "released_by", "reason")),
    sa.column("released_at", _MOMENT),
)
_TEXT_KEY = ("submission_id", "sheet", "cell")


def upgrade() -> None:
    """Add the table, and put on record what was decided before."""
    _create_decision()
    kind = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    # Alembic would add the reference by a statement of its own, which SQLite does not have.
    op.execute(
        f"ALTER TABLE plan ADD COLUMN decision_id {kind} "
        "CONSTRAINT fk_plan_decision_id REFERENCES decision (decision_id)"
    )
    _move_closings()
    _move_waivers()
    _move_releases()


def _create_decision() -> None:
    op.create_table(
        "decision",
        sa.Column("decision_id", _ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "about")),
        *(sa.Column(name, sa.Text()) for name in ("partner_code", "period")),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", _MOMENT, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("until", sa.Date()),
        sa.PrimaryKeyConstraint("decision_id", name="pk_decision"),
    )
    op.create_index("ix_decision_decided_at", "decision", ["decided_at"])


def _decide(**values: Any) -> int:
    """Put a decision on record; give its number."""
    statement = sa.insert(_DECISION).values(values).returning(_DECISION.c.decision_id)
    number: int = op.get_bind().execute(statement).scalar_one()
    return number


def _rows(table: sa.TableClause, *order: str) -> list[dict[str, Any]]:
    query = sa.select(table).order_by(*(table.c[name] for name in order))
    return [dict(row) for row in op.get_bind().execute(query).mappings()]


def _move_closings() -> None:
    closings = _rows(_CLOSING, "closed_at", "period")
    op.drop_table("period_closing")
    table = op.create_table(
        "period_closing",
        sa.Column("period", sa.Text(), nullable=False),
        _reference("period_closing"),
        sa.PrimaryKeyConstraint("period", name="pk_period_closing"),
    )
    for row in closings:
        label = row["period"].replace("-", "/").replace("Q", " Q")
        decided = {"decided_by": row["closed_by"], "decided_at": row["closed_at"], "why": ""}
        number = _decide(kind="close-period", about=label, period=row["period"], **decided)
        op.bulk_insert(table, [{"period": row["period"], "decision_id": number}])


def _move_waivers() -> None:
    waivers = _rows(_WAIVER, "waiver_id")
    op.drop_table("waiver")
    table = op.create_table(
        "waiver",
        sa.Column("waiver_id", _ID, nullable=False),
        _reference("waiver"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("code", "partner_code", "subject", "period")),
        sa.Column("until", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("waiver_id", name="pk_waiver"),
    )
    op.create_index("ix_waiver_partner_code", "waiver", ["partner_code"])
    for row in waivers:
        number = _decide(
            kind="waive-query",
            about=f"{row['code']} {row['subject']}".strip(),
            partner_code=row["partner_code"],
            period=row["period"] or None,
            decided_by=row["waived_by"],
            decided_at=row["waived_at"],
            why=row["reason"],
            until=row["until"],
        )
        kept = {name: row[name] for name in ("code", "partner_code", "subject", "period", "until")}
        # The last word counts: they are numbered in their old order.
        op.get_bind().execute(sa.insert(table).values(kept | {"decision_id": number}))


def _move_releases() -> None:
    releases = _rows(_RELEASE, "released_at", *_TEXT_KEY)
    op.drop_table("text_release")
    table = op.create_table(
        "text_release",
        sa.Column("submission_id", _ID, nullable=False, autoincrement=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("sheet", "cell")),
        _reference("text_release"),
        sa.PrimaryKeyConstraint(*_TEXT_KEY, name="pk_text_release"),
        sa.ForeignKeyConstraint(
            _TEXT_KEY, [f"withheld_text.{name}" for name in _TEXT_KEY], name="fk_text_release_text"
        ),
    )
    for row in releases:
        about = f"submission {row['submission_id']}, {row['sheet']}!{row['cell']}"
        decided = {"decided_by": row["released_by"], "decided_at": row["released_at"], "why": row["reason"]}
        number = _decide(kind="release-text", about=about, **decided)
        op.bulk_insert(table, [{name: row[name] for name in _TEXT_KEY} | {"decision_id": number}])


def _reference(table: str) -> sa.Column[Any]:
    reference = sa.ForeignKey("decision.decision_id", name=f"fk_{table}_decision_id")
    return sa.Column("decision_id", _ID, reference, nullable=False)


def downgrade() -> None:
    """Refuse: who decided what, and why, would be lost."""
    raise NotImplementedError("The ninth revision cannot be undone: decisions on record would be lost")
