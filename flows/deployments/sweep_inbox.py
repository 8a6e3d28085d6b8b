"""The flow `sweep-inbox`: ingests the inbox; files that cannot be ingested are left in place and logged."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Annotated, cast

from prefect import flow, get_run_logger, tags
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed
from sqlalchemy.exc import SQLAlchemyError

from cypp_etl.escapes import for_log
from cypp_etl.personal import shown_path
from flows.deployments.artifacts import show_skipped
from flows.deployments.ingest_return import Ingested, ingest_return
from flows.deployments.parameter_forms import FormField
from flows.fault_line import fault_line
from flows.inbox.corrected_receipts import CorrectedReceipts
from flows.inbox.stray_files import answer_strays
from flows.inbox.sweep import Waiting, make_folders, sweep
from flows.ingestion.cleanup import clear_leftovers
from flows.ingestion.context import Workplace, open_existing, open_to_write
from flows.ingestion.status_pages import refresh_status_pages
from flows.settings import Settings, read_settings
from flows.storage.files import path_as_text, path_from_text
from warehouse.engine import reading
from warehouse.recording.outstanding import is_abandoned, judge_outstanding
from warehouse.upgrade import WarehouseStateError


@dataclass
class Swept:
    """The outcome of a sweep: workbooks that were ingested, that failed (our error, retried), and that were left."""

    ingested: list[tuple[Path, Ingested]] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)
    left: list[Waiting] = field(default_factory=list)


def _sweep_name() -> str:
    return f"sweep of {datetime.now(UTC):%Y-%m-%d %H:%M}"


def _files_name() -> str:
    files = flow_run.parameters["files"]
    first = for_log(PurePath(shown_path(files[0][0])).name) if files else "no files"
    return first if len(files) < 2 else f"{first} and {len(files) - 1} more"


@flow(name="sweep-inbox", flow_run_name=_sweep_name, persist_result=False)
async def sweep_inbox(
    settle_seconds: Annotated[float, FormField("Seconds untouched")] = 0.0, received_at: datetime | None = None
) -> Swept:
    """Ingest whatever is in the inbox. The folder is the truth: what a sweep misses, the next one finds.

    What a backfill that was stopped has left unjudged is judged first.

    Args:
        settle_seconds: For how long nobody may have written to a file, so that none is read half copied.
        received_at: when the files arrived; now if not given.
    """
    settings = read_settings()
    workplace = await asyncio.to_thread(open_to_write, settings)
    if workplace.notice:
        get_run_logger().warning("%s.", workplace.notice)
    plan = workplace.plan
    swept = Swept()
    await asyncio.to_thread(clear_leftovers, settings, plan.partners)
    await asyncio.to_thread(_judge_abandoned, workplace)
    now = datetime.now(UTC).timestamp()
    await asyncio.to_thread(make_folders, settings.inbox, plan.partners)
    corrected = CorrectedReceipts(settings.receipts)
    lying = await asyncio.to_thread(lambda: list(sweep(settings.inbox, plan.partners, now, settle_seconds, corrected)))
    strays = [waiting.path for waiting in lying if waiting.is_stray]
    try:
        await asyncio.to_thread(answer_strays, settings.inbox, strays, plan.partners, now)
    except OSError as fault:
        get_run_logger().warning("What lies beside the partners' folders cannot be answered: %s.", fault)
    for waiting in lying:
        if waiting.reason:
            get_run_logger().warning("%s is left in place: %s.", for_log(path_as_text(waiting.path)), waiting.reason)
            swept.left.append(waiting)
        elif path := await _brought_in(waiting, corrected, swept):
            await ingest_one(path, waiting.partner_code, swept, received_at)
    await show_skipped([waiting for waiting in swept.left if not waiting.is_unsettled])
    await _refresh_pages(settings, plan.partners)
    message = f"{len(swept.ingested)} ingested, {len(swept.failed)} failed, {len(swept.left)} left."
    return cast(Swept, Completed(message=message, data=swept))


def _judge_abandoned(workplace: Workplace) -> None:
    """Make the judgements that a stopped backfill has left; one that is at work makes its own at its end."""
    with reading(workplace.engine) as connection:
        if not is_abandoned(connection, datetime.now(UTC)):
            return
    judge_outstanding(workplace.engine, workplace.plan, lambda: datetime.now(UTC))


async def _refresh_pages(settings: Settings, partner_codes: Collection[str]) -> None:
    """Let partners' folders say how their returns stand now; that they do not is no reason to fail."""
    try:
        # A plan may have been adopted, and returns been recorded, since the sweep began.
        workplace = await asyncio.to_thread(open_existing, settings)
        today = datetime.now(UTC).date()
        troubles = await asyncio.to_thread(refresh_status_pages, workplace, partner_codes, today)
        workplace.engine.dispose()
    except (SQLAlchemyError, WarehouseStateError) as fault:
        troubles = [f"The partners' status cannot be written: {fault}."]
    for trouble in troubles:
        get_run_logger().warning("%s", for_log(trouble))


async def _brought_in(waiting: Waiting, corrected: CorrectedReceipts, swept: Swept) -> Path | None:
    """Where a file lies, once it is in its partner's folder; None if it is not, or no more, to be ingested."""
    if not waiting.is_receipt:
        return waiting.path
    try:
        return await asyncio.to_thread(corrected.bring_in, waiting.path)
    except OSError as fault:
        swept.failed.append((waiting.path, fault_line(fault, read_settings()) or str(fault)))
        return None


@flow(name="ingest-files", flow_run_name=_files_name, persist_result=False)
async def ingest_files(
    files: Sequence[tuple[str, str]],
    received_at: datetime | None = None,
    known_as: Mapping[str, str] | None = None,
) -> Swept:
    """Ingest files by path, each with the partner in whose inbox folder it is, or an empty text.

    `known_as` has the paths by which the warehouse is to know files that were taken out of others, by their own.
    """
    swept = Swept()
    for file, folder_partner in files:
        other = (known_as or {}).get(file, "")
        await ingest_one(path_from_text(file), folder_partner, swept, received_at, known_as=other)
    await _refresh_pages(read_settings(), {folder_partner for _, folder_partner in files if folder_partner})
    message = f"{len(swept.ingested)} ingested, {len(swept.failed)} failed."
    return cast(Swept, Completed(message=message, data=swept))


async def ingest_one(
    path: Path, folder_partner: str, swept: Swept, received_at: datetime | None = None, *, known_as: str = ""
) -> None:
    """Run `ingest-return` for one file. A failed run is not a rejected one, and does not stop the others."""
    file = path_as_text(path)
    label = f"{folder_partner or PurePath(path_as_text(path.absolute())).parent.name}/{PurePath(shown_path(file)).name}"
    label = for_log(label)
    with tags(*([folder_partner] if folder_partner else [])):
        state: State[Ingested] = await ingest_return(
            label, file, folder_partner, received_at, known_as, return_state=True
        )
    if state.is_cancelled():
        return
    outcome = await state.aresult(raise_on_failure=False)
    if isinstance(outcome, Ingested):
        swept.ingested.append((path, outcome))
    else:
        named = path_from_text(known_as) if known_as else path
        line = fault_line(outcome, read_settings()) if isinstance(outcome, OSError | SQLAlchemyError) else ""
        swept.failed.append((named, line or str(state.message)))
