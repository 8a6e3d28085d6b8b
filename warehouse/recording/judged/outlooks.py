"""What is told beside judgements that are recorded: whether a change is noise, and whether the year is on course.

Both rest on all periods of a series, so that a figure reaches further here than in `judge`: to every later period.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, select

from cypp_etl.figure_keys import Series as SeriesKey
from cypp_etl.judgement.outlook.series import Point, Series, years_target
from cypp_etl.judgement.outlook.variation import Ratio, Scale
from cypp_etl.judgement.reach.dependents import Span
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.rhythm import Rhythm
from schemas.codes import DirectionBasis, Measure, Qualifier
from warehouse.recording.judged.affected import asked_series, is_reached, of_series, reach_of_each
from warehouse.schema.tables import JUDGED, judgement, observation
from warehouse.schema.values import qualifiers_of

Told: TypeAlias = tuple[str, str]
"""The noise word and the course, in the order of `OUTLOOK` of `warehouse.schema.tables`."""

_Key: TypeAlias = tuple[str, str, str]

# What a point of a series is made of, of a judgement and of the observation that it judges.
_JUDGED_OF_POINT = ("actual", "change", "previous_actual", "previous_period", "direction_basis", "year_to_date")
_PLACES = [1 + JUDGED.index(name) for name in _JUDGED_OF_POINT]
_OBSERVED = ("qualifiers", "numerator", "denominator")

_STORED = (
    select(
        *(judgement.c[name] for name in ("partner_code", "indicator", "period")),
        judgement.c.judgement_id,
        judgement.c.variation,
        judgement.c.on_course,
        *(judgement.c[name] for name in _JUDGED_OF_POINT),
        *(observation.c[name] for name in _OBSERVED),
    )
    .join(observation, observation.c.observation_id == judgement.c.observation_id)
    .where(of_series(judgement))
)
_TARGETS = select(observation.c.partner_code, observation.c.indicator, observation.c.period, observation.c.value).where(
    of_series(observation), observation.c.measure == Measure.TARGET.value
)


class Outlooks(NamedTuple):
    """What is told of judgements by their keys: of those judged now, and, with their numbers, of others that differ."""

    judged: Mapping[_Key, Told]
    others: Mapping[_Key, tuple[int, Told]]


def outlooks(
    connection: Connection,
    plan: Plan,
    spans: Mapping[SeriesKey, Span],
    figures: Iterable[Sequence[Any]],
    judged: Mapping[_Key, tuple[Any, ...]],
) -> Outlooks:
    """Tell what a change reaches, from the judgements in force beside those that were judged because of it.

    Args:
        connection: a transaction in which these judgements are not written yet.
        plan: the plan in force.
        spans: what was judged, by series.
        figures: the figures that were judged, with the columns of `FIGURE` of `warehouse.recording.judged.judgements`.
        judged: by key, the observation and what was judged.
    """
    observed = {(row[0], row[1], row[2]): (row[6], row[7], row[8]) for row in figures if row[3] == Measure.ACTUAL.value}
    reaches, points_of = reach_of_each(spans), _PointsOf(plan)
    points: dict[tuple[str, str], dict[Period, Point]] = {}
    stored: dict[_Key, tuple[int, Told]] = {}
    asked = asked_series(spans)
    for row in connection.execute(_STORED, asked):
        series = (row[0], row[1])
        if series in reaches and row[1] in plan.indicators and not is_reached(reaches, row, row[2]):
            period = parse_period(row[2])
            points.setdefault(series, {})[period] = points_of(series, period, row[6:12], row[12:])
            stored[row[0], row[1], row[2]] = (row[3], (row[4], row[5]))
    for key, values in judged.items():
        period = parse_period(key[2])
        said = [values[place] for place in _PLACES]
        points.setdefault(key[:2], {})[period] = points_of(key[:2], period, said, observed[key])
    returned = {tuple(row[:3]): row[3] for row in connection.execute(_TARGETS, asked)}
    told: dict[_Key, Told] = {}
    others: dict[_Key, tuple[int, Told]] = {}
    for series, of_series_ in points.items():
        for period, one in _told(plan, series, of_series_, spans[SeriesKey(*series)].first, returned):
            key = (*series, period.code)
            if key in judged:
                told[key] = one
            elif stored[key][1] != one:
                others[key] = (stored[key][0], one)
    return Outlooks(told, others)


class _PointsOf:
    """Makes points of what is stored; most series have one edition and one body, which is looked up once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._decimals: dict[tuple[str, str], int | None] = {}

    def __call__(
        self, series: tuple[str, str], period: Period, judged: Sequence[Any], observed: Sequence[Any]
    ) -> Point:
        """A point, of the values of `_JUDGED_OF_POINT` and `_OBSERVED`."""
        actual, change, previous_actual, previous_period, basis, year_to_date = judged
        qualifiers, numerator, denominator = observed
        decimals = self._decimals[series] if series in self._decimals else self._looked_up(series)
        is_other = False
        if decimals is None:
            decimals = self._plan.edition(series[1], period).decimals
            is_other = not self._plan.compares(*series, period, period.previous)
        return Point(
            decimals,
            actual,
            change,
            previous_actual,
            parse_period(previous_period),
            basis == DirectionBasis.OUTTURN,
            year_to_date,
            is_other or (qualifiers != "" and Qualifier.BREAK in qualifiers_of(qualifiers)),
            None if numerator is None or denominator is None else Ratio(numerator, denominator),
        )

    def _looked_up(self, series: tuple[str, str]) -> int | None:
        """The decimals of a series that never changes; None of any other."""
        partner_code, indicator = series
        first, *later = self._plan.editions_of(indicator)
        changes = bool(later) or partner_code in self._plan.taken_over
        self._decimals[series] = None if changes else first.decimals
        return self._decimals[series]


@lru_cache(maxsize=64)
def _before(rhythm: Rhythm) -> Callable[[Period], Period]:
    """When an indicator was asked before a period: thousands of series ask for the same few periods."""
    return lru_cache(maxsize=1024)(rhythm.before)


def _told(
    plan: Plan,
    series: tuple[str, str],
    points: Mapping[Period, Point],
    first: Period,
    returned: Mapping[tuple[Any, ...], float | None],
) -> Iterator[tuple[Period, Told]]:
    """What is told of each period of a series from one on, and of its whole year.

    The earlier quarters of that year rest on none of it, unless the year's target is that of its last quarter.
    """
    partner_code, indicator = series
    of_series_, targets = Series(points), dict[Period, float | None]()

    def target_of(period: Period) -> float | None:
        key = (partner_code, indicator, period.code)
        if key in returned:
            return returned[key]
        planned = plan.figure(Measure.TARGET, indicator, period, partner_code)
        return None if planned is None or planned.value is None else float(planned.value)

    for period in points:
        if period < first.year:
            continue
        if period.year not in targets:
            targets[period.year] = years_target(period.year, target_of)
        if period.quarter and period < first and target_of(period.year) is not None:
            continue
        leaf = plan.edition(indicator, period)
        scale = Scale(leaf.unit, leaf.decimals, leaf.accumulation)
        told = of_series_.outlook(
            period, (leaf.polarity, scale), _before(leaf.rhythm), targets[period.year], leaf.banding
        )
        yield period, (told.noise.variation.value, told.course_word.value)
