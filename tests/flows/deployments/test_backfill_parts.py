"""The parts of a backfill and the slots for them, by what a real Prefect server says of a pool without real workers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from cypp_etl.periods import parse_period
from flows.bulk.sources import Part
from tests.flows.deployments.test_lost_runs import miss_heartbeats
from tests.support.samples import sample_of

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

TOLD = {"paths": ["/srv/returns"]}


@pytest.mark.parametrize(
    ("slots", "workbooks", "parts"),
    [
        pytest.param(2, 0, 2, id="never fewer than there are slots"),
        pytest.param(2, 2000, 2, id="as many as a part may have"),
        pytest.param(2, 2001, 4, id="one more: every slot gets a second part, so that all end together"),
        pytest.param(4, 5000, 8, id="in rounds"),
        pytest.param(0, 5000, 0, id="nobody can take any"),
    ],
)
def test_every_slot_gets_equally_many_parts(slots: int, workbooks: int, parts: int) -> None:
    from flows.deployments.backfill_parts import Slots

    assert Slots("cypp", slots).parts_for(workbooks, 1000) == parts


@dataclass
class Deployed:
    """The deployment for parts, on a work pool of its own."""

    client: "PrefectClient"
    pool: str
    deployment: UUID

    async def hear_of(self, worker: str, seconds: int = 600) -> None:
        await self.client.send_worker_heartbeat(self.pool, worker, heartbeat_interval_seconds=seconds)

    async def fall_silent(self) -> None:
        """Once there are parts, miss heartbeats."""
        while not await self.runs():
            await asyncio.sleep(0.3)
        await miss_heartbeats()

    async def limit(self, **settings: Any) -> None:
        from prefect.client.schemas.actions import WorkPoolUpdate

        await self.client.update_work_pool(self.pool, WorkPoolUpdate(**settings))

    async def limit_queue(self, limit: int | None, is_paused: bool = False) -> None:
        queue = (await self.client.read_work_pool(self.pool)).default_queue_id
        await self.client.update_work_queue(queue, concurrency_limit=limit, is_paused=is_paused)

    async def runs(self) -> "list[FlowRun]":
        """In the order in which they were made."""
        from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
        from prefect.client.schemas.sorting import FlowRunSort

        of_deployment = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[self.deployment]))
        return await self.client.read_flow_runs(flow_run_filter=of_deployment, sort=FlowRunSort.EXPECTED_START_TIME_ASC)


@asynccontextmanager
async def deployed() -> AsyncIterator[Deployed]:
    from prefect import get_client
    from prefect.client.schemas.actions import WorkPoolCreate

    async with get_client() as client:
        pool = f"pool-{uuid4()}"
        await client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        flow_id = await client.create_flow_from_name("backfill")
        number = await client.create_deployment(flow_id, "backfill-part", work_pool_name=pool)
        yield Deployed(client, pool, number)
        await client.delete_deployment(number)
        await client.delete_work_pool(pool)


@pytest.mark.server
@pytest.mark.usefixtures("prefect_server")
def test_slots_are_what_the_lowest_limit_leaves_and_other_runs_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect import flow
    from prefect.client.schemas.actions import DeploymentUpdate
    from prefect.states import Running

    from flows.deployments.backfill_parts import NoWorkersError, read_slots

    @flow
    def long() -> None:
        pass

    async def try_it() -> None:
        async with deployed() as made:

            async def slots() -> int:
                return (await read_slots(made.client)).count

            with pytest.raises(NoWorkersError, match="has no worker"):
                await slots()
            await made.hear_of("a")
            await made.hear_of("b")
            assert await slots() == 2, "without a limit one for each worker"
            await made.limit(concurrency_limit=5)
            assert await slots() == 5
            await made.limit_queue(4)
            assert await slots() == 4
            await made.client.update_deployment(made.deployment, DeploymentUpdate(concurrency_limit=3))
            assert await slots() == 3
            other = await made.client.create_flow_run_from_deployment(made.deployment, state=Running())
            assert await slots() == 3
            # The run that asks has a slot itself until its parts have ended.
            monkeypatch.setenv("PREFECT__FLOW_RUN_ID", str(other.id))
            assert await slots() == 2
            await made.limit(concurrency_limit=1)
            assert await slots() == 0
            await made.limit(concurrency_limit=5)
            monkeypatch.setenv("PREFECT__FLOW_RUN_ID", str((await made.client.create_flow_run(long)).id))
            assert await slots() == 3, "on no worker, it has no slot"
            monkeypatch.delenv("PREFECT__FLOW_RUN_ID")
            await made.limit_queue(0)
            with pytest.raises(NoWorkersError, match="a concurrency limit of 0"):
                await slots()
            await made.limit_queue(4, is_paused=True)
            with pytest.raises(NoWorkersError, match=f"run `prefect work-queue resume default --pool {made.pool}`"):
                await slots()
            await made.limit_queue(4)
            await made.limit(is_paused=True)
            with pytest.raises(NoWorkersError, match=f"run `prefect work-pool resume {made.pool}`"):
                await slots()

    asyncio.run(try_it())


@pytest.mark.server
@pytest.mark.usefixtures("prefect_server")
def test_what_a_part_has_done_is_what_its_own_run_shows_and_it_is_begun_three_times_at_most() -> None:
    from prefect import flow
    from prefect.client.schemas.actions import ArtifactCreate
    from prefect.states import Completed, Crashed

    from flows.deployments.backfill_parts import take_parts

    parts = [Part(["police"], 10), Part(["yos"], 30)]

    @flow
    async def share() -> list[int]:
        async with deployed() as made:
            await made.hear_of("a")
            seen = []
            async for done in take_parts(parts, TOLD, made.pool, patience_seconds=60):
                runs = await made.runs()
                first = [run for run in runs if run.parameters["partners"] == ["police"]]
                second = [run for run in runs if run.parameters["partners"] == ["yos"]]
                if not seen:
                    bar = ArtifactCreate(key="backfill", type="progress", data=50.0, flow_run_id=second[0].id)
                    await made.client.create_artifact(bar)
                elif len(seen) == 1:
                    await made.client.set_flow_run_state(second[0].id, Completed(), force=True)
                await made.client.set_flow_run_state(first[-1].id, Crashed(), force=True)
                seen.append(done)
            assert len([run for run in await made.runs() if run.parameters["partners"] == ["police"]]) == 3
            return seen

    seen = asyncio.run(share())
    assert seen == [0, 15, 30, 30]


@pytest.mark.server
@pytest.mark.usefixtures("prefect_server", "settings")
@pytest.mark.parametrize("seconds", [1, 600])
def test_what_no_worker_takes_is_ingested_by_the_run_itself(tmp_path: Path, seconds: int) -> None:
    """The worker goes offline, or stays online and has other things to do."""
    from flows.deployments.backfill import backfill

    for code in ("yos", "police"):
        folder = tmp_path / "returns" / code
        folder.mkdir(parents=True)
        (folder / "1.xlsx").write_bytes(sample_of(code, parse_period("2010-11Q1")))

    async def share() -> tuple[str, list[tuple[str, str]]]:
        async with deployed() as made:
            await made.hear_of("a", seconds)
            await made.limit(concurrency_limit=2)
            state, _ = await asyncio.gather(
                backfill(
                    [str(tmp_path / "returns")],
                    workers=1,
                    spread=True,
                    patience_seconds=2.0 if seconds > 1 else 600.0,
                    return_state=True,
                ),
                made.fall_silent(),
            )
            parts = await made.runs()
            return state.message, [(str(run.state_name), str(run.state and run.state.message)) for run in parts]

    message, parts = asyncio.run(share())
    assert message.startswith("2 accepted")
    assert [name for name, _ in parts] == ["Cancelled"] * 2
    why = "no worker is online" if seconds == 1 else "no worker took a part for 2 s"
    assert all(reason.startswith(why) for _, reason in parts)
