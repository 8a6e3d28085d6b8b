"""`cypp ingest`: which files, which flow, and what it gave."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from flows.bulk.sources import workbooks_at
from flows.cli.arguments import AsJson
from flows.cli.faults import FAULTS, stop_at
from flows.cli.output import show_swept
from flows.cli.warehouse_access import say_notice
from flows.inbox.corrected_receipts import CorrectedReceipts, is_receipt_path
from flows.inbox.partner_folder import is_form_path
from flows.inbox.sweep import Waiting, partner_of
from flows.ingestion.collection import take_apart
from flows.ingestion.context import Workplace, open_to_write
from flows.prefect_server.server import server_for_command
from flows.settings import Settings, prepare_prefect, read_settings
from flows.storage.files import path_as_text

if TYPE_CHECKING:
    from flows.deployments.sweep_inbox import Swept


def ingest(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders; the inbox, if none is given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check workbooks, and load those without errors.

    Without a path, it ingests every workbook in the inbox.
    """
    settings = read_settings()
    # Prefect reads its settings when it is imported, below.
    prepare_prefect(settings.home)
    try:
        swept = ingest_paths(settings, paths or [])
    except FAULTS as fault:
        stop_at(fault)
    raise typer.Exit(show_swept(swept, as_json))


def ingest_paths(settings: Settings, paths: Sequence[Path]) -> "Swept":
    """Ingest files and the workbooks in folders, or sweep the inbox once if no path is given.

    In the inbox the folder says who the partner is, and a receipt is taken if the partner changed it. Elsewhere, a
    collection of many returns is taken apart, and each is ingested by itself.

    Raises:
        FileNotFoundError: a path does not exist.
        cypp_etl.plan.reader.PlanError, sqlalchemy.exc.SQLAlchemyError,
            flows.prefect_server.server.ServerError: it could not start.
    """
    # Fail before a server is started, if every workbook would fail.
    workplace = open_to_write(settings)
    say_notice(workplace)
    with TemporaryDirectory(prefix="cypp-") as apart:
        return _ingest_paths(workplace, paths, Path(apart))


def _ingest_paths(workplace: Workplace, paths: Sequence[Path], apart: Path) -> "Swept":
    settings = workplace.settings
    plan = workplace.plan
    files = [(path, file) for path in paths for file in workbooks_at(path)]
    owned: list[tuple[str, str]] = []
    known_as: dict[str, str] = {}
    left: list[Waiting] = []
    corrected = CorrectedReceipts(settings.receipts)
    for path, file in files:
        partner_code = partner_of(file, settings.inbox, plan.partners)
        if not partner_code and (pieces := take_apart(workplace, file, apart)):
            owned += [(piece, "") for piece in pieces]
            known_as |= pieces
        elif partner_code and is_form_path(file):
            if path == file:
                left.append(Waiting(file, partner_code, "it lies among the forms: move it into the partner's folder"))
        elif not partner_code or not is_receipt_path(file):
            owned.append((path_as_text(file), partner_code))
        elif brought := corrected.bring_in(file.absolute()):
            owned.append((path_as_text(brought), partner_code))
        elif path == file:
            left.append(Waiting(file, partner_code, "it is a receipt that nobody has changed, or that is still open"))
    with server_for_command():
        from flows.deployments.sweep_inbox import ingest_files, sweep_inbox  # noqa: PLC0415 - while the server starts

    async def run() -> "Swept":
        return await (ingest_files(owned, known_as=known_as) if paths else sweep_inbox())

    swept = asyncio.run(run())
    swept.left += left
    return swept
