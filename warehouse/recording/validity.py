"""The order of things: when a change counts from, and how rows end."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, Table, func, select, update

from warehouse.schema.plan_tables import plan
from warehouse.schema.tables import submission

_ROWS_AT_ONCE = 10_000
"""How many rows end with one statement: SQLite takes 32,766 values in it."""


def next_moment(connection: Connection, at: datetime) -> datetime:
    """The moment from which a change counts: `at`, but never before the last change.

    A clock that was set back, or another machine's that is slow, would make a row end before it began, and a reading
    as of that moment wrong for ever.

    Raises:
        ValueError: `at` has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at!r} has no time zone")
    last = (connection.scalar(select(func.max(table.c.recorded_at))) for table in (submission, plan))
    moments: list[datetime] = [moment for moment in last if moment is not None]
    return max([at, *moments])


def end_rows(connection: Connection, table: Table, row_ids: Iterable[int], at: datetime) -> None:
    """End rows of a table, given by their numbers, which must be in force."""
    key, ended = next(iter(table.primary_key)), list(row_ids)
    for start in range(0, len(ended), _ROWS_AT_ONCE):
        few = ended[start : start + _ROWS_AT_ONCE]
        connection.execute(update(table).where(key.in_(few)).values(superseded_at=at))
