"""A warehouse on PostgreSQL that goes down and comes back: no file is lost, and none is recorded twice."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cypp_etl.periods import parse_period
from flows.ingestion.context import Workplace
from flows.settings import Settings
from tests.postgres import Postgres, administer, database_url, drop_database, running_postgres
from tests.support.samples import sample_of
from warehouse.engine import open_warehouse, reading

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("prefect_server")]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def url(server: Postgres, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    administer(server.url, "CREATE DATABASE gone")
    url = database_url(server.url, "gone")
    monkeypatch.setenv("CYPP_WAREHOUSE_URL", url)
    yield url
    drop_database(server.url, "gone")


@pytest.fixture
def drop(settings: Settings) -> Path:
    drop = settings.inbox / "yos" / "our return.xlsx"
    drop.parent.mkdir(parents=True)
    drop.write_bytes(sample_of("yos", parse_period("2010-11Q1")))
    return drop


def sweep() -> Any:
    from flows.deployments.sweep_inbox import sweep_inbox

    return asyncio.run(_finished(sweep_inbox()))


async def _finished(run: Any) -> Any:
    return await run


def submissions(url: str) -> list[str]:
    with reading(open_warehouse(url)) as connection:
        return list(connection.scalars(text("SELECT status FROM bi_submissions")))


@pytest.mark.parametrize("step", [pytest.param("check", marks=pytest.mark.trial), "load"])
def test_a_step_is_tried_again(
    server: Postgres, url: str, drop: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    done = getattr(Workplace, step)
    tries = 0

    def while_it_goes(*arguments: Any) -> Any:
        nonlocal tries
        tries += 1
        if tries > 1:
            return done(*arguments)
        server.stop()
        try:
            return done(*arguments)
        finally:
            server.start()

    monkeypatch.setattr(Workplace, step, while_it_goes)
    swept = sweep()
    assert [one.recorded.status.value for _, one in swept.ingested] == ["accepted"]
    assert tries == 2
    assert not drop.exists()
    assert submissions(url) == ["accepted"]


def test_what_fails_stays_for_the_next_sweep(server: Postgres, url: str, drop: Path) -> None:
    from flows.deployments.ingest_return import ingest_return

    server.stop()
    label = "yos/our return.xlsx"
    state = asyncio.run(_finished(ingest_return(label, str(drop), "yos", return_state=True)))
    assert (state.name, drop.exists()) == ("Failed", True)
    server.start()
    assert len(sweep().ingested) == 1
    assert not drop.exists()
    assert submissions(url) == ["accepted"]


def test_the_watcher_takes_nothing_until_it_is_back(server: Postgres, url: str, drop: Path) -> None:
    from flows.service.dispatcher import Dispatcher
    from flows.service.watcher import Watcher
    from flows.settings import read_settings

    async def watch() -> None:
        stop = asyncio.Event()
        dispatcher = Dispatcher(read_settings(), stop)
        watcher = Watcher(drop.parents[1], dispatcher.partners, dispatcher.ingest, interval=0.2, with_events=False)
        server.stop()
        running = asyncio.create_task(watcher.run(stop))
        await asyncio.sleep(1.5)
        assert drop.exists()
        await asyncio.to_thread(server.start)
        give_up = time.monotonic() + 60
        while drop.exists():
            assert time.monotonic() < give_up
            await asyncio.sleep(0.05)
        stop.set()
        await running

    asyncio.run(watch())
    assert submissions(url) == ["accepted"]
