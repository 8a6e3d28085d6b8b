"""Judging what changed: what depends on it is judged again, and only what came out differently is written."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select, union_all

from cypp_etl.judgement.dependents import LAST, Span, dependents
from cypp_etl.periods import parse_period
from cypp_etl.plan_model import Plan
from schemas.codes import Measure, Qualifier
from warehouse.bulk import insert_rows
from warehouse.clinics import keep_clinics
from warehouse.series import FigureKey, Series
from warehouse.tables import JUDGED, judgement, observation
from warehouse.timeline import end_rows

if TYPE_CHECKING:
    import pandas as pd

PARTNERS_AT_ONCE = 50
"""How many partners' series are in memory together."""

_FIGURE = ("observation_id", "partner_code", "indicator", "measure", "period", "value", "marker", "qualifiers")


class _Key(NamedTuple):
    partner_code: str
    indicator: str
    period: str


def rejudge(
    connection: Connection, plan: Plan, plan_id: int, touched: Iterable[FigureKey], at: datetime
) -> Counter[Series]:
    """Judge anew what depends on figures that changed, ending and writing only judgements that differ.

    A judgement that comes out alike, but of another observation (a resubmission repeated the figure), is written again,
    so that a judgement in force always leads to the cell in force; it is not counted as changed. The clinics that
    follow from the judgements are kept up to date with them.

    Args:
        connection: a transaction of `engine.writing`.
        plan: the plan in force.
        plan_id: its number.
        touched: the figures that came, changed or went. Indicators that the plan no longer has lose their judgements.
        at: the moment from which the change counts.

    Returns:
        How many judgements changed, were added or ended, by series.
    """
    spans: dict[Series, Span] = {}
    for figure in touched:
        reached = dependents(Measure(figure.measure), parse_period(figure.period))
        held = spans.get(figure.series)
        spans[figure.series] = reached if held is None else held | reached
    return _rejudge(connection, plan, plan_id, spans, at)


def rejudge_everything(connection: Connection, plan: Plan, plan_id: int, at: datetime) -> Counter[Series]:
    """Judge all figures in force by a plan that is new, as `rejudge` does."""
    columns = observation.c
    query = select(columns.partner_code, columns.indicator, func.min(columns.period)).where(
        columns.superseded_at.is_(None)
    )
    first = connection.execute(query.group_by(columns.partner_code, columns.indicator))
    spans = {Series(*series): Span(parse_period(period), LAST) for *series, period in first}
    return _rejudge(connection, plan, plan_id, spans, at)


