"""The flow `remind`: which returns are missing, and which are due soon, as a state that an automation can act on."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.deployments.forms import Asked
from flows.deployments.outstanding import NOTHING_MISSING, read_outstanding
from flows.ingestion.context import open_to_read
from flows.settings import read_settings
from warehouse.engine import reading


def _run_name() -> str:
    return f"reminder of {datetime.now(UTC):%Y-%m-%d}"


@flow(name="remind", flow_run_name=_run_name, persist_result=False)
async def remind(
    days: Annotated[int, Asked("Days ahead")] = 7, since: Annotated[date | None, Asked("Due since")] = None
) -> State[Any]:
    """List the returns that are missing, or due within so many days.

    It ends `Returns missing`, `Returns due soon` if none of them is overdue, or `Nothing missing`.

    Args:
        days: How many days ahead a due date is mentioned.
        since: Only count what was due before this day: nobody chases each return of years ago. A year ago, if left
            empty.
    """
    with reading(open_to_read(read_settings()).engine) as connection:
        found = read_outstanding(connection, datetime.now(UTC).date(), days, since)
    for line in found.lines:
        get_run_logger().warning("%s", line)
    name = "Returns missing" if found.is_missing else "Returns due soon" if found.lines else "Nothing missing"
    return Completed(name=name, message="\n".join(found.lines) or NOTHING_MISSING)
