"""Point-in-time queries for the board report: what was in force at a moment, up to a period; and clinic notes."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Date,
    Row,
    RowMapping,
    Select,
    Table,
    Text,
    bindparam,
    column,
    select,
    text,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from cypp_etl.periods import Period
from cypp_etl.report.model import Note
from schemas.codes import NoteKind
from warehouse.schema.tables import clinic_note
from warehouse.schema.types import Moment
from warehouse.views.definitions import as_of_statement
from warehouse.views.in_force import AS_OF, OF_SOME
from warehouse.views.selectable import view


@dataclass(frozen=True, slots=True)
class Wanted:
    """Partners and indicators that are asked for, each all if None; and the year from which on, if not all of them."""

    partners: frozenset[str] | None = None
    indicators: frozenset[str] | None = None
    since: Period | None = None

    def of(self, columns: ReadOnlyColumnCollection[str, Any]) -> list[ColumnElement[bool]]:
        """The conditions on a table with `partner_code`, `indicator` and `period`."""
        both = (("partner_code", self.partners), ("indicator", self.indicators))
        found = [columns[name].in_(codes) for name, codes in both if codes is not None]
        # A quarter's code starts with its year's.
        return [*found, columns["period"] >= self.since.code] if self.since else found

    def has(self, partner_code: str, indicator: str) -> bool:
        """Whether a series is asked for."""
        return all(
            codes is None or code in codes
            for code, codes in ((partner_code, self.partners), (indicator, self.indicators))
        )


EVERY_SERIES = Wanted()
"""Where nothing is left out."""


def in_force_then(connection: Connection, table: Table, query: Select[Any], at: datetime) -> Iterator[Row[Any]]:
    """The rows of a query on a table that were in force at a moment.

    It is asked in two halves, those that still are and those that were superseded since: each has its own indexes.
    """
    recorded, ended = table.c.recorded_at <= at, table.c.superseded_at
    for half in (ended.is_(None), ended > at):
        yield from connection.execute(query.where(recorded, half))


def clinics(
    connection: Connection, until: Period, at: datetime, partner_codes: Collection[str] | None = None
) -> Sequence[RowMapping]:
    """Rows of `bi_clinics` with `measured_period`, by indicator, as known at a moment; of partners, all if None.

    Periods after `until` are ignored: the report on a quarter does not know what came later.
    """
    found = _ask(connection, "bi_clinics", at, until, "measured_period", partner_codes=partner_codes)
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
    """Rows of `bi_group_performance` as known at a moment, up to a period, by indicator, period and group."""
    found = _ask(connection, "bi_group_performance", at, until)
    return sorted(found, key=lambda row: (row["indicator"], row["period"], row["group_code"]))


def queries_as_of(
    connection: Connection, period: Period, at: datetime, partner_codes: Collection[str] | None = None
) -> Sequence[RowMapping]:
    """Rows of `bi_queries` for a period, by their numbers, as known at a moment; of partners, all if None."""
    found = _ask(connection, "bi_queries", at, period, partner_codes=partner_codes)
    return sorted(found, key=lambda row: row["query_id"])


def clinic_notes(connection: Connection, at: datetime) -> list[Note]:
    """The notes made by a moment, oldest first."""
    columns = clinic_note.c
    query = select(clinic_note).where(columns.recorded_at <= at).order_by(columns.clinic_note_id)
    names = [name for name in Note.__dataclass_fields__ if name != "kind"]
    return [
        Note(kind=NoteKind(row["kind"]), **{name: row[name] for name in names})
        for row in connection.execute(query).mappings()
    ]


def _ask(
    connection: Connection,
    name: str,
    at: datetime,
    until: Period,
    *more_columns: str,
    partner_codes: Collection[str] | None = None,
) -> Sequence[RowMapping]:
    columns = [column(one.name, one.type) for one in view(name).c] + [column(more, Text()) for more in more_columns]
    standing = AS_OF if partner_codes is None else OF_SOME
    statement = text(as_of_statement(name, connection.dialect.name, standing))
    # A query that does not use the date or the period has no such parameters.
    values: dict[str, BindParameter[Any]] = {
        "at": bindparam("at", at, Moment()),
        "today": bindparam("today", at.date(), Date()),
        "last_day": bindparam("last_day", until.last_day, Date()),
        "period": bindparam("period", until.code, Text()),
        "partner_codes": bindparam("partner_codes", sorted(partner_codes or ()), Text(), expanding=True),
    }
    asked = statement.bindparams(*(value for key, value in values.items() if f":{key}" in statement.text))
    return connection.execute(asked.columns(*columns)).mappings().all()
