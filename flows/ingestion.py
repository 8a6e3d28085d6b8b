"""Runs the ingesting flows from the command line: which files, which flow, and what they gave."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime
from pathlib import Path

from flows.inbox import partner_of
from flows.settings import Settings
from flows.sources import workbooks_at
from flows.sweep import Swept, ingest_files, sweep_inbox
from flows.workplace import open_workplace


def ingest_inbox(settings: Settings) -> Swept:
    """Sweep the inbox once.

    Raises:
        cypp_etl.plan_reader.PlanError, sqlalchemy.exc.SQLAlchemyError: it could not begin.
    """
    # What would make every workbook fail is found out before a server is started.
    open_workplace(settings)
    return asyncio.run(_finished(sweep_inbox()))


def ingest_paths(settings: Settings, paths: Sequence[Path], received_at: datetime | None = None) -> Swept:
    """Ingest files and the workbooks in folders; in the inbox the folder says who the partner is.

    Raises:
        FileNotFoundError: a path leads nowhere.
    """
    plan = open_workplace(settings).plan
    files = [file for path in paths for file in workbooks_at(path)]
    owned = [(str(file), partner_of(file, settings.inbox, plan.partners)) for file in files]
    return asyncio.run(_finished(ingest_files(owned, received_at)))


async def _finished(flow: Awaitable[Swept]) -> Swept:
    return await flow
