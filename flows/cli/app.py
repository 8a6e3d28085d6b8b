"""The command line: the table of its commands, and what each of them begins with.

A command translates arguments, calls what does the work, and says how it ended. Exit status: 0 all accepted,
1 something was rejected or is missing, 2 it could not run.
"""

import os
from importlib import metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from flows.cli.command import Command
from flows.cli.terminal import say

COMMANDS = {
    "demo": ("demo", "Run the whole pipeline on sample returns."),
    "template": ("template", "Write the form that a partner fills in for a period."),
    "issue": ("template", "Put every partner's form into its folder."),
    "check": ("check", "Check workbooks and load nothing."),
    "ingest": ("ingest", "Check workbooks, and load those without errors."),
    "backfill": ("backfill", "Ingest thousands of workbooks at once."),
    "serve": ("serve", "Watch the inbox, with the Prefect UI, until Ctrl+C."),
    "health": ("serve", "Ask the running cypp serve whether it does its work."),
    "status": ("status", "Show which returns are received, late or missing."),
    "remind": ("status", "List the returns that are missing or due soon."),
    "queries": ("status", "List the open queries to partners."),
    "explain": ("explain", "Explain a judgement, step by step, back to its cells."),
    "report": ("reports", "Write the board report, as HTML and as a workbook."),
    "publish": ("reports", "Publish the board report."),
    "clinics": ("clinics", "List the performance clinics, with their notes."),
    "note": ("clinics", "Add notes to a performance clinic."),
    "export": ("export", "Export every view as CSV and Parquet."),
    "close": ("decisions", "Close a period."),
    "reopen": ("decisions", "Reopen a closed period."),
    "waive": ("decisions", "Waive a query until a date."),
    "waivers": ("decisions", "List the waivers in force."),
    "end-waiver": ("decisions", "End a waiver."),
    "answer": ("decisions", "Answer a query for the partner."),
    "accept": ("decisions", "Accept a return that is held."),
    "refuse": ("decisions", "Refuse a return that is held."),
    "release": ("decisions", "Release a text withheld as possible personal data."),
    "withdraw": ("decisions", "Take a submission out of force."),
    "erase": ("decisions", "Erase what was typed in a return."),
    "decisions": ("decisions", "List what was decided, oldest first."),
    "backup": ("backups", "Make a backup, and check it."),
    "restore": ("backups", "Restore a backup into an empty home."),
    "reconcile": ("backups", "Take what the archive has and the warehouse has not."),
    "prune": ("administration", "Remove workbooks and runs that are old."),
    "upgrade": ("administration", "Upgrade the warehouse: its tables and views."),
    "plan check": ("plan", "Find the faults of a plan."),
    "plan compare": ("plan", "Show what another plan would change."),
    "plan adopt": ("plan", "Put a plan in force."),
    "plan export": ("plan", "Write the plan in force to a folder, or to a workbook."),
    "plan history": ("plan", "List the plans that were in force, latest first."),
}
"""The module in `flows/cli/commands/` that has each command, and its summary, so that help imports none of them."""

GROUPS = {"plan": "Check, compare, adopt and export the plan."}
"""The summary of each group of commands."""

# These write where the user says, so the umask is the user's.
_FOR_OTHERS = frozenset({"check", "template"})


class _Commands(TyperGroup):
    """The commands of the table, in its order."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        groups = {
            name: TyperGroup(name=name, help=summary, no_args_is_help=True, rich_markup_mode=None)
            for name, summary in GROUPS.items()
        }
        for path, (module, summary) in COMMANDS.items():
            group = groups.get(path.partition(" ")[0])
            (group or self).add_command(Command(path, f"flows.cli.commands.{module}", summary))
        for group in groups.values():
            self.add_command(group)


app = typer.Typer(
    name="cypp",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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
