"""The periods that the warehouse knows: views and queries learn from them when a period begins and ends."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, insert, select

from cypp_etl.periods import Period
from schemas.codes import YearType
from warehouse.schema.sets import is_one_of
from warehouse.schema.tables import period as period_table

_KNOWN = select(period_table.c.period).where(is_one_of(period_table.c.period, "periods"))


def add_periods(connection: Connection, periods: Iterable[Period]) -> None:
    """Add those periods that are not there yet, in a transaction of `engine.writing`."""
    wanted = {period.code: period for period in periods}
    known = set(connection.scalars(_KNOWN, {"periods": list(wanted)}))
    if rows := [_row(period) for code, period in wanted.items() if code not in known]:
        connection.execute(insert(period_table), rows)


def _row(period: Period) -> dict[str, Any]:
    return {
        "period": period.code,
        "period_label": period.label,
        "financial_year": period.financial_year,
        "quarter": period.quarter or None,
        "year_type": YearType.FINANCIAL,
        "starts_on": period.first_day,
        "ends_on": period.last_day,
        "period_order": period.order,
    }
