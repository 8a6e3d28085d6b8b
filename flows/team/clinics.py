"""Notes to a performance clinic: issues, solutions and decisions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cypp_etl.periods import LAST_PERIOD, parse_period
from cypp_etl.phrases import short_list
from cypp_etl.plan.reference_keys import loose_key, reference_key
from cypp_etl.report.model import Note, belongs_to
from flows.team.decided import Decided, require_who
from schemas.codes import ClinicStatus, DecisionKind, NoteKind
from warehouse.engine import writing
from warehouse.queries.as_of import clinic_notes, clinics
from warehouse.queries.views import performance
from warehouse.recording.administration import Decision, record_decision
from warehouse.recording.clinic_notes import add_note

if TYPE_CHECKING:
    from flows.ingestion.context import Workplace


def note_at_clinic(workplace: "Workplace", clinic: str, texts: Mapping[NoteKind, Sequence[str]], *, by: str) -> Decided:
    """Note what was said at a clinic, named by its id, or by the indicator if it has one open.

    What the clinic has in the same words, of the same kind and by the same person, is not noted again.

    Raises:
        ValueError: there is no such clinic, there is nothing to note, or nobody says who notes it.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    require_who(by)
    notes = [(kind, text.strip()) for kind, each in texts.items() for text in each]
    # Notes are permanent: a blank one could not be removed.
    if not notes or not all(text for _, text in notes):
        raise ValueError("say what to note: an issue, a solution or a decision")
    now = datetime.now(UTC)
    with writing(workplace.engine) as connection:
        row = _find(clinics(connection, LAST_PERIOD, now), clinic)
        known = {
            (note.kind, note.text, note.noted_by) for note in clinic_notes(connection, now) if belongs_to(note, row)
        }
        added = [(kind, text) for kind, text in dict.fromkeys(notes) if (kind, text, by) not in known]
        if added:
            judged = performance(connection, row["indicator"], partner_code=row["partner_code"])
            period = row["closed_period"] or max((one["period"] for one in judged), key=parse_period)
            for kind, text in added:
                add_note(connection, Note(row["partner_code"], row["indicator"], period, kind, text, by, now))
            kinds = ", ".join(kind.value for kind in dict.fromkeys(kind for kind, _ in added))
            about = f"clinic {row['clinic_id']}: {kinds}"
            # The register has the words.
            decided = Decision(DecisionKind.NOTE_AT_CLINIC, about, by, "", now, row["partner_code"])
            record_decision(connection, decided)
    state = "Noted" if added else "Already noted"
    return Decided(bool(added), (f"{state} for {row['clinic_id']}.",))


def _find(rows: Iterable[Any], wanted: str) -> Any:
    """Find a clinic by its id, or by an indicator with one open clinic, read as a return's references are."""
    every, key, loose = list(rows), reference_key(wanted), loose_key(wanted)
    by_id = [row for row in every if reference_key(row["clinic_id"]) == key]
    are_open = [row for row in every if row["status"] == ClinicStatus.OPEN.value]
    still_open = [row for row in are_open if reference_key(row["indicator"]) == key] or [
        row for row in are_open if loose and loose_key(row["indicator"]) == loose
    ]
    found = by_id or still_open
    if len(found) == 1:
        return found[0]
    if not every:
        raise ValueError(f"{wanted!r} does not identify a clinic: there are no performance clinics yet")
    known = short_list([row["clinic_id"] for row in found or every])
    raise ValueError(f"{wanted!r} does not identify a clinic; the clinics are {known}")
