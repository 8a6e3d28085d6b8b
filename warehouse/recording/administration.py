"""What the data team decides: each decision is on record, in the transaction in which it takes effect."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from cypp_etl.checked_return import Waiver
from cypp_etl.periods import Period, parse_period
from schemas.codes import DecisionKind
from warehouse.recording.periods import add_periods
from warehouse.schema.decisions import decision
from warehouse.schema.tables import period_closing, waiver

WAIVER_SCOPE = ("code", "partner_code", "subject", "period")
"""The columns of what a waiver is about: of several about the same, the last counts."""


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


def reopen_period(connection: Connection, period: Period, reopened_by: str, at: datetime, why: str) -> bool:
    """Reopen a closed period, in a transaction of `engine.writing`; return whether it was closed.

    Who closed it, and when, stays on record.
    """
    closing = period_closing.c.period == period.code
    if connection.scalar(select(period_closing.c.period).where(closing)) is None:
        return False
    record_decision(connection, Decision(DecisionKind.REOPEN_PERIOD, period.label, reopened_by, why, at, period=period))
    connection.execute(delete(period_closing).where(closing))
    return True


def add_waiver(connection: Connection, waived: Waiver, at: datetime) -> None:
    """Put a waiver in force, in a transaction of `engine.writing`."""
    _decide_waiver(connection, DecisionKind.WAIVE_QUERY, waived, at)


def end_waiver(connection: Connection, decision_id: int, *, by: str, why: str, at: datetime) -> tuple[Waiver, bool]:
    """End a waiver, in a transaction of `engine.writing`: the query is asked again of what comes from now on.

    Args:
        connection: the transaction.
        decision_id: the decision that it is by.
        by: who ends it.
        why: why.
        at: now.

    Returns:
        The waiver, and whether it was in force until now.

    Raises:
        ValueError: there is no such waiver, or another took its place.
    """
    number = select(waiver).where(waiver.c.decision_id == decision_id)
    row = connection.execute(number).one_or_none()
    if row is None:
        raise ValueError(f"decision {decision_id} waives nothing; cypp waivers lists the waivers in force")
    scope = [waiver.c[name] == getattr(row, name) for name in WAIVER_SCOPE]
    last = connection.execute(select(waiver).where(*scope).order_by(waiver.c.waiver_id.desc()).limit(1)).one()
    period = parse_period(row.period) if row.period else None
    yesterday = at.astimezone(UTC).date() - timedelta(days=1)
    ended = Waiver(row.code, row.partner_code, row.subject, period, why, by, yesterday)
    if last.until <= yesterday:
        return ended, False
    if last.decision_id != decision_id:
        raise ValueError(f"decision {last.decision_id} took the place of waiver {decision_id}: end that one")
    _decide_waiver(connection, DecisionKind.END_WAIVER, ended, at)
    return ended, True


def _decide_waiver(connection: Connection, kind: DecisionKind, waived: Waiver, at: datetime) -> None:
    """Record a waiver, which takes the place of any other of the same scope."""
    decided = Decision(
        kind,
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
