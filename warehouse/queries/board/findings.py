"""What was found in the returns of a period, which were refused or held, and what partners wrote beside figures."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, TextClause, and_, bindparam, exists, or_, select, text

from cypp_etl.periods import Period
from cypp_etl.plan.rhythm import Rhythm
from cypp_etl.report.model import BoardData, Row
from schemas.codes import Measure, Severity, SubmissionStatus
from warehouse.queries.as_of import Wanted, in_force_then, queries_as_of
from warehouse.queries.board.rows import in_force, plain, until
from warehouse.schema.tables import ACCEPTED, finding, held_decision, observation, submission
from warehouse.schema.types import Moment
from warehouse.views.in_force import AS_OF
from warehouse.views.withheld import shown_comment

_LIFE = ("status", "answer", "answered_by")
"""What a query has besides a finding: see `bi_queries`."""


def refused_last(connection: Connection, period: Period, at: datetime) -> list[Row]:
    """The last submission of each partner for a period, where that was refused: an accepted one mends what came before.

    One that was withdrawn mends nothing. One that was held is refused once the data team has refused it. Of those that
    do not say whose they are, each stands for itself.
    """
    came = submission.c
    by_decision = exists().where(
        held_decision.c.submission_id == came.submission_id,
        held_decision.c.accepted_id.is_(None),
        # It was decided on when it ended.
        came.superseded_at <= at,
    )
    is_refused = or_(came.status == SubmissionStatus.REJECTED, by_decision).label("is_refused")
    query = (
        select(came.submission_id, came.partner_code, came.file_name, came.status, came.received_at, is_refused)
        .where(came.period == period.code, came.recorded_at <= at)
        .where(came.status.in_((*ACCEPTED, SubmissionStatus.REJECTED, SubmissionStatus.HELD)))
        .where(_as_of(f"NOT {AS_OF.is_withdrawn('submission')}", at))
        .order_by(came.submission_id)
    )
    last = {row["partner_code"] or row["submission_id"]: dict(row) for row in connection.execute(query).mappings()}
    refused = [row for row in last.values() if row["is_refused"]]
    return sorted(refused, key=lambda row: row["partner_code"] or "")


def held_then(connection: Connection, period: Period, at: datetime) -> list[Row]:
    """The submissions for a period that waited for the data team to decide, by partner."""
    came = submission.c
    query = select(came.submission_id, came.partner_code, came.file_name, came.received_at).where(
        came.period == period.code, came.status == SubmissionStatus.HELD, in_force(submission, at)
    )
    return plain(connection.execute(query.order_by(came.partner_code)).mappings())


def findings_of(
    connection: Connection,
    frame: BoardData,
    *,
    partner_codes: Collection[str] | None = None,
    but_of: Collection[str] = (),
) -> list[Row]:
    """Queries and notes of what is in force, and errors of what was refused; of queries, what has become of them.

    Those of partners, all if None, but for some.
    """
    came, period, at = submission.c, frame.period, frame.at
    is_refused = and_(
        came.submission_id.in_([row["submission_id"] for row in frame.refused]),
        finding.c.severity == Severity.ERROR.value,
    )
    whose: list[ColumnElement[bool]] = []
    if partner_codes is not None:
        whose.append(came.partner_code.in_(partner_codes))
    if but_of:
        whose.append(or_(came.partner_code.is_(None), came.partner_code.not_in(but_of)))
    query = (
        select(finding, came.partner_code, came.file_name)
        .join(submission, came.submission_id == finding.c.submission_id)
        .where(
            came.period == period.code,
            *whose,
            or_(and_(came.status.in_(ACCEPTED), _as_of(AS_OF.submission_in_force("submission"), at)), is_refused),
        )
        .order_by(came.partner_code, finding.c.finding_id)
    )
    found = plain(connection.execute(query).mappings())
    asked = {row["partner_code"] for row in found if _is_query(row)}
    lives = {one["query_id"]: one for one in queries_as_of(connection, period, at, asked)} if asked else {}
    # A note that a waiver made of a query says so itself.
    none: Row = dict.fromkeys(_LIFE)
    return [
        {**row, **({name: lives[row["finding_id"]][name] for name in _LIFE} if _is_query(row) else none)}
        for row in found
    ]


def _is_query(row: Row) -> bool:
    return bool(row["severity"] == Severity.QUERY)


def comments_on(
    connection: Connection, wanted: Wanted, period: Period, at: datetime, rhythms: Mapping[str, Rhythm]
) -> list[Row]:
    """What partners wrote beside figures in force at a moment, by indicator and period; withheld texts as such."""
    columns = observation.c
    query = select(columns.partner_code, columns.indicator, columns.period, shown_comment(at)).where(
        columns.comment != "", columns.measure == Measure.ACTUAL.value, *wanted.of(columns)
    )
    rows = [row._mapping for row in in_force_then(connection, observation, query, at)]
    return until(period, sorted(rows, key=lambda row: (row["indicator"], row["period"])), rhythms)


def _as_of(condition: str, at: datetime) -> TextClause:
    """A condition of `AS_OF`, at a moment."""
    return text(condition).bindparams(bindparam("at", at, Moment()))
