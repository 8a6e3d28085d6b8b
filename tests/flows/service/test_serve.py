"""`cypp serve` as its users run it: drops become runs, kill -9 loses nothing, and others have no access."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cypp_etl.periods import parse_period
from flows.ingestion.context import open_to_write
from flows.ingestion.job import Steps
from flows.prefect_server.addresses import is_loopback, is_taken
from flows.prefect_server.server import PrefectServer, ServerError
from flows.settings import Settings
from tests.support.samples import sample_of

CYPP = [sys.executable, "-c", "from flows.cli.app import app; app()"]
PERIOD = parse_period("2010-11Q1")


class Served:
    """A home that is served."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.processes: list[subprocess.Popen[bytes]] = []
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]

    def start(self, *, deployments: bool = False, **settings: str) -> "subprocess.Popen[bytes]":
        """Start it, without the schedules that would sweep in the midst of a test, unless `deployments` says so.

        `settings` are variables of its environment.
        """
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("CYPP_", "PREFECT_"))}
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [*CYPP, "serve", "--port", str(self.port), *([] if deployments else ["--no-deployments"])],
                env=environment | {"CYPP_HOME": str(self.home)} | settings,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        self.wait_until(lambda: "Watching" in self.log.read_text() or process.poll() is not None)
        assert process.poll() is None, self.log.read_text()
        self.wait_until((self.home / "inbox" / "yos").is_dir)
        return process

    @property
    def log(self) -> Path:
        return self.home / "serve.log"

    def wait_until(self, what: Callable[[], bool], seconds: float = 90) -> None:
        give_up = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < give_up, self.log.read_text()
            time.sleep(0.05)

    def submissions(self) -> list[tuple[str, str]]:
        with sqlite3.connect(self.home / "warehouse.db") as warehouse:
            return warehouse.execute("SELECT partner_code, status FROM bi_submissions ORDER BY 1").fetchall()


def children_of(process: "subprocess.Popen[bytes]", program: str) -> list[int]:
    """The PIDs of the children of `cypp serve` that run a program, from any thread."""
    children = " ".join(path.read_text() for path in Path(f"/proc/{process.pid}/task").glob("*/children")).split()
    return [int(child) for child in children if program.encode() in Path(f"/proc/{child}/cmdline").read_bytes()]


def child_of(process: "subprocess.Popen[bytes]", program: str) -> int:
    """The PID of the only child of `cypp serve` that runs a program."""
    (found,) = children_of(process, program)
    return found


def server_of(process: "subprocess.Popen[bytes]") -> int:
    """Prefect's server."""
    return child_of(process, "flows.prefect_server.child")


def checker_of(process: "subprocess.Popen[bytes]") -> int:
    """The process that checks workbooks."""
    return child_of(process, "cypp_etl.checking.confined_child")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    for process in served.processes:
        process.kill()
        process.wait()


@pytest.mark.server
@pytest.mark.trial
def test_drops_are_taken_across_a_kill_and_the_killed_run_is_closed(served: Served, tmp_path: Path) -> None:
    process = served.start()
    inbox = served.home / "inbox"
    # A receipt does not wait for Prefect; the file stays until its run has been shown.
    os.kill(server_of(process), signal.SIGSTOP)
    (inbox / "yos" / "ours.xlsx").write_bytes(sample_of("yos", PERIOD))
    served.wait_until((inbox / "yos" / "replies" / "ours - accepted.xlsx").exists)
    assert (inbox / "yos" / "ours.xlsx").exists()
    os.kill(server_of(process), signal.SIGCONT)
    served.wait_until(lambda: not (inbox / "yos" / "ours.xlsx").exists())
    (inbox / "nhs" / "ours.xlsx").write_bytes(sample_of("nhs", PERIOD))
    served.wait_until(lambda: len(served.submissions()) == 2)
    process.kill()
    process.wait()
    (inbox / "police" / "ours.xlsx").write_bytes(sample_of("police", PERIOD))
    process = served.start()
    served.wait_until(lambda: "police/ours.xlsx: accepted" in served.log.read_text())
    partners = [("nhs", "accepted"), ("police", "accepted"), ("yos", "accepted")]
    assert served.submissions() == partners
    # Only the receipts are left, in the folders `replies`.
    served.wait_until(lambda: {path.parent.name for path in inbox.rglob("*.xlsx")} == {"replies"})
    second = subprocess.run(
        [*CYPP, "serve"], env=os.environ | {"CYPP_HOME": str(tmp_path)}, capture_output=True, check=False
    )
    assert (second.returncode, b"Another cypp serve" in second.stderr) == (2, True)
    ended = server_of(process)
    os.kill(ended, signal.SIGKILL)
    # For a moment after it was killed, the port is still in use and no server is running.
    served.wait_until(lambda: bool({*children_of(process, "flows.prefect_server.child")} - {ended}))
    served.wait_until(lambda: is_taken("127.0.0.1", served.port))
    assert "is being restarted" in served.log.read_text()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert "Stopped." in served.log.read_text()
    with sqlite3.connect(tmp_path / ".prefect" / "prefect.db") as prefect:
        unended = prefect.execute("SELECT name FROM flow_run WHERE state_type IN ('RUNNING', 'PENDING')").fetchall()
    assert unended == []
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", served.port), 1):
        pass


