"""Several machines as docs/operate.md sets them up: a warehouse on PostgreSQL, and two workers on one inbox."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.postgres import administer, database_url, drop_database
from tests.trials.homes import Home, contents, drop, hashes, make_many_drops
from tests.trials.machines import Machines


@pytest.fixture(scope="module")
def drops() -> dict[str, bytes]:
    return make_many_drops()


@pytest.fixture
def home(tmp_path: Path, postgres: str, drops: dict[str, bytes]) -> Iterator[Home]:
    administer(postgres, "CREATE DATABASE workers")
    for second, (name, content) in enumerate(drops.items()):
        drop(tmp_path / "inbox" / name, content, 1_280_000_000 + second)
    yield Home(tmp_path, database_url(postgres, "workers"))
    drop_database(postgres, "workers")


@pytest.mark.slow
@pytest.mark.server
def test_two_workers_and_a_sweep_by_hand(home: Home, drops: dict[str, bytes]) -> None:
    last = sorted(drops)[-1]
    with ExitStack() as running:
        machines = Machines(home, running)
        machines.prefect("work-pool", "create", "cypp", "--type", "process")
        machines.prefect("--no-prompt", "deploy", "--all")
        for host in ("a", "b"):
            machines.start("-m", "prefect", "worker", "start", "--pool", "cypp", "--name", host, "--limit", "1")
        machines.prefect("deployment", "run", "sweep-inbox/sweep-inbox", "-p", "settle_seconds=0")
        path = json.dumps(str(home.folder / "inbox" / last))
        partner = last.partition("/")[0]
        machines.prefect(
            "deployment",
            "run",
            "ingest-return/ingest-return",
            *("-p", f'label="{last}"', "-p", f"file={path}", "-p", f'folder_partner="{partner}"'),
        )
        by_hand = machines.start("-c", "from flows.cli.app import app; app()", "ingest")
        machines.wait_until(lambda: by_hand.poll() is not None and not home.waiting())
        machines.wait_until(lambda: all(run["end_time"] for run in machines.runs() if run["name"] in {*drops}))
        runs = machines.runs()
    rows = contents(home.warehouse_url)["submission"]
    assert rows.total() == len(drops)
    assert len(home.replies()) == len(drops)
    assert hashes(drops) <= home.bytes_there()
    assert {run["name"] for run in runs} >= drops.keys()
    assert not [run for run in runs if run["state_name"] in {"Failed", "Crashed"}]
