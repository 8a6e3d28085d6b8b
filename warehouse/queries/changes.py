"""What a submission changed: cells that differ from its predecessor's, and judgements that differ."""

from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, RowMapping, select

from cypp_etl.figure_keys import Series
from cypp_etl.judgement.columns import PRINTED
from warehouse.schema.tables import judgement, observation, submission


@dataclass(frozen=True, slots=True)
class CellChange:
    """A figure that differs between a submission and its predecessor; empty text if one of them has none."""

    indicator: str
    sheet: str
    cell: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class SymbolChange:
    """A symbol that a submission changed."""

    indicator: str
    period: str
    judgement: str
    was: str
    now: str


_Key = tuple[str, str, str, str]


def changed_cells(connection: Connection, submission_id: int) -> list[CellChange]:
    """The figures that differ from those of the submission that this one replaced; none if it replaced none."""
    columns = submission.c
    supersedes = connection.scalar(select(columns.supersedes).where(columns.submission_id == submission_id))
    if supersedes is None:
        return []
    before, after = _figures(connection, supersedes), _figures(connection, submission_id)
    return [
        CellChange(row.indicator, row.sheet, row.cell, _typed(before.get(key)), _typed(after.get(key)))
        for key, row in {**before, **after}.items()
        if _said(before.get(key)) != _said(after.get(key))
    ]


def changed_symbols(connection: Connection, submission_id: int) -> list[SymbolChange]:
    """The symbols of its own series and periods that changed when this submission was recorded."""
    said, columns = observation.c, judgement.c
    at = connection.scalar(select(submission.c.recorded_at).where(submission.c.submission_id == submission_id))
    touched = select(said.partner_code, said.indicator).where(said.submission_id == submission_id).distinct()
    series = {Series(*row) for row in connection.execute(touched)}
    is_ended = columns.superseded_at.is_not(None)
    before = _judged(connection, series, columns.superseded_at == at)
    # Each half has its own index.
    after = _judged(connection, series, is_ended, columns.recorded_at == at)
    after |= _judged(connection, series, columns.superseded_at.is_(None), columns.recorded_at == at)
    return [
        SymbolChange(key[1], key[2], one.name, one.symbols[before[key][one.name]], one.symbols[after[key][one.name]])
        for key in sorted(before.keys() & after.keys(), key=lambda key: key[1:])
        for one in PRINTED.values()
        if before[key][one.name] != after[key][one.name]
    ]


def _judged(
    connection: Connection, series: Set[Series], *conditions: ColumnElement[bool]
) -> dict[tuple[str, str, str], RowMapping]:
    """The judgements of series that meet conditions, by partner, indicator and period; the last if there are two."""
    columns = judgement.c
    query = select(judgement).where(
        columns.partner_code.in_({one.partner_code for one in series}),
        columns.indicator.in_({one.indicator for one in series}),
        *conditions,
    )
    return {
        (row["partner_code"], row["indicator"], row["period"]): row
        for row in connection.execute(query.order_by(columns.judgement_id)).mappings()
        if Series(row["partner_code"], row["indicator"]) in series
    }


def _figures(connection: Connection, submission_id: int) -> dict[_Key, Row[Any]]:
    columns = observation.c
    query = select(observation).where(columns.submission_id == submission_id).order_by(columns.observation_id)
    return {(row.partner_code, row.indicator, row.measure, row.period): row for row in connection.execute(query)}


def _said(row: Row[Any] | None) -> tuple[Any, ...] | None:
    """A figure's meaning: the same value typed differently is not a change."""
    return None if row is None else (row.value, row.marker, row.qualifiers)


def _typed(row: Row[Any] | None) -> str:
    return "" if row is None else row.typed or row.marker or ""
