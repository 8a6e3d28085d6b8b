"""The notes that are made on performance clinics."""

from sqlalchemy import Connection, insert

from cypp_etl.report.model import Note
from warehouse.schema.tables import clinic_note


def add_note(connection: Connection, note: Note) -> None:
    """Add a note, in a transaction of `engine.writing`. Notes are never changed; a later one corrects an earlier."""
    values = {name: getattr(note, name) for name in Note.__dataclass_fields__}
    connection.execute(insert(clinic_note).values(values))
