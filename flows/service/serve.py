"""`cypp serve`: one process that watches the inbox, with Prefect's server and UI as a child process.

The watcher has its own thread and event loop. The main thread handles signals, which Prefect would otherwise catch
while a flow runs, and monitors the server.
"""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cypp_etl.checking.confined import shared_checker
from cypp_etl.escapes import for_log
from flows.inbox.corrected_receipts import CorrectedReceipts
from flows.ingestion.cleanup import clear_leftovers
from flows.ingestion.context import open_to_write
from flows.ingestion.reconciliation import reconcile
from flows.mail.outbox import Outbox
from flows.mail.postman import Postman
from flows.mail.settings import MailSettings
from flows.prefect_server.server import PrefectServer, ServerError
from flows.service.health import Examiner
from flows.service.health_page import HealthPage, noted
from flows.service.home_lock import home_alone
from flows.service.metrics import Metrics
from flows.service.progress import Progress
from flows.service.served_deployments import ServedDeployments
from flows.service.service_manager import ServiceManager, tell
from flows.service.watcher import Watcher
from flows.service_log import about, log
from flows.settings import Settings

if TYPE_CHECKING:
    from flows.ingestion.context import Workplace

STOP_SECONDS = 10.0
"""How many seconds `cypp serve` may take to stop after a signal; docs/operate.md promises it."""


@dataclass(frozen=True, slots=True)
class Watching:
    """How the inbox is watched: the longest time between two scans, in seconds, and whether events trigger a scan."""

    interval: float = 10.0
    with_events: bool = True


def serve(
    settings: Settings,
    server: PrefectServer | None,
    watching: Watching,
    page: HealthPage,
    deployments: ServedDeployments | None = None,
    mail: MailSettings | None = None,
) -> None:
    """Watch the inbox until SIGINT or SIGTERM; the current workbook is finished first, within STOP_SECONDS.

    Args:
        settings: whose inbox.
        server: the Prefect server to start; None if the environment names a running one.
        watching: how.
        page: where its health and its metrics are shown, from before it looks for what a restore lost.
        deployments: what is served beside it; None where workers run what is started in the UI.
        mail: how receipts are sent by e-mail; None if they are not.

    Raises:
        flows.service.home_lock.AlreadyServedError, ServerError: it could not begin.
        cypp_etl.plan.reader.PlanError, sqlalchemy.exc.SQLAlchemyError, OSError: a fault in plan, warehouse or folder.
    """
    with home_alone(settings), _stopped_by_signals(_Ending(server, deployments)) as stopped, ExitStack() as open_pages:
        examiner = Examiner(settings, Progress(), stopped, watching.interval, server, deployments)
        metrics = Metrics(examiner.progress)
        metrics.show_health(examiner.health)
        address = open_pages.enter_context(page.shown(examiner.health, metrics.registry))
        open_pages.enter_context(noted(settings, address))
        workplace = open_to_write(settings)
        _reconcile(workplace, stopped)
        workplace.engine.dispose()
        settings.inbox.mkdir(parents=True, exist_ok=True)
        postman = _postman(settings, mail)
        if server:
            server.start()
        examiner.begin()
        try:
            _watch_until(examiner, metrics, watching, workplace.notice, postman)
        finally:
            tell("STOPPING=1")
            if deployments:
                deployments.stop()
            if server:
                server.stop()


def _postman(settings: Settings, mail: MailSettings | None) -> Postman | None:
    """Who sends the receipts; whoever ingests queues them while the outbox is open, and only then."""
    outbox = Outbox(settings.outbox)
    if mail is None:
        outbox.close()
        return None
    outbox.open()
    return Postman(mail, outbox)


def _reconcile(workplace: "Workplace", stopped: threading.Event) -> None:
    """Take what the archive holds and the warehouse does not know, before anything newer is taken."""
    done = reconcile(workplace, lambda taken: log.info("Taken from the archive: %s", taken), stopped.is_set)
    for sentence in done.left:
        log.warning("%s", sentence)


