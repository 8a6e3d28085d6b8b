"""`cypp demo`: the whole journey in a separate folder, with the published table and sample returns."""

import asyncio
import os
import shutil
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cypp_etl.periods import Period
from cypp_etl.plan.model import Plan
from cypp_etl.samples.published_table import read_sample_table, write_published_table
from cypp_etl.samples.returns import IndicatorAnswer, fill_template, sample_answers, sample_periods, sample_return
from cypp_etl.templates.workbook import write_template
from flows.cli.board_table import count_agreeing_symbols, show_board_table
from flows.cli.faults import FAULTS, stop_at
from flows.cli.output import as_result, show_results
from flows.cli.terminal import say
from flows.deployments.report_files import write_report
from flows.ingestion.context import open_to_write
from flows.prefect_server.server import server_for_command
from flows.settings import Settings, prepare_prefect, read_settings
from warehouse.engine import open_warehouse, reading

if TYPE_CHECKING:
    from flows.deployments.sweep_inbox import Swept

# Marks a folder that a demo created, so that the next demo may empty it.
_MARK = ".cypp-demo"


def demo(
    folder: Annotated[Path, typer.Option("--folder", "-o", help="The folder to work in; each run replaces it.")] = Path(
        "demo"
    ),
) -> None:
    """Run the whole pipeline on sample returns.

    It uses a separate folder, and includes the published table.
    """
    try:
        status = _run(folder.absolute())
    except FAULTS as fault:
        stop_at(fault)
    raise typer.Exit(status)


def _run(folder: Path) -> int:
    """Run the demo in a folder that is empty or from an earlier demo, and give the exit status."""
    started = time.monotonic()
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        say(f"cypp: {folder} is not empty, and not from a demo: choose another with --folder", err=True)
        return 2
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / _MARK).touch()
    settings = _settle_in(folder)
    asyncio.run(_journey(settings))
    shown = _show(settings)
    say()
    say(f"The demo took {time.monotonic() - started:.0f} seconds. Look around:")
    cypp = f"CYPP_HOME={folder} {sys.argv[0]}"
    for what, command in (
        ("every view, for a BI tool", f"sqlite3 {settings.home}/warehouse.db '.tables bi_%'"),
        ("who has returned what", f"{cypp} status"),
        ("from a symbol back to its cell", f"{cypp} explain 'NI 111b' 2010-11Q3"),
        # Not Prefect's own command, whose server any web page may use.
        ("the runs, in the Prefect UI", f"{cypp} serve"),
    ):
        say(f"  {what + ':':34} {command}")
    return shown


def _settle_in(folder: Path) -> Settings:
    """Make the demo independent of the installation: its own home, inbox, archive, warehouse and plan."""
    for name in ("CYPP_INBOX", "CYPP_WAREHOUSE_URL", "CYPP_PLAN"):
        os.environ.pop(name, None)
    os.environ["CYPP_HOME"] = str(folder)
    prepare_prefect(folder)
    return read_settings()


async def _journey(settings: Settings) -> None:
    say(f"Working in {settings.home}. Starting a Prefect server for the demo ...")
    with server_for_command():
        from flows.deployments.sweep_inbox import ingest_files, sweep_inbox  # noqa: PLC0415 - while the server starts

    plan = open_to_write(settings).plan
    table = settings.home / "published table 2009-10.xlsx"
    table.write_bytes(write_published_table(read_sample_table(), "text"))
    await ingest_files([(str(table), "")])
    say(f"The published table of 2009/10 is in: {table.name}")
    for period in sample_periods():
        for partner_code in plan.partners:
            drop = settings.inbox / partner_code / f"{partner_code} {period.code}.xlsx"
            drop.parent.mkdir(parents=True, exist_ok=True)
            drop.write_bytes(sample_return(plan, partner_code, period))
        # The sample returns arrive on the day they are due, whatever today's date is.
        received_at = datetime.combine(plan.calendar[period].due_on, time_of_day(10), UTC)
        swept = await sweep_inbox(received_at=received_at)
        say(f"{period.label}: {_counted(swept)}")
    _drop_faulty_return(settings, plan, sample_periods()[-1])
    swept = await sweep_inbox()
    _show_rejection(swept)


def _counted(swept: "Swept") -> str:
    statuses = [ingested.recorded.status.value for _, ingested in swept.ingested]
    statuses += ["failed"] * len(swept.failed)
    counts = [f"{statuses.count(status)} {status}" for status in dict.fromkeys(statuses)]
    return f"{len(statuses)} returns, " + ", ".join(counts)


def _drop_faulty_return(settings: Settings, plan: Plan, period: Period) -> None:
    """A correction with errors: it must be rejected, and the good return must stay in force."""
    answers = sample_answers(plan, "yos", period)
    first, second, *_ = answers.indicators
    faults = {first: IndicatorAnswer("<1"), second: IndicatorAnswer("about 7%")}
    faulty = replace(answers, indicators={**answers.indicators, **faults})
    drop = settings.inbox / "yos" / f"yos {period.code} corrected.xlsx"
    drop.write_bytes(fill_template(write_template(plan, "yos", period), faulty))


def _show_rejection(swept: "Swept") -> None:
    say()
    say("A correction with two errors is rejected as a whole, and the good return stays in force:")
    show_results([as_result(ingested.checked, ingested.recorded.status) for _, ingested in swept.ingested], False)


def _show(settings: Settings) -> int:
    """Print the results, and how many of the table's printed symbols match those computed from its figures."""
    with reading(open_warehouse(settings.warehouse_url)) as connection:
        say("")
        year = sample_periods()[0].year
        show_board_table(connection, year)
        agreeing, printed = count_agreeing_symbols(connection, year, read_sample_table())
        say(f"{agreeing} of the {printed} symbols that the source document prints are computed from its figures.")
        say()
        show_board_table(connection, sample_periods()[-1])
        report = write_report(connection, sample_periods()[-1], settings.home)
        say(f"The board report, to open or print: {report.pages[0]}")
    return int(agreeing != printed)
