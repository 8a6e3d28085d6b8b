"""Judges again whatever depends on a change, and writes only the judgements that differ."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Connection, bindparam, func, select, update

from cypp_etl.figure_keys import FigureKey, Series
from cypp_etl.gc_control import collection_paused
from cypp_etl.judgement.reach.dependents import Span
from cypp_etl.judgement.reach.differences import PlanDifferences
from cypp_etl.periods import LAST_PERIOD, parse_period
from cypp_etl.plan.model import Plan
from warehouse.figures.affected import asked, is_reached, judged_together, of_series, reach_of_each, within
from warehouse.figures.judged_rows import KEY, Key, judge_and_compare_rows
from warehouse.figures.judgements import (
    WRITTEN,
    Judged,
    figures_compared,
    figures_of_series,
    judge_spans,
    judgements_in_force,
    own_spans,
    returned_targets,
    series_reached_by,
    spans_reached,
)
from warehouse.recording.bulk_insert import insert_columns, insert_rows
from warehouse.recording.judged.clinics import TRAVELLED, Change, keep_clinics
from warehouse.recording.judged.comparisons import keep_comparisons
from warehouse.recording.validity import end_rows
from warehouse.schema.tables import JUDGED, OUTLOOK, judgement

if TYPE_CHECKING:
    from warehouse.figures.outlooks import OutlookWords

_SYMBOLS = slice(1, 1 + len(JUDGED))
_GAP = 1 + JUDGED.index("target_gap")
_NEWER = ("target_gap", *OUTLOOK)
_FILLING_IN = (
    update(judgement)
    .where(judgement.c.judgement_id == bindparam("number"))
    .values({name: bindparam(name) for name in _NEWER})
)
_HELD = select(*(judgement.c[name] for name in KEY)).where(of_series(judgement), within(judgement))
_ROWS_AT_ONCE = 10_000
"""How many rows are looked up by one statement: SQLite allows 32,766 values in it."""

# A quarter's code starts with its year's.
_YEAR_LETTERS = len("2010-11")

_Said: TypeAlias = tuple[Key, tuple[str, str, str, str] | None]
"""A judgement's key, and what `TRAVELLED` is of it; None of one that was removed."""


def rejudge(
    connection: Connection, plan: Plan, plan_id: int, touched: Iterable[FigureKey], at: datetime
) -> Counter[Series]:
    """Judge again what depends on changed figures; close and write only judgements that differ.

    An equal judgement of another observation (a resubmission repeated the figure) is written again, so that a
    judgement in force always leads to the cell in force; it does not count as changed. The clinics that follow from
    the judgements are updated too.

    Args:
        connection: a transaction of `engine.writing`.
        plan: the plan in force.
        plan_id: its number.
        touched: the figures that were added, changed or removed. Indicators that the plan no longer has lose their
            judgements.
        at: the moment from which the change counts.

    Returns:
        How many judgements changed, were added or were closed, by series.
    """
    return _rejudge(connection, plan, plan_id, spans_reached(plan, touched), at)


def rejudge_turned(
    connection: Connection, plan: Plan, plan_id: int, touched: Iterable[FigureKey], at: datetime
) -> Counter[Series]:
    """Judge again, as `rejudge` does, only series of the figures themselves that have judgements to be replaced.

    The rest can be judged later, with other returns: no symbol turns at this moment that a cell would have to explain.
    """
    spans = own_spans(figures_of_series(touched))
    turned: dict[Series, Span] = {}
    for few in judged_together(spans):
        reaches = reach_of_each(few)
        held = connection.execute(_HELD, asked(few, few.values())).all()
        turned |= {(one := Series(*row[:2])): few[one] for row in held if is_reached(reaches, row, row[2])}
    return _rejudge(connection, plan, plan_id, turned, at)


def rejudge_by_plan(
    connection: Connection, plan: Plan, plan_id: int, differences: PlanDifferences, at: datetime
) -> Counter[Series]:
    """Judge by a new plan, as `rejudge` does, what differs from the one before."""
    return _rejudge(connection, plan, plan_id, series_reached_by(connection, differences), at)


def _rejudge(
    connection: Connection, plan: Plan, plan_id: int, spans: Mapping[Series, Span], at: datetime
) -> Counter[Series]:
    changed: Counter[Series] = Counter()
    # Rows are many, and never in a cycle.
    with collection_paused():
        for judged in judge_spans(connection, plan, spans):
            changed += keep_judged(connection, plan, plan_id, judged, at)
    return changed


