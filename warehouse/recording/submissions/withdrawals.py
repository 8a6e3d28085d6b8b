"""Takes a submission out of force by a decision: the earlier accepted one of its return is in force again, or none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, exists, insert, select, text, tuple_

from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import DecisionKind, SubmissionStatus
from warehouse.recording.administration import Decision, record_decision
from warehouse.recording.bulk_insert import insert_rows
from warehouse.recording.inserts import REPORT_KEY, end_submissions
from warehouse.recording.judged.groups import rejudge_groups
from warehouse.recording.judged.judgements import rejudge
from warehouse.recording.plan import require_plan
from warehouse.recording.validity import end_rows, next_moment
from warehouse.schema.tables import ACCEPTED, milestone_report, observation, period_closing, submission, withdrawal
from warehouse.views.in_force import NOW


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A submission that is withdrawn, and what is in force instead.

    `restored_id` is the earlier submission that came into force again, None if there was none. `changed_judgements`
    counts the judgements that changed. `was_in_force` is False where it had been withdrawn already: nothing changed.
    """

    submission_id: int
    partner_code: str
    period: Period
    restored_id: int | None
    decision_id: int
    changed_judgements: int
    was_in_force: bool


def withdraw_submission(
    connection: Connection, plan: Plan, submission_id: int, *, by: str, why: str, at: datetime
) -> Withdrawn:
    """Withdraw a submission, in a transaction of `engine.writing`, with all that follows from its figures.

    Each figure and milestone report that it had in force is taken from the last to come of the submissions that are
    now in force and state it.

    Args:
        connection: the transaction.
        plan: the plan in force.
        submission_id: the submission.
        by: who withdraws it.
        why: why.
        at: now; the withdrawal has a moment of its own, after all that was recorded.

    Raises:
        ValueError: there is no such submission, it is not in force, or it has figures of a closed period.
        AnotherPlanInForceError: another plan is in force.
    """
    columns = submission.c
    row = connection.execute(
        select(submission, text(f"{NOW.submission_in_force('submission')} AS is_in_force")).where(
            columns.submission_id == submission_id
        )
    ).one_or_none()
    if row is None:
        raise ValueError(f"there is no submission {submission_id}; bi_submissions lists them")
    if known := _withdrawn_before(connection, submission_id):
        return known
    _refuse_not_in_force(connection, row)
    held = {table: _held(connection, table, [submission_id]) for table in _KEYS}
    period = parse_period(row.period)
    _refuse_closed(connection, period, held)
    at = max(at, next_moment(connection, _BEGINNING) + timedelta(microseconds=1))
    plan_id = require_plan(connection, plan, at)
    about = f"submission {submission_id}, version {row.version} of {row.partner_code} for {period.label}"
    decided = Decision(DecisionKind.WITHDRAW_RETURN, about, by, why, at, row.partner_code, period)
    decision_id = record_decision(connection, decided)
    restored_id = _earlier(connection, row)
    end_submissions(connection, {submission_id}, at)
    values = {"submission_id": submission_id, "decision_id": decision_id, "restored_id": restored_id, "recorded_at": at}
    connection.execute(insert(withdrawal).values(**values, partner_code=row.partner_code, period=row.period))
    touched: set[tuple[str, ...]] = set()
    for table, rows in held.items():
        keys = _put_back(connection, table, rows, restored_id, at)
        if table is observation:
            touched = keys
    figures = [FigureKey(*key) for key in touched]
    changed = rejudge(connection, plan, plan_id, figures, at)
    rejudge_groups(connection, plan, plan_id, figures, at)
    return Withdrawn(submission_id, row.partner_code, period, restored_id, decision_id, changed.total(), True)


_KEYS: dict[Table, tuple[str, ...]] = {observation: FigureKey._fields, milestone_report: REPORT_KEY}
"""The tables of what submissions state, each with its key: one row of each key is in force."""

# Earlier than anything that was recorded.
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)

# A query has the values of so many keys at most.
_KEYS_AT_ONCE = 1_000


def _withdrawn_before(connection: Connection, submission_id: int) -> Withdrawn | None:
    row = connection.execute(select(withdrawal).where(withdrawal.c.submission_id == submission_id)).one_or_none()
    if row is None:
        return None
    return Withdrawn(
        submission_id, row.partner_code, parse_period(row.period), row.restored_id, row.decision_id, 0, False
    )


