"""Commands that keep a home in order: `prune` and `upgrade`."""

import os
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import typer

from cypp_etl.phrases import date_text
from flows.cli.errors import stop
from flows.cli.faults import FAULTS, stop_at
from flows.cli.removed_runs import remove_runs_before
from flows.cli.terminal import say
from flows.cli.warehouse_access import say_notice
from flows.ingestion.context import open_to_write, upgrade_workplace
from flows.prefect_server.client import is_used
from flows.retention import prune_archive
from flows.settings import read_settings
from warehouse.engine import writing
from warehouse.views.roles import make_reader


def prune(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="DAYS|DATE", help="A number of days, or a date such as 2010-04-01.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; otherwise it is only counted.")] = False,
) -> None:
    """Remove workbooks and runs that are old.

    Workbooks leave the archive, and runs leave Prefect. Figures, findings, hashes and decisions stay in the warehouse.
    Workbooks that it does not know are left.
    """
    before = _moment_before(older_than)
    settings = read_settings()
    try:
        workplace = open_to_write(settings)
        say_notice(workplace)
        pruned = prune_archive(workplace, before, remove=yes)
        runs = remove_runs_before(settings, before, remove=yes) if is_used(settings) else 0
    except FAULTS as fault:
        stop_at(fault)
    verb = "Removed" if yes else "To remove"
    say(f"{verb}, from before {date_text(before.date())}: workbooks {pruned.workbooks:,} ({pruned.size:,} bytes).")
    say(f"{verb}, from before {date_text(before.date())}: runs in Prefect {runs:,}.")
    if not yes and (pruned.workbooks or runs):
        say("Nothing was removed: add --yes to remove it.")


def upgrade(
    reader: Annotated[
        str, typer.Option(help="On PostgreSQL: create this role, which can read the views, with CYPP_READER_PASSWORD.")
    ] = "",
) -> None:
    """Upgrade the warehouse: its tables and views.

    A new warehouse begins with the plan that CYPP_PLAN names; later ones are adopted by cypp plan adopt. Where this
    program has other rules of judging than the one before, everything in force is judged again.
    """
    try:
        workplace = upgrade_workplace(read_settings())
        if reader:
            with writing(workplace.engine) as connection:
                is_new = make_reader(connection, reader, os.environ.get("CYPP_READER_PASSWORD", ""))
            say(f"{reader} {'has been created and' if is_new else 'already exists and'} can read the views.")
    except FAULTS as fault:
        stop_at(fault)
    say_notice(workplace)
    say(f"{workplace.engine.url.render_as_string()} is up to date.")


def _moment_before(typed: str) -> datetime:
    """The moment before which everything is old, or end the command."""
    now = datetime.now(UTC)
    try:
        if typed.isascii() and typed.isdigit():
            moment = now - timedelta(days=int(typed))
        else:
            moment = datetime.combine(date.fromisoformat(typed), time.min, UTC)
    except (ValueError, OverflowError):
        stop(f"{typed!r} is neither a number of days nor a date: type --older-than 365, or --older-than 2010-04-01")
    if moment > now - timedelta(days=1):
        stop("what came within the last day is not old: type --older-than 1 or more, or an earlier date")
    return moment
