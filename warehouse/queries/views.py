"""Queries for the command line, the reports and the flows, in a transaction of `reading`."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    RowMapping,
    Select,
    TableClause,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
)

from cypp_etl.findings import Finding
from cypp_etl.periods import Period
from schemas.codes import Severity, SubmissionStatus
from warehouse.queries.as_of import Wanted
from warehouse.schema.plan_tables import plan_calendar, plan_due
from warehouse.schema.tables import ACCEPTED, IS_ACCEPTED, decision, finding, submission
from warehouse.views.in_force import NOW
from warehouse.views.selectable import view


class Outcome(NamedTuple):
    """The outcome of a submission: partner and period, empty if it does not name them, status and findings."""

    partner_code: str
    period: str
    status: SubmissionStatus
    findings: list[Finding]


def original_status(connection: Connection, submission_id: int) -> SubmissionStatus | None:
    """A submission's status when it was recorded, even if it has been superseded; None if there is no such one."""
    status = connection.scalar(select(submission.c.status).where(submission.c.submission_id == submission_id))
    return None if status is None else SubmissionStatus(status)


def repeats_rejected(connection: Connection, submission_id: int) -> bool:
    """Whether a submission says in every cell what one of the same partner said before, which was rejected."""
    own, before = submission.c, submission.alias().c
    query = select(before.submission_id).where(
        own.submission_id == submission_id,
        before.submission_id < own.submission_id,
        before.partner_code == own.partner_code,
        own.content_sha256 != "",
        before.content_sha256 == own.content_sha256,
        before.status == SubmissionStatus.REJECTED,
    )
    return connection.scalar(query.limit(1)) is not None


def submissions(
    connection: Connection,
    partner_code: str | None = None,
    period: Period | None = None,
    sha256: str | None = None,
    since: datetime | None = None,
) -> Sequence[RowMapping]:
    """Rows of `bi_submissions`, oldest first, filtered by the given values, `since` from then on."""
    rows = view("bi_submissions")
    wanted = {"partner_code": partner_code, "period": period and period.code, "sha256": sha256}
    conditions = _equal(rows, wanted)
    if since is not None:
        conditions.append(rows.c.received_at >= since)
    return _rows(connection, rows, conditions, "submission_id")


def newest_in_force(connection: Connection, limit: int) -> Sequence[RowMapping]:
    """Rows of `bi_submissions` that are in force, the newest first; so many at most."""
    rows = view("bi_submissions")
    query = select(rows).where(rows.c.status.in_(ACCEPTED)).order_by(rows.c.submission_id.desc()).limit(limit)
    return connection.execute(query).mappings().all()


class LastRecorded(NamedTuple):
    """The numbers of the newest submission and of the newest decision; None where there is none."""

    submission_id: int | None
    decision_id: int | None


def last_recorded(connection: Connection) -> LastRecorded:
    """What was recorded last: while it is the same, nothing changes that the views show, but by the day.

    A plan is put in force by a decision too.
    """
    newest = (submission.c.submission_id, decision.c.decision_id)
    return LastRecorded(*(connection.scalar(select(func.max(number))) for number in newest))


def outcomes(connection: Connection, submission_ids: Collection[int]) -> dict[int, Outcome]:
    """The outcomes of submissions when they were recorded, by number; a duplicate has no findings of its own."""
    columns, found = submission.c, finding.c
    query = select(columns.submission_id, columns.partner_code, columns.period, columns.status)
    done = {
        number: Outcome(partner_code or "", period or "", SubmissionStatus(status), [])
        for number, partner_code, period, status in connection.execute(
            query.where(columns.submission_id.in_(submission_ids))
        )
    }
    names = (found[one.name] for one in fields(Finding))
    of_these = select(found.submission_id, *names).where(found.submission_id.in_(submission_ids))
    for number, code, severity, *rest in connection.execute(of_these.order_by(found.finding_id)):
        done[number].findings.append(Finding(code, Severity(severity), *rest))
    return done


def return_status(
    connection: Connection, period: Period | None = None, partner_code: str | None = None
) -> Sequence[RowMapping]:
    """Rows of `bi_return_status`, by period and partner: who has returned what."""
    wanted = {"period": period and period.code, "partner_code": partner_code}
    given = {name: value for name, value in wanted.items() if value is not None}
    return connection.execute(_return_status(frozenset(given)), given).mappings().all()


