"""The command line: translates arguments, calls what does the work, and says how it ended.

Exit status: 0 all accepted, 1 something was rejected or is missing, 2 it could not run. Imports wait until a command
needs them, so that help comes at once and `check` starts neither a server nor a database.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from flows.settings import prepare_prefect, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from cypp_etl.periods import Period
    from cypp_etl.plan_model import Plan

app = typer.Typer(
    name="cypp",
    help="Takes the partners' quarterly returns, checks them, loads them, and judges the direction of travel.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object per file, on a line of its own.")]


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--folder", "-o", help="Where to work; made anew at each run.")] = Path(
        "demo"
    ),
) -> None:
    """The whole journey in a folder of its own, on sample returns and the published table."""
    from flows.demo import run_demo

    raise typer.Exit(run_demo(folder.absolute()))


@app.command()
def template(
    partner: Annotated[str, typer.Argument(help="The partner's code, such as yos.")],
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write it to.")] = Path(),
) -> None:
    """Write the return workbook that a partner fills in for a period."""
    from cypp_etl.plan_reader import PlanError, read_plan
    from cypp_etl.templates import template_file_name, write_template

    wanted = _period(period)
    try:
        workbook = write_template(read_plan(read_settings().plan), partner, wanted)
    except (PlanError, LookupError, ValueError) as fault:
        _stop(fault)
    output.mkdir(parents=True, exist_ok=True)
    path = output / template_file_name(partner, wanted)
    path.write_bytes(workbook)
    typer.echo(path)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Workbooks to check.")],
    as_json: AsJson = False,
) -> None:
    """Say what is wrong in workbooks, without a server or a warehouse; nothing is loaded."""
    from cypp_etl.checking import Checker, Received
    from cypp_etl.plan_reader import PlanError, read_plan
    from cypp_etl.submission import History
    from flows.show import as_result, show_results

    try:
        checker = Checker(read_plan(read_settings().plan), History(), datetime.now(UTC).date())
        checked = [checker.check(Received(str(file), file.read_bytes())) for file in files]
    except (PlanError, OSError) as fault:
        _stop(fault)
    results = [as_result(one) for one in checked]
    show_results(results, as_json)
    raise typer.Exit(int(not all(one.is_accepted for one in checked)))


@app.command()
def ingest(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders; the inbox, if none is given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check workbooks and load what has no errors: those given, or whatever lies in the inbox."""
    settings = read_settings()
    # Prefect reads its settings when it is imported.
    prepare_prefect(settings.home)
    from flows.ingestion import ingest_inbox, ingest_paths
    from flows.show import show_swept

    try:
        swept = ingest_paths(settings, paths) if paths else ingest_inbox(settings)
    except _faults() as fault:
        _stop(fault)
    raise typer.Exit(show_swept(swept, as_json))


@app.command()
def status(
    period: Annotated[
        str | None, typer.Argument(help="A period, such as 2010-11Q1; all that are open, if none.")
    ] = None,
) -> None:
    """Say who has returned what: received, late, missing, not due."""
    from flows.show import show_status

    raise typer.Exit(_ask(lambda connection, _: show_status(connection, _period(period) if period else None)))


@app.command()
def explain(
    indicator: Annotated[str, typer.Argument(help='An indicator, such as "NI 111b".')],
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")],
) -> None:
    """Go from the symbol back to the cell, with every step of the sum."""
    from flows.explaining import show_explanation

    raise typer.Exit(_ask(lambda connection, plan: show_explanation(connection, plan, indicator, _period(period))))


@app.command()
def report(
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q3 or 2009-10.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write it to.")] = Path(),
    as_of: Annotated[
        datetime | None, typer.Option(help="As it was known at the end of that day.", formats=["%Y-%m-%d"])
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            help="List corrections after that day; by default the day the last report was due.", formats=["%Y-%m-%d"]
        ),
    ] = None,
) -> None:
    """Write the board report: one HTML file that opens offline and prints, and an accessible Excel edition."""
    from flows.reporting import write_report

    wanted, day, after = _period(period), as_of and as_of.date(), since and since.date()

    def write(connection: "Connection", _: "Plan") -> int:
        for path in write_report(connection, wanted, output, day, after):
            typer.echo(path)
        return 0

    raise typer.Exit(_ask(write))


