"""What a submission changed: cells that differ from its predecessor's, and judgements that differ."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, Select, bindparam, select

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
    supersedes = connection.scalar(_SUPERSEDES, {"submission_id": submission_id})
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
    own = {"submission_id": submission_id}
    at = connection.scalar(_RECORDED_AT, own)
    series = {Series(*row) for row in connection.execute(_TOUCHED, own)}
    before = _judged(connection, _ENDED_THEN, series, at)
    if not before:
        return []
    after = _judged(connection, _SAID_THEN_AND_ENDED, series, at) | _judged(connection, _SAID_THEN, series, at)
    return [
        SymbolChange(key[1], key[2], one.name, one.symbols[before[key][one.name]], one.symbols[after[key][one.name]])
        for key in sorted(before.keys() & after.keys(), key=lambda key: key[1:])
        for one in PRINTED.values()
        if before[key][one.name] != after[key][one.name]
    ]


_SUPERSEDES, _RECORDED_AT = (
    select(column).where(submission.c.submission_id == bindparam("submission_id"))
    for column in (submission.c.supersedes, submission.c.recorded_at)
)
_TOUCHED = (
    select(observation.c.partner_code, observation.c.indicator)
    .where(observation.c.submission_id == bindparam("submission_id"))
    .distinct()
)
_JUDGED = (
    select(judgement)
    .where(
        judgement.c.partner_code.in_(bindparam("partner_codes", expanding=True)),
        judgement.c.indicator.in_(bindparam("indicators", expanding=True)),
    )
    .order_by(judgement.c.judgement_id)
)
_ENDED_THEN = _JUDGED.where(judgement.c.superseded_at == bindparam("at"))
# Each half has its own index.
_SAID_THEN_AND_ENDED = _JUDGED.where(judgement.c.superseded_at.is_not(None), judgement.c.recorded_at == bindparam("at"))
_SAID_THEN = _JUDGED.where(judgement.c.superseded_at.is_(None), judgement.c.recorded_at == bindparam("at"))


def _judged(
    connection: Connection, query: Select[Any], series: Set[Series], at: datetime | None
) -> dict[tuple[str, str, str], RowMapping]:
    """The judgements of series that a query finds, by partner, indicator and period; the last if there are two."""
    partner_codes, indicators = {one.partner_code for one in series}, {one.indicator for one in series}
    rows = connection.execute(query, {"partner_codes": partner_codes, "indicators": indicators, "at": at})
    return {
        (row["partner_code"], row["indicator"], row["period"]): row
        for row in rows.mappings()
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
