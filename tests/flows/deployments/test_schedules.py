"""Schedules start runs: on a real server, with the schedule of a deployment that is served by its own process."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from flows.settings import Settings

ROOT = Path(__file__).parents[3]
SERVED = """
from flows.settings import prepare_prefect, read_settings
prepare_prefect(read_settings().home)
from prefect import serve
from flows.deployments.remind import remind
serve(remind.to_deployment("every-two-seconds", interval=2), limit=1)
"""


@pytest.fixture
def server(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Our own server, with the services that commands leave out; yields its log file."""
    (settings.home / "prefect").mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
    monkeypatch.setenv("PREFECT_HOME", str(settings.home / "prefect"))
    monkeypatch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    # Runs begin more often here than a busy machine can do them. Prefect would mark those that wait as late, while
    # others write: then SQLite refuses it, until the next time.
    monkeypatch.setenv("PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS", "600")
    log = tmp_path / "server.log"
    with log.open("wb") as written:
        command = [sys.executable, "-m", "flows.prefect_server.child", "127.0.0.1", str(port)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=written, stderr=subprocess.STDOUT)
        try:
            _wait(lambda: _answers(f"http://127.0.0.1:{port}/api/health"), 90)
            yield log
        finally:
            process.terminate()
            process.wait(20)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return answer.status == HTTPStatus.OK
    except OSError:
        return False


def _wait(is_so: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.3)


def _scheduled_runs() -> list[str]:
    """The states of the scheduled runs that have ended.

    Over HTTP: Prefect's client uses the server that was set when an earlier test in the process imported it.
    """
    runs = httpx.post(f"{os.environ['PREFECT_API_URL']}/flow_runs/filter", json={}, timeout=10).json()
    ended = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
    return [run["state_type"] for run in runs if run["auto_scheduled"] and run["state_type"] in ended]


@pytest.mark.server
@pytest.mark.trial
def test_a_schedule_begins_runs_and_the_server_has_no_error(server: Path, settings: Settings) -> None:
    from flows.ingestion.context import open_to_write

    open_to_write(settings).engine.dispose()
    process = subprocess.Popen([sys.executable, "-c", SERVED], cwd=ROOT, env={**os.environ}, start_new_session=True)
    try:
        _wait(lambda: _scheduled_runs().count("COMPLETED") >= 2, 180)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)
    assert set(_scheduled_runs()) == {"COMPLETED"}
    said = server.read_text("utf-8")
    assert "Traceback" not in said
    assert "| ERROR" not in said
