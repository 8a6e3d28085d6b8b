"""What the data team decides: each decision is on record, in the transaction in which it takes effect."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, insert, select

from cypp_etl.checked_return import Waiver
from cypp_etl.periods import Period
from schemas.codes import DecisionKind
from warehouse.recording.periods import add_periods
from warehouse.schema.decisions import decision
from warehouse.schema.tables import period_closing, waiver


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision of the data team's: who made it, when and why.

    `about` says in words what was decided on. `partner_code` and `period` are empty where it is about all of them;
    `until` is the last day on which it holds, None where it has none.
    """

    kind: DecisionKind
    about: str
    decided_by: str
    why: str
    decided_at: datetime
    partner_code: str = ""
    period: Period | None = None
    until: date | None = None


def record_decision(connection: Connection, decided: Decision) -> int:
    """Record a decision, in the transaction of `engine.writing` in which it takes effect; give its number."""
    if decided.period:
        add_periods(connection, [decided.period])
    values = {
        "kind": decided.kind,
        "about": decided.about,
        "partner_code": decided.partner_code or None,
        "period": decided.period.code if decided.period else None,
        "decided_by": decided.decided_by,
        "decided_at": decided.decided_at,
        "why": decided.why,
        "until": decided.until,
    }
    statement = insert(decision).values(values).returning(decision.c.decision_id)
    number: int = connection.execute(statement).scalar_one()
    return number


def close_period(connection: Connection, period: Period, closed_by: str, at: datetime, why: str = "") -> bool:
    """Close a period, in a transaction of `engine.writing`; return whether it was open.

    A period that is already closed keeps who first closed it, and when.
    """
    is_closed = select(period_closing.c.period).where(period_closing.c.period == period.code)
    if connection.scalar(is_closed) is not None:
        return False
    decided = Decision(DecisionKind.CLOSE_PERIOD, period.label, closed_by, why, at, period=period)
    number = record_decision(connection, decided)
    connection.execute(insert(period_closing).values(period=period.code, decision_id=number))
    return True


def add_waiver(connection: Connection, waived: Waiver, at: datetime) -> None:
    """Put a waiver in force, in a transaction of `engine.writing`."""
    decided = Decision(
        DecisionKind.WAIVE_QUERY,
        " ".join(filter(None, (waived.code, waived.subject))),
        waived.waived_by,
        waived.reason,
        at,
        waived.partner_code,
        waived.period,
        waived.until,
    )
    values = {
        "decision_id": record_decision(connection, decided),
        "code": waived.code,
        "partner_code": waived.partner_code,
        "subject": waived.subject,
        "period": waived.period.code if waived.period else "",
        "until": waived.until,
    }
    connection.execute(insert(waiver).values(values))
