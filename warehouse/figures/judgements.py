"""Judges spans of series by the figures in force, beside the judgements in force; this only reads."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_ as union
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select, union_all

from cypp_etl.figure_keys import Series
from cypp_etl.judgement.reach.dependents import Span, dependents
from cypp_etl.judgement.reach.differences import PlanDifferences
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import Measure
from warehouse.figures.affected import (
    Reach,
    asked,
    bodies_behind,
    is_reached,
    judged_together,
    of_series,
    reach_of_each,
    with_those_compared,
    within,
)
from warehouse.figures.judged_rows import FIGURE, KEY, Key, judge_and_compare_rows, plain
from warehouse.schema.tables import JUDGED, OUTLOOK, judgement, observation

if TYPE_CHECKING:
    from warehouse.figures.outlooks import OutlookWords

WRITTEN = (*KEY, "observation_id", *JUDGED, *OUTLOOK)
_FIGURES = select(*(observation.c[name] for name in FIGURE)).where(of_series(observation))

# Those that are of one period, and compared with those of others; what else there is may be of any time.
_OF_PERIODS = [measure.value for measure in (Measure.ACTUAL, Measure.HISTORY)]
_COMPARED = union_all(
    _FIGURES.where(observation.c.measure.in_(_OF_PERIODS), within(observation)),
    _FIGURES.where(observation.c.measure.in_([measure.value for measure in Measure if measure not in _OF_PERIODS])),
)
_IN_FORCE = select(*(judgement.c[name] for name in (*KEY, "judgement_id", "observation_id", *JUDGED, *OUTLOOK))).where(
    of_series(judgement), within(judgement)
)


def spans_reached(plan: Plan, touched: Iterable[tuple[str, str, str, str]]) -> Mapping[Series, Span]:
    """What changed figures reach, by series: what depends on them, and what is compared with them.

    A figure has the fields of `FigureKey`.
    """
    about = figures_of_series(touched)
    return with_those_compared(own_spans(about), about, plan)


def figures_of_series(figures: Iterable[tuple[str, str, str, str]]) -> dict[Series, frozenset[tuple[str, str]]]:
    """The measures and periods of figures, by series."""
    about: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for partner_code, indicator, measure, period in figures:
        about.setdefault((partner_code, indicator), set()).add((measure, period))
    return {Series(*series): frozenset(of_series_) for series, of_series_ in about.items()}


def own_spans(about: Mapping[Series, frozenset[tuple[str, str]]]) -> Mapping[Series, Span]:
    """What figures of each series reach within it, given their measures and periods."""
    # The returns of a batch are of few periods, and so of few spans.
    reached = lru_cache(maxsize=None)(_dependents_of_all)
    return {series: reached(figures) for series, figures in about.items()}


def _dependents_of_all(figures: Iterable[tuple[str, str]]) -> Span:
    """The spans that figures of one series affect, given their measures and periods."""
    return reduce(union, (dependents(measure, parse_period(period)) for measure, period in figures))


def series_reached_by(connection: Connection, differences: PlanDifferences) -> dict[Series, Span]:
    """The spans of series with figures in force that a new plan judges again."""
    columns = observation.c
    query = select(columns.partner_code, columns.indicator, func.min(columns.period)).where(
        columns.superseded_at.is_(None)
    )
    if differences.only_indicators is not None:
        query = query.where(columns.indicator.in_(differences.only_indicators))
    spans = {
        Series(partner_code, indicator): differences.reach(Series(partner_code, indicator), parse_period(period))
        for partner_code, indicator, period in connection.execute(
            query.group_by(columns.partner_code, columns.indicator)
        )
    }
    return {series: span for series, span in spans.items() if span is not None}


@dataclass(frozen=True, slots=True)
class Judged:
    """The spans of series that were judged together, and what came of it; nothing is recorded.

    `columns` are the judgements of the spans, as they are stored; `comparisons` likewise, with no columns if there are
    none. `outlooks` are those of other judgements of the series that now differ, with their numbers, and `beside` are
    the series that have other judgements in force.
    """

    spans: Mapping[Series, Span]
    columns: Mapping[str, Sequence[Any]]
    comparisons: Mapping[str, Sequence[Any]]
    outlooks: "Mapping[Key, tuple[int, OutlookWords]]"
    beside: Collection[tuple[str, str]]

    @property
    def keys(self) -> Iterator[Key]:
        """The key of each judgement."""
        return self.values_of(KEY)

    @property
    def judgements(self) -> dict[Key, tuple[Any, ...]]:
        """By key, what is judged: the observation, and all values."""
        return dict(zip(self.keys, self.values_of(WRITTEN[len(KEY) :]), strict=True))

    def values_of(self, names: Iterable[str]) -> "Iterator[tuple[Any, ...]]":
        """What some columns say of each judgement."""
        return zip(*(self.columns[name] for name in names), strict=True)


def judge_spans(connection: Connection, plan: Plan, spans: Mapping[Series, Span]) -> Iterator[Judged]:
    """Judge spans of series by the figures in force, as many at once as memory allows; this only reads."""
    # What follows is in numpy, whose import reading the warehouse should not cost.
    from warehouse.figures.outlooks import outlooks  # noqa: PLC0415

    for few in judged_together(spans):
        figures = figures_compared(connection, few, plan)
        judged = judge_and_compare_rows(figures, plan, reach_of_each(few))
        told = outlooks(connection, plan, few, returned_targets(figures), judged.columns)
        outlook = dict(zip(OUTLOOK, (told.variations, told.courses), strict=True))
        columns = {name: outlook[name] if name in outlook else plain(judged.columns[name]) for name in WRITTEN}
        yield Judged(few, columns, judged.comparisons, told.others, told.beside)


def returned_targets(figures: Iterable[Sequence[Any]]) -> dict[Key, float | None]:
    """The targets among figures."""
    target = Measure.TARGET.value
    return {(row[0], row[1], row[2]): row[4] for row in figures if row[3] == target}


def figures_compared(connection: Connection, spans: Mapping[Series, Span], plan: Plan) -> list[tuple[Any, ...]]:
    """The figures in force that are needed to judge the spans of series."""
    rows = connection.execute(_COMPARED, asked(spans, (span.compared_with for span in set(spans.values())))).all()
    own = [row for row in rows if (row[0], row[1]) in spans]
    return [*own, *_figures_of_bodies(connection, plan, spans.keys())]


def _figures_of_bodies(connection: Connection, plan: Plan, of: Collection[Series]) -> list[tuple[Any, ...]]:
    """The actuals in force from which comparators of series are computed, but for those of the series themselves."""
    indicators = {series.indicator for series in of}
    behind = bodies_behind(plan, {series.partner_code for series in of})
    bodies = {code for code in behind if any((code, indicator) not in of for indicator in indicators)}
    if not bodies:
        return []
    columns = observation.c
    query = select(*(columns[name] for name in FIGURE)).where(
        columns.superseded_at.is_(None),
        columns.measure == Measure.ACTUAL.value,
        columns.partner_code.in_(bodies),
        columns.indicator.in_(indicators),
    )
    return [tuple(row) for row in connection.execute(query).all() if (row[0], row[1]) not in of]


def judgements_in_force(
    connection: Connection, spans: Mapping[Series, Span], reaches: Mapping[tuple[str, str], Reach]
) -> dict[Key, tuple[int, tuple[Any, ...]]]:
    """By key, the number of each judgement of the spans, and its observation with the judged values."""
    rows = connection.execute(_IN_FORCE, asked(spans, spans.values())).all()
    return {row[:3]: (row[3], row[4:]) for row in rows if is_reached(reaches, row, row[2])}
