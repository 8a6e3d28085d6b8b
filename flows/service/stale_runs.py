"""Closes runs that killed processes left running, which nothing in Prefect would ever end."""

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
    """Close the unfinished runs with a tag as Crashed, and return their number; their process must be dead."""
    left = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[tag]), state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNENDED))
    )
    closed = 0
    async with get_client() as client:
        while runs := await client.read_flow_runs(flow_run_filter=left, limit=200):
            for run in runs:
                message = "The process was killed. The workbook is still in the inbox, and will be ingested again."
                await client.set_flow_run_state(run.id, Crashed(message=message), force=True)
            closed += len(runs)
    return closed
