"""`cypp status`, `cypp remind` and `cypp queries`: what was returned, in a layout in which every word can be read."""

import json
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import CalendarEntry, Plan, refuse_outside, refuse_unknown_partner
from flows.cli.arguments import day_option, parsed_period
from flows.cli.terminal import say
from flows.cli.warehouse_access import with_warehouse
from flows.deployments.due_returns import NOTHING_MISSING, read_outstanding
from flows.settings import CHASED_FOR
from flows.team.held_lines import held_in_lines
from flows.team.partner_queries import age_in_words, query_label
from schemas.codes import QueryStatus, ReturnStatus
from warehouse.queries.held import held_submissions
from warehouse.queries.partner_queries import partner_queries
from warehouse.queries.views import return_status

if TYPE_CHECKING:
    from sqlalchemy import Connection

_Lines = list[Sequence[str]]


def status(
    period: Annotated[
        str | None,
        typer.Argument(help="A period, such as 2010-11Q1; if not given, all that are open or have a return."),
    ] = None,
) -> None:
    """Show which returns are received, late or missing."""
    wanted, today = parsed_period(period) if period else None, datetime.now(UTC).date()
    raise typer.Exit(with_warehouse(lambda connection, plan: show_status(connection, plan, wanted, today)))


def remind(
    days: Annotated[int, typer.Option(min=0, help="How many days ahead a due date is spoken of.")] = 7,
    since: Annotated[
        date | None, day_option("Only count what was due before this day; a year ago, if not given.", "--since")
    ] = None,
) -> None:
    """List the returns that are missing or due soon.

    Returns that are held follow, and open queries: a line for each period.
    """
    today = datetime.now(UTC).date()
    raise typer.Exit(with_warehouse(lambda connection, _: show_reminder(connection, today, days, since)))


def queries(
    period: Annotated[str | None, typer.Argument(help="A period, such as 2010-11Q1; all of them if not given.")] = None,
    partner: Annotated[str | None, typer.Option("--partner", help="Only those of this partner.")] = None,
    is_all: Annotated[bool, typer.Option("--all", help="Also those that need no answer any more.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per query, each on its own line.")
    ] = False,
) -> None:
    """List the open queries to partners.

    Each has the number by which cypp answer answers it. One that is explained by a later comment of the partner's,
    answered, waived or superseded is not open any more.
    """
    wanted, today = parsed_period(period) if period else None, datetime.now(UTC).date()

    def show(connection: "Connection", plan: Plan) -> int:
        if wanted:
            refuse_outside(plan.calendar, wanted)
        if partner:
            refuse_unknown_partner(plan.partners, partner)
        rows = partner_queries(connection, wanted, partner, None if is_all else QueryStatus.OPEN)
        show_queries([dict(row) for row in rows], as_json, today)
        return 0

    raise typer.Exit(with_warehouse(show))


def show_queries(rows: Sequence[Mapping[str, Any]], as_json: bool, today: date) -> None:
    """Print queries and their status, each in a few lines or as a JSON object."""
    for row in rows:
        if as_json:
            say(json.dumps(dict(row), default=str))
            continue
        say(f"{row['query_id']:>4}  {query_label(row)}: {row['status']}, {age_in_words(row, today)}")
        place = "!".join(filter(None, (row["sheet"], row["cell"])))
        say(f"      {place}: {row['message']}" if place else f"      {row['message']}")
        if row["answer"]:
            say(f"      {row['answered_by']}: {row['answer']}")
    if not rows and not as_json:
        say("There are no such queries.")


def show_status(connection: "Connection", plan: Plan, period: Period | None, today: date) -> int:
    """Print who has returned what for one period, or for all current ones; 1 if something is missing, and not held."""
    rows: Iterable[Any] = return_status(connection, period)
    if period is None:
        begun = {parse_period(row["period"]) for row in rows if row["submission_id"] is not None}
        owed = {period: entry for period, entry in plan.calendar.items() if plan.owing(period)}
        wanted = {one.code for one in begun | open_periods(owed, begun, today)}
        rows = [row for row in rows if row["period"] in wanted]
    if not rows:
        say(f"No returns are expected for {period.label}." if period else "Nothing has been returned yet.")
        return int(period is not None)
    for line in laid_out(rows, shutil.get_terminal_size().columns):
        say(line)
    held = [row for row in held_submissions(connection) if row["period"] in {one["period"] for one in rows}]
    for line in held_in_lines(held):
        say(line)
    waiting = {(row["partner_code"], row["period"]) for row in held}
    missing = {(row["partner_code"], row["period"]) for row in rows if row["status"] == ReturnStatus.MISSING.value}
    return int(not missing <= waiting)


def show_reminder(connection: "Connection", today: date, days: int, since: date | None) -> int:
    """Print which returns are missing, due within so many days or held, and the open queries; 1 if one is overdue."""
    found = read_outstanding(connection, today, days, since)
    for line in (*(found.lines or [NOTHING_MISSING]), *found.held, *found.queries):
        say(line)
    return int(found.is_missing)


def open_periods(owed: Mapping[Period, CalendarEntry], begun: Collection[Period], today: date) -> frozenset[Period]:
    """The periods whose returns are currently requested, with or without any returns, of those owed by anybody.

    They are those that have opened and were due at most a year ago, starting with the first that has a return. If none
    has a return, it is the last only: periods before the first use of the program would all be "missing".
    """
    recent = sorted(
        (period for period, entry in owed.items() if entry.opens_on <= today <= entry.due_on + CHASED_FOR),
        key=lambda period: period.order,
    )
    first = next((place for place, period in enumerate(recent) if period in begun), len(recent) - 1)
    return frozenset(recent[max(first, 0) :])


def laid_out(rows: Iterable[Any], width: int) -> list[str]:
    """The first layout that fits a width: a column per partner, a column per period, or a line per return.

    The last always fits. Nothing is cut off, because partners whose names start alike would look the same.
    """
    listed = list(rows)
    dues = {row["period"]: str(row["due_on"] or "") for row in listed}
    partners = sorted({row["partner_code"] for row in listed})
    status = {(row["period"], row["partner_code"]): str(row["status"]) for row in listed}
    by_period: _Lines = [("Period", "Due", *partners)]
    by_period += [(code, due, *(status.get((code, one), "") for one in partners)) for code, due in dues.items()]
    by_partner: _Lines = [("Partner", *dues), ("Due", *dues.values())]
    by_partner += [(one, *(status.get((code, one), "") for code in dues)) for one in partners]
    one_by_one: _Lines = [("Period", "Due", "Partner", "Status")]
    one_by_one += [(code, dues[code], one, state) for (code, one), state in status.items()]
    for layout in (by_period, by_partner):
        lines = _aligned(layout)
        if max(map(len, lines)) <= width:
            return lines
    return _aligned(one_by_one)


def _aligned(lines: _Lines) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
