"""Clinics are kept, and no longer worked out when they are asked for; indexes for what the views are asked."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_IN_FORCE = sa.text("superseded_at IS NULL")
_ENDED = sa.text("superseded_at IS NOT NULL")
_ROWS_AT_ONCE = 10_000

_CLINIC = sa.table(
    "clinic",
    *(
        sa.column(name, sa.Text())
        for name in ("partner_code", "indicator", "opened_period", "reason", "closed_period", "measured_period")
    ),
    sa.column("recorded_at", _MOMENT),
    sa.column("superseded_at", _MOMENT),
)
_JUDGEMENT = sa.table(
    "judgement",
    *(sa.column(name, sa.Text()) for name in ("partner_code", "indicator", "period", "direction", "on_target")),
    sa.column("recorded_at", _MOMENT),
    sa.column("superseded_at", _MOMENT),
)

# By its opening: the reason, the closing period, the last period without improvement.
_Clinics = dict[str, tuple[str, str | None, str]]


def upgrade() -> None:
    """Add the clinics, with those of the past, and the indexes."""
    _create_clinics()
    connection = op.get_bind()
    rows: list[dict[str, Any]] = []
    for row in _past_clinics(connection):
        rows.append(row)
        if len(rows) == _ROWS_AT_ONCE:
            connection.execute(sa.insert(_CLINIC), rows)
            rows.clear()
    if rows:
        connection.execute(sa.insert(_CLINIC), rows)
    _index()


def _create_clinics() -> None:
    op.create_table(
        "clinic",
        sa.Column("clinic_number", _ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("partner_code", "indicator", "opened_period")),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("closed_period", sa.Text()),
        sa.Column("measured_period", sa.Text(), nullable=False),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.Column("superseded_at", _MOMENT),
        sa.CheckConstraint("superseded_at >= recorded_at", name=op.f("ck_clinic_life")),
        sa.PrimaryKeyConstraint("clinic_number", name="pk_clinic"),
    )


def _index() -> None:
    for name, table, columns, where in (
        ("ix_clinic_indicator", "clinic", ["indicator"], _IN_FORCE),
        ("ix_clinic_opened_period", "clinic", ["opened_period"], _IN_FORCE),
        ("ix_clinic_measured_period", "clinic", ["measured_period"], _IN_FORCE),
        ("ix_judgement_period_partner_code", "judgement", ["period", "partner_code"], None),
        ("ix_judgement_ended_key", "judgement", ["partner_code", "indicator", "period"], _ENDED),
        ("ix_judgement_ended_indicator", "judgement", ["indicator"], _ENDED),
        ("ix_judgement_ended_period", "judgement", ["period"], _ENDED),
        (
            "ix_milestone_report_state",
            "milestone_report",
            ["milestone", "period", "status", "recorded_at", "superseded_at"],
            None,
        ),
    ):
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    key = ["partner_code", "indicator", "opened_period"]
    op.create_index(
        "ux_clinic_in_force", "clinic", key, unique=True, sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE
    )
    op.drop_index("ix_observation_submission_id", "observation")
    key = ["submission_id", "partner_code", "indicator"]
    op.create_index("ix_observation_submission_id_partner_code_indicator", "observation", key)


def _past_clinics(connection: sa.Connection) -> Iterator[dict[str, Any]]:
    """The clinics of each series from moment to moment, as if they had always been stored."""
    columns = _JUDGEMENT.c
    query = sa.select(_JUDGEMENT).order_by(columns.partner_code, columns.indicator, columns.period)
    # A series at a time: the rows need not fit in memory.
    found = connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE))
    for (partner_code, indicator), series in groupby(found, key=lambda row: (row.partner_code, row.indicator)):
        judged = list(series)
        moments = {row.recorded_at for row in judged} | {row.superseded_at for row in judged if row.superseded_at}
        held: dict[str, dict[str, Any]] = {}
        for at in sorted(moments):
            standing = [
                row for row in judged if row.recorded_at <= at and (row.superseded_at is None or row.superseded_at > at)
            ]
            clinics = _clinics(standing)
            for opened in [one for one, row in held.items() if clinics.get(one) != row["said"]]:
                yield _row(held.pop(opened), at)
            for opened, said in clinics.items():
                if opened not in held:
                    key = {"partner_code": partner_code, "indicator": indicator, "opened_period": opened}
                    held[opened] = key | {"said": said, "recorded_at": at}
        yield from (_row(row, None) for row in held.values())


def _row(held: dict[str, Any], superseded_at: Any) -> dict[str, Any]:
    said = dict(zip(("reason", "closed_period", "measured_period"), held.pop("said"), strict=True))
    return held | said | {"superseded_at": superseded_at}


def _clinics(judged: list[Any]) -> _Clinics:
    """The rule as it was at this revision: the clinics of judgements in the order of their periods."""
    with_quarters = {row.period[:7] for row in judged if len(row.period) > 7}
    clinics: _Clinics = {}
    is_open, opened = False, ""
    before: Any = None
    for row in judged:
        if len(row.period) == 7 and row.period in with_quarters:
            continue
        is_improving = row.direction == "improving"
        if is_open and not is_improving:
            clinics[opened] = (clinics[opened][0], None, row.period)
        elif is_open and before.direction == "improving" and _place(before.period) == _place(row.period) - 1:
            clinics[opened] = (clinics[opened][0], row.period, clinics[opened][2])
            is_open = False
        elif not is_open and (row.direction == "declining" or (row.direction, row.on_target) == ("no change", "no")):
            reason = "declining" if row.direction == "declining" else "no change while off target"
            is_open, opened = True, row.period
            clinics[opened] = (reason, None, opened)
        before = row
    return clinics


def _place(period: str) -> float:
    """Consecutive periods of the same length are one apart."""
    return int(period[:4]) * 4 + int(period[8]) if len(period) > 7 else int(period[:4]) + 0.5


def downgrade() -> None:
    """Refuse: there is no need, since nothing reads what is new."""
    raise NotImplementedError("The third revision cannot be undone: the program before it would not fill the clinics")
