"""What `cypp serve` does about workers that died, on a real Prefect server; the trials kill real ones."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from tests.flows.deployments.test_backfill_parts import deployed


@pytest.mark.server
@pytest.mark.usefixtures("prefect_server")
def test_what_dead_workers_had_is_closed_as_soon_as_there_are_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.states import Running, Scheduled

    from flows.service import stale_runs

    monkeypatch.setattr(stale_runs, "_LOOK_SECONDS", 0.2)

    async def try_it() -> list[str]:
        # Where nobody has set up workers yet, it goes on looking.
        closing = asyncio.create_task(stale_runs.close_runs_of_dead_workers())
        await asyncio.sleep(1)
        async with deployed() as made:
            await made.hear_of("dead", 1)
            labels = {"prefect.worker.name": "dead", "prefect.worker.type": "process"}
            run = await made.client.create_flow_run_from_deployment(made.deployment, state=Running())
            await made.client.update_flow_run_labels(run.id, labels)
            # Not for now: the server calls it Late once nobody has begun it for 15 seconds.
            in_an_hour = Scheduled(scheduled_time=datetime.now(UTC) + timedelta(hours=1))
            await made.client.create_flow_run_from_deployment(made.deployment, state=in_an_hour)
            await made.fall_silent()
            for _ in range(300):
                if (await made.client.read_flow_run(run.id)).state_name != "Running":
                    break
                await asyncio.sleep(0.2)
            states = [str(each.state_name) for each in await made.runs()]
        # Its pool is gone too, which is no reason to stop.
        await asyncio.sleep(1)
        assert not closing.done()
        closing.cancel()
        with suppress(asyncio.CancelledError):
            await closing
        return sorted(states)

    assert asyncio.run(try_it()) == ["Crashed", "Scheduled"]
