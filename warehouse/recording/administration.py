"""The data team's decisions: closed periods and waived queries."""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from cypp_etl.checked_return import Waiver
from cypp_etl.periods import Period
from warehouse.schema.tables import period_closing, waiver


def close_period(connection: Connection, period: Period, closed_by: str, at: datetime) -> bool:
    """Close a period, in a transaction of `engine.writing`; return whether it was open.

    A period that is already closed keeps who first closed it, and when.
    """
    is_closed = select(period_closing.c.period).where(period_closing.c.period == period.code)
    if connection.scalar(is_closed) is not None:
        return False
    connection.execute(insert(period_closing).values(period=period.code, closed_by=closed_by, closed_at=at))
    return True


def add_waiver(connection: Connection, waived: Waiver, at: datetime) -> None:
    """Put a waiver in force, in a transaction of `engine.writing`."""
    values = {
        "code": waived.code,
        "partner_code": waived.partner_code,
        "subject": waived.subject,
        "period": waived.period.code if waived.period else "",
        "reason": waived.reason,
        "waived_by": waived.waived_by,
        "until": waived.until,
        "waived_at": at,
    }
    connection.execute(insert(waiver).values(values))
