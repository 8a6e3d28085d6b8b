"""The command line: translates arguments, calls what does the work, and says how it ended.

Exit status: 0 all accepted, 1 something was rejected or is missing, 2 it could not run. Imports wait until a command
needs them, so that help comes at once and `check` starts neither a server nor a database.
"""

import os
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import administration, backfill, reports
from flows.cli.errors import Command, faults, parsed_period, stop
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

# What these write goes where the user says, for whoever it is meant.
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
    """Takes the partners' quarterly returns, checks them, loads them, and judges the direction of travel."""
    if context.invoked_subcommand not in _FOR_OTHERS:
        # The warehouse, the archive and the reports are for their owner alone.
        os.umask(0o077)


AsJson = Annotated[bool, typer.Option("--json", help="One JSON object per file, on a line of its own.")]


@app.command(cls=Command)
def demo(
    folder: Annotated[Path, typer.Option("--folder", "-o", help="Where to work; made anew at each run.")] = Path(
        "demo"
    ),
) -> None:
    """Run the whole pipeline on sample returns.

    It works in a folder of its own, and includes the published table.
    """
    from flows.cli.demo import run_demo

    raise typer.Exit(run_demo(folder.absolute()))


@app.command(cls=Command)
def template(
    partner: Annotated[str, typer.Argument(help="The partner's code, such as yos.")],
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write it to.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Write it although one of its name is there.")] = False,
) -> None:
    """Write the form that a partner fills in for a period."""
    from cypp_etl.plan.index import PlanIndex, reference_key
    from cypp_etl.templates.workbook import template_file_name, write_template

    wanted = parsed_period(period)
    try:
        plan = plan_to_use(read_settings())
        # In any case and spacing, as covers have it.
        code = PlanIndex.of(plan).partners.get(reference_key(partner), partner)
        workbook = write_template(plan, code, wanted)
        output.mkdir(parents=True, exist_ok=True)
        path = output / template_file_name(code, wanted)
        if path.exists() and not force:
            stop(f"{path} is there already, and may be filled in: move it away, or write over it with --force")
        path.write_bytes(workbook)
    except LookupError as fault:
        stop(fault)
    except faults() as fault:
        stop(fault)
    say(path)


@app.command(cls=Command)
def check(
    files: Annotated[list[Path], typer.Argument(help="Workbooks to check.")],
    reply: Annotated[
        Path | None, typer.Option("--reply", help="A folder for the receipts: the workbooks, marked.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check workbooks and load nothing.

    It needs neither a server nor a warehouse.
    """
    from cypp_etl.checking.confined import shared_checker
    from cypp_etl.gc_control import imported_for_good

    # It has imports of its own to do meanwhile.
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


@app.command(cls=Command)
def ingest(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders; the inbox, if none is given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check workbooks, and load those without errors.

    Without a path, every workbook in the inbox is taken.
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


app.command(cls=Command)(backfill.backfill)


@app.command(cls=Command)
def serve(
    host: Annotated[str, typer.Option(help="Where the Prefect UI listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port of the Prefect UI.")] = 4200,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks at the inbox, at most.")] = 10.0,
    poll: Annotated[
        bool, typer.Option("--poll", help="For network shares, which send no events: look every second instead.")
    ] = False,
    deployments: Annotated[
        bool | None,
        typer.Option(
            help="Run what is started in the UI or by a schedule. Unless said, where PREFECT_API_URL names no server, "
            "whose workers do.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Watch the inbox, with the Prefect UI, until Ctrl+C."""
    import os

    from flows.service.prefect_server import PrefectServer, ServerError
    from flows.service.serve import AlreadyServedError, Watching, log_to_terminal
    from flows.service.serve import serve as watch_inbox
    from flows.service.served_deployments import ServedDeployments

    settings = read_settings()
    prepare_prefect(settings.home)
    server = None if os.environ.get("PREFECT_API_URL") else PrefectServer(host, port)
    log_to_terminal()
    try:
        if server:
            server.prepare()
        watching = Watching(min(interval, 1.0), False) if poll else Watching(interval)
        are_served = server is not None if deployments is None else deployments
        watch_inbox(settings, server, watching, ServedDeployments(settings) if are_served else None)
    except (ServerError, AlreadyServedError) as fault:
        stop(fault)
    except faults() as fault:
        stop(fault)


@app.command(cls=Command)
def status(
    period: Annotated[
        str | None, typer.Argument(help="A period, such as 2010-11Q1; all that are open, or have any return, if none.")
    ] = None,
) -> None:
    """Show which returns are received, late or missing."""
    from flows.cli.status import show_status

    wanted, today = parsed_period(period) if period else None, datetime.now(UTC).date()
    raise typer.Exit(ask(lambda connection, plan: show_status(connection, plan, wanted, today)))


@app.command(cls=Command)
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
    app.command(cls=Command)(command)