@app.command()
def clinics(
    period: Annotated[
        str | None, typer.Argument(help="As they stood at the end of a period; as they stand now, if none.")
    ] = None,
) -> None:
    """List the performance clinics, with what was noted at them."""
    from flows.clinics import show_clinics

    raise typer.Exit(_ask(lambda connection, _: show_clinics(connection, _period(period) if period else None)))


@app.command()
def note(
    clinic: Annotated[str, typer.Argument(help='A clinic\'s id, or the indicator if it has one open: "NI 45".')],
    by: Annotated[str, typer.Option("--by", help="Who says so.", envvar="USER")] = "",
    issue: Annotated[list[str] | None, typer.Option(help="What stands in the way.")] = None,
    solution: Annotated[list[str] | None, typer.Option(help="What would help.")] = None,
    decision: Annotated[list[str] | None, typer.Option(help="What was decided.")] = None,
) -> None:
    """Note issues, solutions and decisions at a performance clinic; the next report has them."""
    from flows.clinics import add_notes
    from flows.workplace import open_workplace

    texts = {"issue": issue or [], "solution": solution or [], "decision": decision or []}
    if not by or not any(texts.values()):
        _stop("Say what is to be noted, with --issue, --solution or --decision, and by whom, with --by NAME")
    try:
        noted = add_notes(open_workplace(read_settings()).engine, clinic, texts, by)
    except _faults() as fault:
        _stop(fault)
    typer.echo(f"Noted at {noted}.")


@app.command()
def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.")],
) -> None:
    """Write every view as CSV and Parquet, with a Frictionless data package."""
    from warehouse.export import export_views

    def write(connection: "Connection", _: "Plan") -> int:
        for path in export_views(connection, output):
            typer.echo(path)
        return 0

    raise typer.Exit(_ask(write))


@app.command()
def close(
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")],
    by: Annotated[str, typer.Option("--by", help="Who closes it.", envvar="USER")] = "",
) -> None:
    """Close a period: a figure that changes afterwards is a query to the data team."""
    from flows.workplace import open_workplace
    from warehouse.engine import writing
    from warehouse.history import close_period

    if not by:
        _stop("Say who closes the period: --by NAME")
    try:
        workplace = open_workplace(read_settings())
        with writing(workplace.engine) as connection:
            was_open = close_period(connection, _period(period), by, datetime.now(UTC))
    except _faults() as fault:
        _stop(fault)
    typer.echo(f"{period} is closed." if was_open else f"{period} was closed already.")


@app.command()
def upgrade() -> None:
    """Bring the warehouse up to date: its tables, its views and the plan in it."""
    from flows.workplace import open_workplace

    try:
        workplace = open_workplace(read_settings())
    except _faults() as fault:
        _stop(fault)
    typer.echo(f"{workplace.engine.url.render_as_string()} is up to date.")


def _ask(show: "Callable[[Connection, Plan], int]") -> int:
    """Ask the warehouse something, with its faults told in a line."""
    from flows.workplace import open_workplace
    from warehouse.engine import reading

    try:
        workplace = open_workplace(read_settings())
        with reading(workplace.engine) as connection:
            return show(connection, workplace.plan)
    except _faults() as fault:
        _stop(fault)


def _faults() -> tuple[type[Exception], ...]:
    """What stops a command without being anybody's bad data: a wrong plan, a database or a folder out of reach."""
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    from cypp_etl.plan_reader import PlanError
    from warehouse.revisions import WarehouseTooNewError

    return PlanError, SQLAlchemyError, ArgumentError, WarehouseTooNewError, OSError, ValueError


def _period(text: str) -> "Period":
    from cypp_etl.periods import parse_period

    try:
        return parse_period(text)
    except ValueError as fault:
        _stop(fault)


def _stop(fault: object) -> NoReturn:
    """End with status 2: it could not run."""
    typer.echo(f"cypp: {fault}", err=True)
    raise typer.Exit(2)
