"""Commands that record decisions or upgrade the warehouse: `close`, `waive`, `release`, `prune` and `upgrade`."""

import os
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import typer

from cypp_etl.checked_return import Waiver
from cypp_etl.findings import catalogue, in_words
from cypp_etl.plan.model import Plan, refuse_outside
from flows.cli.arguments import By, day_option, parsed_period
from flows.cli.errors import stop
from flows.cli.faults import FAULTS, stop_at
from flows.cli.queries import say_notice
from flows.cli.terminal import say
from flows.ingestion.context import open_to_write, upgrade_workplace
from flows.prefect_runs import is_used, remove_runs_before
from flows.retention import prune_archive
from flows.settings import read_settings
from schemas.codes import Severity
from warehouse.engine import writing
from warehouse.queries.views import return_status
from warehouse.recording.administration import add_waiver, close_period
from warehouse.recording.submissions.text_releases import release_text
from warehouse.views.roles import make_reader


def close(period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")], by: By = "") -> None:
    """Close a period.

    A later change to one of its figures is a query for the data team.
    """
    if not by.strip():
        stop("say who closes the period, with --by NAME")
    wanted = parsed_period(period)
    try:
        workplace = open_to_write(read_settings())
        say_notice(workplace)
        refuse_outside(workplace.plan.calendar, wanted)
        with writing(workplace.engine) as connection:
            was_open = close_period(connection, wanted, by, datetime.now(UTC))
            missing = [row["partner_code"] for row in return_status(connection, wanted) if not row["submission_id"]]
    except FAULTS as fault:
        stop_at(fault)
    say(f"{wanted.label} is closed." if was_open else f"{wanted.label} was already closed.")
    if missing:
        say(f"Not returned yet: {', '.join(missing)}. Their returns will be accepted with a query.", err=True)


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
    try:
        workplace = open_to_write(read_settings())
        say_notice(workplace)
        _refuse_unknown(waiver, workplace.plan)
        with writing(workplace.engine) as connection:
            add_waiver(connection, waiver, datetime.now(UTC))
    except FAULTS as fault:
        stop_at(fault)
    scope = "".join(f", {part}" for part in (only, waiver.period and waiver.period.label) if part)
    say(f"{code} is waived for {partner}{scope}, until {in_words(until)}.")
    if until < datetime.now(UTC).date():
        say(
            "That date is in the past: nothing is waived, and any earlier waiver of the same query has ended.", err=True
        )


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
    try:
        workplace = open_to_write(read_settings())
        say_notice(workplace)
        with writing(workplace.engine) as connection:
            held, was_withheld = release_text(
                connection, submission, sheet.strip(), cell.strip(), by=by, reason=why, at=datetime.now(UTC)
            )
    except FAULTS as fault:
        stop_at(fault)
    place = f"{held['sheet']}!{held['cell']} of submission {submission}"
    say(f"{place} is released." if was_withheld else f"{place} was already released.")


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


def _refuse_unknown(waiver: Waiver, plan: Plan) -> None:
    """Check that a waiver applies to something; otherwise people would rely on it, and it would have no effect.

    Raises:
        ValueError: there is no such query, partner or period, or the query is never about such a subject.
    """
    queries = [code for code, advice in catalogue().items() if advice.severity is Severity.QUERY]
    if waiver.code not in queries:
        raise ValueError(f"{waiver.code!r} is not a query; you can waive {', '.join(queries)}")
    if waiver.partner_code not in plan.partners:
        raise ValueError(f"there is no partner {waiver.partner_code!r}; the plan has {', '.join(plan.partners)}")
    if waiver.period:
        refuse_outside(plan.calendar, waiver.period)
    if waiver.subject:
        _refuse_subject(waiver, plan)


def _refuse_subject(waiver: Waiver, plan: Plan) -> None:
    if waiver.subject not in {*plan.indicators, *plan.milestones}:
        raise ValueError(f"there is no indicator or milestone {waiver.subject!r} in the plan")
    about = catalogue()[waiver.code].about
    if about == "no row":
        raise ValueError(f"{waiver.code} is not about an indicator or a milestone: waive it without --only")
    kind = "milestone" if waiver.subject in plan.milestones else "indicator"
    if about not in (kind, "any row"):
        raise ValueError(f"{waiver.code} is about {about}s, and {waiver.subject!r} is one of the {kind}s")
    milestones = (one.milestone for one in plan.milestones_of[waiver.partner_code])
    if waiver.subject not in {*plan.owed_by.get(waiver.partner_code, ()), *milestones}:
        raise ValueError(f"{waiver.partner_code} does not report on {waiver.subject}")
