"""What killed processes left behind: runs that nothing in Prefect would ever end, and files that nobody will finish."""

import logging

from prefect import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import StateType
from prefect.states import Crashed

log = logging.getLogger("cypp.serve")

_UNENDED = [StateType.RUNNING, StateType.PENDING, StateType.SCHEDULED, StateType.CANCELLING]


async def close_leftovers(tag: str) -> int:
    """Close as Crashed the runs with a tag that have not ended, and say how many; whoever began them must be dead."""
    left = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[tag]), state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNENDED))
    )
    closed = 0
    async with get_client() as client:
        while runs := await client.read_flow_runs(flow_run_filter=left, limit=200):
            for run in runs:
                message = "The process was killed. What lay in the inbox lies there still, and is taken again."
                await client.set_flow_run_state(run.id, Crashed(message=message), force=True)
            closed += len(runs)
    return closed
