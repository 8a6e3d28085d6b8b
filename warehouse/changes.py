"""What a submission changed: cells beside its predecessor's, and the judgements that came out differently."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from schemas.codes import BAND_SYMBOLS, DIRECTION_SYMBOLS, ON_TARGET_SYMBOLS
from warehouse.tables import judgement, observation, submission

# The judgements that the Board reads as symbols, with the words they are stored as.
_SYMBOLS: dict[str, dict[str, str]] = {
    "direction": {word.value: symbol for word, symbol in DIRECTION_SYMBOLS.items()},
    "on_target": {word.value: symbol for word, symbol in ON_TARGET_SYMBOLS.items()},
    "target_band": {word.value: symbol for word, symbol in BAND_SYMBOLS.items()},
    "statistical_neighbours_band": {word.value: symbol for word, symbol in BAND_SYMBOLS.items()},
    "national_band": {word.value: symbol for word, symbol in BAND_SYMBOLS.items()},
}


@dataclass(frozen=True, slots=True)
class CellChange:
    """A figure that a submission says otherwise than its predecessor; empty text where one of them has none."""

    indicator: str
    sheet: str
    cell: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class SymbolChange:
    """A symbol that a submission turned."""

    indicator: str
    period: str
    judgement: str
    was: str
    now: str


_Key = tuple[str, str, str, str]


def changed_cells(connection: Connection, submission_id: int) -> list[CellChange]:
    """The figures that differ from those of the submission that this one replaced; none where it replaced none."""
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
    """The symbols that came out differently when this submission was recorded, of its own series and periods."""
    new, old, mine = judgement.alias("new"), judgement.alias("old"), submission.c
    touched = select(observation.c.partner_code, observation.c.indicator)
    touched = touched.where(observation.c.submission_id == submission_id).distinct()
    series = touched.subquery("touched")
    query = (
        select(new, *(old.c[name].label(f"old_{name}") for name in _SYMBOLS))
        .join(submission, and_(mine.submission_id == submission_id, new.c.recorded_at == mine.recorded_at))
        .join(series, and_(series.c.partner_code == new.c.partner_code, series.c.indicator == new.c.indicator))
        .join(
            old,
            and_(
                old.c.partner_code == new.c.partner_code,
                old.c.indicator == new.c.indicator,
                old.c.period == new.c.period,
                old.c.superseded_at == new.c.recorded_at,
            ),
        )
        .order_by(new.c.indicator, new.c.period)
    )
    return [
        SymbolChange(row["indicator"], row["period"], name, symbols[row[f"old_{name}"]], symbols[row[name]])
        for row in connection.execute(query).mappings()
        for name, symbols in _SYMBOLS.items()
        if row[name] != row[f"old_{name}"]
    ]


def _figures(connection: Connection, submission_id: int) -> dict[_Key, Row[Any]]:
    columns = observation.c
    query = select(observation).where(columns.submission_id == submission_id).order_by(columns.observation_id)
    return {(row.partner_code, row.indicator, row.measure, row.period): row for row in connection.execute(query)}


def _said(row: Row[Any] | None) -> tuple[Any, ...] | None:
    """What a figure says: the same value typed in another way is no change."""
    return None if row is None else (row.value, row.marker, row.qualifiers)


def _typed(row: Row[Any] | None) -> str:
    return "" if row is None else row.typed or row.marker or ""
