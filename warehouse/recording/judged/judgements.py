"""Judges again whatever depends on a change, and writes only the judgements that differ."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, reduce
from operator import or_ as union
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Connection, bindparam, func, select, union_all, update

from cypp_etl.figure_keys import FigureKey, Series
from cypp_etl.gc_control import collection_paused
from cypp_etl.judgement.reach.dependents import Span, dependents
from cypp_etl.judgement.reach.differences import PlanDifferences
from cypp_etl.periods import LAST_PERIOD, parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import Measure, Qualifier
from warehouse.recording.bulk_insert import insert_columns, insert_rows
from warehouse.recording.judged.affected import (
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
from warehouse.recording.judged.clinics import TRAVELLED, Change, keep_clinics
from warehouse.recording.judged.comparisons import (
    COMPARED,
    ComparisonKey,
    compared_by_key,
    comparisons_in_force,
    keep_comparisons,
)
from warehouse.recording.validity import end_rows
from warehouse.schema.tables import JUDGED, OUTLOOK, judgement, observation

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from cypp_etl.judgement.judge import Columns
    from warehouse.recording.judged.outlooks import OutlookWords

FIGURE = (
    *("partner_code", "indicator", "period", "measure", "value", "marker", "qualifiers"),
    *("numerator", "denominator", "observation_id"),
)
"""The columns of an observation that it is judged by."""

_KEY = ("partner_code", "indicator", "period")
_WRITTEN = (*_KEY, "observation_id", *JUDGED, *OUTLOOK)
_SYMBOLS = slice(1, 1 + len(JUDGED))
_GAP = 1 + JUDGED.index("target_gap")
_NEWER = ("target_gap", *OUTLOOK)
_FILLING_IN = (
    update(judgement)
    .where(judgement.c.judgement_id == bindparam("number"))
    .values({name: bindparam(name) for name in _NEWER})
)
_BAND = COMPARED.index("band")

_FIGURES = select(*(observation.c[name] for name in FIGURE)).where(of_series(observation))
# Those that are of one period, and compared with those of others; what else there is may be of any time.
_OF_PERIODS = [measure.value for measure in (Measure.ACTUAL, Measure.HISTORY)]
_COMPARED = union_all(
    _FIGURES.where(observation.c.measure.in_(_OF_PERIODS), within(observation)),
    _FIGURES.where(observation.c.measure.in_([measure.value for measure in Measure if measure not in _OF_PERIODS])),
)
_IN_FORCE = select(*(judgement.c[name] for name in (*_KEY, "judgement_id", "observation_id", *JUDGED, *OUTLOOK))).where(
    of_series(judgement), within(judgement)
)
_HELD = select(*(judgement.c[name] for name in _KEY)).where(of_series(judgement), within(judgement))

_ROWS_AT_ONCE = 10_000
"""How many rows are looked up by one statement: SQLite allows 32,766 values in it."""

# A quarter's code starts with its year's.
_YEAR_LETTERS = len("2010-11")

Key: TypeAlias = tuple[str, str, str]
"""Partner, indicator and period of a judgement: plain tuples, because there are thousands in a batch."""


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
    spans = _own_spans(_figures_of_series(touched))
    turned: dict[Series, Span] = {}
    for few in judged_together(spans):
        reaches = reach_of_each(few)
        held = connection.execute(_HELD, asked(few, few.values())).all()
        turned |= {(one := Series(*row[:2])): few[one] for row in held if is_reached(reaches, row, row[2])}
    return _rejudge(connection, plan, plan_id, turned, at)


def spans_reached(plan: Plan, touched: Iterable[tuple[str, str, str, str]]) -> Mapping[Series, Span]:
    """What changed figures reach, by series: what depends on them, and what is compared with them.

    A figure has the fields of `FigureKey`.
    """
    about = _figures_of_series(touched)
    return with_those_compared(_own_spans(about), about, plan)


def _figures_of_series(figures: Iterable[tuple[str, str, str, str]]) -> dict[Series, frozenset[tuple[str, str]]]:
    """The measures and periods of figures, by series."""
    about: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for partner_code, indicator, measure, period in figures:
        about.setdefault((partner_code, indicator), set()).add((measure, period))
    return {Series(*series): frozenset(of_series_) for series, of_series_ in about.items()}


def _own_spans(about: Mapping[Series, frozenset[tuple[str, str]]]) -> Mapping[Series, Span]:
    # The returns of a batch are of few periods, and so of few spans.
    reached = lru_cache(maxsize=None)(_dependents_of_all)
    return {series: reached(figures) for series, figures in about.items()}


def rejudge_by_plan(
    connection: Connection, plan: Plan, plan_id: int, differences: PlanDifferences, at: datetime
) -> Counter[Series]:
    """Judge by a new plan, as `rejudge` does, what differs from the one before."""
    return _rejudge(connection, plan, plan_id, _reached_by(connection, differences), at)


def _reached_by(connection: Connection, differences: PlanDifferences) -> dict[Series, Span]:
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
class JudgedByPlan:
    """What another plan says of some series beside what is in force; nothing is recorded.

    `judgements` are by key, with the values before and now, by name; empty if there are none. `bands` are against
    comparators: before and now by partner, indicator, period and comparator, empty if there is none.
    """

    judgements: Mapping[Key, tuple[Mapping[str, Any], Mapping[str, Any]]]
    bands: Mapping[ComparisonKey, tuple[str, str]]


def judged_by_plan(connection: Connection, plan: Plan, differences: PlanDifferences) -> Iterator[JudgedByPlan]:
    """Judge and compare by another plan what it judges differently, and record nothing."""
    for few in judged_together(_reached_by(connection, differences)):
        reaches = reach_of_each(few)
        rows = judge_and_compare_rows(_figures_compared(connection, few, plan), plan, reaches)
        judged = rows.by_key()
        held = _judgements_in_force(connection, few, reaches)
        pairs = {key: (held[key][1] if key in held else (), judged.get(key, ())) for key in {*held, *judged}}
        before = {key: said[_BAND] for key, (_, said) in comparisons_in_force(connection, few).items()}
        now = {key: said[_BAND] for key, said in compared_by_key(rows.comparisons).items()}
        yield JudgedByPlan(
            {key: (_named(was[1:]), _named(values[1:])) for key, (was, values) in pairs.items()},
            {key: (before.get(key, ""), now.get(key, "")) for key in {*before, *now}},
        )


def _named(values: Sequence[Any]) -> dict[str, Any]:
    """Judged values by the names of their columns, in the order of `JUDGED`; empty if there are none."""
    return dict(zip(JUDGED, values, strict=False))


def _dependents_of_all(figures: Iterable[tuple[str, str]]) -> Span:
    """The spans that figures of one series affect, given their measures and periods."""
    return reduce(union, (dependents(measure, parse_period(period)) for measure, period in figures))


def _rejudge(
    connection: Connection, plan: Plan, plan_id: int, spans: Mapping[Series, Span], at: datetime
) -> Counter[Series]:
    changed: Counter[Series] = Counter()
    # Rows are many, and never in a cycle.
    with collection_paused():
        for judged in judge_spans(connection, plan, spans):
            changed += keep_judged(connection, plan, plan_id, judged, at)
    return changed


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
        return zip(*(self.columns[name] for name in _KEY), strict=True)

    @property
    def judgements(self) -> dict[Key, tuple[Any, ...]]:
        """By key, what is judged: the observation, and all values."""
        values = zip(*(self.columns[name] for name in _WRITTEN[len(_KEY) :]), strict=True)
        return dict(zip(self.keys, values, strict=True))


def judge_spans(connection: Connection, plan: Plan, spans: Mapping[Series, Span]) -> Iterator[Judged]:
    """Judge spans of series by the figures in force, as many at once as memory allows; this only reads."""
    # What follows is in numpy, whose import reading the warehouse should not cost.
    from warehouse.recording.judged.outlooks import outlooks  # noqa: PLC0415

    for few in judged_together(spans):
        figures = _figures_compared(connection, few, plan)
        judged = judge_and_compare_rows(figures, plan, reach_of_each(few))
        told = outlooks(connection, plan, few, _targets(figures), judged.columns)
        outlook = dict(zip(OUTLOOK, (told.variations, told.courses), strict=True))
        columns = {name: outlook[name] if name in outlook else plain(judged.columns[name]) for name in _WRITTEN}
        yield Judged(few, columns, judged.comparisons, told.others, told.beside)


def _targets(figures: Iterable[Sequence[Any]]) -> dict[Key, float | None]:
    """The targets among figures."""
    target = Measure.TARGET.value
    return {(row[0], row[1], row[2]): row[4] for row in figures if row[3] == target}


def keep_judged(connection: Connection, plan: Plan, plan_id: int, judged: Judged, at: datetime) -> Counter[Series]:
    """Close and write what differs from judgements, in a transaction of `engine.writing`.

    Their figures must be those in force, and the plan they were judged by the one in force.

    Returns:
        How many judgements changed, by series.
    """
    held = _judgements_in_force(connection, judged.spans, reach_of_each(judged.spans))
    if held:
        keys = _replace(connection, held, judged.judgements, plan_id, at)
    else:
        keys = list(judged.keys)
        insert_columns(connection, judgement, judged.columns, {"plan_id": plan_id, "recorded_at": at})
    _replace_outlooks(connection, judged.outlooks, plan_id, at)
    keep_comparisons(connection, judged.spans, judged.comparisons, plan_id, at)
    # Where nothing else is in force of a series, and nothing was, its judgements need not be read again.
    keep_clinics(connection, _changes(keys, judged), plan, at, {} if held else _whole_series(judged))
    return Counter({Series(*key): count for key, count in Counter(key[:2] for key in keys).items()})


def _changes(keys: Sequence[Key], judged: Judged) -> Iterator[Change]:
    said = dict(zip(judged.keys, zip(*(judged.columns[name] for name in TRAVELLED), strict=True), strict=True))
    for key in keys:
        year = key[2][:_YEAR_LETTERS]
        # Whatever is affected in a year includes the judgement of the whole year.
        yield Change(key[:2], year if (*key[:2], year) in said else key[2], said.get(key))


def _whole_series(judged: Judged) -> dict[tuple[str, str], list[tuple[str, ...]]]:
    """Of each series without other judgements in force, what clinics follow from, by period."""
    found: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for partner_code, indicator, *said in zip(
        *(judged.columns[name] for name in ("partner_code", "indicator", *TRAVELLED)), strict=True
    ):
        found.setdefault((partner_code, indicator), []).append(tuple(said))
    return {series: sorted(of_series_) for series, of_series_ in found.items() if series not in judged.beside}


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


def _figures_compared(connection: Connection, spans: Mapping[Series, Span], plan: Plan) -> list[tuple[Any, ...]]:
    """The figures in force that are needed to judge the spans of series."""
    rows = connection.execute(_COMPARED, asked(spans, (span.compared_with for span in set(spans.values())))).all()
    own = [row for row in rows if (row[0], row[1]) in spans]
    return [*own, *_figures_of_bodies(connection, plan, spans.keys())]


def _judgements_in_force(
    connection: Connection, spans: Mapping[Series, Span], reaches: Mapping[tuple[str, str], Reach]
) -> dict[Key, tuple[int, tuple[Any, ...]]]:
    """By key, the number of each judgement of the spans, and its observation with the judged values."""
    rows = connection.execute(_IN_FORCE, asked(spans, spans.values())).all()
    return {row[:3]: (row[3], row[4:]) for row in rows if is_reached(reaches, row, row[2])}


@dataclass(frozen=True, slots=True)
class JudgedRows:
    """What was judged, and compared, of some figures.

    `columns` are those of `FIGURE` and `JUDGED` by name, all of one length. `comparisons` are columns as they
    are stored, none if there are none.
    """

    columns: Mapping[str, Sequence[Any]]
    comparisons: Mapping[str, Sequence[Any]]

    def by_key(self, *outlook: Sequence[Any]) -> dict[Key, tuple[Any, ...]]:
        """By key, the observation judged, the judged values, and what is told besides."""
        keys = zip(*(self.columns[name] for name in _KEY), strict=True)
        judged = (plain(self.columns[name]) for name in ("observation_id", *JUDGED))
        return dict(zip(keys, zip(*judged, *outlook, strict=True), strict=True))


def judge_rows(
    rows: Sequence[tuple[Any, ...]], plan: Plan, reaches: Mapping[tuple[str, str], Reach] | None = None
) -> dict[Key, tuple[Any, ...]]:
    """By key, the observation judged, with the judged values: all of them, or only those affected.

    A row has the columns of `FIGURE`.
    """
    return judge_and_compare_rows(rows, plan, reaches).by_key()


def judge_and_compare_rows(
    rows: Sequence[tuple[Any, ...]], plan: Plan, reaches: Mapping[tuple[str, str], Reach] | None = None
) -> JudgedRows:
    """Judge and compare figures, as `judge_rows` does."""
    rows = [row for row in rows if row[1] in plan.indicators]
    if not rows:
        return JudgedRows(dict.fromkeys((*FIGURE, *JUDGED), ()), {})
    # pandas takes half a second to import, which reading the warehouse should not cost.
    from cypp_etl.judgement.entries import Figures  # noqa: PLC0415
    from cypp_etl.judgement.judge import judge_figures  # noqa: PLC0415

    judged, compared = judge_figures(Figures(**_columns_of(rows)), plan)
    reached = _are_reached(rows, judged["place"], reaches)
    wanted = reached[judged["place"]]
    of_rows = [rows[place] for place in judged["place"][wanted].tolist()]
    figures = zip(FIGURE, zip(*of_rows, strict=True) if of_rows else ((),) * len(FIGURE), strict=True)
    columns = {**dict(figures), **{name: judged[name][wanted] for name in JUDGED}}
    if not compared:
        return JudgedRows(columns, {})
    wanted = reached[compared["place"]]
    own = [rows[place] for place in compared["place"][wanted].tolist()]
    keys = {name: [row[place] for row in own] for place, name in enumerate(_KEY)}
    said = {name: plain(compared[name][wanted]) for name in ("comparator", *COMPARED)}
    return JudgedRows(columns, keys | said)


def _are_reached(
    rows: Sequence[tuple[Any, ...]], judged: "npt.NDArray[Any]", reaches: Mapping[tuple[str, str], Reach] | None
) -> "npt.NDArray[Any]":
    """For each row, whether it is one of those judged, given by their places, and among those affected."""
    import numpy as np  # noqa: PLC0415 - as in `judge_and_compare_rows`

    reached = np.zeros(len(rows), dtype=np.bool_)
    if reaches is None:
        reached[judged] = True
    else:
        reached[judged] = [is_reached(reaches, row, row[2]) for row in map(rows.__getitem__, judged.tolist())]
    return reached


def plain(column: "npt.NDArray[Any] | pd.Series[Any] | Sequence[Any]") -> Sequence[Any]:
    """A judged column in the form that the database stores and returns."""
    if isinstance(column, Sequence):
        return column
    values: list[Any] = column.tolist()
    if column.dtype == "float64":
        return [None if number != number else number for number in values]  # noqa: PLR0124 - NaN alone
    return values


def figures_frame(rows: Sequence[tuple[Any, ...]]) -> "pd.DataFrame":
    """Rows with the columns of `FIGURE` as a frame for `judge`, numbered in their order."""
    import pandas as pd  # noqa: PLC0415

    # With its own type given, pandas does not check each value for being text.
    return pd.DataFrame({name: pd.Series(column, dtype=column.dtype) for name, column in _columns_of(rows).items()})


def _columns_of(rows: Sequence[tuple[Any, ...]]) -> "Columns":
    """Rows with the columns of `FIGURE` as the columns of `Figures`."""
    import numpy as np  # noqa: PLC0415

    columns = dict(zip(FIGURE, zip(*rows, strict=True), strict=True))
    is_break = {qualifiers: Qualifier.BREAK.value in qualifiers for qualifiers in set(columns["qualifiers"])}
    return {
        **{name: np.array(columns[name], dtype=object) for name in (*_KEY, "measure", "marker")},
        **{name: np.array(columns[name], dtype=np.float64) for name in ("value", "numerator", "denominator")},
        "is_break": np.array([is_break[qualifiers] for qualifiers in columns["qualifiers"]], dtype=np.bool_),
    }


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
    insert_rows(connection, judgement, _WRITTEN, rows, {"plan_id": plan_id, "recorded_at": at})
    # Without the observation: the same figure from another cell is not a change. Nor is another outlook.
    return [
        key for key in {*ended, *written} if key not in held or judged.get(key, ())[_SYMBOLS] != held[key][1][_SYMBOLS]
    ]


def fill_in_outlooks(connection: Connection, plan: Plan) -> None:
    """Fill in the outlooks of judgements in force that an older program had none for, within `engine.writing`.

    Their rows are changed, for once: the columns are newer than they are, and held nothing.
    """
    from warehouse.recording.judged.outlooks import outlooks  # noqa: PLC0415 - as in `judge_spans`

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
        reaches, figures = reach_of_each(few), _figures_compared(connection, few, plan)
        judged = judge_and_compare_rows(figures, plan, reaches)
        told = outlooks(connection, plan, few, _targets(figures), judged.columns)
        newer = judged.by_key(told.variations, told.courses)
        rows = [
            {"number": number, **dict(zip(_NEWER, (newer[key][_GAP], *newer[key][-len(OUTLOOK) :]), strict=True))}
            for key, (number, _) in _judgements_in_force(connection, few, reaches).items()
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
        query = select(columns.judgement_id, *(columns[name] for name in _WRITTEN[: -len(OUTLOOK)])).where(
            columns.judgement_id.in_(few)
        )
        rows = [(*row[1:], *numbers[row[0]]) for row in connection.execute(query).all()]
        end_rows(connection, judgement, few, at)
        insert_rows(connection, judgement, _WRITTEN, rows, {"plan_id": plan_id, "recorded_at": at})