@contextmanager
def _stopped_by_signals(ending: "_Ending") -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; the second has its default effect."""
    stopped = threading.Event()
    former: dict[int, Any] = {}

    def stop(number: int, _frame: object) -> None:
        signal.signal(number, former[number])
        log.info("Stopping: the current workbook is finished first.")
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
    """Makes sure that the process ends in time after a signal, whatever it is waiting for."""

    def __init__(self, server: PrefectServer | None, deployments: ServedDeployments | None) -> None:
        self._server = server
        self._deployments = deployments
        self._timer = threading.Timer(STOP_SECONDS, self._end)
        self._timer.daemon = True

    def begin(self) -> None:
        """Start the time at the first signal."""
        if self._timer.ident is None:
            self._timer.start()

    def cancel(self) -> None:
        """The process ends by itself."""
        self._timer.cancel()

    def _end(self) -> None:
        log.error(
            "The current workbook was not finished in %.0f s, and is ingested again at the next start.", STOP_SECONDS
        )
        shared_checker().close()
        for child in (self._deployments, self._server):
            if child:
                child.kill()
        # Without waiting for locks, threads or handlers.
        os._exit(0)


def _watch_until(
    examiner: Examiner, metrics: Metrics, watching: Watching, notice: str, postman: Postman | None
) -> None:
    stopped, server, deployments = examiner.stopped, examiner.server, examiner.deployments
    failed: list[BaseException] = []

    def watch() -> None:
        try:
            asyncio.run(_watch(examiner, metrics, watching, notice, postman))
        except BaseException as fault:  # noqa: BLE001 - carried to the main thread, which raises it
            failed.append(fault)
            stopped.set()

    thread = threading.Thread(target=watch, name="watcher", daemon=True)
    thread.start()
    examiner.watcher = thread
    if deployments:
        deployments.begin()
    manager = ServiceManager(examiner)
    while not stopped.wait(1.0):
        manager.tell_when_due()
        if server and not server.is_alive():
            log.error("Prefect's server ended, and is being restarted.")
            _start_again(server)
        if deployments and deployments.begin_again():
            log.error("The deployment runner ended, and is being restarted.")
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
    else:
        log.info("Prefect's server is there again.", extra=about("cypp.server.restarted"))


async def _watch(
    examiner: Examiner, metrics: Metrics, watching: Watching, notice: str, postman: Postman | None
) -> None:
    settings, stopped = examiner.settings, examiner.stopped
    # Prefect reads its settings when it is imported: only now is it known where its server is.
    from prefect.logging.handlers import APILogHandler  # noqa: PLC0415

    from flows.service.dispatcher import Dispatcher, mark  # noqa: PLC0415
    from flows.service.event_log import EventLog  # noqa: PLC0415
    from flows.service.stale_runs import close_leftovers, close_runs_of_dead_workers  # noqa: PLC0415

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(target=_pass_on, args=(stopped, loop, stop), daemon=True).start()
    closed = await close_leftovers(mark())
    if closed:
        log.info("Closed as Crashed: %d runs that a killed cypp serve had left running.", closed)
    log.addHandler(EventLog())
    if postman:
        # Not waited for at the end: a server that does not answer would hold it up.
        threading.Thread(target=postman.run, args=(stopped,), name="postman", daemon=True).start()
    if notice:
        log.warning("%s.", notice, extra=about("cypp.plan.differs", reason=notice))
    dispatcher = Dispatcher(settings, stop, metrics)
    await asyncio.to_thread(lambda: clear_leftovers(settings, dispatcher.partners()))
    watcher = Watcher(
        settings.inbox,
        dispatcher.partners,
        dispatcher.ingest,
        watching.interval,
        watching.with_events,
        dispatcher.show_skipped,
        corrected=CorrectedReceipts(settings.receipts),
        progress=examiner.progress,
    )
    where = os.environ.get("PREFECT_UI_URL") or os.environ["PREFECT_API_URL"].removesuffix("/api")
    log.info("Watching %s. The runs are at %s/runs", settings.inbox, where)
    # Without deployments of its own, workers run them.
    beside = [asyncio.create_task(close_runs_of_dead_workers())] if examiner.deployments is None else []
    try:
        await watcher.run(stop)
    finally:
        for each in beside:
            each.cancel()
    # While the server is still there to receive them.
    await APILogHandler.aflush()
    log.info("Stopped.")


def _pass_on(stopped: threading.Event, loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    stopped.wait()
    if not loop.is_closed():
        loop.call_soon_threadsafe(stop.set)


class _OneLine(logging.Formatter):
    """One line for each entry, whatever a file's name or a text contains."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging gives it
        return for_log(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return "\n".join(map(for_log, super().formatException(ei).splitlines()))


def log_to_terminal() -> None:
    """Print the watcher's messages, with the time."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
