"""A backfill over several machines: the partners in parts, and for each part a run of a deployment on a work pool.

No two parts hold workbooks of one partner, so whichever machine is faster, the warehouse ends with the same rows.
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
"""How many workbooks a part holds at the most, about: to start its run takes some seconds, to lose it that work."""

_TRIES = 3
_LOOK_SECONDS = 1.0


class NoWorkersError(ValueError):
    """Nobody is there to whom a backfill could be spread."""


def name_of_run(parameters: Mapping[str, Any]) -> str:
    """What a run of `backfill` is called, by what it is told."""
    name = "backfill of " + ", ".join(Path(path).name for path in parameters["paths"])
    partners = parameters.get("partners")
    return f"part of {name}, from {partners[0]} on" if partners else name


async def count_workers(client: PrefectClient) -> int:
    """How many workers are there for the parts of a backfill, one at the least.

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
    """Have each part taken by a run of its own, and say every second how many submissions there are, until all ended.

    A run whose process died is begun again, and goes on where that was. One that failed by itself is not, and where no
    run moves any more none is waited for: the caller takes what is left, and meets the fault if there is one.

    Args:
        parts: the codes of the partners of each part.
        parameters: what else the flow `backfill` is told.
        engine: the warehouse, which shows whether any run moves.
        patience_seconds: for how long nothing at all may move.
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
                reason = f"nothing moved for {patience_seconds:.0f} s: what is left is taken by the run that spreads"
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
    # The server gives 200 at a time at the most.
    for at in range(0, len(numbers), 200):
        some = FlowRunFilter(id=FlowRunFilterId(any_=numbers[at : at + 200]))
        found += await client.read_flow_runs(flow_run_filter=some)
    return found


def _count(engine: Engine) -> int:
    with reading(engine) as connection:
        return last_submission(connection)
