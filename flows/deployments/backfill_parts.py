"""A backfill on several machines: the partners are divided into parts, each a run of a deployment on a work pool.

No two parts share a partner, so the warehouse ends with the same rows, whichever machine is faster. How many parts run
side by side, and where, is for Prefect's concurrency limits to say.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import get_client, get_run_logger
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    ArtifactFilterType,
    FlowRunFilter,
    FlowRunFilterId,
)
from prefect.client.schemas.objects import FlowRun, WorkerStatus
from prefect.deployments.flow_runs import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Cancelled

from flows.bulk.sources import Part
from flows.deployments.lost_runs import MOST_AT_ONCE, LostRuns

DEPLOYMENT = "backfill/backfill-part"
PART_WORKBOOKS = 1000
"""About how many workbooks a part has at most: starting its run takes seconds; if it dies, its work is repeated."""

_TRIES = 3
_LOOK_SECONDS = 1.0
# How often it is asked whether a worker died, which takes longer to be seen.
_LOOK_FOR_LOST_SECONDS = 3.0

_OR = "or leave out --spread"


class NoWorkersError(ValueError):
    """There are no workers to share a backfill."""


@dataclass(frozen=True, slots=True)
class Slots:
    """How many runs of parts fit side by side into a work pool."""

    pool: str
    count: int

    def parts_for(self, workbooks: int, part_workbooks: int) -> int:
        """How many parts to make: each slot gets equally many, of at most so many workbooks."""
        return self.count * max(1, -(-workbooks // (part_workbooks * self.count))) if self.count else 0


def name_of_run(parameters: Mapping[str, Any]) -> str:
    """The name of a run of `backfill`, from its parameters."""
    name = "backfill of " + ", ".join(Path(path).name for path in parameters["paths"])
    partners = parameters.get("partners")
    return f"part of {name}, from {partners[0]} on" if partners else name


async def read_slots(client: PrefectClient) -> Slots:
    """The slots for the parts of a backfill: as many as the lowest limit of their deployment, work queue and work pool.

    Without a limit it is one for each worker: a worker does not tell the server its own `--limit`. Other runs that
    have slots now change nothing, but for the run that asks: it keeps its slot until the parts have ended, and there
    may be none left.

    Raises:
        NoWorkersError: there are no workers, no deployment for them, or no run may begin.
    """
    try:
        deployment = await client.read_deployment_by_name(DEPLOYMENT)
    except ObjectNotFound as fault:
        raise NoWorkersError(
            f"the Prefect server at {client.api_url} has no deployment {DEPLOYMENT}: set PREFECT_API_URL to that of "
            f"your workers, and run `prefect --no-prompt deploy --all` from the checkout; {_OR}"
        ) from fault
    name = deployment.work_pool_name or ""
    workers = [each for each in await client.read_workers_for_work_pool(name) if each.status is WorkerStatus.ONLINE]
    if not workers:
        raise NoWorkersError(
            f"the work pool {name!r} has no worker: run `prefect worker start --pool {name}` on a machine that has "
            f"the folders under the same paths; {_OR}"
        )
    pool = await client.read_work_pool(name)
    queue = await client.read_work_queue(deployment.work_queue_id or pool.default_queue_id)
    of_deployment = deployment.global_concurrency_limit
    limits = [
        pool.concurrency_limit,
        queue.concurrency_limit,
        of_deployment.limit if of_deployment and of_deployment.active else None,
    ]
    if pool.is_paused:
        raise NoWorkersError(f"the work pool {name!r} is paused: run `prefect work-pool resume {name}`; {_OR}")
    if queue.is_paused:
        resume = f"run `prefect work-queue resume {queue.name} --pool {name}`"
        raise NoWorkersError(f"the queue {queue.name!r} of the work pool {name!r} is paused: {resume}; {_OR}")
    if 0 in limits:
        raise NoWorkersError(
            f"the work pool {name!r}, its queue {queue.name!r} or the deployment {DEPLOYMENT} has a concurrency limit "
            f"of 0, so no part can begin: raise it; {_OR}"
        )
    own = await client.read_flow_run(UUID(flow_run.id)) if flow_run.id else None
    has_slot = (
        own is not None and own.work_pool_name == name,
        own is not None and own.work_queue_id == queue.id,
        own is not None and own.deployment_id == deployment.id,
    )
    left = [limit - taken for limit, taken in zip(limits, has_slot, strict=True) if limit is not None]
    return Slots(name, min(left, default=len(workers)))


async def take_parts(
    parts: Sequence[Part], parameters: Mapping[str, Any], pool: str, patience_seconds: float
) -> AsyncIterator[int]:
    """Start a run for each part, and report every second how many workbooks they have done, until all have ended.

    A run that lost its process or its worker is started again, and continues where it stopped. A run that failed is
    not; and if nobody takes the parts that wait, the wait ends: the caller ingests the rest, and meets the error if
    there is one.

    Args:
        parts: the partners of each part.
        parameters: the other parameters of the flow `backfill`.
        pool: the work pool of the deployment for parts.
        patience_seconds: how long to wait while no part is under way.
    """
    async with get_client() as client:
        lost, looked_at = LostRuns(client, pool), 0.0
        starts = [await _start(client, part, parameters) for part in parts]
        running, tries = dict(zip(starts, range(len(parts)), strict=True)), [1] * len(parts)
        done, moved_at = [0.0] * len(parts), time.monotonic()
        while running:
            if time.monotonic() >= looked_at + _LOOK_FOR_LOST_SECONDS:
                await lost.close()
                looked_at = time.monotonic()
            runs = await _read(client, list(running))
            for run_id, share in (await _shares(client, list(running))).items():
                done[running[run_id]] = max(done[running[run_id]], share)
            for run in runs:
                if run.state and run.state.is_final():
                    number = running.pop(run.id)
                    moved_at = time.monotonic()
                    get_run_logger().info("%s ended: %s", run.name, run.state.message or run.state.name)
                    if run.state.is_completed():
                        done[number] = 1.0
                    elif run.state.is_crashed() and tries[number] < _TRIES:
                        tries[number] += 1
                        running[await _start(client, parts[number], parameters)] = number
                elif run.state and not run.state.is_scheduled():
                    moved_at = time.monotonic()
            yield round(sum(part.workbooks * share for part, share in zip(parts, done, strict=True)))
            if reason := _why_over(lost.has_workers, time.monotonic() - moved_at, patience_seconds):
                for run_id in running:
                    await client.set_flow_run_state(run_id, Cancelled(message=reason), force=True)
                return
            await asyncio.sleep(_LOOK_SECONDS)


def _why_over(has_workers: bool, quiet_seconds: float, patience_seconds: float) -> str:
    """Why no part will be taken any more, or "" as long as some may be."""
    if not has_workers:
        return "no worker is online: the run that started this part ingests the rest"
    if quiet_seconds > patience_seconds:
        return f"no worker took a part for {patience_seconds:.0f} s: the run that started it ingests the rest"
    return ""


async def _start(client: PrefectClient, part: Part, parameters: Mapping[str, Any]) -> UUID:
    own = {**parameters, "partners": part.partners}
    run = await arun_deployment(DEPLOYMENT, client=client, parameters=own, timeout=0, flow_run_name=name_of_run(own))
    return run.id


async def _read(client: PrefectClient, numbers: list[UUID]) -> list[FlowRun]:
    found = []
    for some in _in_lots(numbers):
        found += await client.read_flow_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=some)))
    return found


async def _shares(client: PrefectClient, numbers: list[UUID]) -> dict[UUID, float]:
    """How much of each run is done, from 0 to 1, by the progress bar that it shows; it may have none yet."""
    found = {}
    for some in _in_lots(numbers):
        bars = ArtifactFilter(
            flow_run_id=ArtifactFilterFlowRunId(any_=some), type=ArtifactFilterType(any_=["progress"])
        )
        for bar in await client.read_artifacts(artifact_filter=bars):
            if bar.flow_run_id and isinstance(bar.data, float | int):
                found[bar.flow_run_id] = bar.data / 100
    return found


def _in_lots(numbers: list[UUID]) -> list[list[UUID]]:
    return [numbers[at : at + MOST_AT_ONCE] for at in range(0, len(numbers), MOST_AT_ONCE)]
