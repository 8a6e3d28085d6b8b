"""Symbols that turned after they had been judged, each with the cell, the file or the decision that turned it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select

from cypp_etl.report.model import Row
from warehouse.schema.tables import ACCEPTED, observation, submission, withdrawal
from warehouse.views.selectable import view

_CELL = ("submission_id", "partner_code", "indicator", "sheet", "cell")


def symbol_change_rows(
    connection: Connection, after: datetime | None, at: datetime, partner_codes: Collection[str] | None = None
) -> list[Row]:
    """Rows of `bi_symbol_changes` of partners, all if None, after a moment and up to another, by indicator and period.

    A symbol that a cell turned has its cell, or the file alone where a figure was left out of it. Where there is no
    file, a decision turned the symbol, or newer rules: `withdrawal` names the file that was taken out of force, if any.
    """
    columns = view("bi_symbol_changes").c
    conditions: list[ColumnElement[Any]] = [columns.changed_at <= at]
    if after:
        conditions.append(columns.changed_at > after)
    if partner_codes is not None:
        conditions.append(columns.partner_code.in_(partner_codes))
    query = (
        select(*columns)
        .where(*conditions)
        .order_by(columns.indicator, columns.period, columns.changed_at, columns.judgement, columns.partner_code)
    )
    rows: list[Row] = [{**row, "withdrawal": ""} for row in connection.execute(query).mappings()]
    new = _new_cells(connection, rows)

    @cache
    def file_of(partner_code: str, changed_at: datetime) -> str | None:
        came = submission.c
        query = select(came.file_name).where(
            came.partner_code == partner_code, came.recorded_at == changed_at, came.status.in_(ACCEPTED)
        )
        return connection.scalar(query)

    @cache
    def withdrawn_by(decision_id: int | None) -> str:
        query = (
            select(submission.c.file_name)
            .join(withdrawal, withdrawal.c.submission_id == submission.c.submission_id)
            .where(withdrawal.c.decision_id == decision_id)
        )
        return connection.scalar(query) or ""

    def with_source(row: Row) -> Row:
        if row["submission_id"] is not None:
            return row if _cell_of(row) in new else {**row, "source_cell": None}
        source_file = file_of(row["partner_code"], row["changed_at"])
        return {**row, "source_file": source_file, "withdrawal": withdrawn_by(row["decision_id"])}

    return [with_source(row) for row in rows]


def _cell_of(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("submission_id", "partner_code", "indicator", "source_sheet", "source_cell"))


def _new_cells(connection: Connection, rows: Collection[Mapping[str, Any]]) -> set[tuple[Any, ...]]:
    """The cells that say something else than the submission before: only these can have turned a symbol."""
    wanted = sorted({row["submission_id"] for row in rows if row["submission_id"] is not None})
    now, before = observation.alias("now"), observation.alias("before")
    same = [now.c[name].is_not_distinct_from(before.c[name]) for name in ("value", "marker", "qualifiers")]
    key = [now.c[name] == before.c[name] for name in ("partner_code", "indicator", "measure", "period")]
    then = [before.c.superseded_at == now.c.recorded_at, before.c.observation_id < now.c.observation_id]
    query = (
        select(*(now.c[name] for name in _CELL))
        .select_from(now.outerjoin(before, and_(*key, *same, *then)))
        .where(before.c.observation_id.is_(None))
    )
    found: set[tuple[Any, ...]] = set()
    for first in range(0, len(wanted), _AT_ONCE):
        few = query.where(now.c.submission_id.in_(wanted[first : first + _AT_ONCE]))
        found.update(tuple(row) for row in connection.execute(few))
    return found


_AT_ONCE = 500
"""So many submissions are asked for in one statement: databases limit its parameters."""
