"""The flow `remind`: what is missing, due soon or to be explained, as a state that an automation can act on."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from cypp_etl.escapes import for_log
from flows.deployments.due_returns import NOTHING_MISSING, Outstanding, read_outstanding
from flows.deployments.parameter_forms import FormField
from flows.deployments.quarter_overview import show_queries
from flows.ingestion.context import open_to_read
from flows.ingestion.status_pages import refresh_status_pages
from flows.settings import read_settings
from warehouse.engine import reading


def _run_name() -> str:
    return f"reminder of {datetime.now(UTC):%Y-%m-%d}"


@flow(name="remind", flow_run_name=_run_name, persist_result=False)
async def remind(
    days: Annotated[int, FormField("Days ahead")] = 7, since: Annotated[date | None, FormField("Due since")] = None
) -> State[Any]:
    """List the returns that are missing, or due within so many days, those that are held, and the open queries.

    It ends `Returns missing`, `Returns due soon` if none of them is overdue, `Returns held` or `Queries open` if no
    return is due, or `Nothing missing`.

    Args:
        days: How many days ahead a due date is mentioned.
        since: Only count what was due before this day: nobody chases each return of years ago. A year ago, if left
            empty.
    """
    workplace, today = open_to_read(read_settings()), datetime.now(UTC).date()
    with reading(workplace.engine) as connection:
        found = read_outstanding(connection, today, days, since)
    # What was due yesterday is missing today, in the partners' folders too.
    for trouble in refresh_status_pages(workplace, workplace.plan.partners, today):
        get_run_logger().warning("%s", for_log(trouble))
    lines = [*(found.lines or [NOTHING_MISSING]), *found.held, *found.queries]
    for line in (*found.lines, *found.held, *found.queries):
        get_run_logger().warning("%s", line)
    for period in found.asked_for:
        # A waiver may have ended since a return of the quarter came.
        await show_queries(period)
    return Completed(name=_state_of(found), message="\n".join(lines))


def _state_of(found: Outstanding) -> str:
    if found.lines:
        return "Returns missing" if found.is_missing else "Returns due soon"
    if found.held:
        return "Returns held"
    return "Queries open" if found.queries else "Nothing missing"
