"""What a submission changed: cells that differ from its predecessor's, and judgements that differ."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, Select, bindparam, select, tuple_

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


def changed_cells(connection: Connection, submission_id: int, supersedes: int | None) -> list[CellChange]:
    """The figures that differ from those of the submission that this one replaced; none if it replaced none."""
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
    before = _judged(connection, _ENDED_THEN, submission_id)
    if not before:
        return []
    after = _judged(connection, _SAID_THEN_AND_ENDED, submission_id) | _judged(connection, _SAID_THEN, submission_id)
    return [
        SymbolChange(key[1], key[2], one.name, one.symbols[before[key][one.name]], one.symbols[after[key][one.name]])
        for key in sorted(before.keys() & after.keys(), key=lambda key: key[1:])
        for one in PRINTED.values()
        if before[key][one.name] != after[key][one.name]
    ]


_THEN = (
    select(submission.c.recorded_at).where(submission.c.submission_id == bindparam("submission_id")).scalar_subquery()
)
_TOUCHED = select(observation.c.partner_code, observation.c.indicator).where(
    observation.c.submission_id == bindparam("submission_id")
)
# All in one statement: most submissions replace no judgement, and are asked about nothing else.
_JUDGED = (
    select(judgement)
    .where(tuple_(judgement.c.partner_code, judgement.c.indicator).in_(_TOUCHED))
    .order_by(judgement.c.judgement_id)
)
_ENDED_THEN = _JUDGED.where(judgement.c.superseded_at == _THEN)
# Each half has its own index.
_SAID_THEN_AND_ENDED = _JUDGED.where(judgement.c.superseded_at.is_not(None), judgement.c.recorded_at == _THEN)
_SAID_THEN = _JUDGED.where(judgement.c.superseded_at.is_(None), judgement.c.recorded_at == _THEN)


def _judged(connection: Connection, query: Select[Any], submission_id: int) -> dict[tuple[str, str, str], RowMapping]:
    """The judgements of its series that a query finds, by partner, indicator and period; the last if there are two."""
    rows = connection.execute(query, {"submission_id": submission_id}).mappings()
    return {(row["partner_code"], row["indicator"], row["period"]): row for row in rows}


def _figures(connection: Connection, submission_id: int) -> dict[_Key, Row[Any]]:
    columns = observation.c
    query = select(observation).where(columns.submission_id == submission_id).order_by(columns.observation_id)
    return {(row.partner_code, row.indicator, row.measure, row.period): row for row in connection.execute(query)}


def _said(row: Row[Any] | None) -> tuple[Any, ...] | None:
    """A figure's meaning: the same value typed differently is not a change."""
    return None if row is None else (row.value, row.marker, row.qualifiers)


def _typed(row: Row[Any] | None) -> str:
    return "" if row is None else row.typed or row.marker or ""
