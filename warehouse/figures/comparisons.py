"""The comparisons in force: with what figures are compared, beside the two comparators with columns of their own."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, exists, select

from cypp_etl.figure_keys import Series
from cypp_etl.judgement.reach.dependents import Span
from warehouse.figures.affected import asked, is_reached, of_series, reach_of_each, within
from warehouse.schema.tables import comparison

ComparisonKey: TypeAlias = tuple[str, str, str, str]
"""Partner, indicator, period and comparator."""

COMPARED = ("value", "band", "bodies")
"""The columns of a comparison, named as `cypp_etl.judgement.judge` names them."""

COMPARISON_KEY = ("partner_code", "indicator", "period", "comparator")
_ANY = select(exists().where(comparison.c.superseded_at.is_(None)))
_IN_FORCE = select(*(comparison.c[name] for name in (*COMPARISON_KEY, "comparison_id", *COMPARED))).where(
    of_series(comparison), within(comparison)
)


def compared_by_key(columns: Mapping[str, Sequence[Any]]) -> dict[ComparisonKey, tuple[Any, ...]]:
    """By key, what `COMPARED` says of comparisons in columns."""
    if not columns:
        return {}
    keys, said = (zip(*(columns[name] for name in names), strict=True) for names in (COMPARISON_KEY, COMPARED))
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