def judge_in_force(connection: Connection, plan: Plan, partner_code: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Judge a partner's figures in force by any plan, and record nothing: judged values by indicator and period."""
    columns = observation.c
    query = select(*(columns[name] for name in _FIGURE)).where(
        columns.superseded_at.is_(None), columns.partner_code == partner_code
    )
    judged = _judge([tuple(row) for row in connection.execute(query)], plan)
    return {(key.indicator, key.period): dict(zip(JUDGED, values[1:], strict=True)) for key, values in judged.items()}


def _rejudge(
    connection: Connection, plan: Plan, plan_id: int, spans: Mapping[Series, Span], at: datetime
) -> Counter[Series]:
    changed: Counter[Series] = Counter()
    for few in _few_partners(spans):
        figures = _figures_compared(connection, few)
        judged = {key: values for key, values in _judge(figures, plan).items() if _is_in(few, key)}
        keys = _replace(connection, _judgements_in_force(connection, few), judged, plan_id, at)
        keep_clinics(connection, ((Series(*key[:2]), key.period) for key in keys), at)
        changed.update(Series(key.partner_code, key.indicator) for key in keys)
    return changed


def _few_partners(spans: Mapping[Series, Span]) -> Iterator[dict[Series, Span]]:
    by_partner: dict[str, dict[Series, Span]] = {}
    for series, span in spans.items():
        by_partner.setdefault(series.partner_code, {})[series] = span
    partners = sorted(by_partner)
    for start in range(0, len(partners), PARTNERS_AT_ONCE):
        few = partners[start : start + PARTNERS_AT_ONCE]
        yield {series: span for code in few for series, span in by_partner[code].items()}


def _is_in(spans: Mapping[Series, Span], key: _Key) -> bool:
    span = spans.get(Series(key.partner_code, key.indicator))
    return span is not None and parse_period(key.period) in span


def _in_force(table: Table, spans: Mapping[Series, Span]) -> ColumnElement[bool]:
    """The rows in force of series, and of as many others as share a partner and an indicator with them."""
    columns = table.c
    return and_(
        columns.superseded_at.is_(None),
        columns.partner_code.in_({series.partner_code for series in spans}),
        columns.indicator.in_({series.indicator for series in spans}),
    )


def _within(table: Table, spans: Iterable[Span]) -> ColumnElement[bool]:
    """The rows of the least span that holds all spans: codes sort as their periods do."""
    hull = reduce(or_, spans)
    return table.c.period.between(hull.first.code, hull.last.code)


def _figures_compared(connection: Connection, spans: Mapping[Series, Span]) -> list[tuple[Any, ...]]:
    """The figures in force by which the spans of series are judged."""
    columns = observation.c
    compared = [measure.value for measure in (Measure.ACTUAL, Measure.HISTORY)]
    others = [measure.value for measure in Measure if measure not in compared]
    figures = select(*(columns[name] for name in _FIGURE)).where(_in_force(observation, spans))
    query = union_all(
        figures.where(
            columns.measure.in_(compared), _within(observation, (span.compared_with for span in spans.values()))
        ),
        figures.where(columns.measure.in_(others)),
    )
    return [tuple(row) for row in connection.execute(query).all() if (row[1], row[2]) in spans]


def _judgements_in_force(
    connection: Connection, spans: Mapping[Series, Span]
) -> dict[_Key, tuple[int, tuple[Any, ...]]]:
    """By key, the number of each judgement of the spans, and its observation with the judged values."""
    columns = judgement.c
    query = select(
        columns.partner_code,
        columns.indicator,
        columns.period,
        columns.judgement_id,
        columns.observation_id,
        *(columns[name] for name in JUDGED),
    ).where(_in_force(judgement, spans), _within(judgement, spans.values()))
    found = ((_Key(*row[:3]), row) for row in connection.execute(query).all())
    return {key: (row[3], tuple(row[4:])) for key, row in found if _is_in(spans, key)}


def _judge(rows: list[tuple[Any, ...]], plan: Plan) -> dict[_Key, tuple[Any, ...]]:
    """By key, the observation judged, with the judged values."""
    rows = [row for row in rows if row[2] in plan.indicators]
    if not rows:
        return {}
    # pandas takes half a second to import, which reading the warehouse should not cost.
    from cypp_etl.judgement.judge import judge  # noqa: PLC0415

    frame = _frame(rows)
    judged = judge(frame.drop(columns=["observation_id", "qualifiers"]), plan)
    observation_ids = {_Key(row[1], row[2], row[4]): row[0] for row in rows if row[3] == Measure.ACTUAL}
    values = judged[list(_Key._fields) + list(JUDGED)].astype(object)
    values = values.where(values.notna(), None)
    keyed = ((_Key(*row[:3]), row[3:]) for row in values.itertuples(index=False, name=None))
    return {key: (observation_ids[key], *rest) for key, rest in keyed}


def _frame(rows: list[tuple[Any, ...]]) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415

    frame = pd.DataFrame(rows, columns=list(_FIGURE))
    frame["value"] = frame["value"].astype("float64")
    frame["marker"] = frame["marker"].astype(object).where(frame["marker"].notna(), None)
    frame["is_break"] = [Qualifier.BREAK.value in qualifiers for qualifiers in frame["qualifiers"]]
    return frame


def _replace(
    connection: Connection,
    held: Mapping[_Key, tuple[int, tuple[Any, ...]]],
    judged: Mapping[_Key, tuple[Any, ...]],
    plan_id: int,
    at: datetime,
) -> list[_Key]:
    """End and write judgements, and give the keys of those that changed."""
    ended = [key for key, (_, values) in held.items() if judged.get(key) != values]
    written = [key for key, values in judged.items() if key not in held or held[key][1] != values]
    end_rows(connection, judgement, (held[key][0] for key in ended), at)
    names = (*_Key._fields, "observation_id", *JUDGED)
    rows = ((*key, *judged[key]) for key in written)
    insert_rows(connection, judgement, names, rows, {"plan_id": plan_id, "recorded_at": at})
    # Without the observation: the same figure from another cell is no change.
    return [key for key in {*ended, *written} if key not in held or judged.get(key, ())[1:] != held[key][1][1:]]
