"""`cypp backfill`: runs the flow from the command line, with a progress bar or a line of JSON for each workbook."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cypp_etl.findings import holds
from cypp_etl.personal import shown_path
from flows.bulk.process_pool import preload_workers
from flows.cli.arguments import AsJson
from flows.cli.faults import FAULTS, stop_at
from flows.cli.output import Result, exit_status
from flows.cli.terminal import progress_bar, say, say_json
from flows.cli.warehouse_access import say_notice
from flows.ingestion.context import open_to_write
from flows.prefect_server.server import server_for_command
from flows.settings import prepare_prefect, read_settings
from schemas.codes import Severity, SubmissionStatus

if TYPE_CHECKING:
    from flows.bulk.chunks import ChunkResult
    from flows.deployments.backfill import Backfilled, Listener


def backfill(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Folders of workbooks, or single workbooks; they stay where they are.", exists=True),
    ],
    workers: Annotated[
        int | None, typer.Option(min=1, help="The number of parallel processes; one per core if not given.")
    ] = None,
    spread: Annotated[
        bool,
        typer.Option("--spread", help="Share the work among the workers of Prefect's work pool, on several machines."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ingest thousands of workbooks at once.

    If it is stopped, the same command continues where it stopped.
    """
    settings = read_settings()
    # Prefect reads its settings when it is imported, below.
    prepare_prefect(settings.home)
    preload_workers()
    try:
        # Fail before a server is started, if the flow could not run.
        workplace = open_to_write(settings)
        workplace.engine.dispose()
        say_notice(workplace)
        with server_for_command():
            from flows.deployments import backfill as flow  # noqa: PLC0415 - while the server starts

        with _telling(as_json) as tell:
            flow.listener.set(tell)
            folders = [str(path.absolute()) for path in paths]
            done = asyncio.run(flow.backfill(folders, workers=workers, spread=spread))
    except FAULTS as fault:
        stop_at(fault)
    raise typer.Exit(_end(done, as_json))


@contextmanager
def _telling(as_json: bool) -> "Iterator[Listener]":
    """Give the callback for each chunk; meanwhile a terminal shows a progress bar, a pipe shows nothing."""
    with progress_bar() as progress:
        bar = progress.add_task("Workbooks", total=None)

        def tell(result: "ChunkResult", so_far: "Backfilled") -> None:
            progress.update(bar, total=so_far.workbooks, completed=so_far.taken)
            if as_json:
                show_taken(result)
            else:
                show_refused(result)

        yield tell


def show_taken(result: "ChunkResult") -> None:
    """Print a line of JSON for each workbook of a chunk."""
    results = [Result(one.file, one.partner_code, one.period, one.status.value, one.findings) for one in result.done]
    results += [Result(file, "", "", SubmissionStatus.FAILED.value, ()) for file, _ in result.failed]
    for each in results:
        say_json(each)


def show_refused(result: "ChunkResult") -> None:
    """Print a line for each workbook of a chunk that was rejected, with the first of its errors, or held, with why."""
    for one in result.done:
        if one.status is SubmissionStatus.REJECTED:
            errors = [finding for finding in one.findings if finding.severity is Severity.ERROR]
            more = f" (and {len(errors) - 1} more; cypp check lists them all)" if len(errors) > 1 else ""
            say(f"{shown_path(one.file)}: rejected: {errors[0].message if errors else ''}{more}")
        elif one.status is SubmissionStatus.HELD:
            why = " ".join(finding.message for finding in one.findings if holds(finding))
            say(f"{shown_path(one.file)}: held, as submission {one.submission_id}: {why}")


def _end(done: "Backfilled", as_json: bool) -> int:
    """Print the summary, and give the exit status."""
    for path, message in done.failed:
        say(f"{path}: could not be read: {message}", err=True)
    say(done, err=as_json)
    return exit_status(done.statuses, has_failed=bool(done.failed))
