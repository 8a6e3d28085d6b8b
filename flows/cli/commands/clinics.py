"""`cypp clinics` and `cypp note`: the register of performance clinics, and their notes."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cypp_etl.periods import LAST_PERIOD, Period, parse_period
from cypp_etl.plan.model import Plan, refuse_outside
from cypp_etl.plan.selection import EVERYTHING, Selection, select_part
from cypp_etl.report.model import Note, belongs_to
from flows.cli.arguments import By, OfGroup, OfOutcome, OfPartner, parsed_period
from flows.cli.decisions import decide
from flows.cli.errors import stop
from flows.cli.terminal import say
from flows.cli.warehouse_access import with_warehouse
from flows.team.clinics import note_at_clinic
from schemas.codes import ClinicStatus, NoteKind
from warehouse.queries.as_of import clinic_notes
from warehouse.queries.as_of import clinics as clinics_at

if TYPE_CHECKING:
    from sqlalchemy import Connection


def clinics(
    period: Annotated[
        str | None, typer.Argument(help="Show the clinics as of the end of this period; as of now if not given.")
    ] = None,
    partner: OfPartner = "",
    group: OfGroup = "",
    outcome: OfOutcome = "",
) -> None:
    """List the performance clinics, with their notes."""
    until = parsed_period(period) if period else None

    def show(connection: "Connection", plan: Plan) -> int:
        if until:
            refuse_outside(plan.calendar, until)
        part = select_part(plan, partner, group, outcome)
        return show_clinics(
            connection, until, part, {name: leaf.outcome_code for name, leaf in plan.indicators.items()}
        )

    raise typer.Exit(with_warehouse(show))


def note(
    clinic: Annotated[str, typer.Argument(help='A clinic\'s id, or the indicator if it has one open: "NI 45".')],
    by: By = "",
    issue: Annotated[list[str] | None, typer.Option(help="What is in the way.")] = None,
    solution: Annotated[list[str] | None, typer.Option(help="A solution to note; can be repeated.")] = None,
    decision: Annotated[list[str] | None, typer.Option(help="A decision to note; can be repeated.")] = None,
) -> None:
    """Add notes to a performance clinic.

    Issues, solutions and decisions are shown in the reports that follow.
    """
    texts = {NoteKind.ISSUE: issue or [], NoteKind.SOLUTION: solution or [], NoteKind.DECISION: decision or []}
    notes = [text for each in texts.values() for text in each]
    # Notes are permanent: a blank one could not be removed.
    if not by.strip() or not notes or not all(map(str.strip, notes)):
        stop("say what to note, with --issue, --solution or --decision, and by whom, with --by NAME")
    decide(lambda workplace: note_at_clinic(workplace, clinic, texts, by=by))


def show_clinics(
    connection: "Connection",
    period: Period | None,
    part: Selection = EVERYTHING,
    outcomes: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Print the clinics of a part of the plan, newest first, open ones before closed ones.

    `outcomes` has the code of each indicator's outcome.
    """
    now = datetime.now(UTC)
    rows = [
        row
        for row in clinics_at(connection, period or LAST_PERIOD, now)
        if part.has(row["partner_code"], outcomes.get(row["indicator"], ""))
    ]
    notes = clinic_notes(connection, now)
    if not rows:
        when = f"had been opened by {period.label}" if period else "has been opened"
        say(f"No performance clinic {when}{f' for {part.title}' if part.title else ''}.")
    for row in _newest_first(rows):
        for line in _lines(row, _notes_of(row, notes)):
            say(line)
    return 0


def _newest_first(rows: Iterable[Any]) -> list[Any]:
    """Put open clinics before closed ones."""
    newest = sorted(rows, key=lambda row: parse_period(row["opened_period"]), reverse=True)
    return sorted(newest, key=lambda row: row["status"] == ClinicStatus.CLOSED.value)


def _notes_of(row: Any, notes: Iterable[Note]) -> list[Note]:
    return [note for note in notes if belongs_to(note, row)]


def _lines(row: Any, notes: Iterable[Note]) -> list[str]:
    since = f" in {row['closed_period']}" if row["closed_period"] else ""
    return [
        f"{row['clinic_id']}: {row['status']}{since}",
        f"  Opened in {row['opened_period']}: {row['reason']}. Diagnosis: {row['diagnosis']} "
        f"(milestones due: {row['milestones_due']}, of which achieved: {row['milestones_achieved']}).",
        *(
            f"  {note.kind.value.capitalize()}, {note.recorded_at:%Y-%m-%d}, {note.noted_by}: {note.text}"
            for note in notes
        ),
    ]
