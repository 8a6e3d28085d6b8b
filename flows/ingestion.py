"""Runs the ingesting flows from the command line: which files, which flow, and what they gave."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from flows.inbox import partner_of
from flows.settings import Settings
from flows.sweep import Swept, ingest_files, sweep_inbox
from flows.workplace import open_workplace

_WORKBOOK_SUFFIXES = {".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".xltx", ".xltm"}


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
    files = [file for path in paths for file in _files_at(path)]
    owned = [(str(file), partner_of(file, settings.inbox, plan.partners)) for file in files]
    return asyncio.run(_finished(ingest_files(owned, received_at)))


def _files_at(path: Path) -> Iterator[Path]:
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder {path}")
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if file.is_file() and file.suffix.casefold() in _WORKBOOK_SUFFIXES and not file.name.startswith((".", "~$")):
            yield file


async def _finished(flow: Awaitable[Swept]) -> Swept:
    return await flow
