"""Commands of the data team's decisions, from `close` to `erase`, and the lists of what was decided and waived."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cypp_etl.checked_return import Waiver
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.report.moments import moment_words
from flows.cli.arguments import By, day_option, parsed_period
from flows.cli.decisions import decide
from flows.cli.faults import FAULTS, stop_at
from flows.cli.removed_runs import remove_runs_of
from flows.cli.terminal import say
from flows.cli.warehouse_access import with_warehouse
from flows.prefect_server.client import is_used
from flows.settings import read_settings
from flows.team.held_verdicts import decide_held
from flows.team.partner_queries import answer_query
from flows.team.periods import close_period, reopen_period
from flows.team.submissions import erase_content, withdraw_return
from flows.team.texts import release_text
from flows.team.waivers import end_waiver as end_waiver_of
from flows.team.waivers import waive_query
from warehouse.queries.decisions import decisions as decisions_of
from warehouse.queries.decisions import waivers as waivers_on

if TYPE_CHECKING:
    from sqlalchemy import Connection

Why = Annotated[str, typer.Option("--why", help="Why, for the record.")]
Rows = Annotated[bool, typer.Option("--json", help="Print one JSON object for each, each on its own line.")]
Held = Annotated[int, typer.Argument(help="The submission's number, as cypp status lists it.")]
Word = Annotated[str, typer.Option("--word", help="What the partner reads in the receipt.")]
Submission = Annotated[int, typer.Argument(help="The submission's number, as bi_submissions and receipts have it.")]


def close(
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")], why: Why = "", by: By = ""
) -> None:
    """Close a period.

    A later correction of its figures is held until the data team decides on it.
    """
    wanted = parsed_period(period)
    decide(lambda workplace: close_period(workplace, wanted, by=by, why=why))


def reopen(
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")], why: Why, by: By = ""
) -> None:
    """Reopen a closed period.

    Later corrections of its figures are no longer held, and its returns can be withdrawn.
    """
    wanted = parsed_period(period)
    decide(lambda workplace: reopen_period(workplace, wanted, by=by, why=why))


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
    waiver = Waiver(code, partner, only, parsed_period(period) if period else None, why, by, until)
    decide(lambda workplace: waive_query(workplace, waiver))


def end_waiver(
    number: Annotated[int, typer.Argument(help="The waiver's number, as cypp waivers lists it.")],
    why: Why,
    by: By = "",
) -> None:
    """End a waiver.

    The query is raised again for returns that come from now on.
    """
    decide(lambda workplace: end_waiver_of(workplace, number, by=by, why=why))


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
    decide(lambda workplace: release_text(workplace, submission, cell, sheet, by=by, why=why))


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
    erased = decide(lambda workplace: erase_content(workplace, submission, cell or (), by=by, why=why))
    settings = read_settings()
    if not is_used(settings):
        return
    try:
        say(f"Prefect's runs removed: {remove_runs_of(settings, erased.sha256, erased.periods)}.")
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

    raise typer.Exit(with_warehouse(show))


def waivers(as_json: Rows = False) -> None:
    """List the waivers in force."""
    today = datetime.now(UTC).date()

    def show(connection: "Connection", _: Plan) -> int:
        _show(waivers_on(connection, today), as_json, "Nothing is waived.", _waiver_lines)
        return 0

    raise typer.Exit(with_warehouse(show))


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
    return [f"{row['decision_id']:>4}  {moment_words(row['decided_at'])}  {row['kind']}: {about}{until}", _reason(row)]


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


def _as_text(value: date) -> str:
    return value.isoformat()
