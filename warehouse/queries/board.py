"""Reads the data of a board report, all as known at one moment, in one transaction of `reading`."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, or_, select

from cypp_etl.layout import PUBLISHED, marker_text
from cypp_etl.periods import Period
from cypp_etl.report.model import BoardData, FigureKey, KnownText, Row, Texts
from cypp_etl.report.variation import Ratio
from schemas.codes import Marker, Measure, SubmissionStatus
from warehouse.queries.as_of import clinic_notes, clinics, milestones, return_status_as_of
from warehouse.queries.not_returned import owed_rows
from warehouse.queries.publications import last_known_at
from warehouse.queries.views import performance
from warehouse.schema.plan_tables import (
    plan,
    plan_aspiration,
    plan_calendar,
    plan_figure,
    plan_indicator,
    plan_outcome,
    plan_partner,
)
from warehouse.schema.tables import ACCEPTED, finding, observation, submission
from warehouse.views.selectable import view
from warehouse.views.withheld import shown_comment


def read_board(connection: Connection, period: Period, at: datetime, since: date | None = None) -> BoardData:
    """Read the report on a period as known at a moment.

    Args:
        connection: a transaction of `engine.reading`.
        period: the period reported on; later ones are ignored.
        at: the moment.
        since: the day of the last report; if not given, that of the last published report or, if there is none,
            the day on which the previous period's returns were due.
    """
    plan_id = connection.scalar(select(plan.c.plan_id).where(_in_force(plan, at)))
    after = _end_of(since) or last_known_at(connection, at) or _end_of(_due_on(connection, plan_id, period.previous))
    judged = _plain(row for row in performance(connection, as_of=at) if _ends(row["period"]) <= _ends(period.code))
    partners = _partners(connection, plan_id)
    returns = [
        {**row, "partner": partners.get(row["partner_code"], row["partner_code"])}
        for row in return_status_as_of(connection, period, at)
    ]
    texts = _texts(connection, plan_id, at)
    return BoardData(
        period=period,
        at=at,
        since=after.date() if after else None,
        performance=judged,
        owed=owed_rows(connection, plan_id, period, at),
        indicators=_indicators(connection, plan_id),
        texts=texts,
        ratios=_ratios(connection, at),
        aspirations=_aspirations(connection, plan_id),
        milestones=_plain(milestones(connection, period, at)),
        clinics=_plain(clinics(connection, period, at)),
        notes=clinic_notes(connection, at),
        returns=returns,
        findings=_findings(connection, period, at),
        comments=_comments(connection, period, at),
        turned=_turned(connection, period, after, at),
    )


def _due_on(connection: Connection, plan_id: int | None, period: Period) -> date | None:
    columns = plan_calendar.c
    query = select(columns.due_on).where(columns.plan_id == plan_id, columns.period == period.code)
    return connection.scalar(query)


def _end_of(day: date | None) -> datetime | None:
    return datetime.combine(day, time.max, UTC) if day else None


def _in_force(table: Table, at: datetime) -> ColumnElement[bool]:
    columns = table.c
    return and_(columns.recorded_at <= at, or_(columns.superseded_at.is_(None), columns.superseded_at > at))


def _plain(rows: Iterable[RowMapping]) -> list[Row]:
    """Rows as plain mappings, which a report can keep after the connection is closed."""
    return [dict(row) for row in rows]


def _ends(period: str) -> str:
    """A sort key that orders periods by their last days, a whole year after its quarters."""
    return period if len(period) > 7 else f"{period}Q5"


def _partners(connection: Connection, plan_id: int | None) -> dict[str, str]:
    columns = plan_partner.c
    query = select(columns.partner_code, columns.partner).where(columns.plan_id == plan_id)
    return {row.partner_code: row.partner for row in connection.execute(query)}


def _indicators(connection: Connection, plan_id: int | None) -> dict[str, Row]:
    leaf, outcome = plan_indicator.c, plan_outcome.c
    query = (
        select(plan_indicator, outcome.outcome, outcome.table_heading)
        .join(plan_outcome, and_(outcome.plan_id == leaf.plan_id, outcome.outcome_code == leaf.outcome_code))
        .where(leaf.plan_id == plan_id)
    )
    return {row["indicator"]: dict(row) for row in connection.execute(query).mappings()}


def _aspirations(connection: Connection, plan_id: int | None) -> list[Row]:
    asked, outcome = plan_aspiration.c, plan_outcome.c
    query = (
        select(plan_aspiration, outcome.outcome)
        .join(plan_outcome, and_(outcome.plan_id == asked.plan_id, outcome.outcome_code == asked.outcome_code))
        .where(asked.plan_id == plan_id)
        .order_by(asked.aspiration)
    )
    return _plain(connection.execute(query).mappings())


def _texts(connection: Connection, plan_id: int | None, at: datetime) -> Texts:
    """How figures were printed, or their markers: returned ones take precedence over the plan."""
    planned = select(plan_figure).where(plan_figure.c.plan_id == plan_id)
    texts = {
        FigureKey(partner_code, row["indicator"], Measure(row["measure"]), row["period"]): KnownText(
            row["value"], _marker_text(row)
        )
        for row in connection.execute(planned).mappings()
        for partner_code in _partners(connection, plan_id)
    }
    columns = observation.c
    returned = (
        select(observation, submission.c.layout)
        .join(submission, submission.c.submission_id == columns.submission_id)
        .where(_in_force(observation, at))
    )
    for row in connection.execute(returned).mappings():
        key = FigureKey(row["partner_code"], row["indicator"], Measure(row["measure"]), row["period"])
        printed = row["typed"].strip() if row["layout"] == PUBLISHED else _marker_text(row)
        texts[key] = KnownText(row["value"], printed)
    return Texts(texts)


def _ratios(connection: Connection, at: datetime) -> dict[FigureKey, Ratio]:
    columns = observation.c
    query = select(observation).where(
        _in_force(observation, at), columns.numerator.is_not(None), columns.denominator.is_not(None)
    )
    return {
        FigureKey(row["partner_code"], row["indicator"], Measure(row["measure"]), row["period"]): Ratio(
            row["numerator"], row["denominator"]
        )
        for row in connection.execute(query).mappings()
    }


def _marker_text(row: RowMapping) -> str | None:
    return marker_text(Marker(row["marker"])) if row["marker"] else None


def _findings(connection: Connection, period: Period, at: datetime) -> list[Row]:
    """Queries and notes of submissions in force, and errors of rejected ones that no later return has corrected."""
    came = submission.c
    query = (
        select(finding, came.partner_code, came.file_name, came.status)
        .join(submission, came.submission_id == finding.c.submission_id)
        .where(
            came.period == period.code,
            came.recorded_at <= at,
            or_(
                and_(came.status.in_(ACCEPTED), _in_force(submission, at)),
                came.status == SubmissionStatus.REJECTED.value,
            ),
        )
        .order_by(came.partner_code, finding.c.finding_id)
    )
    found = _plain(connection.execute(query).mappings())
    accepted: dict[str, int] = {}
    for row in found:
        if row["status"] in ACCEPTED:
            accepted[row["partner_code"]] = row["submission_id"]
    return [row for row in found if row["submission_id"] >= accepted.get(row["partner_code"], 0)]


def _comments(connection: Connection, period: Period, at: datetime) -> list[Row]:
    columns = observation.c
    query = (
        select(columns.partner_code, columns.indicator, columns.period, shown_comment(at))
        .where(_in_force(observation, at), columns.comment != "", columns.measure == Measure.ACTUAL.value)
        .order_by(columns.indicator, columns.period)
    )
    found = _plain(connection.execute(query).mappings())
    return [row for row in found if _ends(row["period"]) <= _ends(period.code)]


def _turned(connection: Connection, period: Period, after: datetime | None, at: datetime) -> list[Row]:
    rows = view("bi_symbol_changes")
    conditions: list[ColumnElement[Any]] = [rows.c.changed_at <= at]
    if after:
        conditions.append(rows.c.changed_at > after)
    query = (
        select(rows).where(*conditions).order_by(rows.c.indicator, rows.c.period, rows.c.changed_at, rows.c.judgement)
    )
    found = _plain(connection.execute(query).mappings())
    return [row for row in found if _ends(row["period"]) <= _ends(period.code)]
