"""Which returns are outstanding, and which queries are open: what `remind` says, as a flow and as a command."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from cypp_etl.periods import Period, parse_period
from cypp_etl.phrases import date_text
from flows.settings import CHASED_FOR
from flows.team.held_lines import held_in_lines
from flows.team.partner_queries import open_in_lines
from schemas.codes import QueryStatus
from warehouse.queries.held import held_submissions
from warehouse.queries.partner_queries import partner_queries
from warehouse.queries.views import return_status

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

NOTHING_MISSING = "Every return that was due has been received."


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A line for each period whose returns have not all come, and one that counts the older ones.

    `held` has a line for each submission that waits for a decision.

    `is_missing` says whether any of them is overdue; the others are due soon. `queries` has a line for each period
    with open queries, and `asked_for` these periods.
    """

    lines: tuple[str, ...]
    is_missing: bool
    queries: tuple[str, ...] = ()
    asked_for: tuple[Period, ...] = ()
    held: tuple[str, ...] = ()


def read_outstanding(connection: "Connection", today: date, days: int, since: date | None = None) -> Outstanding:
    """What is outstanding on a day, by the warehouse; see `outstanding`. `since` is a year ago, if not given."""
    held = held_submissions(connection)
    waiting = {(row["partner_code"], row["period"]) for row in held}
    # Nobody is chased for what they have sent.
    rows = [
        row
        for row in return_status(connection)
        if row["submission_id"] is not None or (row["partner_code"], row["period"]) not in waiting
    ]
    found = outstanding(rows, today, days, since or today - CHASED_FOR)
    asked = [dict(row) for row in partner_queries(connection, status=QueryStatus.OPEN)]
    periods = sorted({parse_period(row["period"]) for row in asked}, key=lambda one: one.order)
    return replace(
        found, queries=tuple(open_in_lines(asked)), asked_for=tuple(periods), held=tuple(held_in_lines(held))
    )


def outstanding(rows: "Sequence[RowMapping]", today: date, days: int, since: date) -> Outstanding:
    """What has not come, though it was due since a day, or is due within so many days; what was due before is counted.

    It is counted from the first period for which anybody returned anything: nobody owed what was due before that.
    `rows` are those of `bi_return_status`.
    """
    partners: dict[tuple[date, str], list[str]] = {}
    first = min((row["due_on"] for row in rows if row["submission_id"] is not None and row["due_on"]), default=since)
    older = 0
    for row in rows:
        due: date | None = row["due_on"]
        if row["submission_id"] is not None or due is None or due > today + timedelta(days=days):
            continue
        if due >= since:
            partners.setdefault((due, row["period"]), []).append(row["partner_code"])
        elif due >= first:
            older += 1
    lines = [
        f"{period}, {'was' if due < today else 'is'} due on {date_text(due)}: {', '.join(missing)}"
        for (due, period), missing in sorted(partners.items())
    ]
    if older:
        counted = f"{older} older {'return' if older == 1 else 'returns'}, due before {date_text(since)}"
        lines.append(f"and {counted}" if lines else counted)
    return Outstanding(tuple(lines), bool(older) or any(due < today for due, _ in partners))
