"""`cypp serve`: one process that watches the inbox, with Prefect's server and UI beside it.

The watching has a thread and an event loop of its own. The main thread is left to the signals, which Prefect would
otherwise take for itself while a flow runs, and to looking after the server.
"""

import asyncio
import fcntl
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cypp_etl.checking.confined import shared_checker
from cypp_etl.escapes import for_log
from flows.service.prefect_server import PrefectServer, ServerError
from flows.service.served_deployments import ServedDeployments
from flows.service.watcher import Watcher, log
from flows.settings import Settings

STOP_SECONDS = 10.0
"""How long `cypp serve` may take to end once it was told to; docs/operate.md promises it."""


class AlreadyServedError(RuntimeError):
    """Another `cypp serve` works in this home."""


@dataclass(frozen=True, slots=True)
class Watching:
    """How the inbox is watched: how many seconds pass at the most between two looks, and whether events hurry them."""

    interval: float = 10.0
    with_events: bool = True


def serve(
    settings: Settings, server: PrefectServer | None, watching: Watching, deployments: ServedDeployments | None = None
) -> None:
    """Watch the inbox until SIGINT or SIGTERM; the workbook in hand is finished first, within STOP_SECONDS.

    Args:
        settings: whose inbox.
        server: the Prefect server to run; None where the environment names one that runs already.
        watching: how.
        deployments: what is served beside it; None where workers run what is started in the UI.

    Raises:
        AlreadyServedError, ServerError: it could not begin.
        cypp_etl.plan.reader.PlanError, sqlalchemy.exc.SQLAlchemyError, OSError: plan, warehouse or folder have faults.
    """
    from flows.ingestion.context import open_to_write

    with _alone(settings), _stopped_by_signals(_Ending(server, deployments)) as stopped:
        workplace = open_to_write(settings)
        workplace.engine.dispose()
        if workplace.notice:
            log.warning("%s.", workplace.notice)
        settings.inbox.mkdir(parents=True, exist_ok=True)
        if server:
            server.start()
        try:
            _watch_until(stopped, settings, server, watching, deployments)
        finally:
            if deployments:
                deployments.stop()
            if server:
                server.stop()


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold the home's lock, which the system releases however the process ends."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / ".serve.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            raise AlreadyServedError(f"Another cypp serve works in {settings.home}") from fault
        yield


@contextmanager
def _stopped_by_signals(ending: "_Ending") -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; the second does what it always does."""
    stopped = threading.Event()
    former: dict[int, Any] = {}

    def stop(number: int, _frame: object) -> None:
        signal.signal(number, former[number])
        log.info("Stopping: the workbook in hand is finished first.")
        stopped.set()
        ending.begin()

    for number in (signal.SIGINT, signal.SIGTERM):
        former[number] = signal.signal(number, stop)
    try:
        yield stopped
    finally:
        for caught, handler in former.items():
            signal.signal(caught, handler)
        ending.cancel()


class _Ending:
    """Sees to it that the process ends in time once it was told to, whatever it waits for."""

    def __init__(self, server: PrefectServer | None, deployments: ServedDeployments | None) -> None:
        self._server = server
        self._deployments = deployments
        self._timer = threading.Timer(STOP_SECONDS, self._end)
        self._timer.daemon = True

    def begin(self) -> None:
        """Let the time run, from the first signal on."""
        if self._timer.ident is None:
            self._timer.start()

    def cancel(self) -> None:
        """The process ends by itself."""
        self._timer.cancel()

    def _end(self) -> None:
        log.error("What was in hand did not end in %.0f s, and is taken again at the next start.", STOP_SECONDS)
        shared_checker().close()
        for child in (self._deployments, self._server):
            if child:
                child.kill()
        # No lock, thread or handler is waited for.
        os._exit(0)


def _watch_until(
    stopped: threading.Event,
    settings: Settings,
    server: PrefectServer | None,
    watching: Watching,
    deployments: ServedDeployments | None,
) -> None:
    failed: list[BaseException] = []

    def watch() -> None:
        try:
            asyncio.run(_watch(settings, watching, stopped))
        except BaseException as fault:  # noqa: BLE001 - carried to the main thread, which raises it
            failed.append(fault)
            stopped.set()

    thread = threading.Thread(target=watch, name="watcher", daemon=True)
    thread.start()
    if deployments:
        deployments.begin()
    while not stopped.wait(1.0):
        if server and not server.is_alive():
            log.error("Prefect's server ended, and is started again.")
            _start_again(server)
        if deployments and deployments.begin_again():
            log.error("What serves the deployments ended, and is started again.")
    if deployments:
        # Its runs end while the workbook in hand is finished.
        deployments.tell_to_end()
    thread.join()
    if failed:
        raise failed[0]


def _start_again(server: PrefectServer) -> None:
    try:
        server.start()
    except ServerError as fault:
        log.error("%s", fault)


async def _watch(settings: Settings, watching: Watching, stopped: threading.Event) -> None:
    from prefect.logging.handlers import APILogHandler

    from flows.ingestion.cleanup import clear_leftovers
    from flows.service.dispatcher import Doings, mark
    from flows.service.stale_runs import close_leftovers

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(target=_pass_on, args=(stopped, loop, stop), daemon=True).start()
    closed = await close_leftovers(mark())
    if closed:
        log.info("%d runs that a killed predecessor left running are closed as Crashed.", closed)
    doings = Doings(settings, stop)
    await asyncio.to_thread(lambda: clear_leftovers(settings, doings.partners()))
    watcher = Watcher(
        settings.inbox, doings.partners, doings.ingest, watching.interval, watching.with_events, doings.show_skipped
    )
    where = os.environ.get("PREFECT_UI_URL") or os.environ["PREFECT_API_URL"].removesuffix("/api")
    log.info("Watching %s. The runs are at %s/runs", settings.inbox, where)
    await watcher.run(stop)
    # While the server is still there to take them.
    await APILogHandler.aflush()
    log.info("Stopped.")


def _pass_on(stopped: threading.Event, loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    stopped.wait()
    if not loop.is_closed():
        loop.call_soon_threadsafe(stop.set)


class _OneLine(logging.Formatter):
    """One line for each entry, whatever a file's name or a text in it holds."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging gives it
        return for_log(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return "\n".join(map(for_log, super().formatException(ei).splitlines()))


def log_to_terminal() -> None:
    """Print what the watcher says, with the time."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
