"""`cypp clinics` and `cypp note`: the register of performance clinics, and their notes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cypp_etl.periods import LAST_PERIOD, Period, parse_period
from cypp_etl.plan.index import reference_key
from flows.cli.terminal import say
from schemas.codes import ClinicStatus, NoteKind

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from cypp_etl.report.model import Note


def show_clinics(connection: "Connection", period: Period | None) -> int:
    """Print the clinics, newest first, open ones before closed ones."""
    from warehouse.queries.as_of import clinic_notes, clinics

    now = datetime.now(UTC)
    rows = clinics(connection, period or LAST_PERIOD, now)
    notes = clinic_notes(connection, now)
    if not rows:
        say("No performance clinic has been opened.")
    for row in _newest_first(rows):
        for line in _lines(row, _notes_of(row, notes)):
            say(line)
    return 0


def add_notes(engine: "Engine", clinic: str, texts: Mapping[str, Sequence[str]], by: str) -> str:
    """Add notes to a clinic, and give its id.

    Raises:
        ValueError: there is no such clinic, or the indicator has more than one.
    """
    from cypp_etl.report.model import Note
    from warehouse.engine import writing
    from warehouse.queries.as_of import add_note, clinics
    from warehouse.queries.views import performance

    now = datetime.now(UTC)
    with writing(engine) as connection:
        row = _find(clinics(connection, LAST_PERIOD, now), clinic)
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


def _notes_of(row: Any, notes: "Iterable[Note]") -> "list[Note]":
    from cypp_etl.report.pages import belongs_to

    return [note for note in notes if belongs_to(note, row)]


def _lines(row: Any, notes: "Iterable[Note]") -> list[str]:
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
