"""The flow `backfill`: thousands of workbooks in one run, chunk by chunk, which can be stopped and started again."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, cast

from prefect import flow, get_client, get_run_logger, task
from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    aupdate_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from prefect.states import Completed

from cypp_etl.escapes import for_log
from flows.bulk.chunks import CHUNK_WORKBOOKS, ChunkResult, into_chunks
from flows.bulk.process_pool import WorkerPool, WorkerSettings, preload_workers
from flows.bulk.sources import into_parts, sources_in
from flows.deployments.backfill_parts import PART_WORKBOOKS, name_of_run, read_slots, take_parts
from flows.deployments.parameter_forms import Choices, FormField
from flows.ingestion.context import Workplace, open_to_write
from flows.settings import read_settings
from warehouse.engine import reading, settle
from warehouse.queries.history import last_submission
from warehouse.recording.outstanding import shares_to_judge

# One progress update takes Prefect and its server as long as ten workbooks.
_SHOWN_EVERY_SECONDS = 2.0


@dataclass
class Backfilled:
    """The outcome of a backfill: workbooks by status, how many of them an earlier run had recorded, and failures.

    `before` is the number of the last submission when it started; `by_parts` is about how many the runs of its parts
    have done, and `left` is how many such a run leaves to the run that started it.
    """

    workbooks: int = 0
    before: int = 0
    by_parts: int = 0
    left: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    known: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, result: ChunkResult) -> None:
        """Add the outcome of a chunk."""
        self.failed += result.failed
        self.left += len(result.left)
        for done in result.done:
            self.statuses[done.status.value] += 1
            self.known += done.was_known and done.submission_id <= self.before
            self.findings.update(finding.code for finding in done.findings)

    @property
    def taken(self) -> int:
        """How many workbooks are done."""
        return max(self.statuses.total() + len(self.failed) + self.left, min(self.by_parts, self.workbooks))

    def __str__(self) -> str:
        counts = [f"{count:,} {status}" for status, count in sorted(self.statuses.items())]
        counts += [f"{self.known:,} of them recorded before"] if self.known else []
        counts += [f"{self.left:,} left for the end"] if self.left else []
        counts += [f"{len(self.failed):,} could not be read"] if self.failed else []
        return f"{', '.join(counts) or 'No workbooks'}, in {self.seconds:,.0f} s"


Listener = Callable[[ChunkResult, Backfilled], None]

listener: ContextVar[Listener | None] = ContextVar("listener", default=None)
"""Callback invoked after each chunk, in the process that runs the flow: the command line's progress bar."""


def _run_name() -> str:
    return name_of_run(flow_run.parameters)


@task(name="chunk", task_run_name="chunk {number} of {count}", cache_policy=NO_CACHE, persist_result=False)
async def wait_for_chunk(number: int, count: int, future: "Future[ChunkResult]") -> ChunkResult:
    """Wait until a chunk is recorded; the process pool does the work."""
    result = await asyncio.wrap_future(future)
    for path, message in result.failed:
        get_run_logger().warning("%s", for_log(f"{path} could not be read: {message}"))
    return result


@task(name="judge", task_run_name="judge {number} of {count}", cache_policy=NO_CACHE, persist_result=False)
async def wait_for_share(number: int, count: int, future: "Future[None]") -> None:
    """Wait until a share of the judgements is recorded; the process pool does the work."""
    await asyncio.wrap_future(future)


