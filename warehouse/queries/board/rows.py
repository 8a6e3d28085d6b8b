"""Rows as a report keeps them: plain mappings, of the periods that it is about, as of a moment."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, Table, and_, or_

from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.rhythm import Rhythm
from cypp_etl.report.model import Row


def plain(rows: Iterable[Row | RowMapping]) -> list[Row]:
    """Rows as plain mappings, which a report can keep after the connection is closed."""
    return [row if isinstance(row, dict) else dict(row) for row in rows]


def until(
    period: Period, rows: Iterable[Row | RowMapping], rhythms: Mapping[str, Rhythm], column: str = "period"
) -> list[Row]:
    """The rows of periods that come no later than a period, or that its return asks for, as plain mappings.

    A quarter's return may ask for the figure of a year that ends later. Which period a row is of is in `column`.
    """
    last = {indicator: max(period.order, rhythm.latest(period).order) for indicator, rhythm in rhythms.items()}
    return [row for row in plain(rows) if parse_period(row[column]).order <= last.get(row["indicator"], period.order)]


def in_force(table: Table, at: datetime) -> ColumnElement[bool]:
    """The condition that a row of a table was in force at a moment."""
    columns = table.c
    return and_(columns.recorded_at <= at, or_(columns.superseded_at.is_(None), columns.superseded_at > at))
