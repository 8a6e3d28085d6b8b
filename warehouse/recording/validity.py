"""Effective timestamps, and closing superseded rows."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Connection, Table, Update, bindparam, func, select, update

from warehouse.schema.plan_tables import plan
from warehouse.schema.sets import is_one_of
from warehouse.schema.tables import judgement, submission, withdrawal

_ROWS_AT_ONCE = 10_000
"""How many rows are closed by one statement: SQLite allows 32,766 values in it."""

_LAST = select(
    # A backfill judges after it has recorded; the judgement with the highest number is among the latest.
    select(judgement.c.recorded_at).order_by(judgement.c.judgement_id.desc()).limit(1).scalar_subquery(),
    *(select(func.max(table.c.recorded_at)).scalar_subquery() for table in (submission, plan, withdrawal)),
)

_LAST_CHANGES = select(
    *(select(func.max(next(iter(table.primary_key)))).scalar_subquery() for table in (submission, plan)),
    select(func.count()).select_from(withdrawal).scalar_subquery(),
)


def last_changes(connection: Connection) -> tuple[int | None, ...]:
    """What differs once anything changed that figures are judged by: a submission, a plan, or what was withdrawn."""
    return tuple(connection.execute(_LAST_CHANGES).one())


def next_moment(connection: Connection, at: datetime) -> datetime:
    """The moment from which a change counts: `at`, but never before the last change.

    With a clock that was set back, or another machine's slow clock, a row could end before it started, and queries
    as of that moment would be wrong for ever.

    Raises:
        ValueError: `at` has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at!r} has no time zone")
    *last, withdrawn = connection.execute(_LAST).one()
    moments: list[datetime] = [moment for moment in last if moment is not None]
    # Alone at its moment, so that nothing else that changes then is put down to it.
    if withdrawn:
        moments.append(withdrawn + timedelta(microseconds=1))
    return max([at, *moments])


def end_rows(connection: Connection, table: Table, row_ids: Iterable[int], at: datetime) -> None:
    """Close rows of a table, given by their numbers, which must be in force."""
    ended = list(row_ids)
    for start in range(0, len(ended), _ROWS_AT_ONCE):
        few = ended[start : start + _ROWS_AT_ONCE]
        connection.execute(_ending(table), {"ended": few, "at": at})


@cache
def _ending(table: Table) -> Update:
    is_ended = is_one_of(next(iter(table.primary_key)), "ended")
    return update(table).where(is_ended).values(superseded_at=bindparam("at"))
