"""The child of `cypp serve` that serves its deployments: what is started in the UI, or is due, runs here.

`python -m flows.service.deployment_runner` is the child, with Prefect's own runner, which gives each run a process.
It ends with its parent.
"""

import asyncio
import os
import signal
import sys
import time
from datetime import UTC, date, datetime
from uuid import UUID

import httpx
from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.runner import Runner
from prefect.types.entrypoint import EntrypointType
from sqlalchemy.exc import SQLAlchemyError

from cypp_etl.plan.reader import PlanError
from flows.deployments.catalogue import CATALOGUE, DeploymentSpec, Schedule
from flows.deployments.decisions.choices import stored_choices
from flows.deployments.parameter_forms import Lists, form_of, lists_of
from flows.extras import missing_extras
from flows.ingestion.context import open_to_read
from flows.prefect_server.parent_pipe import when_parent_ends
from flows.service.serve import log_to_terminal
from flows.service.stale_runs import close_runs_of, forget_missed
from flows.service_log import log
from flows.settings import Settings, read_settings
from warehouse.engine import reading
from warehouse.queries.views import LastRecorded, last_recorded
from warehouse.upgrade import WarehouseStateError

# Each run is a process of 120 MiB and more; what does not fit in waits.
_MOST_RUNS = 3
# The longest time from a button to the start of its run.
_LOOK_SECONDS = 5.0
# How long a partner or a period that came with another plan may be missing from the lists.
_LISTS_SECONDS = 60.0
_END_SECONDS = 4.0


def offered() -> list[DeploymentSpec]:
    """What can be run with what is installed: a button that can only fail is not shown."""
    return [spec for spec in CATALOGUE if not missing_extras(spec.extras)]


async def deployment_of(client: PrefectClient, spec: DeploymentSpec, lists: Lists) -> RunnerDeployment:
    """A deployment as Prefect's runner serves it, under its flow's name, with the form that the UI shows for it.

    One that somebody paused in the UI stays paused.
    """
    try:
        is_paused = (await client.read_deployment_by_name(f"{spec.flow.name}/{spec.flow.name}")).paused
    except ObjectNotFound:
        is_paused = False
    made = RunnerDeployment.from_flow(
        spec.flow,
        name=spec.flow.name,
        description=spec.description,
        paused=is_paused,
        parameters=dict(spec.parameters),
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
        if spec.is_alone
        else None,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    made._parameter_openapi_schema = form_of(spec.flow, lists)
    # An empty list would take away what somebody added in the UI: `keep_schedule` looks after them.
    made.model_fields_set.discard("schedules")
    # Said outright, so that one that a work pool had is taken from it.
    made.work_pool_name = made.work_queue_name = None
    return made


async def keep_schedule(client: PrefectClient, deployment_id: UUID, schedule: Schedule | None) -> None:
    """See to it that a deployment has its schedule, once; what was changed, paused or added in the UI stays.

    Schedules of another name that the list had before are removed.
    """
    there = await client.read_deployment_schedules(deployment_id)
    for one in there:
        if one.slug and (schedule is None or one.slug != schedule.name):
            await client.delete_deployment_schedule(deployment_id, one.id)
    if schedule and schedule.name not in {one.slug for one in there}:
        cron = CronSchedule(cron=schedule.cron, timezone=schedule.timezone)
        await client.create_deployment_schedules(
            deployment_id, [DeploymentScheduleCreate(schedule=cron, slug=schedule.name)]
        )


class Registered:
    """The deployments as they are at the server, and the lists that their forms have."""

    def __init__(self, settings: Settings, runner: Runner) -> None:
        self._settings = settings
        self._runner = runner
        self._shown: Lists | None = None
        # What the warehouse had last when they were made, and on which day.
        self._as_of: tuple[LastRecorded, date] | None = None

    async def begin(self) -> None:
        """Bring the deployments to the server, and end what a predecessor left running there."""
        as_of, lists = await asyncio.to_thread(self._lists)
        numbers = []
        async with get_client() as client:
            for spec in offered():
                numbers.append(await self._runner.aadd_deployment(await deployment_of(client, spec, lists)))
                await keep_schedule(client, numbers[-1], spec.schedule)
        self._as_of, self._shown = as_of, lists
        if closed := await close_runs_of(numbers):
            log.info("%d runs that had been started in the UI or by a schedule are closed as Crashed.", closed)
        await forget_missed(numbers)

    async def keep_lists(self) -> None:
        """Show what the plan in force has, for as long as it takes."""
        while True:
            await asyncio.sleep(_LISTS_SECONDS)
            try:
                as_of, lists = await asyncio.to_thread(self._lists)
                if lists != self._shown:
                    async with get_client() as client:
                        for spec in offered():
                            await (await deployment_of(client, spec, lists)).aapply()
                self._as_of, self._shown = as_of, lists
            except (SQLAlchemyError, PlanError, WarehouseStateError, PrefectException, httpx.HTTPError) as fault:
                # The watcher says so too, and the next look may find them there again.
                log.debug("The lists of the forms stay as they are: %s", fault)

    def _lists(self) -> tuple[tuple[LastRecorded, date], Lists]:
        """The lists, and as of when; those that are shown, unless the warehouse or the day is another since."""
        workplace, now = open_to_read(self._settings), datetime.now(UTC)
        try:
            with reading(workplace.engine) as connection:
                as_of = (last_recorded(connection), now.date())
                if self._shown is not None and as_of == self._as_of:
                    return as_of, self._shown
                stored = stored_choices(connection, now)
        finally:
            workplace.engine.dispose()
        return as_of, lists_of(workplace.plan, now.date(), stored)


async def serve_deployments(settings: Settings) -> None:
    """Serve the deployments until SIGTERM.

    Raises:
        warehouse.upgrade.WarehouseStateError, cypp_etl.plan.reader.PlanError, sqlalchemy.exc.SQLAlchemyError,
            prefect.exceptions.PrefectException, httpx.HTTPError: plan, warehouse or server are out of reach.
    """
    # Paused by its end, it could not be told from what somebody paused in the UI.
    runner = Runner("cypp-serve", query_seconds=_LOOK_SECONDS, limit=_MOST_RUNS, pause_on_shutdown=False)
    registered = Registered(settings, runner)
    await registered.begin()
    log.info("Serving %s.", ", ".join(spec.flow.name for spec in offered()))
    lists = asyncio.create_task(registered.keep_lists())
    try:
        await runner.start(webserver=False)
    finally:
        lists.cancel()


def _end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_END_SECONDS)
    # With it, the runs that did not end.
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main() -> int:
    """Serve the deployments; gives the status with which the process ends."""
    when_parent_ends(_end)
    log_to_terminal()
    try:
        asyncio.run(serve_deployments(read_settings()))
    except (SQLAlchemyError, PlanError, WarehouseStateError, PrefectException, httpx.HTTPError) as fault:
        log.error("The deployments cannot be served now, which is tried again: %s", fault)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
