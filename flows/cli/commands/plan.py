"""`cypp plan`: the plan's life, from a first look for faults to the history of what was in force."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cypp_etl.periods import Period
from cypp_etl.phrases import date_text
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import PlanError
from cypp_etl.plan_source import is_workbook, read_plan_at, read_plan_with_notes
from flows.cli.arguments import By, parsed_period
from flows.cli.decisions import decided_by, say_decided
from flows.cli.errors import stop
from flows.cli.faults import FAULTS, stop_at
from flows.cli.terminal import say, say_json
from flows.cli.warehouse_access import plan_to_use, with_warehouse
from flows.settings import read_settings
from flows.team.plans import Adopted, SettledPeriodsError, adopt_plan, changes_in_lines, plan_changes
from warehouse.queries.plan_comparison import PlanChanges
from warehouse.queries.plan_history import adopted_plans

if TYPE_CHECKING:
    from sqlalchemy import Connection


Place = Annotated[
    Path, typer.Argument(metavar="PLAN", help="The plan: a folder of CSV files, or a workbook.", exists=True)
]
OptionalPeriod = Annotated[str | None, typer.Argument(metavar="[PERIOD]", help="One period; all of them, if none.")]


def check(
    place: Place,
    reply: Annotated[
        Path | None, typer.Option("--reply", help="Write the workbook, with its faults marked, to this folder.")
    ] = None,
) -> None:
    """Find the faults of a plan.

    Every fault is listed with its file, row and column, or its sheet and cell; the plan in force stays as it is.
    """
    try:
        if reply is not None and not is_workbook(place):
            stop(f"{place} is a folder of CSV files: --reply marks the faults of a workbook")
        plan = _check_workbook(place, reply) if is_workbook(place) else _check_folder(place)
    except PlanError as error:
        for fault in error.faults:
            say(fault)
        say(f"{len(error.faults)} to correct.", err=True)
        raise typer.Exit(1) from error
    except OSError as fault:
        stop(fault)
    say(f"No faults: {len(plan.partners)} partners, {len(plan.indicators)} indicators, {len(plan.calendar)} periods.")


def _check_folder(folder: Path) -> Plan:
    """Say how the figures were read that are no plain numbers."""
    plan, notes = read_plan_with_notes(folder)
    for note in notes:
        say(note)
    return plan


def _check_workbook(file: Path, replies: Path | None) -> Plan:
    """Say how the cells of a workbook were read that a spreadsheet has changed, and hand it back if asked to."""
    from cypp_etl.plan_workbook.sheets import must_be_plan, read_plan_workbook  # noqa: PLC0415 - CSV files need less

    data = file.read_bytes()
    reading = read_plan_workbook(data, file.name)
    if replies is not None:
        from cypp_etl.plan_workbook.reply import reply_to  # noqa: PLC0415 - as above

        reply = reply_to(reading, data, file.name, datetime.now(UTC))
        replies.mkdir(parents=True, exist_ok=True)
        (replies / reply.file_name).write_bytes(reply.content)
        say(replies / reply.file_name)
    for note in reading.notes:
        say(note)
    return must_be_plan(reading)


def compare(
    place: Place,
    period: OptionalPeriod = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per symbol that would change, each on its own line.")
    ] = False,
) -> None:
    """Show what another plan would change.

    It judges the figures in force by the other plan; nothing is recorded.
    """
    wanted = parsed_period(period) if period else None

    def show(connection: "Connection", _: "Plan") -> int:
        changes = plan_changes(connection, read_plan_at(place))
        if as_json:
            for one in changes.judgements_of(wanted):
                say_json(one)
        else:
            _show_changes(changes, wanted)
        return 0

    raise typer.Exit(with_warehouse(show))


def adopt(
    place: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PLAN]", help="The plan: a folder of CSV files, or a workbook; the built-in plan, if none."
        ),
    ] = None,
    why: Annotated[str, typer.Option("--why", help="Why the plan is adopted.")] = "",
    is_confirmed: Annotated[
        bool, typer.Option("--yes", help="Adopt it although closed or published periods change.")
    ] = False,
    by: By = "",
) -> None:
    """Put a plan in force.

    It shows what changes, and judges that again. Where closed or published periods would change, it needs --yes.
    """

    def adopt_it() -> Adopted:
        try:
            return adopt_plan(read_settings(), place, by=by, why=why, may_change_settled=is_confirmed)
        except SettledPeriodsError as refused:
            _show_changes(refused.changes, None)
            stop(f"{refused}; use --yes to adopt it")

    adopted = decided_by(adopt_it)
    if adopted.changes is not None:
        _show_changes(adopted.changes, None)
    say_decided(adopted)


def export(
    folder: Annotated[Path | None, typer.Argument(help="A folder for the CSV files; it must be new or empty.")] = None,
    workbook: Annotated[
        Path | None, typer.Option("--xlsx", help="Write one workbook instead, with lists and guidance.")
    ] = None,
) -> None:
    """Write the plan in force to a folder, or to a workbook.

    Read back, it is the same plan.
    """
    if (folder is None) == (workbook is None):
        stop("name a folder for the CSV files, or a workbook with --xlsx plan.xlsx")
    try:
        plan = plan_to_use(read_settings())
        if workbook is not None:
            _write_workbook(plan, workbook)
            return
        assert folder is not None  # noqa: S101
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            stop(f"{folder} is not empty: name a new folder")
        for name, content in plan.files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
            say(folder / name)
    except FAULTS as fault:
        stop_at(fault)


def _write_workbook(plan: Plan, file: Path) -> None:
    from cypp_etl.plan_workbook.writer import write_plan_workbook  # noqa: PLC0415 - CSV files do not need it

    if file.suffix.lower() != ".xlsx":
        stop(f"{file} would not open: name a workbook that ends in .xlsx")
    if file.exists():
        stop(f"{file} is there already: name a new workbook")
    file.write_bytes(write_plan_workbook(plan))
    say(file)


def history() -> None:
    """List the plans that were in force, latest first."""

    def show(connection: "Connection", _: "Plan") -> int:
        for row in adopted_plans(connection):
            reason = f"{row['decided_by']}: {row['why']}" if row["decided_by"] else "not on record who adopted it"
            ended = row["superseded_at"]
            until = f"until {date_text(ended.date())}" if ended else "in force"
            say(f"{row['fingerprint'][:12]}  {date_text(row['recorded_at'].date())}, {until}  ({reason})")
        return 0

    raise typer.Exit(with_warehouse(show))


def _show_changes(changes: PlanChanges, period: Period | None) -> None:
    for line in changes_in_lines(changes, period):
        say(line)
