"""What the data team decides: each decision is on record, in the transaction in which it takes effect."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, RowMapping, delete, insert, select

from cypp_etl.checked_return import Waiver
from cypp_etl.periods import Period, parse_period
from schemas.codes import DecisionKind, QueryStatus
from warehouse.recording.periods import add_periods
from warehouse.schema.decisions import decision
from warehouse.schema.tables import WAIVER_SCOPE, period_closing, query_answer, waiver
from warehouse.views.selectable import view


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


def add_waiver(connection: Connection, waived: Waiver, at: datetime) -> bool:
    """Put a waiver in force, in a transaction of `engine.writing`; return whether it says anything new.

    It does not where the last waiver of the same query says the same: who, why and until when.
    """
    last = (
        select(waiver.c.until, decision.c.decided_by, decision.c.why)
        .join(decision, decision.c.decision_id == waiver.c.decision_id)
        .where(*(waiver.c[name] == value for name, value in _scope_of(waived).items()))
        .order_by(waiver.c.waiver_id.desc())
        .limit(1)
    )
    if connection.execute(last).one_or_none() == (waived.until, waived.waived_by, waived.reason):
        return False
    _decide_waiver(connection, DecisionKind.WAIVE_QUERY, waived, at)
    return True


def _scope_of(waived: Waiver) -> dict[str, str]:
    said = (waived.code, waived.partner_code, waived.subject, waived.period.code if waived.period else "")
    return dict(zip(WAIVER_SCOPE, said, strict=True))


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
    decision_id = record_decision(connection, decided)
    connection.execute(insert(waiver).values(**_scope_of(waived), decision_id=decision_id, until=waived.until))


def answer_query(connection: Connection, query_id: int, answer: str, by: str, at: datetime) -> tuple[RowMapping, bool]:
    """Answer a query, in a transaction of `engine.writing`; a later answer takes the place of an earlier one.

    Returns:
        The row of `bi_queries` as it was before, and whether it says anything new.

    Raises:
        ValueError: there is no such query, or it needs no answer any more.
    """
    rows = view("bi_queries")
    asked = connection.execute(select(rows).where(rows.c.query_id == query_id)).mappings().one_or_none()
    if asked is None:
        raise ValueError(f"there is no query {query_id}: cypp queries lists the open ones")
    if (asked["status"], asked["answer"], asked["answered_by"]) == (QueryStatus.ANSWERED, answer, by):
        return asked, False
    if asked["status"] in (QueryStatus.SUPERSEDED, QueryStatus.WAIVED):
        raise ValueError(f"query {query_id} is {asked['status']}: it needs no answer")
    about = " ".join(filter(None, (asked["code"], asked["subject"])))
    period = parse_period(asked["period"])
    decided = Decision(DecisionKind.ANSWER_QUERY, about, by, answer, at, asked["partner_code"], period)
    place = {name: asked[name] or "" for name in ("code", "sheet", "cell")}
    number = record_decision(connection, decided)
    connection.execute(insert(query_answer).values(decision_id=number, submission_id=asked["submission_id"], **place))
    return asked, True
