"""Runs that lost their worker, by what a real Prefect server knows of workers; what is under way is left alone."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("prefect_server")]

PROCESS = "process"


class Pool:
    """A work pool whose workers are only what the server has heard of them."""

    def __init__(self, client: "PrefectClient") -> None:
        self.name = f"pool-{uuid4()}"
        self.client = client

    async def begin(self) -> None:
        from prefect import flow
        from prefect.client.schemas.actions import WorkPoolCreate

        @flow
        def long() -> None:
            pass

        self.flow = long
        await self.client.create_work_pool(WorkPoolCreate(name=self.name, type="process"))
        flow_id = await self.client.create_flow(long)
        self.deployment = await self.client.create_deployment(flow_id, self.name, work_pool_name=self.name)

    async def hear_of(self, worker: str, seconds: int) -> None:
        """A heartbeat of a worker that promises one every so many seconds."""
        await self.client.send_worker_heartbeat(self.name, worker, heartbeat_interval_seconds=seconds)

    async def run(self, worker: str, state: Any, kind: str = PROCESS, parent: Any = None) -> Any:
        """A run that a worker took."""
        run = await self.client.create_flow_run_from_deployment(self.deployment, state=state, parent_task_run_id=parent)
        if worker:
            labels = {"prefect.worker.name": worker, "prefect.worker.type": kind}
            await self.client.update_flow_run_labels(run.id, labels)
        return run

    async def state_of(self, run: Any) -> str:
        return str((await self.client.read_flow_run(run.id)).state_name)


async def miss_heartbeats() -> None:
    """Let three heartbeats of a second pass, and the server look at its workers, as it does four times a minute."""
    from prefect.server.services.foreman import monitor_worker_health

    await asyncio.sleep(4)
    await monitor_worker_health()


def test_what_a_silent_worker_had_is_closed_after_one_more_heartbeat_and_nothing_else() -> None:
    from prefect import get_client, task
    from prefect.states import Cancelling, Pending, Running, Scheduled

    from flows.deployments.lost_runs import LostRuns

    @task
    def step() -> None:
        pass

    async def try_it() -> None:
        async with get_client() as client:
            pool, other = Pool(client), Pool(client)
            await pool.begin()
            await other.begin()
            await pool.hear_of("silent", 1)
            await pool.hear_of("there", 600)
            lost = [await pool.run("silent", state) for state in (Running(), Pending(), Cancelling())]
            inner = await client.create_task_run(step, lost[0].id, "0", state=Running())
            below = await client.create_flow_run(pool.flow, parent_task_run_id=inner.id, state=Running())
            # A part that another worker took was begun by the run, and lives.
            part = await pool.run("there", Running(), parent=inner.id)
            kept = [
                part,
                await pool.run("there", Running()),
                # Not for now: the server would call it Late after 15 seconds.
                await pool.run("silent", Scheduled(scheduled_time=datetime.now(UTC) + timedelta(hours=1))),
                await pool.run("silent", Running(), kind="kubernetes"),
                await pool.run("", Pending()),
                await other.run("silent", Running()),
            ]
            before = [await pool.state_of(run) for run in kept]
            runs = LostRuns(client, pool.name)
            assert await runs.close() == 0
            assert runs.has_workers
            await miss_heartbeats()
            assert await runs.close() == 0, "the server may have been away itself"
            await asyncio.sleep(1.1)
            assert await runs.close() == 4
            assert [await pool.state_of(run) for run in [*lost, below]] == ["Crashed"] * 4
            assert (await client.read_task_run(inner.id)).state_name == "Crashed"
            assert [await pool.state_of(run) for run in kept] == before
            message = (await client.read_flow_run(lost[0].id)).state.message  # type: ignore[union-attr]
            assert message == "The worker silent is offline."
            assert await runs.close() == 0

    asyncio.run(try_it())


def test_a_worker_that_is_heard_again_in_time_has_lost_nothing() -> None:
    from prefect import get_client
    from prefect.states import Running

    from flows.deployments.lost_runs import LostRuns

    async def try_it() -> None:
        async with get_client() as client:
            pool = Pool(client)
            await pool.begin()
            await pool.hear_of("a", 1)
            run = await pool.run("a", Running())
            runs = LostRuns(client, pool.name)
            await miss_heartbeats()
            assert await runs.close() == 0
            assert not runs.has_workers
            await pool.hear_of("a", 1)
            await asyncio.sleep(1.1)
            assert await runs.close() == 0
            assert runs.has_workers
            assert await pool.state_of(run) == "Running"

    asyncio.run(try_it())


def test_what_a_worker_had_before_it_was_started_again_is_closed() -> None:
    from prefect import get_client
    from prefect.states import Running

    from flows.deployments.lost_runs import LostRuns

    async def try_it() -> None:
        async with get_client() as client:
            pool = Pool(client)
            await pool.begin()
            await pool.hear_of("a", 600)
            before = await pool.run("a", Running())
            await asyncio.sleep(2.5)
            # It begins its first run in the moment in which it says that it started.
            first = await pool.run("a", Running())
            started_at = datetime.now(UTC)
            runs = LostRuns(client, pool.name)
            # One of the same name in another pool is another worker.
            await _say_that_it_started("a", f"not {pool.name}", started_at)
            assert await runs.close() == 0
            await _say_that_it_started("a", pool.name, started_at)
            assert await runs.close() == 1
            assert [await pool.state_of(run) for run in (before, first)] == ["Crashed", "Running"]

    asyncio.run(try_it())


async def _say_that_it_started(worker: str, pool: str, moment: datetime) -> None:
    """The event that a worker sends at its start, and wait until the server can be asked for it."""
    from prefect import get_client
    from prefect.events import Event, RelatedResource
    from prefect.events.clients import get_events_client
    from prefect.events.filters import EventFilter, EventIDFilter

    labels = {"prefect.resource.id": f"prefect.work-pool.{uuid4()}", "prefect.resource.role": "work-pool"}
    event = Event(
        event="prefect.worker.started",
        occurred=moment,
        resource={"prefect.resource.id": f"prefect.worker.process.{worker}", "prefect.resource.name": worker},  # type: ignore[arg-type]
        related=[RelatedResource.model_validate({**labels, "prefect.resource.name": pool})],
    )
    async with get_events_client() as events:
        await events.emit(event)
    async with get_client() as client:
        for _ in range(100):
            if (await client.read_events(EventFilter(id=EventIDFilter(id=[event.id])), limit=50)).events:
                return
            await asyncio.sleep(0.1)
    raise AssertionError("the server never showed the event")


def test_what_nobody_put_a_name_on_in_a_minute_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect import get_client
    from prefect.states import Pending

    from flows.deployments import lost_runs

    async def try_it() -> None:
        async with get_client() as client:
            pool = Pool(client)
            await pool.begin()
            run = await pool.run("", Pending())
            runs = lost_runs.LostRuns(client, pool.name)
            assert await runs.close() == 0
            monkeypatch.setattr(lost_runs, "_NAMELESS_SECONDS", 0.0)
            assert await runs.close() == 1
            assert await pool.state_of(run) == "Crashed"

    asyncio.run(try_it())
