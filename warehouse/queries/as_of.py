"""Point-in-time queries for the board report: what was in force at a moment, up to a period; and clinic notes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Date,
    RowMapping,
    Text,
    bindparam,
    column,
    insert,
    select,
    text,
)

from cypp_etl.periods import Period
from cypp_etl.report.model import Note
from schemas.codes import NoteKind
from warehouse.schema.tables import clinic_note
from warehouse.schema.types import Moment
from warehouse.views.definitions import as_of_statement
from warehouse.views.selectable import view


def clinics(connection: Connection, until: Period, at: datetime) -> Sequence[RowMapping]:
    """Rows of `bi_clinics` with `measured_period`, by indicator, as known at a moment.

    Periods after `until` are ignored: the report on a quarter does not know what came later.
    """
    found = _ask(connection, "bi_clinics", at, until, "measured_period")
    return sorted(found, key=lambda row: (row["opened_period"], row["indicator"], row["partner_code"]))


def milestones(connection: Connection, until: Period, at: datetime) -> Sequence[RowMapping]:
    """Rows of `bi_milestones` as known at a moment, up to a period, by milestone and period."""
    found = _ask(connection, "bi_milestones", at, until)
    return sorted(found, key=lambda row: (row["milestone"], row["period"] or ""))


def return_status_as_of(connection: Connection, period: Period, at: datetime) -> Sequence[RowMapping]:
    """Rows of `bi_return_status` for a period, by partner, as known at a moment."""
    found = [row for row in _ask(connection, "bi_return_status", at, period) if row["period"] == period.code]
    return sorted(found, key=lambda row: row["partner_code"])


def group_performance(connection: Connection, until: Period, at: datetime) -> Sequence[RowMapping]:
    """Rows of `bi_group_performance` as known at a moment, of all periods, by indicator, period and group."""
    found = _ask(connection, "bi_group_performance", at, until)
    return sorted(found, key=lambda row: (row["indicator"], row["period"], row["group_code"]))


def queries_as_of(connection: Connection, period: Period, at: datetime) -> Sequence[RowMapping]:
    """Rows of `bi_queries` for a period, in the order of their numbers, as known at a moment."""
    return sorted(_ask(connection, "bi_queries", at, period), key=lambda row: row["query_id"])


def clinic_notes(connection: Connection, at: datetime) -> list[Note]:
    """The notes made by a moment, oldest first."""
    columns = clinic_note.c
    query = select(clinic_note).where(columns.recorded_at <= at).order_by(columns.clinic_note_id)
    names = [name for name in Note.__dataclass_fields__ if name != "kind"]
    return [
        Note(kind=NoteKind(row["kind"]), **{name: row[name] for name in names})
        for row in connection.execute(query).mappings()
    ]


def add_note(connection: Connection, note: Note) -> None:
    """Add a note, in a transaction of `engine.writing`. Notes are never changed; a later one corrects an earlier."""
    values = {name: getattr(note, name) for name in Note.__dataclass_fields__}
    connection.execute(insert(clinic_note).values(values))


def _ask(connection: Connection, name: str, at: datetime, until: Period, *more_columns: str) -> Sequence[RowMapping]:
    columns = [column(one.name, one.type) for one in view(name).c] + [column(more, Text()) for more in more_columns]
    statement = text(as_of_statement(name, connection.dialect.name))
    # A query that does not use the date or the period has no such parameters.
    values: dict[str, BindParameter[Any]] = {
        "at": bindparam("at", at, Moment()),
        "today": bindparam("today", at.date(), Date()),
        "last_day": bindparam("last_day", until.last_day, Date()),
        "period": bindparam("period", until.code, Text()),
    }
    asked = statement.bindparams(*(value for key, value in values.items() if f":{key}" in statement.text))
    return connection.execute(asked.columns(*columns)).mappings().all()
