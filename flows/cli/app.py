"""The command line: the table of its commands, and what each of them begins with.

A command translates arguments, calls what does the work, and says how it ended. Exit status: 0 all accepted,
1 something was rejected, held, skipped or is missing, 2 it could not run.
"""

import os
from importlib import metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from flows.cli.command import Command
from flows.cli.terminal import say

SECTIONS = {
    "To begin": {
        "demo": ("demo", "Run the whole pipeline on sample returns."),
        "template": ("template", "Write the form that a partner fills in for a period."),
        "check": ("check", "Check workbooks and load nothing."),
    },
    "From day to day": {
        "serve": ("serve", "Watch the inbox, with the Prefect UI, until Ctrl+C."),
        "ingest": ("ingest", "Check workbooks, and load those without errors."),
        "backfill": ("backfill", "Ingest thousands of workbooks at once."),
        "issue": ("template", "Put every partner's form into its folder."),
        "status": ("status", "Show which returns are received, late or missing."),
        "remind": ("status", "List the returns that are missing or due soon."),
        "queries": ("status", "List the open queries to partners."),
    },
    "For the Board": {
        "explain": ("explain", "Explain a judgement, step by step, back to its cells."),
        "report": ("reports", "Write the board report, as HTML and as a workbook."),
        "publish": ("reports", "Publish the board report."),
        "clinics": ("clinics", "List the performance clinics, with their notes."),
        "note": ("clinics", "Add notes to a performance clinic."),
    },
    "Decisions": {
        "answer": ("decisions", "Answer a query for the partner."),
        "waive": ("decisions", "Waive a query until a date."),
        "waivers": ("decisions", "List the waivers in force."),
        "end-waiver": ("decisions", "End a waiver."),
        "accept": ("decisions", "Accept a return that is held."),
        "refuse": ("decisions", "Refuse a return that is held."),
        "withdraw": ("decisions", "Take a submission out of force."),
        "erase": ("decisions", "Erase what was typed in a return."),
        "release": ("decisions", "Release a text withheld as possible personal data."),
        "close": ("decisions", "Close a period."),
        "reopen": ("decisions", "Reopen a closed period."),
        "decisions": ("decisions", "List what was decided, oldest first."),
    },
    "Plan and views": {
        "plan check": ("plan", "Find the faults of a plan."),
        "plan compare": ("plan", "Show what another plan would change."),
        "plan adopt": ("plan", "Put a plan in force."),
        "plan export": ("plan", "Write the plan in force to a folder, or to a workbook."),
        "plan history": ("plan", "List the plans that were in force, latest first."),
        "export": ("export", "Export every view as CSV and Parquet."),
        "upgrade": ("administration", "Upgrade the warehouse: its tables and views."),
    },
    "Keeping it running": {
        "health": ("serve", "Show the health of the running cypp serve."),
        "backup": ("backups", "Make a backup, and check it."),
        "restore": ("backups", "Restore a backup into an empty home."),
        "prune": ("administration", "Remove workbooks and runs that are old."),
        "reconcile": ("backups", "Ingest archived workbooks that the warehouse lacks."),
    },
}
"""What `cypp --help` lists, by what it is for: each command's module in `flows/cli/commands/`, and its summary.

Help imports none of them.
"""

COMMANDS = {path: listed for section in SECTIONS.values() for path, listed in section.items()}

GROUPS = {"plan": "Check, compare, adopt and export the plan."}
"""The summary of each group of commands."""

# These write where the user says, so the umask is the user's.
_FOR_OTHERS = frozenset({"check", "template"})


class _Commands(TyperGroup):
    """The commands of the table, in its sections."""

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

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands into the help: Typer's formatter takes a section's title, and pairs of texts."""
        for title, paths in SECTIONS.items():
            with formatter.section(title):
                names = dict.fromkeys(path.partition(" ")[0] for path in paths)
                formatter.write_dl([(name, self.commands[name].get_short_help_str(80)) for name in names])


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
