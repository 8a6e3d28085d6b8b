"""A backfill on several machines: the partners are divided into parts, each a run of a deployment on a work pool.

No two parts share a partner, so the warehouse ends with the same rows, whichever machine is faster.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import get_client, get_run_logger
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, WorkerStatus
from prefect.deployments.flow_runs import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled
from sqlalchemy import Engine

from warehouse.engine import reading
from warehouse.queries.history import last_submission

DEPLOYMENT = "backfill/backfill-part"
PART_WORKBOOKS = 1000
"""About how many workbooks a part has at most: starting its run takes seconds; if it dies, its work is repeated."""

_TRIES = 3
_LOOK_SECONDS = 1.0


class NoWorkersError(ValueError):
    """There are no workers to share a backfill."""


def name_of_run(parameters: Mapping[str, Any]) -> str:
    """The name of a run of `backfill`, from its parameters."""
    name = "backfill of " + ", ".join(Path(path).name for path in parameters["paths"])
    partners = parameters.get("partners")
    return f"part of {name}, from {partners[0]} on" if partners else name


async def count_workers(client: PrefectClient) -> int:
    """The number of workers for the parts of a backfill, at least one.

    Raises:
        NoWorkersError: there are none, or there is no deployment for them.
    """
    try:
        deployment = await client.read_deployment_by_name(DEPLOYMENT)
    except ObjectNotFound as fault:
        raise NoWorkersError(
            f"the Prefect server at {client.api_url} has no deployment {DEPLOYMENT}: set PREFECT_API_URL to that of "
            "your workers, and run `prefect --no-prompt deploy --all` from the checkout; or leave out --spread"
        ) from fault
    pool = deployment.work_pool_name or ""
    workers = [each for each in await client.read_workers_for_work_pool(pool) if each.status is WorkerStatus.ONLINE]
    if not workers:
        raise NoWorkersError(
            f"the work pool {pool!r} has no worker: run `prefect worker start --pool {pool}` on a machine that has "
            "the folders under the same paths; or leave out --spread"
        )
    return len(workers)


async def take_parts(
    parts: Sequence[Sequence[str]], parameters: Mapping[str, Any], engine: Engine, patience_seconds: float
) -> AsyncIterator[int]:
    """Start a run for each part, and report the number of submissions every second until all have ended.

    A run whose process died is started again, and continues where it stopped. A run that failed is not; and if no run
    makes progress any more, the wait ends: the caller ingests the rest, and meets the error if there is one.

    Args:
        parts: the codes of the partners of each part.
        parameters: the other parameters of the flow `backfill`.
        engine: the warehouse, which shows whether any run makes progress.
        patience_seconds: how long to wait without any progress.
    """
    async with get_client() as client:
        starts = [await _start(client, number, parts, parameters) for number in range(len(parts))]
        running, tries = dict(zip(starts, range(len(parts)), strict=True)), [1] * len(parts)
        last, moved_at = None, time.monotonic()
        while running:
            runs = await _read(client, list(running))
            for run in runs:
                if run.state and run.state.is_final():
                    number = running.pop(run.id)
                    get_run_logger().info("%s ended: %s", run.name, run.state.message or run.state.name)
                    if run.state.is_crashed() and tries[number] < _TRIES:
                        tries[number] += 1
                        running[await _start(client, number, parts, parameters)] = number
            submissions = _count(engine)
            yield submissions
            now = (submissions, sorted(running), sorted(run.state_name or "" for run in runs))
            if now != last:
                last, moved_at = now, time.monotonic()
            elif time.monotonic() > moved_at + patience_seconds:
                reason = f"nothing was recorded for {patience_seconds:.0f} s: this run ingests the rest"
                for run_id in running:
                    await client.set_flow_run_state(run_id, Cancelled(message=reason), force=True)
                return
            await asyncio.sleep(_LOOK_SECONDS)


async def _start(
    client: PrefectClient, number: int, parts: Sequence[Sequence[str]], parameters: Mapping[str, Any]
) -> UUID:
    own = {**parameters, "partners": list(parts[number])}
    run = await arun_deployment(DEPLOYMENT, client=client, parameters=own, timeout=0, flow_run_name=name_of_run(own))
    return run.id


async def _read(client: PrefectClient, numbers: list[UUID]) -> list[FlowRun]:
    found = []
    # The server returns at most 200 at a time.
    for at in range(0, len(numbers), 200):
        some = FlowRunFilter(id=FlowRunFilterId(any_=numbers[at : at + 200]))
        found += await client.read_flow_runs(flow_run_filter=some)
    return found


def _count(engine: Engine) -> int:
    with reading(engine) as connection:
        return last_submission(connection)
