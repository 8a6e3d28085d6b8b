"""`cypp ingest`: runs the flow for each file, or one sweep, and collects the results."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cypp_etl.gc_control import imported_for_good
from flows.bulk.sources import workbooks_at
from flows.cli.queries import say_notice
from flows.ingestion.context import open_to_write
from flows.ingestion.files import path_as_text
from flows.ingestion.inbox import partner_of
from flows.service.prefect_server import server_for_command
from flows.settings import Settings

if TYPE_CHECKING:
    from flows.deployments.sweep_inbox import Swept


def ingest(settings: Settings, paths: Sequence[Path]) -> "Swept":
    """Ingest files and the workbooks in folders, or sweep the inbox once if no path is given.

    In the inbox, the folder identifies the partner.

    Raises:
        FileNotFoundError: a path does not exist.
        cypp_etl.plan.reader.PlanError, sqlalchemy.exc.SQLAlchemyError,
            flows.service.prefect_server.ServerError: it could not start.
    """
    # Fail before a server is started, if every workbook would fail.
    workplace = open_to_write(settings)
    say_notice(workplace)
    plan = workplace.plan
    files = [file for path in paths for file in workbooks_at(path)]
    owned = [(path_as_text(file), partner_of(file, settings.inbox, plan.partners)) for file in files]
    with server_for_command(), imported_for_good():
        from flows.deployments.sweep_inbox import ingest_files, sweep_inbox

    async def run() -> "Swept":
        return await (ingest_files(owned) if paths else sweep_inbox())

    return asyncio.run(run())
