"""Runs whose process is gone: Prefect leaves them Running for ever, and their concurrency slots taken.

A worker's machine that dies takes along whoever would have said so. Which worker took a run, whether that is online
and when it started, the server knows; what follows from it is decided here.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType, Worker, WorkerStatus
from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter
from prefect.states import Crashed

BEGUN = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
"""The states of what somebody works on, or is about to."""

MOST_AT_ONCE = 200
"""The largest number of runs that the server returns at a time."""

# The largest number of events that it does.
_MOST_EVENTS = 50
# What the server takes for a worker that does not say how often it sends a heartbeat.
_HEARTBEAT_SECONDS = 30
# Between taking a run and writing its name on it, a worker lets milliseconds pass.
_NAMELESS_SECONDS = 60.0
# A worker says that it started while it takes its first run already; after a kill, starting takes longer than this.
_START_SECONDS = 2.0


def in_state(kinds: list[StateType]) -> FlowRunFilterState:
    """Flow runs in some states."""
    return FlowRunFilterState(type=FlowRunFilterStateType(any_=kinds))


async def close_runs(client: PrefectClient, chosen: FlowRunFilter, reason: str) -> int:
    """Close the chosen flow runs as Crashed, with all that they began in their own process and that has not ended.

    Their process must be dead, and the filter must leave out what has ended. Says how many flow runs were closed.
    """
    closed = 0
    while runs := await client.read_flow_runs(flow_run_filter=chosen, limit=MOST_AT_ONCE):
        closed += await _close(client, runs, reason)
    return closed


async def _close(client: PrefectClient, runs: Sequence[FlowRun], reason: str) -> int:
    closed, numbers = len(runs), [run.id for run in runs]
    unended = TaskRunFilter(state=TaskRunFilterState(type=TaskRunFilterStateType(any_=BEGUN)))
    below = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=numbers), state=in_state(BEGUN))
    # What a worker began for them has a process of its own.
    while own := [run for run in await client.read_flow_runs(flow_run_filter=below) if not _worker_of(run)]:
        closed += await _close(client, own, reason)
    of_these = FlowRunFilter(id=FlowRunFilterId(any_=numbers))
    while steps := await client.read_task_runs(flow_run_filter=of_these, task_run_filter=unended):
        for step in steps:
            await client.set_task_run_state(step.id, Crashed(message=reason), force=True)
    for run in runs:
        await client.set_flow_run_state(run.id, Crashed(message=reason), force=True)
    return closed


class LostRuns:
    """The runs of a work pool that lost their worker. Ask again and again: it remembers which workers fell silent.

    `has_workers` says whether any worker was online when last asked.
    """

    def __init__(self, client: PrefectClient, pool: str) -> None:
        self.has_workers = True
        self._client = client
        self._pool = pool
        self._silent_since: dict[str, float] = {}

    async def close(self) -> int:
        """Close as Crashed what lost its worker since the last time, and say how many runs that were."""
        workers = {one.name: one for one in await self._client.read_workers_for_work_pool(self._pool)}
        self.has_workers = any(one.status is WorkerStatus.ONLINE for one in workers.values())
        runs = await self._client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=in_state(BEGUN)),
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[self._pool])),
            limit=MOST_AT_ONCE,
        )
        started = await self._started(runs)
        silent = self._silent(runs, workers)
        closed = 0
        for run in runs:
            if reason := _why_lost(run, silent, started):
                closed += await _close(self._client, [run], reason)
        return closed

    def _silent(self, runs: Sequence[FlowRun], workers: Mapping[str, Worker]) -> set[str]:
        """The workers of these runs that have been offline for one more heartbeat.

        When the server itself was away, all workers are offline until they have been heard again.
        """
        offline = {
            name: (workers[name].heartbeat_interval_seconds if name in workers else None) or _HEARTBEAT_SECONDS
            for name in map(_worker_of, runs)
            if name and (name not in workers or workers[name].status is not WorkerStatus.ONLINE)
        }
        now = time.monotonic()
        self._silent_since = {name: self._silent_since.get(name, now) for name in offline}
        return {name for name, seconds in offline.items() if now - self._silent_since[name] >= seconds}

    async def _started(self, runs: Sequence[FlowRun]) -> dict[str, datetime]:
        """When the workers of the pool last started, as far as that was after the oldest of these runs began."""
        began = [run.state.timestamp for run in runs if run.state]
        if not began:
            return {}
        since = EventOccurredFilter.model_validate({"since": min(began)})
        page = await self._client.read_events(
            EventFilter(event=EventNameFilter(name=["prefect.worker.started"]), occurred=since), limit=_MOST_EVENTS
        )
        return {
            event.resource.get("prefect.resource.name") or "": event.occurred
            # The newest come first.
            for event in reversed(page.events)
            if any(other.role == "work-pool" and other.name == self._pool for other in event.related)
        }


def _worker_of(run: FlowRun) -> str:
    return str(run.labels.get("prefect.worker.name", ""))


def _why_lost(run: FlowRun, silent: set[str], started: Mapping[str, datetime]) -> str:
    """How a run that was started has ended, or "" while it may still be running."""
    began = run.state.timestamp if run.state else datetime.now(UTC)
    name = _worker_of(run)
    if not name:
        is_over = run.state is not None and run.state.is_pending() and _seconds_since(began) > _NAMELESS_SECONDS
        return "The worker that took it is gone." if is_over else ""
    # Elsewhere, as in a container, a run outlives its worker.
    if run.labels.get("prefect.worker.type") != "process":
        return ""
    if name in silent:
        return f"The worker {name} is offline."
    if name in started and began + timedelta(seconds=_START_SECONDS) < started[name]:
        return f"The worker {name} was started again."
    return ""


def _seconds_since(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()
