"""When not in use, the warehouse is one file."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cypp_etl.periods import parse_period
from tests.support.samples import sample_of

COMMAND = [sys.executable, "-c", "from flows.cli.app import app; app()"]


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("returns") / "yos.xlsx"
    path.write_bytes(sample_of("yos", parse_period("2010-11Q1")))
    return path


def environment(home: Path, **more: str) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith(("CYPP_", "PREFECT_"))}
    return others | {"CYPP_HOME": str(home)} | more


def cypp(home: Path, server: str, *arguments: str) -> None:
    """Run a command, whose flows are recorded on a server that runs already."""
    names = environment(home, PREFECT_API_URL=server)
    subprocess.run([*COMMAND, *arguments], env=names, capture_output=True, check=False)


def submissions_in_the_file_alone(home: Path, aside: Path) -> int:
    """The number of submissions in a copy of the warehouse's file."""
    assert [path.name for path in home.glob("warehouse.db*")] == ["warehouse.db"]
    copy = shutil.copy(home / "warehouse.db", aside / "copy.db")
    with sqlite3.connect(copy) as alone:
        count: int = alone.execute("SELECT count(*) FROM submission").fetchone()[0]
    return count


@pytest.mark.server
def test_a_command_that_ends_leaves_one_whole_file(tmp_path: Path, workbook: Path, prefect_server: str) -> None:
    home = tmp_path / "home"
    cypp(home, prefect_server, "upgrade")
    assert submissions_in_the_file_alone(home, tmp_path) == 0
    cypp(home, prefect_server, "ingest", str(workbook))
    assert submissions_in_the_file_alone(home, tmp_path) == 1
    cypp(home, prefect_server, "status")
    assert submissions_in_the_file_alone(home, tmp_path) == 1
    cypp(home, prefect_server, "publish", "2010-11Q1")
    assert submissions_in_the_file_alone(home, tmp_path) == 1


@pytest.mark.server
def test_a_backfill_whose_workers_are_ended_leaves_one_whole_file(
    tmp_path: Path, workbook: Path, prefect_server: str
) -> None:
    cypp(tmp_path / "home", prefect_server, "backfill", str(workbook), "--workers", "2")
    assert submissions_in_the_file_alone(tmp_path / "home", tmp_path) == 1


@pytest.mark.server
@pytest.mark.trial
def test_the_demo_leaves_one_whole_file(tmp_path: Path, prefect_server: str) -> None:
    cypp(tmp_path, prefect_server, "demo", "--folder", str(tmp_path / "demo"))
    assert submissions_in_the_file_alone(tmp_path / "demo", tmp_path) > 10


@pytest.mark.server
@pytest.mark.trial
def test_a_service_that_is_stopped_leaves_one_whole_file(tmp_path: Path, workbook: Path) -> None:
    home = tmp_path / "home"
    drop = home / "inbox" / "yos" / "yos.xlsx"
    drop.parent.mkdir(parents=True)
    shutil.copy(workbook, drop)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [*COMMAND, "serve", "--port", str(port)]
    with subprocess.Popen(
        command, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as service:
        try:
            give_up = time.monotonic() + 180
            while drop.exists():
                assert service.poll() is None
                assert time.monotonic() < give_up
                time.sleep(0.2)
        finally:
            service.send_signal(signal.SIGTERM)
        assert service.wait(60) == 0
    assert submissions_in_the_file_alone(home, tmp_path) == 1
