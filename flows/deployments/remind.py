"""The flow `remind`: which returns are missing, and which are due soon, as a state that an automation can act on."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.settings import CHASED_FOR, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import RowMapping


@flow(name="remind", persist_result=False)
async def remind(days: int = 7, since: date | None = None) -> State[Any]:
    """List the returns that are missing, or due within some days; ends `Returns missing` or `Nothing missing`.

    Args:
        days: how many days before a due date to include it.
        since: leave out returns that were due before this date, which are no longer chased; a year ago if not given.
    """
    from flows.ingestion.context import open_to_read
    from warehouse.engine import reading
    from warehouse.queries.views import return_status

    with reading(open_to_read(read_settings()).engine) as connection:
        rows = return_status(connection)
    today = datetime.now(UTC).date()
    lines = outstanding(rows, today, days, since or today - CHASED_FOR)
    for line in lines:
        get_run_logger().warning("%s", line)
    name = "Returns missing" if lines else "Nothing missing"
    return Completed(name=name, message="\n".join(lines) or "Every return that was due has been received.")


def outstanding(rows: "Sequence[RowMapping]", today: date, days: int, since: date) -> list[str]:
    """One line for each period with missing returns that were due since a date, or are due within some days."""
    partners: dict[tuple[date, str], list[str]] = {}
    for row in rows:
        due: date | None = row["due_on"]
        if row["submission_id"] is None and due is not None and since <= due <= today + timedelta(days=days):
            partners.setdefault((due, row["period"]), []).append(row["partner_code"])
    return [
        f"{period}, {'was' if due < today else 'is'} due on {due:%d %B %Y}: {', '.join(missing)}"
        for (due, period), missing in sorted(partners.items())
    ]
