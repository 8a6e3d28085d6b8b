"""Processes each settled file: sends the receipt at once and starts the Prefect run in the background."""

import asyncio
import os
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import PurePath

import httpx
from prefect import tags
from prefect.exceptions import PrefectException
from sqlalchemy.exc import SQLAlchemyError

from cypp_etl.checking.confined import shared_checker
from cypp_etl.personal import shown_path
from cypp_etl.plan.reader import PlanError
from flows.deployments.artifacts import show_skipped
from flows.deployments.ingest_return import Ingested, showing
from flows.deployments.sweep_inbox import Swept, ingest_one
from flows.fault_line import fault_line
from flows.inbox.sweep import Waiting
from flows.ingestion.context import Workplace, open_existing, open_to_write
from flows.ingestion.job import Steps
from flows.ingestion.status_pages import refresh_status_pages
from flows.service.metrics import Metrics
from flows.service.progress import Progress
from flows.service.watcher import OutOfReachError
from flows.service_log import about, log
from flows.settings import Settings
from flows.storage.files import path_as_text
from flows.storage.room import is_full
from warehouse.stored_plans import NoStoredPlanError
from warehouse.upgrade import WarehouseStateError

# How long a check of plan and warehouse stays valid, unless something fails.
_LOOK_SECONDS = 10.0
# How long after an answer its partner's status is written: many returns come at once. Then it rests for so many times
# as long as it took: what partners wait for comes first.
_REFRESH_SECONDS, _REST = 1.0, 10.0


class Dispatcher:
    """Ingests each file as it is found, and shows it as a run.

    Runs queue. If Prefect's server delays a run, the runs behind it wait, but receipts do not.
    """

    def __init__(self, settings: Settings, stop: asyncio.Event, metrics: Metrics | None = None) -> None:
        self._settings = settings
        self._stop = stop
        self._metrics = metrics or Metrics(Progress())
        self._turn = asyncio.Lock()
        self._workplace: Workplace | None = None
        self._looked_at = 0.0
        self._was_there = False
        self._is_full = False
        self._to_refresh: set[str] = set()
        self._refreshing: asyncio.Task[None] | None = None
        # So that the first drop does not wait for it to start.
        shared_checker().prepare()

    def partners(self) -> Collection[str]:
        """The partners' codes, after checking plan and warehouse: no run is started that would fail.

        It waits for the database: call it in a thread.

        Raises:
            OutOfReachError: the warehouse cannot be reached, or this program cannot use it.
        """
        return self._open().plan.partners

    def _open(self) -> Workplace:
        now, known = time.monotonic(), self._workplace
        if known is not None and now - self._looked_at <= _LOOK_SECONDS:
            return known
        try:
            # Once it has existed, it is not created again, and nothing waits for a writer.
            opened = (open_existing if self._was_there else open_to_write)(self._settings)
        except (PlanError, NoStoredPlanError) as fault:
            in_short = "The plan in force cannot be read."
            raise OutOfReachError(str(fault), "cypp.plan.faulty", in_short) from fault
        except WarehouseStateError as fault:
            in_short = "The warehouse is missing, or older or newer than the program."
            raise OutOfReachError(str(fault), in_short=in_short) from fault
        except SQLAlchemyError as fault:
            raise OutOfReachError(str(fault)) from fault
        if known:
            known.engine.dispose()
        self._workplace, self._looked_at, self._was_there = opened, now, True
        return opened

    async def ingest(self, waiting: Waiting) -> asyncio.Future[bool]:
        """Start the run and do its steps first, until the partner has the receipt.

        Returns:
            A future that is done when the run has ended, and says whether the file is finished, accepted or not.
        """
        workplace = await asyncio.to_thread(self._open)
        steps = Steps(workplace, waiting.path, waiting.partner_code, datetime.now(UTC))
        run = asyncio.create_task(self._show(steps))
        ahead = asyncio.create_task(asyncio.to_thread(_answered, steps))
        await asyncio.wait([ahead])
        fault = ahead.exception()
        if fault is None:
            self._is_full = False
            self._metrics.answered(waiting.path, ahead.result())
            self._refresh_soon(waiting.partner_code)
        else:
            # The run reaches the same step, and retries it or fails.
            log.debug("%s: %s", waiting.path, fault)
            self._say_if_full(waiting, fault)
        return run

    def _refresh_soon(self, partner_code: str) -> None:
        """Have a partner's status written, together with that of the others who are answered meanwhile."""
        self._to_refresh.add(partner_code)
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        while self._to_refresh:
            await asyncio.sleep(_REFRESH_SECONDS)
            partner_codes, self._to_refresh = self._to_refresh, set()
            began, today = time.monotonic(), datetime.now(UTC).date()
            try:
                workplace = await asyncio.to_thread(self._open)
                troubles = await asyncio.to_thread(refresh_status_pages, workplace, partner_codes, today)
            except (OutOfReachError, SQLAlchemyError) as fault:
                # The next sweep writes what is not written now.
                troubles = [f"The partners' status cannot be written: {fault}."]
            for trouble in troubles:
                log.warning("%s", trouble)
            await asyncio.sleep(_REST * (time.monotonic() - began))

    def _say_if_full(self, waiting: Waiting, fault: BaseException) -> None:
        if is_full(fault) and not self._is_full:
            self._is_full = True
            file, line = path_as_text(waiting.path), fault_line(fault, self._settings)
            concern = about("cypp.inbox.disk-full", partner=waiting.partner_code, file=file, reason=line)
            log.error("%s. What is dropped stays in the inbox until there is room.", line, extra=concern)

    async def show_skipped(self, skipped: Sequence[Waiting]) -> bool:
        """Show in the UI what is left where it is; while Prefect's server is away it cannot be."""
        try:
            await show_skipped(skipped)
        except (PrefectException, httpx.HTTPError, RuntimeError, OSError) as fault:
            log.debug("The list of skipped files could not be shown: %s", fault)
            return False
        return True

    async def _show(self, steps: Steps) -> bool:
        began = time.monotonic()
        name = f"{steps.folder_partner}/{PurePath(shown_path(path_as_text(steps.path))).name}"
        swept = Swept()
        async with self._turn:
            if self._stop.is_set():
                # The file is still in the inbox: the next start recognises it, and shows it.
                return False
            try:
                with tags(mark()), showing(steps):
                    await ingest_one(steps.path, steps.folder_partner, swept, steps.received_at)
            except (PrefectException, httpx.HTTPError, RuntimeError, OSError) as fault:
                swept.failed.append((steps.path, f"Prefect's server does not answer: {fault}"))
        for _, message in swept.failed:
            self._workplace = None
            self._metrics.failed(steps.path)
            log.error("%s: failed. %s", name, message)
        for _, ingested in swept.ingested:
            self._metrics.answered(steps.path, ingested)
            findings = len(ingested.checked.findings)
            status = ingested.recorded.status.value
            log.info("%s: %s, findings: %d (%.1f s)", name, status, findings, time.monotonic() - began)
        return not swept.failed


def _answered(steps: Steps) -> Ingested:
    """Do the steps up to the receipt."""
    steps.reply()
    return Ingested(steps.check(), steps.load())


def mark() -> str:
    """The tag by which the next `cypp serve` on this machine recognises the runs of this one."""
    return f"serve@{os.uname().nodename}"
