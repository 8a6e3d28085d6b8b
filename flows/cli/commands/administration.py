"""Commands of the data team: `close`, `waive`, `answer`, `accept`, `refuse`, `release`, `prune` and `upgrade`."""

import os
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import typer

from cypp_etl.checked_return import Waiver
from cypp_etl.findings import in_words
from flows.cli.arguments import By, day_option, parsed_period
from flows.cli.decisions import decide
from flows.cli.errors import stop
from flows.cli.faults import FAULTS, stop_at
from flows.cli.queries import say_notice
from flows.cli.terminal import say
from flows.ingestion.context import open_to_write, upgrade_workplace
from flows.prefect_runs import is_used, remove_runs_before
from flows.retention import prune_archive
from flows.settings import read_settings
from flows.team.held_verdicts import decide_held
from flows.team.periods import close_period
from flows.team.queries import answer_query
from flows.team.texts import release_text
from flows.team.waivers import waive_query
from warehouse.engine import writing
from warehouse.views.roles import make_reader

Held = Annotated[int, typer.Argument(help="The submission's number, as cypp status lists it.")]
Why = Annotated[str, typer.Option("--why", help="Why, for the record.")]
Word = Annotated[str, typer.Option("--word", help="What the partner reads in the receipt.")]


def close(
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")],
    why: Annotated[str, typer.Option("--why", help="Why, for the record.")] = "",
    by: By = "",
) -> None:
    """Close a period.

    A later correction of its figures is held until the data team decides on it.
    """
    if not by.strip():
        stop("say who closes the period, with --by NAME")
    wanted = parsed_period(period)
    decide(lambda workplace: close_period(workplace, wanted, by=by, why=why))


def waive(
    code: Annotated[str, typer.Argument(help="The query's code, such as large-change.")],
    partner: Annotated[str, typer.Argument(help="The partner's code, such as yos.")],
    why: Annotated[str, typer.Option("--why", help="Why the query needs no answer.")],
    until: Annotated[date, day_option("The last day on which it is waived.", "--until")],
    only: Annotated[str, typer.Option("--only", help="An indicator or a milestone; all of them if not given.")] = "",
    period: Annotated[str, typer.Option("--period", help="A period; all of them if not given.")] = "",
    by: By = "",
) -> None:
    """Waive a query until a date.

    It is then reported as a note that says who waived it, until when, and why.
    A later waiver of the same query replaces the earlier one; to end a waiver, give a date in the past.
    """
    if not by.strip() or not why.strip():
        stop("say who waives the query, with --by NAME, and why, with --why TEXT")
    waiver = Waiver(code, partner, only, parsed_period(period) if period else None, why, by, until)
    decide(lambda workplace: waive_query(workplace, waiver))


def answer(
    number: Annotated[int, typer.Argument(help="The query's number, as cypp queries lists it.")],
    answer: Annotated[str, typer.Argument(help="What the answer is, in a sentence.")],
    by: By = "",
) -> None:
    """Answer a query for the partner.

    It is then no longer open; the next return is asked again only if something else is typed there.
    """
    decide(lambda workplace: answer_query(workplace, number, answer, by=by))


def accept(submission: Held, why: Why, word: Word = "", by: By = "") -> None:
    """Accept a return that is held.

    It is in force from now on, and the partner gets another receipt.
    """
    decide(lambda workplace: decide_held(workplace, submission, is_accepted=True, by=by, why=why, word=word))


def refuse(submission: Held, why: Why, word: Word, by: By = "") -> None:
    """Refuse a return that is held.

    What was in force stays, and the partner gets another receipt.
    """
    decide(lambda workplace: decide_held(workplace, submission, is_accepted=False, by=by, why=why, word=word))


def release(
    submission: Annotated[int, typer.Argument(help="The submission's number.")],
    cell: Annotated[str, typer.Argument(help="The cell that the withheld text names, such as M7.")],
    why: Annotated[str, typer.Option("--why", help="Why the text can be shown.")],
    sheet: Annotated[str, typer.Option("--sheet", help="The sheet, if the cell alone is ambiguous.")] = "",
    by: By = "",
) -> None:
    """Release a text withheld as possible personal data.

    Reports and views show it from now on.
    """
    if not by.strip() or not why.strip():
        stop("say who releases the text, with --by NAME, and why, with --why TEXT")
    decide(lambda workplace: release_text(workplace, submission, cell, sheet, by=by, why=why))


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
    say(f"{verb}, from before {in_words(before.date())}: workbooks {pruned.workbooks:,} ({pruned.size:,} bytes).")
    say(f"{verb}, from before {in_words(before.date())}: runs in Prefect {runs:,}.")
    if not yes and (pruned.workbooks or runs):
        say("Nothing was removed: add --yes to remove it.")


def upgrade(
    reader: Annotated[
        str, typer.Option(help="On PostgreSQL: create this role, which can read the views, with CYPP_READER_PASSWORD.")
    ] = "",
) -> None:
    """Upgrade the warehouse: its tables and views.

    A new warehouse begins with the plan that CYPP_PLAN names; later ones are adopted by cypp plan adopt.
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
