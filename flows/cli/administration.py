"""Commands that change what holds for everybody: closed periods, waived queries, the warehouse brought up to date."""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cypp_etl.findings import catalogue
from cypp_etl.plan.model import refuse_outside
from flows.cli.errors import day_option, faults, parsed_period, stop
from flows.cli.queries import say_notice
from flows.cli.terminal import say
from flows.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cypp_etl.checked_return import Waiver
    from cypp_etl.plan.model import Plan

By = Annotated[str, typer.Option("--by", help="Who says so.", envvar="USER")]


def close(period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")], by: By = "") -> None:
    """Close a period.

    A figure that changes afterwards is a query to the data team.
    """
    from flows.ingestion.context import open_to_write
    from warehouse.engine import writing
    from warehouse.queries.views import return_status
    from warehouse.recording.administration import close_period

    if not by.strip():
        stop("say who closes the period: --by NAME")
    wanted = parsed_period(period)
    try:
        workplace = open_to_write(read_settings())
        say_notice(workplace)
        refuse_outside(workplace.plan.calendar, wanted)
        with writing(workplace.engine) as connection:
            was_open = close_period(connection, wanted, by, datetime.now(UTC))
            missing = [row["partner_code"] for row in return_status(connection, wanted) if not row["submission_id"]]
    except faults() as fault:
        stop(fault)
    say(f"{wanted.label} is closed." if was_open else f"{wanted.label} was closed already.")
    if missing:
        say(f"Not returned yet: {', '.join(missing)}. What they return from now on is a query.", err=True)


def waive(
    code: Annotated[str, typer.Argument(help="The query's code, such as large-change.")],
    partner: Annotated[str, typer.Argument(help="The partner's code, such as yos.")],
    why: Annotated[str, typer.Option("--why", help="Why the query needs no answer.")],
    until: Annotated[date, day_option("The last day on which it holds.", "--until")],
    only: Annotated[str, typer.Option("--only", help="One indicator or milestone; all, if not given.")] = "",
    period: Annotated[str, typer.Option("--period", help="One period; every one, if not given.")] = "",
    by: By = "",
) -> None:
    """Waive a query until a date.

    It is then reported as a note that says who waived it, until when, and why.
    A later waiver of just the same takes an earlier one's place: one until a day that is past ends it.
    """
    from cypp_etl.checked_return import Waiver
    from flows.ingestion.context import open_to_write
    from warehouse.engine import writing
    from warehouse.recording.administration import add_waiver

    if not by.strip() or not why.strip():
        stop("say who waives the query, with --by NAME, and why, with --why TEXT")
    waiver = Waiver(code, partner, only, parsed_period(period) if period else None, why, by, until)
    try:
        workplace = open_to_write(read_settings())
        say_notice(workplace)
        _refuse_unknown(waiver, workplace.plan)
        with writing(workplace.engine) as connection:
            add_waiver(connection, waiver, datetime.now(UTC))
    except faults() as fault:
        stop(fault)
    scope = "".join(f", {part}" for part in (only, waiver.period and waiver.period.label) if part)
    say(f"{code} is waived for {partner}{scope}, until {until:%-d %B %Y}.")
    if until < datetime.now(UTC).date():
        say("That day is past: it waives nothing, and ends an earlier waiver of just the same.", err=True)


def release(
    submission: Annotated[int, typer.Argument(help="The submission's number.")],
    cell: Annotated[str, typer.Argument(help="The cell that the mark names, such as M7.")],
    why: Annotated[str, typer.Option("--why", help="Why the text may be seen.")],
    sheet: Annotated[str, typer.Option("--sheet", help="The sheet, if the cell alone does not say which.")] = "",
    by: By = "",
) -> None:
    """Release a text withheld as possible personal data.

    Reports and views show it from now on.
    """
    from flows.ingestion.context import open_to_write
    from warehouse.engine import writing
    from warehouse.views.withheld import release_text

    if not by.strip() or not why.strip():
        stop("say who releases the text, with --by NAME, and why, with --why TEXT")
    try:
        workplace = open_to_write(read_settings())
        say_notice(workplace)
        with writing(workplace.engine) as connection:
            held, was_withheld = release_text(
                connection, submission, sheet.strip(), cell.strip(), by=by, reason=why, at=datetime.now(UTC)
            )
    except faults() as fault:
        stop(fault)
    place = f"{held['sheet']}!{held['cell']} of submission {submission}"
    say(f"{place} is released." if was_withheld else f"{place} was released already.")


def reconcile() -> None:
    """Take what the archive has and the warehouse has not.

    After an older warehouse is restored, drops that came since are taken in their order, once.
    cypp serve does the same when it starts.
    """
    from flows.ingestion.context import open_to_write
    from flows.ingestion.reconciliation import reconcile as take_lost
    from flows.ingestion.reconciliation import without_note

    try:
        workplace = open_to_write(read_settings())
        say_notice(workplace)
        done = take_lost(workplace, say)
        strangers = without_note(workplace)
    except faults() as fault:
        stop(fault)
    for sentence in done.left:
        say(sentence, err=True)
    for path in strangers:
        say(f"{path}: no note says who dropped it. To have it: cypp ingest {path}", err=True)
    say(f"Drops taken from the archive: {len(done.taken)}. Left: {len(done.left) + len(strangers)}.")
    raise typer.Exit(int(bool(done.left or strangers)))


def backup(
    folder: Annotated[Path, typer.Argument(help="The folder to make; nothing may be there.")],
) -> None:
    """Make a backup, and check it.

    It may be made while cypp serve is at work: of the warehouse, the archive, reports, the inbox, the plan's folder,
    and Prefect's blocks and automations.
    """
    from flows.backup.backup import make_backup
    from flows.backup.prefect_objects import read_objects

    settings = read_settings()
    try:
        manifest = make_backup(settings, folder, datetime.now(UTC), lambda: read_objects(settings))
    except faults() as fault:
        stop(fault)
    for path in manifest.damaged:
        say(f"archive/{path}: its bytes are not those that were kept; restore it from an older backup.", err=True)
    for sentence in manifest.skipped:
        say(f"Not in the backup: {sentence}.", err=True)
    say(f"{folder}: submissions: {manifest.warehouse.rows.get('submission', 0)}. {_counted(manifest.files)} Checked.")
    raise typer.Exit(int(bool(manifest.damaged or manifest.skipped)))


def restore(
    folder: Annotated[Path, typer.Argument(help="The backup.")],
    over: Annotated[
        bool, typer.Option("--over", help="Restore into a home that is not empty, whose files stay.")
    ] = False,
) -> None:
    """Restore a backup into an empty home.

    All of it is checked before anything is changed. Stop cypp serve first.
    """
    from flows.backup.prefect_objects import write_objects
    from flows.backup.restoration import restore_backup
    from flows.service.home_lock import AlreadyServedError, home_alone

    settings = read_settings()
    try:
        with home_alone(settings):
            done = restore_backup(settings, folder, over=over)
            done.notes += write_objects(settings, folder)
    except AlreadyServedError as fault:
        stop(fault)
    except faults() as fault:
        stop(fault)
    for sentence in done.notes:
        say(sentence)
    number = done.manifest.warehouse.rows.get("submission", 0)
    say(f"Restored the backup of {done.manifest.made_at}: submissions: {number}. {_counted(done.added)}")
    say("Next: cypp reconcile, which takes what the archive has and the warehouse has not; cypp serve begins with it.")


def _counted(files: "Mapping[str, int]") -> str:
    return "Files: " + ", ".join(f"{part} {number}" for part, number in files.items()) + "."


def upgrade(
    reader: Annotated[
        str, typer.Option(help="On PostgreSQL: a role that may read the views, made with CYPP_READER_PASSWORD.")
    ] = "",
) -> None:
    """Upgrade the warehouse: its tables, views and plan."""
    from flows.ingestion.context import upgrade_workplace
    from warehouse.engine import writing
    from warehouse.views.roles import make_reader

    try:
        workplace, recorded = upgrade_workplace(read_settings())
        if reader:
            with writing(workplace.engine) as connection:
                is_new = make_reader(connection, reader, os.environ.get("CYPP_READER_PASSWORD", ""))
            say(f"{reader} {'is made, and' if is_new else 'was there already, and'} may read the views.")
    except faults() as fault:
        stop(fault)
    if recorded.is_new:
        source = workplace.settings.plan or "the built-in plan"
        say(f"The plan in force is now {source}. Judgements changed: {recorded.changed_judgements}.")
    say(f"{workplace.engine.url.render_as_string()} is up to date.")


def _refuse_unknown(waiver: "Waiver", plan: "Plan") -> None:
    """A waiver that is about nothing would be believed in, and do nothing.

    Raises:
        ValueError: there is no such query, partner or period, or the query is never about such a subject.
    """
    from cypp_etl.findings import catalogue
    from schemas.codes import Severity

    queries = [code for code, advice in catalogue().items() if advice.severity is Severity.QUERY]
    if waiver.code not in queries:
        raise ValueError(f"{waiver.code!r} is not a query; those that can be waived are {', '.join(queries)}")
    if waiver.partner_code not in plan.partners:
        raise ValueError(f"there is no partner {waiver.partner_code!r}; the plan has {', '.join(plan.partners)}")
    if waiver.period:
        refuse_outside(plan.calendar, waiver.period)
    if waiver.subject:
        _refuse_subject(waiver, plan)


def _refuse_subject(waiver: "Waiver", plan: "Plan") -> None:
    if waiver.subject not in {*plan.indicators, *plan.milestones}:
        raise ValueError(f"there is no indicator or milestone {waiver.subject!r} in the plan")
    about = catalogue()[waiver.code].about
    if about == "no row":
        raise ValueError(f"{waiver.code} is about no indicator or milestone: waive it without --only")
    kind = "milestone" if waiver.subject in plan.milestones else "indicator"
    if about not in (kind, "any row"):
        raise ValueError(f"{waiver.code} is about {about}s, and {waiver.subject!r} is of the {kind}s")
    milestones = (one.milestone for one in plan.milestones_of[waiver.partner_code])
    if waiver.subject not in {*plan.owed_by.get(waiver.partner_code, ()), *milestones}:
        raise ValueError(f"{waiver.partner_code} does not report on {waiver.subject}")
