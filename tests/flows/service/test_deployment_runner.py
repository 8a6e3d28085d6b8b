"""What the runner brings to Prefect's server, and finds there."""

import asyncio
import shutil
from datetime import date, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

import cypp_etl
from cypp_etl.periods import parse_period
from flows.deployments.decisions.choices import stored_choices
from flows.deployments.parameter_forms import Choices, Lists
from flows.ingestion.context import open_to_write
from flows.settings import Settings
from flows.team.periods import close_period
from flows.team.plans import adopt_plan
from tests.warehouse.builders import checked, later, observation
from warehouse.recording.record import record

PLAN = Path(cypp_etl.__file__).parent / "plan" / "data"


@pytest.mark.parametrize(("installed", "is_there"), [({"server", "report"}, True), ({"server"}, False)])
def test_what_could_only_fail_for_want_of_an_extra_is_not_offered(
    installed: set[str], is_there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.service import deployment_runner

    monkeypatch.setattr(deployment_runner, "missing_extras", lambda extras: sorted(set(extras) - installed))
    names = [deployed.flow.name for deployed in deployment_runner.offered()]
    assert ("publish-report" in names) is is_there
    assert {"sweep-inbox", "ingest-return", "backfill", "remind"} <= set(names)


def test_the_lists_are_asked_for_again_once_something_is_recorded_or_decided(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.runner import Runner

    from flows.service import deployment_runner

    workplace, asked = open_to_write(settings), []

    def counted(connection: Connection, now: datetime) -> dict[Choices, dict[str, str]]:
        asked.append(now)
        return stored_choices(connection, now)

    monkeypatch.setattr(deployment_runner, "stored_choices", counted)
    registered = deployment_runner.Registered(settings, Runner("tried"))

    def look() -> tuple[int, Lists]:
        registered._as_of, registered._shown = registered._lists()
        return len(asked), registered._shown

    empty = look()
    assert look() == empty
    record(workplace.engine, checked("a", observation("NI 111a", "90")), workplace.plan, later(0))
    times, lists = look()
    assert (times, list(lists.names[Choices.SUBMISSIONS])) == (2, ["1 police, 2010/11 Q1, version 1"])
    assert look() == (times, lists)
    close_period(workplace, parse_period("2010-11Q1"), by="A")
    times, lists = look()
    assert (times, lists.names[Choices.CLOSED_PERIODS]) == (3, {"2010-11Q1": "2010/11 Q1"})
    assert look() == (times, lists)
    # What is waived until a day is asked about on the next.
    registered._as_of = (*registered._as_of[:-1], date(2010, 7, 1))
    assert look()[0] == 4


@pytest.mark.server
@pytest.mark.usefixtures("prefect_server")
def test_a_plan_that_is_put_in_force_brings_its_partners_to_the_forms(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect import get_client
    from prefect.runner import Runner

    from flows.service import deployment_runner

    monkeypatch.setattr(deployment_runner, "_LISTS_SECONDS", 0.2)
    open_to_write(settings).engine.dispose()
    folder = tmp_path / "plan"
    shutil.copytree(PLAN, folder)
    with (folder / "partners.csv").open("a", encoding="utf-8") as partners:
        partners.write("fire,Fire and Rescue Service\n")
    adopted = partial(adopt_plan, settings, folder, by="A. Officer", why="A new partner", may_change_settled=False)

    async def partners_in_the_form() -> list[str]:
        async with get_client() as client:
            schema = (await client.read_deployment_by_name("backfill/backfill")).parameter_openapi_schema
        found: list[str] = schema["properties"]["partners"]["items"]["enum"]
        return found

    async def try_it() -> tuple[list[str], list[str]]:
        registered = deployment_runner.Registered(settings, Runner("tried"))
        await registered.begin()
        before = await partners_in_the_form()
        await asyncio.to_thread(adopted)
        lists = asyncio.create_task(registered.keep_lists())
        for _ in range(100):
            await asyncio.sleep(0.2)
            if (after := await partners_in_the_form()) != before:
                break
        lists.cancel()
        return before, after

    before, after = asyncio.run(try_it())
    assert after == [*before, "fire"]


@pytest.mark.server
@pytest.mark.usefixtures("prefect_server")
def test_runs_of_a_killed_runner_are_closed_with_those_that_they_began_and_what_waits_is_left() -> None:
    from prefect import flow, get_client, task
    from prefect.states import Running

    from flows.service.stale_runs import close_runs_of

    @flow
    def killed() -> None:
        pass

    @task
    def began() -> None:
        pass

    async def close() -> list[str]:
        async with get_client() as client:
            flow_id = await client.create_flow(killed)
            ours = await client.create_deployment(flow_id, "ours")
            theirs = await client.create_deployment(flow_id, "theirs")
            running = await client.create_flow_run_from_deployment(ours, state=Running())
            step = await client.create_task_run(began, running.id, "0")
            below = await client.create_flow_run(killed, parent_task_run_id=step.id, state=Running())
            waiting = await client.create_flow_run_from_deployment(ours)
            of_others = await client.create_flow_run_from_deployment(theirs, state=Running())
            assert await close_runs_of([ours]) == 2
            runs = (running, below, waiting, of_others)
            return [str((await client.read_flow_run(run.id)).state_name) for run in runs]

    assert asyncio.run(close()) == ["Crashed", "Crashed", "Scheduled", "Running"]
