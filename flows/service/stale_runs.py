"""What killed processes left behind: runs that nothing in Prefect would ever end, and runs that nobody began."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import httpx
from prefect import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound, PrefectException

from flows.deployments.backfill_parts import DEPLOYMENT
from flows.deployments.lost_runs import BEGUN, MOST_AT_ONCE, LostRuns, close_runs, in_state
from flows.service_log import log

_KILLED = "The process was killed. What lay in the inbox lies there still, and is taken again."
_LOOK_SECONDS = 10.0


async def close_leftovers(tag: str) -> int:
    """Close the unfinished runs with a tag as Crashed, and return their number; their process must be dead."""
    left = FlowRunFilter(tags=FlowRunFilterTags(all_=[tag]), state=in_state([*BEGUN, StateType.SCHEDULED]))
    async with get_client() as client:
        return await close_runs(client, left, _KILLED)


async def close_runs_of(deployments: Sequence[UUID]) -> int:
    """Close as Crashed the runs of deployments that were begun and have not ended, with the runs that they began.

    Says how many; whoever began them must be dead. What waits to be begun is left.
    """
    of_deployments = FlowRunFilterDeploymentId(any_=list(deployments))
    async with get_client() as client:
        return await close_runs(client, FlowRunFilter(deployment_id=of_deployments, state=in_state(BEGUN)), _KILLED)


async def close_runs_of_dead_workers() -> None:
    """Close, for as long as it takes, the runs of workers that died, on whichever machine they were."""
    lost: LostRuns | None = None
    async with get_client() as client:
        while True:
            try:
                if lost is None:
                    # The one deployment that nobody but workers has.
                    pool = (await client.read_deployment_by_name(DEPLOYMENT)).work_pool_name
                    lost = LostRuns(client, pool) if pool else None
                if lost and (closed := await lost.close()):
                    log.warning("%d runs that lost their worker are closed as Crashed.", closed)
            except ObjectNotFound:
                # There are no workers yet, or their pool was deleted.
                lost = None
            except (PrefectException, httpx.HTTPError) as fault:
                log.debug("Whether workers died is not known: %s", fault)
            await asyncio.sleep(_LOOK_SECONDS)


async def forget_missed(deployments: Sequence[UUID]) -> None:
    """Of the runs that a schedule should have begun while nobody was there to, leave each deployment's last one alone.

    A report or a reminder comes late; two days of sweeps are one sweep.
    """
    now = datetime.now(UTC)
    async with get_client() as client:
        for deployment in deployments:
            waiting = FlowRunFilter(
                deployment_id=FlowRunFilterDeploymentId(any_=[deployment]), state=in_state([StateType.SCHEDULED])
            )
            runs = await client.read_flow_runs(
                flow_run_filter=waiting, sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=MOST_AT_ONCE
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
