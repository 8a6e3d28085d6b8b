"""`cypp clinics` and `cypp note`: the register of performance clinics, and their notes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cypp_etl.periods import LAST_PERIOD, Period, parse_period
from cypp_etl.plan.index import reference_key
from cypp_etl.plan.model import Plan, refuse_outside
from cypp_etl.report.model import Note, belongs_to
from flows.cli.arguments import By, parsed_period
from flows.cli.errors import stop
from flows.cli.faults import FAULTS, stop_at
from flows.cli.queries import ask, say_notice
from flows.cli.terminal import say
from flows.ingestion.context import open_to_write
from flows.settings import read_settings
from schemas.codes import ClinicStatus, NoteKind
from warehouse.engine import writing
from warehouse.queries.as_of import add_note, clinic_notes
from warehouse.queries.as_of import clinics as clinics_at
from warehouse.queries.views import performance

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


def clinics(
    period: Annotated[
        str | None, typer.Argument(help="Show the clinics as of the end of this period; as of now if not given.")
    ] = None,
) -> None:
    """List the performance clinics, with their notes."""
    until = parsed_period(period) if period else None

    def show(connection: "Connection", plan: Plan) -> int:
        if until:
            refuse_outside(plan.calendar, until)
        return show_clinics(connection, until)

    raise typer.Exit(ask(show))


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
    texts = {"issue": issue or [], "solution": solution or [], "decision": decision or []}
    said = [text for each in texts.values() for text in each]
    # Notes are permanent: a blank one could not be removed.
    if not by.strip() or not said or not all(map(str.strip, said)):
        stop("say what to note, with --issue, --solution or --decision, and by whom, with --by NAME")
    try:
        workplace = open_to_write(read_settings())
        say_notice(workplace)
        noted = add_notes(workplace.engine, clinic, texts, by)
    except FAULTS as fault:
        stop_at(fault)
    say(f"Noted for {noted}.")


def show_clinics(connection: "Connection", period: Period | None) -> int:
    """Print the clinics, newest first, open ones before closed ones."""
    now = datetime.now(UTC)
    rows = clinics_at(connection, period or LAST_PERIOD, now)
    notes = clinic_notes(connection, now)
    if not rows:
        when = f"had been opened by {period.label}" if period else "has been opened"
        say(f"No performance clinic {when}.")
    for row in _newest_first(rows):
        for line in _lines(row, _notes_of(row, notes)):
            say(line)
    return 0


def add_notes(engine: "Engine", clinic: str, texts: Mapping[str, Sequence[str]], by: str) -> str:
    """Add notes to a clinic, and give its id.

    Raises:
        ValueError: there is no such clinic, or the indicator has more than one.
    """
    now = datetime.now(UTC)
    with writing(engine) as connection:
        row = _find(clinics_at(connection, LAST_PERIOD, now), clinic)
        judged = performance(connection, row["indicator"], partner_code=row["partner_code"])
        last = max((one["period"] for one in judged), key=parse_period)
        period = row["closed_period"] or last
        for kind, said in texts.items():
            for text in said:
                note = Note(row["partner_code"], row["indicator"], period, NoteKind(kind), text, by, now)
                add_note(connection, note)
    return str(row["clinic_id"])


def _newest_first(rows: Iterable[Any]) -> list[Any]:
    """Put open clinics before closed ones."""
    newest = sorted(rows, key=lambda row: parse_period(row["opened_period"]), reverse=True)
    return sorted(newest, key=lambda row: row["status"] == ClinicStatus.CLOSED.value)


def _find(rows: Iterable[Any], wanted: str) -> Any:
    """Find a clinic by its id, or by an indicator with one open clinic; case- and whitespace-insensitive."""
    listed, key = list(rows), reference_key(wanted)
    by_id = [row for row in listed if reference_key(row["clinic_id"]) == key]
    still_open = [
        row for row in listed if reference_key(row["indicator"]) == key and row["status"] == ClinicStatus.OPEN.value
    ]
    found = by_id or still_open
    if len(found) == 1:
        return found[0]
    known = ", ".join(row["clinic_id"] for row in found or listed) or "none"
    raise ValueError(f"{wanted!r} does not identify a clinic; the clinics are {known}")


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
