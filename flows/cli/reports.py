"""Commands for what the Board and analysts read: the report, the clinics, the comparison of plans, exports."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cypp_etl.judgement.columns import TITLES
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import refuse_outside
from flows.cli.administration import By
from flows.cli.errors import day_option, faults, parsed_period, stop
from flows.cli.queries import ask, say_notice
from flows.cli.terminal import say
from flows.service.prefect_server import server_for_command
from flows.settings import prepare_prefect, read_settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cypp_etl.plan.model import Plan

_Output = Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.")]


def report(
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q3 or 2009-10.")],
    output: _Output = Path(),
    as_of: Annotated[date | None, day_option("Report what was known at the end of this date.")] = None,
    since: Annotated[
        date | None, day_option("List corrections after this date, not since the last published report.")
    ] = None,
) -> None:
    """Write the board report, as HTML and as a workbook.

    The page is one file that opens offline and prints; the workbook is accessible.
    """
    from flows.deployments.report_files import write_report

    wanted = parsed_period(period)

    def write(connection: "Connection", _: "Plan") -> int:
        for path in write_report(connection, wanted, output, as_of, since):
            say(path)
        return 0

    raise typer.Exit(ask(write))


def publish(
    period: Annotated[
        str, typer.Argument(help="The period, such as 2010-11Q3; if not given, the last one whose returns were due.")
    ] = "",
    as_of: Annotated[date | None, day_option("Report what was known at the end of this date.")] = None,
) -> None:
    """Publish the board report.

    It is kept under reports/ and shown in the Prefect UI; the next report lists what has changed since.
    """
    import asyncio

    from cypp_etl.gc_control import imported_for_good

    settings = read_settings()
    wanted = parsed_period(period) if period else None
    # Prefect reads its settings when it is imported.
    prepare_prefect(settings.home)
    with imported_for_good():
        from flows.ingestion.context import open_to_write

    try:
        # What would stop the flow is found out before a server is started.
        workplace = open_to_write(settings)
        workplace.engine.dispose()
        say_notice(workplace)
        if wanted:
            refuse_outside(workplace.plan.calendar, wanted)
        with server_for_command(), imported_for_good():
            from flows.deployments.publish_report import publish_report
        published = asyncio.run(publish_report(wanted.code if wanted else "", as_of))
    except faults() as fault:
        stop(fault)
    for path in published.paths:
        say(path)


def clinics(
    period: Annotated[
        str | None, typer.Argument(help="Show the clinics as of the end of this period; as of now if not given.")
    ] = None,
) -> None:
    """List the performance clinics, with their notes."""
    from flows.cli.clinics import show_clinics

    until = parsed_period(period) if period else None

    def show(connection: "Connection", plan: "Plan") -> int:
        if until:
            refuse_outside(plan.calendar, until)
        return show_clinics(connection, until)

    raise typer.Exit(ask(show))


def note(
    clinic: Annotated[str, typer.Argument(help='A clinic\'s id, or the indicator if it has one open: "NI 45".')],
    by: By = "",
    issue: Annotated[list[str] | None, typer.Option(help="An issue to note; can be repeated.")] = None,
    solution: Annotated[list[str] | None, typer.Option(help="A solution to note; can be repeated.")] = None,
    decision: Annotated[list[str] | None, typer.Option(help="A decision to note; can be repeated.")] = None,
) -> None:
    """Add notes to a performance clinic.

    Later reports include its issues, solutions and decisions.
    """
    from flows.cli.clinics import add_notes
    from flows.ingestion.context import open_to_write

    texts = {"issue": issue or [], "solution": solution or [], "decision": decision or []}
    said = [text for each in texts.values() for text in each]
    # Notes are permanent: a blank one could not be removed.
    if not by.strip() or not said or not all(map(str.strip, said)):
        stop("say what to note, with --issue, --solution or --decision, and who notes it, with --by NAME")
    try:
        workplace = open_to_write(read_settings())
        say_notice(workplace)
        noted = add_notes(workplace.engine, clinic, texts, by)
    except faults() as fault:
        stop(fault)
    say(f"Noted for {noted}.")


def compare_plans(
    other: Annotated[
        Path, typer.Argument(help="The folder of another plan's CSV files.", exists=True, file_okay=False)
    ],
    period: Annotated[str | None, typer.Argument(help="A period; all of them if not given.")] = None,
) -> None:
    """Show which symbols another plan would change.

    It judges the figures in force by the other plan; nothing is recorded.
    """
    wanted = parsed_period(period) if period else None
    raise typer.Exit(ask(lambda connection, _: _show_comparison(connection, other, wanted)))


def _show_comparison(connection: "Connection", other: Path, period: Period | None) -> int:
    """Print each symbol that would change; nothing is recorded.

    Raises:
        cypp_etl.plan.reader.PlanError: the other plan has faults.
    """
    from cypp_etl.plan.reader import read_plan
    from warehouse.queries.plan_comparison import turned_by

    turned = [one for one in turned_by(connection, read_plan(other)) if period is None or one.period == period.code]
    for one in turned:
        name = TITLES[one.column]
        say(f"{one.indicator}, {parse_period(one.period).label}, {name.lower()}: {one.was} -> {one.now}")
    say(f"{len(turned)} symbols would change." if turned else "No symbol would change.")
    return 0


def export(output: _Output) -> None:
    """Export every view as CSV and Parquet.

    A Frictionless data package describes the files.
    """

    def write(connection: "Connection", _: "Plan") -> int:
        # Not within `ask`, which keeps all objects until the end: DuckDB reports its own as leaked.
        from warehouse.queries.export import export_views

        for path in export_views(connection, output):
            say(path)
        return 0

    raise typer.Exit(ask(write))
