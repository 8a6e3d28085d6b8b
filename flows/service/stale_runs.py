"""What killed processes left behind: runs that nothing in Prefect would ever end, and runs that nobody began."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Crashed

log = logging.getLogger("cypp.serve")

_BEGUN = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
_UNENDED = [*_BEGUN, StateType.SCHEDULED]
_MOST_AT_ONCE = 200
"""The largest number of runs that the server returns at a time."""


async def close_leftovers(tag: str) -> int:
    """Close the unfinished runs with a tag as Crashed, and return their number; their process must be dead."""
    left = FlowRunFilter(tags=FlowRunFilterTags(all_=[tag]), state=_in_state(_UNENDED))
    async with get_client() as client:
        return len(await _close(client, left))


async def close_runs_of(deployments: Sequence[UUID]) -> int:
    """Close as Crashed the runs of deployments that were begun and have not ended, with the runs that they began.

    Says how many; whoever began them must be dead. What waits to be begun is left.
    """
    of_deployments = FlowRunFilterDeploymentId(any_=list(deployments))
    async with get_client() as client:
        closed = await _close(client, FlowRunFilter(deployment_id=of_deployments, state=_in_state(_BEGUN)))
        for at in range(0, len(closed), _MOST_AT_ONCE):
            parents = FlowRunFilterParentFlowRunId(any_=[run.id for run in closed[at : at + _MOST_AT_ONCE]])
            closed += await _close(client, FlowRunFilter(parent_flow_run_id=parents, state=_in_state(_BEGUN)))
    return len(closed)


async def forget_missed(deployments: Sequence[UUID]) -> None:
    """Of the runs that a schedule should have begun while nobody was there to, leave each deployment's last one alone.

    A report or a reminder comes late; two days of sweeps are one sweep.
    """
    now = datetime.now(UTC)
    async with get_client() as client:
        for deployment in deployments:
            waiting = FlowRunFilter(
                deployment_id=FlowRunFilterDeploymentId(any_=[deployment]), state=_in_state([StateType.SCHEDULED])
            )
            runs = await client.read_flow_runs(
                flow_run_filter=waiting, sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=_MOST_AT_ONCE
            )
            missed = [
                run
                for run in runs
                if run.auto_scheduled
                and not run.run_count
                and run.expected_start_time
                and run.expected_start_time < now
            ]
            for run in missed[:-1]:
                await client.delete_flow_run(run.id)


def _in_state(kinds: list[StateType]) -> FlowRunFilterState:
    return FlowRunFilterState(type=FlowRunFilterStateType(any_=kinds))


async def _close(client: PrefectClient, left: FlowRunFilter) -> list[FlowRun]:
    closed: list[FlowRun] = []
    while runs := await client.read_flow_runs(flow_run_filter=left, limit=_MOST_AT_ONCE):
        for run in runs:
            message = "The process was killed. What lay in the inbox lies there still, and is taken again."
            await client.set_flow_run_state(run.id, Crashed(message=message), force=True)
        closed += runs
    return closed
