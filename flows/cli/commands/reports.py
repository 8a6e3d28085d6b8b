"""`cypp report` and `cypp publish`: what the Board reads."""

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cypp_etl.plan.model import refuse_outside
from cypp_etl.plan.selection import select_part
from cypp_etl.report.moments import end_of
from flows.cli.arguments import OfGroup, OfOutcome, OfPartner, Output, day_option, parsed_period
from flows.cli.faults import FAULTS, stop_at
from flows.cli.terminal import progress_bar, say
from flows.cli.warehouse_access import say_notice, with_warehouse
from flows.deployments.report_files import write_report
from flows.ingestion.context import open_to_write
from flows.prefect_server.server import server_for_command
from flows.settings import prepare_prefect, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from cypp_etl.plan.model import Plan
    from cypp_etl.report.folder import Batch, Report


def report(
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q3 or 2009-10.")],
    output: Output = Path(),
    as_of: Annotated[date | None, day_option("As it was known at the end of that day.")] = None,
    since: Annotated[
        date | None, day_option("List corrections after that day, not since the last published report.")
    ] = None,
    partner: OfPartner = "",
    group: OfGroup = "",
    outcome: OfOutcome = "",
) -> None:
    """Write the board report, as HTML and as a workbook.

    The page opens offline and prints; where one would be too large, there is a folder of pages. The workbook is
    accessible.
    """
    wanted = parsed_period(period)

    def write(connection: "Connection", plan: "Plan") -> int:
        part = select_part(plan, partner, group, outcome)
        for path in write_report(connection, wanted, output, as_of, since, part, watch=with_progress).to_open:
            say(path)
        return 0

    raise typer.Exit(with_warehouse(write))


def with_progress(report: "Report") -> "Iterator[Batch]":
    """The batches of a report, with a bar on the terminal where there are several."""
    with progress_bar(is_wanted=report.count > 1) as progress:
        yield from progress.track(report.batches, total=report.count, description="Pages")


def publish(
    period: Annotated[
        str, typer.Argument(help="The period, such as 2010-11Q3; if not given, the last one whose returns were due.")
    ] = "",
    as_of: Annotated[date | None, day_option("As it was known at the end of that day.")] = None,
    partner: OfPartner = "",
    group: OfGroup = "",
    outcome: OfOutcome = "",
) -> None:
    """Publish the board report.

    It is kept under reports/ and shown in the Prefect UI; the next report lists what has changed since. One on a part
    of the plan is not entered as the Board's report, from which the next one counts.
    """
    settings = read_settings()
    wanted = parsed_period(period) if period else None
    # Prefect reads its settings when it is imported, below.
    prepare_prefect(settings.home)
    try:
        # Fail before a server is started, if the flow could not run.
        workplace = open_to_write(settings)
        workplace.engine.dispose()
        say_notice(workplace)
        if wanted:
            refuse_outside(workplace.plan.calendar, wanted)
        select_part(workplace.plan, partner, group, outcome)
        if as_of:
            end_of(as_of, datetime.now(UTC))
        with server_for_command():
            from flows.deployments.publish_report import publish_report  # noqa: PLC0415 - while the server starts
        published = asyncio.run(publish_report(wanted.code if wanted else "", as_of, partner, group, outcome))
    except FAULTS as fault:
        stop_at(fault)
    for path in published.paths:
        say(path)