@flow(name="backfill", flow_run_name=_run_name, persist_result=False)
async def backfill(
    paths: Annotated[Sequence[str], FormField("Folders or files")],
    received_at: datetime | None = None,
    workers: Annotated[int | None, FormField("Processes")] = None,
    chunk_workbooks: int = CHUNK_WORKBOOKS,
    partners: Annotated[Sequence[str] | None, FormField("Only these partners", Choices.PARTNERS)] = None,
    spread: bool = False,
    part_workbooks: int = PART_WORKBOOKS,
    patience_seconds: float = 60.0,
) -> Backfilled:
    """Ingest all workbooks at some paths: archive, check and record each as `ingest-return` would, and leave it there.

    A workbook in a folder named after a partner belongs to that partner; elsewhere its cover names the partner. Run
    again, it skips what is already recorded.

    Args:
        paths: Where the workbooks are on the server: folders, with those below them, or files.
        received_at: When the workbooks came; now, if not given.
        workers: How many processes work side by side. As many as there are cores, if left empty.
        chunk_workbooks: How many workbooks are checked together and recorded in one transaction.
        partners: Take only what lies in folders named after these, and of that only what concerns nobody else. All, if
            left empty.
        spread: first have the partners ingested in parts, by runs of a deployment on its work pool; whatever the parts
            leave is ingested here at the end.
        part_workbooks: about how many workbooks a part has; fewer if there are slots for more parts.
        patience_seconds: stop waiting for the parts when no worker has taken one for this long.

    Raises:
        NoWorkersError: there are no workers to share the work.
    """
    started = time.monotonic()
    preload_workers()
    settings = read_settings()
    workplace = open_to_write(settings)
    if workplace.notice:
        get_run_logger().warning("%s.", workplace.notice)
    received_at = received_at or datetime.now(UTC)
    sources = sources_in([Path(path) for path in paths], workplace.plan.partners)
    if partners is not None:
        sources = [source for source in sources if source.folder_partner in partners]
    with reading(workplace.engine) as connection:
        backfilled = Backfilled(len(sources), last_submission(connection))
    progress = await cast(Any, acreate_progress_artifact)(0.0, key="backfill", description="Workbooks ingested")
    shown_at = -_SHOWN_EVERY_SECONDS

    async def show(result: ChunkResult) -> None:
        nonlocal shown_at
        backfilled.seconds = time.monotonic() - started
        if tell := listener.get():
            tell(result, backfilled)
        if backfilled.seconds - shown_at >= _SHOWN_EVERY_SECONDS or backfilled.taken == len(sources):
            shown_at = backfilled.seconds
            await cast(Any, aupdate_progress_artifact)(progress, 100 * backfilled.taken / max(1, len(sources)))

    if spread:
        async with get_client() as client:
            slots = await read_slots(client)
        parts = into_parts(sources, slots.parts_for(len(sources), part_workbooks))
        parameters = {
            "paths": list(paths),
            "received_at": received_at,
            "workers": workers,
            "chunk_workbooks": chunk_workbooks,
        }
        async for workbooks in take_parts(parts, parameters, slots.pool, patience_seconds):
            backfilled.by_parts = workbooks
            await show(ChunkResult())
    workplace.engine.dispose()
    pool = WorkerPool(
        WorkerSettings(settings, workplace.plan, received_at, own_only=partners is not None), workers or _cores()
    )
    chunks = list(into_chunks(sources, chunk_workbooks, pool.under_way))
    try:
        for number, future in enumerate(pool.take(chunks), start=1):
            result = await wait_for_chunk(number, len(chunks), future)
            backfilled.add(result)
            await show(result)
        await _judge_all(workplace, pool)
    finally:
        pool.stop()
        settle(workplace.engine)
    await _show(backfilled)
    return cast(Backfilled, Completed(message=str(backfilled), data=backfilled))


async def _judge_all(workplace: Workplace, pool: WorkerPool) -> None:
    """Make the judgements that the chunks, and any backfill that was stopped, have left."""
    with shares_to_judge(workplace.engine, workplace.plan) as shares:
        for number, future in enumerate(pool.judge(shares), start=1):
            await wait_for_share(number, len(shares), future)


def _cores() -> int:
    """How many cores this process may use; in a container, fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


async def _show(backfilled: Backfilled) -> None:
    lines = ["## Backfill", "", str(backfilled) + "."]
    if backfilled.findings:
        lines += ["", "| Finding | Times |", "|---|---|"]
        lines += [f"| `{code}` | {count:,} |" for code, count in backfilled.findings.most_common()]
    await cast(Any, acreate_markdown_artifact)(key="backfill-summary", markdown="\n".join(lines))