def _refuse_not_in_force(connection: Connection, row: Row[Any]) -> None:
    if row.status not in ACCEPTED:
        what = f"a duplicate of submission {row.duplicate_of}" if row.duplicate_of else row.status
        if row.status == SubmissionStatus.HELD and row.superseded_at is None:
            raise ValueError(f"submission {row.submission_id} is held: accept or refuse it, since it is not in force")
        raise ValueError(f"submission {row.submission_id} is {what}: it was never in force")
    if not row.is_in_force:
        now = connection.scalar(_accepted_of(row).where(text(NOW.submission_in_force("submission"))))
        other = f": submission {now} is" if now else ""
        raise ValueError(f"submission {row.submission_id} is {SubmissionStatus.SUPERSEDED}, so not in force{other}")


def _refuse_closed(connection: Connection, period: Period, held: dict[Table, Sequence[Row[Any]]]) -> None:
    stated = {row.period for rows in held.values() for row in rows}
    codes = {period.code, *stated}.intersection(connection.scalars(select(period_closing.c.period)))
    if closed := sorted(map(parse_period, codes)):
        labels = ", ".join(one.label for one in closed)
        raise ValueError(
            f"{labels} {'is' if len(closed) == 1 else 'are'} closed: to change figures of closed periods, reopen them "
            f"first, with cypp reopen {closed[0].code}"
        )


def _accepted_of(row: Row[Any]) -> Any:
    """The accepted submissions of the return that a submission is of, latest version first."""
    columns = submission.c
    return (
        select(columns.submission_id)
        .where(columns.partner_code == row.partner_code, columns.period == row.period, columns.status.in_(ACCEPTED))
        .order_by(columns.version.desc())
    )


def _earlier(connection: Connection, row: Row[Any]) -> int | None:
    """The last accepted submission of the same return that was not withdrawn itself."""
    withdrawn = exists().where(withdrawal.c.submission_id == submission.c.submission_id)
    earlier: int | None = connection.scalar(
        _accepted_of(row).where(submission.c.submission_id != row.submission_id, ~withdrawn).limit(1)
    )
    return earlier


def _held(connection: Connection, table: Table, submission_ids: Iterable[int]) -> Sequence[Row[Any]]:
    """The rows in force that came with submissions."""
    query = select(table).where(table.c.submission_id.in_(list(submission_ids)), table.c.superseded_at.is_(None))
    return connection.execute(query).all()


def _put_back(
    connection: Connection, table: Table, ended: Sequence[Row[Any]], restored_id: int | None, at: datetime
) -> set[tuple[str, ...]]:
    """End rows, and put those in force that count instead; return the keys of all that changed."""
    key = _KEYS[table]
    number = next(iter(table.primary_key)).name
    end_rows(connection, table, (getattr(row, number) for row in ended), at)
    wanted = {tuple(getattr(row, name) for name in key) for row in ended}
    if restored_id is not None:
        stated = select(*(table.c[name] for name in key)).where(table.c.submission_id == restored_id).distinct()
        wanted |= {tuple(row) for row in connection.execute(stated)}
    last: dict[tuple[str, ...], Row[Any]] = {}
    standing: dict[tuple[str, ...], Row[Any]] = {}
    for row in _stating(connection, table, sorted(wanted)):
        # In the order in which their submissions came, and of one submission the row that is newest.
        one = tuple(getattr(row, name) for name in key)
        last[one] = row
        if row.superseded_at is None:
            standing[one] = row
    back = [row for row in last.values() if row.superseded_at is not None]
    names = [column.name for column in table.columns if column.name not in (number, "recorded_at", "superseded_at")]
    overtaken = [row for one, row in standing.items() if last[one] is not row]
    end_rows(connection, table, (getattr(row, number) for row in overtaken), at)
    insert_rows(connection, table, names, ([getattr(row, name) for name in names] for row in back), {"recorded_at": at})
    return {tuple(getattr(row, name) for name in key) for row in [*ended, *back]}


def _stating(connection: Connection, table: Table, keys: Sequence[tuple[str, ...]]) -> Iterable[Row[Any]]:
    """The rows with the keys that came with submissions now in force, in the order in which those came."""
    number = next(iter(table.primary_key))
    key = tuple_(*(table.c[name] for name in _KEYS[table]))
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[start : start + _KEYS_AT_ONCE]
        query = (
            select(table)
            .join(submission, submission.c.submission_id == table.c.submission_id)
            .where(key.in_(some), submission.c.status.in_(ACCEPTED), text(NOW.submission_in_force("submission")))
            .order_by(table.c.submission_id, number)
        )
        yield from connection.execute(query)
