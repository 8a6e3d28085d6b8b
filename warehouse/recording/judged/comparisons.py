"""Records what figures are compared with, beside the two comparators that have columns of their own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, exists, select

from cypp_etl.figure_keys import Series
from cypp_etl.judgement.reach.dependents import Span
from warehouse.recording.bulk_insert import insert_columns, insert_rows
from warehouse.recording.judged.affected import asked, is_reached, of_series, reach_of_each, within
from warehouse.recording.validity import end_rows
from warehouse.schema.tables import comparison

ComparisonKey: TypeAlias = tuple[str, str, str, str]
"""Partner, indicator, period and comparator."""

COMPARED = ("value", "band", "bodies")
"""The columns of a comparison, named as `cypp_etl.judgement.judge` names them."""

_KEY = ("partner_code", "indicator", "period", "comparator")
_WRITTEN = (*_KEY, *COMPARED)

_ANY = select(exists().where(comparison.c.superseded_at.is_(None)))
_IN_FORCE = select(*(comparison.c[name] for name in (*_KEY, "comparison_id", *COMPARED))).where(
    of_series(comparison), within(comparison)
)


def keep_comparisons(
    connection: Connection,
    spans: Mapping[Series, Span],
    compared: Mapping[str, Sequence[Any]],
    plan_id: int,
    at: datetime,
) -> None:
    """Close and write the comparisons of the spans that differ, in a transaction of `engine.writing`.

    Args:
        connection: the transaction.
        spans: what was judged, by series.
        compared: the comparisons now, in columns: partner, indicator, period and comparator, and what `COMPARED` says.
        plan_id: the number of the plan they were made by.
        at: the moment from which they count.
    """
    if held := comparisons_in_force(connection, spans):
        now = compared_by_key(compared)
        end_rows(connection, comparison, (number for key, (number, said) in held.items() if now.get(key) != said), at)
        rows = ((*key, *said) for key, said in now.items() if key not in held or held[key][1] != said)
        insert_rows(connection, comparison, _WRITTEN, rows, {"plan_id": plan_id, "recorded_at": at})
    elif compared:
        insert_columns(connection, comparison, compared, {"plan_id": plan_id, "recorded_at": at})


def compared_by_key(columns: Mapping[str, Sequence[Any]]) -> dict[ComparisonKey, tuple[Any, ...]]:
    """By key, what `COMPARED` says of comparisons in columns."""
    if not columns:
        return {}
    keys, said = (zip(*(columns[name] for name in names), strict=True) for names in (_KEY, COMPARED))
    return dict(zip(keys, said, strict=True))


def comparisons_in_force(
    connection: Connection, spans: Mapping[Series, Span]
) -> dict[ComparisonKey, tuple[int, tuple[Any, ...]]]:
    """By key, the number of each comparison of the spans, and what `COMPARED` says of it."""
    # Most plans have none.
    if not connection.scalar(_ANY):
        return {}
    reaches = reach_of_each(spans)
    return {
        tuple(row[:4]): (row[4], tuple(row[5:]))
        for row in connection.execute(_IN_FORCE, asked(spans, spans.values())).all()
        if is_reached(reaches, row, row[2])
    }
