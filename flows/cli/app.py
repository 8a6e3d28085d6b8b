"""The command line: parses arguments, calls the functions that do the work, and sets the exit status.

Exit status: 0 all accepted, 1 something was rejected or is missing, 2 it could not run. Each command imports what it
needs, so that help appears at once and `check` starts neither a server nor a database.
"""

import os
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import administration, backfill, reports
from flows.cli.errors import faults, parsed_period, stop
from flows.cli.queries import ask, plan_to_use
from flows.cli.terminal import say
from flows.settings import prepare_prefect, read_settings

app = typer.Typer(
    name="cypp",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

# These write where the user says, so the umask is the user's.
_FOR_OTHERS = frozenset({"check", "template"})


def _show_version(is_asked: bool) -> None:
    if is_asked:
        say(f"cypp {metadata.version('cypp-etl')}")
        raise typer.Exit


@app.callback()
def begin(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Check and load the partners' quarterly returns, and judge the direction of travel."""
    if context.invoked_subcommand not in _FOR_OTHERS:
        # Only their owner can read the warehouse, the archive and the reports.
        os.umask(0o077)


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object per file, each on its own line.")]


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--folder", "-o", help="Where to work; emptied at each run.")] = Path("demo"),
) -> None:
    """Run the whole pipeline on sample returns.

    It uses a separate folder, and includes the published table.
    """
    from flows.cli.demo import run_demo

    raise typer.Exit(run_demo(folder.absolute()))


@app.command()
def template(
    partner: Annotated[str, typer.Argument(help="The partner's code, such as yos.")],
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write it to.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write the form that a partner fills in for a period."""
    from cypp_etl.plan.index import PlanIndex, reference_key
    from cypp_etl.templates.workbook import template_file_name, write_template

    wanted = parsed_period(period)
    try:
        plan = plan_to_use(read_settings())
        # Case- and whitespace-insensitive, as on covers.
        code = PlanIndex.of(plan).partners.get(reference_key(partner), partner)
        workbook = write_template(plan, code, wanted)
        output.mkdir(parents=True, exist_ok=True)
        path = output / template_file_name(code, wanted)
        if path.exists() and not force:
            stop(f"{path} already exists and may contain entries; move it, or use --force to overwrite it")
        path.write_bytes(workbook)
    except LookupError as fault:
        stop(fault)
    except faults() as fault:
        stop(fault)
    say(path)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Workbooks to check.")],
    reply: Annotated[
        Path | None, typer.Option("--reply", help="Write the receipts (the marked workbooks) to this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check workbooks and load nothing.

    It needs neither a server nor a warehouse.
    """
    from cypp_etl.checking.confined import shared_checker
    from cypp_etl.gc_control import imported_for_good

    # The child imports its modules meanwhile.
    shared_checker().prepare()
    with imported_for_good():
        from cypp_etl.plan.reader import PlanError, read_plan
        from flows.cli.check import rehearse
        from flows.cli.output import as_result, show_results

    try:
        checked = rehearse(read_plan(read_settings().plan), files, reply, datetime.now(UTC))
    except (PlanError, OSError) as fault:
        stop(fault)
    results = [as_result(one) for one in checked]
    show_results(results, as_json)
    raise typer.Exit(int(not all(one.is_accepted for one in checked)))


@app.command()
def ingest(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders; the inbox, if none is given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check workbooks, and load those without errors.

    Without a path, it ingests every workbook in the inbox.
    """
    from cypp_etl.gc_control import imported_for_good

    settings = read_settings()
    # Prefect reads its settings when it is imported.
    prepare_prefect(settings.home)
    with imported_for_good():
        from flows.cli.ingest import ingest as ingest_all
        from flows.cli.output import show_swept

    try:
        swept = ingest_all(settings, paths or [])
    except faults() as fault:
        stop(fault)
    raise typer.Exit(show_swept(swept, as_json))


app.command()(backfill.backfill)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address of the Prefect UI.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port of the Prefect UI.")] = 4200,
    interval: Annotated[
        float, typer.Option(min=0.2, help="The longest time between two scans of the inbox, in seconds.")
    ] = 10.0,
    poll: Annotated[
        bool, typer.Option("--poll", help="Scan every second, for network shares, which send no file events.")
    ] = False,
) -> None:
    """Watch the inbox, with the Prefect UI, until Ctrl+C."""
    import os

    from flows.service.prefect_server import PrefectServer, ServerError
    from flows.service.serve import AlreadyServedError, Watching, log_to_terminal
    from flows.service.serve import serve as watch_inbox

    settings = read_settings()
    prepare_prefect(settings.home)
    server = None if os.environ.get("PREFECT_API_URL") else PrefectServer(host, port)
    log_to_terminal()
    try:
        if server:
            server.prepare()
        watch_inbox(settings, server, Watching(min(interval, 1.0), False) if poll else Watching(interval))
    except (ServerError, AlreadyServedError) as fault:
        stop(fault)
    except faults() as fault:
        stop(fault)


@app.command()
def status(
    period: Annotated[
        str | None,
        typer.Argument(help="A period, such as 2010-11Q1; if not given, all that are open or have a return."),
    ] = None,
) -> None:
    """Show which returns are received, late or missing."""
    from flows.cli.status import show_status

    wanted, today = parsed_period(period) if period else None, datetime.now(UTC).date()
    raise typer.Exit(ask(lambda connection, plan: show_status(connection, plan, wanted, today)))


@app.command()
def explain(
    indicator: Annotated[str, typer.Argument(help='An indicator, such as "NI 111b".')],
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")],
) -> None:
    """Explain a judgement, step by step, back to its cells."""
    from flows.cli.explain import show_explanation

    raise typer.Exit(ask(lambda connection, plan: show_explanation(connection, plan, indicator, parsed_period(period))))


for command in (
    reports.report,
    reports.publish,
    reports.clinics,
    reports.note,
    reports.compare_plans,
    reports.export,
    administration.close,
    administration.waive,
    administration.release,
    administration.upgrade,
):
    app.command()(command)
