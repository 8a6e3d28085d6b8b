"""Records what figures are compared with, beside the two comparators that have columns of their own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from cypp_etl.figure_keys import Series
from cypp_etl.judgement.reach.dependents import Span
from warehouse.figures.comparisons import COMPARED, COMPARISON_KEY, compared_by_key, comparisons_in_force
from warehouse.recording.bulk_insert import insert_columns, insert_rows
from warehouse.recording.validity import end_rows
from warehouse.schema.tables import comparison

_WRITTEN = (*COMPARISON_KEY, *COMPARED)


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
