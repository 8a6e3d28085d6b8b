"""Records what figures are compared with, beside the two comparators that have columns of their own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, exists, select

from cypp_etl.figure_keys import Series
from cypp_etl.judgement.reach.dependents import Span
from warehouse.recording.bulk_insert import insert_rows
from warehouse.recording.judged.affected import Reach, asked, is_reached, of_series, reach_of_each, within
from warehouse.recording.validity import end_rows
from warehouse.schema.tables import comparison

ComparisonKey: TypeAlias = tuple[str, str, str, str]
"""Partner, indicator, period and comparator."""

COMPARED = ("value", "band", "bodies")
"""The columns of a comparison, named as `cypp_etl.judgement.judge` names them."""

_KEY = ("partner_code", "indicator", "period", "comparator")

_ANY = select(exists().where(comparison.c.superseded_at.is_(None)))
_IN_FORCE = select(*(comparison.c[name] for name in (*_KEY, "comparison_id", *COMPARED))).where(
    of_series(comparison), within(comparison)
)


def keep_comparisons(
    connection: Connection,
    spans: Mapping[Series, Span],
    compared: Mapping[ComparisonKey, tuple[Any, ...]],
    plan_id: int,
    at: datetime,
) -> None:
    """Close and write the comparisons of the spans that differ, in a transaction of `engine.writing`."""
    held = _in_force(connection, spans, reach_of_each(spans))
    end_rows(connection, comparison, (number for key, (number, said) in held.items() if compared.get(key) != said), at)
    written = ((*key, *said) for key, said in compared.items() if key not in held or held[key][1] != said)
    insert_rows(connection, comparison, (*_KEY, *COMPARED), written, {"plan_id": plan_id, "recorded_at": at})


def _in_force(
    connection: Connection, spans: Mapping[Series, Span], reaches: Mapping[tuple[str, str], Reach]
) -> dict[ComparisonKey, tuple[int, tuple[Any, ...]]]:
    # Most plans have none.
    if not connection.scalar(_ANY):
        return {}
    return {
        tuple(row[:4]): (row[4], tuple(row[5:]))
        for row in connection.execute(_IN_FORCE, asked(spans, spans.values())).all()
        if is_reached(reaches, row, row[2])
    }
