"""The flow `remind`: which returns are missing, and which are due soon, as a state that an Automation can act on."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.settings import read_settings
from schemas.codes import ReturnStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import RowMapping


@flow(name="remind", persist_result=False)
async def remind(days: int = 7, since: date | None = None) -> State[Any]:
    """List the returns that are missing, or due within so many days; ends `Returns missing` or `Nothing missing`.

    Args:
        days: how many days ahead a due date is spoken of.
        since: leave out what was due before this day: nobody chases a return of years ago. A year ago, if not given.
    """
    from flows.workplace import open_workplace
    from warehouse.engine import reading
    from warehouse.read import return_status

    with reading(open_workplace(read_settings()).engine) as connection:
        rows = return_status(connection)
    today = datetime.now(UTC).date()
    lines = outstanding(rows, today, days, since or today - timedelta(days=365))
    for line in lines:
        get_run_logger().warning("%s", line)
    name = "Returns missing" if lines else "Nothing missing"
    return Completed(name=name, message="\n".join(lines) or "Every return that was due has come.")


def outstanding(rows: "Sequence[RowMapping]", today: date, days: int, since: date) -> list[str]:
    """A line for each return that has not come, though it was due since a day, or will be within so many days."""
    lines = []
    for row in rows:
        due: date | None = row["due_on"]
        if row["submission_id"] is not None or due is None or not since <= due <= today + timedelta(days=days):
            continue
        when = "was due on" if row["status"] == ReturnStatus.MISSING else "is due on"
        lines.append(f"{row['partner_code']}: the return for {row['period']} {when} {due:%d %B %Y}")
    return lines
