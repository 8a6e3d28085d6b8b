"""The flow `remind`: which returns are missing, and which are due soon, as a state that an Automation can act on."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.deployments.forms import Asked
from flows.settings import CHASED_FOR, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import RowMapping


@flow(name="remind", persist_result=False)
async def remind(
    days: Annotated[int, Asked("Days ahead")] = 7, since: Annotated[date | None, Asked("Due since")] = None
) -> State[Any]:
    """List the returns that are missing, or due within so many days; ends `Returns missing` or `Nothing missing`.

    Args:
        days: How many days ahead a due date is mentioned.
        since: Leave out what was due before this day. A year ago, if left empty: nobody chases a return of years ago.
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
    return Completed(name=name, message="\n".join(lines) or "Every return that was due has come.")


def outstanding(rows: "Sequence[RowMapping]", today: date, days: int, since: date) -> list[str]:
    """A line for each period whose returns have not all come, though due since a day, or within so many days."""
    partners: dict[tuple[date, str], list[str]] = {}
    for row in rows:
        due: date | None = row["due_on"]
        if row["submission_id"] is None and due is not None and since <= due <= today + timedelta(days=days):
            partners.setdefault((due, row["period"]), []).append(row["partner_code"])
    return [
        f"{period}, {'was' if due < today else 'is'} due on {due:%d %B %Y}: {', '.join(missing)}"
        for (due, period), missing in sorted(partners.items())
    ]
