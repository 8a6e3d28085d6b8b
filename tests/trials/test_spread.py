"""A backfill shared by two workers of a pool ends with the same rows as one by one, even if a worker is killed."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cypp_etl.plan.model import Plan
from flows.bulk.sources import Source, sources_in
from flows.settings import Settings
from tests.flows.backfilled import ingest_one_by_one, recorded_files, settings_of
from tests.flows.returned import make_folder, make_plan
from tests.postgres import administer, database_url, drop_database
from tests.trials.homes import Home, contents
from tests.trials.machines import Machines
from warehouse.engine import open_warehouse, reading
from warehouse.schema.tables import submission

pytestmark = [pytest.mark.slow, pytest.mark.server]

SEED = 20100401


@dataclass(frozen=True)
class Returns:
    """A folder of returns, some outside partners' folders, its plan, and the home in which they are ingested."""

    folder: Path
    plan_folder: Path
    plan: Plan
    home: Home

    def in_order_of_recording(self) -> list[Source]:
        sources = {source.path: source for source in sources_in([self.folder], self.plan.partners)}
        return [sources[file] for file in recorded_files(self.home.warehouse_url)]

    def settings(self, url: str) -> Settings:
        return settings_of(self.folder.parent / "one by one", url, self.plan_folder)


@pytest.fixture
def returns(tmp_path: Path, postgres: str) -> Iterator[Returns]:
    administer(postgres, "CREATE DATABASE spread")
    plan = make_plan(tmp_path / "plan")
    folder = tmp_path / "returns"
    make_folder(folder, plan, SEED)
    # One partner's return in another's folder: it concerns both, so neither part may ingest it.
    first, second, *_ = sorted(path for path in folder.iterdir() if path.name.startswith("partner"))
    (first / "2010 strayed.xlsx").write_bytes(min(second.glob("20*Q1.xlsx")).read_bytes())
    home = Home(tmp_path / "home", database_url(postgres, "spread"))
    home.folder.mkdir()
    yield Returns(folder, tmp_path / "plan", plan, home)
    drop_database(postgres, "spread")


@pytest.fixture
def machines(returns: Returns) -> Iterator[Machines]:
    with ExitStack() as running:
        machines = Machines(returns.home, running)
        machines.environment["CYPP_PLAN"] = str(returns.plan_folder)
        machines.prefect("work-pool", "create", "cypp", "--type", "process")
        machines.prefect("--no-prompt", "deploy", "--all")
        yield machines


def parts(machines: Machines) -> list[dict[str, Any]]:
    return [run for run in machines.runs() if run["name"].startswith("part of backfill of returns")]


def assert_as_one_by_one(returns: Returns) -> None:
    order = returns.in_order_of_recording()
    assert len(order) == len(set(order)) == len(sources_in([returns.folder], returns.plan.partners))
    for code in {source.folder_partner for source in order} - {""}:
        own = [one.path for one in order if one.folder_partner == code and "strayed" not in one.path]
        assert own == sorted(own), "a partner's come in the order of their paths"
    url = f"sqlite:///{returns.folder.parent / 'one by one.db'}"
    ingest_one_by_one(returns.settings(url), order)
    ours, theirs = contents(returns.home.warehouse_url, judged_then=False), contents(url, judged_then=False)
    for table in theirs.keys() - {"finding", "view_version"}:
        assert ours[table] == theirs[table], table
    # A finding may name another submission by its number, and a killed run leaves gaps in PostgreSQL's.
    assert ours["finding"].total() == theirs["finding"].total()


def test_two_workers_share_it(returns: Returns, machines: Machines) -> None:
    for host in ("a", "b"):
        machines.worker(host)
    machines.wait_until(lambda: machines.online_workers() == 2)
    by_hand = machines.start("-c", "from flows.cli.app import app; app()", "backfill", str(returns.folder), "--spread")
    machines.wait_until(lambda: by_hand.poll() is not None)
    assert by_hand.returncode == 1, "some returns are rejected"
    first, second = parts(machines)
    assert (first["state_name"], second["state_name"]) == ("Completed", "Completed")
    assert {*first["parameters"]["partners"]}.isdisjoint(second["parameters"]["partners"])
    assert first["infrastructure_pid"] != second["infrastructure_pid"]
    assert_as_one_by_one(returns)


def test_a_part_is_killed_and_begun_again(returns: Returns, machines: Machines) -> None:
    machines.worker("a")
    machines.wait_until(lambda: machines.online_workers() == 1)
    parameters = {"paths": [str(returns.folder)], "chunk_workbooks": 4, "spread": True, "part_workbooks": 20}
    by_hand = machines.start(
        "-c", f"import asyncio; from flows.deployments.backfill import backfill; {_RUN % parameters}"
    )
    machines.wait_until(lambda: how_many(returns.home) > 0)
    killed = next(run for run in parts(machines) if run["state_type"] == "RUNNING")
    os.kill(int(killed["infrastructure_pid"].rpartition(":")[2]), signal.SIGKILL)
    machines.wait_until(lambda: by_hand.poll() is not None)
    assert by_hand.returncode == 0
    again = [run for run in parts(machines) if run["parameters"]["partners"] == killed["parameters"]["partners"]]
    assert sorted(run["state_name"] for run in again) == ["Completed", "Crashed"]
    assert_as_one_by_one(returns)


_RUN = "asyncio.run(backfill(**%r))"


def how_many(home: Home) -> int:
    engine = open_warehouse(home.warehouse_url)
    try:
        with reading(engine) as connection:
            there = connection.dialect.has_table(connection, submission.name)
            return len(connection.execute(select(submission.c.submission_id)).all()) if there else 0
    finally:
        engine.dispose()