def keep_judged(connection: Connection, plan: Plan, plan_id: int, judged: Judged, at: datetime) -> Counter[Series]:
    """Close and write what differs from judgements, in a transaction of `engine.writing`.

    Their figures must be those in force, and the plan they were judged by the one in force.

    Returns:
        How many judgements changed, by series.
    """
    held = judgements_in_force(connection, judged.spans, reach_of_each(judged.spans))
    said: Iterable[_Said] = zip(judged.keys, judged.values_of(TRAVELLED), strict=True)
    # Where nothing else is in force of a series, and nothing was, its judgements need not be read again.
    whole = {} if held else _whole_series(judged)
    if held:
        keys, now = _replace(connection, held, judged.judgements, plan_id, at), dict(said)
        said = ((key, now.get(key)) for key in keys)
    else:
        keys = list(judged.keys)
        insert_columns(connection, judgement, judged.columns, {"plan_id": plan_id, "recorded_at": at})
    _replace_outlooks(connection, judged.outlooks, plan_id, at)
    keep_comparisons(connection, judged.spans, judged.comparisons, plan_id, at)
    keep_clinics(connection, _changes(said, judged), plan, at, whole)
    return Counter({Series(*key): count for key, count in Counter(key[:2] for key in keys).items()})


def _changes(said: Iterable[_Said], judged: Judged) -> Iterator[Change]:
    """The changes of judgements, beside all that were judged."""
    years = {key for key in judged.keys if len(key[2]) == _YEAR_LETTERS}
    for (partner_code, indicator, period), one in said:
        # Whatever is affected in a year includes the judgement of the whole year.
        year = period[:_YEAR_LETTERS]
        since = year if year != period and (partner_code, indicator, year) in years else period
        yield Change((partner_code, indicator), since, one)


def _whole_series(judged: Judged) -> dict[tuple[str, str], list[tuple[str, ...]]]:
    """Of each series without other judgements in force, what clinics follow from, by period."""
    found: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for partner_code, indicator, *said in judged.values_of(("partner_code", "indicator", *TRAVELLED)):
        found.setdefault((partner_code, indicator), []).append(tuple(said))
    return {series: sorted(of_series_) for series, of_series_ in found.items() if series not in judged.beside}


def _replace(
    connection: Connection,
    held: Mapping[Key, tuple[int, tuple[Any, ...]]],
    judged: Mapping[Key, tuple[Any, ...]],
    plan_id: int,
    at: datetime,
) -> list[Key]:
    """Close and write judgements, and return the keys of those that changed."""
    ended = [key for key, (_, values) in held.items() if judged.get(key) != values]
    written = [key for key, values in judged.items() if key not in held or held[key][1] != values]
    end_rows(connection, judgement, (held[key][0] for key in ended), at)
    rows = ((*key, *judged[key]) for key in written)
    insert_rows(connection, judgement, WRITTEN, rows, {"plan_id": plan_id, "recorded_at": at})
    # Without the observation: the same figure from another cell is not a change. Nor is another outlook.
    return [
        key for key in {*ended, *written} if key not in held or judged.get(key, ())[_SYMBOLS] != held[key][1][_SYMBOLS]
    ]


def fill_in_outlooks(connection: Connection, plan: Plan) -> None:
    """Fill in the outlooks of judgements in force that an older program had none for, within `engine.writing`.

    Their rows are changed, for once: the columns are newer than they are, and held nothing.
    """
    from warehouse.figures.outlooks import outlooks  # noqa: PLC0415 - as in `judge_spans`

    columns = judgement.c
    without_outlook = select(columns.partner_code, columns.indicator, func.min(columns.period)).where(
        columns.superseded_at.is_(None), columns.variation.is_(None), columns.indicator.in_(plan.indicators)
    )
    spans = {
        Series(partner_code, indicator): Span(parse_period(period), LAST_PERIOD)
        for partner_code, indicator, period in connection.execute(
            without_outlook.group_by(columns.partner_code, columns.indicator)
        )
    }
    for few in judged_together(spans):
        reaches, figures = reach_of_each(few), figures_compared(connection, few, plan)
        judged = judge_and_compare_rows(figures, plan, reaches)
        told = outlooks(connection, plan, few, returned_targets(figures), judged.columns)
        newer = judged.by_key(told.variations, told.courses)
        rows = [
            {"number": number, **dict(zip(_NEWER, (newer[key][_GAP], *newer[key][-len(OUTLOOK) :]), strict=True))}
            for key, (number, _) in judgements_in_force(connection, few, reaches).items()
            if key in newer
        ]
        if rows:
            connection.execute(_FILLING_IN, rows)


def _replace_outlooks(
    connection: Connection, told: "Mapping[Key, tuple[int, OutlookWords]]", plan_id: int, at: datetime
) -> None:
    """Close and write again judgements that stay, but whose outlook is another."""
    numbers = dict(told.values())
    in_order = sorted(numbers)
    for start in range(0, len(in_order), _ROWS_AT_ONCE):
        few = in_order[start : start + _ROWS_AT_ONCE]
        columns = judgement.c
        query = select(columns.judgement_id, *(columns[name] for name in WRITTEN[: -len(OUTLOOK)])).where(
            columns.judgement_id.in_(few)
        )
        rows = [(*row[1:], *numbers[row[0]]) for row in connection.execute(query).all()]
        end_rows(connection, judgement, few, at)
        insert_rows(connection, judgement, WRITTEN, rows, {"plan_id": plan_id, "recorded_at": at})
