"""Commands of the data team's decisions: `reopen`, `end-waiver`, `withdraw`, `erase`, and the lists of them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from flows.cli.arguments import By, parsed_period
from flows.cli.faults import FAULTS, stop_at
from flows.cli.queries import ask, say_notice
from flows.cli.terminal import say
from flows.decisions import Decided, ErasedContent, erase_content, reopen_period, withdraw_return
from flows.decisions import end_waiver as end_waiver_of
from flows.ingestion.context import Workplace, open_to_write
from flows.prefect_runs import is_used, remove_runs_of
from flows.settings import read_settings
from warehouse.queries.decisions import decisions as decisions_of
from warehouse.queries.decisions import waivers as waivers_on

if TYPE_CHECKING:
    from sqlalchemy import Connection

Why = Annotated[str, typer.Option("--why", help="Why, for the record.")]
Rows = Annotated[bool, typer.Option("--json", help="Print one JSON object for each, each on its own line.")]
Submission = Annotated[int, typer.Argument(help="The submission's number, as bi_submissions and receipts have it.")]


def reopen(
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")], why: Why, by: By = ""
) -> None:
    """Reopen a closed period.

    Later corrections of its figures are no longer held, and its returns can be withdrawn.
    """
    wanted = parsed_period(period)
    decide(lambda workplace: reopen_period(workplace, wanted, by=by, why=why))


def end_waiver(
    number: Annotated[int, typer.Argument(help="The waiver's number, as cypp waivers lists it.")],
    why: Why,
    by: By = "",
) -> None:
    """End a waiver.

    Returns that come from now on are asked the query again.
    """
    decide(lambda workplace: end_waiver_of(workplace, number, by=by, why=why))


def withdraw(submission: Submission, why: Why, by: By = "") -> None:
    """Take a submission out of force.

    The earlier accepted one of the same partner and period is in force again, or none. Reports as of an earlier moment
    stay as they were.
    """
    decide(lambda workplace: withdraw_return(workplace, submission, by=by, why=why))


def erase(
    submission: Submission,
    why: Why,
    cell: Annotated[
        list[str] | None,
        typer.Option("--cell", help="A cell, such as Indicators!M7; can be repeated. All free text if not given."),
    ] = None,
    by: By = "",
) -> None:
    """Erase what was typed in a return.

    It is for requests under data protection law. The workbook, its receipts and its runs in Prefect are removed.
    Figures, the workbook's hash and who decided what stay. It cannot be undone.
    """
    erased: list[ErasedContent] = []

    def act(workplace: Workplace) -> Decided:
        erased.append(erase_content(workplace, submission, cell or (), by=by, why=why))
        return erased[-1]

    decide(act)
    settings = read_settings()
    if not is_used(settings):
        return
    try:
        say(f"Prefect's runs removed: {remove_runs_of(settings, erased[-1].sha256)}.")
    except FAULTS as fault:
        stop_at(fault)


def decisions(
    period: Annotated[str | None, typer.Argument(help="Only what is about this period.")] = None,
    partner: Annotated[str | None, typer.Option("--partner", help="Only what is about this partner.")] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", help="Only decisions of this kind, such as waive-query.")
    ] = None,
    as_json: Rows = False,
) -> None:
    """List what was decided, oldest first."""
    wanted = parsed_period(period) if period else None

    def show(connection: "Connection", _: Plan) -> int:
        rows = [dict(row) for row in decisions_of(connection, wanted, partner, kind)]
        _show(rows, as_json, "Nothing has been decided.", _decision_lines)
        return 0

    raise typer.Exit(ask(show))


def waivers(as_json: Rows = False) -> None:
    """List the waivers in force."""
    today = datetime.now(UTC).date()

    def show(connection: "Connection", _: Plan) -> int:
        _show(waivers_on(connection, today), as_json, "Nothing is waived.", _waiver_lines)
        return 0

    raise typer.Exit(ask(show))


def decide(act: Callable[[Workplace], Decided]) -> None:
    """Make a decision in the warehouse, and print what it did."""
    try:
        workplace = open_to_write(read_settings())
        say_notice(workplace)
        decided = act(workplace)
    except FAULTS as fault:
        stop_at(fault)
    for sentence in decided.said:
        say(sentence)


def _show(
    rows: Iterable[Mapping[str, Any]], as_json: bool, none: str, lines: Callable[[Mapping[str, Any]], Sequence[str]]
) -> None:
    found = list(rows)
    for row in found if as_json else ():
        say(json.dumps(dict(row), default=_as_text))
    if as_json:
        return
    for row in found:
        head, *below = lines(row)
        say(head)
        for line in below:
            say(f"      {line}")
    if not found:
        say(none)


def _decision_lines(row: Mapping[str, Any]) -> list[str]:
    about = ", ".join(filter(None, (row["about"], _whose(row))))
    until = f", until {row['until']}" if row["until"] else ""
    return [f"{row['decision_id']:>4}  {_moment(row['decided_at'])}  {row['kind']}: {about}{until}", _reason(row)]


def _waiver_lines(row: Mapping[str, Any]) -> list[str]:
    period = parse_period(row["period"]).label if row["period"] else "every period"
    scope = ", ".join((row["partner_code"], row["subject"] or "all rows", period))
    by = {"decided_by": row["waived_by"], "why": row["why"]}
    return [f"{row['decision_id']:>4}  {row['code']}: {scope}, until {row['until']}", _reason(by)]


def _whose(row: Mapping[str, Any]) -> str:
    """Partner and period, where the words do not name them already."""
    period = parse_period(row["period"]).label if row["period"] else ""
    return ", ".join(part for part in (row["partner_code"], period) if part and part not in row["about"])


def _reason(row: Mapping[str, Any]) -> str:
    return f"{row['decided_by']}: {row['why']}" if row["why"] else str(row["decided_by"])


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _as_text(value: date) -> str:
    return value.isoformat()
