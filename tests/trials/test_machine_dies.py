"""A machine dies in the middle of its part of a backfill: another begins the part again, and nothing seems to run."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.postgres import administer, database_url, drop_database
from tests.support.returns import PERIODS, make_national_plan, write_returns
from tests.trials.homes import Home
from tests.trials.machines import Machines
from warehouse.engine import open_warehouse, reading
from warehouse.schema.tables import submission

pytestmark = [pytest.mark.slow, pytest.mark.server]

PARTNERS = 40
_BACKFILL = "import asyncio; from flows.deployments.backfill import backfill; asyncio.run(backfill(**%r))"


class Death:
    """Two machines share a backfill, and the first dies in the middle of its part."""

    def __init__(self, home: Home, machines: Machines, returns: Path) -> None:
        self._home, self._machines = home, machines
        first = machines.worker("a")
        machines.worker("b")
        machines.wait_until(lambda: machines.online_workers() == 2)
        told = {"paths": [str(returns)], "workers": 1, "chunk_workbooks": 4, "spread": True}
        self._started_at = time.monotonic()
        self._by_hand = machines.start("-c", _BACKFILL % told)
        machines.wait_until(lambda: bool(self._of_first()))
        (part,) = self._of_first()
        self._partners = part["parameters"]["partners"]
        machines.wait_until(lambda: any(code in self._partners for code in self.partners_recorded()))
        machines.die(first)
        self._at = time.monotonic()

    def wait_until_the_end(self) -> float:
        """How many seconds after its worker went offline the part began again."""
        machines = self._machines
        machines.wait_until(lambda: machines.online_workers() == 1 or self._is_begun_again())
        offline_at = time.monotonic()
        machines.wait_until(self._is_begun_again)
        again_at = time.monotonic()
        machines.wait_until(lambda: self._by_hand.poll() is not None)
        assert self._by_hand.returncode == 0
        for what, at in {"offline": offline_at, "begun again": again_at, "all done": time.monotonic()}.items():
            print(f"{what} {at - self._at:.1f} s after it died, {at - self._started_at:.1f} s after all began")
        return again_at - offline_at

    def partners_recorded(self) -> list[str]:
        engine = open_warehouse(self._home.warehouse_url)
        with reading(engine) as connection:
            there = connection.dialect.has_table(connection, submission.name)
            codes = list(connection.scalars(select(submission.c.partner_code))) if there else []
        engine.dispose()
        return codes

    def runs_of_part(self) -> list[dict[str, Any]]:
        """In the order in which they were begun."""
        runs = [run for run in self._machines.runs() if run["parameters"].get("partners") == self._partners]
        return sorted(runs, key=lambda run: str(run["created"]))

    def _of_first(self) -> list[dict[str, Any]]:
        runs = [run for run in self._machines.runs() if run["state_type"] == "RUNNING"]
        return [run for run in runs if run["labels"].get("prefect.worker.name") == "a"]

    def _is_begun_again(self) -> bool:
        _, *again = self.runs_of_part()
        return any(run["start_time"] for run in again)


@pytest.fixture
def home(tmp_path: Path, postgres: str) -> Iterator[Home]:
    administer(postgres, "CREATE DATABASE dies")
    home = Home(tmp_path / "home", database_url(postgres, "dies"))
    home.folder.mkdir()
    yield home
    drop_database(postgres, "dies")


@pytest.fixture
def machines(home: Home, tmp_path: Path) -> Iterator[Machines]:
    plan = make_national_plan(tmp_path / "plan", PARTNERS, indicators=7, milestones=3)
    write_returns(tmp_path / "returns", plan, PARTNERS)
    with ExitStack() as running:
        machines = Machines(home, running)
        machines.environment |= {
            "CYPP_PLAN": str(tmp_path / "plan"),
            "PREFECT_WORKER_HEARTBEAT_SECONDS": "5",
            "PREFECT_WORKER_QUERY_SECONDS": "2",
        }
        machines.prefect("work-pool", "create", "cypp", "--type", "process")
        machines.prefect("--no-prompt", "deploy", "--all")
        yield machines


def test_another_begins_its_part_again(home: Home, machines: Machines, tmp_path: Path) -> None:
    death = Death(home, machines, tmp_path / "returns")
    assert death.wait_until_the_end() < 60
    crashed, completed = death.runs_of_part()
    assert (crashed["state_name"], completed["state_name"]) == ("Crashed", "Completed")
    assert crashed["state"]["message"] == "The worker a is offline."
    assert_that_all_is_there(death, machines)


def test_coming_back_at_once_does_not_hide_what_was_lost(home: Home, machines: Machines, tmp_path: Path) -> None:
    death = Death(home, machines, tmp_path / "returns")
    machines.worker("a")
    death.wait_until_the_end()
    crashed, completed = death.runs_of_part()
    assert (crashed["state_name"], completed["state_name"]) == ("Crashed", "Completed")
    assert crashed["state"]["message"] == "The worker a was started again."
    assert_that_all_is_there(death, machines)


def test_a_run_that_nobody_waits_for_is_closed_by_the_watcher(machines: Machines, tmp_path: Path) -> None:
    watcher = machines.start("-c", "from flows.cli.app import app; app()", "serve", "--poll")
    worker = machines.worker("a")
    machines.wait_until(lambda: machines.online_workers() == 1)
    told = ("-p", f"paths={json.dumps([str(tmp_path / 'returns')])}", "-p", "chunk_workbooks=4", "-p", "workers=1")
    machines.prefect("deployment", "run", "backfill/backfill", *told)

    def states() -> set[str]:
        return {run["state_type"] for run in machines.runs() if run["parameters"].get("chunk_workbooks") == 4}

    machines.wait_until(lambda: states() == {"RUNNING"})
    machines.die(worker)
    machines.wait_until(lambda: states() == {"CRASHED"})
    assert "RUNNING" not in {run["state_type"] for run in machines.runs("task_runs")}
    assert watcher.poll() is None


def assert_that_all_is_there(death: Death, machines: Machines) -> None:
    """Every return once, and nothing that seems to run still."""
    assert {*Counter(death.partners_recorded()).values()} == {len(PERIODS)}
    assert len({*death.partners_recorded()}) == PARTNERS
    for kind in ("flow_runs", "task_runs"):
        assert {run["state_type"] for run in machines.runs(kind)} <= {"COMPLETED", "CRASHED", "SCHEDULED"}
