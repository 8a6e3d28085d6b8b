"""The flow `sweep-inbox`: ingests the inbox; files that cannot be ingested are left in place and logged."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import cast

from prefect import flow, get_run_logger, tags
from prefect.client.schemas.objects import State
from prefect.states import Completed

from cypp_etl.escapes import for_log
from cypp_etl.personal import shown_path
from flows.deployments.artifacts import show_skipped
from flows.deployments.ingest_return import Ingested, ingest_return
from flows.ingestion.cleanup import clear_leftovers
from flows.ingestion.context import open_to_write
from flows.ingestion.files import path_as_text, path_from_text
from flows.ingestion.inbox import Waiting, make_folders, sweep
from flows.settings import read_settings


@dataclass
class Swept:
    """The outcome of a sweep: workbooks that were ingested, that failed (our error, retried), and that were left."""

    ingested: list[tuple[Path, Ingested]] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)
    left: list[Waiting] = field(default_factory=list)


@flow(name="sweep-inbox", persist_result=False)
async def sweep_inbox(settle_seconds: float = 0.0, received_at: datetime | None = None) -> Swept:
    """Ingest whatever is in the inbox. The folder is the truth: what a sweep misses, the next one finds.

    Args:
        settle_seconds: how old a file must be, so that none is read while it is being written.
        received_at: when the files arrived; now if not given.
    """
    settings = read_settings()
    workplace = await asyncio.to_thread(open_to_write, settings)
    if workplace.notice:
        get_run_logger().warning("%s.", workplace.notice)
    plan = workplace.plan
    swept = Swept()
    await asyncio.to_thread(clear_leftovers, settings, plan.partners)
    now = datetime.now(UTC).timestamp()
    await asyncio.to_thread(make_folders, settings.inbox, plan.partners)
    lying = await asyncio.to_thread(lambda: list(sweep(settings.inbox, plan.partners, now, settle_seconds)))
    for waiting in lying:
        if waiting.reason:
            get_run_logger().warning("%s is left in place: %s.", for_log(path_as_text(waiting.path)), waiting.reason)
            swept.left.append(waiting)
        else:
            await ingest_one(waiting.path, waiting.partner_code, swept, received_at)
    if swept.left:
        await show_skipped(swept.left)
    message = f"{len(swept.ingested)} ingested, {len(swept.failed)} failed, {len(swept.left)} left."
    return cast(Swept, Completed(message=message, data=swept))


@flow(name="ingest-files", persist_result=False)
async def ingest_files(files: Sequence[tuple[str, str]], received_at: datetime | None = None) -> Swept:
    """Ingest files by path, each with the partner in whose inbox folder it is, or an empty text."""
    swept = Swept()
    for file, folder_partner in files:
        await ingest_one(path_from_text(file), folder_partner, swept, received_at)
    message = f"{len(swept.ingested)} ingested, {len(swept.failed)} failed."
    return cast(Swept, Completed(message=message, data=swept))


async def ingest_one(path: Path, folder_partner: str, swept: Swept, received_at: datetime | None = None) -> None:
    """Run `ingest-return` for one file. A failed run is not a rejected one, and does not stop the others."""
    file = path_as_text(path)
    label = f"{folder_partner or PurePath(path_as_text(path.absolute())).parent.name}/{PurePath(shown_path(file)).name}"
    label = for_log(label)
    with tags(*([folder_partner] if folder_partner else [])):
        state: State[Ingested] = await ingest_return(label, file, folder_partner, received_at, return_state=True)
    if state.is_cancelled():
        return
    outcome = await state.aresult(raise_on_failure=False)
    if isinstance(outcome, Ingested):
        swept.ingested.append((path, outcome))
    else:
        swept.failed.append((path, str(state.message)))