@cache
def _return_status(given: frozenset[str]) -> Select[Any]:
    """The rows with given values; every receipt asks for its partner's, so they are asked for in one way."""
    columns = view("bi_return_status").c
    return (
        select(*columns)
        .where(*(columns[name] == bindparam(name) for name in sorted(given)))
        .order_by(columns.period, columns.partner_code)
    )


def calendar_of(connection: Connection, partner_code: str) -> Sequence[Row[Any]]:
    """The calendar of the plan in force, by period: `due_on`, and a partner's `submission_id` if it has one in force.

    `is_owed` says whether the partner owes the return. It is what `bi_return_status` says, which goes through what all
    partners owe to answer for one.
    """
    return connection.execute(_CALENDAR, {"partner_code": partner_code}).all()


_ITS_RETURN = and_(
    submission.c.partner_code == bindparam("partner_code"),
    submission.c.period == plan_calendar.c.period,
    text(IS_ACCEPTED),
    text(NOW.submission_in_force("submission")),
)
_IS_DUE = and_(
    plan_due.c.plan_id == plan_calendar.c.plan_id,
    plan_due.c.partner_code == bindparam("partner_code"),
    plan_due.c.period == plan_calendar.c.period,
)
_CALENDAR = (
    select(
        plan_calendar.c.period,
        plan_calendar.c.due_on,
        plan_due.c.partner_code.is_not(None).label("is_owed"),
        submission.c.submission_id,
    )
    .select_from(plan_calendar.outerjoin(plan_due, _IS_DUE).outerjoin(submission, _ITS_RETURN))
    .where(plan_calendar.c.plan_id == text(NOW.plan_id))
    .order_by(plan_calendar.c.period)
)


def performance(
    connection: Connection,
    indicator: str | None = None,
    period: Period | None = None,
    partner_code: str | None = None,
    as_of: datetime | None = None,
) -> Sequence[RowMapping]:
    """Rows of `bi_performance`, by indicator, period and partner, as of now or of a moment."""
    rows = view("bi_performance" if as_of is None else "bi_performance_history")
    wanted = {"indicator": indicator, "period": period and period.code, "partner_code": partner_code}
    conditions = _equal(rows, wanted)
    if as_of is not None:
        ended = rows.c.superseded_at
        conditions += [rows.c.recorded_at <= as_of, or_(ended.is_(None), ended > as_of)]
    return _rows(connection, rows, conditions, "indicator", "period", "partner_code")


def group_performance(connection: Connection, indicator: str, period: Period) -> Sequence[RowMapping]:
    """Rows of `bi_group_performance` for an indicator and period, by group."""
    rows = view("bi_group_performance")
    return _rows(connection, rows, _equal(rows, {"indicator": indicator, "period": period.code}), "group_code")


def performance_of(connection: Connection, wanted: Wanted, as_of: datetime) -> list[dict[str, Any]]:
    """Rows of `bi_performance` of some series, by indicator, period and partner, as of a moment."""
    columns = view("bi_performance_history").c
    ended = columns.superseded_at
    query = (
        select(*columns)
        .where(*wanted.of(columns), columns.recorded_at <= as_of, or_(ended.is_(None), ended > as_of))
        .order_by(columns.indicator, columns.period, columns.partner_code)
    )
    result = connection.execute(query)
    # A report reads them by the hundred thousand: mappings of SQLAlchemy take several times as long.
    names = tuple(result.keys())
    return [dict(zip(names, row, strict=True)) for row in result]


def judgement_history(connection: Connection, indicator: str, period: Period) -> Sequence[RowMapping]:
    """Rows of `bi_performance_history` for an indicator and period, by partner, oldest first."""
    rows = view("bi_performance_history")
    wanted = {"indicator": indicator, "period": period.code}
    return _rows(connection, rows, _equal(rows, wanted), "partner_code", "recorded_at")


def _equal(rows: TableClause, wanted: dict[str, Any]) -> list[ColumnElement[bool]]:
    return [rows.c[name] == value for name, value in wanted.items() if value is not None]


def _rows(
    connection: Connection, rows: TableClause, conditions: list[ColumnElement[bool]], *order: str
) -> Sequence[RowMapping]:
    query = select(rows).where(*conditions).order_by(*(rows.c[name] for name in order))
    return connection.execute(query).mappings().all()