@pytest.mark.server
@pytest.mark.trial
def test_what_hangs_is_answered_and_holds_up_neither_others_nor_the_end(served: Served) -> None:
    process = served.start()
    inbox = served.home / "inbox"
    (inbox / "nhs" / "first.xlsx").write_bytes(sample_of("nhs", PERIOD))
    served.wait_until((inbox / "nhs" / "replies" / "first - accepted.xlsx").exists)
    os.kill(checker_of(process), signal.SIGSTOP)
    (inbox / "lscb" / "hangs.xlsx").write_bytes(sample_of("lscb", PERIOD))
    served.wait_until(lambda: bool(list((served.home / ".in-hand").iterdir())))
    dropped = time.monotonic()
    (inbox / "yos" / "good.xlsx").write_bytes(sample_of("yos", PERIOD))
    served.wait_until((inbox / "yos" / "replies" / "good - accepted.xlsx").exists)
    assert time.monotonic() - dropped < 30
    assert (inbox / "lscb" / "replies" / "hangs.xlsx - rejected.html").exists()

    os.kill(checker_of(process), signal.SIGSTOP)
    (inbox / "police" / "killed.xlsx").write_bytes(sample_of("police", PERIOD))
    served.wait_until(lambda: bool(list((served.home / ".in-hand").iterdir())))
    process.kill()
    process.wait()
    assert (inbox / "police" / "killed.xlsx").exists()
    process = served.start()
    served.wait_until((inbox / "police" / "replies" / "killed - accepted.xlsx").exists)

    # Prefect does not answer: the current run would wait for minutes.
    os.kill(server_of(process), signal.SIGSTOP)
    (inbox / "yos" / "last.xlsx").write_bytes(sample_of("yos", parse_period("2010-11Q2")))
    served.wait_until(lambda: bool(list((inbox / "yos" / "replies").glob("last - *"))))
    told = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert time.monotonic() - told < 20
    assert (inbox / "yos" / "last.xlsx").exists(), "its run is shown at the next start"


@pytest.mark.server
@pytest.mark.usefixtures("prefect_server")
def test_runs_that_nobody_will_end_are_closed() -> None:
    import asyncio

    from prefect import flow, get_client
    from prefect.states import Running

    from flows.service.stale_runs import close_leftovers

    @flow
    def killed() -> None:
        pass

    async def close() -> list[str]:
        async with get_client() as client:
            ours = await client.create_flow_run(killed, tags=["serve@here"], state=Running())
            others = await client.create_flow_run(killed, tags=["serve@there"], state=Running())
            assert await close_leftovers("serve@here") == 1
            return [str((await client.read_flow_run(run.id)).state_name) for run in (ours, others)]

    assert asyncio.run(close()) == ["Crashed", "Running"]


@pytest.mark.parametrize("host", ["10.0.0.1", "::", "192.168.1.2", "etl.example.org"])
def test_what_others_can_reach_needs_a_password(host: str) -> None:
    with pytest.raises(ServerError, match="PREFECT_SERVER_API_AUTH_STRING"):
        PrefectServer(host, 4200).prepare({})
    environment = {"PREFECT_SERVER_API_AUTH_STRING": "board:secret"}
    PrefectServer(host, 4200).prepare(environment)
    assert environment["PREFECT_API_AUTH_STRING"] == "board:secret"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_needs_none(host: str) -> None:
    assert is_loopback(host)
    PrefectServer(host, 4200).prepare({})


@pytest.fixture
def health() -> Iterator[HTTPServer]:
    """Another installation's server, as seen from outside: its health check succeeds."""

    class Well(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Well) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])  # noqa: S104 - only tried
def test_the_server_of_another_home_is_not_taken_for_ones_own(health: HTTPServer, host: str) -> None:
    server = PrefectServer(host, health.server_port)
    with pytest.raises(ServerError, match=f"port {health.server_port} is in use"):
        server.begin()
    assert not server.is_alive()


def test_a_home_whose_port_is_taken_is_not_served(health: HTTPServer, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CYPP_", "PREFECT_"))}
    ended = subprocess.run(
        [*CYPP, "serve", "--port", str(health.server_port)],
        env=environment | {"CYPP_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = f"cypp: Prefect's server cannot start: port {health.server_port} is in use; choose another with --port\n"
    assert (ended.returncode, ended.stderr) == (2, said)


def test_connections_of_one_that_ended_are_in_nobodys_way() -> None:
    with socket.create_server(("127.0.0.1", 0)) as ended:
        port = ended.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            # The system keeps the port of the side that closes first in use for a while.
            ended.accept()[0].close()
            assert client.recv(1) == b""
    assert not is_taken("127.0.0.1", port)


@pytest.mark.server
@pytest.mark.trial
def test_what_an_older_warehouse_has_lost_is_taken_before_it_watches(served: Served, settings: Settings) -> None:
    """As after a restore: the drop has left the inbox, and is in the archive with a note."""
    settings = replace(
        settings,
        home=served.home,
        inbox=served.home / "inbox",
        archive=served.home / "archive",
        warehouse_url=f"sqlite:///{served.home / 'warehouse.db'}",
    )
    open_to_write(settings).engine.dispose()
    shutil.copy(served.home / "warehouse.db", served.home / "older.db")
    dropped = settings.inbox / "yos" / "ours.xlsx"
    dropped.parent.mkdir(parents=True)
    dropped.write_bytes(sample_of("yos", PERIOD))
    workplace = open_to_write(settings)
    steps = Steps(workplace, dropped, "yos", datetime(2010, 7, 12, 9, tzinfo=UTC))
    steps.load()
    steps.take_away()
    workplace.engine.dispose()
    shutil.move(served.home / "older.db", served.home / "warehouse.db")

    served.start()
    assert served.submissions() == [("yos", "accepted")]
    log = served.log.read_text()
    assert "Taken from the archive: yos/ours.xlsx of 2010-07-12 09:00:00: accepted, as submission 2" in log
    assert log.index("Taken from the archive") < log.index("Watching")
    assert (settings.inbox / "yos" / "replies" / "ours - accepted.xlsx").exists()
