"""The queries to partners, with what has become of them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from cypp_etl.periods import Period
from schemas.codes import QueryStatus
from warehouse.views.selectable import view


def partner_queries(
    connection: Connection,
    period: Period | None = None,
    partner_code: str | None = None,
    status: QueryStatus | None = None,
) -> Sequence[RowMapping]:
    """Rows of `bi_queries`, the oldest first, filtered by the given values."""
    rows = view("bi_queries")
    wanted: dict[str, Any] = {
        "period": period and period.code,
        "partner_code": partner_code,
        "status": status and status.value,
    }
    conditions = [rows.c[name] == value for name, value in wanted.items() if value is not None]
    return (
        connection.execute(select(rows).where(*conditions).order_by(rows.c.asked_at, rows.c.query_id)).mappings().all()
    )
