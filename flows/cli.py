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
def serve(
    host: Annotated[str, typer.Option(help="Where the Prefect UI listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port of the Prefect UI.")] = 4200,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks at the inbox, at most.")] = 10.0,
    poll: Annotated[
        bool, typer.Option("--poll", help="For network shares, which send no events: look every second instead.")
    ] = False,
) -> None:
    """Watch the inbox, with the Prefect UI, until Ctrl+C."""
    import os

    from flows.prefect_server import PrefectServer, ServerError
    from flows.serve import AlreadyServedError, Watching, log_to_terminal
    from flows.serve import serve as watch_inbox

    settings = read_settings()
    prepare_prefect(settings.home)
    server = None if os.environ.get("PREFECT_API_URL") else PrefectServer(host, port)
    log_to_terminal()
    try:
        if server:
            server.prepare()
        watch_inbox(settings, server, Watching(min(interval, 1.0), False) if poll else Watching(interval))
    except (ServerError, AlreadyServedError) as fault:
        _stop(fault)
    except _faults() as fault:
        _stop(fault)


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
def upgrade(
    reader: Annotated[
        str | None,
        typer.Option(help="On PostgreSQL: a role that may read the views, made with CYPP_READER_PASSWORD."),
    ] = None,
) -> None:
    """Bring the warehouse up to date: its tables, its views and the plan in it."""
    import os

    from flows.workplace import open_workplace
    from warehouse.engine import writing
    from warehouse.readers import make_reader

    try:
        workplace = open_workplace(read_settings())
        if reader:
            with writing(workplace.engine) as connection:
                is_new = make_reader(connection, reader, os.environ.get("CYPP_READER_PASSWORD", ""))
            typer.echo(f"{reader} {'is made, and' if is_new else 'is there already, and'} may read the views.")
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
